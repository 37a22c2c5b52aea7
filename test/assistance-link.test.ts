import { describe, expect, it } from "vitest";
import type { FlowStatus } from "../protocol/assistance/assisted.ts";
import { assistedLink } from "../protocol/assistance/derive.ts";
import { AssistedCall, rawSections } from "./assisted-call.ts";
import { pairOf, variant } from "./flow-call.ts";
import { AUDIO, DATA, PAIRS, textOf, VIDEO } from "./link-negotiation.ts";
import { accepted } from "./pure-session.ts";

const both = (...lines: string[]): [string, string] => [textOf(...lines), textOf(...lines)];
const DIRECTIONS = ["uplink", "downlink"] as const;

/** Direction of the answer, from the answerer's view, to the status for the answerer and for the offerer. */
const STATUS: Readonly<Record<string, readonly [answerer: FlowStatus, offerer: FlowStatus]>> = {
  sendrecv: ["ENABLED", "ENABLED"],
  sendonly: ["ENABLED-UPLINK", "ENABLED-DOWNLINK"],
  recvonly: ["ENABLED-DOWNLINK", "ENABLED-UPLINK"],
  inactive: ["DISABLED", "DISABLED"],
};

describe("which description supplies what", () => {
  it.each(PAIRS)("[M13] %s, for offerer and answerer", (_name, offer, answer) => {
    const call = AssistedCall.of([offer, answer]);
    const [offering, ...offered] = rawSections(offer);
    const [answering, ...answered] = rawSections(answer);
    for (const ue of ["a", "b"]) {
      const link = call.seen(ue);
      const sections = link?.transports.flatMap((transport) => transport.sections) ?? [];
      const [own, others] = ue === "a" ? [offered, answered] : [answered, offered];
      for (const { ordinal, kind, status, ...section } of sections) {
        const at = ordinal - 1;
        // The direction of the answer counts, as far as the offer wants it as well.
        const direction = answered[at]!.direction(answering);
        const isAgreed = direction !== "inactive" && section.uplink !== section.downlink;
        if (kind !== "data" && isAgreed && offered[at]!.direction(offering) === "sendrecv") {
          expect([direction, status]).toEqual([direction, STATUS[direction]![ue === "a" ? 1 : 0]]);
        }
        for (const uplink of [true, false]) {
          const stream = uplink ? section.uplink : section.downlink;
          if (kind === "data" || !stream?.isRunning) continue;
          const [sender, receiver] = uplink ? [own[at]!, others[at]!] : [others[at]!, own[at]!];
          expect(receiver.formats).toEqual(expect.arrayContaining([...stream.payloadTypes]));
          expect(stream.payloadTypes.length).toBeGreaterThan(0);
          expect(new Set(stream.ssrcs)).toEqual(sender.ssrcs);
          const said = receiver.values("b=AS:").length + receiver.values("b=TIAS:").length > 0;
          const isHinted = receiver.values("a=fmtp:").some((each) => /maxaverage/.test(each));
          if (!isHinted) expect(stream.maxBps !== undefined).toBe(said);
          const ids = receiver
            .values("a=extmap:")
            .concat(rawSections(offer)[0].values("a=extmap:"));
          const mids = ids.filter((each) => each.endsWith(" urn:ietf:params:rtp-hdrext:sdes:mid"));
          if (stream.midExtension !== undefined) {
            expect(mids.map((each) => Number.parseInt(each, 10))).toContain(stream.midExtension);
          }
        }
      }
      for (const { ordinal, mid, status } of link?.removed ?? []) {
        expect(answered[ordinal - 1]!.lines[0]).toMatch(/^m=\w+ 0 /);
        expect([mid, status]).toEqual([offered[ordinal - 1]!.values("a=mid:")[0] ?? "", "REMOVED"]);
      }
    }
  });

  it.each(Object.entries(STATUS))(
    "[M13] %s in the answer is what the answerer does, and mirrored what the offerer does",
    (direction, [answerer, offerer]) => {
      const media = [...VIDEO, "a=mid:0"];
      const call = AssistedCall.of([textOf(...media), textOf(...media, `a=${direction}`)]);
      expect(call.section("b", "0").status).toBe(answerer);
      expect(call.section("a", "0").status).toBe(offerer);
    },
  );

  it("[M13] payload types are the receiver's, SSRCs the sender's", () => {
    const offer = textOf(
      ...["m=video 9 UDP/TLS/RTP/SAVPF 96 97", "a=mid:0", "a=rtpmap:96 VP8/90000"],
      ...["a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", "a=ssrc-group:FID 1 2"],
      ...["a=ssrc:1 cname:x", "a=ssrc:2 cname:x"],
    );
    const answer = textOf(
      ...["m=video 9 UDP/TLS/RTP/SAVPF 100 101", "a=mid:0", "a=rtpmap:100 VP8/90000"],
      ...["a=rtpmap:101 rtx/90000", "a=fmtp:101 apt=100", "a=ssrc:3 cname:y"],
    );
    const call = AssistedCall.of([offer, answer]);
    const uplink = { payloadTypes: [100, 101], ssrcs: [1, 2] };
    const downlink = { payloadTypes: [96, 97], ssrcs: [3] };
    expect(call.section("a", "0")).toMatchObject({ uplink, downlink });
    expect(call.section("b", "0")).toMatchObject({ uplink: downlink, downlink: uplink });
    expect(call.stream("a", "0", "uplink").ssrcByPayloadType).toEqual({ 100: 1, 101: 2 });
    // Of a source without retransmissions nobody knows who would send them.
    expect(call.stream("a", "0", "downlink").ssrcByPayloadType).toEqual({ 96: 3 });
  });

  it("[M13] of several sources any may send any payload type; one with FEC of its own has its own", () => {
    const media = ["m=video 9 UDP/TLS/RTP/SAVPF 96 98", "a=mid:0", "a=rtpmap:96 VP8/90000"];
    const fec = ["a=rtpmap:98 flexfec-03/90000", "a=ssrc-group:FEC-FR 1 2"];
    const sources = ["a=ssrc:1 cname:x", "a=ssrc:2 cname:x"];
    const call = AssistedCall.of([
      textOf(...media, ...fec, ...sources),
      textOf(...media, "a=rtpmap:98 flexfec-03/90000", ...sources),
    ]);
    expect(call.stream("a", "0", "uplink").ssrcByPayloadType).toEqual({ 96: 1, 98: 2 });
    expect(call.stream("a", "0", "downlink").ssrcByPayloadType).toBeUndefined();
    expect(call.stream("a", "0", "downlink").ssrcs).toEqual([1, 2]);
  });

  it("[M13] a source that only a report knows is not told: descriptions do not name it", () => {
    const call = AssistedCall.of(both(...VIDEO, "a=mid:0"));
    accepted(call.report("a", "b", { flow: "a~b:0.1:a", sources: [{ ssrc: 7 }] }));
    expect(call.flow("a~b:0.1:a").sources).toMatchObject([{ ssrc: 7 }]);
    expect(call.stream("a", "0", "uplink").ssrcs).toEqual([]);
  });

  it("[M13] werift.simulcast-3-rids: the only source that is announced does not send all layers", () => {
    const call = AssistedCall.of(pairOf("werift.simulcast-3-rids"));
    const uplink = call.stream("a", "0", "uplink");
    expect(call.flow(uplink.flow).layers).toHaveLength(3);
    expect(uplink.ssrcs).toHaveLength(1);
    expect(uplink.ssrcByPayloadType).toBeUndefined();
  });

  it("[M13] beside a source that an end reports the one that is announced does not send all", () => {
    const call = AssistedCall.of(both(...VIDEO, "a=mid:0", "a=ssrc:1 cname:x"));
    expect(call.stream("a", "0", "uplink").ssrcByPayloadType).toEqual({ 96: 1 });
    accepted(call.report("a", "b", { flow: "a~b:0.1:a", sources: [{ ssrc: 1 }] }));
    expect(call.stream("a", "0", "uplink").ssrcByPayloadType).toEqual({ 96: 1 });
    accepted(call.report("a", "b", { flow: "a~b:0.1:a", sources: [{ ssrc: 7 }] }));
    expect(call.stream("a", "0", "uplink")).toMatchObject({ ssrcs: [1] });
    expect(call.stream("a", "0", "uplink").ssrcByPayloadType).toBeUndefined();
  });

  it("[M13] codecs are those of both, in the answer's order, once each", () => {
    const rtpmaps = ["a=rtpmap:96 VP8/90000", "a=rtpmap:97 VP9/90000", "a=rtpmap:98 AV1/90000"];
    const call = AssistedCall.of([
      textOf("m=video 9 UDP/TLS/RTP/SAVPF 96 97 98", "a=mid:0", ...rtpmaps),
      textOf("m=video 9 UDP/TLS/RTP/SAVPF 97 96", "a=mid:0", ...rtpmaps),
    ]);
    for (const ue of ["a", "b"]) {
      for (const direction of DIRECTIONS) {
        expect(call.stream(ue, "0", direction).codecs).toEqual(["VP9", "VP8"]);
      }
    }
  });

  it("[M13] the header extension of the mid is told where this direction may carry it", () => {
    const MID = "urn:ietf:params:rtp-hdrext:sdes:mid";
    const LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    const media = [AUDIO, "a=mid:0"];
    const call = AssistedCall.of([
      textOf(...media, `a=extmap:3/sendonly ${MID}`, `a=extmap:1 ${LEVEL}`),
      textOf(...media, `a=extmap:3/recvonly ${MID}`, `a=extmap:1 ${LEVEL}`),
    ]);
    expect(call.stream("a", "0", "uplink").midExtension).toBe(3);
    expect(call.stream("b", "0", "downlink").midExtension).toBe(3);
    expect(call.stream("a", "0", "downlink").midExtension).toBeUndefined();
    expect(call.stream("b", "0", "uplink").midExtension).toBeUndefined();
    expect(call.stream("a", "0", "uplink").extensions).toEqual([{ id: 1, uri: LEVEL }]);
  });

  it("[M13] encrypted header extensions tell the network nothing", () => {
    const MID = "urn:ietf:params:rtp-hdrext:sdes:mid";
    const cryptex = AssistedCall.of(both(AUDIO, "a=mid:0", "a=cryptex", `a=extmap:3 ${MID}`));
    const stream = cryptex.stream("a", "0", "uplink");
    expect(stream).toMatchObject({ isCryptic: true, extensions: [] });
    expect(stream.midExtension).toBeUndefined();
    const encrypted = "a=extmap:4 urn:ietf:params:rtp-hdrext:encrypt urn:x:y";
    const partly = AssistedCall.of(both(AUDIO, "a=mid:0", encrypted, `a=extmap:3 ${MID}`));
    expect(partly.stream("a", "0", "uplink")).toMatchObject({
      ...{ isCryptic: false, extensions: [], midExtension: 3 },
    });
  });

  it("[M13] port 0 in the answer removes a section; in an offer it may be one of a bundle", () => {
    const sections = [AUDIO, "a=mid:0", ...VIDEO, "a=mid:1", "a=bundle-only"];
    const offer = textOf("a=group:BUNDLE 0 1", ...sections).replace("m=video 9", "m=video 0");
    const answer = textOf("a=group:BUNDLE 0 1", ...sections.slice(0, -1));
    const taken = AssistedCall.of([offer, answer]);
    expect(taken.section("a", "1").status).toBe("ENABLED");
    expect(taken.of("a").removed).toBeUndefined();
    expect(taken.of("a").transports).toHaveLength(1);
    const rejected = AssistedCall.of([offer, answer.replace("m=video 9", "m=video 0")]);
    for (const ue of ["a", "b"]) {
      expect(rejected.of(ue).removed).toEqual([
        { mid: "1", ordinal: 2, kind: "video", status: "REMOVED" },
      ]);
    }
    expect(pairOf("firefox.two-video-tracks")[0]).toContain("a=bundle-only");
    expect(AssistedCall.of(pairOf("firefox.two-video-tracks")).of("a").removed).toBeUndefined();
  });

  it("[M13] sections without a mid are known by their m-line; other media is left out", () => {
    const call = AssistedCall.of(
      both(AUDIO, "m=text 9 UDP/TLS/RTP/SAVPF 98", "a=rtpmap:98 t140/1000", "m=text 0 RTP/AVP 1"),
    );
    const [transport, ...others] = call.of("a").transports;
    expect(others).toEqual([]);
    expect(transport?.sections).toMatchObject([{ mid: "", ordinal: 1, kind: "audio" }]);
    expect(call.of("a").removed).toBeUndefined();
    const gone = AssistedCall.of(
      both(AUDIO, ...VIDEO).map((sdp) => sdp.replace("audio 9", "audio 0")) as never,
    );
    expect(gone.of("a").removed).toMatchObject([{ mid: "", ordinal: 1, kind: "audio" }]);
  });

  it("[M13] data runs both ways, whatever direction is said, and has no RTP", () => {
    const call = AssistedCall.of(pairOf("chromium-to-firefox.data-channel-only"));
    const section = call.section("a", "0");
    expect(section).toMatchObject({ kind: "data", status: "ENABLED" });
    expect(section.uplink).toMatchObject({ payloadTypes: [], ssrcs: [], extensions: [] });
    expect(section.uplink?.rs).toBeUndefined();
  });

  it("[M13] codec data are the lines of the UE's description, then of the other's", () => {
    const call = AssistedCall.of(pairOf("chromium.bandwidth-munged"));
    const text = (ue: string) => call.section(ue, "0").codecText ?? [];
    expect(text("a").map((each) => each.split("\n", 2))).toEqual([
      ["uplink", "offer"],
      ["downlink", "answer"],
    ]);
    expect(text("b").map((each) => each.split("\n", 2))).toEqual([
      ["uplink", "answer"],
      ["downlink", "offer"],
    ]);
    expect(text("a")[0]).toMatch(
      /^uplink\noffer\nm=audio 9 UDP\/TLS\/RTP\/SAVPF 111 .*\r\nb=AS:64\r\n/,
    );
    expect(text("a")[0]).toContain("a=rtpmap:111 opus/48000/2\r\n");
    expect(text("a").join()).not.toMatch(/ice-|fingerprint|candidate|ssrc|cname|^c=/m);
  });
});

