import { z } from "zod";
import { FlowAssistance } from "./assistance/record.ts";
import { MeasuredQuality } from "./flow-quality.ts";
import { Transport } from "./transport.ts";

/**
 * Media flows as records (M4). A flow is one direction of one m-section of one link: the uplink of its
 * sender and the downlink of its receiver (F1). Schemas are the single source of the wire shape, of OpenAPI
 * and of the types. docs/media-flows.md explains them by example.
 */

export const Kind = z.enum(["audio", "video", "data"]).meta({ id: "Kind" });
export type Kind = z.infer<typeof Kind>;

export const FlowState = z
  .enum(["proposed", "negotiated", "active", "held", "ended"])
  .describe(
    "proposed: in an unanswered offer; negotiated: agreed; active: its transport is connected; held: agreed but switched off; ended: over, see reason",
  );
export type FlowState = z.infer<typeof FlowState>;

export const Priority = z.enum(["very-low", "low", "medium", "high"]);
export type Priority = z.infer<typeof Priority>;

const ms = (about: string) => z.number().describe(`${about}, milliseconds since 1970`);

export const Codec = z.object({
  pt: z.int().describe("payload type the sender must use: the receiver's (F3)"),
  name: z.string(),
  rate: z.int().describe("clock rate in Hz"),
  channels: z.int().optional(),
  fmtp: z.string().optional().describe("the receiver's parameters, verbatim"),
  role: z.enum(["primary", "rtx", "red", "fec", "cn", "dtmf"]),
});
export type Codec = z.infer<typeof Codec>;

export const MediaSource = z.object({
  ssrc: z.int(),
  rtx: z.int().optional().describe("SSRC of its retransmissions (RFC 4588)"),
  fec: z.int().optional().describe("SSRC of its forward error correction"),
  rid: z.string().optional().describe("the simulcast layer it is, where that is known"),
  previous: z.array(z.int()).optional().describe("what it was before (RFC 5576 s6.2)"),
  reported: z.literal(true).optional().describe("no description announced it; an end reported it"),
});
export type MediaSource = z.infer<typeof MediaSource>;

export const Layer = z.object({
  rid: z.string(),
  order: z.int(),
  paused: z.boolean().optional(),
  limits: z.record(z.string(), z.string()).optional(),
  ssrc: z.int().optional().describe("as an end reports it"),
});
export type Layer = z.infer<typeof Layer>;

export const FlowLimits = z.object({
  effectiveBps: z
    .int()
    .optional()
    .describe("what the sender may send, bits per second: the lowest of all that follow"),
  source: z
    .enum(["tias", "as", "ct", "layers", "request", "session", "peer", "network"])
    .optional()
    .describe("where effectiveBps comes from"),
  receiverAs: z.int().optional().describe("b=AS of the receiver, kilobits per second"),
  receiverTias: z.int().optional().describe("b=TIAS of the receiver, bits per second"),
  sessionCt: z
    .int()
    .optional()
    .describe("b=CT of the receiver's description, kilobits per second for all flows to it"),
  layersBps: z.int().optional().describe("max-br of all layers together, bits per second"),
  requestedBps: z
    .int()
    .optional()
    .describe("the lowest maxBitrateBps asked for, bits per second; `requests` says by whom"),
});
export type FlowLimits = z.infer<typeof FlowLimits>;

const Repair = z.object({
  nack: z.boolean(),
  rtx: z.boolean(),
  red: z.boolean(),
  ulpfec: z.boolean(),
  flexfec: z.boolean(),
  inbandFec: z.boolean(),
});

const Rtcp = z.object({
  mux: z.boolean().describe("on the port of RTP (RFC 5761)"),
  rsize: z.boolean().describe("reduced size, where both said so (RFC 5506)"),
  rs: z
    .int()
    .optional()
    .describe("b=RS of the receiver: bits per second for the sender's RTCP (RFC 3556)"),
  rr: z
    .int()
    .optional()
    .describe("b=RR of the sender: bits per second for the receiver's reports (RFC 3556)"),
  trrInt: z.int().optional().describe("least interval of regular reports, ms (RFC 4585 s4.2)"),
  xr: z.array(z.string()).optional().describe("extended reports that both listed (RFC 3611 s5.1)"),
  termination: z
    .boolean()
    .optional()
    .describe("whether RTCP ends at the media server, once it has said what it does"),
});

const Dscp = z.object({
  suggested: z.int().describe("RFC 8837 table 1, decimal; the endpoint marks, or not"),
  alternatives: z.array(z.int()).optional(),
  rtcp: z
    .object({
      senderReports: z.int().describe("as the media they are about"),
      receiverReports: z.int().describe("as most of what they are about"),
      feedback: z.int().describe("urgent feedback: may be one step higher"),
    })
    .optional()
    .describe("RFC 8834 s12.1.3; media flows"),
  constraint: z
    .enum(["shared-tcp", "shared-sctp"])
    .optional()
    .describe(
      "one value for all that shares it, of the highest priority: a TCP connection (to the peer or to TURN), an SCTP association",
    ),
});

export const FlowRequest = z.object({
  by: z.string().describe("id of the peer, or `application`"),
  held: z.literal(true).optional(),
  maxBitrateBps: z.int().optional(),
  priority: Priority.optional(),
  at: ms("when"),
});
export type FlowRequest = z.infer<typeof FlowRequest>;

/** What its sender made of the record. */
export const FlowApplied = z.object({
  revision: z.int().describe("of the record that was applied, the first one with this outcome"),
  held: z.boolean().optional(),
  maxBitrateBps: z.int().nullish().describe("null: no limit is set"),
  priority: Priority.optional(),
  problem: z
    .object({ code: z.string().max(64), detail: z.string().max(256) })
    .optional()
    .describe("why it could not be done"),
});
export type FlowApplied = z.infer<typeof FlowApplied>;

