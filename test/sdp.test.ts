import fc from "fast-check";
import { parse } from "sdp-transform";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../protocol/limits.ts";
import { type Description, readDescription } from "../protocol/sdp/description.ts";
import { isFinding, type SdpFinding } from "../protocol/sdp/finding.ts";
import {
  bandwidthOf,
  extMapOf,
  feedbackOf,
  fingerprintOf,
  formatParametersOf,
  groupOf,
  rtpMapOf,
} from "../protocol/sdp/grammar.ts";
import { utf8Bytes } from "../protocol/sdp/line.ts";
import { pairFindings } from "../protocol/sdp/pair.ts";
import { carriesData, type Section } from "../protocol/sdp/section.ts";
import { CORPUS, recordOf, TEXTS } from "./corpus.ts";

function read(sdp: string): Description {
  const description = readDescription(sdp);
  if (isFinding(description)) throw new Error(`${description.rule}: ${description.message}`);
  return description;
}

function findingOf(sdp: string): SdpFinding {
  const finding = readDescription(sdp);
  if (!isFinding(finding)) throw new Error("it was read");
  return finding;
}

const SESSION = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"];
const textOf = (...lines: string[]): string =>
  [...SESSION, ...lines].map((line) => `${line}\r\n`).join("");

/** The first section of a description with these lines in it. */
const sectionWith = (...lines: string[]): Section =>
  read(textOf("m=video 9 UDP/TLS/RTP/SAVPF 96 97", ...lines)).sections[0]!;

describe("descriptions of real stacks", () => {
  it("[D3] the corpus is complete", () => {
    expect(CORPUS.size).toBe(158);
    expect(TEXTS.length).toBe(315);
  });

  it.each(TEXTS)("[D3] %s is read", (_, sdp) => {
    const description = readDescription(sdp);
    expect(isFinding(description)).toBe(false);
  });

  it.each(TEXTS)("[N9] %s is kept line by line", (_, sdp) => {
    const { lines, session, sections } = read(sdp);
    const kept = lines.map(({ type, value }) => `${type}=${value}`);
    expect(sdp.split("\r\n").slice(0, -1)).toEqual(kept);
    expect(lines.map(({ number }) => number)).toEqual(kept.map((_line, index) => index + 1));
    expect([session, ...sections].flatMap((part) => part.lines)).toEqual(lines);
  });

  it.each(
    [...CORPUS].flatMap(([name, { offer, answer }]) =>
      answer === null ? [] : [[name, offer, answer]],
    ),
  )("[D3] the answer of %s belongs to its offer", (_, offer, answer) => {
    expect(pairFindings(read(offer!), read(answer!))).toEqual([]);
  });
});

type Parsed = ReturnType<typeof parse>["media"][number];

/** What sdp-transform reads well, in our words (sdp-transform-notes.md says what it does not). */
const parsedWords = (media: Parsed) => ({
  kind: media.type,
  port: media.port,
  protocol: media.protocol,
  formats: String(media.payloads).split(" "),
  mid: media.mid === undefined ? undefined : String(media.mid),
  rtpMaps: media.rtp.map(({ payload, codec, rate, encoding }) => ({
    format: String(payload),
    name: codec,
    rate,
    channels: encoding,
  })),
  formatParameters: media.fmtp.map(({ payload, config }) => ({
    format: String(payload),
    parameters: config,
  })),
  feedback: (media.rtcpFb ?? []).map(({ payload, type, subtype }) => ({
    format: String(payload),
    type: subtype ? `${type} ${subtype}` : type,
  })),
  extMaps: (media.ext ?? []).map(({ value, uri }) => ({ id: value, uri })),
  ssrcs: [...new Set((media.ssrcs ?? []).map(({ id }) => id))],
  cnames: (media.ssrcs ?? [])
    .filter(({ attribute }) => attribute === "cname")
    .map(({ value }) => value),
  ssrcGroups: (media.ssrcGroups ?? []).map(({ semantics, ssrcs }) => ({
    semantics,
    ssrcs: ssrcs.split(" ").map(Number),
  })),
  rids: (media.rids ?? []).map(({ id, direction }) => ({ id: String(id), direction })),
  bandwidths: (media.bandwidth ?? []).map(({ type, limit }) => ({
    type: String(type),
    value: limit,
  })),
  ownUfrag: media.iceUfrag === undefined ? undefined : String(media.iceUfrag),
  ownPwd: media.icePwd,
  candidateTypes: (media.candidates ?? []).map(({ type }) => type),
  maxMessageSize: media.maxMessageSize,
});

