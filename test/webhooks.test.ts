import {
  abortAllDurableObjects,
  reset,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OutboxRows } from "../durable-objects/outbox-rows.ts";
import type { WebhookDeadLetters } from "../durable-objects/webhook-dead-letters.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { TimelineView } from "../protocol/timeline/view.ts";
import { sdpOf } from "./descriptions.ts";
import { call, callJson, KEY, type LivePeer, LiveSession, MODES } from "./live-session.ts";
import { Meter } from "./meter.ts";
import { callOfTwo, callOfTwoDeleted } from "./price-calls.ts";
import { keysOf, later, letters, webhooksOf } from "./webhook-answers.ts";
import { configureReceivers, forgetReceivers, StandInReceiver } from "./webhook-receiver.ts";

const variables = env as unknown as Record<string, unknown>;

let receiver: StandInReceiver;

beforeEach(() => {
  receiver = new StandInReceiver("https://hooks.test/duplex?key=in-the-query");
  configureReceivers(receiver);
});

afterEach(async () => {
  // What is still on its way has nowhere to go.
  receiver.release();
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
  forgetReceivers();
});

let ids = 0;
const ask = (peer: LivePeer, message: object) =>
  peer.request({ ...message, id: ++ids } as { id: number });

async function agree(offerer: LivePeer, answerer: LivePeer): Promise<void> {
  const { exchange } = (await ask(offerer, { type: "offer", to: answerer.id, sdp: sdpOf() })) as {
    exchange: number;
  };
  const sdp = sdpOf({ setup: "active" });
  const answered = await ask(answerer, { type: "answer", to: offerer.id, exchange, sdp });
  expect(answered).toMatchObject({ type: "ack" });
}

const connected = (from: LivePeer, to: LivePeer) =>
  ask(from, { type: "transport", to: to.id, state: "connected" });

/** Brings the session's alarm about, again and again, until its receiver has had the last event. */
async function ring(session: LiveSession, isDone: () => boolean): Promise<void> {
  await vi.waitFor(
    async () => {
      later(3_600);
      await session.alarm();
      expect(isDone()).toBe(true);
    },
    { timeout: 10_000, interval: 10 },
  );
}

