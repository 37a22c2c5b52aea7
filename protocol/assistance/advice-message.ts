import { z } from "zod";
import { FlowId } from "../message-parts.ts";
import { AssistanceState } from "./record.ts";

/** What a mobile network recommends for one flow. docs/media-flows.md tells what follows from it. */
export const Advice = z.object({
  flow: FlowId,
  mid: z.string().describe("its m-section"),
  peer: z.string().describe("the end whose network it is: sender or receiver of the flow"),
  network: z.string().optional().describe("absent where it does nothing for that end any more"),
  state: AssistanceState.optional().describe(
    "what the network does for that end; `impaired`: it cannot hold what it granted",
  ),
  reason: z.string().optional().describe("why, in the words of the network"),
  bitrateBps: z
    .int()
    .optional()
    .describe(
      "what the flow is to take at most, bits per second: its share of what is recommended, or less where something else limits it to less; absent: the network recommends no rate",
    ),
});
export type Advice = z.infer<typeof Advice>;
