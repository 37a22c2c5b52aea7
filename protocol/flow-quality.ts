import { z } from "zod";

const count = (about: string) => z.int().min(0).optional().describe(about);
const span = (about: string) =>
  z.int().min(0).optional().describe(`${about}, milliseconds; absent where there was none`);

/** What an `xs:unsignedInt` of reports holds: 49 days. */
const MOST_MS = 0xffff_ffff;

/**
 * Quality of experience of one end, in the terms of TS 26.113 clause 15.2. Frame rate, bit rate, jitter and synchrony are of
 * the time that was measured, which is `measuredMs` long and ends with the report; corruption, losses and `internalMs` are since
 * the flow began. What is absent is not known; what its browser does not tell, no end makes up.
 */
export const Experience = z
  .object({
    measuredMs: z
      .int()
      .min(1)
      .max(MOST_MS)
      .describe("milliseconds, without those in which nothing came, or nobody looked"),
    corruptions: count(
      "since the flow began: freezes of the picture, or times that sound was made up for what is lost",
    ),
    corruptionMs: span("how long they were"),
    losses: count("since the flow began: spells in which packets were lost one after another"),
    framesPerSecond: z
      .number()
      .min(0)
      .optional()
      .describe("of video, on average in the measured time; of simulcast, of one layer"),
    jitters: count("in the measured time: when playback went by another clock than the media did"),
    jitterMs: span("how long they were"),
    syncLosses: count(
      "of video, in the measured time: when its sound was heard too early or too late",
    ),
    syncLossMs: span("how long they were"),
    internalMs: z
      .int()
      .min(0)
      .optional()
      .describe(
        "milliseconds from the arrival of media to its playback, on average since the flow began",
      ),
    codecBps: z
      .int()
      .min(0)
      .optional()
      .describe("bits per second of media without headers, on average in the measured time"),
  })
  .meta({ id: "Experience" });
export type Experience = z.infer<typeof Experience>;

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
  qoe: Experience.optional(),
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
  qoe: Experience.extend({
    at: z.number().describe("when it was reported, milliseconds since 1970"),
  }).optional(),
});
export type MeasuredQuality = z.infer<typeof MeasuredQuality>;
