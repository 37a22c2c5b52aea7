import { errorOfResponse } from "./duplex-error.ts";

/** A proxy that swallows the socket may swallow this as well. */
const ANSWER_MS = 10_000;

/** GET of the session's HTTP address, or of what lies at `path` below it, with the token of the socket. */
export function getOfSession(signalling: URL, token: string, path = ""): Promise<Response> {
  const address = new URL(signalling);
  address.protocol = address.protocol.replace("ws", "http");
  address.pathname = address.pathname.replace(/\/signalling\/?$/, path);
  // What is asked of the socket means nothing here, and what is unknown is refused.
  address.search = "";
  const headers = { authorization: `Bearer ${token}` };
  const signal = AbortSignal.timeout(ANSWER_MS);
  return fetch(address, { headers, cache: "no-store", signal });
}

/** What lies there. Rejects with the server's problem. */
export async function readOfSession(url: URL, token: string, path: string): Promise<unknown> {
  const response = await getOfSession(url, token, path);
  if (!response.ok) throw await errorOfResponse(response);
  return response.json();
}
