import { abortAllDurableObjects, reset } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PeerSockets } from "../durable-objects/peer-sockets.ts";
import { SessionMemory } from "../durable-objects/session-memory.ts";
import type { FlowsView } from "../protocol/flow.ts";
import { newSession } from "../protocol/session.ts";
import { SessionRequest } from "../protocol/session-config.ts";
import { sdpOf } from "./descriptions.ts";
import { callJson, type LivePeer, LiveSession, MODES } from "./live-session.ts";

/** What sockets remember and no row has (decision 0021). */

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const later = (seconds: number): void => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
};

let ids = 0;
const ask = (peer: LivePeer, message: object) =>
  peer.request({ ...message, id: ++ids } as { id: number });

/** `of`: whose description each is; every end of several links has certificates and sources of its own. */
async function agree(
  offerer: LivePeer,
  answerer: LivePeer,
  [offered, answered]: readonly { of?: string }[] = [],
): Promise<void> {
  const sections = [{ kind: "audio" }, { kind: "video" }] as const;
  const offer = { type: "offer", to: answerer.id, sdp: sdpOf({ sections, ...offered }) };
  const { exchange } = (await ask(offerer, offer)) as { exchange: number };
  const sdp = sdpOf({ sections, setup: "active", ...answered });
  expect(await ask(answerer, { type: "answer", to: offerer.id, exchange, sdp })).toMatchObject({
    type: "ack",
  });
}

const end = (port: number) => ({ candidateType: "host", address: "192.0.2.1", port });
const PAIR = { local: end(50_001), remote: end(50_002) };

const connected = (from: LivePeer, to: LivePeer) =>
  ask(from, { type: "transport", to: to.id, state: "connected", pair: PAIR });

async function measure(from: LivePeer, to: LivePeer, bitrateBps: number): Promise<void> {
  const { flows } = await from.session.read<FlowsView>("/flows");
  const reports = flows
    .filter((flow) => flow.from === from.id)
    .map(({ id }) => ({ flow: id, bitrateBps, packets: 100 }));
  expect(await ask(from, { type: "quality", to: to.id, flows: reports })).toMatchObject({
    type: "ack",
  });
}

/** The same session after its memory is gone. */
const evict = (session: LiveSession): Promise<void> =>
  new LiveSession(session.id, "evicted").pause();

const statesOf = async (session: LiveSession) =>
  (await session.read<{ peers: { id: string; state: string }[] }>("/peers")).peers
    .map(({ id, state }) => `${id} ${state}`)
    .toSorted();

