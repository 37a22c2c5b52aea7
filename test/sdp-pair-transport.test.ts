import { describe, expect, it } from "vitest";
import { checkPair } from "../protocol/sdp/check.ts";
import { PAIR_TRANSPORT_RULES } from "../protocol/sdp/rules/pair-transport.ts";
import { CORPUS, recordOf } from "./corpus.ts";
import {
  append,
  dropSection,
  type Example,
  expecting,
  inSection,
  inSession,
  insertAfter,
  type Mutation,
  pair,
  proveRules,
  read,
  remove,
  replace,
} from "./sdp-examples.ts";

const withoutMux = remove(/^a=rtcp-mux$/);
const withoutGroup = remove(/^a=group:BUNDLE/);
const setup = (value: string): Mutation => replace(/^a=setup:\w+$/gm, `a=setup:${value}`);
const rejected = (index: number): Mutation => inSection(index, replace(/^m=(\w+) \d+/, "m=$1 0"));
const atSession = (...lines: string[]): Mutation => inSession(insertAfter(/^t=/, ...lines));
const MUX_ONLY = "a=rtcp-mux-only";

const lineOf = (sdp: string, start: string): string => {
  const line = sdp.split("\r\n").find((each) => each.startsWith(start));
  if (line === undefined) throw new Error(`no ${start}`);
  return line;
};

/** Puts the first line of the offer that begins so in the place of those of a text. */
const offered = (record: string, ...starts: string[]): Mutation[] =>
  starts.map((start) => {
    const line = lineOf(recordOf(record).offer, start);
    return (sdp) => sdp.replaceAll(new RegExp(`^${start}.*$`, "gm"), () => line);
  });

const ICE = ["a=ice-ufrag:", "a=ice-pwd:"];
const FINGERPRINT = "a=fingerprint:";

/** The offer itself as answer, the way a broken application sends it back. */
const echoed = (record: string, ...mutations: Mutation[]): Example =>
  pair(record, { answer: [() => recordOf(record).offer, ...mutations] });

