import { emptyHolding, type Holding } from "../protocol/assistance/holding.ts";
import type { AssistanceApi } from "../protocol/assistance/record.ts";

/** A request of a session, as it is remembered until the network has nothing of it. */
export interface AssistanceEntry {
  readonly ue: string;
  readonly network: string;
  holding: Holding;
}

const KEY = "assistance";

/** The requests of a session in storage: one row, and none without any. */
export class AssistanceRow {
  readonly #kv: SyncKvStorage;
  #entries: Map<string, AssistanceEntry> | undefined;
  #isStored = false;

  constructor({ kv }: DurableObjectStorage) {
    this.#kv = kv;
  }

  /** By key. Read when it is asked for first. */
  get entries(): ReadonlyMap<string, AssistanceEntry> {
    return this.#known();
  }

  #known(): Map<string, AssistanceEntry> {
    if (this.#entries) return this.#entries;
    const json = this.#kv.get<string>(KEY);
    this.#isStored = json !== undefined;
    this.#entries = new Map(JSON.parse(json ?? "[]") as [string, AssistanceEntry][]);
    return this.#entries;
  }

  /** One that is wanted from now on; it is written with its first act. */
  add(key: string, ue: string, network: string, api: AssistanceApi): AssistanceEntry {
    const entry = { ue, network, holding: emptyHolding(key, network, api) };
    this.#known().set(key, entry);
    return entry;
  }

  delete(key: string): void {
    this.#known().delete(key);
  }

  /** Writes what the network has, or may have, of us: before each call and after it. */
  write(): void {
    const entries = [...this.#known()];
    if (entries.length > 0) this.#kv.put(KEY, JSON.stringify(entries));
    else if (this.#isStored) this.#kv.delete(KEY);
    this.#isStored = entries.length > 0;
  }

  /** What memory holds is in doubt. */
  forget(): void {
    this.#entries = undefined;
  }
}

/** What is worth a row: not when it was looked last. */
export function newsIn({ serial: _serial, underway: _underway, held, ...rest }: Holding): string {
  const { readAt: _readAt, polls: _polls, ...status } = held ?? { readAt: 0, polls: 0 };
  return JSON.stringify([rest, status]);
}
