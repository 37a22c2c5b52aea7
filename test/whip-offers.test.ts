import { describe, expect, it } from "vitest";
import type { Door } from "../protocol/whip/http-session.ts";
import { CORPUS } from "./corpus.ts";
import { sdpOf } from "./descriptions.ts";
import { outcome, PureSession } from "./pure-session.ts";

/** Offers of encoders and players in the shapes that they are seen in: every one of them is taken (D3). */

const lines = (...all: string[]): string => `${all.join("\r\n")}\r\n`;

const FINGERPRINT =
  "a=fingerprint:sha-256 0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:61:FF:5D:C2:BC:B9:DB:3D:98:14:8D:1A:BB:EA:33:0C:A4:60:A8:8E";
const CREDENTIALS = ["a=ice-ufrag:EsAw", "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1"];

/** A publisher that has no candidates, answers DTLS only, and writes names of codecs in capitals. */
const PASSIVE = lines(
  "v=0",
  "o=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1",
  "s=FFmpegPublishSession",
  "t=0 0",
  "a=group:BUNDLE 0 1",
  "a=extmap-allow-mixed",
  "a=msid-semantic: WMS",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "c=IN IP4 0.0.0.0",
  ...CREDENTIALS,
  FINGERPRINT,
  "a=setup:passive",
  "a=mid:0",
  "a=sendonly",
  "a=msid:FFmpeg audio",
  "a=rtcp-mux",
  "a=rtpmap:111 OPUS/48000/2",
  "a=ssrc:4711 cname:FFmpeg",
  "m=video 9 UDP/TLS/RTP/SAVPF 106",
  "c=IN IP4 0.0.0.0",
  ...CREDENTIALS,
  FINGERPRINT,
  "a=setup:passive",
  "a=mid:1",
  "a=sendonly",
  "a=msid:FFmpeg video",
  "a=rtcp-mux",
  "a=rtcp-rsize",
  "a=rtpmap:106 H264/90000",
  "a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42c01f",
  "a=ssrc:4712 cname:FFmpeg",
);

/** Credentials, DTLS role and fingerprint once, for all sections. */
const AT_SESSION_LEVEL = lines(
  "v=0",
  "o=rtc 3767197920 0 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0 1",
  "a=group:LS 0 1",
  "a=msid-semantic:WMS *",
  "a=setup:actpass",
  ...CREDENTIALS,
  "a=ice-options:ice2,trickle",
  FINGERPRINT,
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "c=IN IP4 0.0.0.0",
  "a=mid:0",
  "a=sendonly",
  "a=ssrc:1001 cname:stream",
  "a=rtcp-mux",
  "a=rtpmap:111 opus/48000/2",
  "a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1",
  "m=video 9 UDP/TLS/RTP/SAVPF 96",
  "c=IN IP4 0.0.0.0",
  "a=mid:1",
  "a=sendonly",
  "a=ssrc:1002 cname:stream",
  "a=rtcp-mux",
  "a=rtpmap:96 H264/90000",
  "a=rtcp-fb:96 nack",
  "a=rtcp-fb:96 nack pli",
  "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1",
);

/** The picture is bundled only (port 0), sections have names instead of numbers, `rtcp-mux-only` is there. */
const BUNDLE_ONLY = lines(
  "v=0",
  "o=- 3767197921 0 IN IP4 0.0.0.0",
  "s=-",
  "t=0 0",
  "a=ice-options:trickle",
  "a=group:BUNDLE audio0 video1",
  "m=audio 9 UDP/TLS/RTP/SAVPF 96",
  "c=IN IP4 0.0.0.0",
  "a=setup:actpass",
  ...CREDENTIALS,
  "a=rtcp-mux",
  "a=rtcp-rsize",
  "a=rtcp-mux-only",
  "a=sendonly",
  "a=rtpmap:96 OPUS/48000/2",
  "a=ssrc:2001 msid:user1@host-1 webrtctransceiver0",
  "a=ssrc:2001 cname:user1@host-1",
  "a=mid:audio0",
  FINGERPRINT,
  "m=video 0 UDP/TLS/RTP/SAVPF 97",
  "c=IN IP4 0.0.0.0",
  "a=setup:actpass",
  ...CREDENTIALS,
  "a=bundle-only",
  "a=rtcp-mux",
  "a=rtcp-rsize",
  "a=rtcp-mux-only",
  "a=sendonly",
  "a=rtpmap:97 VP8/90000",
  "a=rtcp-fb:97 nack pli",
  "a=ssrc:2002 msid:user1@host-1 webrtctransceiver1",
  "a=ssrc:2002 cname:user1@host-1",
  "a=mid:video1",
  FINGERPRINT,
);

const OFFERS: readonly (readonly [string, Door, string])[] = [
  ["passive, no candidates, capitals", "whip", PASSIVE],
  ["all of the transport at session level", "whip", AT_SESSION_LEVEL],
  ["bundle-only, named sections", "whip", BUNDLE_ONLY],
  ["sound only", "whip", sdpOf({ sections: [{ kind: "audio", direction: "sendonly" }] })],
  ["sendrecv, though it will only send", "whip", sdpOf({ sections: [{ kind: "video" }] })],
  [
    "a data channel besides",
    "whep",
    sdpOf({
      sections: [
        { kind: "video", direction: "recvonly" },
        { kind: "audio", direction: "recvonly" },
        { kind: "application" },
      ],
    }),
  ],
];

function post(door: Door, offer: string) {
  const session = new PureSession();
  session.join("alice");
  const { at } = session;
  const grant = session.grant("client");
  return session.do({ type: "open-http", door, grant, resource: "r", offer, at });
}

describe("offers of encoders and players", () => {
  it.each(OFFERS)("[D3] %s", (_name, door, offer) => {
    expect(outcome(post(door, offer))).toBe("accepted");
  });

  const recorded = [...CORPUS.values()].filter(({ offer }) => {
    const sections = offer.split(/^(?=m=)/m).slice(1);
    const media = sections.filter(
      (section) =>
        /^m=(audio|video) [1-9]/.test(section) ||
        /^m=(audio|video) 0.*^a=bundle-only/ms.test(section),
    );
    const kinds = media.map((section) => section.slice(0, 7));
    return media.length > 0 && new Set(kinds).size === media.length;
  });
  const directed = (offer: string, direction: string) =>
    offer.replace(/^a=(?:sendrecv|sendonly|recvonly|inactive)(?=\r?$)/gm, `a=${direction}`);
  const ofRules = (door: Door, offer: string): unknown => {
    const result = post(door, offer);
    return "finding" in result ? (result.finding as { rule: string }).rule : outcome(result);
  };

  it("[D3] no rule of the doors refuses what real stacks offer, but for its direction", () => {
    expect(recorded.length).toBeGreaterThan(50);
    const rules = new Set(
      recorded.flatMap(({ offer }) => [
        ofRules("whip", directed(offer, "sendonly")),
        ofRules("whep", directed(offer, "recvonly")),
      ]),
    );
    const ofDoors = [...rules].filter((rule) => String(rule).startsWith("http-client"));
    expect(ofDoors).toEqual([]);
    expect(rules.has("accepted")).toBe(true);
  });
});
