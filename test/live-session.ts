import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import type { SessionObject } from "../durable-objects/session-object.ts";
import type { ToPeer } from "../protocol/messages.ts";

/** A session over its real doors: the Worker's HTTP surface and hibernatable sockets, inside workerd. */

const ORIGIN = "https://duplex.test";
const WAIT_MS = 5_000;

export const KEY = { authorization: "Bearer test-key" };

/** `awake`: the object stays in memory. `evicted`: it is evicted before every message (R4). */
export type Mode = "awake" | "evicted";
export const MODES: readonly Mode[] = ["awake", "evicted"];

export function call(path: string, init: RequestInit = {}): Promise<Response> {
  return exports.default.fetch(`${ORIGIN}${path}`, init);
}

export function callJson(path: string, method: string, body?: unknown, headers: object = KEY) {
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  const type = body === undefined ? {} : { "content-type": "application/json" };
  return call(path, { method, headers: { ...headers, ...type }, ...json });
}

/** Where the pages of a session connect from: one address for all would be one for `CONNECTS`, too. */
export const addressOf = (session: string): Record<string, string> => ({
  "cf-connecting-ip": `2001:db8:${[...session.slice(-8)]
    .map((letter) => (letter.charCodeAt(0) % 16).toString(16))
    .join("")
    .replace(/^(.{4})/, "$1:")}::1`,
});

interface Invitation {
  peer: { id: string };
  token: string;
  expiresAt: number;
  iceServers: unknown[];
}

export class LiveSession {
  readonly id: string;
  readonly mode: Mode;

  constructor(id: string, mode: Mode) {
    this.id = id;
    this.mode = mode;
  }

  static async start(mode: Mode, config: object = {}): Promise<LiveSession> {
    const response = await callJson("/v1/sessions", "POST", config);
    if (response.status !== 201) throw new Error(await response.text());
    return new LiveSession(((await response.json()) as { id: string }).id, mode);
  }

  get stub(): DurableObjectStub<SessionObject> {
    return (
      env as unknown as { SESSIONS: DurableObjectNamespace<SessionObject> }
    ).SESSIONS.getByName(this.id);
  }

  get path(): string {
    return `/v1/sessions/${this.id}`;
  }

  async invite(request: object = {}): Promise<Invitation> {
    const response = await callJson(`${this.path}/peers`, "POST", request);
    if (response.status !== 201) throw new Error(await response.text());
    return (await response.json()) as Invitation;
  }

  upgrade(token: string, query = ""): Promise<Response> {
    return call(`${this.path}/signalling${query}`, {
      headers: {
        upgrade: "websocket",
        "sec-websocket-protocol": `duplex.v1, bearer.${token}`,
        ...addressOf(this.id),
      },
    });
  }

  /** Joins with a token, `query` on the address, and waits for the welcome. */
  async connect(invitation: Invitation, query = ""): Promise<LivePeer> {
    await this.pause();
    const response = await this.upgrade(invitation.token, query);
    if (!response.webSocket) throw new Error(`${response.status} ${await response.text()}`);
    const peer = new LivePeer(this, invitation, response.webSocket);
    await peer.next("welcome");
    return peer;
  }

  async join(request: object = {}): Promise<LivePeer> {
    return this.connect(await this.invite(request));
  }

  /** Between any two messages, in the mode that evicts. */
  async pause(): Promise<void> {
    if (this.mode !== "evicted") return;
    await evictDurableObject(this.stub).catch((thrown: unknown) => {
      // It sleeps already: nothing was sent since the last eviction.
      if (!String(thrown).includes("not currently running")) throw thrown;
    });
  }

  /** Runs the object's alarm, if it has one, now. */
  alarm(): Promise<boolean> {
    return runDurableObjectAlarm(this.stub);
  }

  inside<T>(look: (state: DurableObjectState) => T | Promise<T>): Promise<T> {
    return runInDurableObject(this.stub, (_object, state) => look(state));
  }

  /** The text that a small session is written as; null before it is, and after its end. */
  stored(): Promise<string | null> {
    return this.inside(({ storage }) => storage.kv.get<string>("session") ?? null);
  }

  /** Changes what is written, behind the back of the object. */
  rewrite(change: (json: string) => string): Promise<void> {
    return this.inside(({ storage: { kv } }) => kv.put("session", change(kv.get("session") ?? "")));
  }

  async read<T>(path = ""): Promise<T> {
    return (await (await call(`${this.path}${path}`, { headers: KEY })).json()) as T;
  }
}

type Of<T extends ToPeer["type"]> = Extract<ToPeer, { type: T }>;

export class LivePeer {
  readonly id: string;
  readonly token: string;
  readonly invitation: Invitation;
  readonly session: LiveSession;
  readonly socket: WebSocket;
  readonly inbox: ToPeer[] = [];
  closed: { code: number; reason: string } | null = null;
  #wake: () => void = () => undefined;

  constructor(session: LiveSession, invitation: Invitation, socket: WebSocket) {
    this.session = session;
    this.invitation = invitation;
    this.id = invitation.peer.id;
    this.token = invitation.token;
    this.socket = socket;
    socket.accept();
    socket.addEventListener("message", ({ data }) => {
      this.inbox.push(JSON.parse(String(data)) as ToPeer);
      this.#wake();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.#wake();
    });
  }

  async send(message: object | string): Promise<void> {
    await this.session.pause();
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** Sends a request and waits for its ack or problem. */
  async request(message: { id: number }): Promise<Of<"ack"> | Of<"problem">> {
    await this.send(message);
    return this.#wait(`reply to ${message.id}`, () =>
      this.#takeFirst(
        (frame): frame is Of<"ack"> | Of<"problem"> =>
          (frame.type === "ack" || frame.type === "problem") && frame.re === message.id,
      ),
    );
  }

  /** The next frame of a type; frames of other types before it stay in the inbox. */
  next<T extends ToPeer["type"]>(type: T): Promise<Of<T>> {
    return this.#wait(type, () => this.#takeFirst((frame): frame is Of<T> => frame.type === type));
  }

  closing(): Promise<{ code: number; reason: string }> {
    return this.#wait("close", () => this.closed ?? undefined);
  }

  /** Waits until more than `count` frames have come, or the socket is closed. */
  async heard(count: number): Promise<void> {
    await this.#wait(
      "any frame",
      () => this.inbox.length > count || this.closed !== null || undefined,
    );
  }

  /** All frames so far, of a type; after everything sent before was done. */
  async all<T extends ToPeer["type"]>(type: T): Promise<Of<T>[]> {
    await this.settled();
    return this.inbox.filter((frame): frame is Of<T> => frame.type === type);
  }

  /** A round trip: what the object did before is in the inbox after it. */
  async settled(): Promise<void> {
    if (this.closed) return;
    this.socket.send('{"type":"ping"}');
    await this.#wait("pong", () =>
      this.#takeFirst((frame): frame is ToPeer => (frame.type as string) === "pong"),
    );
  }

  #takeFirst<T extends ToPeer>(is: (frame: ToPeer) => frame is T): T | undefined {
    const index = this.inbox.findIndex(is);
    return index < 0 ? undefined : (this.inbox.splice(index, 1)[0] as T);
  }

  async #wait<T>(what: string, look: () => T | undefined): Promise<T> {
    const until = performance.now() + WAIT_MS;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      const left = until - performance.now();
      if (left <= 0) {
        const have = this.inbox.map(({ type }) => type).join(", ");
        throw new Error(`${this.id}: no ${what} (have: ${have}; closed: ${this.closed?.code})`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 1000));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
