import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../durable-objects/env.ts";
import { checkDescription } from "../protocol/sdp/check.ts";
import { readDescription } from "../protocol/sdp/description.ts";
import { isFinding } from "../protocol/sdp/finding.ts";
import { app } from "../src/app.ts";
import { Bystanders } from "./bystanders.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { forgedTokens, tokenOf } from "./forged-tokens.ts";
import { call, callJson, KEY, type LivePeer, LiveSession } from "./live-session.ts";
import { SHAPES } from "./sdp-fuzz-shapes.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

/** Each attack ends in its named refusal, and a call beside it loses nothing (S8). */

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Calls beside an attack: of two others in the attacked session, and in a session of their own. */
async function bystandersOf(
  session: LiveSession,
  gapMs?: number,
): Promise<{ over: () => Promise<void> }> {
  const elsewhere = await LiveSession.start("awake");
  const calls = [
    await Bystanders.call(await session.join(), await session.join(), gapMs),
    await Bystanders.call(await elsewhere.join(), await elsewhere.join(), gapMs),
  ];
  return {
    over: async () => {
      for (const each of calls) {
        const { messages, exchanges } = await each.over();
        expect(messages).toBeGreaterThan(0);
        expect(exchanges).toBeGreaterThan(0);
      }
    },
  };
}

/** What a peer is answered to a frame, by code; "ack" when it is done. */
async function answerTo(peer: LivePeer, frame: object | string, id: number): Promise<string> {
  const text = typeof frame === "string" ? frame : JSON.stringify({ ...frame, id });
  await peer.send(text);
  for (;;) {
    await peer.heard(0);
    const reply = peer.inbox.shift();
    if (reply?.type === "problem") return reply.code;
    if (reply?.type === "ack") return "ack";
    if (!reply) throw new Error(`closed with ${peer.closed?.code}`);
  }
}

describe("tokens", () => {
  it("[A1] every forged token is refused as if there were none, byte for byte, on every door", async () => {
    const session = await LiveSession.start("awake");
    const other = await LiveSession.start("awake");
    const calls = await bystandersOf(session);
    const socket = (headers: Record<string, string>) =>
      call(`${session.path}/signalling`, { headers: { upgrade: "websocket", ...headers } });
    const byHeader = (token: string | undefined) => (token === undefined ? {} : bearer(token));
    const doors: Record<string, (token?: string) => Promise<Response>> = {
      subprotocol: (token) =>
        socket({
          "sec-websocket-protocol": ["duplex.v1", ...(token ? [`bearer.${token}`] : [])].join(", "),
        }),
      socket: (token) => socket({ ...byHeader(token), "sec-websocket-protocol": "duplex.v1" }),
      session: (token) => call(session.path, { headers: byHeader(token) }),
      flows: (token) => call(`${session.path}/flows`, { headers: byHeader(token) }),
      change: (token) => callJson(`${session.path}/flows/x`, "PATCH", {}, byHeader(token)),
      turn: (token) => callJson("/v1/turn/credentials", "POST", {}, byHeader(token)),
    };
    const tokens = await forgedTokens(session.id, other.id);
    const shapeOf = async (response: Response) =>
      JSON.stringify([response.status, [...response.headers], await response.text()]);
    // These are good tokens, or keys, somewhere else than at the doors of this session.
    const goodForTurn = new Set(["an API key", "another session", "session named twice"]);
    for (const [door, knock] of Object.entries(doors)) {
      const wanted = await shapeOf(await knock());
      expect([door, JSON.parse(wanted)[0]]).toEqual([door, 401]);
      for (const [name, token] of Object.entries(tokens)) {
        if (name === "an API key" && !door.includes("soc") && door !== "subprotocol") continue;
        if (door === "turn" && goodForTurn.has(name)) continue;
        expect([door, name, await shapeOf(await knock(token))]).toEqual([door, name, wanted]);
      }
    }
    // The forger can forge: with the right secret and claims the door opens.
    const good = await doors.subprotocol!(await tokenOf(session.id));
    expect(good.status).toBe(101);
    good.webSocket?.accept();
    good.webSocket?.close();
    await calls.over();
  }, 60_000);

  it("[A1] with its secret taken out a token is dead on every door, and with its key a key", async () => {
    const configured = (variables: Record<string, string>): Bindings =>
      ({ ...(env as object), ...variables }) as unknown as Bindings;
    const secrets = ["a", "b", "c"].map((letter) => letter.repeat(32));
    const session = await LiveSession.start("awake");
    const token = await tokenOf(session.id, {}, {}, secrets[1]).then((made) => made);
    const open = async (TOKEN_SECRETS: string, key = "test-key") => {
      const bindings = configured({ TOKEN_SECRETS, API_KEYS: "test-key,next-key" }) as never;
      const upgrade = { upgrade: "websocket", "sec-websocket-protocol": "duplex.v1" };
      const path = `${session.path}/signalling`;
      const socket = await app.request(
        path,
        { headers: { ...bearer(token), ...upgrade } },
        bindings,
      );
      socket.webSocket?.accept();
      socket.webSocket?.close();
      const read = await app.request(session.path, { headers: bearer(token) }, bindings);
      const byKey = await app.request(session.path, { headers: bearer(key) }, bindings);
      return [socket.status, read.status, byKey.status];
    };
    const [first, second, third] = secrets as [string, string, string];
    expect(await open(second)).toEqual([101, 200, 200]);
    expect(await open(`${first},${second}`, "next-key")).toEqual([101, 200, 200]);
    expect(await open(`${third},${first},${second}`)).toEqual([101, 200, 200]);
    expect(await open(`${third},${first}`, "removed-key")).toEqual([401, 401, 401]);
  });
});

