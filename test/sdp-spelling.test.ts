import { SPELLING_RULES } from "../protocol/sdp/rules/spelling.ts";
import {
  append,
  expecting,
  inSection,
  inSession,
  insertAfter,
  type Mutation,
  offer,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

const CALL = "chromium.connected-host-candidates";
const unended: Mutation = (sdp) => sdp.trimEnd();
const emptied: Mutation = () => "";

proveRules(SPELLING_RULES, {
  "line-end-missing": {
    accepted: [offer(CALL), offer(CALL, replace(/\r\n/g, "\n")), offer(CALL, emptied)],
    refused: [
      expecting(offer(CALL, unended), { at: "a=max-message-size:262144" }),
      offer("firefox.recvonly", unended),
    ],
  },
  "line-ending-cr-only": {
    accepted: [offer(CALL), offer(CALL, replace(/\r\n/g, "\n"))],
    refused: [offer(CALL, replace(/\r\n/g, "\r"))],
  },
  "attribute-syntax": {
    accepted: [
      offer(CALL, append(0, "a=x-own.note:1", "a=f\u{6f}o")),
      offer(CALL, append(0, "a=sendrecv2")),
    ],
    refused: [
      expecting(offer(CALL, append(0, "a=")), { at: "a=" }),
      expecting(offer(CALL, inSession(insertAfter(/^t=/, "a= "))), { at: "a= " }),
      expecting(offer(CALL, append(1, "a=rtcp mux")), { at: "a=rtcp mux" }),
      expecting(offer(CALL, append(1, "a=:x")), { at: "a=:x" }),
    ],
  },
  "connection-syntax": {
    accepted: [
      offer(CALL, inSection(0, replace(/^c=.*$/m, "c=IN IP6 ::"))),
      offer(CALL, inSession(insertAfter(/^s=/, "c=IN IP4 0.0.0.0"))),
    ],
    refused: [
      expecting(offer(CALL, inSection(0, replace(/^c=.*$/m, "c=IN 0.0.0.0"))), {
        at: "c=IN 0.0.0.0",
      }),
      expecting(offer(CALL, inSection(0, replace(/^c=.*$/m, "c=IN IP5 ::1"))), {
        at: "c=IN IP5 ::1",
      }),
      expecting(offer(CALL, inSession(insertAfter(/^s=/, "c=in ip4 0.0.0.0"))), {
        at: "c=in ip4 0.0.0.0",
      }),
    ],
  },
  "session-line-repeated": {
    accepted: [offer(CALL), offer(CALL, inSession(insertAfter(/^t=/, "t=1 2")))],
    refused: [
      expecting(offer(CALL, inSession(insertAfter(/^v=/, "v=0"))), { at: "v=0" }),
      expecting(offer(CALL, inSession(insertAfter(/^s=/, "s=-", "o=- 1 1 IN IP4 0.0.0.0"))), {
        at: "s=-",
        times: 2,
      }),
    ],
  },
  "timing-syntax": {
    accepted: [offer(CALL), offer(CALL, replace("t=0 0", "t=3724394400 3724398000"))],
    refused: [
      expecting(offer(CALL, replace("t=0 0", "t=")), { at: "t=" }),
      expecting(offer(CALL, replace("t=0 0", "t=now")), { at: "t=now" }),
    ],
  },
  "fingerprint-session-several": {
    accepted: [offer("firefox.recvonly"), offer(CALL, append(0, "a=fingerprint:sha-1 AA"))],
    refused: [
      expecting(
        offer(
          "firefox.recvonly",
          inSession(replace(/^(a=fingerprint:.*)$/m, "$1\r\na=fingerprint:sha-1 AA")),
        ),
        {
          at: "a=fingerprint:sha-1 AA",
        },
      ),
    ],
  },
  "blanks-stray": {
    accepted: [
      offer("pion.audio-video-sendrecv"),
      offer(CALL, append(1, "a=fmtp:96 max-fs=1;  max-fr=2")),
    ],
    refused: [
      expecting(offer(CALL, replace("SAVPF 111 63", "SAVPF 111  63")), { at: /SAVPF 111 {2}63/ }),
      expecting(offer(CALL, replace("a=rtcp-fb:111 transport-cc", "a=rtcp-fb: 111 transport-cc")), {
        at: "a=rtcp-fb: 111 transport-cc",
      }),
      expecting(offer(CALL, replace("BUNDLE 0 1 2", "BUNDLE 0  1 2")), {
        at: "a=group:BUNDLE 0  1 2",
      }),
    ],
  },
  "fmtp-syntax": {
    accepted: [offer(CALL)],
    refused: [
      expecting(offer(CALL, append(0, "a=fmtp:111")), { at: "a=fmtp:111" }),
      expecting(offer(CALL, append(0, "a=fmtp:")), { at: "a=fmtp:" }),
    ],
  },
  "rtpmap-clock-rate-range": {
    accepted: [
      offer(CALL, replace("opus/48000/2", "opus/2147483647/2")),
      offer(CALL, replace("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus")),
      offer(CALL, remove(/^a=rtpmap:/)),
    ],
    refused: [
      expecting(offer(CALL, replace("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/2147483648")), {
        at: "a=rtpmap:96 VP8/2147483648",
      }),
      expecting(offer(CALL, replace("opus/48000/2", "opus/0/2")), {
        at: "a=rtpmap:111 opus/0/2",
      }),
      offer(CALL, replace("VP8/90000", "VP8/99999999999999999999")),
    ],
  },
  "rtpmap-static-conflict": {
    accepted: [
      offer(CALL),
      offer(CALL, replace("a=rtpmap:9 G722/8000", "a=rtpmap:9 g722/8000/1")),
      offer(CALL, replace("a=rtpmap:111 opus", "a=rtpmap:111 speex")),
    ],
    refused: [
      expecting(offer(CALL, replace("a=rtpmap:9 G722/8000", "a=rtpmap:9 opus/48000/2")), {
        at: "a=rtpmap:9 opus/48000/2",
        says: "payload type 9",
      }),
      expecting(offer(CALL, replace("a=rtpmap:0 PCMU/8000", "a=rtpmap:0 PCMU/16000")), {
        at: "a=rtpmap:0 PCMU/16000",
      }),
    ],
  },
  "rtcp-mux-inherited": {
    accepted: [offer(CALL), offer(CALL, remove(/^a=rtcp-mux/))],
    refused: [expecting(offer(CALL, inSection(1, remove(/^a=rtcp-mux/))), { at: /^m=video/ })],
  },
  "msid-two-tracks": {
    accepted: [offer("chromium.track-in-two-streams"), offer(CALL, append(0, "a=msid:other"))],
    refused: [expecting(offer(CALL, append(0, "a=msid:other track")), { at: /^a=msid:9704/ })],
  },
  "data-max-message-size-syntax": {
    accepted: [offer(CALL), offer(CALL, append(0, "a=max-message-size:x"))],
    refused: [
      expecting(offer(CALL, replace(/max-message-size:\d+/, "max-message-size:64k")), {
        at: "a=max-message-size:64k",
      }),
      expecting(offer(CALL, replace(/max-message-size:\d+/, "max-message-size:-1")), {
        at: "a=max-message-size:-1",
      }),
    ],
  },
});