describe("what a stream may take", () => {
  it("[M13] uplink by the other's b= lines, downlink by the UE's own", () => {
    const call = AssistedCall.of(pairOf("chromium.bandwidth-munged"));
    // The answer has b=AS:400 for video; the offer b=AS:800 and b=TIAS:700000, which goes before it.
    const tias = Math.ceil(700_000 + (700_000 / 9600) * 48 * 8);
    expect(call.stream("a", "1", "uplink").maxBps).toBe(400_000);
    expect(call.stream("a", "1", "downlink").maxBps).toBe(tias);
    expect(call.stream("b", "1", "uplink").maxBps).toBe(tias);
    expect(call.stream("b", "1", "downlink").maxBps).toBe(400_000);
    expect(call.stream("a", "0", "uplink").maxBps).toBeUndefined();
    expect(call.stream("a", "0", "downlink").maxBps).toBe(64_000);
  });

  it("[M13] b=RS and b=RR are copied, from who decides them", () => {
    const call = AssistedCall.of(pairOf("chromium.bandwidth-munged"));
    // RFC 3556: RS of the receiver for the sender's reports, RR of the sender for the receiver's.
    expect(call.stream("a", "0", "uplink")).toMatchObject({ rr: 2400 });
    expect(call.stream("a", "0", "downlink")).toMatchObject({ rs: 800 });
    expect(call.stream("b", "0", "uplink")).toMatchObject({ rs: 800 });
    expect(call.stream("b", "0", "downlink")).toMatchObject({ rr: 2400 });
    expect(call.stream("a", "1", "uplink").rs).toBeUndefined();
  });

  it.each([
    ["said", ["b=TIAS:100000", "a=maxprate:10.5"], 100_000 + 10.5 * 384],
    ["not said, audio", ["b=TIAS:100000"], 100_000 + 50 * 384],
    ["nonsense", ["b=TIAS:100000", "a=maxprate:many"], 100_000 + 50 * 384],
    ["too many", ["b=TIAS:100000", "a=maxprate:999999"], 100_000 + 50 * 384],
  ] as const)("[M13] TIAS is without IP and UDP headers; packets are %s", (_what, lines, bps) => {
    const call = AssistedCall.of(both(AUDIO, "a=mid:0", ...lines));
    expect(call.stream("a", "0", "uplink").maxBps).toBe(bps);
  });

  it("[M13] without b= what Opus is configured to counts, else nothing is said", () => {
    const opus = ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=rtpmap:111 opus/48000/2"];
    const call = AssistedCall.of([
      textOf(...opus),
      textOf(...opus, "a=fmtp:111 maxaveragebitrate=32000"),
    ]);
    expect(call.stream("a", "0", "uplink").maxBps).toBe(32_000 + 50 * 60 * 8);
    expect(call.stream("a", "0", "downlink").maxBps).toBeUndefined();
  });

  it("[M13] a request of a peer or the application lowers it, and is lifted again", () => {
    const call = AssistedCall.of(pairOf("chromium.bandwidth-munged"));
    const ask = (maxBitrateBps: number | null) =>
      accepted(call.send("b", { type: "flow", flow: "a~b:1.1:a", maxBitrateBps }));
    ask(100_000);
    expect(call.stream("a", "1", "uplink").maxBps).toBe(Math.ceil(100_000 * 1.04));
    expect(call.stream("b", "1", "downlink").maxBps).toBe(Math.ceil(100_000 * 1.04));
    ask(900_000);
    expect(call.stream("a", "1", "uplink").maxBps).toBe(400_000);
    ask(null);
    expect(call.stream("a", "1", "uplink").maxBps).toBe(400_000);
  });

  it("[M13] what the network itself recommends does not count: it would never give more again", () => {
    const call = AssistedCall.of(pairOf("chromium.bandwidth-munged"));
    const before = call.of("a");
    accepted(
      call.do({
        ...{ type: "assistance", link: "a~b", peer: "a", at: call.at + 10 },
        assistance: {
          ...{ network: "n", api: "nef", state: "impaired", since: call.at },
          advised: { uplinkBps: 150_000, downlinkBps: 150_000 },
        },
      }),
    );
    expect(call.flow("a~b:1.1:a").limits).toMatchObject({ source: "network" });
    expect(call.of("a")).toEqual(before);
  });

  it("[M13] nor does it shift the shares of a ceiling, on this link or on another", () => {
    const call = new AssistedCall({ maxUplinkBps: 600_000 }).peers("a", "b", "c");
    call.exchange("a", "b", pairOf("chromium.max-bundle"));
    call.exchange("a", "c", variant(pairOf("chromium.max-bundle"), 1));
    const linksOfA = () =>
      ["b", "c"].map((other) => assistedLink(call.session, call.link("a", other), "a"));
    const before = linksOfA();
    const rateOf = () => call.flow("a~c:1.1:a").limits.effectiveBps;
    const shared = rateOf();
    accepted(
      call.do({
        ...{ type: "assistance", link: "a~b", peer: "a", at: call.at + 10 },
        assistance: {
          ...{ network: "n", api: "nef", state: "impaired", since: call.at },
          advised: { uplinkBps: 100_000 },
        },
      }),
    );
    expect(rateOf()).toBeGreaterThan(shared ?? 0);
    expect(linksOfA()).toEqual(before);
  });

  it("[M13] the layers of simulcast together, with all headers", () => {
    const media = [...VIDEO, "a=mid:0"];
    const call = AssistedCall.of([
      textOf(
        ...[...media, "a=sendonly", "a=rid:h send max-br=900000", "a=rid:l send max-br=60000"],
        "a=simulcast:send h;l",
      ),
      textOf(...media, "a=recvonly", "a=rid:h recv", "a=rid:l recv", "a=simulcast:recv h;l"),
    ]);
    expect(call.stream("a", "0", "uplink").maxBps).toBe(960_000 + 100 * 60 * 8);
  });

  it("[M13] its share of a session's or a peer's ceiling, and all of the link no more than it", () => {
    const call = AssistedCall.of(pairOf("chromium.bandwidth-munged"), { maxUplinkBps: 300_000 });
    expect(call.flow("a~b:1.1:a").limits.source).toBe("session");
    const { effectiveBps = 0 } = call.flow("a~b:1.1:a").limits;
    expect(call.stream("a", "1", "uplink").maxBps).toBe(Math.ceil(effectiveBps * 1.04));
    // The session part of the offer has b=CT:2000: it binds who sends to the offerer.
    expect(call.of("a").ceilings).toEqual({ uplinkBps: 300_000, downlinkBps: 300_000 });
    const free = AssistedCall.of(pairOf("chromium.bandwidth-munged"));
    expect(free.of("a").ceilings).toEqual({ downlinkBps: 2_000_000 });
    expect(free.of("b").ceilings).toEqual({ uplinkBps: 2_000_000 });
    const bound = new AssistedCall().peers("a").grantee("b", { maxDownlinkBps: 70_000 });
    bound.exchange("a", "b", pairOf("chromium.max-bundle"));
    expect(bound.of("a").ceilings).toEqual({ uplinkBps: 70_000 });
    expect(bound.stream("b", "0", "downlink").maxBps).toBeGreaterThan(0);
  });

  it.each([
    ["b=AS", "b=AS:500", 500_000],
    ["b=TIAS", "b=TIAS:96000", 96_000 + 10 * 384],
    ["b=CT", "b=CT:300", 300_000],
  ])("[M13] %s of a session part is a cap of the sum", (_what, line, bps) => {
    const media = [...VIDEO, "a=mid:0"];
    const call = AssistedCall.of([textOf(...media), textOf(line, ...media)]);
    expect(call.of("a").ceilings).toEqual({ uplinkBps: bps });
    const rated = AssistedCall.of([
      textOf(...media),
      textOf("b=TIAS:96000", "a=maxprate:1", ...media),
    ]);
    expect(rated.of("a").ceilings).toEqual({ uplinkBps: 96_384 });
  });
});

