import { describe, expect, it } from "vitest";
import type { Flow, MediaSource } from "../protocol/flow.ts";
import type { FlowSources, MediaLabels } from "../protocol/flow-query.ts";
import { sourcesAfter, withReportedSources } from "../protocol/flows/known-sources.ts";
import { FROM_PEER, type FromPeer } from "../protocol/messages.ts";
import { revisionOf } from "../protocol/session.ts";
import { sdpOf } from "./descriptions.ts";
import { Call, pairOf, words } from "./flow-call.ts";
import { accepted, outcome } from "./pure-session.ts";

const AV = [{ kind: "audio" }, { kind: "video" }] as const;
type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";

/** An exchange of audio and video between two peers; sources are announced where SSRCs are given. */
const talk = (
  one: string,
  other: string,
  ssrcs: { readonly [peer: string]: number } = {},
  direction: Direction = "sendrecv",
): readonly [string, string] => {
  const of = (peer: string, setup: "actpass" | "active") => {
    const ssrc = ssrcs[peer];
    return sdpOf({
      of: peer,
      setup,
      sections: [
        { kind: "audio" },
        { kind: "video", direction, ...(ssrc === undefined ? {} : { ssrc }) },
      ],
    });
  };
  return [of(one, "actpass"), of(other, "active")];
};

/** alice, bob and carol talk with a media server. */
function central(ssrcs: { readonly [peer: string]: number } = {}): Call {
  const call = new Call({ topology: "central" }).peers("alice", "bob", "carol").serve("sfu");
  for (const peer of ["alice", "bob", "carol"]) {
    call.exchange(peer, "sfu", talk(peer, "sfu", ssrcs)).connect(peer, "sfu");
  }
  for (const peer of ["alice", "bob", "carol", "sfu"]) call.take(peer);
  return call;
}

const up = (peer: string, mid = 1): string => `${peer}~sfu:${mid}.1:${peer}`;
const down = (peer: string, mid = 1): string => `${peer}~sfu:${mid}.1:sfu`;

