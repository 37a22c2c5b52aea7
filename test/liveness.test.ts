import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Attachment, attachmentOf, remember } from "../durable-objects/attachment.ts";
import { levelOf } from "../protocol/allowance.ts";
import { LIMITS } from "../protocol/limits.ts";
import { sdpOf } from "./descriptions.ts";
import { type LivePeer, LiveSession, MODES } from "./live-session.ts";
import { PureSession } from "./pure-session.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

/** Moves the clock that the object reads; alarms are run by hand. The runtime's own clock goes on as it was. */
function later(seconds: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
}

const alarmOf = (session: LiveSession): Promise<number | null> =>
  session.inside((state) => state.storage.getAlarm());

async function statesOf(session: LiveSession): Promise<string[]> {
  const { peers } = await session.read<{ peers: { state: string }[] }>("/peers");
  return peers.map(({ state }) => state).toSorted();
}

const closings = async (peer: LivePeer): Promise<unknown[]> => peer.all("closing");

/** The attachments of the open sockets of a peer, from the inside. */
function rewrite(
  session: LiveSession,
  peer: string,
  change: (attachment: Attachment) => object,
): Promise<void> {
  return session.inside((state) => {
    for (const ws of state.getWebSockets(`p:${peer}`)) {
      remember(ws, change(attachmentOf(ws)) as Attachment);
    }
  });
}

