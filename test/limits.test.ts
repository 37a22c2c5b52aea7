import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../durable-objects/env.ts";
import { LIMITS } from "../protocol/limits.ts";
import { app } from "../src/app.ts";
import type { RateLimits } from "../src/env.ts";
import { RATES } from "../src/rate-limits.ts";
import { sdpOf } from "./descriptions.ts";
import { type LivePeer, LiveSession, MODES } from "./live-session.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const SECRET = "x".repeat(32);
const UPGRADE = { upgrade: "websocket" };
const url = (path: string) => `https://duplex.test${path}`;

/** The Worker as a deployment configures it. */
const deployed = (variables: object = {}): Bindings =>
  ({ ...env, API_KEYS: "key,other-key", TOKEN_SECRETS: SECRET, ...variables }) as never;

const ask = (
  bindings: Bindings,
  method: string,
  path = "/v1/sessions",
  bearer = "key",
  more = {},
) =>
  app.request(
    url(path),
    { method, headers: { authorization: `Bearer ${bearer}`, ...more } },
    bindings as never,
  );

const made = async <T>(bindings: Bindings, path?: string): Promise<T> =>
  (await ask(bindings, "POST", path)).json();

/** A counter of the platform that has none left, and what it was asked. */
function exhausted(rate: keyof RateLimits) {
  const keys: string[] = [];
  const limit = async ({ key }: { key: string }) => {
    keys.push(key);
    return { success: false };
  };
  return { keys, bindings: deployed({ [rate]: { limit } }) };
}

describe("rates at the Worker", () => {
  const connect = (path: string, token: string, bindings: Bindings, address = "203.0.113.7") =>
    app.request(
      url(`${path}/signalling`),
      {
        headers: {
          ...UPGRADE,
          "sec-websocket-protocol": `duplex.v1, bearer.${token}`,
          "cf-connecting-ip": address,
        },
      },
      bindings as never,
    );

  const invited = async () => {
    const { id } = await made<{ id: string }>(deployed());
    const path = `/v1/sessions/${id}`;
    const { token } = await made<{ token: string }>(deployed(), `${path}/peers`);
    return { path, token };
  };

  const expectRefused = async (response: Response, seconds: number) => {
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe(String(seconds));
    expect(await response.json()).toMatchObject({
      code: "rate-limited",
      retryAfterSeconds: seconds,
    });
  };

  it("[S7] who connects too often from one address waits, whatever the token; addresses are counted as hashes", async () => {
    const { path, token } = await invited();
    const { keys, bindings } = exhausted("CONNECTS");
    for (const bearer of [token, "no-token"]) {
      await expectRefused(await connect(path, bearer, bindings), 10);
    }
    await connect(path, token, bindings, "203.0.113.8");
    expect(keys[0]).toBe(keys[1]);
    expect(keys[0]).not.toBe(keys[2]);
    expect(keys.join(" ")).not.toContain("203.0.113");
    // Whoever does not even try to connect is not counted.
    expect((await ask(bindings, "GET", `${path}/signalling`)).status).toBe(426);
    expect(keys).toHaveLength(3);
  });

  it("[S7] a peer that connects too often waits; a token that is none is not counted as its", async () => {
    const { path, token } = await invited();
    const { keys, bindings } = exhausted("RECONNECTS");
    await expectRefused(await connect(path, token, bindings), 10);
    expect((await connect(path, "no-token", bindings)).status).toBe(401);
    expect(keys).toHaveLength(1);
  });

  it("[S7] thirty connects of one peer in ten seconds and no more, as configured; others come in", async () => {
    const session = await LiveSession.start("awake");
    const [one, other] = [await session.invite(), await session.invite()];
    const statuses: number[] = [];
    // At most two periods are touched: more than twice thirty cannot all be let in.
    for (let count = 0; count < 61 && !statuses.includes(429); count++) {
      const { status, webSocket } = await session.upgrade(one.token);
      webSocket?.accept();
      statuses.push(status);
    }
    expect(statuses.filter((status) => status === 101).length).toBeGreaterThanOrEqual(30);
    expect(statuses.at(-1)).toBe(429);
    const bob = await session.connect(other);
    expect(bob.closed).toBeNull();
  });

  it("[S7] a peer that asks too often by HTTP waits; the back end does not", async () => {
    const { path, token } = await invited();
    const { bindings } = exhausted("PEER_REQUESTS");
    await expectRefused(await ask(bindings, "GET", path, token), 10);
    expect((await ask(bindings, "GET", path)).status).toBe(200);
    expect((await ask(bindings, "GET", path, "no-token")).status).toBe(401);
  });

  it("[S7] an API key that starts too many sessions waits; what it has goes on", async () => {
    const { path } = await invited();
    const { keys, bindings } = exhausted("SESSION_CREATIONS");
    await expectRefused(await ask(bindings, "POST"), 60);
    await expectRefused(await ask(bindings, "POST", "/v1/sessions", "other-key"), 60);
    expect(keys[0]).not.toBe(keys[1]);
    expect((await ask(bindings, "GET", path)).status).toBe(200);
  });

  it("[S7] a peer that asks for ICE servers without end is refused, and nobody else", async () => {
    const session = await LiveSession.start("awake");
    const [alice, bob] = [await session.join(), await session.join()];
    for (let count = 0; count < 61; count++) alice.socket.send('{"type":"ice-servers"}');
    const isRefused = () =>
      alice.inbox.some((frame) => frame.type === "problem" && frame.code === "rate-limited");
    await expect.poll(isRefused, { timeout: 10_000 }).toBe(true);
    await bob.send({ type: "ice-servers" });
    await bob.next("ice-servers");
    expect(alice.closed).toBeNull();
  });
});