describe("ids", () => {
  const NASTY = [
    "..",
    "%2e%2e",
    "%2e%2e%2fv1",
    "%2f",
    "a%2fb",
    "%0d%0ax-duplex-admission:%201",
    "%00",
    "%ff",
    "%",
    "%u0041",
    "__proto__",
    "constructor",
    "index",
    "*",
    "'%20OR%201=1--",
    "%F0%9F%98%80",
    "0".repeat(25),
    "0".repeat(27),
    "0".repeat(8_000),
    "O".repeat(26),
    "0".repeat(26),
    `eu-${"0".repeat(26)}`,
    `mars-${"0".repeat(26)}`,
  ];

  it("[S1] guessed and broken ids name no session, whoever asks", async () => {
    const session = await LiveSession.start("awake");
    const { token } = await session.invite();
    for (const id of [...NASTY, session.id.toUpperCase(), `${session.id}%20`]) {
      for (const rest of ["", "/peers", "/flows", "/flows/x", "/findings", "/signalling"]) {
        const path = `/v1/sessions/${id}${rest}`;
        const upgrade = { upgrade: "websocket", "sec-websocket-protocol": "duplex.v1" };
        const headers = { ...KEY, ...(rest === "/signalling" ? upgrade : {}) };
        const byKey = await call(path, { headers });
        // The socket knows no keys; of a path that the URL parser shortens there may be no such route.
        const { code } = (await byKey.json()) as { code: string };
        expect([path, code]).toEqual([
          path,
          expect.stringMatching(/^(session-)?not-found$|^unauth/),
        ]);
        const byToken = await call(path, { headers: { ...headers, ...bearer(token) } });
        expect([path, [401, 403, 404]]).toEqual([path, expect.arrayContaining([byToken.status])]);
        await byToken.body?.cancel();
      }
    }
  });

  it("[S1] nothing of an id comes back in a header", async () => {
    const session = await LiveSession.start("awake");
    const names = (response: Response) => [...response.headers.keys()].sort();
    const usual = names(await call(`${session.path}/flows/x`, { headers: KEY }));
    for (const id of NASTY) {
      const response = await call(`${session.path}/flows/${id}`, { headers: KEY });
      if (response.status === 404) expect([id, names(response)]).toEqual([id, usual]);
      const text = JSON.stringify([...response.headers]);
      expect(text).not.toMatch(/x-duplex|proto__/);
      await response.body?.cancel();
    }
  });

  it("[A2] peers of another session, and names that objects have, are no peers", async () => {
    const session = await LiveSession.start("awake");
    const stranger = await (await LiveSession.start("awake")).join();
    const mallory = await session.join();
    let id = 0;
    for (const to of [
      stranger.id,
      "__proto__",
      "constructor",
      "toString",
      "..",
      "\u0000",
      "x\r\ny",
    ]) {
      for (const message of [
        { type: "offer", to, sdp: sdpOf() },
        { type: "message", to, body: 1 },
        { type: "transport", to, state: "failed" },
        { type: "candidates", to, exchange: 1, candidates: [candidateOf(1)] },
      ]) {
        id += 1;
        expect([to, await answerTo(mallory, message, id)]).toEqual([to, "unknown-peer"]);
      }
    }
    await stranger.settled();
    expect(stranger.inbox).toEqual([]);
  });
});

