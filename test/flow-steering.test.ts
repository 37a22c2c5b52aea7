import { describe, expect, it } from "vitest";
import type { Flow, FlowApplied } from "../protocol/flow.ts";
import type { FlowChange } from "../protocol/flow-query.ts";
import type { ToPeer } from "../protocol/messages.ts";
import type { Problem } from "../protocol/problem.ts";
import { revisionOf, type Step } from "../protocol/session.ts";
import { sdpOf } from "./descriptions.ts";
import { accepted, outcome, PureSession } from "./pure-session.ts";
import { wholeFlows } from "./whole-flows.ts";

const SECTIONS = [{ kind: "audio" }, { kind: "video" }, { kind: "application" }] as const;
const AUDIO = "alice~bob:0.1:alice";
const VIDEO = "alice~bob:1.1:alice";
const DATA = "alice~bob:2.1:alice";

/** alice calls bob with audio, video and data; carol is there, eve observes. */
class Call extends PureSession {
  #version = 1;

  constructor(...config: ConstructorParameters<typeof PureSession>) {
    super(...config);
    for (const peer of ["alice", "bob", "carol"]) accepted(this.join(peer));
    accepted(this.join("eve", "observer"));
  }

  static running(): Call {
    const call = new Call();
    call.exchange();
    accepted(call.send("alice", { type: "transport", to: "bob", state: "connected" }));
    for (const peer of call.online) call.take(peer);
    return call;
  }

