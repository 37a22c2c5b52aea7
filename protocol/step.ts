import type { Allowances } from "./allowance.ts";
import { withAdvice, withWordsOnReturn } from "./assistance/advice.ts";
import { type AssistanceNews, assist } from "./assistance/told.ts";
import { candidates } from "./candidates.ts";
import { underCeilings } from "./ceilings.ts";
import { withContextNews } from "./context-news.ts";
import { recordContextResult } from "./context-results.ts";
import { withContextSources } from "./context-sources.ts";
import { drain } from "./drain.ts";
import { answer, offer } from "./exchange.ts";
import { withFlowEvents } from "./flow-events.ts";
import type { FlowChange } from "./flow-query.ts";
import { heldUntilWhole } from "./held-descriptions.ts";
import { kick } from "./kick.ts";
import type { FromPeer } from "./messages.ts";
import { overdueFlows } from "./overdue-flows.ts";
import {
  type Arrival,
  end,
  expirePeers,
  join,
  leave,
  lose,
  stay,
  withEndedFlows,
} from "./presence.ts";
import { isProblem, type Problem, type ProblemCode, problem } from "./problem.ts";
import { reportQuality } from "./quality.ts";
import { cnameRecalled } from "./recall.ts";
import { withRelayFindings } from "./relay-findings.ts";
import { withRelaySessions } from "./relay-sessions.ts";
import { type Peer, type Session, type Step, trickleOf } from "./session.ts";
import { notSimulated } from "./simulated-fault.ts";
import { withSourceFindings } from "./source-findings.ts";
import { declareSources, dropEndedSources } from "./source-flows.ts";
import { recordApplied, relayMessage, reportOnTransport, steerFlow } from "./steering.ts";
import { recorded } from "./timeline/record.ts";
import { liveLinksOf, viewLink } from "./views.ts";
import { type HttpArrival, openHttpSession } from "./whip/open.ts";
import {
  expireHttpSessions,
  type HttpRestart,
  restartOverHttp,
  settledOverHttp,
} from "./whip/settle.ts";

import { expireOffers, reject, rollback } from "./withdrawn-offers.ts";

/** What can happen to a session. Time comes in with the event, in milliseconds since 1970. */
export type SessionEvent =
  | ({ readonly type: "join" } & Arrival)
  | {
      readonly type: "message";
      readonly peer: string;
      readonly message: FromPeer;
      readonly at: number;
    }
  /** The peer's newest socket closed without `leave`. */
  | {
      readonly type: "lost";
      readonly peer: string;
      /** What its next socket may spend; absent when all of it. */
      readonly allowances?: Allowances;
      /** Of the problem that it was closed for; absent where it was not. */
      readonly code?: ProblemCode;
      readonly at: number;
    }
  | { readonly type: "kick"; readonly peer: string; readonly at: number }
  | { readonly type: "end"; readonly at: number }
  /** A CNAME of a description was announced in another session. */
  | {
      readonly type: "cname-recalled";
      readonly peer: string;
      readonly link: string;
      readonly role: "offer" | "answer";
      readonly exchange: number;
      readonly at: number;
    }
  /** A WHIP publisher or WHEP player comes, with its offer. */
  | ({ readonly type: "open-http" } & HttpArrival)
  /** It restarts ICE: its offer with other credentials. */
  | ({ readonly type: "restart-http" } & HttpRestart)
  /** An endpoint of SWAP is still there: it stays until then. */
  | { readonly type: "stay"; readonly peer: string; readonly until: number; readonly at: number }
  /** What a mobile network does for one end of a link is another than before. */
  | ({ readonly type: "assistance" } & AssistanceNews)
  /** Something may be due. */
  | { readonly type: "alarm"; readonly at: number }
  | {
      readonly type: "change-flow";
      readonly flow: string;
      readonly change: FlowChange;
      /** The peer that asks; absent for the application's back end. */
      readonly peer?: string;
      readonly at: number;
    };

/**
 * The whole server as one pure function: what the session becomes, and what is to be done about it.
 * A refused event leaves the session as it was: the caller keeps the one it had.
 *
 * Effects are performed in order, after the new session is durable.
 */
export function step(session: Session, event: SessionEvent): Step | Problem {
  const dispatched = dispatch(session, event);
  return isProblem(dispatched)
    ? dispatched
    : recorded(session, event, followed(session, dispatched, event.at));
}

/** The step with all that follows from it. */
function followed(session: Session, dispatched: Step, at: number): Step {
  const result = settledOverHttp(session, heldUntilWhole(session, dispatched, at), at);
  // What peers tell each other, candidates included, leaves every link as it is: nothing follows from it.
  if (result.session.links === session.links) return withContextNews(session, result);
  const flows = { ...result, session: settledFlows(session, result.session, at) };
  const settled = withRelayFindings(session, withSourceFindings(session, flows, at), at);
  const told = { ...settled, effects: withFlowEvents(session, settled) };
  return withContextNews(session, withAdvice(session, told));
}

