import type { Flow } from "../flow.ts";
import type { Description } from "../sdp/description.ts";
import type { Section } from "../sdp/section.ts";
import { offeredPlaces } from "./agreed-pair.ts";
import { bundlesOf, transportOf } from "./bundle.ts";
import { codecsOf } from "./codecs.ts";
import { commit } from "./commit.ts";
import { agreedLimits } from "./flow-limits.ts";
import { forget } from "./forget.ts";
import { isOf, newTransportId, type Place } from "./identity.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { newFlow, type Route, routesOf } from "./new-flow.ts";
import { identityOf, sctpOf, sourcesOf } from "./terms.ts";

/**
 * An offer came: sections that are new propose a flow for each direction the offer wants. Running flows
 * are as before; what a re-offer changes of them shows with its answer (media-flows.md section 4).
 *
 * A proposed flow names the transport it would have; the record of a new one comes with the answer.
 */
export function proposeFlows(
  context: FlowContext,
  before: LinkFlows,
  offer: Description,
  offerer: string,
): LinkFlows {
  const proposed = offeredPlacements(context, before, offer).flatMap(({ place, transport }) => {
    const { kind, offered } = place;
    if (kind === undefined || before.flows.some((flow) => isOf(flow, place))) return [];
    const [forward, backward] = routesOf(context, offerer);
    const propose = (route: Route, own: Partial<Flow>): Flow => ({
      ...newFlow(context, before, { ...place, kind }, route),
      ...mediaOf(offered, kind),
      ...own,
      transport,
    });
    return [
      ...(sends(offered) ? [propose(forward, sentBy(offered, offer))] : []),
      ...(receives(offered) ? [propose(backward, receivedBy(offered, offer, kind))] : []),
    ];
  });
  if (proposed.length === 0) return before;
  const { flows, transports, forgotten } = forget(before);
  return commit(context, before, { flows: [...flows, ...proposed], transports, forgotten });
}

/** Whether a section sends. */
export const sends = ({ direction }: Section): boolean =>
  direction === "sendrecv" || direction === "sendonly";
/** Whether a section receives. */
export const receives = ({ direction }: Section): boolean =>
  direction === "sendrecv" || direction === "recvonly";

function mediaOf(section: Section, kind: Flow["kind"]): Partial<Flow> {
  return kind === "data" ? {} : { codecs: [...codecsOf(section)] };
}

function sentBy(section: Section, offer: Description): Partial<Flow> {
  const { streams = [], track, cname } = identityOf(section, offer);
  return {
    sources: sourcesOf(section),
    streams,
    ...(track === undefined ? {} : { track }),
    ...(cname === undefined ? {} : { cname }),
  };
}

function receivedBy(section: Section, offer: Description, kind: Flow["kind"]): Partial<Flow> {
  return {
    limits: agreedLimits(section, offer, [], undefined),
    ...(kind === "data" ? { sctp: sctpOf(section) } : {}),
  };
}

interface OfferedPlacement {
  readonly place: Place & { readonly offered: Section };
  /** Id of the transport that the offer's BUNDLE groups ask for. */
  readonly transport: string;
}

function offeredPlacements(
  context: FlowContext,
  before: LinkFlows,
  offer: Description,
): readonly OfferedPlacement[] {
  const placements: OfferedPlacement[] = [];
  const claimed = new Set<string>();
  for (const bundle of bundlesOf(offer, offeredPlaces(offer))) {
    const known = transportOf(before, bundle, claimed);
    const transport = known?.id ?? newTransportId(context, before, bundle[0]);
    claimed.add(transport);
    placements.push(...bundle.map((place) => ({ place, transport })));
  }
  return placements.toSorted((one, other) => one.place.index - other.place.index);
}
