import { z } from "zod";
import { FlowDetail } from "./flow-summary.ts";

/** What a socket asks for by the query of its address. What it does not name is as it is for everybody. */
export const SocketRequest = z.object({
  fresh: z
    .literal("true")
    .optional()
    .describe("the peer has lost its state: it does not resume, it leaves and joins anew"),
  flows: FlowDetail.optional(),
  timeline: z
    .literal("true")
    .optional()
    .describe("of an observer: it is told what happens, by `timeline` messages"),
  defaults: z
    .literal("omit")
    .optional()
    .describe("leaves members of `welcome` and `peer-joined` out that have their usual values"),
});
export type SocketRequest = z.infer<typeof SocketRequest>;
