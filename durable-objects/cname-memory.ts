import { DurableObject } from "cloudflare:workers";

const DAY_MS = 86_400_000;

/**
 * CNAMEs of a deployment that were announced of late, as keyed hashes that only this deployment can make
 * (RFC 8834 s4.9, s13). One object keeps a 256th of them; which, the hash says.
 */
export class CnameMemory extends DurableObject {
  constructor(state: DurableObjectState, env: Cloudflare.Env) {
    super(state, env);
    state.storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS cname
       (hash TEXT PRIMARY KEY, session TEXT NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
    );
  }

  /**
   * Remembers a CNAME of a session for `windowMs` and tells whether another session had it within that time.
   * `hash` and `session` are keyed hashes.
   */
  async recall(hash: string, session: string, at: number, windowMs: number): Promise<boolean> {
    const { sql } = this.ctx.storage;
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

  /** Once a day, as long as there is something to forget. */
  override async alarm(): Promise<void> {
    const { sql } = this.ctx.storage;
    const at = Date.now();
    sql.exec("DELETE FROM cname WHERE until <= ?", at);
    const [row] = sql.exec<{ left: number }>("SELECT count(*) AS left FROM cname").toArray();
    if (row && row.left > 0) await this.ctx.storage.setAlarm(at + DAY_MS);
  }
}
