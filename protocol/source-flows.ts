import type { Flow } from "./flow.ts";
import { isLive } from "./flows/commit.ts";
import { declareFlow, loseSources } from "./flows/declare.ts";
import type { FromPeer } from "./messages.ts";
import { flowContext } from "./move.ts";
import { type Problem, problem } from "./problem.ts";
import { type Peer, revisionOf, type Session, type Step, withFlows } from "./session.ts";
import { sentFlow } from "./steering.ts";

type Sources = Extract<FromPeer, { type: "sources" }>;

/**
 * The sender of a flow says which flows to it the flow carries on, and how (media-flows.md section 6, RFC
 * 7667). What it leaves out stays as it was, but a layer that no source has any more.
 *
 * Problems: `flow-not-found`, also for a flow of others; `flow-ended`; `not-permitted` for who receives the
 * flow, and for a topology that is not of the sender's role; `source-not-received`, `flow-loop`,
 * `unknown-layer`.
 */
export function declareSources(
  session: Session,
  sender: Peer,
  message: Sources,
  at: number,
): Step | Problem {
  const found = sentFlow(session, sender, message.flow);
  if ("code" in found) return found;
  const { link, flow } = found;
  const refused = topologyRefusal(sender, message);
  if (refused) return refused;
  const sources = namedSources(session, flow, message.sourceFlows);
  if ("code" in sources) return sources;
  if (leadsTo(session, flow, sources)) {
    return problem("flow-loop", "following the sources of the flow leads back to it", {
      flow: flow.id,
    });
  }
  const layer = layerOf(flow, message, sources);
  if (typeof layer === "object") return layer;
  const context = flowContext(session, link, at, flow.exchange);
  const flows = declareFlow(context, link.flows, flow, {
    sourceFlows: sources.map(({ id }) => id),
    topology: topologyOf(sender, flow, message, context.topology),
    layer,
    forwarding: message.forwarding ?? flow.forwarding,
  });
  return {
    session: withFlows(session, link, flows),
    effects: [],
    ack: {},
  };
}

/** A media server does something to media, or relays them; whatever else forwards is an endpoint. */
function topologyRefusal(sender: Peer, { topology }: Sources): Problem | undefined {
  if (topology === undefined) return undefined;
  const isServers = topology !== "forwarding";
  if (isServers === (sender.role === "media-server")) return undefined;
  return problem(
    "not-permitted",
    isServers ? `only a media server does \`${topology}\`` : "only a peer does `forwarding`",
  );
}

function topologyOf(
  sender: Peer,
  flow: Flow,
  { topology, sourceFlows }: Sources,
  unsourced: Flow["topology"],
): Flow["topology"] {
  if (sender.role === "media-server") return topology ?? flow.topology;
  return sourceFlows.length > 0 ? "forwarding" : unsourced;
}

/** Live flows of the same kind that end where this one begins, each once. */
function namedSources(
  session: Session,
  { from, kind }: Flow,
  ids: readonly string[],
): readonly Flow[] | Problem {
  const received = new Map(
    [...session.links.values()]
      .filter(({ peers }) => peers.includes(from))
      .flatMap((link) => link.flows.flows)
      .filter((flow) => flow.to === from && flow.kind === kind && isLive(flow))
      .map((flow) => [flow.id, flow]),
  );
  const sources: Flow[] = [];
  for (const id of new Set(ids)) {
    const source = received.get(id);
    if (!source) {
      return problem("source-not-received", `the sender receives no such ${kind} flow`, {
        source: id,
      });
    }
    sources.push(source);
  }
  return sources;
}

/** Whether one of the sources is, by way of its own sources, made of this flow. */
function leadsTo(session: Session, { id }: Flow, sources: readonly Flow[]): boolean {
  const open = sources.flatMap(({ sourceFlows }) => sourceFlows);
  if (open.length === 0) return false;
  const sourcesOf = new Map(
    [...session.links.values()]
      .flatMap(({ flows }) => flows.flows)
      .filter(({ sourceFlows }) => sourceFlows.length > 0)
      .map((flow) => [flow.id, flow.sourceFlows]),
  );
  const seen = new Set(open);
  // A set is walked in the order of insertion, what is added on the way included.
  for (const each of seen) for (const next of sourcesOf.get(each) ?? []) seen.add(next);
  return seen.has(id);
}

function layerOf(
  flow: Flow,
  { layer }: Sources,
  sources: readonly Flow[],
): string | undefined | Problem {
  const isOffered = (wanted: string): boolean =>
    sources.some(({ layers }) => layers.some(({ rid }) => rid === wanted));
  if (layer === null) return undefined;
  if (layer === undefined) {
    return flow.layer !== undefined && isOffered(flow.layer) ? flow.layer : undefined;
  }
  return isOffered(layer)
    ? layer
    : problem("unknown-layer", "no source of the flow has a layer of this name", { layer });
}

/**
 * After an event: flows lose the sources that ended in it, in the same revision. Gives the session itself
 * when none did.
 */
export function dropEndedSources(before: Session, after: Session, at: number): Session {
  const ended = endedFlows(before, after);
  if (ended.length === 0) return after;
  const ids = new Set(ended.map(({ id }) => id));
  const carriers = new Set(ended.map(({ to }) => to));
  const revision = Math.max(revisionOf(before) + 1, revisionOf(after));
  let next = after;
  for (const link of after.links.values()) {
    if (!link.peers.some((peer) => carriers.has(peer))) continue;
    const context = { ...flowContext(after, link, at), revision };
    const flows = loseSources(context, link.flows, ids);
    next = withFlows(next, link, flows);
  }
  return next;
}

function endedFlows(before: Session, after: Session): readonly Flow[] {
  return [...after.links.values()].flatMap(({ id, flows }) => {
    const known = before.links.get(id)?.flows;
    if (flows === known) return [];
    const revision = known?.revision ?? 0;
    return flows.flows.filter((flow) => flow.revision > revision && !isLive(flow));
  });
}
