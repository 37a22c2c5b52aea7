import { abortAllDurableObjects, reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { FlowsView } from "../protocol/flow.ts";
import { sdpOf } from "./descriptions.ts";
import { type LivePeer, LiveSession, MODES } from "./live-session.ts";

/** What sockets remember and no row has (decision 0021). */

afterEach(async () => {
  await reset();
});

let ids = 0;
const ask = (peer: LivePeer, message: object) =>
  peer.request({ ...message, id: ++ids } as { id: number });

async function agree(offerer: LivePeer, answerer: LivePeer): Promise<void> {
  const sections = [{ kind: "audio" }, { kind: "video" }] as const;
  const offer = { type: "offer", to: answerer.id, sdp: sdpOf({ sections }) };
  const { exchange } = (await ask(offerer, offer)) as { exchange: number };
  const sdp = sdpOf({ sections, setup: "active" });
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