const lastValue = (section: Section, name: string): string | undefined =>
  section.lines
    .filter(({ type, value }) => type === "a" && value.startsWith(`${name}:`))
    .at(-1)
    ?.value.slice(name.length + 1);

const ourWords = (section: Section): ReturnType<typeof parsedWords> => ({
  kind: section.kind,
  port: section.port,
  protocol: section.protocol,
  formats: [...section.formats],
  mid: section.mid,
  rtpMaps: [...section.rtpMaps],
  formatParameters: [...section.formatParameters],
  feedback: [...section.feedback],
  extMaps: section.extMaps.map(({ id, uri }) => ({ id, uri })),
  ssrcs: section.ssrcs.map(({ ssrc }) => ssrc),
  cnames: section.ssrcs.flatMap(({ cname }) => cname ?? []),
  ssrcGroups: section.ssrcGroups.map(({ semantics, ssrcs }) => ({ semantics, ssrcs: [...ssrcs] })),
  rids: section.rids.map(({ id, direction }) => ({ id, direction })),
  bandwidths: [...section.bandwidths],
  ownUfrag: lastValue(section, "ice-ufrag"),
  ownPwd: lastValue(section, "ice-pwd"),
  candidateTypes: section.candidates.map(({ type }) => type ?? ""),
  maxMessageSize: section.maxMessageSize,
});

it("[D4] attributes without their parts are no attributes", () => {
  for (const nothing of ["", " "]) {
    expect(rtpMapOf(nothing)).toBeUndefined();
    expect(formatParametersOf(nothing)).toBeUndefined();
    expect(feedbackOf(nothing)).toBeUndefined();
    expect(extMapOf(nothing)).toBeUndefined();
    expect(bandwidthOf(nothing)).toBeUndefined();
  }
  expect(rtpMapOf("96")).toBeUndefined();
  expect(feedbackOf("96")).toBeUndefined();
  expect(extMapOf("3")).toBeUndefined();
  expect(extMapOf("3/sideways urn:x")).toBeUndefined();
});

it("[D4] a group without semantics and a fingerprint without digest are no group and no fingerprint", () => {
  expect(groupOf("")).toBeUndefined();
  expect(groupOf("BUNDLE")).toEqual({ semantics: "BUNDLE", mids: [] });
  expect(fingerprintOf("")).toBeUndefined();
  expect(fingerprintOf("sha-256")).toBeUndefined();
});

describe("another reader", () => {
  it.each(TEXTS)("[D3] sdp-transform reads the same in %s", (_, sdp) => {
    const media = parse(sdp).media.map(parsedWords);
    expect(read(sdp).sections.map(ourWords)).toEqual(media);
  });

  it.each(TEXTS)("[D3] sdp-transform sees the same directions and ports in %s", (_, sdp) => {
    const { media, direction } = parse(sdp);
    const { sections } = read(sdp);
    for (const [index, section] of sections.entries()) {
      const parsed = media[index]!;
      const wanted = carriesData(section)
        ? "sendrecv"
        : (parsed.direction ?? direction ?? "sendrecv");
      expect(section.direction).toBe(wanted);
      if (parsed.sctpPort !== undefined) expect(section.sctpPort).toBe(parsed.sctpPort);
      if (parsed.setup !== undefined) expect(section.setup).toBe(parsed.setup);
    }
  });
});

