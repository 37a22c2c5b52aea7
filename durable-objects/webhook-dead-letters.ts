import { DurableObject } from "cloudflare:workers";
import { LIMITS } from "../protocol/limits.ts";
import { type Problem, problem } from "../protocol/problem.ts";
import type { DeadLetter } from "../protocol/webhooks/view.ts";
import type { DeadLetterCommands, DeadLetterPage, NewDeadLetter } from "./dead-letter-commands.ts";
import { deploymentConfig } from "./deployment-config.ts";
import type { Bindings } from "./env.ts";
import { neverGivenUp } from "./last-try.ts";
import { deliver, letterOf } from "./webhook-delivery.ts";

const PAGE = 100;

interface Row {
  readonly n: number;
  readonly at: number;
  readonly json: string;
}

/** Events that no receiver has taken in time: kept for a while, to be read, sent once more or thrown away. */
export class WebhookDeadLetters extends DurableObject<Bindings> implements DeadLetterCommands {
  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env);
    state.storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS letter (
        n INTEGER PRIMARY KEY AUTOINCREMENT, session TEXT NOT NULL, sequence INTEGER NOT NULL, receiver TEXT NOT NULL,
        at INTEGER NOT NULL, json TEXT NOT NULL, UNIQUE (session, sequence, receiver)) STRICT`,
    );
  }

  async add(letters: readonly NewDeadLetter[], at: number): Promise<void> {
    const { sql } = this.ctx.storage;
    for (const letter of letters) {
      sql.exec(
        "INSERT OR IGNORE INTO letter (session, sequence, receiver, at, json) VALUES (?, ?, ?, ?, ?)",
        letter.session,
        letter.sequence,
        letter.receiver,
        at,
        JSON.stringify(letter),
      );
    }
    for (const session of new Set(letters.map((letter) => letter.session))) {
      this.#keepNewest(LIMITS.sessionDeadLetters, session);
    }
    this.#keepNewest(LIMITS.deadLetters);
    if ((await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(at + LIMITS.deadLetterMs);
    }
  }

  /** Whoever brings many pushes out its own first. */
  #keepNewest(most: number, session?: string): void {
    const { sql } = this.ctx.storage;
    const [where, named] =
      session === undefined ? ["", []] : (["WHERE session = ?", [session]] as const);
    sql.exec(
      `DELETE FROM letter WHERE n IN (SELECT n FROM letter ${where} ORDER BY n DESC LIMIT -1 OFFSET ${most})`,
      ...named,
    );
  }

  override alarm(info?: AlarmInvocationInfo): Promise<void> {
    return neverGivenUp(this.ctx, info, () => this.#ring());
  }

  async #ring(): Promise<void> {
    const { sql } = this.ctx.storage;
    sql.exec("DELETE FROM letter WHERE at <= ?", Date.now() - LIMITS.deadLetterMs);
    const { oldest } = sql
      .exec<{ oldest: number | null }>("SELECT min(at) AS oldest FROM letter")
      .one();
    if (oldest !== null) await this.ctx.storage.setAlarm(oldest + LIMITS.deadLetterMs);
  }

  async list(cursor: string): Promise<DeadLetterPage> {
    const rows = this.#rows("WHERE n > ? ORDER BY n LIMIT ?", numberOf(cursor) ?? 0, PAGE + 1);
    const letters = rows.slice(0, PAGE).map(shown);
    const last = letters.at(-1);
    return rows.length > PAGE && last ? { letters, cursor: last.id } : { letters };
  }

  async redeliver(id: string): Promise<null | Problem> {
    const [row] = this.#rows("WHERE n = ?", numberOf(id) ?? 0);
    if (!row) return problem("dead-letter-not-found", "no such event was given up");
    const { webhooks } = deploymentConfig(this.env);
    const { session, sequence, news, receiver } = JSON.parse(row.json) as NewDeadLetter;
    const same = webhooks.receivers.filter(({ name }) => name === receiver);
    // Its address was changed since, perhaps because it was wrong: whoever is told now is told this, too.
    const receivers = same.length > 0 ? same : webhooks.receivers;
    if (receivers.length === 0) return notTaken("no receiver is configured");
    for (const { url } of receivers) {
      const outcome = await deliver(url, webhooks.secrets, letterOf(session, sequence, news));
      if (outcome.type !== "taken") {
        const { reason, status } =
          outcome.type === "gone" ? { reason: "gone", status: 410 } : outcome;
        const members = { reason, ...(status !== undefined && { answered: status }) };
        return notTaken("the receiver has not taken it", members);
      }
    }
    await this.remove(id);
    return null;
  }

  async remove(id: string): Promise<void> {
    this.ctx.storage.sql.exec("DELETE FROM letter WHERE n = ?", numberOf(id) ?? 0);
  }

  async count(): Promise<number> {
    const { sql } = this.ctx.storage;
    return sql.exec<{ letters: number }>("SELECT count(*) AS letters FROM letter").one().letters;
  }

  #rows(where: string, ...values: readonly number[]): Row[] {
    return this.ctx.storage.sql
      .exec<{ n: number; at: number; json: string }>(
        `SELECT n, at, json FROM letter ${where}`,
        ...values,
      )
      .toArray();
  }
}

const notTaken = (detail: string, members: Record<string, unknown> = {}): Problem =>
  problem("webhook-not-taken", detail, members);

const numberOf = (id: string): number | undefined =>
  /^\d{1,15}$/.test(id) ? Number(id) : undefined;

function shown({ n, at, json }: Row): DeadLetter {
  const { session, sequence, news, receiver, failures, reason } = JSON.parse(json) as NewDeadLetter;
  const { id: webhookId, body } = letterOf(session, sequence, news);
  const event = JSON.parse(body) as DeadLetter["event"];
  return { id: String(n), webhookId, receiver, failures, reason, givenUpAt: at, event };
}
