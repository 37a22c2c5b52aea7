import { listedFormats } from "../inherited.ts";
import { at, carriesMedia, eachPair, type PairRule, type SectionPair, where } from "../rule.ts";
import type { Section } from "../section.ts";
import { receives, sends } from "./pair-directions.ts";

/** Feedback that tells a sender how fast it may send. */
const CONGESTION_CONTROLS = ["transport-cc", "goog-remb", "ack ccfb"];

/** `nack pli` of `nack pli`, `ccm tmmbr` of `ccm tmmbr smaxpr=120`, `trr-int` of `trr-int 100`. */
function kindOf({ type }: { readonly type: string }): string {
  const name = type.indexOf(" ");
  const end = name < 0 ? -1 : type.indexOf(" ", name + 1);
  const kind = (end < 0 ? type : type.slice(0, end)).toLowerCase();
  return kind.startsWith("trr-int ") ? "trr-int" : kind;
}

/** Congestion control of the formats that a section lists. */
function controlsOf(section: Section): readonly string[] {
  const listed = listedFormats(section);
  const kinds = new Set<string>();
  for (const feedback of section.feedback) {
    if (feedback.format === "*" || listed.has(feedback.format)) kinds.add(kindOf(feedback));
  }
  return CONGESTION_CONTROLS.filter((control) => kinds.has(control));
}

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
        : [],
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
        : [],
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
      const known = new Set(offered.feedback.map(kindOf));
      return where(
        answered.feedback,
        (feedback) => {
          const kind = kindOf(feedback);
          if (known.has(kind)) return false;
          known.add(kind);
          return true;
        },
        kindOf,
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
      if (pair.answered.kind !== "video" || !flows(pair)) return [];
      const understood = controlsOf(pair.offered);
      return controlsOf(pair.answered).some((control) => understood.includes(control)) ? [] : [{}];
    }),
  },
];
