import type { Context, Next } from "hono";
import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { hexOf, signingKey } from "../durable-objects/signing-key.ts";
import type { Config } from "../protocol/config.ts";
import { Kind } from "../protocol/flow.ts";
import { type Problem, problem } from "../protocol/problem.ts";
import {
  type Grant,
  PeerTraits,
  Role,
  traitsOf,
  UeClaims,
  ueClaimsOf,
} from "../protocol/session-config.ts";
import type { AppEnv, Principal } from "./env.ts";
import { Refusal } from "./refusal.ts";

/** Tokens and keys (A1): stateless JWTs per peer, API keys for the application's back end. */

const bytes = new TextEncoder();

/** One shape for every refusal: what was wrong with a token is nobody's business but its owner's. */
export const unauthorized = (): Problem => problem("unauthorized", "no valid token");

/** The longest life of a token that is given (PeerRequest), and how far clocks of two places may differ. */
const LONGEST_LIFE_SECONDS = 30 * 86_400 + 60;

const Claims = z.object({
  // Ids of links, flows and socket tags are made of it.
  sub: z.string().regex(/^[\w-]{1,64}$/),
  session: z.string(),
  role: Role,
  publish: z.array(Kind),
  subscribe: z.array(Kind),
  name: z.string().optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  ...PeerTraits.shape,
  ...UeClaims.shape,
  // A kick is remembered for as long as a token can live: one that lives longer would outlive it.
  exp: z.int().refine((exp) => exp <= Date.now() / 1000 + LONGEST_LIFE_SECONDS),
});

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.encode(text)));
}

/** Of the deployment's few secrets, as long as the isolate lives. */
const keyIds = new Map<string, string>();

/** Names a secret without telling it, so that a token says which one signed it (key rotation). */
async function keyId(secret: string): Promise<string> {
  const known = keyIds.get(secret);
  if (known !== undefined) return known;
  const hash = await sha256(`duplex kid ${secret}`);
  const id = hexOf(hash.slice(0, 6));
  keyIds.set(secret, id);
  return id;
}

/** Signs the token of a peer with the first secret. Writes nothing anywhere. */
export async function mintToken(config: Config, grant: Grant): Promise<string> {
  const [secret] = config.tokenSecrets;
  if (secret === undefined) throw new Error("no token secret");
  const { session, peer, role, publish, subscribe, name, metadata } = grant;
  return new SignJWT({
    session,
    role,
    publish,
    subscribe,
    name,
    metadata,
    ...traitsOf(grant),
    ...ueClaimsOf(grant),
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: await keyId(secret) })
    .setIssuer("duplex")
    .setSubject(peer)
    .setIssuedAt()
    .setExpirationTime(Math.floor(grant.expiresAt / 1000))
    .sign(await signingKey(secret));
}

/** The grant of a token, or undefined for any that is wrong, expired or foreign to this deployment. */
export async function readToken(config: Config, token: string): Promise<Grant | undefined> {
  try {
    const { payload } = await jwtVerify(
      token,
      async ({ kid }) => {
        for (const secret of config.tokenSecrets) {
          if ((await keyId(secret)) === kid) return signingKey(secret);
        }
        throw new Error("unknown kid");
      },
      { algorithms: ["HS256"], issuer: "duplex", requiredClaims: ["exp", "sub"] },
    );
    const claims = Claims.parse(payload);
    const { sub: peer, exp, session, role, publish, subscribe, name, metadata } = claims;
    return {
      session,
      peer,
      role,
      publish,
      subscribe,
      ...traitsOf(claims),
      ...ueClaimsOf(claims),
      expiresAt: exp * 1000,
      ...(name === undefined ? {} : { name }),
      ...(metadata === undefined ? {} : { metadata }),
    };
  } catch {
    return undefined;
  }
}

/** Compares hashes, so that time tells nothing about the key. */
async function isApiKey(config: Config, candidate: string): Promise<boolean> {
  const hash = await sha256(candidate);
  let found = false;
  for (const key of config.apiKeys) {
    const wanted = await sha256(key);
    let difference = 0;
    for (let i = 0; i < hash.length; i++) difference |= (hash[i] ?? 0) ^ (wanted[i] ?? 0);
    if (difference === 0) found = true;
  }
  return found;
}

/** The bearer of the Authorization header, or undefined. */
export function bearerOf(c: Context<AppEnv>): string | undefined {
  return /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
}

/** Whose key or token this is; undefined for any that is wrong. */
export async function principalOf(
  config: Config,
  bearer: string | undefined,
): Promise<Principal | undefined> {
  if (bearer === undefined) return undefined;
  if (await isApiKey(config, bearer)) return { kind: "key" };
  const grant = await readToken(config, bearer);
  return grant && { kind: "peer", grant };
}

const notConfigured = (): Problem =>
  problem(
    "misconfigured",
    "this deployment has no API_KEYS or no TOKEN_SECRETS yet: set both with `wrangler secret put`",
  );

async function knownPrincipal(c: Context<AppEnv>): Promise<Principal> {
  const config = c.get("config");
  const { apiKeys, tokenSecrets } = config;
  const principal = await principalOf(config, bearerOf(c));
  if (principal) return principal;
  const configured = apiKeys.length > 0 && tokenSecrets.length > 0;
  throw new Refusal(configured ? unauthorized() : notConfigured());
}

/**
 * Lets nobody past without a key or a token, before anything of the request is looked at: whoever has neither
 * learns nothing about it.
 */
export async function authenticate(c: Context<AppEnv>, next: Next): Promise<void> {
  c.set("principal", await knownPrincipal(c));
  await next();
}

/** Who asks for what is open to all; undefined is anybody. A key or token that is wrong is refused here too. */
export async function principalIfAny(c: Context<AppEnv>): Promise<Principal | undefined> {
  return c.req.header("authorization") === undefined ? undefined : knownPrincipal(c);
}

/** Middleware for what only the application's back end may do. */
export async function keyOnly(c: Context<AppEnv>, next: Next): Promise<void> {
  const { tokenSecrets } = c.get("config");
  if (c.get("principal").kind !== "key") {
    const detail = "this needs an API key; a peer token does not grant it";
    throw new Refusal(problem("not-permitted", detail));
  }
  if (tokenSecrets.length === 0) throw new Refusal(notConfigured());
  await next();
}

/** The back end or a peer of this session. A token of another session is no token here. */
export function memberPrincipal(c: Context<AppEnv>, session: string): Principal {
  const principal = c.get("principal");
  if (principal.kind === "peer" && principal.grant.session !== session) {
    throw new Refusal(unauthorized());
  }
  return principal;
}
