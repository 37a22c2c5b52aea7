import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../durable-objects/env.ts";
import type { PeerView } from "../protocol/message-parts.ts";
import type { SimulatedFault } from "../protocol/simulated-fault.ts";
import { app } from "../src/app.ts";
import { sdpOf } from "./descriptions.ts";
import { KEY, type LivePeer, LiveSession, MODES } from "./live-session.ts";

/**
 * Faults on purpose. The objects read LOCAL_DEV when they start; the Worker read it when it was first asked, by this
 * file or one before it, so that it is asked with variables of its own.
 */

const variables = env as unknown as Record<string, unknown>;

const localDev = (on: boolean): void => {
  if (on) variables.LOCAL_DEV = "true";
  else delete variables.LOCAL_DEV;
};

beforeAll(() => localDev(true));
afterAll(() => localDev(false));
afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

/** Moves the clock that the object reads. */
const later = (seconds: number): void => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
};

let ids = 1000;

/** Over the peer's own socket; gives the reply. */
const simulate = (peer: LivePeer, fault: SimulatedFault) => {
  ids += 1;
  return peer.request({ type: "simulate", id: ids, ...fault } as never);
};

const local = { ...variables, LOCAL_DEV: "true" } as unknown as Bindings;

const post = (member: string, fault: unknown, headers: object = KEY) =>
  app.request(
    `/v1/sessions/${member}/simulate`,
    {
      method: "POST",
      body: JSON.stringify(fault),
      headers: { ...headers, "content-type": "application/json" },
    },
    local as never,
  );

const simulateByHttp = (peer: LivePeer, fault: SimulatedFault, headers: object = KEY) =>
  post(`${peer.session.id}/peers/${peer.id}`, fault, headers);

const bearer = ({ token }: LivePeer) => ({ authorization: `Bearer ${token}` });

const say = (from: LivePeer, to: LivePeer, body: unknown) =>
  from.send({ type: "message", to: to.id, body });

/** The same, until the server has taken it. */
const tell = (from: LivePeer, to: LivePeer, body: unknown) => {
  ids += 1;
  return from.request({ type: "message", id: ids, to: to.id, body } as never);
};

const hears = async (peer: LivePeer, wanted: readonly unknown[]) => {
  const heard: unknown[] = [];
  while (heard.length < wanted.length) heard.push((await peer.next("message")).body);
  expect(heard).toEqual(wanted);
};

const bodies = async (peer: LivePeer) => (await peer.all("message")).map(({ body }) => body);

async function pair(mode: "awake" | "evicted" = "awake") {
  const session = await LiveSession.start(mode);
  const alice = await session.join({ name: "Alice" });
  const bob = await session.join({ name: "Bob" });
  await alice.next("peer-joined");
  return { session, alice, bob };
}

/** Neither a leave nor a join was seen: the other is back, or was never away. */
const expectUndisturbed = async (peer: LivePeer) => {
  expect(await peer.all("peer-left")).toEqual([]);
  expect(await peer.all("peer-joined")).toEqual([]);
};

