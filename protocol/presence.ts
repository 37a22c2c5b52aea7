import type { Allowances } from "./allowance.ts";
import { ueKept } from "./assistance/ue.ts";
import { withoutOldLinks, withoutResults } from "./departed-links.ts";
import { endFlows } from "./flows/end.ts";
import { markStale } from "./flows/stale.ts";
import type { ToPeer } from "./messages.ts";
import { flowContext } from "./move.ts";
import { placeFor } from "./places.ts";
import { CLOSE, isProblem, type Problem, problem } from "./problem.ts";
import { ended } from "./sdp/history.ts";
import {
  type Effect,
  isConnected,
  type Link,
  otherPeer,
  type Peer,
  type Session,
  type Step,
  type Trickle,
  trickleOf,
  withFlows,
  withLink,
  withoutPeer,
  withPeer,
  withTrickle,
} from "./session.ts";
import { type Grant, traitsOf } from "./session-config.ts";
import type { SocketRequest } from "./socket-request.ts";
import type { Endpoint } from "./swap/endpoint.ts";
import {
  answerMessage,
  candidatesMessage,
  currentTrickle,
  type IceGrant,
  liveLinksOf,
  offerMessage,
  viewPeer,
  welcome,
} from "./views.ts";
import type { HttpSession } from "./whip/http-session.ts";

/** Joining, losing, leaving: presence is ordered (S3 to S6). */

export type LeaveReason = Extract<ToPeer, { type: "peer-left" }>["reason"];

const others = (session: Session, id: string): readonly Peer[] =>
  [...session.peers.values()].filter((peer) => peer.id !== id && isConnected(peer));

const tellOthers = (session: Session, id: string, message: ToPeer): readonly Effect[] =>
  others(session, id).map((peer) => ({ type: "send", to: peer.id, message }));

/** A token is dead when its peer was kicked (A1). */
export function admits(session: Session, grant: Grant): Problem | undefined {
  if (!session.kicked.has(grant.peer)) return undefined;
  return problem("unauthorized", "no valid token");
}

/** Who comes, by a socket of its own. */
export interface Arrival {
  readonly grant: Grant;
  readonly ice: IceGrant;
  readonly asked?: SocketRequest;
  /** Whose socket is in a realm of SWAP. */
  readonly endpoint?: Endpoint;
  /** Who comes by WHIP or WHEP, without a socket. */
  readonly http?: HttpSession;
  /** The deployment's own media server, without a socket: nobody who keeps a session alive, or takes a place in it. */
  readonly managed?: true;
  readonly at: number;
}

/**
 * A socket of a peer is here: it joins, comes back within the resume window, or takes over from an older
 * socket of its own; only the first is announced (S3, S4).
 *
 * Problems: `unauthorized` after a kick, `session-full`, `too-many-observers`.
 */
export function join(session: Session, arrival: Arrival): Step | Problem {
  const { grant, ice, at } = arrival;
  const refused = admits(session, grant);
  if (refused) return refused;
  const known = session.peers.get(grant.peer);
  if (known && (arrival.asked?.fresh || known.http)) return joinAfresh(session, known, arrival);
  const place = known ? undefined : placeFor(session, grant.role);
  if (isProblem(place)) return place;
  if (place) return joinInstead(session, place, arrival);
  const peer = peerOf(arrival, known);
  let next: Session = {
    ...withPeer(known ? session : withoutResults(withoutOldLinks(session), peer.id), peer),
    emptySince: arrival.managed ? session.emptySince : null,
  };
  if (known && !isConnected(known)) next = staleLinks(next, peer.id, false, at);
  return {
    session: next,
    effects: [
      ...(known ? [{ type: "replace", peer: peer.id } as const] : []),
      { type: "send", to: peer.id, message: welcome(next, peer, known !== undefined, ice) },
      ...(known ? missed(next, peer) : []),
      ...(known ? [] : tellOthers(next, peer.id, { type: "peer-joined", peer: viewPeer(peer) })),
    ],
  };
}

