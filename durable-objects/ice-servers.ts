import type { Config, TurnConfig } from "../protocol/config.ts";
import { IceServer } from "../protocol/ice-server.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { problem } from "../protocol/problem.ts";
import type { Grant } from "../protocol/session-config.ts";
import type { IceGrant } from "../protocol/views.ts";
import { deploymentConfig } from "./deployment-config.ts";
import type { Bindings } from "./env.ts";
import { problemFrame, report } from "./frames.ts";
import { hmac } from "./signing-key.ts";

/** The TURN provider did not answer as it should. */
export class TurnFault extends Error {
  override readonly name = "TurnFault";
}

type Provider<P> = Extract<TurnConfig, { provider: P }>;

/**
 * ICE servers for one authorised bearer (A3): STUN as configured, TURN with credentials of its own.
 *
 * `bearer` becomes part of the username; `ttlSeconds` shortens the configured life, never lengthens it.
 * Throws `TurnFault` when the provider fails.
 */
export async function iceServersFor(
  config: Config,
  bearer: string,
  at: number,
  ttlSeconds?: number,
): Promise<IceGrant> {
  const { turn } = config;
  const stun: IceServer[] = config.stunUrls.length === 0 ? [] : [{ urls: [...config.stunUrls] }];
  if (turn.provider === "none") return { iceServers: stun };
  const lifeSeconds = Math.min(turn.ttlSeconds, ttlSeconds ?? turn.ttlSeconds);
  const servers =
    turn.provider === "hmac"
      ? await sign(turn, bearer, at, lifeSeconds)
      : await generate(turn, lifeSeconds);
  // Whole seconds, as in the username: never later than what the TURN server will accept.
  const expiresAt = (Math.floor(at / 1000) + lifeSeconds) * 1000;
  const iceServers = [...stun, ...servers];
  return { iceServers, expiresAt, ...(turn.allocationsExpire && { allocationsExpire: true }) };
}

/** ICE servers of a peer: an observer has no link, and so no use for a relay (A3). */
export async function iceServersOf(
  config: Config,
  { peer, role }: Pick<Grant, "peer" | "role">,
  at: number,
): Promise<IceGrant> {
  return role === "observer" ? { iceServers: [] } : iceServersFor(config, peer, at);
}

/** TURN REST (draft-uberti-behave-turn-rest): username `expiry:peer`, password base64(HMAC-SHA1). */
async function sign(
  { urls, secret }: Provider<"hmac">,
  bearer: string,
  at: number,
  lifeSeconds: number,
): Promise<IceServer[]> {
  const username = `${Math.floor(at / 1000) + lifeSeconds}:${bearer}`;
  const mac = await hmac(secret, username, "SHA-1");
  const credential = btoa(String.fromCharCode(...new Uint8Array(mac)));
  return [{ urls: [...urls], username, credential }];
}

const CLOUDFLARE = "https://rtc.live.cloudflare.com/v1/turn/keys";
const CLOUDFLARE_TIMEOUT_MS = 5000;

/** Cloudflare Realtime TURN: `generate-ice-servers` answers 201 with RTCIceServer values. */
async function generate(
  { keyId, apiToken }: Provider<"cloudflare">,
  lifeSeconds: number,
): Promise<IceServer[]> {
  const url = `${CLOUDFLARE}/${encodeURIComponent(keyId)}/credentials/generate-ice-servers`;
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${apiToken}`, "content-type": "application/json" },
    body: JSON.stringify({ ttl: lifeSeconds }),
    signal: AbortSignal.timeout(CLOUDFLARE_TIMEOUT_MS),
  }).catch(() => {
    throw new TurnFault("Realtime TURN was not reached");
  });
  if (!response.ok) throw new TurnFault(`Realtime TURN answered ${response.status}`);
  const body: unknown = await response.json().catch(() => null);
  const answer = (body as { iceServers?: unknown } | null)?.iceServers;
  const servers = IceServer.array().safeParse(answer);
  if (!servers.success) throw new TurnFault("Realtime TURN answered something else");
  return servers.data.map(withoutPort53).filter(({ urls }) => urls.length > 0);
}

/** Browsers block port 53: such URLs only cost a time-out. */
const withoutPort53 = (server: IceServer): IceServer => ({
  ...server,
  urls: server.urls.filter((url) => !/:53(\?|$)/.test(url)),
});

/**
 * Fresh ICE servers as frame for a peer that asked in band, or the problem that there are none: it asks too often (each
 * time may be a request to the provider, whose patience is for all), or the provider fails.
 */
export async function iceServersFrame(env: Bindings, peer: string, at: number): Promise<string> {
  try {
    const { success } = await env.RECONNECTS.limit({ key: `ice-servers ${peer}` });
    if (!success) return problemFrame(problem("rate-limited", "ICE servers were asked too often"));
    const ice = await iceServersFor(deploymentConfig(env), peer, at);
    const { iceServers, ...expiry } = ice;
    const message: ToPeer = { type: "ice-servers", iceServers: [...iceServers], ...expiry };
    return JSON.stringify(message);
  } catch (thrown) {
    report(thrown);
    return problemFrame(problem("turn-unavailable", "no TURN credentials can be had now"));
  }
}
