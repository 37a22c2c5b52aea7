import { DATA_CHANNEL_RULES } from "../protocol/sdp/rules/data-channel.ts";
import {
  answer,
  append,
  expecting,
  insertAfter,
  type Mutation,
  offer,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

const plain = "chromium-to-firefox.data-channel-only";
const legacy = "aiortc-to-firefox.data-channel-only";
/** Audio, video and data. */
const three = "chromium.connected-host-candidates";

const mediaLine = (rest: string): Mutation =>
  replace(/^m=application .*$/m, `m=application ${rest}`);

/** The data section once more, of mid `again`. */
const again =
  (port: number): Mutation =>
  (sdp) => {
    const section = sdp.slice(sdp.lastIndexOf("m="));
    return (
      sdp +
      section
        .replace(/^m=application \d+/, `m=application ${port}`)
        .replace(/^a=mid:.*$/m, "a=mid:again")
    );
  };
const bundled = replace(/^(a=group:BUNDLE .*)$/m, "$1 again");

proveRules(DATA_CHANNEL_RULES, {
  "data-proto-unknown": {
    accepted: [
      offer(plain),
      offer(legacy),
      offer(plain, mediaLine("9 TCP/DTLS/SCTP webrtc-datachannel")),
      offer(plain, mediaLine("9 udp/dtls/sctp webrtc-datachannel")),
      offer(plain, mediaLine("0 FOO x")),
      offer(three, replace(/^m=audio 55052 \S+/m, "m=audio 55052 FOO")),
    ],
    refused: [
      expecting(offer(plain, mediaLine("9 FOO x")), {
        at: "m=application 9 FOO x",
        says: /^FOO: /,
      }),
      offer(plain, mediaLine("9 SCTP webrtc-datachannel")),
      offer(plain, mediaLine("9 UDP/SCTP webrtc-datachannel")),
      expecting(offer(plain, mediaLine("9 UDP/TLS/BFCP *")), { level: "info" }),
      expecting(offer(plain, mediaLine("9 TCP/TLS/MSRP *")), { level: "info" }),
      expecting(offer(plain, mediaLine("9 RTP/AVP 100")), { level: "info" }),
    ],
  },
  "data-proto-legacy": {
    accepted: [offer(plain)],
    refused: [
      expecting(offer(legacy), { at: /^m=application \d+ DTLS\/SCTP 5000$/ }),
      expecting(answer(legacy), { at: /^m=application \d+ DTLS\/SCTP 5000$/ }),
    ],
  },
  "data-sctpmap-missing": {
    accepted: [offer(legacy), offer(plain)],
    refused: [
      expecting(offer(legacy, remove(/^a=sctpmap/)), { at: /^m=application/, level: "error" }),
      expecting(offer(plain, mediaLine("9 DTLS/SCTP webrtc-datachannel")), { level: "warning" }),
    ],
  },
  "data-fmt-unknown": {
    accepted: [offer(plain), offer(legacy)],
    refused: [
      expecting(offer(plain, mediaLine("9 UDP/DTLS/SCTP 5000")), {
        at: "m=application 9 UDP/DTLS/SCTP 5000",
      }),
    ],
  },
  "data-fmt-count": {
    accepted: [offer(plain), offer(legacy)],
    refused: [
      expecting(offer(plain, mediaLine("9 UDP/DTLS/SCTP webrtc-datachannel webrtc-datachannel")), {
        at: /^m=application/,
      }),
      expecting(offer(plain, mediaLine("9 UDP/DTLS/SCTP")), { at: /^m=application/ }),
    ],
  },
  "data-sctp-port-missing": {
    accepted: [offer(plain), offer(legacy)],
    refused: [expecting(offer(plain, remove(/^a=sctp-port/)), { at: /^m=application/ })],
  },
  "data-sctp-port-range": {
    accepted: [
      offer(plain, replace("a=sctp-port:5000", "a=sctp-port:65535 ")),
      offer(plain, replace("a=sctp-port:5000", "a=sctp-port:0")),
      offer(three, append(0, "a=sctp-port:70000")),
    ],
    refused: [
      expecting(offer(plain, replace("a=sctp-port:5000", "a=sctp-port:65536")), {
        at: "a=sctp-port:65536",
      }),
      expecting(offer(plain, replace("a=sctp-port:5000", "a=sctp-port:05000")), {
        at: "a=sctp-port:05000",
      }),
      expecting(offer(plain, replace("a=sctp-port:5000", "a=sctp-port")), { at: "a=sctp-port" }),
      expecting(answer(plain, replace("a=sctp-port:5000", "a=sctp-port:any")), {
        at: "a=sctp-port:any",
      }),
    ],
  },
  "data-sctp-port-zero": {
    accepted: [offer(plain), offer(legacy)],
    refused: [
      expecting(offer(plain, replace("a=sctp-port:5000", "a=sctp-port:0")), {
        at: "a=sctp-port:0",
      }),
    ],
  },
  "data-max-message-size-absent": {
    accepted: [offer(plain), offer(legacy)],
    refused: [
      expecting(offer("gstreamer-to-chromium.data-channel-only"), { at: /^m=application/ }),
    ],
  },
  "data-max-message-size-zero": {
    accepted: [offer(plain), offer("gstreamer-to-chromium.data-channel-only")],
    refused: [
      expecting(offer(plain, replace(/^a=max-message-size:.*$/m, "a=max-message-size:0")), {
        at: "a=max-message-size:0",
      }),
    ],
  },
  "data-two-sections": {
    accepted: [
      offer(three),
      // Not in the bundle, and rejected.
      offer(three, again(9)),
      offer(three, again(0), bundled),
    ],
    refused: [
      expecting(offer(three, again(9), bundled), {
        at: "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
      }),
    ],
  },
  "data-direction-ignored": {
    accepted: [offer(three), offer(three, insertAfter(/^t=/, "a=sendrecv"))],
    refused: [
      expecting(offer("pion.audio-video-data"), { at: "a=sendrecv" }),
      expecting(offer(plain, append(0, "a=inactive")), { at: "a=inactive" }),
    ],
  },
});