describe.each(MODES)("%s", (mode) => {
  it("[R6] a call is told of from its start to its end, in order, and then nothing is left of it", async () => {
    const session = await LiveSession.start(mode, { metadata: { room: "blue" } });
    const alice = await session.join({ name: "Alice", metadata: { seat: 1 } });
    const bob = await session.join();
    await agree(alice, bob);
    await connected(alice, bob);
    await ask(bob, { type: "leave" });
    await callJson(session.path, "DELETE");
    expect(await receiver.until(session.id, "session.ended")).toEqual([
      "session.created",
      "peer.joined",
      "peer.joined",
      "flow.negotiated",
      "flow.negotiated",
      "flow.active",
      "flow.active",
      "flow.ended",
      "flow.ended",
      "peer.left",
      "peer.left",
      "session.ended",
    ]);
    const [, joined] = receiver.history(session.id);
    expect(joined?.data).toMatchObject({
      session: session.id,
      sequence: 2,
      peer: { id: alice.id, role: "peer", name: "Alice", metadata: { seat: 1 } },
    });
    expect(receiver.mostUnderWay).toBe(1);
    await vi.waitFor(async () => expect(await keysOf(session)).toEqual([]));
    expect(await session.inside(({ storage }) => storage.getAlarm())).toBeNull();
    expect((await call(`${session.path}/webhooks`, { headers: KEY })).status).toBe(404);
  });

  it("[R6] no event tells SDP, addresses or tokens", async () => {
    const session = await LiveSession.start(mode);
    const alice = await session.join();
    const bob = await session.join();
    await agree(alice, bob);
    const end = (port: number) => ({ candidateType: "host", address: "192.0.2.1", port });
    const pair = { local: end(40_001), remote: end(40_002) };
    await ask(alice, { type: "transport", to: bob.id, state: "connected", pair });
    await receiver.until(session.id, 7);
    const told = JSON.stringify(receiver.got);
    for (const secret of [alice.token, bob.token, "192.0.2.1", "v=0", "ice-pwd", "in-the-query"]) {
      expect(told).not.toContain(secret);
    }
  });

  it("[R6] who is lost and comes back, or takes over, neither leaves nor joins again", async () => {
    const session = await LiveSession.start(mode);
    const invitation = await session.invite();
    const alice = await session.connect(invitation);
    await session.join();
    await session.connect(invitation);
    await alice.closing();
    await receiver.until(session.id, 3);
    const again = await session.connect(invitation);
    again.socket.close();
    await receiver.until(session.id, "peer.lost");
    await session.connect(invitation);
    expect(await receiver.until(session.id, "peer.resumed")).toEqual([
      "session.created",
      "peer.joined",
      "peer.joined",
      "peer.lost",
      "peer.resumed",
    ]);
  });

  it("[R6] a receiver that fails is tried again until it takes the event, and gets what follows after that", async () => {
    receiver.always = 500;
    // However long this machine takes, no time passes, and no alarm is due.
    later(3_600);
    const session = await LiveSession.start(mode);
    await vi.waitFor(() => expect(receiver.got.length).toBeGreaterThan(0));
    await session.join();
    await vi.waitFor(async () => {
      expect(await webhooksOf(session)).toMatchObject({
        newest: 2,
        receivers: [
          {
            url: "https://hooks.test/duplex",
            settled: 0,
            pending: 2,
            lastFailure: { status: 500, reason: "answered" },
          },
        ],
      });
    });
    const { receivers } = await webhooksOf(session);
    const wait = (receivers[0]?.nextTryAt ?? 0) - (receivers[0]?.lastFailure?.at ?? 0);
    expect(wait).toBeGreaterThanOrEqual(4_000);
    expect(wait).toBeLessThanOrEqual(6_000);
    // Before its time nothing is tried, whatever wakes the object.
    const tries = receiver.got.length;
    await session.join();
    expect(receiver.got.length).toBe(tries);
    const at = await session.inside(({ storage }) => storage.getAlarm());
    expect(at).toBe(receivers[0]?.nextTryAt);
    receiver.always = 200;
    later(7);
    await session.alarm();
    expect(await receiver.until(session.id, 3)).toEqual([
      "session.created",
      "peer.joined",
      "peer.joined",
    ]);
    const settled = await vi.waitFor(async () => {
      const view = await webhooksOf(session);
      expect(view.receivers[0]?.settled).toBe(3);
      return view;
    });
    expect(settled.receivers[0]).toMatchObject({ pending: 0, failures: 0, dead: 0 });
  });

  it("[R6] two receivers each get everything in order, however late one of them is", async () => {
    const slow = new StandInReceiver("https://slow.test/");
    configureReceivers(receiver, slow);
    slow.isHolding = true;
    const session = await LiveSession.start(mode === "evicted" ? "awake" : mode);
    const alice = await session.join();
    await ask(alice, { type: "leave" });
    expect(await receiver.until(session.id, 3)).toHaveLength(3);
    expect(slow.got).toHaveLength(1);
    expect((await webhooksOf(session)).receivers.map(({ pending }) => pending)).toEqual([0, 3]);
    slow.release();
    expect(await slow.until(session.id, 3)).toEqual(receiver.types(session.id));
    expect(slow.mostUnderWay).toBe(1);
  });

  it("[S6] what is left to be told outlives the session, which is gone for everybody", async () => {
    receiver.always = "down";
    const session = await LiveSession.start(mode, { listed: true });
    const alice = await session.join();
    await callJson(session.path, "DELETE");
    expect((await alice.closing()).code).toBe(4000);
    await new LiveSession(session.id, mode).pause();
    expect((await call(session.path, { headers: KEY })).status).toBe(404);
    expect((await session.upgrade(alice.token)).status).toBe(404);
    expect((await webhooksOf(session)).receivers).toMatchObject([{ pending: 4 }]);
    // Of the session itself nothing is kept.
    const kept = await session.inside(({ storage }) => storage.kv.get<string>("session"));
    expect(kept).toBe("over");
    await callJson(session.path, "DELETE");
    receiver.always = 204;
    await ring(session, () => receiver.types(session.id).at(-1) === "session.ended");
    expect(receiver.types(session.id)).toHaveLength(4);
    await vi.waitFor(async () => expect(await keysOf(session)).toEqual([]));
  });
});

