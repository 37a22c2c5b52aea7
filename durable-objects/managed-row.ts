import type { ManagedState } from "../adapters/managed-state.ts";
import { partsOf } from "./text-parts.ts";

/** All that the object of a managed SFU remembers. */
export interface ManagedMemory {
  readonly session: string;
  /** The session has ended; what it has at the SFU is still to be closed. */
  isOver: boolean;
  readonly state?: ManagedState;
}

const PREFIX = "state ";

/** Remembers it in one row; in several where a session is larger than a row may be. */
export class ManagedRow {
  readonly #kv: SyncKvStorage;
  #written: readonly string[] = [];

  constructor({ kv }: DurableObjectStorage) {
    this.#kv = kv;
  }

  read(): ManagedMemory | undefined {
    this.#written = [...this.#kv.list<string>({ prefix: PREFIX })].map(([, part]) => part);
    return this.#written.length === 0
      ? undefined
      : (JSON.parse(this.#written.join("")) as ManagedMemory);
  }

  /** Writes what differs from what was written last. */
  write(memory: ManagedMemory): void {
    const parts = partsOf(JSON.stringify(memory));
    for (const [at, part] of parts.entries()) {
      if (part !== this.#written[at]) this.#kv.put(keyOf(at), part);
    }
    for (let at = parts.length; at < this.#written.length; at++) this.#kv.delete(keyOf(at));
    this.#written = parts;
  }

  forget(): void {
    this.#written = [];
  }
}

/** They sort as they were cut. */
const keyOf = (at: number): string => `${PREFIX}${String(at).padStart(3, "0")}`;
