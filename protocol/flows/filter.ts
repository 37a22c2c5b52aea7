import type { Flow } from "../flow.ts";
import type { FlowFilter } from "../flow-query.ts";
import type { Transport } from "../transport.ts";
import { fitsTuple, isTupleAsked } from "./tuple-filter.ts";

/**
 * The flows that fit all members of a filter. Those of a 5-tuple are found by their transport.
 *
 * `direction` is meant as `peer` sees it: its uplinks are what it sends. Without a peer it is meant as
 * in `views`: between two peers every flow is both, with a media server it is what the other end sees.
 */
export function filterFlows(
  flows: readonly Flow[],
  filter: FlowFilter,
  transports: readonly Transport[] = [],
): Flow[] {
  const { state, kind, transport } = filter;
  const carriers = isTupleAsked(filter)
    ? new Set(transports.filter((one) => fitsTuple(one, filter)).map(({ id }) => id))
    : undefined;
  return flows.filter(
    (flow) =>
      (state === undefined || flow.state === state) &&
      (kind === undefined || flow.kind === kind) &&
      (transport === undefined || flow.transport === transport) &&
      (carriers === undefined || carriers.has(flow.transport)) &&
      directionsOf(flow, filter.peer).some(
        (direction) => filter.direction === undefined || direction === filter.direction,
      ),
  );
}

/** Whether anything is asked for: without a filter, transports that no flow runs on are read as well. */
export const isFilter = (filter: FlowFilter): boolean =>
  Object.values(filter).some((member) => member !== undefined);

function directionsOf(
  { views, from, to }: Flow,
  peer: string | undefined,
): readonly ("uplink" | "downlink")[] {
  if (peer === undefined) return views.map(({ direction }) => direction);
  if (peer === from) return ["uplink"];
  return peer === to ? ["downlink"] : [];
}
