import type { Description } from "./description.ts";
import { carriedExtMaps, fingerprintLists } from "./inherited.ts";
import { once } from "./notes.ts";
import type { DescriptionRole } from "./rule.ts";
import type { Section } from "./section.ts";

/** What was said before a description, on its link and on the other links of the session. */

/**
 * Whatever tells one connection from another, as numbers that can be compared and nothing else: no key,
 * password or name can be read from them. In order, the newest last; old ones are forgotten.
 */
export interface Marks {
  readonly fingerprints: readonly number[];
  /** ICE user fragments with their passwords. */
  readonly credentials: readonly number[];
  readonly cnames: readonly number[];
  /** These are public in every packet: the SSRCs themselves. */
  readonly ssrcs: readonly number[];
  /** Codecs of the newest description, such as `video/vp8`. */
  readonly codecs: readonly string[];
}

export const NO_MARKS: Marks = {
  fingerprints: [],
  credentials: [],
  cnames: [],
  ssrcs: [],
  codecs: [],
};

/** What earlier descriptions of a connection said that the one in force says no more. */
export interface Past {
  /** Mid and the index of its m-section. */
  readonly mids: readonly (readonly [mid: string, index: number])[];
  /** `mid payload-type` and the encoding it meant. */
  readonly formats: readonly (readonly [key: string, encoding: string])[];
  /** `mid id` and the URI it meant. */
  readonly extensions: readonly (readonly [key: string, uri: string])[];
}

export const NO_PAST: Past = { mids: [], formats: [], extensions: [] };

/** What one end of a link has said so far. */
export interface Said {
  /** In descriptions that were agreed on, by the connection that it has now. */
  readonly marks: Marks;
  readonly past: Past;
  /** By connections that it had before. */
  readonly ended: Marks;
}

export const NOTHING_SAID: Said = { marks: NO_MARKS, past: NO_PAST, ended: NO_MARKS };

/** One end of another link, or the receiver's end of this one. */
export interface Leg {
  readonly peer: string;
  /** The other end of the leg. */
  readonly to: string;
  readonly isServer: boolean;
  readonly marks: Marks;
}

/** The pair that is in force while a new description comes. */
export interface Before {
  /** Of the sender. */
  readonly own: Description;
  /** Of the receiver. */
  readonly other: Description;
  /** What the sender's was. */
  readonly ownRole: DescriptionRole;
}

/** A description in its history. */
export interface HistorySubject {
  readonly description: Description;
  readonly role: DescriptionRole;
  /** The offer that an answer is for. */
  readonly offer?: Description | undefined;
  readonly before?: Before | undefined;
  readonly past: Past;
  /** What the sender said on this link before. */
  readonly marks: Marks;
  readonly sender: { readonly id: string; readonly isServer: boolean };
  readonly receiver: { readonly id: string; readonly isServer: boolean };
  /** All other ends of links in the session, and the receiver's end of this one. */
  readonly legs: readonly Leg[];
  readonly topology: "mesh" | "central";
  /** Offers on this link in the last minute, this one included. */
  readonly offersInMinute: number;
}

