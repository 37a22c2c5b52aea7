import { describe, expect, it } from "vitest";
import { FlowSummary } from "../protocol/flow-summary.ts";
import { isSummarised, summaryOf } from "../protocol/flows/summary.ts";
import type { ToPeer } from "../protocol/messages.ts";
import type { SelectedPair } from "../protocol/transport.ts";
import { viewFlows } from "../protocol/views.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { accepted, PureSession } from "./pure-session.ts";

/** What a peer is told of flows that asked for little: bob does, alice is told all. */

type FlowsFrame = Extract<ToPeer, { type: "flows" }>;

const FLOW = "alice~bob:0.1:alice";
const BACK = "alice~bob:0.1:bob";
const PAIR: SelectedPair = {
  local: { candidateType: "host", address: "192.0.2.1", port: 5000, protocol: "udp" },
  remote: { candidateType: "host", address: "192.0.2.2", port: 5001, protocol: "udp" },
};

const strict = FlowSummary.strict();

const framesOf = (pure: PureSession, peer: string): FlowsFrame[] =>
  pure.take(peer, "flows") as FlowsFrame[];

/** What bob is told; each frame has summaries and nothing else, and alice has one at the same revision. */
function told(pure: PureSession): FlowSummary[] {
  const revisions = framesOf(pure, "alice").map(({ revision }) => revision);
  return framesOf(pure, "bob").flatMap(({ revision, changed, transports }) => {
    expect(revisions).toContain(revision);
    expect(transports).toEqual([]);
    for (const each of changed) strict.parse(each);
    return changed;
  });
}

function joined(config = {}): PureSession {
  const pure = new PureSession(config);
  pure.join("alice");
  pure.join("bob", "peer", {}, "brief");
  return pure;
}

function offer(pure: PureSession): number {
  const sdp = sdpOf({ of: "alice" });
  const { ack } = accepted(pure.send("alice", { type: "offer", to: "bob", sdp }));
  return ack?.exchange ?? 0;
}

function answer(pure: PureSession, exchange: number): void {
  const sdp = sdpOf({ of: "bob", setup: "active" });
  accepted(pure.send("bob", { type: "answer", to: "alice", exchange, sdp }));
}

const report = (pure: PureSession, peer: string, more = {}): void => {
  const to = peer === "alice" ? "bob" : "alice";
  accepted(pure.send(peer, { type: "transport", to, state: "connected", ...more }));
};

/** Media run; nothing of it waits to be looked at. */
function talking(config = {}): PureSession {
  const pure = joined(config);
  answer(pure, offer(pure));
  report(pure, "alice");
  for (const peer of ["alice", "bob"]) pure.take(peer);
  return pure;
}

const steer = (pure: PureSession, change: object, peer = "alice"): void => {
  accepted(pure.send(peer, { type: "flow", flow: FLOW, ...change }));
};

