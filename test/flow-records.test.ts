import { describe, expect, it } from "vitest";
import type { Flow } from "../protocol/flow.ts";
import { Negotiation, PAIRS, sectionFlows, textOf } from "./link-negotiation.ts";

const PROFILE = "UDP/TLS/RTP/SAVPF";
const AUDIO = [`m=audio 9 ${PROFILE} 111`, "a=rtpmap:111 opus/48000/2"];
const VIDEO = [`m=video 9 ${PROFILE} 96`, "a=rtpmap:96 VP8/90000"];
const DATA = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel"];

/** The flow of the offerer and the one of the answerer after an exchange of one section. */
function bothWays(
  media: readonly string[],
  offered: readonly string[] = [],
  answered: readonly string[] = [],
): readonly [forward: Flow, backward: Flow] {
  const link = sectionFlows(media, offered, answered);
  return [link.flow("0.1:a"), link.flow("0.1:b")];
}

/** An exchange of whole descriptions. */
function exchanged(offer: string[], answer: string[]): Negotiation {
  const link = new Negotiation();
  link.exchange(textOf(...offer), textOf(...answer));
  return link;
}

const codecsIn = ({ codecs }: Flow): string[] => codecs.map(({ pt, name }) => `${pt} ${name}`);

describe("what a codec is for", () => {
  it.each([
    ["rtx", "rtx"],
    ["RED", "red"],
    ["ulpfec", "fec"],
    ["flexfec", "fec"],
    ["flexfec-03", "fec"],
    ["parityfec", "fec"],
    ["1d-interleaved-parityfec", "fec"],
    ["raptorfec", "fec"],
    ["x-ulpfecuc", "fec"],
    ["CN", "cn"],
    ["telephone-event", "dtmf"],
    ["tone", "dtmf"],
    ["X-VP8", "primary"],
  ])("[F3] %s is %s", (name, role) => {
    const media = [
      ...[`m=video 9 ${PROFILE} 96 99`, "a=rtpmap:96 VP8/90000", `a=rtpmap:99 ${name}/1`],
      "a=fmtp:99 apt=96",
    ];
    const [{ codecs }] = bothWays(media);
    expect(codecs.map((codec) => codec.role)).toEqual(["primary", role]);
  });

  it("[F3] comfort noise needs no rtpmap", () => {
    const [{ codecs }] = bothWays(["m=audio 9 RTP/SAVPF 0 13"]);
    expect(codecs.map(({ name, role }) => `${name} ${role}`)).toEqual(["PCMU primary", "CN cn"]);
  });
});

