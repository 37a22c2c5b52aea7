import { describe, expect, it } from "vitest";
import { revisionOf } from "../protocol/session.ts";
import { entriesOf, NO_TIMELINE } from "../protocol/timeline/timeline.ts";
import { verdictsOf } from "../protocol/verdict/verdict.ts";
import { AssistedSession, CALL, record, SPEECH_BPS } from "./assisted-session.ts";
import { sdpOf } from "./descriptions.ts";
import { accepted } from "./pure-session.ts";

const AB = "alice~bob";
const PAIR: Parameters<AssistedSession["join"]>[] = [["alice"], ["bob"]];

const called = (): AssistedSession => {
  const pure = new AssistedSession({}, ...PAIR);
  pure.call("alice", "bob");
  for (const peer of ["alice", "bob"]) pure.take(peer);
  return pure;
};

const stories = (pure: AssistedSession) =>
  entriesOf(pure.session.timeline).flatMap((entry) =>
    entry.type === "assistance"
      ? [[entry.peer, entry.network, entry.state, entry.reason, entry.advised]]
      : [],
  );

describe("what a mobile network does, in the records of flows", () => {
  it("[M13] every live flow of the link shows it by peer, with a new revision for its followers", () => {
    const pure = called();
    const revision = revisionOf(pure.session);
    const granted = record({ granted: { profile: "QOS_M", until: 1_700_000_600_000 } });
    pure.assist(AB, "alice", granted);
    expect(pure.flows).toHaveLength(4);
    for (const flow of pure.flows) {
      expect(flow.assistance).toEqual({ alice: granted });
      expect(flow.revision).toBe(revision + 1);
    }
    for (const peer of ["alice", "bob"]) {
      expect(pure.take(peer)).toEqual([
        { type: "flows", revision: revision + 1, changed: pure.flows, transports: [] },
      ]);
    }
    pure.assist(AB, "bob", record({ network: "beta" }));
    expect(Object.keys(pure.flows[0]?.assistance ?? {})).toEqual(["alice", "bob"]);
    pure.assist(AB, "alice", null);
    for (const flow of pure.flows) expect(Object.keys(flow.assistance ?? {})).toEqual(["bob"]);
    pure.assist(AB, "bob", null);
    for (const flow of pure.flows) expect(flow).not.toHaveProperty("assistance");
  });

  it("[M13] what is as before changes nothing, nor does what is told of somebody unknown", () => {
    const pure = called();
    pure.assist(AB, "alice", record());
    const { session } = pure;
    pure.assist(AB, "alice", record());
    pure.assist("alice~carol", "alice", record());
    pure.assist(AB, "carol", record());
    expect(pure.session).toBe(session);
    pure.assist(AB, "bob", null);
    expect(pure.session).toBe(session);
  });

  it("[M13] only the flows of its own link change", () => {
    const pure = new AssistedSession({}, ...PAIR, ["carol"]);
    pure.call("alice", "bob");
    pure.call("alice", "carol");
    pure.assist(AB, "alice", record({ advised: { uplinkBps: 100_000 } }));
    for (const flow of pure.flows) {
      expect(flow.assistance !== undefined).toBe(flow.link === AB);
    }
    expect(pure.limitsOf("alice")).toMatchObject({ "carol 1": "undefined undefined" });
  });

  it("[M13] a flow that begins later has it, one that has ended keeps what it had", () => {
    const pure = called();
    pure.assist(AB, "alice", record());
    pure.call("alice", "bob", [...CALL, { kind: "video" }]);
    expect(pure.flows).toHaveLength(6);
    for (const flow of pure.flows) expect(flow.assistance).toEqual({ alice: record() });
    pure.call("alice", "bob", [...CALL, { kind: "video", port: 0 }]);
    const over = pure.flows.filter(({ state }) => state === "ended");
    expect(over).toHaveLength(2);
    pure.assist(AB, "alice", record({ state: "impaired" }));
    for (const { state, assistance } of pure.flows) {
      expect(assistance?.alice?.state).toBe(state === "ended" ? "granted" : "impaired");
    }
  });

  it("[M13] a link that is over forgets: what is negotiated on it anew begins with nothing", () => {
    const pure = called();
    pure.assist(AB, "alice", record());
    accepted(pure.send("bob", { type: "leave" }));
    const over = pure.session.links.get(AB)?.flows;
    expect(over).not.toHaveProperty("assistance");
    // What comes late is in the timeline, and nowhere else.
    pure.assist(AB, "alice", record({ state: "ended", reason: "DELETE_REQUESTED" }));
    expect(pure.session.links.get(AB)?.flows).toBe(over);
    for (const flow of pure.flows) expect(flow.assistance).toEqual({ alice: record() });
    expect(stories(pure).at(-1)).toEqual([
      "alice",
      "alpha",
      "ended",
      "DELETE_REQUESTED",
      undefined,
    ]);
    accepted(pure.join("bob"));
    pure.call("bob", "alice");
    const live = pure.flows.filter(({ state }) => state !== "ended");
    expect(live).toHaveLength(4);
    for (const flow of live) expect(flow).not.toHaveProperty("assistance");
  });

  it("[M13] the timeline says it once per state, reason and recommendation", () => {
    const pure = called();
    pure.assist(AB, "alice", null);
    pure.assist(AB, "alice", record({ state: "requested" }));
    pure.assist(AB, "alice", record({ state: "requested", failures: 1 }));
    pure.assist(AB, "bob", record({ network: "beta", state: "refused", reason: "NOT_FOUND" }));
    pure.assist(AB, "alice", record());
    pure.assist(AB, "alice", record({ granted: { until: 1_700_000_600_000 } }));
    pure.assist(AB, "alice", record({ state: "impaired", advised: { uplinkBps: 300_000 } }));
    pure.assist(AB, "alice", record({ state: "impaired", advised: { uplinkBps: 200_000 } }));
    pure.assist(AB, "alice", null);
    pure.assist(AB, "alice", null);
    expect(stories(pure)).toEqual([
      ["alice", "alpha", "requested", undefined, undefined],
      ["bob", "beta", "refused", "NOT_FOUND", undefined],
      ["alice", "alpha", "granted", undefined, undefined],
      ["alice", "alpha", "impaired", undefined, { uplinkBps: 300_000 }],
      ["alice", "alpha", "impaired", undefined, { uplinkBps: 200_000 }],
      ["alice", "alpha", "ended", undefined, undefined],
    ]);
  });

  it("[M13] the timeline says that what was advised after the end is advised no more", () => {
    const pure = called();
    const over = { state: "ended", reason: "NETWORK_TERMINATED" } as const;
    pure.assist(AB, "alice", record({ ...over, advised: { uplinkBps: 200_000 } }));
    pure.assist(AB, "alice", null);
    pure.assist(AB, "alice", null);
    expect(stories(pure)).toEqual([
      ["alice", "alpha", "ended", "NETWORK_TERMINATED", { uplinkBps: 200_000 }],
      ["alice", "alpha", "ended", "NETWORK_TERMINATED", undefined],
    ]);
  });

  it("[M13] a timeline that has forgotten the link begins anew", () => {
    const pure = called();
    pure.session = { ...pure.session, timeline: NO_TIMELINE };
    pure.assist(AB, "alice", record());
    expect(stories(pure)).toHaveLength(1);
  });

  it("[M13] whoever follows the timeline is told", () => {
    const pure = called();
    const ice = { iceServers: [] };
    const grant = pure.grant("eve", { role: "observer" });
    accepted(pure.do({ type: "join", grant, ice, asked: { timeline: "true" }, at: pure.at }));
    pure.take("eve");
    pure.assist(AB, "alice", record());
    const [entry] = pure
      .take("eve", "timeline")
      .flatMap((told) => (told.type === "timeline" ? told.entries : []));
    expect(entry).toMatchObject({ type: "assistance", link: AB, peer: "alice", state: "granted" });
  });
});