describe("what cannot be read", () => {
  it.each([
    ["version-invalid", 1, ""],
    ["version-invalid", 1, "v=1\r\ns=-\r\n"],
    ["version-invalid", 1, "s=-\r\n"],
    ["line-bad-syntax", 2, "v=0\r\nhello\r\n"],
    ["line-bad-syntax", 2, "v=0\r\nA=mid:0\r\n"],
    ["line-bad-syntax", 2, "v=0\r\n\r\ns=-\r\n"],
    ["line-bad-syntax", 1, "\uFEFFv=0\r\n"],
    ["m-line-invalid", 5, textOf("m=video")],
    ["m-line-invalid", 5, textOf("m=")],
    ["m-line-invalid", 5, textOf("m=video 9")],
    ["m-line-invalid", 5, textOf("m=video x UDP/TLS/RTP/SAVPF 96")],
    ["m-line-invalid", 5, textOf("m=video 65536 UDP/TLS/RTP/SAVPF 96")],
    ["m-line-invalid", 5, textOf("m=vid\u00e9o 9 UDP/TLS/RTP/SAVPF 96")],
    [
      "mid-duplicate",
      8,
      textOf("m=audio 9 RTP/AVP 0", "a=mid:x", "m=audio 9 RTP/AVP 0", "a=mid:x"),
    ],
  ])("[D2] %s is found in line %i", (rule, line, sdp) => {
    expect(findingOf(sdp)).toMatchObject({ rule, level: "error", line });
    expect(findingOf(sdp).source).toMatch(/^RFC \d+ s/);
  });

  it("[D2] findings about a section name it", () => {
    const twice = textOf("m=audio 9 RTP/AVP 0", "a=mid:x", "m=video 9 RTP/AVP 96", "a=mid:x");
    expect(findingOf(twice)).toMatchObject({ mLine: 1, mid: "x" });
    const second = textOf("m=audio 9 RTP/AVP 0", "m=video");
    expect(findingOf(second)).toMatchObject({ mLine: 1, line: 6 });
  });

  it("[D2] half a character cannot be read: it has no UTF-8 form", () => {
    expect(findingOf(textOf("a=x:\ud800")).rule).toBe("line-not-utf8");
    expect(read(textOf("a=x:\ud83d\ude00")).lines.at(-1)?.value).toBe("x:\ud83d\ude00");
  });

  it("[D4] over 512 KiB, counted in UTF-8 bytes, is too large", () => {
    const room = LIMITS.sdpBytes - textOf("a=").length;
    expect(isFinding(readDescription(textOf(`a=${"x".repeat(room)}`)))).toBe(false);
    expect(findingOf(textOf(`a=${"x".repeat(room + 1)}`)).rule).toBe("sdp-too-large");
    expect(isFinding(readDescription(textOf(`a=${"\u20ac".repeat(room / 3)}`)))).toBe(false);
    expect(findingOf(textOf(`a=${"\u20ac".repeat(room / 3 + 1)}`)).rule).toBe("sdp-too-large");
  });

  it("[D4] over 16,000 lines is too large", () => {
    const lines = Array.from({ length: LIMITS.sdpLines - SESSION.length }, () => "a=x");
    expect(read(textOf(...lines)).lines.length).toBe(LIMITS.sdpLines);
    expect(findingOf(textOf(...lines, "a=x")).rule).toBe("sdp-too-large");
  });

  it("[D4] over 256 sections is too large", () => {
    const sections = Array.from({ length: LIMITS.sdpSections }, () => "m=audio 9 RTP/AVP 0");
    expect(read(textOf(...sections)).sections.length).toBe(LIMITS.sdpSections);
    expect(findingOf(textOf(...sections, "m=audio 9 RTP/AVP 0")).rule).toBe("sdp-too-large");
  });

  it("[D4] bytes are those of UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).length);
      }),
    );
  });
});

