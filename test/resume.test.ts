import { abortAllDurableObjects, evictDurableObject, reset } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { LinkSummary } from "../protocol/message-parts.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { LivePeer, LiveSession, MODES, type Mode } from "./live-session.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

/** Moves the clock that the object reads; alarms are run by hand. */
function later(seconds: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
}

interface Said {
  readonly exchange: number;
  readonly sdp: string;
}

/** Alice stays, or comes back first; Bob is the one who is lost and resumes. With what the link should be. */
class Scene {
  readonly session: LiveSession;
  alice: LivePeer;
  bob: LivePeer;
  /** Newest number issued. */
  exchange = 0;
  /** The answer of Alice in force, always to an offer of Bob's, and her candidates with it. */
  answer: Said | undefined;
  trickled: { candidates: object[]; complete: boolean } = { candidates: [], complete: false };
  /** The offer that is open. */
  open: (Said & { from: "alice" | "bob" }) | undefined;
  #version = 0;
  /** Of Alice's newest answer. */
  #ufrag = "";
  #id = 100;

  constructor(session: LiveSession, alice: LivePeer, bob: LivePeer) {
    this.session = session;
    this.alice = alice;
    this.bob = bob;
  }

  static async start(mode: Mode): Promise<Scene> {
    const session = await LiveSession.start(mode, { resumeSeconds: 7200, emptyTtlSeconds: 7200 });
    const alice = await session.join({ ttlSeconds: 80_000 });
    const bob = await session.join({ ttlSeconds: 80_000 });
    await alice.next("peer-joined");
    return new Scene(session, alice, bob);
  }

