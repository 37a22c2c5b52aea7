import { describe, expect, it } from "vitest";
import { viewContexts } from "../protocol/context-results.ts";
import { isProblem } from "../protocol/problem.ts";
import { ManagedScene, SCENE_MODES } from "./managed-scene.ts";

/** A managed SFU as the media server of a session (M7), in front of the session itself and the stand-in of the SFU. */

const AV = ["audio", "video"] as const;

const results = (scene: ManagedScene) =>
  viewContexts(scene.session.session).flatMap(({ direction, peer, kind, result }) =>
    result ? [`${direction} ${peer} ${kind} ${result.outcome} ${result.cause ?? ""}`.trim()] : [],
  );

const sentTypes = (scene: ManagedScene, type: string) =>
  scene.sent.filter((message) => message.type === type);

const linkTo = (scene: ManagedScene, peer: string) =>
  [...scene.session.session.links.values()].find(
    ({ peers }) => peers.includes("sfu") && peers.includes(peer),
  );

const liveFlows = (scene: ManagedScene, peer: string) =>
  (linkTo(scene, peer)?.flows.flows ?? []).filter(({ state }) => state !== "ended");

/** Nothing that was done was against the API, and nothing that was said was refused. */
function expectOrder(scene: ManagedScene): void {
  expect(scene.standIn.complaints).toEqual([]);
  expect(scene.refused).toEqual([]);
}

async function expectNothingLeft(scene: ManagedScene): Promise<void> {
  for (const id of [...scene.peers.keys()]) scene.leave(id);
  await scene.pass(200_000);
  expect(scene.standIn.active()).toEqual([]);
  expect(scene.server.state).toMatchObject({ contexts: {}, links: {}, cleanups: [] });
  expect(scene.server.deadline).toBeUndefined();
}

