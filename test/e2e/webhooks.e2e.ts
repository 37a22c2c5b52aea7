import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer, type Server as HttpServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Webhook } from "standardwebhooks";
import { expect, it } from "vitest";
import { LoadPeer } from "../../bench/load-peer.ts";
import type { WebhookEvent } from "../../protocol/webhooks/event.ts";
import { stillRunning } from "../../scripts/processes.ts";
import { sdpOf } from "../descriptions.ts";
import { until } from "./caller.ts";
import { type Server, startServer } from "./server.ts";
import { temporaryFolder } from "./watchdog.ts";

/** A receiver of webhooks with all that may happen to one, and a server that is killed and comes back. */

const KEY = { authorization: "Bearer dev-key", "content-type": "application/json" };
const SESSIONS = 24;

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
};

/** As the documentation tells to write one: checks signatures, drops what it has had, and keeps the rest. */
class Receiver {
  readonly histories = new Map<string, WebhookEvent[]>();
  readonly wrongs: string[] = [];
  repeated = 0;
  refused = 0;
  /** From here on it takes everything at once. */
  isWell = false;
  readonly #seen = new Set<string>();
  readonly #webhook: Webhook;
  #server: HttpServer | undefined;
  #requests = 0;
  port = 0;

  constructor(secret: string) {
    this.#webhook = new Webhook(secret);
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      void this.#answer(request).then((status) => {
        if (status === null) request.socket.destroy();
        else response.writeHead(status).end();
      });
    });
    server.listen(this.port, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    this.port = (server.address() as { port: number }).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }

  /** Null: the connection breaks. */
  async #answer(request: IncomingMessage): Promise<number | null> {
    const body = await bodyOf(request);
    this.#requests += 1;
    const mood = this.isWell ? "well" : ["well", "500", "slow", "well", "lost"][this.#requests % 5];
    if (mood === "500") {
      this.refused += 1;
      return 500;
    }
    if (mood === "slow") await new Promise((resolve) => setTimeout(resolve, 150));
    try {
      this.#take(String(request.headers["webhook-id"]), body, request.headers as never);
    } catch (thrown) {
      this.wrongs.push(String(thrown));
      return 400;
    }
    // What was taken is sent again when its answer is lost.
    return mood === "lost" ? null : 204;
  }

  #take(id: string, body: string, headers: Record<string, string>): void {
    const event = this.#webhook.verify(body, headers) as WebhookEvent;
    if (this.#seen.has(id)) {
      this.repeated += 1;
      return;
    }
    this.#seen.add(id);
    const { session, sequence } = event.data;
    const history = this.histories.get(session) ?? [];
    this.histories.set(session, [...history, event]);
    if (sequence !== history.length + 1) {
      this.wrongs.push(`${session}: ${sequence} after ${history.length} events`);
    }
  }

  /** What it knows of a session, with who it is about. */
  told(session: string): string[] {
    return (this.histories.get(session) ?? []).map(({ type, data }) => {
      const about = "peer" in data ? data.peer.name : "flow" in data ? data.flow.kind : "";
      const why = "reason" in data ? data.reason : "";
      return [type, about, why].filter(Boolean).join(" ");
    });
  }
}

/** A call of two, and what the receiver has to know of it in the end. */
class Scene {
  readonly baseUrl: () => string;
  readonly expected: string[] = [];
  id = "";
  #tokens: { peer: { id: string }; token: string }[] = [];
  #peers: LoadPeer[] = [];

  constructor(baseUrl: () => string) {
    this.baseUrl = baseUrl;
  }

