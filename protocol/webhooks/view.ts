import { z } from "zod";
import { WEBHOOK_EVENTS, type WebhookEvent } from "./event.ts";

/** What can be read of the delivery of webhooks. */

const Failure = z.object({
  at: z.number().describe("milliseconds since 1970"),
  status: z.int().optional().describe("of the answer; absent when there was none"),
  reason: z
    .string()
    .describe("answered: not with 2xx; redirected; timeout; unreachable; gone: 410"),
});

const url = z.string().describe("origin and path of the receiver");

export const SessionWebhooks = z
  .object({
    session: z.string(),
    newest: z.int().describe("number of the newest event; 0: none, nobody is told of this session"),
    receivers: z.array(
      z.object({
        url,
        settled: z.int().describe("all events up to this number were taken by it, or given up"),
        pending: z.int().describe("events that wait"),
        failures: z.int().describe("tries in a row that failed"),
        lastFailure: Failure.optional(),
        nextTryAt: z.number().optional().describe("milliseconds since 1970; absent: at once"),
        dead: z.int().describe("events that were given up"),
        gone: z.literal(true).optional().describe("it answered 410 and is told nothing more"),
      }),
    ),
  })
  .meta({ id: "SessionWebhooks" });
export type SessionWebhooks = z.infer<typeof SessionWebhooks>;

const bodies = Object.values(WEBHOOK_EVENTS) as unknown as readonly [
  (typeof WEBHOOK_EVENTS)["peer.joined"],
  ...(typeof WEBHOOK_EVENTS)["peer.joined"][],
];

export const DeadLetter = z
  .object({
    id: z.string(),
    webhookId: z.string().describe("`webhook-id` of all its tries"),
    receiver: url,
    failures: z.int().describe("tries in a row that had failed"),
    reason: z.string().describe("as of a failure; overflow: too many waited"),
    givenUpAt: z.number().describe("milliseconds since 1970"),
    event: z.discriminatedUnion("type", bodies) as unknown as z.ZodType<WebhookEvent>,
  })
  .meta({ id: "DeadLetter" });
export type DeadLetter = z.infer<typeof DeadLetter>;
