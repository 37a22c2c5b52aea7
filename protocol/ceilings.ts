import type { Flow, FlowLimits, Priority } from "./flow.ts";
import { commit, isLive } from "./flows/commit.ts";
import { bpsOfCt, type Ceiling, lowestOf, ownCeiling, withEffective } from "./flows/flow-limits.ts";
import { isSame } from "./flows/same.ts";
import { type Claim, type Shares, sharedOut } from "./flows/shares.ts";
import { usualRate } from "./flows/usual-rate.ts";
import { flowContext } from "./move.ts";
import { type Link, type Peer, revisionOf, type Session } from "./session.ts";

/** What is there for the flows of a peer together (F8). */

/**
 * What a peer may send or receive, all its audio and video together: its own ceiling or that of the
 * session. A media server has none: what it receives are the uplinks of its peers, and so on.
 */
export function ceilingOf(
  { config }: Session,
  peer: Peer | undefined,
  direction: "uplink" | "downlink",
): Ceiling | undefined {
  if (!peer || peer.role === "media-server") return undefined;
  const name = direction === "uplink" ? "maxUplinkBps" : "maxDownlinkBps";
  return lowestOf([
    { bps: config[name], source: "session" },
    { bps: peer[name], source: "peer" },
  ]);
}

const isBound = (session: Session, id: string): boolean => {
  const peer = session.peers.get(id);
  return Boolean(ceilingOf(session, peer, "uplink") ?? ceilingOf(session, peer, "downlink"));
};

/**
 * After an event: the ceilings of session and peers, `b=CT` of receivers, and what the mobile network of an end
 * recommends for a link, shared out among the audio and video that runs. Of data flows no rate can be set, so they are not
 * counted; nor is what is only proposed: an offer takes nothing from what runs. What is held has no share; its record says
 * what it could have alone.
 */
export function underCeilings(before: Session, after: Session, at: number): Session {
  const touched = [...after.links.values()].filter(
    ({ id, flows }) => flows !== before.links.get(id)?.flows,
  );
  const links = coupled(after, touched);
  const limits = limitsUnder(after, links);
  const revision = Math.max(revisionOf(before) + 1, revisionOf(after));
  const changed = new Map<string, Link>();
  for (const link of links) {
    const flows = link.flows.flows.map((flow) => withLimits(flow, limits.get(flow.id)));
    if (flows.every((flow, index) => flow === link.flows.flows[index])) continue;
    const context = { ...flowContext(after, link, at), revision };
    changed.set(link.id, { ...link, flows: commit(context, link.flows, { flows }) });
  }
  return changed.size > 0 ? { ...after, links: new Map([...after.links, ...changed]) } : after;
}

/** Every look at what is wanted of networks asks for it, for each link and UE: reckoned once per session as it is. */
const unadvisedLimits = new WeakMap<Session, ReadonlyMap<string, FlowLimits>>();

/** The limits that flows would have if no mobile network recommended anything, by flow id. */
function limitsUnadvised(session: Session): ReadonlyMap<string, FlowLimits> {
  const known = unadvisedLimits.get(session);
  if (known) return known;
  const links = [...session.links.values()];
  const isAdvised = links.some(({ flows }) => flows.assistance);
  const limits = isAdvised
    ? limitsUnder(session, links.map(withoutAssistance))
    : new Map<string, FlowLimits>();
  unadvisedLimits.set(session, limits);
  return limits;
}

const withoutAssistance = (link: Link): Link => ({
  ...link,
  flows: { ...link.flows, flows: link.flows.flows.map(({ assistance: _, ...flow }) => flow) },
});

/** The link with the limits that its flows would have if no mobile network recommended anything. */
export function unadvised(session: Session, link: Link): Link {
  const limits = limitsUnadvised(session);
  if (limits.size === 0) return link;
  const flows = link.flows.flows.map((flow) => withLimits(flow, limits.get(flow.id)));
  return { ...link, flows: { ...link.flows, flows } };
}

const withLimits = (flow: Flow, limits: FlowLimits | undefined): Flow =>
  limits && !isSame(limits, flow.limits) ? { ...flow, limits } : flow;

