import type { FromPeer } from "./messages.ts";
import { type Problem, problem } from "./problem.ts";
import {
  type Effect,
  isConnected,
  type Peer,
  type Session,
  type Step,
  withPeer,
} from "./session.ts";

/**
 * A media server is about to go: it is given nothing new, and its peers are told to go on with another one.
 *
 * Problems: `not-permitted` for anybody else; `unknown-peer` for a successor that is not here, or no media server.
 */
export function drain(
  session: Session,
  sender: Peer,
  { successor }: Extract<FromPeer, { type: "drain" }>,
): Step | Problem {
  if (sender.role !== "media-server") {
    return problem("not-permitted", "only a media server can be drained");
  }
  const named = successor === undefined ? undefined : session.peers.get(successor);
  const isWrong = named?.role !== "media-server" || successor === sender.id;
  if (successor !== undefined && isWrong) {
    return problem("unknown-peer", "`successor` names no other media server of this session", {
      successor,
    });
  }
  const next = withPeer(session, { ...sender, draining: true });
  const told = [...next.peers.values()]
    .filter((peer) => peer.id !== sender.id && isConnected(peer))
    .map(
      (peer): Effect => ({
        type: "send",
        to: peer.id,
        message: {
          type: "drain",
          peer: sender.id,
          ...(successor !== undefined && { successor }),
        },
      }),
    );
  return { session: next, effects: told, ack: {} };
}
