import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { LIMITS } from "../protocol/limits.ts";
import { problem } from "../protocol/problem.ts";
import { checkSdp } from "../protocol/sdp-check.ts";
import { principalIfAny } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { clientOf, tooMany } from "./rate-limits.ts";
import { answerProblem, invalidRequest, Refusal } from "./refusal.ts";
import { answers, SdpCheckAnswer } from "./schemas.ts";

/** POST /v1/sdp/check (M3): open to all, unlimited with a key (decision 0009). */

/** Two descriptions; JSON makes two bytes of each line end, quote and backslash. */
const MAX_BODY_BYTES = 2 * 2 * LIMITS.sdpBytes + 1024;

/** Before anything of the body is read: a wrong key or token is refused, and so is who asks too often. */
const admit: MiddlewareHandler<AppEnv> = async (c, next) => {
  const principal = await principalIfAny(c);
  const refused =
    principal?.kind === "key" ? undefined : await tooMany(c, "SDP_CHECKS", clientOf(c));
  return refused ? answerProblem(c, refused) : next();
};

const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: (c) => {
    const detail = `a description has at most ${LIMITS.sdpBytes} bytes, this body more than two of them need`;
    return answerProblem(c, problem("message-too-large", detail));
  },
});

const SdpCheckRequest = z
  .strictObject({
    offer: z.string(),
    answer: z.string().optional(),
    strict: z.boolean().optional().describe("the profile for conformance testing: more rules"),
  })
  .meta({ id: "SdpCheckRequest" });

const check = createRoute({
  method: "post",
  path: "/v1/sdp/check",
  summary: "Check an offer, or an offer and its answer",
  description:
    "Open to all within a rate limit; unlimited with an API key. Nothing is kept. The flows are those that " +
    "the descriptions would set up between `offerer` and `answerer`.",
  tags: ["sdp"],
  security: [{}, { bearer: [] }],
  middleware: [admit, limitBody],
  request: {
    body: { content: { "application/json": { schema: SdpCheckRequest } }, required: true },
  },
  responses: answers(
    200,
    "Findings and flows",
    SdpCheckAnswer,
    "unauthorized",
    "message-too-large",
    "rate-limited",
  ),
});

export const sdp = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (!result.success) throw new Refusal(invalidRequest(result.error));
  },
});

sdp.openapi(check, (c) => {
  const { findings, flows } = checkSdp(c.req.valid("json"), Date.now());
  return c.json({ findings: [...findings], flows: [...flows] }, 200);
});
