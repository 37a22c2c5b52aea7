import fc from "fast-check";
import { parse } from "sdp-transform";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../protocol/limits.ts";
import { checkDescription, Findings } from "../protocol/sdp/check.ts";
import { type Description, readDescription } from "../protocol/sdp/description.ts";
import { isFinding, type Level, type SdpFinding } from "../protocol/sdp/finding.ts";
import {
  bandwidthOf,
  extMapOf,
  feedbackOf,
  fingerprintOf,
  formatParametersOf,
  groupOf,
  originOf,
  rtpMapOf,
} from "../protocol/sdp/grammar.ts";
import type { DescriptionRole, Hit, RuleFacts } from "../protocol/sdp/rule.ts";
import { carriesData, type Section } from "../protocol/sdp/section.ts";
import { checkSdp } from "../protocol/sdp-check.ts";
import { CORPUS, recordOf, TEXTS } from "./corpus.ts";
import { inSection, insertAfter, type Mutation, read, replace } from "./sdp-examples.ts";
import { workOf } from "./sdp-fuzz-work.ts";

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

/** Without its line, which other readers do not tell. */
const bare = <T extends { readonly line: number }>({ line: _line, ...said }: T): Omit<T, "line"> =>
  said;

const ourWords = (section: Section): ReturnType<typeof parsedWords> => ({
  kind: section.kind,
  port: section.port,
  protocol: section.protocol,
  formats: [...section.formats],
  mid: section.mid,
  rtpMaps: section.rtpMaps.map(bare),
  formatParameters: section.formatParameters.map(bare),
  feedback: section.feedback.map(bare),
  extMaps: section.extMaps.map(({ id, uri }) => ({ id, uri })),
  ssrcs: section.ssrcs.map(({ ssrc }) => ssrc),
  cnames: section.ssrcs.flatMap(({ cname }) => cname ?? []),
  ssrcGroups: section.ssrcGroups.map(({ semantics, ssrcs }) => ({ semantics, ssrcs: [...ssrcs] })),
  rids: section.rids.map(({ id, direction }) => ({ id, direction })),
  bandwidths: section.bandwidths.map(bare),
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

describe("what does not fit", () => {
  it.each([
    ["nothing", ""],
    ["another version", "v=1\r\ns=-\r\n"],
    ["a text without a version", "s=-\r\n"],
    ["a byte order mark", `\uFEFF${textOf()}`],
    ["half a character", textOf("a=x:\ud800")],
    ["an m-line without a port", textOf("m=video")],
    ["an m-line without anything", textOf("m=")],
    ["an m-line without a protocol", textOf("m=video 9")],
    ["a port that is no number", textOf("m=video x UDP/TLS/RTP/SAVPF 96")],
    ["a port that is too large", textOf("m=video 65536 UDP/TLS/RTP/SAVPF 96")],
    ["media that are no token", textOf("m=vid\u00e9o 9 UDP/TLS/RTP/SAVPF 96")],
    ["one mid twice", textOf("m=audio 9 RTP/AVP 0", "a=mid:x", "m=audio 9 RTP/AVP 0", "a=mid:x")],
  ])("[D2] %s is read, found by a rule and gives no flows", (_, sdp) => {
    const description = read(sdp);
    const levels = checkDescription(description, "offer").map(({ level }) => level);
    expect(levels).toContain("error");
    expect(checkSdp({ offer: sdp }, 0).flows).toEqual([]);
    expect(description.isUsable || sdp.startsWith("v=1")).toBe(sdp.startsWith("v=1"));
  });

  it("[D2] a whole character is no half", () => {
    const description = read(textOf("a=x:\ud83d\ude00"));
    expect(description.lines.at(-1)?.value).toBe("x:\ud83d\ude00");
    expect(description.isUsable).toBe(true);
  });

  it("[N9] what is no line is kept with its whole text", () => {
    const { lines } = read("v=0\r\nhello\r\nA=mid:0\r\n\r\n =x\r\n\u00e4=\r\ns=-");
    expect(lines.map(({ type, value }) => [type, value])).toEqual([
      ["v", "0"],
      ["", "hello"],
      ["", "A=mid:0"],
      ["", ""],
      ["", " =x"],
      ["", "\u00e4="],
      ["s", "-"],
    ]);
  });

  it("[D3] sections around one that cannot be read keep their places and contents", () => {
    const { sections } = read(
      textOf("m=audio 9 RTP/AVP 0", "a=mid:a", "m= text  q", "a=mid:b", "m=video 9 RTP/AVP 96"),
    );
    expect(
      sections.map(({ index, line, kind, mid, isReadable, rejected }) => [
        [index, line, kind],
        [mid, isReadable, rejected],
      ]),
    ).toEqual([
      [
        [0, 5, "audio"],
        ["a", true, false],
      ],
      [
        [1, 7, "text"],
        ["b", false, true],
      ],
      [
        [2, 9, "video"],
        [undefined, true, false],
      ],
    ]);
  });

  it("[D2] values that do not fit are kept apart, with their lines", () => {
    const section = sectionWith("a=rtpmap:96", "a=extmap:x", "a=ssrc:1", "a=rid:1 both", "a=fmtp:");
    expect(section.unreadable.toSorted((one, other) => one.line - other.line)).toEqual([
      { name: "rtpmap", value: "96", line: 6 },
      { name: "extmap", value: "x", line: 7 },
      { name: "ssrc", value: "1", line: 8 },
      { name: "rid", value: "1 both", line: 9 },
      { name: "fmtp", value: "", line: 10 },
    ]);
    expect(section.attributes.get("rtpmap")).toEqual([{ name: "rtpmap", value: "96", line: 6 }]);
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

  it("[D4] a mid over 128 bytes is too large, wherever it stands", () => {
    const withMid = (mid: string) =>
      textOf("m=audio 9 RTP/AVP 0", "a=mid:0", "m=video 0 RTP/AVP 96", `a=mid:${mid}`);
    const most = "x".repeat(LIMITS.midBytes);
    expect(read(withMid(most)).sections[1]?.mid).toBe(most);
    for (const mid of [`${most}x`, "\u20ac".repeat(LIMITS.midBytes / 2)]) {
      expect(findingOf(withMid(mid))).toMatchObject({ rule: "sdp-too-large", mLine: 1 });
    }
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
      { hash: "sha-256", value: "AB:CD", line: 6 },
      { hash: "sha-1", value: "EF", line: 7 },
    ]);
  });

  it("[D3] msids keep stream and track", () => {
    const { msids } = sectionWith("a=msid:{a-b} {c}", "a=msid:- t", "a=msid:s", "a=msid:");
    expect(msids).toEqual([
      { stream: "{a-b}", track: "{c}", line: 6 },
      { stream: "-", track: "t", line: 7 },
      { stream: "s", track: undefined, line: 8 },
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
      { ssrc: 5, line: 6, cname: "e", msid: { stream: "s", track: "t" }, previous: [] },
      { ssrc: 3, line: 7, cname: "c:d", msid: undefined, previous: [] },
    ]);
    expect(ssrcGroups).toEqual([
      { semantics: "FID", ssrcs: [5, 3], line: 13 },
      { semantics: "FID", ssrcs: [5], line: 14 },
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
      line: 6,
      send: [[stream("1"), stream("4", true)], [stream("2")]],
      recv: [[stream("c")]],
    });
    expect(sectionWith("a=simulcast:recv a;;~").simulcast).toEqual({
      line: 6,
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
      { format: "96", name: "VP8", rate: 90_000, channels: undefined, line: 6 },
      { format: "97", name: "opus", rate: 48_000, channels: 2, line: 7 },
    ]);
    expect(section.formatParameters).toEqual([{ format: "97", parameters: "a=1; b=2", line: 9 }]);
    expect(section.feedback).toEqual([{ format: "96", type: "ccm tmmbr smaxpr=120", line: 11 }]);
    expect(section.extMaps).toEqual([
      { id: 3, direction: "recvonly", uri: "urn:x", attributes: "one two", line: 13 },
      { id: 4, direction: undefined, uri: "urn:y", attributes: "", line: 14 },
    ]);
  });

  it("[D3] bandwidths of every type are kept, at both levels", () => {
    const { session, sections } = read(
      textOf("b=CT:2000", "m=audio 9 RTP/AVP 0", "b=TIAS:700000", "b=X-Y:1", "b=AS:foo"),
    );
    expect(session.bandwidths).toEqual([{ type: "CT", value: 2000, line: 5 }]);
    expect(sections[0]?.bandwidths).toEqual([
      { type: "TIAS", value: 700_000, line: 7 },
      { type: "X-Y", value: 1, line: 8 },
    ]);
  });

  it("[D3] candidates keep their text and say their type", () => {
    const text = "1 1 udp 2113937151 192.0.2.2 55421 typ host ufrag a network-cost 999";
    const short = "1 1 udp 1 192.0.2.2 9 typ";
    const { candidates, endOfCandidates } = sectionWith(
      `a=candidate:${text}`,
      "a=candidate:foo bar",
      `a=candidate:${short}`,
      `a=candidate:${short} new raddr`,
      "a=candidate:1 x udp 1 192.0.2.2 9 typ host",
      "a=end-of-candidates",
    );
    expect(candidates.map(({ line, type, parts }) => [line, type, parts !== undefined])).toEqual([
      [6, "host", true],
      [7, undefined, false],
      [8, undefined, false],
      // Names and values come in pairs.
      [9, "new", false],
      [10, "host", false],
    ]);
    const [first] = candidates;
    expect(first).toMatchObject({
      text,
      parts: { foundation: "1", component: "1", port: "55421" },
    });
    expect([...first!.parts!.extensions]).toEqual([
      ["ufrag", "a"],
      ["network-cost", "999"],
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

  it("[D3] the origin is read in full or not at all", () => {
    expect(originOf("- 1 2 IN IP6 ::1")).toEqual({
      username: "-",
      sessionId: "1",
      version: "2",
      addressType: "IP6",
      address: "::1",
    });
    for (const broken of [
      "",
      "-",
      "- 1",
      " 1 2 IN IP4 x",
      "- x 2 IN IP4 x",
      "- 1 x IN IP4 x",
      "- 1 2 ATM IP4 x",
      "- 1 2 IN IP5 x",
      "- 1 2 IN IP4",
      "- 1 2 IN IP4 x y",
    ]) {
      expect(originOf(broken)).toBeUndefined();
    }
  });
});

describe("real descriptions, changed", () => {
  /** Audio, video and data, as Chromium and as Firefox offers them. */
  const three = recordOf("chromium.connected-host-candidates").offer;
  const firefox = recordOf("firefox.two-video-tracks").offer;

  const mutated = (sdp: string, ...mutations: Mutation[]): Description =>
    read(mutations.reduce((text, mutate) => mutate(text), sdp));
  const rulesOf = (description: Description, role: DescriptionRole = "offer") =>
    checkDescription(description, role, { strict: true }).map(({ rule }) => rule);
  /** Rules that the change brings. */
  const newRules = (sdp: string, changed: Description): string[] => {
    const known = new Set(rulesOf(read(sdp)));
    return rulesOf(changed).filter((rule) => !known.has(rule));
  };
  /** All but what tells lines apart. */
  const contents = ({ sections }: Description) =>
    sections.map(({ lines, attributes, session, ...section }) =>
      JSON.parse(
        JSON.stringify(section, (key, value) => (["line", "number"].includes(key) ? 0 : value)),
      ),
    );

  it("[D3] of a duplicated attribute the last counts where there is one, and all where there are more", () => {
    const before = read(three).sections[0]!;
    const { sections } = mutated(
      three,
      inSection(
        0,
        replace(/^a=ice-ufrag:.*$/m, "a=ice-ufrag:first\r\na=ice-ufrag:last"),
        replace(/^a=setup:.*$/m, "a=setup:active\r\na=setup:passive"),
        replace(
          /^a=(rtpmap:111 .*|fmtp:111 .*|rtcp-fb:111 .*|ssrc:\d+ cname.*)$/gm,
          "a=$1\r\na=$1",
        ),
        replace(/^a=mid:0$/m, "a=mid:0\r\na=mid:0"),
      ),
    );
    const [after] = sections;
    expect(after).toMatchObject({ iceUfrag: "last", setup: "passive", mid: "0" });
    expect(after?.rtpMaps.length).toBe(before.rtpMaps.length + 1);
    expect(after?.formatParameters.length).toBe(before.formatParameters.length + 1);
    expect(after?.feedback.length).toBe(before.feedback.length + 1);
    expect(after?.ssrcs.map(({ ssrc }) => ssrc)).toEqual(before.ssrcs.map(({ ssrc }) => ssrc));
    expect(after?.attributes.get("ice-ufrag")?.map(({ value }) => value)).toEqual([
      "first",
      "last",
    ]);
  });

  it("[D3] every line said twice is a warning at the most, but for what may not be said twice", () => {
    const twice = three.replaceAll(/^(a=(?!mid|group)[a-z-]+(?::.*)?)$/gm, "$1\r\n$1");
    const { sections } = read(twice);
    expect(sections.map(({ mid, direction }) => [mid, direction])).toEqual(
      read(three).sections.map(({ mid, direction }) => [mid, direction]),
    );
    const errors = checkDescription(read(twice), "offer").filter(({ level }) => level === "error");
    expect([...new Set(errors.map(({ rule }) => rule))].toSorted()).toEqual([
      "extmap-id-duplicate",
    ]);
  });

  it("[D3] several fingerprints are all kept, with a hash each", () => {
    const more = ["sha-1 ", "sha-512 "].map(
      (hash, index) => `a=fingerprint:${hash}${"AB:".repeat([19, 63][index]!)}CD`,
    );
    const changed = mutated(three, replace(/^a=fingerprint:.*$/gm, ["$&", ...more].join("\r\n")));
    for (const { fingerprints } of changed.sections) {
      expect(fingerprints.map(({ hash }) => hash)).toEqual(["sha-256", "sha-1", "sha-512"]);
    }
    expect(newRules(three, changed)).toEqual([]);
  });

  it("[D3] rtcp-mux-only does not stand for rtcp-mux", () => {
    const both = mutated(three, replace(/^a=rtcp-mux$/gm, "a=rtcp-mux\r\na=rtcp-mux-only"));
    const only = mutated(three, replace(/^a=rtcp-mux$/gm, "a=rtcp-mux-only"));
    expect(both.sections.map(({ rtcpMux }) => rtcpMux)).toEqual([true, true, true]);
    expect(only.sections.map(({ rtcpMux }) => rtcpMux)).toEqual([false, false, false]);
    expect(newRules(three, both)).toEqual([]);
    expect(newRules(three, only)).toContain("rtcp-mux-only-without-mux");
  });

  it("[D3] the braces of Firefox belong to its msids", () => {
    const uuid = /^\{[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\}$/;
    const { sections } = read(firefox);
    const msids = sections.flatMap(({ msids }) => msids);
    expect(msids.length).toBeGreaterThan(1);
    for (const { stream, track } of msids) {
      expect(stream).toMatch(uuid);
      expect(track).toMatch(uuid);
    }
    expect(rulesOf(read(firefox))).not.toContain("msid-syntax");
  });

  it.each([
    ...["0", "NaN", "Infinity", "1e3", "-1", "undefined", "null", "true"],
    ...["constructor", "__proto__", "hasOwnProperty", "toString", "valueOf"],
  ])("[D3] a mid may be %s", (mid) => {
    const named = (sdp: string): string =>
      sdp
        .replace(/^a=mid:1$/m, "a=mid:one")
        .replace(/^a=mid:0$/m, `a=mid:${mid}`)
        .replace(/^a=group:BUNDLE 0 1 2$/m, `a=group:BUNDLE ${mid} one 2`);
    const { offer, answer } = recordOf("chromium.connected-host-candidates");
    const changed = read(named(offer));
    expect(changed.sections.map((section) => section.mid)).toEqual([mid, "one", "2"]);
    expect(changed.bundles).toEqual([[mid, "one", "2"]]);
    expect(rulesOf(changed)).toEqual(rulesOf(read(offer)));
    const { findings, flows } = checkSdp({ offer: named(offer), answer: named(answer!) }, 0);
    expect(findings.filter(({ level }) => level === "error")).toEqual([]);
    expect(new Set(flows.map((flow) => flow.mid))).toEqual(new Set([mid, "one", "2"]));
  });

  it("[D3] names of object members may stand wherever a peer names something", () => {
    const names = ["__proto__", "constructor", "hasOwnProperty", "toString"];
    const changed = mutated(
      three,
      inSection(
        1,
        replace(
          /$/,
          names
            .flatMap((name) => [
              `a=${name}`,
              `a=${name}:${name}`,
              `a=rid:${name} send ${name}=1`,
              `a=extmap:9 ${name}:x`,
              `a=ssrc:7 ${name}:${name}`,
              `a=fmtp:96 ${name}=${name}`,
              `a=rtcp-fb:96 ${name}`,
            ])
            .map((line) => `${line}\r\n`)
            .join(""),
        ),
      ),
    );
    const { rids, attributes, feedback, formatParameters } = changed.sections[1]!;
    expect(rids.map(({ id, restrictions }) => [id, ...restrictions])).toEqual(
      names.map((name) => [name, [name, "1"]]),
    );
    expect(names.map((name) => attributes.get(name)?.length)).toEqual([2, 2, 2, 2]);
    expect(feedback.slice(-4).map(({ type }) => type)).toEqual(names);
    expect(formatParameters.at(-1)?.parameters).toBe("toString=toString");
    expect(Object.prototype).not.toHaveProperty("x");
    expect(checkSdp({ offer: changed.text }, 0).findings.length).toBeGreaterThan(0);
  });

  it("[N9] unknown attributes and lines are kept and trouble nobody", () => {
    const unknown = [
      "a=x-nobody-knows",
      "a=x-nobody:knows this:either",
      "a=mid2:x",
      "a=candidates:x",
    ];
    const changed = mutated(
      three,
      insertAfter(/^a=msid-semantic/, ...unknown),
      inSection(1, insertAfter(/^a=mid:/, ...unknown)),
    );
    const { session, sections } = changed;
    for (const part of [session, sections[1]!]) {
      const kept = part.lines.map(({ type, value }) => `${type}=${value}`);
      expect(kept.filter((line) => unknown.includes(line))).toEqual(unknown);
      expect(part.unreadable).toEqual([]);
    }
    expect(contents(changed)).toEqual(contents(read(three)));
    expect(newRules(three, changed)).toEqual([]);
  });

  it.each([
    ["LF", "\n"],
    ["CR", "\r"],
    ["CRLF", "\r\n"],
  ])("[D3] the corpus reads the same with %s at the end of lines", (_, end) => {
    for (const [, sdp] of TEXTS) {
      const changed = read(sdp.replaceAll("\r\n", end));
      expect(contents(changed)).toEqual(contents(read(sdp)));
      const told = newRules(sdp, changed).filter((rule) => !rule.startsWith("line-ending-"));
      expect(told).toEqual([]);
    }
  });
});

describe("findings", () => {
  const rule = (id: string, level: Level, strict: Level = level): RuleFacts => ({
    id,
    level,
    strict,
    source: "Duplex D2",
    condition: "always",
    message: "it is so",
  });
  const many = (count: number): Hit[] =>
    Array.from({ length: count }, (_none, index) => ({ line: index + 1 }));

  it("[D2] a place is told once, and at most 50 are told", () => {
    const findings = new Findings("offer", false);
    findings.add(rule("one", "info"), "info", [...many(3), ...many(3), undefined]);
    expect(findings.all().map(({ line }) => line)).toEqual([1, 2, 3]);
    findings.add(rule("other", "info"), "info", many(100_000));
    expect(findings.all()).toHaveLength(50);
    expect(findings.all().filter(({ rule }) => rule === "other")).toHaveLength(47);
  });

  it("[D1] no error is lost behind what weighs less, of the same rule or another", () => {
    const findings = new Findings("offer", false);
    findings.add(rule("one", "info"), "info", many(1000));
    findings.add(rule("one", "info"), "info", [{ line: 2000, level: "error" }]);
    findings.add(rule("other", "error"), "error", many(1));
    const [first, second, third] = findings.all();
    expect(first).toMatchObject({ rule: "one", level: "error", line: 2000 });
    expect(second).toMatchObject({ rule: "other", level: "error", line: 1 });
    expect(third).toMatchObject({ rule: "one", level: "info" });
  });

  it("[D2] a hit may be worse or milder than its rule, in the strict profile only worse", () => {
    const levels = (strict: boolean): string[] => {
      const findings = new Findings("answer", strict);
      for (const level of ["error", "warning", "info"] as const) {
        findings.add(rule(level, "info"), strict ? "warning" : "info", [{ level }]);
      }
      return findings.all().map(({ rule: id, level }) => `${id}: ${level}`);
    };
    expect(levels(false)).toEqual(["error: error", "warning: warning", "info: info"]);
    expect(levels(true)).toEqual(["error: error", "warning: warning", "info: warning"]);
  });

  it("[D2] a long or unprintable name is told in short and printably", () => {
    const findings = new Findings("offer", false);
    const section = { index: 0, line: 1, mid: `\u001b[31m${"x".repeat(1000)}` };
    findings.add(rule("one", "info"), "info", [{ section, detail: `\ud800${section.mid}` }]);
    const [finding] = findings.all();
    const shown = `\ufffd[31m${"x".repeat(1000)}`;
    expect(finding?.mid).toBe(shown.slice(0, 80));
    expect(finding?.message).toBe(`\ufffd${shown.slice(0, 79)}: it is so`);
  });
});

describe("any input", () => {
  const outcomeOf = (sdp: string): string => {
    const { findings } = checkSdp({ offer: sdp, answer: sdp }, 0);
    return findings.some(({ level }) => level === "error") ? "refused" : "read";
  };

  it("[D4] any text gives a description or a finding", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "binary", minLength: 1 }).map((text) => textOf(`m=${text}`)),
      fc.string({ unit: "binary" }).map((text) => textOf("m=video 9 x 96", `a=${text}`)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(["read", "refused"]).toContain(outcomeOf(text));
      }),
      { numRuns: 500 },
    );
  });
});

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