/** Somebody who is away leaves for good, which makes room. */
function joinInstead(session: Session, away: Peer, arrival: Arrival): Step {
  const left = leave(session, away.id, "lost", arrival.at);
  const joined = join(left.session, arrival) as Step;
  return { ...joined, effects: [...left.effects, ...joined.effects] };
}

/** The peer has lost its state, or was an HTTP client before: for all others it leaves and comes. */
function joinAfresh(session: Session, known: Peer, arrival: Arrival): Step {
  const left = leave(session, known.id, "lost", arrival.at);
  // What its token before has said of its network need not be in this one.
  const ue = ueKept(arrival.grant.ue, known.ue);
  const grant = { ...arrival.grant, ...(ue && { ue }) };
  // It has just made room for itself.
  const joined = join(left.session, { ...arrival, grant }) as Step;
  const peer = joined.session.peers.get(known.id) as Peer;
  return {
    session: withPeer(joined.session, { ...peer, connection: known.connection + 1 }),
    effects: [
      known.http ? overtaken(known.id) : { type: "replace", peer: known.id },
      ...left.effects.filter((effect) => effect.type !== "close" || effect.peer !== known.id),
      ...joined.effects,
    ],
  };
}

/** Whoever waits for an answer as this peer has come by a socket meanwhile. */
const overtaken = (peer: string): Effect => ({
  type: "resolve",
  peer,
  outcome: problem("resource-not-found", "the peer has come by a WebSocket"),
});

const peerOf = (
  { grant, asked = {}, endpoint, http, managed, at }: Arrival,
  known: Peer | undefined,
): Peer => {
  const ue = ueKept(grant.ue, known?.ue);
  return {
    id: grant.peer,
    role: grant.role,
    ...(grant.name === undefined ? {} : { name: grant.name }),
    publish: grant.publish,
    subscribe: grant.subscribe,
    ...(grant.metadata === undefined ? {} : { metadata: grant.metadata }),
    ...traitsOf(grant),
    tokenExpiresAt: grant.expiresAt,
    joinedAt: known?.joinedAt ?? at,
    ...(Object.keys(lasting(asked)).length === 0 ? {} : { asked: lasting(asked) }),
    ...(endpoint && { endpoint }),
    ...(http && { http }),
    ...(managed && { managed }),
    ...(ue && { ue }),
    connection: (known?.connection ?? 0) + 1,
    awayUntil: null,
  };
};

/** What a socket asks for as long as it lives. */
const lasting = ({ fresh: _, ...asked }: SocketRequest): SocketRequest => asked;

/** What the other side of each link has sent and this peer may lack (R2): it drops what it knows. */
function missed(session: Session, peer: Peer): readonly Effect[] {
  if (peer.role === "observer") return [];
  return liveLinksOf(session, peer)
    .flatMap((link) => missedOn(link, trickleOf(session, link.id), peer))
    .map((message) => ({ type: "send", to: peer.id, message }));
}

function missedOn(link: Link, trickle: readonly Trickle[], peer: Peer): readonly ToPeer[] {
  const from = otherPeer(link, peer.id);
  const { open, inForce } = link;
  const messages: ToPeer[] = [];
  // The answerer of the pair in force had its offer: it answered it. And whoever has offered anew had the
  // answer to its last offer.
  if (inForce?.offerer === peer.id && open?.offerer !== peer.id) {
    messages.push(answerMessage(from, inForce));
  }
  if (open?.offerer === from) messages.push(offerMessage(open));
  for (const entry of currentTrickle(link, trickle)) {
    const through = entry.exchange === inForce?.exchange || open?.offerer === from;
    if (entry.from === from && through) messages.push(candidatesMessage(entry));
  }
  return messages;
}

function staleLinks(session: Session, peer: string, stale: boolean, at: number): Session {
  let next = session;
  for (const link of session.links.values()) {
    if (!link.peers.includes(peer)) continue;
    const otherStale = link.peers.some((id) => id !== peer && !isConnected(session.peers.get(id)));
    const flows = markStale(flowContext(session, link, at), link.flows, stale || otherStale);
    next = withFlows(next, link, flows);
  }
  return next;
}

