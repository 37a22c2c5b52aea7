import { describe, expect, it } from "vitest";
import type { Flow } from "../protocol/flow.ts";
import { viewFlows } from "../protocol/views.ts";
import { Call, pairOf, variant, words } from "./flow-call.ts";
import { accepted } from "./pure-session.ts";

/** Every topology of media-flows.md section 6, with descriptions of real stacks. */

const remove = (sdp: string, line: RegExp): string => sdp.replaceAll(line, "");
const unbundled = (record: string): readonly [string, string] => {
  const [offer, answer] = pairOf(record);
  return [offer, remove(answer, /^a=group:BUNDLE.*\r\n/gm)];
};
const viewsOf = (flows: readonly Flow[]): number => flows.flatMap(({ views }) => views).length;
const statesOf = (call: Call, ...ids: string[]): string[] =>
  ids.map((id) => words(call.flow(id)).slice(id.length + 1));

const PUBLISH = pairOf("chromium-to-janus.videoroom-publish");
const FIREFOX_PUBLISH = pairOf("firefox-to-janus.videoroom-publish-simulcast");
const SIMULCAST = pairOf("chromium-to-janus.videoroom-publish-simulcast");
const SUBSCRIBE = pairOf("janus-to-chromium.videoroom-subscribe.1-initial");
const TWO_PUBLISHERS = pairOf("janus-to-chromium.videoroom-subscribe.2-add-publisher");

describe("two peers", () => {
  it("[F1] point-to-point in one RTP session: five flows, ten views, one transport", () => {
    const call = new Call().peers("alice", "bob");
    call.exchange("alice", "bob", pairOf("chromium.two-video-tracks")).connect("alice", "bob");
    expect(call.live.map(words)).toEqual([
      "alice~bob:0.1:alice active",
      "alice~bob:0.1:bob active",
      "alice~bob:1.1:alice active",
      "alice~bob:1.1:bob active",
      "alice~bob:2.1:alice active",
    ]);
    expect(viewsOf(call.live)).toBe(10);
    expect(new Set(call.live.map(({ transport }) => transport)).size).toBe(1);
    expect(new Set(call.live.map(({ topology }) => topology))).toEqual(new Set(["point-to-point"]));
    expect(call.transports).toMatchObject([
      { mids: ["0", "1", "2"], rtpSession: "alice~bob:t.0.1" },
    ]);
    expect(call.live.flatMap(({ sourceFlows }) => sourceFlows)).toEqual([]);
  });

  it("[F6] point-to-point in several RTP sessions: a transport, a 5-tuple and an SSRC space each", () => {
    const call = new Call().peers("alice", "bob");
    call.exchange("alice", "bob", unbundled("firefox.max-compat"));
    const end = (port: number) => ({
      candidateType: "host" as const,
      address: "192.0.2.1",
      port,
      protocol: "udp",
    });
    for (const [transport, port] of [
      ["0", 5000],
      ["1", 5002],
      ["2", 5004],
    ] as const) {
      const pair = { local: end(port), remote: end(port + 1000) };
      const report = { type: "transport", to: "bob", transport, state: "connected", pair } as const;
      accepted(call.send("alice", report));
    }
    expect(call.transports.map(({ mids, rtpSession }) => [mids, rtpSession])).toEqual([
      [["0"], "alice~bob:t.0.1"],
      [["1"], "alice~bob:t.1.1"],
      [["2"], "alice~bob:t.2.1"],
    ]);
    expect(call.transports.map(({ fiveTuples }) => fiveTuples[0]?.local.port)).toEqual([
      5000, 5002, 5004,
    ]);
    expect(call.live.map(words)).toEqual(
      ["0", "1", "2"].flatMap((mid) => [
        `alice~bob:${mid}.1:alice active`,
        `alice~bob:${mid}.1:bob active`,
      ]),
    );
  });

  it("[F1] one way only: the publisher has uplinks, the player downlinks", () => {
    const call = new Call({ topology: "central" }).peers("encoder", "player").serve("sfu");
    call.exchange("encoder", "sfu", PUBLISH);
    call.exchange("player", "sfu", pairOf("chromium-to-werift.recvonly"));
    expect(call.live.map(({ from, to, views }) => ({ from, to, views }))).toEqual(
      ["encoder", "encoder", "sfu", "sfu"].map((from) => {
        const isUplink = from === "encoder";
        const peer = isUplink ? "encoder" : "player";
        return {
          from,
          to: isUplink ? "sfu" : "player",
          views: [{ peer, direction: isUplink ? "uplink" : "downlink" }],
        };
      }),
    );
  });

  it("[M6] a broadcast: every receiver's downlink names the one source", () => {
    const call = new Call({ topology: "central" }).peers("encoder", "p1", "p2", "p3").serve("sfu");
    call.exchange("encoder", "sfu", PUBLISH);
    for (const [index, player] of ["p1", "p2", "p3"].entries()) {
      call.exchange(player, "sfu", variant(pairOf("chromium-to-werift.recvonly"), index));
      const downlink = `${player}~sfu:1.1:sfu`;
      expect(
        call.carry(downlink, ["encoder~sfu:1.1:encoder"], { topology: "projecting" }),
      ).toMatchObject({ sourceFlows: ["encoder~sfu:1.1:encoder"], topology: "projecting" });
    }
  });
});

