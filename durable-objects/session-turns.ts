import { DurableObject } from "cloudflare:workers";
import { isLocalDev } from "../protocol/config.ts";
import { CLOSE, isProblem, type Problem } from "../protocol/problem.ts";
import {
  type Effect,
  nextDeadline,
  type Peer,
  type Session,
  type Step,
} from "../protocol/session.ts";
import type { SessionEvent } from "../protocol/step.ts";
import { step } from "../protocol/step.ts";
import type { CallMessage } from "../protocol/swap/bridge.ts";
import { type Attachment, allowancesLeft, attachmentOf, softLinksOf } from "./attachment.ts";
import { EndpointCourier } from "./endpoint-courier.ts";
import type { Bindings } from "./env.ts";
import { forgetElsewhere } from "./forget-elsewhere.ts";
import { frameOf, opaquely, PING, PONG } from "./frames.ts";
import { iceServersFrame } from "./ice-servers.ts";
import { ManagedCourier } from "./managed-courier.ts";
import { PeerSockets } from "./peer-sockets.ts";
import { recallCnames } from "./recall-cnames.ts";
import { firstAlarmOf } from "./session-alarm.ts";
import { SessionMemory } from "./session-memory.ts";
import { sessionNotFound } from "./session-not-found.ts";
import { SimulatedNetwork } from "./simulated-network.ts";
import type { SoftEvent } from "./soft-state.ts";
import { WaitingRequests } from "./waiting-requests.ts";

type RecallCnames = Extract<Effect, { type: "recall-cnames" }>;

type Turn = [event: SessionEvent, forced?: ReadonlySet<string>, cause?: CallMessage];

const NOTHING_MORE: readonly SoftEvent[] = [];

/**
 * The turns of one session: load, step, save, perform, in one synchronous go. Nothing is kept in fields that
 * cannot be rebuilt (R4).
 */
