import { Kind } from "./flow.ts";
import { type Arrival, join } from "./presence.ts";
import type { Peer, Session, Step } from "./session.ts";

/** The media server that a deployment gives to its `central` sessions: a peer that no token makes, and that has no socket. */

/** Its id in each of them. */
export const MANAGED_SERVER = "managed-sfu";

/** It is there as long as the session is. JSON has no infinity. */
const FOREVER = Number.MAX_SAFE_INTEGER;

/** It comes, or is told again of all that is in the session. */
export const managedArrival = (session: string, at: number): Arrival => ({
  grant: {
    session,
    peer: MANAGED_SERVER,
    role: "media-server",
    publish: Kind.options,
    subscribe: Kind.options,
    expiresAt: FOREVER,
  },
  ice: { iceServers: [] },
  managed: true,
  at,
});

/** A new session with its managed media server. Nobody is there yet whom it had to be told of. */
export const withManagedServer = (session: Session): Session =>
  // Nobody was kicked, and it needs no place.
  (join(session, managedArrival(session.id, session.createdAt)) as Step).session;

/** Undefined in a session that has none, or whose was kicked. */
export function managedServerOf({ peers }: Session): Peer | undefined {
  const peer = peers.get(MANAGED_SERVER);
  return peer?.managed ? peer : undefined;
}
