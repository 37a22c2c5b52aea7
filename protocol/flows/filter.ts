import type { Flow } from "../flow.ts";
import type { FlowFilter } from "../flow-query.ts";

/**
 * The flows that fit all members of a filter.
 *
 * `direction` is meant as `peer` sees it: its uplinks are what it sends. Without a peer it is meant as
 * in `views`: between two peers every flow is both, with a media server it is what the other end sees.
 */
export function filterFlows(flows: readonly Flow[], filter: FlowFilter): Flow[] {
  const { state, kind } = filter;
  return flows.filter(
    (flow) =>
      (state === undefined || flow.state === state) &&
      (kind === undefined || flow.kind === kind) &&
      directionsOf(flow, filter.peer).some(
        (direction) => filter.direction === undefined || direction === filter.direction,
      ),
  );
}

function directionsOf(
  { views, from, to }: Flow,
  peer: string | undefined,
): readonly ("uplink" | "downlink")[] {
  if (peer === undefined) return views.map(({ direction }) => direction);
  if (peer === from) return ["uplink"];
  return peer === to ? ["downlink"] : [];
}
