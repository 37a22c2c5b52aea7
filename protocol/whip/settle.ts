import { ueKept } from "../assistance/ue.ts";
import { offer } from "../exchange.ts";
import { LIMITS } from "../limits.ts";
import { leave } from "../presence.ts";
import { isProblem, type Problem, problem } from "../problem.ts";
import {
  type Described,
  type Effect,
  type Link,
  type Session,
  type Step,
  withPeer,
} from "../session.ts";
import type { UeSeen } from "../session-config.ts";
import { rollback } from "../withdrawn-offers.ts";
import {
  type HttpPeer,
  hasHttpSessions,
  httpPeersOf,
  isFlowing,
  linkOfHttp,
  ufragIn,
} from "./http-session.ts";

/**
 * What a turn means for HTTP clients: a description for one that waits is its answer, all else it is not told; and one
 * whose other side is gone, or says that its media are, is gone as well.
 */
export function settledOverHttp(before: Session, step: Step, at: number): Step {
  if (!hasHttpSessions(before) && !hasHttpSessions(step.session)) return step;
  const { session, effects, ...rest } = withoutStranded(step, at);
  const gone = httpPeersOf(before).filter(({ id }) => !session.peers.has(id));
  const all = new Map([...gone, ...httpPeersOf(session)].map((peer) => [peer.id, peer]));
  let next = session;
  const told = effects.flatMap((effect): readonly Effect[] => {
    if (effect.type !== "send" && effect.type !== "close") return [effect];
    const id = effect.type === "send" ? effect.to : effect.peer;
    const peer = all.get(id);
    if (!peer) return [effect];
    const outcome = outcomeOf(effect);
    if (!outcome) return [];
    // Whoever is gone within the turn is not brought back.
    if (!isProblem(outcome) && session.peers.has(id)) next = answered(next, peer, outcome, at);
    return [{ type: "resolve", peer: id, outcome }];
  });
  return { ...rest, session: next, effects: told };
}

type Told = Extract<Effect, { type: "send" | "close" }>;

/** What the request that is waiting is answered; undefined for what it need not know. */
function outcomeOf(effect: Told): Described | Problem | undefined {
  if (effect.type === "close") {
    return problem("resource-not-found", `the session is over: ${effect.reason}`);
  }
  const { message } = effect;
  switch (message.type) {
    case "offer":
    case "answer":
      return { type: message.type, sdp: message.sdp };
    case "reject":
      return problem("offer-rejected", message.reason ?? "the other side gave no reason");
    default:
      return undefined;
  }
}

const unanswered = (): Problem =>
  problem("media-server-timeout", "the other side has not answered in time");

/** It is answered: its media are due next, or its own answer. A new username fragment is a new ICE generation. */
function answered(session: Session, peer: HttpPeer, { type }: Described, at: number): Session {
  const { http } = peer;
  const { inForce } = linkOfHttp(session, peer);
  if (type === "offer" || !inForce) return due(session, peer, at + LIMITS.counterOfferMs);
  const { ufrag: former, generation, retired } = http;
  const ufrag = ufragIn(inForce, peer);
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

const due = (session: Session, peer: HttpPeer, dueAt: number | null): Session =>
  withPeer(session, { ...peer, http: { ...peer.http, dueAt } });

/** Generations that late requests may be of. */
const RETIRED = 16;

/** HTTP clients leave with the only link that they have. */
function withoutStranded(step: Step, at: number): Step {
  let { session } = step;
  const effects = [...step.effects];
  for (const peer of httpPeersOf(step.session)) {
    if (isLinked(session, peer)) continue;
    const left = leave(session, peer.id, "lost", at);
    session = left.session;
    effects.push(...left.effects);
  }
  return { ...step, session, effects };
}

function isLinked(session: Session, peer: HttpPeer): boolean {
  const link = linkOfHttp(session, peer);
  return session.peers.has(peer.http.other) && (link.open !== null || isUp(link));
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
  for (const peer of httpPeersOf(session)) {
    if (peer.http.dueAt === null || peer.http.dueAt > at) continue;
    const expired = expireOne(next, peer, at);
    next = expired.session;
    effects.push(...expired.effects);
  }
  return { session: next, effects };
}

function expireOne(session: Session, peer: HttpPeer, at: number): Step {
  const link = linkOfHttp(session, peer);
  const { id, http } = peer;
  const late: Effect = { type: "resolve", peer: id, outcome: unanswered() };
  if (link.inForce && link.open) {
    const taken = { type: "rollback", to: http.other, exchange: link.open.exchange } as const;
    // What is open is the restart: nobody else can offer.
    const { session: back, effects } = rollback(session, peer, taken, at) as Step;
    return { session: due(back, peer, null), effects: [late, ...effects] };
  }
  if (link.inForce && isLikelyUp(session, peer, link)) {
    return { session: due(session, peer, null), effects: [] };
  }
  const left = leave(session, id, "lost", at);
  return { session: left.session, effects: [late, ...left.effects] };
}

/** Media servers have to tell of transports; a peer that never did may have them running all the same. */
function isLikelyUp(session: Session, peer: HttpPeer, { flows: { transports } }: Link): boolean {
  if (isFlowing(session, peer)) return true;
  const isTold = session.peers.get(peer.http.other)?.role === "media-server";
  return !isTold && transports.every(({ state }) => state === "new" || state === "closed");
}

/** What an HTTP client restarts ICE with. */
export interface HttpRestart {
  readonly peer: string;
  readonly sdp: string;
  /** As what it is seen to come now. */
  readonly ue?: UeSeen;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * An ICE restart of an HTTP client: the offer it has made, with other credentials (RFC 9725 s4.3.3). It may be in another
 * mobile network than before: that is what clients restart for.
 *
 * Problems: `resource-not-found`; those of an offer.
 */
export function restartOverHttp(
  session: Session,
  { peer: id, sdp, ue: seen, at }: HttpRestart,
): Step | Problem {
  const found = httpPeersOf(session).find((each) => each.id === id);
  if (!found) return problem("resource-not-found", "there is no such session any more");
  const { ue: known, ...rest } = found;
  const ue = ueKept(seen, known);
  const peer: HttpPeer = { ...rest, ...(ue && { ue }) };
  const waiting = due(session, peer, at + LIMITS.httpAnswerMs);
  const message = { type: "offer", to: peer.http.other, sdp, restart: true } as const;
  return offer(waiting, peer, message, at);
}
