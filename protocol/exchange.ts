import {
  type Assessment,
  assess,
  forwardable,
  readable,
  readablePair,
  recentOffers,
  told,
} from "./assess.ts";
import { withCarried } from "./carried-candidates.ts";
import { agreeFlows } from "./flows/agree.ts";
import type { AgreedPair } from "./flows/agreed-pair.ts";
import { candidateCounts } from "./flows/candidate-counts.ts";
import { labelsFor } from "./flows/labels.ts";
import type { FlowContext } from "./flows/link-flows.ts";
import { proposeFlows } from "./flows/propose.ts";
import { withdrawFlows } from "./flows/withdraw.ts";
import { roomFor, tooManyFlows, tooMuchSdp } from "./holdings.ts";
import { LIMITS } from "./limits.ts";
import type { FromPeer } from "./messages.ts";
import {
  closeOpen,
  flowContext,
  forwarded,
  type Move,
  move,
  openExchange,
  refusal,
  toReceiver,
} from "./move.ts";
import type { Problem } from "./problem.ts";
import { recallEffects } from "./recall.ts";
import { withFindings } from "./recorded-findings.ts";
import type { SdpFinding } from "./sdp/finding.ts";
import { afterAgreement } from "./sdp/history.ts";
import {
  type AgreedExchange,
  type Link,
  type OpenExchange,
  type Peer,
  type Session,
  type Step,
  type StoredDescription,
  type Trickle,
  trickleOf,
  withLink,
  withTrickle,
} from "./session.ts";
import { ofGeneration } from "./trickle.ts";
import { answerMessage, offerMessage } from "./views.ts";
import { isCounterOffer, receiverRefusal } from "./whip/counter-offer.ts";

type Message<T extends FromPeer["type"]> = Extract<FromPeer, { type: T }>;

/** An offer opens an exchange, replaces the sender's own open one, or meets glare (N1, N3). */
export function offer(
  session: Session,
  sender: Peer,
  message: Message<"offer">,
  at: number,
): Step | Problem {
  const made = move(session, sender, message.to, at);
  if ("code" in made) return made;
  const { link } = made;
  const received: StoredDescription = { sdp: message.sdp };
  const stored = forwardable(made, received);
  // A repeated offer is the same offer: the client lost the ack, not the exchange.
  if (link.open?.offerer === sender.id && link.open.offer.sdp === stored.sdp) {
    return { session, effects: [], ack: { exchange: link.open.exchange } };
  }
  const refused =
    receiverRefusal(made) ?? (isCounterOffer(made) ? undefined : refusal(link, sender, "offer"));
  if (refused) return refused;
  const tooMuch = tooMuchSdp(made, stored);
  if (tooMuch) return tooMuch;
  const assessed = assess(made, received);
  if (assessed.refused) return turnedDown(made, assessed, assessed.refused);
  const tooMany = assessed.description && tooManyFlows(made, assessed.description);
  if (tooMany) return tooMany;
  const base = link.open ? closeOpen(made, "superseded") : made;
  const exchange = link.exchange + 1;
  const { description } = assessed;
  const media = description && labelsFor(description, message.media);
  const context = remembering(flowContext(base.session, base.link, at, exchange), session);
  const open: OpenExchange = {
    exchange,
    offerer: sender.id,
    offer: stored,
    ...(message.restart === undefined ? {} : { restart: message.restart }),
    ...(media === undefined ? {} : { media }),
    expiresAt: at + LIMITS.offerExpiryMs,
  };
  const noted = withFindings(base.link, assessed.findings, { from: sender.id, at, exchange });
  const next: Link = {
    ...noted,
    exchange,
    open,
    offeredAt: [...recentOffers(link, at), at],
    flows: description
      ? proposeFlows(
          context,
          noted.flows,
          description,
          sender.id,
          readablePair(link.inForce),
          media,
        )
      : noted.flows,
  };
  return {
    session: withLink(base.session, next),
    effects: [
      toReceiver(made, offerMessage(open)),
      ...recallEffects(made, description, "offer", exchange),
    ],
    ack: { exchange, ...toldInAck(assessed) },
  };
}

/** New flows push out old ones, as many as the session has no room for. */
const remembering = (context: FlowContext, session: Session): FlowContext => ({
  ...context,
  room: roomFor(session),
});

/** Findings that do not refuse are news for the sender all the same. */
function toldInAck({ findings }: Assessment): { findings?: SdpFinding[] } {
  const worth = told(findings);
  return worth.length > 0 ? { findings: worth } : {};
}

/** A refused description goes nowhere and changes nothing; what was found in it is kept for whoever asks why. */
function turnedDown({ session, link, sender, at }: Move, assessed: Assessment, why: Problem): Step {
  const noted = withFindings(link, told(assessed.findings), { from: sender.id, at, refused: true });
  return {
    session: noted === link ? session : withLink(session, noted),
    effects: [],
    problem: why,
  };
}

