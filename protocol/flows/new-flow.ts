import type { Flow, Kind } from "../flow.ts";
import { dscpOf } from "./dscp.ts";
import { newFlowId, type Place } from "./identity.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { DEFAULT_PRIORITY } from "./requests.ts";

/** The two peers of a flow. */
export interface Route {
  readonly from: string;
  readonly to: string;
}

/** Both directions of a link, the offerer's first. */
export function routesOf({ peers }: FlowContext, offerer: string): readonly [Route, Route] {
  const answerer = peers[0] === offerer ? peers[1] : peers[0];
  return [
    { from: offerer, to: answerer },
    { from: answerer, to: offerer },
  ];
}

/** A flow as it is when only its place and route are known: low priority is the W3C's default. */
export function newFlow(
  context: FlowContext,
  before: LinkFlows,
  place: Place & { readonly kind: Kind },
  { from, to }: Route,
): Flow {
  const views: Flow["views"] = [
    { peer: from, direction: "uplink" },
    { peer: to, direction: "downlink" },
  ];
  return {
    id: newFlowId(context, before, place, from),
    revision: 0,
    link: context.link,
    mid: place.mid ?? "",
    mLineIndex: place.index,
    kind: place.kind,
    from,
    to,
    views: views.filter(({ peer }) => peer !== context.mediaServer),
    ...(context.topology === undefined ? {} : { topology: context.topology }),
    state: "proposed",
    ...(context.isStale ? { stale: true } : {}),
    since: context.at,
    timing: { createdAt: context.at, activeMs: 0, heldMs: 0 },
    history: [],
    exchange: context.exchange,
    codecs: [],
    sources: [],
    layers: [],
    streams: [],
    feedback: [],
    headerExtensions: [],
    limits: {},
    priority: DEFAULT_PRIORITY,
    dscp: dscpOf(place.kind, DEFAULT_PRIORITY),
    transport: "",
    sourceFlows: [],
  };
}
