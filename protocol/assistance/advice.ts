import type { Flow } from "../flow.ts";
import { isLive } from "../flows/commit.ts";
import { type Effect, isConnected, type Link, type Session, type Step } from "../session.ts";
import { ofLink } from "../timeline/timeline.ts";
import type { Advice } from "./advice-message.ts";

/** What a network has to say of a flow. */
interface Word {
  /** The end that is in the network. */
  readonly peer: string;
  readonly isImpaired: boolean;
  readonly bitrateBps?: number;
}

/**
 * The step with what networks recommend: of every flow of which that is another than before, to whoever sends it, and to
 * each end that is in a network. Media servers and HTTP clients are told by contexts and by nothing.
 */
export function withAdvice(before: Session, step: Step): Step {
  const { session } = step;
  const advice = [...session.links.values()].flatMap((link) => {
    const former = before.links.get(link.id)?.flows;
    if (link.flows === former || !(link.flows.assistance ?? former?.assistance)) return [];
    const known = new Map(former?.flows.map((flow) => [flow.id, flow]));
    return link.flows.flows.flatMap((flow) => newsOf(session, flow, known.get(flow.id)));
  });
  return advice.length === 0 ? step : { ...step, effects: [...step.effects, ...advice] };
}

function newsOf(session: Session, flow: Flow, former: Flow | undefined): readonly Effect[] {
  const known = former && wordOn(former);
  const word = wordOn(flow);
  const peer = word?.peer ?? known?.peer;
  if (peer === undefined || flow.state === "ended" || isEqual(word, known)) return [];
  const message = { type: "advice", ...adviceOn(flow, peer, word?.bitrateBps) } as const;
  return [...new Set([flow.from, peer, ...endsOf(former), ...endsOf(flow)])]
    .filter((to) => isTold(session, to))
    .map((to) => ({ type: "send", to, message }));
}

/** Those in networks: who was told of its own is told, too, when the word of the other one is what counts. */
const endsOf = (flow: Flow | undefined): readonly string[] => Object.keys(flow?.assistance ?? {});

/**
 * The step with which a peer is back that reads no whole records: an endpoint of SWAP, or who is told of flows briefly. With
 * the word that holds now for every flow that it sends, and of the latter for all where its own network does something: what
 * was said while it was away reached nobody, and no welcome says it. Without a rate where nothing limits a flow that may have
 * been limited before.
 */
export function withWordsOnReturn(step: Step, id: string): Step {
  const { session } = step;
  const peer = session.peers.get(id);
  const isBrief = peer?.role === "peer" && peer.asked?.flows === "brief";
  if (!isBrief && !peer?.endpoint) return step;
  const words = [...session.links.values()].flatMap((link) => {
    const assisted = link.peers.includes(id) ? assistedIn(session, link) : NOBODY;
    const isOfOwn = isBrief && assisted.has(id);
    return link.flows.flows
      .filter((flow) => assisted.size > 0 && isAgreed(flow) && (isOfOwn || flow.from === id))
      .map(newestWord);
  });
  const effects = words.map((message): Effect => ({ type: "send", to: id, message }));
  return { ...step, effects: [...step.effects, ...effects] };
}

const isAgreed = (flow: Flow): boolean => isLive(flow) && flow.state !== "proposed";

const NOBODY: ReadonlySet<string> = new Set();

/** The ends of a link for which a network does something, or has done, as far as is remembered. */
function assistedIn({ timeline }: Session, { id, flows }: Link): ReadonlySet<string> {
  const said = timeline.rings.get(ofLink(id)) ?? [];
  const former = said.flatMap((entry) => (entry.type === "assistance" ? entry.peer : []));
  return new Set([...Object.keys(flows.assistance ?? {}), ...former]);
}

function newestWord(flow: Flow): { readonly type: "advice" } & Advice {
  const word = wordOn(flow);
  const peer = word?.peer ?? Object.keys(flow.assistance ?? {})[0] ?? flow.from;
  return { type: "advice", ...adviceOn(flow, peer, word?.bitrateBps) };
}

function isTold({ peers }: Session, id: string): boolean {
  const peer = peers.get(id);
  return isConnected(peer) && peer?.role === "peer" && peer.http === undefined;
}

function adviceOn(
  { id: flow, mid, assistance }: Flow,
  peer: string,
  bitrateBps: number | undefined,
): Advice {
  const record = assistance?.[peer];
  return {
    flow,
    mid,
    peer,
    ...(record && { network: record.network, state: record.state }),
    ...(record?.reason !== undefined && { reason: record.reason }),
    ...(bitrateBps !== undefined && { bitrateBps }),
  };
}

const isEqual = (one: Word | undefined, other: Word | undefined): boolean =>
  one?.peer === other?.peer &&
  one?.isImpaired === other?.isImpaired &&
  one?.bitrateBps === other?.bitrateBps;

/**
 * Of two ends that are in networks, the one that is recommended less, else the one whose network cannot hold what it granted.
 * The rate is that of the flow, whatever limits it to less: who knows of advice only would take no limit for the lower one.
 * What is only offered nobody steers, nor the rate of data.
 */
function wordOn({ kind, state, from, to, assistance = {}, limits }: Flow): Word | undefined {
  if (state === "proposed") return undefined;
  const ends = [
    { peer: from, bps: assistance[from]?.advised?.uplinkBps },
    { peer: to, bps: assistance[to]?.advised?.downlinkBps },
  ].map(({ peer, bps = Number.POSITIVE_INFINITY }) => ({
    peer,
    bps,
    isImpaired: assistance[peer]?.state === "impaired",
  }));
  const [one, other] = ends as [(typeof ends)[0], (typeof ends)[0]];
  const { peer, bps, isImpaired } = other.bps < one.bps ? other : one;
  const { effectiveBps } = limits;
  if (kind !== "data" && Number.isFinite(bps) && effectiveBps !== undefined) {
    return { peer, isImpaired, bitrateBps: effectiveBps };
  }
  const impaired = ends.find((end) => end.isImpaired);
  return impaired && { peer: impaired.peer, isImpaired: true };
}
