import { emptyHolding, type Holding } from "../protocol/assistance/holding.ts";
import type { AssistanceApi } from "../protocol/assistance/record.ts";
import { partsOf } from "./text-parts.ts";

/** A request of a session, as it is remembered until the network has nothing of it. */
export interface AssistanceEntry {
  readonly ue: string;
  readonly network: string;
  holding: Holding;
}

const PREFIX = "assistance ";
/** Before the number of a part but the first; it is in no key. */
const PART = "\n";

const rowOf = (key: string, part: number): string =>
  part === 0 ? `${PREFIX}${key}` : `${PREFIX}${key}${PART}${String(part).padStart(3, "0")}`;

/**
 * The requests of a session in storage: a row each, because one has some kilobytes, and a mesh of sixteen hundreds; more where a
 * link has hundreds of m-sections, and its body is there for each create that is in doubt.
 */
export class AssistanceRows {
  readonly #kv: SyncKvStorage;
  #entries: Map<string, AssistanceEntry> | undefined;
  /** How many rows each key has. */
  readonly #stored = new Map<string, number>();

  constructor({ kv }: DurableObjectStorage) {
    this.#kv = kv;
  }

  /** By key. Read when they are asked for first. */
  get entries(): ReadonlyMap<string, AssistanceEntry> {
    return this.#known();
  }

  /** By key. */
  get holdings(): ReadonlyMap<string, Holding> {
    return new Map([...this.#known()].map(([key, { holding }]) => [key, holding]));
  }

  #known(): Map<string, AssistanceEntry> {
    if (this.#entries) return this.#entries;
    this.#entries = new Map();
    this.#stored.clear();
    const texts = new Map<string, string>();
    // Parts come in their order: rows are listed by name.
    for (const [row, json] of this.#kv.list<string>({ prefix: PREFIX })) {
      const [key = ""] = row.slice(PREFIX.length).split(PART);
      texts.set(key, (texts.get(key) ?? "") + json);
      this.#stored.set(key, (this.#stored.get(key) ?? 0) + 1);
    }
    for (const [key, json] of texts) this.#entries.set(key, JSON.parse(json) as AssistanceEntry);
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
    const parts = partsOf(JSON.stringify(entry));
    for (const [part, json] of parts.entries()) this.#kv.put(rowOf(key, part), json);
    this.#deleteFrom(key, parts.length);
    this.#stored.set(key, parts.length);
  }

  #deleteFrom(key: string, first: number): void {
    const count = this.#stored.get(key) ?? 0;
    for (let part = first; part < count; part += 1) this.#kv.delete(rowOf(key, part));
  }

  delete(key: string): void {
    this.#known().delete(key);
    this.#deleteFrom(key, 0);
    this.#stored.delete(key);
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
