import { LIMITS } from "../protocol/limits.ts";
import type { WebhookReceiver } from "../protocol/webhooks/config.ts";
import type { WebhookNews } from "../protocol/webhooks/event.ts";
import { isTooOld, retryDelayMs, type WebhookOutcome } from "../protocol/webhooks/retry.ts";
import { deadLettersOf } from "./dead-letter-commands.ts";
import type { Bindings } from "./env.ts";
import { report } from "./frames.ts";
import type { OutboxMemory } from "./outbox-memory.ts";
import { type OutboxHead, pendingOf, type ReceiverState } from "./outbox-rows.ts";
import { deliver, letterOf } from "./webhook-delivery.ts";

/** That events which follow each other were not taken; for one that is tried again, that alone. */
export interface WebhookNote {
  /** Their types, in order. */
  readonly events: readonly [string, ...string[]];
  /** Number of the first. */
  readonly sequence: number;
  readonly state: "retrying" | "dead";
  readonly reason: string;
}

/** The same as the timeline has it. */
export const webhookNewsOf = ({ events, sequence, state, reason }: WebhookNote) => {
  const times = events.length > 1 && { times: events.length };
  return { type: "webhook", event: events[0], sequence, state, reason, ...times } as const;
};

export interface DeliveryPorts {
  readonly note: (note: WebhookNote) => void;
  /** Nobody is at work for a receiver any more. */
  readonly rested: () => void;
}

/** Deliveries in a row before the rest waits for the alarm: the platform counts what one event of an object sends. */
const MOST_IN_A_ROW = 200;
/** Events given up in one call. */
const BURIED = 100;
/** The object for what was given up has not answered. */
const BURY_AGAIN_MS = 60_000;

/** Brings events to each receiver, in order and one at a time; nothing waits for it. */
export class OutboxDelivery {
  readonly #state: DurableObjectState;
  readonly #env: Bindings;
  readonly #memory: OutboxMemory;
  readonly #ports: DeliveryPorts;
  readonly #running = new Set<string>();

  constructor(
    state: DurableObjectState,
    env: Bindings,
    memory: OutboxMemory,
    ports: DeliveryPorts,
  ) {
    this.#state = state;
    this.#env = env;
    this.#memory = memory;
    this.#ports = ports;
  }

  get isRunning(): boolean {
    return this.#running.size > 0;
  }

  /** Begins with whoever has something due. */
  carry(head: OutboxHead): void {
    const { receivers } = this.#memory.config;
    for (const receiver of receivers) {
      this.#begin(head, receiver.name, () => this.#next(receiver));
    }
    for (const name of this.#memory.strangersIn(head)) {
      this.#begin(head, name, () => this.#dismiss(name));
    }
  }

  #begin(head: OutboxHead, name: string, act: () => Promise<boolean>): void {
    const state = head.receivers[name];
    if (!state || this.#running.has(name) || !isDue(head, state, Date.now())) return;
    this.#running.add(name);
    this.#state.waitUntil(this.#run(name, act));
  }

