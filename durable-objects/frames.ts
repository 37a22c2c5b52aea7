import { faultRecord } from "../protocol/fault.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { type Problem, problemDocument } from "../protocol/problem.ts";
import type { AckMembers, Effect, Session } from "../protocol/session.ts";
import { withoutUsual } from "../protocol/usual-values.ts";

/** Frames and responses that more than one place of this room sends. */

/** Keep-alive, as exact texts: the runtime answers without waking the object (R5). */
export const PING = '{"type":"ping"}';
export const PONG = '{"type":"pong"}';

/** A message as the socket of its receiver asked for it. */
export function frameOf(
  { peers }: Session,
  { to, message }: Extract<Effect, { type: "send" }>,
): string {
  const isLean = peers.get(to)?.asked?.defaults === "omit";
  return JSON.stringify(isLean ? withoutUsual(message) : message);
}

/** A problem as frame of `duplex.v1`; `re` names the request it answers. */
export function problemFrame(what: Problem, re?: number): string {
  const { type: _, ...document } = problemDocument(what);
  return JSON.stringify({ type: "problem", ...(re === undefined ? {} : { re }), ...document });
}

/** An ack, with what else it says. */
export function ackFrame(re: number, members: AckMembers = {}): string {
  return JSON.stringify({ type: "ack", re, ...members } satisfies ToPeer);
}

export function closingFrame(code: number, reason: string): string {
  return JSON.stringify({ type: "closing", code, reason } satisfies ToPeer);
}

/** A problem as HTTP response (RFC 9457), byte for byte as the Worker answers it (A1). */
export function problemResponse(what: Problem): Response {
  const document = problemDocument(what);
  return Response.json(document, {
    status: document.status,
    headers: {
      "content-type": "application/problem+json",
      ...(what.code === "unauthorized" ? { "www-authenticate": 'Bearer realm="duplex"' } : {}),
    },
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

/** A fault that the log has already: whoever sees it learns its opaque id. */
class ReportedFault extends Error {
  readonly id: string;

  constructor(id: string) {
    super(`fault ${id}`);
    this.id = id;
  }
}

/** Logs a fault without what it was about (A4); returns its opaque id. */
export function report(thrown: unknown): string {
  if (thrown instanceof ReportedFault) return thrown.id;
  const id = crypto.randomUUID();
  // biome-ignore lint/suspicious/noConsole: the one place where this room logs
  console.error(JSON.stringify(faultRecord(id, thrown)));
  return id;
}

/**
 * For what the runtime calls itself: it logs what is thrown there with its message, and that of a text which cannot be
 * read quotes the text (A4).
 */
export function opaquely<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw new ReportedFault(report(thrown));
  }
}
