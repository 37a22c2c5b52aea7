import { describe, expect, it } from "vitest";
import { checkDescription } from "../protocol/sdp/check.ts";
import { BUNDLE_SHARING_RULES } from "../protocol/sdp/rules/bundle-sharing.ts";
import { recordOf } from "./corpus.ts";
import {
  answer,
  append,
  expecting,
  inSection,
  insertAfter,
  type Mutation,
  offer,
  proveRules,
  read,
  remove,
  replace,
} from "./sdp-examples.ts";
import { again, reanswered, reoffered, Story } from "./sdp-story.ts";

/** Audio, video and data of mids 0 to 2, in one bundle. */
const three = "chromium.connected-host-candidates";
/** Audio and two times the same video, in one bundle. */
const twoVideo = "chromium.two-video-tracks";
/** Its section 1 is rejected and has credentials of its own. */
const rejecting = "chromium.rejected-no-common-codec";
const noBundle = remove(/^a=group:/);
const tagLast = replace("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 2 1 0");

const MID = "urn:ietf:params:rtp-hdrext:sdes:mid";
const LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
const ENCRYPTED = "urn:ietf:params:rtp-hdrext:encrypt";

const proto = (index: number, protocol: string): Mutation =>
  inSection(index, replace("UDP/TLS/RTP/SAVPF", protocol));
const withoutMidExtension = (index: number): Mutation =>
  inSection(index, remove(/^a=extmap:\d+ urn:ietf:params:rtp-hdrext:sdes:mid$/));
const withoutSsrcs = (index: number): Mutation => inSection(index, remove(/^a=ssrc/));
const otherUfrag = (index: number): Mutation =>
  inSection(index, replace(/^a=ice-ufrag:.*$/m, "a=ice-ufrag:other"));
const fingerprint = (index: number, ...hashes: string[]): Mutation =>
  inSection(
    index,
    replace(/^a=fingerprint:.*$/m, hashes.map((hash) => `a=fingerprint:${hash}`).join("\r\n")),
  );

