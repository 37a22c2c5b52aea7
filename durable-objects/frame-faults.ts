import type { SimulatedFault } from "../protocol/simulated-fault.ts";

/** Lets one frame go on. */
export type Pass = () => void;

const DELAY_MS = 1_000;
/** A frame that is held back for the next one goes by itself after this time: there may be no next one. */
const HELD_AT_MOST_MS = 1_000;

/** Faults of the frames that go one way through one socket: twice, late, or in the wrong order. */
export class FrameFaults {
  #duplicate = 0;
  #reorder = 0;
  #delay = 0;
  #delayMs = DELAY_MS;
  /** Oldest first: delayed frames keep their order among themselves, frames after them overtake. */
  readonly #delayed: Pass[] = [];
  #held: { readonly pass: Pass; readonly timer: ReturnType<typeof setTimeout> } | undefined;

  /** Lets a fault happen to the next frames, besides those that are due already. */
  arm({ fault, count = 1, delayMs = DELAY_MS }: SimulatedFault): void {
    if (fault === "duplicate") this.#duplicate += count;
    if (fault === "reorder") this.#reorder += count;
    if (fault === "delay") {
      this.#delay += count;
      this.#delayMs = delayMs;
    }
  }

  /** Takes a frame on its way. */
  take(pass: Pass): void {
    const frame = this.#twice(pass);
    if (this.#delay === 0) {
      this.#leave(frame);
      return;
    }
    this.#delay -= 1;
    this.#delayed.push(frame);
    setTimeout(() => {
      const oldest = this.#delayed.shift();
      if (oldest) this.#leave(oldest);
    }, this.#delayMs);
  }

  #twice(pass: Pass): Pass {
    if (this.#duplicate === 0) return pass;
    this.#duplicate -= 1;
    return () => {
      pass();
      pass();
    };
  }

  #leave(pass: Pass): void {
    if (this.#held) {
      pass();
      this.#release();
    } else if (this.#reorder > 0) {
      this.#reorder -= 1;
      this.#held = { pass, timer: setTimeout(() => this.#release(), HELD_AT_MOST_MS) };
    } else pass();
  }

  #release(): void {
    if (!this.#held) return;
    const { pass, timer } = this.#held;
    this.#held = undefined;
    clearTimeout(timer);
    pass();
  }
}
