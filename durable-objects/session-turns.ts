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
import type { News } from "../protocol/timeline/entry.ts";
import { recordedNews } from "../protocol/timeline/record.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { type Attachment, allowancesLeft, attachmentOf } from "./attachment.ts";
import { EndpointCourier } from "./endpoint-courier.ts";
import type { Bindings } from "./env.ts";
import { forgetElsewhere } from "./forget-elsewhere.ts";
import { frameOf, opaquely, PING, PONG } from "./frames.ts";
import { iceServersFrame } from "./ice-servers.ts";
import { ManagedCourier } from "./managed-courier.ts";
import { PeerSockets } from "./peer-sockets.ts";
import { recallCnames } from "./recall-cnames.ts";
import { firstAlarmOf } from "./session-alarm.ts";
import { type Kept, SessionMemory } from "./session-memory.ts";
import { sessionNotFound } from "./session-not-found.ts";
import { SimulatedNetwork } from "./simulated-network.ts";
import { WaitingRequests } from "./waiting-requests.ts";

type RecallCnames = Extract<Effect, { type: "recall-cnames" }>;

type Turn = [event: SessionEvent, forced?: ReadonlySet<string>, cause?: CallMessage];

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
  readonly #clock: AlarmClock;

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
    this.#clock = new AlarmClock(state, this.sockets.liveness);
  }

  /** As the runtime's eviction: what only memory holds is gone. */
  #evict(): void {
    this.forget();
    this.#clock.read();
  }

  protected get session(): Session | null {
    return this.#session === undefined ? opaquely(() => this.#load()) : this.#session;
  }

  #load(): Session | null {
    this.#session = this.#memory.load(this.#clock.at, Date.now());
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
    this.turn(lost, this.apartIn(remembered));
  }

  /** What these sockets remember and no row has: it has to be written when they go. */
  protected apartIn(remembered: readonly Attachment[]): ReadonlySet<string> {
    return this.#memory.apartIn(remembered);
  }

  protected begin(session: Session): void {
    this.#memory.create(session);
    this.#session = session;
    this.#clock.set(
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
    this.#clock.assume(info?.scheduledTime);
    const { session } = this;
    this.#clock.ring();
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
  ): Kept {
    // As most frames leave it. What is due changes with it, or as it is sent or closed (`#setAlarmOfDoubts`).
    if (sender && after === before) return {};
    const alarmAt = this.#clock.next(after);
    const kept = this.#memory.keep(before, after, event, { sender, forced, alarmAt });
    this.#session = after;
    this.#moveAlarm(after, alarmAt);
    return kept;
  }

  /** Makes durable what is in the timeline and nowhere else; `sender` is the socket through which it came. */
  protected note(before: Session, noted: Step, at: number, sender: WebSocket): void {
    if (noted.session === before) return;
    this.#memory.keepEntries(before, noted.session, sender);
    this.#session = noted.session;
    this.perform(before, noted, at);
  }

  /** Notes for the session what nobody of it has done. */
  protected noteNews(news: News): void {
    const { session } = this;
    if (!session) return;
    const at = Date.now();
    const noted = recordedNews(session, news, at);
    this.#memory.writeNews(noted.session);
    this.#session = noted.session;
    this.perform(session, noted, at);
  }

  #moveAlarm(session: Session, alarmAt: number | undefined): void {
    if (alarmAt === undefined) return;
    // The first one may have been all that told of the session.
    this.#memory.writeFirst(session);
    this.#clock.set(alarmAt);
  }

  /** What is sent or closed may bring or end a doubt, which has a deadline of its own. */
  #setAlarmOfDoubts(): void {
    const session = this.#session;
    if (session && this.#clock.isDoubtNew) this.#moveAlarm(session, this.#clock.next(session));
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
    this.#clock.ring();
    void this.ctx.storage.deleteAll();
  }

  /** What memory holds is in doubt: storage is the truth again. */
  protected forget(): void {
    this.#session = undefined;
  }
}
