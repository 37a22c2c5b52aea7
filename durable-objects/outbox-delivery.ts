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
    const at = Date.now();
    for (const receiver of this.#memory.config.receivers) {
      const state = head.receivers[receiver.name];
      if (!state || this.#running.has(receiver.name) || !isDue(head, state, at)) continue;
      this.#running.add(receiver.name);
      this.#state.waitUntil(this.#run(receiver));
    }
  }

  async #run(receiver: WebhookReceiver): Promise<void> {
    let count = 0;
    try {
      while (count < MOST_IN_A_ROW && (await this.#next(receiver))) count += 1;
      const left = count === MOST_IN_A_ROW ? this.#stateOf(receiver)?.state : undefined;
      if (left) left.nextAt ??= Date.now();
    } catch (thrown) {
      report(thrown);
    } finally {
      this.#running.delete(receiver.name);
      this.#ports.rested();
    }
  }

  /** What a receiver has of the session now; a turn may have changed that meanwhile. */
  #stateOf({ name }: WebhookReceiver): { head: OutboxHead; state: ReceiverState } | undefined {
    const { head } = this.#memory;
    const state = head?.receivers[name];
    return head && state ? { head, state } : undefined;
  }

  /** Settles the next event of a receiver; false when nothing of it is due. */
  async #next(receiver: WebhookReceiver): Promise<boolean> {
    const found = this.#stateOf(receiver);
    if (!found || !isDue(found.head, found.state, Date.now())) return false;
    const { head, state } = found;
    const excess = excessOf(head, state);
    if (excess > 0) return this.#bury(receiver, Math.min(excess, BURIED), "overflow");
    const sequence = state.settled + 1;
    const news = this.#memory.event(head, sequence);
    // Only a fault can have taken its row: what follows is told all the same.
    if (!news) return this.#taken(state, sequence);
    const { secrets } = this.#memory.config;
    const outcome = await deliver(receiver.url, secrets, letterOf(head.session, sequence, news));
    return this.#tried(receiver, sequence, news, outcome);
  }

  #tried(
    receiver: WebhookReceiver,
    sequence: number,
    news: WebhookNews,
    outcome: WebhookOutcome,
  ): boolean | Promise<boolean> {
    const found = this.#stateOf(receiver);
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
        return this.#failed(receiver, sequence, news, outcome);
    }
  }

  #taken(state: ReceiverState, sequence: number): true {
    state.failures = 0;
    delete state.nextAt;
    this.#memory.settle(state, sequence);
    return true;
  }

  #failed(
    receiver: WebhookReceiver,
    sequence: number,
    news: WebhookNews,
    { reason, status, retryAfterMs }: Extract<WebhookOutcome, { type: "failed" }>,
  ): boolean | Promise<boolean> {
    const found = this.#stateOf(receiver);
    if (!found) return false;
    const { head, state } = found;
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
    if (isTooOld(news.at, at, delay)) {
      return this.#bury(receiver, this.#countTooOld(head, state, at + delay), reason);
    }
    if (state.failures === 1) {
      this.#ports.note({ events: [news.type], sequence, state: "retrying", reason });
    }
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

  /** Gives up the next events of a receiver: they go where the operator finds them, and only then from here. */
  async #bury(receiver: WebhookReceiver, count: number, reason: string): Promise<boolean> {
    const found = this.#stateOf(receiver);
    if (!found) return false;
    const { session } = found.head;
    const { failures, settled } = found.state;
    const letters = Array.from({ length: count }, (_, index) => settled + 1 + index).flatMap(
      (sequence) => {
        const news = this.#memory.event(found.head, sequence);
        return news ? [{ session, sequence, news, receiver: receiver.name, failures, reason }] : [];
      },
    );
    try {
      await deadLettersOf(this.#env, session).add(letters, Date.now());
    } catch (thrown) {
      report(thrown);
      found.state.nextAt = Math.max(found.state.nextAt ?? 0, Date.now() + BURY_AGAIN_MS);
      return false;
    }
    const now = this.#stateOf(receiver);
    if (!now) return false;
    now.state.dead += count;
    this.#memory.settle(now.state, settled + count);
    const [first, ...others] = letters;
    if (first) {
      const events = [first.news.type, ...others.map(({ news }) => news.type)] as const;
      this.#ports.note({ events, sequence: first.sequence, state: "dead", reason });
    }
    return isDue(now.head, now.state, Date.now());
  }
}

/** More than may wait has to go, whenever the next try is. */
const excessOf = (head: OutboxHead, state: ReceiverState): number =>
  pendingOf(head, state) - LIMITS.webhookPending;

function isDue(head: OutboxHead, state: ReceiverState, at: number): boolean {
  const isTime = (state.nextAt ?? 0) <= at || excessOf(head, state) > 0;
  return isTime && pendingOf(head, state) > 0;
}
