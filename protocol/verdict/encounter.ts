import { isConnected, type Link, type Peer, type Session } from "../session.ts";
import type { TimelineEntry } from "../timeline/entry.ts";
import { caused, type Evidence, type Judgement, plain, secondsOf, seen } from "./judgement.ts";
import { type Entries, entriesOfType } from "./meeting.ts";
import { judgeProblems, judgeRefusal, newestRefusal } from "./refusals.ts";

/** A session in which no two peers have begun anything. */

/** Pages take a while to load, and devices to be found. */
const PATIENCE_MS = 10_000;

type Joined = Extract<TimelineEntry, { type: "peer-joined" }>;
type Left = Extract<TimelineEntry, { type: "peer-left" }>;

/** Who takes part in media, here or gone. */
interface Presence {
  readonly here: readonly Peer[];
  readonly joined: readonly Joined[];
  readonly left: readonly Left[];
}

export function judgeEncounter(session: Session, entries: Entries, now: number): Judgement {
  const presence = presenceOf(session, entries);
  return (
    judgeFull(session, entries) ??
    judgeTurnedAway(session, entries) ??
    judgeStays(session, entries, presence, now) ??
    judgeWaiting(session, presence, entries, now)
  );
}

function presenceOf(session: Session, entries: Entries): Presence {
  const here = [...session.peers.values()].filter(
    ({ role, managed }) => role !== "observer" && !managed,
  );
  const joined = entriesOfType(entries, "peer-joined").filter(({ role }) => role !== "observer");
  const known = new Set(joined.map(({ peer }) => peer));
  const left = entriesOfType(entries, "peer-left").filter(({ peer }) => known.has(peer));
  return { here, joined, left };
}

/** Somebody could not join, and nobody could since. */
export function judgeFull(session: Session, entries: Entries): Judgement | undefined {
  const full = entriesOfType(entries, "refused").findLast(({ code }) => code === "session-full");
  if (!full) return undefined;
  const { n: number, at, until = at } = full;
  const hasRoom = entriesOfType(entries, "peer-joined").some(
    (joined) => joined.n > number && joined.at >= until,
  );
  if (hasRoom) return undefined;
  const peers = session.config.maxPeers;
  return caused("failed", "session-full", { peers }, [seen(full, `${full.by} could not join`)]);
}

/** Somebody was closed, or could not offer. */
function judgeTurnedAway({ peers }: Session, entries: Entries): Judgement | undefined {
  for (const lost of entriesOfType(entries, "peer-lost").toReversed()) {
    const closed = isConnected(peers.get(lost.peer)) ? undefined : judgeProblems(entries, lost);
    if (closed) return closed;
  }
  const refusal = newestRefusal(entries, undefined);
  return refusal && refusal.code !== "no-media-server" ? judgeRefusal(refusal) : undefined;
}

/** Peers came and went. */
function judgeStays(
  session: Session,
  entries: Entries,
  { here, joined, left }: Presence,
  now: number,
): Judgement | undefined {
  if (here.length > 1) return undefined;
  if (joined.length === 0) {
    if (here.length > 0) return undefined;
    const seconds = secondsOf(now - session.createdAt);
    return caused("waiting", "nobody-came", { seconds }, observers(entries));
  }
  const evidence = [...joined, ...left]
    .toSorted((one, other) => one.n - other.n)
    .slice(-SHOWN)
    .map(stayEvidence);
  const gap = gapOf(joined, left);
  if (gap) return caused(here.length > 0 ? "waiting" : "over", "never-met", gap, evidence);
  return here.length > 0 ? undefined : caused("over", "everybody-left", {}, evidence);
}

/** Entries that are worth showing. */
const SHOWN = 8;

const observers = (entries: Entries): readonly Evidence[] =>
  entriesOfType(entries, "peer-joined").map((entry) => seen(entry, `${entry.peer} only observes`));

const stayEvidence = (entry: Joined | Left): Evidence =>
  seen(
    entry,
    entry.type === "peer-left" ? `${entry.peer} left: ${entry.reason}` : `${entry.peer} came`,
  );