describe("one transaction", () => {
  it("[R6] a change that cannot be written is not told, and what cannot be told does not happen", async () => {
    const session = await LiveSession.start("awake");
    const alice = await session.join();
    await receiver.until(session.id, 2);
    const append = vi.spyOn(OutboxRows.prototype, "append").mockImplementationOnce(() => {
      throw new Error("planted");
    });
    const invitation = await session.invite();
    const refused = await session.upgrade(invitation.token);
    expect(refused.status).toBe(500);
    // Who does not read it keeps the object awake.
    await refused.text();
    expect(append).toHaveBeenCalledOnce();
    // Awake or read again, the peer is not there and was never announced.
    for (const mode of MODES) {
      await new LiveSession(session.id, mode).pause();
      const { peers } = await session.read<{ peers: { id: string }[] }>("/peers");
      expect(peers.map(({ id }) => id)).toEqual([alice.id]);
    }
    expect(await alice.all("peer-joined")).toEqual([]);
    const bob = await session.connect(invitation);
    await receiver.until(session.id, 3);
    expect(receiver.history(session.id).at(-1)?.data).toMatchObject({ peer: { id: bob.id } });
  });

  it("[R6] after an abort at any point the session is as it was told, and every event comes", async () => {
    const session = await LiveSession.start("awake");
    receiver.isHolding = true;
    const alice = await session.join();
    await abortAllDurableObjects();
    receiver.release();
    // Whoever was alone is known still: its join is told.
    const { peers } = await session.read<{ peers: { id: string; state: string }[] }>("/peers");
    expect(peers).toMatchObject([{ id: alice.id, state: "away" }]);
    await receiver.until(session.id, "peer.lost");
    const again = await session.connect(alice.invitation);
    const bob = await session.join();
    await agree(again, bob);
    await connected(again, bob);
    await abortAllDurableObjects();
    // An active flow was told of, so it is active.
    const { flows } = await session.read<{ flows: { state: string }[] }>("/flows");
    expect(flows.map(({ state }) => state)).toEqual(["active", "active"]);
    await callJson(session.path, "DELETE");
    await abortAllDurableObjects();
    await ring(session, () => receiver.types(session.id).at(-1) === "session.ended");
    const types = receiver.types(session.id);
    expect(types.slice(0, 5)).toEqual([
      "session.created",
      "peer.joined",
      "peer.lost",
      "peer.resumed",
      "peer.joined",
    ]);
    expect(types.filter((type) => type === "flow.active")).toHaveLength(2);
    expect(types.filter((type) => type === "peer.left")).toHaveLength(2);
  });

  it("[R6] an answer that is lost brings the same event with the same id", async () => {
    receiver.isHolding = true;
    const session = await LiveSession.start("awake");
    await vi.waitFor(() => expect(receiver.underWay).toBe(1));
    await abortAllDurableObjects();
    receiver.release();
    await session.read();
    await vi.waitFor(() => expect(receiver.got.length).toBe(2));
    const [first, second] = receiver.got;
    expect(second).toEqual(first);
    expect(first?.id).toBe(`msg_${session.id}_1`);
  });

  it("[R6] the last leave and the alarm of an empty session are told as they are", async () => {
    const session = await LiveSession.start("awake");
    const alice = await session.join();
    await ask(alice, { type: "leave" });
    await abortAllDurableObjects();
    later(301);
    await session.alarm();
    const types = await receiver.until(session.id, "session.ended");
    expect(types).toEqual(["session.created", "peer.joined", "peer.left", "session.ended"]);
    expect(
      receiver.history(session.id).map(({ data }) => (data as { reason?: string }).reason),
    ).toEqual([undefined, undefined, "left", "empty"]);
  });

  it("[S1] a session that is made again under its id goes on counting", async () => {
    receiver.always = 503;
    const session = await LiveSession.start("awake");
    await callJson(session.path, "DELETE");
    await runInDurableObject(session.stub, async (object) => {
      const { SessionRequest } = await import("../protocol/session-config.ts");
      await object.create(session.id, SessionRequest.parse({}));
    });
    expect((await call(session.path, { headers: KEY })).status).toBe(200);
    receiver.always = 200;
    await ring(session, () => receiver.got.filter(({ taken }) => taken).length >= 3);
    expect(receiver.types(session.id).slice(0, 3)).toEqual([
      "session.created",
      "session.ended",
      "session.created",
    ]);
  });
});

