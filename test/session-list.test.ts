import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SessionIndex } from "../durable-objects/session-index.ts";
import type { FromPeer } from "../protocol/messages.ts";
import { overviewOf, SessionOverview } from "../protocol/session-overview.ts";
import type { TransportState } from "../protocol/transport.ts";
import { type Bill, NOTHING } from "./bill.ts";
import { sdpOf } from "./descriptions.ts";
import { call, callJson, KEY, type LivePeer, LiveSession, MODES } from "./live-session.ts";
import { Meter } from "./meter.ts";
import { accepted, PureSession } from "./pure-session.ts";

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

const SECOND_KEY = { authorization: "Bearer second-key" };

interface List {
  sessions: SessionOverview[];
  cursor?: string;
}

async function listOf(query = "", headers: object = KEY): Promise<List> {
  const response = await callJson(`/v1/sessions${query}`, "GET", undefined, headers);
  if (response.status !== 200) throw new Error(await response.text());
  return (await response.json()) as List;
}

const idsOf = ({ sessions }: List): string[] => sessions.map(({ id }) => id);

async function create(config: object = {}, headers: object = KEY): Promise<string> {
  const response = await callJson("/v1/sessions", "POST", { listed: true, ...config }, headers);
  return ((await response.json()) as { id: string }).id;
}

/** Several, one after the other. */
async function createMany(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let made = 0; made < count; made++) ids.push(await create());
  return ids;
}

const { SESSION_INDEX } = env as unknown as { SESSION_INDEX: DurableObjectNamespace<SessionIndex> };

/** Agrees on audio, and tells the state of the path. */
async function callOf(alice: LivePeer, bob: LivePeer, state: TransportState): Promise<void> {
  await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
  const { exchange } = await bob.next("offer");
  const sdp = sdpOf({ setup: "active" });
  await bob.request({ type: "answer", id: 1, to: alice.id, exchange, sdp } as never);
  await alice.request({ type: "transport", id: 2, to: bob.id, state } as never);
}

describe("the list of sessions", () => {
  it("[M1] has those that asked for it, newest first, page by page, and not those that ended", async () => {
    const made = await createMany(7);
    await callJson("/v1/sessions", "POST", {});
    await callJson(`/v1/sessions/${made[3]}`, "DELETE");
    const wanted = made.filter((id) => id !== made[3]).reverse();
    expect(idsOf(await listOf())).toEqual(wanted);
    const first = await listOf("?limit=4");
    expect(idsOf(first)).toEqual(wanted.slice(0, 4));
    const second = await listOf(`?limit=4&cursor=${first.cursor}`);
    expect(idsOf(second)).toEqual(wanted.slice(4));
    expect(second.cursor).toBeUndefined();
    const exact = await listOf("?limit=6");
    expect([exact.sessions.length, exact.cursor]).toEqual([6, undefined]);
  });

  it("[M1] goes on where the page before ended, whatever comes and goes meanwhile", async () => {
    const made = await createMany(6);
    const first = await listOf("?limit=2");
    await createMany(3);
    // The last of the page read, and one of the page to come.
    for (const gone of [made[4], made[2]]) await callJson(`/v1/sessions/${gone}`, "DELETE");
    const rest = await listOf(`?limit=100&cursor=${first.cursor}`);
    expect(idsOf(first)).toEqual([made[5], made[4]]);
    expect(idsOf(rest)).toEqual([made[3], made[1], made[0]]);
  });

  it("[A2] is that of the API key that asks: another key has its own, and reads the session by its id", async () => {
    const mine = await create();
    const theirs = await create({}, SECOND_KEY);
    expect(idsOf(await listOf())).toEqual([mine]);
    expect(idsOf(await listOf("", SECOND_KEY))).toEqual([theirs]);
    expect((await call(`/v1/sessions/${theirs}`, { headers: KEY })).status).toBe(200);
    // Its end is told to the index it is in, whoever ends it.
    await callJson(`/v1/sessions/${theirs}`, "DELETE");
    expect(idsOf(await listOf("", SECOND_KEY))).toEqual([]);
  });

  it.each(["?cursor=x", "?cursor=-1", "?limit=0", "?limit=101", "?limit=many"])(
    "[M1] %s is refused",
    async (query) => {
      const response = await call(`/v1/sessions${query}`, { headers: KEY });
      expect(await response.json()).toMatchObject({ code: "invalid-request" });
    },
  );

  it("[M1] an entry without its session is left out, and goes once the session cannot be on its way", async () => {
    const kept = await create();
    const dead = await create();
    // A crash between the entry and the session, or between its end and the word of it.
    const crashed = new LiveSession(dead, "evicted");
    await crashed.inside(({ storage }) => storage.deleteAll());
    await crashed.pause();
    const meter = await Meter.start(await LiveSession.start("awake"));
    try {
      expect(idsOf(await listOf())).toEqual([kept]);
      // Asked for again: it could have been made just now.
      const early = await meter.of(() => listOf());
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
      expect(idsOf(await listOf())).toEqual([kept]);
      const late = await meter.of(() => listOf());
      // The index, two sessions and what is gone; then the index and one session.
      expect([early.calls, late.calls]).toEqual([4, 2]);
    } finally {
      meter.stop();
    }
  });

  it("[S8] a session that cannot be read is left out, not the others, and stays on the list", async () => {
    const sound = await create();
    const broken = new LiveSession(await create(), "evicted");
    const faults = vi.spyOn(console, "error").mockImplementation(() => undefined);
    let whole = "";
    await broken.rewrite((json) => {
      whole = json;
      return "{";
    });
    await broken.pause();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    expect(idsOf(await listOf())).toEqual([sound]);
    expect(faults).toHaveBeenCalled();
    await broken.rewrite(() => whole);
    await broken.pause();
    expect(idsOf(await listOf())).toEqual([broken.id, sound]);
  });

  it("[M1] a session that could not be made is not on the list", async () => {
    const { default: worker } = await import("../src/index.ts");
    const faults = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const create = () => Promise.reject(new Error("overloaded"));
    const bindings = { ...env, SESSIONS: { getByName: () => ({ create }) } } as never;
    const body = JSON.stringify({ listed: true });
    const headers = { ...KEY, "content-type": "application/json" };
    const asked = new Request("https://duplex.test/v1/sessions", { method: "POST", headers, body });
    const later = { waitUntil: () => undefined, passThroughOnException: () => undefined } as never;
    expect((await worker.fetch(asked, bindings, later)).status).toBe(500);
    expect(faults).toHaveBeenCalledTimes(1);
    const told = await (await call("/v1/metrics", { headers: KEY })).text();
    expect(told).toContain("duplex_sessions_listed 0\n");
    expect(told).toContain("duplex_sessions_listed_total 1\n");
  });
});