describe("a brief follower", () => {
  it("[M4] is told of a flow once media run: what and whose it is, and in which state", () => {
    const pure = joined();
    answer(pure, offer(pure));
    accepted(pure.send("alice", { type: "transport", to: "bob", state: "checking" }));
    expect(told(pure)).toEqual([]);
    report(pure, "alice");
    const revision = viewFlows(pure.session).revision;
    const common = { revision, mid: "0", kind: "audio", state: "active" };
    expect(told(pure)).toEqual([
      { ...common, id: FLOW, from: "alice", to: "bob" },
      { ...common, id: BACK, from: "bob", to: "alice" },
    ]);
  });

  it("[M4] is told nothing of paths, candidates, figures and descriptions alone", () => {
    const pure = talking();
    const candidates = [candidateOf(1, "ufragbob")];
    accepted(pure.send("bob", { type: "candidates", to: "alice", exchange: 1, candidates }));
    report(pure, "bob", { pair: PAIR });
    const quality = { flow: FLOW, bitrateBps: 40_000, sources: [{ ssrc: 7 }] };
    accepted(pure.send("alice", { type: "quality", to: "bob", flows: [quality] }));
    pure.do({ type: "lost", peer: "alice", at: pure.at });
    expect(framesOf(pure, "bob")).toEqual([]);
    expect(viewFlows(pure.session).flows.map(({ stale }) => stale)).toEqual([true, true]);
  });

  it("[M5] is told what is asked of a flow, before media run as well, and when it is taken back", () => {
    const pure = joined();
    const exchange = offer(pure);
    steer(pure, { maxBitrateBps: 100_000 });
    expect(told(pure)).toEqual([]);
    answer(pure, exchange);
    const by = [{ by: "alice", maxBitrateBps: 100_000, at: pure.at }];
    const limited = { id: FLOW, state: "negotiated", limits: { effectiveBps: 100_000 } };
    expect(told(pure)).toMatchObject([{ ...limited, requests: by }]);
    steer(pure, { priority: "high" });
    expect(told(pure)).toMatchObject([{ ...limited, priority: "high" }]);
    steer(pure, { priority: null, maxBitrateBps: null });
    const [free, ...others] = told(pure);
    expect(others).toEqual([]);
    expect(Object.keys(free ?? {})).toEqual("id revision mid kind from to state".split(" "));
    steer(pure, { held: true }, "bob");
    expect(told(pure)).toMatchObject([{ id: FLOW, state: "held", reason: "requested" }]);
  });

  it("[M5] is told what the sender made of it", () => {
    const pure = talking();
    steer(pure, { held: true });
    const [{ revision = 0 } = {}] = told(pure);
    accepted(pure.send("alice", { type: "applied", flow: FLOW, revision, held: true }));
    expect(told(pure)).toMatchObject([{ id: FLOW, applied: { revision, held: true } }]);
  });

  it("[F8] is told its share of a ceiling", () => {
    const pure = joined({ maxUplinkBps: 500_000 });
    answer(pure, offer(pure));
    expect(told(pure)).toMatchObject([
      { id: FLOW, state: "negotiated", limits: { effectiveBps: 500_000 } },
      { id: BACK, state: "negotiated", limits: { effectiveBps: 500_000 } },
    ]);
  });

  it("[M6] is told labels, and which flows a flow carries on", () => {
    const pure = new PureSession({ topology: "central" });
    pure.join("sfu", "media-server");
    pure.join("alice");
    pure.join("bob", "peer", {}, "brief");
    for (const peer of ["alice", "bob"]) {
      const media = { "0": { content: "slides", simulcastGroup: `of ${peer}`, sourceId: "x" } };
      const sdp = sdpOf({ of: peer });
      const { ack } = accepted(pure.send(peer, { type: "offer", sdp, media }));
      const exchange = ack?.exchange ?? 0;
      const answered = sdpOf({ of: "sfu", setup: "active" });
      accepted(pure.send("sfu", { type: "answer", to: peer, exchange, sdp: answered }));
      accepted(pure.send(peer, { type: "transport", state: "connected" }));
    }
    pure.take("bob");
    const flow = "bob~sfu:0.1:sfu";
    const sourceFlows = ["alice~sfu:0.1:alice"];
    accepted(pure.send("sfu", { type: "sources", flow, sourceFlows, topology: "mixing" }));
    expect(framesOf(pure, "bob")).toMatchObject([{ changed: [{ id: flow, sourceFlows }] }]);
    const uplink = viewFlows(pure.session).flows.find(({ id }) => id === "bob~sfu:0.1:bob");
    const labels = { content: "slides", simulcastGroup: "of bob" };
    expect(uplink && summaryOf(uplink)).toMatchObject(labels);
  });

  it("[F4] is told the end of every flow that was agreed, and of no other", () => {
    const pure = joined();
    accepted(pure.send("bob", { type: "reject", to: "alice", exchange: offer(pure) }));
    expect(told(pure)).toEqual([]);
    pure.at += 1_000;
    answer(pure, offer(pure));
    expect(told(pure)).toEqual([]);
    accepted(pure.send("alice", { type: "leave" }));
    const ends = framesOf(pure, "bob").flatMap(({ changed }) => changed);
    expect(ends).toMatchObject([
      { id: "alice~bob:0.2:alice", state: "ended", reason: "left" },
      { id: "alice~bob:0.2:bob", state: "ended", reason: "left" },
    ]);
    expect(viewFlows(pure.session).flows).toHaveLength(4);
  });
});

