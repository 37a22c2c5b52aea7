import type { Context } from "hono";
import type { z } from "zod";
import { iceServersOf } from "../durable-objects/ice-servers.ts";
import { newPeerId } from "../durable-objects/random-id.ts";
import { SUBPROTOCOL } from "../durable-objects/session-sockets.ts";
import { Kind } from "../protocol/flow.ts";
import type { PeerView } from "../protocol/message-parts.ts";
import { type Problem, problem } from "../protocol/problem.ts";
import { type Grant, type PeerRequest, traitsOf, ueClaimsOf } from "../protocol/session-config.ts";
import { mintToken } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { Refusal } from "./refusal.ts";
import type { PeerGrant } from "./schemas.ts";

/** What the back end hands to a page: a token, and what else its peer needs to come. */

/** The token of a grant and where to use it. Refuses with `turn-unavailable`. */
export async function invitation(
  c: Context<AppEnv>,
  grant: Grant,
): Promise<z.output<typeof PeerGrant>> {
  const config = c.get("config");
  const token = await mintToken(config, grant);
  const ice = await iceServersOf(config, grant, Date.now()).catch(() => {
    throw new Refusal(problem("turn-unavailable", "no TURN credentials can be had now"));
  });
  const { session, peer, role, publish, subscribe, name, metadata, expiresAt } = grant;
  const view = { id: peer, role, publish: [...publish], subscribe: [...subscribe] };
  return {
    peer: {
      ...view,
      ...(name && { name }),
      ...(metadata && { metadata }),
      ...traitsOf(grant),
    },
    token,
    expiresAt,
    signalling: { url: signallingUrl(c, session), protocol: SUBPROTOCOL },
    iceServers: [...ice.iceServers],
  };
}

/** Of a new peer. */
export function grantFor(session: string, asked: z.output<typeof PeerRequest>): Grant {
  const { role, publish, subscribe, name, metadata, ttlSeconds } = asked;
  const silent = role === "observer";
  return {
    session,
    peer: newPeerId(),
    role,
    publish: silent ? [] : (publish ?? Kind.options),
    subscribe: silent ? [] : (subscribe ?? Kind.options),
    ...(name === undefined ? {} : { name }),
    ...(metadata === undefined ? {} : { metadata }),
    ...traitsOf(asked),
    ...ueClaimsOf(asked),
    expiresAt: endOf(ttlSeconds),
  };
}

/**
 * Of a peer that is in the session, with the rights that it has. Problem: `unknown-peer`, also for one without a socket
 * of its own (WHIP, WHEP, the deployment's media server), which would be another one with it.
 */
export function grantAnew(
  session: string,
  id: string,
  peers: readonly PeerView[],
  ttlSeconds: number,
): Grant | Problem {
  const known = peers.find((peer) => peer.id === id);
  if (known === undefined || known.via !== undefined || known.managed) {
    return problem("unknown-peer", "no peer of this id is in the session by a socket of its own");
  }
  const { role, publish, subscribe, name, metadata } = known;
  return {
    session,
    peer: id,
    role,
    publish,
    subscribe,
    ...(name === undefined ? {} : { name }),
    ...(metadata === undefined ? {} : { metadata }),
    ...traitsOf(known),
    expiresAt: endOf(ttlSeconds),
  };
}

/** Tokens tell whole seconds. */
const endOf = (ttlSeconds: number): number => (Math.floor(Date.now() / 1000) + ttlSeconds) * 1000;

/** Where the peers of a session connect. */
export function signallingUrl(c: Context<AppEnv>, id: string): string {
  const url = new URL(`/v1/sessions/${id}/signalling`, c.req.url);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
