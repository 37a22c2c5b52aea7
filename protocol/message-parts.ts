import { z } from "zod";
import { Kind } from "./flow.ts";
import { FlowQuality } from "./flow-quality.ts";
import { PeerTraits, Role } from "./session-config.ts";

/** Values that messages of `duplex.v1` are made of. */

export const ExchangeNumber = z
  .int()
  .min(1)
  .describe("number of the exchange, issued by the server (N1)");

export type ExchangeNumber = z.infer<typeof ExchangeNumber>;

export const FlowId = z.string().max(512).describe("id of the flow");
export type FlowId = z.infer<typeof FlowId>;

export const MessageKey = z
  .string()
  .min(1)
  .max(64)
  .describe(
    "chosen by the sender, unique among its messages: one that is sent again over another socket has the same, so that its receiver can drop it (R3)",
  );
export type MessageKey = z.infer<typeof MessageKey>;

const ssrc = z.int().min(0).max(0xffffffff);

/** RTCIceCandidateInit of the W3C, with the limits of RFC 8839. */
export const Candidate = z
  .object({
    candidate: z.string().max(4096).describe("empty: end of candidates of this generation"),
    sdpMid: z.string().max(256).nullish(),
    sdpMLineIndex: z.int().min(0).max(65_535).nullish(),
    usernameFragment: z.string().max(256).nullish(),
  })
  .meta({ id: "Candidate" });
export type Candidate = z.infer<typeof Candidate>;

/** Entry of a `quality` report. */
export const QualityReport = FlowQuality.extend({
  flow: FlowId,
  sources: z
    .array(
      z.object({
        ssrc,
        rtx: ssrc.optional(),
        fec: ssrc.optional(),
        rid: z.string().max(256).optional(),
      }),
    )
    .max(64)
    .optional()
    .describe("SSRCs in use, signalled or not"),
}).meta({ id: "QualityReport" });
export type QualityReport = z.infer<typeof QualityReport>;

/** A peer as others see it. */
export const PeerView = z
  .object({
    id: z.string(),
    role: Role,
    name: z.string().optional(),
    publish: z.array(Kind),
    subscribe: z.array(Kind),
    metadata: z.record(z.string(), z.unknown()).optional(),
    ...PeerTraits.shape,
    via: z
      .enum(["whip", "whep"])
      .optional()
      .describe("its signalling is HTTP: it is offered nothing and told nothing later"),
    plays: z.string().optional().describe("of `whep`: whose media it asked for"),
    managed: z
      .literal(true)
      .optional()
      .describe("a media server of the deployment's own: any other goes before it"),
    draining: z
      .literal(true)
      .optional()
      .describe("a media server that takes nothing new: it is about to go"),
    state: z.enum(["connected", "away"]).describe("away: socket lost, in the resume window (S5)"),
    joinedAt: z.number(),
  })
  .meta({ id: "Peer" });
export type PeerView = z.infer<typeof PeerView>;

export const Withheld = z
  .int()
  .min(1)
  .describe(
    "lines of the description that differ from what its author sent, because they showed addresses: of a relay-only session that reports (docs/decisions/0017-relay-only.md)",
  );
export type Withheld = z.infer<typeof Withheld>;

const Description = z.object({
  exchange: ExchangeNumber,
  from: z.string(),
  sdp: z.string(),
  withheld: Withheld.optional(),
});

/** A link as its peers read it back (N6, R2). */
export const LinkView = z
  .object({
    id: z.string(),
    peers: z.tuple([z.string(), z.string()]),
    state: z.enum(["stable", "offered"]),
    exchange: z.int().describe("number of the newest exchange, 0 before the first"),
    offerer: z.string().optional().describe("offerer of the newest exchange"),
    offer: Description.optional().describe("the open offer, else the one in force"),
    answer: Description.optional().describe("the answer in force"),
    candidates: z
      .array(
        z.object({
          from: z.string(),
          exchange: ExchangeNumber,
          candidates: z.array(Candidate),
          complete: z.boolean(),
        }),
      )
      .describe("per peer and exchange that is open or in force, in the sender's order"),
  })
  .meta({ id: "Link" });
export type LinkView = z.infer<typeof LinkView>;

export const LinkSummary = LinkView.omit({ offer: true, answer: true, candidates: true }).extend({
  has: z
    .array(
      z.object({
        from: z.string(),
        description: z.enum(["offer", "answer"]),
        exchange: ExchangeNumber,
      }),
    )
    .describe("descriptions the server has"),
  candidates: z.array(
    z.object({ from: z.string(), exchange: ExchangeNumber, count: z.int(), complete: z.boolean() }),
  ),
});
export type LinkSummary = z.infer<typeof LinkSummary>;

/** What a rule found in a description. */
export const Finding = z
  .object({
    rule: z.string().describe("id of the rule; docs/sdp-rules.md lists them"),
    level: z.enum(["error", "warning", "info"]),
    description: z.enum(["offer", "answer", "pair"]).optional(),
    line: z.int().optional().describe("from 1; of the answer where it is about the pair"),
    mLine: z.int().optional().describe("index of the m-section, from 0"),
    mid: z.string().optional(),
    message: z.string().describe("what is wrong and what to do"),
    source: z.string().describe("the clause it comes from"),
  })
  .meta({ id: "SdpFinding" });