  offer(sections: Parameters<typeof sdpOf>[0] = {}): number {
    this.#version += 1;
    const sdp = sdpOf({ sections: SECTIONS, version: this.#version, ...sections });
    return accepted(this.send("alice", { type: "offer", to: "bob", sdp })).ack?.exchange ?? 0;
  }

  answer(exchange: number, sections: Parameters<typeof sdpOf>[0] = {}): void {
    this.#version += 1;
    const sdp = sdpOf({
      sections: SECTIONS,
      setup: "active",
      version: this.#version,
      ...sections,
    });
    accepted(this.send("bob", { type: "answer", to: "alice", exchange, sdp }));
  }

  exchange(sections: Parameters<typeof sdpOf>[0] = {}): void {
    this.answer(this.offer(sections), sections);
  }

  flow(id: string): Flow {
    const flows = [...this.session.links.values()].flatMap((link) => link.flows.flows);
    const found = flows.find((flow) => flow.id === id);
    if (!found) throw new Error(`no flow ${id} in ${flows.map((flow) => flow.id)}`);
    return found;
  }

  /** A peer asks in its session, the application over HTTP. */
  ask(by: string, id: string, change: FlowChange): Step | Problem {
    return by === "application"
      ? this.do({ type: "change-flow", flow: id, change, at: this.at })
      : this.send(by, { type: "flow", flow: id, ...change });
  }

  apply(by: string, id: string, applied: FlowApplied): Step | Problem {
    return this.send(by, { type: "applied", flow: id, ...applied });
  }

  changed(peer: string): Flow[] {
    type Flows = Extract<ToPeer, { type: "flows" }>;
    return (this.take(peer, "flows") as Flows[]).flatMap(({ changed }) => wholeFlows(changed));
  }
}

/** State, reason and requests. */
const wordsOf = ({ state, reason, requests }: Flow) => ({ state, reason, requests });

describe("requests", () => {
  it("[F7] a flow is held while anybody holds it; each lets go for itself alone", () => {
    const call = Call.running();
    const { at } = call;
    accepted(call.ask("alice", VIDEO, { held: true }));
    accepted(call.ask("application", VIDEO, { held: true }));
    expect(wordsOf(call.flow(VIDEO))).toEqual({
      state: "held",
      reason: "requested",
      requests: [
        { by: "alice", held: true, at },
        { by: "application", held: true, at },
      ],
    });
    expect(call.ask("bob", VIDEO, { held: false, priority: "high" })).toMatchObject({
      code: "flow-held",
      heldBy: ["alice", "application"],
    });
    expect(call.flow(VIDEO).priority).toBe("low");
    accepted(call.ask("alice", VIDEO, { held: false }));
    expect(call.flow(VIDEO)).toMatchObject({ state: "held", requests: [{ by: "application" }] });
    expect(call.ask("alice", VIDEO, { held: false })).toMatchObject({
      code: "flow-held",
      heldBy: ["application"],
    });
    accepted(call.ask("application", VIDEO, { held: false }));
    expect(call.flow(VIDEO).state).toBe("active");
    expect(call.flow(VIDEO)).not.toHaveProperty("requests");
    expect(call.flow(VIDEO)).not.toHaveProperty("reason");
  });

  it("[F7] the lowest limit counts; lifting one that others set changes nothing", () => {
    const call = Call.running();
    const ask = (by: string, maxBitrateBps: number | null) => {
      accepted(call.ask(by, VIDEO, { maxBitrateBps }));
      return call.flow(VIDEO).limits;
    };
    const limited = (bps: number) => ({
      requestedBps: bps,
      effectiveBps: bps,
      source: "request",
    });
    expect(ask("alice", 300_000)).toEqual(limited(300_000));
    expect(ask("application", 200_000)).toEqual(limited(200_000));
    const before = call.session;
    expect(accepted(call.ask("bob", VIDEO, { maxBitrateBps: null })).ack).toEqual({
      revision: revisionOf(before),
    });
    expect(call.session).toBe(before);
    expect(ask("bob", 400_000)).toEqual(limited(200_000));
    expect(ask("application", null)).toEqual(limited(300_000));
    expect(ask("alice", null)).toEqual(limited(400_000));
    expect(ask("bob", null)).toEqual({});
    expect(call.flow(VIDEO)).not.toHaveProperty("requests");
  });

  it("[F7] the application's priority goes before the sender's, that before the receiver's", () => {
    const call = Call.running();
    const ask = (by: string, priority: Flow["priority"] | null) => {
      accepted(call.ask(by, VIDEO, { priority }));
      return call.flow(VIDEO).priority;
    };
    expect(ask("bob", "high")).toBe("high");
    expect(ask("alice", "very-low")).toBe("very-low");
    expect(ask("application", "medium")).toBe("medium");
    expect(call.flow(VIDEO).dscp.suggested).toBe(36);
    expect(ask("bob", "low")).toBe("medium");
    expect(ask("application", null)).toBe("very-low");
    expect(ask("alice", null)).toBe("low");
    expect(ask("bob", null)).toBe("low");
  });

  it("[F7] an asker's entry says when it last changed, and asking again changes nothing", () => {
    const call = Call.running();
    const first = call.at;
    accepted(call.ask("alice", VIDEO, { maxBitrateBps: 300_000 }));
    accepted(call.ask("bob", VIDEO, { priority: "high" }));
    call.at += 1000;
    accepted(call.ask("alice", VIDEO, { priority: "medium" }));
    const requests = [
      { by: "alice", maxBitrateBps: 300_000, priority: "medium", at: first + 1000 },
      { by: "bob", priority: "high", at: first },
    ];
    expect(call.flow(VIDEO).requests).toEqual(requests);
    call.at += 1000;
    const before = call.session;
    for (const change of [{ priority: "medium" }, { held: false }, {}] as const) {
      accepted(call.ask("alice", VIDEO, change));
    }
    expect(call.session).toBe(before);
  });

  it("[F7] requests outlive renegotiation and loss, and end with their flow", () => {
    const call = Call.running();
    accepted(call.ask("bob", VIDEO, { held: true, maxBitrateBps: 300_000, priority: "high" }));
    const asked = call.flow(VIDEO).requests;
    const off = SECTIONS.map((section) => ({ ...section, direction: "inactive" as const }));
    call.exchange({ sections: off });
    call.answer(call.offer({ ufrag: "anew" }), { ufrag: "wxyz" });
    accepted(call.do({ type: "lost", peer: "alice", at: call.at }));
    accepted(call.join("alice"));
    accepted(call.send("bob", { type: "transport", to: "alice", state: "failed" }));
    expect(call.flow(VIDEO)).toMatchObject({
      state: "held",
      reason: "requested",
      requests: asked,
      priority: "high",
      limits: { requestedBps: 300_000, effectiveBps: 300_000 },
    });
    const [audio, , data] = SECTIONS;
    call.exchange({ sections: [audio, { kind: "video", port: 0 }, data] });
    expect(call.flow(VIDEO)).toMatchObject({ state: "ended", requests: asked });
    call.exchange({ sections: [audio, { kind: "video", mid: "v2" }, data] });
    const anew = call.flow("alice~bob:v2.2:alice");
    expect(anew).toMatchObject({ state: "negotiated", priority: "low", limits: {} });
    expect(anew).not.toHaveProperty("requests");
  });

  it("[F7] what is only proposed can be asked for: it holds once it is agreed", () => {
    const call = new Call();
    const exchange = call.offer();
    accepted(call.ask("bob", AUDIO, { held: true }));
    accepted(call.ask("application", VIDEO, { maxBitrateBps: 200_000 }));
    expect(call.flow(AUDIO)).toMatchObject({ state: "proposed", reason: "requested" });
    expect(call.flow(VIDEO).limits.effectiveBps).toBe(200_000);
    call.answer(exchange);
    expect(call.flow(AUDIO)).toMatchObject({ state: "held", reason: "requested" });
    expect(call.flow(VIDEO)).toMatchObject({
      state: "negotiated",
      limits: { effectiveBps: 200_000 },
    });
  });

  it("[F7] a request during an open re-offer stays, whatever becomes of the offer", () => {
    const off = SECTIONS.map((section) => ({ ...section, direction: "inactive" as const }));
    for (const isAnswered of [true, false]) {
      const call = Call.running();
      const exchange = call.offer({ sections: off });
      accepted(call.ask("bob", VIDEO, { held: true }));
      expect(call.flow(VIDEO)).toMatchObject({
        state: "held",
        reason: "requested",
        pending: { held: true },
      });
      if (isAnswered) call.answer(exchange, { sections: off });
      else accepted(call.send("alice", { type: "rollback", to: "bob", exchange }));
      expect(call.flow(VIDEO)).toMatchObject({ state: "held", reason: "requested" });
      accepted(call.ask("bob", VIDEO, { held: false }));
      expect(call.flow(VIDEO)).toMatchObject(
        isAnswered ? { state: "held", reason: "direction" } : { state: "active" },
      );
    }
  });

  it("[F7] whoever may read the flow is told of a change, the other end too", () => {
    const call = Call.running();
    accepted(call.ask("application", VIDEO, { maxBitrateBps: 200_000 }));
    for (const peer of ["alice", "bob", "eve"]) {
      expect(call.changed(peer)).toEqual([call.flow(VIDEO)]);
    }
    expect(call.take("carol")).toEqual([]);
  });
});

describe("refusals", () => {
  it("[A2] only ends of a flow and the application find it, and an observer asks nothing", () => {
    const call = Call.running();
    const change = { held: true };
    expect(outcome(call.ask("carol", VIDEO, change))).toBe("flow-not-found");
    expect(outcome(call.ask("application", "alice~bob:7.1:alice", change))).toBe("flow-not-found");
    expect(outcome(call.ask("eve", VIDEO, change))).toBe("not-permitted");
  });

  it("[F4] a flow that has ended stays to be read, and nothing can be asked of it", () => {
    const call = Call.running();
    accepted(call.send("alice", { type: "transport", to: "bob", state: "closed" }));
    const ended = call.flow(VIDEO);
    for (const by of ["alice", "bob", "application"]) {
      expect(call.ask(by, VIDEO, { held: false })).toMatchObject({ code: "flow-ended" });
    }
    expect(call.flow(VIDEO)).toBe(ended);
  });

  it("[F7] a data flow cannot be held or limited, but has a priority", () => {
    const call = Call.running();
    for (const change of [{ held: true }, { maxBitrateBps: 1000, priority: "high" }] as const) {
      expect(outcome(call.ask("alice", DATA, change))).toBe("flow-not-steerable");
    }
    const before = call.session;
    accepted(call.ask("alice", DATA, { held: false, maxBitrateBps: null }));
    expect(call.session).toBe(before);
    accepted(call.ask("alice", DATA, { priority: "high" }));
    expect(call.flow(DATA)).toMatchObject({ priority: "high", dscp: { suggested: 18 } });
  });
});

describe("what the sender made of it", () => {
  it("[F7] the record shows what was asked and what was applied, to everybody who reads it", () => {
    const call = Call.running();
    accepted(call.ask("bob", VIDEO, { maxBitrateBps: 200_000 }));
    for (const peer of ["alice", "bob", "eve"]) call.take(peer);
    const { revision } = call.flow(VIDEO);
    const applied = { revision, held: false, maxBitrateBps: 200_000, priority: "low" } as const;
    expect(accepted(call.apply("alice", VIDEO, applied)).ack).toEqual({});
    const flow = call.flow(VIDEO);
    expect(flow).toMatchObject({ requests: [{ by: "bob" }], applied, revision: revision + 1 });
    for (const peer of ["alice", "bob", "eve"]) expect(call.changed(peer)).toEqual([flow]);
    const before = call.session;
    accepted(call.apply("alice", VIDEO, applied));
    accepted(call.apply("alice", VIDEO, { revision: revision - 1, maxBitrateBps: null }));
    // A client that answers every event comes to an end.
    accepted(call.apply("alice", VIDEO, { ...applied, revision: revision + 1 }));
    expect(call.session).toBe(before);
    expect(call.changed("bob")).toEqual([]);
  });

  it("[F7] what could not be done says why, until it could", () => {
    const call = Call.running();
    accepted(call.ask("application", VIDEO, { held: true }));
    const { revision } = call.flow(VIDEO);
    const problem = { code: "no-sender", detail: "no transceiver has this mid any more" };
    accepted(call.apply("alice", VIDEO, { revision, problem }));
    expect(call.flow(VIDEO).applied).toEqual({ revision, problem });
    accepted(call.apply("alice", VIDEO, { revision, held: true, maxBitrateBps: null }));
    expect(call.flow(VIDEO).applied).toEqual({ revision, held: true, maxBitrateBps: null });
  });

  it("[F7] only the sender tells, of a flow that runs and of a revision that there was", () => {
    const call = Call.running();
    const { revision } = call.flow(VIDEO);
    const applied = { revision, held: true };
    expect(outcome(call.apply("bob", VIDEO, applied))).toBe("not-permitted");
    expect(outcome(call.apply("carol", VIDEO, applied))).toBe("flow-not-found");
    expect(outcome(call.apply("alice", "alice~bob:7.1:alice", applied))).toBe("flow-not-found");
    for (const never of [revision + 1, -1]) {
      expect(call.apply("alice", VIDEO, { revision: never })).toMatchObject({
        code: "invalid-message",
        revision,
      });
    }
    accepted(call.send("alice", { type: "transport", to: "bob", state: "closed" }));
    expect(outcome(call.apply("alice", VIDEO, applied))).toBe("flow-ended");
  });
});

describe("who the peers are", () => {
  const topologies = (...[alice, bob]: Parameters<PureSession["join"]>[]): unknown[] => {
    const pure = new PureSession();
    accepted(pure.join(...(alice as Parameters<PureSession["join"]>)));
    accepted(pure.join(...(bob as Parameters<PureSession["join"]>)));
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf() }));
    const flows = [...pure.session.links.values()].flatMap((link) => link.flows.flows);
    expect(flows).toHaveLength(2);
    return [...new Set(flows.map(({ topology }) => topology))];
  };

  it("[M6] two peers talk point to point; what a media server does, only it knows", () => {
    expect(topologies(["alice"], ["bob"])).toEqual(["point-to-point"]);
    expect(topologies(["alice"], ["bob", "media-server"])).toEqual([undefined]);
  });

  it("[M6] flows from and to a gateway say so, and others see which peer it is", () => {
    expect(topologies(["alice"], ["bob", "peer", { gateway: true }])).toEqual(["gateway"]);
    expect(topologies(["alice", "peer", { gateway: true }], ["bob", "media-server"])).toEqual([
      "gateway",
    ]);
    const pure = new PureSession();
    accepted(pure.join("alice"));
    accepted(pure.join("bob", "peer", { gateway: true, maxUplinkBps: 1, maxDownlinkBps: 2 }));
    const traits = { gateway: true, maxUplinkBps: 1, maxDownlinkBps: 2 };
    expect(pure.take("alice", "peer-joined")).toMatchObject([{ peer: { id: "bob", ...traits } }]);
    expect(pure.take("bob", "welcome")).toMatchObject([{ peer: traits }]);
  });
});
