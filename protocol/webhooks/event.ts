import { z } from "zod";
import { AssistanceState, FlowAssistance } from "../assistance/record.ts";
import { Kind } from "../flow.ts";
import { Role } from "../session-config.ts";

/**
 * What the application's back end is told of a session (M17, R6): bodies of Standard Webhooks. No SDP, no address and no
 * token is in them; names and metadata of peers are those that the back end gave itself.
 */

const metadata = z
  .record(z.string(), z.unknown())
  .optional()
  .describe("as the back end gave it; absent when it gave none");

const ms = (about: string) => z.number().describe(`${about}, milliseconds`);

const Peer = z.object({
  id: z.string(),
  role: Role,
  name: z.string().optional(),
  metadata,
  via: z
    .enum(["whip", "whep", "swap"])
    .optional()
    .describe("how it signals; absent: by a WebSocket of `duplex.v1`"),
});

const Flow = z.object({
  id: z.string(),
  link: z.string(),
  mid: z.string(),
  kind: Kind,
  content: z.string().optional().describe("what it shows, such as `main` or `slides`"),
  from: z.string().describe("peer that sends"),
  to: z.string().describe("peer that receives"),
});

const LeaveReason = z
  .enum(["left", "lost", "kicked", "expired", "session-ended"])
  .describe(
    "left: it said so; lost: it was away for longer than it may, or came again as new; kicked: by the back end; expired: its token is over; session-ended",
  );

const previous = z
  .enum(["proposed", "negotiated", "active", "held"])
  .optional()
  .describe("the state before; absent when the flow came about in this very state");

const reason = z.string().optional().describe("why, as `reason` in the record of the flow");

const event = <T extends string, S extends z.ZodRawShape>(type: T, about: string, shape: S) =>
  z
    .object({
      type: z.literal(type),
      timestamp: z.iso.datetime().describe("when it happened"),
      data: z.object({
        session: z.string(),
        sequence: z
          .int()
          .min(1)
          .describe("number of the event: 1, 2, 3 and so on in each session, without gaps"),
        ...shape,
      }),
    })
    .describe(about);

/** Every kind of event, once. */
export const WEBHOOK_EVENTS = {
  "session.created": event(
    "session.created",
    "A session was started; always the first of its events.",
    {
      topology: z.enum(["mesh", "central"]),
      metadata,
    },
  ),
  "session.ended": event("session.ended", "A session is over; always the last of its events.", {
    reason: z
      .enum(["deleted", "empty"])
      .describe("deleted: by its owner; empty: nobody was connected for `emptyTtlSeconds`"),
    lastedMs: ms("from its start to its end"),
    metadata,
  }),
  "peer.joined": event("peer.joined", "A peer came, for the first time or after it had left.", {
    peer: Peer,
  }),
  "peer.lost": event("peer.lost", "The connection of a peer is gone; it may come back.", {
    peer: Peer,
    until: z.number().describe("when it leaves if it has not come back, milliseconds since 1970"),
  }),
  "peer.resumed": event("peer.resumed", "A peer that was lost has come back in time.", {
    peer: Peer,
  }),
  "peer.left": event(
    "peer.left",
    "A peer is in the session no more; once for every `peer.joined`, after the end of its flows.",
    { peer: Peer, reason: LeaveReason, stayedMs: ms("since it joined") },
  ),
  "flow.negotiated": event(
    "flow.negotiated",
    "Both ends have agreed on a flow, or its transport is gone again.",
    { flow: Flow, previous, reason },
  ),
  "flow.active": event("flow.active", "The transport of a flow is connected: media can run.", {
    flow: Flow,
    previous,
  }),
  "flow.held": event("flow.held", "A flow is agreed on and switched off for now.", {
    flow: Flow,
    previous,
    reason: reason.describe(
      "requested: somebody holds it; direction: the descriptions switch it off; source-ended: what it carried on has ended",
    ),
  }),
  "flow.ended": event("flow.ended", "A flow that both ends had agreed on is over.", {
    flow: Flow,
    previous,
    reason: reason.describe("such as rejected, removed, failed, or the reason its peer left for"),
    activeMs: ms("how long it was active"),
    heldMs: ms("how long it was held"),
  }),
  "assistance.changed": event(
    "assistance.changed",
    "What a mobile network does for a peer is in another state, for another reason, or it recommends something else.",
    {
      link: z.string(),
      peer: Peer.describe("the one that is in the network; id and role alone where it has left"),
      network: z.string().describe("its name in the configuration"),
      state: AssistanceState,
      reason: z.string().optional().describe("why, as in the record of its flows"),
      advised: FlowAssistance.shape.advised,
    },
  ),
} as const;

/** What can be told. */
export type WebhookEvents = typeof WEBHOOK_EVENTS;

/** The body of a webhook. */
export type WebhookEvent = {
  [T in keyof WebhookEvents]: z.infer<WebhookEvents[T]>;
}[keyof WebhookEvents];

type DataOf<T extends keyof WebhookEvents> = Omit<
  z.infer<WebhookEvents[T]>["data"],
  "session" | "sequence"
>;

/** An event before it got its number. `at` is milliseconds since 1970. */
export type WebhookNews = {
  [T in keyof WebhookEvents]: { readonly type: T; readonly at: number; readonly data: DataOf<T> };
}[keyof WebhookEvents];

/** The event that a piece of news is in its session; `timestamp` is its time as ISO 8601 has it. */
export const webhookEvent = (
  session: string,
  sequence: number,
  timestamp: string,
  { type, data }: WebhookNews,
): WebhookEvent => ({ type, timestamp, data: { session, sequence, ...data } }) as WebhookEvent;

/** What a receiver tells repeated events by: the same for every try, and for every receiver. */
export const webhookIdOf = (session: string, sequence: number): string =>
  `msg_${session}_${sequence}`;
