import { z } from "zod";
import { Advice } from "./assistance/advice-message.ts";
import { ContextChange, ContextResult } from "./context-messages.ts";
import { FlowApplied } from "./flow.ts";
import { FlowChange, FlowSources, MediaLabels } from "./flow-query.ts";
import { IceServer } from "./ice-server.ts";
import { LIMITS } from "./limits.ts";
import {
  Candidate,
  ExchangeNumber,
  Finding,
  FlowId,
  LinkView,
  MessageKey,
  PeerView,
  QualityReport,
  Withheld,
} from "./message-parts.ts";
import { SimulatedFault } from "./simulated-fault.ts";
import { TimelineEntry } from "./timeline/entry.ts";
import { DtlsReport, IceErrors, SelectedPair, Transport, TransportState } from "./transport.ts";
import { AllocationsExpire, ToldFlows, WELCOME } from "./welcome-message.ts";

/**
 * Every message of `duplex.v1`, once: validation, types of server and client, `docs/protocol.md` and
 * `/asyncapi.json` come from here. JSON text frames `{type, id?, ...}`.
 */

const id = z
  .int()
  .min(1)
  .optional()
  .describe("chosen by the sender; a request with an id gets exactly one `ack` or `problem` (R1)");
const to = z.string().min(1).max(64).describe("the peer addressed");
const centralTo = to
  .optional()
  .describe("the peer addressed; may be left out in a central session: the media server");
const exchange = ExchangeNumber;
const sdp = z.string().min(1).describe("the description, forwarded byte for byte (N9)");
const withheld = Withheld.optional();

const candidates = z.array(Candidate).max(LIMITS.candidates);
const complete = z.boolean().optional().describe("no more candidates of this generation (N5)");

const message = <T extends string, S extends z.ZodRawShape>(type: T, about: string, shape: S) =>
  z.object({ type: z.literal(type), ...shape }).describe(about);

/** What a peer may send. */
export const FROM_PEER = {
  offer: message("offer", "Starts an exchange. Its ack carries the exchange number.", {
    id,
    to: centralTo,
    sdp,
    restart: z.boolean().optional().describe("the offer restarts ICE (a hint for records)"),
    media: MediaLabels.optional(),
  }),
  answer: message("answer", "Answers the open offer of the link.", {
    id,
    to: centralTo,
    exchange,
    sdp,
    media: MediaLabels.optional(),
  }),
  candidates: message("candidates", "ICE candidates: one message per gathering burst.", {
    id,
    to: centralTo,
    exchange,
    candidates,
    complete,
  }),
  reject: message("reject", "The answerer refuses the open offer.", {
    id,
    to: centralTo,
    exchange,
    reason: z.string().max(256).optional(),
  }),
  rollback: message("rollback", "The offerer takes its open offer back.", {
    id,
    to: centralTo,
    exchange,
  }),
  transport: message("transport", "State and selected pair of a transport, as seen in getStats.", {
    id,
    to: centralTo,
    transport: z
      .string()
      .max(512)
      .optional()
      .describe("id of the transport, or a mid of it; all transports of the link when left out"),
    state: TransportState,
    pair: SelectedPair.optional(),
    rtcpPair: SelectedPair.optional().describe("of the RTCP component, where it has its own"),
    dtls: DtlsReport.optional(),
    reason: z
      .string()
      .max(64)
      .optional()
      .describe("of disconnected or failed, such as `circuit-breaker` (RFC 8083)"),
    ice: TransportState.optional().describe(
      "state of ICE alone, where it is another: connected while DTLS is not",
    ),
    iceErrors: IceErrors.optional(),
  }),
  quality: message("quality", "What the peer measures of the flows of a link.", {
    id,
    to: centralTo,
    flows: z.array(QualityReport).max(256),
  }),
  flow: message("flow", "Steers a flow that the peer sends or receives.", {
    id,
    flow: FlowId,
    ...FlowChange.shape,
  }),
  applied: message("applied", "The sender of a flow tells what it made of the record (M5).", {
    id,
    flow: FlowId,
    ...FlowApplied.shape,
  }),
  sources: message("sources", "The sender of a flow tells which flows to it the flow carries on.", {
    id,
    flow: FlowId,
    ...FlowSources.shape,
  }),
  "context-result": message("context-result", "A media server tells what it made of a context.", {
    id,
    ...ContextResult.shape,
  }),
  drain: message("drain", "A media server is about to go: it is given nothing new.", {
    id,
    successor: to.optional().describe("the media server that takes its place"),
  }),
  message: message("message", "Application data for one peer.", {
    id,
    to,
    body: z.unknown().describe("any JSON, at most 16 KiB"),
    key: MessageKey.optional(),
  }),
  alive: message("alive", "Answers `probe`.", {
    id,
    n: z.int().min(1).describe("as in the `probe`"),
  }),
  simulate: message(
    "simulate",
    "Local development only: a fault of the network on the sender's own socket.",
    { id, ...SimulatedFault.shape },
  ),
  "ice-servers": message("ice-servers", "Asks for fresh ICE servers; answered by `ice-servers`.", {
    id,
  }),
  state: message("state", "Asks for the links as the server has them, in the ack.", {
    id: id.unwrap(),
    to: centralTo.describe("only the link with this peer"),
  }),
  leave: message("leave", "Leaves the session.", { id, reason: z.string().max(256).optional() }),
} as const;

