import type { Flow, FlowFilter } from "../flow.ts";

/**
 * The flows that fit all members of a filter.
 *
 * `direction` is meant as `peer` sees it: its uplinks are what it sends. Without a peer it is meant as
 * seen by any peer that has a view of the flow, so between two peers every flow is both.
 */
export function filterFlows(flows: readonly Flow[], filter: FlowFilter): Flow[] {
  const { peer, direction, state, kind } = filter;
  return flows.filter(
    (flow) =>
      (state === undefined || flow.state === state) &&
      (kind === undefined || flow.kind === kind) &&
      hasView(flow, peer, direction),
  );
}

function hasView(flow: Flow, peer: string | undefined, direction: FlowFilter["direction"]) {
  return flow.views.some(
    (view) =>
      (peer === undefined || view.peer === peer) &&
      (direction === undefined || view.direction === direction),
  );
}