describe("whose link it is, and when there is one", () => {
  it("[M13] nothing before the answer, for strangers, and where a description cannot be read", () => {
    const call = new AssistedCall().peers("a", "b");
    const [offer, answer] = pairOf("chromium.max-bundle");
    accepted(call.send("a", { type: "offer", to: "b", sdp: offer }));
    expect(call.seen("a")).toBeUndefined();
    accepted(call.send("b", { type: "answer", to: "a", exchange: 1, sdp: answer }));
    expect(call.seen("a")).toMatchObject({ session: "s", link: "a~b", ue: "a", other: "b" });
    expect(assistedLink(call.session, call.link("a", "b"), "c")).toBeUndefined();
    const broken = AssistedCall.of([offer, answer.replaceAll("a=mid:1", "a=mid:0")]);
    expect(broken.seen("a")).toBeUndefined();
  });

  it("[M13] an offer that is open changes nothing yet", () => {
    const call = AssistedCall.of(pairOf("chromium.add-remove-track.3-remove-video"));
    const before = call.of("a");
    call.at += 10;
    const [offer] = pairOf("chromium.two-video-tracks");
    accepted(call.send("a", { type: "offer", to: "b", sdp: offer }));
    expect(call.of("a")).toEqual(before);
  });

  it("[M13] nothing is left when a peer left, or all is rejected", () => {
    const call = AssistedCall.of(pairOf("chromium.max-bundle"));
    const link = call.link("a", "b");
    accepted(call.send("b", { type: "leave" }));
    const after = call.session.links.get(link.id);
    expect(after && assistedLink(call.session, after, "a")).toBeUndefined();
    const none = AssistedCall.of([
      textOf(AUDIO, "a=mid:0"),
      textOf(AUDIO.replace(" 9 ", " 0 "), "a=mid:0"),
    ]);
    expect(none.seen("a")).toBeUndefined();
  });

  it("[M13] a media server is no UE, nor is who stands for others", () => {
    const pair = pairOf("chromium-to-janus.videoroom-publish");
    const served = new AssistedCall().peers("a").serve("b").exchange("a", "b", pair);
    expect(served.of("a")).toMatchObject({ isBetweenUes: false, other: "b" });
    const gateway = new AssistedCall().peers("a").grantee("b", { gateway: true });
    gateway.exchange("a", "b", pair);
    expect(gateway.of("a").isBetweenUes).toBe(false);
    expect(AssistedCall.of(pair).of("a").isBetweenUes).toBe(true);
  });

  it("[M13] what somebody holds, or a re-offer switches off, stops running and stays", () => {
    const call = AssistedCall.of(pairOf("chromium.hold-resume.1-initial"));
    expect(call.section("a", "0")).toMatchObject({ status: "ENABLED" });
    accepted(call.send("b", { type: "flow", flow: "a~b:1.1:a", held: true }));
    expect(call.section("a", "1")).toMatchObject({
      status: "ENABLED-DOWNLINK",
      uplink: { isRunning: false },
      downlink: { isRunning: true },
    });
    call.exchange("a", "b", pairOf("chromium.hold-resume.3-hold-inactive"));
    for (const mid of ["0", "1"]) {
      expect(call.section("b", mid)).toMatchObject({
        status: "DISABLED",
        uplink: { isRunning: false },
        downlink: { isRunning: false },
      });
    }
  });

  it("[M13] one transport per BUNDLE group of the answer", () => {
    const media = [AUDIO, "a=mid:0", ...VIDEO, "a=mid:1", DATA, "a=mid:2"];
    const call = AssistedCall.of([
      textOf("a=group:BUNDLE 0 1 2", ...media),
      textOf("a=group:BUNDLE 1 2", ...media),
    ]);
    const mids = call.of("b").transports.map(({ sections }) => sections.map(({ mid }) => mid));
    expect(mids.toSorted()).toEqual([["0"], ["1", "2"]]);
    expect(call.of("b", { seen: "192.0.2.1" }).seen).toBe("192.0.2.1");
  });
});
