import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { notSimulated, SimulatedFault } from "../protocol/simulated-fault.ts";
import type { AppEnv } from "./env.ts";
import { granted, invalidRequest, Refusal } from "./refusal.ts";
import { emptyAnswer, SECURED } from "./schemas.ts";
import { memberOf, peerParams } from "./sessions.ts";

/** POST /v1/sessions/{id}/peers/{peerId}/simulate: faults on purpose, in local development. */

const simulate = createRoute({
  method: "post",
  path: "/v1/sessions/{id}/peers/{peerId}/simulate",
  summary: "Simulate a fault of the network (local development only)",
  description:
    "Acts on the socket of the peer, or with `evict` and `abort` on its session; see `fault`. With the token of the " +
    "peer itself or an API key. A deployed Worker refuses it with `not-permitted`.",
  tags: ["local development"],
  security: SECURED,
  request: {
    params: peerParams,
    body: { content: { "application/json": { schema: SimulatedFault } }, required: true },
  },
  responses: emptyAnswer(
    "It happens now",
    "unauthorized",
    "not-permitted",
    "session-not-found",
    "unknown-peer",
    "peer-away",
  ),
});

export const simulation = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (!result.success) throw new Refusal(invalidRequest(result.error));
  },
});

simulation.openapi(simulate, async (c) => {
  const { id, peerId } = c.req.valid("param");
  const { stub, asker } = memberOf(c, id);
  // Nothing is woken for it where it cannot be.
  if (!c.get("config").localDev) throw new Refusal(notSimulated());
  granted(await stub.simulate(asker, peerId, c.req.valid("json")));
  return c.body(null, 204);
});
