import { addressee, counterpart } from "./addressing.ts";
import { readable } from "./assess.ts";
import type { Flow } from "./flow.ts";
import type { FlowChange } from "./flow-query.ts";
import { candidateCounts } from "./flows/candidate-counts.ts";
import { changeFlow } from "./flows/change.ts";
import type { FlowContext, LinkFlows } from "./flows/link-flows.ts";
import { recount } from "./flows/recount.ts";
import { reportTransport } from "./flows/report.ts";
import type { FromPeer } from "./messages.ts";
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
  withLink,
} from "./session.ts";

/** What peers tell about running media, and how flows are steered. */

/**
 * A peer reports a transport of its link: state and selected pair (F5).
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
  const flows = reportTransport(context, counted(context, session, link), sender.id, {
    state: message.state,
    ...(message.transport === undefined ? {} : { transport: message.transport }),
    ...(message.pair === undefined ? {} : { pair: message.pair }),
  });
  if ("code" in flows) return flows;
  return {
    session: flows === link.flows ? session : withLink(session, { ...link, flows }),
    effects: [],
    ack: {},
  };
}

/** The link's flows with the candidates that have come so far. */
function counted(context: FlowContext, session: Session, link: Link): LinkFlows {
  const { inForce, flows } = link;
  const offer = readable(inForce?.offer);
  const answer = readable(inForce?.answer);
  if (!inForce || !offer || !answer) return flows;
  const pair = { offer, answer, offerer: inForce.offerer };
  const trickle = trickleOf(session, link.id).filter(
    ({ exchange }) => exchange === inForce.exchange,
  );
  return recount(context, flows, pair, candidateCounts(link.peers, pair, trickle));
}

/** The flow of this id and its link. */
export function findFlow(session: Session, id: string): { link: Link; flow: Flow } | undefined {
  for (const link of session.links.values()) {
    const flow = link.flows.flows.find((candidate) => candidate.id === id);
    if (flow) return { link, flow };
  }
  return undefined;
}

/**
 * Holds, resumes, limits or prioritises a flow.
 *
 * Problem: `flow-not-found`, also for a peer that is no end of it (A2: what it may not read is not there).
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
  );
  if ("code" in flows) return flows;
  const next = flows === link.flows ? session : withLink(session, { ...link, flows });
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
  if (!isConnected(receiver)) {
    return problem("peer-away", "the peer's socket is lost; send again when it is back", {
      to: receiver.id,
    });
  }
  return {
    session,
    effects: [
      {
        type: "send",
        to: receiver.id,
        message: { type: "message", from: sender.id, body: message.body },
      },
    ],
    ack: {},
  };
}

/** The sender of a flow tells what it made of the record. */
export function recordApplied(
  session: Session,
  _sender: Peer,
  _message: Extract<FromPeer, { type: "applied" }>,
  _at: number,
): Step | Problem {
  return { session, effects: [], ack: {} };
}
