import { faultRecord } from "../protocol/fault.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { type Problem, problemDocument } from "../protocol/problem.ts";

/** Frames and responses that more than one place of this room sends. */

/** A problem as frame of `duplex.v1`; `re` names the request it answers. */
export function problemFrame(what: Problem, re?: number): string {
  const { type: _, ...document } = problemDocument(what);
  return JSON.stringify({ type: "problem", ...(re === undefined ? {} : { re }), ...document });
}

export function closingFrame(code: number, reason: string): string {
  return JSON.stringify({ type: "closing", code, reason } satisfies ToPeer);
}

/** A problem as HTTP response (RFC 9457). */
export function problemResponse(what: Problem): Response {
  const document = problemDocument(what);
  return Response.json(document, {
    status: document.status,
    headers: { "content-type": "application/problem+json" },
  });
}

/**
 * Answers a close handshake. Hibernatable sockets are not answered by the runtime, and the codes that
 * mean "no code" cannot be sent back (RFC 6455 s7.4.1).
 */
export function answerClose(ws: WebSocket, code: number, reason: string): void {
  try {
    if ([1005, 1006, 1015].includes(code)) ws.close();
    else ws.close(code, reason);
  } catch {
    // Closed already, or a code that may not be sent: either way there is nobody to tell.
  }
}

/** Sends to the socket of somebody else: that it died meanwhile is not the sender's fault (S8). */
export function sendTo(ws: WebSocket, frame: string): void {
  try {
    ws.send(frame);
  } catch {
    // Its close event follows and takes the peer away.
  }
}

/** Logs a fault without what it was about (A4); returns its opaque id. */
export function report(thrown: unknown): string {
  const id = crypto.randomUUID();
  // biome-ignore lint/suspicious/noConsole: the one place where this room logs
  console.error(JSON.stringify(faultRecord(id, thrown)));
  return id;
}
