import type { Description } from "../sdp/description.ts";
import type { Section } from "../sdp/section.ts";
import { offeredPlaces } from "./agreed-pair.ts";
import { bundlesOf, transportOf } from "./bundle.ts";
import { newTransportId, type Place } from "./identity.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";

/** A section that an offer uses, and where it would run. */
export interface OfferedPlacement {
  readonly place: Place & { readonly offered: Section };
  /** Id of the transport that the BUNDLE groups of the description ask for. */
  readonly transport: string;
}

/** The sections a description uses, in order, by its BUNDLE groups; an answer may place them otherwise. */
export function offeredPlacements(
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