describe.each(SCENE_MODES)("a managed media server, %s", (mode) => {
  it("[C1][R4] three peers receive what the others send, and nothing stays when they leave", async () => {
    const scene = new ManagedScene(mode);
    await scene.publish("alice", AV);
    await scene.publish("bob", AV);
    await scene.publish("carol", ["audio"]);
    expect(scene.received("alice")).toEqual(["bob audio", "bob video", "carol audio"]);
    expect(scene.received("bob")).toEqual(["alice audio", "alice video", "carol audio"]);
    expect(scene.received("carol")).toEqual([
      "alice audio",
      "alice video",
      "bob audio",
      "bob video",
    ]);
    const flows = liveFlows(scene, "carol").filter(({ from }) => from === "sfu");
    expect(flows.map(({ topology, sourceFlows }) => [topology, sourceFlows?.length])).toEqual(
      Array(4).fill(["projecting", 1]),
    );
    scene.leave("bob");
    await scene.run();
    expect(scene.received("alice")).toEqual(["carol audio"]);
    expectOrder(scene);
    await expectNothingLeft(scene);
  });

  it("[C1] WHIP publishes to two WHEP players and a peer that came before", async () => {
    const scene = new ManagedScene(mode);
    scene.join("eve", { publish: [] });
    await scene.run();
    scene.post("whip", "cam", AV);
    await scene.run();
    scene.post("whep", "ann", AV);
    await scene.run();
    scene.post("whep", "ben", ["audio"]);
    await scene.run();
    for (const id of ["cam", "ann", "ben"]) {
      expect(scene.session.answered.get(id), id).toMatchObject({ type: "answer" });
    }
    expect(scene.received("eve")).toEqual(["cam audio", "cam video"]);
    expect(scene.received("ann")).toEqual(["cam audio", "cam video"]);
    expect(scene.received("ben")).toEqual(["cam audio"]);
    const played = liveFlows(scene, "ann");
    expect(played.map(({ sourceFlows }) => sourceFlows)).toEqual(
      liveFlows(scene, "cam").map(({ id }) => [id]),
    );
    expectOrder(scene);
    // Sessions over HTTP that nobody says anything of end after a while.
    await scene.pass(120_000);
    expect(scene.session.session.peers.has("cam")).toBe(true);
    expect(scene.session.session.peers.has("ann")).toBe(true);
    await expectNothingLeft(scene);
  });

  it("[C1] a WHIP publisher that sends nothing any more is lost, and its players go silent", async () => {
    const scene = new ManagedScene(mode);
    scene.post("whip", "cam", AV);
    await scene.run();
    scene.post("whep", "ann", AV);
    await scene.pass(10_000);
    const session = scene.server.state.links.cam?.session ?? "";
    for (const track of scene.standIn.sessions.get(session)?.tracks.values() ?? []) {
      track.status = "inactive";
    }
    await scene.pass(60_000);
    expect(scene.session.session.peers.has("cam")).toBe(false);
    expect(scene.session.session.peers.has("ann")).toBe(true);
    const [flow] = liveFlows(scene, "ann");
    expect(flow).toMatchObject({ forwarding: false });
    // The next one takes its place.
    scene.post("whip", "cam2", AV);
    await scene.run();
    expect(scene.received("ann")).toEqual(["cam2 audio", "cam2 video"]);
    expectOrder(scene);
    await expectNothingLeft(scene);
  });

  it("[C1] a player that wants one publisher is not left with another", async () => {
    const scene = new ManagedScene(mode);
    await scene.publish("alice", AV);
    await scene.publish("bob", AV);
    scene.post("whep", "ann", AV, "alice");
    await scene.run();
    expect(scene.received("ann")).toEqual(["alice audio", "alice video"]);
    scene.post("whep", "ben", AV);
    await scene.run();
    expect(scene.received("ben")).toEqual(["bob audio", "bob video"]);
    expectOrder(scene);
  });

  it("[N3] its offer gives way to no other: the peer's is refused, and made again after it", async () => {
    const scene = new ManagedScene(mode);
    await scene.publish("alice", AV);
    const bob = scene.join("bob");
    bob.answers = false;
    await scene.pass(2000);
    // The SFU's offer is open; the session refuses the peer's.
    bob.add("audio");
    expect(scene.offer("bob")).toBe("glare");
    const open = linkTo(scene, "bob")?.open?.exchange ?? 0;
    bob.answers = true;
    scene.session.send("bob", { type: "reject", to: "sfu", exchange: open });
    // Now the peer is first: it has to wait for the offer that the SFU cannot take back.
    expect(scene.offer("bob")).toBe("accepted");
    await scene.pass(3000);
    expect(scene.received("bob")).toEqual(["alice audio", "alice video"]);
    expect(scene.received("alice")).toEqual(["bob audio"]);
    expect(scene.standIn.complaints).toEqual([]);
    await expectNothingLeft(scene);
  });

  it("[N7] an offer that nobody answers is made again, and a peer that refuses all of them is lost", async () => {
    const scene = new ManagedScene(mode);
    await scene.publish("alice", ["audio"]);
    const bob = scene.join("bob");
    bob.answers = false;
    await scene.pass(70_000);
    expect(sentTypes(scene, "offer")).toHaveLength(2);
    bob.answers = true;
    await scene.pass(70_000);
    expect(scene.received("bob")).toEqual(["alice audio"]);
    bob.answers = false;
    await scene.publish("alice", ["video"]);
    for (let count = 0; count < 20; count += 1) {
      const exchange = linkTo(scene, "bob")?.open?.exchange;
      if (exchange !== undefined) {
        scene.session.send("bob", { type: "reject", to: "sfu", exchange });
      }
      await scene.pass(6000);
    }
    expect(sentTypes(scene, "transport").length).toBeGreaterThan(0);
    expect(results(scene)).toContain("downlink bob video refused transport-failed");
    expect(scene.standIn.complaints).toEqual([]);
    await expectNothingLeft(scene);
  });

  it("[N8] a page that is loaded again, or restarts ICE, gets a session of its own", async () => {
    const scene = new ManagedScene(mode);
    await scene.publish("alice", AV);
    const bob = await scene.publish("bob", ["audio"]);
    const before = scene.server.state.links.bob?.session;
    bob.renew();
    scene.offer("bob");
    await scene.run();
    const after = scene.server.state.links.bob?.session;
    expect(after).not.toBe(before);
    expect(scene.received("bob")).toEqual(["alice audio", "alice video"]);
    bob.restart();
    scene.offer("bob", { restart: true });
    await scene.run();
    expect(scene.server.state.links.bob?.session).not.toBe(after);
    expect(scene.received("alice")).toEqual(["bob audio"]);
    expect(scene.standIn.complaints).toEqual([]);
    await expectNothingLeft(scene);
  });

  it("[N8] behind HTTP an ICE restart is refused, and the session goes on", async () => {
    const scene = new ManagedScene(mode);
    const cam = scene.post("whip", "cam", AV);
    await scene.pass(6000);
    cam.restart();
    scene.session.do({
      type: "message",
      peer: "cam",
      message: { type: "offer", to: "sfu", sdp: cam.describe(), restart: true },
      at: scene.session.at,
    });
    await scene.run();
    expect(sentTypes(scene, "reject")).toMatchObject([
      { reason: "the managed SFU cannot restart ICE: connect again" },
    ]);
    expect(scene.standIn.active()).toHaveLength(2);
    expectOrder(scene);
  });

  it.each([
    ["by mid", "send0"],
    ["by index, with an empty mid", ""],
  ])(
    "[N5] candidates that come beside an offer are in what the SFU is offered, %s",
    async (_, sdpMid) => {
      const scene = new ManagedScene(mode);
      const alice = scene.join("alice");
      alice.add("audio");
      const sdp = alice.describe();
      const ack = scene.session.send("alice", { type: "offer", to: "sfu", sdp });
      const exchange = isProblem(ack) ? 0 : (ack.ack?.exchange ?? 0);
      await scene.run();
      expect(scene.standIn.calls).toEqual([]);
      const candidate = "candidate:1 1 udp 2113937151 192.0.2.1 40001 typ host";
      const candidates = [{ candidate, sdpMid, sdpMLineIndex: 0 }];
      scene.session.send("alice", { type: "candidates", to: "sfu", exchange, candidates });
      await scene.pass(1000);
      const [received] = [...scene.standIn.sessions.values()][0]?.received ?? [];
      expect(received).toBe(`${sdp}a=${candidate}\r\n`);
      expect(sentTypes(scene, "answer")).toHaveLength(1);
      expect(sentTypes(scene, "candidates")).toEqual([
        { type: "candidates", to: "alice", exchange, candidates: [], complete: true },
      ]);
      expectOrder(scene);
    },
  );

  it("[C1] a hold of more than 30 s is published anew, and its receivers follow", async () => {
    const scene = new ManagedScene(mode);
    const alice = await scene.publish("alice", ["audio"]);
    await scene.publish("bob", ["video"]);
    alice.turn("send0", "inactive");
    scene.offer("alice");
    await scene.pass(31_000);
    alice.turn("send0", "sendonly");
    scene.offer("alice");
    await scene.run();
    const names = Object.values(scene.server.state.links.alice?.publications ?? {});
    expect(names.map(({ name }) => name)).toEqual(["track-3"]);
    expect(scene.received("bob")).toEqual(["alice audio"]);
    const { operation } = scene.standIn.calls.at(-1) ?? {};
    expect(operation).toBe("PUT /sessions/{session}/tracks/update");
    expectOrder(scene);
  });

  it("[F7] what a receiver stops in its description is granted, a hold of the application is refused", async () => {
    const scene = new ManagedScene(mode);
    await scene.publish("alice", ["audio"]);
    const bob = await scene.publish("bob", ["video"]);
    const mid = scene.sectionsOf("bob")[0] ?? "";
    bob.turn(mid, "inactive");
    scene.offer("bob");
    await scene.run();
    expect(results(scene)).toEqual([]);
    bob.turn(mid, "recvonly");
    scene.offer("bob");
    await scene.run();
    const flow = liveFlows(scene, "bob").find(({ from }) => from === "sfu")?.id ?? "";
    scene.session.do({ type: "change-flow", flow, change: { held: true }, at: scene.session.at });
    await scene.run();
    expect(results(scene)).toEqual(["downlink bob audio refused other"]);
    scene.session.do({ type: "change-flow", flow, change: { held: false }, at: scene.session.at });
    await scene.run();
    expect(results(scene)).toEqual([]);
    expectOrder(scene);
  });
});

