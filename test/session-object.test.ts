import { abortAllDurableObjects, reset } from "cloudflare:test";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { LIMITS } from "../protocol/limits.ts";
import type { PeerView } from "../protocol/message-parts.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { callJson, type LivePeer, LiveSession, MODES } from "./live-session.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const answerSdp = sdpOf({ setup: "active", ufrag: "wxyz" });

/** Moves the clock that the object reads; alarms are run by hand. */
function later(seconds: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
}

async function negotiate(alice: LivePeer, bob: LivePeer, first = 1): Promise<number> {
  const ack = await alice.request({
    type: "offer",
    id: first,
    to: bob.id,
    sdp: sdpOf({ version: first }),
  } as never);
  const { exchange } = ack as { exchange: number };
  await bob.next("offer");
  await bob.request({ type: "answer", id: first, to: alice.id, exchange, sdp: answerSdp } as never);
  await alice.next("answer");
  return exchange;
}

describe.each(MODES)("%s", (mode) => {
  async function pair(config: object = {}): Promise<[LiveSession, LivePeer, LivePeer]> {
    const session = await LiveSession.start(mode, config);
    const alice = await session.join({ name: "Alice" });
    const bob = await session.join({ name: "Bob" });
    await alice.next("peer-joined");
    return [session, alice, bob];
  }

  it("[S4] presence: announced once, left once with a reason", async () => {
    const [, alice, bob] = await pair();
    await bob.request({ type: "leave", id: 1 } as never);
    expect(await bob.closing()).toEqual({ code: 1000, reason: "left" });
    expect(await alice.next("peer-left")).toEqual({
      type: "peer-left",
      peer: bob.id,
      reason: "left",
    });
    expect(await alice.all("peer-joined")).toEqual([]);
  });

  it("[S7] the welcome states the limits, who is there and who one is", async () => {
    const session = await LiveSession.start(mode, { maxPeers: 3 });
    const alice = await session.join({ name: "Alice", metadata: { seat: "ä1" } });
    const second = await session.invite({ publish: ["audio"] });
    await session.pause();
    const response = await session.upgrade(second.token);
    const socket = response.webSocket!;
    const welcome = new Promise<string>((resolve) =>
      socket.addEventListener("message", ({ data }) => resolve(String(data)), { once: true }),
    );
    socket.accept();
    expect(response.headers.get("sec-websocket-protocol")).toBe("duplex.v1");
    expect(JSON.parse(await welcome)).toMatchObject({
      type: "welcome",
      resumed: false,
      peer: { id: second.peer.id, publish: ["audio"], state: "connected" },
      peers: [{ id: alice.id, name: "Alice", metadata: { seat: "ä1" } }],
      limits: { peers: 3, messageBytes: 1_048_576, sdpBytes: 524_288 },
      links: [],
    });
    socket.close();
  });

  it("[N9] an offer, its answer and candidates arrive byte for byte and in order", async () => {
    const [, alice, bob] = await pair();
    const sdp = `${sdpOf()}a=x:ä€😀\r\n`;
    const ack = await alice.request({ type: "offer", id: 1, to: bob.id, sdp } as never);
    expect(ack).toEqual({ type: "ack", re: 1, exchange: 1 });
    await alice.send({ type: "candidates", to: bob.id, exchange: 1, candidates: [candidateOf(1)] });
    expect(await bob.next("offer")).toEqual({ type: "offer", from: alice.id, exchange: 1, sdp });
    expect(await bob.next("candidates")).toEqual({
      type: "candidates",
      from: alice.id,
      exchange: 1,
      candidates: [candidateOf(1)],
    });
    await bob.send({
      type: "candidates",
      to: alice.id,
      exchange: 1,
      candidates: [candidateOf(2, "wxyz")],
    });
    await bob.request({
      type: "answer",
      id: 1,
      to: alice.id,
      exchange: 1,
      sdp: answerSdp,
    } as never);
    expect(await alice.next("answer")).toMatchObject({ exchange: 1, sdp: answerSdp });
    expect(await alice.next("candidates")).toMatchObject({
      candidates: [candidateOf(2, "wxyz")],
    });
  });

  it("[R1] a repeated id gets the same reply and has no second effect", async () => {
    const [, alice, bob] = await pair();
    const offer = { type: "offer", id: 7, to: bob.id, sdp: sdpOf() };
    const first = await alice.request(offer as never);
    expect(await alice.request(offer as never)).toEqual(first);
    const wrong = { type: "answer", id: 8, to: bob.id, exchange: 1, sdp: answerSdp };
    const refused = await alice.request(wrong as never);
    expect(refused).toMatchObject({ type: "problem", re: 8, code: "not-the-answerer" });
    expect(await alice.request(wrong as never)).toEqual(refused);
    expect(await bob.all("offer")).toHaveLength(1);
  });

  it("[R1] without an id only problems are answered", async () => {
    const [, alice, bob] = await pair();
    await alice.send({ type: "message", to: bob.id, body: { hello: 1 } });
    expect(await bob.next("message")).toEqual({
      type: "message",
      from: alice.id,
      body: { hello: 1 },
    });
    await alice.send({ type: "message", to: "nobody", body: 1 });
    expect(await alice.next("problem")).toMatchObject({ code: "unknown-peer", status: 404 });
    expect(await alice.all("ack")).toEqual([]);
  });

  it("[N3] glare: the offer seen first is in force", async () => {
    const [, alice, bob] = await pair();
    await bob.send({ type: "offer", to: alice.id, sdp: sdpOf({ of: "bob" }) });
    const lost = await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
    expect(lost).toMatchObject({ type: "problem", code: "glare", exchange: 1 });
    expect(await bob.all("offer")).toEqual([]);
  });

  it("[S3] the newest connection wins; others see neither a leave nor a join", async () => {
    const [session, alice, bob] = await pair();
    const again = await session.connect(bob.invitation);
    expect(await bob.next("closing")).toEqual({ type: "closing", code: 4001, reason: "replaced" });
    expect(await bob.closing()).toEqual({ code: 4001, reason: "replaced" });
    await bob.settled();
    await alice.send({ type: "message", to: bob.id, body: "to the new one" });
    expect(await again.next("message")).toMatchObject({ body: "to the new one" });
    expect(await alice.all("peer-left")).toEqual([]);
    expect(await alice.all("peer-joined")).toEqual([]);
  });

  it("[R2] a peer that comes back gets what it lacks, candidates that were never written included", async () => {
    const [session, alice, bob] = await pair();
    const exchange = await negotiate(alice, bob);
    await alice.send({ type: "candidates", to: bob.id, exchange, candidates: [candidateOf(3)] });
    await bob.next("candidates");
    bob.socket.close(1001, "gone");
    await bob.closing();
    await alice.request({ type: "offer", id: 2, to: bob.id, sdp: sdpOf({ version: 2 }) } as never);
    const back = await session.connect(bob.invitation);
    expect(await back.next("offer")).toMatchObject({ exchange: 2, sdp: sdpOf({ version: 2 }) });
    expect(await back.next("candidates")).toMatchObject({ candidates: [candidateOf(3)] });
    expect(await alice.all("peer-left")).toEqual([]);
  });

  it("[S5] a lost peer stays for the resume window, its flows are stale, then it left as lost", async () => {
    const [session, alice, bob] = await pair({ resumeSeconds: 30 });
    await negotiate(alice, bob);
    await alice.settled();
    alice.inbox.length = 0;
    bob.socket.close(1001, "gone");
    expect((await alice.next("flows")).changed).toMatchObject([{ stale: true }, { stale: true }]);
    later(29);
    await session.alarm();
    expect(await alice.all("peer-left")).toEqual([]);
    later(31);
    await session.alarm();
    expect(await alice.next("peer-left")).toMatchObject({ peer: bob.id, reason: "lost" });
    expect((await alice.next("flows")).changed).toMatchObject([
      { state: "ended", reason: "lost" },
      { state: "ended", reason: "lost" },
    ]);
  });

  it("[A1] a kicked peer is closed with 4002 and its token is dead", async () => {
    const [session, alice, bob] = await pair();
    const kicked = await callJson(`${session.path}/peers/${bob.id}`, "DELETE");
    expect(kicked.status).toBe(204);
    expect((await bob.closing()).code).toBe(4002);
    expect(await alice.next("peer-left")).toMatchObject({ reason: "kicked" });
    await session.pause();
    const refused = await session.upgrade(bob.token);
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ code: "unauthorized" });
    const bearer = { authorization: `Bearer ${bob.token}` };
    expect((await callJson("/v1/turn/credentials", "POST", {}, bearer)).status).toBe(401);
    expect((await callJson(session.path, "GET", undefined, bearer)).status).toBe(401);
  });

  it("[S6] a session that is deleted closes its sockets with 4000 and leaves nothing", async () => {
    const [session, alice, bob] = await pair();
    expect((await callJson(session.path, "DELETE")).status).toBe(204);
    expect((await alice.closing()).code).toBe(4000);
    expect((await bob.closing()).code).toBe(4000);
    expect((await callJson(session.path, "GET")).status).toBe(404);
    expect((await callJson(session.path, "DELETE")).status).toBe(204);
    const tables = await session.inside((state) =>
      state.storage.sql
        .exec("SELECT name FROM sqlite_master WHERE name IN ('session','peer','link')")
        .toArray(),
    );
    expect(tables).toEqual([]);
    expect(await session.stored()).toBeNull();
    expect(await session.inside((state) => state.storage.getAlarm())).toBeNull();
  });

  it("[S6] a session ends when nobody has been connected for emptyTtlSeconds", async () => {
    const session = await LiveSession.start(mode, { emptyTtlSeconds: 60 });
    later(59);
    await session.alarm();
    expect((await callJson(session.path, "GET")).status).toBe(200);
    later(2);
    await session.alarm();
    expect((await callJson(session.path, "GET")).status).toBe(404);
  });

  it("[N7] an offer unanswered for 60 s expires; both ends learn it", async () => {
    const [session, alice, bob] = await pair();
    await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
    later(61);
    await session.alarm();
    expect(await alice.next("expired")).toMatchObject({ from: bob.id, exchange: 1 });
    expect(await bob.next("expired")).toMatchObject({ from: alice.id, exchange: 1 });
  });

  it("[A1] a peer whose token expires is closed with 4003", async () => {
    const session = await LiveSession.start(mode);
    const alice = await session.join();
    const bob = await session.join({ ttlSeconds: 100 });
    later(101);
    await session.alarm();
    expect((await bob.closing()).code).toBe(4003);
    expect(await alice.next("peer-left")).toMatchObject({ peer: bob.id, reason: "expired" });
  });

  it("[F4] flows: events and reads agree, views of both peers, 5-tuples as reported", async () => {
    const [session, alice, bob] = await pair();
    const exchange = await negotiate(alice, bob);
    const pairOf = (local: number, remote: number) => ({
      local: { candidateType: "host", address: "192.0.2.1", port: local, protocol: "udp" },
      remote: { candidateType: "host", address: "192.0.2.2", port: remote, protocol: "udp" },
    });
    await alice.request({
      type: "transport",
      id: 20,
      to: bob.id,
      state: "connected",
      pair: pairOf(40_001, 40_002),
    } as never);
    await bob.settled();
    const read = await session.read<{ revision: number; flows: object[]; transports: object[] }>(
      "/flows",
    );
    expect(read.flows).toMatchObject([
      { state: "active", kind: "audio", exchange },
      { state: "active", kind: "audio", exchange },
    ]);
    expect(read.transports).toMatchObject([
      {
        state: "connected",
        fiveTuples: [
          {
            peer: alice.id,
            protocol: "udp",
            local: { address: "192.0.2.1", port: 40_001 },
            remote: { address: "192.0.2.2", port: 40_002 },
          },
        ],
      },
    ]);
    for (const peer of [alice, bob]) {
      const known = new Map<string, unknown>();
      const events = await peer.all("flows");
      for (const { changed } of events) for (const flow of changed) known.set(flow.id, flow);
      expect([...known.values()]).toEqual(read.flows);
      expect(events.at(-1)?.revision).toBe(read.revision);
    }
  });

  it("[A2] a peer reads its own flows, an observer all, and an observer sends nothing", async () => {
    const [session, alice, bob] = await pair();
    const carol = await session.join();
    const eve = await session.join({ role: "observer" });
    await negotiate(alice, bob);
    const as = async (peer: LivePeer) => {
      const bearer = { authorization: `Bearer ${peer.token}` };
      const response = await callJson(`${session.path}/flows`, "GET", undefined, bearer);
      return ((await response.json()) as { flows: { id: string }[] }).flows;
    };
    expect(await as(alice)).toHaveLength(2);
    expect(await as(carol)).toHaveLength(0);
    const seen = await as(eve);
    expect(seen).toHaveLength(2);
    expect((await eve.next("flows")).changed.length).toBeGreaterThan(0);
    expect(await carol.all("flows")).toEqual([]);
    const refused = await eve.request({ type: "message", id: 1, to: bob.id, body: 1 } as never);
    expect(refused).toMatchObject({ code: "not-permitted" });
    const foreign = await callJson(
      `${session.path}/flows/${encodeURIComponent(seen[0]!.id)}`,
      "GET",
      undefined,
      { authorization: `Bearer ${carol.token}` },
    );
    expect(foreign.status).toBe(404);
  });

  it("[A3] ice-servers are renewed in band and carry the peer", async () => {
    const [, alice] = await pair();
    await alice.request({ type: "ice-servers", id: 1 } as never);
    const { iceServers, expiresAt } = await alice.next("ice-servers");
    const [turn] = iceServers.filter(({ username }) => username !== undefined);
    expect(turn?.username).toBe(`${Math.floor(expiresAt! / 1000)}:${alice.id}`);
  });

  it("[S8] broken frames get their problem and nobody else notices", async () => {
    const [, alice, bob] = await pair();
    const cases: [string | object, string][] = [
      ["{", "malformed-message"],
      ["[]", "malformed-message"],
      ["null", "malformed-message"],
      ['{"id":3}', "malformed-message"],
      [{ type: "constructor", id: 1 }, "unknown-message-type"],
      [{ type: "offer", id: 2, to: 5, sdp: "x" }, "invalid-message"],
      [{ type: "offer", id: 3, to: bob.id }, "invalid-message"],
      [{ type: "offer", id: 4, sdp: sdpOf() }, "invalid-message"],
      [{ type: "offer", id: 5, to: alice.id, sdp: sdpOf() }, "self-addressed"],
      [{ type: "offer", id: 6, to: bob.id, sdp: "hello" }, "sdp-invalid"],
      [{ type: "message", id: 7, to: bob.id, body: "x".repeat(16_385) }, "message-too-large"],
      ["x".repeat(1_048_577), "message-too-large"],
    ];
    for (const [frame, code] of cases) {
      await alice.send(frame);
      const { id } = typeof frame === "string" ? {} : (frame as { id?: number });
      expect(await alice.next("problem")).toMatchObject(id ? { code, re: id } : { code });
    }
    await alice.session.pause();
    alice.socket.send(new Uint8Array([1, 2, 3]));
    expect(await alice.next("problem")).toMatchObject({ code: "malformed-message" });
    await bob.settled();
    expect(bob.inbox).toEqual([]);
    expect(bob.closed).toBeNull();
  });
});