describe("where a flow comes from", () => {
  it("[F9] is what its sender declared, each source once, in its order", () => {
    const call = central();
    const sources = [up("carol"), up("bob"), up("carol")];
    const flow = call.carry(down("alice"), sources, { topology: "mixing" });
    expect(flow.sourceFlows).toEqual([up("carol"), up("bob")]);
    const { session } = call;
    call.carry(down("alice"), [up("carol"), up("bob")]);
    expect(call.session).toBe(session);
    expect(call.carry(down("alice"), [])).toMatchObject({
      sourceFlows: [],
      topology: "mixing",
      state: "active",
    });
  });

  type Refused = readonly [
    name: string,
    sender: string,
    flow: string,
    sources: readonly string[],
    more: Omit<FlowSources, "sourceFlows">,
    code: string,
  ];
  const refused: readonly Refused[] = [
    ["an unknown flow", "sfu", "alice~sfu:9.1:sfu", [], {}, "flow-not-found"],
    ["a flow of others", "bob", down("alice"), [], {}, "flow-not-found"],
    ["a flow that the peer receives", "alice", down("alice"), [], {}, "not-permitted"],
    ["a source of nobody", "sfu", down("alice"), ["x"], {}, "source-not-received"],
    ["its own flow", "sfu", down("alice"), [down("alice")], {}, "source-not-received"],
    ["what it sends itself", "sfu", down("alice"), [down("bob")], {}, "source-not-received"],
    ["sound in pictures", "sfu", down("alice"), [up("bob", 0)], {}, "source-not-received"],
    ["mixing by a peer", "alice", up("alice"), [], { topology: "mixing" }, "not-permitted"],
    ["forwarding by a server", "sfu", down("bob"), [], { topology: "forwarding" }, "not-permitted"],
    ["a layer of nobody", "sfu", down("alice"), [up("bob")], { layer: "h" }, "unknown-layer"],
  ];
  it.each(refused)("[F9] %s is refused and changes nothing", (_, ...given) => {
    const [sender, flow, sources, more, code] = given;
    const call = central();
    const { session } = call;
    const message: FromPeer = { type: "sources", flow, sourceFlows: [...sources], ...more };
    expect(outcome(call.send(sender, message))).toBe(code);
    expect(call.session).toBe(session);
  });

  it("[F9] what is over has no sources, and is none", () => {
    const call = central();
    call.send("bob", { type: "leave" });
    expect(outcome(call.tell(down("alice"), [up("bob")]))).toBe("source-not-received");
    expect(outcome(call.tell(down("bob"), [up("alice")]))).toBe("flow-ended");
  });

  it("[F9] a circle is refused, however long", () => {
    const names = ["alice", "bob", "carol"];
    const call = new Call().peers(...names);
    for (const [one, other] of [
      ["alice", "bob"],
      ["bob", "carol"],
      ["alice", "carol"],
    ] as const) {
      call.exchange(one, other, talk(one, other));
    }
    const flow = (from: string, to: string) => `${[from, to].sort().join("~")}:1.1:${from}`;
    call.carry(flow("bob", "carol"), [flow("alice", "bob")]);
    call.carry(flow("carol", "alice"), [flow("bob", "carol")]);
    const last = call.tell(flow("alice", "bob"), [flow("carol", "alice")]);
    expect(last).toMatchObject({ code: "flow-loop", flow: flow("alice", "bob") });
    call.carry(flow("alice", "carol"), [flow("bob", "alice")]);
    expect(call.flow(flow("alice", "carol")).topology).toBe("forwarding");
  });

  it("[F9] a peer may name its forwarding, and end it", () => {
    const call = new Call().peers("alice", "bob", "carol");
    call.exchange("alice", "bob", talk("alice", "bob"));
    call.exchange("bob", "carol", talk("bob", "carol"));
    const sent = "bob~carol:1.1:bob";
    const forwarding = { topology: "forwarding" } as const;
    expect(call.carry(sent, ["alice~bob:1.1:alice"], forwarding).topology).toBe("forwarding");
    expect(call.carry(sent, [], forwarding).topology).toBe("point-to-point");
  });

  it("[F9] a layer stays as long as a source has it, and can be taken away", () => {
    const call = new Call({ topology: "central" }).peers("alice", "bob", "carol").serve("sfu");
    call.exchange("alice", "sfu", pairOf("chromium-to-janus.videoroom-publish-simulcast"));
    call.exchange("bob", "sfu", talk("bob", "sfu"));
    call.exchange("carol", "sfu", talk("carol", "sfu"));
    const layerOf = (sources: string[], layer?: string | null) =>
      call.carry(down("carol"), sources, layer === undefined ? {} : { layer }).layer;
    expect(layerOf([up("alice")], "h")).toBe("h");
    expect(layerOf([up("alice"), up("bob")])).toBe("h");
    expect(layerOf([up("alice")], null)).toBeUndefined();
    expect(layerOf([up("alice")], "m")).toBe("m");
    expect(layerOf([up("bob")])).toBeUndefined();
  });

  it("[F9] forwarding is a fact of its own: a paused flow is active", () => {
    const call = central();
    const forwards = (forwarding?: boolean) =>
      call.carry(down("alice"), [up("bob")], forwarding === undefined ? {} : { forwarding })
        .forwarding;
    expect([forwards(), forwards(false), forwards(), forwards(true)]).toEqual([
      undefined,
      false,
      false,
      true,
    ]);
    expect(call.flow(down("alice")).state).toBe("active");
  });

  it("[F9] data have sources too, and no RTCP that could end", () => {
    const data = [{ kind: "application" }] as const;
    const call = new Call({ topology: "central" }).peers("alice", "bob").serve("sfu");
    for (const of of ["alice", "bob"]) {
      call.exchange(of, "sfu", [
        sdpOf({ of, sections: data }),
        sdpOf({ of: "sfu", sections: data, setup: "active" }),
      ]);
    }
    const flow = call.carry(down("alice", 0), [up("bob", 0)], { topology: "projecting" });
    expect(flow).toMatchObject({ sourceFlows: [up("bob", 0)], topology: "projecting" });
    expect(flow.rtcp).toBeUndefined();
  });
});

