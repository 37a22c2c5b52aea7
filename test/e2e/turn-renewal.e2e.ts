import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { IceServers } from "../../client/ice-servers.ts";
import type { FlowsView } from "../../protocol/flow.ts";
import { type Browser, launchChromium, launchFirefox } from "./browsers.ts";
import { Backend, Caller, until } from "./caller.ts";
import { startCoturn, type TurnServer } from "./coturn.ts";
import { type Server, startServer } from "./server.ts";
import { temporaryFolder } from "./watchdog.ts";

/** Relayed calls that are longer than the life of their credentials, of seconds here (decision 0018). */

const KEPT_TTL = 6;
const ENDING_TTL = 8;
/** A relay that is gone is noticed later than this: well above what a busy machine leaves out. */
const LOST_MS = 10_000;
const secret = randomBytes(16).toString("hex");
let turn: TurnServer;
/** Relays live on as long as they are refreshed, as at coturn. */
let kept: Server;
/** They end with their credentials: so it says. */
let ending: Server;
let chromium: Browser;
let firefox: Browser;

const start = (env: Record<string, string>): Promise<Server> =>
  startServer({
    file: process.execPath,
    args: [fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url))],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: {
      DUPLEX_STATE: temporaryFolder("renewal"),
      TURN_URLS: String(turn.urls[0]),
      TURN_SECRETS: secret,
      ...env,
    },
    readyLimitMs: 90_000,
  });

beforeAll(async () => {
  // Firefox refreshes 10 s before the end, Chromium once at half of it: coturn grants it 600 s then.
  turn = await startCoturn([secret], ["max-allocate-lifetime=15"]);
  kept = await start({ TURN_TTL_SECONDS: String(KEPT_TTL) });
  ending = await start({
    TURN_TTL_SECONDS: String(ENDING_TTL),
    TURN_ALLOCATIONS_EXPIRE: "true",
  });
  [chromium, firefox] = await Promise.all([launchChromium(), launchFirefox()]);
}, 240_000);

afterAll(async () => {
  await Promise.all([chromium?.close(), firefox?.close(), kept?.stop(), ending?.stop()]);
  await turn?.stop();
});

/** An allocation as coturn's log tells it. */
interface Allocation {
  readonly peer: string;
  /** Seconds since 1970 at which its credentials end. */
  readonly expiry: number;
  refreshed: number;
}

/** The allocations of some peers that are not closed, and how many there were in all. */
function allocationsOf(...peers: string[]): { live: Allocation[]; made: number } {
  const live = new Map<string, Allocation>();
  let made = 0;
  for (const line of turn.log().split("\n")) {
    const [, session = "", rest = ""] = /session (\d+): (.*)/.exec(line) ?? [];
    const [, expiry = "", peer = ""] = /user(?:name=)? ?<(\d+):([^>]+)>/.exec(rest) ?? [];
    if (!peers.includes(peer)) continue;
    if (rest.includes("ALLOCATE processed, success")) {
      made += 1;
      live.set(session, { peer, expiry: Number(expiry), refreshed: 0 });
    }
    const known = live.get(session);
    if (known && rest.includes("REFRESH processed, success")) known.refreshed += 1;
    if (rest.includes("closed")) live.delete(session);
  }
  return { live: [...live.values()], made };
}

/** Watches the picture that a page gets: `longestGapMs` of its state is the longest time without a new frame. */
const watchFrames = (caller: Caller, peer: string): Promise<void> =>
  caller.page.evaluate((id) => {
    let frames = 0;
    let since = performance.now();
    setInterval(async () => {
      const stats = await window.call.session.connection(id)?.getStats();
      for (const stat of stats ? [...stats.values()] : []) {
        if (stat.type !== "inbound-rtp" || stat.kind !== "video") continue;
        const now = performance.now();
        if (stat.framesDecoded > frames) since = now;
        frames = stat.framesDecoded;
        window.call.longestGapMs = Math.max(window.call.longestGapMs, now - since);
      }
    }, 100);
  }, peer);

