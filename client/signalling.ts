import type { ToPeer, Welcome } from "../protocol/messages.ts";
import { withUsual } from "../protocol/usual-values.ts";
import { AccessToken } from "./access-token.ts";
import { backoffMs } from "./backoff.ts";
import { type DuplexError, errorOfFrame } from "./duplex-error.ts";
import { FINAL_CODES, REPLACED } from "./final-codes.ts";
import { Heartbeat } from "./heartbeat.ts";
import { unreachable, whyRefused } from "./refusal.ts";
import {
  type Ack,
  type OnResume,
  type Outgoing,
  Requests,
  type SignallingPort,
} from "./requests.ts";
import { readOfSession } from "./session-http.ts";
import type { Closed, Notice, SignallingListener } from "./signalling-listener.ts";
import type { SignallingOptions } from "./signalling-options.ts";

// Half of each wait is random: the clients of a server that restarts must not come back in one moment.
const RECONNECT = { firstMs: 800, mostMs: 15_000 };
/** From the attempt until `welcome`; a socket that opens and stays silent is none. */
const OPEN_MS = 15_000;
/** Who is closed sooner than this after `welcome`, time and again, waits longer each time. */
const SOUND_MS = 5_000;
/** How long an attempt that this side gave up may still be on its way to the server. */
const STRAY_MS = 30_000;
/** The same for one of this page's predecessor, where a page was loaded again: that one's end took its attempts along. */
const OLD_PAGE_MS = 5_000;
/** Attempts before `join` gives up when nobody tells why. */
const JOIN_ATTEMPTS = 4;
const TOKEN_EXPIRED = 4003;
/** Problems of one who would have to be the next in. */
const FULL: ReadonlySet<string> = new Set(["session-full", "too-many-observers"]);

