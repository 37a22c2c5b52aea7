import type { Context } from "hono";
import { type Problem, problem } from "../protocol/problem.ts";
import type { AppEnv } from "./env.ts";

/** What WebSocket upgrades have in common, whatever is spoken after. */

/** `token`, `access_token`, `api-key`, `authorization`: names under which secrets travel in URLs. */
const SECRET_NAME = /(^|[_-])(token|bearer|auth|authorization|jwt|key|apikey)$/i;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const BEARER_PREFIX = "bearer.";

/** Subprotocols offered, in order (RFC 6455 s4.1). */
export const offeredBy = (c: Context<AppEnv>): string[] =>
  (c.req.header("sec-websocket-protocol") ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");

/** The token that came as a subprotocol: browsers cannot send headers. */
export const bearerAmong = (offered: readonly string[]): string | undefined =>
  offered.find((entry) => entry.startsWith(BEARER_PREFIX))?.slice(BEARER_PREFIX.length);

/** Why a URL is refused: it has a secret in it. */
export function refuseUrl(url: URL): Problem | undefined {
  if ([...url.searchParams].some(([name, value]) => SECRET_NAME.test(name) || JWT.test(value))) {
    return problem(
      "token-in-url",
      "URLs end up in logs: send the token in Authorization, or to a WebSocket as subprotocol bearer.<token>",
    );
  }
  return undefined;
}

/** Why the page that asks may not: it is neither of this server nor of an origin that ALLOWED_ORIGINS names. */
export function refuseOrigin(c: Context<AppEnv>, url: URL): Problem | undefined {
  const origin = c.req.header("origin");
  const { allowedOrigins } = c.get("config");
  const ours = origin === undefined || origin === url.origin;
  if (!ours && allowedOrigins.length > 0 && !allowedOrigins.includes(origin)) {
    return problem("origin-not-allowed", "ALLOWED_ORIGINS does not name this origin");
  }
  return undefined;
}

/** Why an upgrade goes no further, whoever asks for it. */
export function refuseUpgrade(
  c: Context<AppEnv>,
  url: URL,
  offered: readonly string[],
  subprotocol: string,
): Problem | undefined {
  const secret = refuseUrl(url);
  if (secret) return secret;
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
    return problem("upgrade-required", "connect with a WebSocket client");
  }
  const foreign = refuseOrigin(c, url);
  if (foreign) return foreign;
  if (!offered.includes(subprotocol)) {
    return problem("unsupported-subprotocol", `offer the subprotocol ${subprotocol}`);
  }
  return undefined;
}
