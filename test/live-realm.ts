import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { EndpointView } from "../durable-objects/realm-commands.ts";
import type { SwapRealm } from "../durable-objects/swap-realm.ts";
import type { SwapDialect } from "../protocol/swap/message.ts";
import { call, KEY, type Mode } from "./live-session.ts";

/** A realm of SWAP over its real door, inside workerd. */

const WAIT_MS = 5_000;

/** A frame as an endpoint gets it, in whatever dialect. */
export type Frame = Readonly<Record<string, unknown>>;

let realms = 0;

export class LiveRealm {
  readonly name: string;
  readonly mode: Mode;

  /** A realm of its own. */
  constructor(mode: Mode = "awake") {
    realms += 1;
    this.name = `realm-${realms}-${crypto.randomUUID().slice(0, 8)}`;
    this.mode = mode;
  }

  get stub(): DurableObjectStub<SwapRealm> {
    return (
      env as unknown as { SWAP_REALMS: DurableObjectNamespace<SwapRealm> }
    ).SWAP_REALMS.getByName(this.name);
  }

  upgrade(headers: Record<string, string> = KEY, path = `/${this.name}/3gpp-swap/v1`) {
    return call(path, {
      headers: {
        upgrade: "websocket",
        "sec-websocket-protocol": "3gpp.SWAP.v1",
        "cf-connecting-ip": `2001:db8:${realms.toString(16)}::1`,
        ...headers,
      },
    });
  }

  async connect(
    source: string = crypto.randomUUID(),
    dialect: SwapDialect = "text",
    headers?: Record<string, string>,
  ): Promise<LiveEndpoint> {
    await this.pause();
    const response = await this.upgrade(headers);
    if (!response.webSocket) throw new Error(`${response.status} ${await response.text()}`);
    return new LiveEndpoint(this, response.webSocket, source, dialect);
  }

  /** Between any two messages, in the mode that evicts. */
  async pause(): Promise<void> {
    if (this.mode !== "evicted") return;
    const endpoints = (await this.stub.view()) as unknown as readonly EndpointView[];
    const sessions = new Set(endpoints.flatMap(({ calls }) => calls.map(({ session }) => session)));
    const { SESSIONS } = env as unknown as { SESSIONS: DurableObjectNamespace };
    for (const stub of [this.stub, ...[...sessions].map((id) => SESSIONS.getByName(id))]) {
      await evictDurableObject(stub).catch((thrown: unknown) => {
        if (!String(thrown).includes("not currently running")) throw thrown;
      });
    }
  }

  alarm(): Promise<boolean> {
    return runDurableObjectAlarm(this.stub);
  }

  /** Waits until so many endpoints are there. */
  async has(endpoints: number): Promise<void> {
    const until = performance.now() + WAIT_MS;
    while ((await this.view()).endpoints.length !== endpoints) {
      if (performance.now() > until) throw new Error(`there are not ${endpoints} endpoints`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async view(): Promise<{
    endpoints: { source: string; dialect: string; criteria?: object[] }[];
    sessions: { id: string; endpoints: string[] }[];
  }> {
    return (await call(`/v1/realms/${this.name}`, { headers: KEY })).json();
  }
}

export class LiveEndpoint {
  readonly realm: LiveRealm;
  readonly socket: WebSocket;
  readonly source: string;
  readonly dialect: SwapDialect;
  readonly inbox: Frame[] = [];
  closed: number | null = null;
  #numbers = 0;
  #wake: () => void = () => undefined;

  constructor(realm: LiveRealm, socket: WebSocket, source: string, dialect: SwapDialect) {
    this.realm = realm;
    this.socket = socket;
    this.source = source;
    this.dialect = dialect;
    socket.accept();
    socket.addEventListener("message", ({ data }) => {
      this.inbox.push(JSON.parse(String(data)) as Frame);
      this.#wake();
    });
    socket.addEventListener("close", ({ code }) => {
      this.closed = code;
      this.#wake();
    });
  }

  /** The frame of a message in the dialect of the endpoint; `body` has the names of the clause. */
  frame(type: string, body: Frame = {}, id: number = this.#next()): Frame {
    const sender = this.dialect === "text" ? { source: this.source } : { source_id: this.source };
    const head = { version: 1, ...sender, message_id: id, message_type: type };
    const { matching_criteria: criteria, ...rest } = body;
    if (this.dialect === "library") return { ...head, ...rest, ...(criteria ? { criteria } : {}) };
    return this.dialect === "nested" ? { ...head, payload: body } : { ...head, ...body };
  }

  #next(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  async send(frame: Frame | string): Promise<void> {
    await this.realm.pause();
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** The next frame of a type, as it came. */
  first(type: unknown): Promise<Frame> {
    return this.#takeRaw(`${type}`, (frame) => frame.message_type === type);
  }

  /** Sends a message and waits for what it is answered. */
  async say(type: string, body: Frame = {}): Promise<Frame> {
    const frame = this.frame(type, body);
    await this.send(frame);
    return this.answer(frame.message_id as number);
  }

  /** The answer to a message: `ack`, or the error's `type`. */
  answer(id: number): Promise<Frame> {
    return this.#take(`answer to ${id}`, (frame) => {
      const { message_type: type } = frame;
      const { request = frame.response_to } = flat(frame);
      return type === "response" && request === id;
    });
  }

  /** The next message of a type. */
  next(type: string): Promise<Frame> {
    return this.#take(type, (frame) => frame.message_type === type);
  }

  close(): void {
    this.socket.close(1000);
  }

  async #take(what: string, is: (frame: Frame) => boolean): Promise<Frame> {
    return flat(await this.#takeRaw(what, is));
  }

  async #takeRaw(what: string, is: (frame: Frame) => boolean): Promise<Frame> {
    const until = performance.now() + WAIT_MS;
    for (;;) {
      const index = this.inbox.findIndex(is);
      const [found] = index < 0 ? [] : this.inbox.splice(index, 1);
      if (found) return found;
      const left = until - performance.now();
      if (left <= 0)
        throw new Error(`no ${what}; have ${JSON.stringify(this.inbox)} ${this.closed}`);
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

/** What the next version nests, beside the rest. */
function flat(frame: Frame): Frame {
  const { payload, ...rest } = frame;
  return { ...rest, ...(payload as Frame | undefined) };
}