proveRules(PAIR_TRANSPORT_RULES, {
  "rtcp-mux-not-offered": {
    accepted: [
      pair("chromium.max-bundle"),
      // Taken from the tagged section.
      pair("chromium.max-bundle", { offer: [inSection(1, withoutMux)] }),
      pair("chromium.max-bundle", { offer: [withoutMux], answer: [withoutMux] }),
      // What is incomplete is the offer.
      pair("gstreamer-to-chromium.audio-video-sendrecv", { offer: [withoutMux] }),
      pair("chromium.max-bundle", { answer: [append(2, "a=rtcp-mux")] }),
    ],
    refused: [
      expecting(pair("chromium.max-bundle", { offer: [withoutMux] }), {
        at: "a=rtcp-mux",
        times: 2,
      }),
      expecting(pair("chromium.max-bundle", { offer: [withoutGroup, inSection(1, withoutMux)] }), {
        at: "a=rtcp-mux",
      }),
      // The answer takes it from its tagged section.
      expecting(
        pair("chromium.max-bundle", {
          offer: [withoutGroup, inSection(1, withoutMux)],
          answer: [inSection(1, withoutMux)],
        }),
        { at: /^m=video/ },
      ),
    ],
  },
  "rtcp-mux-declined": {
    accepted: [
      pair("chromium.max-bundle"),
      pair("chromium.max-bundle", { answer: [inSection(1, withoutMux)] }),
      pair("chromium.max-bundle", { answer: [withoutMux, rejected(0), rejected(1)] }),
      pair("gstreamer-to-chromium.audio-video-sendrecv", { answer: [withoutMux] }),
      pair("chromium.max-bundle", { offer: [append(2, "a=rtcp-mux")] }),
    ],
    refused: [
      expecting(pair("chromium.max-bundle", { answer: [inSection(0, withoutMux)] }), {
        at: /^m=audio/,
      }),
      expecting(pair("firefox.recvonly", { answer: [withoutMux] }), { at: /^m=audio/, times: 2 }),
      expecting(pair("chromium.max-bundle", { answer: [withoutGroup, inSection(1, withoutMux)] }), {
        at: /^m=video/,
      }),
    ],
  },
  "rtcp-mux-only-unanswered": {
    accepted: [
      pair("gstreamer-to-chromium.audio-video-sendrecv"),
      pair("gstreamer-to-chromium.audio-video-sendrecv", {
        answer: [inSection(1, withoutMux)],
      }),
      pair("gstreamer-to-chromium.audio-video-sendrecv", {
        answer: [withoutMux, rejected(0), rejected(1)],
      }),
      pair("chromium.max-bundle", { answer: [withoutMux] }),
      pair("chromium.max-bundle", { offer: [append(2, MUX_ONLY)] }),
    ],
    refused: [
      expecting(pair("gstreamer-to-chromium.audio-video-sendrecv", { answer: [withoutMux] }), {
        at: /^m=audio/,
        times: 2,
      }),
      // rtcp-mux-only is no answer to itself.
      expecting(pair("gstreamer.relay-only", { answer: [replace(/^a=rtcp-mux$/m, MUX_ONLY)] }), {
        at: /^m=/,
      }),
    ],
  },
  "setup-pair-invalid": {
    accepted: [
      pair("chromium.max-bundle"),
      pair("chromium.hold-resume.5-peer-video-off"),
      pair("werift.ice-restart.2-restart"),
      pair("chromium.max-bundle", { offer: [setup("active")], answer: [setup("passive")] }),
      // Refused by rules about the answer alone.
      pair("chromium.max-bundle", { answer: [setup("actpass")] }),
      pair("chromium.max-bundle", { offer: [setup("holdconn")], answer: [setup("holdconn")] }),
      pair("chromium.max-bundle", { offer: [remove(/^a=setup/)], answer: [remove(/^a=setup/)] }),
    ],
    refused: [
      expecting(pair("chromium.recvonly", { offer: [setup("active")] }), {
        at: "a=setup:active",
        times: 2,
      }),
      expecting(pair("werift.ice-restart.2-restart", { answer: [setup("passive")] }), {
        at: "a=setup:passive",
        says: "setup passive on both",
      }),
      // Said for all sections, in the session part.
      expecting(
        pair("chromium.relay-only", {
          offer: [setup("active")],
          answer: [remove(/^a=setup/), atSession("a=setup:active")],
        }),
        { at: "a=setup:active", times: 2 },
      ),
      // Taken from the tagged section.
      expecting(
        pair("chromium.max-bundle", {
          offer: [inSection(1, setup("active"))],
          answer: [inSection(1, remove(/^a=setup/))],
        }),
        { at: /^m=video/ },
      ),
    ],
  },
  "setup-answer-passive": {
    accepted: [
      pair("chromium.max-bundle"),
      pair("chromium.max-bundle", { offer: [setup("active")], answer: [setup("passive")] }),
    ],
    refused: [
      expecting(pair("chromium.hold-resume.5-peer-video-off"), {
        at: "a=setup:passive",
        times: 2,
      }),
      expecting(pair("firefox.hold-resume.5-peer-video-off"), { at: "a=setup:passive", times: 2 }),
    ],
  },
  "ice-ufrag-same-both-ends": {
    accepted: [
      pair("chromium.max-bundle"),
      // One of the two alone is no reflection.
      pair("chromium.max-bundle", { answer: offered("chromium.max-bundle", "a=ice-ufrag:") }),
      pair("chromium.max-bundle", { answer: offered("chromium.max-bundle", "a=ice-pwd:") }),
      pair("chromium.max-bundle", { offer: [remove(/^a=ice-/)], answer: [remove(/^a=ice-/)] }),
      pair("chromium.max-bundle", {
        offer: [replace(/^(a=ice-\w+:).*$/gm, "$1")],
        answer: [replace(/^(a=ice-\w+:).*$/gm, "$1")],
      }),
      pair("chromium.max-bundle", {
        offer: [remove(/^a=ice-pwd/)],
        answer: [remove(/^a=ice-pwd/), ...offered("chromium.max-bundle", "a=ice-ufrag:")],
      }),
      // A rejected section copied from the offer carries nothing.
      pair("chromium.rejected-no-common-codec", {
        answer: [inSection(1, ...offered("chromium.rejected-no-common-codec", ...ICE))],
      }),
    ],
    refused: [
      expecting(echoed("chromium.max-bundle"), { at: /^a=ice-ufrag:/ }),
      expecting(echoed("firefox.large-session"), { at: /^a=ice-ufrag:/ }),
      expecting(echoed("aiortc.audio-video-sendrecv"), { at: /^a=ice-ufrag:/, times: 2 }),
      // Turned round to look like an answer.
      expecting(echoed("chromium.recvonly", setup("active")), { at: /^a=ice-ufrag:/ }),
      expecting(pair("chromium.max-bundle", { answer: offered("chromium.max-bundle", ...ICE) }), {
        at: /^a=ice-ufrag:/,
      }),
      // In another section than offered.
      expecting(
        pair("aiortc.audio-video-sendrecv", {
          answer: [inSection(1, ...offered("aiortc.audio-video-sendrecv", ...ICE))],
        }),
        { at: lineOf(recordOf("aiortc.audio-video-sendrecv").offer, "a=ice-ufrag:") },
      ),
      expecting(
        pair("firefox.recvonly", {
          answer: [
            remove(/^a=ice-(?:ufrag|pwd)/),
            atSession(...ICE.map((start) => lineOf(recordOf("firefox.recvonly").offer, start))),
          ],
        }),
        { at: /^a=ice-ufrag:/ },
      ),
    ],
  },
  "fingerprint-same-both-ends": {
    accepted: [
      pair("chromium.max-bundle"),
      pair("chromium.max-bundle", {
        offer: [remove(/^a=fingerprint/)],
        answer: [remove(/^a=fingerprint/)],
      }),
      pair("chromium.rejected-no-common-codec", {
        answer: [inSection(1, ...offered("chromium.rejected-no-common-codec", FINGERPRINT))],
      }),
    ],
    refused: [
      expecting(
        pair("chromium.max-bundle", { answer: offered("chromium.max-bundle", FINGERPRINT) }),
        { at: /^a=fingerprint:/ },
      ),
      expecting(pair("firefox.recvonly", { answer: offered("firefox.recvonly", FINGERPRINT) }), {
        at: /^a=fingerprint:/,
      }),
      // Case is no difference.
      pair("chromium.max-bundle", {
        answer: [
          ...offered("chromium.max-bundle", FINGERPRINT),
          (sdp) => sdp.replaceAll(/^a=fingerprint:.*$/gm, (line) => line.toLowerCase()),
        ],
      }),
      // One of several is enough.
      expecting(
        pair("chromium.max-bundle", {
          answer: [append(1, lineOf(recordOf("chromium.max-bundle").offer, FINGERPRINT))],
        }),
        { at: /^a=fingerprint:/ },
      ),
    ],
  },
  "ice-lite-both": {
    accepted: [
      pair("chromium.max-bundle"),
      pair("chromium.max-bundle", { answer: [atSession("a=ice-lite")] }),
      pair("chromium.max-bundle", { offer: [atSession("a=ice-lite")] }),
    ],
    refused: [
      expecting(
        pair("chromium.max-bundle", {
          offer: [atSession("a=ice-lite")],
          answer: [atSession("a=ice-lite")],
        }),
        { at: "a=ice-lite" },
      ),
    ],
  },
  "trickle-not-answered": {
    accepted: [
      pair("chromium.max-bundle"),
      pair("firefox-to-chromium.recvonly"),
      pair("chromium-to-firefox.recvonly"),
      // Commas instead of blanks.
      pair("chromium-to-node-datachannel.recvonly"),
      pair("chromium.max-bundle", {
        answer: [replace(/:trickle$/gm, ":ice2 trickle renomination")],
      }),
      // Not offered.
      pair("aiortc.audio-video-sendrecv"),
      pair("pion-to-chromium.data-channel-only"),
      pair("firefox-to-pion.data-channel-only", { answer: [rejected(0)] }),
    ],
    refused: [
      pair("chromium-to-aiortc.audio-video-sendrecv"),
      pair("firefox-to-pion.audio-video-sendrecv"),
      pair("chromium.max-bundle", { answer: [replace(/:trickle$/gm, ":ice2")] }),
      pair("node-datachannel-to-pion.data-channel-only"),
      // What a rejected section says does not count.
      pair("chromium.max-bundle", {
        answer: [
          inSection(0, remove(/^a=ice-options/)),
          inSection(1, remove(/^a=ice-options/)),
          rejected(2),
        ],
      }),
    ],
  },
  "identity-lost": {
    accepted: [
      pair("chromium.max-bundle"),
      pair("chromium.max-bundle", { answer: [atSession("a=identity:eyJpZHAiOnt9fQ==")] }),
      pair("firefox.recvonly", {
        offer: [atSession("a=identity:eyJpZHAiOnt9fQ==")],
        answer: [atSession("a=identity:eyJpZHAiOnt9fR==")],
      }),
      pair("firefox-to-pion.data-channel-only", {
        offer: [atSession("a=identity:eyJpZHAiOnt9fQ==")],
        answer: [rejected(0)],
      }),
    ],
    refused: [pair("firefox.recvonly", { offer: [atSession("a=identity:eyJpZHAiOnt9fQ==")] })],
  },
});

describe("ice-ufrag-same-both-ends", () => {
  it("[D2] finds the offer of every record sent back as its answer", () => {
    const missed = [...CORPUS].filter(([, { offer }]) => {
      const found = checkPair(read(offer), read(offer));
      return !found.some(
        ({ rule, level }) => rule === "ice-ufrag-same-both-ends" && level === "error",
      );
    });
    // This one has disabled all it has.
    expect(missed.map(([name]) => name)).toEqual(["werift.hold-resume.2-hold-inactive"]);
  });

  it("[D2] shows no credentials and no fingerprint", () => {
    const { offer } = recordOf("chromium.max-bundle");
    const found = JSON.stringify(checkPair(read(offer), read(offer)));
    for (const start of [...ICE, FINGERPRINT]) {
      expect(found).not.toContain(lineOf(offer, start).slice(start.length));
    }
  });

  it("[D2] takes an answer that has lost sections", () => {
    const { offer } = recordOf("chromium.max-bundle");
    const answer = dropSection(0)(offer);
    expect(checkPair(read(offer), read(answer)).map(({ rule }) => rule)).toContain(
      "ice-ufrag-same-both-ends",
    );
  });
});