describe.each(MODES)("%s", (mode) => {
  it("[M20] the first join, transports and figures write no row of a small session, and are there after an eviction", async () => {
    const session = await LiveSession.start(mode);
    const created = await session.stored();
    const alice = await session.join({ name: "Alice" });
    expect(await session.stored()).toBe(created);
    const bob = await session.join();
    expect(await statesOf(session)).toEqual(
      [`${alice.id} connected`, `${bob.id} connected`].toSorted(),
    );
    await agree(alice, bob);
    const agreed = await session.stored();
    expect(agreed).toContain("Alice");
    await connected(alice, bob);
    await measure(alice, bob, 100_000);
    await connected(bob, alice);
    await measure(alice, bob, 200_000);
    await measure(bob, alice, 300_000);
    expect(await session.stored()).toBe(agreed);
    const view = await session.read<FlowsView>("/flows");
    expect(view.flows.map(({ state }) => state)).toEqual(Array.from({ length: 4 }, () => "active"));
    expect(view.flows.map(({ quality }) => Object.values(quality ?? {})[0]?.bitrateBps)).toEqual(
      view.flows.map(({ from }) => (from === alice.id ? 200_000 : 300_000)),
    );
    await evict(session);
    expect(await session.read<FlowsView>("/flows")).toEqual(view);
    // Whoever knows what was before learns what comes next, and only that.
    await measure(alice, bob, 400_000);
    const heard = (await bob.all("flows")).at(-1);
    expect(heard?.revision).toBe(view.revision + 1);
  });

  it("[M20] what the four peers of a small session experience writes no row either", async () => {
    const session = await LiveSession.start(mode);
    const peers: LivePeer[] = [];
    for (let n = 0; n < 4; n++) peers.push(await session.join());
    const pairs = peers.flatMap((one, n) =>
      peers.slice(n + 1).map((other) => [one, other] as const),
    );
    for (const [n, [one, other]] of pairs.entries()) {
      await agree(one, other, [{ of: `offerer${n}` }, { of: `answerer${n}` }]);
      await connected(one, other);
      await connected(other, one);
    }
    const [alice] = peers;
    const experience = (reporter: LivePeer, n: number, from: string, kind: string) => ({
      ...{ bitrateBps: 1_500_000 + n, packets: 123_456 + n, pt: 96 },
      ...(kind === "video" && { framesPerSecond: 30, width: 1280, height: 720 }),
      ...(from === reporter.id ? { roundTripMs: 123 } : { packetsLost: 123, jitterMs: 12 }),
      qoe: {
        ...{ measuredMs: 123_456, codecBps: 1_400_000 },
        ...(kind === "video" && { framesPerSecond: 29.9 }),
        ...(from !== reporter.id && {
          ...{ corruptions: 12, corruptionMs: 1_234, losses: 12, jitters: 1, jitterMs: 5_000 },
          ...(kind === "video" && { syncLosses: 0 }),
          internalMs: 123,
        }),
      },
    });
    const agreed = await session.stored();
    for (const other of peers.filter((peer) => peer !== alice)) {
      const { flows } = await session.read<FlowsView>(`/flows?peer=${other.id}`);
      const reports = flows
        .filter(({ from, to }) => from === alice!.id || to === alice!.id)
        .map(({ id, from, kind }, n) => ({ flow: id, ...experience(alice!, n, from, kind) }));
      expect(reports).toHaveLength(4);
      const told = await ask(alice!, { type: "quality", to: other.id, flows: reports });
      expect(told).toMatchObject({ type: "ack" });
    }
    expect(await session.stored()).toBe(agreed);
    const measured = async () =>
      (await session.read<FlowsView>("/flows")).flows
        .flatMap(({ id, revision, quality }) => (quality ? [{ id, revision, quality }] : []))
        .toSorted((one, other) => one.id.localeCompare(other.id));
    const before = await measured();
    expect(before.filter(({ quality }) => quality[alice!.id]?.qoe?.at)).toHaveLength(12);
    await evict(session);
    expect(await measured()).toEqual(before);
  });

  it("[S5] the only peer is away when its socket goes while the object sleeps", async () => {
    const session = await LiveSession.start(mode);
    const alice = await session.join();
    await evict(session);
    alice.socket.close(1001, "gone");
    await alice.closing();
    await expect.poll(() => statesOf(session)).toEqual([`${alice.id} away`]);
    const again = await session.connect(alice.invitation);
    expect(again.closed).toBeNull();
    expect(await statesOf(session)).toEqual([`${alice.id} connected`]);
  });

  it("[R4] who came first is known by the socket of who came later", async () => {
    const session = await LiveSession.start(mode);
    const alice = await session.join();
    const bob = await session.join();
    await evict(session);
    alice.socket.close(1001, "gone");
    await ask(bob, { type: "offer", to: alice.id, sdp: sdpOf() });
    await expect
      .poll(() => statesOf(session))
      .toEqual([`${alice.id} away`, `${bob.id} connected`].toSorted());
    const again = await session.connect(alice.invitation);
    expect(await again.next("offer")).toMatchObject({ exchange: 1 });
  });

  it("[M20] what a socket has no room for is written", async () => {
    const session = await LiveSession.start(mode);
    const created = await session.stored();
    const alice = await session.join({ metadata: { note: "x".repeat(1_000) } });
    expect(await session.stored()).toBe(created);
    const bob = await session.join();
    expect(await session.stored()).toContain(alice.id);
    await agree(alice, bob);
    for (let round = 0; round < 12; round++)
      await connected(round % 2 ? alice : bob, round % 2 ? bob : alice);
    for (const state of ["disconnected", "connected"]) {
      for (let round = 0; round < 8; round++) {
        const pair = { local: end(51_000 + round), remote: end(52_000 + round) };
        await ask(alice, { type: "transport", to: bob.id, state, pair });
      }
    }
    const view = await session.read<FlowsView>("/flows");
    await evict(session);
    expect(await session.read<FlowsView>("/flows")).toEqual(view);
  });

  it("[R4] a session that has grown has rows of its own, and no event comes twice", async () => {
    const session = await LiveSession.start(mode);
    const peers: LivePeer[] = [];
    for (let n = 0; n < 3; n++) peers.push(await session.join());
    const [alice, bob] = peers as [LivePeer, LivePeer];
    await agree(alice, bob);
    await connected(alice, bob);
    for (let n = 0; n < 3; n++) peers.push(await session.join());
    await ask(alice, { type: "offer", to: peers[5]?.id, sdp: sdpOf() });
    expect(await session.stored()).toBeNull();
    await measure(alice, bob, 100_000);
    await connected(bob, alice);
    // Links that were read come by their ids.
    const byId = async () => {
      const view = await session.read<FlowsView>("/flows");
      return { ...view, flows: view.flows.toSorted((one, other) => (one.id < other.id ? -1 : 1)) };
    };
    const view = await byId();
    await evict(session);
    expect(await byId()).toEqual(view);
    expect(await statesOf(session)).toEqual(peers.map(({ id }) => `${id} connected`).toSorted());
    for (const peer of peers) expect(await peer.all("peer-left")).toEqual([]);
  });
});

