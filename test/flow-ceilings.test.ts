import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Flow } from "../protocol/flow.ts";
import type { FlowChange } from "../protocol/flow-query.ts";
import { type Claim, type Pool, sharedOut } from "../protocol/flows/shares.ts";
import { usualRate } from "../protocol/flows/usual-rate.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { isProblem } from "../protocol/problem.ts";
import { revisionOf, type Session } from "../protocol/session.ts";
import type { SessionRequest } from "../protocol/session-config.ts";
import { sdpOf } from "./descriptions.ts";
import { accepted, PureSession } from "./pure-session.ts";

type Sections = NonNullable<NonNullable<Parameters<typeof sdpOf>[0]>["sections"]>;
type Flows = Extract<ToPeer, { type: "flows" }>;

const VIDEO: Sections = [{ kind: "video" }];
const CALL: Sections = [{ kind: "audio" }, { kind: "video" }, { kind: "application" }];

/** What Opus in one channel usually takes, with its RTP headers. */
const SPEECH_BPS = 68_800;

/** `b=` lines by section, -1 for the session part. */
type Bandwidths = Readonly<Record<number, string>>;

function withBandwidths(sdp: string, lines: Bandwidths): string {
  let section = -1;
  return sdp
    .split("\r\n")
    .flatMap((line) => {
      if (line.startsWith("m=")) section += 1;
      const isPlace = section < 0 ? line === "s=-" : line.startsWith("c=");
      const bandwidth = isPlace ? lines[section] : undefined;
      return bandwidth === undefined ? [line] : [line, `b=${bandwidth}`];
    })
    .join("\r\n");
}

interface Exchange {
  readonly sections?: Sections;
  /** What the offerer and the answerer say of what they receive. */
  readonly offered?: Bandwidths;
  readonly answered?: Bandwidths;
}

/** Peers that call each other under ceilings. */
class Ceilings extends PureSession {
  #version = 1;

  constructor(config: SessionRequest, ...peers: Parameters<PureSession["join"]>[]) {
    super(config);
    for (const peer of peers) accepted(this.join(...peer));
  }