  async #post(path: string, body: object = {}): Promise<unknown> {
    const init = { method: "POST", headers: KEY, body: JSON.stringify(body) };
    const response = await fetch(`${this.baseUrl()}v1/sessions${path}`, init);
    if (!response.ok) throw new Error(`${path} ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  }

  async begin(): Promise<void> {
    const invite = [{ name: "Alice" }, { name: "Bob" }];
    const created = (await this.#post("", { invite })) as never as {
      id: string;
      invited: { peer: { id: string }; token: string }[];
    };
    this.id = created.id;
    this.#tokens = created.invited;
    this.expected.push("session.created");
    await this.#join("peer.joined");
  }

  /** Alice, then Bob. */
  async #join(type: "peer.joined" | "peer.resumed"): Promise<void> {
    for (const peer of this.#peers) peer.close();
    this.#peers = [];
    for (const invitation of this.#tokens) {
      const url = `${this.baseUrl().replace("http", "ws")}v1/sessions/${this.id}/signalling`;
      this.#peers.push(await LoadPeer.join({ ...invitation, signalling: { url } }));
    }
    this.expected.push(`${type} Alice`, `${type} Bob`);
  }

  async #evict(): Promise<void> {
    await this.#post(`/${this.id}/peers/${this.#tokens[0]?.peer.id}/simulate`, { fault: "evict" });
  }

  /** A call with evictions in between. */
  async call(): Promise<void> {
    const [alice, bob] = this.#peers;
    if (!alice || !bob) throw new Error("nobody is there");
    const { exchange = 0 } = await alice.request({ type: "offer", to: bob.id, sdp: sdpOf() });
    await this.#evict();
    const sdp = sdpOf({ setup: "active" });
    await bob.request({ type: "answer", to: alice.id, exchange, sdp });
    this.expected.push("flow.negotiated audio", "flow.negotiated audio");
    await this.#evict();
    await alice.request({ type: "transport", to: bob.id, state: "connected" });
    this.expected.push("flow.active audio", "flow.active audio");
  }

  /** The server was killed: both are lost, and come back. */
  async resume(): Promise<void> {
    this.expected.push("peer.lost Alice", "peer.lost Bob");
    await this.#join("peer.resumed");
  }

  async leave(): Promise<void> {
    await this.#peers[1]?.request({ type: "leave" });
    this.expected.push("flow.ended audio left", "flow.ended audio left", "peer.left Bob left");
  }

  async end(): Promise<void> {
    const init = { method: "DELETE", headers: KEY };
    const response = await fetch(`${this.baseUrl()}v1/sessions/${this.id}`, init);
    expect(response.status).toBe(204);
    this.expected.push("peer.left Alice session-ended", "session.ended deleted");
  }

  close(): void {
    for (const peer of this.#peers) peer.close();
  }
}

const freePort = async (): Promise<string> => {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return String(port);
};

it("[R6] a receiver that is down, fails, is slow and gets repeats ends with the exact history of every session, through evictions and a kill of the server", async (context) => {
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  const receiver = new Receiver(secret);
  await receiver.start();
  const state = temporaryFolder("webhooks");
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const port = await freePort();
  const start = (): Promise<Server> =>
    startServer({
      file: process.execPath,
      args: [join(root, "scripts", "start.mjs")],
      cwd: root,
      env: {
        DUPLEX_STATE: state,
        PORT: port,
        WEBHOOK_URLS: `http://127.0.0.1:${receiver.port}/hooks`,
        WEBHOOK_SECRETS: secret,
        WEBHOOK_RETRY_SECONDS: "0.4",
      },
      readyLimitMs: 90_000,
    });
  let server = await start();
  const scenes = Array.from({ length: SESSIONS }, () => new Scene(() => server.baseUrl));
  context.onTestFinished(async () => {
    for (const scene of scenes) scene.close();
    await server.stop();
    await receiver.stop();
    rmSync(state, { recursive: true, force: true });
  });
  const all = async (of: readonly Scene[], act: (scene: Scene) => Promise<void>) => {
    await Promise.all(of.map(act));
  };
  const [short, long] = [scenes.slice(0, SESSIONS / 2), scenes.slice(SESSIONS / 2)];

  await all(scenes, (scene) => scene.begin());
  await all(scenes, (scene) => scene.call());
  // It goes away for a while: calls go on as if nothing were.
  await receiver.stop();
  // Half of the sessions are over before anybody can be told.
  await all(short, (scene) => scene.leave());
  await all(short, (scene) => scene.end());
  const processes = server.processes();
  for (const { pid } of processes) process.kill(pid, "SIGKILL");
  await until("the server is dead", () => stillRunning(processes).length === 0);
  await receiver.start();
  server = await start();
  await all(long, (scene) => scene.resume());
  await all(long, (scene) => scene.leave());
  await all(long, (scene) => scene.end());
  receiver.isWell = true;
  const isTold = ({ id, expected }: Scene) => receiver.told(id).length >= expected.length;
  await until("all is told", () => scenes.every(isTold), 30_000);

  expect(receiver.wrongs).toEqual([]);
  expect(receiver.histories.size).toBe(SESSIONS);
  for (const { id, expected } of scenes) expect(receiver.told(id)).toEqual(expected);
  expect(receiver.repeated).toBeGreaterThan(0);
  expect(receiver.refused).toBeGreaterThan(0);
  // What has ended is gone once it is told.
  await until("nothing is left", async () => {
    const statuses = await Promise.all(
      scenes.map(async ({ id }) => {
        const url = `${server.baseUrl}v1/sessions/${id}/webhooks`;
        return (await fetch(url, { headers: KEY })).status;
      }),
    );
    return statuses.every((status) => status === 404);
  });
});
