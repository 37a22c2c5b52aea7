import { commit, ended, isLive } from "./commit.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { stated } from "./transport-state.ts";

/** The link is over: every flow ends for `reason` (such as `left`), every transport closes. */
export function endFlows(context: FlowContext, before: LinkFlows, reason: string): LinkFlows {
  return commit(context, before, {
    flows: before.flows.map((flow) => (isLive(flow) ? ended(context, flow, reason) : flow)),
    transports: before.transports.map((transport) => stated(context, transport, "closed")),
    switchedOff: undefined,
    sourceless: undefined,
    labels: undefined,
    assistance: undefined,
  });
}