/** What follows for flows of other links from what the event did to those of one. */
function settledFlows(before: Session, after: Session, at: number): Session {
  const areAsBefore = [...after.links.values()].every(
    (link) => link.flows === before.links.get(link.id)?.flows,
  );
  if (areAsBefore) return after;
  const sourced = dropEndedSources(before, withContextSources(before, after, at), at);
  return underCeilings(before, withRelaySessions(before, sourced, at), at);
}

function dispatch(session: Session, event: SessionEvent): Step | Problem {
  switch (event.type) {
    case "join":
      return joined(session, event);
    case "message":
      return receive(session, event.peer, event.message, event.at);
    case "lost":
      return lose(session, event.peer, event.at, event.allowances);
    case "kick":
      return kick(session, event.peer, event.at);
    case "open-http":
      return openHttpSession(session, event);
    case "restart-http":
      return restartOverHttp(session, event);
    case "stay":
      return stay(session, event.peer, event.until);
    case "end":
      return endWithFlows(session, event.at);
    case "alarm":
      return due(session, event.at);
    case "assistance":
      return assist(session, event);
    case "cname-recalled":
      return cnameRecalled(session, event);
    case "change-flow":
      return steerFlow(session, event.flow, event.change, event.at, event.peer);
  }
}

function joined(session: Session, arrival: Arrival): Step | Problem {
  const step = join(session, arrival);
  return isProblem(step) ? step : withWordsOnReturn(step, arrival.grant.peer);
}

/** Whoever follows flows learns how each ended and how long it ran; the frames that close come after. */
function endWithFlows(session: Session, at: number): Step {
  const told = withFlowEvents(session, { session: withEndedFlows(session, at), effects: [] });
  const ended = end(session);
  return { ...ended, effects: [...told, ...ended.effects] };
}

function due(session: Session, at: number): Step {
  const { emptySince, config } = session;
  if (emptySince !== null && emptySince + config.emptyTtlSeconds * 1000 <= at) return end(session);
  const peers = expirePeers(session, at);
  const http = expireHttpSessions(peers.session, at);
  const offers = expireOffers(http.session, at);
  return {
    session: overdueFlows(offers.session, at),
    effects: [...peers.effects, ...http.effects, ...offers.effects],
  };
}

function receive(session: Session, id: string, message: FromPeer, at: number): Step | Problem {
  const sender = session.peers.get(id);
  if (!sender) return problem("unknown-peer", "the sender has left the session");
  // A sign of life is the shell's business: it knows sockets. Nothing of the session changes.
  if (message.type === "alive") return { session, effects: [] };
  if (message.type === "state") return answerState(session, sender, message.to);
  if (message.type === "leave") return { ...leave(session, id, "left", at), ack: {} };
  // Where faults may be simulated, the shell has taken it.
  if (message.type === "simulate") return notSimulated();
  if (sender.role === "observer") {
    return problem("not-permitted", "an observer sends nothing");
  }
  return obey(session, sender, message, at);
}

type Obeyed = Exclude<FromPeer, { type: "alive" | "state" | "leave" | "simulate" }>;

function obey(session: Session, sender: Peer, message: Obeyed, at: number): Step | Problem {
  switch (message.type) {
    case "offer":
      return offer(session, sender, message, at);
    case "answer":
      return answer(session, sender, message, at);
    case "candidates":
      return candidates(session, sender, message, at);
    case "reject":
      return reject(session, sender, message, at);
    case "rollback":
      return rollback(session, sender, message, at);
    case "transport":
      return reportOnTransport(session, sender, message, at);
    case "quality":
      return reportQuality(session, sender, message, at);
    case "context-result":
      return recordContextResult(session, sender, message, at);
    case "drain":
      return drain(session, sender, message);
    case "applied":
      return recordApplied(session, sender, message, at);
    case "sources":
      return declareSources(session, sender, message, at);
    case "flow": {
      const { held, maxBitrateBps, priority } = message;
      const change: FlowChange = {
        ...(held === undefined ? {} : { held }),
        ...(maxBitrateBps === undefined ? {} : { maxBitrateBps }),
        ...(priority === undefined ? {} : { priority }),
      };
      return steerFlow(session, message.flow, change, at, sender.id);
    }
    case "message":
      return relayMessage(session, sender, message);
    case "ice-servers":
      return { session, effects: [{ type: "renew-ice-servers", peer: sender.id }], ack: {} };
  }
}

/** The links of a peer as the server has them, all or the one with another peer (N6). */
function answerState(session: Session, sender: Peer, to: string | undefined): Step {
  const links = liveLinksOf(session, sender).filter(
    (link) => to === undefined || link.peers.includes(to),
  );
  return {
    session,
    effects: [],
    ack: { links: links.map((link) => viewLink(link, trickleOf(session, link.id))) },
  };
}