/** What the open offer changes of a flow that runs, if it is answered so. */
const Pending = z.object({
  exchange: z.int(),
  ends: z.literal(true).optional().describe("its section is rejected or gone"),
  held: z.boolean().optional().describe("the offer switches this direction off, or on again"),
  codecs: z.array(Codec).optional(),
  sources: z.array(MediaSource).optional(),
  layers: z.array(Layer).optional(),
  streams: z.array(z.string()).optional(),
  track: z.string().optional(),
  limits: FlowLimits.optional(),
  transport: z.string().optional(),
});

const Timing = z.object({
  createdAt: ms("when it was first proposed or agreed"),
  activeAt: ms("when it was first active").optional(),
  activeMs: z.number().describe("time it was active, up to `since`"),
  heldMs: z.number().describe("time it was held, up to `since`"),
});

const Past = z.object({ state: FlowState, reason: z.string().optional(), at: ms("when") });

export const FlowTopology = z
  .enum([
    "point-to-point",
    "mixing",
    "switching",
    "projecting",
    "transcoding",
    "relay",
    "forwarding",
    "gateway",
  ])
  .describe(
    "how the flow comes about (RFC 7667): between two peers; what a media server, or a forwarding peer, says it does; gateway where one end stands for an endpoint without WebRTC. Absent until a media server has said it",
  );
export type FlowTopology = z.infer<typeof FlowTopology>;

export const Flow = z
  .object({
    id: z.string(),
    revision: z.int(),
    link: z.string(),
    mid: z.string(),
    mLineIndex: z.int(),
    kind: Kind,
    content: z.string().optional().describe("what it shows (RFC 4796), such as `main` or `slides`"),
    from: z.string().describe("peer that sends"),
    to: z.string().describe("peer that receives"),
    views: z.array(z.object({ peer: z.string(), direction: z.enum(["uplink", "downlink"]) })),
    topology: FlowTopology.optional(),
    state: FlowState,
    reason: z.string().optional().describe("why it is in this state; the cause of `ended` (F4)"),
    stale: z
      .boolean()
      .optional()
      .describe("signalling of one end is lost, in the resume window (S5)"),
    impaired: z.boolean().optional().describe("its transport is disconnected"),
    pending: Pending.optional().describe("what the open offer would change (N4)"),
    since: ms("when it entered this state"),
    timing: Timing,
    history: z.array(Past).describe("the states before this one, newest last, at most 16"),
    exchange: z.int().describe("the exchange that last changed it"),
    profile: z.string().optional().describe("protocol of the m-line, such as UDP/TLS/RTP/SAVPF"),
    codecs: z.array(Codec),
    sources: z.array(MediaSource),
    layers: z.array(Layer),
    simulcast: z.enum(["accepted", "declined"]).optional(),
    simulcastGroup: z
      .string()
      .optional()
      .describe("equal for the flows that are one source at several rates, as the sender says"),
    streams: z.array(z.string()),
    track: z.string().optional(),
    sourceId: z
      .string()
      .optional()
      .describe("equal for the flows of one sender that carry one camera or microphone"),
    cname: z
      .string()
      .optional()
      .describe("of the sender (RFC 7022); a keyed hash outside the session"),
    syncGroup: z
      .string()
      .optional()
      .describe("equal for the flows of a link that are played in synchrony: CNAME, stream or LS"),
    feedback: z.array(z.string()),
    congestion: z
      .enum(["ccfb", "transport-cc", "remb", "none"])
      .optional()
      .describe("feedback that the sender's rate control has (RFC 8888 first); media flows"),
    repair: Repair.optional().describe("against loss; media flows"),
    headerExtensions: z.array(
      z.object({
        id: z.int(),
        uri: z.string(),
        direction: z.string().optional(),
        encrypted: z.literal(true).optional().describe("RFC 6904, or RFC 9335 (cryptex)"),
      }),
    ),
    rtcp: Rtcp.optional().describe("media flows"),
    limits: FlowLimits,
    priority: Priority,
    dscp: Dscp,
    requests: z
      .array(FlowRequest)
      .optional()
      .describe("what was asked of it and holds, one per asker"),
    applied: FlowApplied.optional().describe("what its sender made of that"),
    sctp: z
      .object({ port: z.int().optional(), maxMessageSize: z.int().optional() })
      .optional()
      .describe("data flows: the receiver's SCTP port and largest message, bytes"),
    transport: z.string().describe("id of its transport; flows with the same one share it (F6)"),
    sourceFlows: z
      .array(z.string())
      .describe("flows to its sender that it carries on: a media server's, or a forwarding peer's"),
    layer: z.string().optional().describe("rid of the layer that the media server has chosen"),
    forwarding: z.boolean().optional().describe("false while a media server pauses it"),
    assistance: z
      .record(z.string(), FlowAssistance)
      .optional()
      .describe("what a mobile network does for an end, per peer that is in one"),
    quality: z
      .record(z.string(), MeasuredQuality)
      .optional()
      .describe("latest report per reporting peer"),
  })
  .meta({ id: "Flow" });
/** The whole record of a flow: one direction of one m-section, from one sender to one receiver. */
export type Flow = z.infer<typeof Flow>;

export const FlowsView = z
  .object({ revision: z.int(), flows: z.array(Flow), transports: z.array(Transport) })
  .meta({ id: "Flows" });
/** Records of flows and of the transports they run on, at one revision. */
export type FlowsView = z.infer<typeof FlowsView>;
