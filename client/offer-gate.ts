import { backoffMs } from "./backoff.ts";

const RETRY = { firstMs: 1000, mostMs: 30_000 };
const MOST_ATTEMPTS = 10;
/** The joiner offers; if it has not in this time, it is of a kind that waits for offers itself. */
const JOINER_MS = 4000;

/** When this side may offer: not while it waits for the joiner's offer, nor right after one that failed. */
export class OfferGate {
  readonly #opened: () => void;
  #attempts = 0;
  #givenUp = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `opened` is called when a wait is over. */
  constructor(opened: () => void) {
    this.#opened = opened;
  }

  /** False during a wait, and after giving up. */
  get open(): boolean {
    return this.#timer === undefined && !this.#givenUp;
  }

  awaitJoiner(): void {
    this.#wait(JOINER_MS);
  }

  /** An offer failed: the next one after a while, and not for ever. */
  later(): void {
    this.#attempts += 1;
    if (this.#attempts > MOST_ATTEMPTS) this.giveUp();
    else this.#wait(backoffMs(this.#attempts - 1, RETRY));
  }

  /** Until `reset`: what was refused would be refused again. */
  giveUp(): void {
    this.#givenUp = true;
  }

  /** An exchange was completed, the other side offered, or the application changed something. */
  reset(): void {
    this.stop();
    this.#attempts = 0;
    this.#givenUp = false;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(ms: number): void {
    this.stop();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#opened();
    }, ms);
  }
}
