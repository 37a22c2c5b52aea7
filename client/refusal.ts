import { clientError, type DuplexError, errorOfResponse } from "./duplex-error.ts";
import { getOfSession } from "./session-http.ts";

/** A session that may be read but not joined has no place left. */
async function problemOfSession(response: Response): Promise<DuplexError | undefined> {
  const session = (await response.json()) as { peers?: unknown[]; maxPeers?: number };
  const { peers = [], maxPeers = Number.POSITIVE_INFINITY } = session;
  if (peers.length < maxPeers) return undefined;
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
    return response.ok ? await problemOfSession(response) : await errorOfResponse(response);
  } catch {
    return undefined;
  }
}

/** The answer to a `join` that reached nobody. */
export function unreachable(code: number, reason: string): DuplexError {
  const title = "The signalling server could not be reached";
  return clientError("signalling-unreachable", title, `close code ${code} ${reason}`.trim());
}