describe("a source ends", () => {
  it("[F4] who carries it on loses it in the same revision", () => {
    const call = central();
    call.carry(down("alice"), [up("bob"), up("carol")], { topology: "mixing" });
    call.carry(down("carol"), [up("bob")], { topology: "mixing" });
    call.take("alice");
    call.at += 10;
    call.send("bob", { type: "leave" });
    const [told] = call.take("alice", "flows");
    expect(told).toEqual({
      type: "flows",
      revision: revisionOf(call.session),
      changed: [call.flow(down("alice"))],
      transports: [],
    });
    expect(call.flow(down("alice"))).toMatchObject({
      revision: revisionOf(call.session),
      sourceFlows: [up("carol")],
      state: "active",
    });
    expect(call.flow(up("bob")).revision).toBe(revisionOf(call.session));
    expect(call.flow(down("carol"))).toMatchObject({
      state: "held",
      reason: "source-ended",
      since: call.at,
      sourceFlows: [],
    });
  });

  it("[F9] a hold that was asked for goes before, and remains after", () => {
    const call = central();
    call.carry(down("alice"), [up("bob")], { topology: "switching" });
    const hold = (held: boolean) => {
      accepted(call.send("alice", { type: "flow", flow: down("alice"), held }));
      return words(call.flow(down("alice")))
        .split(" ")
        .slice(1)
        .join(" ");
    };
    hold(true);
    call.send("bob", { type: "leave" });
    expect(call.flow(down("alice")).reason).toBe("requested");
    expect(hold(false)).toBe("held source-ended");
    expect(hold(true)).toBe("held requested");
    call.carry(down("alice"), [up("carol")]);
    expect(call.flow(down("alice")).reason).toBe("requested");
    expect(hold(false)).toBe("active");
  });

  it("[F9] a section that stops takes what is carried of it along; naming nothing resumes nothing", () => {
    const call = central();
    call.carry(down("alice"), [up("bob")], { topology: "switching" });
    const stopped = (of: string, setup: "actpass" | "active") =>
      sdpOf({ of, setup, version: 2, sections: [{ kind: "audio" }, { kind: "video", port: 0 }] });
    call.exchange("bob", "sfu", [stopped("bob", "actpass"), stopped("sfu", "active")]);
    expect(words(call.flow(up("bob")))).toBe(`${up("bob")} ended stopped`);
    expect(words(call.flow(down("alice")))).toBe(`${down("alice")} held source-ended`);
    call.carry(down("alice"), []);
    expect(words(call.flow(down("alice")))).toBe(`${down("alice")} held source-ended`);
    call.carry(down("alice"), [up("carol")]);
    expect(words(call.flow(down("alice")))).toBe(`${down("alice")} active`);
  });

  it("[F9] a flow that is only proposed is held once it is agreed", () => {
    const call = central();
    accepted(call.join("dave"));
    const [offer, answer] = talk("sfu", "dave");
    accepted(call.send("sfu", { type: "offer", to: "dave", sdp: offer }));
    const proposed = "dave~sfu:1.1:sfu";
    expect(call.carry(proposed, [up("bob")], { topology: "projecting" }).state).toBe("proposed");
    call.send("bob", { type: "leave" });
    expect(call.flow(proposed)).toMatchObject({ state: "proposed", sourceFlows: [] });
    accepted(call.send("dave", { type: "answer", to: "sfu", exchange: 1, sdp: answer }));
    expect(call.flow(proposed)).toMatchObject({
      state: "held",
      reason: "source-ended",
      rtcp: { termination: true },
    });
    call.carry(proposed, [up("carol")]);
    expect(call.flow(proposed).state).toBe("negotiated");
  });

  it("[F9] what ends elsewhere is nobody's source here", () => {
    const call = new Call().peers("alice", "bob", "carol", "dave");
    call.exchange("alice", "bob", talk("alice", "bob"));
    call.exchange("carol", "dave", talk("carol", "dave"));
    const { flows } = call.link("carol", "dave");
    call.send("alice", { type: "leave" });
    expect(call.link("carol", "dave").flows).toBe(flows);
  });

  it("[F9] with the media server all is over at once", () => {
    const call = central();
    call.carry(down("alice"), [up("bob")], { topology: "switching" });
    call.send("sfu", { type: "leave" });
    expect(call.live).toEqual([]);
    expect(call.flow(down("alice")).sourceFlows).toEqual([up("bob")]);
  });
});

