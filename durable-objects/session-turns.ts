import { DurableObject } from "cloudflare:workers";
import { CLOSE, isProblem, type Problem, problem } from "../protocol/problem.ts";
import {
  type Effect,
  isConnected,
  nextDeadline,
  type Peer,
  type Session,
} from "../protocol/session.ts";
import type { SessionEvent } from "../protocol/step.ts";
import { step } from "../protocol/step.ts";
import { type Attachment, withRemembered, withSoft } from "./attachment.ts";
import type { Bindings } from "./env.ts";
import { answerClose, closingFrame, report, sendTo } from "./frames.ts";
import { iceServersFrame } from "./ice-servers.ts";
import { recallCnames } from "./recall-cnames.ts";
import { SessionStore } from "./session-store.ts";

type RecallCnames = Extract<Effect, { type: "recall-cnames" }>;

export const tagOf = (peer: string): string => `p:${peer}`;

export const sessionNotFound = (): Problem =>
  problem("session-not-found", "no session has this id; it may have ended");

export const attachmentOf = (ws: WebSocket): Attachment => ws.deserializeAttachment() as Attachment;

/**
 * The turns of one session: load, step, save, perform, in one synchronous go. Nothing is kept in fields that
 * cannot be rebuilt (R4).
 */
export class SessionTurns extends DurableObject<Bindings> {
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
      for (const peer of stored?.peers.values() ?? []) {
        if (isConnected(peer) && !this.#hasSocket(peer)) this.lose(peer.id);
      }
    }
    return this.#session;
  }

  /** Hibernation keeps sockets; an abort (deploy, crash) takes them without a close event (S5). */
  #hasSocket({ id, connection }: Peer): boolean {
    return this.ctx
      .getWebSockets(tagOf(id))
      .some((ws) => ws.readyState === WebSocket.OPEN && attachmentOf(ws).connection === connection);
  }

  /** The socket of a peer is gone; what only it remembered is written (S5). */
  protected lose(peer: string): void {
    this.turn({ type: "lost", peer, at: Date.now() }, this.softLinksOf(peer));
  }

  protected begin(session: Session): void {
    this.#store.create(session);
    this.#session = session;
    this.#setAlarm(session);
  }

  /** One turn without a socket of its own: the event, what it changes, what follows. */
  protected turn(event: SessionEvent, forced?: ReadonlySet<string>): Session | Problem {
    const before = this.session;
    if (!before) return sessionNotFound();
    const result = step(before, event);
    if (isProblem(result)) return result;
    this.commit(before, result.session, forced);
    this.perform(result.session, result.effects);
    return result.session;
  }

  override alarm(): void {
    this.#alarmAt = null;
    if (this.session) this.turn({ type: "alarm", at: Date.now() });
  }

  protected softLinksOf(peer: string): Set<string> {
    const sockets = this.ctx.getWebSockets(tagOf(peer)).map(attachmentOf);
    return new Set(sockets.flatMap(({ soft }) => soft.map(([link]) => link)));
  }

  /** Makes the new session durable: rows for what is worth one, the sender's attachment for the rest. */
  protected commit(
    before: Session,
    after: Session,
    forced: ReadonlySet<string> = new Set(),
    sender?: WebSocket,
  ): void {
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

  protected perform(session: Session, effects: readonly Effect[]): void {
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
        case "recall-cnames":
          this.ctx.waitUntil(this.#recallCnames(session.id, effect));
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
      if (open && (newest === undefined || attachmentOf(ws).connection === newest))
        this.deliver(ws, frame);
    }
  }

  /** Every frame to a peer goes this way. */
  protected deliver(ws: WebSocket, frame: string): void {
    sendTo(ws, frame);
  }

  #closeSockets(peer: string, code: number, reason: string, keepNewestOf?: Session): void {
    const newest = keepNewestOf?.peers.get(peer)?.connection;
    for (const ws of this.ctx.getWebSockets(tagOf(peer))) {
      if (attachmentOf(ws).connection === newest) continue;
      // The frame first: a socket closed from outside its own message keeps its TCP connection until the object
      // sleeps (workerd 1.20261023), so that a client may learn of the close only 10 s later.
      if (ws.readyState === WebSocket.OPEN) this.deliver(ws, closingFrame(code, reason));
      answerClose(ws, code, reason);
    }
  }

  async #renewIceServers(peer: string): Promise<void> {
    const frame = await iceServersFrame(this.env, peer, Date.now());
    if (this.session) this.#send(this.session, peer, frame);
  }

  async #recallCnames(id: string, { cnames, type: _type, ...about }: RecallCnames): Promise<void> {
    try {
      const at = Date.now();
      if (!(await recallCnames(this.env, id, cnames, at))) return;
      if (this.session) this.turn({ type: "cname-recalled", ...about, at });
    } catch (thrown) {
      report(thrown);
    }
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

  /** What memory holds is in doubt: storage is the truth again. */
  protected forget(): void {
    this.#session = undefined;
  }
}