describe("flows of others", () => {
  it("[A2] a third peer reads, steers and reports nothing of them, and they do not change", async () => {
    const session = await LiveSession.start("awake");
    const [alice, bob, mallory] = [
      await session.join(),
      await session.join(),
      await session.join(),
    ];
    await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
    await bob.request({
      type: "answer",
      id: 1,
      to: alice.id,
      exchange: 1,
      sdp: sdpOf({ setup: "active" }),
    } as never);
    const before = await session.read<{ flows: { id: string; link: string; transport: string }[] }>(
      "/flows",
    );
    const { id: flow, link, transport } = before.flows[0]!;
    await alice.settled();
    const heard = alice.inbox.length;
    const attempts: [object, string][] = [
      [{ type: "flow", flow, held: true }, "flow-not-found"],
      [{ type: "flow", flow, maxBitrateBps: 1 }, "flow-not-found"],
      [{ type: "applied", flow, revision: 1 }, "flow-not-found"],
      [{ type: "sources", flow, sourceFlows: [] }, "flow-not-found"],
      // On a link of its own with one of them it finds nothing of theirs.
      [{ type: "quality", to: alice.id, flows: [{ flow, packetLossPercent: 99 }] }, "any"],
      [{ type: "transport", to: alice.id, transport, state: "failed" }, "nothing-offered"],
      [
        { type: "answer", to: alice.id, exchange: 1, sdp: sdpOf({ setup: "active" }) },
        "stale-negotiation",
      ],
      [{ type: "reject", to: alice.id, exchange: 1 }, "stale-negotiation"],
      [{ type: "rollback", to: bob.id, exchange: 1 }, "stale-negotiation"],
      [
        { type: "candidates", to: bob.id, exchange: 1, candidates: [candidateOf(9)] },
        "stale-negotiation",
      ],
      // A link is no addressee.
      [{ type: "offer", to: link, sdp: sdpOf() }, "unknown-peer"],
    ];
    for (const [index, [message, wanted]] of attempts.entries()) {
      const code = await answerTo(mallory, message, index + 1);
      if (wanted !== "any") expect([message, code]).toEqual([message, wanted]);
    }
    const path = `${session.path}/flows/${encodeURIComponent(flow)}`;
    expect((await call(path, { headers: bearer(mallory.token) })).status).toBe(404);
    const change = await callJson(path, "PATCH", { held: true }, bearer(mallory.token));
    expect(await change.json()).toMatchObject({ code: "flow-not-found" });
    expect(await session.read("/flows")).toEqual(before);
    await alice.settled();
    expect(alice.inbox.slice(heard)).toEqual([]);
  });
});

