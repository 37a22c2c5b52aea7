import type { Holding, Wish } from "../protocol/assistance/holding.ts";
import { isUnsure, nextPatience, wishIn } from "../protocol/assistance/patience.ts";
import type { Wanted } from "../protocol/assistance/wishes.ts";

type Place = Pick<Wanted, "ue" | "network">;

/** What is wanted and held under one key. */
export interface Kept {
  readonly of: Place;
  readonly wanted: Wanted | undefined;
  readonly holding: Holding | undefined;
}

const placeOf = ({ ue, network }: Place): string => `${network} ${ue}`;

/**
 * How long it has been unsure what a UE wants of its network. Lost with the memory of the object, which begins anew: what is
 * held stays a little longer then.
 */
export class UnsureWishes {
  readonly #again: () => void;
  /** By network and UE. */
  readonly #since = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** `again` is called when patience is over. */
  constructor(again: () => void) {
    this.#again = again;
  }

  /** What is wanted now. */
  look(wanted: Iterable<Wanted>): void {
    const unsure = new Set([...wanted].filter(isUnsure).map(placeOf));
    for (const place of this.#since.keys()) if (!unsure.has(place)) this.#since.delete(place);
    for (const place of unsure) {
      if (!this.#since.has(place)) this.#since.set(place, Date.now());
    }
  }

  /** What is to be asked for under a key now. */
  wishOf({ of, wanted, holding }: Kept): Wish | undefined {
    return wishIn(wanted, holding, this.#amid(of));
  }

  /** Waits for the end of patience, if anything changes then: an object with a timer cannot sleep. */
  wait(all: Iterable<Kept>): void {
    clearTimeout(this.#timer);
    let next = Number.POSITIVE_INFINITY;
    for (const { of, wanted, holding } of all) {
      const amid = this.#amid(of);
      const ms = amid.isAmid ? nextPatience(wanted, holding, amid) : undefined;
      if (ms !== undefined) next = Math.min(next, ms - amid.waitedMs);
    }
    this.#timer = Number.isFinite(next) ? setTimeout(this.#again, next) : null;
  }

  #amid(of: Place): { isAmid: boolean; waitedMs: number } {
    const since = this.#since.get(placeOf(of));
    return { isAmid: since !== undefined, waitedMs: since === undefined ? 0 : Date.now() - since };
  }

  forget(): void {
    clearTimeout(this.#timer);
    this.#since.clear();
  }
}
