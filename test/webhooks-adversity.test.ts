import { abortAllDurableObjects, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { neverGivenUp } from "../durable-objects/last-try.ts";
import { SessionClock } from "../durable-objects/session-clock.ts";
import { newSession } from "../protocol/session.ts";
import { SessionRequest } from "../protocol/session-config.ts";
import { sdpOf } from "./descriptions.ts";
import { call, callJson, KEY, LiveSession } from "./live-session.ts";
import { keysOf, later, letters, webhooksOf } from "./webhook-answers.ts";
import { configureReceivers, forgetReceivers, StandInReceiver } from "./webhook-receiver.ts";

/** Webhooks and alarms when something is wrong on our own side: the configuration, the platform, a release. */

const variables = env as unknown as Record<string, unknown>;

let receiver: StandInReceiver;

beforeEach(() => {
  receiver = new StandInReceiver("https://hooks.test/duplex");
  configureReceivers(receiver);
});

afterEach(async () => {
  receiver.release();
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
  forgetReceivers();
});

const alarmOf = (session: LiveSession) => session.inside(({ storage }) => storage.getAlarm());

describe("an alarm", () => {
  it("[R6] while a try is under way nothing is due: no alarm rings for it again and again", async () => {
    receiver.script.push(500);
    const session = await LiveSession.start("awake");
    await vi.waitFor(async () =>
      expect((await webhooksOf(session)).receivers[0]?.failures).toBe(1),
    );
    later(7);
    receiver.isHolding = true;
    await session.alarm();
    await vi.waitFor(() => expect(receiver.underWay).toBe(1));
    await session.join();
    expect(await alarmOf(session)).toBeGreaterThan(Date.now() + 1_000);
    await callJson(session.path, "DELETE");
    expect(await alarmOf(session)).toBeGreaterThan(Date.now() + 1_000);
    await session.alarm();
    expect(await alarmOf(session)).toBeGreaterThan(Date.now() + 1_000);
    expect(receiver.underWay).toBe(1);
    receiver.release();
    await receiver.until(session.id, "session.ended");
  });

  it("[R5] one that should have rung long ago is set again, and none is set for the past", () => {
    const set: number[] = [];
    const state = {
      storage: { setAlarm: async (at: number) => void set.push(at), getAlarm: async () => null },
      blockConcurrencyWhile: async () => undefined,
    } as unknown as DurableObjectState;
    vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000_000 });
    const clock = new SessionClock(state, { doubt: () => null, owed: () => null });
    const session = newSession("s", SessionRequest.parse({}) as never, Date.now());
    clock.set(Date.now() - 5_000);
    expect(set.at(-1)).toBeGreaterThan(Date.now());
    const due = Date.now() + 300_000;
    expect(clock.next(session)).toBeUndefined();
    later(120);
    expect(clock.next(session)).toBeUndefined();
    later(600);
    expect(clock.next(session)).toBe(due);
  });

  it("[R5] one that the platform would give up is set once more, so that a release that is mended goes on", async () => {
    const session = await LiveSession.start("awake");
    const alice = await session.join();
    await alice.request({ type: "ice-servers", id: 1 } as { id: number });
    await session.rewrite(() => "{broken");
    await abortAllDurableObjects();
    const faults = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await session.inside(({ storage }) => storage.deleteAlarm());
    const ring = (retryCount: number) =>
      runInDurableObject(session.stub, (object) =>
        (object.alarm as (info: AlarmInvocationInfo) => Promise<void>)
          .call(object, { isRetry: true, retryCount, scheduledTime: Date.now() })
          .then(
            () => "done",
            () => "failed",
          ),
      );
    expect(await ring(4)).toBe("failed");
    expect(await alarmOf(session)).toBeNull();
    expect(await ring(5)).toBe("done");
    expect(await alarmOf(session)).toBeGreaterThan(Date.now() + 60_000);
    expect(faults).toHaveBeenCalled();
    const setAlarm = vi.fn();
    const state = { storage: { setAlarm } } as unknown as DurableObjectState;
    await neverGivenUp(state, undefined, async () => undefined);
    const broken = () => Promise.reject(new Error("x"));
    await expect(neverGivenUp(state, undefined, broken)).rejects.toThrow();
    expect(setAlarm).not.toHaveBeenCalled();
  });
});

