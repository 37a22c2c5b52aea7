import { describe, expect, it } from "vitest";
import type { FlowsView } from "../protocol/flow.ts";
import type { PeerView } from "../protocol/message-parts.ts";
import type { TimelineEntry } from "../protocol/timeline/entry.ts";
import type { TimelineView } from "../protocol/timeline/view.ts";
import { CallRecord } from "../web/inspector/record.ts";

/** What the inspector knows of a session, whichever way and in whatever order it comes to know it. */

const peer = (id: string, state: PeerView["state"] = "connected"): PeerView => ({
  id,
  role: "peer",
  name: id,
  state,
  publish: [],
  subscribe: [],
  joinedAt: 0,
});

const joined = (n: number, id: string): TimelineEntry => ({
  n,
  at: n,
  type: "peer-joined",
  peer: id,
  role: "peer",
});
const lost = (n: number, id: string): TimelineEntry => ({ n, at: n, type: "peer-lost", peer: id });
const resumed = (n: number, id: string): TimelineEntry => ({
  n,
  at: n,
  type: "peer-resumed",
  peer: id,
});

const read = (newest: number, entries: readonly TimelineEntry[]): TimelineView => ({
  session: "s",
  createdAt: 0,
  at: 1_000,
  newest,
  dropped: 0,
  entries: [...entries],
  verdicts: [],
});

function begun(...peers: PeerView[]) {
  const told = { times: 0 };
  const record = new CallRecord(() => {
    told.times += 1;
  });
  record.takeSession({ id: "s", createdAt: 0, topology: "mesh", peers, links: [] });
  return { record, told };
}

const flowsOf = (state: string, revision = 1) =>
  ({
    revision,
    flows: [
      {
        id: "a~b:0",
        revision,
        link: "a~b",
        from: "a",
        to: "b",
        state,
        quality: { b: { bitrateBps: revision * 1_000 } },
      },
    ],
    transports: [],
  }) as unknown as FlowsView;

describe("what the inspector knows", () => {
  it("[M15] was read up to what an answer says, never to what a socket tells of", () => {
    const { record } = begun();
    record.takeTimeline(read(2, [joined(1, "a"), joined(2, "b")]));
    record.takeEntries([lost(9, "a")]);
    expect(record.readUpTo).toBe(2);
    record.takeTimeline(read(9, [lost(3, "b"), resumed(4, "b"), lost(9, "a")]));
    expect(record.readUpTo).toBe(9);
    expect(record.entries.map(({ n }) => n)).toEqual([1, 2, 3, 4, 9]);
  });

  it("[M15] has who is away, who came back and who left from entries, in their order", () => {
    const { record } = begun(peer("a"), peer("b"));
    record.takeEntries([lost(5, "a")]);
    expect(record.peers.get("a")?.state).toBe("away");
    // An answer that was on its way tells of the time before.
    record.takeTimeline(read(4, [joined(1, "a"), lost(2, "a"), resumed(3, "a")]));
    expect(record.peers.get("a")?.state).toBe("away");
    record.takeEntries([resumed(6, "a")]);
    expect(record.peers.get("a")?.state).toBe("connected");
    record.takeEntries([{ n: 7, at: 7, type: "peer-left", peer: "b", reason: "left" }]);
    expect(record.gone.has("b")).toBe(true);
    record.takeEntries([joined(8, "b")]);
    expect(record.gone.has("b")).toBe(false);
  });

  it("[M15] has how often something was refused, from the newest word of it", () => {
    const { record } = begun();
    const refused = { n: 1, at: 1, type: "refused", by: "a", code: "stale-negotiation" } as const;
    expect(record.takeEntries([refused])).toEqual([refused]);
    const thrice = { ...refused, times: 3, until: 9 };
    expect(record.takeEntries([thrice])).toEqual([thrice]);
    expect(record.takeEntries([{ ...refused, times: 2, until: 5 }, refused])).toEqual([]);
    expect(record.entries).toEqual([thrice]);
    expect(record.entry(1)).toBe(thrice);
  });

  it("[M15] shows what it knew when it was held, and all that came since when it goes on", () => {
    const { record } = begun(peer("a"));
    record.takeTimeline(read(1, [joined(1, "a")]));
    record.takeFlows(flowsOf("active"));
    record.hold();
    const at = record.elapsed;
    record.takeEntries([lost(2, "a"), joined(3, "b")]);
    record.takePeers([peer("a", "away"), peer("b")]);
    record.takeFlows(flowsOf("held", 2));
    record.end(true);
    expect([record.elapsed, record.isOver, record.entries.length]).toEqual([at, false, 1]);
    expect([...record.peers.values()].map(({ id, state }) => [id, state])).toEqual([
      ["a", "connected"],
    ]);
    expect(record.flows.get("a~b:0")?.state).toBe("active");
    record.goOn();
    expect([record.isOver, record.entries.length, record.peers.size]).toEqual([true, 3, 2]);
    expect(record.samplesOf("a~b:0").map(({ receivedBps }) => receivedBps)).toEqual([1_000, 2_000]);
  });

  it("[M15] stands still when the session is over: nothing runs in it any more", () => {
    const { record, told } = begun(peer("a"), peer("b"));
    record.takeTimeline(read(0, []));
    record.takeFlows(flowsOf("active"));
    const before = told.times;
    record.end(true);
    expect(told.times).toBeGreaterThan(before);
    const { elapsed } = record;
    record.takeFlows(flowsOf("active", 2));
    expect(record.flows.get("a~b:0")).toMatchObject({ state: "ended", reason: "session-ended" });
    // An hour later it is as old as it was.
    const now = Date.now;
    Date.now = () => now() + 3_600_000;
    try {
      expect(record.elapsed).toBe(elapsed);
    } finally {
      Date.now = now;
    }
  });

  it("[M15] leaves flows as they were told last when it is only this page that is told no more", () => {
    const { record } = begun(peer("a"), peer("b"));
    record.takeFlows(flowsOf("active"));
    record.end(false);
    expect([record.isOver, record.flows.get("a~b:0")?.state]).toEqual([true, "active"]);
  });
});
