import { LIMITS } from "./limits.ts";
import { type Problem, problem } from "./problem.ts";
import { isConnected, type Peer, type Session } from "./session.ts";
import type { Role } from "./session-config.ts";

/**
 * Whether somebody new has a place in a session (S7). Whoever takes part in the call takes one of `maxPeers`, also while it
 * is away and may come back (S5). Those who look on must not change the call: they have places of their own. One that is
 * lost has nothing to come back to but what it is told anew, so it gives way before anybody is refused.
 *
 * Undefined when there is a place; the peer that has to go for it, the observer that was lost first.
 *
 * Problems: `session-full`, `too-many-observers`.
 */
export function placeFor(session: Session, role: Role): Peer | Problem | undefined {
  const { maxPeers } = session.config;
  const peers = [...session.peers.values()].filter(({ managed }) => !managed);
  const observers = peers.filter((peer) => peer.role === "observer");
  if (role !== "observer") {
    return peers.length - observers.length < maxPeers
      ? undefined
      : problem("session-full", `the session takes ${maxPeers} peers`, { maxPeers });
  }
  const maxObservers = LIMITS.observers;
  if (observers.length < maxObservers) return undefined;
  const [first] = observers
    .filter((peer) => !isConnected(peer))
    .toSorted((one, other) => Number(one.awayUntil) - Number(other.awayUntil));
  return (
    first ??
    problem("too-many-observers", `the session takes ${maxObservers} observers`, { maxObservers })
  );
}
