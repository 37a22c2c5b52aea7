import type { Flow } from "./flow.ts";
import { agreeFlows } from "./flows/agree.ts";
import { candidateCounts } from "./flows/candidate-counts.ts";
import { type FlowContext, NO_FLOWS } from "./flows/link-flows.ts";
import { proposeFlows } from "./flows/propose.ts";
import { checkDescription, checkPair } from "./sdp/check.ts";
import { type Description, readDescription } from "./sdp/description.ts";
import { isFinding, type SdpFinding } from "./sdp/finding.ts";
import type { DescriptionRole } from "./sdp/rule.ts";

/** Descriptions to check without a session. */
export interface SdpTexts {
  readonly offer: string;
  readonly answer?: string | undefined;
  /** The strict profile, for conformance testing: more rules, at higher levels. */
  readonly strict?: boolean | undefined;
}

/** What a check gives. */
export interface SdpCheck {
  /** Of the offer, of the answer, of the two together; errors first in each. */
  readonly findings: readonly SdpFinding[];
  /** What would flow between `offerer` and `answerer`: proposed without an answer, negotiated with one. */
  readonly flows: readonly Flow[];
}

const OFFERER = "offerer";
const ANSWERER = "answerer";

/**
 * Checks an offer, and an answer to it if there is one, as a session would, and derives the media flows that
 * they set up. A description that cannot be used has findings and no flows.
 *
 * `at` is the time of the flows, milliseconds since 1970.
 */
export function checkSdp({ offer, answer, strict = false }: SdpTexts, at: number): SdpCheck {
  const offered = checked(offer, "offer", strict);
  if (answer === undefined) {
    const flows = usable(offered.description, (read) => proposed(read, at));
    return { findings: offered.findings, flows };
  }
  const answered = checked(answer, "answer", strict);
  const pair =
    offered.description && answered.description
      ? checkPair(offered.description, answered.description, { strict })
      : [];
  return {
    findings: [...offered.findings, ...answered.findings, ...pair],
    flows: usable(offered.description, (read) =>
      usable(answered.description, (reply) => agreed(read, reply, at)),
    ),
  };
}

interface Checked {
  /** Absent when the text is over the limits of D4. */
  readonly description?: Description;
  readonly findings: readonly SdpFinding[];
}

function checked(sdp: string, role: DescriptionRole, strict: boolean): Checked {
  const read = readDescription(sdp);
  if (isFinding(read)) return { findings: [{ ...read, description: role }] };
  return { description: read, findings: checkDescription(read, role, { strict }) };
}

function usable(
  description: Description | undefined,
  derive: (description: Description) => readonly Flow[],
): readonly Flow[] {
  return description?.isUsable ? derive(description) : [];
}

/** The first exchange of a link between the two. */
const contextAt = (at: number): FlowContext => ({
  link: `${ANSWERER}~${OFFERER}`,
  peers: [ANSWERER, OFFERER],
  at,
  revision: 1,
  exchange: 1,
});

const proposed = (offer: Description, at: number): readonly Flow[] =>
  proposeFlows(contextAt(at), NO_FLOWS, offer, OFFERER).flows;

function agreed(offer: Description, answer: Description, at: number): readonly Flow[] {
  const context = contextAt(at);
  const pair = { offer, answer, offerer: OFFERER };
  const counts = candidateCounts(context.peers, pair, []);
  return agreeFlows(context, NO_FLOWS, pair, counts).flows;
}