/** The newest two stays, where the first was over before the second began. */
function gapOf(joined: readonly Joined[], left: readonly Left[]) {
  const second = joined.at(-1);
  const first = left.findLast(({ n, peer }) => second && n < second.n && peer !== second.peer);
  if (!second || !first || isMet(joined, left)) return undefined;
  const seconds = secondsOf(second.at - first.at);
  return { first: first.peer, second: second.peer, seconds };
}

/** True when somebody came while another one was here. */
function isMet(joined: readonly Joined[], left: readonly Left[]): boolean {
  const here = new Set<string>();
  for (const entry of [...joined, ...left].toSorted((one, other) => one.n - other.n)) {
    if (entry.type === "peer-left") here.delete(entry.peer);
    else {
      here.add(entry.peer);
      if (here.size > 1) return true;
    }
  }
  return false;
}

/**
 * Peers that have no link with anybody who is here, though the session has links. Undefined where there are none, as long
 * as patience lasts, and for who is left over when the others have gone.
 */
export function judgeLoners(
  session: Session,
  links: readonly Pick<Link, "peers">[],
  entries: Entries,
  now: number,
): Judgement | undefined {
  const presence = presenceOf(session, entries);
  const current = links.filter(({ peers }) => peers.every((peer) => session.peers.has(peer)));
  const hasOne = ({ id }: Peer, some: typeof links): boolean =>
    some.some(({ peers }) => peers.includes(id));
  const loners = presence.here.filter((peer) => isConnected(peer) && !hasOne(peer, current));
  const [first] = loners;
  if (!first || (presence.here.length < 2 && hasOne(first, links))) return undefined;
  const judged = judgeWaiting(session, presence, entries, now, loners);
  return judged.cause && judged;
}

/** Peers are here, and nothing has begun between these and anybody. */
function judgeWaiting(
  session: Session,
  { here, joined }: Presence,
  entries: Entries,
  now: number,
  loners: readonly Peer[] = here,
): Judgement {
  const others = here.filter((peer) => !loners.includes(peer));
  // Since the newest of them came, and somebody was there to offer to.
  const met = others.length > 0 ? Math.min(...others.map(joinedAtOf)) : 0;
  const waitMs = now - Math.max(met, ...loners.map(joinedAtOf));
  const seconds = secondsOf(waitMs);
  const evidence = joined
    .filter(({ peer }) => loners.some(({ id }) => id === peer))
    .slice(-SHOWN)
    .map(stayEvidence);
  const { topology } = session.config;
  const hasServer = [...session.peers.values()].some(({ role }) => role === "media-server");
  if (topology === "central" && !hasServer) {
    return caused("waiting", "no-media-server", {}, [...evidence, ...refusedFor(entries)]);
  }
  const [first] = loners;
  if (here.length < 2 && first) {
    return waitMs < PATIENCE_MS
      ? plain("waiting", `${first.id} waits for somebody else.`, evidence)
      : caused("waiting", "alone", { peer: first.id, seconds }, evidence);
  }
  const away = here.filter((peer) => !isConnected(peer));
  const all = [...evidence, ...away.map(({ id }) => ({ says: `the socket of ${id} is lost` }))];
  return waitMs < PATIENCE_MS
    ? plain("waiting", `${here.length} peers are here; nothing is offered yet.`, all)
    : caused("waiting", "nobody-offered", { peers: named(loners, others.length), seconds }, all);
}

const joinedAtOf = ({ joinedAt }: Peer): number => joinedAt;

/** Peers that are named one by one. */
const NAMED = 3;

function named(loners: readonly Peer[], others: number): string {
  if (others === 0) return `${loners.length} peers`;
  const who =
    loners.length > NAMED ? `${loners.length} peers` : loners.map(({ id }) => id).join(", ");
  return `${who} and ${others === 1 ? "one other" : `${others} others`}`;
}

const refusedFor = (entries: Entries): readonly Evidence[] =>
  entriesOfType(entries, "refused")
    .filter(({ code }) => code === "no-media-server")
    .slice(-1)
    .map((entry) => seen(entry, `${entry.by} was told no-media-server`));