export abstract class SessionTurns extends DurableObject<Bindings> {
  /** In local development only: where faults may be simulated. */
  protected readonly network?: SimulatedNetwork;
  protected readonly sockets: PeerSockets;
  protected readonly waiting = new WaitingRequests();
  readonly #courier: EndpointCourier;
  readonly #managed: ManagedCourier;
  readonly #memory: SessionMemory;
  #session: Session | null | undefined;
  #alarmAt: number | null = null;
  /** The deadline of doubts that the alarm was set with. */
  #doubtAt: number | null = null;

  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env);
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
    this.#courier = new EndpointCourier(state, env, (peer) => this.lose(peer));
    this.#managed = new ManagedCourier(state, env, (event) => void this.turn(event));
    this.#memory = new SessionMemory(state, this.sockets);
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
    return this.#session === undefined ? opaquely(() => this.#load()) : this.#session;
  }

  #load(): Session | null {
    this.#session = this.#memory.load(this.#alarmAt, Date.now());
    const lost = this.sockets.missing(this.#session?.peers ?? new Map());
    for (const { id } of lost) this.lose(id);
    // What took the sockets took along what was under way.
    if (this.#session && lost.length > 0) this.#managed.catchUp(this.#session);
    return this.#session ?? null;
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
    if (last.length > 0) this.#session = this.#memory.recall(session, last);
    const allowances = allowancesLeft(remembered, at);
    const lost = { type: "lost", peer, ...(allowances && { allowances }), at } as const;
    this.turn(lost, softLinksOf(remembered));
  }

  protected begin(session: Session): void {
    this.#memory.create(session);
    this.#session = session;
    this.#setAlarm(
      Math.min(firstAlarmOf(session), nextDeadline(session) ?? Number.POSITIVE_INFINITY),
    );
  }

  /** One turn without a socket of its own: the event, what it changes, what follows. */
  protected turn(...asked: Turn): Session | Problem {
    const result = this.stepBy(...asked);
    return isProblem(result) ? result : (result.problem ?? result.session);
  }

  /** The same, with the ack. */
  protected stepBy(...[event, forced, cause]: Turn): Step | Problem {
    return opaquely(() => {
      const before = this.session;
      if (!before) return sessionNotFound();
      const result = step(before, event);
      if (isProblem(result)) return result;
      // What is erased at once need not be written.
      const isOver = result.effects.some(({ type }) => type === "erase");
      if (!isOver) this.commit(before, result.session, event, { ...(forced && { forced }) });
      this.perform(before, result, event.at, cause);
      return result;
    });
  }

  override alarm(info?: AlarmInvocationInfo): void | Promise<void> {
    // Looked at before it is forgotten what the alarm was set to: that may be news.
    this.#alarmAt ??= info?.scheduledTime ?? null;
    const { session } = this;
    this.#alarmAt = null;
    if (!session) return;
    const at = Date.now();
    for (const ws of this.sockets.liveness.silent(at)) this.#cutOff(ws, "silent");
    const due = () => void this.turn({ type: "alarm", at });
    return this.renewStays(session, at)?.then(due) ?? due();
  }

  /** Lets peers stay that are still there, where others know; undefined when there is none to ask for. */
  protected abstract renewStays(session: Session, at: number): Promise<void> | undefined;

  /**
   * Makes the new session durable: rows for what is worth one, the attachments of sockets for the rest. Gives what the
   * socket of whoever joined by the event is to remember.
   */
  protected commit(
    before: Session,
    after: Session,
    event: SessionEvent,
    { sender, forced }: { readonly sender?: WebSocket; readonly forced?: ReadonlySet<string> } = {},
  ): readonly SoftEvent[] {
    // As most frames leave it. What is due changes with it, or as it is sent or closed (`#setAlarmOfDoubts`).
    if (sender && after === before) return NOTHING_MORE;
    const alarmAt = this.#nextAlarm(after);
    const events = this.#memory.keep(before, after, event, { sender, forced, alarmAt });
    this.#session = after;
    this.#moveAlarm(after, alarmAt);
    return events;
  }

  /**
   * What the alarm is to be set to; undefined when it stays. It is never put off: setting it is a row, and one that finds
   * nothing due is a request, which costs a seventh of that. It sets the next one then.
   */
  #nextAlarm(session: Session): number | undefined {
    const deadline = nextDeadline(session);
    const doubt = this.sockets.liveness.deadline;
    this.#doubtAt = doubt;
    const next = Math.min(doubt ?? Number.POSITIVE_INFINITY, deadline ?? Number.POSITIVE_INFINITY);
    return next < (this.#alarmAt ?? Number.POSITIVE_INFINITY) ? next : undefined;
  }

  #moveAlarm(session: Session, alarmAt: number | undefined): void {
    if (alarmAt === undefined) return;
    // The first one may have been all that told of the session.
    this.#memory.writeFirst(session);
    this.#setAlarm(alarmAt);
  }

  #setAlarm(at: number): void {
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }

  /** What is sent or closed may bring or end a doubt, which has a deadline of its own. */
  #setAlarmOfDoubts(): void {
    const isAsBefore = this.sockets.liveness.deadline === this.#doubtAt;
    const session = this.#session;
    if (session && !isAsBefore) this.#moveAlarm(session, this.#nextAlarm(session));
  }

  /** `cause` is the message of an endpoint that asked for the turn. */
  protected perform(
    before: Session,
    { session, effects }: Step,
    at: number,
    cause?: CallMessage,
  ): void {
    this.#courier.carry(before, session, effects, cause);
    this.#managed.carry(before, effects);
    for (const effect of effects) {
      switch (effect.type) {
        case "send":
          this.sockets.send(session, effect.to, frameOf(session, effect), at);
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
        case "resolve":
          this.waiting.resolve(effect.peer, effect.outcome);
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
    // The runtime does not list a socket that its client closed: what it remembers may be news.
    const { session } = this;
    if (session && last.connection > 0) this.#session = this.#memory.recall(session, [last]);
    const isNewest = this.session?.peers.get(last.peer)?.connection === last.connection;
    if (isNewest) this.lose(last.peer, [last]);
    this.sockets.letGo(ws);
  }

  /** A transport to this peer is said not to work. */
  protected doubt(peer: Peer, at: number): void {
    this.sockets.doubt(peer, at);
    this.#setAlarmOfDoubts();
  }

  async #renewIceServers(peer: string): Promise<void> {
    const frame = await iceServersFrame(this.env, peer, Date.now());
    if (!this.session) return;
    // A provider may have taken its time: whoever is asked for a sign of life has all the time for it.
    this.sockets.send(this.session, peer, frame, Date.now());
    this.#setAlarmOfDoubts();
  }

  async #recallCnames(id: string, { cnames, type: _type, ...about }: RecallCnames): Promise<void> {
    const at = Date.now();
    const isKnown = await recallCnames(this.env, id, cnames, at);
    if (isKnown && this.session) this.turn({ type: "cname-recalled", ...about, at });
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