/** These links, and all whose shares may depend on theirs: a peer with a ceiling ties its links together. */
function coupled(session: Session, touched: readonly Link[]): readonly Link[] {
  const links = new Set(touched);
  const tied = new Set<string>();
  for (const { peers } of links) {
    for (const peer of peers) {
      if (tied.has(peer) || !isBound(session, peer)) continue;
      tied.add(peer);
      for (const link of session.links.values()) if (link.peers.includes(peer)) links.add(link);
    }
  }
  return [...links];
}

/** Weights of RFC 8835 s4.1, doubled to be whole. */
const WEIGHTS: Readonly<Record<Priority, number>> = { "very-low": 1, low: 2, medium: 4, high: 8 };

interface FlowClaim extends Claim {
  readonly flow: Flow;
  readonly own: Ceiling | undefined;
  readonly pools: readonly Ceiling[];
}

/** The limits of the media flows of these links that a ceiling holds for, by flow id. */
function limitsUnder(session: Session, links: readonly Link[]): ReadonlyMap<string, FlowLimits> {
  const poolsOf = poolsIn(session);
  const claims = links
    .flatMap(({ flows }) => flows.flows)
    .filter((flow) => flow.kind !== "data" && flow.state !== "proposed" && isLive(flow))
    .map((flow) => claimOf(flow, poolsOf(flow)))
    // Of what a network recommended once nothing is to stay.
    .filter(({ pools, flow }) => pools.length > 0 || flow.limits.source === "network")
    .toSorted((one, other) => (one.flow.id < other.flow.id ? -1 : 1));
  const shares = sharedOut(
    claims.filter(({ pools, flow }) => pools.length > 0 && flow.state !== "held"),
  );
  return new Map(
    claims.map((claim) => [
      claim.flow.id,
      withEffective(claim.flow.limits, ceilingIn(shares, claim)),
    ]),
  );
}

/** The share of a claim, with what keeps it from more; what the flow could have alone when it has no share. */
function ceilingIn({ rates, left }: Shares<FlowClaim>, claim: FlowClaim): Ceiling | undefined {
  const { own, pools } = claim;
  const bps = rates.get(claim);
  if (bps === undefined) return lowestOf(own ? [own, ...pools] : pools);
  if (bps === own?.bps) return own;
  const scarce = pools.find((pool) => left.get(pool) === 0);
  return scarce && { bps, source: scarce.source };
}

function claimOf(flow: Flow, pools: readonly Ceiling[]): FlowClaim {
  const own = ownCeiling(flow.limits);
  const isPaused = flow.forwarding === false;
  const needBps = flow.kind === "audio" ? usualRate(flow) : Number.POSITIVE_INFINITY;
  return {
    flow,
    own,
    pools,
    capBps: own?.bps ?? Number.POSITIVE_INFINITY,
    needBps: isPaused ? 0 : needBps,
    weight: WEIGHTS[flow.priority],
  };
}

/** The ceilings that a flow is under: one value for all flows that are under the same. */
function poolsIn(session: Session): (flow: Flow) => readonly Ceiling[] {
  const known = new Map<string, Ceiling | undefined>();
  const pool = (key: string, make: () => Ceiling | undefined): readonly Ceiling[] => {
    if (!known.has(key)) known.set(key, make());
    const found = known.get(key);
    return found ? [found] : [];
  };
  const { peers } = session;
  const advised = (key: string, bps: number | undefined) =>
    pool(key, () => (bps === undefined ? undefined : { bps, source: "network" }));
  return ({ link, from, to, assistance, limits: { sessionCt: ct } }) => [
    ...pool(`uplink ${from}`, () => ceilingOf(session, peers.get(from), "uplink")),
    ...pool(`downlink ${to}`, () => ceilingOf(session, peers.get(to), "downlink")),
    ...pool(`${link} ${to} ${ct}`, () =>
      ct === undefined ? undefined : { bps: bpsOfCt(ct), source: "ct" },
    ),
    ...advised(`${link} network uplink ${from}`, assistance?.[from]?.advised?.uplinkBps),
    ...advised(`${link} network downlink ${to}`, assistance?.[to]?.advised?.downlinkBps),
  ];
}