describe("lines and scopes", () => {
  it("[D3] lines may end with CRLF, LF or CR", () => {
    const { offer } = recordOf("chromium.max-bundle");
    const values = ({ lines }: Description) => lines.map(({ value }) => value);
    for (const end of ["\n", "\r"]) {
      expect(values(read(offer.replaceAll("\r\n", end)))).toEqual(values(read(offer)));
    }
    expect(values(read(offer.trimEnd()))).toEqual(values(read(offer)));
  });

  it("[D3] what the session part says holds for sections that say nothing (E3)", () => {
    const { sections } = read(
      textOf(
        "a=recvonly",
        "a=ice-ufrag:sess",
        "a=ice-pwd:session-password-0000000",
        "a=fingerprint:sha-256 aa:bb",
        "a=setup:active",
        "a=extmap:1 urn:session",
        "a=rtcp-mux",
        "m=audio 9 UDP/TLS/RTP/SAVPF 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 0",
        "a=sendonly",
        "a=ice-ufrag:own0",
        "a=fingerprint:sha-1 cc",
        "a=extmap:2 urn:own",
      ),
    );
    expect(sections[0]).toMatchObject({
      direction: "recvonly",
      iceUfrag: "sess",
      icePwd: "session-password-0000000",
      fingerprints: [{ hash: "sha-256", value: "AA:BB" }],
      setup: "active",
      extMaps: [{ id: 1, uri: "urn:session" }],
      rtcpMux: false,
    });
    expect(sections[1]).toMatchObject({
      direction: "sendonly",
      iceUfrag: "own0",
      icePwd: "session-password-0000000",
      fingerprints: [{ hash: "sha-1", value: "CC" }],
      extMaps: [{ id: 2, uri: "urn:own" }],
    });
  });

  it("[D3] bundled sections take transport attributes from the tagged one (E4)", () => {
    const { sections, bundles } = read(
      textOf(
        "a=group:LS 0 2",
        "a=group:BUNDLE 1 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 0",
        "a=mid:0",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:1",
        "a=ice-ufrag:tag0",
        "a=ice-pwd:tagged-password-0000000",
        "a=fingerprint:sha-256 AA",
        "a=fingerprint:sha-1 BB",
        "a=setup:passive",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:2",
      ),
    );
    expect(bundles).toEqual([["1", "0"]]);
    expect(sections[0]).toMatchObject({
      iceUfrag: "tag0",
      icePwd: "tagged-password-0000000",
      fingerprints: [
        { hash: "sha-256", value: "AA" },
        { hash: "sha-1", value: "BB" },
      ],
      setup: "passive",
      rtcpMux: true,
      rtcpRsize: true,
    });
    expect(sections[2]).toMatchObject({ iceUfrag: undefined, rtcpMux: false, fingerprints: [] });
  });

  it("[D3] a group may name mids that no section has, or none", () => {
    const sdp = textOf("a=group:BUNDLE", "a=group:BUNDLE 9 0", "m=audio 9 RTP/AVP 0", "a=mid:0");
    expect(read(sdp).bundles).toEqual([[], ["9", "0"]]);
    expect(read(sdp).sections[0]?.iceUfrag).toBeUndefined();
  });

  it("[D3] port 0 rejects a section, unless it waits to be bundled (E5)", () => {
    const { sections } = read(
      textOf(
        "m=audio 0 RTP/AVP 0",
        "m=audio 0 RTP/AVP 0",
        "a=bundle-only",
        "m=audio 49170/2 RTP/AVP 0",
      ),
    );
    expect(sections.map(({ rejected }) => rejected)).toEqual([true, false, false]);
    expect(sections.map(({ port }) => port)).toEqual([0, 0, 49_170]);
    expect(sections.map(({ line }) => line)).toEqual([5, 6, 8]);
  });

  it("[D3] a direction says nothing about SCTP (E6)", () => {
    const { sections } = read(
      textOf("a=inactive", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=recvonly"),
    );
    expect(sections[0]?.direction).toBe("sendrecv");
  });

  it("[D3] where one value is allowed the last one counts", () => {
    expect(sectionWith("a=sendrecv", "a=inactive", "a=recvonly").direction).toBe("recvonly");
    expect(sectionWith("a=mid:0", "a=mid:1").mid).toBe("1");
    expect(sectionWith("a=setup:active", "a=setup:passive").setup).toBe("passive");
  });

  it("[D3] an empty mid is none", () => {
    expect(sectionWith("a=mid:").mid).toBeUndefined();
  });
});

describe("attributes that other readers lose", () => {
  it("[D3] strings stay strings", () => {
    expect(sectionWith("a=mid:0", "a=ice-ufrag:1234", "a=rid:1 send")).toMatchObject({
      mid: "0",
      iceUfrag: "1234",
      rids: [{ id: "1" }],
      formats: ["96", "97"],
    });
    expect(sectionWith("a=mid:Infinity").mid).toBe("Infinity");
  });

  it("[D3] rtcp-mux-only is no rtcp-mux", () => {
    expect(sectionWith("a=rtcp-mux-only").rtcpMux).toBe(false);
    expect(sectionWith("a=rtcp-mux-only", "a=rtcp-mux").rtcpMux).toBe(true);
    expect(sectionWith("a=rtcp-muxed").rtcpMux).toBe(false);
  });

  it("[D3] all fingerprints are kept", () => {
    const { fingerprints } = sectionWith("a=fingerprint:SHA-256 ab:cd", "a=fingerprint:sha-1 ef");
    expect(fingerprints).toEqual([
      { hash: "sha-256", value: "AB:CD" },
      { hash: "sha-1", value: "EF" },
    ]);
  });

  it("[D3] msids keep stream and track", () => {
    const { msids } = sectionWith("a=msid:{a-b} {c}", "a=msid:- t", "a=msid:s", "a=msid:");
    expect(msids).toEqual([
      { stream: "{a-b}", track: "{c}" },
      { stream: "-", track: "t" },
      { stream: "s", track: undefined },
    ]);
  });

  it("[D3] sources keep cname and msid, in the order of their first line", () => {
    const { ssrcs, ssrcGroups } = sectionWith(
      "a=ssrc:5 msid:s t",
      "a=ssrc:3 cname:c:d",
      "a=ssrc:5 cname:e",
      "a=ssrc:3 fmtp",
      "a=ssrc:4294967296 cname:x",
      "a=ssrc:x cname:x",
      "a=ssrc:7",
      "a=ssrc-group:FID 5 3",
      "a=ssrc-group:FID 5 y",
      "a=ssrc-group:",
    );
    expect(ssrcs).toEqual([
      { ssrc: 5, cname: "e", msid: { stream: "s", track: "t" } },
      { ssrc: 3, cname: "c:d", msid: undefined },
    ]);
    expect(ssrcGroups).toEqual([
      { semantics: "FID", ssrcs: [5, 3] },
      { semantics: "FID", ssrcs: [5] },
    ]);
  });

  it("[D3] rids keep their restrictions", () => {
    const { rids } = sectionWith(
      "a=rid:hi-res send pt=97,98;max-width=1280; max-br=600000;x",
      "a=rid:q",
      "a=rid:q both",
    );
    expect(rids.map(({ id, direction }) => [id, direction])).toEqual([["hi-res", "send"]]);
    expect([...rids[0]!.restrictions]).toEqual([
      ["pt", "97,98"],
      ["max-width", "1280"],
      ["max-br", "600000"],
      ["x", ""],
    ]);
  });

  it("[D3] simulcast keeps alternatives and pauses of both directions", () => {
    const stream = (rid: string, paused = false) => ({ rid, paused });
    expect(sectionWith("a=simulcast:send 1,~4;2 recv c").simulcast).toEqual({
      send: [[stream("1"), stream("4", true)], [stream("2")]],
      recv: [[stream("c")]],
    });
    expect(sectionWith("a=simulcast:recv a;;~").simulcast).toEqual({
      send: [],
      recv: [[stream("a")]],
    });
    expect(sectionWith("a=simulcast:foo q").simulcast).toBeUndefined();
    expect(sectionWith("a=simulcast:send").simulcast).toBeUndefined();
  });

  it("[D3] formats, feedback and extensions are read with all their words", () => {
    const section = sectionWith(
      "a=rtpmap:96 VP8/90000",
      "a=rtpmap:97 opus/48000/2",
      "a=rtpmap:98 opus",
      "a=fmtp:97 a=1; b=2",
      "a=fmtp:97",
      "a=rtcp-fb:96 ccm tmmbr smaxpr=120 ",
      "a=rtcp-fb:*",
      "a=extmap:3/recvonly urn:x one two",
      "a=extmap:4 urn:y",
      "a=extmap:5/up urn:z",
      "a=extmap:6",
      "a=extmap:x urn:z",
    );
    expect(section.rtpMaps).toEqual([
      { format: "96", name: "VP8", rate: 90_000, channels: undefined },
      { format: "97", name: "opus", rate: 48_000, channels: 2 },
    ]);
    expect(section.formatParameters).toEqual([{ format: "97", parameters: "a=1; b=2" }]);
    expect(section.feedback).toEqual([{ format: "96", type: "ccm tmmbr smaxpr=120" }]);
    expect(section.extMaps).toEqual([
      { id: 3, direction: "recvonly", uri: "urn:x", attributes: "one two" },
      { id: 4, direction: undefined, uri: "urn:y", attributes: "" },
    ]);
  });

  it("[D3] bandwidths of every type are kept, at both levels", () => {
    const { session, sections } = read(
      textOf("b=CT:2000", "m=audio 9 RTP/AVP 0", "b=TIAS:700000", "b=X-Y:1", "b=AS:foo"),
    );
    expect(session.bandwidths).toEqual([{ type: "CT", value: 2000 }]);
    expect(sections[0]?.bandwidths).toEqual([
      { type: "TIAS", value: 700_000 },
      { type: "X-Y", value: 1 },
    ]);
  });

  it("[D3] candidates keep their text and say their type", () => {
    const line = "1 1 udp 2113937151 192.0.2.2 55421 typ host ufrag a network-cost 999";
    const { candidates, endOfCandidates } = sectionWith(
      `a=candidate:${line}`,
      "a=candidate:foo bar",
      "a=end-of-candidates",
    );
    expect(candidates).toEqual([
      { text: line, type: "host" },
      { text: "foo bar", type: undefined },
    ]);
    expect(endOfCandidates).toBe(true);
  });

  it("[D3] the SCTP port is read in its new and its old form", () => {
    const portOf = (...lines: string[]) => read(textOf(...lines)).sections[0]?.sctpPort;
    const media = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel";
    expect(portOf(media, "a=sctp-port:5000")).toBe(5000);
    expect(portOf(media)).toBeUndefined();
    expect(portOf("m=application 9 DTLS/SCTP 5001")).toBe(5001);
    expect(portOf("m=application 9 DTLS/SCTP")).toBeUndefined();
    expect(portOf("m=audio 9 RTP/AVP 0", "a=sctp-port:5000")).toBeUndefined();
  });

  it("[D3] ice-lite is an attribute of the session", () => {
    expect(read(textOf("a=ice-lite")).session.iceLite).toBe(true);
    expect(read(textOf()).session.iceLite).toBe(false);
  });

  it("[D3] attribute names may be those of object members", () => {
    const section = sectionWith("a=__proto__:x", "a=constructor", "a=mid:__proto__", "a=sendonly");
    expect(section).toMatchObject({ mid: "__proto__", direction: "sendonly" });
  });
});

describe("pairs", () => {
  const audio = ["m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0"];
  const video = ["m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1"];
  const rulesOf = (offer: string[], answer: string[]) =>
    pairFindings(read(textOf(...offer)), read(textOf(...answer)));

  it.each([
    ["m-line-count-mismatch", [...audio, ...video], audio],
    ["m-line-count-mismatch", audio, [...audio, ...video]],
    ["m-line-type-mismatch", [...audio, ...video], [...video, ...audio]],
    ["mid-mismatch", audio, ["m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:7"]],
    ["rejected-line-accepted", ["m=audio 0 UDP/TLS/RTP/SAVPF 0"], audio],
  ])("[D2] %s is found", (rule, offer, answer) => {
    const [finding] = rulesOf(offer, answer);
    expect(finding).toMatchObject({ rule, level: "error", description: "pair" });
    expect(finding?.source).toMatch(/^RFC \d+ s/);
  });

  it("[D2] a finding about a section of a pair points into the answer", () => {
    const answer = [...audio, "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:2"];
    expect(rulesOf([...audio, ...video], answer)).toMatchObject([
      { rule: "mid-mismatch", line: 7, mLine: 1, mid: "2" },
    ]);
    const unnamed = rulesOf(["m=audio 0 UDP/TLS/RTP/SAVPF 0"], ["m=audio 9 UDP/TLS/RTP/SAVPF 0"]);
    expect(unnamed[0]).not.toHaveProperty("mid");
  });

  it.each([
    ["a mid that one side leaves out", audio, ["m=audio 9 UDP/TLS/RTP/SAVPF 0"]],
    ["another mid on a rejected section", audio, ["m=audio 0 UDP/TLS/RTP/SAVPF 0", "a=mid:9"]],
    [
      "a section that both reject",
      ["m=audio 0 UDP/TLS/RTP/SAVPF 0"],
      ["m=audio 0 UDP/TLS/RTP/SAVPF 0"],
    ],
  ])("[D3] %s is no error", (_, offer, answer) => {
    expect(rulesOf(offer, answer)).toEqual([]);
  });
});

describe("any input", () => {
  const outcomeOf = (sdp: string): string => {
    const outcome = readDescription(sdp);
    return isFinding(outcome) ? outcome.level : "read";
  };

  it("[D4] any text gives a description or a finding", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "binary", minLength: 1 }).map((text) => textOf(`m=${text}`)),
      fc.string({ unit: "binary" }).map((text) => textOf("m=video 9 x 96", `a=${text}`)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(["read", "error"]).toContain(outcomeOf(text));
      }),
      { numRuns: 1000 },
    );
  });

  it("[D4] real descriptions with broken lines give a description or a finding", () => {
    const attributes = [
      ...new Set(
        TEXTS.flatMap(([, sdp]) =>
          sdp.split("\r\n").flatMap((line) => /^a=[a-z-]+:/.exec(line)?.[0] ?? []),
        ),
      ),
    ];
    const mutations = fc.tuple(
      fc.constantFrom(...TEXTS.map(([, sdp]) => sdp)),
      fc.array(
        fc.record({
          at: fc.nat(),
          kind: fc.constantFrom("drop", "double", "cut", "replace", "join"),
          text: fc.tuple(
            fc.constantFrom(...attributes, "", "m=", "b=", "c="),
            fc.string({ unit: "binary" }),
          ),
        }),
        { minLength: 1, maxLength: 8 },
      ),
    );
    fc.assert(
      fc.property(mutations, ([sdp, changes]) => {
        const lines = sdp.split("\r\n");
        for (const { at, kind, text } of changes) {
          const index = at % lines.length;
          const line = lines[index] ?? "";
          if (kind === "drop") lines.splice(index, 1);
          else if (kind === "double") lines.splice(index, 0, line);
          else if (kind === "cut") lines[index] = line.slice(0, at % (line.length + 1));
          else if (kind === "replace") lines[index] = text.join("");
          else lines.splice(index, 2, lines.slice(index, index + 2).join(text[1]));
        }
        expect(["read", "error"]).toContain(outcomeOf(lines.join("\r\n")));
      }),
      { numRuns: 2000 },
    );
  });
});

