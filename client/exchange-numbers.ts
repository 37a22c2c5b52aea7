import type { LinkSummary } from "../protocol/message-parts.ts";

/** Where a link's exchanges stand, by the numbers the server gave them (N1). */
export class ExchangeNumbers {
  /** Newest exchange heard of. */
  newest = 0;
  /** Newest exchange whose remote description is, or was, applied. */
  applied = 0;
  /** The exchange whose offer and answer are both applied. */
  inForce = 0;
  /** This side's open offer. */
  open: number | undefined;
  readonly #void = new Set<number>();

  heard(exchange: number): void {
    this.newest = Math.max(this.newest, exchange);
  }

  /** The number that the server names as current, as far as this side has come. */
  known(named: unknown): number {
    return typeof named === "number" ? Math.min(named, this.newest) : this.newest;
  }

  /** This side's offer was taken. */
  opened(exchange: number): void {
    this.heard(exchange);
    this.open = exchange;
  }

  /** True when this offer is news: not sent again, and not withdrawn meanwhile. */
  isDue(offer: number): boolean {
    return offer > Math.max(this.applied, this.open ?? 0) && !this.#void.has(offer);
  }

  /** The other side's description is applied now; of this side's offers none is open any more. */
  apply(exchange: number): void {
    this.heard(exchange);
    this.applied = exchange;
    this.open = undefined;
  }

  settle(exchange: number): void {
    this.inForce = exchange;
    this.#void.clear();
  }

  /** The exchange is off, whether its offer was applied already or is still in line. */
  withdraw(exchange: number): void {
    this.#void.add(exchange);
  }

  /**
   * This page takes over from another one. Descriptions in force were applied there; only an offer that the
   * other side (not `self`) has open is for this page: returns true when there is one.
   */
  takeOver({ exchange, offerer, state }: LinkSummary, self: string): boolean {
    const openThere = state === "offered" && offerer !== self;
    this.newest = exchange;
    this.applied = openThere ? exchange - 1 : exchange;
    return openThere;
  }
}