/** The socket of a peer is lost: it stays for the resume window, its flows are stale (S5). */
export function lose(session: Session, id: string, at: number, allowances?: Allowances): Step {
  const peer = session.peers.get(id);
  if (!peer || !isConnected(peer)) return { session, effects: [] };
  const awayUntil = at + session.config.resumeSeconds * 1000;
  const away: Peer = { ...peer, awayUntil, ...(allowances && { allowances }) };
  const next = staleLinks(withPeer(session, away), id, true, at);
  return { session: emptied(next, at), effects: [] };
}

const emptied = (session: Session, at: number): Session =>
  [...session.peers.values()].some((peer) => !peer.managed && isConnected(peer)) ||
  session.emptySince !== null
    ? session
    : { ...session, emptySince: at };

const CLOSE_OF: Record<LeaveReason, { code: number; reason: string }> = {
  left: { code: CLOSE.left, reason: "left" },
  lost: { code: CLOSE.left, reason: "lost" },
  kicked: { code: CLOSE.kicked, reason: "kicked" },
  expired: { code: CLOSE.tokenExpired, reason: "token expired" },
  "session-ended": { code: CLOSE.sessionEnded, reason: "session ended" },
};

/** A peer leaves, once and with a reason (S4): its flows end, its links lose their negotiation. */
export function leave(session: Session, id: string, reason: LeaveReason, at: number): Step {
  const peer = session.peers.get(id);
  if (!peer) return { session, effects: [] };
  let next = withoutPeer(session, id);
  for (const link of session.links.values()) {
    // A link that the other one has left was closed then.
    if (!link.peers.includes(id) || !session.peers.has(otherPeer(link, id))) continue;
    const flows = endFlows(flowContext(session, link, at), link.flows, reason);
    const said = [ended(link.said[0]), ended(link.said[1])] as const;
    next = withLink(next, { ...link, open: null, inForce: null, flows, said });
    next = withTrickle(next, link.id, []);
  }
  const told = tellOthers(next, id, { type: "peer-left", peer: id, reason });
  return {
    session: emptied(next, at),
    effects: isConnected(peer) ? [...told, farewell(id, reason)] : told,
  };
}

function farewell(peer: string, reason: LeaveReason): Effect {
  return { type: "close", peer, ...CLOSE_OF[reason] };
}

/** A peer may stay until then: for endpoints of SWAP this is what a token is for others. */
export function stay(session: Session, id: string, until: number): Step {
  const peer = session.peers.get(id);
  const next = peer ? withPeer(session, { ...peer, tokenExpiresAt: until }) : session;
  return { session: next, effects: [] };
}

/** The session with all its flows ended, as they are told of once more. */
export function withEndedFlows(session: Session, at: number): Session {
  let next = session;
  for (const link of session.links.values()) {
    const flows = endFlows(flowContext(session, link, at), link.flows, "session-ended");
    next = withFlows(next, link, flows);
  }
  return next;
}

/** Ends the session: everyone is told and closed with 4000, then everything is erased (S6). */
export function end(session: Session): Step {
  const connected = [...session.peers.values()].filter(isConnected);
  return {
    session: { ...session, peers: new Map(), links: new Map(), trickle: new Map() },
    effects: [...connected.map((peer) => farewell(peer.id, "session-ended")), { type: "erase" }],
  };
}

/** Peers whose resume window or token is over (S5, A1). */
export function expirePeers(session: Session, at: number): Step {
  let now = session;
  const effects: Effect[] = [];
  for (const peer of session.peers.values()) {
    const expired = peer.tokenExpiresAt <= at;
    const lost = peer.awayUntil !== null && peer.awayUntil <= at;
    if (!expired && !lost) continue;
    const step = leave(now, peer.id, expired ? "expired" : "lost", at);
    now = step.session;
    effects.push(...step.effects);
  }
  return { session: now, effects };
}
