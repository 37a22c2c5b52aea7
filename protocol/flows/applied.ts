import type { Flow, FlowApplied } from "../flow.ts";
import { commit } from "./commit.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { isSame } from "./same.ts";

/**
 * What the sender of a flow made of its record. Of an older revision than it told of before: nothing new. Nor is
 * the same outcome of a newer one: a client that answers every record would never come to an end.
 */
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
  if (isSame({ ...applied, revision: 0 }, { ...flow.applied, revision: 0 })) return before;
  return commit(context, before, {
    flows: before.flows.map((each) => (each === flow ? { ...flow, applied } : each)),
  });
}
