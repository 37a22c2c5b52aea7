import { type Frame, type LiveEndpoint, LiveRealm } from "./live-realm.ts";
import { type LivePeer, LiveSession, type Mode } from "./live-session.ts";

/** One of the two in a call, whatever it speaks: `ok`, or the code of the problem. */
export interface Side {
  offer(sdp: string): Promise<string>;
  answer(sdp: string): Promise<string>;
  reject(): Promise<string>;
  say(body: unknown): Promise<string>;
  /** The newest message of `say`, once more. */
  repeat(): Promise<string>;
  /** Sends a text; what it is answered. */
  raw(text: string): Promise<string>;
  leave(): Promise<void>;
  lose(): Promise<void>;
  comeBack(): Promise<void>;
  /** Sends more than it may; the code that it is closed with. */
  flood(): Promise<number>;
  /** What came: the SDP of an offer or answer, the body of a message. */
  offered(): Promise<string>;
  answered(): Promise<string>;
  rejected(): Promise<void>;
  told(): Promise<unknown>;
  left(): Promise<void>;
  /** Nothing of the other side has come that was not taken. */
  quiet(): Promise<boolean>;
  isClosed(): boolean;
}

export interface CallOfTwo {
  readonly alice: Side;
  readonly bob: Side;
  flows(): Promise<{ from: string; kind: string; state: string }[]>;
}

const FLOOD = 600;