describe("cost", () => {
  it("[R4] an idle object is evicted while its sockets stay, and the next message arrives", async () => {
    const session = await LiveSession.start("evicted");
    const alice = await session.join();
    const bob = await session.join();
    const mark = (look: (object: object) => unknown) =>
      session.inside((state) => look(state as unknown as object));
    await mark((state) => Object.assign(state, { marked: true }));
    expect(await mark((state) => "marked" in state)).toBe(true);
    await session.pause();
    expect(await mark((state) => "marked" in state)).toBe(false);
    await alice.send({ type: "message", to: bob.id, body: "after" });
    expect(await bob.next("message")).toMatchObject({ body: "after" });
  });

  it("[R5] pings are answered without the object; candidates and messages write no row", async () => {
    const session = await LiveSession.start("awake");
    const alice = await session.join();
    const bob = await session.join();
    const exchange = await negotiate(alice, bob);
    const written = async () => ({
      rows: await session.stored(),
      at: await session.inside((state) => state.storage.getAlarm()),
    });
    const before = await written();
    expect(before.rows).toContain(alice.id);
    await alice.request({
      type: "candidates",
      id: 5,
      to: bob.id,
      exchange,
      candidates: [candidateOf(1), candidateOf(2)],
    } as never);
    await alice.request({ type: "message", id: 6, to: bob.id, body: "hi" } as never);
    await alice.settled();
    expect(await written()).toEqual(before);
    expect(
      await session.inside((state) => {
        const sockets = state.getWebSockets();
        return sockets.some((ws) => state.getWebSocketAutoResponseTimestamp(ws) !== null);
      }),
    ).toBe(true);
  });

  it("[R5] the alarm is never later than the next deadline, and when nothing is due it is that", async () => {
    const session = await LiveSession.start("awake");
    const alice = await session.join({ ttlSeconds: 5000 });
    const bob = await session.join({ ttlSeconds: 4000 });
    const alarm = () => session.inside((state) => state.storage.getAlarm());
    // Set when the session began; to put it off would be a row.
    const first = await alarm();
    expect(first! - Date.now()).toBeLessThanOrEqual(60_000);
    await session.alarm();
    expect(await alarm()).toBe(bob.invitation.expiresAt);
    await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
    expect((await alarm())! - Date.now()).toBeLessThanOrEqual(60_000);
    await bob.request({
      type: "answer",
      id: 1,
      to: alice.id,
      exchange: 1,
      sdp: answerSdp,
    } as never);
    expect((await alarm())! - Date.now()).toBeLessThanOrEqual(60_000);
    const stored = await session.stored();
    await session.alarm();
    expect(await alarm()).toBe(bob.invitation.expiresAt);
    expect(await session.stored()).toBe(stored);
  });

  it("[S1] looking up a session that never was writes nothing", async () => {
    const id = "0".repeat(26);
    expect((await callJson(`/v1/sessions/${id}`, "GET")).status).toBe(404);
    const session = new LiveSession(id, "awake");
    const tables = await session.inside((state) =>
      state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'session'").toArray(),
    );
    expect(tables).toEqual([]);
    expect(await session.stored()).toBeNull();
  });

  it("[R3] a description is not lost when the object is aborted right after its ack", async () => {
    const session = await LiveSession.start("awake");
    const alice = await session.join();
    const bob = await session.join();
    await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
    await abortAllDurableObjects();
    const back = await session.connect(bob.invitation);
    expect(await back.next("offer")).toMatchObject({ exchange: 1, sdp: sdpOf() });
  });
});

