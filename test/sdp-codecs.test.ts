import { CODEC_RULES } from "../protocol/sdp/rules/codecs.ts";
import {
  answer,
  append,
  expecting,
  inSection,
  insertAfter,
  offer,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

const CHROMIUM = "chromium.max-bundle";

proveRules(CODEC_RULES, {
  "h264-no-profile-level-id": {
    accepted: [
      offer(CHROMIUM),
      answer(CHROMIUM),
      // Other codecs have other parameters.
      offer(CHROMIUM, replace("a=fmtp:98 profile-id=0", "a=fmtp:98 x=y")),
      offer(CHROMIUM, replace(/;profile-level-id=42001f/, "; Profile-Level-Id=42001f")),
      // Nothing lists it.
      offer(CHROMIUM, append(1, "a=rtpmap:77 H264/90000")),
    ],
    refused: [
      expecting(offer(CHROMIUM, remove(/^a=fmtp:102 /)), {
        at: "a=rtpmap:102 H264/90000",
        says: /^payload type 102: /,
      }),
      expecting(answer(CHROMIUM, replace(/^(a=fmtp:102 .*);profile-level-id=42001f$/m, "$1")), {
        at: "a=rtpmap:102 H264/90000",
      }),
      expecting(offer("pion.audio-video-sendrecv", replace(/;profile-level-id=\w+/g, "")), {
        times: 5,
      }),
    ],
  },
  "h264-sprop-parameter-sets": {
    accepted: [
      offer(CHROMIUM),
      offer(CHROMIUM, insertAfter(/^a=fmtp:96 |^a=rtpmap:96 /, "a=fmtp:96 sprop-parameter-sets=x")),
    ],
    refused: [
      expecting(
        offer(
          CHROMIUM,
          replace(/^(a=fmtp:102 .*)$/m, "$1;sprop-parameter-sets=Z0IACpZTBYmI,aMljiA=="),
        ),
        {
          at: "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f;sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==",
          says: /^payload type 102: (?!.*Z0IACpZTBYmI)/,
        },
      ),
    ],
  },
  "opus-rtpmap": {
    accepted: [
      offer(CHROMIUM),
      // GStreamer writes it in capitals.
      offer("gstreamer.audio-video-sendrecv"),
      offer(CHROMIUM, replace("opus/48000/2", "multiopus/48000/6")),
      offer(CHROMIUM, inSection(0, replace(" 111 ", " "))),
    ],
    refused: [
      expecting(offer(CHROMIUM, replace("opus/48000/2", "opus/48000")), {
        at: "a=rtpmap:111 opus/48000",
        says: /^payload type 111: /,
      }),
      expecting(answer(CHROMIUM, replace("opus/48000/2", "opus/16000/2")), {
        at: "a=rtpmap:111 opus/16000/2",
      }),
      expecting(offer(CHROMIUM, replace("opus/48000/2", "OPUS/48000/1")), {
        at: "a=rtpmap:111 OPUS/48000/1",
      }),
    ],
  },
  "mti-audio-missing": {
    accepted: [
      offer(CHROMIUM),
      // 0 and 8 are PCMU and PCMA without an rtpmap.
      offer(CHROMIUM, remove(/^a=rtpmap:[08] /)),
      // An answer lists what it chose.
      answer("gstreamer.audio-video-sendrecv"),
      offer(CHROMIUM, inSection(0, replace(/^m=audio 9 (\S+) .*$/m, "m=audio 0 $1 0"))),
    ],
    refused: [
      expecting(offer("gstreamer.audio-video-sendrecv"), {
        at: "m=audio 9 UDP/TLS/RTP/SAVPF 96",
        says: /^PCMU, PCMA: /,
      }),
      expecting(offer(CHROMIUM, inSection(0, replace(/ 111 63 /, " "))), { says: /^opus: / }),
      expecting(offer(CHROMIUM, inSection(0, replace(/ 0 8 /, " 0 "))), { says: /^PCMA: / }),
    ],
  },
  "mti-telephone-event-missing": {
    accepted: [
      offer(CHROMIUM),
      offer("firefox.recvonly"),
      offer(CHROMIUM, inSection(0, replace(" 110 126", " 126"))),
      answer("aiortc.audio-video-sendrecv"),
    ],
    refused: [
      expecting(offer(CHROMIUM, inSection(0, replace(" 110 126", ""))), { at: /^m=audio / }),
      offer("aiortc.audio-video-sendrecv"),
    ],
  },
  "mti-video-missing": {
    accepted: [
      offer(CHROMIUM),
      offer("pion.audio-video-sendrecv"),
      answer("firefox.recvonly"),
      // Any H264 will do.
      offer(CHROMIUM, inSection(1, replace(" 102 103 104 107 108 109 114 115 116 117 ", " "))),
    ],
    refused: [
      // Firefox without OpenH264.
      expecting(offer("firefox.recvonly"), { at: /^m=video /, says: /^H264: / }),
      expecting(offer("firefox.codec-prefs"), { says: /^VP8, H264: / }),
      expecting(offer(CHROMIUM, inSection(1, replace(" 96 97 ", " "))), { says: /^VP8: / }),
    ],
  },
  "ptime-invalid": {
    accepted: [
      offer(CHROMIUM, append(0, "a=ptime:20", "a=maxptime:1000")),
      offer(CHROMIUM, append(0, "a=ptime:2.5 ", "a=maxptime:1")),
      offer(CHROMIUM, append(2, "a=ptime:0")),
    ],
    refused: [
      expecting(offer(CHROMIUM, append(0, "a=ptime:0")), { at: "a=ptime:0" }),
      expecting(offer(CHROMIUM, append(0, "a=maxptime:1001")), { at: "a=maxptime:1001" }),
      expecting(offer(CHROMIUM, append(0, "a=ptime:20ms")), { at: "a=ptime:20ms" }),
      expecting(answer(CHROMIUM, append(0, "a=ptime")), { at: "a=ptime" }),
      expecting(offer(CHROMIUM, append(0, "a=ptime:0.5", "a=maxptime:-1")), { times: 2 }),
    ],
  },
});
