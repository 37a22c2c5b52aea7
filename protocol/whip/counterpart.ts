import { mediaServerOf } from "../addressing.ts";
import { isLive } from "../flows/commit.ts";
import { type Problem, problem } from "../problem.ts";
import { isConnected, type Peer, type Session } from "../session.ts";
import type { Grant } from "../session-config.ts";
import type { Door } from "./http-session.ts";

/** What of a request decides whom it is for. */
export interface Wish {
  readonly door: Door;
  readonly grant: Grant;
  /** `?peer=`: whom to publish to, or whose media to play. */
  readonly peer?: string;
}

/**
 * Whom a publisher sends to, or a player receives from: the media server if there is one, else a peer.
 *
 * Problems: `no-media-server` in a central session; `not-live` when there is nothing to be played; `unknown-peer` when
 * nobody is there to publish to, or not the one that is named; `topology-mismatch` when it could be several.
 */
export function counterpartFor(session: Session, wish: Wish): Peer | Problem {
  const server = mediaServerOf(session.peers);
  if (server && isConnected(server) && server.draining !== true) {
    return isPlayable(session, server, wish) ? server : notLive();
  }
  if (session.config.topology === "central") {
    return problem("no-media-server", "no media server is in the session now; try again later");
  }
  return peerFor(session, wish);
}

const notLive = (): Problem => problem("not-live", "nothing is live yet; try again later");

/** A publisher needs nothing; a player needs somebody who publishes to the media server. */
function isPlayable(session: Session, server: Peer, { door, peer }: Wish): boolean {
  if (door === "whip") return true;
  return [...session.links.values()]
    .filter(({ peers }) => peers.includes(server.id))
    .flatMap(({ flows }) => flows.flows)
    .some(
      (flow) =>
        flow.to === server.id &&
        flow.kind !== "data" &&
        flow.state !== "proposed" &&
        isLive(flow) &&
        (peer === undefined || flow.from === peer),
    );
}

const MEDIA = ["audio", "video"] as const;

function peerFor(session: Session, { door, grant, peer }: Wish): Peer | Problem {
  const right = door === "whip" ? "subscribe" : "publish";
  const able = [...session.peers.values()].filter(
    (each) =>
      each.role === "peer" &&
      each.id !== grant.peer &&
      isConnected(each) &&
      each.http === undefined &&
      each.endpoint === undefined &&
      MEDIA.some((kind) => each[right].includes(kind)),
  );
  const named = peer === undefined ? able : able.filter(({ id }) => id === peer);
  const [first, second] = named;
  if (second) {
    return problem("topology-mismatch", "several peers are here: name one of them by ?peer=");
  }
  if (first) return first;
  return door === "whep" ? notLive() : problem("unknown-peer", "nobody is here to publish to");
}