describe("layers", () => {
  const layered = async (rids: readonly string[]) => {
    const scene = new ManagedScene();
    scene.join("alice").rids = rids;
    await scene.publish("alice", ["video"]);
    scene.join("bob", { publish: [] });
    await scene.run();
    const flow = liveFlows(scene, "bob")[0]?.id ?? "";
    const limit = async (maxBitrateBps: number | null) => {
      const change = { maxBitrateBps };
      scene.session.do({ type: "change-flow", flow, change, at: scene.session.at });
      await scene.run();
      return [scene.received("bob"), liveFlows(scene, "bob")[0]?.layer];
    };
    return { scene, limit };
  };

  it("[F9] a receiver is sent the layer that its limit lets it have", async () => {
    const { scene, limit } = await layered(["f", "h", "q"]);
    expect(scene.received("bob")).toEqual(["alice video f"]);
    expect(liveFlows(scene, "bob")[0]?.layer).toBe("f");
    expect(await limit(700_000)).toEqual([["alice video h"], "h"]);
    expect(await limit(10_000)).toEqual([["alice video q"], "q"]);
    expect(await limit(null)).toEqual([["alice video f"], "f"]);
    expect(JSON.stringify(scene.standIn.calls.at(-1)?.body)).toContain("asciibetical");
    expectOrder(scene);
  });

  it("[F9] layers whose names do not sort by quality are not left to the SFU", async () => {
    const { scene, limit } = await layered(["low", "high"]);
    expect(await limit(700_000)).toEqual([["alice video high"], "high"]);
    expect(JSON.stringify(scene.standIn.calls.at(-1)?.body)).not.toContain("asciibetical");
    expectOrder(scene);
  });

  it("[C1] a layer that the SFU does not give is refused, or asked for again", async () => {
    const { scene, limit } = await layered(["f", "h", "q"]);
    scene.standIn.plant({ on: "/tracks/update", kind: "track", code: "update_track_error" });
    expect((await limit(700_000))[0]).toEqual(["alice video f"]);
    expect(results(scene)).toEqual(["downlink bob video refused other"]);
    scene.standIn.plant({ on: "/tracks/update", kind: "status", status: 400 });
    await limit(800_000);
    expect(results(scene)).toEqual(["downlink bob video refused other"]);
    scene.standIn.plant({ on: "/tracks/update", kind: "track", code: "retryable_transient_error" });
    await limit(100_000);
    await scene.pass(2000);
    expect(scene.received("bob")).toEqual(["alice video q"]);
    expect(results(scene)).toEqual([]);
    await expectNothingLeft(scene);
  });
});

