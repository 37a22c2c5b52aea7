import type { SdpFinding } from "../finding.ts";
import type { DescriptionRole, HitSection, RuleFacts } from "../rule.ts";

/** A rule whose findings are made outside the engine: it looks at more than a description. */
export interface TrickleRule extends RuleFacts {
  readonly level: SdpFinding["level"];
}

/** Old candidates after a restart: N5 drops them. */
export const CANDIDATE_UFRAG_MISMATCH: TrickleRule = {
  id: "candidate-ufrag-mismatch",
  level: "warning",
  strict: "warning",
  source: "RFC 8838 s11, RFC 8840 s4.2",
  condition: "the ufrag of a trickled candidate is not that of the sender's description",
  message:
    "the candidate belongs to another ICE generation and was dropped: candidates gathered before a restart are of no use after it",
};

/** Said by the problem `unknown-m-section`. */
export const CANDIDATE_MID_UNKNOWN: TrickleRule = {
  id: "candidate-mid-unknown",
  level: "error",
  strict: "error",
  source: "RFC 8840 s4.2",
  condition: "sdpMid or sdpMLineIndex of a trickled candidate names no m-section",
  message: "sdpMid or sdpMLineIndex names no m-section of the description",
};

/** The other side may have stopped listening. */
export const CANDIDATE_AFTER_END: TrickleRule = {
  id: "end-of-candidates-then-candidate",
  level: "info",
  strict: "warning",
  source: "RFC 8838 s14",
  condition: "a new candidate after the sender has said that there are no more",
  message:
    "the end of candidates had been said before; the other side may ignore what comes after it",
};

/** Rules about the coming of candidates. */
export const TRICKLE_RULES: readonly TrickleRule[] = [
  CANDIDATE_UFRAG_MISMATCH,
  CANDIDATE_MID_UNKNOWN,
  CANDIDATE_AFTER_END,
];

/** The finding of such a rule. */
export function findingOf(
  { id, level, message, source }: TrickleRule,
  description: DescriptionRole,
  section?: HitSection,
): SdpFinding {
  return {
    rule: id,
    level,
    description,
    ...(section === undefined ? {} : { mLine: section.index }),
    ...(section?.mid === undefined ? {} : { mid: section.mid }),
    message,
    source,
  };
}
