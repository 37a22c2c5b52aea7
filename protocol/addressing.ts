import { NO_FLOWS } from "./flows/link-flows.ts";
import { type Problem, problem } from "./problem.ts";
import { NOTHING_SAID } from "./sdp/history.ts";
import { isConnected, type Link, linkIdOf, type Peer, type Session } from "./session.ts";

/** Who may talk to whom (A2). */

/** The peer a message is for; in a central session the media server when it names none. */
export function addressee(session: Session, sender: Peer, to: string | undefined): Peer | Problem {
  if (to === sender.id) return problem("self-addressed", "`to` is the sender itself");
  if (to !== undefined) {
    return (
      session.peers.get(to) ?? problem("unknown-peer", "`to` names no peer of this session", { to })
    );
  }
  if (session.config.topology !== "central" || sender.role === "media-server") {
    return problem("invalid-message", "to: missing", {
      errors: [{ field: "to", expected: "the id of a peer" }],
    });
  }
  return (
    mediaServerOf(session.peers) ??
    problem("no-media-server", "a central session needs a media server, none has joined")
  );
}

// Every frame without `to` asks for it, and people seldom come or go.
const mediaServers = new WeakMap<Session["peers"], Peer | "none">();

/**
 * The first media server, of those that are connected if any is, and of those that stay. A managed one is for sessions
 * that have no other which stays: peers of two media servers would not receive each other.
 */
export function mediaServerOf(peers: Session["peers"]): Peer | undefined {
  const known = mediaServers.get(peers);
  if (known !== undefined) return known === "none" ? undefined : known;
  const servers = [...peers.values()].filter(({ role }) => role === "media-server");
  const managed = servers.find((each) => each.managed);
  const own = servers.filter((each) => each !== managed);
  const here = own.filter(isConnected);
  const spare = own.every(({ draining }) => draining) ? managed : undefined;
  const server = here.find(({ draining }) => draining !== true) ?? spare ?? here[0] ?? own[0];
  mediaServers.set(peers, server ?? "none");
  return server;
}

/** The peer at the other end of a link that the sender may have, or why it may not. */
export function counterpart(
  session: Session,
  sender: Peer,
  to: string | undefined,
): Peer | Problem {
  const peer = addressee(session, sender, to);
  if ("code" in peer) return peer;
  if (peer.role === "observer") {
    return problem("not-permitted", "an observer has no link", { to: peer.id });
  }
  const central = session.config.topology === "central";
  if (central && sender.role !== "media-server" && peer.role !== "media-server") {
    return problem("topology-mismatch", "in a central session every link has the media server");
  }
  return peer;
}

/** The link of two peers; a new one when they have none yet. */
export function linkBetween(session: Session, one: string, other: string): Link {
  const id = linkIdOf(one, other);
  return (
    session.links.get(id) ?? {
      id,
      peers: one < other ? [one, other] : [other, one],
      exchange: 0,
      open: null,
      inForce: null,
      flows: NO_FLOWS,
      findings: [],
      said: [NOTHING_SAID, NOTHING_SAID],
      offeredAt: [],
    }
  );
}
