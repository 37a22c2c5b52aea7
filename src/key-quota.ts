import type { Context } from "hono";
import { problem } from "../protocol/problem.ts";
import { bearerOf } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { keyedHash } from "./keyed-hash.ts";
import { tooMany } from "./rate-limits.ts";
import { Refusal } from "./refusal.ts";

/** What one API key may start (S7): sessions a minute, and sessions at a time where the deployment says so. */

/**
 * The name under which an API key is counted. The key itself makes the hash: the name outlives a rotation of
 * token secrets, and whoever sees it learns nothing.
 */
const quotaOf = (c: Context<AppEnv>): Promise<string> => keyedHash(bearerOf(c) ?? "", "key quota");

/** How many sessions an API key has and may have; undefined where nobody counts them. */
export async function quotaHeld(
  c: Context<AppEnv>,
): Promise<{ held: number; most: number } | undefined> {
  const { maxSessionsPerKey: most } = c.get("config");
  if (most === undefined) return undefined;
  return { held: await c.env.KEY_QUOTAS.getByName(await quotaOf(c)).held(), most };
}

/** Counts a session that is about to start. Refuses with `rate-limited`. */
export async function admitCreation(c: Context<AppEnv>): Promise<void> {
  const refused = await tooMany(c, "SESSION_CREATIONS", await quotaOf(c));
  if (refused) throw new Refusal(refused);
}

/**
 * Starts a session within the quota of its API key; without `MAX_SESSIONS_PER_KEY` there is none, and nobody is
 * asked. Refuses with `session-quota`.
 */
export async function withinQuota<T>(
  c: Context<AppEnv>,
  id: string,
  start: (quota?: string) => Promise<T>,
): Promise<T> {
  const { maxSessionsPerKey } = c.get("config");
  if (maxSessionsPerKey === undefined) return start();
  const quota = await quotaOf(c);
  const holder = c.env.KEY_QUOTAS.getByName(quota);
  if (!(await holder.acquire(id, maxSessionsPerKey, Date.now()))) {
    const detail = `this API key has ${maxSessionsPerKey} sessions; end one first`;
    throw new Refusal(problem("session-quota", detail, { maxSessionsPerKey }));
  }
  try {
    return await start(quota);
  } catch (thrown) {
    await holder.release(id);
    throw thrown;
  }
}