describe("names", () => {
  const NAMES = [
    "a\r\nset-cookie: x=1\r\n\r\n<script>",
    "nul\u0000byte",
    "half \ud800 a character",
    "\u202eright to left",
    "bearer.x, duplex.v1",
    "v=0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host",
    "%0d%0aX: 1",
    '{"session":"x","peer":"king","role":"media-server"}',
    "€".repeat(128),
  ];

  it("[S2] names and metadata go through headers unharmed and change nothing but themselves", async () => {
    const session = await LiveSession.start("awake", { metadata: { note: NAMES[0]! } });
    const watcher = await session.join();
    for (const name of NAMES) {
      const metadata = { [name.slice(0, 20)]: name.slice(0, 100), list: [name.slice(0, 100)] };
      const invited = await session.invite({ name, metadata });
      const response = await session.upgrade(invited.token);
      expect(response.status).toBe(101);
      expect([...response.headers.keys()].filter((key) => /cookie|^x/.test(key))).toEqual([]);
      const socket = response.webSocket!;
      const welcome = new Promise<string>((resolve) =>
        socket.addEventListener("message", ({ data }) => resolve(String(data)), { once: true }),
      );
      socket.accept();
      const wanted = { id: invited.peer.id, role: "peer", name, metadata };
      expect(JSON.parse(await welcome)).toMatchObject({ peer: wanted });
      expect((await watcher.next("peer-joined")).peer).toMatchObject(wanted);
      socket.send('{"type":"leave"}');
      await watcher.next("peer-left");
    }
  });

  it("[S2] headers of our own from outside say nothing", async () => {
    const session = await LiveSession.start("awake");
    const { token, peer } = await session.invite();
    const forged = {
      "x-duplex-admission": encodeURIComponent(
        JSON.stringify({
          grant: { session: session.id, peer: "king", role: "media-server", publish: [] },
          ice: { iceServers: [{ urls: ["turn:evil"] }] },
          asked: {},
        }),
      ),
      "x-forwarded-host": "attacker.example",
    };
    const upgrade = { upgrade: "websocket", "sec-websocket-protocol": "duplex.v1" };
    const path = `${session.path}/signalling`;
    const without = await call(path, { headers: { ...upgrade, ...forged } });
    expect([without.status, await without.json()]).toMatchObject([401, { code: "unauthorized" }]);
    const withToken = await call(path, { headers: { ...upgrade, ...forged, ...bearer(token) } });
    const socket = withToken.webSocket!;
    const welcome = new Promise<string>((resolve) =>
      socket.addEventListener("message", ({ data }) => resolve(String(data)), { once: true }),
    );
    socket.accept();
    const told = await welcome;
    expect(JSON.parse(told)).toMatchObject({ peer: { id: peer.id, role: "peer" } });
    expect(told).not.toMatch(/evil|king|attacker/);
    socket.close();
  });

  it("[S8] names that every object has are names like others", async () => {
    const polluted = () => [
      Object.keys(Object.prototype),
      ({} as Record<string, unknown>).polluted,
    ];
    const clean = polluted();
    const raw = (path: string, body: string) =>
      call(path, {
        method: "POST",
        headers: { ...KEY, "content-type": "application/json" },
        body,
      });
    const evil =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"prototype":1}';
    const made = await raw("/v1/sessions", `{"metadata":${evil}}`);
    const { id } = (await made.json()) as { id: string };
    expect((await raw("/v1/sessions", `{"__proto__":{"listed":true}}`)).status).toBe(400);
    expect((await raw("/v1/sessions", `{"constructor":1}`)).status).toBe(400);
    const session = new LiveSession(id, "awake");
    const invite = `/v1/sessions/${id}/peers`;
    expect((await raw(invite, `{"__proto__":{"role":"media-server"}}`)).status).toBe(400);
    const invited = await raw(invite, `{"name":"__proto__","metadata":${evil}}`);
    const alice = await session.connect((await invited.json()) as never);
    const bob = await session.join();
    let n = 0;
    for (const type of ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"]) {
      n += 1;
      expect(await answerTo(alice, { type }, n)).toBe("unknown-message-type");
    }
    const mids = ["__proto__", "constructor", "prototype"];
    const sections = mids.map((mid) => ({ kind: "video" as const, mid }));
    const sdp = `${sdpOf({ sections })}a=rid:__proto__ send\r\na=simulcast:send __proto__\r\n`;
    const labels = '{"__proto__":{"sourceId":"polluted"},"constructor":{"content":"slides"}}';
    const offer = `{"type":"offer","id":90,"to":"${bob.id}","sdp":${JSON.stringify(sdp)},"media":${labels}}`;
    expect(await answerTo(alice, offer, 90)).toBe("ack");
    await bob.next("offer");
    expect(
      await answerTo(
        bob,
        { type: "answer", to: alice.id, exchange: 1, sdp: sdpOf({ sections, setup: "active" }) },
        91,
      ),
    ).toBe("ack");
    const candidates = mids.map((mid, index) => candidateOf(index + 1, "abcd", mid));
    expect(
      await answerTo(alice, { type: "candidates", to: bob.id, exchange: 1, candidates }, 92),
    ).toBe("ack");
    const { flows } = await session.read<{ flows: { mid: string; content?: string }[] }>("/flows");
    expect(new Set(flows.map(({ mid }) => mid))).toEqual(new Set(mids));
    for (const flow of ["__proto__", "constructor", `${flows.length}:__proto__`]) {
      n += 1;
      expect(await answerTo(alice, { type: "flow", flow, held: true }, 100 + n)).toBe(
        "flow-not-found",
      );
    }
    await alice.send(`{"type":"message","id":200,"to":"${bob.id}","body":${evil}}`);
    expect((await bob.next("message")).body).toEqual(JSON.parse(evil));
    expect(polluted()).toEqual(clean);
  });
});

