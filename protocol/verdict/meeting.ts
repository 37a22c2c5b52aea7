import type { Flow } from "../flow.ts";
import type { Link, Session, Trickle } from "../session.ts";
import { trickleOf } from "../session.ts";
import type { TimelineEntry } from "../timeline/entry.ts";
import { entriesOf } from "../timeline/timeline.ts";
import type { Transport } from "../transport.ts";

/**
 * Two peers and what is known of their being in the session together: the state of their link, and what the timeline
 * still has of it. After one of them left, things are judged as they were then.
 */
export interface Meeting {
  readonly session: Session;
  readonly link: Link;
  /** When it is judged, milliseconds since 1970: now, or when the first of them left. */
  readonly at: number;
  /** Since when both are here, as far as that is known: when one of them had left before, milliseconds since 1970. */
  readonly begunAt: number;
  /** What happened on the link and to its peers while both were here, in order. */
  readonly entries: readonly TimelineEntry[];
  readonly departure: Departure | undefined;
  /** Of the whole session. */
  readonly all: Entries;
  /** Flows of this meeting: those that live, and those that ended with it or failed in it. */
  readonly flows: readonly Flow[];
  /** Open transports; after a departure what they were is in the entries. */
  readonly transports: readonly Transport[];
  readonly trickle: readonly Trickle[];
}

export interface Departure {
  readonly peer: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly entry: Entry<"peer-left"> | undefined;
}

type Entry<T extends TimelineEntry["type"]> = Extract<TimelineEntry, { type: T }>;

/** Entries of these types, in order. */
export function entriesOfType<T extends TimelineEntry["type"]>(
  entries: readonly TimelineEntry[],
  ...types: readonly T[]
): readonly Entry<T>[] {
  return entries.filter((entry): entry is Entry<T> => types.some((type) => type === entry.type));
}

/** All entries of the session, and the two peers' and their link's among them; read once for all links. */
export type Entries = readonly TimelineEntry[];
export const readEntries = ({ timeline }: Session): Entries => entriesOf(timeline);

export function meetingOf(session: Session, link: Link, all: Entries, now: number): Meeting {
  const own = all.filter((entry) => isAbout(entry, link));
  const { before, departure } = stayOf(session, link, own);
  // By their place: numbers may be younger than what they number.
  const start = before ? own.indexOf(before) + 1 : 0;
  const end = departure?.entry ? own.indexOf(departure.entry) + 1 : own.length;
  return {
    session,
    link,
    at: departure?.at ?? now,
    begunAt: before ? session.createdAt + before.at : 0,
    entries: own.slice(start, end),
    departure,
    all,
    flows: link.flows.flows.filter((flow) => isOfMeeting(flow, departure)),
    transports: link.flows.transports.filter(({ state }) => state !== "closed"),
    trickle: trickleOf(session, link.id),
  };
}

/** About the link, or about one of its peers. */
function isAbout(entry: TimelineEntry, { id, peers }: Link): boolean {
  if ("link" in entry && entry.link !== undefined) return entry.link === id;
  const about = "peer" in entry ? entry.peer : "by" in entry ? entry.by : undefined;
  return about !== undefined && peers.includes(about);
}

interface Stay {
  /** How the meeting before this one ended. */
  readonly before: Entry<"peer-left"> | undefined;
  readonly departure: Departure | undefined;
}

/** Since when both are here, or were, and how that ended. */
function stayOf(session: Session, link: Link, entries: readonly TimelineEntry[]): Stay {
  const here = new Set<string>(link.peers);
  let before: Stay["before"];
  let left: Stay["before"];
  for (const entry of entriesOfType(entries, "peer-joined", "peer-left")) {
    if (entry.type === "peer-joined") here.add(entry.peer);
    else {
      if (here.size === 2) [before, left] = [left, entry];
      here.delete(entry.peer);
    }
  }
  return link.peers.every((peer) => session.peers.has(peer))
    ? { before: left, departure: undefined }
    : { before, departure: departureOf(session, link, left) };
}

const REASONS = ["left", "lost", "kicked", "expired", "session-ended"];

/** By the entry, or by what its flows say of their end where that had to go. */
function departureOf(
  session: Session,
  link: Link,
  entry: Entry<"peer-left"> | undefined,
): Departure {
  if (entry) {
    return { peer: entry.peer, reason: entry.reason, at: session.createdAt + entry.at, entry };
  }
  const ended = link.flows.flows.findLast(({ reason }) => REASONS.some((each) => each === reason));
  const [one, other] = link.peers;
  return {
    peer: session.peers.has(one) ? other : one,
    reason: ended?.reason ?? "left",
    at: ended?.since ?? session.createdAt,
    entry,
  };
}

function isOfMeeting({ state, reason, since }: Flow, departure: Departure | undefined): boolean {
  if (departure) return since >= departure.at || reason === "failed";
  return state !== "ended" || reason === "failed" || reason === "closed";
}

/** How long ago something was, milliseconds, by the time of an entry or since 1970. */
export const msSince = ({ at, session }: Meeting, entry: TimelineEntry): number =>
  at - session.createdAt - entry.at;

/** True when media ran, some that is over by now included. */
export const hasPlayed = ({ link, begunAt }: Meeting): boolean =>
  link.flows.flows.some(
    ({ timing }) => timing.activeAt !== undefined && timing.createdAt >= begunAt,
  );

/** True when media ran, or a path was there for it. */
export const hasRun = ({ flows, entries }: Meeting): boolean =>
  flows.some(({ timing }) => timing.activeAt !== undefined) ||
  entriesOfType(entries, "transport").some(({ state }) => state === "connected");
