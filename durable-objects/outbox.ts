import type { Session } from "../protocol/session.ts";
import type { SessionEvent } from "../protocol/step.ts";
import type { WebhookNews } from "../protocol/webhooks/event.ts";
import { newsOf, newsOfEnd, newsOfStart } from "../protocol/webhooks/news.ts";
import type { SessionWebhooks } from "../protocol/webhooks/view.ts";
import type { Bindings } from "./env.ts";
import { OutboxDelivery, type WebhookNote } from "./outbox-delivery.ts";
import { OutboxMemory } from "./outbox-memory.ts";
import { type OutboxHead, pendingOf } from "./outbox-rows.ts";

/** What the outbox tells its session. */
export interface OutboxPorts {
  /** Something is due that was not before: the alarm may have to be earlier. */
  readonly dueChanged: () => void;
  /** Of a session that is over everything is settled; false where something else waits still. */
  readonly emptied: () => boolean;
  /** For the timeline. */
  readonly note: (note: WebhookNote) => void;
}

/** An alarm for what is being delivered: it matters only if the object is gone before it is. */
const SAFETY_MS = 600_000;
/** Nothing else wakes the object of a session that is over. */
const LAST_SAFETY_MS = 60_000;

const NO_NEWS: readonly WebhookNews[] = [];

/**
 * What a session tells the application's back end (R6): written with the change that it reports, then delivered to each
 * receiver in order. Without receivers in the configuration nothing is read, written or asked.
 */
export class Outbox {
  readonly #storage: DurableObjectStorage;
  readonly #ports: OutboxPorts;
  readonly #memory: OutboxMemory;
  readonly #delivery: OutboxDelivery;
  /** When the alarm is to look after what is being delivered. */
  #safeAt: number | null = null;

  constructor(state: DurableObjectState, env: Bindings, ports: OutboxPorts) {
    this.#storage = state.storage;
    this.#ports = ports;
    this.#memory = new OutboxMemory(state.storage, env);
    const rested = () => this.#rest();
    this.#delivery = new OutboxDelivery(state, env, this.#memory, { note: ports.note, rested });
  }

  /** Somebody is told what happens to the session: that has to be as durable as what is told. */
  get isTold(): boolean {
    return this.#memory.head?.isOver === false;
  }

  /** Something waits: a session that is over leaves it behind. */
  get isWaiting(): boolean {
    const { head } = this.#memory;
    return head !== null && isWaiting(head);
  }

  /**
   * When to look again after what a session has left behind, milliseconds since 1970; null when nothing is. Where the
   * configuration is wrong nobody can say.
   */
  get lastDeadline(): number | null {
    return this.deadline ?? (this.#memory.isConfigured ? null : Date.now() + SAFETY_MS);
  }

  /** When something is due, milliseconds since 1970; null when nothing waits. */
  get deadline(): number | null {
    const { head } = this.#memory;
    if (!head || !isWaiting(head)) return null;
    // Nobody can be told anything: when the configuration is right again, a new object reads it.
    if (!this.#memory.isConfigured) return this.#safe(head);
    const dues = Object.values(head.receivers)
      .filter((state) => pendingOf(head, state) > 0)
      .map(({ nextAt }) => nextAt ?? this.#safe(head));
    return Math.min(...dues);
  }

  #safe({ isOver }: OutboxHead): number {
    const isLast = isOver && this.#memory.isConfigured;
    this.#safeAt ??= Date.now() + (isLast ? LAST_SAFETY_MS : SAFETY_MS);
    return this.#safeAt;
  }

  /** A session begins; `keep` writes it. */
  begin(session: Session, keep: () => void): void {
    if (this.#memory.config.receivers.length === 0) {
      keep();
      return;
    }
    this.#together(() => {
      // Should one of this id have been before, its numbers go on.
      const head = this.#memory.head ?? this.#memory.start(session.id);
      head.isOver = false;
      this.#memory.append(head, [newsOfStart(session)]);
      keep();
    });
  }

  /**
   * Writes what an event is told for together with what it changes: both or none. `keep` writes the change, and is told
   * whether there is anything to tell.
   */
  record<T>(before: Session, after: Session, event: SessionEvent, keep: (isTold: boolean) => T): T {
    const { head } = this.#memory;
    const news = head?.isOver === false ? newsOf(before, after, event) : NO_NEWS;
    if (!head || news.length === 0) return keep(false);
    return this.#together(() => {
      const kept = keep(true);
      this.#memory.append(head, news);
      return kept;
    });
  }

  /** An event ends the session; `keep` leaves nothing of it but that. */
  end(before: Session, event: SessionEvent, keep: () => void): void {
    const { head } = this.#memory;
    if (!head || head.isOver) return;
    this.#together(() => {
      head.isOver = true;
      this.#memory.append(head, newsOfEnd(before, event));
      keep();
    });
    this.#safeAt = null;
  }

  #together<T>(act: () => T): T {
    try {
      return this.#storage.transactionSync(act);
    } catch (thrown) {
      this.forget();
      throw thrown;
    }
  }

  /** Delivers what waits and is due; nothing is awaited. */
  carry(): void {
    const { head } = this.#memory;
    if (head && isWaiting(head)) this.#delivery.carry(head);
  }

  /** The alarm has rung, whatever for. */
  ring(): void {
    this.#safeAt = null;
    this.carry();
  }

  /** What memory holds is in doubt. */
  forget(): void {
    this.#memory.forget();
    this.#safeAt = null;
  }

  view(): SessionWebhooks | undefined {
    const { head } = this.#memory;
    if (!head) return undefined;
    const { session, newest } = head;
    const receivers = Object.entries(head.receivers).map(([url, state]) => {
      const { settled, failures, last, nextAt, dead, gone } = state;
      return {
        ...{ url, settled, pending: pendingOf(head, state), failures, dead },
        ...(last && { lastFailure: last }),
        ...(nextAt !== undefined && { nextTryAt: nextAt }),
        ...(gone && { gone }),
      };
    });
    return { session, newest, receivers };
  }

  #rest(): void {
    const { head } = this.#memory;
    if (!head) return;
    if (!this.#delivery.isRunning) this.#safeAt = null;
    if (head.isOver && !isWaiting(head) && this.#ports.emptied()) return;
    this.#memory.write();
    this.#ports.dueChanged();
  }
}

const isWaiting = (head: OutboxHead): boolean =>
  Object.values(head.receivers).some((state) => pendingOf(head, state) > 0);
