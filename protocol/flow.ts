import { z } from "zod";

/**
 * Media flows and transports as records (M4). A flow is one direction of one m-section of one link: the
 * uplink of its sender and the downlink of its receiver (F1). Schemas are the single source of the wire
 * shape, of OpenAPI and of the types.
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
  rtx: z.int().optional(),
  fec: z.int().optional(),
});
export type MediaSource = z.infer<typeof MediaSource>;

export const Layer = z.object({
  rid: z.string(),
  order: z.int(),
  paused: z.boolean().optional(),
  limits: z.record(z.string(), z.string()).optional(),
});
export type Layer = z.infer<typeof Layer>;

export const FlowLimits = z.object({
  effectiveBps: z.int().optional().describe("what the sender may send, bits per second"),
  source: z.enum(["tias", "as", "ct", "layers", "request", "session"]).optional(),
  receiverAs: z.int().optional().describe("b=AS of the receiver, kilobits per second"),
  receiverTias: z.int().optional().describe("b=TIAS of the receiver, bits per second"),
  requestedBps: z.int().optional().describe("maxBitrateBps asked for by API or by a peer"),
});
export type FlowLimits = z.infer<typeof FlowLimits>;

export const Flow = z
  .object({
    id: z.string(),
    revision: z.int(),
    link: z.string(),
    mid: z.string(),
    mLineIndex: z.int(),
    kind: Kind,
    from: z.string().describe("peer that sends"),
    to: z.string().describe("peer that receives"),
    views: z.array(z.object({ peer: z.string(), direction: z.enum(["uplink", "downlink"]) })),
    state: FlowState,
    reason: z.string().optional().describe("why it is in this state; the cause of `ended` (F4)"),
    stale: z
      .boolean()
      .optional()
      .describe("signalling of one end is lost, in the resume window (S5)"),
    impaired: z.boolean().optional().describe("its transport is disconnected"),
    since: z.number().describe("when it entered this state, milliseconds since 1970"),
    exchange: z.int().describe("the exchange that last changed it"),
    codecs: z.array(Codec),
    sources: z.array(MediaSource),
    layers: z.array(Layer),
    simulcast: z.enum(["accepted", "declined"]).optional(),
    streams: z.array(z.string()),
    track: z.string().optional(),
    cname: z.string().optional(),
    feedback: z.array(z.string()),
    headerExtensions: z.array(
      z.object({ id: z.int(), uri: z.string(), direction: z.string().optional() }),
    ),
    limits: FlowLimits,
    priority: Priority,
    dscp: z.object({ suggested: z.int(), alternatives: z.array(z.int()).optional() }),
    sctp: z
      .object({ port: z.int().optional(), maxMessageSize: z.int().optional() })
      .optional()
      .describe("data flows: the receiver's SCTP port and largest message, bytes"),
    transport: z.string().describe("id of its transport; flows with the same one share it (F6)"),
    sourceFlows: z.array(z.string()).describe("uplinks that a media server's downlink carries"),
  })
  .meta({ id: "Flow" });
export type Flow = z.infer<typeof Flow>;

export const Address = z.object({ address: z.string(), port: z.int() });
export type Address = z.infer<typeof Address>;

export const FiveTuple = z.object({
  peer: z.string().describe("written from the interface of this peer (F5)"),
  protocol: z.string(),
  local: Address.partial(),
  remote: Address.partial(),
  relay: z
    .object({
      relayed: Address.partial(),
      remote: Address.partial(),
      protocol: z.string().optional().describe("protocol between the peer and its TURN server"),
    })
    .optional()
    .describe("the hop beyond the TURN server, when the local candidate is a relay"),
});
export type FiveTuple = z.infer<typeof FiveTuple>;

/** One end of a selected pair, with the names of RTCIceCandidateStats (W3C webrtc-stats). */
export const PairEnd = z.object({
  candidateType: z.enum(["host", "srflx", "prflx", "relay"]),
  address: z.string().max(255).nullish(),
  port: z.int().min(0).max(65_535).nullish(),
  protocol: z.string().max(16).nullish(),
  relayProtocol: z.string().max(16).nullish(),
  url: z.string().max(512).nullish(),
  relatedAddress: z.string().max(255).nullish(),
  relatedPort: z.int().min(0).max(65_535).nullish(),
});
export type PairEnd = z.infer<typeof PairEnd>;

export const SelectedPair = z.object({ local: PairEnd, remote: PairEnd }).meta({ id: "Pair" });
export type SelectedPair = z.infer<typeof SelectedPair>;

export const TransportState = z.enum([
  "new",
  "checking",
  "connected",
  "disconnected",
  "failed",
  "closed",
]);
export type TransportState = z.infer<typeof TransportState>;

const CandidateCounts = z.object({
  host: z.int(),
  srflx: z.int(),
  prflx: z.int(),
  relay: z.int(),
});

export const Transport = z
  .object({
    id: z.string(),
    revision: z.int(),
    link: z.string(),
    mids: z.array(z.string()),
    iceGeneration: z.int(),
    rtcpMux: z.boolean(),
    dtls: z
      .object({ client: z.string().optional(), server: z.string().optional() })
      .describe("which peer is the DTLS client and which the server, once answered"),
    state: TransportState,
    candidates: z.record(z.string(), CandidateCounts).describe("per peer, counts by type"),
    selectedPair: z.record(z.string(), SelectedPair).optional().describe("per reporting peer"),
    fiveTuples: z.array(FiveTuple),
  })
  .meta({ id: "Transport" });
export type Transport = z.infer<typeof Transport>;
export type CandidateCounts = z.infer<typeof CandidateCounts>;

export const FlowsView = z
  .object({ revision: z.int(), flows: z.array(Flow), transports: z.array(Transport) })
  .meta({ id: "Flows" });
export type FlowsView = z.infer<typeof FlowsView>;

/** What PATCH on a flow, and the `flow` message, can change. */
export const FlowChange = z
  .strictObject({
    held: z.boolean().optional(),
    maxBitrateBps: z.int().positive().nullish(),
    priority: Priority.optional(),
  })
  .meta({ id: "FlowChange" });
export type FlowChange = z.infer<typeof FlowChange>;

export const FlowFilter = z.object({
  peer: z.string().max(64).optional(),
  direction: z.enum(["uplink", "downlink"]).optional(),
  state: FlowState.optional(),
  kind: Kind.optional(),
});
export type FlowFilter = z.infer<typeof FlowFilter>;
