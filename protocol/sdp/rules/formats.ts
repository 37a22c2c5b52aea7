import { type Feedback, words } from "../grammar.ts";
import { listedFormats } from "../inherited.ts";
import { once } from "../notes.ts";
import { type DescriptionRule, type Hit, NO_HITS, repeated, unreadable, where } from "../rule.ts";
import type { Section } from "../section.ts";
import { REPAIR_RULES } from "./repair.ts";
import { eachRtpSection, payloadTypeNamed } from "./rtp-sections.ts";

const NUMBER = /^\d{1,3}$/;
const STARTS_WITH_TOKEN = /^[\w!#$%&'*+.^`{|}~-]+(?: |$)/;
const MOST_PAYLOAD_TYPE = 127;
/** The last payload type that RFC 3551 assigns; those above mean what an rtpmap says. */
const LAST_STATIC = 34;
/** An m-line may name a hundred thousand formats; no more findings than these are ever told. */
const MOST_NAMED = 50;

/** The number of a format, or none where it is no payload type. Every format of every line is asked for it. */
function payloadTypeOf(format: string): number {
  return NUMBER.test(format) && Number(format) <= MOST_PAYLOAD_TYPE ? Number(format) : Number.NaN;
}

/** Types that an RTCP packet on the same port would be taken for (RFC 5761 s4). */
const looksLikeRtcp = (type: number): boolean => type >= 64 && type <= 95;

/** A format of an m-line and its payload type. */
interface ListedFormat {
  readonly format: string;
  readonly type: number;
}

const formatsOf = once((section: Section): readonly ListedFormat[] =>
  [...listedFormats(section)].map((format) => ({ format, type: payloadTypeOf(format) })),
);

/** Hits for those formats of the m-line, each once, that the condition holds for. */
const eachFormat = (
  condition: (listed: ListedFormat, section: Section) => boolean,
): DescriptionRule["find"] =>
  eachRtpSection((section) => {
    const hits: Hit[] = [];
    for (const listed of formatsOf(section)) {
      if (condition(listed, section)) hits.push({ detail: payloadTypeNamed(listed.format) });
      if (hits.length === MOST_NAMED) break;
    }
    return hits;
  });

/** Hits for what is said of payload types that the m-line does not list, at the first line for each. */
const eachUnlisted = (
  linesOf: (section: Section) => readonly { readonly format: string; readonly line: number }[],
  counts: (format: string) => boolean = () => true,
): DescriptionRule["find"] =>
  eachRtpSection((section) => {
    const known = listedFormats(section);
    const unlisted = linesOf(section).filter(({ format }) => !known.has(format) && counts(format));
    if (unlisted.length === 0) return NO_HITS;
    const told = new Set<string>();
    const isNew = ({ format }: { readonly format: string }): boolean => {
      const { size } = told;
      return told.add(format).size > size;
    };
    return where(unlisted, isNew, ({ format }) => payloadTypeNamed(format));
  });

/** Payload types with an rtpmap, be it one that cannot be read: that has a rule by itself. */
const mappedFormats = once(({ rtpMaps, unreadable: misfits }: Section): ReadonlySet<string> => {
  const mapped = new Set<string>();
  for (const { format } of rtpMaps) mapped.add(format);
  for (const { name, value } of misfits) {
    const [format] = name === "rtpmap" ? words(value) : [];
    if (format !== undefined) mapped.add(format);
  }
  return mapped;
});

/** `111 opus/48000`, whatever follows. */
const HAS_CLOCK_RATE = /^ *\S+ +[^/ ]+\/\d+(?:\/| |$)/;

const isWellNamed = ({ format, type }: Feedback): boolean =>
  (format === "*" || NUMBER.test(format)) && STARTS_WITH_TOKEN.test(type);

/** Longer pauses between reports make congestion control blind. */
const LONGEST_REGULAR_INTERVAL_MS = 5000;

const TRR_INT = /^trr-int \d+$/i;
const TRR_INT_LENGTH = "trr-int ".length;

const isTooLong = ({ type }: Feedback): boolean =>
  TRR_INT.test(type) && Number(type.slice(TRR_INT_LENGTH)) > LONGEST_REGULAR_INTERVAL_MS;

/** What m-lines list: payload types (RFC 3551, RFC 5761). */
const PAYLOAD_TYPE_RULES: readonly DescriptionRule[] = [
  {
    id: "payload-list-empty",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s5.14",
    condition: "the m-line of audio or video lists no payload type",
    message:
      "the m-line must list at least one payload type; reject a section with port 0 and any format instead",
    find: eachRtpSection(({ formats }) => (formats.length === 0 ? [{}] : NO_HITS)),
  },
  {
    id: "payload-type-range",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 3551 s6",
    condition: "a format of audio or video is not an integer from 0 to 127",
    message: "payload types have seven bits; browsers refuse any other number, pick one of 96-127",
    find: eachFormat(({ type }) => Number.isNaN(type)),
  },
  {
    id: "payload-type-rtcp-conflict",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 5761 s4",
    condition: "a payload type is in 64-95 while RTP and RTCP share a port",
    message:
      "with rtcp-mux such packets cannot be told from RTCP and browsers refuse them; use 96-127 or 35-63",
    find: eachFormat(({ type }, { rtcpMux }) => rtcpMux && looksLikeRtcp(type)),
  },
  {
    id: "payload-type-repeated",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s5.14",
    requirements: ["R4.3-3"],
    condition: "the m-line lists a payload type twice",
    message: "each payload type stands for one configuration; list it once on the m-line",
    find: eachRtpSection((section) => {
      const { formats } = section;
      if (listedFormats(section).size === formats.length) return NO_HITS;
      const twice = new Set(repeated(formats, (format) => format));
      // In the order of the m-line, not in that of what comes again.
      return [...listedFormats(section)]
        .filter((format) => twice.has(format))
        .slice(0, MOST_NAMED)
        .map((format) => ({ detail: payloadTypeNamed(format) }));
    }),
  },
];

/** What section attributes say about payload types: rtpmap, fmtp, rtcp-fb. */
const PAYLOAD_ATTRIBUTE_RULES: readonly DescriptionRule[] = [
  {
    id: "rtpmap-missing",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8834 s4.3, RFC 8866 s6.6",
    requirements: ["R4.3-1", "R10-6"],
    condition: "a payload type above 34 has no rtpmap",
    message:
      "nothing says which codec this is, so it cannot be received; add its a=rtpmap or take it off the m-line",
    find: eachFormat(
      ({ format, type }, section) => type > LAST_STATIC && !mappedFormats(section).has(format),
    ),
  },
  {
    id: "rtpmap-no-clock-rate",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s6.6",
    requirements: ["R4.3-1"],
    condition: "an rtpmap does not name an encoding with its clock rate",
    message: "write the clock rate after the encoding name, as in opus/48000/2 or VP8/90000",
    find: eachRtpSection(({ unreadable: misfits }) =>
      where(misfits, ({ name, value }) => name === "rtpmap" && !HAS_CLOCK_RATE.test(value)),
    ),
  },
  {
    id: "rtpmap-unlisted-pt",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8866 s6.6",
    condition: "an rtpmap is for a payload type that the m-line does not list",
    message: "the codec is not offered by its rtpmap alone; list it on the m-line or drop the line",
    find: eachUnlisted(({ rtpMaps }) => rtpMaps),
  },
  {
    id: "fmtp-unknown-pt",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s6.15",
    requirements: ["R10-7"],
    condition: "an fmtp is for a payload type that the m-line does not list",
    message:
      "parameters without their payload type; Chromium refuses this, so drop the fmtp together with the codec",
    find: eachUnlisted(({ formatParameters }) => formatParameters),
  },
  {
    id: "rtcp-fb-unknown-pt",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 4585 s4.2",
    condition: "an rtcp-fb is for a payload type that the m-line does not list",
    message:
      "the feedback is for nothing, and Chromium refuses the description for it; drop the line together with the codec, or write * for all",
    find: eachUnlisted(
      ({ feedback }) => feedback,
      (format) => NUMBER.test(format),
    ),
  },
  {
    id: "rtcp-fb-syntax",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 4585 s4.2",
    condition: "an rtcp-fb is not a payload type or `*` followed by a feedback type",
    message: "write a payload type or *, then the feedback, as in 96 nack pli",
    find: eachRtpSection((section) => {
      const odd = where(section.feedback, (each) => !isWellNamed(each));
      return section.unreadable.length === 0 ? odd : [...unreadable(section, "rtcp-fb"), ...odd];
    }),
  },
  {
    id: "rtcp-trr-int-large",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8834 s13",
    condition: "trr-int is above 5000 ms",
    message:
      "reports this rare leave senders blind for long; ask for 5000 ms or less, 4000 suits peers without feedback",
    find: eachRtpSection(({ feedback }) => where(feedback, isTooLong)),
  },
];

/** Payload types and the lines that say what they are. */
export const FORMAT_RULES: readonly DescriptionRule[] = [
  ...PAYLOAD_TYPE_RULES,
  ...PAYLOAD_ATTRIBUTE_RULES,
  ...REPAIR_RULES,
];
