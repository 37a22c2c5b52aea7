import type { StreamContext } from "./context-messages.ts";
import type { Flow } from "./flow.ts";
import { isLive } from "./flows/commit.ts";
import type { LinkFlows } from "./flows/link-flows.ts";
import { isSame } from "./flows/same.ts";
import { type Link, linkIdOf, type Peer, revisionOf, type Session } from "./session.ts";

/**
 * Stream contexts follow from a session: an uplink for each stream that a peer sends to a media server, a downlink for
 * each stream that a peer is to be sent. Nothing is kept of them but what the media server answers.
 */

/** Without its number, which is that of the session's flows when it was told. */
type Context = Omit<StreamContext, "revision">;

/** What of the flows of one link contexts are made of. */
interface Streams {
  readonly uplinks: readonly Context[];
  readonly downlinks: readonly Context[];
  /** The downlink contexts of native peers that have a flow, by the id of the context. */
  readonly carried: ReadonlyMap<string, Context>;
}

const NO_STREAMS: Streams = { uplinks: [], downlinks: [], carried: new Map() };

const streamsOfFlows = new WeakMap<LinkFlows, Streams>();

/** The streams between a media server and the peer at the other end of the link. */
function streamsOf({ flows, peers }: Link, server: string): Streams {
  const known = streamsOfFlows.get(flows);
  if (known) return known;
  const peer = peers[0] === server ? peers[1] : peers[0];
  const agreed = flows.flows.filter(
    (flow) => flow.kind !== "data" && flow.state !== "proposed" && isLive(flow),
  );
  const sent = agreed.filter(({ from }) => from === server);
  const labels = flows.labels?.[server] ?? {};
  const streams: Streams = {
    uplinks: agreed
      .filter(({ to }) => to === server)
      .map((flow) => contextOf(flow.id, "uplink", peer, flow)),
    downlinks: sent.map((flow) => contextOf(flow.id, "downlink", peer, flow)),
    carried: new Map(
      sent.flatMap((flow) => {
        const context = labels[flow.mid]?.context;
        return context === undefined
          ? []
          : [[context, contextOf(context, "downlink", peer, flow)] as const];
      }),
    ),
  };
  streamsOfFlows.set(flows, streams);
  return streams;
}

function contextOf(
  context: string,
  direction: StreamContext["direction"],
  peer: string,
  { id, kind, mid, layers, simulcast, state, limits, priority }: Flow,
): Context {
  const isLayered = direction === "uplink" && simulcast === "accepted" && layers.length > 0;
  return {
    context,
    direction,
    peer,
    kind,
    flow: id,
    mid,
    ...(isLayered && { layers: layers.map(({ rid }) => ({ rid })) }),
    held: state === "held",
    ...(limits.effectiveBps !== undefined && { maxBitrateBps: limits.effectiveBps }),
    priority,
  };
}

const servers = new WeakMap<Session["peers"], readonly Peer[]>();

/** The media servers of a session. Asked after every frame, and people seldom come or go. */
export function mediaServersOf({ peers }: Pick<Session, "peers">): readonly Peer[] {
  const known = servers.get(peers);
  if (known) return known;
  const found = [...peers.values()].filter(({ role }) => role === "media-server");
  servers.set(peers, found);
  return found;
}

/** All contexts of a media server, by id. */
export function contextsOf(session: Session, server: string): ReadonlyMap<string, StreamContext> {
  const revision = revisionOf(session);
  const links = [...session.links.values()].filter(({ peers }) => peers.includes(server));
  const uplinks = links.flatMap((link) => streamsOf(link, server).uplinks);
  const contexts = [...session.peers.values()].flatMap((peer) =>
    peer.role === "peer" ? downlinksOf(session, server, peer, uplinks) : [],
  );
  return new Map(
    [...uplinks, ...contexts].map((each) => [each.context, { ...each, revision }] as const),
  );
}

/** A player has asked for sections; anybody else is sent what the others send, as far as its token lets it. */
function downlinksOf(
  { links }: Session,
  server: string,
  peer: Peer,
  uplinks: readonly Context[],
): readonly Context[] {
  const link = links.get(linkIdOf(server, peer.id));
  const { downlinks, carried } = link ? streamsOf(link, server) : NO_STREAMS;
  if (peer.http) {
    const { door, plays } = peer.http;
    if (door === "whip") return [];
    const others = uplinks.filter((each) =>
      plays === undefined ? each.peer !== peer.id : each.peer === plays,
    );
    return downlinks.map((each) => ({
      ...each,
      sourceFlows: others.flatMap(({ kind, flow }) =>
        kind === each.kind && flow !== undefined ? [flow] : [],
      ),
    }));
  }
  return uplinks
    .filter((each) => each.peer !== peer.id && peer.subscribe.includes(each.kind))
    .map((each) => {
      const context = `${peer.id}<${each.context}`;
      const wanted: Context = carried.get(context) ?? {
        context,
        direction: "downlink",
        peer: peer.id,
        kind: each.kind,
        held: false,
        priority: "low",
      };
      return { ...wanted, sourceFlows: [each.context] };
    });
}

/** Whether a turn may have changed any context: asked before all of them are looked at. */
export function areContextsMoved(before: Session, after: Session): boolean {
  if (before.links === after.links && before.peers === after.peers) return false;
  const found = mediaServersOf(after);
  if (found.length === 0) return false;
  if (before.peers !== after.peers) return true;
  return [...after.links.values()].some((link) => {
    const former = before.links.get(link.id);
    if (link.flows === former?.flows) return false;
    const server = found.find(({ id }) => link.peers.includes(id));
    if (!server) return false;
    const known = former ? streamsOf(former, server.id) : NO_STREAMS;
    return !isSame(plain(streamsOf(link, server.id)), plain(known));
  });
}

const plain = ({ uplinks, downlinks, carried }: Streams) => [uplinks, downlinks, [...carried]];
