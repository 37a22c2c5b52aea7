import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "./env.ts";
import { ofSession } from "./jurisdiction.ts";
import type { SessionCommands } from "./session-commands.ts";

/** Sessions that are asked at a time whether they still exist. */
const ASKED = 16;

/**
 * How long a session is believed to exist without being asked: long enough for one that is just being made, and so
 * long that a key which is full and goes on trying wakes each of its sessions once a minute at most.
 */
const BELIEVED_MS = 60_000;

/**
 * The sessions of one API key, exactly (S7). A session is entered before it is made and taken out when it has
 * erased itself; what a crash in between leaves behind is found when the quota is full.
 */
export class KeyQuota extends DurableObject<Bindings> {
  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env);
    state.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS held (session TEXT PRIMARY KEY, seen INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    );
  }

  /** Takes one of `most` places for a session; false when all are taken. `at` is milliseconds since 1970. */
  async acquire(session: string, most: number, at: number): Promise<boolean> {
    if (this.#enter(session, most, at)) return true;
    await this.#dropDead(at);
    return this.#enter(session, most, at);
  }

  /** The session is over, or was never made. */
  async release(session: string): Promise<void> {
    this.ctx.storage.sql.exec("DELETE FROM held WHERE session = ?", session);
  }

  /** How many places are taken. */
  async held(): Promise<number> {
    return this.#held();
  }

  #held(): number {
    const { sql } = this.ctx.storage;
    return sql.exec<{ held: number }>("SELECT count(*) AS held FROM held").one().held;
  }

  #enter(session: string, most: number, at: number): boolean {
    const { sql } = this.ctx.storage;
    if (this.#held() >= most) return false;
    sql.exec("INSERT OR IGNORE INTO held (session, seen) VALUES (?, ?)", session, at);
    return true;
  }

  /** Asks those first that were not asked for the longest time. */
  async #dropDead(at: number): Promise<void> {
    const { sql } = this.ctx.storage;
    const asked = sql
      .exec<{ session: string }>(
        "SELECT session FROM held WHERE seen <= ? ORDER BY seen LIMIT ?",
        at - BELIEVED_MS,
        ASKED,
      )
      .toArray();
    await Promise.all(
      asked.map(async ({ session }) => {
        if (await this.#exists(session)) {
          sql.exec("UPDATE held SET seen = ? WHERE session = ?", at, session);
        } else await this.release(session);
      }),
    );
  }

  /** A session that does not answer is believed: nobody gets a place because another object fails. */
  async #exists(session: string): Promise<boolean> {
    try {
      const stub: Pick<SessionCommands, "exists"> = ofSession(this.env.SESSIONS, session);
      return await stub.exists();
    } catch {
      return true;
    }
  }
}
