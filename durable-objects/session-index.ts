import { DurableObject } from "cloudflare:workers";

export interface IndexEntry {
  readonly id: string;
  readonly createdAt: number;
  readonly topology: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface IndexPage {
  readonly sessions: readonly IndexEntry[];
  readonly cursor?: string;
}

const PAGE = 100;

/** Sessions that asked to be listed, one object per deployment: opt-in, because it costs rows. */
export class SessionIndex extends DurableObject {
  constructor(state: DurableObjectState, env: Cloudflare.Env) {
    super(state, env);
    state.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS listed (id TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID",
    );
  }

  add(entry: string): void {
    const { id } = JSON.parse(entry) as IndexEntry;
    this.ctx.storage.sql.exec("INSERT OR REPLACE INTO listed (id, json) VALUES (?, ?)", id, entry);
  }

  remove(id: string): void {
    this.ctx.storage.sql.exec("DELETE FROM listed WHERE id = ?", id);
  }

  /** A page of at most 100 sessions after `cursor`, in the order of their ids. */
  list(cursor: string): IndexPage {
    const rows = this.ctx.storage.sql
      .exec<{ id: string; json: string }>(
        "SELECT id, json FROM listed WHERE id > ? ORDER BY id LIMIT ?",
        cursor,
        PAGE + 1,
      )
      .toArray();
    const sessions = rows.slice(0, PAGE).map(({ json }) => JSON.parse(json) as IndexEntry);
    const last = sessions.at(-1);
    return rows.length > PAGE && last ? { sessions, cursor: last.id } : { sessions };
  }
}