/** Characters and elements that string, array and regular expression functions go over in a call. */
function workOf(call: () => void): number {
  let work = 0;
  const undo: (() => void)[] = [];
  type Cost = (self: unknown, args: unknown[], result: unknown) => number;
  const watch = (owner: object, name: string, costOf: Cost) => {
    const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
    const watched = function (this: unknown, ...args: unknown[]) {
      const result = original.apply(this, args);
      work += costOf(this, args, result);
      return result;
    };
    Reflect.set(owner, name, watched);
    undo.push(() => Reflect.set(owner, name, original));
  };
  const length = (self: unknown): number => (self as { length: number }).length;
  for (const name of ["split", "trim", "trimEnd", "indexOf", "toLowerCase", "toUpperCase"])
    watch(String.prototype, name, length);
  watch(String.prototype, "charCodeAt", () => 1);
  for (const name of ["map", "filter", "flatMap", "find", "findIndex"])
    watch(Array.prototype, name, length);
  for (const owner of [Array.prototype, String.prototype])
    watch(owner, "slice", (_self, _args, part) => length(part));
  // `split` tries its expression, made sticky, at one place at a time.
  for (const name of ["test", "exec"])
    watch(RegExp.prototype, name, (self, [text]) => ((self as RegExp).sticky ? 1 : length(text)));
  watch(Map.prototype, "get", () => 1);
  watch(Set.prototype, "has", () => 1);
  try {
    call();
  } finally {
    for (const each of undo) each();
  }
  return work;
}