describe("sessions of one API key", () => {
  const bindings = (more = {}) => deployed({ MAX_SESSIONS_PER_KEY: "2", ...more });
  const start = (key = "key", more = {}) =>
    ask(bindings(more), "POST", "/v1/sessions", key, { "content-type": "application/json" });

  it("[S7] one more than MAX_SESSIONS_PER_KEY is refused until one has ended; other keys have their own", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 2; count++) {
      const response = await start();
      expect(response.status).toBe(201);
      const text = await response.text();
      expect(text).not.toContain("quota");
      ids.push((JSON.parse(text) as { id: string }).id);
    }
    const refused = await start();
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ code: "session-quota", maxSessionsPerKey: 2 });
    // Token secrets may be rotated: the sessions of the key stay its own.
    expect((await start("key", { TOKEN_SECRETS: "y".repeat(32) })).status).toBe(429);
    expect((await start("other-key")).status).toBe(201);
    await ask(bindings(), "DELETE", `/v1/sessions/${ids[0]}`);
    await expect.poll(async () => (await start()).status, { timeout: 5_000 }).toBe(201);
    expect((await start()).status).toBe(429);
  });

  it("[S7] without MAX_SESSIONS_PER_KEY nobody counts them", async () => {
    const asked = vi.fn();
    const counting = deployed({ KEY_QUOTAS: { getByName: asked } });
    for (let count = 0; count < 3; count++) expect((await ask(counting, "POST")).status).toBe(201);
    expect(asked).not.toHaveBeenCalled();
  });

  const quota = () => deployed().KEY_QUOTAS.getByName("a-quota");

  it("[S7] a session that ended untold gives its place back after a minute, one that lives does not", async () => {
    const { id } = await LiveSession.start("awake");
    const at = Date.now();
    const ghost = "0".repeat(26);
    expect(await quota().acquire(id, 2, at)).toBe(true);
    expect(await quota().acquire(ghost, 2, at)).toBe(true);
    // It may just be being made.
    expect(await quota().acquire("third", 2, at + 59_000)).toBe(false);
    expect(await quota().acquire("third", 2, at + 60_000)).toBe(true);
    expect(await quota().acquire("fourth", 2, at + 130_000)).toBe(true);
    expect(await quota().acquire("fifth", 2, at + 130_001)).toBe(false);
    await quota().release("fourth");
    expect(await quota().acquire("fifth", 2, at + 130_002)).toBe(true);
  });

  it("[S7] of many that ask at once no more get a place than there are", async () => {
    const got = await Promise.all(
      Array.from({ length: 20 }, (_none, index) => quota().acquire(`s${index}`, 5, Date.now())),
    );
    expect(got.filter(Boolean)).toHaveLength(5);
  });

  it("[S7] a session that cannot be started holds no place", async () => {
    const broken = {
      jurisdiction: () => undefined,
      getByName: () => ({
        create: async () => {
          throw new Error("the object is overloaded");
        },
      }),
    };
    for (let count = 0; count < 4; count++) {
      expect((await start("key", { SESSIONS: broken })).status).toBe(500);
    }
    expect((await start()).status).toBe(201);
  });
});

/** A frame that is over a limit, the problem it meets, and how its socket is closed when it goes on. */
const FRAMES: readonly {
  readonly over: string;
  readonly frame: (to: string) => string;
  readonly code: string;
  readonly close: number;
}[] = [
  {
    over: "messageBytes",
    frame: () => JSON.stringify({ type: "message", body: "x".repeat(LIMITS.messageBytes) }),
    code: "message-too-large",
    close: 1009,
  },
  {
    over: "bodyBytes",
    frame: (to) => JSON.stringify({ type: "message", to, body: "x".repeat(LIMITS.bodyBytes) }),
    code: "message-too-large",
    close: 1009,
  },
  {
    over: "sdpBytes",
    frame: (to) => JSON.stringify({ type: "offer", to, sdp: "v".repeat(LIMITS.sdpBytes + 1) }),
    code: "sdp-too-large",
    close: 4008,
  },
  {
    over: "candidateBytes",
    frame: (to) =>
      JSON.stringify({
        type: "candidates",
        to,
        exchange: 1,
        candidates: Array.from({ length: 32 }, (_none, index) => ({
          candidate: `candidate:${index} 1 udp 1 192.0.2.1 9 typ host x ${"y".repeat(2_000)}`,
          sdpMid: "0",
        })),
      }),
    code: "too-many-candidates",
    close: 4008,
  },
];

