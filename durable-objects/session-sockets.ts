import { DurableObject } from "cloudflare:workers";
import { decode } from "../protocol/decode.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { CLOSE, isProblem, PROBLEMS, type Problem, problem } from "../protocol/problem.ts";
import { type Effect, nextDeadline, type Session } from "../protocol/session.ts";
import type { Grant } from "../protocol/session-config.ts";
import { type SessionEvent, step } from "../protocol/step.ts";
import type { IceGrant } from "../protocol/views.ts";
import {
  type Attachment,
  replyTo,
  withMessage,
  withProblem,
  withRemembered,
  withReply,
  withSoft,
} from "./attachment.ts";
import type { Bindings } from "./env.ts";
import {
  answerClose,
  closingFrame,
  problemFrame,
  problemResponse,
  report,
  sendTo,
} from "./frames.ts";
import { iceServersFrame } from "./ice-servers.ts";
import { SessionStore } from "./session-store.ts";

/** Headers by which the Worker hands an authorised upgrade on; they never come from outside. */
export const GRANT_HEADER = "x-duplex-grant";
export const ICE_HEADER = "x-duplex-ice";
export const SUBPROTOCOL = "duplex.v1";

const tagOf = (peer: string): string => `p:${peer}`;

export const sessionNotFound = (): Problem =>
  problem("session-not-found", "no session has this id; it may have ended");

const rateLimited = (): Problem =>
  problem(
    "rate-limited",
    `at most ${LIMITS.messagesPerSecond} messages a second, ${LIMITS.messageBurst} at once`,
    { messagesPerSecond: LIMITS.messagesPerSecond, messageBurst: LIMITS.messageBurst },
  );

const attachmentOf = (ws: WebSocket): Attachment => ws.deserializeAttachment() as Attachment;

/**
 * The shell around one session: sockets, storage, the one alarm. Every message is one synchronous turn:
 * load, step, save, perform. Nothing is kept in fields that cannot be rebuilt (R4).
 */
