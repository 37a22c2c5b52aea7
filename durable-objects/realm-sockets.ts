import { DurableObject } from "cloudflare:workers";
import { LIMITS } from "../protocol/limits.ts";
import { CLOSE, PROBLEMS, type Problem, problem } from "../protocol/problem.ts";
import { swapErrorOf } from "../protocol/swap/errors.ts";
import type { Sealed, SwapError, SwapMessage } from "../protocol/swap/message.ts";
import { readSwapMessage, type SwapReading } from "../protocol/swap/read-message.ts";
import { writeSwapMessage } from "../protocol/swap/write-message.ts";
import {
  countMessage,
  countProblem,
  digestOf,
  memoryOf,
  remember,
  rememberAnswer,
  rememberFirst,
} from "./endpoint-memory.ts";
import type { Bindings } from "./env.ts";
import { answerClose, PING, PONG, problemResponse, report, sendTo } from "./frames.ts";
import { RealmEndpoints } from "./realm-endpoints.ts";
import { RegisteredPeers } from "./registered-peers.ts";
import { visitorOf } from "./visitor.ts";

export const SWAP_SUBPROTOCOL = "3gpp.SWAP.v1";

/** What came of a message: a problem, or what is to be done once it was acknowledged. */
export type Outcome = Problem | (() => void) | null;

interface Taken extends Pick<SwapMessage, "type" | "source" | "messageId"> {
  /** Tells a message that comes again from another one with its number. */
  readonly digest: number;
}
type Act = () => Promise<Outcome>;

const isRefused = (outcome: Outcome): outcome is Problem =>
  outcome !== null && typeof outcome !== "function";

const rateLimited = (): Problem =>
  problem(
    "rate-limited",
    `at most ${LIMITS.messagesPerSecond} messages a second, ${LIMITS.messageBurst} at once`,
  );

