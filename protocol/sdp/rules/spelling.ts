import type { Description } from "../description.ts";
import { STATIC_RTP_MAPS } from "../payload-types.ts";
import {
  at,
  carriesMedia,
  type DescriptionRule,
  eachSaying,
  eachSection,
  type Hit,
  type Hits,
  NO_HITS,
  own,
  repeated,
  unreadable,
  where,
  wherePlain,
} from "../rule.ts";
import type { Section, SessionPart } from "../section.ts";
import { eachRtpSection } from "./rtp-sections.ts";
import { eachPart } from "./scopes.ts";

const TIMING = /^\d+ \d+$/;
const TOKEN = /^[\w!#$%&'*+.^`{|}~-]+$/;
const CONNECTION = /^IN IP[46] \S+$/;
const LARGEST_RATE = 2 ** 31 - 1;
/** Types of which the session part has one line at most. */
const SINGLE = new Set(["v", "o", "s"]);

/** Attributes whose words are parted by one blank each. */
const WORDED = ["candidate", "extmap", "group", "rtcp-fb", "rtpmap", "ssrc", "ssrc-group"];

const hasStrayBlanks = (value: string): boolean =>
  (value.startsWith(" ") || value.includes("  ")) && /^ | {2}/.test(value.trimEnd());

function straying(part: Section | SessionPart): Hits {
  const hits: Hit[] = [];
  for (const { number: line, type, value } of part.plainLines) {
    if ((type === "m" || type === "c") && hasStrayBlanks(value)) hits.push({ line });
  }
  for (const name of WORDED) {
    for (const { line, value } of own(part, name)) if (hasStrayBlanks(value)) hits.push({ line });
  }
  return hits;
}

/** Whether the msid lines of a section name several tracks. */
function hasTwoTracks({ msids }: Section): boolean {
  const named = msids.filter(({ track }) => track !== undefined);
  return named.some(({ track }) => track !== named[0]?.track);
}

/** Whether an attribute of a section in use, or of the session part, is called so. */
function hasOddName({ session, saying }: Description): boolean {
  for (const name of session.attributes.keys()) if (!TOKEN.test(name)) return true;
  for (const name of saying.keys()) if (!TOKEN.test(name)) return true;
  return false;
}

const oddlyNamed = eachPart(({ attributes }) =>
  [...attributes].flatMap(([name, lines]) => (TOKEN.test(name) ? [] : where(lines, () => true))),
);

/**
 * Spelling that browsers refuse although the catalogue of the drafts does not speak of it: found by giving broken
 * descriptions to Chromium and comparing what it said with what the rules had found.
 */
export const SPELLING_RULES: readonly DescriptionRule[] = [
  {
    id: "line-end-missing",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s5, s9",
    condition: "the last line does not end in a line break",
    message:
      "Chromium refuses a text whose last line is not ended; do not trim descriptions, and end the last line with CRLF",
    find: ({ description: { text, lines } }) =>
      lines.length === 0 || text.endsWith("\n") || text.endsWith("\r")
        ? NO_HITS
        : [{ line: lines.length }],
  },
  {
    id: "line-ending-cr-only",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s5",
    condition: "lines end in CR alone",
    message: "browsers read a text whose lines end in CR alone as one line; end them with CRLF",
    find: ({ description: { text } }) => (/\r(?!\n)/.test(text) ? [{}] : NO_HITS),
  },
  {
    id: "attribute-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s5.13, s9",
    condition: "the name of an attribute is empty or no token",
    message:
      "an attribute has a name without blanks and before its colon; Chromium refuses the line",
    find: (subject) => (hasOddName(subject.description) ? oddlyNamed(subject) : NO_HITS),
  },
  {
    id: "connection-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s5.7",
    condition: "a `c=` line is not `IN IP4|IP6 <address>`",
    message:
      "c= must be IN IP4 or IN IP6 and an address, such as IN IP4 0.0.0.0; Chromium refuses the rest",
    find: eachPart((part) => wherePlain(part, "c", (value) => !CONNECTION.test(value.trimEnd()))),
  },
  {
    id: "session-line-repeated",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s5",
    condition: "a second `v=`, `o=` or `s=` line",
    message: "a description has one v=, one o= and one s= line; Chromium refuses a second one",
    find: ({ description: { session } }) =>
      repeated(
        session.plainLines.filter(({ type }) => SINGLE.has(type)),
        ({ type }) => type,
      ).map(({ number: line }) => ({ line })),
  },
  {
    id: "timing-syntax",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s5.9",
    condition: "a `t=` line is not two numbers",
    message: "t= has a start and a stop time; WebRTC writes t=0 0",
    find: ({ description: { session } }) =>
      wherePlain(session, "t", (value) => !TIMING.test(value.trimEnd())),
  },
  {
    id: "fingerprint-session-several",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8122 s5",
    requirements: ["R4.2-6"],
    condition: "more than one fingerprint in the session part",
    message:
      "several fingerprints are allowed, but Chromium refuses them before the first m-line; put them into the m-sections",
    find: ({ description: { session } }) =>
      own(session, "fingerprint")
        .slice(1, 2)
        .map(({ line }) => ({ line })),
  },
  {
    id: "blanks-stray",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s9",
    condition:
      "two blanks in a row, or one at the beginning, in a line whose words one blank parts",
    message:
      "words are parted by exactly one blank; Chromium takes a second one for an empty word and refuses the line",
    find: eachPart(straying),
  },
  {
    id: "fmtp-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s6.15",
    requirements: ["R10-7"],
    condition: "`a=fmtp` is not `<format> <parameters>`",
    message:
      "fmtp needs a payload type and its parameters; leave the line out where there are none",
    find: eachSection((section) => unreadable(section, "fmtp")),
  },
  {
    id: "rtpmap-clock-rate-range",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s6.6",
    requirements: ["R4.3-1"],
    condition: "the clock rate of an rtpmap is 0 or more than 31 bits hold",
    message:
      "the clock rate is in Hz, such as 48000 or 90000; browsers cannot read one so large or 0",
    find: eachRtpSection((section) => {
      const lines = own(section, "rtpmap");
      // A rate that could be read is not too large.
      const isUsual = section.rtpMaps.every(({ rate }) => rate > 0);
      if (isUsual && section.rtpMaps.length === lines.length) return NO_HITS;
      return where(lines, ({ value }) => {
        const rate = /^\S+ [^/]+\/(\d+)(?:\/|$)/.exec(value.trimEnd())?.[1];
        return rate !== undefined && (Number(rate) === 0 || Number(rate) > LARGEST_RATE);
      });
    }),
  },
  {
    id: "rtpmap-static-conflict",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 3551 s6",
    requirements: ["R4.3-1"],
    condition: "a payload type below 35 is mapped to another codec than the one it always means",
    message:
      "this payload type has a fixed meaning, and Chromium refuses another one; take a number from 96 on",
    find: eachRtpSection((section) =>
      where(
        section.rtpMaps,
        ({ format, name, rate }) => {
          const fixed = STATIC_RTP_MAPS.get(format);
          if (fixed === undefined) return false;
          return fixed.name.toLowerCase() !== name.toLowerCase() || fixed.rate !== rate;
        },
        ({ format }) => `payload type ${format}`,
      ),
    ),
  },
  {
    id: "rtcp-mux-inherited",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 9429 s5.2.1, RFC 9143 s7.1.3",
    requirements: ["R4.5-1"],
    condition: "a bundled section has rtcp-mux only by its tagged section",
    message:
      "the tagged section speaks for it, but browsers want a=rtcp-mux in every section of a bundle",
    find: eachSection((section) =>
      carriesMedia(section) && section.rtcpMux && !section.attributes.has("rtcp-mux")
        ? [{}]
        : NO_HITS,
    ),
  },
  {
    id: "msid-two-tracks",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 9429 s5.2.1",
    requirements: ["R11-3"],
    condition: "the msid lines of a section name more than one track",
    message:
      "a section carries one track, in as many streams as you like; Chromium refuses two tracks",
    find: eachSaying("msid", (section) =>
      hasTwoTracks(section) ? [at(section, "msid")] : NO_HITS,
    ),
  },
  {
    id: "data-max-message-size-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8841 s6.1",
    condition: "`a=max-message-size` is no number",
    message: "the size of messages is in bytes, digits only; browsers refuse anything else",
    find: eachSaying("max-message-size", ({ kind }, lines) =>
      kind === "application"
        ? where(lines, ({ value }) => !/^\d+$/.test(value.trimEnd()))
        : NO_HITS,
    ),
  },
];
