import { PAIR_DATA_CHANNEL_RULES } from "../protocol/sdp/rules/pair-data-channel.ts";
import {
  expecting,
  inSection,
  type Mutation,
  pair,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

const DATA = "chromium.max-bundle";
const media = (by: string): Mutation => replace(/^m=application.*$/m, `m=application ${by}`);
const size = (value: string): Mutation =>
  replace(/^a=max-message-size:.*$/m, `a=max-message-size:${value}`);
const withoutSize = remove(/^a=max-message-size/);

proveRules(PAIR_DATA_CHANNEL_RULES, {
  "data-proto-answer-differs": {
    accepted: [
      pair(DATA),
      pair("aiortc-to-chromium.data-channel-only"),
      pair(DATA, { answer: [media("9 udp/dtls/sctp webrtc-datachannel")] }),
      pair(DATA, { answer: [media("0 DTLS/SCTP 5000")] }),
      // Neither is this the protocol of RTP sections nor of other applications.
      pair(DATA, { answer: [replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF")] }),
      pair(DATA, { answer: [media("9 TCP/TLS/BFCP *")] }),
      pair(DATA, { offer: [media("9 TCP/TLS/BFCP *")] }),
    ],
    refused: [
      expecting(pair("aiortc-to-pion.data-channel-only"), {
        at: "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        says: "DTLS/SCTP answered with UDP/DTLS/SCTP",
      }),
      expecting(pair(DATA, { answer: [media("9 DTLS/SCTP 5000")] }), {
        at: "m=application 9 DTLS/SCTP 5000",
      }),
      expecting(pair(DATA, { answer: [media("9 TCP/DTLS/SCTP webrtc-datachannel")] }), {
        at: "m=application 9 TCP/DTLS/SCTP webrtc-datachannel",
      }),
    ],
  },
  "data-fmt-mismatch": {
    accepted: [
      pair(DATA),
      pair(DATA, { answer: [media("9 UDP/DTLS/SCTP WebRTC-DataChannel")] }),
      // In the older form the format is a port of one's own.
      pair("aiortc.data-channel-only", {
        answer: [inSection(0, replace(/^(m=.*) 5000$/m, "$1 5001"))],
      }),
      pair("aiortc-to-pion.data-channel-only"),
      pair(DATA, { answer: [media("0 UDP/DTLS/SCTP bfcp")] }),
    ],
    refused: [
      expecting(pair(DATA, { answer: [media("9 UDP/DTLS/SCTP bfcp")] }), {
        at: "m=application 9 UDP/DTLS/SCTP bfcp",
      }),
      expecting(
        pair(DATA, { answer: [media("9 UDP/DTLS/SCTP webrtc-datachannel webrtc-datachannel")] }),
        { at: /^m=application/ },
      ),
      expecting(pair(DATA, { answer: [media("9 UDP/DTLS/SCTP 5000")] }), { at: /^m=application/ }),
    ],
  },
  "data-max-message-size-asymmetric": {
    accepted: [
      pair(DATA),
      pair("aiortc.data-channel-only"),
      // Nothing said is 64 KiB.
      pair("werift-to-pion.data-channel-only"),
      pair("pion.audio-video-data"),
      pair(DATA, { offer: [size("0")], answer: [size("0")] }),
      pair(DATA, { answer: [size("many")] }),
      pair(DATA, { offer: [size("many")] }),
    ],
    refused: [
      expecting(pair("chromium-to-firefox.data-channel-only"), {
        at: "a=max-message-size:1073741823",
        says: "offer 262144 bytes, answer 1073741823 bytes",
      }),
      expecting(pair("chromium-to-janus.echotest-av-data"), {
        at: /^m=application/,
        says: "offer 262144 bytes, answer 65536 bytes",
      }),
      expecting(pair(DATA, { answer: [size("0")] }), {
        at: "a=max-message-size:0",
        says: "offer 262144 bytes, answer any size",
      }),
      expecting(pair(DATA, { offer: [withoutSize] }), { at: "a=max-message-size:262144" }),
    ],
  },
});
