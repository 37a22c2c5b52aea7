import { counterpart, linkBetween } from "./addressing.ts";
import type { FlowContext } from "./flows/link-flows.ts";
import { withdrawFlows } from "./flows/withdraw.ts";
import {
  type NegotiationEvent,
  type NegotiationProblem,
  type Side,
  TRANSITIONS,
  type Transition,
} from "./negotiation.ts";
import { type Problem, problem } from "./problem.ts";
import {
  type Effect,
  isConnected,
  type Link,
  type OpenExchange,
  type Peer,
  revisionOf,
  type Session,
  type Trickle,
  trickleOf,
  withLink,
  withTrickle,
} from "./session.ts";
import { candidatesMessage } from "./views.ts";

/** What an exchange message is about: both ends, their link, and the row of the table that applies. */
export interface Move {
  readonly session: Session;
  readonly sender: Peer;
  readonly receiver: Peer;
  readonly link: Link;
  readonly at: number;
}

export const toReceiver = (
  { receiver }: Move,
  message: Extract<Effect, { type: "send" }>["message"],
) => ({ type: "send", to: receiver.id, message }) as const;

/** What the flows of a link need to know of the event that changes them. */
export function flowContext(
  session: Session,
  link: Link,
  at: number,
  exchange = link.exchange,
): FlowContext {
  const mediaServer = link.peers.find((id) => session.peers.get(id)?.role === "media-server");
  return {
    link: link.id,
    peers: link.peers,
    at,
    revision: revisionOf(session) + 1,
    exchange,
    ...(link.peers.every((id) => isConnected(session.peers.get(id))) ? {} : { isStale: true }),
    ...(mediaServer === undefined ? {} : { mediaServer }),
    ...topologyOf(session, link),
  };
}

/** What a media server makes of its flows, only it can say. */
function topologyOf(session: Session, { peers }: Link): Pick<FlowContext, "topology"> {
  const ends = peers.flatMap((id) => session.peers.get(id) ?? []);
  if (ends.some(({ gateway }) => gateway)) return { topology: "gateway" };
  const hasServer = ends.some(({ role }) => role === "media-server");
  return hasServer ? {} : { topology: "point-to-point" };
}

export function move(
  session: Session,
  sender: Peer,
  to: string | undefined,
  at: number,
): Move | Problem {
  const receiver = counterpart(session, sender, to);
  if ("code" in receiver) return receiver;
  return { session, sender, receiver, link: linkBetween(session, sender.id, receiver.id), at };
}

/** The row of the table for this event and sender (N2). */
function transitionFor(link: Link, sender: Peer, event: NegotiationEvent): Transition {
  const newest = link.open ?? link.inForce;
  const side: Side = newest?.offerer === sender.id ? "offerer" : "answerer";
  return TRANSITIONS[link.open ? "offered" : "stable"][event][side];
}

const REFUSALS: Record<NegotiationProblem, string> = {
  glare: "the other side's offer was first; roll back and answer it (exchange tells its number)",
  "not-the-answerer": "the offerer cannot do this to its own offer",
  "not-the-offerer": "only the offerer can roll its offer back; the answerer rejects",
  "nothing-offered": "the exchange is closed: no offer waits for an answer",
};

/** Number of the open exchange, else of the one in force; null before the first and after a failed first. */
const currentNumber = (link: Link): number | null => (link.open ?? link.inForce)?.exchange ?? null;

/** Why the table refuses this event of this sender, if it does. */
export function refusal(link: Link, sender: Peer, event: NegotiationEvent): Problem | undefined {
  const row = transitionFor(link, sender, event);
  if (!("problem" in row)) return undefined;
  return problem(row.problem, REFUSALS[row.problem], { exchange: currentNumber(link) });
}

/** N1: the exchange is not, or no longer, the current one. */
export const staleNegotiation = (link: Link): Problem =>
  problem("stale-negotiation", "this exchange is not the current one", {
    exchange: currentNumber(link),
  });

/** The open exchange that an answer, rejection or rollback is for, or why it cannot be (N1, N2). */
export function openExchange(
  link: Link,
  sender: Peer,
  { type, exchange }: { type: "answer" | "reject" | "rollback"; exchange: number },
): OpenExchange | Problem {
  if (exchange !== currentNumber(link)) return staleNegotiation(link);
  // The rows of `stable` refuse all three events: past this line an exchange is open.
  return refusal(link, sender, type) ?? (link.open as OpenExchange);
}

/** Drops the open offer: the link is what it was before it, its candidates are forgotten (N4). */
export function closeOpen<M extends Pick<Move, "session" | "link" | "at">>(
  made: M,
  reason: "rejected" | "rolled-back" | "expired" | "superseded",
): M {
  const { link, session, at } = made;
  const next: Link = {
    ...link,
    open: null,
    flows: withdrawFlows(flowContext(session, link, at), link.flows, reason),
  };
  const kept = trickleOf(session, link.id).filter(
    ({ exchange }) => exchange !== link.open?.exchange,
  );
  return { ...made, link: next, session: withTrickle(withLink(session, next), link.id, kept) };
}

/** Candidates on their way to the other side. */
export const forwarded = (made: Move, entry: Trickle, fresh: Trickle["candidates"]): Effect =>
  toReceiver(made, candidatesMessage(entry, fresh));
