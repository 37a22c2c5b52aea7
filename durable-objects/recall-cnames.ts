import { deploymentConfig } from "./deployment-config.ts";
import type { Bindings } from "./env.ts";
import { report } from "./frames.ts";
import { inJurisdictionOf } from "./jurisdiction.ts";
import { hexOf, hmac } from "./signing-key.ts";

const DAY_MS = 86_400_000;

/**
 * Hexadecimal digits of a hash that name the object which keeps it. Few objects stay awake between calls, and remember:
 * to wake one costs more than all else that is done to ask it.
 */
const SHARD_DIGITS = 1;

/**
 * True when one of these CNAMEs was announced in another session of the deployment within the configured time, or of
 * late when none is configured.
 * Remembers them for this session. What leaves the session is a keyed hash, never the name.
 */
async function areKnown(
  env: Bindings,
  session: string,
  cnames: readonly string[],
  at: number,
): Promise<boolean> {
  const { tokenSecrets, cnameWindowDays } = deploymentConfig(env);
  const [secret] = tokenSecrets;
  if (secret === undefined || cnameWindowDays === 0) return false;
  const hashOf = async (text: string): Promise<string> => hexOf(await hmac(secret, text));
  const owner = await hashOf(`session ${session}`);
  // Where the session lives, what is remembered of it lives as well.
  const memories = inJurisdictionOf(env.CNAMES, session);
  const known = await Promise.all(
    cnames.map(async (cname) => {
      const hash = await hashOf(`cname ${cname}`);
      const memory = memories.getByName(hash.slice(0, SHARD_DIGITS));
      const windowMs = cnameWindowDays === undefined ? undefined : cnameWindowDays * DAY_MS;
      return memory.recall(hash, owner, at, windowMs);
    }),
  );
  return known.includes(true);
}

/** The same, and no when that cannot be found out: nobody's call depends on it. */
export async function recallCnames(...asked: Parameters<typeof areKnown>): Promise<boolean> {
  try {
    return await areKnown(...asked);
  } catch (thrown) {
    report(thrown);
    return false;
  }
}
