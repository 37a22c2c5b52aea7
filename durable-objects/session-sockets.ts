import { addressee } from "../protocol/addressing.ts";
import { decode } from "../protocol/decode.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { FromPeer } from "../protocol/messages.ts";
import { CLOSE, isProblem, PROBLEMS, type Problem, problem } from "../protocol/problem.ts";
import type { Session, Step } from "../protocol/session.ts";
import type { SimulatedFault } from "../protocol/simulated-fault.ts";
import { step } from "../protocol/step.ts";
import { recordedNews, recordedRefusal } from "../protocol/timeline/record.ts";
import type { TransportState } from "../protocol/transport.ts";
import { admissionOf } from "./admission.ts";
import {
  type Attachment,
  allowancesLeft,
  attachmentOf,
  remember,
  rememberCount,
  replyTo,
  withMessage,
  withProblem,
  withReply,
} from "./attachment.ts";
import {
  ackFrame,
  answerClose,
  closingFrame,
  problemFrame,
  problemResponse,
  report,
} from "./frames.ts";
import { SessionLosses } from "./session-losses.ts";
import { sessionNotFound } from "./session-not-found.ts";

export const SUBPROTOCOL = "duplex.v1";

const rateLimited = (): Problem =>
  problem(
    "rate-limited",
    `at most ${LIMITS.messagesPerSecond} messages a second, ${LIMITS.messageBurst} at once`,
    { messagesPerSecond: LIMITS.messagesPerSecond, messageBurst: LIMITS.messageBurst },
  );

const receiverBusy = (): Problem =>
  problem("receiver-busy", "the peer has not read what it was sent; send again later");

const isBroken = (state: TransportState): boolean => state === "disconnected" || state === "failed";

/** The sockets of one session: who speaks, how much, and what it is answered. */
export abstract class SessionSockets extends SessionLosses {
  override async fetch(request: Request): Promise<Response> {
    try {
      return this.#admit(request);
    } catch (thrown) {
      // The peer may have been written as connected without a socket: what is loaded next finds it lost.
      const id = report(thrown);
      this.forget();
      return problemResponse(problem("internal-fault", `fault ${id}`));
    }
  }