const gapOf = (caller: Caller): Promise<number> =>
  caller.page.evaluate(() => window.call.longestGapMs, null);
const offersOf = (caller: Caller): Promise<number> =>
  caller.page.evaluate(() => window.call.offersSent, null);

/** What must stay as it is when relays are renewed: which flows there are, and since when they are active. */
const flowsOf = async (backend: Backend): Promise<string[]> => {
  const { flows } = (await backend.flows()) as FlowsView;
  return flows.map(({ id, state, since }) => `${id} ${state} ${since}`).sort();
};

/** A relayed call that runs, with its frames watched. */
async function relayedCall(server: Server, browsers: readonly [Browser, Browser]) {
  const backend = await Backend.start(server.baseUrl, { iceTransportPolicy: "relay" });
  const one = await Caller.join(browsers[0], backend);
  const two = await Caller.join(browsers[1], backend);
  await Promise.all([one.receives(two.id), two.receives(one.id)]);
  const joined = Date.now() / 1000;
  await until("all flows active", async () =>
    (await flowsOf(backend)).every((flow) => flow.includes(" active ")),
  );
  await Promise.all([watchFrames(one, two.id), watchFrames(two, one.id)]);
  return { backend, one, two, joined };
}

/** Cuts the page's socket and keeps it from another one for a while. */
const goAway = (caller: Caller, ms: number): Promise<void> =>
  caller.page.evaluate((awayMs) => {
    const Native = WebSocket;
    window.WebSocket = class extends Native {
      constructor(_address: string | URL, protocols?: string | string[]) {
        super("ws://127.0.0.1:9/", protocols);
      }
    };
    setTimeout(() => {
      window.WebSocket = Native;
      window.call.session.reconnectNow();
    }, awayMs);
    window.call.session.reconnectNow();
  }, ms);

it("[A3] a relayed call outlives its credentials: each side keeps one allocation, refreshed, and nobody offers", async () => {
  const { backend, one, two, joined } = await relayedCall(kept, [chromium, firefox]);
  const peers = [one.id, two.id] as const;
  // One per network interface; those of sections that were bundled in the end are given back at once.
  let before = allocationsOf(...peers);
  await until("no allocation comes or goes", async () => {
    const { made, live } = before;
    await new Promise((resolve) => setTimeout(resolve, 3000));
    before = allocationsOf(...peers);
    return made === before.made && live.length === before.live.length;
  });
  const offers = await Promise.all([offersOf(one), offersOf(two)]);
  const flows = await flowsOf(backend);
  // One page is away for more than a life: nobody can renew anything for it.
  await goAway(one, 1_500 * KEPT_TTL);
  await until("six lives", () => Date.now() / 1000 > joined + 6 * KEPT_TTL, 60_000);

  const now = allocationsOf(...peers);
  expect(now.made).toBe(before.made);
  expect(now.live.map(({ peer, expiry }) => [peer, expiry])).toEqual(
    before.live.map(({ peer, expiry }) => [peer, expiry]),
  );
  expect(new Set(now.live.map(({ peer }) => peer))).toEqual(new Set(peers));
  for (const { peer, expiry, refreshed } of now.live) {
    expect(expiry).toBeLessThan(Date.now() / 1000 - 4 * KEPT_TTL);
    expect(refreshed).toBeGreaterThanOrEqual(peer === two.id ? 4 : 1);
  }
  expect(await Promise.all([offersOf(one), offersOf(two)])).toEqual(offers);
  expect(await flowsOf(backend)).toEqual(flows);
  const gaps = await Promise.all([gapOf(one), gapOf(two)]);
  expect(Math.max(...gaps)).toBeLessThan(LOST_MS);

  // What is gathered from now on has credentials of now, on both sides: the old ones are refused by now.
  await two.page.evaluate(() => window.call.session.restartIce(), null);
  await until("allocated anew", () => {
    const fresh = allocationsOf(...peers).live.filter(({ expiry }) => expiry > Date.now() / 1000);
    return new Set(fresh.map(({ peer }) => peer)).size === 2;
  });
  const stats = await Promise.all([one.receives(two.id), two.receives(one.id)]);
  for (const { pair } of stats) expect(pair?.local.candidateType).toBe("relay");
  expect(await flowsOf(backend)).toEqual(flows);
  await Promise.all([one.close(), two.close()]);
});

