import { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { ConfigError } from "../protocol/config-values.ts";
import { problem } from "../protocol/problem.ts";
import { assistance, networkNotifications } from "./assistance.ts";
import { authenticate } from "./auth.ts";
import { mountDocuments } from "./documents.ts";
import { type AppEnv, configOf } from "./env.ts";
import { flows } from "./flows.ts";
import { metrics } from "./metrics.ts";
import { limitPeers } from "./rate-limits.ts";
import { realms } from "./realms.ts";
import { answerError, answerProblem } from "./refusal.ts";
import { reports } from "./reports.ts";
import { responseHeaders } from "./response-headers.ts";
import { sdp } from "./sdp.ts";
import { serviceAccess } from "./service-access.ts";
import { sessions } from "./sessions.ts";
import { openSignalling } from "./signalling.ts";
import { simulation } from "./simulate.ts";
import { openRealm } from "./swap.ts";
import { timeline } from "./timeline.ts";
import { turn } from "./turn.ts";
import { webhooks } from "./webhooks.ts";
import { mountHttpDoors } from "./whip.ts";

const MAX_BODY_BYTES = 65_536;

/** Many clients name a content type and send no body: that is no body, not broken JSON. */
const withoutEmptyBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { raw } = c.req;
  if (raw.headers.has("content-type") && (await c.req.text()) === "") {
    const headers = new Headers(raw.headers);
    headers.delete("content-type");
    c.req.raw = new Request(raw.url, { method: raw.method, headers });
  }
  await next();
};

/** The Worker's HTTP surface. */
export const app = new OpenAPIHono<AppEnv>();

app.onError(answerError);
app.notFound((c) => answerProblem(c, problem("not-found", "no route has this path and method")));

app.use(responseHeaders);
app.use(async (c, next) => {
  const config = configOf(c.env);
  if (config instanceof ConfigError) {
    return answerProblem(c, problem("misconfigured", config.message));
  }
  c.set("config", config);
  return next();
});

// Before the middleware that edits headers: those of a 101 response cannot be edited.
app.get("/v1/sessions/:id/signalling", openSignalling);
// A slash at the end is ignored (TS 26.113 clause 13.2.3).
for (const realm of ["", "/:realm"]) {
  for (const end of ["", "/"]) app.get(`${realm}/3gpp-swap/v1${end}`, openRealm);
}

// Before the CORS of everything else: theirs is part of what they speak.
mountHttpDoors(app);

app.use("/v1/*", (c, next) => {
  const { allowedOrigins } = c.get("config");
  return cors({
    origin: allowedOrigins.length === 0 ? "*" : [...allowedOrigins],
    allowMethods: ["GET", "POST", "PATCH", "DELETE", "OPTIONS"],
    allowHeaders: ["authorization", "content-type"],
    exposeHeaders: ["location", "retry-after"],
    maxAge: 600,
  })(c, next);
});
// Open to all, with a limit of its own; whatever is mounted below wants a key or a token.
app.route("/", sdp);
app.route("/", serviceAccess);
app.route("/", networkNotifications);
app.use("/v1/*", authenticate);
app.use("/v1/*", limitPeers);
app.use("/v1/*", bodyLimit({ maxSize: MAX_BODY_BYTES }));
app.use("/v1/*", withoutEmptyBody);

app.route("/", sessions);
app.route("/", flows);
app.route("/", timeline);
app.route("/", reports);
app.route("/", simulation);
app.route("/", realms);
app.route("/", turn);
app.route("/", metrics);
app.route("/", webhooks);
app.route("/", assistance);
mountDocuments(app);