describe("labels", () => {
  const offered = (media: MediaLabels | undefined, direction: Direction = "sendrecv") => {
    const [offer, answer] = talk("alice", "bob", { alice: 70_001 }, direction);
    return { offer, answer, media: media ? { offer: media } : {} };
  };
  const labelsOf = ({ sourceId, simulcastGroup, content }: Flow) => ({
    ...(sourceId === undefined ? {} : { sourceId }),
    ...(simulcastGroup === undefined ? {} : { simulcastGroup }),
    ...(content === undefined ? {} : { content }),
  });

  it("[F1] are of the flows that the describer sends, from the proposal on; others are not told", () => {
    const call = new Call().peers("alice", "bob");
    const label = { sourceId: "camera", simulcastGroup: "group", content: "main" };
    const { offer } = offered(undefined);
    const media = { 1: label, 7: { sourceId: "none" }, constructor: { sourceId: "none" } };
    accepted(call.send("alice", { type: "offer", to: "bob", sdp: offer, media }));
    const proposed = ["1.1:alice", "1.1:bob"].map((id) => call.flow(`alice~bob:${id}`));
    expect(proposed.map(labelsOf)).toEqual([label, {}]);
    expect(call.link("alice", "bob").open?.media).toEqual({ 1: label });
    expect(call.take("bob", "offer")).toEqual([
      { type: "offer", from: "alice", exchange: 1, sdp: offer },
    ]);
  });

  it("[N8] stay as long as their section, and change where they are said anew", () => {
    const call = new Call().peers("alice", "bob");
    const said = (media?: MediaLabels, direction?: Direction) => {
      const { offer, answer, media: labels } = offered(media, direction);
      call.exchange("alice", "bob", [offer, answer], labels);
      return labelsOf(call.flow("alice~bob:1.1:alice"));
    };
    expect(said({ 1: { sourceId: "camera", content: "main" } })).toEqual({
      sourceId: "camera",
      content: "main",
    });
    const { session } = call;
    expect(said()).toEqual({ sourceId: "camera", content: "main" });
    const { flows } = call.link("alice", "bob");
    expect(flows).toBe(session.links.get("alice~bob")?.flows);
    expect(said({ 1: { simulcastGroup: "both", content: "slides" } }, "inactive")).toEqual({
      sourceId: "camera",
      simulcastGroup: "both",
      content: "slides",
    });
    expect(labelsOf(call.flow("alice~bob:1.1:bob"))).toEqual({});
    call.send("alice", { type: "leave" });
    call.peers("alice");
    const { offer, answer } = offered(undefined);
    call.exchange("alice", "bob", [offer, answer]);
    expect(labelsOf(call.flow("alice~bob:1.2:alice"))).toEqual({});
  });

  it("[N8] go with their section; what is said of none is not kept", () => {
    const call = new Call().peers("alice", "bob");
    const { offer, answer } = offered(undefined);
    const said = (media: MediaLabels, of: MediaLabels) => {
      call.exchange("alice", "bob", [offer, answer], { offer: media, answer: of });
      return call.link("alice", "bob").flows.labels;
    };
    expect(said({ 5: { content: "main" } }, { 5: { content: "main" } })).toBeUndefined();
    expect(said({ 1: { content: "main" } }, { 0: {} })).toEqual({
      alice: { 1: { content: "main" } },
    });
    const stopped = (sdp: string) => sdp.replace("m=video 9", "m=video 0");
    call.exchange("alice", "bob", [stopped(offer), stopped(answer)]);
    expect(call.link("alice", "bob").flows.labels).toBeUndefined();
  });

  it("[N4] an offer that comes to nothing leaves no label", () => {
    const call = new Call().peers("alice", "bob");
    const { offer, answer } = offered(undefined);
    call.exchange("alice", "bob", [offer, answer]);
    const media = { 1: { sourceId: "other" } };
    accepted(call.send("alice", { type: "offer", to: "bob", sdp: offer, media }));
    accepted(call.send("bob", { type: "reject", to: "alice", exchange: 2 }));
    call.exchange("alice", "bob", [offer, answer]);
    expect(labelsOf(call.flow("alice~bob:1.1:alice"))).toEqual({});
  });

  it("[F3] go before a=content; a track names the source that nobody names, but not a server's", () => {
    const call = new Call().peers("alice", "bob").serve("sfu");
    const described = (of: string) =>
      sdpOf({ of, setup: of === "alice" ? "actpass" : "active", sections: AV }).replace(
        "a=rtpmap:96",
        "a=content:slides\r\na=msid:stream track\r\na=rtpmap:96",
      );
    call.exchange("alice", "bob", [described("alice"), described("bob")], {
      answer: { 1: { content: "main" } },
    });
    call.exchange("alice", "sfu", [described("alice"), described("sfu")]);
    expect(labelsOf(call.flow("alice~bob:1.1:alice"))).toEqual({
      sourceId: "track",
      content: "slides",
    });
    expect(labelsOf(call.flow("alice~bob:1.1:bob"))).toEqual({
      sourceId: "track",
      content: "main",
    });
    expect(labelsOf(call.flow("alice~sfu:1.1:sfu"))).toEqual({ content: "slides" });
    // An exchange without labels keeps those of before.
    call.exchange("alice", "bob", [described("alice"), described("bob")]);
    expect(call.flow("alice~bob:1.1:bob").content).toBe("main");
  });

  it("[S8] of an offer that cannot be read there are none", () => {
    const call = new Call().peers("alice", "bob");
    const media = { 1: { sourceId: "camera" } };
    accepted(call.send("alice", { type: "offer", to: "bob", sdp: "v=0\r\n", media }));
    expect(call.link("alice", "bob").open).not.toHaveProperty("media");
  });

  it("[N5] sections without a mid have no labels", () => {
    const call = new Call().peers("alice", "bob");
    const bare = talk("alice", "bob").map((sdp) => sdp.replaceAll(/^a=(?:group|mid).*\r\n/gm, ""));
    const media = { "": { content: "main" }, 0: { content: "main" } };
    call.exchange("alice", "bob", [bare[0]!, bare[1]!], { offer: media, answer: media });
    expect(call.live.map(({ mid }) => mid)).toEqual(["", "", "", ""]);
    expect(call.live.flatMap(({ content }) => content ?? [])).toEqual([]);
  });
});