describe("the media server's own socket", () => {
  it("[R2] what ended while it was away is known 5 s after it is back", async () => {
    const scene = new ManagedScene();
    await scene.publish("alice", AV);
    await scene.publish("bob", ["audio"]);
    scene.session.do({ type: "lost", peer: "sfu", at: scene.session.at });
    scene.leave("alice");
    scene.session.join("sfu", "media-server");
    await scene.pass(6000);
    expect(Object.keys(scene.server.state.links)).toEqual(["bob"]);
    expect(Object.values(scene.server.state.contexts).map(({ peer }) => peer)).toEqual(["bob"]);
    await scene.publish("carol", ["audio"]);
    expect(scene.received("carol")).toEqual(["bob audio"]);
    expect(scene.received("bob")).toEqual(["carol audio"]);
    await expectNothingLeft(scene);
  });

  it("[S4] one that comes anew begins anew: nothing of before stays at the SFU", async () => {
    const scene = new ManagedScene();
    await scene.publish("alice", AV);
    await scene.publish("bob", ["audio"]);
    scene.session.send("sfu", { type: "leave" });
    scene.session.join("sfu", "media-server");
    await scene.run();
    expect(scene.standIn.active()).toEqual([]);
    scene.peers.get("alice")?.renew();
    scene.offer("alice");
    await scene.pass(5000);
    expect(scene.received("bob")).toEqual(["alice audio", "alice video"]);
    await expectNothingLeft(scene);
  });

  it("[R5] it says that it is there, and has nothing to wait for when nobody does anything", async () => {
    const scene = new ManagedScene();
    await scene.publish("alice", AV);
    scene.server.take({ type: "probe", n: 3 });
    expect(scene.sent.at(-1)).toEqual({ type: "alive", n: 3 });
    await scene.pass(5000);
    expect(scene.server.deadline).toBeUndefined();
  });

  it("[D1] a section that a receiver rejects is closed, and its context refused", async () => {
    const scene = new ManagedScene();
    await scene.publish("alice", AV);
    const bob = scene.join("bob", { publish: [] });
    bob.rejects.add("1");
    await scene.run();
    expect(scene.received("bob")).toEqual(["alice audio"]);
    expect(results(scene)).toEqual(["downlink bob video refused unsupported-codec"]);
    await expectNothingLeft(scene);
  });
});

