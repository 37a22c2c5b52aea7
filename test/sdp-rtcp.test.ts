import { RTCP_RULES } from "../protocol/sdp/rules/rtcp.ts";
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

const CHROMIUM = "chromium.max-bundle";
const withoutMux = remove(/^a=rtcp-mux$/);
const unbundled = remove(/^a=group:/);

proveRules(RTCP_RULES, {
  "rtcp-mux-missing": {
    accepted: [
      offer(CHROMIUM),
      // Bundled sections have it from the tagged one.
      offer(CHROMIUM, inSection(1, withoutMux)),
      answer(CHROMIUM, inSection(1, withoutMux)),
      offer("node-datachannel.data-channel-only"),
      offer(CHROMIUM, unbundled, inSection(1, withoutMux, replace("m=video 9", "m=video 0"))),
    ],
    refused: [
      expecting(offer(CHROMIUM, withoutMux), { at: /^m=audio /, times: 2, level: "warning" }),
      expecting(offer(CHROMIUM, unbundled, inSection(1, withoutMux)), { at: /^m=video / }),
      expecting(answer(CHROMIUM, withoutMux), { at: /^m=audio /, times: 2, level: "error" }),
      expecting(answer(CHROMIUM, unbundled, inSection(1, withoutMux)), {
        at: /^m=video /,
        level: "warning",
      }),
      // A section without a name is in no bundle.
      expecting(
        answer(
          CHROMIUM,
          replace(/^a=group:.*$/m, "a=group:BUNDLE 0 2"),
          inSection(1, withoutMux, remove(/^a=mid:/)),
        ),
        { at: /^m=video /, level: "warning" },
      ),
      // Exclusive multiplexing alone is none (RFC 8858 s4.2).
      expecting(offer("gstreamer.audio-video-sendrecv", withoutMux), { times: 2 }),
      // Of the session it says nothing (RFC 5761 s8).
      expecting(offer(CHROMIUM, withoutMux, inSession(insertAfter(/^t=/, "a=rtcp-mux"))), {
        times: 2,
      }),
    ],
  },
  "rtcp-mux-only-without-mux": {
    accepted: [
      offer("gstreamer.audio-video-sendrecv"),
      offer("gstreamer.audio-video-sendrecv", inSection(1, withoutMux)),
      offer(CHROMIUM, withoutMux),
      answer(CHROMIUM, replace(/^a=rtcp-mux$/gm, "a=rtcp-mux-only")),
    ],
    refused: [
      expecting(offer("gstreamer.audio-video-sendrecv", withoutMux), {
        times: 2,
        at: "a=rtcp-mux-only",
      }),
      expecting(
        offer(CHROMIUM, unbundled, inSection(1, replace("a=rtcp-mux", "a=rtcp-mux-only"))),
        { at: "a=rtcp-mux-only" },
      ),
    ],
  },
  "rtcp-mux-only-in-answer": {
    accepted: [
      answer("gstreamer.audio-video-sendrecv"),
      answer("chromium-to-gstreamer.recvonly"),
      offer("gstreamer.audio-video-sendrecv"),
    ],
    refused: [
      expecting(answer(CHROMIUM, append(0, "a=rtcp-mux-only", "a=rtcp-mux-only")), {
        at: "a=rtcp-mux-only",
      }),
    ],
  },
  "rtcp-mux-component-2": {
    accepted: [
      offer(CHROMIUM),
      // Without rtcp-mux they are needed.
      offer("firefox.legacy-profile-RTP-AVP", withoutMux),
      offer(CHROMIUM, insertAfter(/^a=candidate:/, "a=candidate:2 2 udp")),
    ],
    refused: [
      expecting(offer("firefox.legacy-profile-RTP-AVP"), {
        at: /^a=candidate:0 2 UDP /,
        says: /^(?!.*192\.0\.2)/,
      }),
      // Pion writes RTCP candidates that are those of RTP.
      expecting(offer("pion.audio-video-sendrecv"), { at: /^a=candidate:2070692838 2 udp / }),
      expecting(answer("firefox-to-pion.recvonly"), { at: /^a=candidate:\d+ 2 udp / }),
    ],
  },
  "rtcp-rsize-absent": {
    accepted: [
      offer(CHROMIUM),
      offer(CHROMIUM, inSection(1, remove(/^a=rtcp-rsize$/))),
      offer("node-datachannel.data-channel-only"),
    ],
    refused: [
      // Firefox says it for video alone, and the section of audio is the tagged one.
      expecting(offer("firefox.recvonly"), { at: /^m=audio / }),
      expecting(offer("werift.audio-video-sendrecv"), { at: /^m=audio /, times: 2 }),
      expecting(answer(CHROMIUM, remove(/^a=rtcp-rsize$/)), { times: 2 }),
    ],
  },
  "rtcp-disabled": {
    accepted: [
      offer(CHROMIUM, inSection(0, insertAfter(/^c=/, "b=RS:0"))),
      offer(CHROMIUM, inSection(0, insertAfter(/^c=/, "b=RS:0", "b=RR:800"))),
      // What a section says comes before what the session says.
      offer(
        CHROMIUM,
        inSession(insertAfter(/^s=/, "b=RS:0", "b=RR:0")),
        replace(/^c=.*$/gm, "$&\r\nb=RR:800"),
      ),
      offer(CHROMIUM, inSection(0, insertAfter(/^c=/, "b=RS:0", "b=RR:0", "b=RR:800"))),
      offer(CHROMIUM, inSection(2, insertAfter(/^c=/, "b=RS:0", "b=RR:0"))),
    ],
    refused: [
      expecting(offer(CHROMIUM, inSection(0, insertAfter(/^c=/, "b=RS:0", "b=RR:0"))), {
        at: "b=RR:0",
      }),
      expecting(answer(CHROMIUM, inSession(insertAfter(/^s=/, "b=RS:0", "b=RR:0"))), {
        at: "b=RR:0",
        times: 2,
      }),
      expecting(
        offer(
          CHROMIUM,
          inSession(insertAfter(/^s=/, "b=RS:0", "b=RR:800")),
          inSection(1, insertAfter(/^c=/, "b=RR:0")),
        ),
        { at: "b=RR:0" },
      ),
    ],
  },
  "rtcp-attr-mismatch": {
    accepted: [
      offer(CHROMIUM),
      offer("werift.audio-video-sendrecv"),
      offer("pion.audio-video-sendrecv"),
      // A port by itself names no address.
      offer(CHROMIUM, replace(/^a=rtcp:9 .*$/gm, "a=rtcp:9")),
      offer(CHROMIUM, replace(/^a=rtcp:9 IN IP4/gm, "a=rtcp:10 in ip4")),
      // One line for the whole session, with the lifetime of multicast packets.
      offer(CHROMIUM, remove(/^c=/), inSession(insertAfter(/^s=/, "c=IN IP4 0.0.0.0/127"))),
      offer(CHROMIUM, remove(/^c=/)),
      offer(CHROMIUM, replace(/^c=.*$/gm, "c=IN IP4")),
    ],
    refused: [
      expecting(
        offer(CHROMIUM, inSection(1, replace(/^a=rtcp:9 .*$/m, "a=rtcp:9 IN IP4 192.0.2.1"))),
        { at: "a=rtcp:9 IN IP4 192.0.2.1", says: /^(?!.*192\.0\.2)/ },
      ),
      expecting(offer("firefox.recvonly"), { at: /^a=rtcp:\d+ IN IP4 .*\.local$/, times: 2 }),
      expecting(
        answer(CHROMIUM, remove(/^c=/), inSession(insertAfter(/^s=/, "c=IN IP6 fd00::2"))),
        { times: 2, at: "a=rtcp:9 IN IP4 0.0.0.0" },
      ),
    ],
  },
  "feedback-no-pli": {
    accepted: [
      offer(CHROMIUM),
      // One payload type that has it is enough, and `*` is all of them.
      offer(CHROMIUM, remove(/^a=rtcp-fb:(?!96 )\d+ nack pli$/)),
      offer(CHROMIUM, remove(/ nack pli$/), append(1, "a=rtcp-fb:* NACK PLI")),
    ],
    refused: [
      expecting(offer(CHROMIUM, remove(/ nack pli$/)), { at: /^m=video / }),
      expecting(answer(CHROMIUM, replace(/ nack pli$/gm, " nack sli")), { at: /^m=video / }),
      // Of a payload type that is not listed.
      expecting(offer(CHROMIUM, remove(/ nack pli$/), append(1, "a=rtcp-fb:77 nack pli")), {}),
    ],
  },
  "feedback-no-fir": {
    accepted: [offer(CHROMIUM), offer("firefox.recvonly"), offer("aiortc.data-channel-only")],
    refused: [
      expecting(offer("aiortc.audio-video-sendrecv"), { at: /^m=video / }),
      expecting(offer(CHROMIUM, replace(/ ccm fir$/gm, " ccm")), {}),
    ],
  },
  "feedback-no-nack": {
    accepted: [
      // Pion ends it with a blank.
      offer("pion.audio-video-sendrecv"),
      offer("aiortc.audio-video-sendrecv"),
      // Audio does without.
      offer("firefox.add-remove-track.1-audio"),
    ],
    refused: [
      // PLI is another kind of feedback.
      expecting(offer(CHROMIUM, remove(/ nack$/)), { at: /^m=video / }),
      expecting(answer("gstreamer.audio-video-sendrecv"), { at: /^m=video / }),
    ],
  },
  "rtx-not-offered": {
    accepted: [offer(CHROMIUM), offer("gstreamer.audio-video-sendrecv")],
    refused: [
      expecting(offer("werift.audio-video-sendrecv"), { at: "m=video 9 UDP/TLS/RTP/SAVPF 98" }),
      // An rtpmap alone offers nothing.
      expecting(offer("gstreamer.audio-video-sendrecv", inSection(1, replace(" 97 98", " 97"))), {
        at: "m=video 0 UDP/TLS/RTP/SAVPF 97",
      }),
    ],
  },
  "feedback-no-tmmbr": {
    accepted: [
      offer(CHROMIUM, append(1, "a=rtcp-fb:* ccm tmmbr smaxpr=120")),
      offer("firefox.add-remove-track.1-audio"),
    ],
    refused: [expecting(offer(CHROMIUM), { at: /^m=video / })],
  },
  "feedback-no-congestion": {
    accepted: [
      offer(CHROMIUM),
      offer("aiortc.audio-video-sendrecv"),
      // Who sends nothing needs none.
      offer(
        "werift.audio-video-sendrecv",
        remove(/ goog-remb$/),
        inSection(1, replace("a=sendrecv", "a=recvonly")),
      ),
      offer(
        "werift.audio-video-sendrecv",
        remove(/ goog-remb$/),
        append(1, "a=rtcp-fb:* ack ccfb"),
      ),
    ],
    refused: [
      expecting(answer("pion-to-aiortc.audio-video-sendrecv"), { at: /^m=video / }),
      expecting(
        offer(
          "werift.audio-video-sendrecv",
          remove(/ goog-remb$/),
          inSection(1, replace("a=sendrecv", "a=sendonly")),
        ),
        { at: /^m=video / },
      ),
    ],
  },
  "cvo-not-negotiated": {
    accepted: [
      offer(CHROMIUM),
      answer("firefox.recvonly"),
      // Listed for the whole session.
      offer(
        CHROMIUM,
        remove(/^a=extmap:/),
        inSession(insertAfter(/^t=/, "a=extmap:13 urn:3gpp:video-orientation")),
      ),
    ],
    refused: [
      expecting(offer("firefox.recvonly"), { at: /^m=video / }),
      expecting(offer(CHROMIUM, remove(/video-orientation/)), { at: /^m=video / }),
      // A section with a list of its own has not that of the session.
      expecting(
        offer(
          CHROMIUM,
          remove(/video-orientation/),
          inSession(insertAfter(/^t=/, "a=extmap:13 urn:3gpp:video-orientation")),
        ),
        {},
      ),
    ],
  },
});