describe("cost", () => {
  const times = (count: number, lineOf: (index: number) => string[]): string[] =>
    Array.from({ length: count }, (_, index) => lineOf(index)).flat();
  const media = "m=video 9 UDP/TLS/RTP/SAVPF 96";

  it.each<[string, (n: number) => string[]]>([
    ["sections", (n) => times(n, (index) => [media, `a=mid:${index}`])],
    ["attributes of one section", (n) => [media, ...times(40 * n, () => ["a=rtcp-fb:96 nack"])]],
    ["sources", (n) => [media, ...times(40 * n, (index) => [`a=ssrc:${index} cname:x`])]],
    ["directions", (n) => [media, ...times(40 * n, () => ["a=sendrecv"])]],
    ["groups", (n) => [...times(40 * n, (index) => [`a=group:BUNDLE ${index}`]), media]],
    ["words of a line", (n) => [media, `a=simulcast:send ${"1;".repeat(500 * n)}`]],
    ["blanks of a line", (n) => [media, `a=ssrc:1 ${" ".repeat(500 * n)}x:\u2028`]],
  ])("[D4] twice the %s cost at most twice the work", (_, linesOf) => {
    const costOf = (n: number) => workOf(() => readDescription(textOf(...linesOf(n))));
    const [small, large] = [costOf(100), costOf(200)];
    expect(small).toBeGreaterThan(100);
    expect(large / small).toBeLessThan(2.2);
  });
});
