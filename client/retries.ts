import { backoffMs } from "./backoff.ts";

const RETRY = { firstMs: 1000, mostMs: 30_000 };
const MOST_ATTEMPTS = 10;

/** Offers that failed: when to try again, and when to leave it until something changes. */
export class Retries {
  readonly #due: () => void;
  #attempts = 0;
  #givenUp = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `due` is called when the wait is over. */
  constructor(due: () => void) {
    this.#due = due;
  }

  /** False during a wait, and after giving up. */
  get ready(): boolean {
    return this.#timer === undefined && !this.#givenUp;
  }

  later(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#attempts += 1;
    if (this.#attempts > MOST_ATTEMPTS) {
      this.giveUp();
      return;
    }
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#due();
      },
      backoffMs(this.#attempts - 1, RETRY),
    );
  }

  giveUp(): void {
    this.#givenUp = true;
  }

  /** An exchange was completed, or the application changed something. */
  reset(): void {
    this.stop();
    this.#attempts = 0;
    this.#givenUp = false;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
