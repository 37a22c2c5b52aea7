import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { IceRecovery } from "../../client/ice-recovery.ts";
import { MessageKeys } from "../../client/message-keys.ts";
import { Negotiation } from "../../client/negotiation.ts";
import type { NegotiationHost } from "../../client/negotiation-host.ts";
import type { Outgoing } from "../../client/requests.ts";
import { Signalling } from "../../client/signalling.ts";
import type { Closed } from "../../client/signalling-listener.ts";

/** When the SDK opens sockets and when it restarts ICE, by a clock of the test's own. */

type Listener = (event: { data?: string; code?: number; reason?: string }) => void;

/** A socket whose other end is the test. */
class TestSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static all: TestSocket[] = [];
  /** Pings stay unanswered. */
  static mute = false;
  /** Sockets that were neither closed by the SDK nor by the test. */
  static get live(): TestSocket[] {
    return TestSocket.all.filter(({ readyState }) => readyState < TestSocket.CLOSING);
  }
  readyState = TestSocket.CONNECTING;
  readonly url: URL;
  readonly protocols: readonly string[];
  readonly sent: { type: string; id?: number; [member: string]: unknown }[] = [];
  readonly #listeners: Record<string, Listener[]> = {};

  constructor(url: URL, protocols: readonly string[]) {
    this.url = url;
    this.protocols = protocols;
    TestSocket.all.push(this);
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners[type] = [...(this.#listeners[type] ?? []), listener];
  }

  send(text: string): void {
    const message = JSON.parse(text) as { type: string };
    if (message.type !== "ping") this.sent.push(message);
    else if (!TestSocket.mute) queueMicrotask(() => this.say({ type: "pong" }));
  }

  close(): void {
    this.readyState = TestSocket.CLOSING;
  }

  /** The server says something. */
  say(frame: object): void {
    this.readyState = TestSocket.OPEN;
    for (const listener of this.#listeners.message ?? []) listener({ data: JSON.stringify(frame) });
  }

  welcome(): void {
    const peer = { id: "me", joinedAt: Date.now() };
    this.say({ type: "welcome", resumed: true, links: [], peer, tokenExpiresAt: 9e15 });
  }

  /** The connection ends. */
  end(code = 1006): void {
    this.readyState = 3;
    for (const listener of this.#listeners.close ?? []) listener({ code, reason: "" });
  }
}

const last = (): TestSocket => TestSocket.all.at(-1)!;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const closings: Closed[] = [];
const states: string[] = [];

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
  vi.stubGlobal("WebSocket", TestSocket);
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
  TestSocket.all = [];
  TestSocket.mute = false;
  closings.length = 0;
  states.length = 0;
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function joined(token: string | (() => Promise<string>) = "t"): Promise<Signalling> {
  const opening = Signalling.open({ url: "http://localhost/v1/sessions/s/signalling", token });
  await pass(0);
  last().welcome();
  const { signalling } = await opening;
  signalling.listen({
    welcome: () => undefined,
    notice: () => undefined,
    state: (state) => states.push(state),
    closed: (closed) => closings.push(closed),
  });
  return signalling;
}

it.each([undefined, "brief", "full"] as const)(
  "[M4] with flowRecords %s each socket asks for so much of flows, and the session's address for nothing",
  async (flowRecords) => {
    const asked: URL[] = [];
    const url = "http://localhost/v1/sessions/s/signalling?region=eu";
    const opening = Signalling.open({ url, token: "t", ...(flowRecords && { flowRecords }) });
    await pass(0);
    last().welcome();
    const { signalling } = await opening;
    signalling.reconnectNow();
    await pass(0);
    const addresses = TestSocket.all.map((socket) => socket.url.href);
    const address = `ws://localhost/v1/sessions/s/signalling?region=eu&flows=${flowRecords ?? "brief"}&defaults=omit`;
    expect(addresses).toEqual([address, address]);
    vi.stubGlobal("fetch", async (one: URL, { headers }: RequestInit) => {
      asked.push(one);
      return Response.json({ headers });
    });
    expect(await signalling.read("/flows")).toEqual({ headers: { authorization: "Bearer t" } });
    vi.stubGlobal("fetch", async () =>
      Response.json({ code: "unauthorized", title: "No", detail: "" }, { status: 401 }),
    );
    await expect(signalling.read("/flows")).rejects.toMatchObject({ code: "unauthorized" });
    expect(asked.map(({ href }) => href)).toEqual(["http://localhost/v1/sessions/s/flows"]);
  },
);

it("[S3] at no time are there two sockets, whatever calls for one while the token is slow", async () => {
  const tokens: ((token: string) => void)[] = [];
  const source = () => new Promise<string>((resolve) => tokens.push(resolve));
  const opening = joined(source);
  tokens.shift()?.("first");
  const signalling = await opening;
  last().say({ type: "closing", code: 4003, reason: "expired" });
  signalling.reconnectNow();
  signalling.reconnectNow();
  await pass(20_000);
  for (const [i, resolve] of tokens.entries()) resolve(`t${i}`);
  await pass(20);
  expect(TestSocket.all).toHaveLength(2);
  expect(TestSocket.live).toHaveLength(1);
  last().welcome();
  await pass(60_000);
  expect(states.at(-1)).toBe("connected");
});

it.each([1001, 1006, 1008, 1009, 1011, 1012, 1013, 4004])(
  "[R3] a socket that is closed with %i again and again comes back later each time, never at once",
  async (code) => {
    await joined();
    const waits: number[] = [];
    for (let round = 0; round < 6; round++) {
      const count = TestSocket.all.length;
      const from = Date.now();
      last().end(code);
      while (TestSocket.all.length === count && Date.now() - from < 60_000) await pass(50);
      waits.push(Date.now() - from);
      last().welcome();
    }
    for (const [i, wait] of waits.entries()) {
      const ceiling = Math.min(15_000, 800 * 2 ** i);
      expect(wait).toBeGreaterThanOrEqual(ceiling / 2);
      expect(wait).toBeLessThanOrEqual(ceiling + 50);
    }
    // One that was sound for a while begins anew.
    await pass(10_000);
    const count = TestSocket.all.length;
    last().end(code);
    await pass(800);
    expect(TestSocket.all).toHaveLength(count + 1);
  },
);

/** As much of a token as says whose it is. */
const tokenOf = (sub: string, expiresAt: number): string =>
  `h.${btoa(JSON.stringify({ sub, exp: Math.floor(expiresAt / 1000) })).replaceAll("=", "")}.s`;

const MINUTE_MS = 60_000;

/** By the clock of the server, which is a day ahead of the page's. */
const serverNow = () => Date.now() + 24 * 60 * MINUTE_MS;

/**
 * A page whose tokens last an hour. `later` is what its back end has after the first one: whose token is new then,
 * `"same"` for the one before, or how it fails.
 */
async function joinedForAnHour(...later: (string | Error)[]) {
  const asked: { minute: number; peer: string | undefined }[] = [];
  const begun = Date.now();
  let newest = "";
  let expiresAt = 0;
  const opening = Signalling.open({
    url: "http://localhost/v1/sessions/s/signalling",
    token: async (peer) => {
      asked.push({ minute: (Date.now() - begun) / MINUTE_MS, peer });
      const whose = asked.length === 1 ? "me" : (later.shift() ?? "same");
      if (whose instanceof Error) throw whose;
      if (whose === "same") return newest;
      expiresAt = serverNow() + 60 * MINUTE_MS;
      newest = tokenOf(whose, expiresAt);
      return newest;
    },
  });
  await pass(0);
  const welcome = (resumed: boolean) => {
    const peer = { id: "me", joinedAt: serverNow() };
    last().say({ type: "welcome", resumed, links: [], peer, tokenExpiresAt: expiresAt });
  };
  welcome(false);
  const { signalling } = await opening;
  signalling.listen({
    welcome: () => undefined,
    notice: () => undefined,
    state: (state) => states.push(state),
    closed: (closed) => closings.push(closed),
  });
  const bearers = () => TestSocket.all.map(({ protocols }) => protocols[1]);
  return { signalling, welcome, asked, bearers, newest: () => `bearer.${newest}` };
}

it("[A1] a newer token of the same peer is fetched at half of the time and used at once, on one socket", async () => {
  const { signalling, welcome, asked, bearers, newest } = await joinedForAnHour("me", "me");
  const first = newest();
  await pass(30 * MINUTE_MS);
  expect(bearers()).toEqual([first, newest()]);
  expect(newest()).not.toBe(first);
  expect(TestSocket.live).toHaveLength(1);
  welcome(true);
  expect(states).toEqual(["reconnecting", "connected"]);
  await pass(30 * MINUTE_MS);
  expect(TestSocket.all).toHaveLength(3);
  welcome(true);
  expect(asked).toEqual([
    { minute: 0, peer: undefined },
    { minute: 30, peer: "me" },
    { minute: 60, peer: "me" },
  ]);
  signalling.close("left");
  await pass(600 * MINUTE_MS);
  expect(asked).toHaveLength(3);
  expect(closings).toMatchObject([{ code: 1000 }]);
});

it("[A1] a back end without a newer token is asked again before it is too late, and the socket stays meanwhile", async () => {
  const { welcome, asked, newest } = await joinedForAnHour(new Error("502"), "same", "me");
  await pass(52 * MINUTE_MS);
  expect(TestSocket.all).toHaveLength(1);
  await pass(MINUTE_MS);
  expect(asked.map(({ minute }) => minute)).toEqual([0, 30, 45, 52.5]);
  expect(last().protocols[1]).toBe(newest());
  welcome(true);
  expect(states.at(-1)).toBe("connected");
});

it("[A1] the token of another peer takes nobody's place: it is asked for again when this one's has expired", async () => {
  const { asked, newest } = await joinedForAnHour("other", "another");
  await pass(59 * MINUTE_MS);
  expect(asked.map(({ minute }) => minute)).toEqual([0, 30]);
  expect(TestSocket.all).toHaveLength(1);
  await pass(MINUTE_MS);
  last().say({ type: "closing", code: 4003, reason: "token expired" });
  await pass(0);
  expect(asked.at(-1)).toEqual({ minute: 60, peer: undefined });
  expect(last().protocols[1]).toBe(newest());
});

it.each([4000, 4001, 4002, 4008])(
  "[S3] a socket that is closed with %i does not come back",
  async (code) => {
    await joined();
    await pass(5_000);
    last().end(code);
    await pass(120_000);
    expect(TestSocket.all).toHaveLength(1);
    expect(closings).toMatchObject([{ code }]);
  },
);

it("[S3] replaced by an attempt of its own that came through late, it comes back; by another page it does not", async () => {
  const signalling = await joined();
  last().end();
  await pass(800);
  // On its way for long; the network changes, and the next one is faster.
  signalling.reconnectNow();
  await pass(0);
  last().welcome();
  last().end(4001);
  await pass(1_000);
  expect(closings).toEqual([]);
  last().welcome();
  expect(states.at(-1)).toBe("connected");
  last().end(4001);
  await pass(60_000);
  expect(closings).toMatchObject([{ code: 4001 }]);
});

it("[S3] replaced right after it joined, by what the page before it had on its way, it comes back once", async () => {
  await joined();
  await pass(4_000);
  last().end(4001);
  await pass(1_000);
  expect(closings).toEqual([]);
  last().welcome();
  expect(states.at(-1)).toBe("connected");
  // Another page: two of them must not take the place from each other for ever.
  last().end(4001);
  await pass(60_000);
  expect(closings).toMatchObject([{ code: 4001 }]);
});

it("[R3] a socket that opens and is never welcomed is given up, also when HTTP is swallowed with it", async () => {
  let signal: AbortSignal | undefined;
  vi.stubGlobal("fetch", (_url: URL, given: RequestInit) => {
    signal = given.signal ?? undefined;
    // AbortSignal.timeout runs by the real clock, which the test does not wait for.
    return new Promise((_resolve, reject) => {
      setTimeout(() => reject(new DOMException("late", "TimeoutError")), 10_000);
    });
  });
  await joined();
  last().end();
  await pass(800);
  expect(TestSocket.all).toHaveLength(2);
  await pass(15_000 + 10_000 + 1_600);
  expect(signal).toBeInstanceOf(AbortSignal);
  expect(TestSocket.all).toHaveLength(3);
  expect(TestSocket.live).toHaveLength(1);
});

it("[S3] one who was in does not take a full session for a verdict: one of its places is its own", async () => {
  const session = { peers: [{ id: "me" }, { id: "you" }], maxPeers: 2 };
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json(session)));
  // A token that tells nothing is one of a peer.
  await joined("no token.");
  last().end();
  await pass(800);
  last().end();
  await pass(1_600);
  expect(closings).toEqual([]);
  last().welcome();
  expect(states.at(-1)).toBe("connected");
});

const claiming = (claims: object): string =>
  `h.${btoa(JSON.stringify(claims)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}.s`;

it.each([
  ["a peer", { role: "peer" }, ["peer", "peer"], "session-full"],
  ["a peer", { role: "peer" }, ["peer", "observer", "observer"], undefined],
  ["an observer", { role: "observer", name: "~~~???" }, ["peer", "peer", "observer"], undefined],
  [
    "an observer",
    { role: "observer" },
    Array.from({ length: 16 }, () => "observer"),
    "too-many-observers",
  ],
] as const)(
  "[S7] why %s (%o) is refused is told by those who are there (%o): %s",
  async (_who, claims, roles, code) => {
    const peers = [
      ...roles.map((role) => ({ role, state: "connected" })),
      { role: "media-server", managed: true, state: "connected" },
      { role: "observer", state: "away" },
    ];
    vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ peers, maxPeers: 2 })));
    const opening = Signalling.open({
      url: "http://localhost/v1/sessions/s/signalling",
      token: claiming(claims),
    });
    const refusal = opening.then(
      () => "in",
      (error: { code: string }) => error.code,
    );
    await pass(0);
    last().end();
    await pass(2_000);
    if (code === undefined) last().welcome();
    expect(await refusal).toBe(code ?? "in");
  },
);

