import type { Holding, Wish } from "../protocol/assistance/holding.ts";
import { isUnsure, PATIENCE, wishIn } from "../protocol/assistance/patience.ts";
import type { Wanted } from "../protocol/assistance/wishes.ts";

const placeOf = ({ ue, network }: Pick<Wanted, "ue" | "network">): string => `${network} ${ue}`;

/**
 * How long it has been unsure what a UE wants of its network. Lost with the memory of the object, which begins anew: what is
 * held stays a little longer then.
 */
export class UnsureWishes {
  readonly #again: () => void;
  /** By network and UE. */
  readonly #since = new Map<string, number>();

  /** `again` is called when patience may be over. */
  constructor(again: () => void) {
    this.#again = again;
  }

  /** What is wanted now. */
  look(wanted: Iterable<Wanted>): void {
    const unsure = new Set([...wanted].filter(isUnsure).map(placeOf));
    for (const place of this.#since.keys()) if (!unsure.has(place)) this.#since.delete(place);
    for (const place of unsure) {
      if (this.#since.has(place)) continue;
      this.#since.set(place, Date.now());
      for (const ms of Object.values(PATIENCE)) setTimeout(this.#again, ms);
    }
  }

  /** What is to be asked for under a key now. */
  wishOf(
    wanted: Wanted | undefined,
    of: Pick<Wanted, "ue" | "network">,
    holding: Holding | undefined,
  ): Wish | undefined {
    const since = this.#since.get(placeOf(of));
    const waitedMs = since === undefined ? 0 : Date.now() - since;
    return wishIn(wanted, holding, { isAmid: since !== undefined, waitedMs });
  }

  forget(): void {
    this.#since.clear();
  }
}
