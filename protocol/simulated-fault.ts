import { z } from "zod";
import { type Problem, problem } from "./problem.ts";

/**
 * A fault of the network that a developer asks for, against a client under test. Only in local development
 * (`LOCAL_DEV`): everywhere else it is refused.
 */
export const SimulatedFault = z.object({
  fault: z
    .enum(["drop", "half-open", "evict", "abort", "duplicate", "reorder", "delay"])
    .describe(
      "drop: the socket is cut. half-open: it stays open, but nothing goes through it any more, in either direction. evict: the session's object forgets all it has in memory. abort: it is restarted, all sockets of the session are cut. duplicate, reorder, delay: of the next frames",
    ),
  direction: z
    .enum(["to-server", "to-peer", "both"])
    .optional()
    .describe("of duplicate, reorder and delay; both when left out"),
  count: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe("of duplicate, reorder and delay: how many frames; 1 when left out"),
  delayMs: z
    .int()
    .min(0)
    .max(60_000)
    .optional()
    .describe("of delay, milliseconds; 1000 when left out"),
});
export type SimulatedFault = z.infer<typeof SimulatedFault>;

export const notSimulated = (): Problem =>
  problem("not-permitted", "faults are simulated in local development only (LOCAL_DEV)");