describe.each(MODES)("%s: a peer that may be gone", (mode) => {
  async function pair(config: object = {}): Promise<[LiveSession, LivePeer, LivePeer]> {
    const session = await LiveSession.start(mode, config);
    const alice = await session.join();
    const bob = await session.join();
    await alice.next("peer-joined");
    return [session, alice, bob];
  }

  /** Bob pinged, then was silent for so long. */
  async function silentFor(seconds: number, config: object = {}) {
    const [session, alice, bob] = await pair(config);
    await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
    const exchange = (await bob.next("offer")).exchange;
    await bob.request({
      type: "answer",
      id: 1,
      to: alice.id,
      exchange,
      sdp: sdpOf({ setup: "active" }),
    } as never);
    await bob.settled();
    await alice.settled();
    later(seconds);
    return [session, alice, bob] as const;
  }

  const report = (from: LivePeer, about: LivePeer, state = "disconnected") =>
    from.request({ type: "transport", id: 90, to: about.id, state } as never);

  it("[S5] when a transport to it is said to be broken, it is asked; silent, it is lost, not gone before the window is over", async () => {
    const [session, alice, bob] = await silentFor(6, { resumeSeconds: 30 });
    const at = Date.now();
    await report(alice, bob);
    expect(await bob.next("probe")).toEqual({ type: "probe", n: 1 });
    expect((await alarmOf(session))! - at).toBeGreaterThan(20_000);
    expect((await alarmOf(session))! - at).toBeLessThan(25_000);
    alice.inbox.length = 0;
    later(25);
    await session.pause();
    await session.alarm();
    expect(await bob.next("closing")).toMatchObject({ code: 4004, reason: "silent" });
    expect((await bob.closing()).code).toBe(4004);
    expect((await alice.next("flows")).changed).toMatchObject([{ stale: true }, { stale: true }]);
    expect(await statesOf(session)).toEqual(["away", "connected"]);
    later(29);
    await session.alarm();
    expect(await alice.all("peer-left")).toEqual([]);
    later(2);
    await session.alarm();
    expect(await alice.next("peer-left")).toMatchObject({ peer: bob.id, reason: "lost" });
  });

  it("[S5] it is lost by silence and comes back: others see neither a leave nor a join", async () => {
    const [session, alice, bob] = await silentFor(6);
    await report(alice, bob, "failed");
    await bob.next("probe");
    later(31);
    await session.alarm();
    await bob.closing();
    const back = await session.connect(bob.invitation);
    await alice.send({ type: "message", to: bob.id, body: "you are back" });
    expect(await back.next("message")).toMatchObject({ body: "you are back" });
    expect(await alice.all("peer-left")).toEqual([]);
    expect(await alice.all("peer-joined")).toEqual([]);
    later(120);
    await session.alarm();
    expect(await closings(back)).toEqual([]);
  });

  it("[S5] who answers is believed, and the next alarm is what it was", async () => {
    const [session, alice, bob] = await silentFor(6);
    await session.alarm();
    const idle = await alarmOf(session);
    await report(alice, bob);
    const { n } = await bob.next("probe");
    expect(await alarmOf(session)).toBeLessThan(idle!);
    await bob.request({ type: "alive", id: 5, n } as never);
    later(31);
    await session.alarm();
    expect(await closings(bob)).toEqual([]);
    expect(await alarmOf(session)).toBe(idle);
  });

  it("[S5] anything that it sends is a sign of life, a refused message as well", async () => {
    const [session, alice, bob] = await silentFor(6);
    await report(alice, bob);
    await bob.next("probe");
    await bob.send("{");
    await bob.next("problem");
    later(31);
    await session.alarm();
    expect(await closings(bob)).toEqual([]);
  });

  it("[S5] when something is delivered after 30 s of silence it is asked, once; before it is not", async () => {
    const [session, alice, bob] = await silentFor(29);
    await alice.request({ type: "message", id: 2, to: bob.id, body: 1 } as never);
    expect(await bob.all("probe")).toEqual([]);
    later(2);
    await alice.request({ type: "message", id: 3, to: bob.id, body: 2 } as never);
    later(5);
    await alice.request({ type: "message", id: 4, to: bob.id, body: 3 } as never);
    await report(alice, bob);
    expect(await bob.all("probe")).toEqual([{ type: "probe", n: 1 }]);
    expect((await bob.all("message")).map(({ body }) => body)).toEqual([1, 2, 3]);
    await session.alarm();
    expect(await closings(bob)).toEqual([]);
    later(5);
    await session.alarm();
    expect((await bob.closing()).code).toBe(4004);
  });

  it("[S8] a client that does not ping is believed, whatever others report of it", async () => {
    const [session, alice, bob] = await pair();
    for (let round = 1; round <= 3; round++) {
      later(100);
      await alice.request({ type: "message", id: round, to: bob.id, body: round } as never);
      await report(alice, bob, "failed");
      await session.alarm();
    }
    expect(bob.inbox.filter(({ type }) => type === "probe" || type === "closing")).toEqual([]);
    expect(bob.closed).toBeNull();
  });

  it("[S8] a client that pings every 25 s and knows no probes is not closed by false reports", async () => {
    const [session, alice, bob] = await silentFor(24);
    await report(alice, bob, "failed");
    await bob.next("probe");
    const deadline = (await alarmOf(session))!;
    // At least until its next ping, with time to spare.
    expect(deadline - Date.now()).toBeGreaterThanOrEqual(9_900);
    vi.useRealTimers();
    await bob.settled();
    // The runtime's clock cannot be moved: the doubt is moved to before the ping instead.
    await rewrite(session, bob.id, ({ life, ...rest }) => ({
      ...rest,
      life: { ...life, doubt: { since: Date.now() - 5_000, until: 1 } },
    }));
    later(60);
    await session.alarm();
    expect(await closings(bob)).toEqual([]);
    // What is left are the deadlines of the session.
    expect(await alarmOf(session)).toBeGreaterThan(Date.now());
  });

  it("[S8] a hidden page that pings once a minute, but answers probes, stays", async () => {
    const [session, alice, bob] = await silentFor(59);
    for (let round = 1; round <= 3; round++) {
      await alice.request({ type: "message", id: 10 + round, to: bob.id, body: round } as never);
      const { n } = await bob.next("probe");
      await bob.request({ type: "alive", id: 50 + n, n } as never);
      later(59);
      await session.alarm();
    }
    expect(await closings(bob)).toEqual([]);
    expect(await alice.all("peer-left")).toEqual([]);
  });

  it("[S3] a doubt dies with its socket when a newer one takes over", async () => {
    const [session, alice, bob] = await silentFor(6);
    await session.alarm();
    const idle = await alarmOf(session);
    await report(alice, bob);
    await bob.next("probe");
    const again = await session.connect(bob.invitation);
    expect((await bob.closing()).code).toBe(4001);
    later(31);
    await session.alarm();
    expect(await alarmOf(session)).toBe(idle);
    expect(await closings(again)).toEqual([]);
    expect(await statesOf(session)).toEqual(["connected", "connected"]);
  });

  it("[R1] an answer to a probe that was never sent is nothing, and does not make a client one that answers", async () => {
    const [session, alice, bob] = await pair();
    await bob.request({ type: "alive", id: 1, n: 77 } as never);
    later(100);
    await alice.request({ type: "message", id: 1, to: bob.id, body: 1 } as never);
    await session.alarm();
    expect(await bob.all("probe")).toEqual([]);
    expect(bob.closed).toBeNull();
  });

  it("[S4] who leaves may join again at once with the same token, and the end of the old socket is no news", async () => {
    const [session, alice, bob] = await pair();
    await bob.send({ type: "leave" });
    const again = await session.connect(bob.invitation);
    expect(await alice.next("peer-left")).toMatchObject({ peer: bob.id, reason: "left" });
    expect(await alice.next("peer-joined")).toMatchObject({ peer: { id: bob.id } });
    await bob.closing();
    await again.settled();
    expect(await statesOf(session)).toEqual(["connected", "connected"]);
    await alice.send({ type: "message", to: bob.id, body: "welcome back" });
    expect(await again.next("message")).toMatchObject({ body: "welcome back" });
  });
});