describe("after an abort", () => {
  it("[S5] peers whose sockets died with the object are away, and lost after the window", async () => {
    const session = await LiveSession.start("awake", { resumeSeconds: 30 });
    const alice = await session.join();
    const bob = await session.join();
    await negotiate(alice, bob);
    await abortAllDurableObjects();
    const back = await session.connect(bob.invitation);
    const states = await session.read<{ peers: { id: string; state: string }[] }>("/peers");
    expect(new Map(states.peers.map(({ id, state }) => [id, state]))).toEqual(
      new Map([
        [alice.id, "away"],
        [bob.id, "connected"],
      ]),
    );
    later(31);
    await session.alarm();
    expect(await back.next("peer-left")).toMatchObject({ peer: alice.id, reason: "lost" });
  });

  it("[S6] a session nobody comes back to ends", async () => {
    const session = await LiveSession.start("awake", { emptyTtlSeconds: 60 });
    await session.join({ ttlSeconds: 1000 });
    await abortAllDurableObjects();
    later(1001);
    await session.alarm();
    later(61);
    await session.alarm();
    expect((await callJson(session.path, "GET")).status).toBe(404);
  });
});

describe("fuzz", () => {
  it("[S8] 10,000 fuzzed frames: each is answered or its socket closed, and the other peer notices nothing", async () => {
    const session = await LiveSession.start("awake");
    const bob = await session.join();
    const invitation = await session.invite({ ttlSeconds: 86_400 });
    let mallory = await session.connect(invitation);
    await bob.next("peer-joined");
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      '"type"',
      ":",
      ",",
      '"offer"',
      '"id"',
      "1",
      "null",
      "\u0000",
      "ä",
      "-1e999",
      '"to"',
      `"${bob.id}x"`,
    ];
    const random = fc.sample(
      fc.oneof(
        fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((list) => list.join("")),
        fc.json({ maxDepth: 3 }),
        fc.uint8Array({ maxLength: 20 }),
      ),
      { numRuns: 10_000, seed: 7 },
    );
    let answered = 0;
    let sockets = 1;
    for (const [index, frame] of random.entries()) {
      // Time to be forgiven, but for a stretch now and then.
      if (index % 50 === 0 && index % 1000 !== 0) later(64);
      if (mallory.inbox.at(-1)?.type === "closing") await mallory.closing();
      if (mallory.closed) {
        expect([1008, 4008]).toContain(mallory.closed.code);
        later(64);
        mallory = await session.connect(invitation);
        sockets += 1;
      }
      const before = mallory.inbox.length;
      mallory.socket.send(frame);
      await mallory.heard(before);
      if (mallory.inbox[before]?.type === "problem") answered += 1;
      else expect(mallory.inbox[before]?.type ?? "closing").toBe("closing");
    }
    // A frame that was on its way when its socket was closed has its answer in the close.
    expect(answered).toBeGreaterThan(10_000 - sockets);
    expect(sockets).toBeGreaterThan(5);
    await bob.settled();
    expect(bob.inbox).toEqual([]);
    expect(bob.closed).toBeNull();
  }, 120_000);
});

