import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { decode } from "../../protocol/decode.ts";
import type { ToPeer } from "../../protocol/messages.ts";
import { isProblem, PROBLEMS } from "../../protocol/problem.ts";
import type { SessionEvent } from "../../protocol/step.ts";
import { PureSession } from "../pure-session.ts";
import { Backend, type Invitation } from "./caller.ts";

type Timeless<E> = E extends unknown ? Omit<E, "at"> : never;

/**
 * A session that is `step` and nothing else, over real sockets: for what comes to a session from outside of it, and no
 * peer can say. Its pages are those of the server at `upstream`.
 */
export class PureServer extends PureSession {
  readonly #http: HttpServer;
  readonly #sockets = new Map<string, WebSocket>();
  #peers = 0;

  private constructor(upstream: string) {
    super();
    this.at = Date.now();
    this.#http = createServer(({ url = "/" }, response) => {
      fetch(new URL(url, upstream))
        .then(async (answer) => {
          const type = answer.headers.get("content-type") ?? "text/plain";
          response.writeHead(answer.status, { "content-type": type });
          response.end(Buffer.from(await answer.arrayBuffer()));
        })
        .catch(() => response.writeHead(502).end());
    });
    const door = new WebSocketServer({ server: this.#http, handleProtocols: () => "duplex.v1" });
    door.on("connection", (socket, { headers }) => {
      const [, peer = ""] = /bearer\.(\w+)/.exec(headers["sec-websocket-protocol"] ?? "") ?? [];
      this.#sockets.set(peer, socket);
      socket.on("message", (data) => this.#hear(peer, String(data)));
      this.at = Date.now();
      this.join(peer, "peer", {}, "full");
    });
  }

  static async start(upstream: string): Promise<PureServer> {
    const server = new PureServer(upstream);
    await new Promise<void>((resolve) => server.#http.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get #port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get backend(): Backend {
    return new Backend(`http://127.0.0.1:${this.#port}/`, this.session.id);
  }

  /** For a peer that nobody else is; its token is its name. */
  invite(): Invitation {
    this.#peers += 1;
    const id = `peer${this.#peers}`;
    const url = `ws://127.0.0.1:${this.#port}/v1/sessions/s/signalling`;
    return { peer: { id }, token: id, signalling: { url } };
  }

  /** An event now. */
  happen(event: Timeless<SessionEvent>): void {
    this.at = Date.now();
    const done = this.do({ ...event, at: this.at } as SessionEvent);
    if (isProblem(done)) throw new Error(`${done.code}: ${done.detail}`);
  }

  #hear(peer: string, frame: string): void {
    if (frame === '{"type":"ping"}') {
      this.#sockets.get(peer)?.send('{"type":"pong"}');
      return;
    }
    const read = decode(frame);
    if (!("message" in read)) throw new Error(`${peer} sent what cannot be read: ${frame}`);
    this.at = Date.now();
    const done = this.send(peer, read.message);
    const { id: re } = read.message;
    if (isProblem(done)) {
      const { title, status } = PROBLEMS[done.code];
      this.deliver(peer, { type: "problem", ...(re && { re }), title, status, ...done });
    } else if (re !== undefined) this.deliver(peer, { type: "ack", re, ...done.ack });
  }

  override deliver(peer: string, message: ToPeer): void {
    this.#sockets.get(peer)?.send(JSON.stringify(message));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.values()) socket.terminate();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}
