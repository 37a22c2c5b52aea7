import { ConfigError } from "../protocol/config-values.ts";
import type { WebhookConfig } from "../protocol/webhooks/config.ts";
import type { WebhookNews } from "../protocol/webhooks/event.ts";
import { deploymentConfig } from "./deployment-config.ts";
import type { Bindings } from "./env.ts";
import { type OutboxHead, OutboxRows, pendingOf, type ReceiverState } from "./outbox-rows.ts";

/** How many settled events a crash may forget, so that they are delivered once more. */
const FORGOTTEN = 16;

const NOBODY: WebhookConfig = { receivers: [], secrets: [] };

/** The outbox as memory has it: read when it is asked for first, and only where there are receivers. */
export class OutboxMemory {
  readonly #env: Bindings;
  readonly #rows: OutboxRows;
  /** Undefined until it is read; null where the configuration is wrong. */
  #config: WebhookConfig | null | undefined;
  /** Undefined until it is read; null when there is none. */
  #head: OutboxHead | null | undefined;
  /** Changes since the row was written. */
  #unwritten = 0;

  constructor(storage: DurableObjectStorage, env: Bindings) {
    this.#env = env;
    this.#rows = new OutboxRows(storage);
  }

  /** Who is told, and how; nobody where the configuration is wrong. */
  get config(): WebhookConfig {
    if (this.#config === undefined) this.#config = readOrNull(this.#env);
    return this.#config ?? NOBODY;
  }

  /** False where nothing can be known of receivers. */
  get isConfigured(): boolean {
    return this.config !== NOBODY;
  }

  /**
   * Null without receivers, and of a session that nobody was told of when it began. Where the configuration is wrong it
   * goes on as it was: what happens meanwhile is told later.
   */
  get head(): OutboxHead | null {
    if (this.isConfigured && this.config.receivers.length === 0) return null;
    if (this.#head !== undefined) return this.#head;
    const head = this.#rows.load() ?? null;
    if (head && this.isConfigured) this.#seat(head);
    this.#unwritten = 0;
    this.#head = head;
    return head;
  }

  /** Of a session that begins. */
  start(session: string): OutboxHead {
    const head: OutboxHead = {
      session,
      newest: 0,
      events: [],
      pages: [],
      receivers: {},
      isOver: false,
    };
    this.#seat(head);
    this.#head = head;
    return head;
  }

  /** A receiver that is new to the configuration begins with what is to come; one that has gone waits for nothing. */
  #seat(head: OutboxHead): void {
    const { receivers, newest } = head;
    for (const name of this.strangersIn(head)) delete receivers[name]?.nextAt;
    for (const { name } of this.config.receivers) {
      receivers[name] ??= { settled: newest, failures: 0, dead: 0 };
    }
  }

  /** Receivers that are in the configuration no more; none where that is wrong. */
  strangersIn({ receivers }: OutboxHead): readonly string[] {
    if (!this.isConfigured) return [];
    const names = new Set(this.config.receivers.map(({ name }) => name));
    return Object.keys(receivers).filter((name) => !names.has(name));
  }

  append(head: OutboxHead, news: readonly WebhookNews[]): void {
    const strangers = new Set(this.strangersIn(head));
    for (const [name, state] of Object.entries(head.receivers)) {
      // Whoever wants no more, or is told no more, is never behind.
      if (state.gone) state.settled += news.length;
      else if (strangers.has(name) && pendingOf(head, state) === 0) delete head.receivers[name];
    }
    this.#rows.append(head, news);
    this.#unwritten = 0;
  }

  event(head: OutboxHead, sequence: number): WebhookNews | undefined {
    return this.#rows.event(head, sequence);
  }

  /** All events of a receiver up to this number are settled. */
  settle(state: ReceiverState, sequence: number): void {
    state.settled = Math.max(state.settled, sequence);
    this.changed();
    if (this.#unwritten >= FORGOTTEN) this.write();
  }

  /** Something has changed that is to be written soon. */
  changed(): void {
    this.#unwritten += 1;
  }

  write(): void {
    const { head } = this;
    if (!head || this.#unwritten === 0) return;
    this.#rows.save(head);
    this.#unwritten = 0;
  }

  /** What memory holds is in doubt: the row is the truth, and some events may be delivered once more. */
  forget(): void {
    this.#head = undefined;
    this.#config = undefined;
  }
}

function readOrNull(env: Bindings): WebhookConfig | null {
  try {
    return deploymentConfig(env).webhooks;
  } catch (thrown) {
    if (thrown instanceof ConfigError) return null;
    throw thrown;
  }
}