/** The sockets of a realm: who speaks, in which dialect, how much, and what it is answered. */
export abstract class RealmSockets extends DurableObject<Bindings> {
  protected readonly registered = new RegisteredPeers(this.ctx.storage);
  #endpoints: RealmEndpoints | undefined;
  /** The newest message of each endpoint that is under way: the next one waits for it. */
  readonly #turns = new Map<string, Promise<void>>();
  /** Messages that are under way, to tell those that come again meanwhile. */
  readonly #pending = new Set<string>();
  /** Bytes that a socket was sent since it last said anything. */
  readonly #unheard = new WeakMap<WebSocket, number>();
  #newest = 0;

  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env);
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  /** Does what an endpoint asks; it is acknowledged, or refused, after. */
  protected abstract obey(ws: WebSocket, message: SwapMessage): Promise<Outcome>;
  /** The same for what only its addressee can read. */
  protected abstract passOn(ws: WebSocket, message: Sealed): Promise<Outcome>;
  /** The socket of an endpoint is there: it remembers what the one before it did, which was lost. */
  protected abstract recall(ws: WebSocket, source: string): void;
  /** What else knows of it is told. */
  protected abstract restore(ws: WebSocket): Promise<void>;
  /** The socket of an endpoint is gone. */
  protected abstract lost(ws: WebSocket): Promise<void>;

  protected get endpoints(): RealmEndpoints {
    this.#endpoints ??= new RealmEndpoints(this.ctx.getWebSockets(), this.registered.all());
    return this.#endpoints;
  }

  protected get name(): string {
    return this.ctx.id.name ?? "";
  }

  protected dropPeer(peer: string): void {
    this.registered.delete(peer);
    this.endpoints.remove(peer);
  }

  override async fetch(request: Request): Promise<Response> {
    if (this.ctx.getWebSockets().length >= LIMITS.realmEndpoints) {
      const most = `a realm takes ${LIMITS.realmEndpoints} endpoints`;
      return problemResponse(problem("realm-full", most));
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    rememberFirst(server, visitorOf(request));
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { "sec-websocket-protocol": SWAP_SUBPROTOCOL },
    });
  }

  override async webSocketMessage(ws: WebSocket, frame: string | ArrayBuffer): Promise<void> {
    if (ws.readyState !== WebSocket.OPEN) return;
    try {
      await this.#take(ws, frame, Date.now());
    } catch (thrown) {
      const id = report(thrown);
      if (ws.readyState === WebSocket.OPEN) ws.close(CLOSE.fault, id);
    }
  }

  override async webSocketClose(ws: WebSocket, code: number, reason: string): Promise<void> {
    // Read from the sockets that there are, this one may be among them no more.
    this.endpoints.letGo(ws);
    answerClose(ws, code, reason);
    try {
      await this.lost(ws);
    } catch (thrown) {
      report(thrown);
    }
  }

  override webSocketError(ws: WebSocket): Promise<void> {
    return this.webSocketClose(ws, 1006, "");
  }

  #take(ws: WebSocket, frame: string | ArrayBuffer, at: number): Promise<void> | undefined {
    this.#unheard.delete(ws);
    const { dialect: known, source } = memoryOf(ws);
    const reading = readSwapMessage(frame, known);
    if (known === undefined && reading.dialect !== undefined) {
      remember(ws, { dialect: reading.dialect });
    }
    const message = "message" in reading ? reading.message : undefined;
    const taken = message ?? ("sealed" in reading ? reading.sealed : undefined);
    const { source: said, messageId = 0 } =
      taken ?? ("envelope" in reading ? reading.envelope : {});
    // Messages with a changed id are ignored (TS 26.113 clause 13.2.4.4.1.1).
    if (source !== undefined && said !== undefined && said !== source) return undefined;
    const refused = countMessage(ws, at) ? this.#problemOf(reading) : rateLimited();
    if (refused) {
      this.#refuse(ws, messageId, refused, at);
      return undefined;
    }
    const digest = digestOf(String(frame));
    if (message) return this.#admit(ws, { ...message, digest }, () => this.obey(ws, message), at);
    const sealed = "sealed" in reading ? reading.sealed : undefined;
    if (!sealed) return undefined;
    return this.#admit(ws, { ...sealed, digest }, () => this.passOn(ws, sealed), at);
  }

  /** Why a message goes no further, whoever sent it. */
  #problemOf(reading: SwapReading): Problem | undefined {
    if ("problem" in reading) return reading.problem;
    const { type, target } = "message" in reading ? named(reading.message) : reading.sealed;
    const receiver = target === undefined ? undefined : this.endpoints.socketOf(target);
    const unheard = (receiver && this.#unheard.get(receiver)) ?? 0;
    if (type !== "application" || unheard <= LIMITS.unreadBytes / 2) return undefined;
    return problem("receiver-busy", "the endpoint says nothing to what it is sent; try later");
  }

  #admit(ws: WebSocket, message: Taken, act: Act, at: number): Promise<void> | undefined {
    const { source, messageId } = message;
    const { source: own, granted = source } = memoryOf(ws);
    const isNew = own === undefined;
    const isOurs = source === this.ctx.id.toString();
    if (isNew && (isOurs || granted !== source || !this.endpoints.claim(ws, source))) {
      this.#refuse(ws, messageId, problem("unauthorized", "this source is somebody else's"), at);
      return undefined;
    }
    if (isNew) this.#begin(ws, message);
    if (message.type !== "response") {
      const { newest, answered } = memoryOf(ws);
      const known = answered.find(([id]) => id === messageId);
      if (known) this.#answer(ws, messageId, known[2]);
      if (known || this.#pending.has(`${source} ${messageId}`)) return undefined;
      if (messageId <= newest) {
        const grows = `message_id: numbers grow, and ${newest} was the newest`;
        this.#refuse(ws, messageId, problem("invalid-message", grows), at);
        return undefined;
      }
      remember(ws, { newest: messageId });
    }
    return this.#pend(ws, message, act);
  }

  /** The first message of a socket: its endpoint may have been lost, and be back. */
  #begin(ws: WebSocket, { type, source, messageId, digest }: Taken): void {
    this.recall(ws, source);
    const { newest, answered, calls } = memoryOf(ws);
    const isKnown = answered.some(([id, known]) => id === messageId && known === digest);
    // It counts from the beginning, as one whose page was loaded again does. What it registers is always news.
    const isAnew = messageId <= newest && (type === "register" || !isKnown);
    if (isAnew) remember(ws, { newest: 0, answered: [] });
    if (calls.length > 0) this.ctx.waitUntil(this.#inTurn(source, () => this.restore(ws)));
  }

  #pend(ws: WebSocket, message: Taken, act: Act): Promise<void> {
    const { source, messageId } = message;
    const key = `${source} ${messageId}`;
    this.#pending.add(key);
    return this.#inTurn(source, async () => {
      try {
        await this.#obeyed(ws, message, act);
      } finally {
        this.#pending.delete(key);
      }
    });
  }

  /** What one endpoint asks is done in order, what others ask side by side. */
  #inTurn(source: string, act: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(source) ?? Promise.resolve()).then(act).catch(report);
    const settled = turn.then(() => {
      if (this.#turns.get(source) === settled) this.#turns.delete(source);
    });
    this.#turns.set(source, settled);
    return settled;
  }

  async #obeyed(ws: WebSocket, message: Taken, act: Act): Promise<void> {
    const outcome = await this.#outcome(act);
    // Nobody answers an answer.
    if (message.type === "response") return;
    if (isRefused(outcome)) {
      rememberAnswer(ws, [message.messageId, message.digest, swapErrorOf(outcome)]);
      this.#refuse(ws, message.messageId, outcome, Date.now());
      return;
    }
    rememberAnswer(ws, [message.messageId, message.digest]);
    this.#answer(ws, message.messageId);
    outcome?.();
  }

  /** A fault of ours is one message's: its sender is told, and may send it again. */
  async #outcome(act: Act): Promise<Outcome> {
    try {
      return await act();
    } catch (thrown) {
      return problem("internal-fault", `fault ${report(thrown)}`);
    }
  }

  /** A problem first; an endpoint that goes on is closed (S7). */
  #refuse(ws: WebSocket, request: number, what: Problem, at: number): void {
    const { socket } = PROBLEMS[what.code];
    this.#answer(ws, request, swapErrorOf(what));
    if (socket === "reply" || countProblem(ws, at)) return;
    ws.close(typeof socket === "number" ? socket : CLOSE.tooManyProblems, what.code);
  }

  #answer(ws: WebSocket, request: number, error?: SwapError): void {
    const { source: target } = memoryOf(ws);
    this.send(ws, {
      type: "response",
      // The server has an id of its own (TS 26.113 clause 13.2.4.4.1.1).
      source: this.ctx.id.toString(),
      messageId: this.nextNumber(),
      request,
      ...(target !== undefined && { target }),
      ...(error && { error }),
    });
  }

  /** A number for a message of the server: they grow, whatever was forgotten in between. */
  protected nextNumber(): number {
    this.#newest = Math.max(Date.now(), this.#newest + 1);
    return this.#newest;
  }

  /** Sends a message in the dialect of the socket, or as it came when it is protected. */
  protected send(ws: WebSocket, message: SwapMessage): void {
    this.forward(ws, message.raw ?? writeSwapMessage(message, memoryOf(ws).dialect ?? "text"));
  }

  /**
   * Sends a frame as it is. SWAP has no word for "are you there": one that says nothing to this much is taken for one that
   * does not read, because the runtime keeps all that waits for it in memory (S8).
   */
  protected forward(ws: WebSocket, frame: string): void {
    const unheard = (this.#unheard.get(ws) ?? 0) + frame.length;
    this.#unheard.set(ws, unheard);
    sendTo(ws, frame);
    if (unheard > LIMITS.unreadBytes) answerClose(ws, CLOSE.silent, "not reading");
  }
}

const named = (message: SwapMessage): { type: string; target?: string | undefined } => ({
  type: message.type,
  target: "target" in message ? message.target : undefined,
});
