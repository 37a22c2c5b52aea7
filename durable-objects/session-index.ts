import { DurableObject } from "cloudflare:workers";

export interface IndexEntry {
  readonly n: number;
  readonly id: string;
}

export interface IndexPage {
  /** Newest first. */
  readonly entries: readonly IndexEntry[];
  /** Number after which the next page goes on; absent on the last page. */
  readonly cursor?: number;
}

export interface IndexTotals {
  /** Sessions that are listed now. */
  readonly listed: number;
  /** Sessions that ever were. */
  readonly everListed: number;
}

/** How long an entry is believed without its session: it is entered before that is made. */
const BELIEVED_MS = 60_000;

/**
 * Ids of the sessions of one API key that asked to be listed: opt-in, because it costs rows. What a session is about stays
 * in its own storage: that is erased as a whole, while a row that is deleted here leaves its bytes in the file until
 * others take their place.
 *
 * Entries are numbered as they come, so that a page goes on where the last one ended whatever comes and goes meanwhile. The
 * row with the highest number is emptied instead of deleted and used again: it remembers for nothing how many there were.
 */
export class SessionIndex extends DurableObject {
  constructor(state: DurableObjectState, env: Cloudflare.Env) {
    super(state, env);
    state.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS listed (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, id TEXT) STRICT",
    );
  }

  /** Enters a session; gives its number. `at` is milliseconds since 1970. */
  async add(id: string, at: number): Promise<number> {
    return this.#reuse(id, at) ?? this.#insert(id, at);
  }

  #reuse(id: string, at: number): number | undefined {
    const [row] = this.ctx.storage.sql
      .exec<{ n: number }>(
        "UPDATE listed SET n = n + 1, at = ?, id = ? WHERE n = (SELECT max(n) FROM listed) AND id IS NULL RETURNING n",
        at,
        id,
      )
      .toArray();
    return row?.n;
  }

  #insert(id: string, at: number): number {
    return this.ctx.storage.sql
      .exec<{ n: number }>(
        "INSERT INTO listed (n, at, id) VALUES ((SELECT coalesce(max(n), 0) + 1 FROM listed), ?, ?) RETURNING n",
        at,
        id,
      )
      .one().n;
  }

  /** The session is over, or was never made. */
  async remove(n: number): Promise<void> {
    this.#remove(n);
  }

  /** Takes out entries whose sessions were not found, but for those that may just be being made. */
  async forget(numbers: readonly number[], at: number): Promise<void> {
    const { sql } = this.ctx.storage;
    for (const n of numbers) {
      const old = sql.exec("SELECT n FROM listed WHERE n = ? AND at <= ?", n, at - BELIEVED_MS);
      if (old.toArray().length > 0) this.#remove(n);
    }
  }

  #remove(n: number): void {
    const { sql } = this.ctx.storage;
    const emptied = sql.exec(
      "UPDATE listed SET id = NULL WHERE n = ? AND n = (SELECT max(n) FROM listed) AND id IS NOT NULL RETURNING n",
      n,
    );
    if (emptied.toArray().length > 0) return;
    sql.exec("DELETE FROM listed WHERE n = ? AND n < (SELECT max(n) FROM listed)", n);
  }

  /** At most `limit` sessions that were entered before number `before`, newest first. */
  async list(before: number | undefined, limit: number): Promise<IndexPage> {
    const rows = this.ctx.storage.sql
      .exec<{ n: number; id: string }>(
        "SELECT n, id FROM listed WHERE n < ? AND id IS NOT NULL ORDER BY n DESC LIMIT ?",
        before ?? Number.MAX_SAFE_INTEGER,
        limit + 1,
      )
      .toArray();
    const entries = rows.slice(0, limit);
    const last = entries.at(-1);
    return rows.length > limit && last !== undefined ? { entries, cursor: last.n } : { entries };
  }

  /** How many there are, and were. Reads every row. */
  async totals(): Promise<IndexTotals> {
    return this.ctx.storage.sql
      .exec<{ listed: number; everListed: number }>(
        "SELECT count(id) AS listed, coalesce(max(n), 0) AS everListed FROM listed",
      )
      .one();
  }
}