describe("mesh", () => {
  it("[M6] three peers, audio and video: 12 flows, 24 views, one sourceId for one camera", () => {
    const call = new Call().peers("alice", "bob", "carol");
    const [offer, answer] = pairOf("chromium.connected-host-candidates");
    const [other, otherAnswer] = variant([offer, answer], 1);
    // A browser writes the id of the track, which is the same on every connection.
    const toCarol = other.replaceAll(/^(a=msid:.*)-1$/gm, "$1");
    call.exchange("alice", "bob", [offer, answer], {
      answer: { 0: { sourceId: "microphone" }, 1: { sourceId: "camera", content: "main" } },
    });
    call.exchange("alice", "carol", [toCarol, otherAnswer]);
    call.exchange("bob", "carol", pairOf("firefox.connected-host-candidates"), {
      offer: { 0: { sourceId: "microphone" }, 1: { sourceId: "camera" } },
    });
    const media = call.live.filter(({ kind }) => kind !== "data");
    expect(media).toHaveLength(12);
    expect(viewsOf(media)).toBe(24);
    const sourceIds = (sender: string) =>
      media.filter(({ from }) => from === sender).map(({ kind, sourceId }) => [kind, sourceId]);
    const track = (mid: number) => new RegExp(`a=mid:${mid}\\r\\n[^]*?a=msid:\\S+ (\\S+)`);
    const [microphone, camera] = [0, 1].map((mid) => track(mid).exec(offer)?.[1]);
    expect(sourceIds("alice")).toEqual([
      ["audio", microphone],
      ["video", camera],
      ["audio", microphone],
      ["video", camera],
    ]);
    expect(sourceIds("bob")).toEqual([
      ["audio", "microphone"],
      ["video", "camera"],
      ["audio", "microphone"],
      ["video", "camera"],
    ]);
    expect(new Set(sourceIds("carol").map(([, id]) => id)).size).toBe(4);
    expect(call.flow("alice~bob:1.1:bob").content).toBe("main");
    expect(new Set(call.transports.map(({ rtpSession }) => rtpSession)).size).toBe(3);
  });

  it("[M6] an endpoint forwards what it gets: its flow names where it comes from", () => {
    const call = new Call().peers("alice", "bob", "carol");
    call.exchange("alice", "bob", pairOf("chromium.max-bundle")).connect("alice", "bob");
    call.exchange("bob", "carol", pairOf("pion.audio-video-sendrecv")).connect("bob", "carol");
    const received = "alice~bob:1.1:alice";
    const sent = "bob~carol:1.1:bob";
    expect(call.carry(sent, [received])).toMatchObject({
      sourceFlows: [received],
      topology: "forwarding",
      rtcp: { termination: true },
    });
    expect(call.flow("bob~carol:0.1:bob").topology).toBe("point-to-point");
    call.send("alice", { type: "leave" });
    expect(call.flow(sent)).toMatchObject({
      sourceFlows: [],
      topology: "forwarding",
      state: "held",
      reason: "source-ended",
    });
    expect(call.carry(sent, [])).toMatchObject({ topology: "point-to-point" });
    expect(call.flow(sent).rtcp?.termination).toBeUndefined();
  });

  it("[M6] a gateway stands for an endpoint without WebRTC", () => {
    const call = new Call().peers("alice").grantee("gateway", { gateway: true });
    call.exchange("alice", "gateway", pairOf("chromium.legacy-profile-RTP-SAVPF"));
    expect(call.live.length).toBeGreaterThan(0);
    expect(new Set(call.live.map(({ topology }) => topology))).toEqual(new Set(["gateway"]));
  });
});

