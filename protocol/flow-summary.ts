import { z } from "zod";
import { Flow, FlowLimits, Priority } from "./flow.ts";

/** How much a peer is told of flows while it is connected; it says so when it connects. */
export const FlowDetail = z
  .enum(["full", "brief"])
  .describe(
    "full: whole records, whenever anything of one changes; brief: FlowSummary of each flow that runs or has run, is held, or of which something is asked, when that changes, and no transports",
  );
export type FlowDetail = z.infer<typeof FlowDetail>;

/**
 * What steering needs of a flow, and what it is: the members of `Flow` with the same names and values. Whatever else
 * a record has is left out; `revision` is that of the record when it was told.
 */
export const FlowSummary = Flow.pick({
  id: true,
  revision: true,
  mid: true,
  kind: true,
  content: true,
  from: true,
  to: true,
  state: true,
  reason: true,
  simulcastGroup: true,
  requests: true,
  applied: true,
})
  .extend({
    limits: FlowLimits.pick({ effectiveBps: true })
      .optional()
      .describe("absent where the sender has no limit"),
    priority: Priority.optional().describe("absent where nobody asked for one"),
    sourceFlows: Flow.shape.sourceFlows.optional().describe("absent where it carries on no flow"),
  })
  .meta({ id: "FlowSummary" });
export type FlowSummary = z.infer<typeof FlowSummary>;