  #admit(request: Request): Response {
    const before = this.session;
    if (!before) return problemResponse(sessionNotFound());
    const { grant, ice, asked } = admissionOf(request);
    const at = Date.now();
    const event = { type: "join", grant, ice, asked, at } as const;
    const result = step(before, event);
    if (isProblem(result)) {
      this.noteRefusal(result, grant.peer);
      if (result.code === "session-full") this.#noteTurnedAway(before, grant.peer, at);
      return problemResponse(result);
    }
    const { 0: client, 1: server } = new WebSocketPair();
    const peer = grant.peer;
    const connection = result.session.peers.get(peer)?.connection ?? 0;
    const remembered = this.sockets.remembered(peer);
    const written = before.peers.get(peer)?.allowances;
    const allowances = allowancesLeft(written ? [...remembered, written] : remembered, at);
    const forced = this.apartIn(remembered);
    const kept = this.commit(before, result.session, event, { forced });
    this.sockets.accept(server, {
      peer,
      connection,
      ...allowances,
      replies: [],
      soft: [],
      ...kept,
    });
    this.sockets.liveness.welcome(server, () => this.perform(before, result, at));
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { "sec-websocket-protocol": SUBPROTOCOL },
    });
  }

  /** Who is turned away has no history of its own, and no socket: another one remembers it. */
  #noteTurnedAway(session: Session, by: string, at: number): void {
    const witness = this.sockets.anyOf(session);
    const noted = recordedNews(session, { type: "refused", by, code: "session-full" }, at);
    if (witness) this.note(session, noted, at, witness);
  }

  override webSocketMessage(ws: WebSocket, frame: string | ArrayBuffer): void {
    if (this.network) this.network.incoming(ws, frame, () => this.#take(ws, frame));
    else this.#take(ws, frame);
  }

  #take(ws: WebSocket, frame: string | ArrayBuffer): void {
    try {
      this.#receive(ws, frame);
      this.cutOffDeaf();
    } catch (thrown) {
      this.#fault(ws, thrown);
    }
  }

  override webSocketClose(ws: WebSocket, code: number, reason: string): void {
    try {
      this.loseSocket(ws);
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
    const before = this.session;
    const attached = attachmentOf(ws);
    const peer = before?.peers.get(attached.peer);
    // The socket was closed, replaced, or its peer is gone: nobody listens to it any more (S3).
    const deaf = ws.readyState !== WebSocket.OPEN || peer?.connection !== attached.connection;
    if (!before || !peer || deaf) return;
    const known = this.sockets.liveness.heard(ws, attached);
    const decoded = decode(frame);
    const attachment = withMessage(known, at);
    if (!attachment) {
      const { id } = "problem" in decoded ? decoded : decoded.message;
      this.#refuseUnread(ws, known, at, rateLimited(), id);
      return;
    }
    if ("problem" in decoded) {
      this.#refuseUnread(ws, attachment, at, decoded.problem, decoded.id);
      return;
    }
    const { message } = decoded;
    const repeated = message.id === undefined ? undefined : replyTo(attachment, message.id);
    if (repeated !== undefined) {
      remember(ws, attachment);
      this.sockets.deliver(ws, repeated);
      return;
    }
    const isAnswer = message.type === "alive";
    const living = isAnswer
      ? this.sockets.liveness.answered(ws, attachment, message.n)
      : attachment;
    // Nothing is to be remembered but that it spoke, as most often.
    if (living === attached && message.id === undefined) {
      rememberCount(ws);
    } else remember(ws, living);
    this.#obey(ws, living, before, message, at);
    if (message.type === "simulate") this.simulateFault(ws, living.peer, message);
  }

  /** In local development: the network of a peer fails, and the timeline says so. */
  protected simulateFault(ws: WebSocket, peer: string, fault: SimulatedFault): void {
    const { session } = this;
    const at = Date.now();
    // Not written: a fault must not find more in rows than there was.
    const news = { type: "fault", peer, fault: fault.fault } as const;
    if (session) this.note(session, recordedNews(session, news, at), at, ws);
    this.network?.simulate(ws, fault);
  }

  /** Takes the step that a message asks for, and answers it. */
  #obey(ws: WebSocket, attachment: Attachment, before: Session, message: FromPeer, at: number) {
    const result = this.#result(attachment.peer, before, message, at);
    const event = { type: "message", peer: attachment.peer, message, at } as const;
    if (isProblem(result)) {
      const refused = { message, problem: result, at };
      this.note(before, recordedRefusal(before, attachment.peer, refused), at, ws);
      this.#refuse(ws, attachmentOf(ws), at, result, message.id);
      return;
    }
    if (result.problem) {
      this.commit(before, result.session, event, { sender: ws });
      this.perform(before, result, at);
      this.#refuse(ws, attachmentOf(ws), at, result.problem, message.id);
      return;
    }
    const reply = message.id === undefined ? undefined : ackFrame(message.id, result.ack);
    if (reply && message.id !== undefined) remember(ws, withReply(attachment, message.id, reply));
    this.commit(before, result.session, event, { sender: ws });
    if (reply) this.sockets.deliver(ws, reply);
    this.perform(before, result, at);
    if (message.type === "transport" && isBroken(message.state)) {
      this.#doubtOtherEnd(result.session, attachment.peer, message.to, at);
    }
  }

  #result(peer: string, before: Session, message: FromPeer, at: number): Step | Problem {
    if (message.type === "simulate" && this.network) {
      return { session: before, effects: [], ack: {} };
    }
    if (message.type === "message" && this.#isBusy(before, message.to)) return receiverBusy();
    return step(before, { type: "message", peer, message, at });
  }

  #isBusy(session: Session, id: string): boolean {
    const receiver = session.peers.get(id);
    return receiver !== undefined && this.sockets.isBusy(receiver);
  }

  #doubtOtherEnd(session: Session, id: string, to: string | undefined, at: number): void {
    const sender = session.peers.get(id);
    const other = sender && addressee(session, sender, to);
    if (other && !isProblem(other)) this.doubt(other, at);
  }

  /** What was too much, or could not be read: no step has seen it. */
  #refuseUnread(ws: WebSocket, known: Attachment, at: number, what: Problem, id?: number): void {
    const { session } = this;
    remember(ws, known);
    if (session)
      this.note(session, recordedRefusal(session, known.peer, { problem: what, at }), at, ws);
    this.#refuse(ws, attachmentOf(ws), at, what, id);
  }

  /** Somebody was refused something: news for operators. */
  protected abstract noteRefusal(what: Problem, peer: string): void;

  /** A problem first; a peer that goes on is closed (S7). Others notice nothing (S8). */
  #refuse(ws: WebSocket, known: Attachment, at: number, what: Problem, id?: number): void {
    this.noteRefusal(what, known.peer);
    const frame = problemFrame(what, id);
    const { socket } = PROBLEMS[what.code];
    const next = socket === "reply" ? known : withProblem(known, at);
    if (next) remember(ws, id === undefined ? next : withReply(next, id, frame));
    this.sockets.deliver(ws, frame);
    if (!next) {
      const code = typeof socket === "number" ? socket : CLOSE.tooManyProblems;
      this.sockets.deliver(ws, closingFrame(code, what.code));
      ws.close(code, what.code);
      this.loseSocket(ws, what.code);
    }
  }

  /** Our failure: its peer gets an opaque id and 1011; what storage holds is the truth again. */
  #fault(ws: WebSocket, thrown: unknown): void {
    const id = report(thrown);
    this.forget();
    this.#noteFault(ws, id);
    if (ws.readyState !== WebSocket.OPEN) return;
    this.sockets.deliver(ws, problemFrame(problem("internal-fault", `fault ${id}`)));
    ws.close(CLOSE.fault, id);
  }

  #noteFault(ws: WebSocket, fault: string): void {
    try {
      this.noteNews({ type: "fault", peer: attachmentOf(ws).peer, fault });
    } catch {
      // What failed fails again: the log has it.
      this.forget();
    }
  }
}
