import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { EXPOSITION_TYPE, expositionOf, type Metric } from "../protocol/metrics/exposition.ts";
import { VERSION } from "../protocol/version.ts";
import { keyOnly } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { quotaHeld } from "./key-quota.ts";
import { problemAnswers, SECURED } from "./schemas.ts";
import { sessionIndex } from "./session-list.ts";
import { lettersOf } from "./webhooks.ts";

/**
 * GET /v1/metrics: what one deployment can count cheaply and truthfully (M17). Each number is read from the one object that
 * keeps it, so it is the same whichever isolate in whichever place answers. What would have to be added up over isolates,
 * or asked of every session, is not here: docs/metrics.md has it as data points.
 */

const read = createRoute({
  method: "get",
  path: "/v1/metrics",
  summary: "Numbers of this API key in the text format of Prometheus",
  middleware: keyOnly,
  tags: ["metrics"],
  security: SECURED,
  responses: {
    200: {
      description: "Metrics, each with what it counts",
      content: { "text/plain": { schema: z.string() } },
    },
    ...problemAnswers(["unauthorized", "not-permitted"]),
  },
});

export const metrics = new OpenAPIHono<AppEnv>();

metrics.openapi(read, async (c) => {
  const { receivers } = c.get("config").webhooks;
  const [{ listed, everListed }, quota, letters] = await Promise.all([
    (await sessionIndex(c)).totals(),
    quotaHeld(c),
    receivers.length > 0 ? lettersOf(c, undefined).count() : undefined,
  ]);
  const counted: Metric[] = [
    {
      name: "duplex_build_info",
      type: "gauge",
      help: "Always 1; the version of the deployment is its label.",
      value: 1,
      labels: { version: VERSION },
    },
    {
      name: "duplex_sessions_listed",
      type: "gauge",
      help: "Sessions of this API key that were created with listed: true and have not ended.",
      value: listed,
    },
    {
      name: "duplex_sessions_listed_total",
      type: "counter",
      help: "Sessions that this API key ever created with listed: true.",
      value: everListed,
    },
  ];
  const limited: Metric[] = quota
    ? [
        {
          name: "duplex_sessions_held",
          type: "gauge",
          help: "Sessions of this API key, listed or not, that count against MAX_SESSIONS_PER_KEY.",
          value: quota.held,
        },
        {
          name: "duplex_sessions_limit",
          type: "gauge",
          help: "MAX_SESSIONS_PER_KEY: how many sessions one API key may have at a time.",
          value: quota.most,
        },
      ]
    : [];
  const undelivered: Metric[] =
    letters === undefined
      ? []
      : [
          {
            name: "duplex_webhook_dead_letters",
            type: "gauge",
            help: "Events of all API keys that no receiver took and that were given up, kept for 30 days.",
            value: letters,
          },
        ];
  return c.text(expositionOf([...counted, ...limited, ...undelivered]), 200, {
    "content-type": EXPOSITION_TYPE,
  });
});
