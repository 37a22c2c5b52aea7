import type { Context, MiddlewareHandler } from "hono";
import { type Problem, problem } from "../protocol/problem.ts";
import { networkOf } from "./client-network.ts";
import type { AppEnv, RateLimits } from "./env.ts";
import { keyedHash } from "./keyed-hash.ts";
import { answerProblem } from "./refusal.ts";

/**
 * Rates at the Worker (S7): whoever is too fast is refused before an object is woken. The platform counts per
 * place and approximately; the numbers are in wrangler.toml, with their periods as here.
 *
 * What is not limited: guesses at API keys and tokens. Both have at least 128 bits; no rate makes that
 * feasible, and a limit by address would only lock out who shares the address of a guesser.
 */
export const RATES: Record<keyof RateLimits, { periodSeconds: number; detail: string }> = {
  SDP_CHECKS: {
    periodSeconds: 60,
    detail: "too many checks from this address: wait a minute, or send an API key",
  },
  // An office, a school or a mobile network has one address for thousands. A deploy drops all sockets of a
  // place at once, and the SDK comes back within about a second: 500 in ten seconds lets a full lecture hall in at
  // once, and what is more within its retries. A flood of a thousand a second is cut to 50.
  CONNECTS: { periodSeconds: 10, detail: "too many connections from this address" },
  // Two pages with one token replace each other for ever, and each upgrade may ask the TURN provider.
  RECONNECTS: { periodSeconds: 10, detail: "this peer connects too often" },
  // What a socket's token bucket is for messages: a change of a flow is told to others, and is a row. So is what a
  // mobile network tells of one of its requests.
  PEER_REQUESTS: { periodSeconds: 10, detail: "this peer or network sends too many requests" },
  SESSION_CREATIONS: { periodSeconds: 60, detail: "this API key starts too many sessions" },
};

/**
 * Counts one more of a kind for `key`, and gives the problem when there were too many; `Retry-After` is set
 * on the answer then. `key` is hashed: local development keeps its counters on disk, and addresses do not belong there.
 */
export async function tooMany(
  c: Context<AppEnv>,
  rate: keyof RateLimits,
  key: string,
): Promise<Problem | undefined> {
  const [secret = ""] = c.get("config").tokenSecrets;
  const { success } = await c.env[rate].limit({ key: await keyedHash(secret, `rate ${key}`) });
  if (success) return undefined;
  const { periodSeconds, detail } = RATES[rate];
  c.header("retry-after", String(periodSeconds));
  return problem("rate-limited", detail, { retryAfterSeconds: periodSeconds });
}

/** HTTP requests by the token of a peer; the application's back end knows what it does. */
export const limitPeers: MiddlewareHandler<AppEnv> = async (c, next) => {
  const principal = c.get("principal");
  const refused =
    principal.kind === "key" ? undefined : await tooMany(c, "PEER_REQUESTS", principal.grant.peer);
  return refused ? answerProblem(c, refused) : next();
};

/** Who is counted where nobody has said who it is. Cloudflare sets the header; what a client sends is replaced. */
export const clientOf = (c: Context<AppEnv>): string =>
  networkOf(c.req.header("cf-connecting-ip") ?? "unknown");