export type FromPeer = {
  [T in keyof typeof FROM_PEER]: z.infer<(typeof FROM_PEER)[T]>;
}[keyof typeof FROM_PEER];

const from = z.string().describe("the peer it comes from");
const re = z.int().describe("id of the request answered");
/** What a peer may be sent. */
export const TO_PEER = {
  welcome: message("welcome", "The first frame on every socket (R2).", WELCOME),
  ack: message("ack", "The request was done.", {
    re,
    exchange: exchange.optional().describe("of an offer"),
    links: z.array(LinkView).optional().describe("of a `state` request"),
    revision: z.int().optional().describe("of a `flow` request"),
    findings: z
      .array(Finding)
      .optional()
      .describe(
        "warnings about an offer, an answer or candidates; errors too where sdpPolicy is report",
      ),
  }),
  problem: z
    .looseObject({
      type: z.literal("problem"),
      re: re.optional(),
      code: z.string().describe("a code of the problem table"),
      title: z.string(),
      status: z.int(),
      detail: z.string(),
    })
    .describe(
      "A message was refused; nothing of it had an effect (RFC 9457). Of `candidates` only those that are broken.",
    ),
  "peer-joined": message("peer-joined", "A peer joined the session.", { peer: PeerView }),
  "peer-left": message("peer-left", "A peer left the session.", {
    peer: z.string(),
    reason: z.enum(["left", "lost", "kicked", "expired", "session-ended"]),
  }),
  offer: message("offer", "An offer from another peer.", {
    from,
    exchange,
    sdp,
    withheld,
    restart: z.boolean().optional(),
  }),
  answer: message("answer", "The answer to the peer's offer.", { from, exchange, sdp, withheld }),
  candidates: message("candidates", "Candidates of another peer.", {
    from,
    exchange,
    candidates,
    complete,
  }),
  reject: message("reject", "The peer's offer was refused; the link is as before it (N4).", {
    from,
    exchange,
    reason: z.string().optional(),
  }),
  rollback: message("rollback", "The other peer took its offer back (N4).", { from, exchange }),
  expired: message("expired", "The offer was not answered in time (N7).", {
    from: z.string().describe("the other peer of the link"),
    exchange,
  }),
  flows: message("flows", "Flows and transports that changed: records, or summaries.", {
    revision: z.int().describe("of the session after the change (F4)"),
    changed: ToldFlows,
    transports: z.array(Transport),
  }),
  "ice-servers": message("ice-servers", "Fresh ICE servers.", {
    iceServers: z.array(IceServer),
    expiresAt: z.number().optional().describe("milliseconds since 1970"),
    allocationsExpire: AllocationsExpire,
  }),
  findings: message(
    "findings",
    "What was found later, in a description or in the media it led to.",
    {
      to: z.string().describe("the other end of the link"),
      exchange,
      findings: z.array(Finding),
    },
  ),
  timeline: message("timeline", "To an observer that follows it: what has happened.", {
    entries: z.array(TimelineEntry),
    newest: z.int().describe("number of the newest entry of the session"),
  }),
  message: message("message", "Application data from another peer.", {
    from,
    body: z.unknown(),
    key: MessageKey.optional(),
  }),
  advice: message(
    "advice",
    "What a mobile network recommends for a flow is another than before: to its sender, and to each end that is in a network.",
    Advice.shape,
  ),
  context: message(
    "context",
    "To a media server: a stream it is to receive from a peer, or to send to it.",
    ContextChange.shape,
  ),
  drain: message("drain", "A media server is about to go: negotiate with another one.", {
    peer: z.string().describe("the media server"),
    successor: z.string().optional(),
  }),
  probe: message("probe", "Asks whether the peer is there and reads; answered by `alive`.", {
    n: z.int().min(1).describe("grows per socket"),
  }),
  closing: message("closing", "The server closes the socket.", {
    code: z.int().describe("the close code that follows"),
    reason: z.string(),
  }),
} as const;

export type ToPeer = {
  [T in keyof typeof TO_PEER]: z.infer<(typeof TO_PEER)[T]>;
}[keyof typeof TO_PEER];

export type Welcome = Extract<ToPeer, { type: "welcome" }>;