  #sdp(of: string, setup: "actpass" | "active", { sections = VIDEO }: Exchange): string {
    this.#version += 1;
    return sdpOf({ of, setup, sections, version: this.#version });
  }

  offer(from: string, to: string, exchange: Exchange = {}): number {
    const sdp = withBandwidths(this.#sdp(from, "actpass", exchange), exchange.offered ?? {});
    return accepted(this.send(from, { type: "offer", to, sdp })).ack?.exchange ?? 0;
  }

  call(from: string, to: string, exchange: Exchange = {}): void {
    const number = this.offer(from, to, exchange);
    const sdp = withBandwidths(this.#sdp(to, "active", exchange), exchange.answered ?? {});
    accepted(this.send(to, { type: "answer", to: from, exchange: number, sdp }));
  }

  change(flow: string, change: FlowChange): void {
    accepted(this.do({ type: "change-flow", flow, change, at: this.at }));
  }

  get flows(): Flow[] {
    return flowsIn(this.session);
  }

  flow(id: string): Flow {
    const found = this.flows.find((flow) => flow.id === id);
    if (!found) throw new Error(`no flow ${id} in ${this.flows.map((flow) => flow.id)}`);
    return found;
  }

  /** Limit and its source of the flows of a sender, by the other end of the link and the mid. */
  limitsOf(from: string): Record<string, string> {
    const sent = this.flows.filter((flow) => flow.from === from && flow.state !== "ended");
    return Object.fromEntries(
      sent.map(({ to, mid, limits: { effectiveBps, source } }) => [
        `${to} ${mid}`,
        `${effectiveBps} ${source}`,
      ]),
    );
  }
}

const flowsIn = (session: Session): Flow[] =>
  [...session.links.values()].flatMap((link) => [...link.flows.flows]);

const MESH: Parameters<PureSession["join"]>[] = [["alice"], ["bob"], ["carol"]];

describe("ceilings of a session and its peers", () => {
  it("[F8] a single video flow gets the whole ceiling of its sender and of its receiver", () => {
    const pure = new Ceilings({ maxUplinkBps: 900_000 }, ["alice"], ["bob"]);
    pure.call("alice", "bob");
    expect(pure.limitsOf("alice")).toEqual({ "bob 0": "900000 session" });
    const config = { maxUplinkBps: 900_000, maxDownlinkBps: 500_000 };
    const both = new Ceilings(config, ["alice"], ["bob"]);
    both.call("alice", "bob", { answered: { 0: "TIAS:400000" } });
    expect(both.limitsOf("alice")).toEqual({ "bob 0": "400000 tias" });
    expect(both.limitsOf("bob")).toEqual({ "alice 0": "500000 session" });
  });

  it("[F8] in a mesh the uplink is for all links of the peer together", () => {
    const pure = new Ceilings({ maxUplinkBps: 900_001 }, ...MESH);
    pure.call("alice", "bob");
    pure.call("alice", "carol");
    expect(pure.limitsOf("alice")).toEqual({
      "bob 0": "450001 session",
      "carol 0": "450000 session",
    });
    expect(pure.limitsOf("bob")).toEqual({ "alice 0": "900001 session" });
    pure.call("bob", "carol");
    expect(pure.limitsOf("bob")).toEqual({
      "alice 0": "450001 session",
      "carol 0": "450000 session",
    });
  });

  it("[F8] a peer has its own ceiling or that of the session, whichever is lower", () => {
    const own = { maxUplinkBps: 300_000, maxDownlinkBps: 2_000_000 };
    const pure = new Ceilings(
      { maxUplinkBps: 900_000, maxDownlinkBps: 900_000 },
      ["alice", "peer", own],
      ["bob"],
    );
    pure.call("alice", "bob");
    expect(pure.limitsOf("alice")).toEqual({ "bob 0": "300000 peer" });
    expect(pure.limitsOf("bob")).toEqual({ "alice 0": "900000 session" });
    const alone = new Ceilings({}, ["alice", "peer", { maxDownlinkBps: 200_000 }], ["bob"]);
    alone.call("alice", "bob");
    expect(alone.limitsOf("alice")).toEqual({ "bob 0": "undefined undefined" });
    expect(alone.limitsOf("bob")).toEqual({ "alice 0": "200000 peer" });
  });

  it("[F8] a media server has no ceiling; its peers have theirs, each for itself", () => {
    const pure = new Ceilings(
      { topology: "central", maxUplinkBps: 900_000, maxDownlinkBps: 600_000 },
      ["sfu", "media-server"],
      ["alice"],
      ["bob", "peer", { maxDownlinkBps: 100_000 }],
    );
    pure.call("alice", "sfu", { sections: [{ kind: "video" }, { kind: "video" }] });
    pure.call("bob", "sfu");
    expect(pure.limitsOf("alice")).toEqual({
      "sfu 0": "450000 session",
      "sfu 1": "450000 session",
    });
    expect(pure.limitsOf("bob")).toEqual({ "sfu 0": "900000 session" });
    expect(pure.limitsOf("sfu")).toEqual({
      "alice 0": "300000 session",
      "alice 1": "300000 session",
      "bob 0": "100000 peer",
    });
  });

  it("[F8] audio gets what it needs, video the rest, audio what that leaves; data counts not", () => {
    const pure = new Ceilings({ maxUplinkBps: 1_000_000 }, ["alice"], ["bob"]);
    pure.call("alice", "bob", { sections: CALL });
    expect(pure.limitsOf("alice")).toEqual({
      "bob 0": `${SPEECH_BPS} session`,
      "bob 1": `${1_000_000 - SPEECH_BPS} session`,
      "bob 2": "undefined undefined",
    });
    pure.change("alice~bob:1.1:alice", { maxBitrateBps: 100_000 });
    expect(pure.limitsOf("alice")).toMatchObject({
      "bob 0": "900000 session",
      "bob 1": "100000 request",
    });
    // A limit never gives a flow more than it had without.
    pure.change("alice~bob:1.1:alice", { maxBitrateBps: null });
    pure.change("alice~bob:0.1:alice", { maxBitrateBps: 900_000 });
    expect(pure.limitsOf("alice")).toMatchObject({ "bob 0": `${SPEECH_BPS} session` });
    pure.change("alice~bob:0.1:alice", { maxBitrateBps: 10_000 });
    expect(pure.limitsOf("alice")).toMatchObject({
      "bob 0": "10000 request",
      "bob 1": "990000 session",
    });
  });

  it("[F8] audio shares what nobody else needs by weight, too", () => {
    const pure = new Ceilings({ maxUplinkBps: 1_000_000 }, ["alice"], ["bob"]);
    pure.call("alice", "bob", { sections: [{ kind: "audio" }, { kind: "audio" }] });
    expect(pure.limitsOf("alice")).toEqual({
      "bob 0": "500000 session",
      "bob 1": "500000 session",
    });
  });

  it("[F8] priorities weigh: high is four times low, very-low half of it (RFC 8835)", () => {
    const pure = new Ceilings({ maxUplinkBps: 1_500_000 }, ["alice"], ["bob"]);
    const sections: Sections = Array.from({ length: 4 }, () => ({ kind: "video" }));
    pure.call("alice", "bob", { sections });
    for (const [mid, priority] of ["very-low", "low", "medium", "high"].entries()) {
      pure.change(`alice~bob:${mid}.1:alice`, { priority: priority as Flow["priority"] });
    }
    expect(pure.limitsOf("alice")).toEqual({
      "bob 0": "100000 session",
      "bob 1": "200000 session",
      "bob 2": "400000 session",
      "bob 3": "800000 session",
    });
  });

  it("[F8] b=CT is for all flows to its author on that link", () => {
    const pure = new Ceilings({}, ...MESH);
    const sections: Sections = [{ kind: "video" }, { kind: "video" }];
    pure.call("alice", "bob", { sections, answered: { [-1]: "CT:500", 1: "TIAS:100000" } });
    pure.call("alice", "carol", { sections });
    expect(pure.limitsOf("alice")).toEqual({
      "bob 0": "400000 ct",
      "bob 1": "100000 tias",
      "carol 0": "undefined undefined",
      "carol 1": "undefined undefined",
    });
    expect(pure.flow("alice~bob:1.1:alice").limits).toEqual({
      effectiveBps: 100_000,
      source: "tias",
      receiverTias: 100_000,
      sessionCt: 500,
    });
    // The receiver says no longer that there is one.
    pure.call("alice", "bob", { sections });
    expect(pure.limitsOf("alice")).toMatchObject({ "bob 0": "undefined undefined" });
  });

  it("[F8] layers together have no more than they say, and whoever shares gets the rest", () => {
    const pure = new Ceilings({ maxUplinkBps: 1_000_000 }, ["alice"], ["bob"]);
    const simulcast = (direction: "send" | "recv") => (sdp: string) =>
      sdp.replace(
        "a=mid:0\r\n",
        [
          "a=mid:0",
          `a=rid:h ${direction} max-br=300000`,
          `a=rid:l ${direction} max-br=100000`,
          `a=simulcast:${direction} h;l`,
          "",
        ].join("\r\n"),
      );
    const sections: Sections = [{ kind: "video" }, { kind: "video" }];
    const offer = simulcast("send")(sdpOf({ sections }));
    const answer = simulcast("recv")(sdpOf({ sections, setup: "active" }));
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: offer }));
    accepted(pure.send("bob", { type: "answer", to: "alice", exchange: 1, sdp: answer }));
    expect(pure.limitsOf("alice")).toEqual({ "bob 0": "400000 layers", "bob 1": "600000 session" });
    expect(pure.flow("alice~bob:0.1:alice").limits.layersBps).toBe(400_000);
  });

  it("[F8] what a description asks for beyond its author's own ceiling is found", () => {
    const pure = new Ceilings({}, ["alice"], ["bob", "peer", { maxDownlinkBps: 1000 }]);
    pure.call("alice", "bob", { answered: { 0: "TIAS:5000" } });
    const found = pure.session.links.get("alice~bob")?.findings.map(({ rule }) => rule);
    expect(found).toContain("bandwidth-exceeds-policy");
  });
});