describe("codecs that are the same", () => {
  /** Payload types 96 of the offerer and 97 of the answerer, both of this name. */
  const areSame = (name: string, offered: string, answered: string): boolean => {
    const own = (pt: number, fmtp: string): string[] => [
      `m=video 9 ${PROFILE} 120 ${pt}`,
      "a=mid:0",
      "a=rtpmap:120 VP8/90000",
      `a=rtpmap:${pt} ${name}/90000`,
      ...(fmtp === "" ? [] : [`a=fmtp:${pt} ${fmtp}`]),
    ];
    const link = exchanged(own(96, offered), own(97, answered));
    const [forward, backward] = [link.flow("0.1:a"), link.flow("0.1:b")].map(codecsIn);
    expect(forward?.length).toBe(backward?.length);
    return forward?.length === 2;
  };
  const h264 = (profileLevelId: string, mode = "1"): string =>
    `level-asymmetry-allowed=1;packetization-mode=${mode};profile-level-id=${profileLevelId}`;

  it.each([
    ["H264", h264("42e01f"), h264("42e034"), "another level"],
    ["h264", h264("42e01f"), h264("42C00A"), "bits that do not count"],
    ["H264", h264("42e01f"), h264("4d801f"), "constrained baseline, as main spells it"],
    ["H264", h264("42e01f"), h264("58c01f"), "constrained baseline, as extended spells it"],
    ["H264", h264("42001f"), h264("58801f"), "baseline, as extended spells it"],
    ["H264", h264("4d001f"), h264("4d401f"), "main"],
    ["H264", h264("58001f"), h264("583001"), "extended"],
    ["H264", h264("64001f"), h264("640032"), "high"],
    ["H264", "profile-level-id=42e01f", "packetization-mode=0; Profile-Level-Id=42E01F", "mode 0"],
    ["H264", h264("42e01f"), "packetization-mode=1", "no profile, read as Chromium does"],
    ["H264", h264("42001f"), "packetization-mode=1", "no profile, read as RFC 6184 does"],
    ["H264", h264("zz"), h264("ZZ"), "the same nonsense"],
    ["VP9", "", "profile-id=0", "profile 0"],
    ["VP9", "profile-id=2", "profile-id=2", "profile 2"],
    ["AV1", "", "level-idx=5;profile=0;tier=0", "main profile"],
    ["AV1", "level-idx=5;profile=0", "level-idx=8;profile=0;tier=1", "another level"],
    ["H265", "", "profile-id=1;tier-flag=0;tx-mode=SRST;level-id=93", "main profile"],
    ["H265", "level-id=93;tx-mode=srst", "level-id=120", "another level"],
    ["VP8", "max-fs=12288;max-fr=60", "max-fs=1200", "limits"],
    ["H263-2000", "profile=0;level=10", "profile=3", "a codec with no rule here"],
  ])("[F3] %s with `%s` and `%s` is one codec: %s", (name, offered, answered) => {
    expect(areSame(name, offered, answered)).toBe(true);
  });

  it.each([
    ["H264", h264("42e01f"), h264("42e01f", "0"), "packetization"],
    ["H264", h264("42e01f"), "profile-level-id=42e01f", "packetization, one said nothing of"],
    ["H264", h264("42e01f"), h264("42001f"), "constrained baseline and baseline"],
    ["H264", h264("4d001f"), h264("64001f"), "main and high"],
    ["H264", h264("64001f"), h264("640c1f"), "high and constrained high"],
    ["H264", h264("4d001f"), "packetization-mode=1", "main and nothing said"],
    ["H264", h264("42e01f"), h264("42e0"), "nonsense"],
    ["VP9", "profile-id=2", "", "profile 2 and nothing said"],
    ["VP9", "profile-id=2", "profile-id=1", "profiles"],
    ["AV1", "profile=1", "level-idx=5", "high profile and nothing said"],
    ["H265", "profile-id=2", "", "main 10 and nothing said"],
    ["H265", "tier-flag=1", "tier-flag=0", "tiers"],
    ["H265", "tx-mode=MRST", "", "transmission"],
    ["H265", "profile-space=1", "", "profile spaces"],
  ])("[F3] %s with `%s` and `%s` are two codecs: %s", (name, offered, answered) => {
    expect(areSame(name, offered, answered)).toBe(false);
  });

  it("[F3] a section with no codec of one configuration in common gives no flow", () => {
    const media = [`m=video 9 ${PROFILE} 96`, "a=rtpmap:96 H264/90000"];
    const fmtp = (profile: string): string[] => [`a=fmtp:96 ${h264(profile)}`];
    const link = sectionFlows(media, fmtp("42e01f"), fmtp("64001f"));
    expect(link.ended).toEqual(["0.1:a ended not-accepted", "0.1:b ended not-accepted"]);
  });

  const RTX = [
    `m=video 9 ${PROFILE} 96 97 98 99`,
    "a=mid:0",
    "a=rtpmap:96 VP8/90000",
    "a=rtpmap:97 rtx/90000",
    "a=rtpmap:98 H264/90000",
    "a=rtpmap:99 rtx/90000",
  ];

  it("[F3] rtx is agreed where the sender repairs the same format", () => {
    const link = exchanged(
      [...RTX, "a=fmtp:97 apt=96", `a=fmtp:98 ${h264("42e01f")}`, "a=fmtp:99 apt=98"],
      [...RTX, "a=fmtp:97 apt=96", `a=fmtp:98 ${h264("64001f")}`, "a=fmtp:99 apt=98"],
    );
    expect(codecsIn(link.flow("0.1:a"))).toEqual(["96 VP8", "97 rtx"]);
    const half = exchanged(
      [...RTX, "a=fmtp:97 apt=96", "a=fmtp:99 rtx-time=3000;apt=98"],
      [...RTX.slice(0, 5), "a=rtpmap:99 red/90000", "a=fmtp:97 apt=96"],
    );
    expect(codecsIn(half.flow("0.1:b"))).toEqual(["96 VP8", "97 rtx", "98 H264"]);
    expect(codecsIn(half.flow("0.1:a"))).toEqual(["96 VP8", "97 rtx", "98 H264"]);
  });

  it("[F3] rtx for nothing, for rtx, or without a word for what, is agreed by nobody", () => {
    const same = [...RTX, "a=fmtp:97 apt=99", "a=fmtp:99 apt=77"];
    expect(codecsIn(exchanged(same, same).flow("0.1:a"))).toEqual(["96 VP8", "98 H264"]);
    const bare = exchanged([...RTX, "a=fmtp:97 apt=096"], [...RTX, "a=fmtp:97 apt=96"]);
    expect(codecsIn(bare.flow("0.1:a"))).toEqual(["96 VP8", "97 rtx", "98 H264"]);
  });

  it("[F3] every flow of the corpus still has a codec that carries media", () => {
    for (const [name, offer, answer] of PAIRS) {
      const link = new Negotiation();
      const media = link.exchange(offer, answer).flows.filter(({ kind }) => kind !== "data");
      for (const { state, id, codecs } of media.filter((flow) => flow.state !== "ended")) {
        const isCarried = codecs.some(({ role }) => role === "primary");
        expect(isCarried, `${name} ${id} ${state}`).toBe(true);
      }
    }
  });
});

