import { PAIR_SIMULCAST_RULES } from "../protocol/sdp/rules/pair-simulcast.ts";
import {
  append,
  expecting,
  inSection,
  insertAfter,
  type Mutation,
  pair,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

/** Chromium sends q, h and f; an SFU receives them. */
const SFU = "chromium.simulcast-3-rids.sfu-answer";
/** libdatachannel repeats the offer's `send`. */
const COPIED = "chromium-to-node-datachannel.simulcast-3-rids";

const withoutSimulcast = remove(/^a=simulcast:/);
const withoutRids = remove(/^a=rid:/);
const simulcast = (value: string): Mutation => replace(/^a=simulcast:.*$/m, `a=simulcast:${value}`);
const rid = (id: string, value: string): Mutation =>
  replace(new RegExp(`^a=rid:${id} .*$`, "m"), `a=rid:${id} ${value}`);
const rejected = (index: number): Mutation => inSection(index, replace(/^m=(\w+) \d+/, "m=$1 0"));

proveRules(PAIR_SIMULCAST_RULES, {
  "simulcast-not-offered": {
    accepted: [
      pair(SFU),
      pair(SFU, { offer: [withoutSimulcast], answer: [rejected(0)] }),
      pair("chromium.max-bundle"),
      // That the offer's line cannot be read is told about the offer.
      pair(SFU, { offer: [simulcast("foo q")] }),
    ],
    refused: [
      expecting(pair(SFU, { offer: [withoutSimulcast] }), { at: "a=simulcast:recv q;h;f" }),
      expecting(
        pair("chromium.recvonly", {
          answer: [append(1, "a=rid:q recv", "a=rid:h recv", "a=simulcast:recv q;h")],
        }),
        { at: "a=simulcast:recv q;h" },
      ),
      expecting(pair("firefox.recvonly", { answer: [append(1, "a=simulcast:foo")] }), {
        at: "a=simulcast:foo",
      }),
    ],
  },
  "simulcast-declined": {
    accepted: [
      pair(SFU),
      pair("chromium.max-bundle"),
      // What is wrong with the line is told about the answer.
      pair(SFU, { answer: [simulcast("foo q")] }),
      pair(SFU, { answer: [withoutSimulcast, rejected(0)] }),
    ],
    refused: [
      expecting(pair("chromium-to-firefox.simulcast-3-rids"), { at: /^m=video/ }),
      pair("firefox-to-chromium.simulcast-3-rids"),
      pair("chromium-to-aiortc.simulcast-3-rids"),
      pair("firefox-to-gstreamer.simulcast-3-rids"),
      pair("chromium.simulcast-3-rids.plain-answer"),
      pair(SFU, { answer: [withoutSimulcast] }),
    ],
  },
  "simulcast-streams-added": {
    accepted: [
      pair(SFU),
      pair("werift.simulcast-3-rids"),
      pair("chromium-to-janus.videoroom-publish-simulcast"),
      pair(SFU, { answer: [simulcast("recv q;h")] }),
      // Alternatives and paused streams are no more streams.
      pair(SFU, { answer: [simulcast("recv q,h;~f")] }),
      pair(SFU, {
        offer: [simulcast("send q;h recv f")],
        answer: [simulcast("recv q;h send f")],
      }),
      // The direction is what is wrong.
      pair(COPIED),
      pair(SFU, { offer: [withoutSimulcast] }),
    ],
    refused: [
      expecting(pair(SFU, { answer: [simulcast("recv q;h;f;x")] }), {
        at: "a=simulcast:recv q;h;f;x",
        says: "4 streams in recv, 3 offered in send",
      }),
      expecting(pair(SFU, { offer: [simulcast("send q;h")] }), { at: "a=simulcast:recv q;h;f" }),
      expecting(
        pair(SFU, {
          offer: [simulcast("send q;h recv f")],
          answer: [simulcast("recv q;h send f;g")],
        }),
        { at: "a=simulcast:recv q;h send f;g", says: "2 streams in send, 1 offered in recv" },
      ),
      pair(SFU, { offer: [simulcast("send ;")] }),
    ],
  },
  "simulcast-direction-not-reversed": {
    accepted: [
      pair(SFU),
      pair("firefox-to-janus.videoroom-publish-simulcast"),
      pair(SFU, {
        offer: [simulcast("send q;h recv f")],
        answer: [simulcast("send f recv q;h")],
      }),
      pair("chromium-to-firefox.simulcast-3-rids"),
    ],
    refused: [
      expecting(pair(COPIED), { at: "a=simulcast:send q;h;f", says: /^send: / }),
      expecting(pair("firefox-to-node-datachannel.simulcast-3-rids"), {
        at: "a=simulcast:send q;h;f",
      }),
      expecting(pair(SFU, { offer: [simulcast("recv q;h;f")], answer: [simulcast("recv q")] }), {
        at: "a=simulcast:recv q",
        says: /^recv: /,
      }),
    ],
  },
  "rid-not-offered": {
    accepted: [
      pair(SFU),
      pair(SFU, { answer: [remove(/^a=rid:f/)] }),
      // It was offered, in whatever form.
      pair(SFU, { offer: [replace("a=rid:q send", "a=rid:q")] }),
      pair("chromium-to-firefox.simulcast-3-rids"),
    ],
    refused: [
      expecting(pair(SFU, { answer: [insertAfter(/^a=rid:f/, "a=rid:x recv")] }), {
        at: "a=rid:x recv",
        says: /^rid x: /,
      }),
      expecting(pair(SFU, { offer: [withoutRids] }), { at: "a=rid:q recv", times: 3 }),
      // Ids differ by case.
      expecting(pair(SFU, { offer: [replace("a=rid:q send", "a=rid:Q send")] }), {
        at: "a=rid:q recv",
      }),
    ],
  },
  "rid-direction-not-reversed": {
    accepted: [
      pair(SFU),
      pair("werift.simulcast-3-rids"),
      pair(SFU, { offer: [rid("q", "recv")], answer: [rid("q", "send")] }),
      // Not offered at all has its own rule.
      pair(SFU, { answer: [append(0, "a=rid:x send")] }),
      // The offer has it in both directions, which is told about the offer.
      pair(SFU, { offer: [append(0, "a=rid:q recv")] }),
    ],
    refused: [
      expecting(pair(COPIED), { at: "a=rid:q send", times: 3 }),
      expecting(pair("firefox-to-node-datachannel.simulcast-3-rids"), {
        at: "a=rid:q send",
        times: 3,
      }),
      expecting(pair(SFU, { answer: [rid("h", "send")] }), {
        at: "a=rid:h send",
        says: /^rid h: /,
      }),
      expecting(pair(SFU, { offer: [rid("f", "recv")] }), { at: "a=rid:f recv" }),
    ],
  },
  "rid-restriction-loosened": {
    accepted: [
      pair(SFU),
      pair(SFU, {
        offer: [rid("q", "send max-width=640;max-br=300000")],
        answer: [rid("q", "recv max-width=640;max-br=299999")],
      }),
      // Not restricted by the offer.
      pair(SFU, { answer: [rid("q", "recv max-width=640")] }),
      // What is no number is told about that description.
      pair(SFU, {
        offer: [rid("q", "send max-width=x;max-height=100")],
        answer: [rid("q", "recv max-width=640;max-height=x")],
      }),
      pair(SFU, {
        offer: [rid("q", "send pt=96")],
        answer: [rid("q", "recv pt=97")],
      }),
      pair(SFU, {
        offer: [rid("q", "send max-fps=15")],
        answer: [append(0, "a=rid:x recv max-fps=30")],
      }),
    ],
    refused: [
      expecting(
        pair(SFU, {
          offer: [rid("q", "send max-width=640;max-br=300000")],
          answer: [rid("q", "recv max-width=640;max-br=300001")],
        }),
        { at: "a=rid:q recv max-width=640;max-br=300001", says: /^rid q, max-br: / },
      ),
      expecting(
        pair(SFU, {
          offer: [rid("h", "send max-width=640;max-height=360")],
          answer: [rid("h", "recv max-width=1280;max-height=720")],
        }),
        { at: /^a=rid:h recv/, times: 2 },
      ),
      // Numbers, not texts.
      pair(SFU, { offer: [rid("f", "send max-fps=9.5")], answer: [rid("f", "recv max-fps=30")] }),
    ],
  },
});
