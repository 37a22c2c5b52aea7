import { commit, isLive } from "./commit.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";

/** Marks the live flows when the signalling of one end is lost, and takes the mark off again (S5). */
export function markStale(context: FlowContext, before: LinkFlows, stale: boolean): LinkFlows {
  return commit(context, before, {
    flows: before.flows.map((flow) =>
      isLive(flow) ? { ...flow, stale: stale ? true : undefined } : flow,
    ),
  });
}
