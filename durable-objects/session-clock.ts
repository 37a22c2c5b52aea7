import type { Session } from "../protocol/session.ts";
import { nextDeadline } from "../protocol/session-deadline.ts";
import { firstAlarmOf } from "./session-alarm.ts";

const NEVER = Number.POSITIVE_INFINITY;
const SOON_MS = 50;
/** Alarms may be late, and those that fail are tried again for some minutes. */
const LOST_MS = 600_000;

/** What may be due besides what the session itself says; null when it is nothing. */
export interface Dues {
  readonly doubt: () => number | null;
  readonly owed: () => number | null;
}

/** The one alarm of a session, and what it is set to. */
export class SessionClock {
  readonly #state: DurableObjectState;
  readonly #dues: Dues;
  #at: number | null = null;
  /** The deadline of doubts that the alarm was set with. */
  #doubtAt: number | null = null;

  constructor(state: DurableObjectState, dues: Dues) {
    this.#state = state;
    this.#dues = dues;
    this.read();
  }

  /** Milliseconds since 1970; null when it is not set. */
  get at(): number | null {
    return this.#at;
  }

  /** Memory is new. */
  read(): void {
    void this.#state.blockConcurrencyWhile(async () => {
      this.#at = await this.#state.storage.getAlarm();
    });
  }

  /** Of a session that has just begun. */
  begin(session: Session): void {
    this.set(Math.min(firstAlarmOf(session), nextDeadline(session) ?? NEVER));
  }

  set(at: number): void {
    // The platform may lose one that is set for the past while another rings.
    this.#at = Math.max(at, Date.now() + SOON_MS);
    void this.#state.storage.setAlarm(this.#at);
  }

  /** It was set to this when it rang. */
  rang(at: number): void {
    this.#at = at;
  }

  /** It has rung, or storage is erased. */
  forget(): void {
    this.#at = null;
  }

  /**
   * What the alarm is to be set to; undefined when it stays. It is never put off: setting it is a row, and one that finds
   * nothing due is a request, which costs a seventh of that. It sets the next one then.
   */
  next(session: Session | null): number | undefined {
    const doubt = this.#dues.doubt();
    this.#doubtAt = doubt;
    const deadline = session && nextDeadline(session);
    const next = Math.min(doubt ?? NEVER, deadline ?? NEVER, this.#dues.owed() ?? NEVER);
    return next < this.#set ? next : undefined;
  }

  /** What is set and will ring: one that should have rung long ago was lost. */
  get #set(): number {
    return this.#at === null || this.#at < Date.now() - LOST_MS ? NEVER : this.#at;
  }

  /** A doubt has begun or ended since. */
  get isDoubtNews(): boolean {
    return this.#dues.doubt() !== this.#doubtAt;
  }
}
