import { PAIR_FEEDBACK_RULES } from "../protocol/sdp/rules/pair-feedback.ts";
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

/** Video whose only feedback is of these types. */
const video = (...types: string[]): readonly Mutation[] => [
  inSection(1, remove(/^a=rtcp-fb:/)),
  append(1, ...types.map((type) => `a=rtcp-fb:${type}`)),
];

const direction = (by: string): Mutation => inSection(1, replace("a=sendrecv", `a=${by}`));

proveRules(PAIR_FEEDBACK_RULES, {
  "rtcp-rsize-not-offered": {
    accepted: [
      pair(BUNDLE),
      pair(BUNDLE, { answer: [remove(/^a=rtcp-rsize$/)] }),
      // A bundled section shares what the tagged one says.
      pair(BUNDLE, { offer: [inSection(1, remove(/^a=rtcp-rsize$/))] }),
      pair(BUNDLE, {
        offer: [remove(/^a=(?:rtcp-rsize$|group:)/)],
        answer: [remove(/^a=rtcp-rsize$/), append(2, "a=rtcp-rsize")],
      }),
    ],
    refused: [
      expecting(pair("firefox-to-pion.audio-video-sendrecv"), { at: "a=rtcp-rsize" }),
      expecting(pair(BUNDLE, { offer: [remove(/^a=rtcp-rsize$/)] }), {
        at: "a=rtcp-rsize",
        times: 2,
      }),
    ],
  },
  "rtcp-rgrp-not-offered": {
    accepted: [
      pair(BUNDLE),
      pair(BUNDLE, { offer: [append(1, "a=rtcp-rgrp")] }),
      pair(BUNDLE, { offer: [append(1, "a=rtcp-rgrp")], answer: [append(1, "a=rtcp-rgrp")] }),
    ],
    refused: [
      expecting(pair(BUNDLE, { answer: [append(1, "a=rtcp-rgrp")] }), { at: "a=rtcp-rgrp" }),
    ],
  },
  "rtcp-fb-not-offered": {
    accepted: [
      pair(BUNDLE),
      pair("chromium-to-aiortc.audio-video-sendrecv"),
      pair(BUNDLE, { answer: [inSection(1, remove(/^a=rtcp-fb:96 nack$/))] }),
      // Its letters, its values and the format that it was offered for do not matter.
      pair(BUNDLE, { answer: [append(1, "a=rtcp-fb:* NACK PLI")] }),
      pair(BUNDLE, {
        offer: [append(1, "a=rtcp-fb:* trr-int 100", "a=rtcp-fb:96 ccm tmmbr smaxpr=120")],
        answer: [append(1, "a=rtcp-fb:96 trr-int 4000", "a=rtcp-fb:98 ccm tmmbr")],
      }),
    ],
    refused: [
      expecting(
        pair(BUNDLE, { answer: [append(1, "a=rtcp-fb:96 ccm tmmbr", "a=rtcp-fb:98 ccm tmmbr")] }),
        { at: "a=rtcp-fb:96 ccm tmmbr", says: /^ccm tmmbr: / },
      ),
      expecting(
        pair(BUNDLE, { answer: [append(0, "a=rtcp-fb:111 nack", "a=rtcp-fb:* trr-int 9")] }),
        {
          at: "a=rtcp-fb:111 nack",
          times: 2,
        },
      ),
      // nack alone offers no picture loss indication.
      expecting(
        pair(BUNDLE, {
          offer: [inSection(1, remove(/^a=rtcp-fb:\d+ nack pli$/))],
        }),
        { at: "a=rtcp-fb:96 nack pli" },
      ),
    ],
  },
  "congestion-feedback-mismatch": {
    accepted: [
      pair(BUNDLE),
      pair("chromium-to-aiortc.audio-video-sendrecv"),
      pair("firefox-to-pion.audio-video-sendrecv"),
      pair("chromium-to-janus.videoroom-publish"),
      pair(BUNDLE, { answer: video("* GOOG-REMB") }),
      pair(BUNDLE, { offer: video("* ack ccfb", "96 nack"), answer: video("96 ack ccfb") }),
      // No video flows.
      pair(BUNDLE, {
        offer: [direction("inactive")],
        answer: [direction("inactive"), ...video("* nack")],
      }),
      pair(BUNDLE, {
        offer: [direction("sendonly")],
        answer: [direction("inactive"), ...video("* nack")],
      }),
      pair(BUNDLE, {
        offer: [direction("recvonly")],
        answer: [direction("inactive"), ...video("* nack")],
      }),
      pair(BUNDLE, {
        answer: [inSection(1, replace("m=video 9", "m=video 0"), remove(/^a=rtcp-fb:/))],
      }),
    ],
    refused: [
      expecting(pair("pion-to-aiortc.audio-video-sendrecv"), { at: /^m=video / }),
      expecting(pair("pion-to-gstreamer.audio-video-sendrecv"), { at: /^m=video / }),
      expecting(pair(BUNDLE, { offer: video("* goog-remb"), answer: video("* transport-cc") }), {
        at: /^m=video /,
      }),
      // Feedback on a format that is not listed is feedback on nothing.
      expecting(pair(BUNDLE, { answer: video("77 transport-cc", "96 nack") }), { at: /^m=video / }),
      expecting(
        pair(BUNDLE, {
          offer: [direction("sendonly")],
          answer: [direction("recvonly"), ...video("* nack")],
        }),
        { at: /^m=video / },
      ),
      expecting(
        pair(BUNDLE, {
          offer: [direction("recvonly")],
          answer: [direction("sendonly"), ...video("* nack")],
        }),
        { at: /^m=video / },
      ),
    ],
  },
});
