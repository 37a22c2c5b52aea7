import type { Context } from "hono";
import { ueSeen } from "../protocol/assistance/ue.ts";
import type { Grant, UeClaims, UeSeen } from "../protocol/session-config.ts";
import { bearerOf } from "./auth.ts";
import type { AppEnv } from "./env.ts";

/** As what a client is seen to come; undefined in a deployment without mobile networks. */
export function seenUe(c: Context<AppEnv>, claims: UeClaims): UeSeen | undefined {
  // Cloudflare sets the header; what a client sends is replaced.
  return ueSeen(c.get("config").assistance.networks, claims, c.req.header("cf-connecting-ip"));
}

/** Mobile networks that are for the API key of this request among few; undefined where none is for some only. */
export function networksOfKey(c: Context<AppEnv>): readonly string[] | undefined {
  const restricted = c.get("config").assistance.networks.filter(({ keys }) => keys);
  if (restricted.length === 0) return undefined;
  const bearer = bearerOf(c) ?? "";
  return restricted.filter(({ keys }) => keys?.includes(bearer)).map(({ name }) => name);
}

/** The grant of whoever comes, with as what it is seen to come. */
export function grantAsSeen(c: Context<AppEnv>, grant: Grant): Grant {
  const ue = seenUe(c, grant);
  return ue ? { ...grant, ue } : grant;
}
