import { nextDeadline, type Session } from "../protocol/session.ts";
import type { Liveness } from "./liveness.ts";

/** The one alarm of a session: it serves all deadlines, and is set only when one exists (R5). */
export class AlarmClock {
  readonly #state: DurableObjectState;
  readonly #liveness: Liveness;
  /** Milliseconds since 1970; null when none is set. */
  #at: number | null = null;
  /** The deadline of doubts that it was set with. */
  #doubtAt: number | null = null;

  constructor(state: DurableObjectState, liveness: Liveness) {
    this.#state = state;
    this.#liveness = liveness;
    this.read();
  }

  get at(): number | null {
    return this.#at;
  }

  /** Asks storage for it, before anything else happens. */
  read(): void {
    void this.#state.blockConcurrencyWhile(async () => {
      this.#at = await this.#state.storage.getAlarm();
    });
  }

  /** Its time has come. */
  ring(): void {
    this.#at = null;
  }

  /** It rings, and nobody has asked storage for it yet. */
  assume(at: number | undefined): void {
    this.#at ??= at ?? null;
  }

  /**
   * What it is to be set to; undefined when it stays. It is never put off: setting it is a row, and one that finds
   * nothing due is a request, which costs a seventh of that. It sets the next one then.
   */
  next(session: Session): number | undefined {
    const doubt = this.#liveness.deadline;
    this.#doubtAt = doubt;
    const next = earliest(doubt, nextDeadline(session));
    return next < (this.#at ?? Number.POSITIVE_INFINITY) ? next : undefined;
  }

  /** True when a doubt came or ended since it was set. */
  get isDoubtNew(): boolean {
    return this.#liveness.deadline !== this.#doubtAt;
  }

  set(at: number): void {
    this.#at = at;
    void this.#state.storage.setAlarm(at);
  }
}

const earliest = (...deadlines: readonly (number | null)[]): number =>
  Math.min(...deadlines.map((each) => each ?? Number.POSITIVE_INFINITY));
