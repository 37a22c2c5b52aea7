import { PAIR_FORMAT_RULES } from "../protocol/sdp/rules/pair-formats.ts";
import {
  append,
  expecting,
  inSection,
  type Mutation,
  pair,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

const BUNDLE = "chromium.max-bundle";

/** An audio section with these formats only. */
const audio = (list: string, ...lines: string[]): readonly Mutation[] => [
  inSection(
    0,
    replace(/^(m=audio \d+ \S+) .*$/m, `$1 ${list}`),
    remove(/^a=(?:rtpmap|fmtp|rtcp-fb):/),
  ),
  ...(lines.length > 0 ? [append(0, ...lines)] : []),
];

const OPUS = "a=rtpmap:111 opus/48000/2";
const EVENTS = "a=rtpmap:110 telephone-event/48000";

proveRules(PAIR_FORMAT_RULES, {
  "payload-no-common-format": {
    accepted: [
      pair(BUNDLE),
      pair("chromium.rejected-no-common-codec"),
      pair("chromium-to-janus.videoroom-publish"),
      pair("pion-to-gstreamer.audio-video-sendrecv"),
      // The same codec may have another payload type, and a static one needs no rtpmap.
      pair(BUNDLE, { answer: audio("100", "a=rtpmap:100 OPUS/48000/2") }),
      pair(BUNDLE, { offer: audio("111 0", OPUS), answer: audio("0") }),
      // Nothing but DTMF is little, but it is a format in common.
      pair(BUNDLE, { answer: audio("110", EVENTS) }),
      // A section of repair formats only has no media to agree on.
      pair(BUNDLE, {
        offer: [inSection(1, replace(/^(a=rtpmap:\d+) .*$/gm, "$1 ulpfec/90000"))],
        answer: [inSection(1, replace(/^(a=rtpmap:\d+) .*$/gm, "$1 flexfec-03/90000"))],
      }),
    ],
    refused: [
      expecting(
        pair(BUNDLE, {
          answer: [inSection(1, replace(/^(a=rtpmap:\d+) (VP8|VP9|AV1|H264)\//gm, "$1 X-$2/"))],
        }),
        { at: /^m=video / },
      ),
      expecting(pair(BUNDLE, { offer: audio("111", OPUS), answer: audio("0") }), {
        at: /^m=audio \d+ \S+ 0$/,
      }),
      // What a payload type without rtpmap is nobody knows.
      expecting(pair(BUNDLE, { answer: audio("111") }), { at: /^m=audio / }),
      expecting(pair(BUNDLE, { answer: audio("111", "a=rtpmap:111 opus/48000") }), {
        at: /^m=audio /,
      }),
    ],
  },
  "payload-type-not-offered": {
    accepted: [
      pair(BUNDLE),
      pair("firefox-to-chromium.audio-video-sendrecv"),
      pair("chromium-to-aiortc.audio-video-sendrecv"),
      pair(BUNDLE, { answer: audio("111 0", OPUS) }),
      pair("chromium.rejected-no-common-codec"),
    ],
    refused: [
      expecting(pair(BUNDLE, { answer: audio("111 100", OPUS, "a=rtpmap:100 opus/48000/2") }), {
        at: "a=rtpmap:100 opus/48000/2",
        says: /^payload type 100: /,
      }),
      expecting(pair(BUNDLE, { answer: audio("111 3 4", OPUS) }), {
        at: /^m=audio \d+ \S+ 111 3 4$/,
        times: 2,
      }),
    ],
  },
  "payload-type-remapped": {
    accepted: [
      pair(BUNDLE),
      pair("firefox-to-aiortc.audio-video-sendrecv"),
      pair("chromium-to-janus.echotest-av-data"),
      pair("firefox-to-pion.audio-video-sendrecv"),
      pair("gstreamer-to-chromium.audio-video-sendrecv"),
      pair(BUNDLE, { answer: [inSection(1, replace("VP8/90000", "vp8/90000"))] }),
      pair(BUNDLE, { answer: [remove(/^a=rtpmap:0 /)] }),
      // Channels are no other codec and no other clock rate.
      pair(BUNDLE, { answer: [replace("opus/48000/2", "opus/48000")] }),
      pair(BUNDLE, { answer: audio("100", "a=rtpmap:100 opus/48000/2") }),
      // Formats of a section without RTP are no payload types.
      pair(BUNDLE, {
        offer: [inSection(2, replace("webrtc-datachannel", "0"))],
        answer: [inSection(2, replace("webrtc-datachannel", "0")), append(2, "a=rtpmap:0 X/8000")],
      }),
    ],
    refused: [
      expecting(
        pair(BUNDLE, {
          answer: [
            inSection(
              1,
              replace("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP9/90000"),
              replace("a=rtpmap:98 VP9/90000", "a=rtpmap:98 VP8/90000"),
            ),
          ],
        }),
        { at: "a=rtpmap:96 VP9/90000", says: /^payload type 96: /, times: 2 },
      ),
      expecting(
        pair(BUNDLE, {
          answer: [replace("telephone-event/48000", "telephone-event/16000")],
        }),
        { at: "a=rtpmap:110 telephone-event/16000" },
      ),
      expecting(
        pair(BUNDLE, {
          offer: [remove(/^a=rtpmap:0 /)],
          answer: [replace("a=rtpmap:0 PCMU/8000", "a=rtpmap:0 G729/8000")],
        }),
        { at: "a=rtpmap:0 G729/8000" },
      ),
    ],
  },
  "h264-packetization-mode-mismatch": {
    accepted: [
      pair(BUNDLE),
      pair("firefox-to-pion.audio-video-sendrecv"),
      // The level is each receiver's own, and so are the constraints that it keeps to.
      pair(BUNDLE, {
        answer: [replace(/^(a=fmtp:102 .*)42001f$/m, "$142E034")],
      }),
      pair(BUNDLE, {
        offer: [replace(/^a=fmtp:104 .*$/m, "a=fmtp:104 packetization-mode=0")],
        answer: [remove(/^a=fmtp:104 /)],
      }),
      pair(BUNDLE, { answer: [replace("a=fmtp:98 profile-id=0", "a=fmtp:98 profile-id=2")] }),
      pair(BUNDLE, { answer: [replace("a=rtpmap:102 H264/90000", "a=rtpmap:102 VP8/90000")] }),
    ],
    refused: [
      expecting(
        pair(BUNDLE, {
          answer: [replace(/^(a=fmtp:102 .*)packetization-mode=1/m, "$1packetization-mode=0")],
        }),
        { at: /^a=fmtp:102 /, says: /^payload type 102: / },
      ),
      expecting(
        pair(BUNDLE, {
          answer: [replace(/^(a=fmtp:102 .*)profile-level-id=42/m, "$1profile-level-id=4D")],
        }),
        { at: /^a=fmtp:102 / },
      ),
      expecting(pair(BUNDLE, { answer: [remove(/^a=fmtp:102 /)] }), {
        at: "a=rtpmap:102 H264/90000",
      }),
    ],
  },
  "fmtp-usedtx-asymmetric": {
    accepted: [
      pair(BUNDLE),
      pair(BUNDLE, {
        offer: [replace("useinbandfec=1", "useinbandfec=1;usedtx=1")],
        answer: [replace("useinbandfec=1", "usedtx=1")],
      }),
      pair(BUNDLE, { answer: [replace("useinbandfec=1", "usedtx=0")] }),
      pair(BUNDLE, {
        offer: [replace("useinbandfec=1", "usedtx=1")],
        answer: audio("0"),
      }),
      pair(BUNDLE, {
        offer: audio("0"),
        answer: [replace("useinbandfec=1", "usedtx=1")],
      }),
    ],
    refused: [
      expecting(pair(BUNDLE, { answer: [replace("useinbandfec=1", "usedtx=1")] }), {
        at: "a=fmtp:111 minptime=10;usedtx=1",
        says: /^payload type 111: /,
      }),
      expecting(
        pair(BUNDLE, {
          offer: [replace("useinbandfec=1", "usedtx=1")],
          answer: audio("111", OPUS),
        }),
        { at: OPUS },
      ),
    ],
  },
  "rtx-answered-without-primary": {
    accepted: [
      pair(BUNDLE),
      pair(BUNDLE, { answer: [inSection(1, replace(/^(m=video .*) 96 97 /m, "$1 "))] }),
      pair(BUNDLE, { answer: [inSection(1, replace("a=fmtp:97 apt=96", "a=fmtp:97 apt=102"))] }),
      // Not offered as retransmission, or not known of what: that is told by other rules.
      pair(BUNDLE, {
        offer: [inSection(1, replace("a=rtpmap:97 rtx/90000", "a=rtpmap:97 VP8/90000"))],
        answer: [inSection(1, replace(/^(m=video .*) 96 /m, "$1 "))],
      }),
      pair(BUNDLE, {
        offer: [remove(/^a=fmtp:97 /)],
        answer: [remove(/^a=fmtp:97 /), inSection(1, replace(/^(m=video .*) 96 /m, "$1 "))],
      }),
      pair(BUNDLE, {
        answer: [
          inSection(
            1,
            replace("a=rtpmap:97 rtx/90000", "a=rtpmap:97 VP8/90000"),
            replace(/^(m=video .*) 96 /m, "$1 "),
          ),
        ],
      }),
    ],
    refused: [
      expecting(pair(BUNDLE, { answer: [inSection(1, replace(/^(m=video .*) 96 /m, "$1 "))] }), {
        at: "a=fmtp:97 apt=96",
        says: /^payload type 97: /,
      }),
      expecting(
        pair(BUNDLE, {
          answer: [remove(/^a=fmtp:97 /), inSection(1, replace(/^(m=video .*) 96 /m, "$1 "))],
        }),
        { at: "a=rtpmap:97 rtx/90000" },
      ),
    ],
  },
});