describe("what changes the shares", () => {
  it("[F8] a hold gives its share to the others in the same revision, a resume takes it back", () => {
    const pure = new Ceilings({ maxUplinkBps: 800_000 }, ...MESH);
    pure.call("alice", "bob");
    pure.call("alice", "carol");
    for (const peer of pure.online) pure.take(peer);
    const revision = revisionOf(pure.session);
    pure.change("alice~bob:0.1:alice", { held: true });
    const [event, ...more] = pure.take("alice", "flows") as Flows[];
    expect(more).toEqual([]);
    expect(event).toMatchObject({ revision: revision + 1 });
    expect(event?.changed.map(({ id, revision: own }) => [id, own])).toEqual([
      ["alice~bob:0.1:alice", revision + 1],
      ["alice~carol:0.1:alice", revision + 1],
    ]);
    // What is held has no share: the record says what it could have alone.
    expect(pure.limitsOf("alice")).toEqual({
      "bob 0": "800000 session",
      "carol 0": "800000 session",
    });
    expect(pure.take("carol", "flows")).toMatchObject([
      { changed: [{ id: "alice~carol:0.1:alice", limits: { effectiveBps: 800_000 } }] },
    ]);
    pure.change("alice~bob:0.1:alice", { held: false });
    expect(pure.limitsOf("alice")).toEqual({
      "bob 0": "400000 session",
      "carol 0": "400000 session",
    });
    pure.change("alice~bob:0.1:alice", { held: true, maxBitrateBps: 1000 });
    expect(pure.limitsOf("alice")).toMatchObject({ "bob 0": "1000 request" });
  });

  it("[F8] an offer takes nothing from what runs; its answer does, and an end gives it back", () => {
    const pure = new Ceilings({ maxUplinkBps: 800_000 }, ...MESH);
    pure.call("alice", "bob");
    const running = pure.flow("alice~bob:0.1:alice");
    pure.offer("alice", "carol", { offered: { 0: "TIAS:100000" } });
    expect(pure.flow("alice~bob:0.1:alice")).toBe(running);
    expect(pure.limitsOf("carol")).toEqual({ "alice 0": "100000 tias" });
    accepted(pure.send("carol", { type: "reject", to: "alice", exchange: 1 }));
    expect(pure.flow("alice~bob:0.1:alice")).toBe(running);
    pure.call("alice", "carol");
    expect(pure.limitsOf("alice")).toMatchObject({ "bob 0": "400000 session" });
    for (const peer of pure.online) pure.take(peer);
    accepted(pure.send("carol", { type: "leave" }));
    expect(pure.limitsOf("alice")).toEqual({ "bob 0": "800000 session" });
    expect(pure.take("bob", "flows")).toMatchObject([
      { changed: [{ limits: { effectiveBps: 800_000 } }] },
    ]);
  });

  it("[F8] what a media server pauses gets only what the others leave", () => {
    const pure = new Ceilings(
      { topology: "central", maxDownlinkBps: 600_000 },
      ["sfu", "media-server"],
      ["alice"],
    );
    pure.call("alice", "sfu", { sections: [{ kind: "video" }, { kind: "video" }] });
    const pause = (forwarding: boolean) =>
      accepted(
        pure.send("sfu", {
          type: "sources",
          flow: "alice~sfu:1.1:sfu",
          sourceFlows: [],
          forwarding,
        }),
      );
    pause(false);
    expect(pure.limitsOf("sfu")).toEqual({ "alice 0": "600000 session", "alice 1": "0 session" });
    pause(true);
    expect(pure.limitsOf("sfu")).toEqual({
      "alice 0": "300000 session",
      "alice 1": "300000 session",
    });
  });

  it("[F4] what says nothing new changes no share and tells nobody", () => {
    const pure = new Ceilings({ maxUplinkBps: 800_000 }, ...MESH);
    const exchange: Exchange = { sections: CALL, answered: { [-1]: "CT:500", 1: "AS:400" } };
    pure.call("alice", "bob", exchange);
    pure.call("alice", "carol", exchange);
    for (const peer of pure.online) pure.take(peer);
    const before = pure.flows;
    pure.call("alice", "bob", exchange);
    accepted(pure.send("alice", { type: "message", to: "bob", body: 1 }));
    expect(pure.flows.every((flow, index) => flow === before[index])).toBe(true);
    for (const peer of pure.online) expect(pure.take(peer, "flows")).toEqual([]);
  });

  it("[R4] the shares do not depend on the order in which links are kept", () => {
    const limitsIn = (turned: boolean) => {
      const pure = new Ceilings({ maxUplinkBps: 800_001, maxDownlinkBps: 700_001 }, ...MESH);
      pure.call("alice", "bob", { sections: CALL });
      pure.call("carol", "alice", { sections: CALL });
      pure.call("bob", "carol", { sections: CALL });
      const links = [...pure.session.links];
      pure.session = { ...pure.session, links: new Map(turned ? links.reverse() : links) };
      pure.change("alice~bob:1.1:alice", { priority: "high" });
      const flows = pure.flows.toSorted((one, other) => (one.id < other.id ? -1 : 1));
      return flows.map(({ id, limits }) => [id, limits]);
    };
    expect(limitsIn(true)).toEqual(limitsIn(false));
  });
});

