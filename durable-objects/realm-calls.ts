import { LIMITS } from "../protocol/limits.ts";
import { type Problem, problem } from "../protocol/problem.ts";
import type { CallMessage } from "../protocol/swap/bridge.ts";
import type {
  Accept,
  Close,
  Connect,
  Reject,
  Response,
  Sealed,
  SwapMessage,
} from "../protocol/swap/message.ts";
import { deploymentConfig } from "./deployment-config.ts";
import {
  type Call,
  callWith,
  forgetCall,
  hasMostCalls,
  isOver,
  memoryOf,
  remember,
  rememberCall,
  settle,
} from "./endpoint-memory.ts";
import { ofSession } from "./jurisdiction.ts";
import { LostEndpoints } from "./lost-endpoints.ts";
import { newPeerId, newSessionId } from "./random-id.ts";
import type { CallCommands, RegisteredPeer } from "./realm-commands.ts";
import { type Outcome, RealmSockets } from "./realm-sockets.ts";

/** The calls of a realm: which session each is, and how it begins and ends. What it is about only its session knows. */
export abstract class RealmCalls extends RealmSockets {
  readonly #lost = new LostEndpoints(this.ctx.storage);
  /** Sessions that are just made: what is said in them comes after. */
  readonly #opening = new Map<string, Promise<unknown>>();

  protected override async obey(ws: WebSocket, message: SwapMessage): Promise<Outcome> {
    switch (message.type) {
      case "register":
        this.endpoints.register(ws, message.source, message.criteria);
        return null;
      case "response":
        this.#passOn(ws, message);
        return null;
      case "connect":
        return this.#connect(ws, message);
      default:
        return this.#inCall(ws, message);
    }
  }

  /** In a call, to whom it names, or to the only one that it can be for. The session learns nothing of it. */
  protected override async passOn(ws: WebSocket, message: Sealed): Promise<Outcome> {
    const { calls } = memoryOf(ws);
    const target = message.target ?? (calls.length === 1 ? calls[0]?.partner : undefined);
    const call = target === undefined ? undefined : callWith(memoryOf(ws), target);
    const other = call && this.#partnerOf(call);
    if (!call || !other) {
      return problem("unknown-peer", "a sealed message is for nobody that is known");
    }
    // What every server has to understand, whatever else is hidden.
    const named = { ...message, target: call.partner };
    if (named.type === "close") return this.#close(ws, call, named as Close);
    if (named.type === "accept" && call.isClosed) {
      return this.#acceptClose(ws, call, named as Accept);
    }
    this.forward(other, message.raw);
    return null;
  }

