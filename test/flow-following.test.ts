import { describe, expect, it } from "vitest";
import { FlowList } from "../client/flow-list.ts";
import type { FlowsView } from "../protocol/flow.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { currentFlows, viewFlows } from "../protocol/views.ts";
import { sdpOf } from "./descriptions.ts";
import { accepted, PureSession } from "./pure-session.ts";
import { wholeFlows } from "./whole-flows.ts";

type FlowsFrame = Extract<ToPeer, { type: "flows" }>;

const framesOf = (pure: PureSession, peer: string): FlowsFrame[] =>
  pure.take(peer, "flows") as FlowsFrame[];

const idsOf = (frames: readonly FlowsFrame[]): string[] =>
  frames.flatMap(({ changed }) => changed.map(({ id }) => id));

/** Two peers agree on one audio section; their inboxes are empty after it. */
function talk(pure: PureSession, one = "alice", other = "bob"): void {
  const of = (name: string, setup: "actpass" | "active") => sdpOf({ of: name, setup });
  const offer = { type: "offer", to: other, sdp: of(one, "actpass") } as const;
  const { ack } = accepted(pure.send(one, offer));
  const exchange = ack?.exchange ?? 0;
  const sdp = of(other, "active");
  accepted(pure.send(other, { type: "answer", to: one, exchange, sdp }));
}

function started(...others: readonly string[]): PureSession {
  const pure = new PureSession();
  for (const peer of ["alice", "bob", ...others]) pure.join(peer);
  talk(pure);
  for (const peer of ["alice", "bob", ...others]) pure.take(peer);
  return pure;
}

describe("events", () => {
  it("[F4] whoever may read a flow is told of its change once, others nothing", () => {
    const pure = started("carol");
    pure.join("eve", "observer");
    pure.take("eve");
    const flow = "alice~bob:0.1:alice";
    accepted(pure.send("alice", { type: "flow", flow, held: true }));
    for (const peer of ["alice", "bob", "eve"]) expect(idsOf(framesOf(pure, peer))).toEqual([flow]);
    expect(framesOf(pure, "carol")).toEqual([]);
  });

  it("[F4] what changes nothing sends nothing", () => {
    const pure = started();
    const flow = "alice~bob:0.1:alice";
    accepted(pure.send("alice", { type: "flow", flow, held: true }));
    const { session } = pure;
    for (const peer of ["alice", "bob"]) pure.take(peer);
    accepted(pure.send("alice", { type: "flow", flow, held: true }));
    expect(viewFlows(pure.session)).toEqual(viewFlows(session));
    expect([...framesOf(pure, "alice"), ...framesOf(pure, "bob")]).toEqual([]);
  });

  it("[F4] a link without flows is no news", () => {
    const pure = new PureSession({ sdpPolicy: "report" });
    for (const peer of ["alice", "bob"]) pure.join(peer);
    const sdp = sdpOf({ sections: [{ kind: "audio", port: 0 }] });
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp }));
    expect(pure.session.links.get("alice~bob")?.flows.flows).toEqual([]);
    expect([...framesOf(pure, "alice"), ...framesOf(pure, "bob")]).toEqual([]);
  });

  it("[F4] who comes back has by its welcome what the others get as an event", () => {
    const pure = started();
    pure.do({ type: "lost", peer: "bob", at: pure.at });
    expect(idsOf(framesOf(pure, "alice"))).toHaveLength(2);
    pure.join("bob");
    const frames = pure.take("bob");
    expect(frames.map(({ type }) => type)).not.toContain("flows");
    const [welcome] = frames.filter((frame) => frame.type === "welcome");
    expect(welcome?.flows).toEqual(viewFlows(pure.session, { id: "bob", role: "peer" }));
    expect(wholeFlows(welcome?.flows.flows).map(({ stale }) => stale)).toEqual([
      undefined,
      undefined,
    ]);
    const [told] = framesOf(pure, "alice");
    expect(told?.changed).toEqual(welcome?.flows.flows);
    expect(told?.revision).toBe(welcome?.flows.revision);
  });

  it("[F4] one event tells of all links it changed", () => {
    const pure = started("carol");
    talk(pure, "alice", "carol");
    for (const peer of ["alice", "bob", "carol"]) pure.take(peer);
    pure.join("eve", "observer");
    pure.take("eve");
    accepted(pure.send("alice", { type: "leave" }));
    const count = (peer: string) => framesOf(pure, peer).map(({ changed }) => changed.length);
    expect(count("bob")).toEqual([2]);
    expect(count("carol")).toEqual([2]);
    expect(count("eve")).toEqual([4]);
    expect(count("alice")).toEqual([]);
  });
});

describe("the welcome", () => {
  /** Alice talks to bob, who leaves and comes again; every call ends two flows and their transport. */
  function calls(count: number): PureSession {
    const pure = new PureSession();
    pure.join("alice");
    for (let call = 0; call < count; call++) {
      if (call > 0) accepted(pure.send("bob", { type: "leave" }));
      pure.at += 1000;
      pure.join("bob");
      talk(pure);
    }
    return pure;
  }
  const alice = { id: "alice", role: "peer" } as const;
  const endedOf = ({ flows }: FlowsView) => flows.filter(({ state }) => state === "ended");

  it("[F4] has the live flows and the 64 newest that ended, each in its order", () => {
    const few = calls(33).session;
    expect(endedOf(viewFlows(few, alice))).toHaveLength(64);
    expect(currentFlows(few, alice)).toEqual(viewFlows(few, alice));
    const many = calls(50).session;
    const all = viewFlows(many, alice);
    const current = currentFlows(many, alice);
    expect(endedOf(all)).toHaveLength(98);
    expect(current.revision).toBe(all.revision);
    expect(current.flows).toEqual(all.flows.slice(-66));
    // What nothing runs on of which the peer is told is left out.
    expect(all.transports).toHaveLength(50);
    expect(current.transports).toEqual(all.transports.slice(-33));
  });

  it("[F4] is what the SDK goes on from: it keeps the older ones that it knows", () => {
    const pure = calls(33);
    const list = new FlowList();
    list.reset(currentFlows(pure.session, alice));
    pure.take("alice");
    accepted(pure.send("bob", { type: "leave" }));
    for (const frame of framesOf(pure, "alice")) list.apply(frame);
    const whole = viewFlows(pure.session, alice);
    expect(list.flows).toEqual(whole.flows);
    // The page loses its socket, and much has ended when it is back.
    for (let call = 0; call < 40; call++) {
      pure.join("bob");
      talk(pure);
      accepted(pure.send("bob", { type: "leave" }));
    }
    list.reset(currentFlows(pure.session, alice));
    const ids = new Set(list.flows.map(({ id }) => id));
    expect(whole.flows.every(({ id }) => ids.has(id))).toBe(true);
    expect(list.flows).toHaveLength(66 + 64);
    expect(list.transports).toHaveLength(33 + 32);
    expect(list.transports.every(({ state }) => state === "closed")).toBe(true);
  });

  it("[F4] a live flow that ended out of sight is not kept as live", () => {
    const pure = calls(1);
    const list = new FlowList();
    list.reset(currentFlows(pure.session, alice));
    expect(list.flows).toHaveLength(2);
    list.reset({ revision: 99, flows: [], transports: [] });
    expect(list.flows).toEqual([]);
    expect(list.transports).toEqual([]);
  });
});