describe("delivery", () => {
  it("[R6] a receiver that does not answer delays nobody, and is given up for now in time", async () => {
    let giveUp = () => undefined as unknown;
    const wait = globalThis.setTimeout;
    vi.stubGlobal("setTimeout", (act: () => void, ms?: number) => {
      if (ms !== LIMITS.webhookTryMs) return wait(act, ms);
      giveUp = act;
      return 0;
    });
    receiver.always = "silent";
    const session = await LiveSession.start("awake");
    const [alice, bob] = [await session.join(), await session.join()];
    await agree(alice, bob);
    expect((await webhooksOf(session)).receivers[0]).toMatchObject({ pending: 5, failures: 0 });
    await runInDurableObject(session.stub, () => void giveUp());
    await vi.waitFor(async () => {
      const [state] = (await webhooksOf(session)).receivers;
      expect(state?.lastFailure).toMatchObject({ reason: "timeout" });
    });
  });

  it("[A5] redirects are not followed, and nobody but the configured receivers is asked", async () => {
    receiver.script.push({ status: 307, headers: { location: "https://elsewhere.test/" } });
    const session = await LiveSession.start("awake");
    await vi.waitFor(async () => {
      const [state] = (await webhooksOf(session)).receivers;
      expect(state?.lastFailure).toMatchObject({ status: 307, reason: "redirected" });
    });
    later(7);
    await session.alarm();
    await receiver.until(session.id, 1);
  });

  it("[R6] Retry-After of 429 and 503 is respected, as seconds or as a date", async () => {
    receiver.script.push({ status: 429, headers: { "retry-after": "120" } });
    const session = await LiveSession.start("awake");
    const wait = async () => {
      const { nextTryAt = 0, lastFailure } = (await webhooksOf(session)).receivers[0] ?? {};
      return nextTryAt - (lastFailure?.at ?? 0);
    };
    await vi.waitFor(async () => expect(await wait()).toBe(120_000));
    later(121);
    const date = new Date(Date.now() + 600_000).toUTCString();
    receiver.script.push({ status: 503, headers: { "retry-after": date } });
    await session.alarm();
    await vi.waitFor(async () => expect(await wait()).toBeGreaterThan(500_000));
    later(601);
    receiver.script.push({ status: 503, headers: { "retry-after": "some day" } });
    await session.alarm();
    await vi.waitFor(async () => expect(await wait()).toBeLessThan(200_000));
  });

  it("[R6] 410 ends it: the receiver is told nothing more of this session", async () => {
    receiver.script.push(410);
    const session = await LiveSession.start("awake");
    await session.join();
    await vi.waitFor(async () => {
      expect((await webhooksOf(session)).receivers[0]).toMatchObject({ gone: true, pending: 0 });
    });
    await session.join();
    expect((await webhooksOf(session)).newest).toBe(3);
    expect(receiver.got).toHaveLength(1);
    await callJson(session.path, "DELETE");
    await vi.waitFor(async () => expect(await keysOf(session)).toEqual([]));
  });

  it("[R6] tries are made for a day, with growing times between them; then the events are dead letters", async () => {
    receiver.always = 500;
    const session = await LiveSession.start("awake", { emptyTtlSeconds: 1 });
    const began = Date.now();
    await vi.waitFor(() => expect(receiver.got).toHaveLength(1));
    await callJson(session.path, "DELETE");
    const waits: number[] = [];
    for (let tries = 1; (await keysOf(session)).length > 0; tries += 1) {
      expect(tries).toBeLessThan(30);
      const view = await vi.waitFor(async () => {
        const { receivers } = await webhooksOf(session);
        expect(receivers[0]?.failures).toBeGreaterThanOrEqual(tries);
        return receivers[0];
      });
      waits.push((view?.nextTryAt ?? 0) - (view?.lastFailure?.at ?? 0));
      expect(Date.now() - began).toBeLessThan(LIMITS.webhookAgeMs + 20_000_000);
      vi.useFakeTimers({ toFake: ["Date"], now: (view?.nextTryAt ?? 0) + 1 });
      await session.alarm();
      await vi.waitFor(async () => {
        const isLeft = (await keysOf(session)).length > 0;
        if (isLeft)
          expect((await webhooksOf(session)).receivers[0]?.failures).toBeGreaterThan(tries);
      });
    }
    expect(waits.toSorted((one, other) => one - other)).toEqual(
      waits.map((wait) => wait).toSorted((a, b) => a - b),
    );
    expect(waits.length).toBeGreaterThan(9);
    const dead = await letters();
    expect(dead.map(({ event }) => event.type)).toEqual(["session.created", "session.ended"]);
    expect(dead[0]).toMatchObject({
      webhookId: `msg_${session.id}_1`,
      receiver: "https://hooks.test/duplex",
      reason: "answered",
      event: { data: { session: session.id, sequence: 1 } },
    });
    expect(JSON.stringify(dead)).not.toContain("in-the-query");
  });

  it("[M15] the timeline tells what was not taken, and no row is written for that", async () => {
    const session = await LiveSession.start("awake");
    await session.join();
    await session.join();
    await receiver.until(session.id, 3);
    receiver.always = 500;
    let rows = 0;
    await session.inside(({ storage }) => {
      const kv = Reflect.getPrototypeOf(storage.kv) as SyncKvStorage;
      const { put } = kv;
      vi.spyOn(kv, "put").mockImplementation(function watched(this: SyncKvStorage, ...given) {
        if (given[0] === "session") rows += 1;
        put.apply(this, given);
      });
    });
    await session.join();
    await vi.waitFor(async () =>
      expect((await webhooksOf(session)).receivers[0]?.failures).toBe(1),
    );
    await session.join();
    expect(rows).toBe(2);
    later(90_000);
    await session.alarm();
    await vi.waitFor(async () => expect(await letters()).toHaveLength(2));
    const { entries } = await session.read<TimelineView>("/timeline");
    expect(entries.filter(({ type }) => type === "webhook")).toMatchObject([
      { event: "peer.joined", sequence: 4, state: "retrying", reason: "answered" },
      { event: "peer.joined", sequence: 4, state: "dead", reason: "answered", times: 2 },
    ]);
  });

  it("[R6] a dead letter can be delivered once more, or thrown away", async () => {
    receiver.always = 500;
    const session = await LiveSession.start("awake");
    await vi.waitFor(() => expect(receiver.got).toHaveLength(1));
    await callJson(session.path, "DELETE");
    later(90_000);
    await session.alarm();
    const [created, ended] = await vi.waitFor(async () => {
      const dead = await letters();
      expect(dead).toHaveLength(2);
      return dead;
    });
    // The Worker has read its variables before these were set: it is asked as one that has them.
    const { default: worker } = await import("../src/index.ts");
    const request = new Request("https://duplex.test/v1/metrics", { headers: KEY });
    const metrics = await worker.fetch(
      request as never,
      { ...env } as never,
      {
        waitUntil: () => undefined,
        passThroughOnException: () => undefined,
      } as never,
    );
    expect(await metrics.text()).toContain("\nduplex_webhook_dead_letters 2\n");
    const redeliver = (id: string) => callJson(`/v1/webhooks/dead-letters/${id}/redeliver`, "POST");
    const refused = await redeliver(created?.id ?? "");
    expect(refused.status).toBe(502);
    expect(await refused.json()).toMatchObject({ code: "webhook-not-taken", answered: 500 });
    receiver.always = 200;
    // Its address was changed meanwhile: whoever is told now is told of it.
    const other = new StandInReceiver("https://other.test/");
    configureReceivers(other);
    expect((await redeliver(created?.id ?? "")).status).toBe(204);
    expect(other.types(session.id)).toEqual(["session.created"]);
    expect((await letters()).map(({ id }) => id)).toEqual([ended?.id]);
    const gone = await redeliver(created?.id ?? "");
    expect(await gone.json()).toMatchObject({ code: "dead-letter-not-found" });
    for (let times = 0; times < 2; times += 1) {
      const removed = await callJson(`/v1/webhooks/dead-letters/${ended?.id}`, "DELETE");
      expect(removed.status).toBe(204);
    }
    expect(await letters()).toEqual([]);
    expect((await redeliver("none")).status).toBe(404);
  });

  it("[R6] what waits is bounded: the oldest are given up first, and nobody's letters push out those of others", async () => {
    const namespace = env as unknown as {
      WEBHOOK_DEAD_LETTERS: DurableObjectNamespace<WebhookDeadLetters>;
    };
    const stub = namespace.WEBHOOK_DEAD_LETTERS.getByName("all");
    const at = Date.now();
    const letter = (session: string, sequence: number) => ({
      ...{
        session,
        sequence,
        receiver: "https://hooks.test/duplex",
        failures: 1,
        reason: "timeout",
      },
      news: {
        type: "session.created",
        at,
        data: { topology: "mesh" },
      } as const,
    });
    await stub.add([letter("quiet", 1)], at);
    const many = Array.from({ length: LIMITS.sessionDeadLetters + 5 }, (_, n) =>
      letter("loud", n + 1),
    );
    await stub.add(many, at);
    // The same once more changes nothing.
    await stub.add(many.slice(-3), at);
    const found = await letters();
    expect(found).toHaveLength(LIMITS.sessionDeadLetters + 1);
    expect(found[0]?.event.data.session).toBe("quiet");
    expect(found[1]?.event.data.sequence).toBe(6);
    vi.useFakeTimers({ toFake: ["Date"], now: at + LIMITS.deadLetterMs });
    await runDurableObjectAlarm(stub);
    expect(await letters()).toEqual([]);
  });

  it("[R6] much that waits takes rows of its own and comes in order all the same", async () => {
    receiver.always = 503;
    const session = await LiveSession.start("awake");
    const [alice, bob] = [await session.join(), await session.join()];
    await agree(alice, bob);
    await connected(alice, bob);
    const { flows } = await session.read<{ flows: { id: string; from: string }[] }>("/flows");
    const flow = flows.find(({ from }) => from === alice.id)?.id;
    for (let n = 0; n < 120; n += 1) await ask(alice, { type: "flow", flow, held: n % 2 === 0 });
    expect(
      (await keysOf(session)).filter((key) => key.startsWith("outbox ")).length,
    ).toBeGreaterThan(1);
    receiver.always = 200;
    await callJson(session.path, "DELETE");
    await ring(session, () => receiver.history(session.id).at(-1)?.type === "session.ended");
    const types = receiver.types(session.id);
    expect(types.filter((type) => type === "flow.held")).toHaveLength(60);
    await vi.waitFor(async () => expect(await keysOf(session)).toEqual([]));
  });
});