  /** That an endpoint cannot do what it was sent is news for the sender; that it can, the sender knows from us. */
  #passOn(ws: WebSocket, message: Response): void {
    const { target = "", error } = message;
    const call = callWith(memoryOf(ws), target);
    const other = call && this.#partnerOf(call);
    if (other && error) this.send(other, message);
  }

  async #connect(ws: WebSocket, message: Connect): Promise<Outcome> {
    const { source, criteria, target = this.#match(message) } = message;
    if (message.target === undefined && criteria.length === 0) {
      return problem("invalid-message", "matching_criteria: at least one, or a target");
    }
    if (target === source) return problem("self-addressed", "the target is the sender itself");
    const known = target === undefined ? undefined : callWith(memoryOf(ws), target);
    if (known && !isOver(known)) return this.#offer(ws, known, message);
    const other = target === undefined ? undefined : this.endpoints.socketOf(target);
    const peer = target === undefined ? undefined : this.endpoints.peerOf(target);
    if (hasMostCalls(ws) || (other && hasMostCalls(other))) {
      return problem("too-many-calls", `an endpoint has at most ${LIMITS.endpointCalls} calls`);
    }
    if (peer) return this.#openTo(ws, peer, message);
    if (target !== undefined && other) return this.#open(ws, other, { ...message, target });
    return problem("unknown-peer", "no endpoint of this realm matches");
  }

  /** A call to a peer without SWAP, in the session of that. */
  async #openTo(ws: WebSocket, to: RegisteredPeer, message: Connect): Promise<Outcome> {
    const { source, messageId } = message;
    const self = newPeerId();
    const call = { partner: to.peer, session: to.session, self, other: to.peer };
    rememberCall(ws, { ...call, offered: messageId });
    const seat = { peer: self, source, ue: memoryOf(ws).ue };
    const connect = { other: to.peer, message };
    const refused = await this.session(call).admitEndpoint(this.name, seat, connect);
    if (!refused) return null;
    forgetCall(ws, call);
    if (refused.code === "session-not-found") this.dropPeer(to.peer);
    const isAway = ["session-not-found", "unknown-peer", "peer-away"].includes(refused.code);
    return isAway ? problem("unknown-peer", "no endpoint of this realm matches") : refused;
  }

  #match({ criteria, source }: Connect): string | undefined {
    return criteria.length === 0 ? undefined : this.endpoints.find(criteria, source);
  }

  async #open(
    ws: WebSocket,
    other: WebSocket,
    message: Connect & { readonly target: string },
  ): Promise<Outcome> {
    const { source, target, messageId } = message;
    const session = newSessionId(deploymentConfig(this.env).jurisdiction);
    const self = newPeerId();
    const partner = newPeerId();
    const call = { partner: target, session, self, other: partner };
    rememberCall(ws, { ...call, offered: messageId });
    rememberCall(other, { partner: source, session, self: partner, other: self });
    const opening = this.session(call).openCall({
      id: session,
      realm: this.name,
      caller: { peer: self, source, ue: memoryOf(ws).ue },
      callee: { peer: partner, source: target, ue: memoryOf(other).ue },
      message,
    });
    this.#opening.set(session, opening);
    let isOpen = false;
    try {
      const refused = await opening;
      isOpen = refused === null;
      return refused;
    } finally {
      this.#opening.delete(session);
      if (!isOpen) for (const each of [ws, other]) forgetCall(each, call);
    }
  }

  #offer(ws: WebSocket, call: Call, message: CallMessage): Promise<null | Problem> {
    rememberCall(ws, { ...call, offered: message.messageId });
    return this.#say(ws, call, message);
  }

  async #say(ws: WebSocket, call: Call, message: CallMessage, isOfOffer?: boolean) {
    await this.#opening.get(call.session)?.catch(() => undefined);
    const { session, self, other } = call;
    const refused = await this.session(call).say({ self, other }, message, isOfOffer);
    if (refused?.code === "session-not-found") forgetCall(ws, { session });
    return refused;
  }

  /** The socket of the other side, if it is an endpoint that is in the same call: sources may be those of peers. */
  #partnerOf({ partner, session }: Call): WebSocket | undefined {
    const ws = this.endpoints.socketOf(partner);
    return ws && memoryOf(ws).calls.some((call) => call.session === session) ? ws : undefined;
  }

  protected session({ session }: Pick<Call, "session">): CallCommands {
    return ofSession(this.env.SESSIONS, session) as unknown as CallCommands;
  }

  async #inCall(ws: WebSocket, message: Exclude<CallMessage, Connect>): Promise<Outcome> {
    // What an endpoint makes of advice of the server's is its own affair.
    if (message.type === "reject" && message.target === this.ctx.id.toString()) return null;
    const call = callWith(memoryOf(ws), message.target);
    if (!call) return problem("unknown-peer", "the target is in no call with this endpoint");
    if (message.type === "close") return this.#close(ws, call, message);
    const isForClose = message.type === "accept" && message.answer === undefined;
    if (isForClose && call.isClosed) return this.#acceptClose(ws, call, message);
    if (isOver(call)) return problem("unknown-peer", "the call with this endpoint is over");
    switch (message.type) {
      case "update":
        return this.#offer(ws, call, message);
      case "accept":
        return this.#accept(ws, call, message);
      case "reject":
        return this.#reject(ws, call, message);
      case "application":
        return this.#say(ws, call, message);
    }
  }

  async #accept(ws: WebSocket, call: Call, message: Accept): Promise<Outcome> {
    const refused = await this.#say(ws, call, message);
    const now = callWith(memoryOf(ws), call.partner);
    if (!refused && now && !now.isAccepted) rememberCall(ws, { ...now, isAccepted: true });
    return refused;
  }

  /** Of a connect, an update or an application message; without the first there is no call. */
  async #reject(ws: WebSocket, call: Call, message: Reject): Promise<Outcome> {
    const partner = this.#partnerOf(call);
    const offered = partner && callWith(memoryOf(partner), message.source)?.offered;
    const isOfOffer = message.request === undefined ? undefined : message.request === offered;
    const refused = await this.#say(ws, call, message, isOfOffer);
    if (!refused && isOfOffer !== false && !call.isAccepted) await this.leave(ws, call);
    return refused;
  }

  /** An endpoint is in the call no more. */
  protected async leave(ws: WebSocket, call: Call): Promise<void> {
    forgetCall(ws, call);
    await this.session(call).leaveCall(call.self);
  }

  /** The other side is told and has some seconds to accept; one that is not there is answered for at once. */
  async #close(ws: WebSocket, call: Call, message: Close): Promise<Outcome> {
    const closingUntil = Date.now() + LIMITS.closeAnswerMs;
    rememberCall(ws, { ...call, closingUntil });
    const refused = await this.#say(ws, call, message);
    if (refused || !this.#partnerOf(call)) return () => this.#acceptFor(ws, call);
    await this.#wakeAt(closingUntil);
    return null;
  }

  /** Ends a call that this endpoint has closed as if the other one had accepted. */
  #acceptFor(ws: WebSocket, call: Call): void {
    const { source: target = "" } = memoryOf(ws);
    this.send(ws, { type: "accept", source: call.partner, messageId: this.nextNumber(), target });
    const partner = this.#partnerOf(call);
    for (const each of partner ? [ws, partner] : [ws]) forgetCall(each, call);
    this.ctx.waitUntil(this.session(call).leaveCall(call.other));
  }

  /** Of two that close at once, each accepts the other's. */
  async #acceptClose(ws: WebSocket, call: Call, message: Accept): Promise<Outcome> {
    const { isClosed: _, ...rest } = call;
    settle(ws, rest);
    const partner = this.#partnerOf(call);
    const theirs = partner && callWith(memoryOf(partner), message.source);
    if (partner && theirs?.closingUntil !== undefined) {
      const { closingUntil: __, ...settled } = theirs;
      settle(partner, settled);
      const { answer: ___, ...accept } = message;
      this.send(partner, accept);
    }
    await this.session(call).leaveCall(call.self);
    return null;
  }

  protected override recall(ws: WebSocket, source: string): void {
    const lost = this.#lost.take(source, memoryOf(ws).granted, Date.now());
    if (lost) remember(ws, { newest: lost.newest, answered: lost.answered, calls: lost.calls });
  }

  protected override async restore(ws: WebSocket): Promise<void> {
    for (const call of memoryOf(ws).calls) {
      if (!(await this.session(call).restoreEndpoint(call.self, memoryOf(ws).ue)))
        forgetCall(ws, call);
    }
  }

  protected override async lost(ws: WebSocket): Promise<void> {
    const { source, granted, calls, newest, answered } = memoryOf(ws);
    if (source === undefined || this.endpoints.socketOf(source)) return;
    const kept = calls.filter((call) => !isOver(call));
    const had = { granted, calls: kept, newest, answered };
    const until = this.#lost.put(source, had, Date.now());
    if (until !== undefined) await this.#wakeAt(until);
    for (const call of calls) await this.#lose(call, source);
  }

  async #lose(call: Call, source: string): Promise<void> {
    if (!isOver(call)) {
      await this.session(call).loseEndpoint(call.self);
      return;
    }
    const partner = this.#partnerOf(call);
    const theirs = partner && callWith(memoryOf(partner), source);
    if (partner && theirs?.closingUntil !== undefined) this.#acceptFor(partner, theirs);
  }

  override async alarm(): Promise<void> {
    const at = Date.now();
    let next = this.#lost.expire(at);
    for (const ws of this.endpoints.sockets) {
      for (const call of memoryOf(ws).calls) {
        const { closingUntil = Number.POSITIVE_INFINITY } = call;
        if (closingUntil <= at) this.#acceptFor(ws, call);
        else next = Math.min(next, closingUntil);
      }
    }
    if (Number.isFinite(next)) await this.ctx.storage.setAlarm(next);
  }

  async #wakeAt(at: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    if (set === null || at < set) await this.ctx.storage.setAlarm(at);
  }
}
