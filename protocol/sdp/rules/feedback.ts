import { listedFormats } from "../inherited.ts";
import { once } from "../notes.ts";
import { encodingsOf } from "../payload-types.ts";
import { type DescriptionRule, NO_HITS } from "../rule.ts";
import type { Section } from "../section.ts";
import { eachOfKind } from "./rtp-sections.ts";

/**
 * Feedback for any payload type of the m-line: what it is called and its first parameter, `ccm fir`. Most rules here
 * ask for that of the same section.
 */
export const listedFeedback = once((section: Section): ReadonlySet<string> => {
  const listed = listedFormats(section);
  // The same few types come for each format.
  const types = new Set<string>();
  for (const { format, type } of section.feedback) {
    if (format === "*" || listed.has(format)) types.add(type);
  }
  const kinds = new Set<string>();
  for (const type of types) kinds.add(feedbackKindOf(type));
  return kinds;
});

/** `nack pli` of `nack pli`, `ccm tmmbr` of `ccm tmmbr smaxpr=120`: what feedback is called, with its first parameter. */
export function feedbackKindOf(type: string): string {
  const name = type.indexOf(" ");
  const end = name < 0 ? -1 : type.indexOf(" ", name + 1);
  return (end < 0 ? type : type.slice(0, end)).toLowerCase();
}

/** True when a section asks for none of this feedback, for no payload type. */
function lacksFeedback(section: Section, ...wanted: string[]): boolean {
  const known = listedFeedback(section);
  return !wanted.some((type) => known.has(type));
}

const withoutFeedback = (type: string): DescriptionRule["find"] =>
  eachOfKind("video", (section) => (lacksFeedback(section, type) ? [{}] : NO_HITS));

const sends = ({ direction }: Section): boolean =>
  direction === "sendrecv" || direction === "sendonly";

const hasOrientation = ({ extMaps }: Pick<Section, "extMaps">): boolean =>
  extMaps.some(({ uri }) => uri === "urn:3gpp:video-orientation");

/** What a video section needs to repair losses and to adapt to the path (RFC 8834 s5.1, s6, s7). */
export const FEEDBACK_RULES: readonly DescriptionRule[] = [
  {
    id: "feedback-no-pli",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8834 s5.1.2",
    requirements: ["R5.1.2-1"],
    condition: "a video section has no `nack pli` for any payload type",
    message:
      "receivers cannot ask for a new picture, so video may stay frozen after losses; offer nack pli",
    find: withoutFeedback("nack pli"),
  },
  {
    id: "feedback-no-fir",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8834 s5.1.1",
    requirements: ["R5.1.1-1"],
    condition: "a video section has no `ccm fir` for any payload type",
    message: "a conference server cannot ask for a full picture when it switches; offer ccm fir",
    find: withoutFeedback("ccm fir"),
  },
  {
    id: "feedback-no-nack",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8834 s6.1",
    requirements: ["R6.1-1"],
    condition: "a video section has no generic `nack` for any payload type",
    message: "lost packets are never asked for again; offer nack",
    find: withoutFeedback("nack"),
  },
  {
    id: "rtx-not-offered",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8834 s6.1",
    requirements: ["R6.1-4"],
    condition: "a video section lists no rtx format",
    message:
      "lost packets cannot be sent again in a stream of their own; list an rtx format with apt",
    find: eachOfKind("video", (section) => (encodingsOf(section).has("rtx") ? NO_HITS : [{}])),
  },
  {
    id: "feedback-no-tmmbr",
    on: "both",
    level: "off",
    strict: "info",
    source: "RFC 8834 s5.1.6",
    requirements: ["R5.1.6-1"],
    condition: "a video section has no `ccm tmmbr` for any payload type",
    message: "receivers cannot limit the bit rate by RTCP; browsers use transport-cc instead",
    find: withoutFeedback("ccm tmmbr"),
  },
  {
    id: "feedback-no-congestion",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8834 s7",
    requirements: ["R6-1"],
    condition: "a sending video section has none of transport-cc, goog-remb and ack ccfb",
    message:
      "the sender learns nothing of the path and cannot adapt its bit rate; agree on transport-cc",
    find: eachOfKind("video", (section) =>
      sends(section) && lacksFeedback(section, "transport-cc", "goog-remb", "ack ccfb")
        ? [{}]
        : NO_HITS,
    ),
  },
  {
    id: "cvo-not-negotiated",
    on: "offer",
    level: "off",
    strict: "info",
    source: "RFC 7742 s4, RFC 8834 s5.2.5",
    condition: "an offered video section does not list urn:3gpp:video-orientation",
    message:
      "a sender must turn the pictures of a rotated device itself; list the video orientation extension",
    find: (subject) => {
      const { session } = subject.description;
      const inSession = hasOrientation(session);
      return eachOfKind("video", (section) => {
        // Sections without extensions of their own share the list of the session: it is read once.
        const isListed = section.extMaps === session.extMaps ? inSession : hasOrientation(section);
        return isListed ? [] : [{}];
      })(subject);
    },
  },
];
