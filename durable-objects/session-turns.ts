import { DurableObject } from "cloudflare:workers";
import { isLocalDev } from "../protocol/config.ts";
import { CLOSE, isProblem, type Problem, type ProblemCode } from "../protocol/problem.ts";
import type { Session, Step } from "../protocol/session.ts";
import type { SessionEvent } from "../protocol/step.ts";
import { step } from "../protocol/step.ts";
import type { CallMessage } from "../protocol/swap/bridge.ts";
import type { News } from "../protocol/timeline/entry.ts";
import { recordedNews } from "../protocol/timeline/record.ts";
import { type Attachment, attachmentOf } from "./attachment.ts";
import { EndpointCourier } from "./endpoint-courier.ts";
import type { Bindings } from "./env.ts";
import { Errands } from "./errands.ts";
import { forgetElsewhere } from "./forget-elsewhere.ts";
import { frameOf, opaquely, PING, PONG } from "./frames.ts";
import { ManagedCourier } from "./managed-courier.ts";
import { Obligations } from "./obligations.ts";
import { type WebhookNote, webhookNewsOf } from "./outbox-delivery.ts";
import { PeerSockets } from "./peer-sockets.ts";
import { SessionClock } from "./session-clock.ts";
import { type Kept, SessionMemory } from "./session-memory.ts";
import { sessionNotFound } from "./session-not-found.ts";
import { SimulatedNetwork } from "./simulated-network.ts";
import { WaitingRequests } from "./waiting-requests.ts";

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
  readonly #errands: Errands;
  readonly #memory: SessionMemory;
  protected readonly owed: Obligations;
  readonly #clock: SessionClock;
  #session: Session | null | undefined;

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
    this.#errands = new Errands(state, env, {
      deliver: (peer, frame) => this.#deliver(peer, frame),
      turn: (event) => void this.turn(event),
    });
    this.owed = new Obligations(state, env, {
      session: () => this.session,
      turn: (event) => void this.turn(event),
      dueChanged: () => this.#setAlarm(),
      emptied: () => this.#forgetAll(),
      note: (note) => this.#noteWebhook(note),
    });
    this.#memory = new SessionMemory(state, this.sockets, this.owed.outbox);
    const doubt = () => this.sockets.liveness.deadline;
    this.#clock = new SessionClock(state, { doubt, owed: () => this.owed.deadline });
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
    this.owed.carry();
    return this.#session ?? null;
  }

  /**
   * The socket of a peer is gone; what only it remembered is written (S5). `last` is what that was, when the socket is
   * known: the runtime does not list one that its client closed any more, and may have told others first.
   */
  protected abstract lose(peer: string, last?: readonly Attachment[]): void;

  /** The newest socket of a peer is gone; an older one going is no news (S3, S5). */
  protected abstract loseSocket(ws: WebSocket, code?: ProblemCode): void;

  /** The same for a socket that is closed from here. */
  protected abstract cutOff(ws: WebSocket, reason: string): void;

  /** Closes sockets that nobody reads: what waits for them would fill the memory of all. */
  protected abstract cutOffDeaf(): void;

  /** What a socket remembers becomes part of the session. */
  protected recall(session: Session, last: readonly Attachment[]): void {
    this.#session = this.#memory.recall(session, last);
  }

  /** What these sockets remember and no row has: it has to be written when they go. */
  protected apartIn(remembered: readonly Attachment[]): ReadonlySet<string> {
    return this.#memory.apartIn(remembered);
  }

  protected begin(session: Session): void {
    this.owed.outbox.begin(session, () => this.#memory.create(session));
    this.#session = session;
    this.#clock.begin(session);
    this.owed.carry();
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
      if (isOver) this.owed.end(before, event, () => this.#memory.end());
      else this.commit(before, result.session, event, { ...(forced && { forced }) });
      this.perform(before, result, event.at, cause);
      return result;
    });
  }

  override alarm(info?: AlarmInvocationInfo): void | Promise<void> {
    // Looked at before it is forgotten what the alarm was set to: that may be news.
    if (this.#clock.at === null && info) this.#clock.rang(info.scheduledTime);
    const { session } = this;
    this.#clock.forget();
    this.owed.ring();
    if (!session) return this.#goOn();
    const at = Date.now();
    for (const ws of this.sockets.liveness.silent(at)) this.cutOff(ws, "silent");
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
    // As most frames leave it. What is due changes with it, or as it is sent or closed (`setAlarmOfDoubts`).
    if (sender && after === before) return {};
    const alarmAt = this.#clock.next(after);
    const kept = this.owed.outbox.record(before, after, event, (isTold) =>
      this.#memory.keep(before, after, event, { sender, forced, alarmAt, isTold }),
    );
    this.#session = after;
    this.#setAlarm();
    return kept;
  }

  /**
   * Makes durable what is in the timeline and nowhere else. `sender` is the socket through which it came: it is worth a
   * row where there is none.
   */
  protected note(before: Session, noted: Step, at: number, sender?: WebSocket): void {
    if (noted.session === before) return;
    if (sender) this.#memory.keepEntries(before, noted.session, sender);
    else this.#memory.writeNews(noted.session);
    this.#session = noted.session;
    this.perform(before, noted, at);
  }

  /** Notes for the session what nobody of it has done: any socket remembers that. */
  protected noteNews(news: News, at = Date.now()): void {
    const { session } = this;
    if (!session) return;
    this.note(session, recordedNews(session, news, at), at, this.sockets.anyOf(session));
  }

  /** Events of the session were given up, maybe long after its end. `types` are those of the events. */
  protected abstract noteDeadWebhooks(types: readonly string[]): void;

  #noteWebhook(note: WebhookNote): void {
    this.noteNews(webhookNewsOf(note));
    if (note.state === "dead") this.noteDeadWebhooks(note.events);
  }

  #setAlarm(): void {
    const { session } = this;
    const at = this.#clock.next(session);
    if (at === undefined) return;
    // The first one may have been all that told of the session.
    if (session) this.#memory.writeFirst(session);
    this.#clock.set(at);
  }

  /** What is sent or closed may bring or end a doubt, which has a deadline of its own. */
  protected setAlarmOfDoubts(): void {
    if (this.#session && this.#clock.isDoubtNews) this.#setAlarm();
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
          this.#errands.renewIceServers(effect.peer);
          break;
        case "recall-cnames":
          this.#errands.recallCnames(session.id, effect);
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
    this.setAlarmOfDoubts();
    this.owed.carry();
  }

  /** A provider may have taken its time: whoever is asked for a sign of life has all the time for it. */
  #deliver(peer: string, frame: string): void {
    if (!this.session) return;
    this.sockets.send(this.session, peer, frame, Date.now());
    this.setAlarmOfDoubts();
  }

  #erase(): void {
    if (this.#session) this.ctx.waitUntil(forgetElsewhere(this.env, this.#session));
    this.#session = null;
    // What is still to be told outlives it (S6).
    if (this.owed.isWaiting) this.#setAlarm();
    else this.#forgetAll();
  }

  /** The alarm of a session that is over: something is to be told still, or nothing is any more. */
  #goOn(): void {
    if (!this.#memory.isOver) return;
    const at = this.owed.lastDeadline;
    if (at === null) this.#forgetAll();
    else this.#clock.set(at);
  }

  #forgetAll(): void {
    this.#clock.forget();
    this.owed.forget();
    void this.ctx.storage.deleteAll();
  }

  /** What memory holds is in doubt: storage is the truth again. */
  protected forget(): void {
    this.#session = undefined;
    this.owed.forget();
  }
}