const BRIDGE = pairOf("chromium-to-janus.audiobridge-mixer");
const room = (...peers: string[]): Call =>
  new Call({ topology: "central" }).peers(...peers).serve("sfu");

describe("media server", () => {
  it("[M6] mixing: each downlink names the uplinks of all others", () => {
    const names = ["alice", "bob", "carol"];
    const call = room(...names);
    for (const [index, name] of names.entries()) {
      call.exchange(name, "sfu", variant(BRIDGE, index)).connect(name, "sfu");
    }
    const uplink = (name: string) => `${name}~sfu:0.1:${name}`;
    for (const name of names) {
      const others = names.filter((other) => other !== name).map(uplink);
      expect(call.carry(`${name}~sfu:0.1:sfu`, others, { topology: "mixing" })).toMatchObject({
        sourceFlows: others,
        topology: "mixing",
        rtcp: { termination: true },
      });
    }
    call.send("carol", { type: "leave" });
    expect(call.flow("alice~sfu:0.1:sfu")).toMatchObject({
      sourceFlows: [uplink("bob")],
      state: "active",
    });
    call.send("bob", { type: "leave" });
    expect(statesOf(call, "alice~sfu:0.1:sfu")).toEqual(["held source-ended"]);
    accepted(call.join("bob"));
    call.exchange("bob", "sfu", variant(BRIDGE, 7)).connect("bob", "sfu");
    call.carry("alice~sfu:0.1:sfu", ["bob~sfu:0.2:bob"]);
    expect(call.flow("alice~sfu:0.1:sfu")).toMatchObject({ state: "active", topology: "mixing" });
  });

  it("[M6] switching: a slot shows another speaker without any description", () => {
    const call = room("alice", "bob", "carol");
    call.exchange("bob", "sfu", PUBLISH);
    call.exchange("carol", "sfu", FIREFOX_PUBLISH);
    call.exchange("sfu", "alice", TWO_PUBLISHERS).connect("sfu", "alice");
    const slot = "alice~sfu:1.1:sfu";
    const { exchange } = call.link("alice", "sfu");
    expect(call.carry(slot, ["bob~sfu:1.1:bob"], { topology: "switching" })).toMatchObject({
      state: "active",
      sourceFlows: ["bob~sfu:1.1:bob"],
    });
    call.take("alice");
    const before = call.flow(slot);
    const after = call.carry(slot, ["carol~sfu:1.1:carol"]);
    expect(after).toEqual({
      ...before,
      sourceFlows: ["carol~sfu:1.1:carol"],
      revision: before.revision + 1,
    });
    expect(call.take("alice")).toEqual([
      { type: "flows", revision: after.revision, changed: [after], transports: [] },
    ]);
    expect(call.link("alice", "sfu").exchange).toBe(exchange);
  });

  it("[M6] projecting: a downlink per source and receiver, paused and resumed", () => {
    const call = room("alice", "bob", "carol");
    call.exchange("bob", "sfu", PUBLISH);
    call.exchange("carol", "sfu", FIREFOX_PUBLISH);
    const story = ["1-initial", "2-add-publisher", "3-publisher-left"] as const;
    const [first, second, third] = story.map((part) =>
      pairOf(`janus-to-firefox.videoroom-subscribe.${part}`),
    );
    const downlinks = ["0", "1", "2", "3"].map((mid) => `alice~sfu:${mid}.1:sfu`);
    call.exchange("sfu", "alice", first!).connect("sfu", "alice");
    call.exchange("sfu", "alice", second!);
    for (const [index, downlink] of downlinks.entries()) {
      const publisher = index < 2 ? "carol" : "bob";
      const uplink = `${publisher}~sfu:${index % 2}.1:${publisher}`;
      call.carry(downlink, [uplink], { topology: "projecting", forwarding: true });
    }
    expect(call.carry(downlinks[3]!, ["bob~sfu:1.1:bob"], { forwarding: false })).toMatchObject({
      state: "active",
      forwarding: false,
      topology: "projecting",
    });
    // The publisher goes; what carried it is held, and stays so when the server switches it off as well.
    call.send("carol", { type: "leave" });
    expect(statesOf(call, ...downlinks)).toEqual([
      "held source-ended",
      "held source-ended",
      "active",
      "active",
    ]);
    call.exchange("sfu", "alice", third!);
    expect(statesOf(call, ...downlinks)).toEqual([
      "held direction",
      "held direction",
      "active",
      "active",
    ]);
    // The sections come back: as long as there is nothing to show they are held.
    call.exchange("sfu", "alice", second!);
    expect(statesOf(call, ...downlinks)).toEqual([
      "held source-ended",
      "held source-ended",
      "active",
      "active",
    ]);
    call.carry(downlinks[0]!, ["bob~sfu:0.1:bob"]);
    expect(statesOf(call, ...downlinks.slice(0, 2))).toEqual(["active", "held source-ended"]);
  });

  it("[M6] transcoding: two flows with codecs of their own", () => {
    const call = room("alice", "bob");
    call.exchange("alice", "sfu", pairOf("chromium-to-werift.audio-video-sendrecv"));
    call.exchange("sfu", "bob", pairOf("gstreamer-to-chromium.audio-video-sendrecv"));
    const videoOf = (from: string, to: string): Flow =>
      call.live.find((flow) => flow.kind === "video" && flow.from === from && flow.to === to)!;
    const [uplink, downlink] = [videoOf("alice", "sfu"), videoOf("sfu", "bob")];
    const carried = call.carry(downlink.id, [uplink.id], { topology: "transcoding" });
    expect(carried).toMatchObject({ sourceFlows: [uplink.id], rtcp: { termination: true } });
    expect(carried.codecs).not.toEqual(uplink.codecs);
  });

  it("[M6] a relay makes one RTP session of its legs, in which one SSRC is one source", () => {
    const call = room("alice", "bob", "carol");
    call.exchange("alice", "sfu", PUBLISH);
    const [, ssrc] = /m=video[\s\S]*?a=ssrc:(\d+)/.exec(PUBLISH[0]) ?? [];
    for (const [index, name] of ["bob", "carol"].entries()) {
      const [offer, answer] = variant(SUBSCRIBE, index);
      const own = /m=video[\s\S]*?a=ssrc:(\d+)/.exec(offer)?.[1] ?? "";
      call.exchange("sfu", name, [offer.replaceAll(own, `${ssrc}`), answer]);
    }
    const uplink = "alice~sfu:1.1:alice";
    const downlinks = ["bob~sfu:1.1:sfu", "carol~sfu:1.1:sfu"];
    for (const peer of ["alice", "bob", "carol", "sfu"]) call.take(peer);
    for (const downlink of downlinks) {
      expect(call.carry(downlink, [uplink], { topology: "relay" })).toMatchObject({
        sources: [{ ssrc: Number(ssrc) }],
        rtcp: { termination: false },
      });
    }
    const sessions = () => [uplink, ...downlinks].map((id) => call.transportOf(id).rtpSession);
    expect(sessions()).toEqual(Array(3).fill("alice~sfu:t.0.1"));
    expect(["alice", "bob", "carol", "sfu"].flatMap((peer) => call.told(peer))).toEqual([]);
    call.carry(downlinks[0]!, [uplink], { topology: "projecting" });
    expect(sessions()).toEqual(["alice~sfu:t.0.1", "bob~sfu:t.0.1", "alice~sfu:t.0.1"]);
    call.send("alice", { type: "leave" });
    expect(sessions().slice(1)).toEqual(["bob~sfu:t.0.1", "carol~sfu:t.0.1"]);
  });
});

