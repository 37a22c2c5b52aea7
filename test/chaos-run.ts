import { abortAllDurableObjects } from "cloudflare:test";
import { vi } from "vitest";
import type { ToPeer } from "../protocol/messages.ts";
import type { Connection } from "./chaos-connection.ts";
import { type Member, Page, Stream } from "./chaos-page.ts";
import type { Stack } from "./chaos-sdp.ts";
import { ChaosSocket, type Line, type Network } from "./chaos-socket.ts";
import { World } from "./chaos-world.ts";
import { call, LiveSession } from "./live-session.ts";

/** One seeded run: real SDK, real server, and a network that breaks between any two frames. */

const realTimeout = globalThis.setTimeout;
const realClear = globalThis.clearTimeout;
/** Nothing in a run takes real time; what does not come in this time will not come. */
const STUCK_MS = 60_000;

/** What the run itself asks the server, as an observer: when it has its reply, all before is done. */
class Watcher {
  readonly #session: LiveSession;
  readonly #token: string;
  #socket: WebSocket | undefined;
  #nextId = 1;
  readonly #waiting = new Map<number, (frame: Extract<ToPeer, { type: "ack" }>) => void>();

  constructor(session: LiveSession, token: string) {
    this.#session = session;
    this.#token = token;
  }

  async connect(): Promise<void> {
    const response = await this.#session.upgrade(this.#token);
    const socket = response.webSocket;
    if (!socket) throw new Error(`watcher: ${response.status} ${await response.text()}`);
    this.#socket = socket;
    socket.accept();
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as ToPeer;
      if (frame.type === "problem") throw new Error(`watcher: ${JSON.stringify(frame)}`);
      if (frame.type === "ack") this.#waiting.get(frame.re)?.(frame);
    });
  }

  /** The links as the server has them; with a name that nobody has, none. */
  state(to?: string): Promise<Extract<ToPeer, { type: "ack" }>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const stuck = realTimeout(() => reject(new Error("the server does not answer")), STUCK_MS);
      this.#waiting.set(id, (frame) => {
        realClear(stuck);
        this.#waiting.delete(id);
        resolve(frame);
      });
      this.#socket?.send(
        JSON.stringify({ type: "state", id, ...(to === undefined ? {} : { to }) }),
      );
    });
  }
}

/** What is looked at of frames. */
interface Frame {
  readonly type: string;
  readonly id?: number;
  readonly re?: number;
  readonly from: string;
  readonly to: string;
  readonly body: { readonly n: number };
}

export class Run implements Network {
  readonly world: World;
  readonly session: LiveSession;
  readonly sockets: Line[] = [];
  readonly connections: Connection[] = [];
  readonly members: Member[] = [];
  pages: Page[] = [];
  readonly stack: Stack;
  readonly watcher: Watcher;
  /**
   * `from to n` of application messages that the network lost after the server had sent them, or whose refusal it lost:
   * their senders may send them again, later than others.
   */
  readonly missedMessages = new Set<string>();
  /** The same of all that were sent, by page and request. */
  readonly #sentMessages = new Map<string, string>();
  /** How often each action and fault came. */
  readonly counts = new Map<string, number>();
  #pages = 0;
  readonly #allPages = new Map<string, Page>();
  readonly #onlineListeners = new Set<() => void>();
  #alarmedAt = 0;

  constructor(world: World, session: LiveSession, watcher: Watcher) {
    this.world = world;
    this.session = session;
    this.watcher = watcher;
    this.stack = world.random.chance(0.5) ? "chromium" : "firefox";
  }

  static async start(seed: number): Promise<Run> {
    const now = Date.now();
    const world = new World(seed, now);
    const session = await LiveSession.start("evicted", {
      resumeSeconds: 7200,
      emptyTtlSeconds: 86_400,
    });
    const observer = await session.invite({ role: "observer", ttlSeconds: 86_400 });
    const run = new Run(world, session, new Watcher(session, observer.token));
    const count = world.random.chance(0.35) ? 3 : 2;
    for (let n = 0; n < count; n += 1) {
      const { peer, token } = await session.invite({ ttlSeconds: 86_400 });
      run.members.push({ name: "", id: peer.id, token, leaves: 0, heard: [], sent: [] });
    }
    // Ids are random and decide who is named for a restart: by their order they are the same in each run.
    run.members.sort((one, other) => (one.id < other.id ? -1 : 1));
    run.members.forEach((member, index) => {
      Object.assign(member, { name: "ABC"[index] });
    });
    run.#stub();
    await run.watcher.connect();
    return run;
  }

  pageOf(url: URL): Page {
    const page = this.#allPages.get(url.searchParams.get("page") ?? "");
    if (!page) throw new Error(`no page ${url.search}`);
    return page;
  }

  sent(frame: string, { name }: { readonly name: string }): void {
    const { type, id, to, body } = JSON.parse(frame) as Frame;
    const from = this.#allPages.get(name)?.member.id;
    if (type === "message") this.#sentMessages.set(`${name} ${id}`, `${from} ${to} ${body.n}`);
  }

