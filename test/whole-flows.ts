import type { Flow } from "../protocol/flow.ts";
import type { FlowSummary } from "../protocol/flow-summary.ts";

/** The records that somebody was told who asked for whole ones; throws when one is not whole. */
export const wholeFlows = (told: readonly (Flow | FlowSummary)[] = []): Flow[] =>
  told.map((flow) => {
    if (!("codecs" in flow)) throw new Error(`${flow.id} is told briefly`);
    return flow;
  });
