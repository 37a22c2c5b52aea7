import type { ToPeer } from "../protocol/messages.ts";

/** How many messages back one that comes again is known; a socket that is replaced has far fewer on its way. */
const MOST_KNOWN = 4096;

/**
 * Keys of application messages. One whose reply was lost with the socket is sent again with the key it had; by
 * that its receiver knows that it was delivered already (R3).
 */
export class MessageKeys {
  readonly #prefix = Math.random().toString(36).slice(2);
  readonly #delivered = new Set<string>();
  #count = 0;

  /** A key that no other message has, nor one of another page. */
  next(): string {
    this.#count += 1;
    return `${this.#prefix}.${this.#count}`;
  }

  /** False for a message that came before. One without a key is always new. */
  isNew({ from, key }: Extract<ToPeer, { type: "message" }>): boolean {
    if (key === undefined) return true;
    const known = `${from} ${key}`;
    if (this.#delivered.has(known)) return false;
    this.#delivered.add(known);
    const [oldest = ""] = this.#delivered;
    if (this.#delivered.size > MOST_KNOWN) this.#delivered.delete(oldest);
    return true;
  }
}
