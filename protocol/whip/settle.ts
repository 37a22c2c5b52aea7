import { offer } from "../exchange.ts";
import { LIMITS } from "../limits.ts";
import { leave } from "../presence.ts";
import { isProblem, type Problem, problem } from "../problem.ts";
import {
  type Described,
  type Effect,
  type Link,
  type Peer,
  type Session,
  type Step,
  withPeer,
} from "../session.ts";
import { rollback } from "../withdrawn-offers.ts";
import { hasHttpSessions, linkOfHttp, ufragInForce } from "./http-session.ts";

/**
 * What a turn means for HTTP clients: a description for one that waits is its answer, all else it is not told; and one
 * whose other side is gone, or says that its media are, is gone as well.
 */
export function settledOverHttp(before: Session, step: Step, at: number): Step {
  if (!hasHttpSessions(before) && !hasHttpSessions(step.session)) return step;
  const { session, effects, ...rest } = withoutStranded(step, at);
  let next = session;
  const told = effects.flatMap((effect): readonly Effect[] => {
    const peer = peerOf(effect, before, session);
    if (!peer?.http) return [effect];
    const outcome = outcomeOf(effect);
    if (!outcome) return [];
    if (!isProblem(outcome)) next = answered(next, peer.id, outcome, at);
    return [{ type: "resolve", peer: peer.id, outcome }];
  });
  return { ...rest, session: next, effects: told };
}

function peerOf(effect: Effect, before: Session, after: Session): Peer | undefined {
  const id =
    effect.type === "send"
      ? effect.to
      : effect.type === "close" || effect.type === "replace"
        ? effect.peer
        : undefined;
  return id === undefined ? undefined : (after.peers.get(id) ?? before.peers.get(id));
}

/** What the request that is waiting is answered; undefined for what it need not know. */
function outcomeOf(effect: Effect): Described | Problem | undefined {
  if (effect.type === "close") {
    return problem("resource-not-found", `the session is over: ${effect.reason}`);
  }
  if (effect.type !== "send") return undefined;
  const { message } = effect;
  switch (message.type) {
    case "offer":
    case "answer":
      return { type: message.type, sdp: message.sdp };
    case "reject":
      return problem("offer-rejected", message.reason ?? "the other side gave no reason");
    case "expired":
      return unanswered();
    default:
      return undefined;
  }
}

const unanswered = (): Problem =>
  problem("media-server-timeout", "the other side has not answered in time");

/** It is answered: its media are due next, or its own answer. A new username fragment is a new ICE generation. */
function answered(session: Session, id: string, { type }: Described, at: number): Session {
  const peer = session.peers.get(id);
  if (!peer?.http) return session;
  const { http } = peer;
  if (type === "offer") {
    return withPeer(session, { ...peer, http: { ...http, dueAt: at + LIMITS.counterOfferMs } });
  }
  const { ufrag: former, generation, retired } = http;
  const ufrag = ufragInForce(session, peer);
  const isRestart = former !== undefined && ufrag !== former;
  return withPeer(session, {
    ...peer,
    http: {
      ...http,
      ...(ufrag !== undefined && { ufrag }),
      generation: isRestart ? generation + 1 : generation,
      retired: isRestart ? [...retired, former].slice(-RETIRED) : retired,
      dueAt: at + LIMITS.httpConnectMs,
    },
  });
}

/** Generations that late requests may be of. */
const RETIRED = 16;

/** HTTP clients leave with the only link that they have. */
function withoutStranded(step: Step, at: number): Step {
  let { session } = step;
  const effects = [...step.effects];
  for (const peer of step.session.peers.values()) {
    if (!peer.http || isLinked(session, peer)) continue;
    const left = leave(session, peer.id, "lost", at);
    session = left.session;
    effects.push(...left.effects);
  }
  return { ...step, session, effects };
}

function isLinked(session: Session, peer: Peer): boolean {
  const link = linkOfHttp(session, peer);
  const isThere = session.peers.has(peer.http?.other ?? "");
  return isThere && link !== undefined && (link.open !== null || isUp(link));
}

/** Neither side says that its media have failed for good. */
const isUp = ({ inForce, flows: { transports } }: Link): boolean =>
  inForce !== null &&
  (transports.length === 0 ||
    transports.some(({ state }) => state !== "failed" && state !== "closed"));

/**
 * HTTP clients whose time is over: one without an answer is told so and leaves; one whose ICE restart has no answer goes
 * on as before it; one whose media have not come leaves, where the other side tells of such things.
 */
export function expireHttpSessions(session: Session, at: number): Step {
  let next = session;
  const effects: Effect[] = [];
  for (const { id } of session.peers.values()) {
    const peer = next.peers.get(id);
    if (!peer?.http || peer.http.dueAt === null || peer.http.dueAt > at) continue;
    const expired = expireOne(next, peer, at);
    next = expired.session;
    effects.push(...expired.effects);
  }
  return { session: next, effects };
}

function expireOne(session: Session, peer: Peer, at: number): Step {
  const link = linkOfHttp(session, peer);
  const late: Effect = { type: "resolve", peer: peer.id, outcome: unanswered() };
  if (link?.inForce && link.open?.offerer === peer.id) {
    const taken = rolledBack(session, peer, link.open.exchange, at);
    return { session: undue(taken.session, peer), effects: [late, ...taken.effects] };
  }
  if (link?.inForce && isLikelyUp(session, peer, link)) {
    return { session: undue(session, peer), effects: [] };
  }
  const left = leave(session, peer.id, "lost", at);
  return { session: left.session, effects: [late, ...left.effects] };
}

const undue = (session: Session, { id }: Peer): Session => {
  const peer = session.peers.get(id);
  return peer?.http ? withPeer(session, { ...peer, http: { ...peer.http, dueAt: null } }) : session;
};

function rolledBack(session: Session, peer: Peer, exchange: number, at: number): Step {
  const to = peer.http?.other;
  const taken = rollback(session, peer, { type: "rollback", to, exchange }, at);
  return "code" in taken ? { session, effects: [] } : taken;
}

/** Media servers have to tell of transports; a peer that never did may have them running all the same. */
function isLikelyUp({ peers }: Session, { http }: Peer, { flows: { transports } }: Link): boolean {
  if (transports.some(({ state }) => state === "connected")) return true;
  const isTold = peers.get(http?.other ?? "")?.role === "media-server";
  return !isTold && transports.every(({ state }) => state === "new" || state === "closed");
}

/**
 * An ICE restart of an HTTP client: the offer it has made, with other credentials (RFC 9725 s4.3.3).
 *
 * Problems: those of an offer.
 */
export function restartOverHttp(
  session: Session,
  id: string,
  sdp: string,
  at: number,
): Step | Problem {
  const peer = session.peers.get(id);
  if (!peer?.http) return problem("resource-not-found", "there is no such session any more");
  const due = withPeer(session, {
    ...peer,
    http: { ...peer.http, dueAt: at + LIMITS.httpAnswerMs },
  });
  const message = { type: "offer", to: peer.http.other, sdp, restart: true } as const;
  return offer(due, peer, message, at);
}