/** A number that stands for a text: equal for equal texts, and good for nothing else (cyrb53). */
export function digestOf(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

/** Sections that are in use. */
export const liveSections = ({ live }: Description): readonly Section[] => live;

/** ICE credentials of a section, bundle and session part included. */
export const credentialsOf = once(
  ({ iceUfrag, icePwd }: Section): string => `${iceUfrag ?? ""} ${icePwd ?? ""}`,
);

/** The name by which a section is remembered. */
export const nameOf = ({ mid, index }: Section): string => mid ?? `#${index}`;

/** Marks of one description. */
export const marksOf = once(readMarks);

function readMarks(description: Description): Marks {
  const live = liveSections(description);
  const fingerprints = new Set<string>();
  for (const [list] of fingerprintLists(live)) {
    for (const { hash, value } of list) fingerprints.add(`${hash} ${value}`);
  }
  const credentials = new Set<string>();
  const cnames = new Set<string>();
  const ssrcs = new Set<number>();
  for (const section of live) {
    if (section.icePwd) credentials.add(credentialsOf(section));
    for (const { ssrc, cname } of section.ssrcs) {
      ssrcs.add(ssrc);
      if (cname) cnames.add(cname);
    }
  }
  return {
    fingerprints: digestsOf(fingerprints),
    credentials: digestsOf(credentials),
    cnames: digestsOf(cnames),
    ssrcs: [...ssrcs],
    codecs: codecNames(live),
  };
}

/** Sections mostly say the same: each text is digested once. */
function digestsOf(texts: ReadonlySet<string>): readonly number[] {
  const digests = new Set<number>();
  for (const text of texts) digests.add(digestOf(text));
  return [...digests];
}

const REPAIR = new Set(["rtx", "red", "ulpfec", "flexfec-03", "cn", "telephone-event"]);

function codecNames(sections: readonly Section[]): readonly string[] {
  const names = new Set<string>();
  for (const { kind, rtpMaps } of sections) {
    for (const rtpMap of rtpMaps) {
      const name = rtpMap.name.toLowerCase();
      if (!REPAIR.has(name)) names.add(`${kind}/${name}`);
    }
  }
  return [...names];
}

const MOST = { fingerprints: 16, credentials: 64, cnames: 64, ssrcs: 512 } as const;

/** What is known of an end after one more description. */
export function withMarks(before: Marks, more: Marks): Marks {
  const merged = (name: keyof typeof MOST): readonly number[] => {
    if (before[name].length === 0) return more[name].slice(-MOST[name]);
    const newer = new Set(more[name]);
    return [...before[name].filter((mark) => !newer.has(mark)), ...newer].slice(-MOST[name]);
  };
  return {
    fingerprints: merged("fingerprints"),
    credentials: merged("credentials"),
    cnames: merged("cnames"),
    ssrcs: merged("ssrcs"),
    codecs: more.codecs,
  };
}

/** What an end has said after a description of it was agreed on; `before` is the one it had in force. */
export function afterAgreement(said: Said, now: Description, before?: Description): Said {
  const marks = marksOf(now);
  if (!before) return { ...said, marks: withMarks(said.marks, marks) };
  if (isOtherConnection(before, now)) return { ...ended(said), marks };
  return { ...said, marks: withMarks(said.marks, marks), past: withPast(said.past, before, now) };
}

/** What an end has said when its connection is over. */
export function ended({ marks, ended: earlier }: Said): Said {
  return { ...NOTHING_SAID, ended: withMarks(earlier, marks) };
}

const MOST_PAST = 512;

/** The past of a connection after `now` took the place of `before`. */
export function withPast(past: Past, before: Description, now: Description): Past {
  const next = factsOf(now);
  const gone = factsOf(before);
  return {
    mids: goneOf(past.mids, gone.mids, next.mids),
    formats: goneOf(past.formats, gone.formats, next.formats),
    extensions: goneOf(past.extensions, gone.extensions, next.extensions),
  };
}

/** What was said before, or in earlier days, and is no more. */
function goneOf<T>(
  old: readonly (readonly [string, T])[],
  was: ReadonlyMap<string, T>,
  is: ReadonlyMap<string, T>,
): readonly (readonly [string, T])[] {
  const gone = new Map<string, T>();
  for (const [key, meaning] of old) if (!is.has(key)) gone.set(key, meaning);
  for (const [key, meaning] of was) if (!is.has(key)) gone.set(key, meaning);
  return [...gone].slice(-MOST_PAST);
}

/** What a description says that must keep its meaning as long as the connection lives. */
export interface Facts {
  readonly mids: ReadonlyMap<string, number>;
  readonly formats: ReadonlyMap<string, string>;
  readonly extensions: ReadonlyMap<string, string>;
}

export const factsOf = once(({ sections }: Description): Facts => {
  const mids = new Map<string, number>();
  const formats = new Map<string, string>();
  const extensions = new Map<string, string>();
  for (const section of sections) {
    if (section.mid !== undefined) mids.set(section.mid, section.index);
    if (section.rejected) continue;
    for (const { key, means } of formatMeanings(section)) formats.set(key, means);
    for (const { key, means } of extensionMeanings(section)) extensions.set(key, means);
  }
  return { mids, formats, extensions };
});

/** What a number of a section means, which must stay so. */
export interface Meaning {
  /** The section by the name it is remembered by, and the number. */
  readonly key: string;
  readonly number: string | number;
  readonly means: string;
  readonly line: number;
}

/** The payload types of a section and their encodings. */
export const formatMeanings = once((section: Section): readonly Meaning[] =>
  section.rtpMaps.map(({ format, name, rate, channels = 1, line }) => ({
    key: `${nameOf(section)} ${format}`,
    number: format,
    means: `${name.toLowerCase()}/${rate}/${channels}`,
    line,
  })),
);

/** The identifiers of a section and their header extensions. */
export const extensionMeanings = once((section: Section): readonly Meaning[] =>
  carriedExtMaps(section).map(({ id, uri, line }) => ({
    key: `${nameOf(section)} ${id}`,
    number: id,
    means: uri,
    line,
  })),
);

/**
 * True when two descriptions of one peer come from different connections: a page that was loaded again has
 * made new keys and new credentials. Neither alone tells (nor does the `o=` line).
 */
export function isOtherConnection(known: Description, now: Description): boolean {
  const { fingerprints, credentials } = marksOf(known);
  const fresh = marksOf(now);
  return (
    fresh.fingerprints.length > 0 &&
    fingerprints.length > 0 &&
    !shareMark(fresh.fingerprints, fingerprints) &&
    !shareMark(fresh.credentials, credentials)
  );
}

/** Whether a mark is among both. */
export function shareMark(some: readonly number[], others: readonly number[]): boolean {
  // A connection that goes on mostly says the same in the same order.
  if (some.length > 0 && some[0] === others[0]) return true;
  const known = new Set(others);
  return some.some((mark) => known.has(mark));
}