proveRules(BUNDLE_SHARING_RULES, {
  "bundle-proto-mixed": {
    accepted: [
      offer(three),
      offer(three, proto(1, "RTP/SAVPF"), noBundle),
      offer("chromium.legacy-profile-RTP-SAVPF"),
    ],
    refused: [
      expecting(offer(three, proto(1, "RTP/SAVPF")), {
        at: /^m=video/,
        says: /^RTP\/SAVPF: /,
      }),
      // The first of the bundle is right, wherever it stands.
      expecting(offer(twoVideo, proto(0, "RTP/SAVPF"), tagLast), { at: /^m=audio/ }),
    ],
  },
  "bundle-ice-ufrag-differs": {
    accepted: [
      offer(three),
      answer(rejecting),
      offer("aiortc.audio-video-sendrecv", noBundle),
      // What a section lacks it takes from the first of the bundle, or all from the session part.
      answer(three, inSection(1, remove(/^a=ice-/))),
      answer(three, remove(/^a=ice-ufrag:/)),
    ],
    refused: [
      expecting(offer("aiortc.audio-video-sendrecv"), { at: "a=ice-ufrag:p1CV", level: "info" }),
      expecting(answer(three, otherUfrag(2)), { at: "a=ice-ufrag:other", level: "error" }),
      expecting(answer(three, inSection(2, replace(/^a=ice-pwd:.*$/m, "a=ice-pwd:other"))), {
        at: /^a=ice-ufrag:/,
        level: "error",
      }),
      expecting(answer(three, inSection(1, remove(/^a=ice-/)), otherUfrag(0)), {
        at: /^a=ice-ufrag:lwm8/,
        level: "error",
      }),
    ],
  },
  "bundle-fingerprint-differs": {
    accepted: [
      offer(three),
      // Without one of its own a section has that of the first.
      offer(three, inSection(1, remove(/^a=fingerprint:/))),
      offer(
        three,
        fingerprint(0, "sha-1 aa", "sha-256 BB"),
        fingerprint(1, "sha-256 bb", "SHA-1 AA"),
        fingerprint(2, "sha-1 AA", "sha-256 BB"),
      ),
      offer(three, remove(/^a=fingerprint:/)),
    ],
    refused: [
      expecting(offer(three, fingerprint(1, "sha-256 AA")), { at: "a=fingerprint:sha-256 AA" }),
      expecting(offer(three, inSection(2, insertAfter(/^c=/, "a=fingerprint:sha-1 AA"))), {
        at: "a=fingerprint:sha-1 AA",
      }),
    ],
  },
  "bundle-payload-type-conflict": {
    accepted: [
      offer(twoVideo),
      offer(three, noBundle, inSection(1, replace(/\b96\b/g, "111"))),
      // Not on the m-line, said twice, and the same in other words.
      offer(three, append(1, "a=rtpmap:111 VP8/90000")),
      offer(three, append(0, "a=rtpmap:111 opus/48000")),
      offer(twoVideo, inSection(2, replace("a=rtpmap:96 VP8/90000", "a=rtpmap:96 vp8/90000/1"))),
    ],
    refused: [
      expecting(offer(three, inSection(1, replace(/\b96\b/g, "111"))), {
        at: "a=rtpmap:111 VP8/90000",
        says: /^payload type 111: /,
      }),
      expecting(offer(twoVideo, inSection(2, replace("a=rtpmap:96 VP8", "a=rtpmap:96 VP9"))), {
        at: "a=rtpmap:96 VP9/90000",
      }),
      expecting(offer(twoVideo, inSection(2, replace("VP8/90000", "VP8/48000"))), {
        at: "a=rtpmap:96 VP8/48000",
      }),
      // Another media is another thing, though the codec is the same.
      expecting(
        offer(
          twoVideo,
          inSection(0, replace(/^m=audio/, "m=video")),
          inSection(1, replace(/^m=video/, "m=audio")),
        ),
        {
          at: /^a=rtpmap:/,
          times: 23,
        },
      ),
    ],
  },
  "bundle-payload-type-fmtp-differs": {
    accepted: [
      offer(twoVideo),
      offer(
        twoVideo,
        inSection(
          2,
          replace(
            "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;",
            "a=fmtp:102 packetization-mode=1; Level-asymmetry-allowed=1;",
          ),
        ),
      ),
      // Another codec is another matter.
      offer(
        twoVideo,
        inSection(
          2,
          replace("a=rtpmap:102 H264", "a=rtpmap:102 H265"),
          replace(/^a=fmtp:102 .*$/m, "a=fmtp:102 x=1"),
        ),
      ),
    ],
    refused: [
      expecting(offer("janus-to-firefox.videoroom-subscribe.3-publisher-left"), {
        at: "a=fmtp:111 useinbandfec=1;stereo=1",
        says: /^payload type 111: /,
      }),
      expecting(
        offer(twoVideo, inSection(2, replace("packetization-mode=1", "packetization-mode=0"))),
        {
          at: /^a=fmtp:102 /,
        },
      ),
      expecting(offer(twoVideo, inSection(2, remove(/^a=fmtp:102 /))), {
        at: "a=rtpmap:102 H264/90000",
      }),
    ],
  },
  "bundle-extmap-id-conflict": {
    accepted: [
      offer(twoVideo),
      offer("aiortc.audio-video-sendrecv", noBundle),
      // From 4096 on an id is one choice of several.
      offer(three, append(0, `a=extmap:4096 ${LEVEL}`), append(1, `a=extmap:4096 ${TIME}`)),
      // What is wrong in one section is found there.
      offer(three, append(0, `a=extmap:1 ${TIME}`)),
      offer(
        three,
        append(0, `a=extmap:9/sendonly ${ENCRYPTED} ${LEVEL}`),
        append(1, `a=extmap:9 ${ENCRYPTED} ${LEVEL}`),
      ),
    ],
    refused: [
      expecting(offer("aiortc.audio-video-sendrecv"), {
        at: `a=extmap:2 ${TIME}`,
        says: /^id 2: /,
      }),
      expecting(offer(three, append(1, `a=extmap:1 ${ENCRYPTED} ${LEVEL}`)), {
        at: `a=extmap:1 ${ENCRYPTED} ${LEVEL}`,
      }),
      expecting(
        offer(
          three,
          append(0, `a=extmap:9 ${ENCRYPTED} ${LEVEL}`),
          append(1, `a=extmap:9 ${ENCRYPTED} ${TIME}`),
        ),
        { at: `a=extmap:9 ${ENCRYPTED} ${TIME}` },
      ),
    ],
  },
  "bundle-extmap-uri-two-ids": {
    accepted: [
      offer(twoVideo),
      offer("werift.audio-video-sendrecv", noBundle),
      offer(three, append(1, `a=extmap:9 ${ENCRYPTED} ${MID}`)),
      offer(three, append(0, `a=extmap:9 ${MID}`)),
      offer(three, append(1, `a=extmap:4096 ${MID}`)),
    ],
    refused: [
      expecting(offer("werift.audio-video-sendrecv"), { at: `a=extmap:2 ${MID}`, says: /^id 2: / }),
      expecting(offer(three, append(1, `a=extmap:9 ${MID}`)), { at: `a=extmap:9 ${MID}` }),
    ],
  },
  "bundle-ssrc-duplicate": {
    accepted: [
      offer(twoVideo),
      offer(twoVideo, append(1, "a=ssrc:1 cname:x", "a=ssrc:1 msid:x y")),
      offer(twoVideo, noBundle, append(1, "a=ssrc:1 cname:x"), append(2, "a=ssrc:1 cname:x")),
    ],
    refused: [
      expecting(offer(twoVideo, append(1, "a=ssrc:1 cname:x"), append(2, "a=ssrc:1 cname:y")), {
        at: "a=ssrc:1 cname:y",
        says: /^SSRC 1: /,
      }),
    ],
  },
  "demux-ambiguous": {
    accepted: [
      offer(twoVideo, withoutMidExtension(2)),
      offer(twoVideo, withoutSsrcs(2)),
      // It alone has these payload types.
      offer(three, withoutMidExtension(1), withoutSsrcs(1)),
      // It sends nothing, or it is the only one to send.
      offer(
        twoVideo,
        withoutMidExtension(2),
        withoutSsrcs(2),
        inSection(2, replace("a=sendrecv", "a=recvonly")),
      ),
      offer(
        twoVideo,
        withoutMidExtension(2),
        withoutSsrcs(2),
        inSection(1, replace("a=sendrecv", "a=inactive")),
      ),
      offer(twoVideo, withoutMidExtension(2), withoutSsrcs(2), noBundle),
      offer(
        twoVideo,
        inSection(
          2,
          replace(
            /^a=extmap:(\d+) urn:ietf:params:rtp-hdrext:sdes:mid$/m,
            `a=extmap:$1 ${ENCRYPTED} ${MID}`,
          ),
        ),
        withoutSsrcs(2),
      ),
    ],
    refused: [
      expecting(offer(twoVideo, withoutMidExtension(2), withoutSsrcs(2)), {
        at: /^m=video/,
        says: /^payload type 96: /,
      }),
      expecting(
        answer(twoVideo, withoutMidExtension(2), inSection(2, replace("a=recvonly", "a=sendonly"))),
        { at: /^m=video/ },
      ),
    ],
  },
  "mid-extension-missing": {
    accepted: [
      offer(three),
      offer(three, withoutMidExtension(1), noBundle),
      // All header extensions are said once for the whole description.
      offer(three, remove(/^a=extmap:/), insertAfter(/^t=/, `a=extmap:4 ${MID}`)),
    ],
    refused: [
      expecting(offer("pion.audio-video-data"), { at: /^m=audio/ }),
      expecting(offer(three, withoutMidExtension(1)), { at: /^m=video/ }),
    ],
  },
});