/** One peer's way to the session: a WebSocket that is replaced when it dies, and the requests on it. */
export class Signalling implements SignallingPort {
  readonly #url: URL;
  readonly #token: AccessToken;
  readonly #requests = new Requests();
  readonly #heartbeat = new Heartbeat(() => this.reconnectNow());
  #opened: (welcome: Welcome) => void = () => undefined;
  #refused: (error: unknown) => void = () => undefined;
  // Promise.withResolvers is younger than browsers that do all the rest.
  readonly #opening = new Promise<Welcome>((resolve, reject) => {
    this.#opened = resolve;
    this.#refused = reject;
  });
  #early: Notice[] = [];
  #listener: SignallingListener | undefined;
  #joined = false;
  #socket: WebSocket | undefined;
  #welcomed = false;
  #closed = false;
  #attempts = 0;
  #soundFrom = 0;
  #strayUntil = 0;
  #tokenRefused = false;
  #refusal: DuplexError | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #openBy: ReturnType<typeof setTimeout> | undefined;

  private constructor(options: SignallingOptions) {
    this.#url = new URL(options.url);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    this.#url.searchParams.set("flows", options.flowRecords ?? "brief");
    this.#url.searchParams.set("defaults", "omit");
    this.#token = new AccessToken(options.token, () => this.reconnectNow());
  }

  /**
   * Connects; gives the way to the session and its first frame. Rejects with the server's problem when it
   * refuses, or `signalling-unreachable`.
   */
  static async open(options: SignallingOptions): Promise<{
    signalling: Signalling;
    welcome: Welcome;
  }> {
    const signalling = new Signalling(options);
    signalling.#connect();
    return { signalling, welcome: await signalling.#opening };
  }

  /** Names who is told what comes in from now on, and what has come in since the first `welcome`. */
  listen(listener: SignallingListener): void {
    this.#listener = listener;
    for (const frame of this.#early) listener.notice(frame);
    this.#early = [];
  }

  get connected(): boolean {
    return this.#welcomed;
  }

  /** Sends without asking for a reply; lost when there is no socket, so only for what is told again. */
  send(message: Outgoing): void {
    if (this.#welcomed) this.#socket?.send(JSON.stringify(message));
  }

  /** Sends and waits for the reply, over reconnects. Rejects with the problem. */
  request(message: Outgoing, onResume: OnResume = () => "resend"): Promise<Ack> {
    const { text, reply } = this.#requests.add(message, onResume);
    if (this.#closed) this.#requests.fail("The session is over for this peer.");
    else if (this.#welcomed) {
      this.#socket?.send(text);
      this.#watch(reply);
    }
    return reply;
  }

  /** What the session's HTTP address has at `path`, for this peer. */
  async read(path: string): Promise<unknown> {
    return readOfSession(this.#url, await this.#token.get(), path);
  }

  /** Replaces the socket at once: the newest connection of a peer wins (S3). */
  reconnectNow(): void {
    if (this.#closed) return;
    this.#attempts = 0;
    this.#drop();
    this.#connect();
  }

  /** Looks whether the socket still lives, without waiting for the next heartbeat. */
  probe(): void {
    this.#heartbeat.probe();
  }

  /** Ends signalling from this side. */
  close(reason: string): void {
    this.#finish({ code: 1000, reason });
  }

  /** A request that stays unanswered for a while makes the socket suspect: half-open TCP swallows frames. */
  #watch(reply: Promise<Ack>): void {
    const timer = setTimeout(() => this.#heartbeat.probe(), 5000);
    const stop = () => clearTimeout(timer);
    reply.then(stop, stop);
  }

  #connect(): void {
    clearTimeout(this.#retry);
    this.#open().catch((error: unknown) => this.#failToStart(error));
  }

  async #open(): Promise<void> {
    const token = await this.#token.get();
    if (this.#closed || this.#socket !== undefined) return;
    const socket = new WebSocket(this.#url, ["duplex.v1", `bearer.${token}`]);
    this.#socket = socket;
    this.#refusal = undefined;
    this.#openBy = setTimeout(() => this.#lost(socket, 1006, "no answer"), OPEN_MS);
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.#socket && typeof data === "string") this.#receive(socket, data);
    });
    socket.addEventListener("close", ({ code, reason }) => this.#lost(socket, code, reason));
  }

  #receive(socket: WebSocket, data: string): void {
    this.#heartbeat.heard();
    const frame = withUsual(JSON.parse(data) as ToPeer | { type: "pong" });
    switch (frame.type) {
      case "pong":
        return;
      case "closing":
        // The close itself may take its time: the TCP connection can outlive it by seconds.
        this.#lost(socket, frame.code, frame.reason);
        return;
      case "welcome":
        this.#welcome(socket, frame);
        return;
      case "ack":
        this.#requests.settle(frame.re, frame);
        return;
      case "problem":
        this.#problem(frame);
        return;
      case "probe":
        // At once: timers of a hidden page are late, its messages are not.
        socket.send(JSON.stringify({ type: "alive", n: frame.n } satisfies Outgoing));
        return;
      default:
        this.#notify(frame);
    }
  }

  #problem(frame: Extract<ToPeer, { type: "problem" }>): void {
    const error = errorOfFrame(frame);
    // Before `welcome` a problem is the reason for the close that follows.
    if (!this.#welcomed) this.#refusal = error;
    if (frame.re !== undefined && this.#requests.settle(frame.re, error)) return;
    this.#notify(frame);
  }

  #notify(frame: Notice): void {
    if (this.#listener === undefined) this.#early.push(frame);
    else this.#listener.notice(frame);
  }

  #welcome(socket: WebSocket, welcome: Welcome): void {
    clearTimeout(this.#openBy);
    this.#welcomed = true;
    this.#soundFrom = Date.now() + SOUND_MS;
    this.#tokenRefused = false;
    this.#token.welcomed(welcome);
    this.#heartbeat.start(socket);
    if (!this.#joined) {
      this.#joined = true;
      this.#strayUntil = Math.max(this.#strayUntil, Date.now() + OLD_PAGE_MS);
      this.#opened(welcome);
      return;
    }
    // First what was on its way: the listener's own messages come after it.
    for (const text of this.#requests.resume(welcome)) socket.send(text);
    this.#listener?.welcome(welcome);
    this.#listener?.state("connected");
  }

  #drop(): void {
    clearTimeout(this.#openBy);
    this.#heartbeat.stop();
    const socket = this.#socket;
    const wasWelcomed = this.#welcomed;
    this.#socket = undefined;
    this.#welcomed = false;
    const givenUp = socket !== undefined && socket.readyState < WebSocket.CLOSING;
    if (givenUp && !wasWelcomed) this.#strayUntil = Date.now() + STRAY_MS;
    socket?.close();
    if (wasWelcomed) this.#listener?.state("reconnecting");
  }

  #lost(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    // Replaced, but by an attempt of this page or of the one before it that was given up and came through late.
    const isStray = code === REPLACED && Date.now() < this.#strayUntil;
    this.#strayUntil = 0;
    if (FINAL_CODES.includes(code) && !isStray) {
      this.#finish({ code, reason });
      return;
    }
    if (this.#welcomed && Date.now() > this.#soundFrom) this.#attempts = 0;
    const refused = !this.#welcomed;
    this.#drop();
    if (code === TOKEN_EXPIRED) this.#renewToken({ code, reason });
    else if (refused) this.#diagnose().catch((error: unknown) => this.#failToStart(error));
    else this.#reconnectLater();
  }

  #renewToken(closed: Closed): void {
    if (!this.#token.renewable || this.#tokenRefused) {
      this.#finish(closed);
      return;
    }
    this.#tokenRefused = true;
    this.#token.forget();
    this.#connect();
  }

  /** A browser shows a refused upgrade as 1006 only; the session's HTTP address tells why. */
  async #diagnose(): Promise<void> {
    const problem = this.#refusal ?? (await whyRefused(this.#url, await this.#token.get()));
    if (this.#closed || this.#socket !== undefined) return;
    // Full is no verdict on one who was in: the place may be its own, or come free.
    const full = this.#joined && problem !== undefined && FULL.has(problem.code);
    const temporary = !problem || full || problem.status >= 500 || problem.status === 429;
    if (problem?.status === 401) this.#renewToken({ code: 1006, reason: problem.code, problem });
    else if (!temporary) this.#finish({ code: 1006, reason: problem.code, problem });
    else this.#reconnectLater(problem);
  }

  #reconnectLater(problem?: DuplexError): void {
    this.#attempts += 1;
    if (!this.#joined && this.#attempts >= JOIN_ATTEMPTS) {
      this.#finish({ code: 1006, reason: "unreachable", ...(problem && { problem }) });
      return;
    }
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), backoffMs(this.#attempts - 1, RECONNECT));
  }

  /** The token's source or the address failed: for a join that is the answer, later it may pass. */
  #failToStart(error: unknown): void {
    if (!this.#joined) this.#refused(error);
    else this.#reconnectLater();
  }

  #finish(closed: Closed): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#openBy);
    this.#heartbeat.stop();
    this.#token.stop();
    this.#welcomed = false;
    this.#socket?.close(1000, closed.reason.slice(0, 40));
    this.#socket = undefined;
    this.#requests.fail(`Signalling is closed: ${closed.reason}.`);
    this.#refused(closed.problem ?? unreachable(closed.code, closed.reason));
    this.#listener?.state("closed");
    this.#listener?.closed(closed);
  }
}