async function closedWith(look: () => number | undefined): Promise<number> {
  const until = performance.now() + 30_000;
  for (;;) {
    const code = look();
    if (code !== undefined) return code;
    if (performance.now() > until) throw new Error("it was not closed");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

class DuplexSide implements Side {
  #peer: LivePeer;
  readonly #other: () => string;
  #id = 0;
  #exchange = 0;
  #newest: { id: number } = { id: 0 };

  constructor(peer: LivePeer, other: () => string) {
    this.#peer = peer;
    this.#other = other;
  }

  get id(): string {
    return this.#peer.id;
  }

  async #ask(message: object): Promise<string> {
    this.#id += 1;
    this.#newest = { ...message, id: this.#id };
    return this.repeat();
  }

  async repeat(): Promise<string> {
    const reply = await this.#peer.request(this.#newest);
    return reply.type === "ack" ? "ok" : reply.code;
  }

  offer(sdp: string): Promise<string> {
    return this.#ask({ type: "offer", to: this.#other(), sdp });
  }

  answer(sdp: string): Promise<string> {
    return this.#ask({ type: "answer", to: this.#other(), exchange: this.#exchange, sdp });
  }

  reject(): Promise<string> {
    return this.#ask({ type: "reject", to: this.#other(), exchange: this.#exchange });
  }

  say(body: unknown): Promise<string> {
    return this.#ask({ type: "message", to: this.#other(), body });
  }

  async raw(text: string): Promise<string> {
    await this.#peer.send(text);
    return (await this.#peer.next("problem")).code.replace("-message", "");
  }

  async leave(): Promise<void> {
    await this.#peer.send({ type: "leave" });
  }

  async lose(): Promise<void> {
    this.#peer.socket.close(1000);
    await this.#peer.closing();
  }

  async comeBack(): Promise<void> {
    this.#peer = await this.#peer.session.connect(this.#peer.invitation);
  }

  async flood(): Promise<number> {
    for (let n = 0; n < FLOOD; n++) this.#peer.socket.send('{"type":"state","id":9}');
    return closedWith(() => this.#peer.closed?.code);
  }

  async offered(): Promise<string> {
    const { exchange, sdp } = await this.#peer.next("offer");
    this.#exchange = exchange;
    return sdp;
  }

  async answered(): Promise<string> {
    const { exchange, sdp } = await this.#peer.next("answer");
    this.#exchange = exchange;
    return sdp;
  }

  async rejected(): Promise<void> {
    await this.#peer.next("reject");
  }

  async told(): Promise<unknown> {
    return (await this.#peer.next("message")).body;
  }

  async left(): Promise<void> {
    await this.#peer.next("peer-left");
  }

  async quiet(): Promise<boolean> {
    await this.#peer.settled();
    const told = ["flows", "peer-joined", "findings", "closing"];
    return this.#peer.inbox.every(({ type }) => told.includes(type));
  }

  isClosed(): boolean {
    return this.#peer.closed !== null;
  }
}

export class DuplexCall implements CallOfTwo {
  readonly alice: Side;
  readonly bob: Side;
  readonly #session: LiveSession;

  private constructor(session: LiveSession, alice: LivePeer, bob: LivePeer) {
    this.#session = session;
    this.alice = new DuplexSide(alice, () => bob.id);
    this.bob = new DuplexSide(bob, () => alice.id);
  }

  static async start(mode: Mode): Promise<CallOfTwo> {
    const session = await LiveSession.start(mode);
    const alice = await session.join();
    return new DuplexCall(session, alice, await session.join());
  }

  async flows() {
    return (await this.#session.read<{ flows: Awaited<ReturnType<CallOfTwo["flows"]>> }>("/flows"))
      .flows;
  }
}

const URN = "urn:example:contract";

/** What SWAP calls a problem, by the code that Duplex has for it. */
function codeOf({ error }: Frame): string {
  if (error === undefined) return "ok";
  const { type, status } = error as { type: string; status: number };
  const [name = ""] = type.split(/[/:]/).slice(-1);
  if (name === "message_malformatted.html") return status === 422 ? "sdp-invalid" : "malformed";
  return name;
}

class SwapSide implements Side {
  #endpoint: LiveEndpoint;
  readonly #other: string;
  #isInCall = false;
  #request = 0;
  #newest: Frame = {};

  constructor(endpoint: LiveEndpoint, other: string) {
    this.#endpoint = endpoint;
    this.#other = other;
  }

  async #ask(type: string, body: Frame): Promise<string> {
    this.#newest = this.#endpoint.frame(type, { target: this.#other, ...body });
    return this.repeat();
  }

  async repeat(): Promise<string> {
    await this.#endpoint.send(this.#newest);
    return codeOf(await this.#endpoint.answer(this.#newest.message_id as number));
  }

  async offer(sdp: string): Promise<string> {
    const code = this.#isInCall
      ? await this.#ask("update", { sdp })
      : await this.#ask("connect", { offer: sdp });
    if (code === "ok") this.#isInCall = true;
    return code;
  }

  answer(answer: string): Promise<string> {
    return this.#ask("accept", { answer });
  }

  reject(): Promise<string> {
    return this.#ask("reject", { request: this.#request });
  }

  say(value: unknown): Promise<string> {
    return this.#ask("application", { type: URN, value });
  }

  async raw(text: string): Promise<string> {
    await this.#endpoint.send(text);
    return codeOf(await this.#endpoint.next("response"));
  }

  async leave(): Promise<void> {
    await this.#ask("close", {});
  }

  async lose(): Promise<void> {
    const { realm } = this.#endpoint;
    const { endpoints } = await realm.view();
    this.#endpoint.close();
    await realm.has(endpoints.length - 1);
  }

  /** Its next message tells who it is. */
  async comeBack(): Promise<void> {
    const { realm, source, dialect } = this.#endpoint;
    this.#endpoint = await realm.connect(source, dialect);
    await this.#endpoint.say("register", {});
  }

  async flood(): Promise<number> {
    const text = JSON.stringify(this.#endpoint.frame("register", {}));
    for (let n = 0; n < FLOOD; n++) this.#endpoint.socket.send(text);
    return closedWith(() => this.#endpoint.closed ?? undefined);
  }

  async offered(): Promise<string> {
    const type = this.#isInCall ? "update" : "connect";
    const frame = await this.#endpoint.next(type);
    this.#isInCall = true;
    this.#request = frame.message_id as number;
    return String(frame.sdp ?? frame.offer);
  }

  async answered(): Promise<string> {
    return String((await this.#endpoint.next("accept")).answer);
  }

  async rejected(): Promise<void> {
    await this.#endpoint.next("reject");
  }

  async told(): Promise<unknown> {
    return (await this.#endpoint.next("application")).value;
  }

  async left(): Promise<void> {
    await this.#endpoint.next("close");
  }

  async quiet(): Promise<boolean> {
    await this.#endpoint.say("register", {});
    return this.#endpoint.inbox.length === 0;
  }

  isClosed(): boolean {
    return this.#endpoint.closed !== null;
  }
}

export class SwapCall implements CallOfTwo {
  readonly alice: Side;
  readonly bob: Side;
  readonly #realm: LiveRealm;
  #session: LiveSession | undefined;

  private constructor(realm: LiveRealm, alice: LiveEndpoint, bob: LiveEndpoint) {
    this.#realm = realm;
    this.alice = new SwapSide(alice, bob.source);
    this.bob = new SwapSide(bob, alice.source);
  }

  static async start(mode: Mode): Promise<CallOfTwo> {
    const realm = new LiveRealm(mode);
    const [alice, bob] = [await realm.connect(), await realm.connect()];
    for (const each of [alice, bob]) await each.say("register", {});
    return new SwapCall(realm, alice, bob);
  }

  async flows() {
    const { sessions } = await this.#realm.view();
    this.#session ??= new LiveSession(sessions[0]?.id ?? "", "awake");
    return (await this.#session.read<{ flows: Awaited<ReturnType<CallOfTwo["flows"]>> }>("/flows"))
      .flows;
  }
}
