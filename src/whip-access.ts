import type { Context } from "hono";
import { problem } from "../protocol/problem.ts";
import type { Grant } from "../protocol/session-config.ts";
import type { Door } from "../protocol/whip/http-session.ts";
import { principalIfAny, unauthorized } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { clientOf, tooMany } from "./rate-limits.ts";
import { Refusal } from "./refusal.ts";
import { refuseOrigin, refuseUrl } from "./upgrade.ts";

/** Who may what at the doors of WHIP and WHEP (A1, A2, W2). */

/** Refuses what no token makes good: a foreign page, a token in the URL. */
export function admitRequest(c: Context<AppEnv>): void {
  const url = new URL(c.req.url);
  const refused = refuseOrigin(c, url) ?? refuseUrl(url);
  if (refused) throw new Refusal(refused);
}

/**
 * Of the token that came along, if one did: a wrong one is refused also where none is needed. Several clients send
 * theirs with POST only.
 */
export async function grantIfAny(c: Context<AppEnv>, session: string): Promise<Grant | undefined> {
  const principal = await principalIfAny(c);
  if (principal === undefined) return undefined;
  if (principal.kind === "key") {
    throw new Refusal(problem("not-permitted", "this is for a peer: send its token, not the key"));
  }
  if (principal.grant.session !== session) throw new Refusal(unauthorized());
  return principal.grant;
}

/** Of whoever may come through this door. */
export async function grantFor(c: Context<AppEnv>, session: string, door: Door): Promise<Grant> {
  const grant = await grantIfAny(c, session);
  if (!grant) throw new Refusal(unauthorized());
  const kinds = door === "whip" ? grant.publish : grant.subscribe;
  const act = door === "whip" ? "publish" : "subscribe";
  if (grant.role !== "peer" || !kinds.some((kind) => kind !== "data")) {
    const detail = `the token may not ${act === "publish" ? "publish" : "play"} audio or video`;
    throw new Refusal(problem("not-permitted", detail, { act }));
  }
  return grant;
}

/** Counts a request of a peer, or of whoever has the URL of a session (S7). */
export async function limitRequests(c: Context<AppEnv>, whose: string): Promise<void> {
  const refused = await tooMany(c, "PEER_REQUESTS", whose);
  if (refused) throw new Refusal(refused);
}

/** Counts whoever shows no token: made-up URLs wake the object of a session, too (S7). */
export async function limitStrangers(c: Context<AppEnv>): Promise<void> {
  const refused = await tooMany(c, "CONNECTS", clientOf(c));
  if (refused) throw new Refusal(refused);
}