describe.each(MODES)("alone, %s", (mode) => {
  /** Two agree, and one leaves; the alarm of the first minute was before. */
  async function leftAlone(): Promise<{ session: LiveSession; bob: LivePeer }> {
    const session = await LiveSession.start(mode);
    const [alice, bob] = [await session.join(), await session.join({ name: "Bob" })];
    await agree(alice, bob);
    later(61);
    await session.alarm();
    await ask(alice, { type: "leave" });
    return { session, bob };
  }

  const endsAt = (session: LiveSession) => session.inside(({ storage }) => storage.getAlarm());

  it("[M20] a session without options of its own is its alarm alone until a second peer comes", async () => {
    const session = await LiveSession.start(mode);
    const created = await session.read();
    expect(await session.stored()).toBeNull();
    await evict(session);
    expect(await session.read()).toEqual(created);
    const alice = await session.join();
    expect(await session.stored()).toBeNull();
    await evict(session);
    expect(await statesOf(session)).toEqual([`${alice.id} connected`]);
    await ask(alice, { type: "leave" });
    await evict(session);
    expect(await session.read()).toEqual(created);
    await session.join();
    await session.join();
    expect(await session.stored()).toContain(session.id);
  });

  it("[M20] options of its own are a row", async () => {
    const session = await LiveSession.start(mode, { resumeSeconds: 90 });
    expect(await session.stored()).toContain('"resumeSeconds":90');
  });

  it("[S6] a session that nobody joins ends in its time", async () => {
    const session = await LiveSession.start(mode);
    const { createdAt } = await session.read<{ createdAt: number }>();
    later(60);
    await session.alarm();
    expect(await session.stored()).not.toBeNull();
    await evict(session);
    expect(await session.read<{ createdAt: number }>()).toMatchObject({ createdAt });
    expect(await endsAt(session)).toBe(createdAt + 300_000);
    later(240);
    await session.alarm();
    expect(await session.read()).toMatchObject({ code: "session-not-found" });
  });

  it("[R4] whoever is left alone is remembered by its socket, and has left by the alarm", async () => {
    const { session, bob } = await leftAlone();
    const row = await session.stored();
    expect(row).not.toContain("Bob");
    await evict(session);
    expect(await statesOf(session)).toEqual([`${bob.id} connected`]);
    later(1000);
    await ask(bob, { type: "leave" });
    const at = Date.now();
    expect(await session.stored()).toBe(row);
    expect(await endsAt(session)).toBe(at + 300_000);
    await evict(session);
    expect(await statesOf(session)).toEqual([]);
    later(299);
    await evict(session);
    await session.alarm();
    expect(await statesOf(session)).toEqual([]);
    expect(await endsAt(session)).toBe(at + 300_000);
    later(1);
    await evict(session);
    await session.alarm();
    expect(await session.read()).toMatchObject({ code: "session-not-found" });
  });

  it("[R4] whoever comes to one that was left alone finds it, and what was before", async () => {
    const { session, bob } = await leftAlone();
    const before = await session.read<FlowsView>("/flows");
    expect(before.flows.map(({ reason }) => reason)).toEqual(Array(4).fill("left"));
    const carol = await session.join();
    expect((await bob.next("peer-joined")).peer.id).toBe(carol.id);
    await evict(session);
    expect(await session.stored()).toContain("Bob");
    expect(await statesOf(session)).toEqual(
      [`${bob.id} connected`, `${carol.id} connected`].toSorted(),
    );
    expect(await session.read<FlowsView>("/flows")).toEqual(before);
    await agree(carol, bob);
  });

  it("[S5] whoever was left alone is away when its socket goes while the object sleeps", async () => {
    const { session, bob } = await leftAlone();
    await evict(session);
    bob.socket.close(1001, "gone");
    await bob.closing();
    await expect.poll(() => statesOf(session)).toEqual([`${bob.id} away`]);
    const again = await session.connect(bob.invitation);
    expect(await statesOf(session)).toEqual([`${bob.id} connected`]);
    await ask(again, { type: "leave" });
    await evict(session);
    expect(await statesOf(session)).toEqual([]);
  });

  it("[A1] whoever is left alone and kicked stays out", async () => {
    const { session, bob } = await leftAlone();
    await callJson(`${session.path}/peers/${bob.id}`, "DELETE");
    await evict(session);
    expect(await statesOf(session)).toEqual([]);
    expect((await session.upgrade(bob.token)).status).toBe(401);
  });
});

