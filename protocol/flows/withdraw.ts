import { commit, ended } from "./commit.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { withoutPending } from "./pending.ts";

/** Why an offer went without an answer, or without one that can be read. */
export type Withdrawal = "rejected" | "rolled-back" | "expired" | "superseded" | "not-accepted";

/**
 * The open offer is gone: what it proposed ends for that reason, what it would have changed of running
 * flows is dropped, all else is as before it (N4).
 */
export function withdrawFlows(
  context: FlowContext,
  before: LinkFlows,
  reason: Withdrawal,
): LinkFlows {
  return commit(context, before, {
    flows: withoutPending(before.flows).map((flow) =>
      flow.state === "proposed" ? ended(context, flow, reason) : flow,
    ),
  });
}
