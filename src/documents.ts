import type { OpenAPIHono } from "@hono/zod-openapi";
import { asyncapiOf } from "./asyncapi.ts";
import { type ApiDocument, docsPage } from "./docs-page.ts";
import type { AppEnv } from "./env.ts";
import { describePlainPaths, openapiOf } from "./openapi.ts";

/** /healthz, /openapi.json, /asyncapi.json and /docs: what the server says of itself. */
export function mountDocuments(app: OpenAPIHono<AppEnv>): void {
  describePlainPaths(app);
  app.get("/healthz", (c) => c.json({ ok: true }));
  app.get("/openapi.json", (c) => c.json(openapiOf(app, new URL(c.req.url).origin)));
  app.get("/asyncapi.json", (c) => c.json(asyncapiOf(new URL(c.req.url).origin)));
  app.get("/docs", (c) =>
    c.html(docsPage(openapiOf(app, new URL(c.req.url).origin) as unknown as ApiDocument)),
  );
}
