import type { Link, Peer, Session, Trickle } from "../protocol/session.ts";
import { NO_TIMELINE, type Ring, timelineOf } from "../protocol/timeline/timeline.ts";
import { SessionStore, type Written } from "./session-store.ts";

/** What a small session is written as, all of it. */
interface Small extends Omit<Session, "peers" | "kicked" | "links" | "trickle" | "timeline"> {
  readonly peers: readonly Peer[];
  readonly kicked: readonly (readonly [string, number])[];
  readonly links: readonly Link[];
  readonly trickle: readonly (readonly [string, readonly Trickle[]])[];
  readonly rings: readonly (readonly [string, Ring])[];
  /** Number of the newest event in it, of those that sockets remember. */
  readonly events: number;
}

export interface Stored {
  readonly session: Session;
  /** Number of the newest event in it. */
  readonly events: number;
}

/** Where each peer and link has a row of its own, no event is left to sockets. */
export const ALL_EVENTS = Number.MAX_SAFE_INTEGER;

const KEY = "session";

/** Above one of these a session is written in rows of its own for each peer and link. */
const SMALL = { peers: 4, links: 6, characters: 100_000 } as const;

/**
 * The session in storage. Most sessions are two peers and their link: those are one row, because rows written are the
 * dearest thing on this platform. One that has grown stays in several.
 */
export class SessionRows {
  readonly #kv: SyncKvStorage;
  readonly #large: SessionStore;
  #isSmall = true;
  #isStored = false;

  constructor({ kv, sql }: DurableObjectStorage) {
    this.#kv = kv;
    this.#large = new SessionStore(sql);
  }

  /** True while what sockets remember of events is enough for some of them. */
  get isSmall(): boolean {
    return this.#isSmall;
  }

  /** False while the session has no row. */
  get isStored(): boolean {
    return this.#isStored;
  }

  /** There is no row, nor was there one of this session. */
  begin(): void {
    this.#isSmall = true;
    this.#isStored = false;
  }

  load(): Stored | null {
    const json = this.#kv.get<string>(KEY);
    const session = json === undefined ? this.#large.load() : null;
    this.#isSmall = session === null;
    this.#isStored = json !== undefined || session !== null;
    if (json !== undefined) return readSmall(json);
    return session && { session, events: ALL_EVENTS };
  }

  /**
   * Writes what differs, as `SessionStore.save`; `events` is the number of the newest one in `after`. Of a small session
   * `row` is written, when sockets remember the rest.
   */
  save(
    before: Session,
    after: Session,
    forced: ReadonlySet<string>,
    { events, row = after }: { readonly events: number; readonly row?: Session | undefined },
  ): Written {
    if (!this.#isSmall) return this.#large.save(before, after, forced);
    this.#isStored = true;
    const json = isFew(after) ? smallJson(row, events) : "";
    if (json !== "" && json.length <= SMALL.characters) {
      this.#kv.put(KEY, json);
    } else this.#grow(after);
    return { links: new Set(after.links.keys()), subjects: after.timeline.rings.keys() };
  }

  #grow(session: Session): void {
    this.#large.create(session);
    this.#large.save(
      { ...session, peers: new Map(), links: new Map(), timeline: NO_TIMELINE },
      session,
    );
    this.#kv.delete(KEY);
    this.#isSmall = false;
  }
}

const areSame = <T>(one: ReadonlyMap<string, T>, other: ReadonlyMap<string, T>): boolean =>
  one === other ||
  (one.size === other.size && [...one].every(([key, value]) => other.get(key) === value));

/** Candidates alone are not: sockets remember them. */
export const isWorthARow = (before: Session, after: Session): boolean =>
  before.emptySince !== after.emptySince ||
  before.kicked !== after.kicked ||
  !areSame(before.peers, after.peers) ||
  !areSame(before.links, after.links);

const isFew = ({ peers, links }: Session): boolean =>
  peers.size <= SMALL.peers && links.size <= SMALL.links;

function smallJson(session: Session, events: number): string {
  const { peers, kicked, links, trickle, timeline, ...head } = session;
  return JSON.stringify({
    ...head,
    peers: [...peers.values()],
    kicked: [...kicked],
    links: [...links.values()],
    trickle: [...trickle],
    rings: [...timeline.rings],
    events,
  } satisfies Small);
}

function readSmall(json: string): Stored {
  const { events, peers, kicked, links, trickle, rings, ...head } = JSON.parse(json) as Small;
  return {
    session: {
      ...head,
      peers: new Map(peers.map((peer) => [peer.id, peer])),
      kicked: new Map(kicked),
      links: new Map(links.map((link) => [link.id, link])),
      trickle: new Map(trickle),
      timeline: timelineOf(rings),
    },
    events,
  };
}
