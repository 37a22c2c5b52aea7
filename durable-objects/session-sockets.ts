import { decode } from "../protocol/decode.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { CLOSE, isProblem, PROBLEMS, type Problem, problem } from "../protocol/problem.ts";
import type { Grant } from "../protocol/session-config.ts";
import { step } from "../protocol/step.ts";
import type { IceGrant } from "../protocol/views.ts";
import { type Attachment, replyTo, withMessage, withProblem, withReply } from "./attachment.ts";
import { answerClose, closingFrame, problemFrame, problemResponse, report } from "./frames.ts";
import { attachmentOf, SessionTurns, sessionNotFound, tagOf } from "./session-turns.ts";

/** Headers by which the Worker hands an authorised upgrade on; they never come from outside. */
export const GRANT_HEADER = "x-duplex-grant";
export const ICE_HEADER = "x-duplex-ice";
export const SUBPROTOCOL = "duplex.v1";

const rateLimited = (): Problem =>
  problem(
    "rate-limited",
    `at most ${LIMITS.messagesPerSecond} messages a second, ${LIMITS.messageBurst} at once`,
    { messagesPerSecond: LIMITS.messagesPerSecond, messageBurst: LIMITS.messageBurst },
  );

/** The sockets of one session: who speaks, how much, and what it is answered. */
export class SessionSockets extends SessionTurns {
  override async fetch(request: Request): Promise<Response> {
    const before = this.session;
    if (!before) return problemResponse(sessionNotFound());
    const grant = JSON.parse(decodeURIComponent(request.headers.get(GRANT_HEADER) ?? "")) as Grant;
    const ice = JSON.parse(decodeURIComponent(request.headers.get(ICE_HEADER) ?? "")) as IceGrant;
    const result = step(before, { type: "join", grant, ice, at: Date.now() });
    if (isProblem(result)) return problemResponse(result);
    const { 0: client, 1: server } = new WebSocketPair();
    const peer = grant.peer;
    const connection = result.session.peers.get(peer)?.connection ?? 0;
    this.commit(before, result.session, this.softLinksOf(peer));
    this.ctx.acceptWebSocket(server, [tagOf(peer)]);
    server.serializeAttachment({ peer, connection, replies: [], soft: [] } satisfies Attachment);
    this.perform(result.session, result.effects);
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { "sec-websocket-protocol": SUBPROTOCOL },
    });
  }

  override webSocketMessage(ws: WebSocket, frame: string | ArrayBuffer): void {
    try {
      this.#receive(ws, frame);
    } catch (thrown) {
      this.#fault(ws, thrown);
    }
  }

  override webSocketClose(ws: WebSocket, code: number, reason: string): void {
    try {
      this.#lose(ws);
    } catch (thrown) {
      this.#fault(ws, thrown);
    } finally {
      answerClose(ws, code, reason);
    }
  }

  /** The runtime follows an error with a close; what is lost is lost there. */
  override webSocketError(ws: WebSocket): void {
    this.webSocketClose(ws, 1006, "");
  }

  #receive(ws: WebSocket, frame: string | ArrayBuffer): void {
    const at = Date.now();
    const known = attachmentOf(ws);
    const before = this.session;
    const peer = before?.peers.get(known.peer);
    // The socket was closed, replaced, or its peer is gone: nobody listens to it any more (S3).
    const deaf = ws.readyState !== WebSocket.OPEN || peer?.connection !== known.connection;
    if (!before || !peer || deaf) return;
    const attachment = withMessage(known, at);
    if (!attachment) {
      this.#refuse(ws, known, at, rateLimited());
      return;
    }
    const decoded = decode(frame);
    if ("problem" in decoded) {
      this.#refuse(ws, attachment, at, decoded.problem, decoded.id);
      return;
    }
    const { message } = decoded;
    const repeated = message.id === undefined ? undefined : replyTo(attachment, message.id);
    if (repeated !== undefined) {
      ws.serializeAttachment(attachment);
      this.deliver(ws, repeated);
      return;
    }
    const result = step(before, { type: "message", peer: peer.id, message, at });
    if (isProblem(result)) {
      this.#refuse(ws, attachment, at, result, message.id);
      return;
    }
    if (result.problem) {
      ws.serializeAttachment(attachment);
      this.commit(before, result.session, new Set(), ws);
      this.perform(result.session, result.effects);
      this.#refuse(ws, attachmentOf(ws), at, result.problem, message.id);
      return;
    }
    const ack: ToPeer | undefined =
      message.id === undefined ? undefined : { type: "ack", re: message.id, ...result.ack };
    const reply = ack && JSON.stringify(ack);
    ws.serializeAttachment(
      reply && message.id !== undefined ? withReply(attachment, message.id, reply) : attachment,
    );
    this.commit(before, result.session, new Set(), ws);
    if (reply) this.deliver(ws, reply);
    this.perform(result.session, result.effects);
  }

  /** A problem first; a peer that goes on is closed (S7). Others notice nothing (S8). */
  #refuse(ws: WebSocket, known: Attachment, at: number, what: Problem, id?: number): void {
    const frame = problemFrame(what, id);
    const { socket } = PROBLEMS[what.code];
    const next = socket === "reply" ? known : withProblem(known, at);
    this.deliver(ws, frame);
    if (!next) {
      const code = typeof socket === "number" ? socket : CLOSE.tooManyProblems;
      this.deliver(ws, closingFrame(code, what.code));
      ws.close(code, what.code);
      this.#lose(ws);
      return;
    }
    ws.serializeAttachment(id === undefined ? next : withReply(next, id, frame));
  }

  /** The newest socket of a peer is gone; an older one going is no news (S3, S5). */
  #lose(ws: WebSocket): void {
    const before = this.session;
    const { peer: id, connection } = attachmentOf(ws);
    if (before?.peers.get(id)?.connection === connection) this.lose(id);
  }

  /** Our failure: its peer gets an opaque id and 1011; what storage holds is the truth again. */
  #fault(ws: WebSocket, thrown: unknown): void {
    const id = report(thrown);
    this.forget();
    if (ws.readyState !== WebSocket.OPEN) return;
    this.deliver(ws, problemFrame(problem("internal-fault", `fault ${id}`)));
    ws.close(CLOSE.fault, id);
  }
}