describe("a configuration", () => {
  it("[R6] while it is wrong, what happens waits: nothing of the history is lost", async () => {
    const session = await LiveSession.start("awake", { emptyTtlSeconds: 1 });
    await session.join();
    await receiver.until(session.id, 2);
    const secrets = variables.WEBHOOK_SECRETS;
    delete variables.WEBHOOK_SECRETS;
    await abortAllDurableObjects();
    for (let times = 0; times < 4; times += 1) {
      await session.alarm();
      later(100);
    }
    expect(await keysOf(session)).toEqual(["outbox", "session"]);
    expect(await alarmOf(session)).toBeGreaterThan(Date.now());
    expect(receiver.got).toHaveLength(2);
    variables.WEBHOOK_SECRETS = secrets;
    await abortAllDurableObjects();
    await session.alarm();
    expect(await receiver.until(session.id, "session.ended")).toEqual([
      "session.created",
      "peer.joined",
      "peer.lost",
      "peer.left",
      "session.ended",
    ]);
    await vi.waitFor(async () => expect(await keysOf(session)).toEqual([]));
  });

  it("[R6] what a receiver waits for that is in it no more is kept as dead letters", async () => {
    receiver.always = 404;
    const session = await LiveSession.start("awake");
    const living = await LiveSession.start("awake");
    await vi.waitFor(() => expect(receiver.got).toHaveLength(2));
    await callJson(session.path, "DELETE");
    const other = new StandInReceiver("https://hooks.test/right");
    configureReceivers(other);
    await abortAllDurableObjects();
    await session.alarm();
    await vi.waitFor(async () => expect(await keysOf(session)).toEqual([]));
    await living.join();
    await vi.waitFor(() => expect(other.got).toHaveLength(1));
    expect(other.got[0]?.event).toMatchObject({ type: "peer.joined", data: { sequence: 2 } });
    const given = await vi.waitFor(async () => {
      const all = await letters();
      expect(all).toHaveLength(3);
      return all;
    });
    expect(given.map(({ reason, event }) => [reason, event.type])).toEqual([
      ["unconfigured", "session.created"],
      ["unconfigured", "session.ended"],
      ["unconfigured", "session.created"],
    ]);
    await vi.waitFor(async () =>
      expect((await webhooksOf(living)).receivers.map(({ url }) => url)).toEqual([other.url]),
    );
    expect((await call(`${session.path}/webhooks`, { headers: KEY })).status).toBe(404);
  });
});

it("[R6] all that is too old is given up at once, however much that is", async () => {
  receiver.always = 503;
  const session = await LiveSession.start("awake");
  const [alice, bob] = [await session.join(), await session.join()];
  let id = 0;
  const ask = (peer: typeof alice, message: object) =>
    peer.request({ ...message, id: ++id } as { id: number });
  const { exchange } = (await ask(alice, { type: "offer", to: bob.id, sdp: sdpOf() })) as {
    exchange: number;
  };
  await ask(bob, { type: "answer", to: alice.id, exchange, sdp: sdpOf({ setup: "active" }) });
  await ask(alice, { type: "transport", to: bob.id, state: "connected" });
  const { flows } = await session.read<{ flows: { id: string; from: string }[] }>("/flows");
  const flow = flows.find(({ from }) => from === alice.id)?.id;
  for (let n = 0; n < 220; n += 1) await ask(alice, { type: "flow", flow, held: n % 2 === 0 });
  await callJson(session.path, "DELETE");
  const { newest } = await webhooksOf(session);
  expect(newest).toBeGreaterThan(220);
  later(90_000);
  await session.alarm();
  await vi.waitFor(async () => expect(await keysOf(session)).toEqual([]), { timeout: 5_000 });
  const dead = await letters();
  expect(dead.map(({ event }) => event.data.sequence)).toEqual(
    Array.from({ length: newest }, (_, n) => n + 1),
  );
});