  /** Application messages are not kept for whoever cannot hear them; all else is told again. */
  missed(frame: string, { name }: { readonly name: string }): void {
    const { type, re, from, body } = JSON.parse(frame) as Frame;
    const to = this.#allPages.get(name)?.member.id;
    const refused = this.#sentMessages.get(`${name} ${re}`);
    if (type === "message") this.missedMessages.add(`${from} ${to} ${body.n}`);
    if (type === "problem" && refused) this.missedMessages.add(refused);
  }

  async settle(): Promise<void> {
    await this.watcher.state("nobody");
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  open(member: Member): Page {
    this.#pages += 1;
    const page = new Page(this.world, member, `${member.name}${this.#pages}`);
    this.#allPages.set(page.name, page);
    this.pages.push(page);
    page.join(this.session.path, this.connections, this.stack);
    return page;
  }

  /** The page publishes as soon as it has joined. */
  publishAtJoin(page: Page): void {
    const { random } = this.world;
    const kinds = random.chance(0.5) ? (["audio", "video"] as const) : (["audio"] as const);
    page.atJoin = () => {
      for (const kind of kinds) page.publish(kind);
    };
  }

  close(page: Page): void {
    this.pages = this.pages.filter((one) => one !== page);
  }

  /** The network of the device changed. */
  online(): void {
    for (const listener of [...this.#onlineListeners]) listener();
  }

  /** Lines that carry frames of pages that live. */
  get lines(): Line[] {
    return this.sockets.filter(({ isUsed, page }) => isUsed && !page.isDead);
  }

  async evict(): Promise<void> {
    await this.session.pause();
  }

  async abort(): Promise<void> {
    await abortAllDurableObjects();
    await new Promise((resolve) => realTimeout(resolve, 5));
    await this.watcher.connect();
    await this.settle();
  }

  /** One event, or some time when nothing waits. */
  async step(): Promise<void> {
    const { world } = this;
    if (!(await world.happen())) {
      const { next } = world.clock;
      const ms = next === undefined ? 1000 : next - world.clock.now;
      await this.pass(Math.min(Math.max(ms, 1), 5000));
    } else if (world.random.chance(0.5)) await this.pass(world.random.below(20));
    for (const connection of [...this.connections]) connection.look();
  }

  async pass(ms: number): Promise<void> {
    const { world } = this;
    await world.pass(ms);
    vi.setSystemTime(world.clock.now);
    if (world.clock.now - this.#alarmedAt < 20_000) return;
    this.#alarmedAt = world.clock.now;
    await this.session.alarm();
    await this.settle();
  }

  #stub(): void {
    const { world } = this;
    const { clock } = world;
    const run = this;
    vi.useFakeTimers({ toFake: ["Date"], now: clock.now });
    vi.stubGlobal("setTimeout", (ring: () => void, ms?: number) => clock.set(ring, ms));
    vi.stubGlobal("setInterval", (ring: () => void, ms?: number) => clock.set(ring, ms, ms ?? 0));
    vi.stubGlobal("clearTimeout", (id: unknown) => clock.clear(id));
    vi.stubGlobal("clearInterval", (id: unknown) => clock.clear(id));
    vi.spyOn(Math, "random").mockImplementation(() => world.random.next());
    vi.stubGlobal(
      "WebSocket",
      class extends ChaosSocket {
        constructor(url: string | URL, protocols?: readonly string[]) {
          super(run, url, protocols);
        }
      },
    );
    vi.stubGlobal("RTCPeerConnection", function made({ makes }: { makes: () => Connection }) {
      return makes();
    });
    vi.stubGlobal("MediaStream", Stream);
    vi.stubGlobal("document", Object.assign(new EventTarget(), { visibilityState: "visible" }));
    vi.stubGlobal("addEventListener", (type: string, listener: () => void) => {
      if (type === "online") this.#onlineListeners.add(listener);
    });
    vi.stubGlobal("removeEventListener", (_type: string, listener: () => void) => {
      this.#onlineListeners.delete(listener);
    });
    vi.stubGlobal("reportError", (thrown: unknown) => world.wrong(`reported: ${String(thrown)}`));
    const asked = world.lane("http");
    vi.stubGlobal(
      "fetch",
      (url: URL | string, init: RequestInit) =>
        new Promise((resolve) => {
          asked.add("GET", async () => {
            const response = await call(new URL(url).pathname, { headers: init.headers ?? {} });
            const text = await response.text();
            const { ok, status, headers } = response;
            resolve({ ok, status, headers, json: async () => JSON.parse(text) as unknown });
          });
        }),
    );
  }

  /** Stops everything; the session is gone. */
  async end(): Promise<void> {
    for (const page of this.pages) page.die();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    vi.useRealTimers();
    await call(this.session.path, {
      method: "DELETE",
      headers: { authorization: "Bearer test-key" },
    });
  }

  get isConnected(): boolean {
    return this.pages.every(({ session }) => session?.state === "connected");
  }
}
