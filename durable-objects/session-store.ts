import type { Link, Peer, Session, Trickle } from "../protocol/session.ts";
import type { SessionConfig } from "../protocol/session-config.ts";

/** What the one row of a session holds; everything else has rows of its own. */
interface Head {
  readonly id: string;
  readonly config: SessionConfig;
  readonly createdAt: number;
  readonly emptySince: number | null;
  readonly kicked: readonly string[];
}

/** A link and its candidates are one row: rows written are the dearest thing on this platform. */
interface LinkRow {
  readonly link: Link;
  readonly trickle: readonly Trickle[];
}

/** A row holds at most 2 MB; longer values are cut. In characters, of which UTF-8 makes at most 3 bytes. */
const PART_CHARACTERS = 500_000;

/**
 * The session in SQLite. A session that was never created has no tables: looking it up writes nothing.
 */
export class SessionStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  create(session: Session): void {
    this.#sql.exec(
      `CREATE TABLE session (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL) STRICT;
       CREATE TABLE peer (id TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
       CREATE TABLE link (id TEXT, part INTEGER, json TEXT NOT NULL, PRIMARY KEY (id, part)) STRICT, WITHOUT ROWID;`,
    );
    this.#sql.exec("INSERT INTO session (id, json) VALUES (1, ?)", headJson(session));
  }

  load(): Session | null {
    const made = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'session'").toArray();
    if (made.length === 0) return null;
    const [row] = this.#sql.exec<{ json: string }>("SELECT json FROM session").toArray();
    if (!row) return null;
    const { kicked, ...head } = JSON.parse(row.json) as Head;
    const peers = this.#sql.exec<{ json: string }>("SELECT json FROM peer ORDER BY id").toArray();
    const links = this.#links();
    return {
      ...head,
      kicked: new Set(kicked),
      peers: new Map(peers.map(({ json }) => JSON.parse(json) as Peer).map((p) => [p.id, p])),
      links: new Map(links.map(({ link }) => [link.id, link])),
      trickle: new Map(
        links.filter(({ trickle }) => trickle.length > 0).map((row) => [row.link.id, row.trickle]),
      ),
    };
  }

  #links(): LinkRow[] {
    const texts = new Map<string, string>();
    const rows = this.#sql.exec<{ id: string; json: string }>(
      "SELECT id, json FROM link ORDER BY id, part",
    );
    for (const { id, json } of rows) texts.set(id, (texts.get(id) ?? "") + json);
    return [...texts.values()].map((json) => JSON.parse(json) as LinkRow);
  }

  /**
   * Writes what differs. Candidates alone are not worth a row: they are written with the next change of
   * their link, or when `forced` names it.
   *
   * Returns the links whose rows were written: their candidates are durable now.
   */
  save(before: Session, after: Session, forced: ReadonlySet<string> = new Set()): Set<string> {
    const written = new Set<string>();
    if (headChanged(before, after)) {
      this.#sql.exec("UPDATE session SET json = ?", headJson(after));
    }
    this.#savePeers(before, after);
    for (const [id, link] of after.links) {
      if (link === before.links.get(id) && !forced.has(id)) continue;
      this.#saveLink({ link, trickle: after.trickle.get(id) ?? [] });
      written.add(id);
    }
    return written;
  }

  #savePeers(before: Session, after: Session): void {
    for (const [id, peer] of after.peers) {
      if (peer === before.peers.get(id)) continue;
      this.#sql.exec(
        "INSERT INTO peer (id, json) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json",
        id,
        JSON.stringify(peer),
      );
    }
    for (const id of before.peers.keys()) {
      if (!after.peers.has(id)) this.#sql.exec("DELETE FROM peer WHERE id = ?", id);
    }
  }

  #saveLink(row: LinkRow): void {
    const json = JSON.stringify(row);
    const parts = Math.max(1, Math.ceil(json.length / PART_CHARACTERS));
    for (let part = 0; part < parts; part++) {
      this.#sql.exec(
        "INSERT INTO link (id, part, json) VALUES (?, ?, ?) ON CONFLICT (id, part) DO UPDATE SET json = excluded.json",
        row.link.id,
        part,
        json.slice(part * PART_CHARACTERS, (part + 1) * PART_CHARACTERS),
      );
    }
    this.#sql.exec("DELETE FROM link WHERE id = ? AND part >= ?", row.link.id, parts);
  }
}

const headChanged = (before: Session, after: Session): boolean =>
  before.emptySince !== after.emptySince || before.kicked !== after.kicked;

function headJson({ id, config, createdAt, emptySince, kicked }: Session): string {
  return JSON.stringify({ id, config, createdAt, emptySince, kicked: [...kicked] } satisfies Head);
}
