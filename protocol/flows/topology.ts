import type { Flow, FlowTopology } from "../flow.ts";

/**
 * Whether RTCP ends at the sender of a flow that comes about so. A relay passes it on; who decodes, chooses
 * or renumbers must answer for what it sends itself (RFC 7667 s3, RFC 8834 s5.1).
 */
const TERMINATES: ReadonlyMap<FlowTopology | undefined, boolean> = new Map([
  ["mixing", true],
  ["switching", true],
  ["projecting", true],
  ["transcoding", true],
  ["forwarding", true],
  ["relay", false],
]);

/** The flow with where its RTCP ends, as far as its topology tells. */
export function terminated(flow: Flow): Flow {
  if (!flow.rtcp) return flow;
  const { termination: _, ...rtcp } = flow.rtcp;
  const termination = TERMINATES.get(flow.topology);
  return { ...flow, rtcp: termination === undefined ? rtcp : { ...rtcp, termination } };
}
