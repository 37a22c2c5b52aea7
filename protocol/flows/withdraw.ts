import { commit, ended } from "./commit.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";

/** Why an offer went without an answer. */
export type Withdrawal = "rejected" | "rolled-back" | "expired" | "superseded";

/** The open offer is gone: what it proposed ends for that reason, all else is as before it (N4). */
export function withdrawFlows(
  context: FlowContext,
  before: LinkFlows,
  reason: Withdrawal,
): LinkFlows {
  return commit(context, before, {
    flows: before.flows.map((flow) =>
      flow.state === "proposed" ? ended(context, flow, reason) : flow,
    ),
  });
}
