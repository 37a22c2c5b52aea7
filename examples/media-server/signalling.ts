import type { FromPeer, ToPeer, Welcome } from "../../protocol/messages.ts";

type Distributed<T> = T extends unknown ? Omit<T, "id"> : never;
export type Outgoing = Distributed<FromPeer>;
export type Ack = Extract<ToPeer, { type: "ack" }>;

/** A request that the server refused: `code` is of its table of problems. */
export class Refused extends Error {
  readonly code: string;

  constructor(code: string, detail: string) {
    super(detail);
    this.name = "Refused";
    this.code = code;
  }
}

export interface SignallingListener {
  /** On every socket: the first frame. Unless `resumed`, the server knows nothing of what was before. */
  readonly welcomed: (welcome: Welcome) => void;
  readonly received: (message: ToPeer) => void;
  /** The session is over for this media server. */
  readonly ended: (code: string) => void;
}

interface Waiting {
  readonly text: string;
  readonly done: (ack: Ack) => void;
  readonly failed: (why: Refused) => void;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
/** Session ended, replaced, kicked, token expired, too many problems: no use in coming back. */
const FINAL_CODES: readonly number[] = [4000, 4001, 4002, 4003, 4008];
const LOOK_MS = 20_000;

/** The media server's place in one session: a WebSocket that is replaced when it is lost. */
export class Signalling {
  readonly #url: string;
  readonly #token: string;
  readonly #listener: SignallingListener;
  /** Requests without a reply; a new socket sends them again, with the ids they had (R1). */
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #socket: WebSocket | undefined;
  #welcomed = false;
  #everWelcomed = false;
  #attempts = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #look: ReturnType<typeof setInterval> | undefined;
  #heard = true;
  #closed = false;

  constructor(url: string, token: string, listener: SignallingListener) {
    this.#url = url;
    this.#token = token;
    this.#listener = listener;
    this.#connect();
  }

  /** Sends, and waits for the reply over lost sockets; rejects with `Refused`. */
  request(message: Outgoing): Promise<Ack> {
    const id = this.#nextId;
    this.#nextId += 1;
    const text = JSON.stringify({ ...message, id });
    const { promise, resolve, reject } = Promise.withResolvers<Ack>();
    this.#waiting.set(id, { text, done: resolve, failed: reject });
    if (this.#closed) this.#failAll();
    else if (this.#welcomed) this.#socket?.send(text);
    return promise;
  }

  /** Sends what is told again soon, or not needed once the socket is lost. */
  send(message: Outgoing): void {
    if (this.#welcomed) this.#socket?.send(JSON.stringify(message));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearInterval(this.#look);
    this.#socket?.close(1000);
    this.#failAll();
  }

  #connect(): void {
    const url = new URL(this.#url);
    url.protocol = url.protocol.replace("http", "ws");
    // A process that has just begun has no state of the session, whatever an earlier one had.
    if (!this.#everWelcomed) url.searchParams.set("fresh", "true");
    const socket = new WebSocket(url, ["duplex.v1", `bearer.${this.#token}`]);
    this.#socket = socket;
    this.#heard = true;
    socket.addEventListener("message", ({ data }) => this.#read(socket, String(data)));
    socket.addEventListener("close", ({ code }) => this.#lost(socket, code));
    socket.addEventListener("error", () => {});
    clearInterval(this.#look);
    this.#look = setInterval(() => this.#lookAfter(socket), LOOK_MS);
  }

  // A socket can die without closing: whoever hears nothing between two looks, a pong included, is alone.
  #lookAfter(socket: WebSocket): void {
    if (!this.#heard) {
      socket.close();
      this.#lost(socket, 1006);
    } else if (socket.readyState === WebSocket.OPEN) {
      this.#heard = false;
      socket.send('{"type":"ping"}');
    }
  }

  #lost(socket: WebSocket, code: number): void {
    if (socket !== this.#socket || this.#closed) return;
    this.#socket = undefined;
    this.#welcomed = false;
    clearInterval(this.#look);
    if (FINAL_CODES.includes(code)) {
      this.close();
      this.#listener.ended(String(code));
      return;
    }
    // Half of the wait is random: media servers must not all come back in one moment.
    const mostMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#attempts, 8));
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#connect(), mostMs / 2 + (Math.random() * mostMs) / 2);
  }

  #read(socket: WebSocket, text: string): void {
    if (socket !== this.#socket) return;
    this.#heard = true;
    const message = JSON.parse(text) as ToPeer | { readonly type: "pong" };
    switch (message.type) {
      case "pong":
        return;
      case "welcome":
        this.#enter(message);
        return;
      case "probe":
        this.send({ type: "alive", n: message.n });
        return;
      case "ack":
        this.#take(message.re)?.done(message);
        return;
      case "problem":
        this.#refuse(message);
        return;
      default:
        this.#listener.received(message);
    }
  }

  #enter(welcome: Welcome): void {
    this.#welcomed = true;
    this.#attempts = 0;
    // What an earlier stay asked for is of no use in a new one.
    if (this.#everWelcomed && !welcome.resumed) this.#failAll();
    this.#everWelcomed = true;
    for (const { text } of this.#waiting.values()) this.#socket?.send(text);
    this.#listener.welcomed(welcome);
  }

  #refuse({ re, code, detail }: Extract<ToPeer, { type: "problem" }>): void {
    const refused = new Refused(code, detail);
    if (re !== undefined) this.#take(re)?.failed(refused);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #failAll(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { failed } of waiting) failed(new Refused("closed", "The media server left."));
  }
}
