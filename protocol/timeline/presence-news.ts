import type { LeaveReason } from "../presence.ts";
import { isConnected, type Peer, type Session, type Step } from "../session.ts";
import type { SessionEvent } from "../step.ts";
import { type Noted, ofPeer } from "./timeline.ts";

/** Who came, went, was lost and came back: around all else that happened by the same event. */
export interface PresenceNews {
  readonly first: readonly Noted[];
  /** What made a peer leave for good is told before it. */
  readonly last: readonly Noted[];
}

export function presenceNews(before: Session, event: SessionEvent, step: Step): PresenceNews {
  const { session } = step;
  if (session.peers === before.peers) return { first: [], last: [] };
  const came = [...session.peers.values()].flatMap((peer) =>
    changesOf(before.peers.get(peer.id), peer, event),
  );
  // HTTP clients leave because the other side has.
  const gone = departuresOf(before, event, step).toSorted(
    (one, other) => Number(one.peer.http !== undefined) - Number(other.peer.http !== undefined),
  );
  const isBack = ({ peer }: Departure): boolean => session.peers.has(peer.id);
  return {
    first: [...gone.filter(isBack).map(departureNews), ...came],
    last: gone.filter((each) => !isBack(each)).map(departureNews),
  };
}

/** A peer that is no longer in its session, and why. */
export interface Departure {
  readonly peer: Peer;
  readonly reason: LeaveReason;
}

const departureNews = ({ peer, reason }: Departure): Noted => [
  ofPeer(peer.id),
  { type: "peer-left", peer: peer.id, reason },
];

/** Peers that left by an event, one that left and came again at once included. */
export function departuresOf(before: Session, event: SessionEvent, { session }: Step): Departure[] {
  return [...before.peers.values()]
    .filter((peer) => cameAfresh(peer, session.peers.get(peer.id), event))
    .map((peer) => ({ peer, reason: reasonOf(peer, event) }));
}

/** It is gone, or has left and joined by one event (see `join` and `openHttpSession`). */
function cameAfresh(known: Peer, peer: Peer | undefined, event: SessionEvent): boolean {
  if (!peer || known.http?.resource !== peer.http?.resource) return true;
  return event.type === "join" && event.grant.peer === known.id && event.asked?.fresh !== undefined;
}

function reasonOf({ id, tokenExpiresAt, http }: Peer, event: SessionEvent): LeaveReason {
  switch (event.type) {
    case "end":
      return "session-ended";
    case "kick":
      return id === event.peer || http?.bearer === event.peer ? "kicked" : "lost";
    case "message":
      return event.peer === id && event.message.type === "leave" ? "left" : "lost";
    case "alarm":
      return tokenExpiresAt <= event.at ? "expired" : "lost";
    default:
      return "lost";
  }
}

function changesOf(known: Peer | undefined, peer: Peer, event: SessionEvent): readonly Noted[] {
  if (known === peer) return [];
  const { id } = peer;
  if (!known || cameAfresh(known, peer, event)) {
    return [[ofPeer(id), { type: "peer-joined", peer: id, role: peer.role }]];
  }
  if (peer.connection !== known.connection) {
    return [[ofPeer(id), { type: "peer-resumed", peer: id }]];
  }
  if (isConnected(known) && !isConnected(peer)) {
    // Nothing else takes a peer its socket and leaves it in the session.
    const { code } = event as Extract<SessionEvent, { type: "lost" }>;
    return [[ofPeer(id), { type: "peer-lost", peer: id, ...(code && { code }) }]];
  }
  return [];
}