describe.each(MODES)("%s", (mode) => {
  for (const [how, ask] of [
    ["over the socket", simulate],
    ["over HTTP", simulateByHttp],
  ] as const) {
    it(`[S5] drop ${how}: the socket ends without a farewell, its peer is away and may resume`, async () => {
      const { session, alice, bob } = await pair(mode);
      await ask(bob, { fault: "drop" });
      expect((await bob.closing()).code).toBe(2999);
      expect(bob.inbox.map(({ type }) => type)).not.toContain("closing");
      const { peers } = await session.read<{ peers: { id: string; state: string }[] }>("/peers");
      expect(peers.find(({ id }) => id === bob.id)).toMatchObject({ state: "away" });
      expect((await simulateByHttp(bob, { fault: "drop" })).status).toBe(409);
      const back = await session.connect(bob.invitation);
      await say(alice, back, "hello");
      expect(await back.next("message")).toMatchObject({ body: "hello" });
      await expectUndisturbed(alice);
    });
  }

  it("[S3] half-open: nothing goes through any more, not even pings, until a new socket takes over", async () => {
    const { session, alice, bob } = await pair(mode);
    expect(await simulate(bob, { fault: "half-open" })).toMatchObject({ type: "ack" });
    const heard = bob.inbox.length;
    await say(bob, alice, "lost");
    await bob.send('{"type":"ping"}');
    // The others are served as before.
    await tell(alice, bob, "lost too");
    // The object was woken by now, and still the runtime answers none.
    bob.socket.send('{"type":"ping"}');
    await alice.settled();
    await session.pause();
    await alice.settled();
    expect(await bodies(alice)).toEqual([]);
    expect(bob.inbox).toHaveLength(heard);
    const back = await session.connect(bob.invitation);
    expect((await bob.closing()).code).toBe(4001);
    expect(bob.inbox).toHaveLength(heard);
    await say(back, alice, "again");
    expect(await alice.next("message")).toMatchObject({ body: "again" });
    await back.settled();
    await expectUndisturbed(alice);
    // From the first ping on, the runtime answers again.
    expect(await session.inside((state) => state.getWebSocketAutoResponse())).not.toBeNull();
  });

  it("[R5] half-open: the pings of others are signs of life, whoever answers them", async () => {
    const { alice, bob } = await pair(mode);
    await alice.settled();
    await simulate(bob, { fault: "half-open" });
    later(31);
    await alice.settled();
    const carol = await alice.session.join();
    await tell(carol, alice, "hello");
    expect(await bodies(alice)).toContain("hello");
    expect(await alice.all("probe")).toEqual([]);
  });

  it("[R4] evict: nobody notices", async () => {
    const { session, alice, bob } = await pair(mode);
    const offer = { type: "offer", id: 1, to: bob.id, sdp: sdpOf() };
    expect(await alice.request(offer as never)).toMatchObject({ exchange: 1 });
    expect(await simulate(alice, { fault: "evict" })).toMatchObject({ type: "ack" });
    expect((await simulateByHttp(bob, { fault: "evict" })).status).toBe(204);
    expect(await alice.request(offer as never)).toMatchObject({ exchange: 1 });
    expect(await bob.all("offer")).toHaveLength(1);
    expect(await session.read("")).toMatchObject({ links: [{ state: "offered" }] });
  });

  it("[R3] abort: all sockets of the session are cut, and what was agreed is there", async () => {
    const { session, alice, bob } = await pair(mode);
    const offer = { type: "offer", id: 1, to: bob.id, sdp: sdpOf() };
    expect(await alice.request(offer as never)).toMatchObject({ exchange: 1 });
    expect(await simulate(alice, { fault: "abort" })).toMatchObject({ type: "ack" });
    expect(await Promise.all([alice.closing(), bob.closing()])).toMatchObject([
      { code: 1006 },
      { code: 1006 },
    ]);
    const back = await session.connect(bob.invitation);
    expect(await back.next("offer")).toMatchObject({ exchange: 1 });
  });
});

it("[S5] drop: the peer is away at once, before its client has answered the close", async () => {
  const { session, bob } = await pair();
  const peers = await runInDurableObject(session.stub, async (object) => {
    await object.simulate(undefined, bob.id, { fault: "drop" });
    return (await object.peers(undefined)) as PeerView[];
  });
  expect(peers.find(({ id }) => id === bob.id)).toMatchObject({ state: "away" });
});

it("[R4] evict: what memory has is gone, storage is read again", async () => {
  const { session, alice, bob } = await pair();
  const names = async () => {
    const { peers } = await session.read<{ peers: { name: string }[] }>("/peers");
    return peers.map(({ name }) => name).sort();
  };
  // Whoever comes is written with what is worth it, such as an offer.
  await alice.request({ type: "offer", id: 900, to: bob.id, sdp: sdpOf() } as never);
  await session.rewrite((json) => json.replaceAll("Bob", "Rob"));
  expect(await names()).toEqual(["Alice", "Bob"]);
  await simulate(alice, { fault: "evict" });
  expect(await names()).toEqual(["Alice", "Rob"]);
});

