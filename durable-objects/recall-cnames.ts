import { readConfig } from "../protocol/config.ts";
import type { Bindings } from "./env.ts";
import { inJurisdictionOf } from "./jurisdiction.ts";

const DAY_MS = 86_400_000;

/** Hexadecimal digits of a hash that name the object which keeps it. */
const SHARD_DIGITS = 2;

const hexOf = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * True when one of these CNAMEs was announced in another session of the deployment within the configured time, or of
 * late when none is configured.
 * Remembers them for this session. What leaves the session is a keyed hash, never the name.
 */
export async function recallCnames(
  env: Bindings,
  session: string,
  cnames: readonly string[],
  at: number,
): Promise<boolean> {
  const { tokenSecrets, cnameWindowDays } = readConfig({ ...env });
  const [secret] = tokenSecrets;
  if (secret === undefined || cnameWindowDays === 0) return false;
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), algorithm, false, [
    "sign",
  ]);
  const hashOf = async (text: string): Promise<string> =>
    hexOf(await crypto.subtle.sign("HMAC", key, bytes.encode(text)));
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
