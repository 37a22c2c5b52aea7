import type { News, TimelineEntry } from "./entry.ts";

/**
 * The record of a session: what happened, bounded. Every subject (a link, its flows, a peer, the session) has a ring of
 * its own, so that whoever is loud pushes out only its own history (S8).
 */
export interface Timeline {
  /** Number of the newest entry; 0 before the first. */
  readonly newest: number;
  /** By subject, as the functions below name them; entries in the order of their numbers. */
  readonly rings: ReadonlyMap<string, Ring>;
}

export type Ring = readonly TimelineEntry[];

export const NO_TIMELINE: Timeline = { newest: 0, rings: new Map() };

/** The timeline that has these rings. */
export function timelineOf(rings: Iterable<readonly [string, Ring]>): Timeline {
  const known = new Map(rings);
  return { newest: Math.max(0, ...[...known.values()].map(newestOf)), rings: known };
}

/** Subject of what is about the session. */
export const OF_SESSION = "";
export const ofPeer = (peer: string): string => `peer ${peer}`;
export const ofLink = (link: string): string => `link ${link}`;
/** Flows are many, and change together: they have a ring beside that of their link. */
export const ofFlows = (link: string): string => `flows ${link}`;

/** Entries that a ring has room for, by the beginning of its name. */
const ROOM: ReadonlyMap<string, number> = new Map([
  ["peer", 32],
  ["link", 96],
  ["flows", 48],
]);
const ROOM_OF_SESSION = 64;

/** Peers that have left and are still remembered here. */
const DEPARTED_PEERS = 128;

const roomOf = (subject: string): number =>
  ROOM.get(subject.slice(0, subject.indexOf(" "))) ?? ROOM_OF_SESSION;

/** News, and the subject whose ring it goes to. */
export type Noted = readonly [subject: string, news: News];

/** All entries after number `since`, in the order in which they happened. */
export function entriesOf({ rings }: Timeline, since = 0): readonly TimelineEntry[] {
  return [...rings.values()]
    .flatMap((ring) => (newestOf(ring) > since ? ring.filter(({ n }) => n > since) : []))
    .toSorted((one, other) => one.at - other.at || one.n - other.n);
}

/** Entries that had to go: all were numbered. */
export const droppedOf = ({ newest, rings }: Timeline): number =>
  [...rings.values()].reduce((left, ring) => left - ring.length, newest);

/** Number of the newest entry of a ring; 0 when it has none. */
const newestOf = (ring: Ring | undefined): number => ring?.at(-1)?.n ?? 0;

/** The timeline with more entries; `at` is milliseconds from the start of the session. */
export function append(timeline: Timeline, noted: readonly Noted[], at: number): Timeline {
  if (noted.length === 0) return timeline;
  const rings = new Map(timeline.rings);
  let { newest } = timeline;
  for (const [subject, news] of noted) {
    const ring = rings.get(subject) ?? [];
    const repeated = repeatedBy(ring.at(-1), news, at);
    newest += repeated ? 0 : 1;
    const next = repeated
      ? [...ring.slice(0, -1), repeated]
      : [...ring, { n: newest, at, ...news } as TimelineEntry];
    rings.set(subject, withFewTexts(next.slice(-roomOf(subject)), rings.size + 1));
  }
  return { newest, rings };
}

/** A refusal like the one before is the same entry once more: whoever goes on learns nothing new, and nor do readers. */
function repeatedBy(
  last: TimelineEntry | undefined,
  news: News,
  at: number,
): TimelineEntry | undefined {
  if (last?.type !== "refused" || news.type !== "refused") return undefined;
  const { code, message, link } = news;
  const isSame = last.code === code && last.message === message && last.link === link;
  return isSame ? { ...last, times: (last.times ?? 1) + 1, until: at } : undefined;
}

/**
 * Texts of descriptions are kept of the newest only, and not one that is too large: those in force can be read by
 * themselves. A session has one room for all of them, of which a link has its share.
 */
const TEXTS = 12;
const TEXT_CHARACTERS = 131_072;
const ALL_TEXT_CHARACTERS = 4_194_304;

function withFewTexts(ring: Ring, rings: number): Ring {
  if (!hasText(ring.at(-1))) return ring;
  const most = Math.min(TEXT_CHARACTERS, ALL_TEXT_CHARACTERS / rings);
  let texts = 0;
  let characters = 0;
  return ring
    .toReversed()
    .map((entry) => {
      if (!hasText(entry)) return entry;
      texts += 1;
      characters += entry.sdp.length;
      if (texts <= TEXTS && characters <= most) return entry;
      const { sdp: _, ...rest } = entry;
      return rest;
    })
    .toReversed();
}

