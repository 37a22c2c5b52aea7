import type { Flow } from "../protocol/flow.ts";
import type { Kept } from "../protocol/kept.ts";
import type { Link, Peer, Session, Trickle } from "../protocol/session.ts";
import type { SessionConfig } from "../protocol/session-config.ts";
import {
  OF_SESSION,
  ofFlows,
  ofLink,
  ofPeer,
  peerOf,
  type Ring,
  timelineOf,
} from "../protocol/timeline/timeline.ts";
import {
  type EndedFlows,
  NO_ENDED_FLOWS,
  restored,
  type Stretch,
  shelve,
  stretchesOf,
} from "./ended-flows.ts";
import { partsOf } from "./text-parts.ts";

/** What the one row of a session holds; everything else has rows of its own. */
interface Head extends Kept {
  readonly id: string;
  readonly config: SessionConfig;
  readonly createdAt: number;
  readonly emptySince: number | null;
  readonly kicked: readonly (readonly [string, number])[];
  readonly ring: Ring;
}

/** A link and its candidates are one row: rows written are the dearest thing on this platform. */
interface LinkRow {
  readonly link: Link;
  readonly trickle: readonly Trickle[];
  /** Where the flows stand that have rows of their own; absent when none has. */
  readonly stretches?: readonly Stretch[];
  readonly rings?: Rings;
}

/** Of one that has left, what happened is left. */
interface PeerRow {
  readonly peer?: Peer;
  readonly ring?: Ring;
}

/** Rings of the timeline, with their subjects. */
type Rings = readonly (readonly [string, Ring])[];

/** What was written: links with their candidates, and subjects of the timeline. */
export interface Written {
  readonly links: ReadonlySet<string>;
  readonly subjects: Iterable<string>;
}

/**
 * The session in SQLite. A session that was never created has no tables: looking it up writes nothing.
 */
