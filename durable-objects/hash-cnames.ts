import type { Flow } from "../protocol/flow.ts";
import { deploymentConfig } from "./deployment-config.ts";
import { hmac } from "./signing-key.ts";

/** Base64url characters of a hash that are kept: 132 bits, far more than a session has CNAMEs. */
const KEPT_CHARACTERS = 22;

const base64UrlOf = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_");

/**
 * The flows as they are read outside their session: a keyed hash stands for each CNAME, the same wherever the
 * CNAME is the same in this session, and nowhere else. A CNAME follows a user from call to call (RFC 8834
 * s4.9); whoever is not in the call needs to know no more than what belongs together.
 *
 * Without a key, CNAMEs are left out.
 */
export async function withHashedCnames(
  env: object,
  session: string,
  flows: readonly Flow[],
): Promise<Flow[]> {
  const cnames = new Set(flows.flatMap(({ cname }) => (cname === undefined ? [] : [cname])));
  if (cnames.size === 0) return [...flows];
  const hashes = await hashesOf(env, session, [...cnames]);
  return flows.map((flow) => {
    const { cname, ...rest } = flow;
    if (cname === undefined) return flow;
    const hash = hashes.get(cname);
    return hash === undefined ? rest : { ...rest, cname: hash };
  });
}

/** `h.` and the HMAC-SHA-256 of session and CNAME, by CNAME. */
async function hashesOf(
  env: object,
  session: string,
  cnames: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const [secret] = deploymentConfig(env).tokenSecrets;
  if (secret === undefined) return new Map();
  return new Map(
    await Promise.all(
      cnames.map(async (cname) => {
        // A session id has no spaces. Tokens and the memory of CNAMEs sign other texts with the same key.
        const mac = await hmac(secret, `flow-cname ${session} ${cname}`);
        return [cname, `h.${base64UrlOf(mac).slice(0, KEPT_CHARACTERS)}`] as const;
      }),
    ),
  );
}