describe("the welcome", () => {
  const welcomeOf = (pure: PureSession, flows: "full" | "brief" | undefined) => {
    const at = pure.at;
    const ice = { iceServers: [] };
    const grant = pure.grant("bob");
    accepted(pure.do({ type: "join", grant, ice, ...(flows && { asked: { flows } }), at }));
    const [first] = pure.take("bob");
    if (first?.type !== "welcome") throw new Error(`${first?.type}`);
    return first.flows;
  };

  it("[R2] has what the new socket asked for, whatever the one before it did", () => {
    const pure = talking();
    pure.do({ type: "lost", peer: "bob", at: pure.at });
    const whole = () => viewFlows(pure.session, { id: "bob", role: "peer" });
    expect(welcomeOf(pure, "full")).toEqual(whole());
    const brief = {
      revision: whole().revision,
      flows: whole().flows.map(summaryOf),
      transports: [],
    };
    expect(welcomeOf(pure, "brief")).toEqual(brief);
    expect(welcomeOf(pure, undefined)).toEqual(whole());
  });

  it("[R2] goes on being told of a flow that was held before media ever ran", () => {
    const pure = joined();
    const inactive = (direction: "inactive" | "sendrecv", version: number) => [
      { of: "alice", sections: [{ kind: "audio", direction }], version } as const,
      { of: "bob", setup: "active", sections: [{ kind: "audio", direction }], version } as const,
    ];
    answer(pure, offer(pure));
    for (const [version, direction] of [
      [2, "inactive"],
      [3, "sendrecv"],
    ] as const) {
      const [offered, answered] = inactive(direction, version).map(sdpOf);
      accepted(pure.send("alice", { type: "offer", to: "bob", sdp: offered ?? "" }));
      const message = { type: "answer", to: "alice", exchange: version } as const;
      accepted(pure.send("bob", { ...message, sdp: answered ?? "" }));
    }
    const known = new Map(told(pure).map((each) => [each.id, each]));
    const flows = viewFlows(pure.session).flows.filter(isSummarised).map(summaryOf);
    expect(flows).toHaveLength(2);
    for (const flow of flows) {
      expect(flow.state).toBe("negotiated");
      expect(known.get(flow.id)).toMatchObject({ state: "negotiated" });
    }
  });

  it("[R2] has no flows of which nobody has been told", () => {
    const pure = joined();
    const exchange = offer(pure);
    expect(welcomeOf(pure, "brief").flows).toEqual([]);
    answer(pure, exchange);
    expect(welcomeOf(pure, "brief").flows).toEqual([]);
    expect(viewFlows(pure.session).flows.filter(isSummarised)).toEqual([]);
  });

  it.each(["full", "brief"] as const)(
    "[F4] has what follows from the coming itself: a new ceiling, told %s",
    (detail) => {
      const pure = talking();
      pure.do({ type: "lost", peer: "bob", at: pure.at });
      pure.join("bob", "peer", { maxUplinkBps: 300_000 }, detail);
      const [first, ...others] = pure.take("bob");
      expect(others.map(({ type }) => type)).not.toContain("flows");
      const whole = viewFlows(pure.session, { id: "bob", role: "peer" });
      const brief = { ...whole, flows: whole.flows.map(summaryOf), transports: [] };
      expect(first).toMatchObject({ flows: detail === "full" ? whole : brief });
      expect(whole.flows).toMatchObject([{}, { limits: { effectiveBps: 300_000 } }]);
    },
  );
});