/** An HTTP client does not wait for a better answer: for it the offer is rejected. */
function refusedAnswer(made: Move, assessed: Assessment, why: Problem): Step {
  const refused = turnedDown(made, assessed, why);
  const { receiver, link } = made;
  if (!receiver.http) return refused;
  const closed = closeOpen(
    { ...made, session: refused.session, link: linkIn(refused, link) },
    "rejected",
  );
  const reason = `the other side's answer was refused: ${why.detail}`;
  const rejected = {
    type: "reject",
    from: made.sender.id,
    exchange: link.exchange,
    reason,
  } as const;
  return { ...refused, session: closed.session, effects: [toReceiver(made, rejected)] };
}

const linkIn = ({ session }: Step, { id }: Link): Link => session.links.get(id) as Link;

/** An answer closes the open exchange and puts the pair in force; flows follow from it (F1, F3). */
export function answer(
  session: Session,
  sender: Peer,
  message: Message<"answer">,
  at: number,
): Step | Problem {
  const made = move(session, sender, message.to, at);
  if ("code" in made) return made;
  const { link } = made;
  const received: StoredDescription = { sdp: message.sdp };
  const stored = forwardable(made, received);
  if (isRepeatedAnswer(link, sender, message.exchange, stored))
    return { session, effects: [], ack: {} };
  const open = openExchange(link, sender, message);
  if ("code" in open) return open;
  const tooMuch = tooMuchSdp(made, stored, open);
  if (tooMuch) return tooMuch;
  const assessed = assess(made, received, open);
  if (assessed.refused) return refusedAnswer(made, assessed, assessed.refused);
  const { exchange, offerer, offer: offered } = open;
  const inForce = { exchange, offerer, offer: offered, answer: stored };
  const held = trickleOf(session, link.id).filter((entry) => entry.exchange === exchange);
  const settled = held.map((entry) => settle(entry, inForce));
  const trickle = withCarried(link, inForce, settled, trickleOf(session, link.id));
  const next: Link = {
    ...withFindings(link, assessed.findings, { from: sender.id, at, exchange }),
    open: null,
    inForce,
    flows: agreed(made, inForce, trickle, {
      ...(open.media ? { [offerer]: open.media } : {}),
      ...(message.media ? { [sender.id]: message.media } : {}),
    }),
    said: saidAfter(link, inForce),
  };
  const waiting = settled.find((entry) => entry.from === sender.id);
  return {
    session: withTrickle(withLink(session, next), link.id, trickle),
    effects: [
      toReceiver(made, answerMessage(sender.id, inForce)),
      ...(waiting && (waiting.candidates.length > 0 || waiting.complete)
        ? [forwarded(made, waiting, waiting.candidates)]
        : []),
      ...recallEffects(made, assessed.description, "answer", exchange),
    ],
    ack: toldInAck(assessed),
  };
}

/** What both ends have said, now that this pair is in force. */
function saidAfter({ peers, said, inForce: before }: Link, now: AgreedExchange): Link["said"] {
  const by = (pair: AgreedExchange, peer: string): StoredDescription =>
    pair.offerer === peer ? pair.offer : pair.answer;
  const end = (index: 0 | 1) => {
    const description = readable(by(now, peers[index]));
    const known = before ? readable(by(before, peers[index])) : undefined;
    return description ? afterAgreement(said[index], description, known) : said[index];
  };
  return [end(0), end(1)];
}

const isRepeatedAnswer = (
  { inForce }: Link,
  sender: Peer,
  exchange: number,
  { sdp }: StoredDescription,
): boolean =>
  inForce?.exchange === exchange && inForce.offerer !== sender.id && inForce.answer.sdp === sdp;

/** Candidates that waited for the answer are sorted by generation now that it is known (N5). */
function settle(entry: Trickle, pair: NonNullable<Link["inForce"]>): Trickle {
  const own = entry.from === pair.offerer ? pair.offer : pair.answer;
  const { current, dropped } = ofGeneration(entry.candidates, readable(own));
  return dropped === 0
    ? entry
    : { ...entry, candidates: current, dropped: entry.dropped + dropped };
}

function agreed(
  made: Move,
  inForce: AgreedExchange,
  trickle: readonly Trickle[],
  labels: NonNullable<AgreedPair["labels"]>,
) {
  const { link, session, at } = made;
  const context = remembering(flowContext(session, link, at, inForce.exchange), session);
  const pair = readablePair(inForce);
  // Nothing can be read from it: what it may have accepted is not known.
  if (!pair) return withdrawFlows(context, link.flows, "not-accepted");
  return agreeFlows(
    context,
    link.flows,
    { ...pair, labels },
    candidateCounts(link.peers, pair, trickle),
    readablePair(link.inForce),
  );
}
