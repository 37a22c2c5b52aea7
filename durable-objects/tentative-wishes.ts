import type { Wish } from "../protocol/assistance/holding.ts";
import type { Wanted } from "../protocol/assistance/wishes.ts";

/** A pair is mostly selected, and reported, within this time. Milliseconds. */
const TENTATIVE_MS = 3_000;

/**
 * Nobody is asked at once for what is likely to be something else soon: until then what was sure before is still wanted. All of
 * it is lost with the memory of the object, which begins anew.
 */
export class TentativeWishes {
  readonly #again: () => void;
  readonly #since = new Map<string, number>();
  readonly #sure = new Map<string, Wish>();

  /** `again` is called when the time of one is over. */
  constructor(again: () => void) {
    this.#again = again;
  }

  /** What is wanted now. */
  look(wanted: ReadonlyMap<string, Wanted>): void {
    for (const [key, { isTentative, wish }] of wanted) {
      if (!isTentative) {
        this.#since.delete(key);
        if (wish) this.#sure.set(key, wish);
        continue;
      }
      if (this.#since.has(key)) continue;
      this.#since.set(key, Date.now());
      setTimeout(this.#again, TENTATIVE_MS);
    }
    for (const key of [...this.#since.keys(), ...this.#sure.keys()]) {
      if (wanted.has(key)) continue;
      this.#since.delete(key);
      this.#sure.delete(key);
    }
  }

  /** What is to be asked for now. */
  wishOf({ key, wish }: Wanted): Wish | undefined {
    const since = this.#since.get(key);
    const isTime = since === undefined || Date.now() - since >= TENTATIVE_MS;
    return isTime ? wish : this.#sure.get(key);
  }

  forget(): void {
    this.#since.clear();
    this.#sure.clear();
  }
}
