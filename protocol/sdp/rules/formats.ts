import { type Feedback, words } from "../grammar.ts";
import { listedFormats } from "../inherited.ts";
import { type DescriptionRule, type Hit, repeated, unreadable, where } from "../rule.ts";
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

const isPayloadType = (format: string): boolean =>
  NUMBER.test(format) && Number(format) <= MOST_PAYLOAD_TYPE;

/** Types that an RTCP packet on the same port would be taken for (RFC 5761 s4). */
const looksLikeRtcp = (format: string): boolean =>
  isPayloadType(format) && Number(format) >= 64 && Number(format) <= 95;

/** Hits for those formats of the m-line, each once, that the condition holds for. */
const eachFormat = (
  conditionOf: (section: Section) => (format: string) => boolean,
): DescriptionRule["find"] =>
  eachRtpSection((section) => {
    const condition = conditionOf(section);
    const hits: Hit[] = [];
    for (const format of listedFormats(section)) {
      if (condition(format)) hits.push({ detail: payloadTypeNamed(format) });
      if (hits.length === MOST_NAMED) break;
    }
    return hits;
  });

/** Hits for what is said of payload types that the m-line does not list, at the first line for each. */
const eachUnlisted = (
  linesOf: (section: Section) => readonly { readonly format: string; readonly line: number }[],
): DescriptionRule["find"] =>
  eachRtpSection((section) => {
    const known = listedFormats(section);
    const told = new Set<string>();
    const isNew = ({ format }: { readonly format: string }): boolean => {
      if (known.has(format) || told.has(format)) return false;
      told.add(format);
      return true;
    };
    return where(linesOf(section), isNew, ({ format }) => payloadTypeNamed(format));
  });

/** Payload types with an rtpmap, be it one that cannot be read: that has a rule by itself. */
const mappedFormats = ({ rtpMaps, unreadable: misfits }: Section): ReadonlySet<string> =>
  new Set([
    ...rtpMaps.map(({ format }) => format),
    ...misfits
      .filter(({ name }) => name === "rtpmap")
      .flatMap(({ value }) => words(value)[0] ?? []),
  ]);

/** `111 opus/48000`, whatever follows. */
const HAS_CLOCK_RATE = /^ *\S+ +[^/ ]+\/\d+(?:\/| |$)/;

const namesPayloads = ({ format }: Feedback): boolean => format === "*" || NUMBER.test(format);

/** Longer pauses between reports make congestion control blind. */
const LONGEST_REGULAR_INTERVAL_MS = 5000;

const TRR_INT = /^trr-int (\d+)$/i;

const isTooLong = ({ type }: Feedback): boolean => {
  const found = TRR_INT.exec(type);
  return found !== null && Number(found[1]) > LONGEST_REGULAR_INTERVAL_MS;
};

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
    find: eachRtpSection(({ formats }) => (formats.length === 0 ? [{}] : [])),
  },
  {
    id: "payload-type-range",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 3551 s6",
    condition: "a format of audio or video is not an integer from 0 to 127",
    message: "payload types have seven bits; browsers refuse any other number, pick one of 96-127",
    find: eachFormat(() => (format) => !isPayloadType(format)),
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
    find: eachFormat(({ rtcpMux }) => (rtcpMux ? looksLikeRtcp : () => false)),
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
    find: eachFormat(({ formats }) => {
      const twice = new Set(repeated(formats, (format) => format));
      return (format) => twice.has(format);
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
    find: eachFormat((section) => {
      const mapped = mappedFormats(section);
      return (format) =>
        isPayloadType(format) && Number(format) > LAST_STATIC && !mapped.has(format);
    }),
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
    find: eachRtpSection((section) =>
      where(
        section.unreadable,
        ({ name, value }) => name === "rtpmap" && !HAS_CLOCK_RATE.test(value),
      ),
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
    find: eachUnlisted(({ feedback }) =>
      feedback.filter((each) => each.format !== "*" && namesPayloads(each)),
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
    find: eachRtpSection((section) => [
      ...unreadable(section, "rtcp-fb"),
      ...where(
        section.feedback,
        (feedback) => !namesPayloads(feedback) || !STARTS_WITH_TOKEN.test(feedback.type),
      ),
    ]),
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
