import { addressee, counterpart } from "./addressing.ts";
import { readablePair } from "./assess.ts";
import type { Flow } from "./flow.ts";
import type { FlowChange } from "./flow-query.ts";
import type { AgreedPair } from "./flows/agreed-pair.ts";
import { applyFlow } from "./flows/applied.ts";
import { type Candidates, candidateCounts } from "./flows/candidate-counts.ts";
import { changeFlow } from "./flows/change.ts";
import { isLive } from "./flows/commit.ts";
import { recount } from "./flows/recount.ts";
import { reportTransport } from "./flows/report.ts";
import { APPLICATION } from "./flows/requests.ts";
import { reviveFlows } from "./flows/revive.ts";
import type { FromPeer, ToPeer } from "./messages.ts";
import { flowContext } from "./move.ts";
import { type Problem, problem } from "./problem.ts";
import {
  isConnected,
  type Link,
  linkIdOf,
  type Peer,
  revisionOf,
  type Session,
  type Step,
  trickleOf,
  withFlows,
} from "./session.ts";
import { toldReason } from "./told-reason.ts";

/** What peers tell about running media, and how flows are steered. */

/**
 * A peer reports a transport of its link: state, selected pairs, DTLS (F5).
 *
 * Problems: `nothing-offered` when the link has no transports; `invalid-message` for an unknown transport.
 */
export function reportOnTransport(
  session: Session,
  sender: Peer,
  message: Extract<FromPeer, { type: "transport" }>,
  at: number,
): Step | Problem {
  const receiver = counterpart(session, sender, message.to);
  if ("code" in receiver) return receiver;
  const link = session.links.get(linkIdOf(sender.id, receiver.id));
  if (!link?.inForce) return problem("nothing-offered", "no exchange is in force on this link");
  const context = flowContext(session, link, at, link.inForce.exchange);
  const agreed = countedPair(session, link);
  const counted = agreed ? recount(context, link.flows, agreed.pair, agreed.counts) : link.flows;
  const { type: _type, id: _id, to: _to, ...said } = message;
  const report = { ...said, reason: toldReason(said.reason) };
  const reported = reportTransport(context, counted, sender.id, report);
  if ("code" in reported) return reported;
  const flows = agreed ? reviveFlows(context, reported, agreed.pair, agreed.counts) : reported;
  return {
    session: withFlows(session, link, flows),
    effects: [],
    ack: {},
  };
}

/** The pair in force, with the candidates that have come so far. */
function countedPair(
  session: Session,
  { id, peers, inForce }: Link,
): { readonly pair: AgreedPair; readonly counts: Candidates } | undefined {
  const pair = readablePair(inForce);
  if (!pair) return undefined;
  const trickle = trickleOf(session, id).filter(({ exchange }) => exchange === inForce?.exchange);
  return { pair, counts: candidateCounts(peers, pair, trickle) };
}

/** The flow of this id and its link. */
export function findFlow(session: Session, id: string): { link: Link; flow: Flow } | undefined {
  for (const link of session.links.values()) {
    const isHere = id.startsWith(`${link.id}:`);
    const flow = isHere ? link.flows.flows.find((candidate) => candidate.id === id) : undefined;
    if (flow) return { link, flow };
  }
  return undefined;
}

/**
 * Holds, resumes, limits or prioritises a flow, on behalf of a peer, or of the application when there is none.
 *
 * Problems: `flow-not-found`, also for a peer that is no end of it (A2: what it may not read is not there),
 * and those of `changeFlow`.
 */
export function steerFlow(
  session: Session,
  id: string,
  change: FlowChange,
  at: number,
  peer?: string,
): Step | Problem {
  const found = findFlow(session, id);
  const foreign = peer !== undefined && found?.flow.from !== peer && found?.flow.to !== peer;
  if (!found || foreign) return problem("flow-not-found", "no such flow is in this session");
  const { link } = found;
  const flows = changeFlow(
    flowContext(session, link, at, found.flow.exchange),
    link.flows,
    id,
    change,
    peer ?? APPLICATION,
  );
  if ("code" in flows) return flows;
  const next = withFlows(session, link, flows);
  return { session: next, effects: [], ack: { revision: revisionOf(next) } };
}

/**
 * Application data for one peer. Not kept: when the peer's socket is lost the sender learns it.
 *
 * Problems: `peer-away` and those of addressing.
 */
export function relayMessage(
  session: Session,
  sender: Peer,
  message: Extract<FromPeer, { type: "message" }>,
): Step | Problem {
  const receiver = addressee(session, sender, message.to);
  if ("code" in receiver) return receiver;
  if (receiver.http) {
    return problem("not-permitted", "an HTTP client takes no messages", { to: receiver.id });
  }
  if (!isConnected(receiver)) {
    return problem("peer-away", "the peer's socket is lost; send again when it is back", {
      to: receiver.id,
    });
  }
  const { body, key } = message;
  const told: ToPeer = { type: "message", from: sender.id, body };
  return {
    session,
    effects: [
      { type: "send", to: receiver.id, message: key === undefined ? told : { ...told, key } },
    ],
    ack: {},
  };
}

/**
 * The live flow of this id and its link, if the peer sends it: what only its sender can tell.
 *
 * Problems: `flow-not-found`, also for a flow of others; `not-permitted` for its receiver; `flow-ended`.
 */
export function sentFlow(
  session: Session,
  sender: Peer,
  id: string,
): { readonly link: Link; readonly flow: Flow } | Problem {
  const found = findFlow(session, id);
  const { from, to } = found?.flow ?? {};
  if (!found || (from !== sender.id && to !== sender.id)) {
    return problem("flow-not-found", "no such flow is in this session");
  }
  if (from !== sender.id) {
    return problem("not-permitted", "only the sender of a flow can tell this");
  }
  return isLive(found.flow) ? found : problem("flow-ended", "the flow is over");
}

/**
 * The sender of a flow tells what it made of the record (F7).
 *
 * Problems: those of `sentFlow`; `invalid-message` for a revision that the record never had.
 */
export function recordApplied(
  session: Session,
  sender: Peer,
  message: Extract<FromPeer, { type: "applied" }>,
  at: number,
): Step | Problem {
  const found = sentFlow(session, sender, message.flow);
  if ("code" in found) return found;
  const { link, flow } = found;
  if (message.revision < 0 || message.revision > flow.revision) {
    return problem("invalid-message", "`revision` is none that the record of the flow has had", {
      revision: flow.revision,
    });
  }
  const { type: _type, id: _id, flow: _flow, ...applied } = message;
  const context = flowContext(session, link, at, flow.exchange);
  const flows = applyFlow(context, link.flows, flow, applied);
  return {
    session: withFlows(session, link, flows),
    effects: [],
    ack: {},
  };
}
