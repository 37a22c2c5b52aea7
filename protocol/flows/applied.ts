import type { Flow, FlowApplied } from "../flow.ts";
import { commit } from "./commit.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";

/** What the sender of a flow made of its record. Of an older revision than it told of before: nothing new. */
export function applyFlow(
  context: FlowContext,
  before: LinkFlows,
  flow: Flow,
  { revision, held, maxBitrateBps, priority, problem }: FlowApplied,
): LinkFlows {
  if (flow.applied && revision < flow.applied.revision) return before;
  const applied: FlowApplied = {
    revision,
    ...(held === undefined ? {} : { held }),
    ...(maxBitrateBps === undefined ? {} : { maxBitrateBps }),
    ...(priority === undefined ? {} : { priority }),
    ...(problem === undefined ? {} : { problem }),
  };
  return commit(context, before, {
    flows: before.flows.map((each) => (each === flow ? { ...flow, applied } : each)),
  });
}
