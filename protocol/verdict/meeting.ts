import type { Flow } from "../flow.ts";
import type { Link, Session, Trickle } from "../session.ts";
import { trickleOf } from "../session.ts";
import type { TimelineEntry } from "../timeline/entry.ts";
import { entriesOf } from "../timeline/timeline.ts";
import type { Transport } from "../transport.ts";
import { type Departure, type Entry, stayOf } from "./stay.ts";

/**
 * Two peers and what is known of their being in the session together: the state of their link, and what the timeline
 * still has of it. After one of them left, or lost the socket that it did not come back by, things are judged as they
 * were then.
 */
export interface Meeting {
  readonly session: Session;
  readonly link: Link;
  /** When it is judged, milliseconds since 1970: now, or when the first of them was gone. */
  readonly at: number;
  /** Since when both are here, as far as that is known: when one of them had left before, milliseconds since 1970. */
  readonly begunAt: number;
  /** When the answer came that began their newest connection; 0 when that is not known. */
  readonly connectionAt: number;
  /** What happened on the link and to its peers while both were here, in order. */
  readonly entries: readonly TimelineEntry[];
  readonly departure: Departure | undefined;
  /** Of the whole session. */
  readonly all: Entries;
  /** Flows of this meeting as they were: those that lived, and those that had ended or failed in this connection. */
  readonly flows: readonly Flow[];
  /** Open transports; after a departure what they were is in the entries. */
  readonly transports: readonly Transport[];
  readonly trickle: readonly Trickle[];
}

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
  const own = entriesAbout(all, link);
  const { before, departure } = stayOf(session, link, own);
  const begunAt = before ? session.createdAt + before.at : 0;
  const last = departure?.lost ?? departure?.entry;
  const lostAt = departure?.lost && session.createdAt + departure.lost.at;
  const at = Math.max(begunAt, lostAt ?? departure?.at ?? now);
  const connectionAt = connectionSince(link, departure);
  // By their place: numbers may be younger than what they number.
  const start = before ? own.indexOf(before) + 1 : 0;
  const end = last ? own.indexOf(last) + 1 : own.length;
  return {
    session,
    link,
    at,
    begunAt,
    connectionAt,
    entries: own.slice(start, end),
    departure,
    all,
    flows: link.flows.flows
      .filter((flow) => isOfMeeting(flow, { begunAt, connectionAt, departure, at }))
      .map((flow) => (departure ? asItWas(flow, at) : flow)),
    transports: link.flows.transports.filter(({ state }) => state !== "closed"),
    trickle: trickleOf(session, link.id),
  };
}

/** Where the entries about each link stand among all, and those about each peer that are about no link. */
interface Places {
  readonly links: ReadonlyMap<string, readonly number[]>;
  readonly peers: ReadonlyMap<string, readonly number[]>;
}

// A session of a hundred links has thousands of entries: to look at each of them for each link takes long.
const places = new WeakMap<Entries, Places>();

function placesIn(all: Entries): Places {
  const known = places.get(all);
  if (known) return known;
  const links = new Map<string, number[]>();
  const peers = new Map<string, number[]>();
  for (const [place, entry] of all.entries()) {
    const isOfLink = "link" in entry && entry.link !== undefined;
    const about = isOfLink ? entry.link : peerOf(entry);
    if (about === undefined) continue;
    const index = isOfLink ? links : peers;
    const found = index.get(about);
    if (found) found.push(place);
    else index.set(about, [place]);
  }
  const found = { links, peers };
  places.set(all, found);
  return found;
}

const peerOf = (entry: TimelineEntry): string | undefined =>
  "peer" in entry ? entry.peer : "by" in entry ? entry.by : undefined;

/** About the link, or about one of its peers, in their order. */
function entriesAbout(all: Entries, { id, peers }: Link): Entries {
  const known = placesIn(all);
  const lists = [known.links.get(id), ...peers.map((peer) => known.peers.get(peer))];
  return lists
    .flatMap((list) => list ?? [])
    .toSorted((one, other) => one - other)
    .map((place) => all[place] as TimelineEntry);
}

/** By the transports that are open, or were when a peer left; else by the newest one. */
function connectionSince({ flows: { transports } }: Link, departure: Departure | undefined) {
  const current = transports.filter(
    ({ state, since }) => state !== "closed" || (departure && since >= departure.at),
  );
  const times = (current.length > 0 ? current : transports.slice(-1)).map(
    ({ associatedAt = 0 }) => associatedAt,
  );
  return times.length > 0 ? Math.min(...times) : 0;
}

function isOfMeeting(
  { state, reason, since, timing }: Flow,
  { begunAt, connectionAt, departure, at }: Times,
): boolean {
  if (timing.createdAt < begunAt || timing.createdAt > at) return false;
  if (state !== "ended") return true;
  if (departure && since >= at) return true;
  return (reason === "failed" || (reason === "closed" && !departure)) && since >= connectionAt;
}

type Times = Pick<Meeting, "begunAt" | "connectionAt" | "departure" | "at">;

/** The flow in the state that it had then; what ended at that moment ended with its peer. */
function asItWas(flow: Flow, at: number): Flow {
  const { reason: _, ...rest } = flow;
  const past = statesOf(flow).findLast(
    (each) => each.at < at || (each.at === at && each.state !== "ended"),
  );
  if (!past) return flow;
  const { state, reason, at: since } = past;
  return { ...rest, state, since, ...(reason !== undefined && { reason }) };
}

const statesOf = ({ history, state, reason, since }: Flow): Flow["history"] => [
  ...history,
  { state, ...(reason !== undefined && { reason }), at: since },
];

/** When an entry was made, milliseconds since 1970. */
export const timeOf = ({ session }: Pick<Meeting, "session">, { at }: TimelineEntry): number =>
  session.createdAt + at;

/** How long ago something was, milliseconds, by the time of an entry or since 1970. */
export const msSince = (meeting: Meeting, entry: TimelineEntry): number =>
  meeting.at - timeOf(meeting, entry);

/** True when media ran, some that is over by now included. */
export const hasPlayed = ({ link, begunAt }: Meeting): boolean =>
  link.flows.flows.some(
    ({ timing }) => timing.activeAt !== undefined && timing.createdAt >= begunAt,
  );

/** True when media ran over this connection, or a path was there for it. */
export const hasRun = (meeting: Meeting): boolean =>
  meeting.flows.some((flow) => wasActive(flow, meeting.connectionAt)) ||
  entriesOfType(meeting.entries, "transport").some(
    (entry) => entry.state === "connected" && timeOf(meeting, entry) >= meeting.connectionAt,
  );

const wasActive = (flow: Flow, since: number): boolean =>
  (flow.timing.activeAt ?? -1) >= since ||
  statesOf(flow).some(({ state, at }) => state === "active" && at >= since);