describe("any session", () => {
  const PEERS = ["a", "b", "c", "sfu"] as const;
  const bps = fc.option(fc.integer({ min: 1, max: 3_000_000 }), { nil: undefined });
  const bandwidth = fc.option(
    fc.oneof(
      fc.integer({ min: 0, max: 900_000 }).map((value) => `TIAS:${value}`),
      fc.integer({ min: 0, max: 900 }).map((value) => `AS:${value}`),
    ),
    { nil: undefined },
  );
  const bandwidths = fc
    .tuple(fc.option(fc.integer({ min: 1, max: 900 }), { nil: undefined }), bandwidth, bandwidth)
    .map(([ct, one, other]) => ({
      ...(ct === undefined ? {} : { [-1]: `CT:${ct}` }),
      ...(one === undefined ? {} : { 0: one }),
      ...(other === undefined ? {} : { 1: other }),
    }));
  const peer = fc.constantFrom(...PEERS);
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("call" as const),
      from: peer,
      to: peer,
      answered: bandwidths,
    }),
    fc.record({ kind: fc.constant("offer" as const), from: peer, to: peer }),
    fc.record({
      kind: fc.constant("change" as const),
      at: fc.nat(),
      change: fc.record(
        {
          held: fc.boolean(),
          maxBitrateBps: fc.option(fc.integer({ min: 1, max: 900_000 })),
          priority: fc.constantFrom("very-low", "low", "medium", "high"),
        },
        { requiredKeys: [] },
      ),
    }),
    fc.record({ kind: fc.constant("leave" as const), from: peer }),
  );
  const ceilings = fc.tuple(bps, bps).map(([maxUplinkBps, maxDownlinkBps]) => ({
    ...(maxUplinkBps === undefined ? {} : { maxUplinkBps }),
    ...(maxDownlinkBps === undefined ? {} : { maxDownlinkBps }),
  }));

  /** The lowest that the record itself says, computed anew. */
  function ownOf({ limits }: Flow): number {
    const { receiverAs, receiverTias, sessionCt, requestedBps } = limits;
    const as = receiverAs === undefined ? Number.POSITIVE_INFINITY : receiverAs * 950 - 16_000;
    const ct = sessionCt === undefined ? Number.POSITIVE_INFINITY : sessionCt * 1000;
    const asked = requestedBps ?? Number.POSITIVE_INFINITY;
    return Math.min(receiverTias ?? Math.max(0, as), ct, asked);
  }

  const sumOf = (flows: readonly Flow[]): number =>
    flows.reduce((sum, { limits }) => sum + (limits.effectiveBps ?? Number.POSITIVE_INFINITY), 0);

  /** Every sum that a ceiling holds for. */
  function loadsOf(session: Session): { flows: Flow[]; bps: number }[] {
    const running = flowsIn(session).filter(
      ({ state, kind }) => (state === "negotiated" || state === "active") && kind !== "data",
    );
    const { config } = session;
    const lowest = (one = Number.POSITIVE_INFINITY, other = Number.POSITIVE_INFINITY) =>
      Math.min(one, other);
    const ofPeers = [...session.peers.values()]
      .filter(({ role }) => role === "peer")
      .flatMap(({ id, maxUplinkBps, maxDownlinkBps }) => [
        {
          flows: running.filter(({ from }) => from === id),
          bps: lowest(config.maxUplinkBps, maxUplinkBps),
        },
        {
          flows: running.filter(({ to }) => to === id),
          bps: lowest(config.maxDownlinkBps, maxDownlinkBps),
        },
      ]);
    const ofReceivers = Map.groupBy(running, ({ link, to }) => `${link} ${to}`);
    const ofDescriptions = [...ofReceivers.values()].map((flows) => ({
      flows,
      bps: (flows[0]?.limits.sessionCt ?? Number.POSITIVE_INFINITY) * 1000,
    }));
    return [...ofPeers, ...ofDescriptions].filter(({ bps }) => Number.isFinite(bps));
  }

  function check(session: Session): void {
    const loads = loadsOf(session);
    for (const { flows, bps } of loads) {
      if (flows.length > 0) expect(sumOf(flows)).toBeLessThanOrEqual(bps);
    }
    const bound = new Set(loads.flatMap(({ flows }) => flows));
    for (const flow of flowsIn(session)) {
      const { effectiveBps = Number.POSITIVE_INFINITY } = flow.limits;
      const own = ownOf(flow);
      expect(effectiveBps).toBeLessThanOrEqual(own);
      // Less than its own limit only where a ceiling is used up.
      const isFull = loads.some(({ flows, bps }) => flows.includes(flow) && sumOf(flows) === bps);
      if (bound.has(flow)) expect(effectiveBps === own || isFull).toBe(true);
    }
  }

  type Action = typeof step extends fc.Arbitrary<infer T> ? T : never;
  const SECTIONS: Sections = [{ kind: "audio" }, { kind: "video" }];

  function perform(pure: Ceilings, each: Action): void {
    if (each.kind === "leave") pure.send(each.from, { type: "leave" });
    else if (each.kind === "change") {
      const live = pure.flows.filter(({ state }) => state !== "ended");
      const flow = live[each.at % Math.max(1, live.length)];
      if (flow) pure.change(flow.id, each.change as FlowChange);
    } else {
      const { from, to } = each;
      const sdp = sdpOf({ of: from, sections: SECTIONS });
      const offer = pure.send(from, { type: "offer", to, sdp });
      if (isProblem(offer)) return;
      check(pure.session);
      const exchange = offer.ack?.exchange ?? 0;
      if (each.kind === "offer") {
        accepted(pure.send(to, { type: "reject", to: from, exchange }));
        return;
      }
      // DTLS roles stay what they were, whoever answers.
      const setup = from < to ? "active" : "passive";
      const answer = withBandwidths(sdpOf({ of: to, setup, sections: SECTIONS }), each.answered);
      accepted(pure.send(to, { type: "answer", to: from, exchange, sdp: answer }));
    }
  }

  it("[F8] no ceiling is broken, nobody gets more than its own limit, nothing is left unused", () => {
    const config = fc.record({
      topology: fc.constantFrom("mesh" as const, "central" as const),
      all: ceilings,
      own: fc.array(ceilings, { minLength: 3, maxLength: 3 }),
    });
    fc.assert(
      fc.property(config, fc.array(step, { maxLength: 12 }), ({ topology, all, own }, steps) => {
        const pure = new Ceilings({ topology, ...all }, ["sfu", "media-server"]);
        for (const [index, id] of ["a", "b", "c"].entries()) pure.join(id, "peer", own[index]);
        for (const each of steps) {
          perform(pure, each);
          check(pure.session);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("sharing", () => {
  const SHARED = fc
    .record({
      pools: fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 4 }),
      claims: fc.array(
        fc.record({
          cap: fc.option(fc.integer({ min: 0, max: 3000 }), { nil: Number.POSITIVE_INFINITY }),
          need: fc.option(fc.integer({ min: 0, max: 500 }), { nil: Number.POSITIVE_INFINITY }),
          weight: fc.constantFrom(1, 2, 4, 8),
          draws: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
        }),
        { maxLength: 12 },
      ),
    })
    .map(({ pools: rates, claims }) => {
      const pools = rates.map((bps): Pool => ({ bps }));
      return {
        pools,
        claims: claims.map(
          ({ cap, need, weight, draws }): Claim => ({
            capBps: cap,
            needBps: need,
            weight,
            pools: [...new Set(draws.map((draw) => pools[draw % pools.length]!))],
          }),
        ),
      };
    });
  const rateIn = <K>(rates: ReadonlyMap<K, number>, key: K): number => rates.get(key) ?? Number.NaN;

  it("[F8] pools are never overdrawn, and nothing that somebody could use is left", () => {
    fc.assert(
      fc.property(SHARED, ({ pools, claims }) => {
        const { rates, left } = sharedOut(claims);
        for (const pool of pools) {
          const drawn = claims.filter((claim) => claim.pools.includes(pool));
          const sum = drawn.reduce((total, claim) => total + rateIn(rates, claim), 0);
          expect(sum).toBeLessThanOrEqual(pool.bps);
          if (drawn.length > 0) expect(rateIn(left, pool)).toBe(pool.bps - sum);
        }
        for (const claim of claims) {
          const rate = rateIn(rates, claim);
          expect(Number.isInteger(rate) && rate >= 0 && rate <= claim.capBps).toBe(true);
          const isFull = claim.pools.some((pool) => rateIn(left, pool) === 0);
          expect(rate === claim.capBps || isFull).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("[F8] who gets less than it needs shares a pool with nobody who has more for its weight", () => {
    fc.assert(
      fc.property(SHARED, ({ claims }) => {
        const { rates } = sharedOut(claims);
        // Rounding to whole bits per second moves what is left over.
        const slack = 2 * claims.length + 2;
        for (const claim of claims) {
          const rate = rateIn(rates, claim);
          if (rate >= Math.min(claim.capBps, claim.needBps)) continue;
          const isFair = claim.pools.some((pool) =>
            claims
              .filter((other) => other.pools.includes(pool))
              .every((other) => rateIn(rates, other) / other.weight <= rate / claim.weight + slack),
          );
          expect(isFair).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("[F8] nobody gets more of a pool because of another that is empty", () => {
    const [small, large] = [{ bps: 10 }, { bps: 1000 }];
    const all = Number.POSITIVE_INFINITY;
    const claim = { capBps: all, needBps: all, weight: 2 };
    const both = { ...claim, pools: [small, large] };
    const one = { ...claim, pools: [large] };
    expect([...sharedOut([both, one]).rates.values()]).toEqual([10, 990]);
    expect([...sharedOut([]).rates]).toEqual([]);
  });
});

describe("what audio takes", () => {
  const codec = (name: string, fmtp?: string, rate = 48_000, channels?: number) =>
    ({
      pt: 1,
      name,
      rate,
      role: "primary",
      ...(fmtp === undefined ? {} : { fmtp }),
      ...(channels === undefined ? {} : { channels }),
    }) as Flow["codecs"][number];

  it.each([
    ["Opus", codec("opus", undefined, 48_000, 2), 64_000],
    ["Opus in stereo", codec("OPUS", "minptime=10;stereo=1", 48_000, 2), 128_000],
    ["Opus with a mean", codec("opus", "stereo=1;maxaveragebitrate=24000"), 24_000],
    ["Opus with too low a mean", codec("opus", "maxaveragebitrate=1"), 6_000],
    ["Opus with too high a mean", codec("opus", "maxaveragebitrate=1000000"), 510_000],
    ["Opus with a mean that is none", codec("opus", "maxaveragebitrate=high"), 64_000],
    ["PCMU", codec("PCMU", undefined, 8000), 64_000],
    ["G722", codec("G722", undefined, 8000, 1), 64_000],
    ["L16", codec("L16", undefined, 44_100, 2), 1_411_200],
    ["L8", codec("L8", undefined, 8000), 64_000],
  ])("[F8] %s takes its rate and its headers", (_, used, payloadBps) => {
    const comfort = { ...codec("CN"), role: "cn" } as const;
    expect(usualRate({ codecs: [comfort, used] })).toBe(payloadBps + 4800);
  });

  it("[F8] a codec that is not known yet takes one channel", () => {
    expect(usualRate({ codecs: [] })).toBe(68_800);
  });
});
