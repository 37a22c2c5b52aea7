import type { PeerView } from "../protocol/message-parts.ts";
import { MOST_OBSERVERS } from "../protocol/told-limits.ts";
import { clientError, type DuplexError, errorOfResponse } from "./duplex-error.ts";
import { getOfSession } from "./session-http.ts";
import { claimsOf } from "./token-claims.ts";

type Head = {
  readonly peers?: readonly Partial<Pick<PeerView, "role" | "managed" | "state">>[];
  readonly maxPeers?: number;
};

/** A session that may be read but not joined has no place left: see `placeFor`, which counts in this way. */
async function problemOfSession(
  response: Response,
  isObserver: boolean,
): Promise<DuplexError | undefined> {
  const { peers = [], maxPeers = Number.POSITIVE_INFINITY } = (await response.json()) as Head;
  const observers = peers.filter(({ role }) => role === "observer");
  if (isObserver) {
    const here = observers.filter(({ state }) => state !== "away");
    const title = "The session has as many observers as it may";
    return here.length < MOST_OBSERVERS
      ? undefined
      : clientError("too-many-observers", title, `it takes ${MOST_OBSERVERS} observers`, 409);
  }
  const taken = peers.filter(({ managed }) => !managed).length - observers.length;
  if (taken < maxPeers) return undefined;
  const title = "The session has as many peers as it may";
  return clientError("session-full", title, `it takes ${maxPeers} peers`, 409);
}

/**
 * Why an upgrade was refused: browsers show 1006 and nothing else, so the session's HTTP address is asked
 * with the same token. Undefined when it has no objection, or there is no answer.
 */
export async function whyRefused(signalling: URL, token: string): Promise<DuplexError | undefined> {
  try {
    const response = await getOfSession(signalling, token);
    return response.ok
      ? await problemOfSession(response, claimsOf(token).role === "observer")
      : await errorOfResponse(response);
  } catch {
    return undefined;
  }
}

/** The answer to a `join` that reached nobody. */
export function unreachable(code: number, reason: string): DuplexError {
  const title = "The signalling server could not be reached";
  return clientError("signalling-unreachable", title, `close code ${code} ${reason}`.trim());
}
