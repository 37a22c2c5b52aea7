import type { SwapMessage } from "../protocol/swap/message.ts";
import { writeSwapMessage } from "../protocol/swap/write-message.ts";
import { backoffMs } from "./backoff.ts";
import { clientError, DuplexError } from "./duplex-error.ts";
import { FINAL_CODES, REPLACED } from "./final-codes.ts";
import { Heartbeat } from "./heartbeat.ts";
import { watchNetwork } from "./network-change.ts";
import type { Closed } from "./signalling-listener.ts";

/** What an endpoint gets, as the text of TS 26.113 clause 13.2.4.4 writes it. */
export interface SwapFrame {
  readonly source: string;
  readonly message_id: number;
  readonly message_type: string;
  readonly [member: string]: unknown;
}

type Unsent<M> = M extends SwapMessage ? Omit<M, "source" | "messageId"> : never;

/** A message that has no number yet. */
export type SwapRequest = Unsent<SwapMessage>;

const SUBPROTOCOL = "3gpp.SWAP.v1";
const RECONNECT = { firstMs: 800, mostMs: 15_000 };
const OPEN_MS = 15_000;
/** Who is closed sooner than this after it was let in, time and again, waits longer each time. */
const SOUND_MS = 5_000;
/** How long an attempt that this side gave up may still be on its way to the realm. */
const STRAY_MS = 30_000;
const PROBLEM_BASE = "http://forge.3gpp.org/sa4/swap/";

/** Who is told what comes of the socket. */
export interface SwapSocketListener {
  received(frame: SwapFrame): void;
  /** Another socket took the place of one that was lost: what was registered is gone with that. */
  reopened(): void;
  /** No other socket will come, whoever ended it. */
  closed(closed: Closed): void;
}

interface Waiting {
  readonly frame: string;
  readonly done: () => void;
  readonly failed: (error: DuplexError) => void;
}

/** The way of an endpoint to its realm: a WebSocket that is replaced when it dies, and messages that are acknowledged. */
export class SwapSocket {
  readonly source: string;
  /** Source of the server itself, once it has acknowledged something: nobody else does. */
  server: string | undefined;
  readonly #url: URL;
  readonly #token: string | undefined;
  readonly #listener: SwapSocketListener;
  readonly #waiting = new Map<number, Waiting>();
  readonly #heartbeat = new Heartbeat(() => this.#replace());
  readonly #unwatch = watchNetwork(() => this.#heartbeat.probe());
  #socket: WebSocket | undefined;
  #newest = 0;
  #attempts = 0;
  #strayUntil = 0;
  #soundFrom = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(
    { url, token, source }: { url: string | URL; token: string | undefined; source: string },
    listener: SwapSocketListener,
  ) {
    this.#url = new URL(url, location.href);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    this.#token = token;
    this.source = source;
    this.#listener = listener;
  }

  /** Sends a message. Resolves with its number when it is acknowledged; rejects with why it was refused. */
  send(message: SwapRequest): Promise<number> {
    this.#newest += 1;
    const messageId = this.#newest;
    const numbered = { ...message, source: this.source, messageId } as SwapMessage;
    const frame = writeSwapMessage(numbered, "text");
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(closed());
        return;
      }
      this.#waiting.set(messageId, { frame, done: () => resolve(messageId), failed: reject });
      if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(frame);
    });
  }

  /** Resolves once the socket is open; rejects when it cannot be had. */
  async open(): Promise<void> {
    const offered = this.#token === undefined ? [] : [`bearer.${this.#token}`];
    const socket = new WebSocket(this.#url, [SUBPROTOCOL, ...offered]);
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => {
        this.#strayUntil = Date.now() + STRAY_MS;
        socket.close();
      }, OPEN_MS);
      socket.addEventListener("open", () => {
        clearTimeout(late);
        resolve();
      });
      socket.addEventListener("close", () => {
        clearTimeout(late);
        reject(
          clientError("signalling-unreachable", "The realm could not be reached", this.#url.host),
        );
      });
    });
    if (this.#isClosed) {
      socket.close(1000);
      throw closed();
    }
    this.#soundFrom = Date.now() + SOUND_MS;
    this.#heartbeat.start(socket);
    socket.addEventListener("message", ({ data }) => this.#receive(String(data)));
    socket.addEventListener("close", ({ code, reason }) => {
      if (socket === this.#socket) this.#lost({ code, reason });
    });
    // In their order: a number that was taken is acknowledged again and has no second effect.
    for (const { frame } of this.#waiting.values()) socket.send(frame);
  }

  /** Ends it for good. */
  close(why: Closed): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unwatch();
    this.#heartbeat.stop();
    this.#socket?.close(1000);
    for (const { failed } of this.#waiting.values()) failed(closed());
    this.#waiting.clear();
    this.#listener.closed(why);
  }

  #lost(why: Closed): void {
    // Replaced, but by an attempt of this page that was given up and came through late.
    const isStray = why.code === REPLACED && Date.now() < this.#strayUntil;
    this.#strayUntil = 0;
    // Whoever came back would be refused, or push out the page that took over, which would come back as well.
    if (FINAL_CODES.includes(why.code) && !isStray) this.close(why);
    else this.#reopen();
  }

  /** The socket is dead, and may take minutes to say so. */
  #replace(): void {
    const dead = this.#socket;
    this.#socket = undefined;
    dead?.close();
    this.#reopen();
  }

  #reopen(): void {
    this.#heartbeat.stop();
    if (this.#isClosed) return;
    if (Date.now() > this.#soundFrom) this.#attempts = 0;
    this.#soundFrom = Number.POSITIVE_INFINITY;
    const wait = backoffMs(this.#attempts, RECONNECT);
    this.#attempts += 1;
    setTimeout(() => {
      if (this.#isClosed) return;
      this.open()
        .then(() => this.#listener.reopened())
        .catch(() => this.#reopen());
    }, wait);
  }

  #receive(text: string): void {
    this.#heartbeat.heard();
    const frame = JSON.parse(text) as SwapFrame;
    if (frame.message_type === "response") this.#answered(frame);
    else if (frame.message_type !== undefined) this.#listener.received(frame);
  }

  #answered(frame: SwapFrame): void {
    const request = frame.request as number;
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    if (frame.type !== "ack") waiting?.failed(errorOf(frame));
    else if (waiting) {
      this.server ??= frame.source;
      waiting.done();
    }
  }
}

const closed = (): DuplexError =>
  clientError("signalling-closed", "The endpoint is closed", "it was closed by the application");

/** Problem details of TS 26.113 clause 13.2.4.7; `code` is the last part of their type. */
function errorOf({ error, description }: SwapFrame): DuplexError {
  const { type = "", title = "Refused", status = 400 } = (error ?? {}) as Record<string, never>;
  const code = String(type).replace(PROBLEM_BASE, "").replace("urn:duplex:problem:", "");
  return new DuplexError({ code, title, status, detail: String(description ?? "") });
}
