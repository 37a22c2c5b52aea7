import { describe, expect, it } from "vitest";
import { expectationOf } from "./flow-expectation.ts";
import { inWords } from "./flow-fixtures.ts";
import { Negotiation } from "./link-negotiation.ts";

/** What no record of the corpus has, read by our code and by the independent expectation. */

interface Made {
  /** Lines of all sections, on each side. */
  readonly offered: readonly string[];
  readonly answered: readonly string[];
  /** Lines of the session part, on each side. */
  readonly offering?: readonly string[];
  readonly answering?: readonly string[];
  /** Sections have no transport attributes of their own. */
  readonly isBare?: true;
}

const SESSION = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"];

function textOf(
  setup: string,
  session: readonly string[],
  sections: readonly string[],
  isBare = false,
): string {
  const own = [
    `a=setup:${setup}`,
    `a=fingerprint:sha-256 ${setup === "active" ? "AA:AA" : "BB:BB"}`,
    `a=ice-ufrag:${setup}`,
    "a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa",
  ];
  return [...SESSION, ...session, ...sections]
    .flatMap((line) => (line.startsWith("m=") && !isBare ? [line, ...own] : [line]))
    .map((line) => `${line}\r\n`)
    .join("");
}

const AUDIO = (mid: number): string[] => ["m=audio 9 UDP/TLS/RTP/SAVPF 0", `a=mid:${mid}`];
const DATA = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:0", "a=sctp-port:5000"];
const VIDEO = [
  "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
  "a=mid:0",
  "a=rtpmap:96 VP8/90000",
  "a=rtpmap:97 rtx/90000",
  "a=fmtp:97 apt=96",
];
const rejected = ([media = "", ...rest]: readonly string[]): string[] => [
  media.replace(" 9 ", " 0 "),
  ...rest,
];

const both = (...lines: readonly string[]): Made => ({ offered: lines, answered: lines });
const video = (...lines: readonly string[]): Made => both(...VIDEO, ...lines);
/** Video one way, with these lines on each side. */
const oneWay = (sent: readonly string[], received: readonly string[]): Made => ({
  offered: [...VIDEO, "a=sendonly", ...sent],
  answered: [...VIDEO, "a=recvonly", ...received],
});
const ssrcs = (...numbers: readonly number[]): string[] =>
  numbers.map((ssrc) => `a=ssrc:${ssrc} cname:x`);

