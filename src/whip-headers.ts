import type { Context } from "hono";
import { iceServersOf } from "../durable-objects/ice-servers.ts";
import type { Grant } from "../protocol/session-config.ts";
import { iceServerLinks } from "../protocol/whip/ice-server-links.ts";
import type { AppEnv } from "./env.ts";

/** Headers of the WHIP and WHEP doors (RFC 9725 s4). Each is there because a client in use reads it. */

export const SDP = "application/sdp";
export const SDP_FRAGMENT = "application/trickle-ice-sdpfrag";

/** Of both kinds of address: some clients read off those of the endpoint whether its sessions take PATCH. */
const METHODS = "GET, HEAD, OPTIONS, POST, PATCH, DELETE";

const EXPOSED =
  "Location, ETag, Link, Accept-Post, Accept-Patch, Retry-After, WWW-Authenticate, Access-Control-Allow-Methods";

const PREFLIGHT_SECONDS = "600";

/** A page asks whether it may send the request that it names; such a request carries no token (Fetch s3.2.2). */
export const isPreflight = (c: Context<AppEnv>): boolean =>
  c.req.method === "OPTIONS" && c.req.header("access-control-request-method") !== undefined;

/** Sets what every answer has, refusals and faults included. */
export function setCommonHeaders(c: Context<AppEnv>): void {
  const { allowedOrigins } = c.get("config");
  const origin = c.req.header("origin");
  if (allowedOrigins.length === 0) c.header("access-control-allow-origin", "*");
  else {
    c.header("vary", "Origin");
    if (origin !== undefined && allowedOrigins.includes(origin)) {
      c.header("access-control-allow-origin", origin);
    }
  }
  c.header("access-control-expose-headers", EXPOSED);
  // What is transformed on its way gets a weak entity tag, which no If-Match matches.
  c.header("cache-control", "no-store, no-transform");
}

/** Sets what a preflight asks for. The list of headers is the asker's: `*` would leave out Authorization. */
export function setPreflightHeaders(c: Context<AppEnv>): void {
  const wanted = c.req.header("access-control-request-headers");
  setMethods(c);
  c.header("access-control-allow-headers", wanted ?? "authorization, content-type, if-match");
  c.header("access-control-max-age", PREFLIGHT_SECONDS);
}

/** Sets the methods, also where nobody asked for them: some clients look for PATCH. */
export function setMethods(c: Context<AppEnv>): void {
  c.header("access-control-allow-methods", METHODS);
}

/** Whether a preflight says that ICE servers are wanted all the same (RFC 9725 s4.6). */
export const asksForLink = (c: Context<AppEnv>): boolean =>
  /(?:^|,)\s*link\s*(?:,|$)/i.test(c.req.header("access-control-request-headers") ?? "");

/** The ICE servers of a peer. A failing TURN provider keeps nobody out: STUN remains. */
export async function linksFor(c: Context<AppEnv>, grant: Grant): Promise<readonly string[]> {
  const config = c.get("config");
  const { iceServers } = await iceServersOf(config, grant, Date.now()).catch(() => ({
    iceServers: [{ urls: [...config.stunUrls] }],
  }));
  return iceServerLinks(iceServers);
}

/** Sets them as one line: the platform would join several itself. */
export function setLinks(c: Context<AppEnv>, links: readonly string[]): void {
  if (links.length > 0) c.header("link", links.join(", "));
}