describe("what a mobile network recommends", () => {
  it("[M13] is shared out among what the end sends, audio first, and each sender is told its share", () => {
    const pure = called();
    pure.assist(AB, "alice", record({ state: "impaired", advised: { uplinkBps: 300_000 } }));
    expect(pure.limitsOf("alice")).toEqual({
      "bob 0": `${SPEECH_BPS} network`,
      "bob 1": `${300_000 - SPEECH_BPS} network`,
    });
    expect(pure.limitsOf("bob")).toEqual({
      "alice 0": "undefined undefined",
      "alice 1": "undefined undefined",
    });
    const about = { peer: "alice", network: "alpha", state: "impaired" };
    const toAlice = pure.adviceTo("alice");
    expect(toAlice.filter(({ bitrateBps }) => bitrateBps !== undefined)).toEqual([
      { flow: "alice~bob:0.1:alice", mid: "0", ...about, bitrateBps: SPEECH_BPS },
      { flow: "alice~bob:1.1:alice", mid: "1", ...about, bitrateBps: 300_000 - SPEECH_BPS },
    ]);
    // What it receives it hears of, too, though nothing is recommended for it; so does who sends that.
    const received = [
      { flow: "alice~bob:0.1:bob", mid: "0", ...about },
      { flow: "alice~bob:1.1:bob", mid: "1", ...about },
    ];
    expect(toAlice.filter(({ bitrateBps }) => bitrateBps === undefined)).toEqual(received);
    expect(pure.adviceTo("bob")).toEqual(received);
  });

  it("[M13] is for what the end receives as well: its sender and the end are told", () => {
    const pure = called();
    pure.assist(AB, "alice", record({ reason: "ALT_1", advised: { downlinkBps: 500_000 } }));
    expect(pure.limitsOf("bob")).toEqual({
      "alice 0": `${SPEECH_BPS} network`,
      "alice 1": `${500_000 - SPEECH_BPS} network`,
    });
    const about = { peer: "alice", network: "alpha", state: "granted", reason: "ALT_1" };
    const advice = [
      { flow: "alice~bob:0.1:bob", mid: "0", ...about, bitrateBps: SPEECH_BPS },
      { flow: "alice~bob:1.1:bob", mid: "1", ...about, bitrateBps: 500_000 - SPEECH_BPS },
    ];
    expect(pure.adviceTo("bob")).toEqual(advice);
    expect(pure.adviceTo("alice")).toEqual(advice);
  });

  it("[M13] goes when the network takes it back, and what was agreed holds again", () => {
    const pure = called();
    pure.assist(AB, "alice", record({ state: "impaired", advised: { uplinkBps: 300_000 } }));
    pure.change("alice~bob:1.1:alice", { maxBitrateBps: 1_000_000 });
    for (const peer of ["alice", "bob"]) pure.take(peer);
    pure.assist(AB, "alice", record());
    expect(pure.limitsOf("alice")).toEqual({
      "bob 0": "undefined undefined",
      "bob 1": "1000000 request",
    });
    const about = { peer: "alice", network: "alpha", state: "granted" };
    expect(pure.adviceTo("alice")).toContainEqual({
      flow: "alice~bob:1.1:alice",
      mid: "1",
      ...about,
    });
    pure.assist(AB, "alice", record({ advised: { uplinkBps: 200_000 } }));
    pure.take("alice");
    pure.assist(AB, "alice", null);
    expect(pure.limitsOf("alice")).toMatchObject({ "bob 1": "1000000 request" });
    expect(pure.adviceTo("alice")).toEqual([
      { flow: "alice~bob:0.1:alice", mid: "0", peer: "alice" },
      { flow: "alice~bob:1.1:alice", mid: "1", peer: "alice" },
    ]);
  });

  it("[M13] of two ends in networks the lower recommendation holds for a flow", () => {
    const pure = called();
    pure.assist(AB, "alice", record({ advised: { uplinkBps: 900_000 } }));
    pure.assist(AB, "bob", record({ network: "beta", advised: { downlinkBps: 400_000 } }));
    const video = 400_000 - SPEECH_BPS;
    expect(pure.limitsOf("alice")).toMatchObject({ "bob 1": `${video} network` });
    expect(pure.adviceTo("bob")).toContainEqual({
      flow: "alice~bob:1.1:alice",
      mid: "1",
      peer: "bob",
      network: "beta",
      state: "granted",
      bitrateBps: video,
    });
    pure.assist(AB, "bob", null);
    expect(pure.limitsOf("alice")).toMatchObject({ "bob 1": `${900_000 - SPEECH_BPS} network` });
    const last = pure.adviceTo("alice").findLast(({ mid }) => mid === "1");
    expect(last).toMatchObject({ peer: "alice", bitrateBps: 900_000 - SPEECH_BPS });
  });

  it("[M13] of two ends in networks each is told the last word of a flow, whoever of them it was about before", () => {
    const pure = called();
    const video = "alice~bob:1.1:alice";
    const lastTo = (peer: string) => pure.adviceTo(peer).findLast(({ flow }) => flow === video);
    const about = { flow: video, mid: "1" };
    pure.assist(
      AB,
      "bob",
      record({ network: "beta", state: "impaired", advised: { downlinkBps: 400_000 } }),
    );
    expect(lastTo("bob")).toMatchObject({ peer: "bob", state: "impaired" });
    pure.assist(AB, "alice", record({ advised: { uplinkBps: 200_000 } }));
    const bitrateBps = 200_000 - SPEECH_BPS;
    expect(lastTo("bob")).toMatchObject({ ...about, peer: "alice", bitrateBps });
    // Bob's network can hold it again, and what alice's recommends is less still: nothing else is to be done.
    pure.assist(AB, "bob", record({ network: "beta" }));
    expect(lastTo("bob")).toBeUndefined();
    pure.assist(AB, "alice", null);
    expect(lastTo("alice")).toEqual({ ...about, peer: "alice" });
    expect(lastTo("bob")).toEqual({ ...about, peer: "alice" });
  });

  it("[M13] leaves lower limits as they are, and takes nothing that nobody uses", () => {
    const pure = new AssistedSession({ maxUplinkBps: 200_000 }, ...PAIR);
    pure.call("alice", "bob");
    for (const peer of ["alice", "bob"]) pure.take(peer);
    pure.assist(AB, "alice", record({ advised: { uplinkBps: 800_000 } }));
    expect(pure.limitsOf("alice")).toEqual({
      "bob 0": `${SPEECH_BPS} session`,
      "bob 1": `${200_000 - SPEECH_BPS} session`,
    });
    expect(pure.adviceTo("alice").map(({ bitrateBps }) => bitrateBps)).toEqual([
      SPEECH_BPS,
      200_000 - SPEECH_BPS,
    ]);
    pure.assist(AB, "alice", record({ advised: { uplinkBps: 150_000 } }));
    expect(pure.limitsOf("alice")).toMatchObject({ "bob 1": `${150_000 - SPEECH_BPS} network` });
    pure.assist(AB, "alice", null);
    expect(pure.limitsOf("alice")).toMatchObject({ "bob 1": `${200_000 - SPEECH_BPS} session` });
  });

  it("[M13] holds as long as the network says so, also where something else limits a flow to less", () => {
    const pure = called();
    const video = "alice~bob:1.1:alice";
    pure.assist(AB, "alice", record({ advised: { uplinkBps: 300_000 } }));
    for (const peer of ["alice", "bob"]) pure.take(peer);
    const said = () =>
      pure.adviceTo("alice").flatMap(({ mid, bitrateBps }) => `${mid} ${bitrateBps}`);
    // Whoever knows of advice only would take no limit at all for the lower one.
    pure.change(video, { maxBitrateBps: 100_000 });
    expect(pure.limitsOf("alice")).toMatchObject({ "bob 1": "100000 request" });
    expect(said()).toEqual(["0 200000", "1 100000"]);
    pure.change(video, { maxBitrateBps: null });
    expect(said()).toEqual([`0 ${SPEECH_BPS}`, `1 ${300_000 - SPEECH_BPS}`]);
    pure.change(video, { maxBitrateBps: 100_000 });
    pure.take("alice");
    pure.assist(AB, "alice", record());
    expect(said()).toEqual(["0 undefined", "1 undefined"]);
  });

  it("[M13] what is held leaves its share to the others and has it again", () => {
    const pure = called();
    pure.assist(AB, "alice", record({ advised: { uplinkBps: 300_000 } }));
    pure.change("alice~bob:1.1:alice", { held: true });
    expect(pure.limitsOf("alice")).toEqual({
      "bob 0": "300000 network",
      "bob 1": "300000 network",
    });
    pure.take("alice");
    pure.assist(AB, "alice", null);
    expect(pure.limitsOf("alice")).toEqual({
      "bob 0": "undefined undefined",
      "bob 1": "undefined undefined",
    });
    pure.assist(AB, "alice", record({ advised: { uplinkBps: 300_000 } }));
    pure.change("alice~bob:1.1:alice", { held: false });
    expect(pure.limitsOf("alice")).toMatchObject({ "bob 1": `${300_000 - SPEECH_BPS} network` });
  });

  it("[M13] holds for a flow that a renegotiation adds, from its answer on", () => {
    const pure = called();
    pure.assist(AB, "alice", record({ advised: { uplinkBps: 300_000 } }));
    for (const peer of ["alice", "bob"]) pure.take(peer);
    const more = [...CALL, { kind: "video" as const }];
    const exchange = pure.offer("alice", "bob", more);
    expect(pure.adviceTo("alice")).toEqual([]);
    pure.answer("bob", "alice", exchange, more);
    const half = (300_000 - SPEECH_BPS) / 2;
    expect(pure.limitsOf("alice")).toMatchObject({
      "bob 1": `${half} network`,
      "bob 2": `${half} network`,
    });
    expect(pure.adviceTo("alice").map(({ mid, bitrateBps }) => [mid, bitrateBps])).toEqual([
      ["1", half],
      ["2", half],
    ]);
  });

  it("[M13] that the network cannot hold what it granted is told once, whatever it recommends", () => {
    const pure = called();
    pure.assist(AB, "bob", record({ state: "granted" }));
    expect(pure.adviceTo("bob")).toEqual([]);
    pure.assist(AB, "bob", record({ state: "impaired", reason: "QOS_NOT_GUARANTEED" }));
    expect(pure.adviceTo("bob")).toHaveLength(4);
    expect(pure.adviceTo("alice")).toHaveLength(2);
    pure.assist(
      AB,
      "bob",
      record({ state: "impaired", reason: "QOS_NOT_GUARANTEED", failures: 1 }),
    );
    expect(pure.adviceTo("bob")).toEqual([]);
    pure.assist(AB, "bob", record());
    expect(pure.adviceTo("bob").map(({ state }) => state)).toEqual(Array(4).fill("granted"));
  });

  it("[M13] data is under no rate; it is told when the network cannot hold what it granted", () => {
    const pure = new AssistedSession({}, ...PAIR);
    pure.call("alice", "bob", [{ kind: "application" }]);
    pure.assist(AB, "alice", record({ advised: { uplinkBps: 300_000 } }));
    expect(pure.limitsOf("alice")).toEqual({ "bob 0": "undefined undefined" });
    expect(pure.adviceTo("alice")).toEqual([]);
    pure.assist(AB, "alice", record({ state: "impaired", advised: { uplinkBps: 300_000 } }));
    expect(pure.adviceTo("alice")).toHaveLength(2);
  });

  it("[M13] who is not connected is not told; the record waits for it", () => {
    const pure = called();
    accepted(pure.do({ type: "lost", peer: "bob", at: pure.at }));
    const { effects } = accepted(
      pure.do({
        type: "assistance",
        link: AB,
        peer: "alice",
        assistance: record({ advised: { downlinkBps: 300_000 } }),
        at: pure.at,
      }),
    );
    const told = effects.flatMap((effect) => (effect.type === "send" ? effect.to : []));
    expect(new Set(told)).toEqual(new Set(["alice"]));
    accepted(pure.join("bob"));
    const [welcome] = pure.take("bob", "welcome");
    expect(JSON.stringify(welcome)).toContain(`"effectiveBps":${SPEECH_BPS},"source":"network"`);
  });

  it("[M13] who is told of flows briefly hears on its return what holds now, of what it sends and of its own network", () => {
    const pure = new AssistedSession({});
    for (const peer of ["alice", "bob"]) accepted(pure.join(peer, "peer", {}, "brief"));
    pure.call("alice", "bob");
    const away = (peer: string) => accepted(pure.do({ type: "lost", peer, at: pure.at }));
    const back = (peer: string, flows: "brief" | "full" = "brief") => {
      pure.take(peer);
      accepted(pure.join(peer, "peer", {}, flows));
      return pure.adviceTo(peer).map(({ mid, flow, state }) => {
        return `${flow.endsWith(peer) ? "sends" : "receives"} ${mid} ${state}`;
      });
    };
    away("alice");
    expect(back("alice")).toEqual([]);
    pure.assist(AB, "alice", record({ state: "impaired", reason: "QOS_NOT_GUARANTEED" }));
    for (const peer of ["alice", "bob"]) away(peer);
    pure.assist(AB, "alice", record());
    const sends = ["sends 0 granted", "sends 1 granted"];
    const receives = ["receives 0 granted", "receives 1 granted"];
    expect(back("alice").sort()).toEqual([...receives, ...sends]);
    expect(back("bob")).toEqual(sends);
    away("alice");
    pure.assist(AB, "alice", null);
    const free = [...receives, ...sends].map((each) => each.replace("granted", "undefined"));
    expect(back("alice").sort()).toEqual(free);
    away("alice");
    // All of it is in the records that are welcomed with.
    expect(back("alice", "full")).toEqual([]);
    // Somebody else's calls are none of who comes; nor is what nobody remembers anybody's.
    expect(back("carol")).toEqual([]);
    pure.session = { ...pure.session, timeline: NO_TIMELINE };
    away("alice");
    expect(back("alice")).toEqual([]);
  });

  it("[M13] a client of WHIP is told nothing: its flows show it, and so do the limits of the others", () => {
    const pure = new AssistedSession({ topology: "central" }, ["sfu", "media-server"]);
    const door = "whip" as const;
    const offer = sdpOf({ of: "cam", sections: [{ kind: "video", direction: "sendonly" }] });
    const grant = pure.grant("cam");
    accepted(pure.do({ type: "open-http", door, grant, resource: "r", offer, at: pure.at }));
    const link = [...pure.session.links.values()][0];
    const publisher = String(link?.peers.find((id) => id !== "sfu"));
    const sdp = sdpOf({
      of: "sfu",
      setup: "passive",
      sections: [{ kind: "video", direction: "recvonly" }],
    });
    accepted(pure.send("sfu", { type: "answer", to: publisher, exchange: 1, sdp }));
    const assistance = record({ state: "impaired", advised: { uplinkBps: 400_000 } });
    const event = { type: "assistance", link: String(link?.id), peer: publisher } as const;
    const { effects } = accepted(pure.do({ ...event, assistance, at: pure.at }));
    const told = effects.flatMap((effect) =>
      effect.type === "send" ? [`${effect.to} ${effect.message.type}`] : [],
    );
    expect(told).toEqual(["sfu flows", "sfu context"]);
    expect(pure.limitsOf(publisher)).toEqual({ "sfu 0": "400000 network" });
  });

  it("[M13] no verdict depends on it", () => {
    const pure = called();
    const before = verdictsOf(pure.session, pure.at + 5000);
    pure.assist(AB, "alice", record({ state: "impaired", advised: { uplinkBps: 1000 } }));
    pure.assist(AB, "bob", record({ state: "refused", reason: "NO" }));
    expect(verdictsOf(pure.session, pure.at + 3000)).toEqual(before);
  });

  it("[M13] a media server is told by its contexts; its peer is advised", () => {
    const pure = new AssistedSession({ topology: "central" }, ["sfu", "media-server"], ["alice"]);
    pure.call("alice", "sfu");
    for (const peer of ["alice", "sfu"]) pure.take(peer);
    const advised = { uplinkBps: 200_000, downlinkBps: 400_000 };
    pure.assist("alice~sfu", "alice", record({ advised }));
    const told = pure.take("sfu");
    expect(told.some(({ type }) => type === "advice")).toBe(false);
    const rates = told.flatMap((message) =>
      message.type === "context" ? [[message.op, message.direction, message.maxBitrateBps]] : [],
    );
    expect(rates).toEqual([
      ["update", "uplink", SPEECH_BPS],
      ["update", "uplink", 200_000 - SPEECH_BPS],
    ]);
    expect(pure.limitsOf("sfu")).toEqual({
      "alice 0": `${SPEECH_BPS} network`,
      "alice 1": `${400_000 - SPEECH_BPS} network`,
    });
    expect(pure.adviceTo("alice")).toHaveLength(4);
  });
});