it("[R3] a socket that is dead and silent is noticed by a request, and by the next ping", async () => {
  TestSocket.mute = true;
  const signalling = await joined();
  void signalling.request({ type: "message", to: "p", body: 1, key: "k1" });
  await pass(10_000);
  expect(TestSocket.all).toHaveLength(2);
  last().welcome();
  expect(last().sent).toMatchObject([{ type: "message", key: "k1" }]);
  last().say({ type: "ack", re: last().sent[0]?.id });
  await pass(24_000);
  expect(TestSocket.all).toHaveLength(2);
  await pass(6_000);
  expect(TestSocket.all).toHaveLength(3);
});

it("[R5] a socket that answers is kept, however quiet the session is", async () => {
  await joined();
  await pass(3_600_000);
  expect(TestSocket.all).toHaveLength(1);
});

it("[R3] what was on its way goes out first on the next socket, in its order", async () => {
  const signalling = await joined();
  for (const n of [1, 2]) void signalling.request({ type: "message", to: "p", body: n });
  last().end();
  void signalling.request({ type: "message", to: "p", body: 3 });
  signalling.listen({
    welcome: () => void signalling.request({ type: "message", to: "p", body: 4 }),
    notice: () => undefined,
    state: () => undefined,
    closed: () => undefined,
  });
  await pass(800);
  last().welcome();
  const bodies = last().sent.map(({ body }) => body);
  expect(bodies.slice(0, 3)).toEqual([1, 2, 3]);
  expect(bodies).toContain(4);
});

