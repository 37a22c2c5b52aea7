import { DurableObject } from "cloudflare:workers";
import { neverGivenUp } from "./last-try.ts";

const DAY_MS = 86_400_000;

/** Of those that only memory has; some 1.5 MB. */
const MOST_IN_MEMORY = 10_000;

/**
 * CNAMEs of a deployment that were announced of late, as keyed hashes that only this deployment can make
 * (RFC 8834 s4.9, s13). One object keeps a sixteenth of them; which, the hash says.
 */
export class CnameMemory extends DurableObject {
  /** Session by hash, oldest first. */
  readonly #lately = new Map<string, string>();

  /**
   * Remembers a CNAME of a session for `windowMs`, or without it as long as memory lasts, and tells whether another
   * session had it within that time. `hash` and `session` are keyed hashes.
   */
  async recall(
    hash: string,
    session: string,
    at: number,
    windowMs: number | undefined,
  ): Promise<boolean> {
    if (windowMs === undefined) return this.#recallLately(hash, session);
    const { sql } = this.ctx.storage;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS cname
       (hash TEXT PRIMARY KEY, session TEXT NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
    );
    const [known] = sql
      .exec<{ session: string; until: number }>(
        "SELECT session, until FROM cname WHERE hash = ?",
        hash,
      )
      .toArray();
    sql.exec(
      `INSERT INTO cname (hash, session, until) VALUES (?, ?, ?)
       ON CONFLICT (hash) DO UPDATE SET session = excluded.session, until = excluded.until`,
      hash,
      session,
      at + windowMs,
    );
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(at + DAY_MS);
    return known !== undefined && known.session !== session && known.until > at;
  }

  #recallLately(hash: string, session: string): boolean {
    const known = this.#lately.get(hash);
    this.#lately.delete(hash);
    this.#lately.set(hash, session);
    const [oldest] = this.#lately.keys();
    if (this.#lately.size > MOST_IN_MEMORY && oldest !== undefined) this.#lately.delete(oldest);
    return known !== undefined && known !== session;
  }

  /** Once a day, as long as there is something to forget. */
  override alarm(info?: AlarmInvocationInfo): Promise<void> {
    return neverGivenUp(this.ctx, info, () => this.#ring());
  }

  async #ring(): Promise<void> {
    const { sql } = this.ctx.storage;
    const at = Date.now();
    sql.exec("DELETE FROM cname WHERE until <= ?", at);
    const [row] = sql.exec<{ left: number }>("SELECT count(*) AS left FROM cname").toArray();
    if (row && row.left > 0) await this.ctx.storage.setAlarm(at + DAY_MS);
  }
}