describe("an index", () => {
  it("[M20] writes one row for an entry and one when it goes, and knows for nothing how many there were", async () => {
    const index = SESSION_INDEX.getByName("of-a-key");
    // Its table is made once.
    expect(await index.totals()).toEqual({ listed: 0, everListed: 0 });
    const meter = await Meter.start(await LiveSession.start("awake"));
    try {
      const bill = await meter.of(async () => {
        // One at a time, several, those in the middle first.
        for (const id of ["a", "b", "c"]) await index.remove(await index.add(id, 0));
        const numbers: number[] = [];
        for (const id of ["d", "e", "f"]) numbers.push(await index.add(id, 0));
        expect(numbers).toEqual([4, 5, 6]);
        for (const n of [5, 6, 4]) await index.remove(n);
      });
      expect(bill.rowsWritten).toBe(6 + 6);
      expect(await index.totals()).toEqual({ listed: 0, everListed: 6 });
      // What has gone goes once.
      expect((await meter.of(() => index.remove(6))).rowsWritten).toBe(0);
      expect(await index.add("g", 0)).toBe(7);
      expect(await index.totals()).toEqual({ listed: 1, everListed: 7 });
    } finally {
      meter.stop();
    }
  });
});

describe.each(MODES)("the price of a listed session (%s)", (mode) => {
  it("[M20] three rows and two object requests more than of one that is not", async () => {
    const meter = await Meter.start(await LiveSession.start("awake"));
    const wait = async (config: object) => {
      await callJson((await LiveSession.start(mode, config)).path, "DELETE");
    };
    const life = async (config: object) => {
      const session = await LiveSession.start(mode, config);
      const alice = await session.join();
      const bob = await session.join();
      await callOf(alice, bob, "connected");
      await callJson(session.path, "DELETE");
    };
    await listOf();
    try {
      const plain = await meter.of(() => life({}));
      const empty = await meter.of(() => wait({}));
      // The index hears of an end after who asked for it.
      const priceOf = async (act: () => Promise<void>, { calls, rowsWritten }: Bill) => {
        const before = meter.bill;
        await act();
        const more = () => ({
          calls: meter.bill.calls - before.calls - calls,
          rowsWritten: meter.bill.rowsWritten - before.rowsWritten - rowsWritten,
        });
        await vi.waitFor(() => expect(more().calls).toBe(2));
        return more();
      };
      const listed = { listed: true };
      expect(await priceOf(() => life(listed), plain)).toEqual({ calls: 2, rowsWritten: 3 });
      expect(await priceOf(() => wait(listed), empty)).toEqual({ calls: 2, rowsWritten: 3 });
    } finally {
      meter.stop();
    }
  });

  it("[R5] what is listed idles for nothing", async () => {
    const session = await LiveSession.start(mode, { listed: true });
    const meter = await Meter.start(session);
    try {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
      expect(await meter.of(async () => undefined)).toEqual(NOTHING);
    } finally {
      meter.stop();
    }
  });

  it("[M15] an entry says who is there, how the links do, and what the session was made with", async () => {
    const metadata = { title: "stand-up" };
    const session = await LiveSession.start(mode, { listed: true, metadata, emptyTtlSeconds: 90 });
    const { createdAt } = await session.read<{ createdAt: number }>();
    const empty = { connected: 0, away: 0, observers: 0 };
    expect((await listOf()).sessions).toEqual([
      {
        id: session.id,
        createdAt,
        endsAt: createdAt + 90_000,
        topology: "mesh",
        peers: empty,
        links: {},
        metadata,
      },
    ]);
    const alice = await session.join();
    const bob = await session.join();
    await session.join({ role: "observer" });
    await callOf(alice, bob, "failed");
    const [entry] = (await listOf()).sessions;
    expect(entry).toMatchObject({
      peers: { connected: 2, away: 0, observers: 1 },
      links: { failed: 1 },
      state: "failed",
    });
    expect(entry).not.toHaveProperty("endsAt");
    // Which index it is in is nobody's business.
    expect(JSON.stringify([entry, await session.read("")])).not.toContain("index");
  });

  it("[S6] grown into several rows it still knows its entry", async () => {
    const session = await LiveSession.start(mode, { listed: true });
    for (let peers = 0; peers < 6; peers++) await session.join();
    expect(await session.stored()).toBeNull();
    await new LiveSession(session.id, "evicted").pause();
    await callJson(session.path, "DELETE");
    expect(idsOf(await listOf())).toEqual([]);
  });
});

