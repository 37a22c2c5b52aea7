import { WebSocket } from "ws";
import type { FromPeer, ToPeer } from "../protocol/messages.ts";

/** A peer of the load, over a real socket. */

const WAIT_MS = 15_000;

type Of<T extends ToPeer["type"]> = Extract<ToPeer, { type: T }>;
type Waiting = { readonly take: (frame: ToPeer) => boolean; readonly fail: (why: Error) => void };
type Unnumbered<T> = T extends FromPeer ? Omit<T, "id"> : never;

export interface Invitation {
  readonly peer: { readonly id: string };
  readonly token: string;
  readonly signalling: { readonly url: string };
}

export class LoadPeer {
  readonly id: string;
  readonly #socket: WebSocket;
  readonly #inbox: ToPeer[] = [];
  readonly #waiting = new Set<Waiting>();
  #requests = 0;
  #pong: (() => void) | undefined;
  /** Null while the socket is open. */
  closed: number | null = null;
  onClose: () => void = () => undefined;

  constructor({ peer, token, signalling }: Invitation) {
    this.id = peer.id;
    // Without compression: it would measure zlib.
    this.#socket = new WebSocket(signalling.url, ["duplex.v1", `bearer.${token}`], {
      perMessageDeflate: false,
    });
    this.#socket.on("message", (data) => this.#receive(JSON.parse(String(data))));
    this.#socket.on("close", (code) => this.#end(code));
    this.#socket.on("error", () => undefined);
  }

  /** Joins; the socket is ready after its welcome. */
  static async join(invitation: Invitation): Promise<LoadPeer> {
    const peer = new LoadPeer(invitation);
    await peer.next("welcome");
    return peer;
  }

  send(message: FromPeer): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** Throws when it is refused. */
  async request(message: Unnumbered<FromPeer>): Promise<Of<"ack">> {
    this.#requests += 1;
    const id = this.#requests;
    const reply = this.#next(
      `reply to ${message.type}`,
      (frame): frame is Of<"ack"> | Of<"problem"> =>
        (frame.type === "ack" || frame.type === "problem") && frame.re === id,
    );
    this.#socket.send(JSON.stringify({ ...message, id }));
    const answer = await reply;
    if (answer.type === "problem") throw new Error(`${message.type} refused: ${answer.code}`);
    return answer;
  }

  /** The next frame of a type, of those that came and nobody asked for, or to come. */
  next<T extends ToPeer["type"]>(type: T): Promise<Of<T>> {
    return this.#next(type, (frame): frame is Of<T> => frame.type === type);
  }

  /** The ping that the object answers in its sleep; throws when no answer comes. */
  async ping(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no pong")), WAIT_MS);
      this.#pong = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#socket.send('{"type":"ping"}');
    });
  }

  /** Waits until the server has closed the socket. */
  async ended(): Promise<number> {
    const end = performance.now() + WAIT_MS;
    while (this.closed === null) {
      if (performance.now() > end) throw new Error("the socket stays open");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return this.closed;
  }

  close(): void {
    this.onClose = () => undefined;
    this.#socket.terminate();
  }

  #receive(frame: ToPeer | { type: "pong" }): void {
    if (frame.type === "pong") {
      this.#pong?.();
      return;
    }
    for (const waiting of this.#waiting) {
      if (!waiting.take(frame)) continue;
      this.#waiting.delete(waiting);
      return;
    }
    // Records of flows are read by HTTP: idle peers would pile them up.
    if (frame.type !== "flows") this.#inbox.push(frame);
  }

  #end(code: number): void {
    this.closed = code;
    for (const { fail } of this.#waiting) fail(new Error(`closed with ${code}`));
    this.onClose();
  }

  #next<T extends ToPeer>(what: string, is: (frame: ToPeer) => frame is T): Promise<T> {
    const index = this.#inbox.findIndex(is);
    if (index >= 0) return Promise.resolve(this.#inbox.splice(index, 1)[0] as T);
    if (this.closed !== null) return Promise.reject(new Error(`closed before ${what}`));
    return new Promise<T>((resolve, reject) => {
      const fail = (why: Error): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        reject(new Error(`${what}: ${why.message}`));
      };
      const timer = setTimeout(() => fail(new Error("not in time")), WAIT_MS);
      const waiting: Waiting = {
        fail,
        take: (frame) => {
          if (!is(frame)) return false;
          clearTimeout(timer);
          resolve(frame);
          return true;
        },
      };
      this.#waiting.add(waiting);
    });
  }
}
