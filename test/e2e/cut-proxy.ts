import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A network between pages and the server that fails on purpose, at the frame it is told. */

/** A message on its way over a WebSocket. */
export interface Passing {
  readonly from: "page" | "server";
  readonly type: string;
  readonly [member: string]: unknown;
}

/**
 * What becomes of a message. `cut`: it is lost, and both ends learn that the connection is gone; `deliver-and-cut`:
 * after it. `swallow`: it is lost with all that follows, and nobody is told; `deliver-and-swallow`: after it.
 */
export type Fate = "pass" | "cut" | "deliver-and-cut" | "swallow" | "deliver-and-swallow";

/** Extensions are not agreed through the proxy: compressed frames could not be read. */
const EXTENSIONS = /^sec-websocket-extensions:.*\r\n/gim;

/** One frame of RFC 6455 5.2 at the start of `bytes`; undefined while it is not complete. */
function frameIn(bytes: Buffer): { length: number; text: string | undefined } | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const sizeBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
  const maskAt = 2 + sizeBytes;
  const start = maskAt + (second & 0x80 ? 4 : 0);
  if (bytes.length < start) return undefined;
  const size =
    sizeBytes === 8
      ? Number(bytes.readBigUInt64BE(2))
      : sizeBytes === 2
        ? bytes.readUInt16BE(2)
        : short;
  if (bytes.length < start + size) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + size));
  if (start > maskAt) {
    for (let i = 0; i < size; i++) payload[i] = payload[i]! ^ bytes[maskAt + (i % 4)]!;
  }
  // A whole text message; fragments and control frames pass unread.
  return { length: start + size, text: first === 0x81 ? payload.toString() : undefined };
}

/** One TCP connection of a page and its continuation to the server. */
class Line {
  readonly #page: Socket;
  readonly #server: Socket;
  readonly #proxy: CutProxy;
  #upgraded = false;
  #swallowed = false;
  readonly #rest = { page: Buffer.alloc(0), server: Buffer.alloc(0) };

  constructor(page: Socket, server: Socket, proxy: CutProxy) {
    this.#page = page;
    this.#server = server;
    this.#proxy = proxy;
    for (const [from, socket] of [
      ["page", page],
      ["server", server],
    ] as const) {
      socket.on("data", (bytes) => this.#received(from, bytes));
      socket.on("error", () => undefined);
      socket.on("close", () => {
        // Of a swallowed connection neither end hears that the other is gone.
        if (!this.#swallowed) this.cut();
      });
    }
  }

  get upgraded(): boolean {
    return this.#upgraded;
  }

  cut(): void {
    this.#page.destroy();
    this.#server.destroySoon();
  }

  swallow(): void {
    this.#swallowed = true;
  }

  #received(from: "page" | "server", bytes: Buffer): void {
    if (this.#swallowed) return;
    if (this.#upgraded) this.#relay(from, bytes);
    else this.#pass(from, from === "page" ? this.#greet(bytes) : this.#answer(bytes));
  }

  #greet(bytes: Buffer): Buffer {
    const head = bytes.toString("latin1");
    return /^upgrade: websocket/im.test(head)
      ? Buffer.from(head.replace(EXTENSIONS, ""), "latin1")
      : bytes;
  }

  /** The answer to an upgrade; the first frame of the server may be in the same packet. */
  #answer(bytes: Buffer): Buffer {
    const head = bytes.toString("latin1");
    const end = head.indexOf("\r\n\r\n") + 4;
    if (!head.startsWith("HTTP/1.1 101") || end < 4) return bytes;
    this.#upgraded = true;
    this.#proxy.opened += 1;
    const first = bytes.subarray(end);
    queueMicrotask(() => this.#received("server", first));
    return bytes.subarray(0, end);
  }

  #relay(from: "page" | "server", bytes: Buffer): void {
    this.#rest[from] = Buffer.concat([this.#rest[from], bytes]);
    for (;;) {
      const frame = frameIn(this.#rest[from]);
      if (frame === undefined || this.#swallowed || this.#page.destroyed) return;
      const raw = this.#rest[from].subarray(0, frame.length);
      this.#rest[from] = this.#rest[from].subarray(frame.length);
      const fate = this.#fateOf(from, frame.text);
      if (fate === "pass" || fate.startsWith("deliver")) this.#pass(from, raw);
      if (fate.endsWith("swallow")) this.swallow();
      if (fate.endsWith("cut")) this.cut();
    }
  }

  #fateOf(from: "page" | "server", text: string | undefined): Fate {
    if (text === undefined) return "pass";
    return this.#proxy.rule({ ...(JSON.parse(text) as { type: string }), from });
  }

  #pass(from: "page" | "server", bytes: Buffer): void {
    const to = from === "page" ? this.#server : this.#page;
    if (this.#proxy.delayMs === 0) to.write(bytes);
    else setTimeout(() => to.writable && to.write(bytes), this.#proxy.delayMs);
  }
}

/** Listens on a port of its own and stands for the server. */
export class CutProxy {
  /** With a slash at the end, in the place of the server's. */
  readonly baseUrl: string;
  /** Decides on each message of each WebSocket. */
  rule: (message: Passing) => Fate = () => "pass";
  /** New connections are closed at once. */
  refuses = false;
  /** How late everything is. Changed only while nothing is on its way, or the order is lost. */
  delayMs = 0;
  /** WebSockets that were let through. */
  opened = 0;
  readonly #listener: Server;
  readonly #lines: Set<Line>;

  private constructor(listener: Server, lines: Set<Line>) {
    this.#listener = listener;
    this.#lines = lines;
    const { address, port } = listener.address() as AddressInfo;
    this.baseUrl = `http://${address}:${port}/`;
  }

  /** `host`: the address of this machine that pages find it at. */
  static async start(serverUrl: string, host = "127.0.0.1"): Promise<CutProxy> {
    const { hostname, port } = new URL(serverUrl);
    const lines = new Set<Line>();
    const listener = createServer((page) => {
      page.on("error", () => undefined);
      if (proxy.refuses) {
        page.destroy();
        return;
      }
      const line = new Line(page, connect({ host: hostname, port: Number(port) }), proxy);
      lines.add(line);
      page.on("close", () => lines.delete(line));
    });
    listener.listen(0, host);
    await once(listener, "listening");
    const proxy = new CutProxy(listener, lines);
    return proxy;
  }

  /** Ends all connections; later ones pass. */
  cut(): void {
    for (const line of [...this.#lines]) line.cut();
  }

  /** Of the WebSockets that are open nothing comes through any more, without a word; later ones pass. */
  swallow(): void {
    for (const line of this.#lines) if (line.upgraded) line.swallow();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#listener.close();
    await once(this.#listener, "close");
  }
}
