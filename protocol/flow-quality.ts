import { z } from "zod";

/** What one end measures of a flow (W3C webrtc-stats). */
export const FlowQuality = z.object({
  bitrateBps: z.int().min(0).optional().describe("RTP with headers, bits per second"),
  packets: z.int().min(0).optional().describe("since the flow began"),
  packetsLost: z.int().optional().describe("since the flow began; the receiver's"),
  jitterMs: z.number().min(0).optional(),
  roundTripMs: z.number().min(0).optional(),
  framesPerSecond: z.number().min(0).optional(),
  width: z.int().min(0).optional(),
  height: z.int().min(0).optional(),
  pt: z.int().min(0).max(127).optional().describe("payload type in use"),
  limitation: z
    .enum(["none", "cpu", "bandwidth", "other"])
    .optional()
    .describe("the sender's qualityLimitationReason"),
});
export type FlowQuality = z.infer<typeof FlowQuality>;

/** The latest report of one end, with what is new in it: counters alone do not tell when something was lost. */
export const MeasuredQuality = FlowQuality.extend({
  recentLoss: z
    .object({
      lost: z.int().describe("packets"),
      of: z.int().describe("packets that were sent since the report before"),
      at: z.number().describe("when it was reported, milliseconds since 1970"),
    })
    .optional()
    .describe("since the report before this one; absent where nothing was lost, or nobody knows"),
});
export type MeasuredQuality = z.infer<typeof MeasuredQuality>;