describe("doors", () => {
  const ORIGIN = "https://app.example.com";
  const configured = (ALLOWED_ORIGINS: string) =>
    ({ ...(env as object), ALLOWED_ORIGINS }) as unknown as Bindings as never;

  it("[A1] of origins only those named come in: no look-alike, no part of one, not null", async () => {
    const session = await LiveSession.start("awake");
    const { token } = await session.invite();
    const bindings = configured(`${ORIGIN},http://LOCALHOST:3000`);
    const url = `https://duplex.example.com${session.path}`;
    const allow = "access-control-allow-origin";
    const asked = async (origin: string) => {
      const upgrade = { upgrade: "websocket", "sec-websocket-protocol": "duplex.v1" };
      const socket = await app.request(
        `${url}/signalling`,
        { headers: { ...upgrade, ...bearer(token), origin } },
        bindings,
      );
      socket.webSocket?.accept();
      socket.webSocket?.close();
      const read = await app.request(url, { headers: { ...bearer(token), origin } }, bindings);
      const refused = await app.request(url, { headers: { origin } }, bindings);
      expect(refused.headers.get(allow)).toBe(read.headers.get(allow));
      expect(read.headers.get("vary") ?? "").toMatch(/origin/i);
      await read.body?.cancel();
      return [socket.status, read.headers.get(allow)];
    };
    for (const origin of [ORIGIN, "http://localhost:3000"]) {
      expect(await asked(origin)).toEqual([101, origin]);
    }
    for (const origin of [
      "null",
      "",
      "https://app.example.com.attacker.example",
      "https://evil-app.example.com",
      "https://sub.app.example.com",
      "https://example.com",
      "http://app.example.com",
      "https://app.example.com:8443",
      "https://APP.example.com",
      "https://app.example.com/",
      `${ORIGIN}, https://attacker.example`,
      "https://app.example.com@attacker.example",
      "https://duplex.example.com.attacker.example",
      "file://",
    ]) {
      expect([origin, ...(await asked(origin))]).toEqual([origin, 403, null]);
    }
  });

  it("[S7] only a WebSocket upgrade with our subprotocol reaches the session", async () => {
    const session = await LiveSession.start("awake");
    const { token } = await session.invite();
    const path = `${session.path}/signalling`;
    const upgrade = { "sec-websocket-protocol": "duplex.v1", ...bearer(token) };
    for (const value of ["h2c", "websocket, h2c", "h2c, websocket", "TLS/1.2", "web socket", "x"]) {
      const response = await call(path, { headers: { ...upgrade, upgrade: value } });
      expect([value, response.status, await response.json()]).toMatchObject([
        value,
        426,
        { code: "upgrade-required" },
      ]);
    }
    for (const protocols of ["duplex.v2", "DUPLEX.V1", "duplex", "xduplex.v1", ","]) {
      const headers = { ...upgrade, upgrade: "websocket", "sec-websocket-protocol": protocols };
      const response = await call(path, { headers });
      expect([protocols, await response.json()]).toMatchObject([
        protocols,
        { code: "unsupported-subprotocol" },
      ]);
    }
    expect(await session.read("/peers")).toEqual({ peers: [] });
  });

  it("[A1] nothing that is answered may be kept, framed or taken for something else", async () => {
    const session = await LiveSession.start("awake");
    const { token } = await session.invite();
    const answers = [
      await call(session.path, { headers: KEY }),
      await callJson(`${session.path}/peers`, "POST", {}),
      await callJson("/v1/turn/credentials", "POST", {}, bearer(token)),
      await call(session.path),
      await call("/v1/nothing", { headers: KEY }),
      await call(`${session.path}/signalling`),
      await session.upgrade("forged"),
      await call("/docs"),
      await call("/openapi.json", { headers: { host: "attacker.example" } }),
    ];
    for (const answer of answers) {
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "cache-control": "no-store",
        "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
      });
      await answer.body?.cancel();
    }
  });
});

