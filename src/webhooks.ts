import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { deadLettersOf } from "../durable-objects/dead-letter-commands.ts";
import { problem } from "../protocol/problem.ts";
import { WEBHOOK_EVENTS } from "../protocol/webhooks/event.ts";
import { DeadLetter, SessionWebhooks } from "../protocol/webhooks/view.ts";
import { keyOnly } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { granted, invalidRequest, Refusal } from "./refusal.ts";
import { answers, emptyAnswer, SECURED } from "./schemas.ts";
import { sessionStub } from "./session-stub.ts";

/** /v1/webhooks and /v1/sessions/{id}/webhooks: what the back end was told, and what it was not (M17, R6). */

const tags = ["webhooks"];
const security = SECURED;
const letterParams = z.object({ letterId: z.string().max(32) });
const place = z.object({
  jurisdiction: z
    .enum(["eu", "us", "fedramp", "fedramp-high"])
    .optional()
    .describe("of the sessions; that of the deployment when left out"),
});

const ofSession = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/webhooks",
  summary: "How far the events of a session are delivered",
  description:
    "After the session has ended this answers for as long as an event of it is still to be delivered.",
  middleware: keyOnly,
  tags,
  security,
  request: { params: z.object({ id: z.string() }) },
  responses: answers(
    200,
    "Each receiver",
    SessionWebhooks,
    "unauthorized",
    "not-permitted",
    "session-not-found",
  ),
});

const list = createRoute({
  method: "get",
  path: "/v1/webhooks/dead-letters",
  summary: "Events that were given up",
  description: "In the order they were given up, 100 at a time. They are kept for 30 days.",
  middleware: keyOnly,
  tags,
  security,
  request: { query: place.extend({ cursor: z.string().max(32).optional() }) },
  responses: answers(
    200,
    "A page of events",
    z.object({
      deadLetters: z.array(DeadLetter),
      cursor: z.string().optional().describe("pass it on to get the next page"),
    }),
    "unauthorized",
    "not-permitted",
    "jurisdiction-unavailable",
  ),
});

const redeliver = createRoute({
  method: "post",
  path: "/v1/webhooks/dead-letters/{letterId}/redeliver",
  summary: "Deliver an event that was given up once more",
  description:
    "To the receiver it was for; to all that are configured when that is configured no more. It has the same " +
    "`webhook-id` as before. Once it is taken it is no dead letter any more.",
  middleware: keyOnly,
  tags,
  security,
  request: { params: letterParams, query: place },
  responses: emptyAnswer(
    "It was taken",
    "unauthorized",
    "not-permitted",
    "dead-letter-not-found",
    "webhook-not-taken",
    "jurisdiction-unavailable",
  ),
});

const remove = createRoute({
  method: "delete",
  path: "/v1/webhooks/dead-letters/{letterId}",
  summary: "Throw an event away that was given up; idempotent",
  middleware: keyOnly,
  tags,
  security,
  request: { params: letterParams, query: place },
  responses: emptyAnswer("It is gone", "unauthorized", "not-permitted", "jurisdiction-unavailable"),
});

export const webhooks = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (!result.success) throw new Refusal(invalidRequest(result.error));
  },
});

/** What the receivers are sent, in the same document (OpenAPI 3.1). */
for (const [type, schema] of Object.entries(WEBHOOK_EVENTS)) {
  webhooks.openAPIRegistry.registerWebhook({
    method: "post",
    path: type,
    summary: schema.description ?? type,
    tags,
    request: {
      headers: z.object({
        "webhook-id": z.string().describe("the same in every try"),
        "webhook-timestamp": z.string().describe("of this try, seconds since 1970"),
        "webhook-signature": z.string().describe("of Standard Webhooks, one for each secret"),
      }),
      body: { content: { "application/json": { schema } }, required: true },
    },
    responses: {
      "2XX": { description: "Taken. Anything else is tried again, but for 410." },
      410: { description: "The receiver wants no more events of this session" },
    },
  });
}

/** The object for the events of a jurisdiction. */
export function lettersOf(c: Context<AppEnv>, asked: string | undefined) {
  const jurisdiction = asked ?? c.get("config").jurisdiction;
  try {
    return deadLettersOf(c.env, jurisdiction === undefined ? "" : `${jurisdiction}-`);
  } catch {
    const detail = `the platform has no jurisdiction ${jurisdiction} here`;
    throw new Refusal(problem("jurisdiction-unavailable", detail));
  }
}

webhooks.openapi(ofSession, async (c) => {
  const stub = sessionStub(c as Context<AppEnv>, c.req.valid("param").id);
  return c.json(granted(await stub.webhooks()), 200);
});

webhooks.openapi(list, async (c) => {
  const { cursor: since = "", jurisdiction } = c.req.valid("query");
  const { letters, cursor } = await lettersOf(c as Context<AppEnv>, jurisdiction).list(since);
  return c.json({ deadLetters: [...letters], ...(cursor !== undefined && { cursor }) }, 200);
});

webhooks.openapi(redeliver, async (c) => {
  const { jurisdiction } = c.req.valid("query");
  const { letterId } = c.req.valid("param");
  granted(await lettersOf(c as Context<AppEnv>, jurisdiction).redeliver(letterId));
  return c.body(null, 204);
});

webhooks.openapi(remove, async (c) => {
  const { jurisdiction } = c.req.valid("query");
  const { letterId } = c.req.valid("param");
  await lettersOf(c as Context<AppEnv>, jurisdiction).remove(letterId);
  return c.body(null, 204);
});