describe("frames", () => {
  it("[R1] duplicate to the server: a request is done once, and answered with the same reply", async () => {
    const { alice, bob } = await pair();
    await simulate(alice, { fault: "duplicate", direction: "to-server" });
    const offer = { type: "offer", id: 1, to: bob.id, sdp: sdpOf() };
    const reply = await alice.request(offer as never);
    expect(await alice.all("ack")).toEqual([reply]);
    expect(await bob.all("offer")).toHaveLength(1);
  });

  it("[R3] duplicate to the peer: the next frames come twice, as many as were asked for", async () => {
    const { alice, bob } = await pair();
    await simulate(bob, { fault: "duplicate", direction: "to-peer", count: 2 });
    for (const body of [1, 2, 3]) await tell(alice, bob, body);
    await hears(bob, [1, 1, 2, 2, 3]);
    await simulate(bob, { fault: "duplicate", direction: "to-peer" });
    await say(bob, alice, "once");
    await say(bob, alice, "and once");
    await hears(alice, ["once", "and once"]);
  });

  it("[R3] reorder: the next frame comes after the one that follows it", async () => {
    const { alice, bob } = await pair();
    await simulate(bob, { fault: "reorder", direction: "to-peer", count: 2 });
    for (const body of [1, 2, 3, 4, 5]) await tell(alice, bob, body);
    await hears(bob, [2, 1, 4, 3, 5]);
    await simulate(alice, { fault: "reorder", direction: "to-server" });
    for (const body of [6, 7]) await say(alice, bob, body);
    await hears(bob, [7, 6]);
  });

  it("[R3] reorder: a frame that nothing follows comes by itself", async () => {
    const { alice, bob } = await pair();
    await simulate(bob, { fault: "reorder" });
    await tell(alice, bob, "alone");
    expect(await bodies(bob)).toEqual([]);
    await hears(bob, ["alone"]);
  });

  it("[R3] delay: the next frames come later and in order, those after them at once", async () => {
    const { alice, bob } = await pair();
    await simulate(bob, { fault: "delay", direction: "to-peer", count: 2, delayMs: 300 });
    for (const body of [1, 2, 3]) await tell(alice, bob, body);
    await hears(bob, [3, 1, 2]);
  });

  it("[R3] faults add up, in both directions when none is named", async () => {
    const { alice, bob } = await pair();
    await simulate(alice, { fault: "delay", delayMs: 100 });
    await simulate(alice, { fault: "duplicate" });
    await say(alice, bob, "out");
    await say(bob, alice, "in");
    for (const [peer, body] of [
      [bob, "out"],
      [alice, "in"],
    ] as const) {
      await hears(peer, [body, body]);
    }
  });

  it("[S3] what is on its way when the socket becomes half-open does not arrive", async () => {
    const { alice, bob } = await pair();
    await simulate(bob, { fault: "delay", delayMs: 2000 });
    await say(bob, alice, "out");
    await tell(alice, bob, "in");
    await simulateByHttp(bob, { fault: "half-open" });
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect(await bodies(alice)).toEqual([]);
    expect(bob.inbox.filter(({ type }) => type === "message")).toEqual([]);
  });
});

describe("who may", () => {
  it("[A2] the application, and the peer itself", async () => {
    const { alice, bob } = await pair();
    expect((await simulateByHttp(bob, { fault: "evict" })).status).toBe(204);
    expect((await simulateByHttp(bob, { fault: "evict" }, bearer(bob))).status).toBe(204);
    const other = await simulateByHttp(bob, { fault: "drop" }, bearer(alice));
    expect(other.status).toBe(403);
    expect(await other.json()).toMatchObject({ code: "not-permitted" });
    const stranger = await LiveSession.start("awake").then((session) => session.join());
    expect((await simulateByHttp(bob, { fault: "drop" }, bearer(stranger))).status).toBe(401);
    expect((await simulateByHttp(bob, { fault: "drop" }, {})).status).toBe(401);
    expect(bob.closed).toBeNull();
  });

  it("[A2] nobody in a session that is not there, for a peer that is not there, or by an unknown fault", async () => {
    const { session, bob } = await pair();
    const gone = await post(`${"0".repeat(26)}/peers/x`, { fault: "drop" });
    expect(await gone.json()).toMatchObject({ code: "session-not-found" });
    const unknown = await post(`${session.id}/peers/nobody`, { fault: "drop" });
    expect(await unknown.json()).toMatchObject({ code: "unknown-peer" });
    for (const body of [{}, { fault: "explode" }, { fault: "delay", count: 0 }]) {
      const refused = await post(`${session.id}/peers/${bob.id}`, body);
      expect(await refused.json()).toMatchObject({ code: "invalid-request" });
    }
  });

  it("[A2] nobody where LOCAL_DEV is not set: not over HTTP, not over the socket, not by the object", async () => {
    const { LOCAL_DEV, ...deployed } = variables;
    expect(LOCAL_DEV).toBe("true");
    localDev(false);
    const { alice, bob } = await pair();
    localDev(true);
    const elsewhere = (await pair()).bob;
    for (const fault of ["drop", "half-open", "evict", "abort", "duplicate"] as const) {
      const body = { method: "POST", body: JSON.stringify({ fault }) };
      const headers = { ...KEY, "content-type": "application/json" };
      const path = `${elsewhere.session.path}/peers/${elsewhere.id}/simulate`;
      const asked = await app.request(path, { ...body, headers }, deployed as unknown as Bindings);
      expect(asked.status).toBe(403);
      expect(await asked.json()).toMatchObject({ code: "not-permitted" });
      const byObject = await simulateByHttp(bob, { fault });
      expect(await byObject.json()).toMatchObject({ code: "not-permitted" });
      expect(await simulate(bob, { fault })).toMatchObject({ code: "not-permitted" });
    }
    await say(alice, bob, "still here");
    expect(await bob.next("message")).toMatchObject({ body: "still here" });
    await bob.settled();
    expect(bob.closed).toBeNull();
  });
});
