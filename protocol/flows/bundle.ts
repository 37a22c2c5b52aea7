import type { Description } from "../sdp/description.ts";
import type { Transport } from "../transport.ts";
import { labelOf, liveFlowsOf, type Place } from "./identity.ts";
import type { LinkFlows } from "./link-flows.ts";

/** Sections that share a transport; the first is the tagged one (RFC 9143 s7). */
export type Bundle<P extends Place> = readonly [P, ...P[]];

/** Every place in exactly one bundle, by the BUNDLE groups of a description; alone when in none. */
export function bundlesOf<P extends Place>(
  { bundles }: Description,
  places: readonly P[],
): readonly Bundle<P>[] {
  const free = new Map(places.map((place) => [place.mid, place]));
  const grouped = bundles.flatMap((mids): Bundle<P>[] => {
    const [tag, ...others] = mids
      .map((mid) => {
        const place = free.get(mid);
        free.delete(mid);
        return place;
      })
      .filter((place) => place !== undefined);
    return tag ? [[tag, ...others]] : [];
  });
  const taken = new Set(grouped.flat());
  return [...grouped, ...places.filter((place) => !taken.has(place)).map((place): [P] => [place])];
}

/** The open transport that a bundle continues: the one its first known section runs on. */
export function transportOf(
  before: LinkFlows,
  bundle: Bundle<Place>,
  claimed: { has(id: string): boolean },
): Transport | undefined {
  const open = before.transports.filter(({ state, id }) => state !== "closed" && !claimed.has(id));
  for (const place of bundle) {
    const carried = liveFlowsOf(before.flows, place)[0]?.transport;
    const found = open.find(({ id, mids }) => id === carried || mids.includes(labelOf(place)));
    if (found) return found;
  }
  return undefined;
}
