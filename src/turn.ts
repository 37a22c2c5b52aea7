import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { iceServersFor } from "../durable-objects/ice-servers.ts";
import { problem } from "../protocol/problem.ts";
import type { AppEnv } from "./env.ts";
import { granted, invalidRequest, Refusal } from "./refusal.ts";
import { answers, SECURED, TurnCredentials } from "./schemas.ts";
import { sessionStub } from "./session-stub.ts";
import { askerOf } from "./sessions.ts";
import { isRealmClaim } from "./swap.ts";

/** POST /v1/turn/credentials (M10, A3). */

const credentials = createRoute({
  method: "post",
  path: "/v1/turn/credentials",
  summary: "Short-lived TURN credentials as RTCIceServer values",
  tags: ["turn"],
  security: SECURED,
  request: {
    body: {
      content: {
        "application/json": {
          schema: z.strictObject({ ttlSeconds: z.int().min(1).max(172_800).optional() }),
        },
      },
      required: false,
    },
  },
  responses: answers(
    200,
    "ICE servers",
    TurnCredentials,
    "unauthorized",
    "not-permitted",
    "session-not-found",
    "turn-unavailable",
  ),
});

export const turn = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (!result.success) throw new Refusal(invalidRequest(result.error));
  },
});

turn.openapi(credentials, async (c) => {
  const principal = c.get("principal");
  const asker = askerOf(principal);
  // A kicked peer's token still verifies; only its session knows that it is dead.
  if (principal.kind === "peer" && !isRealmClaim(principal.grant.session)) {
    granted(await sessionStub(c, principal.grant.session).peers(asker));
  }
  if (asker?.role === "observer") {
    throw new Refusal(problem("not-permitted", "an observer has no link, so it needs no relay"));
  }
  const config = c.get("config");
  if (config.turn.provider === "none") {
    throw new Refusal(problem("turn-unavailable", "this deployment has no TURN provider"));
  }
  const at = Date.now();
  const { ttlSeconds: wanted } = c.req.valid("json") ?? {};
  const ttlSeconds = Math.min(wanted ?? config.turn.ttlSeconds, config.turn.ttlSeconds);
  const ice = await iceServersFor(config, asker?.peer ?? "app", at, ttlSeconds).catch(() => {
    throw new Refusal(problem("turn-unavailable", "no TURN credentials can be had now"));
  });
  return c.json(
    { iceServers: [...ice.iceServers], ttlSeconds, expiresAt: ice.expiresAt ?? at },
    200,
  );
});