it("[R3] a probe of the server is answered at once, without a timer", async () => {
  await joined();
  last().say({ type: "probe", n: 7 });
  expect(last().sent).toEqual([{ type: "alive", n: 7 }]);
});

it("[R3] a message that comes twice is new once, whoever else uses its key; what is remembered is bounded", () => {
  const keys = new MessageKeys();
  const from = (peer: string, key?: string) =>
    keys.isNew({ type: "message", from: peer, body: 0, ...(key && { key }) });
  expect([from("a", "1"), from("a", "1"), from("b", "1"), from("b", "1")]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect([from("a"), from("a")]).toEqual([true, true]);
  for (let n = 0; n < 4_000; n++) from("c", String(n));
  expect(from("a", "1")).toBe(false);
  for (let n = 4_000; n < 8_000; n++) from("c", String(n));
  expect(from("a", "1")).toBe(true);
  const others = new MessageKeys();
  expect(new Set([keys.next(), keys.next(), others.next(), others.next()]).size).toBe(4);
});

/** As much of a connection as decides on restarts. */
class TestConnection {
  connectionState = "connected";
  signalingState = "stable";
  generation = 1;
  received = 0;
  restarts = 0;
  get localDescription(): { sdp: string } {
    return { sdp: `a=ice-ufrag:g${this.generation}\r\n` };
  }
  async getStats(): Promise<Map<string, object>> {
    return new Map([["P", { type: "candidate-pair", bytesReceived: this.received }]]);
  }
}

function recoveryOf(named: boolean): [TestConnection, IceRecovery] {
  const connection = new TestConnection();
  const recovery = new IceRecovery(
    named,
    () => connection as unknown as RTCPeerConnection,
    () => {
      connection.restarts += 1;
    },
  );
  return [connection, recovery];
}

it("[R2] after a reconnect, ICE restarts only where nothing comes in and nobody has restarted it", async () => {
  for (const [what, change, restarts] of [
    ["media flows", (c: TestConnection) => (c.received += 1), 0],
    ["nothing comes in", () => undefined, 1],
    ["restarted by the other side", (c: TestConnection) => (c.generation += 1), 0],
    ["an offer is open", (c: TestConnection) => (c.signalingState = "have-local-offer"), 0],
  ] as const) {
    const [connection, recovery] = recoveryOf(true);
    recovery.resumed(false);
    recovery.resumed(false);
    await pass(1_000);
    change(connection);
    await pass(10_000);
    expect([what, connection.restarts]).toEqual([what, restarts]);
    recovery.stop();
  }
});

it("[R2] a path that is known to be gone is replaced at once, unless an offer of the other side may do it", async () => {
  for (const state of ["disconnected", "failed"]) {
    const [connection, recovery] = recoveryOf(false);
    connection.connectionState = state;
    recovery.resumed(false);
    await pass(0);
    expect(connection.restarts).toBe(1);
    const [answering, waiting] = recoveryOf(false);
    answering.connectionState = state;
    waiting.resumed(true);
    await pass(1_000);
    expect(answering.restarts).toBe(0);
    answering.generation += 1;
    await pass(10_000);
    expect(answering.restarts).toBe(0);
    const [unhelped, alone] = recoveryOf(false);
    unhelped.connectionState = state;
    alone.resumed(true);
    await pass(10_000);
    expect(unhelped.restarts).toBe(1);
  }
});

it("[R2] a failed connection is restarted by the side that is named, by the other only after 10 s, one offer at a time", async () => {
  const [connection, named] = recoveryOf(true);
  const [other, second] = recoveryOf(false);
  for (const [each, recovery] of [
    [connection, named],
    [other, second],
  ] as const) {
    each.connectionState = "failed";
    recovery.changed();
  }
  await pass(0);
  expect([connection.restarts, other.restarts]).toEqual([1, 0]);
  // The offer waits for its answer: however long, no second one is made.
  connection.signalingState = "have-local-offer";
  await pass(9_000);
  expect([connection.restarts, other.restarts]).toEqual([1, 0]);
  await pass(51_000);
  expect(connection.restarts).toBe(1);
  expect(other.restarts).toBeGreaterThan(0);
  // Answered, and checks run: their end decides.
  connection.signalingState = "stable";
  connection.connectionState = "connecting";
  named.changed();
  await pass(60_000);
  expect(connection.restarts).toBe(1);
  connection.connectionState = "connected";
  named.changed();
  await pass(60_000);
  expect(connection.restarts).toBe(1);
  named.stop();
  second.stop();
});

const QUOTING = "Failed to parse SessionDescription. a=ice-pwd:VNxFyGzXsVzAEVhEcvSvqDjl";

it.each([
  [new DOMException(QUOTING, "OperationError"), "negotiation-failed: OperationError"],
  [QUOTING, "negotiation-failed"],
])(
  "[A4] what a browser says of a description is for the page; the other side is told its name: %s",
  async (thrown, reason) => {
    const connection = {
      signalingState: "stable",
      remoteDescription: null,
      currentRemoteDescription: null,
      setRemoteDescription: () => Promise.reject(thrown),
    };
    const told: string[] = [];
    const asked: Outgoing[] = [];
    const host: Partial<NegotiationHost> = {
      connection: connection as unknown as RTCPeerConnection,
      problem: ({ detail }) => told.push(detail),
    };
    const port = {
      connected: true,
      send: () => undefined,
      request: (message: Outgoing) => {
        asked.push(message);
        return Promise.resolve({ type: "ack", re: 1 } as const);
      },
    };
    const negotiation = new Negotiation(host as NegotiationHost, port, "me", "you");
    negotiation.offer({ type: "offer", from: "you", exchange: 1, sdp: "v=0" });
    await pass(10);
    negotiation.stop();
    expect(told[0]).toContain(QUOTING);
    expect(asked).toEqual([{ type: "reject", to: "you", exchange: 1, reason }]);
  },
);