describe("what goes wrong at the SFU", () => {
  it("[C1] an offer that it does not take is refused with the reason, and the next one is taken", async () => {
    const scene = new ManagedScene();
    for (const status of [400, 401, 406, 410, 500]) {
      scene.standIn.plant({ on: "/tracks/new", kind: "status", status, code: "planted" });
    }
    scene.standIn.plant({ on: "/tracks/new", kind: "wrong-json", effect: true });
    const alice = scene.join("alice");
    alice.add("audio");
    for (let count = 0; count < 6; count += 1) {
      scene.offer("alice");
      await scene.run();
    }
    expect(
      sentTypes(scene, "reject").map((message) => "reason" in message && message.reason),
    ).toEqual([
      "the SFU says planted",
      "the SFU says planted",
      "the SFU says planted",
      "the SFU says planted",
      "the SFU answered 500",
      "the SFU answered something else",
    ]);
    scene.offer("alice");
    await scene.run();
    expect(sentTypes(scene, "answer")).toHaveLength(1);
    expectOrder(scene);
    await expectNothingLeft(scene);
  });

  it("[C1] a track that is not there yet is asked for again, and refused when it never comes", async () => {
    const scene = new ManagedScene();
    await scene.publish("alice", ["audio"]);
    scene.standIn.plant({ on: "/tracks/new", kind: "track", code: "empty_track_error" });
    scene.join("bob", { publish: [] });
    await scene.run();
    expect(scene.received("bob")).toEqual([]);
    await scene.pass(1000);
    expect(scene.received("bob")).toEqual(["alice audio"]);
    for (let count = 0; count < 4; count += 1) {
      scene.standIn.plant({ on: "/tracks/new", kind: "track", code: "not_found_track_error" });
    }
    scene.join("carol");
    await scene.pass(20_000);
    expect(results(scene)).toEqual(["downlink carol audio refused unknown-source"]);
    expectOrder(scene);
    await expectNothingLeft(scene);
  });

  it("[C1] a track that cannot be published is refused, with who would receive it; WHIP gets no part", async () => {
    const scene = new ManagedScene();
    scene.standIn.plant({ on: "/tracks/new", kind: "track", code: "invalid_params" });
    scene.join("bob");
    await scene.publish("alice", ["audio"]);
    expect(results(scene).sort()).toEqual([]);
    scene.standIn.plant({ on: "/tracks/new", kind: "track", code: "invalid_params" });
    scene.post("whip", "cam", AV);
    await scene.run();
    expect(scene.session.answered.get("cam")).toMatchObject({ code: "offer-rejected" });
    expectOrder(scene);
    await expectNothingLeft(scene);
  });

  it("[C1] a player finds nothing published, or nothing that can be had", async () => {
    const scene = new ManagedScene();
    scene.post("whip", "cam", ["audio"]);
    await scene.run();
    scene.post("whep", "ann", ["video"]);
    await scene.run();
    expect(scene.session.answered.get("ann")).toMatchObject({ code: "offer-rejected" });
    scene.standIn.plant({ on: "/tracks/new", kind: "track", code: "empty_track_error" });
    scene.post("whep", "ben", ["audio"]);
    await scene.run();
    expect(scene.session.answered.get("ben")).toMatchObject({ code: "offer-rejected" });
    expectOrder(scene);
    await expectNothingLeft(scene);
  });

  it("[C1] a session that is gone is replaced by one that the peer is offered", async () => {
    const scene = new ManagedScene();
    await scene.publish("alice", ["audio"]);
    await scene.publish("bob", ["audio"]);
    scene.standIn.drop(scene.server.state.links.bob?.session ?? "");
    await scene.publish("carol", ["audio"]);
    expect(scene.received("bob")).toEqual(["alice audio", "carol audio"]);
    expect(sentTypes(scene, "transport")).toMatchObject([{ to: "bob", state: "failed" }]);
    expect(scene.standIn.complaints).toEqual([]);
    await expectNothingLeft(scene);
  });

  it("[C1] a call of which nobody knows the end leaves nothing behind", async () => {
    for (const on of ["/tracks/new", "/renegotiate", "/tracks/close", "/sessions/new"]) {
      for (const kind of ["no-answer", "500", "wrong-json"] as const) {
        const scene = new ManagedScene();
        await scene.publish("alice", AV);
        scene.standIn.plant({ on, kind, effect: true });
        await scene.publish("bob", AV);
        scene.offer("bob");
        await scene.pass(30_000);
        expect(scene.standIn.complaints, `${on} ${kind}`).toEqual([]);
        await expectNothingLeft(scene);
      }
    }
  });

  it("[R4] a call that was under way when the object was lost is made again, or given up", async () => {
    const scene = new ManagedScene();
    const alice = scene.join("alice");
    await scene.run();
    alice.add("audio");
    for (const on of ["/sessions/new", "/tracks/new", "/tracks/new", "/renegotiate"]) {
      let go: (value?: unknown) => void = () => undefined;
      const until = new Promise((resolve) => {
        go = resolve;
      });
      scene.standIn.plant({ on, kind: "slow", until });
      if (on !== "/renegotiate") scene.offer("alice");
      const running = scene.run();
      for (let turn = 0; turn < 40; turn += 1) await Promise.resolve();
      scene.evict();
      go();
      scene.server.wake();
      await running;
      await scene.pass(100);
    }
    await scene.publish("bob", ["audio"]);
    expect(scene.received("bob")).toEqual(["alice audio"]);
    await expectNothingLeft(scene);
  });
});
