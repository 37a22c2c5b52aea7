import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FlowsView } from "../protocol/flow.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { recordOf } from "./corpus.ts";
import { callJson, type LivePeer, LiveSession, MODES } from "./live-session.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

/** Moves the clock that the object reads. */
function later(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}

const END = { candidateType: "host", address: "192.0.2.1", port: 4000, protocol: "udp" } as const;
const PAIR = { local: END, remote: { ...END, address: "192.0.2.2" } };

/** A call in the real object: its clock is moved, its alarms are run when they are due. */
describe.each(MODES)("the life of flows in the object, %s", (mode) => {
  async function call(record: string, id = 1) {
    const session = await LiveSession.start(mode, { resumeSeconds: 45 });
    const alice = await session.join();
    const bob = await session.join();
    const observer = await session.join({ role: "observer" });
    await exchange(alice, bob, record, id);
    return { session, alice, bob, observer };
  }

  async function exchange(alice: LivePeer, bob: LivePeer, record: string, id: number) {
    const { offer, answer } = recordOf(record);
    await alice.request({ type: "offer", id, to: bob.id, sdp: offer } as never);
    const { exchange: number } = await bob.next("offer");
    await bob.request({ type: "answer", id, to: alice.id, exchange: number, sdp: answer } as never);
  }

  const report = (from: LivePeer, to: LivePeer, id: number, state: string, more = {}) =>
    from.request({ type: "transport", id, to: to.id, state, ...more } as never);

  const alarmOf = (session: LiveSession) =>
    session.inside((state) => state.storage.getAlarm()) as Promise<number>;

  it("[R5] a restart without a pair, and then a failure, each set one alarm and no other", async () => {
    const { session, alice, bob } = await call("firefox.ice-restart.1-initial");
    await report(alice, bob, 10, "connected", { pair: PAIR });
    await session.alarm();
    const idle = await alarmOf(session);
    await exchange(alice, bob, "firefox.ice-restart.2-restart", 20);
    const due = await alarmOf(session);
    expect(due - Date.now()).toBeGreaterThan(25_000);
    expect(due - Date.now()).toBeLessThanOrEqual(30_000);
    later(30_000);
    await session.alarm();
    const impaired = await session.read<FlowsView>("/flows");
    expect(impaired.flows.map((flow) => flow.impaired)).toEqual([true, true, true, true]);
    expect(await alarmOf(session)).toBe(idle);
    await report(bob, alice, 30, "failed", { reason: "ice-failed" });
    expect((await alarmOf(session)) - Date.now()).toBeLessThanOrEqual(45_000);
    later(45_000);
    await session.alarm();
    const ended = await session.read<FlowsView>("/flows");
    expect(ended.flows.map(({ state, reason }) => `${state} ${reason}`)).toEqual(
      Array.from({ length: 4 }, () => "ended failed"),
    );
    expect(ended.flows.every(({ timing }) => timing.activeMs > 0)).toBe(true);
    expect(ended.transports).toMatchObject([{ state: "failed", reason: "ice-failed" }]);
    expect(await alarmOf(session)).toBe(idle);
    await report(bob, alice, 40, "connected", { pair: PAIR });
    const { flows } = await session.read<FlowsView>("/flows");
    expect(flows.map(({ state }) => state)).toEqual([
      ...Array.from({ length: 4 }, () => "ended"),
      ...Array.from({ length: 4 }, () => "active"),
    ]);
  });

  it("[N4] what a re-offer would change is pending, also after an eviction, until it is taken back", async () => {
    const { session, alice, bob } = await call("firefox.hold-resume.1-initial");
    const before = await session.read<FlowsView>("/flows");
    const { offer } = recordOf("firefox.hold-resume.2-hold-sendonly");
    await alice.request({ type: "offer", id: 2, to: bob.id, sdp: offer } as never);
    const { flows } = await session.read<FlowsView>("/flows");
    expect(flows.map(({ pending }) => pending)).toEqual([
      ...[undefined, { exchange: 2, held: true }, undefined, { exchange: 2, held: true }],
    ]);
    await alice.request({ type: "rollback", id: 3, to: bob.id, exchange: 2 } as never);
    const after = await session.read<FlowsView>("/flows");
    const bare = (view: FlowsView) => view.flows.map(({ revision: _, ...flow }) => flow);
    expect(bare(after)).toEqual(bare(before));
    expect(after.revision).toBe(before.revision + 2);
  });

  it("[S6] who follows hears of every end before the session's own", async () => {
    const { session, observer } = await call("firefox.hold-resume.1-initial");
    await observer.settled();
    observer.inbox.length = 0;
    await callJson(session.path, "DELETE");
    await observer.closing();
    const [flows, closing] = observer.inbox as [Extract<ToPeer, { type: "flows" }>, ToPeer];
    expect(flows.changed.map(({ reason }) => reason)).toEqual(
      Array.from({ length: 4 }, () => "session-ended"),
    );
    expect(closing).toMatchObject({ type: "closing", code: 4000 });
  });
});