describe("bombs", () => {
  it("[S8] JSON nested without end ends in its refusal, in frames and in requests", async () => {
    const session = await LiveSession.start("awake");
    const calls = await bystandersOf(session);
    const mallory = await session.join();
    const deep = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
    const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    const frames: [string, string][] = [
      [deep(500_000), "malformed-message"],
      [nested(150_000), "malformed-message"],
      [`{"type":"message","to":"x","body":${deep(500_000)}}`, "message-too-large"],
      [`{"type":"message","to":"x","body":${nested(150_000)}}`, "message-too-large"],
      [`{"type":"offer","to":${deep(500_000)}}`, "invalid-message"],
      [`{"type":"offer","to":"x","sdp":"v=0","media":{"a":${deep(400_000)}}}`, "invalid-message"],
      [`{"type":${deep(500_000)}}`, "malformed-message"],
      [`{"type":"message","to":"${mallory.id}x","body":${deep(8_000)}}`, "unknown-peer"],
      ["[".repeat(1_000_000), "malformed-message"],
    ];
    for (const [index, [frame, wanted]] of frames.entries()) {
      expect([index, await answerTo(mallory, frame, 0)]).toEqual([index, wanted]);
    }
    for (const [path, body] of [
      ["/v1/sessions", `{"metadata":{"a":${deep(30_000)}}}`],
      ["/v1/sessions", `{"metadata":${nested(10_000)}}`],
      [`${session.path}/peers`, `{"metadata":${nested(10_000)}}`],
      ["/v1/turn/credentials", `{"ttlSeconds":${deep(30_000)}}`],
      ["/v1/sdp/check", `{"offer":${deep(500_000)}}`],
    ] as const) {
      const headers = { ...KEY, "content-type": "application/json" };
      const response = await call(path, { method: "POST", headers, body });
      expect([path, await response.json()]).toMatchObject([path, { code: "invalid-request" }]);
    }
    const large = await callJson("/v1/sessions", "POST", { metadata: "x".repeat(70_000) });
    expect(await large.json()).toMatchObject({ code: "message-too-large" });
    expect(mallory.closed).toBeNull();
    await calls.over();
  }, 60_000);

  it("[D4] descriptions made to be expensive, at their full size, are answered, and nobody waits for them", async () => {
    const session = await LiveSession.start("awake");
    const calls = await bystandersOf(session);
    const victim = await session.join();
    // It reads what it is sent, and says so.
    victim.socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as { type: string; n?: number };
      if (frame.type === "probe") victim.socket.send(`{"type":"alive","n":${frame.n}}`);
      victim.inbox.length = 0;
    });
    const invitation = await session.invite();
    let mallory = await session.connect(invitation);
    // One of each kind of shape; test/sdp-fuzz.test.ts has them all.
    const shapes = SHAPES.filter((_shape, index) => index % 5 === 0);
    for (const [index, { textOf }] of shapes.entries()) {
      if (mallory.closed) mallory = await session.connect(invitation);
      const offer = { type: "offer", to: victim.id, sdp: textOf(1) };
      const code = await answerTo(mallory, offer, index + 1);
      expect(["ack", "sdp-invalid", "sdp-too-large", "session-too-large"]).toContain(code);
    }
    const beyond: [string, string][] = [
      [`${sdpOf()}${"a=x\r\n".repeat(16_001)}`, "sdp-too-large"],
      [`${sdpOf()}${"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n".repeat(257)}`, "sdp-too-large"],
      [`${sdpOf()}a=x:${"y".repeat(524_288)}\r\n`, "sdp-too-large"],
      [`${sdpOf()}a=x:${"y".repeat(1_048_576)}\r\n`, "message-too-large"],
    ];
    for (const [index, [sdp, wanted]] of beyond.entries()) {
      const code = await answerTo(mallory, { type: "offer", to: victim.id, sdp }, 900 + index);
      expect([index, code]).toEqual([index, wanted]);
    }
    await calls.over();
  }, 120_000);

  /** Characters of a value. An expression that goes back over them would take 10^10 steps: no test has the time. */
  const LONG = 250_000;
  /** What makes expressions go back and try again. */
  const FILLS = ["0", "a", " ", "0 ", "1.", "a:", "/0", "a;a=", "0,", "\t ", "~", "%"];
  const ATTRIBUTES = [
    ...["candidate", "ice-ufrag", "ice-pwd", "ice-options", "fingerprint", "setup", "mid", "group"],
    ...[
      "rtpmap",
      "fmtp",
      "rtcp-fb",
      "rtcp",
      "extmap",
      "ssrc",
      "ssrc-group",
      "msid",
      "msid-semantic",
    ],
    ...["rid", "simulcast", "sctp-port", "sctpmap", "max-message-size", "crypto", "identity"],
    ...["imageattr", "framerate", "ptime", "maxptime", "content", "label", "tls-id", "dtls-id"],
    ...[
      "remote-candidates",
      "extmap-allow-mixed",
      "rtcp-mux",
      "bundle-only",
      "key-mgmt",
      "source-filter",
    ],
  ];

  it.each(ATTRIBUTES)(
    "[D4] a=%s of a quarter of a megabyte of anything is read in one go",
    (name) => {
      for (const fill of FILLS) {
        const value = fill.repeat(Math.floor(LONG / fill.length));
        for (const line of [`a=${name}:${value}`, `a=${name}:1 ${value}!`]) {
          for (const sdp of [
            `${sdpOf()}${line}\r\n`,
            sdpOf().replace("t=0 0\r\n", `t=0 0\r\n${line}\r\n`),
          ]) {
            const description = readDescription(sdp);
            if (isFinding(description)) continue;
            checkDescription(description, "offer", { strict: true });
          }
        }
      }
    },
  );

  it.each(["v", "o", "s", "t", "c", "b", "m", "k", "z", "r", "e", "u", "i", "p"])(
    "[D4] %s= of a quarter of a megabyte of anything is read in one go",
    (type) => {
      for (const fill of FILLS) {
        const line = `${type}=${fill.repeat(Math.floor(LONG / fill.length))}`;
        for (const sdp of [`${sdpOf()}${line}\r\n`, sdpOf().replace(/v=0/, line)]) {
          const description = readDescription(sdp);
          if (isFinding(description)) continue;
          checkDescription(description, "offer", { strict: true });
        }
      }
    },
  );
});

