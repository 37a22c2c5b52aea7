import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { networkPortOf } from "../../adapters/network/network-port-of.ts";
import type { NetworkSurroundings } from "../../adapters/network/network-sending.ts";
import type { FaultKind } from "../../network-mock/faults.ts";
import { DEFAULT_CLIENT, type NetworkMock, startNetworkMock } from "../../network-mock/mock.ts";
import { publishedSchemas, type Schemas, schemasFolder } from "../../network-mock/schemas.ts";
import type { NetworkAccess } from "../../protocol/assistance/access.ts";
import { isSettled } from "../../protocol/assistance/holding.ts";
import { recordOf } from "../../protocol/assistance/holding-record.ts";
import { nefNotificationOf, qodEventOf } from "../../protocol/assistance/notifications.ts";
import type { AssistanceApi } from "../../protocol/assistance/record.ts";
import { bodyFor, VARIANTS, type Variant } from "./network-bodies.ts";
import { NetworkLine } from "./network-line.ts";

/** Requests to mobile networks over real sockets: what the network has in the end is compared by its own account. */

const isPublished = existsSync(schemasFolder());
const APIS = ["camara-qod", "nef", "rtc-af"] as const;
const PATHS = {
  "camara-qod": "/quality-on-demand/v1",
  nef: "/3gpp-as-session-with-qos/v1",
  "rtc-af": "/3gpp-maf-session-handling/v1",
} as const;
const HOUR = 3_600_000;

let schemas: Schemas;
let mock: NetworkMock;
let sink: Server;
let sinkUrl: string;
const lines = new Map<string, NetworkLine>();
let devices = 0;

const readText = async (request: AsyncIterable<Buffer>): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const around = (timeoutMs = 2000): NetworkSurroundings => ({
  fetch: (url, init) => fetch(url, init),
  now: () => Date.now(),
  timeoutMs,
});

const accessTo = (api: AssistanceApi, url = mock.url): NetworkAccess => ({
  api,
  url: url + PATHS[api],
  auth: {
    tokenUrl: `${url}/oauth2/token`,
    clientId: DEFAULT_CLIENT.id,
    clientSecret: DEFAULT_CLIENT.secret,
  },
  scsAsId: "duplex",
  provisioningSession: "call",
});

interface OpenOptions {
  readonly timeoutMs?: number;
  readonly random?: () => number;
  /** The network has somewhere to tell what becomes of it. */
  readonly isTold?: boolean;
}

function open(
  api: AssistanceApi,
  { timeoutMs, random = () => 0.5, isTold = true }: OpenOptions = {},
): NetworkLine & { device: number } {
  devices += 1;
  const key = `k${devices}`;
  const port = networkPortOf(accessTo(api), around(timeoutMs));
  const notifyUrl = isTold ? `${sinkUrl}/${key}` : undefined;
  const line = new NetworkLine({ key, api, port, notifyUrl, random });
  lines.set(key, line);
  return Object.assign(line, { device: devices });
}

/** Calls that the mock answered, by its own log. */
const callsOf = (api: AssistanceApi) =>
  mock.log.filter((entry) => entry.way === "in" && entry.api === api);

const recordedBy = (line: NetworkLine) => recordOf(line.holding, line.wish, line.at);

/** Everything that is due has been done, and everything that was to be told has been. */
async function calm(line: NetworkLine, ms: number): Promise<void> {
  await line.pass(ms);
  await mock.settled();
  await line.pass(1000);
}

