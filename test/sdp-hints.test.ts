import { HINT_RULES } from "../protocol/sdp/rules/hints.ts";
import {
  answer,
  append,
  expecting,
  inSection,
  inSession,
  insertAfter,
  offer,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

const CALL = "chromium.hold-resume.1-initial";
const PROFILE = "UDP/TLS/RTP/SAVPF";
const TURN = "chromium.turn-all-candidates";

/** Puts another profile on every m-line. */
const profiled = (profile: string) => replace(new RegExp(PROFILE, "g"), profile);

proveRules(HINT_RULES, {
  "legacy-profile-label": {
    accepted: [
      offer(CALL),
      offer(CALL, profiled("UDP/TLS/RTP/SAVP")),
      offer(CALL, profiled("TCP/DTLS/RTP/SAVPF")),
      offer("chromium.legacy-profile-RTP-AVPF"),
    ],
    refused: [
      // Once for the peer, not for every section.
      expecting(offer("chromium.legacy-profile-RTP-SAVPF"), { at: /^m=audio \d+ RTP\/SAVPF / }),
      expecting(answer("chromium.legacy-profile-RTP-SAVP"), { at: /^m=audio \d+ RTP\/SAVP / }),
      expecting(offer(CALL, inSection(1, profiled("RTP/SAVPF"))), { at: /^m=video / }),
    ],
  },
  "legacy-avp-peer": {
    accepted: [
      offer(CALL),
      offer("firefox.add-remove-track.1-audio"),
      offer("aiortc.data-channel-only"),
      offer(CALL, inSection(0, remove(/^a=rtcp-fb/))),
      offer(CALL, profiled("UDP/TLS/RTP/SAVP"), replace(/^m=(\w+) \d+/gm, "m=$1 0")),
    ],
    refused: [
      expecting(offer("firefox.legacy-profile-RTP-AVP"), { at: /^m=audio \d+ RTP\/AVP / }),
      expecting(offer(CALL, inSection(1, profiled("UDP/TLS/RTP/SAVP"))), { at: /^m=video / }),
      expecting(offer(CALL, remove(/^a=rtcp-fb/)), { at: /^m=audio / }),
      expecting(offer("pion.relay-only"), { at: /^m=audio / }),
    ],
  },
  "legacy-trr-int-missing": {
    accepted: [
      offer(CALL, remove(/^a=rtcp-fb/)),
      offer(CALL, profiled("RTP/AVP")),
      offer(
        CALL,
        profiled("RTP/SAVP"),
        remove(/^a=rtcp-fb/),
        append(0, "a=rtcp-fb:* trr-int 4000"),
        append(1, "a=rtcp-fb:* trr-int 4000"),
      ),
    ],
    refused: [
      expecting(offer(CALL, profiled("RTP/AVP"), remove(/^a=rtcp-fb/)), { at: /^m=audio / }),
      expecting(offer(CALL, profiled("UDP/TLS/RTP/SAVP"), inSection(1, remove(/^a=rtcp-fb/))), {
        at: /^m=video /,
      }),
    ],
  },
  "legacy-no-mux": {
    accepted: [
      offer(CALL),
      offer("aiortc.data-channel-only"),
      // A bundled section shares the transport of the first.
      offer(CALL, inSection(1, remove(/^a=rtcp-mux$/))),
      offer(CALL, replace(/^a=rtcp-mux$/gm, "a=rtcp-mux-only")),
    ],
    refused: [
      expecting(offer(CALL, remove(/^a=rtcp-mux$/)), { at: /^m=audio / }),
      expecting(offer(CALL, remove(/^a=group/), inSection(1, remove(/^a=rtcp-mux$/))), {
        at: /^m=video /,
      }),
    ],
  },
  "legacy-no-bundle": {
    accepted: [
      offer(CALL),
      offer("aiortc.data-channel-only", remove(/^a=group/)),
      offer(CALL, remove(/^a=group/), replace(/^m=video \d+/m, "m=video 0")),
    ],
    refused: [
      expecting(offer(CALL, remove(/^a=group/)), { at: /^m=video / }),
      expecting(answer(CALL, replace(/^a=group:BUNDLE.*$/m, "a=group:BUNDLE")), {
        at: /^m=video /,
      }),
      expecting(offer(CALL, replace("a=group:BUNDLE", "a=group:LS")), { at: /^m=video / }),
    ],
  },
  "legacy-no-mid": {
    accepted: [offer(CALL), offer(CALL, remove(/^a=group/))],
    refused: [
      expecting(offer("firefox.no-mid"), { at: /^m=audio / }),
      expecting(offer(CALL, inSection(1, remove(/^a=mid/))), { at: /^m=video / }),
    ],
  },
  "legacy-data": {
    accepted: [
      offer("chromium-to-werift.data-channel-only"),
      offer("aiortc.data-channel-only", remove(/^a=sctpmap/)),
      offer("aiortc.data-channel-only", replace("DTLS/SCTP 5000", "UDP/DTLS/SCTP 5000")),
    ],
    refused: [
      expecting(offer("aiortc.data-channel-only"), {
        at: "a=sctpmap:5000 webrtc-datachannel 65535",
      }),
    ],
  },
  "legacy-plan-b": {
    accepted: [offer(CALL), offer("chromium.track-in-two-streams")],
    refused: [
      expecting(
        offer(
          CALL,
          insertAfter(
            /^a=ssrc:2319052515 msid/,
            "a=ssrc:77777777 cname:i6RrENo+knEbnped",
            "a=ssrc:77777777 msid:d6403110-eb5b-406a-8a15-7187a1fad58b another-track",
          ),
        ),
        { at: "a=ssrc:77777777 cname:i6RrENo+knEbnped" },
      ),
    ],
  },
  "legacy-sdes": {
    accepted: [
      offer(CALL),
      offer(CALL, append(0, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret")),
      offer(CALL, remove(/^a=fingerprint/)),
    ],
    refused: [
      expecting(
        offer(
          CALL,
          replace(/^a=fingerprint.*$/gm, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret"),
        ),
        { at: /^a=crypto:1 /, says: /^(?!.*secret)/ },
      ),
    ],
  },
  "legacy-no-trickle": {
    accepted: [
      offer(CALL),
      offer("firefox.recvonly"),
      // It puts a comma between the options.
      offer("node-datachannel.audio-video-data"),
      offer(CALL, inSection(0, remove(/^a=ice-options/))),
      offer(CALL, replace(/trickle/g, "ice2 renomination trickle")),
      offer(CALL, remove(/^a=ice-options/), replace(/^m=(\w+) \d+/gm, "m=$1 0")),
    ],
    refused: [
      expecting(offer("aiortc.data-channel-only"), { at: /^m=application / }),
      expecting(offer(CALL, remove(/^a=ice-options/)), { at: /^m=audio / }),
      expecting(offer(CALL, replace(/trickle/g, "no-trickle")), { at: /^m=audio / }),
    ],
  },
  "single-codec-peer": {
    accepted: [
      offer(CALL),
      offer("aiortc.data-channel-only"),
      offer("pion.relay-only"),
      offer("werift.audio-video-sendrecv", append(1, "m=video 9 UDP/TLS/RTP/SAVPF 34")),
      offer(
        "werift.audio-video-sendrecv",
        append(1, "m=video 9 UDP/TLS/RTP/SAVPF 100", "a=rtpmap:100 H264/90000"),
      ),
    ],
    refused: [
      expecting(offer("werift.audio-video-sendrecv"), { at: /^m=video /, says: /^vp8: / }),
      // Repair of the one codec is none of its own.
      expecting(offer("gstreamer.audio-video-sendrecv"), { at: /^m=video / }),
      expecting(offer("firefox.codec-prefs"), { says: /^av1: / }),
      expecting(
        offer("werift.audio-video-sendrecv", replace(/^m=video .*$/m, "m=video 9 RTP/AVP 34")),
        {
          says: /^payload type 34: /,
        },
      ),
    ],
  },
  "tcp-only-candidates": {
    accepted: [
      offer(CALL),
      offer("gstreamer.audio-video-sendrecv"),
      offer("chromium.trickle-no-candidates"),
      offer(CALL, inSection(0, replace(/ udp /g, " tcp "))),
      offer(CALL, remove(/^a=candidate/), append(0, "a=candidate:foo")),
    ],
    refused: [
      expecting(offer("gstreamer.audio-video-sendrecv", remove(/^a=candidate:\d+ \d UDP/)), {
        at: "a=candidate:2 1 TCP 1015021823 192.0.2.2 9 typ host tcptype active",
      }),
      expecting(offer(CALL, replace(/ udp /g, " ssltcp ")), { at: /^a=candidate:/ }),
    ],
  },
  "mdns-only": {
    accepted: [
      offer(TURN),
      offer("chromium.trickle-no-candidates"),
      offer("aiortc.data-channel-only"),
      offer(
        CALL,
        append(1, "a=candidate:1 1 udp 1677729535 192.0.2.9 4000 typ srflx raddr 0.0.0.0 rport 0"),
      ),
      offer(CALL, append(1, "a=candidate:1 1 udp 2113937151 192.0.2.9 4000 typ host")),
      offer(CALL, replace(/\.local /g, ".local.example ")),
    ],
    refused: [
      expecting(offer(CALL), {
        at: /^a=candidate:1355696588 1 udp \d+ [-\w]+\.local 36932 typ host/,
      }),
      expecting(offer("firefox.recvonly"), {}),
      expecting(offer(CALL, replace(/\.local /g, ".LOCAL ")), {}),
    ],
  },
  "sfu-suspected": {
    accepted: [
      offer(CALL),
      offer("chromium.two-video-tracks", replace(/^a=sendrecv$/gm, "a=sendonly"), (sdp) =>
        // Camera and microphone in one stream, the screen in another.
        sdp.replaceAll(
          "8a7a4cc2-4748-4ede-bf1d-4c793af1e2ae b18",
          "ccf1f2c9-03f2-4882-9708-36ff6afa4beb b18",
        ),
      ),
      offer("chromium.two-video-tracks"),
      offer(
        "chromium.two-video-tracks",
        replace(/^a=sendrecv$/gm, "a=sendonly"),
        inSection(2, replace(/ba178cfa-b6a7-4bc3-a6c6-0fb261ee128c/g, "-")),
      ),
      // What it says for a rejected section does not count.
      offer(
        "chromium.two-video-tracks",
        replace(/^a=sendrecv$/gm, "a=sendonly"),
        inSection(2, replace(/^m=video \d+/, "m=video 0")),
      ),
    ],
    refused: [
      expecting(
        offer(
          CALL,
          inSession((part) => `${part}a=ice-lite\r\n`),
        ),
        { at: "a=ice-lite" },
      ),
      expecting(offer("janus-to-chromium.videoroom-subscribe.1-initial"), { at: /^m=audio / }),
      expecting(answer("chromium-to-janus.audiobridge-mixer"), { at: /^m=audio / }),
      expecting(offer(CALL, inSection(1, replace(/cname:\S+/, "cname:janus"))), {
        at: /^m=video /,
      }),
      expecting(offer("chromium.two-video-tracks", replace(/^a=sendrecv$/gm, "a=sendonly")), {
        at: /^m=video /,
      }),
    ],
  },
  "simulcast-needs-sfu": {
    accepted: [
      offer(CALL),
      answer("werift.simulcast-3-rids"),
      offer("chromium.simulcast-3-rids.sfu-answer", replace(/send q;h;f/, "recv q;h;f")),
    ],
    refused: [
      expecting(offer("chromium.simulcast-3-rids.sfu-answer"), { at: "a=simulcast:send q;h;f" }),
      expecting(offer("firefox-to-chromium.simulcast-3-rids"), { at: "a=simulcast:send q;h;f" }),
    ],
  },
});
