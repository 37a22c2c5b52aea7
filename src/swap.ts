import type { Context } from "hono";
import { realmStub } from "../durable-objects/realm-commands.ts";
import { SWAP_SUBPROTOCOL } from "../durable-objects/realm-sockets.ts";
import { admitVisitor, type Visitor } from "../durable-objects/visitor.ts";
import { isProblem, type Problem, problem } from "../protocol/problem.ts";
import type { Grant } from "../protocol/session-config.ts";
import { bearerOf, principalOf, unauthorized } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { clientOf, tooMany } from "./rate-limits.ts";
import { answerProblem } from "./refusal.ts";
import { seenUe } from "./ue.ts";
import { bearerAmong, offeredBy, refuseUpgrade } from "./upgrade.ts";

/** GET /3gpp-swap/v1 and /{realm}/3gpp-swap/v1: the door of SWAP (TS 26.113 clause 13.2.3). */

/** The realm of an address that names none. */
export const DEFAULT_REALM = "default";

const REALM = /^[\w.-]{1,64}$/;

/** What the token of an endpoint has in place of a session. */
export const realmClaim = (realm: string): string => `realm:${realm}`;

/** True for the claim of an endpoint's token. */
export const isRealmClaim = (session: string): boolean => session.startsWith("realm:");

export const isRealm = (name: string): boolean => REALM.test(name);

/** Where the endpoints of a realm connect. */
export function realmUrl(c: Context<AppEnv>, realm: string): string {
  const url = new URL(`${realm === DEFAULT_REALM ? "" : `/${realm}`}/3gpp-swap/v1`, c.req.url);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** Hands an authorised upgrade to the object of the realm. */
export async function openRealm(c: Context<AppEnv>): Promise<Response> {
  const offered = offeredBy(c);
  const refused = refuseUpgrade(c, new URL(c.req.url), offered, SWAP_SUBPROTOCOL);
  if (refused) return answerProblem(c, refused);
  const realm = c.req.param("realm") ?? DEFAULT_REALM;
  if (!isRealm(realm)) return answerProblem(c, problem("not-found", "no realm has this name"));
  const [crowded, granted] = await Promise.all([
    tooMany(c, "CONNECTS", clientOf(c)),
    grantIfAny(c, realm, bearerAmong(offered) ?? bearerOf(c)),
  ]);
  if (crowded) return answerProblem(c, crowded);
  if (isProblem(granted)) return answerProblem(c, granted);
  const ue = seenUe(c, granted ?? {});
  const visitor = { ...(granted && { granted: granted.peer }), ...(ue && { ue }) };
  return realmStub(c.env, realm).fetch(forObject(c.req.raw, visitor));
}

/** The grant of a token, whose peer is the source; undefined for whoever may choose, by an API key or in an open realm. */
async function grantIfAny(
  c: Context<AppEnv>,
  realm: string,
  bearer: string | undefined,
): Promise<Grant | undefined | Problem> {
  const config = c.get("config");
  if (bearer === undefined) return config.swapAccess === "open" ? undefined : unauthorized();
  const principal = await principalOf(config, bearer);
  if (principal?.kind === "key") return undefined;
  return principal?.grant.session === realmClaim(realm) ? principal.grant : unauthorized();
}

function forObject(raw: Request, visitor: Visitor): Request {
  const headers = new Headers(raw.headers);
  headers.delete("authorization");
  headers.set("sec-websocket-protocol", SWAP_SUBPROTOCOL);
  admitVisitor(headers, visitor);
  return new Request(raw.url, { method: "GET", headers });
}
