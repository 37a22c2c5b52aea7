import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { DescriptionView, TimelineView, timelineLines } from "../protocol/timeline/view.ts";
import type { AppEnv } from "./env.ts";
import { granted, invalidRequest, Refusal } from "./refusal.ts";
import { answers, SECURED } from "./schemas.ts";
import { memberOf } from "./sessions.ts";

/** /v1/sessions/{id}/timeline and /descriptions (M15). */

const tags = ["timeline"];
const security = SECURED;
const params = z.object({ id: z.string() });

const read = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/timeline",
  summary: "What happened in a session, and a verdict on each link",
  description:
    "For the back end and observers. Entries hold no address, key or candidate. `format=ndjson` is a download: an entry " +
    'a line, then the verdicts as `{"type": "verdict", …}`. Each peer and each link has room for its newest entries.',
  tags,
  security,
  request: {
    params,
    query: z.object({
      after: z.coerce.number().int().min(0).default(0).describe("only entries after this number"),
      format: z.enum(["json", "ndjson"]).default("json"),
    }),
  },
  responses: answers(
    200,
    "The timeline",
    TimelineView,
    "unauthorized",
    "not-permitted",
    "session-not-found",
  ),
});

const descriptions = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/descriptions",
  summary: "Descriptions of all links, with ICE passwords masked",
  description:
    "For the back end and observers: those that are open or in force, and former ones where the session was created " +
    "with `debug`.",
  tags,
  security,
  request: { params },
  responses: answers(
    200,
    "Descriptions, oldest first in each link",
    z.object({ descriptions: z.array(DescriptionView) }),
    "unauthorized",
    "not-permitted",
    "session-not-found",
  ),
});

export const timeline = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (!result.success) throw new Refusal(invalidRequest(result.error));
  },
});

timeline.openapi(read, async (c) => {
  const { id } = c.req.valid("param");
  const { after, format } = c.req.valid("query");
  const { stub, asker } = memberOf(c, id);
  const view = granted(await stub.timeline(asker, after));
  if (format === "json") return c.json(view, 200);
  const headers = {
    "content-type": "application/x-ndjson",
    "content-disposition": `attachment; filename="${id}.ndjson"`,
  };
  return c.body(timelineLines(view), 200, headers) as never;
});

timeline.openapi(descriptions, async (c) => {
  const { stub, asker } = memberOf(c, c.req.valid("param").id);
  return c.json({ descriptions: granted(await stub.descriptions(asker)) }, 200);
});
