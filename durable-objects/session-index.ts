import { DurableObject } from "cloudflare:workers";

export interface IndexPage {
  readonly ids: readonly string[];
  readonly cursor?: string;
}

const PAGE = 100;

/**
 * Ids of the sessions that asked to be listed, one object per deployment: opt-in, because it costs rows. What a session
 * is about stays in its own storage: that is erased as a whole, while a row that is deleted here leaves its bytes
 * in the file until others take their place.
 */
export class SessionIndex extends DurableObject {
  constructor(state: DurableObjectState, env: Cloudflare.Env) {
    super(state, env);
    state.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
    );
  }

  add(id: string): void {
    this.ctx.storage.sql.exec("INSERT OR IGNORE INTO session (id) VALUES (?)", id);
  }

  remove(id: string): void {
    this.ctx.storage.sql.exec("DELETE FROM session WHERE id = ?", id);
  }

  /** A page of at most 100 sessions after `cursor`, in the order of their ids. */
  list(cursor: string): IndexPage {
    const rows = this.ctx.storage.sql
      .exec<{ id: string }>(
        "SELECT id FROM session WHERE id > ? ORDER BY id LIMIT ?",
        cursor,
        PAGE + 1,
      )
      .toArray();
    const ids = rows.slice(0, PAGE).map(({ id }) => id);
    const last = ids.at(-1);
    return rows.length > PAGE && last !== undefined ? { ids, cursor: last } : { ids };
  }
}
