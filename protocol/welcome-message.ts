import { z } from "zod";
import { Flow } from "./flow.ts";
import { FlowSummary } from "./flow-summary.ts";
import { IceServer } from "./ice-server.ts";
import { LinkSummary, PeerView } from "./message-parts.ts";
import { Transport } from "./transport.ts";

/** What `welcome` is made of. */

export const AllocationsExpire = z
  .literal(true)
  .optional()
  .describe("relays end with the credentials they were allocated with: restart ICE before that");
export type AllocationsExpire = z.infer<typeof AllocationsExpire>;

export const ToldFlows = z
  .array(z.union([Flow, FlowSummary]))
  .describe("whole records, or summaries for a socket that asked for them (`?flows=brief`)");
export type ToldFlows = z.infer<typeof ToldFlows>;

export const WELCOME = {
  peer: PeerView,
  session: z.object({
    id: z.string(),
    topology: z.enum(["mesh", "central"]),
    iceTransportPolicy: z.enum(["all", "relay"]),
    sdpPolicy: z.enum(["enforce", "report"]),
    resumeSeconds: z.int(),
    createdAt: z.number(),
    metadata: z.record(z.string(), z.unknown()).optional(),
  }),
  resumed: z.boolean().describe("the peer was in the session already"),
  limits: z.object({
    messageBytes: z.int(),
    sdpBytes: z.int(),
    bodyBytes: z.int(),
    candidates: z.int().describe("of one peer in one exchange"),
    candidateBytes: z.int().describe("of these candidates together"),
    pendingOfferBytes: z.int().describe("offers of the peer that wait for answers, together"),
    sessionSdpBytes: z.int().describe("descriptions of the session, together"),
    messagesPerSecond: z.int(),
    messageBurst: z.int(),
    peers: z.int(),
    offerExpirySeconds: z.int(),
  }),
  iceServers: z.array(IceServer),
  iceServersExpireAt: z.number().optional().describe("milliseconds since 1970"),
  allocationsExpire: AllocationsExpire,
  peers: z.array(PeerView).describe("the other peers"),
  links: z.array(LinkSummary),
  flows: z
    .object({
      revision: z.int(),
      flows: ToldFlows,
      transports: z.array(Transport),
    })
    .describe(
      "what the peer may read: live flows and the 64 newest ended ones, with their transports; `flows` events follow on from here, GET .../flows has all",
    ),
  tokenExpiresAt: z.number(),
} as const;