it("[M20] what memory keeps of events does not grow as long as the object is awake", async () => {
  const session = await LiveSession.start("awake");
  const alice = await session.join();
  const { most, rows } = await session.inside((state) => {
    const memory = new SessionMemory(state, new PeerSockets(state, undefined));
    const [sender] = state.getWebSockets();
    let before = newSession(session.id, SessionRequest.parse({}), Date.now());
    memory.create(before);
    let most = 0;
    let rows = 0;
    for (let n = 0; n < 500; n++) {
      const after = { ...before, kicked: new Map() };
      const message = { type: "transport", to: "bob", state: "connected", reason: `${n}` } as const;
      const event = { type: "message", peer: alice.id, message, at: n } as const;
      memory.keep(before, after, event, { sender });
      before = after;
      most = Math.max(most, memory.eventsApart);
      if (memory.eventsApart === 0) rows += 1;
    }
    return { most, rows };
  });
  // As many as a socket remembers; a row has those before.
  expect(most).toBeGreaterThan(10);
  expect(most).toBeLessThan(30);
  expect(rows).toBeGreaterThan(10);
});

it("[R4] an alarm that wakes the object knows whose it is", async () => {
  const session = await LiveSession.start("awake");
  await session.inside(({ storage }) => storage.setAlarm(Date.now() + 1500));
  await evict(session);
  // Nothing else may wake it.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  await expect.poll(() => session.stored(), { timeout: 10_000 }).toContain(session.id);
});

it("[S5] after an abort, whoever was left alone comes as at first", async () => {
  const session = await LiveSession.start("awake");
  const [alice, bob] = [await session.join(), await session.join()];
  await agree(alice, bob);
  await ask(alice, { type: "leave" });
  await abortAllDurableObjects();
  expect(await statesOf(session)).toEqual([]);
  const again = await session.connect(bob.invitation);
  const carol = await session.join();
  await agree(carol, again);
  expect(await statesOf(session)).toEqual(
    [`${bob.id} connected`, `${carol.id} connected`].toSorted(),
  );
});

it("[S5] after an abort, whoever others knew of is away, and comes back without a word to them", async () => {
  const session = await LiveSession.start("awake");
  const alice = await session.join();
  const bob = await session.join();
  await abortAllDurableObjects();
  const again = await session.connect(bob.invitation);
  expect(await statesOf(session)).toEqual([`${alice.id} away`, `${bob.id} connected`].toSorted());
  const other = await session.connect(alice.invitation);
  expect(await again.all("peer-joined")).toEqual([]);
  await agree(other, again);
});

it("[S5] after an abort, a peer that was alone comes as at first", async () => {
  const session = await LiveSession.start("awake");
  const alice = await session.join();
  await abortAllDurableObjects();
  expect(await statesOf(session)).toEqual([]);
  await session.connect(alice.invitation);
  expect(await statesOf(session)).toEqual([`${alice.id} connected`]);
});