export class SessionSockets extends DurableObject<Bindings> {
  readonly #store: SessionStore;
  #session: Session | null | undefined;
  #alarmAt: number | null = null;

  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env);
    this.#store = new SessionStore(state.storage.sql);
    state.setWebSocketAutoResponse(
      new WebSocketRequestResponsePair('{"type":"ping"}', '{"type":"pong"}'),
    );
    void state.blockConcurrencyWhile(async () => {
      this.#alarmAt = await state.storage.getAlarm();
    });
  }

  protected get session(): Session | null {
    if (this.#session === undefined) {
      const stored = this.#store.load();
      this.#session = stored && withRemembered(stored, this.ctx.getWebSockets().map(attachmentOf));
    }
    return this.#session;
  }

  protected begin(session: Session): void {
    this.#store.create(session);
    this.#session = session;
    this.#setAlarm(session);
  }

  /** One turn without a socket of its own: the event, what it changes, what follows. */
  protected turn(event: SessionEvent): Session | Problem {
    const before = this.session;
    if (!before) return sessionNotFound();
    const result = step(before, event);
    if (isProblem(result)) return result;
    this.#commit(before, result.session);
    this.#perform(result.session, result.effects);
    return result.session;
  }

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
    this.#commit(before, result.session, this.#softLinksOf(peer));
    this.ctx.acceptWebSocket(server, [tagOf(peer)]);
    server.serializeAttachment({ peer, connection, replies: [], soft: [] } satisfies Attachment);
    this.#perform(result.session, result.effects);
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

  override alarm(): void {
    this.#alarmAt = null;
    if (this.session) this.turn({ type: "alarm", at: Date.now() });
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
      ws.send(repeated);
      return;
    }
    const result = step(before, { type: "message", peer: peer.id, message, at });
    if (isProblem(result)) {
      this.#refuse(ws, attachment, at, result, message.id);
      return;
    }
    const ack: ToPeer | undefined =
      message.id === undefined ? undefined : { type: "ack", re: message.id, ...result.ack };
    const reply = ack && JSON.stringify(ack);
    ws.serializeAttachment(
      reply && message.id !== undefined ? withReply(attachment, message.id, reply) : attachment,
    );
    this.#commit(before, result.session, new Set(), ws);
    if (reply) ws.send(reply);
    this.#perform(result.session, result.effects);
  }

  /** A problem first; a peer that goes on is closed (S7). Others notice nothing (S8). */
  #refuse(ws: WebSocket, known: Attachment, at: number, what: Problem, id?: number): void {
    const frame = problemFrame(what, id);
    const { socket } = PROBLEMS[what.code];
    const next = socket === "reply" ? known : withProblem(known, at);
    ws.send(frame);
    if (!next) {
      const code = typeof socket === "number" ? socket : CLOSE.tooManyProblems;
      ws.send(closingFrame(what.code));
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
    if (!before || before.peers.get(id)?.connection !== connection) return;
    const result = step(before, { type: "lost", peer: id, at: Date.now() });
    if (isProblem(result)) return;
    this.#commit(before, result.session, this.#softLinksOf(id));
    this.#perform(result.session, result.effects);
  }

  #softLinksOf(peer: string): Set<string> {
    const sockets = this.ctx.getWebSockets(tagOf(peer)).map(attachmentOf);
    return new Set(sockets.flatMap(({ soft }) => soft.map(([link]) => link)));
  }

  /** Makes the new session durable: rows for what is worth one, the sender's attachment for the rest. */
  #commit(before: Session, after: Session, forced = new Set<string>(), sender?: WebSocket): void {
    const written = this.#save(before, after, forced);
    const attachment = sender && attachmentOf(sender);
    if (sender && attachment) {
      const soft = new Set(attachment.soft.map(([link]) => link));
      for (const [link, trickle] of after.trickle) {
        if (trickle !== before.trickle.get(link)) soft.add(link);
      }
      for (const link of written) soft.delete(link);
      const kept = withSoft(attachment, after, soft);
      if (!kept.fits) this.#save(after, after, soft);
      sender.serializeAttachment(kept.attachment);
    }
    this.#session = after;
    this.#setAlarm(after);
  }

  /** All rows or none: a fault half-way leaves what was. */
  #save(before: Session, after: Session, forced: ReadonlySet<string>): Set<string> {
    return this.ctx.storage.transactionSync(() => this.#store.save(before, after, forced));
  }

  #setAlarm(session: Session): void {
    const next = nextDeadline(session);
    if (next === this.#alarmAt) return;
    this.#alarmAt = next;
    void (next === null ? this.ctx.storage.deleteAlarm() : this.ctx.storage.setAlarm(next));
  }

  #perform(session: Session, effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "send":
          this.#send(session, effect.to, JSON.stringify(effect.message));
          break;
        case "replace":
          this.#closeSockets(effect.peer, CLOSE.replaced, "replaced", session);
          break;
        case "close":
          this.#closeSockets(effect.peer, effect.code, effect.reason);
          break;
        case "renew-ice-servers":
          this.ctx.waitUntil(this.#renewIceServers(effect.peer));
          break;
        case "erase":
          this.#erase();
          break;
      }
    }
  }

  /** To the newest socket of the peer, unless it is closing. */
  #send(session: Session, peer: string, frame: string): void {
    const newest = session.peers.get(peer)?.connection;
    for (const ws of this.ctx.getWebSockets(tagOf(peer))) {
      const open = ws.readyState === WebSocket.OPEN;
      if (open && (newest === undefined || attachmentOf(ws).connection === newest)) sendTo(ws, frame);
    }
  }

  #closeSockets(peer: string, code: number, reason: string, keepNewestOf?: Session): void {
    const newest = keepNewestOf?.peers.get(peer)?.connection;
    for (const ws of this.ctx.getWebSockets(tagOf(peer))) {
      if (attachmentOf(ws).connection !== newest) answerClose(ws, code, reason);
    }
  }

  async #renewIceServers(peer: string): Promise<void> {
    const frame = await iceServersFrame(this.env, peer, Date.now());
    if (this.session) this.#send(this.session, peer, frame);
  }

  #erase(): void {
    const { id, config } = this.#session ?? {};
    if (id && config?.listed) this.ctx.waitUntil(this.#unlist(id));
    this.#session = null;
    this.#alarmAt = null;
    void this.ctx.storage.deleteAll();
  }

  async #unlist(id: string): Promise<void> {
    try {
      await this.env.SESSION_INDEX.getByName("index").remove(id);
    } catch (thrown) {
      report(thrown);
    }
  }

  /** Our failure: its peer gets an opaque id and 1011; what storage holds is the truth again. */
  #fault(ws: WebSocket, thrown: unknown): void {
    const id = report(thrown);
    this.#session = undefined;
    if (ws.readyState !== WebSocket.OPEN) return;
    ws.send(problemFrame(problem("internal-fault", `fault ${id}`)));
    ws.close(CLOSE.fault, id);
  }
}
