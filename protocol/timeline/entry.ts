import { z } from "zod";
import { AssistanceState, FlowAssistance } from "../assistance/record.ts";
import { Kind } from "../flow.ts";
import { Role } from "../session-config.ts";
import { CandidateCounts, IceErrors, TransportState } from "../transport.ts";

/**
 * What happened in a session, one entry each. No entry holds a password, a key, an address or a candidate; the text of a
 * description only where the session was created with `debug`.
 */

const at = z.number().describe("milliseconds from the start of the session");
const n = z.int().describe("number of the entry, growing within the session");
const by = z.string().describe("the peer that did it");
const peer = z.string().describe("the peer that it is about");
const link = z.string().describe("id of the link");
const exchange = z.int();

const MediaSummary = z.object({
  mid: z.string().optional(),
  kind: z.string().describe("as in the m-line: audio, video, application"),
  direction: z.enum(["sendrecv", "sendonly", "recvonly", "inactive"]).optional(),
  rejected: z.literal(true).optional().describe("its port is 0"),
});

const entry = <T extends string, S extends z.ZodRawShape>(type: T, about: string, shape: S) =>
  z.object({ n, at, type: z.literal(type), ...shape }).describe(about);

const description = {
  by,
  link,
  exchange,
  bytes: z.int(),
  media: z.array(MediaSummary).describe("its m-sections in order; at most 16 of them"),
  candidates: CandidateCounts.partial()
    .optional()
    .describe("how many of each type are in its text"),
  sdp: z.string().optional().describe("with `debug`: the text, without the ICE password"),
};

/** Every kind of entry, once. */
export const TIMELINE_ENTRIES = {
  "peer-joined": entry("peer-joined", "A peer came.", { peer, role: Role }),
  "peer-resumed": entry("peer-resumed", "A peer came back, or by another socket.", { peer }),
  "peer-lost": entry("peer-lost", "The socket of a peer is gone; it may come back.", {
    peer,
    code: z.string().optional().describe("of the problem that its socket was closed for"),
  }),
  "peer-left": entry("peer-left", "A peer left the session.", { peer, reason: z.string() }),
  offer: entry("offer", "An offer was forwarded.", {
    ...description,
    restart: z.literal(true).optional().describe("it restarts ICE"),
  }),
  answer: entry("answer", "An answer was forwarded.", description),
  reject: entry("reject", "The answerer refused the offer.", {
    by,
    link,
    exchange,
    reason: z.string().optional(),
  }),
  rollback: entry("rollback", "The offerer took its offer back.", { by, link, exchange }),
  expired: entry("expired", "The offer was not answered in time.", { link, exchange }),
  candidates: entry("candidates", "Candidates of a peer.", {
    by,
    link,
    exchange,
    types: CandidateCounts.partial().describe("how many of each type"),
    mdns: z.int().optional().describe("how many of them hide their address behind a .local name"),
    global: z.int().optional().describe("host candidates that can be reached from everywhere"),
    dropped: z.int().optional().describe("of an old ICE generation"),
    complete: z.literal(true).optional(),
  }),
  finding: entry("finding", "What a rule found.", {
    by,
    link,
    rule: z.string(),
    level: z.enum(["error", "warning", "info"]).describe("remarks are left to the findings"),
    description: z.enum(["offer", "answer", "pair"]).optional(),
    line: z.int().optional(),
    exchange: exchange.optional().describe("absent where the description was refused"),
    mid: z.string().optional(),
    refused: z.literal(true).optional(),
  }),
  transport: entry("transport", "A peer tells the state of a transport.", {
    by,
    link,
    transport: z.string().optional(),
    state: TransportState,
    reason: z.string().optional(),
    pair: z
      .object({ local: z.string(), remote: z.string(), protocol: z.string().optional() })
      .optional()
      .describe("types of the candidates of the selected pair"),
    ice: TransportState.optional().describe("state of ICE alone, where it is another"),
    iceErrors: IceErrors.optional(),
  }),
  flow: entry("flow", "A flow entered another state.", {
    link,
    flow: z.string(),
    kind: Kind,
    state: z.enum(["proposed", "negotiated", "active", "held", "ended"]),
    reason: z.string().optional(),
  }),
  steered: entry("steered", "A flow was held, limited or prioritised.", {
    by: by.optional().describe("absent: the back end"),
    flow: z.string(),
    held: z.boolean().optional(),
    maxBitrateBps: z.number().nullish(),
    priority: z.string().nullish(),
  }),
  refused: entry("refused", "A message was refused.", {
    by,
    link: link.optional(),
    message: z.string().optional().describe("type of the message"),
    code: z.string().describe("of the problem"),
    times: z.int().optional().describe("in a row; absent: once"),
    until: at.optional().describe("when it was refused last"),
  }),
  context: entry("context", "A media server could not do what a context asks.", {
    by,
    context: z.string(),
    reason: z.string().optional(),
  }),
  assistance: entry("assistance", "What a mobile network does for a peer is another.", {
    peer,
    link,
    network: z.string().describe("its name in the configuration"),
    state: AssistanceState,
    reason: z.string().optional(),
    advised: FlowAssistance.shape.advised,
  }),
  drain: entry("drain", "A media server is about to go.", {
    by,
    successor: z.string().optional(),
  }),
  fault: entry("fault", "Something of ours failed, or a fault was simulated.", {
    peer: peer.optional(),
    fault: z.string(),
  }),
  webhook: entry("webhook", "The delivery of an event failed, or was given up.", {
    event: z.string().describe("its type"),
    sequence: z.int(),
    state: z.enum(["retrying", "dead"]),
    reason: z.string().optional(),
    times: z.int().optional().describe("events given up together, this the first; absent: one"),
  }),
} as const;

export type TimelineEntry = {
  [T in keyof typeof TIMELINE_ENTRIES]: z.infer<(typeof TIMELINE_ENTRIES)[T]>;
}[keyof typeof TIMELINE_ENTRIES];

/** An entry before it got its number. */
export type News = {
  [T in keyof typeof TIMELINE_ENTRIES]: Omit<z.infer<(typeof TIMELINE_ENTRIES)[T]>, "n" | "at">;
}[keyof typeof TIMELINE_ENTRIES];

const kinds = Object.values(TIMELINE_ENTRIES) as unknown as readonly [
  (typeof TIMELINE_ENTRIES)["offer"],
  ...(typeof TIMELINE_ENTRIES)["offer"][],
];

export const TimelineEntry = z
  .discriminatedUnion("type", kinds)
  .meta({ id: "TimelineEntry" }) as unknown as z.ZodType<TimelineEntry>;