describe.each(MODES)("%s: a peer that does not read", (mode) => {
  const filler = `a=x:${"y".repeat(100)}\r\n`;
  const large = sdpOf() + filler.repeat(4_700);

  async function withLargeLink(): Promise<[LiveSession, LivePeer, LivePeer]> {
    const session = await LiveSession.start(mode);
    const alice = await session.join();
    const bob = await session.join();
    await alice.request({ type: "offer", id: 1, to: bob.id, sdp: large } as never);
    await bob.next("offer");
    return [session, alice, bob];
  }

  it("[S8] is asked after 1 MiB, closed after 8 MiB, may come back, and nobody else notices", async () => {
    const [session, alice, bob] = await withLargeLink();
    let asked = 0;
    for (let id = 10; id < 60 && bob.inbox.every(({ type }) => type !== "closing"); id++) {
      if (bob.inbox.some(({ type }) => type === "probe")) asked ||= id;
      // What comes after the reply to one request is there with that to the next.
      await bob.request({ type: "state", id } as never).catch(() => undefined);
      if (id === 59) throw new Error("not closed");
    }
    expect([12, 13]).toContain(asked);
    expect(await bob.all("probe")).toEqual([{ type: "probe", n: 1 }]);
    expect(await bob.next("closing")).toEqual({
      type: "closing",
      code: 4004,
      reason: "not reading",
    });
    expect((await bob.closing()).code).toBe(4004);
    expect(await alice.all("peer-left")).toEqual([]);
    expect(alice.closed).toBeNull();
    // What its last socket did not read is no matter now: it has none.
    const lost = { type: "message", id: 2, to: bob.id, body: "gone" };
    expect(await alice.request(lost as never).catch((why) => why)).toMatchObject({
      code: "peer-away",
    });
    const back = await session.connect(bob.invitation);
    expect((await back.next("offer")).sdp).toBe(large);
    await alice.send({ type: "message", to: bob.id, body: "there again" });
    expect(await back.next("message")).toMatchObject({ body: "there again" });
  }, 60_000);

  it("[S8] who answers probes may read as much as there is", async () => {
    const [, , bob] = await withLargeLink();
    let probes = 0;
    for (let id = 10; id < 50; id++) {
      await bob.request({ type: "state", id } as never);
      for (const { n } of await bob.all("probe")) {
        bob.inbox.splice(0);
        await bob.send({ type: "alive", n });
        probes = n;
      }
    }
    expect(probes).toBeGreaterThan(10);
    expect(bob.closed).toBeNull();
  }, 60_000);
});

describe("a peer that others flood", () => {
  it("[S8] is not closed by that: its floods are refused, a bystander's messages go on in both directions", async () => {
    const session = await LiveSession.start("awake");
    const mallory = await session.join();
    const carol = await session.join();
    const bob = await session.join();
    await carol.next("peer-joined");
    await mallory.next("peer-joined");
    const body = "x".repeat(16_000);
    for (let sent = 0; sent < 300; sent++) {
      mallory.socket.send(JSON.stringify({ type: "message", to: bob.id, body }));
      if (sent % 100 > 0) continue;
      await carol.send({ type: "message", to: mallory.id, body: sent });
      expect(await mallory.next("message")).toMatchObject({ body: sent });
      mallory.socket.send(JSON.stringify({ type: "message", to: carol.id, body: sent }));
      expect(await carol.next("message")).toMatchObject({ body: sent });
    }
    await mallory.request({ type: "alive", id: 1, n: 1 } as never);
    const told = (await mallory.all("problem")).map(({ code }) => code);
    expect(new Set(told)).toEqual(new Set(["receiver-busy"]));
    const arrived = (await bob.all("message")).length;
    expect(arrived + told.length).toBe(300);
    expect(arrived * 16_000).toBeLessThan(LIMITS.unreadBytes / 2 + 32_000);
    // What the session needs comes through: candidates, offers, who joins.
    await session.join();
    await bob.next("peer-joined");
    const probes = await bob.all("probe");
    await bob.request({ type: "alive", id: 1, n: probes.at(-1)?.n } as never);
    await mallory.send({ type: "message", to: bob.id, body: "read" });
    bob.inbox.length = 0;
    expect(await bob.next("message")).toMatchObject({ body: "read" });
    expect([mallory.closed, carol.closed, bob.closed]).toEqual([null, null, null]);
  }, 60_000);
});

