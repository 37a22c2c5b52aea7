import { agreeFlows } from "../protocol/flows/agree.ts";
import { candidateCounts } from "../protocol/flows/candidate-counts.ts";
import { NO_FLOWS } from "../protocol/flows/link-flows.ts";
import { proposeFlows } from "../protocol/flows/propose.ts";
import { checkDescription, checkHistory, checkPair, checkPolicy } from "../protocol/sdp/check.ts";
import { type Description, readDescription } from "../protocol/sdp/description.ts";
import { isFinding } from "../protocol/sdp/finding.ts";
import {
  afterAgreement,
  type HistorySubject,
  marksOf,
  NO_MARKS,
  NO_PAST,
  NOTHING_SAID,
} from "../protocol/sdp/history.ts";
import type { DescriptionRole } from "../protocol/sdp/rule.ts";
import type { Exchange } from "./sdp-descriptions.ts";

/** What the server does with an offer and its answer, part by part, as `assess` and the flows do it. */

const ALICE = { id: "alice", isServer: false };
const BOB = { id: "bob", isServer: false };
const CONTEXT = {
  link: "alice~bob",
  peers: ["alice", "bob"],
  at: 1_700_000_000_000,
  revision: 1,
  exchange: 1,
} as const;

/** Both descriptions as they were read. */
export interface Readings {
  readonly offer: Description;
  readonly answer: Description;
}

function read(sdp: string): Description {
  const description = readDescription(sdp);
  if (isFinding(description)) throw new Error(description.message);
  return description;
}

export const readBoth = ({ offer, answer }: Exchange): Readings => ({
  offer: read(offer),
  answer: read(answer),
});

/** The rules of each by itself, and of the two together. */
export function applyRules({ offer, answer }: Readings): void {
  checkDescription(offer, "offer");
  checkDescription(answer, "answer");
  checkPair(offer, answer);
  checkPolicy({ description: offer, role: "offer", isRelayOnly: false, hasNoTrickle: false });
  checkPolicy({ description: answer, role: "answer", isRelayOnly: false, hasNoTrickle: false });
}

/** The rules about what was said before: another offer and answer of the same connection are in force. */
export function applyHistory({ offer, answer }: Readings, before: Readings): void {
  const subjectOf = (description: Description, role: DescriptionRole): HistorySubject => {
    const isOffer = role === "offer";
    const [own, other] = isOffer ? [before.offer, before.answer] : [before.answer, before.offer];
    const [sender, receiver] = isOffer ? [ALICE, BOB] : [BOB, ALICE];
    const leg = { peer: receiver.id, to: sender.id, isServer: false, marks: marksOf(other) };
    return {
      description,
      role,
      offer: isOffer ? undefined : offer,
      before: { own, other, ownRole: role },
      past: NO_PAST,
      marks: marksOf(own),
      sender,
      receiver,
      legs: [leg, { ...leg, peer: sender.id, to: receiver.id, marks: NO_MARKS }],
      topology: "mesh",
      offersInMinute: 1,
    };
  };
  checkHistory(subjectOf(offer, "offer"));
  checkHistory(subjectOf(answer, "answer"));
  afterAgreement(NOTHING_SAID, offer, before.offer);
  afterAgreement(NOTHING_SAID, answer, before.answer);
}

/** The flows that the offer proposes and the answer agrees on. */
export function deriveFlows({ offer, answer }: Readings): void {
  const proposed = proposeFlows(CONTEXT, NO_FLOWS, offer, ALICE.id);
  const pair = { offer, answer, offerer: ALICE.id };
  const counts = candidateCounts(CONTEXT.peers, pair, []);
  agreeFlows({ ...CONTEXT, revision: 2 }, proposed, pair, counts);
}