describe("a session at a glance", () => {
  let pure: PureSession;

  /** What of another end `name` sends to `to`, by an exchange of their own. */
  const agree = (name: string, to: string) => {
    accepted(pure.send(name, { type: "offer", to, sdp: sdpOf({ of: name }) } as FromPeer));
    const sdp = sdpOf({ setup: "active", of: to });
    accepted(pure.send(to, { type: "answer", to: name, exchange: 1, sdp } as FromPeer));
  };
  const told = (from: string, to: string, state: TransportState) =>
    accepted(pure.send(from, { type: "transport", to, state } as FromPeer));
  const overview = () => overviewOf(pure.session, []);

  beforeEach(() => {
    pure = new PureSession();
    for (const name of ["ann", "ben", "cat"]) accepted(pure.join(name));
  });

  it("[M15] the worst of its links is its state", () => {
    expect(overview()).not.toHaveProperty("state");
    accepted(pure.send("ann", { type: "offer", to: "ben", sdp: sdpOf({ of: "ann" }) }));
    expect(overview()).toMatchObject({ links: { waiting: 1 }, state: "waiting" });
    accepted(pure.send("ann", { type: "rollback", to: "ben", exchange: 1 }));
    expect(overview().links).toEqual({});
    agree("ben", "cat");
    expect(overview()).toMatchObject({ links: { connecting: 1 }, state: "connecting" });
    agree("ann", "cat");
    for (const [state, wanted] of [
      ["checking", "connecting"],
      ["connected", "connecting"],
      ["disconnected", "degraded"],
      ["failed", "failed"],
    ] as const) {
      told("ann", "cat", state);
      expect(overview().state).toBe(wanted);
    }
    told("ann", "cat", "connected");
    told("ben", "cat", "connected");
    expect(overview()).toMatchObject({ links: { working: 2 }, state: "working" });
    told("ben", "cat", "closed");
    expect(overview()).toMatchObject({ links: { working: 1, waiting: 1 }, state: "waiting" });
  });

  it("[M15] links that a peer has left are over, and lost peers are away", () => {
    agree("ann", "ben");
    told("ann", "ben", "connected");
    accepted(pure.send("ben", { type: "leave" }));
    expect(overview()).toMatchObject({ links: {}, peers: { connected: 2, away: 0 } });
    accepted(pure.do({ type: "lost", peer: "cat", at: pure.at }));
    accepted(pure.join("eve", "observer"));
    accepted(pure.do({ type: "lost", peer: "eve", at: pure.at }));
    expect(overview().peers).toEqual({ connected: 1, away: 1, observers: 0 });
  });

  it("[M15] of verdicts the worst is shown, where something is wrong", () => {
    const evidence: never[] = [];
    const fine = { state: "working", says: "It works.", evidence } as const;
    const slow = { ...fine, link: "a~b", state: "degraded", says: "It stutters." } as const;
    const dead = { ...slow, state: "failed", cause: "ice-failed", says: "No path." } as const;
    const verdict = (...all: Parameters<typeof overviewOf>[1]) =>
      overviewOf(pure.session, all).verdict;
    expect(verdict(fine)).toBeUndefined();
    expect(verdict(fine, slow)).toEqual({ link: "a~b", state: "degraded", says: "It stutters." });
    expect(verdict(slow, dead)).toEqual({
      link: "a~b",
      state: "failed",
      cause: "ice-failed",
      says: "No path.",
    });
    expect(verdict({ ...fine, state: "failed" })).toEqual({ state: "failed", says: "It works." });
    expect(SessionOverview.parse(overviewOf(pure.session, [dead]))).toBeDefined();
  });

  it("[M15] metadata and the time of the end are those of the session", () => {
    const waiting = new PureSession({ metadata: { a: 1 }, emptyTtlSeconds: 60 });
    const { at, session } = waiting;
    expect(overviewOf(session, [])).toMatchObject({ metadata: { a: 1 }, endsAt: at + 60_000 });
  });
});