  async ask(from: "alice" | "bob", message: object): Promise<{ exchange: number; code?: string }> {
    this.#id += 1;
    const to = from === "alice" ? this.bob.id : this.alice.id;
    const reply = await this[from].request({ to, ...message, id: this.#id } as never);
    return reply as unknown as { exchange: number; code?: string };
  }

  sdp(of: "alice" | "bob", setup: "actpass" | "active" = "actpass"): string {
    // Every exchange has an ICE generation of its own: candidates of the one before are over with it.
    this.#version += 1;
    const ufrag = `${of}${this.#version}`;
    if (of === "alice" && setup === "active") this.#ufrag = ufrag;
    return sdpOf({ of, setup, ufrag, version: this.#version });
  }

  async offer(from: "alice" | "bob"): Promise<void> {
    const sdp = this.sdp(from);
    const { exchange } = await this.ask(from, { type: "offer", sdp });
    expect(exchange).toBe(this.exchange + 1);
    this.exchange = exchange;
    this.open = { from, exchange, sdp };
  }

  /** Alice answers the open offer of Bob. */
  async accept(): Promise<void> {
    const { exchange } = this;
    const sdp = this.sdp("alice", "active");
    expect(await this.ask("alice", { type: "answer", exchange, sdp })).toMatchObject({
      type: "ack",
    });
    this.open = undefined;
    this.answer = { exchange, sdp };
    this.trickled = { candidates: [], complete: false };
  }

  async trickle(numbers: number[], complete = false): Promise<void> {
    const { exchange } = this.answer!;
    const candidates = numbers.map((n) => candidateOf(n, this.#ufrag));
    await this.ask("alice", { type: "candidates", exchange, candidates, complete });
    this.trickled = { candidates: [...this.trickled.candidates, ...candidates], complete };
  }

  async closeOpen(by: "alice", type: "reject" | "rollback"): Promise<void> {
    await this.ask(by, { type, exchange: this.exchange });
    this.open = undefined;
  }

  /** What the server should say it has. */
  get summary(): LinkSummary {
    const [alice, bob] = [this.alice.id, this.bob.id];
    const { open, answer, trickled } = this;
    const offer = open ?? { from: "bob" as const, exchange: answer!.exchange };
    const offerer = offer.from === "alice" ? alice : bob;
    const isThere = trickled.complete || trickled.candidates.length > 0;
    return {
      id: [alice, bob].toSorted().join("~"),
      peers: [alice, bob].toSorted() as [string, string],
      state: open ? "offered" : "stable",
      exchange: this.exchange,
      offerer,
      has: [
        { from: offerer, description: "offer", exchange: offer.exchange },
        ...(answer
          ? [{ from: alice, description: "answer" as const, exchange: answer.exchange }]
          : []),
      ],
      candidates:
        answer && isThere
          ? [
              {
                from: alice,
                exchange: answer.exchange,
                complete: trickled.complete,
                count: trickled.candidates.length,
              },
            ]
          : [],
    };
  }

  /** What Bob may lack: the answer, unless he has offered anew and so had it; the open offer; candidates. */
  get lacking(): object[] {
    const { open, answer, trickled } = this;
    const from = this.alice.id;
    const messages: object[] = [];
    if (answer && open?.from !== "bob") messages.push({ type: "answer", from, ...answer });
    if (open?.from === "alice") {
      messages.push({ type: "offer", from, exchange: open.exchange, sdp: open.sdp });
    }
    if (answer && (trickled.complete || trickled.candidates.length > 0)) {
      const complete = trickled.complete ? { complete: true } : {};
      const { candidates } = trickled;
      messages.push({
        type: "candidates",
        from,
        exchange: answer.exchange,
        candidates,
        ...complete,
      });
    }
    return messages;
  }
}

/** What goes before the loss, and what goes on while Bob is away. */
const SITUATIONS: Readonly<
  Record<string, readonly [(scene: Scene) => Promise<void>, (scene: Scene) => Promise<void>]>
> = {
  "nothing happens": [
    async (scene) => {
      await scene.offer("bob");
      await scene.accept();
    },
    async () => undefined,
  ],
  "Alice offers meanwhile": [async () => undefined, (scene) => scene.offer("alice")],
  "Alice's offer was open": [(scene) => scene.offer("alice"), async () => undefined],
  "Alice takes her offer back meanwhile": [
    async () => undefined,
    (scene) => scene.closeOpen("alice", "rollback"),
  ],
  "Alice answers meanwhile, with candidates": [
    (scene) => scene.offer("bob"),
    async (scene) => {
      await scene.accept();
      await scene.trickle([1, 2]);
    },
  ],
  "both trickle, Alice to the end": [
    async (scene) => {
      await scene.offer("bob");
      await scene.accept();
      await scene.trickle([3]);
      await scene.offer("bob");
      await scene.accept();
    },
    (scene) => scene.trickle([4], true),
  ],
  "glare: Bob's offer was first": [
    (scene) => scene.offer("bob"),
    async (scene) => {
      const refused = await scene.ask("alice", { type: "offer", sdp: scene.sdp("alice") });
      expect(refused).toMatchObject({ code: "glare", exchange: scene.exchange });
    },
  ],
  "Alice rejects meanwhile": [
    (scene) => scene.offer("bob"),
    (scene) => scene.closeOpen("alice", "reject"),
  ],
  "Bob's offer expires meanwhile": [
    (scene) => scene.offer("bob"),
    async (scene) => {
      later(61);
      await scene.session.alarm();
      scene.open = undefined;
    },
  ],
};

const close = async ({ bob }: Scene): Promise<void> => {
  bob.socket.close(1001, "gone");
  await bob.closing();
};

const closeFor = (seconds: number) => async (scene: Scene) => {
  await close(scene);
  later(seconds);
  await scene.session.alarm();
  // An offer does not wait so long (N7).
  if (seconds > 60) scene.open = undefined;
};

const LOSSES: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "a close": close,
  "nothing but a newer socket": async () => undefined,
  "a close and an eviction": async (scene) => {
    await close(scene);
    await evictDurableObject(scene.session.stub).catch(() => undefined);
  },
  "an abort, all sockets gone": async (scene) => {
    await abortAllDurableObjects();
    scene.alice = await scene.session.connect(scene.alice.invitation);
    scene.alice.inbox.length = 0;
  },
  "31 s": closeFor(31),
};

/** Bob's new socket speaks before it has read anything; gives what it was sent. */
async function comeBack(scene: Scene): Promise<readonly ToPeer[]> {
  const { session, alice } = scene;
  await session.pause();
  const { webSocket } = await session.upgrade(scene.bob.token);
  const bob = new LivePeer(session, scene.bob.invitation, webSocket!);
  bob.socket.send(JSON.stringify({ type: "message", to: alice.id, body: "I am back" }));
  expect(await alice.next("message")).toMatchObject({ from: bob.id, body: "I am back" });
  scene.bob = bob;
  await scene.ask("alice", { type: "message", body: "welcome" });
  await scene.ask("bob", { type: "state" });
  return bob.inbox.splice(0);
}

/** One resume: what the server says it has is right, and Bob gets what he lacks, in order, and no more. */
async function resumed(scene: Scene, name: string): Promise<void> {
  const [welcome, ...rest] = await comeBack(scene);
  expect(welcome, name).toMatchObject({ type: "welcome", resumed: true });
  expect((welcome as { links: unknown }).links, name).toEqual([scene.summary]);
  const told = rest.filter(({ type }) => type !== "flows");
  const live = { type: "message", from: scene.alice.id, body: "welcome" };
  expect(told, name).toEqual([...scene.lacking, live]);
  const seen = scene.alice.inbox.map(({ type }) => type);
  expect(seen, name).not.toContain("peer-left");
  expect(seen, name).not.toContain("peer-joined");
}

describe.each(MODES)("%s: resume", (mode) => {
  it.each(Object.keys(LOSSES))(
    "[R2] again and again after %s: welcome, what may be lacking and nothing else, then live traffic",
    async (loss) => {
      const scene = await Scene.start(mode);
      for (const [name, [before, away]] of Object.entries(SITUATIONS)) {
        await before(scene);
        await LOSSES[loss]!(scene);
        await away(scene);
        await resumed(scene, name);
      }
    },
    60_000,
  );

  it("[S5] again and again after an hour each, within the window", async () => {
    const scene = await Scene.start(mode);
    await scene.offer("bob");
    await scene.accept();
    for (let round = 1; round <= 5; round++) {
      await closeFor(3600)(scene);
      if (round === 3) await scene.offer("alice");
      await resumed(scene, `hour ${round}`);
    }
  });

  it("[S3] of two sockets that open at once the newest speaks, and gets everything", async () => {
    const scene = await Scene.start(mode);
    const { session, bob, alice } = scene;
    await scene.offer("alice");
    const [one, two] = await Promise.all([session.upgrade(bob.token), session.upgrade(bob.token)]);
    const sockets = [one, two].map(
      ({ webSocket }) => new LivePeer(session, bob.invitation, webSocket!),
    );
    await Promise.race(sockets.map((socket) => socket.closing()));
    const replaced = sockets.filter(({ closed }) => closed !== null);
    const [left] = sockets.filter(({ closed }) => closed === null);
    expect(replaced.map(({ closed }) => closed?.code)).toEqual([4001]);
    expect(await left!.next("welcome")).toMatchObject({ resumed: true });
    expect(await left!.next("offer")).toMatchObject({ exchange: 1 });
    scene.bob = left!;
    await scene.ask("alice", { type: "message", body: 1 });
    expect(await left!.next("message")).toMatchObject({ body: 1 });
    expect(await alice.all("peer-left")).toEqual([]);
  });

  it("[R3] candidates of which only the closing socket knew are still there", async () => {
    const scene = await Scene.start(mode);
    const { session, bob, alice } = scene;
    await scene.offer("bob");
    await scene.accept();
    const candidates = [candidateOf(1, "bob1"), candidateOf(2, "bob1")];
    await scene.ask("bob", { type: "candidates", exchange: 1, candidates });
    // Neither memory nor a row has them when the close is told.
    await evictDurableObject(session.stub);
    await close(scene);
    await evictDurableObject(session.stub).catch(() => undefined);
    const state = await alice.request({ type: "state", id: 9 } as never);
    expect(state).toMatchObject({ links: [{ candidates: [{ from: bob.id, candidates }] }] });
  });
});

describe("after an abort", () => {
  it("[R2] the counts tell the truth: what no row had is sent again by its owner, and arrives", async () => {
    const scene = await Scene.start("awake");
    await scene.offer("bob");
    await scene.accept();
    await scene.trickle([1, 2]);
    await abortAllDurableObjects();
    const { session } = scene;
    const response = await session.upgrade(scene.alice.token);
    scene.alice = new LivePeer(session, scene.alice.invitation, response.webSocket!);
    const welcome = await scene.alice.next("welcome");
    expect(welcome.links).toMatchObject([{ exchange: 1, candidates: [] }]);
    scene.trickled = { candidates: [], complete: false };
    await scene.trickle([1, 2]);
    await resumed(scene, "after the abort");
  });

  it("[S5] peers that do not come back are away from when the session is looked at, then lost; the alarm is that", async () => {
    const scene = await Scene.start("awake");
    await scene.offer("bob");
    await scene.accept();
    await abortAllDurableObjects();
    const { peers } = await scene.session.read<{ peers: { state: string }[] }>("/peers");
    expect(peers).toMatchObject([{ state: "away" }, { state: "away" }]);
    await scene.session.alarm();
    const alarm = await scene.session.inside((state) => state.storage.getAlarm());
    expect(alarm! - Date.now()).toBeLessThanOrEqual(7_200_000);
    expect(alarm! - Date.now()).toBeGreaterThan(7_100_000);
    later(7_201);
    await scene.session.alarm();
    expect((await scene.session.read<{ code?: string }>()).code).toBe("session-not-found");
  });
});
