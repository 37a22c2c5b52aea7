import type { Problem } from "../protocol/problem.ts";
import type { WebhookNews } from "../protocol/webhooks/event.ts";
import type { DeadLetter } from "../protocol/webhooks/view.ts";
import type { Bindings } from "./env.ts";
import { inJurisdictionOf } from "./jurisdiction.ts";

/** An event that was given up, as its session hands it over. */
export interface NewDeadLetter {
  readonly session: string;
  readonly sequence: number;
  readonly news: WebhookNews;
  /** Name of the receiver. */
  readonly receiver: string;
  readonly failures: number;
  readonly reason: string;
}

export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[];
  readonly cursor?: string;
}

/** What is asked of the object for events that were given up. */
export interface DeadLetterCommands {
  /** The same event for the same receiver is kept once. `at` is milliseconds since 1970. */
  add(letters: readonly NewDeadLetter[], at: number): Promise<void>;
  /** At most 100, in the order they were given up, after `cursor`. */
  list(cursor: string): Promise<DeadLetterPage>;
  /** Tries once more; whoever takes it lets it go from here. Problems: `dead-letter-not-found`, `webhook-not-taken`. */
  redeliver(id: string): Promise<null | Problem>;
  remove(id: string): Promise<void>;
  /** How many there are. */
  count(): Promise<number>;
}

/** One for a deployment, and one for each jurisdiction: what sessions are about stays where they are. */
export const deadLettersOf = (env: Bindings, session: string): DeadLetterCommands =>
  inJurisdictionOf(env.WEBHOOK_DEAD_LETTERS, session).getByName(
    "all",
  ) as unknown as DeadLetterCommands;