const MADE: Readonly<Record<string, Made>> = {
  "retransmission and forward error correction": video(
    ...ssrcs(1, 2, 3),
    "a=ssrc-group:FID 1 2",
    "a=ssrc-group:FEC-FR 1 3",
  ),
  "simulcast by SSRCs": video(
    ...ssrcs(1, 2, 3, 4),
    "a=ssrc-group:SIM 1 3",
    "a=ssrc-group:FID 1 2",
    "a=ssrc-group:FID 3 4",
  ),
  "groups before their sources": video("a=ssrc-group:FID 1 2", ...ssrcs(2, 1)),
  "a group with a source that is not announced": video(...ssrcs(1, 2), "a=ssrc-group:FID 1 9"),
  "an SSRC with its past": video(...ssrcs(1), "a=ssrc:1 previous-ssrc:7"),
  "a stream without a track": video("a=msid:s"),
  "congestion control of RFC 8888": video("a=rtcp-fb:* ack ccfb", "a=rtcp-fb:96 transport-cc"),
  "extended reports": video("a=rtcp-xr:rcvr-rtt=all:100 stat-summary=loss,dup", "a=rtcp-rsize"),
  "an encrypted extension": video(
    "a=extmap:3 urn:ietf:params:rtp-hdrext:encrypt urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "a=extmap:4 urn:x",
  ),
  "other payload types on each side": {
    offered: [...VIDEO, "a=rtcp-fb:96 nack"],
    answered: [
      "m=video 9 UDP/TLS/RTP/SAVPF 100 101",
      "a=mid:0",
      "a=rtpmap:100 VP8/90000",
      "a=rtpmap:101 rtx/90000",
      "a=fmtp:101 apt=100",
      "a=rtcp-fb:100 nack",
    ],
  },
  "H.264 and H.265 spelled in several ways": {
    offered: [
      "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98",
      "a=mid:0",
      "a=rtpmap:96 H264/90000",
      "a=fmtp:96 packetization-mode=1;profile-level-id=640c1f",
      "a=rtpmap:97 H264/90000",
      "a=fmtp:97 profile-level-id=4d801f",
      "a=rtpmap:98 H265/90000",
      "a=fmtp:98 profile-id=1;tier-flag=0;level-id=93",
    ],
    answered: [
      "m=video 9 UDP/TLS/RTP/SAVPF 100 101 102",
      "a=mid:0",
      "a=rtpmap:100 H264/90000",
      "a=fmtp:100 profile-level-id=640c1f; packetization-mode=1",
      "a=rtpmap:101 H264/90000",
      "a=fmtp:101 profile-level-id=42e01f",
      "a=rtpmap:102 H265/90000",
    ],
  },
  "VP9 of two profiles in another order": {
    offered: [
      "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
      "a=mid:0",
      "a=rtpmap:96 VP9/90000",
      "a=rtpmap:97 VP9/90000",
      "a=fmtp:97 profile-id=2",
    ],
    answered: [
      "m=video 9 UDP/TLS/RTP/SAVPF 97 96",
      "a=mid:0",
      "a=rtpmap:96 VP9/90000",
      "a=fmtp:96 profile-id=0",
      "a=rtpmap:97 VP9/90000",
      "a=fmtp:97 profile-id=2",
    ],
  },
  "payload types without rtpmap": both(
    "m=audio 9 UDP/TLS/RTP/SAVPF 0 8 9 18 3 4 15 101",
    "a=mid:0",
  ),
  "a static payload type with another meaning": both(
    "m=audio 9 UDP/TLS/RTP/SAVPF 0",
    "a=mid:0",
    "a=rtpmap:0 opus/48000/2",
  ),
  "other numbers of channels": {
    offered: ["m=audio 9 UDP/TLS/RTP/SAVPF 96 0", "a=mid:0", "a=rtpmap:96 opus/48000/2"],
    answered: ["m=audio 9 UDP/TLS/RTP/SAVPF 96 0", "a=mid:0", "a=rtpmap:96 opus/48000"],
  },
  "comfort noise alone": both("m=audio 9 UDP/TLS/RTP/SAVPF 13", "a=mid:0"),
  FlexFEC: both(
    "m=video 9 UDP/TLS/RTP/SAVPF 96 49",
    "a=mid:0",
    "a=rtpmap:96 VP8/90000",
    "a=rtpmap:49 flexfec-03/90000",
  ),
  "alternatives in simulcast, some of them taken": oneWay(
    ["a=rid:1 send", "a=rid:2 send", "a=rid:3 send", "a=simulcast:send 1,2;3"],
    ["a=rid:2 recv", "a=rid:3 recv", "a=simulcast:recv 3;2"],
  ),
  "simulcast both ways": {
    offered: [
      ...VIDEO,
      ...["a=rid:1 send", "a=rid:2 send", "a=rid:5 recv", "a=simulcast:send 1;2 recv 5"],
    ],
    answered: [
      ...VIDEO,
      ...["a=rid:1 recv", "a=rid:2 recv", "a=rid:5 send", "a=simulcast:recv 1;2 send 5"],
    ],
  },
  "a layer that the receiver wants paused": oneWay(
    ["a=rid:1 send max-br=9000", "a=rid:2 send max-br=5000", "a=simulcast:send 1;2"],
    ["a=rid:1 recv", "a=rid:2 recv", "a=simulcast:recv 1;~2"],
  ),
  "a layer that the receiver restricts": oneWay(
    ["a=rid:1 send max-br=9000", "a=rid:2 send max-br=5000", "a=simulcast:send 1;2"],
    ["a=rid:1 recv max-br=1000", "a=rid:2 recv", "a=simulcast:recv 1;2"],
  ),
  "a layer without a limit": oneWay(
    ["a=rid:1 send max-br=9000", "a=rid:2 send", "a=simulcast:send 1;2"],
    ["a=rid:1 recv", "a=rid:2 recv", "a=simulcast:recv 1;2"],
  ),
  "an identifier without simulcast": oneWay(["a=rid:1 send"], ["a=rid:1 recv"]),
  "everything about the transport in the session part": {
    ...video(),
    offering: [
      "a=ice-lite",
      "a=ice-ufrag:aaaa",
      "a=ice-pwd:x",
      "a=setup:actpass",
      "a=fingerprint:sha-256 AB:CD",
      "a=fingerprint:SHA-1 ab:cd",
    ],
    answering: ["a=ice-ufrag:bbbb", "a=setup:passive", "a=fingerprint:sha-256 AB:CE"],
    isBare: true,
  },
  "bandwidth of the whole session": {
    offered: VIDEO,
    answered: [...VIDEO.slice(0, 1), "b=AS:400", ...VIDEO.slice(1)],
    offering: ["b=CT:1"],
    answering: ["b=CT:100"],
  },
  "bandwidth of RTCP": {
    offered: [...VIDEO.slice(0, 1), "b=RS:1", "b=RR:2", ...VIDEO.slice(1)],
    answered: [...VIDEO.slice(0, 1), "b=RS:3", "b=RR:4", ...VIDEO.slice(1)],
  },
  "two bundles, one with another tag": {
    ...both(...AUDIO(0), ...AUDIO(1), ...AUDIO(2), ...AUDIO(3)),
    offering: ["a=group:BUNDLE 0 1", "a=group:BUNDLE 2 3"],
    answering: ["a=group:BUNDLE 0 1", "a=group:BUNDLE 3 2"],
  },
  "the tagged section is rejected": {
    offered: [...VIDEO, ...AUDIO(1)],
    answered: [...rejected(VIDEO), ...AUDIO(1)],
    offering: ["a=group:BUNDLE 0 1"],
    answering: ["a=group:BUNDLE 1"],
  },
  "RTCP multiplexed by one side alone": { offered: [...VIDEO, "a=rtcp-mux"], answered: VIDEO },
  "a fax": both("m=application 9 UDP/TLS/UDPTL t38", "a=mid:0"),
  "data of the usual size": both(...DATA),
  "data of any size, inactive": both(...DATA, "a=inactive", "a=max-message-size:0"),
  "fewer sections in the answer": { offered: [...VIDEO, ...AUDIO(1)], answered: VIDEO },
  "another kind in the answer": { offered: VIDEO, answered: AUDIO(0) },
};

describe("made pairs, beside an independent expectation", () => {
  it.each(Object.entries(MADE))("[M4] %s", (_name, made) => {
    const { offering = [], answering = [], isBare } = made;
    const offer = textOf("actpass", offering, made.offered, isBare);
    const answer = textOf("active", answering, made.answered, isBare);
    const link = new Negotiation();
    link.exchange(offer, answer);
    const expected = expectationOf(offer, answer);
    const { transports, ...flows } = inWords(link.flows, "a");
    const { transports: expectedTransports, ...expectedFlows } = expected;
    expect(flows).toEqual(expectedFlows);
    expect(transports).toMatchObject(expectedTransports);
  });
});