describe.each(MODES)("%s: allowances", (mode) => {
  /** Sends messages at once; gives how many were taken. The clock stands still meanwhile. */
  async function spend(peer: LivePeer, to: LivePeer, count: number): Promise<number> {
    for (let i = 0; i < count; i++) {
      peer.socket.send(JSON.stringify({ type: "message", to: to.id, body: i }));
    }
    // A ping is answered by the runtime, ahead of what waits for the object; a request is not.
    await peer.request({ type: "alive", id: 1_000, n: 1 } as never);
    await to.settled();
    const taken = to.inbox.filter(({ type }) => type === "message").length;
    to.inbox.length = 0;
    return taken;
  }

  /** As after so many messages at once. */
  const spent = (session: LiveSession, peer: LivePeer, count: number): Promise<void> =>
    rewrite(session, peer.id, (attachment) => ({
      ...attachment,
      messages: { left: LIMITS.messageBurst - count, at: Date.now() },
    }));

  async function stood(): Promise<[LiveSession, LivePeer, LivePeer]> {
    later(0);
    const session = await LiveSession.start(mode);
    const alice = await session.join();
    const bob = await session.join();
    await alice.next("peer-joined");
    return [session, alice, bob];
  }

  it("[S7] the rate of a peer does not start afresh with a socket that takes over", async () => {
    const [session, alice, bob] = await stood();
    await spent(session, alice, 370);
    const again = await session.connect(alice.invitation);
    expect(await spend(again, bob, 60)).toBe(30);
  });

  it("[S7] nor with a socket after a loss; by time it fills again, and nothing is kept then", async () => {
    const [session, alice, bob] = await stood();
    const rowOf = async () => {
      const { peers } = JSON.parse((await session.stored()) ?? "") as { peers: { id: string }[] };
      return JSON.stringify(peers.find(({ id }) => id === alice.id));
    };
    await spent(session, alice, 370);
    alice.socket.close(1001, "gone");
    await alice.closing();
    expect(await rowOf()).toContain("allowances");
    const again = await session.connect(alice.invitation);
    expect(await rowOf()).not.toContain("allowances");
    expect(await spend(again, bob, 60)).toBe(30);
    later(70);
    again.socket.close(1001, "gone");
    await again.closing();
    expect(await rowOf()).not.toContain("allowances");
    const third = await session.connect(alice.invitation);
    expect(await spend(third, bob, 60)).toBe(60);
  });

  it("[S7] problems that were caused on one socket count on the next", async () => {
    const [session, alice] = await stood();
    for (let i = 0; i < 80; i++) alice.socket.send("{");
    expect((await alice.closing()).code).toBe(4008);
    const again = await session.connect(alice.invitation);
    await again.send("{");
    expect((await again.closing()).code).toBe(4008);
  });
});

describe("allowances in the session", () => {
  const given = { messages: { left: 3, at: 1_700_000_000_000 } };

  it("[S7] what a lost socket had left is kept with its peer until the next socket", () => {
    const session = new PureSession();
    session.do({ type: "join", grant: session.grant("a"), ice: { iceServers: [] }, at: 1 });
    session.do({ type: "lost", peer: "a", allowances: given, at: 2 });
    expect(session.session.peers.get("a")?.allowances).toEqual(given);
    session.do({ type: "join", grant: session.grant("a"), ice: { iceServers: [] }, at: 3 });
    expect(session.session.peers.get("a")).not.toHaveProperty("allowances");
    session.do({ type: "lost", peer: "a", at: 4 });
    expect(session.session.peers.get("a")).not.toHaveProperty("allowances");
  });

  it("[S7] an allowance fills by time, never over its burst, and an absent one is full", () => {
    const rule = { burst: 10, perSecond: 2 };
    expect(levelOf(undefined, rule, 5_000)).toBe(10);
    expect(levelOf({ left: 3, at: 5_000 }, rule, 6_000)).toBe(5);
    expect(levelOf({ left: 3, at: 5_000 }, rule, 60_000)).toBe(10);
    expect(levelOf({ left: 3, at: 5_000 }, rule, 4_000)).toBe(3);
  });
});
