import { z } from "zod";
import { Kind, Priority } from "./flow.ts";
import { SelectedPair, TransportState } from "./transport.ts";

/** Stream contexts between the server and a media server (M7). docs/media-server.md tells how they are used. */

const ContextId = z.string().min(1).max(600).describe("id of the context; means nothing by itself");

const ContextHead = z.object({
  context: ContextId,
  direction: z
    .enum(["uplink", "downlink"])
    .describe("as the peer sees it: it sends an uplink and receives a downlink"),
  peer: z.string(),
});

/** What a media server is asked to receive from a peer, or to send to it. */
export const StreamContext = ContextHead.extend({
  revision: z.int().describe("grows with every change; the result names it"),
  kind: Kind,
  flow: z.string().optional().describe("id of the flow, once there is one"),
  mid: z.string().optional().describe("its m-section on the link with the peer"),
  sourceFlows: z
    .array(z.string())
    .optional()
    .describe("of a downlink: the uplinks that may feed it, each by the id of its flow"),
  layers: z
    .array(z.object({ rid: z.string() }))
    .optional()
    .describe("of an uplink: the simulcast layers that were accepted, in their order"),
  held: z.boolean().describe("nothing is to be sent now"),
  maxBitrateBps: z
    .int()
    .optional()
    .describe("what may be sent at most, bits per second: of a downlink it decides the layer"),
  priority: Priority,
});
export type StreamContext = z.infer<typeof StreamContext>;

/** What becomes of a context. One that closes has its head and a reason; others have all but that. */
export const ContextChange = StreamContext.partial({
  revision: true,
  kind: true,
  held: true,
  priority: true,
}).extend({
  op: z.enum(["open", "update", "close"]),
  reason: z.string().optional().describe("of `close`: why its flow has ended, or `unsubscribed`"),
});
export type ContextChange = z.infer<typeof ContextChange>;

/** Why a media server does not do what a context asks. */
export const ContextCause = z.enum([
  "no-capacity",
  "unsupported-codec",
  "unknown-source",
  "transport-failed",
  "other",
]);
export type ContextCause = z.infer<typeof ContextCause>;

const ssrc = z.int().min(0).max(0xffffffff);

/** What a media server makes of a context. */
export const ContextResult = z.object({
  context: ContextId,
  revision: z.int().min(0).describe("of the context that it is about"),
  outcome: z.enum(["granted", "refused"]),
  maxBitrateBps: z
    .int()
    .positive()
    .optional()
    .describe("what is granted, where it is less than what was asked, bits per second"),
  sources: z
    .array(z.object({ ssrc, rtx: ssrc.optional(), rid: z.string().max(256).optional() }))
    .max(64)
    .optional()
    .describe("SSRCs in use, of a context that has a flow"),
  transport: z
    .object({ state: TransportState, pair: SelectedPair.optional() })
    .optional()
    .describe("of the link with the peer, as in `transport`"),
  cause: ContextCause.optional().describe("of `refused`"),
  detail: z.string().max(256).optional(),
});
export type ContextResult = z.infer<typeof ContextResult>;

/** A context and what its media server made of it, for whoever reads. */
export const ContextRecord = StreamContext.extend({
  server: z.string().describe("the media server"),
  result: z
    .object({
      revision: z.int(),
      outcome: z.enum(["granted", "refused"]),
      maxBitrateBps: z.int().optional(),
      cause: ContextCause.optional(),
      detail: z.string().optional(),
      at: z.number().describe("when it was told, milliseconds since 1970"),
    })
    .optional()
    .describe("absent where the media server has said nothing but that it does what was asked"),
}).meta({ id: "StreamContext" });
export type ContextRecord = z.infer<typeof ContextRecord>;