beforeAll(async () => {
  if (!isPublished) return;
  schemas = publishedSchemas();
  sink = createServer(async (request, response) => {
    const json: unknown = JSON.parse(await readText(request));
    const news = qodEventOf(json) ?? nefNotificationOf(json);
    if (news) lines.get((request.url ?? "").slice(1))?.hear(news);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
  sinkUrl = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
});

beforeEach(async () => {
  lines.clear();
  mock = await startNetworkMock({ schemas, grant: { mode: "now" } });
});

afterEach(async () => {
  await mock?.close();
});

afterAll(async () => {
  sink?.closeAllConnections();
  await new Promise((resolve) => sink?.close(resolve));
});

describe.skipIf(!isPublished).each(APIS)("adapter of %s", (api) => {
  it("[M13] asks, is granted, changes and removes; its bodies are as published", async () => {
    const line = open(api);
    line.want(bodyFor(api, line.device * 2, "usual"));
    await calm(line, 20_000);
    expect(recordedBy(line)).toMatchObject({ network: "n", api, state: "granted" });
    expect(mock.resources(api)).toHaveLength(1);
    for (const variant of ["less", "elsewhere"] as const) {
      line.want(bodyFor(api, line.device * 2, variant));
      await calm(line, 60_000);
      const [{ body } = { body: {} }] = mock.resources(api);
      const { duration: _own, ...wanted } = line.wish?.body ?? {};
      expect(body).toMatchObject(wanted);
    }
    line.want(undefined);
    await calm(line, 60_000);
    expect(mock.resources(api)).toEqual([]);
    expect(isSettled(line.holding)).toBe(true);
    expect(callsOf(api).map(({ status }) => status)).not.toContain(400);
    expect(mock.defects).toEqual([]);
  });

  it("[M13] asks for no second token while the first is good, and for one when it is refused", async () => {
    const tokens = () => mock.log.filter((entry) => entry.api === "oauth2").length;
    const line = open(api);
    line.want(bodyFor(api, line.device * 2, "usual"));
    await calm(line, 20_000);
    expect(tokens()).toBe(1);
    mock.tokens.expireAll();
    line.want(undefined);
    await calm(line, 20_000);
    expect(tokens()).toBe(2);
    expect(mock.resources(api)).toEqual([]);
    expect(line.holding.failures).toBe(0);
  });

  it("[M13] waits when there is no token to be had, and has no effect", async () => {
    mock.faults.add({ kind: "status", status: 500, api: "oauth2" });
    const line = open(api);
    line.want(bodyFor(api, line.device * 2, "usual"));
    await line.pass(10_000);
    expect(recordedBy(line)).toMatchObject({ state: "requested", reason: "no-token" });
    expect(recordedBy(line).failures).toBeGreaterThan(1);
    expect(callsOf(api)).toEqual([]);
    mock.faults.clear();
    await calm(line, 60_000);
    expect(recordedBy(line).state).toBe("granted");
  });

  it("[M13] finds a resource that is gone, and asks for another", async () => {
    const line = open(api);
    line.want(bodyFor(api, line.device * 2, "usual"));
    await calm(line, 20_000);
    const [first] = mock.resources(api);
    mock.faults.add({ kind: "status", status: 410, api, method: "GET", times: 1 });
    await calm(line, HOUR / 2);
    const [second, ...more] = mock.resources(api);
    expect(more).toEqual([]);
    expect(second?.id).not.toBe(first?.id);
    expect(recordedBy(line).state).toBe("granted");
  });

  it("[M13] asks again when the network has ended it, but not at once and not for ever faster", async () => {
    const line = open(api);
    line.want(bodyFor(api, line.device * 2, "usual"));
    await calm(line, 20_000);
    const isCreate = ({ method, status }: { method: string; status?: number }) =>
      method === "POST" && status === 201;
    for (let times = 0; times < 6; times += 1) {
      mock.terminate({ api });
      await calm(line, 20_000);
    }
    expect(callsOf(api).filter(isCreate).length).toBeLessThanOrEqual(5);
    await calm(line, HOUR);
    expect(recordedBy(line).state).toBe("granted");
    expect(mock.resources(api)).toHaveLength(1);
  });

  it("[M13] refuses what is not asked for again, until something else is wanted", async () => {
    mock.grant({ api, mode: "refused" });
    const line = open(api);
    line.want(bodyFor(api, line.device * 2, "usual"));
    await calm(line, 12_000);
    expect(recordedBy(line).state).toBe("refused");
    expect(recordedBy(line).reason).toMatch(/^[A-Z_.]+$/);
    expect(callsOf(api)).toHaveLength(1);
    mock.grant({ api, mode: "now" });
    line.want(bodyFor(api, line.device * 2, "less"));
    await calm(line, 20_000);
    expect(recordedBy(line).state).toBe("granted");
  });
});

/** Kind, more of it, and what the record says while it lasts. */
const FAULTS: readonly [
  string,
  { kind: FaultKind; status?: number; ms?: number; retryAfter?: number },
  string,
][] = [
  ["slow", { kind: "slow", ms: 600 }, "no-answer"],
  ["down", { kind: "down" }, "no-answer"],
  ["500", { kind: "status", status: 500 }, "INTERNAL"],
  ["429", { kind: "status", status: 429, retryAfter: 30 }, "TOO_MANY_REQUESTS"],
  ["503", { kind: "status", status: 503, retryAfter: 30 }, "UNAVAILABLE"],
  ["wrong JSON", { kind: "wrong-json" }, "unreadable-answer"],
  ["JSON of another shape", { kind: "wrong-shape" }, "unreadable-answer"],
  ["an answer lost after its effect", { kind: "answer-lost" }, "no-answer"],
];

/** It has its effect, and nobody learns its name. */
const isSpoilt = (kind: FaultKind): boolean => kind === "slow" || kind === "answer-lost";

describe.skipIf(!isPublished).each(APIS)("network of %s", (api) => {
  it.each(FAULTS)(
    "[M13] that is %s: the record says so, and they agree afterwards",
    async (_name, fault, reason) => {
      const line = open(api, fault.kind === "slow" ? { timeoutMs: 150 } : {});
      mock.grant({ api, mode: "never" });
      mock.faults.add({ ...fault, api });
      line.want(bodyFor(api, line.device * 2, "usual"));
      await line.pass(20_000);
      expect(recordedBy(line)).toMatchObject({ state: "requested", reason });
      const during = callsOf(api).length;
      // Not hammered: pauses double, or are as long as the network says.
      expect(during).toBeLessThanOrEqual(fault.retryAfter === undefined ? 10 : 1);
      mock.faults.clear();
      mock.grant({ api, mode: "now" });
      mock.recover({ api });
      await calm(line, HOUR / 2);
      mock.recover({ api });
      await calm(line, HOUR / 4);
      expect(recordedBy(line).state).toBe("granted");
      const isLost = !fault.kind.startsWith("wrong") && fault.retryAfter === undefined;
      expect(line.holding.lost > 0).toBe(api === "rtc-af" && isLost);
      line.want(undefined);
      await calm(line, HOUR / 2);
      const isOrphaned = api === "rtc-af" && isSpoilt(fault.kind);
      const creates = callsOf(api).filter(
        ({ method, note }) => method === "POST" && note !== undefined,
      );
      expect(mock.resources(api)).toHaveLength(isOrphaned ? creates.length : 0);
      expect(mock.defects).toEqual([]);
    },
  );

  it.each(FAULTS)("[M13] that is %s when it is over: nothing is left", async (_name, fault) => {
    const line = open(api, fault.kind === "slow" ? { timeoutMs: 150 } : {});
    line.want(bodyFor(api, line.device * 2, "usual"));
    await calm(line, 20_000);
    mock.faults.add({ ...fault, api });
    line.want(undefined);
    await line.pass(60_000);
    // A removal says nothing that would have to be read.
    expect(isSettled(line.holding)).toBe(fault.kind.startsWith("wrong"));
    mock.faults.clear();
    await calm(line, HOUR);
    expect(mock.resources(api)).toEqual([]);
    expect(isSettled(line.holding)).toBe(true);
  });
});

describe.skipIf(!isPublished)("quality on demand", () => {
  it("[M13] deletes what is in the way of its own, and leaves what is another's", async () => {
    const other = open("camara-qod");
    const line = open("camara-qod");
    const body = bodyFor("camara-qod", line.device * 2, "usual");
    other.want(body);
    await calm(other, 20_000);
    line.want(body);
    await calm(line, 50_000);
    expect(recordedBy(line)).toMatchObject({ state: "refused", reason: "CONFLICT" });
    expect(mock.resources("camara-qod")).toHaveLength(1);
    other.want(undefined);
    await calm(other, 60_000);
    await calm(line, HOUR / 2);
    expect(recordedBy(line).state).toBe("granted");
  });

  it("[M13] extends a session before it ends, and makes another when it cannot be", async () => {
    const line = open("camara-qod");
    line.want(bodyFor("camara-qod", line.device * 2, "usual"));
    await calm(line, 20_000);
    const shown = () => mock.resources("camara-qod")[0]?.body ?? {};
    const before = shown();
    await calm(line, HOUR / 2);
    const after = shown();
    expect(after.sessionId).toBe(before.sessionId);
    expect(Number(after.duration)).toBeGreaterThan(1800);
    const until = recordedBy(line).granted?.until ?? 0;
    expect(until).toBe(Date.parse(String(after.expiresAt)));
    expect(until).toBeGreaterThan(line.at);
  });
});

describe.skipIf(!isPublished)("RTC AF", () => {
  it("[M13] recommends bit rates, less when the network cannot carry them, and boosts on request", async () => {
    const line = open("rtc-af");
    line.want(bodyFor("rtc-af", line.device * 2 + 1, "usual"));
    await calm(line, 20_000);
    expect(recordedBy(line).advised).toEqual({ uplinkBps: 2_000_000, downlinkBps: 2_500_000 });
    mock.impair({ api: "rtc-af", uplinkBps: 400_000, downlinkBps: 700_000 });
    await calm(line, 15_000);
    expect(recordedBy(line).advised).toEqual({ uplinkBps: 400_000, downlinkBps: 700_000 });
    const id = line.holding.held?.id ?? "";
    expect(await line.setting.port.boost?.(id)).toEqual({ type: "done" });
    expect(await line.setting.port.boost?.(id)).toEqual({ type: "refused", reason: "no-boost" });
    mock.recover({ api: "rtc-af" });
    await calm(line, 15_000);
    expect(recordedBy(line).advised).toEqual({ uplinkBps: 2_000_000, downlinkBps: 2_500_000 });
  });

  it("[M13] says that a policy that held is not enforced now", async () => {
    const line = open("rtc-af");
    line.want(bodyFor("rtc-af", line.device * 2, "usual"));
    await calm(line, 20_000);
    mock.impair({ api: "rtc-af" });
    await calm(line, 15_000);
    expect(recordedBy(line).state).toBe("impaired");
    mock.recover({ api: "rtc-af" });
    await calm(line, HOUR / 4);
    expect(recordedBy(line).state).toBe("granted");
  });
});

describe.skipIf(!isPublished)("NEF", () => {
  it("[M13] says that quality is not guaranteed, by which alternative, and that it is again", async () => {
    const line = open("nef");
    line.want(bodyFor("nef", line.device * 2, "usual"));
    await calm(line, 20_000);
    mock.impair({ api: "nef" });
    await mock.settled();
    expect(recordedBy(line)).toMatchObject({
      state: "impaired",
      reason: "QOS_NOT_GUARANTEED",
      granted: { profile: "conv-video-half" },
    });
    mock.recover({ api: "nef" });
    await mock.settled();
    expect(recordedBy(line).state).toBe("granted");
  });
});

describe("what is no mobile network", () => {
  let server: Server;
  let url: string;
  let met: string[];
  let respond: (path: string) => {
    status: number;
    headers?: Record<string, string>;
    text?: string;
  };

  beforeEach(async () => {
    met = [];
    server = createServer((request, response) => {
      met.push(`${request.method} ${request.url}`);
      const { status, headers, text } = respond(request.url ?? "");
      response.writeHead(status, headers).end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const portAt = (api: AssistanceApi) =>
    networkPortOf({ ...accessTo(api, url), auth: undefined }, around());
  const notify = { url: "https://a.example/n", token: "t", tokenExpiresAt: 0 };

  it("[M13] is followed nowhere: neither by redirects nor by links", async () => {
    respond = () => ({ status: 307, headers: { location: `${url}/elsewhere` } });
    expect(await portAt("nef").read("s1")).toEqual({ type: "refused", reason: "http-307" });
    respond = () => ({
      status: 201,
      headers: { location: "https://elsewhere.example/x/../admin/subscriptions/%2e%2e" },
      text: "{}",
    });
    const made = await portAt("nef").create({}, notify);
    expect(made).toEqual({ type: "unknown", reason: "no-location" });
    for (const id of ["..", "a/b", "", "?x", "dynamic-policies/..", "other/a"]) {
      expect(await portAt("nef").remove(id)).toMatchObject({ type: "refused" });
      expect(await portAt("rtc-af").remove(id)).toMatchObject({ type: "refused" });
      expect(await portAt("camara-qod").remove(id)).toMatchObject({ type: "refused" });
    }
    expect(met).toEqual([
      `GET ${PATHS.nef}/duplex/subscriptions/s1`,
      `POST ${PATHS.nef}/duplex/subscriptions`,
    ]);
  });

  it("[M13] is not read for longer than an answer is", async () => {
    respond = () => ({ status: 200, text: `{"sessionId":"${"x".repeat(70_000)}"}` });
    const read = await portAt("camara-qod").read("s1");
    expect(read).toEqual({ type: "unknown", reason: "unreadable-answer" });
  });

  it("[M13] is told when to be asked again by seconds or by a date", async () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    respond = (path) => ({
      status: 429,
      headers: { "retry-after": path.endsWith("s1") ? "7" : inAMinute },
    });
    expect(await portAt("nef").read("s1")).toMatchObject({ type: "later", afterMs: 7000 });
    const later = await portAt("nef").read("s2");
    expect(later).toMatchObject({ type: "later", afterMs: expect.any(Number) });
    expect(later.type === "later" && later.afterMs).toBeGreaterThan(50_000);
  });

  it("[M13] has its texts kept out of records", async () => {
    respond = () => ({ status: 422, text: JSON.stringify({ code: "10.0.0.1 is no device" }) });
    expect(await portAt("camara-qod").read("s1")).toEqual({ type: "refused", reason: "http-422" });
  });
});

/** Small and repeatable (Park and Miller). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const SPOILERS: readonly { kind: FaultKind; status?: number; retryAfter?: number; ms?: number }[] =
  [
    { kind: "slow", ms: 250 },
    { kind: "down" },
    { kind: "answer-lost" },
    { kind: "wrong-json" },
    { kind: "wrong-shape" },
    { kind: "status", status: 500 },
    { kind: "status", status: 429, retryAfter: 1 },
    { kind: "status", status: 409 },
    { kind: "status", status: 410 },
    { kind: "status", status: 404 },
    { kind: "status", status: 403 },
  ];

const HISTORIES = 1000;
const AT_ONCE = 40;

/** Some minutes of one device, with whatever befalls it. */
async function live(api: AssistanceApi, seed: number, isTold = true): Promise<NetworkLine> {
  const random = randomFrom(seed);
  const line = open(api, { timeoutMs: 150, random, isTold });
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  // Two requests of the same device, where only the packets tell them apart.
  const wish = (variant: Variant) => {
    const server = { applicationServer: { ipv4Address: `198.51.100.${7 + (line.device & 1)}` } };
    const shared = { ...bodyFor(api, line.device >> 1, variant), ...server };
    line.want(isTold ? bodyFor(api, line.device, variant) : shared);
  };
  wish("usual");
  for (let step = 0; step < 6; step += 1) {
    const chance = random();
    if (chance < 0.35) mock.faults.add({ ...pick(SPOILERS), api, times: 2 });
    else if (chance < 0.6) wish(pick(VARIANTS));
    else if (chance < 0.7) line.want(undefined);
    else if (chance < 0.75 && line.holding.held) mock.terminate({ api, id: line.holding.held.id });
    else if (chance < 0.85) await line.turnWithoutEnd();
    await line.pass(random() * 40_000);
  }
  return line;
}

describe.skipIf(!isPublished)("random histories", () => {
  it.each([
    ["camara-qod", HISTORIES / 2, "that is told where to notify", true],
    ["nef", HISTORIES / 2, "that is told where to notify", true],
    ["camara-qod", 200, "that can tell nobody", false],
  ] as const)(
    "[M13] at %s, %i of them, leave nothing in a network %s",
    async (api, count, _how, isTold) => {
      const seeds = Array.from({ length: count }, (_, index) => 7919 * (index + 1));
      while (seeds.length > 0) {
        const next = seeds.splice(0, AT_ONCE);
        const some = await Promise.all(next.map((seed) => live(api, seed, isTold)));
        mock.faults.clear();
        for (const line of some) line.want(undefined);
        await Promise.all(some.map((line) => calm(line, 2 * HOUR)));
        // By its own account, not ours.
        expect(mock.resources()).toEqual([]);
        expect(some.filter(({ holding }) => !isSettled(holding))).toEqual([]);
      }
      expect(mock.defects).toEqual([]);
    },
  );

  it("[M13] of 100 devices at an RTC AF leave what creates without an answer made, and nothing else", async () => {
    const seeds = Array.from({ length: 100 }, (_, index) => 6271 * (index + 1));
    while (seeds.length > 0) {
      const some = await Promise.all(seeds.splice(0, AT_ONCE).map((seed) => live("rtc-af", seed)));
      mock.faults.clear();
      for (const line of some) line.want(undefined);
      await Promise.all(some.map((line) => calm(line, 2 * HOUR)));
      expect(some.filter(({ holding }) => !isSettled(holding))).toEqual([]);
    }
    const lost = [...lines.values()].reduce((sum, { holding }) => sum + holding.lost, 0);
    expect(mock.resources().length).toBeLessThanOrEqual(lost);
  });
});