export class SessionStore {
  readonly #sql: SqlStorage;
  /** What the rows of ended flows have of a link as it was last written or read; found anew by `load`. */
  readonly #ended = new WeakMap<Link, EndedFlows>();

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
    const tables = this.#sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE name IN ('session', 'ended_flow')",
      )
      .toArray()
      .map(({ name }) => name);
    if (!tables.includes("session")) return null;
    const [row] = this.#sql.exec<{ json: string }>("SELECT json FROM session").toArray();
    if (!row) return null;
    const { kicked, ring, ...head } = JSON.parse(row.json) as Head;
    const peers = this.#peers();
    const links = this.#links(tables.includes("ended_flow") ? this.#endedRows() : new Map());
    return {
      ...head,
      kicked: new Map(kicked),
      peers: new Map(peers.flatMap(([id, { peer }]) => (peer ? [[id, peer] as const] : []))),
      links: new Map(links.map(({ link }) => [link.id, link])),
      trickle: new Map(
        links.filter(({ trickle }) => trickle.length > 0).map((row) => [row.link.id, row.trickle]),
      ),
      timeline: timelineOf([
        ...(ring.length > 0 ? [[OF_SESSION, ring] as const] : []),
        ...peers.flatMap(([id, row]) => (row.ring ? [[ofPeer(id), row.ring] as const] : [])),
        ...links.flatMap(({ rings = [] }) => rings),
      ]),
    };
  }

  #peers(): (readonly [string, PeerRow])[] {
    return this.#sql
      .exec<{ id: string; json: string }>("SELECT id, json FROM peer ORDER BY id")
      .toArray()
      .map(({ id, json }) => [id, JSON.parse(json) as PeerRow]);
  }

  #links(ended: ReadonlyMap<string, ReadonlyMap<number, readonly Flow[]>>): LinkRow[] {
    // Link by link: the texts of all at once would take as much memory again as the session.
    const ids = this.#sql.exec<{ id: string }>("SELECT id FROM link WHERE part = 0 ORDER BY id");
    return ids.toArray().map(({ id }) => {
      const parts = this.#sql.exec<{ json: string }>(
        "SELECT json FROM link WHERE id = ? ORDER BY part",
        id,
      );
      const json = parts
        .toArray()
        .map((part) => part.json)
        .join("");
      return this.#withEnded(JSON.parse(json) as LinkRow, ended.get(id) ?? new Map());
    });
  }

  #withEnded(row: LinkRow, rows: ReadonlyMap<number, readonly Flow[]>): LinkRow {
    if (!row.stretches) return row;
    const { flows, ended } = restored(row.link.flows.flows, row.stretches, rows);
    const link = { ...row.link, flows: { ...row.link.flows, flows } };
    this.#ended.set(link, ended);
    return { ...row, link };
  }

  /** By link and number of the first flow. */
  #endedRows(): Map<string, Map<number, readonly Flow[]>> {
    const texts = new Map<string, Map<number, string>>();
    const parts = this.#sql.exec<{ link: string; first: number; json: string }>(
      "SELECT link, first, json FROM ended_flow ORDER BY link, first, part",
    );
    for (const { link, first, json } of parts) {
      const ofLink = texts.get(link) ?? new Map<number, string>();
      texts.set(link, ofLink.set(first, (ofLink.get(first) ?? "") + json));
    }
    return new Map(
      [...texts].map(([link, ofLink]) => [
        link,
        new Map([...ofLink].map(([first, json]) => [first, JSON.parse(json) as Flow[]])),
      ]),
    );
  }

  /**
   * Writes what differs. Candidates and entries of the timeline alone are not worth a row: they are written with the next
   * change of their link or peer, or when `forced` names the link or the subject of the peer.
   */
  save(before: Session, after: Session, forced: ReadonlySet<string> = new Set()): Written {
    const links = new Set<string>();
    const subjects = this.#savePeers(before, after, forced);
    if (headChanged(before, after) || forced.has(OF_SESSION)) {
      this.#sql.exec("UPDATE session SET json = ?", headJson(after));
      subjects.push(OF_SESSION);
    }
    for (const [id, link] of after.links) {
      if (link === before.links.get(id) && !forced.has(id)) continue;
      const rings = ringsOf(after, [ofLink(id), ofFlows(id)]);
      this.#saveLink(before.links.get(id), { link, trickle: after.trickle.get(id) ?? [], rings });
      links.add(id);
      subjects.push(ofLink(id), ofFlows(id));
    }
    // A session without any is ending, and everything goes at once.
    if (after.links.size > 0) this.#dropLinks(before, after);
    return { links, subjects };
  }

  #dropLinks(before: Session, after: Session): void {
    for (const [id, link] of before.links) {
      if (after.links.has(id)) continue;
      this.#sql.exec("DELETE FROM link WHERE id = ?", id);
      this.#saveEnded(id, 0, [], this.#ended.get(link)?.rows ?? []);
    }
  }

  /** Gives the subjects of which the rings were written. */
  #savePeers(before: Session, after: Session, forced: ReadonlySet<string>): string[] {
    const subjects: string[] = [];
    const gone = [...before.peers.keys()].filter((id) => !after.peers.has(id));
    for (const id of [...gone, ...after.peers.keys()]) {
      const peer = after.peers.get(id);
      const isAsBefore = peer !== undefined && peer === before.peers.get(id);
      if (isAsBefore && !forced.has(ofPeer(id))) continue;
      const ring = after.timeline.rings.get(ofPeer(id));
      this.#savePeer(id, { ...(peer && { peer }), ...(ring && { ring }) });
      subjects.push(ofPeer(id));
    }
    for (const subject of before.timeline.rings.keys()) {
      const id = peerOf(subject);
      const isForgotten = id !== undefined && !after.timeline.rings.has(subject);
      if (isForgotten && !after.peers.has(id)) {
        this.#sql.exec("DELETE FROM peer WHERE id = ?", id);
      }
    }
    return subjects;
  }

  #savePeer(id: string, row: PeerRow): void {
    this.#sql.exec(
      "INSERT INTO peer (id, json) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json",
      id,
      JSON.stringify(row),
    );
  }

  #saveLink(before: Link | undefined, whole: LinkRow): void {
    const { link } = whole;
    // By what was saved last: whatever a failed write left in memory counts for nothing.
    const known = (before && this.#ended.get(before)) ?? NO_ENDED_FLOWS;
    const { ended, written, erased } = shelve(known, link.flows.flows);
    this.#saveEnded(link.id, known.next, written, erased);
    this.#ended.set(link, ended);
    const { kept, stretches } = stretchesOf(ended, link.flows.flows);
    const row: LinkRow =
      stretches.length === 0
        ? whole
        : { ...whole, link: { ...link, flows: { ...link.flows, flows: kept } }, stretches };
    const parts = partsOf(JSON.stringify(row));
    for (const [part, json] of parts.entries()) {
      this.#sql.exec(
        "INSERT INTO link (id, part, json) VALUES (?, ?, ?) ON CONFLICT (id, part) DO UPDATE SET json = excluded.json",
        link.id,
        part,
        json,
      );
    }
    this.#sql.exec("DELETE FROM link WHERE id = ? AND part >= ?", link.id, parts.length);
  }

  #saveEnded(link: string, first: number, flows: readonly Flow[], erased: readonly number[]): void {
    for (const row of erased) {
      this.#sql.exec("DELETE FROM ended_flow WHERE link = ? AND first = ?", link, row);
    }
    if (flows.length === 0) return;
    // Few sessions have so many: the others do without the table.
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS ended_flow
       (link TEXT, first INTEGER, part INTEGER, json TEXT NOT NULL, PRIMARY KEY (link, first, part)) STRICT, WITHOUT ROWID`,
    );
    for (const [part, json] of partsOf(JSON.stringify(flows)).entries()) {
      this.#sql.exec(
        "INSERT INTO ended_flow (link, first, part, json) VALUES (?, ?, ?, ?)",
        link,
        first,
        part,
        json,
      );
    }
  }
}

const ringsOf = ({ timeline }: Session, subjects: readonly string[]): Rings =>
  subjects.flatMap((subject) => {
    const ring = timeline.rings.get(subject);
    return ring ? [[subject, ring] as const] : [];
  });

/** What concerns nobody in particular is little, and worth its row. */
const headChanged = (before: Session, after: Session): boolean =>
  before.emptySince !== after.emptySince ||
  before.kicked !== after.kicked ||
  before.timeline.rings.get(OF_SESSION) !== after.timeline.rings.get(OF_SESSION);

function headJson(session: Session): string {
  const { id, config, quota, listing, createdAt, emptySince, kicked, timeline } = session;
  const kept = { ...(quota !== undefined && { quota }), ...(listing && { listing }) };
  const ring = timeline.rings.get(OF_SESSION) ?? [];
  const head: Head = { id, config, ...kept, createdAt, emptySince, kicked: [...kicked], ring };
  return JSON.stringify(head);
}
