import type { Session } from "../protocol/session.ts";
import type { SessionEvent } from "../protocol/step.ts";
import { Assistance } from "./assistance.ts";
import type { Bindings } from "./env.ts";
import { Outbox } from "./outbox.ts";
import type { WebhookNote } from "./outbox-delivery.ts";

/** What they ask of their session. */
export interface ObligationPorts {
  readonly session: () => Session | null;
  readonly turn: (event: SessionEvent) => void;
  /** Something is due that was not before: the alarm may have to be earlier. */
  readonly dueChanged: () => void;
  /** Of a session that is over everything is settled. */
  readonly emptied: () => void;
  /** For the timeline. */
  readonly note: (note: WebhookNote) => void;
}

/**
 * What a session owes others, and leaves behind when it ends: events to the application (R6), and in mobile networks what
 * was asked of them for it.
 */
export class Obligations {
  readonly outbox: Outbox;
  readonly assistance: Assistance;

  constructor(state: DurableObjectState, env: Bindings, ports: ObligationPorts) {
    const { session, turn, dueChanged, note } = ports;
    this.outbox = new Outbox(state, env, {
      ...{ dueChanged, note },
      emptied: () => {
        if (this.assistance.isWaiting) return false;
        ports.emptied();
        return true;
      },
    });
    this.assistance = new Assistance(state, env, {
      ...{ session, turn, dueChanged },
      emptied: () => (this.outbox.isWaiting ? dueChanged() : ports.emptied()),
    });
  }

  get isWaiting(): boolean {
    return this.outbox.isWaiting || this.assistance.isWaiting;
  }

  /** When something is due, milliseconds since 1970; null when nothing waits. */
  get deadline(): number | null {
    return earlier(this.outbox.deadline, this.assistance.deadline);
  }

  /** When to look again after what a session has left behind; null when nothing is. */
  get lastDeadline(): number | null {
    return earlier(this.outbox.lastDeadline, this.assistance.deadline);
  }

  /** An event ends the session; `keep` leaves nothing of it but that. */
  end(before: Session, event: SessionEvent, keep: () => void): void {
    let isKept = false;
    this.outbox.end(before, event, () => {
      isKept = true;
      keep();
    });
    if (!isKept && this.assistance.isWaiting) keep();
  }

  /** Does what is due; nothing is awaited. */
  carry(): void {
    this.outbox.carry();
    this.assistance.carry();
  }

  /** The alarm has rung, whatever for. */
  ring(): void {
    this.outbox.ring();
    this.assistance.ring();
  }

  /** What memory holds is in doubt. */
  forget(): void {
    this.outbox.forget();
    this.assistance.forget();
  }
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