describe("floods", () => {
  it("[S8] a flood of every kind of message closes its sender, and nobody else notices", async () => {
    const session = await LiveSession.start("awake");
    // The clock that the object reads stands: a machine that is busy would read more slowly than one may send.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const calls = await bystandersOf(session, 200);
    const target = await session.join();
    const floods: [object | string, number][] = [
      [{ type: "message", to: target.id, body: "x".repeat(1_000) }, 1008],
      [{ type: "state", id: 1 }, 1008],
      [{ type: "candidates", to: target.id, exchange: 1, candidates: [candidateOf(1)] }, 1008],
      [{ type: "alive", n: 1 }, 1008],
      [{ type: "nonsense" }, 4008],
      ["{", 4008],
    ];
    for (const [frame, wanted] of floods) {
      const mallory = await session.join();
      const text = typeof frame === "string" ? frame : JSON.stringify(frame);
      for (let sent = 0; sent < 600; sent++) mallory.socket.send(text);
      for (let waited = 0; waited < 60_000 && !mallory.closed; waited += 20) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect([frame, mallory.closed?.code]).toEqual([frame, wanted]);
      expect(mallory.inbox.some(({ type }) => type === "problem")).toBe(true);
    }
    expect(target.closed).toBeNull();
    await calls.over();
  }, 120_000);
});
