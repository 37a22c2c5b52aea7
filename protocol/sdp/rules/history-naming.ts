import type { Continuation } from "../continued.ts";
import type { Description } from "../description.ts";
import {
  extensionMeanings,
  factsOf,
  formatMeanings,
  liveSections,
  type Meaning,
  marksOf,
  shareMark,
} from "../history.ts";
import type { Line } from "../line.ts";
import { once } from "../notes.ts";
import { at, type HistoryRule, type Hit, locate, NO_HITS, own, where } from "../rule.ts";
import type { Section } from "../section.ts";

/** Numbers of all sections that mean another thing now than before or ever in this connection. */
function remapped(
  { pair, past, description }: Continuation,
  numbers: "formats" | "extensions",
  meaningsOf: (section: Section) => readonly Meaning[],
  told: string,
): readonly Hit[] {
  if (!pair) return NO_HITS;
  const before = factsOf(pair.own)[numbers];
  const earlier = new Map(past[numbers]);
  const isOther = ({ key, means }: Meaning): boolean =>
    (before.get(key) ?? earlier.get(key) ?? means) !== means;
  const hits: Hit[] = [];
  for (const section of liveSections(description)) {
    const found = where(meaningsOf(section), isOther, ({ number }) => `${told} ${number}`);
    locate(hits, section, found);
  }
  return hits;
}

/** Digits of any length as a text that sorts as the number does. */
const sortable = (digits: string): string => {
  const significant = digits.replace(/^0+/, "");
  return `${String(significant.length).padStart(7, "0")} ${significant}`;
};

const withoutOrigin = ({ lines }: Description): readonly Line[] =>
  lines.filter(({ type }) => type !== "o");

/** Whether descriptions say the same but for their `o=` lines. */
function isSameBesides(one: Description, other: Description): boolean {
  if (one.text === other.text) return true;
  const lines = withoutOrigin(one);
  const others = withoutOrigin(other);
  return (
    lines.length === others.length &&
    lines.every(
      ({ type, value }, index) => type === others[index]?.type && value === others[index].value,
    )
  );
}

const msidsOf = once(({ msids }: Section): string =>
  msids
    .map(({ stream, track }) => `${stream} ${track ?? ""}`)
    .toSorted()
    .join(","),
);

/** Names and numbers that keep their meaning while a connection lives. */
export const HISTORY_NAMING_RULES: readonly HistoryRule[] = [
  {
    id: "origin-version-not-incremented",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 3264 s8",
    condition: "same session id, the version did not grow, the text changed",
    message: "the version in o= grows by one with every new description of a connection",
    find: (subject) => {
      const before = subject.pair;
      const is = subject.description.session.origin;
      const was = before?.own.session.origin;
      if (!before || !is || !was || is.sessionId !== was.sessionId) return [];
      if (sortable(is.version) > sortable(was.version)) return [];
      return isSameBesides(subject.description, before.own) ? NO_HITS : [{ line: is.line }];
    },
  },
  {
    id: "origin-session-changed",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 3264 s8",
    condition: "user name, session id or address of o= changed within a connection",
    message: "all descriptions of a connection have the same o= but for the version",
    find: (subject) => {
      const is = subject.description.session.origin;
      const was = subject.pair?.own.session.origin;
      if (!is || !was) return [];
      const isSame =
        is.username === was.username &&
        is.sessionId === was.sessionId &&
        is.address === was.address;
      return isSame ? [] : [{ line: is.line }];
    },
  },
  {
    id: "payload-type-remapped-in-session",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 3264 s8.3.2",
    requirements: ["R4.3-1"],
    condition: "a payload type of an m-section means another codec than it did",
    message:
      "a payload type keeps its codec while the connection lives: packets on their way would be decoded wrongly; take an unused number",
    find: (subject) => remapped(subject, "formats", formatMeanings, "payload type"),
  },
  {
    id: "extmap-id-remapped-in-session",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8285 s7",
    requirements: ["R10-8"],
    condition: "a header extension id of an m-section means another URI than it did",
    message:
      "the id of a header extension keeps its URI while the connection lives; take a free id",
    find: (subject) => remapped(subject, "extensions", extensionMeanings, "extension id"),
  },
  {
    id: "msid-changed",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8830 s2, RFC 9429 s5.2.2",
    requirements: ["R11-3"],
    condition: "an m-section in use names another stream or track",
    message: "the other side sees a new stream here; replaceTrack() would have kept the old one",
    find: (subject) =>
      subject.stillLive
        .filter(({ was, is }) => msidsOf(was) !== "" && msidsOf(is) !== "")
        .filter(({ was, is }) => msidsOf(was) !== msidsOf(is))
        .map(({ is }) => at(is, "msid")),
  },
  {
    id: "cname-changed",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8834 s4.9",
    requirements: ["R4.9-1"],
    condition: "the same certificate, but none of the CNAMEs it had",
    message:
      "a connection has one CNAME from beginning to end: the receiver synchronises audio and video by it",
    find: (subject) => {
      const before = subject.pair;
      if (!before) return [];
      const was = marksOf(before.own);
      const is = marksOf(subject.description);
      const lost =
        was.cnames.length > 0 &&
        is.cnames.length > 0 &&
        shareMark(is.fingerprints, was.fingerprints) &&
        !shareMark(is.cnames, was.cnames);
      const section = liveSections(subject.description).find(({ ssrcs }) =>
        ssrcs.some(({ cname }) => cname),
      );
      return lost && section ? [{ section, line: section.ssrcs[0]?.line }] : [];
    },
  },
  {
    id: "previous-ssrc-unknown",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 5576 s6.2",
    requirements: ["R4.8-2"],
    condition: "previous-ssrc names a source that this side has never announced",
    message: "previous-ssrc must name a source of an earlier description of the same side",
    find: ({ description, marks }) => {
      const sections = description.saying.get("ssrc");
      if (!sections || !description.text.includes(" previous-ssrc:")) return NO_HITS;
      const lines = sections.flatMap((section) =>
        own(section, "ssrc")
          .filter(({ value }) => value.includes(" previous-ssrc:"))
          .map(({ line, value }) => ({ section, line, value })),
      );
      const known = new Set(marks.ssrcs);
      return lines.filter(({ value }) => {
        const said = /^\d+ previous-ssrc:(.*)$/.exec(value)?.[1];
        return said?.split(" ").some((word) => !known.has(Number(word)));
      });
    },
  },
];