describe("what descriptions say of a flow", () => {
  it("[F3] the profile is that of the answer, of a proposal that of the offer", () => {
    const link = new Negotiation();
    link.offer(textOf("m=audio 9 RTP/SAVPF 0", "a=mid:0", ...DATA, "a=mid:1"));
    expect(link.flow("0.1:a").profile).toBe("RTP/SAVPF");
    expect(link.flow("1.1:b").profile).toBe("UDP/DTLS/SCTP");
    link.answer(
      textOf("m=audio 9 RTP/SAVPF 0", "a=mid:0", ...DATA, "a=mid:1"),
      textOf("m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", ...DATA, "a=mid:1"),
    );
    expect(link.flow("0.1:a").profile).toBe(PROFILE);
    expect(link.flow("1.1:b").profile).toBe("UDP/DTLS/SCTP");
  });

  it("[F3] content is the first that the sender names, and stays while it says nothing", () => {
    const [slides, none] = bothWays(VIDEO, ["a=content:slides,main"], ["a=content: "]);
    expect(slides.content).toBe("slides");
    expect(none).not.toHaveProperty("content");
    const link = new Negotiation();
    const media = textOf(...VIDEO, "a=mid:0");
    link.offer(textOf(...VIDEO, "a=mid:0", "a=content:speaker"));
    expect(link.flow("0.1:a").content).toBe("speaker");
    link.answer(textOf(...VIDEO, "a=mid:0", "a=content:speaker"), media);
    link.exchange(media, media);
    expect(link.flow("0.1:a").content).toBe("speaker");
    link.exchange(textOf(...VIDEO, "a=mid:0", "a=content:alt"), media);
    expect(link.flow("0.1:a").content).toBe("alt");
  });

  it("[F3] a source names what it takes the place of, and the flow keeps its id", () => {
    const link = new Negotiation();
    const media = [...VIDEO, "a=mid:0"];
    const offerOf = (...lines: string[]): string => textOf(...media, ...lines);
    link.exchange(offerOf("a=ssrc:1 cname:c"), textOf(...media));
    expect(link.flow("0.1:a").sources).toEqual([{ ssrc: 1 }]);
    link.exchange(
      offerOf("a=ssrc:2 cname:c", "a=ssrc:2 previous-ssrc:1 77 no", "a=ssrc:2 previous-ssrc:5"),
      textOf(...media),
    );
    expect(link.flow("0.1:a").sources).toEqual([{ ssrc: 2, previous: [1, 77, 5] }]);
    expect(link.live).toHaveLength(2);
  });

  it("[F3] repair streams come by FID, FEC-FR and the older FEC", () => {
    const ssrcs = [1, 2, 3, 4, 5, 6].map((ssrc) => `a=ssrc:${ssrc} cname:c`);
    const groups = ["FID 1 2", "FEC-FR 1 3", "fec 4 5", "SIM 1 4", "FID 6"];
    const lines = groups.map((group) => `a=ssrc-group:${group}`);
    const [{ sources }] = bothWays(VIDEO, [...ssrcs, ...lines]);
    expect(sources).toEqual([{ ssrc: 1, rtx: 2, fec: 3 }, { ssrc: 4, fec: 5 }, { ssrc: 6 }]);
  });

  it("[F3] a receiver's restriction of a layer cannot widen the sender's", () => {
    const link = sectionFlows(
      VIDEO,
      ["a=rid:h send max-br=500000;max-width=640;depend=l", "a=simulcast:send h"],
      ["a=rid:h recv max-br=900000;max-width=320;depend=m;max-fps=30", "a=simulcast:recv h"],
    );
    expect(link.flow("0.1:a").layers).toEqual([
      {
        rid: "h",
        order: 0,
        limits: { "max-br": "500000", "max-width": "320", depend: "m", "max-fps": "30" },
      },
    ]);
  });

  it("[F3] a CNAME has at most 255 octets, and a data flow has none", () => {
    const long = "ä".repeat(128);
    const data = [...DATA, "a=mid:1"];
    const link = exchanged(
      [...AUDIO, "a=mid:0", `a=ssrc:1 cname:${long}`, "a=ssrc:2 cname:c", ...data],
      [...AUDIO, "a=mid:0", ...data],
    );
    expect(link.flow("0.1:a").cname).toBe("c");
    expect(link.flow("0.1:b")).not.toHaveProperty("cname");
    expect(link.flow("1.1:a")).not.toHaveProperty("cname");
  });
});