  /** Acts as long as there is something to do. */
  async #run(name: string, act: () => Promise<boolean>): Promise<void> {
    let count = 0;
    try {
      while (count < MOST_IN_A_ROW && (await act())) count += 1;
      const left = count === MOST_IN_A_ROW ? this.#stateOf(name)?.state : undefined;
      if (left) left.nextAt ??= Date.now();
    } catch (thrown) {
      report(thrown);
      // Without a time of its own it would be tried again at once, for ever.
      const state = this.#stateOf(name)?.state;
      if (state) state.nextAt ??= Date.now() + BURY_AGAIN_MS;
    } finally {
      this.#running.delete(name);
      this.#ports.rested();
    }
  }

  /** What a receiver has of the session now; a turn may have changed that meanwhile. */
  #stateOf(name: string): { head: OutboxHead; state: ReceiverState } | undefined {
    const { head } = this.#memory;
    const state = head?.receivers[name];
    return head && state ? { head, state } : undefined;
  }

  /** Settles the next event of a receiver; false when nothing of it is due. */
  async #next(receiver: WebhookReceiver): Promise<boolean> {
    const { name } = receiver;
    const found = this.#stateOf(name);
    if (!found || !isDue(found.head, found.state, Date.now())) return false;
    const { head, state } = found;
    const excess = excessOf(head, state);
    if (excess > 0) return this.#bury(name, Math.min(excess, BURIED), "overflow");
    // It is no time to wait for any more: what is under way has a deadline of its own.
    delete state.nextAt;
    const sequence = state.settled + 1;
    const news = this.#memory.event(head, sequence);
    // Only a fault can have taken its row: what follows is told all the same.
    if (!news) return this.#taken(state, sequence);
    const { secrets } = this.#memory.config;
    const outcome = await deliver(receiver.url, secrets, letterOf(head.session, sequence, news));
    return this.#tried(name, sequence, news, outcome);
  }

  #tried(
    name: string,
    sequence: number,
    news: WebhookNews,
    outcome: WebhookOutcome,
  ): boolean | Promise<boolean> {
    const found = this.#stateOf(name);
    if (!found) return false;
    const { head, state } = found;
    switch (outcome.type) {
      case "taken":
        return this.#taken(state, sequence);
      case "gone":
        state.gone = true;
        state.last = { at: Date.now(), status: 410, reason: "gone" };
        this.#memory.settle(state, head.newest);
        this.#ports.note({ events: [news.type], sequence, state: "dead", reason: "gone" });
        return false;
      case "failed":
        return this.#failed(name, sequence, news, outcome);
    }
  }

  #taken(state: ReceiverState, sequence: number): true {
    state.failures = 0;
    delete state.nextAt;
    this.#memory.settle(state, sequence);
    return true;
  }

  #failed(
    name: string,
    sequence: number,
    news: WebhookNews,
    { reason, status, retryAfterMs }: Extract<WebhookOutcome, { type: "failed" }>,
  ): boolean | Promise<boolean> {
    const found = this.#stateOf(name);
    if (!found) return false;
    const { state } = found;
    const at = Date.now();
    const { retrySeconds } = this.#memory.config;
    state.failures += 1;
    state.last = { at, reason, ...(status !== undefined && { status }) };
    const delay = retryDelayMs(state.failures, Math.random(), {
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(retrySeconds !== undefined && { everyMs: retrySeconds * 1000 }),
    });
    state.nextAt = at + delay;
    this.#memory.changed();
    if (isTooOld(news.at, at, delay)) return this.#buryOld(name, at + delay, reason);
    if (state.failures === 1) {
      this.#ports.note({ events: [news.type], sequence, state: "retrying", reason });
    }
    return false;
  }

  /** Gives up all that will have waited too long by then; the next try is for what is left. */
  async #buryOld(name: string, until: number, reason: string): Promise<false> {
    for (;;) {
      const found = this.#stateOf(name);
      const count = found ? this.#countTooOld(found.head, found.state, until) : 0;
      if (count === 0 || !(await this.#bury(name, count, reason))) return false;
    }
  }

  /** Nobody tells this receiver any more: what it waits for is given up, and then it is forgotten. */
  async #dismiss(name: string): Promise<boolean> {
    const found = this.#stateOf(name);
    if (!found) return false;
    const pending = pendingOf(found.head, found.state);
    if (pending > 0) return this.#bury(name, Math.min(pending, BURIED), "unconfigured");
    delete found.head.receivers[name];
    this.#memory.changed();
    return false;
  }

  /** Events that will have waited too long by then, behind the one that was not taken. */
  #countTooOld(head: OutboxHead, { settled }: ReceiverState, until: number): number {
    let count = 0;
    while (count < BURIED) {
      const news = this.#memory.event(head, settled + count + 1);
      if (!news || !isTooOld(news.at, until, 0)) break;
      count += 1;
    }
    return count;
  }

  /**
   * Gives up the next events of a receiver: they go where the operator finds them, and only then from here. False when
   * that was not possible now.
   */
  async #bury(name: string, count: number, reason: string): Promise<boolean> {
    const found = this.#stateOf(name);
    if (!found) return false;
    const { session } = found.head;
    const { failures, settled } = found.state;
    const letters = Array.from({ length: count }, (_, index) => settled + 1 + index).flatMap(
      (sequence) => {
        const news = this.#memory.event(found.head, sequence);
        return news ? [{ session, sequence, news, receiver: name, failures, reason }] : [];
      },
    );
    try {
      await deadLettersOf(this.#env, session).add(letters, Date.now());
    } catch (thrown) {
      report(thrown);
      found.state.nextAt = Math.max(found.state.nextAt ?? 0, Date.now() + BURY_AGAIN_MS);
      return false;
    }
    const now = this.#stateOf(name);
    if (!now) return false;
    now.state.dead += count;
    this.#memory.settle(now.state, settled + count);
    // What was told of it is not to be told twice.
    this.#memory.write();
    const [first, ...others] = letters;
    if (first) {
      const events = [first.news.type, ...others.map(({ news }) => news.type)] as const;
      this.#ports.note({ events, sequence: first.sequence, state: "dead", reason });
    }
    return true;
  }
}

/** More than may wait has to go, whenever the next try is. */
const excessOf = (head: OutboxHead, state: ReceiverState): number =>
  pendingOf(head, state) - LIMITS.webhookPending;

function isDue(head: OutboxHead, state: ReceiverState, at: number): boolean {
  const isTime = (state.nextAt ?? 0) <= at || excessOf(head, state) > 0;
  return isTime && pendingOf(head, state) > 0;
}
