import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./env.ts";

/**
 * What answers tell browsers and caches (A1). They carry tokens, credentials and names, and documents that repeat
 * the request's host: nobody keeps them. The pages have the same in `web/_headers`.
 */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** Sets them on every answer that does not say otherwise; not on a 101, whose headers cannot be edited. */
export const responseHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.res.status === 101) return;
  for (const [name, value] of Object.entries(HEADERS)) {
    if (!c.res.headers.has(name)) c.header(name, value);
  }
};