describe("RTCP", () => {
  it("[F3] multiplexed and reduced size where both say so", () => {
    const said = ["a=rtcp-mux", "a=rtcp-rsize"];
    const [flow] = bothWays(AUDIO, said, said);
    expect(flow.rtcp).toEqual({ mux: true, rsize: true });
    expect(bothWays(AUDIO, said)[0].rtcp).toEqual({ mux: false, rsize: false });
    expect(bothWays(DATA, said, said)[0]).not.toHaveProperty("rtcp");
  });

  it("[F3] RS binds who sends, RR who reports: each by the end that gets the packets", () => {
    const [forward, backward] = bothWays(AUDIO, ["b=RS:100", "b=RR:200", "b=RR:250"], ["b=RS:300"]);
    expect(forward.rtcp).toMatchObject({ rs: 300, rr: 250 });
    expect(backward.rtcp).toMatchObject({ rs: 100 });
    expect(backward.rtcp).not.toHaveProperty("rr");
  });

  it("[F3] what the session part says of bandwidth and reports holds for every section", () => {
    const link = exchanged(
      ["b=RS:400", "b=RR:600", "a=rtcp-xr:rcvr-rtt=all:10 voip-metrics", ...AUDIO, "a=mid:0"],
      [...AUDIO, "a=mid:0", "b=RR:0", "a=rtcp-xr:voip-metrics stat-summary=loss rcvr-rtt=all"],
    );
    expect(link.flow("0.1:a").rtcp).toMatchObject({ rr: 600, xr: ["voip-metrics", "rcvr-rtt"] });
    expect(link.flow("0.1:b").rtcp).toMatchObject({
      rs: 400,
      rr: 0,
      xr: ["rcvr-rtt", "voip-metrics"],
    });
  });

  it("[F3] a section's own list of reports replaces the session's, also when it is empty", () => {
    const listed = ["a=rtcp-xr:rcvr-rtt=all", ...AUDIO, "a=mid:0"];
    const link = exchanged([...listed, "a=rtcp-xr:"], listed);
    expect(link.flow("0.1:a").rtcp).not.toHaveProperty("xr");
  });

  it("[F3] the least interval is the receiver's, where both have one", () => {
    const trrInt = (offered: string[], answered: string[]) =>
      bothWays(VIDEO, offered, answered).map(({ rtcp }) => rtcp?.trrInt);
    expect(trrInt(["a=rtcp-fb:* trr-int 100"], ["a=rtcp-fb:96 TRR-INT 250"])).toEqual([250, 100]);
    expect(trrInt(["a=rtcp-fb:* trr-int 100"], [])).toEqual([undefined, undefined]);
    expect(trrInt([], ["a=rtcp-fb:* trr-int 100"])).toEqual([undefined, undefined]);
    expect(trrInt(["a=rtcp-fb:97 trr-int 1"], ["a=rtcp-fb:* trr-int x"])).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe("loss and congestion", () => {
  const feedbackOf = (...types: string[]): string[] => types.map((type) => `a=rtcp-fb:* ${type}`);

  it.each([
    [["ack ccfb", "transport-cc", "goog-remb"], "ccfb"],
    [["goog-remb", "Transport-CC"], "transport-cc"],
    [["nack", "goog-remb"], "remb"],
    [["nack"], "none"],
  ])("[F3] rate control on %s is %s", (types, congestion) => {
    const lines = feedbackOf(...types);
    expect(bothWays(VIDEO, lines, lines)[0].congestion).toBe(congestion);
    expect(bothWays(VIDEO, lines)[0].congestion).toBe("none");
  });

  it("[F3] repair is what both ends can", () => {
    const media = [
      `m=video 9 ${PROFILE} 96 97 98 99 100`,
      "a=rtpmap:96 VP8/90000",
      "a=rtpmap:97 rtx/90000",
      "a=fmtp:97 apt=96",
      "a=rtpmap:98 red/90000",
      "a=rtpmap:99 ulpfec/90000",
      "a=rtpmap:100 flexfec-03/90000",
    ];
    const all = { rtx: true, red: true, ulpfec: true, flexfec: true, inbandFec: false };
    const lines = feedbackOf("nack", "nack pli");
    expect(bothWays(media, lines, lines)[0].repair).toEqual({ nack: true, ...all });
    const withoutNack = bothWays(media, lines, feedbackOf("nack pli"))[0];
    expect(withoutNack.repair).toEqual({ nack: false, ...all });
    expect(bothWays(VIDEO)[0].repair).toEqual({
      ...{ nack: false, rtx: false, red: false, ulpfec: false, flexfec: false, inbandFec: false },
    });
    expect(bothWays(DATA)[0]).not.toHaveProperty("repair");
    expect(bothWays(DATA)[0]).not.toHaveProperty("congestion");
  });

  it("[F3] in-band repair is what the receiver asks of a codec", () => {
    const fmtp = ["a=fmtp:111 minptime=10;useinbandfec=1"];
    const [forward, backward] = bothWays(AUDIO, fmtp, ["a=fmtp:111 useinbandfec=0"]);
    expect(forward.repair?.inbandFec).toBe(false);
    expect(backward.repair?.inbandFec).toBe(true);
  });

  it("[F3] flexfec by its registered name, and feedback only for the format that it is", () => {
    const h264 = (mode: number): string => `packetization-mode=${mode};profile-level-id=42e01f`;
    const media = [
      `m=video 9 ${PROFILE} 96 97 98`,
      "a=rtpmap:96 H264/90000",
      "a=rtpmap:97 H264/90000",
      "a=rtpmap:98 flexfec/90000",
    ];
    const [flow] = bothWays(
      media,
      [`a=fmtp:96 ${h264(1)}`, `a=fmtp:97 ${h264(0)}`, "a=rtcp-fb:97 nack", "a=rtcp-fb:96 ccm fir"],
      [`a=fmtp:96 ${h264(1)}`, "a=fmtp:97 profile-level-id=64001f", "a=rtcp-fb:96 nack"],
    );
    expect(codecsIn(flow)).toEqual(["96 H264", "98 flexfec"]);
    expect(flow.feedback).toEqual([]);
    expect(flow.repair).toMatchObject({ flexfec: true, nack: false });
  });
});

describe("header extensions", () => {
  const ENCRYPT = "urn:ietf:params:rtp-hdrext:encrypt";

  it("[F3] an encrypted one has the URI of what it encrypts (RFC 6904)", () => {
    const [{ headerExtensions }] = bothWays(
      AUDIO,
      [
        `a=extmap:3 ${ENCRYPT} urn:level 00:11`,
        "a=extmap:4 urn:level",
        `a=extmap:5 ${ENCRYPT}`,
        `a=extmap:6 ${ENCRYPT} urn:one`,
        "a=extmap:7 urn:plain",
      ],
      [
        `a=extmap:3/sendrecv ${ENCRYPT} urn:level`,
        "a=extmap:4 urn:level",
        `a=extmap:5 ${ENCRYPT}`,
        `a=extmap:6 ${ENCRYPT} urn:other`,
        `a=extmap:7 ${ENCRYPT} urn:plain`,
      ],
    );
    expect(headerExtensions).toEqual([
      { id: 3, uri: "urn:level", direction: "sendrecv", encrypted: true },
      { id: 4, uri: "urn:level" },
      { id: 5, uri: ENCRYPT },
    ]);
  });

  it("[F3] with cryptex on both sides all are encrypted (RFC 9335)", () => {
    const extMap = "a=extmap:1 urn:x";
    const link = exchanged(
      ["a=cryptex", ...AUDIO, "a=mid:0", extMap, ...VIDEO, "a=mid:1", extMap],
      [...AUDIO, "a=mid:0", extMap, "a=cryptex", ...VIDEO, "a=mid:1", extMap],
    );
    const encrypted = [{ id: 1, uri: "urn:x", encrypted: true }];
    expect(link.flow("0.1:a").headerExtensions).toEqual(encrypted);
    expect(link.flow("0.1:b").headerExtensions).toEqual(encrypted);
    expect(link.flow("1.1:a").headerExtensions).toEqual([{ id: 1, uri: "urn:x" }]);
  });

  it("[F3] ids are those that a packet can carry, each once; parameters do not matter", () => {
    const ids = [0, 1, 1, 255, 256, 4096];
    const [{ headerExtensions }] = bothWays(
      AUDIO,
      ids.map((id, index) => `a=extmap:${id} urn:${index}`),
      ids.map((id, index) => `a=extmap:${id} urn:${index} vad=on`),
    );
    expect(headerExtensions).toEqual([
      { id: 1, uri: "urn:1" },
      { id: 255, uri: "urn:3" },
    ]);
  });

  it("[S8] what the session part maps is compared once, and no flow repeats very much of it", () => {
    const long = "x".repeat(99);
    const maps = Array.from({ length: 2000 }, (_, n) => `a=extmap:${n + 1} urn:${long}${n}`);
    const sections = Array.from({ length: 256 }, (_, n) => [...AUDIO, `a=mid:${n}`]).flat();
    const { flows } = exchanged([...maps, ...sections], [...maps, ...sections]).flows;
    expect(flows).toHaveLength(512);
    expect(new Set(flows.map(({ headerExtensions }) => headerExtensions)).size).toBe(2);
    const characters = flows[0]!.headerExtensions.map(({ uri }) => uri.length);
    expect(characters.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(4096);
    expect(characters.length).toBeGreaterThan(30);
  });
});

describe("synchronisation", () => {
  const groupsOf = (link: Negotiation, ...ids: string[]) =>
    ids.map((id) => link.flow(id).syncGroup?.replace("a~b:", ""));
  const twice = (first: string[], second: string[], session: string[] = []): string[] => [
    ...session,
    ...[...AUDIO, "a=mid:0", ...first],
    ...[...VIDEO, "a=mid:1", ...second],
  ];

  it("[F2] flows of one CNAME are one group, which tells neither CNAME nor SSRC", () => {
    const link = exchanged(
      twice(["a=ssrc:4711 cname:me", "a=msid:s"], ["a=ssrc:4712 cname:me", "a=msid:t"]),
      twice(["a=ssrc:1 cname:one"], ["a=ssrc:2 cname:two"]),
    );
    const groups = groupsOf(link, "0.1:a", "1.1:a", "0.1:b", "1.1:b");
    expect(groups).toEqual(["s.1:a", "s.1:a", "s.1:b", "s.2:b"]);
  });

  it("[F3] a section without sources is in the group of the sender's others", () => {
    const link = exchanged(
      twice(["a=ssrc:1 cname:me"], ["a=msid:t"]),
      twice(["a=msid:s a"], ["a=msid:s v"]),
    );
    expect(groupsOf(link, "0.1:a", "1.1:a", "0.1:b", "1.1:b")).toEqual([
      ...["s.1:a", "s.1:a", "s.1:b", "s.1:b"],
    ]);
  });

  it("[F3] without a CNAME the first stream counts, without a stream the LS group", () => {
    const link = exchanged(
      twice(["a=msid:s a"], ["a=msid:- v"], ["a=group:LS 0 1"]),
      twice(["a=msid:- a"], [], ["a=group:LS 9 0 1", "a=group:BUNDLE 0 1"]),
    );
    expect(groupsOf(link, "0.1:a", "1.1:a", "0.1:b", "1.1:b")).toEqual([
      ...["s.1:a", "s.1:a", "s.1:b", "s.1:b"],
    ]);
    const alone = exchanged(
      twice(["a=msid:s a"], ["a=msid:t v"], ["a=group:LS 0 1"]),
      twice(["a=msid:- a"], []),
    );
    expect(groupsOf(alone, "0.1:a", "1.1:a", "0.1:b", "1.1:b")).toEqual([
      ...["s.1:a", "s.2:a", undefined, undefined],
    ]);
  });

  it("[F3] data flows and names too long to keep are in no group", () => {
    const offer = [...twice([`a=msid:${"x".repeat(300)}`], []), ...DATA, "a=mid:2"];
    const link = exchanged([...offer, "a=ssrc:1 cname:c"], [...twice([], []), ...DATA, "a=mid:2"]);
    expect(groupsOf(link, "0.1:b", "2.1:a", "2.1:b")).toEqual([undefined, undefined, undefined]);
    const long = exchanged(offer, [...twice([], []), ...DATA, "a=mid:2"]);
    expect(groupsOf(long, "0.1:a", "1.1:a")).toEqual([undefined, undefined]);
  });

  it("[F3] a proposed flow of the offerer is in its group already, and stays in it", () => {
    const link = new Negotiation();
    const offer = textOf(...twice(["a=ssrc:1 cname:me"], ["a=ssrc:2 cname:you"]));
    link.offer(offer);
    expect(groupsOf(link, "0.1:a", "1.1:a", "0.1:b")).toEqual(["s.1:a", "s.2:a", undefined]);
    link.answer(offer, textOf(...twice(["a=ssrc:3 cname:b"], [])));
    expect(groupsOf(link, "0.1:a", "1.1:a", "0.1:b")).toEqual(["s.1:a", "s.2:a", "s.1:b"]);
  });

  it("[F4] a group keeps its number while the link lives, and no other context gets it", () => {
    const link = new Negotiation();
    const say = (cname: string, direction = "sendrecv"): string =>
      textOf(...AUDIO, "a=mid:0", `a=ssrc:1 cname:${cname}`, `a=${direction}`);
    const plain = textOf(...AUDIO, "a=mid:0");
    const groupAfter = (offer: string): string | undefined => {
      link.exchange(offer, plain);
      return groupsOf(link, "0.1:a")[0];
    };
    expect(groupAfter(say("one"))).toBe("s.1:a");
    expect(groupAfter(say("two"))).toBe("s.2:a");
    expect(groupAfter(say("one"))).toBe("s.1:a");
    // Held flows keep theirs, whatever the section says of whom.
    expect(groupAfter(say("three", "inactive"))).toBe("s.1:a");
    expect(groupAfter(say("three"))).toBe("s.3:a");
    for (let round = 0; round < 100; round += 1) groupAfter(say(`other ${round}`));
    expect(groupAfter(say("three"))).toBe("s.104:a");
    expect(Object.keys(link.flows.syncGroups?.a?.numbers ?? {})).toHaveLength(65);
  });

  it("[F4] a flow that loses what put it in a group has none", () => {
    const link = exchanged(twice([], [], ["a=group:LS 0 1"]), twice([], []));
    expect(groupsOf(link, "0.1:a", "1.1:a")).toEqual(["s.1:a", "s.1:a"]);
    link.exchange(textOf(...twice([], [])), textOf(...twice([], [])));
    expect(groupsOf(link, "0.1:a", "1.1:a")).toEqual([undefined, undefined]);
  });
});

describe("many sections", () => {
  it("[D4] the lines of the session part are read once, however many sections repeat them", () => {
    const reports = Array.from({ length: 3000 }, (_, n) => `a=rtcp-xr:x${n} ${"y".repeat(40)}`);
    const sections = Array.from({ length: 256 }, (_, n) => [...AUDIO, `a=mid:${n}`]).flat();
    const cname = [...VIDEO, "a=mid:last", "a=ssrc:1 cname:c"];
    const sdp = [...reports, ...sections.slice(0, -AUDIO.length - 1), ...cname];
    const { flows } = exchanged(sdp, sdp).flows;
    expect(flows).toHaveLength(512);
    for (const { cname: said, rtcp, syncGroup, from } of flows) {
      expect(said).toBe("c");
      expect(syncGroup).toBe(`a~b:s.1:${from}`);
      expect(rtcp?.xr).toHaveLength(32);
    }
  });

  it("[F1] each of 256 sections finds its own flows again", () => {
    const link = new Negotiation();
    const sections = Array.from({ length: 256 }, (_, n) => [...AUDIO, `a=mid:${n}`]).flat();
    const sdp = textOf(...sections);
    link.exchange(sdp, sdp);
    const { flows } = link.flows;
    link.exchange(sdp, sdp);
    expect(link.flows.flows).toBe(flows);
  });
});
