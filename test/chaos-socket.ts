import type { Lane, World } from "./chaos-world.ts";
import { addressOf, call } from "./live-session.ts";

/**
 * A WebSocket as the SDK uses one, over the real door of the Worker. Between the two a network that a run can
 * break: every frame waits for its turn in each direction.
 */

export const CONNECTING = 0;
export const OPEN = 1;
export const CLOSING = 2;
export const CLOSED = 3;

/** What happens to a socket besides frames. */
export interface Cut {
  /** How many frames that are on their way up still arrive. */
  readonly arrive: number;
  /** The server learns of it only when the run says so. */
  readonly serverLater: boolean;
  /** How long the page does not know. */
  readonly clientAfterMs: number;
}

const typeOf = (text: string): string => {
  const { type, re, exchange, from, to, code } = JSON.parse(text) as Record<string, unknown>;
  const more = [re && `re ${re}`, exchange && `#${exchange}`, code, (from ?? to) as string];
  return [type, ...more.filter(Boolean)].join(" ");
};

/** The network of a run: all its sockets, and how to wait until the server has done its part. */
export interface Network {
  readonly world: World;
  readonly sockets: Line[];
  /** The page that a URL names. */
  pageOf(url: URL): { readonly name: string; readonly isDead: boolean };
  /** A frame of the page reaches the server. */
  sent(frame: string, page: { readonly name: string }): void;
  /** A frame of the server came to nothing on its way to the page. */
  missed(frame: string, page: { readonly name: string }): void;
  /** Resolves when what was sent before is done and its frames are here. */
  settle(): Promise<void>;
}

/** One connection through the network, from the page's socket to the server's. */
export class Line {
  readonly name: string;
  readonly page: { readonly name: string; readonly isDead: boolean };
  /** Frames of this direction vanish, and so does the end of it. */
  swallowsUp = false;
  swallowsDown = false;
  /** Copies of the next frame. */
  copiesUp = 0;
  copiesDown = 0;
  readonly up: Lane;
  readonly down: Lane;
  readonly socket: ChaosSocket;
  readonly #network: Network;
  #server: WebSocket | undefined;
  #isCut = false;
  #late: (() => void) | undefined;

  constructor(network: Network, socket: ChaosSocket, url: URL, protocols: readonly string[]) {
    this.#network = network;
    this.socket = socket;
    this.page = network.pageOf(url);
    const { world, sockets } = network;
    this.name = `${this.page.name}/${sockets.length + 1}`;
    this.up = world.lane(`${this.name} up`);
    this.down = world.lane(`${this.name} down`);
    sockets.push(this);
    this.up.add("connect", () => this.#connect(url, protocols));
  }

  get isOpen(): boolean {
    return this.#server !== undefined && !this.#isCut;
  }

  get isUsed(): boolean {
    return !this.page.isDead && this.socket.readyState === OPEN;
  }

  send(text: string): void {
    this.up.add(typeOf(text), () => this.#sendUp(text));
  }

  close(code: number | undefined): void {
    this.up.add(`close ${code ?? ""}`, async () => {
      if (this.swallowsUp || this.#isCut) return;
      this.#server?.close(code ?? 1000);
      this.#isCut = true;
      await this.#network.settle();
      this.down.add("closed", () => this.socket.ended(code ?? 1005));
    });
  }

  /** The connection is gone. */
  async cut({ arrive, serverLater, clientAfterMs }: Cut): Promise<void> {
    const { world } = this.#network;
    const arriving = this.up.pending.splice(0, arrive);
    this.up.pending.length = 0;
    if (!this.#isCut) for (const frame of arriving) await frame.run();
    for (const { frame } of this.down.pending.splice(0)) if (frame) this.#miss(frame);
    this.#isCut = true;
    const end = () => this.#server?.close(3001);
    if (serverLater) this.#late = end;
    else end();
    const tell = () => this.down.add("cut", () => this.socket.ended(1006));
    if (clientAfterMs > 0) world.clock.set(tell, clientAfterMs);
    else tell();
    await this.#network.settle();
  }

  /** The server learns now of what was cut before. */
  async late(): Promise<boolean> {
    const end = this.#late;
    this.#late = undefined;
    end?.();
    if (end) await this.#network.settle();
    return end !== undefined;
  }

  async #connect(url: URL, protocols: readonly string[]): Promise<void> {
    const { world } = this.#network;
    if (this.page.isDead) {
      this.socket.ended(1006);
      return;
    }
    const response = await call(`${url.pathname}${url.search}`, {
      headers: {
        upgrade: "websocket",
        "sec-websocket-protocol": protocols.join(", "),
        ...addressOf(url.pathname.split("/")[3] ?? ""),
      },
    });
    const server = response.webSocket;
    if (!server) {
      world.note(`${this.name} refused ${response.status} ${await response.text()}`);
      this.#isCut = true;
      this.down.add("refused", () => this.socket.ended(1006));
      return;
    }
    this.#server = server;
    server.accept();
    server.addEventListener("message", ({ data }) => this.#arrived(String(data)));
    server.addEventListener("close", ({ code }) => {
      this.#serverClosed(code);
    });
    // The page had given up before the server answered.
    if (this.#isCut) server.close(3001);
    else this.down.add("open", () => this.socket.opened());
    await this.#network.settle();
  }

  async #sendUp(text: string): Promise<void> {
    if (this.swallowsUp || this.#isCut || this.page.isDead) return;
    const copies = 1 + this.copiesUp;
    this.copiesUp = 0;
    this.#network.sent(text, this.page);
    for (let copy = 0; copy < copies; copy += 1) this.#server?.send(text);
    await this.#network.settle();
  }

  #arrived(text: string): void {
    if (this.#isCut) {
      this.#miss(text);
      return;
    }
    const deliver = () => {
      if (this.socket.readyState !== OPEN) this.#miss(text);
      if (this.swallowsDown || this.page.isDead) {
        this.#miss(text);
        return;
      }
      const copies = 1 + this.copiesDown;
      this.copiesDown = 0;
      for (let copy = 0; copy < copies; copy += 1) this.socket.received(text);
    };
    this.down.add(typeOf(text), deliver, text);
  }

  #miss(frame: string): void {
    this.#network.missed(frame, this.page);
  }

  #serverClosed(code: number): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.down.add(`closed ${code}`, () => {
      if (!this.swallowsDown) this.socket.ended(code);
    });
  }
}

/** What the page sees of it. */
export class ChaosSocket extends EventTarget {
  static readonly CONNECTING = CONNECTING;
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;
  readyState: number = CONNECTING;
  readonly #line: Line;

  constructor(network: Network, url: string | URL, protocols: readonly string[] = []) {
    super();
    this.#line = new Line(network, this, new URL(url), protocols);
  }

  send(text: string): void {
    if (this.readyState === CONNECTING) throw new DOMException("connecting", "InvalidStateError");
    if (this.readyState === OPEN) this.#line.send(text);
  }

  close(code?: number): void {
    if (this.readyState >= CLOSING) return;
    this.readyState = CLOSING;
    this.#line.close(code);
  }

  opened(): void {
    if (this.readyState !== CONNECTING) return;
    this.readyState = OPEN;
    this.dispatchEvent(new Event("open"));
  }

  received(data: string): void {
    // A browser hands on what comes while it closes, too.
    if (this.readyState === CLOSED) return;
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }

  ended(code: number): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason: "" }));
  }
}