describe("limits", () => {
  it("[S7] too many messages: a problem first, 1008 when it goes on; others are not touched", async () => {
    const session = await LiveSession.start("awake");
    const alice = await session.join();
    const bob = await session.join();
    // The clock stands still: on a machine that takes its time, the rate would not be exceeded.
    later(0);
    for (let i = 0; i < 600 && !alice.closed; i++) {
      alice.socket.send(JSON.stringify({ type: "message", to: bob.id, body: i }));
    }
    expect((await alice.closing()).code).toBe(1008);
    expect(alice.inbox.some((m) => m.type === "problem" && m.code === "rate-limited")).toBe(true);
    await bob.settled();
    expect(bob.closed).toBeNull();
  });

  it("[S7] too many problems: closed with 4008", async () => {
    const session = await LiveSession.start("awake");
    const alice = await session.join();
    later(0);
    for (let i = 0; i < 80; i++) if (!alice.closed) alice.socket.send("{");
    expect((await alice.closing()).code).toBe(4008);
  });

  it("[S7] a session takes no more than maxPeers", async () => {
    const session = await LiveSession.start("awake", { maxPeers: 2 });
    await session.join();
    await session.join();
    const third = await session.upgrade((await session.invite()).token);
    expect(third.status).toBe(409);
    expect(await third.json()).toMatchObject({ code: "session-full", maxPeers: 2 });
  });

  it.each(MODES)(
    "[S7] looking on takes no place of the call, with an object that is %s: observers have places of their own",
    async (mode) => {
      const session = await LiveSession.start(mode, { maxPeers: 2 });
      const observer = { role: "observer" };
      const first = await session.join(observer);
      await session.join();
      const bob = await session.join();
      const third = await session.upgrade((await session.invite()).token);
      expect(await third.json()).toMatchObject({ code: "session-full", maxPeers: 2 });
      const others: LivePeer[] = [];
      while (others.length < LIMITS.observers - 1) others.push(await session.join(observer));
      const late = await session.invite(observer);
      const refused = await session.upgrade(late.token);
      expect(refused.status).toBe(409);
      expect(await refused.json()).toMatchObject({
        code: "too-many-observers",
        maxObservers: LIMITS.observers,
      });
      // A tab that is closed keeps its place until somebody needs it.
      const peersNow = async () => (await session.read<{ peers: PeerView[] }>("/peers")).peers;
      first.socket.close(1000);
      const away = { id: first.id, state: "away" };
      await vi.waitFor(async () =>
        expect(await peersNow()).toContainEqual(expect.objectContaining(away)),
      );
      await session.connect(late);
      expect(await bob.next("peer-left")).toMatchObject({ peer: first.id, reason: "lost" });
      const here = (await peersNow()).filter(({ role }) => role === "observer").map(({ id }) => id);
      expect(here.toSorted()).toEqual([...others.map(({ id }) => id), late.peer.id].toSorted());
    },
  );

  it("[S7] descriptions of the largest size are kept and survive eviction", async () => {
    const session = await LiveSession.start("evicted");
    const alice = await session.join();
    const bob = await session.join();
    const filler = `a=x:${"y".repeat(100)}\r\n`;
    const big = sdpOf() + filler.repeat(Math.floor((524_288 - 2_000) / filler.length));
    await alice.request({ type: "offer", id: 1, to: bob.id, sdp: big } as never);
    expect((await bob.next("offer")).sdp).toBe(big);
    const answer = answerSdp + filler.repeat(4_000);
    await bob.request({ type: "answer", id: 1, to: alice.id, exchange: 1, sdp: answer } as never);
    expect((await alice.next("answer")).sdp).toBe(answer);
    const state = await alice.request({ type: "state", id: 9 } as never);
    expect(state).toMatchObject({ links: [{ offer: { sdp: big }, answer: { sdp: answer } }] });
    const refused = await alice.request({
      type: "offer",
      id: 2,
      to: bob.id,
      sdp: big + filler.repeat(30),
    } as never);
    expect(refused).toMatchObject({ code: "sdp-too-large" });
  });
});
