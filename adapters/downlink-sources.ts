import type { Context, ManagedLink, ManagedState, Source, Wanted } from "./managed-state.ts";
import type { LayerChoice } from "./media-backend.ts";

/** Which track a receiver is sent, and which layer of it. */

/** Without a limit of the sender's own: what a camera of 720 lines takes. */
const USUAL_VIDEO_BPS = 2_500_000;

/** Each layer has half the width and height of the one before: a quarter of the rate. */
const LAYER_STEP = 4;

/** A publication that can be received. */
const isLive = (link: ManagedLink | undefined, mid: string | undefined): boolean => {
  const publication = mid === undefined ? undefined : link?.publications[mid];
  return publication !== undefined && publication.fault === undefined && !publication.ended;
};

/** The track behind an uplink's flow; undefined as long as there is none. */
export function sourceOf(
  state: ManagedState,
  flow: string,
  maxBitrateBps?: number,
): Source | undefined {
  const uplink = state.contexts[flow];
  if (uplink?.direction !== "uplink" || uplink.mid === undefined) return undefined;
  const link = state.links[uplink.peer];
  const publication = link?.publications[uplink.mid];
  if (!publication || link?.session === undefined || !isLive(link, uplink.mid)) return undefined;
  const layer = layerFor(uplink, maxBitrateBps);
  return {
    flow,
    session: link.session,
    name: publication.name,
    ...(layer === undefined ? {} : { layer }),
  };
}

/**
 * The best layer whose usual rate is within the limit, else the smallest. Layers come in the order in which the
 * sender prefers them (RFC 8853 s5.2).
 */
function layerFor(uplink: Context, maxBitrateBps: number | undefined): LayerChoice | undefined {
  const rids = uplink.layers?.map(({ rid }) => rid) ?? [];
  const last = rids.at(-1);
  if (last === undefined || rids.length < 2) return undefined;
  const best = uplink.maxBitrateBps ?? USUAL_VIDEO_BPS;
  const fits = rids.find(
    (_rid, at) => maxBitrateBps === undefined || best / LAYER_STEP ** at <= maxBitrateBps,
  );
  // The API can fall back to rids that come later in the alphabet, and to no others.
  const ranked = rids.every((rid, at) => at === 0 || (rids[at - 1] ?? "") < rid);
  return { rid: fits ?? last, ranked };
}

/** The source of a downlink: the one it has if it may keep it, else the newest that is there. */
export function sourceFor(
  state: ManagedState,
  { sourceFlows = [], maxBitrateBps }: Pick<Context, "sourceFlows" | "maxBitrateBps">,
  current?: Source,
): Source | undefined {
  const flows = [...sourceFlows].reverse();
  const kept = current && flows.includes(current.flow) ? [current.flow] : [];
  for (const flow of [...kept, ...flows]) {
    const source = sourceOf(state, flow, maxBitrateBps);
    if (source) return source;
  }
  return undefined;
}

/**
 * What a player is sent that has just offered: its contexts are opened after the answer, so the newest publisher of
 * most kinds is taken, and changed later if the contexts say otherwise.
 */
export function sourcesForPlayer(
  state: ManagedState,
  link: ManagedLink,
  kinds: ReadonlySet<"audio" | "video">,
): readonly Omit<Wanted, "context">[] {
  let chosen: readonly Omit<Wanted, "context">[] = [];
  const byPeer = new Map<string, Map<string, Omit<Wanted, "context">>>();
  for (const { direction, peer, kind, context } of Object.values(state.contexts)) {
    if (direction !== "uplink" || kind === "data" || !isFor(link, peer)) continue;
    if (!kinds.has(kind) || !link.peer.subscribe.includes(kind)) continue;
    const source = sourceOf(state, context);
    if (!source) continue;
    const own = byPeer.get(peer) ?? new Map<string, Omit<Wanted, "context">>();
    byPeer.set(peer, own.set(kind, { kind, source }));
    if (own.size >= chosen.length) chosen = [...own.values()];
  }
  return chosen;
}

const isFor = ({ peer: { id, plays } }: ManagedLink, publisher: string): boolean =>
  plays === undefined ? publisher !== id : publisher === plays;

/** True when the receiver has to be told of no change. */
export const sameSource = (one: Source, other: Source): boolean =>
  one.session === other.session && one.name === other.name && one.layer?.rid === other.layer?.rid;
