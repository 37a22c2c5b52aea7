import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import { Conversation } from "./conversation.ts";
import { Spoiling } from "./plants.ts";

/** A message that the proxy put in; what answers it goes no further. */
type Answers = (message: FromPeer) => boolean;

/** The way of one media server in one session: frames pass as they are, and are written down. */
export class Passage {
  readonly conversation = new Conversation();
  readonly #spoiling: Spoiling;
  readonly #sockets = new Set<{ readonly near: WebSocket; readonly far: WebSocket }>();
  readonly #swallowed: Answers[] = [];
  #holds: ((message: FromPeer) => boolean) | undefined;
  #heldBack: (() => void)[] | undefined;
  #addition: object | undefined;
  #blocked = false;

  constructor(plants: readonly string[]) {
    this.#spoiling = new Spoiling(plants);
  }

  get refuses(): boolean {
    return this.#blocked || (this.#spoiling.onlyOnce && this.conversation.sockets.length > 0);
  }

  /** Lets no socket be opened, or lets them again. */
  block(blocked: boolean): void {
    this.#blocked = blocked;
  }

  /** Tells the media server something that the server did not say. */
  insert(message: object, answers: Answers = () => false): void {
    this.#swallowed.push(answers);
    for (const { near } of this.#sockets) near.send(JSON.stringify(message));
  }

  /** From now on every message to the media server has these members too; `undefined` ends that. */
  add(members: object | undefined): void {
    this.#addition = members;
  }

  /** Keeps back what fits and all that the media server says after it, until `release`. */
  hold(fits: (message: FromPeer) => boolean): void {
    this.#holds = fits;
  }

  /** Whether something is kept back. */
  get holding(): boolean {
    return this.#heldBack !== undefined;
  }

  release(): void {
    const waiting = this.#heldBack ?? [];
    this.#holds = undefined;
    this.#heldBack = undefined;
    for (const send of waiting) send();
  }

  /** As a network that fails: both ends lose the connection. */
  cut(): void {
    for (const { near, far } of this.#sockets) {
      near.terminate();
      far.terminate();
    }
  }

  join(near: WebSocket, far: WebSocket, query: string): void {
    const sockets = { near, far };
    this.#sockets.add(sockets);
    const socket = this.conversation.sockets.push({ atMs: performance.now(), query });
    near.on("message", (data) => this.#fromMediaServer(far, textOf(data), socket));
    far.on("message", (data) => this.#toMediaServer(near, textOf(data), socket));
    for (const [one, another] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => another.terminate());
      one.on("close", (code, reason) => {
        this.#sockets.delete(sockets);
        // 1005 and 1006 are said of a close without a code, never in one (RFC 6455 s7.4.1).
        if (code === 1005) another.close();
        else if (code === 1006) another.terminate();
        else another.close(code, reason);
      });
    }
  }

  #fromMediaServer(far: WebSocket, text: string, socket: number): void {
    const message = readMessage<FromPeer>(text);
    const spoilt = this.#spoiling.fromMediaServer(message);
    if (spoilt === undefined) return;
    if (this.#swallowed.some((answers) => answers(spoilt))) {
      this.conversation.hear(spoilt, socket);
      return;
    }
    const send = () => {
      this.conversation.hear(spoilt, socket);
      far.send(spoilt === message ? text : JSON.stringify(spoilt));
    };
    if (this.#holds?.(spoilt)) this.#heldBack ??= [];
    if (this.#heldBack === undefined) send();
    else this.#heldBack.push(send);
  }

  #toMediaServer(near: WebSocket, text: string, socket: number): void {
    const message = readMessage<ToPeer>(text);
    const spoilt = this.#spoiling.toMediaServer(message);
    if (spoilt === undefined) return;
    // What is judged is what the server said.
    this.conversation.tell(message, socket);
    const isSame = spoilt === message && this.#addition === undefined;
    near.send(isSame ? text : JSON.stringify({ ...spoilt, ...this.#addition }));
  }
}

const textOf = (data: RawData): string => data.toString();

/** What is no JSON has a type that nobody knows. */
function readMessage<M extends { type: string }>(text: string): M {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read === "object" && read !== null && "type" in read) return read as M;
  } catch {
    // Told below.
  }
  return { type: "(not a message)" } as M;
}

/** Stands between media servers and the Duplex server: one path for each session. */
export class SignallingProxy {
  readonly #listener: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has("duplex.v1") ? "duplex.v1" : false),
  });
  readonly #ways = new Map<string, { readonly passage: Passage; readonly target: string }>();
  readonly #plants: readonly string[];
  readonly #host: string;

  private constructor(listener: Server, host: string, plants: readonly string[]) {
    this.#listener = listener;
    this.#host = host;
    this.#plants = plants;
  }

  /** `host` is the address of this machine that the media server finds it at. */
  static async start(host: string, plants: readonly string[]): Promise<SignallingProxy> {
    const listener = createServer((_, response) => response.writeHead(426).end());
    listener.listen(0, host);
    await once(listener, "listening");
    const proxy = new SignallingProxy(listener, host, plants);
    listener.on("upgrade", (request, socket, head) => {
      const way = proxy.#wayOf(request);
      if (way === undefined || way.passage.refuses) {
        socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
        return;
      }
      proxy.#sockets.handleUpgrade(request, socket, head, (near) =>
        proxy.#pass(request, near, way),
      );
    });
    return proxy;
  }

  /** A way to this address; gives the address that stands for it. */
  lay(target: string): { readonly passage: Passage; readonly url: string } {
    const { pathname, protocol } = new URL(target);
    const passage = new Passage(this.#plants);
    this.#ways.set(pathname, { passage, target });
    const { port } = this.#listener.address() as AddressInfo;
    const host = this.#host.includes(":") ? `[${this.#host}]` : this.#host;
    const scheme = protocol.startsWith("ws") ? "ws" : "http";
    return { passage, url: `${scheme}://${host}:${port}${pathname}` };
  }

  async stop(): Promise<void> {
    for (const { passage } of this.#ways.values()) passage.cut();
    this.#listener.close();
    this.#listener.closeAllConnections();
    await once(this.#listener, "close");
  }

  #wayOf({ url = "/" }: IncomingMessage) {
    return this.#ways.get(new URL(url, "http://proxy").pathname);
  }

  #pass(
    { url = "/", headers }: IncomingMessage,
    near: WebSocket,
    { passage, target }: { readonly passage: Passage; readonly target: string },
  ): void {
    const { search } = new URL(url, "http://proxy");
    const address = new URL(target);
    address.protocol = address.protocol.replace("http", "ws");
    address.search = search;
    const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((each) => each.trim());
    const far = new WebSocket(
      address,
      offered.filter((each) => each !== ""),
      {
        headers: {
          ...(headers.authorization !== undefined && { authorization: headers.authorization }),
        },
      },
    );
    // Until the server is there, nothing of the media server is read.
    near.pause();
    far.once("open", () => near.resume());
    passage.join(near, far, search);
  }
}