it("[A3] where relays end with their credentials, one side restarts ICE before, and the other answers", async () => {
  const { backend, one, two, joined } = await relayedCall(ending, [chromium, chromium]);
  const [named, other] = one.id < two.id ? [one, two] : [two, one];
  const offers = await Promise.all([offersOf(named), offersOf(other)]);
  const flows = await flowsOf(backend);
  await until("three lives", async () => {
    const { live } = allocationsOf(one.id, two.id);
    // A relay in use is never older than its credentials.
    const ends = [one.id, two.id].map((id) =>
      Math.max(...live.filter(({ peer }) => peer === id).map(({ expiry }) => expiry)),
    );
    expect(Math.min(...ends)).toBeGreaterThan(Date.now() / 1000);
    return Date.now() / 1000 > joined + 3 * ENDING_TTL;
  });
  const [restarts = 0, others] = [
    (await offersOf(named)) - (offers[0] ?? 0),
    (await offersOf(other)) - (offers[1] ?? 0),
  ];
  // One every 0.4 lives, which is 3.2 s.
  expect(restarts).toBeGreaterThanOrEqual(4);
  expect(restarts).toBeLessThanOrEqual(10);
  expect(others).toBe(0);
  expect(await flowsOf(backend)).toEqual(flows);
  const stats = await Promise.all([one.receives(two.id), two.receives(one.id)]);
  for (const { pair } of stats) expect(pair?.local.candidateType).toBe("relay");
  const gaps = await Promise.all([gapOf(one), gapOf(two)]);
  expect(Math.max(...gaps)).toBeLessThan(LOST_MS);
  await Promise.all([one.close(), two.close()]);
});

it.each([5, 20, 59, 60, 3_600, 172_800])(
  "[A3] the SDK asks for new credentials before half of a life of %i s is over, and again until they come",
  (lifeSeconds) => {
    vi.useFakeTimers({ now: 1_700_000_000_000 });
    try {
      const asked: number[] = [];
      const start = Date.now();
      const servers = new IceServers(() => asked.push((Date.now() - start) / 1000));
      servers.set([{ urls: ["turn:t.example.com"] }], start + lifeSeconds * 1000, undefined);
      vi.advanceTimersByTime(lifeSeconds * 500);
      expect(asked[0]).toBeLessThan(lifeSeconds / 2);
      vi.advanceTimersByTime(lifeSeconds * 500);
      expect(asked.length).toBeGreaterThan(1);
      servers.set([{ urls: ["turn:t.example.com"] }], Date.now() + lifeSeconds * 1000, undefined);
      const before = asked.length;
      vi.advanceTimersByTime(lifeSeconds * 250);
      expect(asked).toHaveLength(before);
      servers.stop();
    } finally {
      vi.useRealTimers();
    }
  },
);

it("[A3] the named side has less than two renewals left at the first, the other less than one at the second", () => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
  try {
    const servers = new IceServers(() => servers.set([], Date.now() + 600_000, true));
    servers.set([], Date.now() + 600_000, true);
    const relaysEndAt = servers.endAt;
    const left = () => servers.renewalsUntil(relaysEndAt);
    expect(left()).toBeGreaterThan(2);
    vi.advanceTimersByTime(240_000);
    expect(left()).toBeGreaterThan(1);
    expect(left()).toBeLessThan(2);
    vi.advanceTimersByTime(240_000);
    expect(left()).toBeGreaterThan(0);
    expect(left()).toBeLessThan(1);
    // The device slept: whatever fires first when it wakes finds that it is late.
    vi.setSystemTime(1_700_000_000_000 + 3_600_000);
    expect(left()).toBeLessThan(0);
    servers.set([], Date.now() + 600_000, undefined);
    expect(left()).toBe(Number.POSITIVE_INFINITY);
    servers.stop();
  } finally {
    vi.useRealTimers();
  }
});
