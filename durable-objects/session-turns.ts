import { DurableObject } from "cloudflare:workers";
import { isLocalDev } from "../protocol/config.ts";
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
import {
  type Attachment,
  allowancesLeft,
  attachmentOf,
  softLinksOf,
  withRemembered,
  withSoft,
} from "./attachment.ts";
import type { Bindings } from "./env.ts";
import { forgetElsewhere } from "./forget-elsewhere.ts";
import { opaquely, PING, PONG, report } from "./frames.ts";
import { iceServersFrame } from "./ice-servers.ts";
import { PeerSockets } from "./peer-sockets.ts";
import { recallCnames } from "./recall-cnames.ts";
import { SessionStore } from "./session-store.ts";
import { SimulatedNetwork } from "./simulated-network.ts";

type RecallCnames = Extract<Effect, { type: "recall-cnames" }>;

export const sessionNotFound = (): Problem =>
  problem("session-not-found", "no session has this id; it may have ended");

/**
 * The turns of one session: load, step, save, perform, in one synchronous go. Nothing is kept in fields that
 * cannot be rebuilt (R4).
 */
export class SessionTurns extends DurableObject<Bindings> {
  /** In local development only: where faults may be simulated. */
  protected readonly network?: SimulatedNetwork;
  protected readonly sockets: PeerSockets;
  readonly #store: SessionStore;
  #session: Session | null | undefined;
  #alarmAt: number | null = null;
  /** The deadline of doubts that the alarm was set with. */
  #doubtAt: number | null = null;

  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env);
    this.#store = new SessionStore(state.storage.sql);
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    if (isLocalDev(env)) {
      this.network = new SimulatedNetwork({
        state,
        heard: (ws) => this.sockets.liveness.heard(ws, attachmentOf(ws)),
        lose: (ws) => this.loseSocket(ws),
        evict: () => this.#evict(),
      });
    }
    this.sockets = new PeerSockets(state, this.network);
    this.#readAlarm();
  }

  #readAlarm(): void {
    void this.ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await this.ctx.storage.getAlarm();
    });
  }

  /** As the runtime's eviction: what only memory holds is gone. */
  #evict(): void {
    this.forget();
    this.#readAlarm();
  }

  protected get session(): Session | null {
    return opaquely(() => this.#loaded());
  }

  #loaded(): Session | null {
    if (this.#session === undefined) {
      const stored = this.#store.load();
      const remembered = this.sockets.recall();
      this.#session = stored && withRemembered(stored, remembered);
      for (const peer of stored?.peers.values() ?? []) {
        if (isConnected(peer) && !this.sockets.of(peer)) this.lose(peer.id);
      }
    }
    return this.#session;
  }

  /**
   * The socket of a peer is gone; what only it remembered is written (S5). `last` is what that was, when the socket is
   * known: the runtime does not list one that its client closed any more, and may have told others first.
   */
  protected lose(peer: string, last: readonly Attachment[] = []): void {
    const { session } = this;
    if (!session) return;
    const at = Date.now();
    const remembered = [...this.sockets.remembered(peer), ...last];
    this.#session = withRemembered(session, last);
    const allowances = allowancesLeft(remembered, at);
    const lost = { type: "lost", peer, ...(allowances && { allowances }), at } as const;
    this.turn(lost, softLinksOf(remembered));
  }

  protected begin(session: Session): void {
    this.#store.create(session);
    this.#session = session;
    this.#setAlarm(session);
  }

  /** One turn without a socket of its own: the event, what it changes, what follows. */
  protected turn(event: SessionEvent, forced?: ReadonlySet<string>): Session | Problem {
    return opaquely(() => this.#turn(event, forced));
  }

  #turn(event: SessionEvent, forced?: ReadonlySet<string>): Session | Problem {
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
    if (!this.session) return;
    const at = Date.now();
    for (const ws of this.sockets.liveness.silent(at)) this.#cutOff(ws, "silent");
    this.turn({ type: "alarm", at });
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
    const deadline = nextDeadline(session);
    const doubt = this.sockets.liveness.deadline;
    this.#doubtAt = doubt;
    const next = doubt === null ? deadline : Math.min(doubt, deadline ?? doubt);
    if (next === this.#alarmAt) return;
    this.#alarmAt = next;
    void (next === null ? this.ctx.storage.deleteAlarm() : this.ctx.storage.setAlarm(next));
  }

  /** What is sent or closed may bring or end a doubt, which has a deadline of its own. */
  #setAlarmOfDoubts(): void {
    const isAsBefore = this.sockets.liveness.deadline === this.#doubtAt;
    if (this.#session && !isAsBefore) this.#setAlarm(this.#session);
  }

  protected perform(session: Session, effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "send":
          this.sockets.send(session, effect.to, JSON.stringify(effect.message));
          break;
        case "replace":
          this.sockets.close(effect.peer, CLOSE.replaced, "replaced", session);
          break;
        case "close":
          this.sockets.close(effect.peer, effect.code, effect.reason);
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
    this.cutOffDeaf();
    this.#setAlarmOfDoubts();
  }

  /** Closes sockets that nobody reads: what waits for them would fill the memory of all. */
  protected cutOffDeaf(): void {
    for (const ws of this.sockets.liveness.takeDeaf()) this.#cutOff(ws, "not reading");
  }

  /** The peer is lost as if its socket had closed (S5); it may come back. */
  #cutOff(ws: WebSocket, reason: string): void {
    if (ws.readyState !== WebSocket.OPEN) return;
    this.sockets.cutOff(ws, reason);
    this.loseSocket(ws);
  }

  /** The newest socket of a peer is gone; an older one going is no news (S3, S5). */
  protected loseSocket(ws: WebSocket): void {
    const last = attachmentOf(ws);
    this.sockets.liveness.letGo(ws);
    const isNewest = this.session?.peers.get(last.peer)?.connection === last.connection;
    if (isNewest) this.lose(last.peer, [last]);
    this.sockets.letGo(ws);
  }

  /** A transport to this peer is said not to work. */
  protected doubt(peer: Peer): void {
    this.sockets.doubt(peer);
    this.#setAlarmOfDoubts();
  }

  async #renewIceServers(peer: string): Promise<void> {
    const frame = await iceServersFrame(this.env, peer, Date.now());
    if (!this.session) return;
    this.sockets.send(this.session, peer, frame);
    this.#setAlarmOfDoubts();
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
    if (this.#session) this.ctx.waitUntil(forgetElsewhere(this.env, this.#session));
    this.#session = null;
    this.#alarmAt = null;
    void this.ctx.storage.deleteAll();
  }

  /** What memory holds is in doubt: storage is the truth again. */
  protected forget(): void {
    this.#session = undefined;
  }
}
