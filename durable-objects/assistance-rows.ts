import { emptyHolding, type Holding } from "../protocol/assistance/holding.ts";
import type { AssistanceApi } from "../protocol/assistance/record.ts";

/** A request of a session, as it is remembered until the network has nothing of it. */
export interface AssistanceEntry {
  readonly ue: string;
  readonly network: string;
  holding: Holding;
}

const PREFIX = "assistance ";

/** The requests of a session in storage: a row each, because one has some kilobytes, and a mesh of sixteen hundreds. */
export class AssistanceRows {
  readonly #kv: SyncKvStorage;
  #entries: Map<string, AssistanceEntry> | undefined;
  /** Keys that have a row. */
  readonly #stored = new Set<string>();

  constructor({ kv }: DurableObjectStorage) {
    this.#kv = kv;
  }

  /** By key. Read when they are asked for first. */
  get entries(): ReadonlyMap<string, AssistanceEntry> {
    return this.#known();
  }

  #known(): Map<string, AssistanceEntry> {
    if (this.#entries) return this.#entries;
    this.#entries = new Map();
    this.#stored.clear();
    for (const [row, json] of this.#kv.list<string>({ prefix: PREFIX })) {
      const key = row.slice(PREFIX.length);
      this.#entries.set(key, JSON.parse(json) as AssistanceEntry);
      this.#stored.add(key);
    }
    return this.#entries;
  }

  /**
   * One that is wanted from now on; it is written with its first act. Its tries are numbered from the time: a network that
   * tells of an earlier request of this key means none of these.
   */
  add(key: string, ue: string, network: string, api: AssistanceApi): void {
    const holding = { ...emptyHolding(key, network, api), generation: Date.now() };
    this.#known().set(key, { ue, network, holding });
  }

  /** Writes what the network has, or may have, of us under a key: before each call and after it. */
  write(key: string): void {
    const entry = this.#known().get(key);
    if (!entry) return;
    this.#kv.put(`${PREFIX}${key}`, JSON.stringify(entry));
    this.#stored.add(key);
  }

  delete(key: string): void {
    this.#known().delete(key);
    if (this.#stored.delete(key)) this.#kv.delete(`${PREFIX}${key}`);
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