describe("simulcast", () => {
  it("[M6] by rids: one uplink with layers, downlinks with the layer that was chosen", () => {
    const call = room("alice", "bob", "carol");
    call.exchange("alice", "sfu", SIMULCAST);
    const uplink = "alice~sfu:1.1:alice";
    expect(call.flow(uplink)).toMatchObject({
      simulcast: "accepted",
      layers: [{ rid: "h" }, { rid: "m" }, { rid: "l" }],
      sources: [],
    });
    for (const [index, name] of ["bob", "carol"].entries()) {
      call.exchange("sfu", name, variant(SUBSCRIBE, index));
    }
    const layered = (name: string, layer: string) =>
      call.carry(`${name}~sfu:1.1:sfu`, [uplink], { topology: "projecting", layer }).layer;
    expect([layered("bob", "h"), layered("carol", "l"), layered("bob", "m")]).toEqual([
      "h",
      "l",
      "m",
    ]);
    // Its SSRCs are not signalled: getStats knows them.
    const sources = [
      { ssrc: 11, rtx: 12, rid: "h" },
      { ssrc: 21, rtx: 22, rid: "m" },
      { ssrc: 31, rtx: 32, rid: "l" },
    ];
    accepted(call.report("alice", "sfu", { flow: uplink, sources }));
    const { sources: known, layers } = call.flow(uplink);
    expect(known).toEqual(sources.map((source) => ({ ...source, reported: true })));
    expect(layers.map(({ rid, ssrc }) => [rid, ssrc])).toEqual([
      ["h", 11],
      ["m", 21],
      ["l", 31],
    ]);
  });

  it("[M6] Firefox announces the SSRCs, a report says which layer each is", () => {
    const call = room("alice");
    call.exchange("alice", "sfu", FIREFOX_PUBLISH);
    const uplink = "alice~sfu:1.1:alice";
    const announced = call.flow(uplink).sources;
    expect(announced).toHaveLength(3);
    const rids = ["h", "m", "l"];
    const sources = announced.map(({ ssrc }, index) => ({ ssrc, rid: rids[index]! }));
    accepted(call.report("alice", "sfu", { flow: uplink, sources }));
    expect(call.flow(uplink).sources).toEqual(
      announced.map((source, index) => ({ ...source, rid: rids[index] })),
    );
    expect(call.flow(uplink).layers.map(({ ssrc }) => ssrc)).toEqual(
      announced.map(({ ssrc }) => ssrc),
    );
  });

  it("[M6] by several connections: uplinks of one group, each with its own limit", () => {
    const call = room("alice-high", "alice-low");
    const [offer, answer] = PUBLISH;
    const media = { 1: { simulcastGroup: "camera of alice", sourceId: "camera" } };
    const limited = (kbps: number, text: string) =>
      text.replace(/(m=video[\s\S]*?c=.*\r\n)/, `$1b=AS:${kbps}\r\n`);
    call.exchange("alice-high", "sfu", [offer, limited(2000, answer)], { offer: media });
    const [second, secondAnswer] = variant(PUBLISH, 1);
    call.exchange("alice-low", "sfu", [second, limited(200, secondAnswer)], { offer: media });
    const group = call.live.filter(({ simulcastGroup }) => simulcastGroup !== undefined);
    expect(
      group.map(({ from, kind, simulcastGroup, limits }) => [
        from,
        kind,
        simulcastGroup,
        limits.effectiveBps,
      ]),
    ).toEqual([
      ["alice-high", "video", "camera of alice", 1_884_000],
      ["alice-low", "video", "camera of alice", 174_000],
    ]);
  });

  it("[M6] by two sections of one connection, as the sender says", () => {
    const call = room("alice");
    const group = { simulcastGroup: "camera" };
    call.exchange("alice", "sfu", pairOf("pion.two-video-tracks"), {
      offer: { 1: group, 2: { ...group, content: "slides" } },
    });
    expect(
      call.live
        .filter(({ from }) => from === "alice")
        .map(({ mid, simulcastGroup, content }) => [mid, simulcastGroup, content]),
    ).toEqual([
      ["0", undefined, undefined],
      ["1", "camera", undefined],
      ["2", "camera", "slides"],
    ]);
  });
});

describe("who reads", () => {
  it("[A2] a receiver reads where its downlink comes from, and nothing of the uplink itself", () => {
    const call = room("alice", "bob");
    call.exchange("bob", "sfu", PUBLISH);
    call.exchange("sfu", "alice", SUBSCRIBE);
    call.carry("alice~sfu:1.1:sfu", ["bob~sfu:1.1:bob"], { topology: "projecting" });
    const { flows } = viewFlows(call.session, { id: "alice", role: "peer" });
    expect(flows.map(({ id, sourceFlows }) => [id, sourceFlows])).toEqual([
      ["alice~sfu:0.1:sfu", []],
      ["alice~sfu:1.1:sfu", ["bob~sfu:1.1:bob"]],
    ]);
  });
});