describe("reports", () => {
  it("[F4] quality is kept per reporter, the latest; the same again changes nothing", () => {
    const call = central();
    const flow = up("alice");
    const sent = { bitrateBps: 900_000, packets: 10, width: 1280, height: 720 };
    accepted(call.report("alice", "sfu", { flow, ...sent }));
    accepted(call.report("sfu", "alice", { flow, packetsLost: 2, jitterMs: 4.5 }));
    const { quality, revision } = call.flow(flow);
    expect(quality).toEqual({ alice: sent, sfu: { packetsLost: 2, jitterMs: 4.5 } });
    const { session } = call;
    accepted(call.report("alice", "sfu", { flow, ...sent }));
    expect(call.session).toBe(session);
    accepted(call.report("alice", "sfu", { flow, bitrateBps: 500_000 }));
    expect(call.flow(flow)).toMatchObject({ revision: revision + 1 });
    expect(call.flow(flow).quality?.alice).toEqual({ bitrateBps: 500_000 });
    expect(call.take("bob", "flows")).toEqual([]);
    expect(call.take("alice", "flows")).toHaveLength(3);
  });

  it("[S8] what is said of flows of others, or that are over, is ignored", () => {
    const call = central();
    const { session } = call;
    accepted(call.report("alice", "sfu", { flow: up("bob"), bitrateBps: 1 }));
    accepted(call.report("alice", "sfu", { flow: "x", bitrateBps: 1 }, { flow: up("alice") }));
    expect(call.session).toBe(session);
    call.send("bob", { type: "leave" });
    const { session: after } = call;
    accepted(call.join("bob"));
    const rejoined = call.session;
    accepted(call.report("bob", "sfu", { flow: up("bob"), bitrateBps: 1 }));
    expect(call.session).toBe(rejoined);
    expect(after.links.get("bob~sfu")?.flows).toBe(call.link("bob", "sfu").flows);
    expect(outcome(call.report("alice", "nobody"))).toBe("unknown-peer");
  });

  it("[S8] two peers without a link have nothing to report of", () => {
    const call = new Call().peers("alice", "bob");
    const { session } = call;
    accepted(call.report("alice", "bob", { flow: "x", bitrateBps: 1 }));
    expect(call.session).toBe(session);
  });

  it("[F2] SSRCs that nobody announced are added; the id of the flow stays", () => {
    const call = central();
    const flow = up("alice");
    const sources = [{ ssrc: 5001, rtx: 5002 }];
    accepted(call.report("alice", "sfu", { flow, sources }));
    expect(call.flow(flow).sources).toEqual([{ ...sources[0], reported: true }]);
    expect(call.flow(flow).quality).toBeUndefined();
    // The receiver sees the same, and the repair stream by itself.
    const { session } = call;
    accepted(call.report("sfu", "alice", { flow, sources: [{ ssrc: 5001 }, { ssrc: 5002 }] }));
    expect(call.session).toBe(session);
    accepted(call.report("sfu", "alice", { flow, sources: [{ ssrc: 5003 }] }));
    accepted(call.report("alice", "sfu", { flow, sources: [{ ssrc: 5001, fec: 5003 }] }));
    expect(call.flow(flow).sources).toEqual([{ ssrc: 5001, rtx: 5002, fec: 5003, reported: true }]);
  });

  it("[F2] a description that announces a reported SSRC confirms it, another one replaces it", () => {
    const call = new Call().peers("alice", "bob");
    const flow = "alice~bob:1.1:alice";
    const exchanged = (ssrc?: number, direction?: Direction) => {
      call.exchange(
        "alice",
        "bob",
        talk("alice", "bob", ssrc === undefined ? {} : { alice: ssrc }, direction),
      );
      return call.flow(flow).sources;
    };
    exchanged();
    accepted(call.report("alice", "bob", { flow, sources: [{ ssrc: 6001, rtx: 6002 }] }));
    expect(exchanged()).toEqual([{ ssrc: 6001, rtx: 6002, reported: true }]);
    expect(exchanged(undefined, "inactive")).toHaveLength(1);
    // It says nothing of repair: what is known of it stays.
    expect(exchanged(6001)).toEqual([{ ssrc: 6001, rtx: 6002 }]);
    accepted(call.report("bob", "alice", { flow, sources: [{ ssrc: 6009 }] }));
    const known = [
      { ssrc: 6001, rtx: 6002 },
      { ssrc: 6009, reported: true },
    ];
    expect(exchanged(6001)).toEqual(known);
    expect(exchanged(7001)).toEqual([{ ssrc: 7001 }]);
  });

  it("[N8] another connection has other sources", () => {
    const call = new Call().peers("alice", "bob");
    const flow = "alice~bob:1.1:alice";
    call.exchange("alice", "bob", talk("alice", "bob"));
    accepted(call.report("alice", "bob", { flow, sources: [{ ssrc: 6001 }] }));
    const sections = [{ kind: "audio" }, { kind: "video" }] as const;
    call.exchange("alice", "bob", [
      sdpOf({ of: "alicia", sections }),
      sdpOf({ of: "bob", setup: "active", sections }),
    ]);
    expect(call.flow(flow).sources).toEqual([]);
  });

  it("[S7] SSRCs are numbers of 32 bits", () => {
    const read = (source: object) =>
      FROM_PEER.quality.safeParse({
        type: "quality",
        flows: [{ flow: "x", sources: [source] }],
      }).success;
    expect([{ ssrc: 0xffffffff }, { ssrc: 1, rtx: 2, fec: 3, rid: "h" }].map(read)).toEqual([
      true,
      true,
    ]);
    expect([{ ssrc: -1 }, { ssrc: 2 ** 32 }, { ssrc: 1, rtx: 0.5 }].map(read)).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe("sources as they are known", () => {
  const bare = (sources: MediaSource[], rids: string[] = []) =>
    ({ sources, layers: rids.map((rid, order) => ({ rid, order })) }) as unknown as Flow;
  const reported = (...ssrcs: number[]): MediaSource[] =>
    ssrcs.map((ssrc) => ({ ssrc, reported: true }));

  it("[F3] a layer that comes with another SSRC has changed it", () => {
    const first = withReportedSources(bare([], ["h"]), [{ ssrc: 1, rid: "h" }]);
    const second = withReportedSources(first, [{ ssrc: 2, rid: "h" }]);
    expect(second).toMatchObject({
      sources: [{ ssrc: 2, rid: "h", previous: [1], reported: true }],
      layers: [{ rid: "h", ssrc: 2 }],
    });
    // A late report of the other end knows only the old one.
    expect(withReportedSources(second, [{ ssrc: 1 }]).sources).toEqual(second.sources);
    const third = withReportedSources(second, [{ ssrc: 3, rid: "h" }]);
    expect(third.sources).toEqual([{ ssrc: 3, rid: "h", previous: [1, 2], reported: true }]);
  });

  it("[F3] a rid that is no layer of the flow says nothing", () => {
    const flow = withReportedSources(bare([], ["h"]), [{ ssrc: 1, rid: "x" }]);
    expect(flow.sources).toEqual(reported(1));
  });

  it("[F3] what a description says of repair goes before what is reported", () => {
    const flow = bare([{ ssrc: 1, rtx: 2 }]);
    const reports = [{ ssrc: 1, rtx: 9, fec: 3 }];
    expect(withReportedSources(flow, reports).sources).toEqual([{ ssrc: 1, rtx: 2, fec: 3 }]);
    expect(withReportedSources(bare(reported(1)), reports).sources).toEqual([
      { ...reports[0], reported: true },
    ]);
  });

  it("[S7] at most 64 are kept: announced ones always, of the others the newest", () => {
    const many = Array.from({ length: 70 }, (_none, index) => ({ ssrc: 100 + index }));
    const { sources } = withReportedSources(bare([{ ssrc: 1 }]), many);
    expect(sources).toHaveLength(64);
    expect([sources[0], sources[1]?.ssrc, sources.at(-1)?.ssrc]).toEqual([{ ssrc: 1 }, 107, 169]);
    const full = bare(many);
    expect(withReportedSources(full, [{ ssrc: 1 }]).sources).toEqual(many);
    expect(sourcesAfter(sources, [{ ssrc: 1 }], [{ ssrc: 1 }, { ssrc: 2 }], [])).toHaveLength(64);
  });

  it("[F3] a description that takes a layer or a repair stream away is believed", () => {
    const known: MediaSource[] = [
      { ssrc: 1, rtx: 2, rid: "h" },
      { ssrc: 5, rid: "m", reported: true },
      { ssrc: 6, rid: "l", reported: true },
    ];
    const layers = [{ rid: "l", order: 0 }];
    expect(sourcesAfter(known, [{ ssrc: 1, rtx: 2 }], [{ ssrc: 1 }], layers)).toEqual([
      { ssrc: 1 },
      { ssrc: 6, rid: "l", reported: true },
    ]);
    // What it now calls a repair stream was no source.
    expect(sourcesAfter(reported(1, 2), [], [{ ssrc: 1, rtx: 2 }], [])).toEqual([
      { ssrc: 1, rtx: 2 },
    ]);
  });
});

describe("SSRCs in use", () => {
  type Seen = { ssrc: number; rtx?: number };
  const use = (call: Call, peer: string, flow: string, ...sources: Seen[]) => {
    const { from, to } = call.flow(flow);
    accepted(call.report(peer, peer === from ? to : from, { flow, sources }));
  };

  it("[D2] both ends of a link send with one SSRC: both are told, once", () => {
    const call = new Call().peers("alice", "bob");
    call.exchange("alice", "bob", talk("alice", "bob", { alice: 80_001 }));
    for (const peer of ["alice", "bob"]) call.take(peer);
    use(call, "bob", "alice~bob:0.1:bob", { ssrc: 90_001, rtx: 80_001 });
    const [toAlice] = call.take("alice", "findings");
    expect(toAlice).toMatchObject({
      to: "bob",
      exchange: 1,
      findings: [
        { rule: "ssrc-collision", level: "warning", description: "answer", mLine: 0, mid: "0" },
      ],
    });
    expect(toAlice).toHaveProperty(
      "findings.0.message",
      expect.stringMatching(/^SSRC 80001: both ends send with this SSRC/),
    );
    expect(call.take("bob", "findings")).toEqual([{ ...toAlice, to: "alice" }]);
    const { findings } = call.link("alice", "bob");
    expect(findings.filter(({ rule }) => rule === "ssrc-collision")).toMatchObject([
      { from: "bob", exchange: 1 },
    ]);
    use(call, "alice", "alice~bob:0.1:bob", { ssrc: 90_001 }, { ssrc: 95_001 });
    use(call, "alice", "alice~bob:0.1:bob", { ssrc: 80_001 });
    expect([...call.told("alice"), ...call.told("bob")]).toEqual([]);
  });

  it("[D2] what the descriptions showed already is not told again", () => {
    const call = new Call().peers("alice", "bob");
    call.exchange("alice", "bob", talk("alice", "bob", { alice: 80_001, bob: 80_001 }));
    expect([...call.told("alice"), ...call.told("bob")]).toEqual([]);
    const rules = call.link("alice", "bob").findings.map(({ rule }) => rule);
    expect(rules.filter((rule) => rule === "ssrc-collision")).toHaveLength(1);
  });

  it("[D2] one end may use an SSRC twice, on transports of their own two ends may", () => {
    const call = new Call().peers("alice", "bob");
    const [offer, answer] = talk("alice", "bob");
    call.exchange("alice", "bob", [offer, answer.replace(/^a=group.*\r\n/m, "")]);
    use(call, "alice", "alice~bob:0.1:alice", { ssrc: 80_001 });
    use(call, "alice", "alice~bob:1.1:alice", { ssrc: 80_001 });
    expect(call.told("alice")).toEqual([]);
    use(call, "bob", "alice~bob:1.1:bob", { ssrc: 80_001 });
    expect(call.told("alice")).toEqual(["ssrc-collision"]);
    use(call, "bob", "alice~bob:0.1:bob", { ssrc: 90_001 });
    expect(call.told("alice")).toEqual([]);
  });

  it("[D2] legs of a server are spaces of their own, until a relay makes them one", () => {
    const call = central();
    use(call, "alice", up("alice"), { ssrc: 80_001 });
    use(call, "bob", up("bob"), { ssrc: 80_001 });
    call.carry(down("carol"), [up("alice"), up("bob")], { topology: "mixing" });
    expect(["alice", "bob", "sfu"].flatMap((peer) => call.told(peer))).toEqual([]);
    call.carry(down("carol"), [up("alice"), up("bob")], { topology: "relay" });
    expect(call.told("alice")).toEqual(["ssrc-claimed-by-two-participants"]);
    expect(call.told("bob")).toEqual(["ssrc-claimed-by-two-participants"]);
    // What the relay sends of them has the SSRCs of both.
    use(call, "carol", down("carol"), { ssrc: 80_001 });
    expect(["carol", "sfu"].map((peer) => call.told(peer).length)).toEqual([0, 2]);
    // A third one that sends with it collides with what comes to it on the same link, and with the others.
    use(call, "carol", up("carol"), { ssrc: 80_001 });
    expect(call.told("carol")).toEqual(["ssrc-collision", "ssrc-claimed-by-two-participants"]);
  });

  it("[D2] relays of relays carry the SSRC of where it began", () => {
    const call = new Call().peers("alice", "bob").serve("r1").serve("r2");
    call.exchange("alice", "r1", talk("alice", "r1"));
    call.exchange("r1", "r2", talk("r1", "r2"));
    call.exchange("r2", "bob", talk("r2", "bob"));
    const chain = ["alice~r1:1.1:alice", "r1~r2:1.1:r1", "bob~r2:1.1:r2"];
    call.carry(chain[1]!, [chain[0]!], { topology: "relay" });
    call.carry(chain[2]!, [chain[1]!], { topology: "relay" });
    for (const flow of chain) use(call, call.flow(flow).from, flow, { ssrc: 80_001 });
    for (const peer of ["alice", "bob", "r1", "r2"]) {
      expect(call.told(peer).filter((rule) => rule !== "ssrc-not-signalled")).toEqual([]);
    }
    const sessions = call.transports.map(({ rtpSession }) => rtpSession);
    expect(new Set(sessions)).toEqual(new Set(["alice~r1:t.0.1"]));
  });

  it("[F6] the session of a relay is named after the first of its transports, whoever sends", () => {
    const call = central();
    const sessions = () =>
      ["alice", "bob", "carol"].map((peer) => call.transportOf(up(peer)).rtpSession);
    call.carry(down("alice"), [up("carol")], { topology: "relay" });
    const joined = ["alice~sfu:t.0.1", "bob~sfu:t.0.1", "alice~sfu:t.0.1"];
    expect(sessions()).toEqual(joined);
    // Sound and pictures run on the same transports.
    call.carry(down("alice", 0), [up("carol", 0)], { topology: "relay" });
    expect(sessions()).toEqual(joined);
    call.carry(down("alice"), [], { topology: "relay" });
    expect(sessions()).toEqual(joined);
    call.carry(down("alice", 0), []);
    expect(sessions()).toEqual(["alice~sfu:t.0.1", "bob~sfu:t.0.1", "carol~sfu:t.0.1"]);
  });

  it("[F6] a source that is only proposed has no transport to share yet", () => {
    const call = central();
    accepted(call.join("dave"));
    const [offer, answer] = talk("dave", "sfu");
    accepted(call.send("dave", { type: "offer", to: "sfu", sdp: offer }));
    call.carry(down("alice"), [up("dave")], { topology: "relay" });
    expect(call.transportOf(up("alice")).rtpSession).toBe("alice~sfu:t.0.1");
    accepted(call.send("sfu", { type: "answer", to: "dave", exchange: 1, sdp: answer }));
    expect(call.transportOf(up("dave")).rtpSession).toBe("alice~sfu:t.0.1");
  });

  it("[D2] a section without a mid is told by its index", () => {
    const call = new Call().peers("alice", "bob");
    const bare = talk("alice", "bob").map((sdp) => sdp.replaceAll(/^a=(?:group|mid).*\r\n/gm, ""));
    call.exchange("alice", "bob", [bare[0]!, bare[1]!]);
    for (const peer of ["alice", "bob"]) call.take(peer);
    use(call, "alice", "alice~bob:i1.1:alice", { ssrc: 80_001 });
    use(call, "bob", "alice~bob:i1.1:bob", { ssrc: 80_001 });
    const [told] = call.take("alice", "findings");
    expect(told).toMatchObject({ findings: [{ rule: "ssrc-collision", mLine: 1 }] });
    expect(told).not.toHaveProperty("findings.0.mid");
  });

  it("[D2] media that come back with their CNAME are a loop", () => {
    const call = new Call().peers("alice", "bob", "carol");
    const [toBob, bob] = talk("alice", "bob", { alice: 80_001 });
    call.exchange("alice", "bob", [toBob, bob]);
    // carol sends with the CNAME of alice: she passes on what alice sends, unsignalled as yet.
    const [offer, answer] = talk("carol", "alice", { carol: 70_001 });
    const named = offer.replace("cname:carol70001", "cname:alice80001");
    call.exchange("carol", "alice", [named, answer]);
    for (const peer of ["alice", "carol"]) call.take(peer);
    use(call, "alice", "alice~carol:1.1:carol", { ssrc: 80_001 });
    expect(call.told("alice")).toEqual(["loop-detected"]);
    expect(call.told("carol")).toEqual(["loop-detected"]);
    use(call, "alice", "alice~carol:1.1:carol", { ssrc: 80_001, rtx: 80_002 });
    use(call, "alice", "alice~bob:1.1:alice", { ssrc: 80_001, rtx: 80_002 });
    expect([...call.told("alice"), ...call.told("carol")]).toEqual([]);
  });
});
