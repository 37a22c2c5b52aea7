import {
  at,
  carriesMedia,
  eachPair,
  NO_HITS,
  type PairRule,
  type SectionPair,
  where,
} from "../rule.ts";
import type { Section } from "../section.ts";
import { feedbackKindOf, listedFeedback } from "./feedback.ts";
import { receives, sends } from "./pair-directions.ts";

/** Feedback that tells a sender how fast it may send. */
const CONGESTION_CONTROLS = ["transport-cc", "goog-remb", "ack ccfb"];

/** What feedback is called; the parameter of `trr-int 100` is a number. */
function kindOf(type: string): string {
  const kind = feedbackKindOf(type);
  return kind.startsWith("trr-int ") ? "trr-int" : kind;
}

/** Congestion control of the formats that a section lists. */
const controlsOf = (section: Section): readonly string[] =>
  CONGESTION_CONTROLS.filter((control) => listedFeedback(section).has(control));

/** Whether media will flow in one direction at least. */
const flows = ({ offered, answered }: SectionPair): boolean =>
  (sends(offered.direction) && receives(answered.direction)) ||
  (sends(answered.direction) && receives(offered.direction));

/** What RTCP an answer takes up (RFC 4585 s4.2, RFC 5506 s5, RFC 8861 s4). */
export const PAIR_FEEDBACK_RULES: readonly PairRule[] = [
  {
    id: "rtcp-rsize-not-offered",
    level: "warning",
    strict: "error",
    source: "RFC 5506 s5, RFC 8834 s4.6",
    requirements: ["R4.6-1"],
    condition: "the answer has rtcp-rsize in a section that was offered without it",
    message:
      "reduced-size RTCP may only be used when the offer asks for it; leave a=rtcp-rsize out of the answer",
    find: eachPair(({ offered, answered }) =>
      carriesMedia(answered) && answered.attributes.has("rtcp-rsize") && !offered.rtcpRsize
        ? [at(answered, "rtcp-rsize")]
        : NO_HITS,
    ),
  },
  {
    id: "rtcp-rgrp-not-offered",
    level: "info",
    strict: "warning",
    source: "RFC 8861 s4",
    requirements: ["R4.1-4"],
    condition: "the answer has rtcp-rgrp in a section that was offered without it",
    message:
      "reporting groups may only be used when the offer asks for them; leave a=rtcp-rgrp out of the answer",
    find: eachPair(({ offered, answered }) =>
      answered.attributes.has("rtcp-rgrp") && !offered.attributes.has("rtcp-rgrp")
        ? [at(answered, "rtcp-rgrp")]
        : NO_HITS,
    ),
  },
  {
    id: "rtcp-fb-not-offered",
    level: "info",
    strict: "warning",
    source: "RFC 4585 s4.2, RFC 8834 s10",
    requirements: ["R10-8"],
    condition: "the answer has a type of RTCP feedback that the section was not offered with",
    message:
      "the offer does not name this type of feedback, so it is not in use; an answer only keeps types of the offer",
    find: eachPair(({ offered, answered }) => {
      // What has been said once is known from then on: many formats repeat the same types.
      const types = new Set(offered.feedback.map(({ type }) => type));
      const added = answered.feedback.filter(({ type }) => !types.has(type));
      if (added.length === 0) return NO_HITS;
      const known = new Set([...types].map(kindOf));
      return where(
        added,
        ({ type }) => {
          const { size } = known;
          return known.add(kindOf(type)).size > size;
        },
        ({ type }) => kindOf(type),
      );
    }),
  },
  {
    id: "congestion-feedback-mismatch",
    level: "warning",
    strict: "warning",
    source: "RFC 8834 s7.3",
    requirements: ["R7.3-4"],
    condition:
      "video will flow, but the sides have none of transport-cc, goog-remb and ack ccfb in common",
    message:
      "the sender of this video is not told how much the network carries; offer and accept transport-cc, goog-remb or ack ccfb for the same codecs",
    find: eachPair((pair) => {
      if (pair.answered.kind !== "video" || !flows(pair)) return NO_HITS;
      const understood = controlsOf(pair.offered);
      const isCommon = controlsOf(pair.answered).some((control) => understood.includes(control));
      return isCommon ? NO_HITS : [{}];
    }),
  },
];