describe("a configuration that changes", () => {
  it("[R6] a session that began untold stays so; a receiver that is new to one begins with what is to come", async () => {
    forgetReceivers();
    const untold = await LiveSession.start("awake");
    await untold.join();
    configureReceivers(receiver);
    const told = await LiveSession.start("awake");
    await receiver.until(told.id, 1);
    const other = new StandInReceiver("https://other.test/");
    configureReceivers(receiver, other);
    await abortAllDurableObjects();
    await untold.join();
    expect(await webhooksOf(untold)).toEqual({ session: untold.id, newest: 0, receivers: [] });
    await told.join();
    await receiver.until(told.id, 2);
    await vi.waitFor(() => expect(other.got.map(({ event }) => event.data.sequence)).toEqual([2]));
    expect(receiver.history(untold.id)).toEqual([]);
  });

  it("[S6] when nobody is told any more, what is left of a session that has ended goes with its alarm", async () => {
    receiver.always = 500;
    const session = await LiveSession.start("awake");
    await callJson(session.path, "DELETE");
    await vi.waitFor(() => expect(receiver.got).toHaveLength(1));
    const secrets = variables.WEBHOOK_SECRETS;
    // A deployment that is wrongly configured forgets nothing.
    delete variables.WEBHOOK_SECRETS;
    await abortAllDurableObjects();
    await session.alarm();
    expect(await keysOf(session)).toEqual(["outbox", "session"]);
    expect(await session.inside(({ storage }) => storage.getAlarm())).not.toBeNull();
    variables.WEBHOOK_SECRETS = secrets;
    delete variables.WEBHOOK_URLS;
    await abortAllDurableObjects();
    expect((await call(session.path, { headers: KEY })).status).toBe(404);
    await session.alarm();
    expect(await keysOf(session)).toEqual([]);
  });
});

describe("price", () => {
  it.each([
    ["of two for ten minutes", 18, 32, callOfTwo],
    ["that the application ends", 18, 22, callOfTwoDeleted],
  ] as const)(
    "[M20] a call %s tells %i events and writes %i rows",
    async (_scene, events, rows, play) => {
      // As deployments are: CNAMEs are remembered without rows.
      const { CNAME_WINDOW_DAYS } = variables;
      delete variables.CNAME_WINDOW_DAYS;
      const meter = await Meter.start(await LiveSession.start("awake"));
      try {
        await vi.waitFor(() => expect(receiver.got).toHaveLength(1));
        await new Promise((resolve) => setTimeout(resolve, 50));
        const bill = await meter.of(async () => {
          await play("awake");
          await vi.waitFor(() => expect(receiver.got.at(-1)?.event.type).toBe("session.ended"));
          await new Promise((resolve) => setTimeout(resolve, 50));
        });
        expect(receiver.got).toHaveLength(1 + events);
        expect(bill.rowsWritten).toBeLessThanOrEqual(rows);
      } finally {
        meter.stop();
        variables.CNAME_WINDOW_DAYS = CNAME_WINDOW_DAYS;
      }
    },
  );
});
