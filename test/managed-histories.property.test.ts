import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManagedScene, SCENE_MODES, type SceneMode } from "./managed-scene.ts";
import type { PlantedFault } from "./realtime-stand-in.ts";

/** Whatever happens between a session, a managed SFU and the peers: nobody is left behind at the SFU. */

const PEERS = ["alice", "bob", "carol"] as const;
const HTTP = ["cam", "ann"] as const;
const CALLS = ["/sessions/new", "/tracks/new", "/renegotiate", "/close", "/update", "{session}"];
const BROKEN = ["no-answer", "500", "wrong-json"] as const;

type Action = (scene: ManagedScene) => Promise<void> | void;

const peer = fc.constantFrom(...PEERS);
const kind = fc.constantFrom("audio" as const, "video" as const);

const publishes: fc.Arbitrary<Action> = fc.tuple(peer, kind).map(([id, each]) => (scene) => {
  if (!scene.peers.has(id)) scene.join(id);
  scene.peers.get(id)?.add(each);
  scene.offer(id);
});

const leaves: fc.Arbitrary<Action> = fc.constantFrom(...PEERS, ...HTTP).map((id) => (scene) => {
  if (scene.peers.has(id)) scene.leave(id);
});

const posts: fc.Arbitrary<Action> = fc.constantFrom(...HTTP).map((id) => (scene) => {
  if (scene.session.session.peers.has(id)) return;
  const kinds = ["audio", "video"] as const;
  scene.tryPost(id === "cam" ? "whip" : "whep", id, kinds);
});

const changes: fc.Arbitrary<Action> = fc
  .tuple(peer, fc.constantFrom("renew", "restart", "stop", "go", "deaf", "hears"))
  .map(([id, what]) => (scene) => {
    const known = scene.peers.get(id);
    if (!known) return;
    if (what === "deaf" || what === "hears") {
      known.answers = what === "hears";
      return;
    }
    if (what === "renew") known.renew();
    if (what === "restart") known.restart();
    const [first] = known.sections;
    const direction = what === "stop" ? "inactive" : "sendonly";
    const isTurned = what === "stop" || what === "go";
    if (first?.mid.startsWith("send") && isTurned) known.turn(first.mid, direction);
    scene.offer(id, what === "restart" ? { restart: true } : {});
  });

const faults: fc.Arbitrary<Action> = fc
  .oneof(
    fc
      .tuple(fc.constantFrom(...CALLS), fc.constantFrom(...BROKEN), fc.boolean())
      .map(([on, broken, effect]): PlantedFault => ({ on, kind: broken, effect })),
    fc
      .tuple(fc.constantFrom(...CALLS), fc.constantFrom(400, 406, 410, 425, 503))
      .map(([on, status]): PlantedFault => ({ on, kind: "status", status, code: "planted" })),
    fc.constantFrom(...CALLS).map((on): PlantedFault => ({ on, kind: "busy", retryAfter: "1" })),
    fc
      .tuple(
        fc.constantFrom("/tracks/new", "/close", "/update"),
        fc.constantFrom("internal_error", "empty_track_error"),
      )
      .map(([on, code]): PlantedFault => ({ on, kind: "track", code })),
  )
  .map((fault) => (scene) => scene.standIn.plant(fault));

const passes: fc.Arbitrary<Action> = fc
  .constantFrom(0, 500, 3000, 20_000, 70_000)
  .map((ms) => (scene) => scene.pass(ms));

const ends: fc.Arbitrary<Action> = fc.nat(12).map((turns) => async (scene) => {
  scene.deliver();
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
  scene.evict();
  scene.server.wake();
});

const drops: fc.Arbitrary<Action> = peer.map((id) => (scene) => {
  const session = scene.server.state.links[id]?.session;
  if (session !== undefined) scene.standIn.drop(session);
});

const history = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: publishes },
    { weight: 2, arbitrary: posts },
    { weight: 3, arbitrary: leaves },
    { weight: 3, arbitrary: changes },
    { weight: 3, arbitrary: faults },
    { weight: 4, arbitrary: passes },
    { weight: 2, arbitrary: ends },
    { weight: 1, arbitrary: drops },
  ),
  { minLength: 4, maxLength: 25 },
);

async function play(mode: SceneMode, actions: readonly Action[]): Promise<ManagedScene> {
  const scene = new ManagedScene(mode);
  for (const act of actions) await act(scene);
  await scene.run();
  return scene;
}

describe.each(SCENE_MODES)("random histories, %s", (mode) => {
  it("[R4][C1] leave nothing behind at the SFU, and use it as it may be used", async () => {
    await fc.assert(
      fc.asyncProperty(history, async (actions) => {
        const scene = await play(mode, actions);
        scene.standIn.faults.splice(0);
        for (const id of [...scene.session.session.peers.keys()]) {
          if (id !== "sfu") scene.leave(id);
        }
        await scene.pass(300_000);
        expect(scene.standIn.active()).toEqual([]);
        expect(scene.standIn.complaints).toEqual([]);
        expect(scene.server.state).toMatchObject({ contexts: {}, links: {}, cleanups: [] });
        expect(scene.server.deadline).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it("[R3][C1] come to what the peers ask for, once nothing goes wrong any more", async () => {
    await fc.assert(
      fc.asyncProperty(history, async (actions) => {
        const scene = await play(mode, actions);
        scene.standIn.faults.splice(0);
        for (const id of [...scene.session.session.peers.keys()]) {
          if (id !== "sfu") scene.leave(id);
        }
        await scene.pass(5000);
        await scene.publish("alice", ["audio"]);
        await scene.publish("bob", ["video"]);
        await scene.pass(5000);
        expect([scene.received("alice"), scene.received("bob")]).toEqual([
          ["bob video"],
          ["alice audio"],
        ]);
      }),
      { numRuns: 30 },
    );
  });
});