describe("over a limit", () => {
  const exchanged = async (alice: LivePeer, bob: LivePeer): Promise<void> => {
    expect(
      await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never),
    ).toEqual({ type: "ack", re: 1, exchange: 1 });
    await bob.next("offer");
  };

  it.each(FRAMES)(
    "[S7] $over: $code first, $close when it goes on; nobody else notices",
    async ({ frame, code, close }) => {
      const session = await LiveSession.start("awake");
      const [alice, bob, carol] = [
        await session.join(),
        await session.join(),
        await session.join(),
      ];
      await exchanged(alice, bob);
      const before = await session.read("");
      await alice.send(frame(bob.id));
      expect(await alice.next("problem")).toMatchObject({ code });
      expect(alice.closed).toBeNull();
      // The burst of forgiveness, and some that is forgiven meanwhile.
      for (let count = 0; count < LIMITS.problemBurst * 2 && !alice.closed; count++) {
        alice.socket.send(frame(bob.id));
        await alice.heard(alice.inbox.length);
      }
      expect(await alice.closing()).toEqual({ code: close, reason: code });
      for (const peer of [bob, carol]) {
        expect((await peer.all("peer-left")).length).toBe(0);
        expect(peer.closed).toBeNull();
        expect(peer.inbox.filter(({ type }) => type === "offer" || type === "candidates")).toEqual(
          [],
        );
      }
      expect(await session.read("")).toMatchObject({
        links: (before as { links: unknown[] }).links,
      });
    },
  );

  it.each(MODES)(
    "[S7] the rate of a socket is counted through evictions, %s",
    async (mode) => {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
      const session = await LiveSession.start(mode);
      const [alice, bob] = [await session.join(), await session.join()];
      const say = (count: number) =>
        Promise.all(
          Array.from({ length: count }, () =>
            alice.socket.send(JSON.stringify({ type: "state", id: 1 })),
          ),
        );
      // `expect.poll` would move the clock.
      const answered = async (count: number) => {
        while (alice.inbox.filter(({ type }) => type === "ack").length < count) {
          await alice.heard(alice.inbox.length);
        }
      };
      await say(LIMITS.messageBurst);
      await answered(LIMITS.messageBurst);
      await session.pause();
      expect(await alice.all("problem")).toEqual([]);
      await say(1);
      expect(await alice.next("problem")).toMatchObject({ code: "rate-limited" });
      await session.pause();
      vi.setSystemTime(Date.now() + 1_000);
      await say(LIMITS.messagesPerSecond);
      await answered(LIMITS.messageBurst + LIMITS.messagesPerSecond);
      await say(1);
      expect(await alice.next("problem")).toMatchObject({ code: "rate-limited" });
      expect(bob.closed).toBeNull();
    },
    60_000,
  );
});

it("[S7] welcome tells the limits as they are", async () => {
  const session = await LiveSession.start("awake", { maxPeers: 7 });
  const invitation = await session.invite();
  const { webSocket } = await session.upgrade(invitation.token);
  const first = new Promise<string>((resolve) =>
    webSocket?.addEventListener("message", ({ data }) => resolve(String(data)), { once: true }),
  );
  webSocket?.accept();
  const { limits } = JSON.parse(await first) as { limits: Record<string, number> };
  const { peers, offerExpirySeconds, ...rest } = limits;
  expect(peers).toBe(7);
  expect(offerExpirySeconds).toBe(LIMITS.offerExpiryMs / 1000);
  expect(Object.keys(rest).length).toBeGreaterThan(5);
  for (const [name, value] of Object.entries(rest)) {
    expect(LIMITS).toHaveProperty(name, value);
  }
});

const [page = "", wrangler = ""] = [
  import.meta.glob<string>("../docs/limits.md", { query: "?raw", import: "default", eager: true }),
  import.meta.glob<string>("../wrangler.toml", { query: "?raw", import: "default", eager: true }),
].map((files) => Object.values(files)[0]);

describe("docs/limits.md", () => {
  const rows = new Map(
    [...page.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, name = "", is = ""]) => [name, is]),
  );

  it.each(Object.entries(LIMITS))("[S7] says that %s is %d", (name, value) => {
    expect(rows.get(name)).toMatch(new RegExp(`^${value.toLocaleString("en-US")}( |,|$)`));
  });

  it("[S7] has the rates of wrangler.toml, and their periods are what the refused are told", () => {
    const rates = [
      ...wrangler.matchAll(
        /\[\[ratelimits\]\]\nname = "(\w+)"\n.*\nsimple = \{ limit = (\d+), period = (\d+) \}/g,
      ),
    ];
    expect(rates.map(([, name]) => name).toSorted()).toEqual(Object.keys(RATES).toSorted());
    for (const [, name = "", limit, period] of rates) {
      expect(rows.get(name)).toMatch(new RegExp(`^${limit} per ${period} s`));
      expect(RATES[name as keyof RateLimits].periodSeconds).toBe(Number(period));
    }
  });
});