it("[D2] credentials that differ in a bundle are a warning of the strict profile in offers, an error in answers", () => {
  const { offer: sdp } = recordOf("aiortc.audio-video-sendrecv");
  const levels = (["offer", "answer"] as const).map(
    (role) =>
      checkDescription(read(sdp), role, { strict: true }).find(
        ({ rule }) => rule === "bundle-ice-ufrag-differs",
      )?.level,
  );
  expect(levels).toEqual(["warning", "error"]);
});

describe("a payload type of two codecs, when a call is negotiated again", () => {
  const RENUMBERED = replace("a=rtpmap:96 VP8", "a=rtpmap:96 VP9");
  const withoutMid = remove(new RegExp(`^a=extmap:\\d+ ${MID}$`));
  const levels = (story: Story) =>
    story.found.flatMap(({ rule, level }) =>
      rule === "bundle-payload-type-conflict" ? [level] : [],
    );

  it("[D3] is no error where packets say their section: Firefox numbers what it adds by its own table", () => {
    expect(levels(reoffered(twoVideo, inSection(2, RENUMBERED)))).toEqual(["warning"]);
    const answered = reanswered(twoVideo, [inSection(2, RENUMBERED)], [inSection(2, RENUMBERED)]);
    expect(levels(answered)).toEqual(["warning"]);
  });

  it("[D1] is an error in the first offer, where packets do not say it, and between audio and video", () => {
    const first = new Story()
      .join("alice", "bob")
      .offer("alice", "bob", again(recordOf(twoVideo).offer, inSection(2, RENUMBERED)));
    expect(levels(first)).toEqual(["error"]);
    expect(levels(reoffered(twoVideo, inSection(2, RENUMBERED, withoutMid)))).toEqual(["error"]);
    const both = reoffered(twoVideo, inSection(1, replace(/\b96\b/g, "111")));
    expect(new Set(levels(both))).toEqual(new Set(["error"]));
  });
});