type Described = Extract<TimelineEntry, { type: "offer" | "answer" }>;

const hasText = (entry: TimelineEntry | undefined): entry is Described & { sdp: string } =>
  entry !== undefined && "sdp" in entry && entry.sdp !== undefined;

/** Entries with the subject of their ring, as sockets remember what no row has yet. */
export type Remembered = readonly [subject: string, entry: TimelineEntry];

/**
 * The timeline with what was remembered besides; what it has already stays as it is. What got its number while nobody
 * knew of it, because its socket was closing, gets another.
 */
export function withEntries(timeline: Timeline, remembered: readonly Remembered[]): Timeline {
  const rings = new Map(timeline.rings);
  const lacking = remembered
    .filter(([subject, entry]) => !isIn(rings.get(subject) ?? [], subject, entry))
    .toSorted(([, one], [, other]) => one.n - other.n);
  if (lacking.length === 0) return timeline;
  let { newest } = timeline;
  const taken = new Set([...rings.values()].flatMap((ring) => ring.map(({ n }) => n)));
  for (const [subject, entry] of lacking) {
    const ring = rings.get(subject) ?? [];
    const others = ring.filter((each) => !isSame(each, entry));
    const isFree = others.length < ring.length || !taken.has(entry.n);
    newest = Math.max(newest + (isFree ? 0 : 1), entry.n);
    const placed = isFree ? entry : { ...entry, n: newest };
    taken.add(placed.n);
    const next = [...others, placed].toSorted((one, other) => one.n - other.n);
    rings.set(subject, next.slice(-roomOf(subject)));
  }
  return { newest, rings };
}

/** True when the ring of a subject has the entry as it is, or has had it. */
export function isIn(ring: Ring, subject: string, entry: TimelineEntry): boolean {
  const known = ring.findLast((each) => isSame(each, entry));
  if (known) return timesOf(known) >= timesOf(entry);
  const [oldest] = ring;
  return oldest !== undefined && entry.n < oldest.n && ring.length >= roomOf(subject);
}

/** Whatever number it got, and however often it was said. */
const isSame = (one: TimelineEntry, other: TimelineEntry): boolean =>
  one.at === other.at &&
  one.type === other.type &&
  (one.n === other.n || contentOf(one) === contentOf(other));

const contentOf = (entry: TimelineEntry): string =>
  JSON.stringify({ ...entry, n: 0, times: undefined, until: undefined });

const timesOf = (entry: TimelineEntry): number =>
  entry.type === "refused" ? (entry.times ?? 1) : 0;

/** What differs between two states of a timeline: the entries that are new, or were changed, in their order. */
export function newsSince(before: Timeline, { rings }: Timeline): readonly Remembered[] {
  return [...rings]
    .flatMap(([subject, ring]) => {
      const known = before.rings.get(subject);
      if (ring === known) return [];
      const last = known?.at(-1);
      return ring
        .filter((entry) => entry.n > newestOf(known) || (entry.n === last?.n && entry !== last))
        .map((entry) => [subject, entry] as const);
    })
    .toSorted(([, one], [, other]) => one.n - other.n);
}

/** Without rings of links and peers that the session has forgotten; of peers that left, the newest are kept. */
export function forgetting(
  timeline: Timeline,
  peers: { has(id: string): boolean },
  links: { has(id: string): boolean },
): Timeline {
  const { rings } = timeline;
  const departed = [...rings.keys()].filter((subject) => {
    const peer = peerOf(subject);
    return peer !== undefined && !peers.has(peer);
  });
  const gone = new Set(
    departed
      .toSorted((one, other) => newestOf(rings.get(one)) - newestOf(rings.get(other)))
      .slice(0, Math.max(0, departed.length - DEPARTED_PEERS)),
  );
  const kept = [...rings].filter(([subject]) => !gone.has(subject) && isOfKnown(subject, links));
  return kept.length === rings.size ? timeline : { ...timeline, rings: new Map(kept) };
}

const isOfKnown = (subject: string, links: { has(id: string): boolean }): boolean => {
  const link = linkOf(subject);
  return link === undefined || links.has(link);
};

/** The peer that a subject is about; undefined for others. */
export function peerOf(subject: string): string | undefined {
  const [what, id] = subject.split(" ");
  return what === "peer" ? id : undefined;
}

/** The link that a subject is about; undefined for others. */
export function linkOf(subject: string): string | undefined {
  const [what, id] = subject.split(" ");
  return what === "link" || what === "flows" ? id : undefined;
}
