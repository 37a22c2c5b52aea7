import { ICE_RULES } from "../protocol/sdp/rules/ice.ts";
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

/** Audio, video and data in one bundle; each section says everything itself. */
const THREE = "chromium.max-bundle";
const UFRAG = /^a=ice-ufrag:.*$/m;
const PASSWORD = /^a=ice-pwd:.*$/m;
const OPTIONS = /^a=ice-options:.*$/m;
const BOTH = /^a=ice-(ufrag|pwd):/;

const ufrag = (text: string) => replace(UFRAG, `a=ice-ufrag:${text}`);
const password = (text: string) => replace(PASSWORD, `a=ice-pwd:${text}`);
const options = (text: string) => replace(OPTIONS, `a=ice-options:${text}`);
const candidates = (count: number): string[] =>
  Array.from({ length: count }, (_none, index) => {
    return `a=candidate:${index} 1 udp 2130706431 192.0.2.2 ${index} typ host`;
  });

proveRules(ICE_RULES, {
  "ice-credentials-missing": {
    accepted: [
      offer(THREE),
      // Bundled: the first section of the bundle says it.
      offer(THREE, inSection(1, remove(BOTH)), inSection(2, remove(BOTH))),
      answer(THREE, inSection(1, remove(BOTH))),
      offer(
        "pion.audio-video-data",
        remove(BOTH),
        insertAfter(/^t=/, "a=ice-ufrag:GQRZdAWrzUOYCENQ", "a=ice-pwd:mUmpYzWzAmNHeKxFnBaPqa"),
      ),
      offer(
        THREE,
        remove(/^a=group/),
        inSection(1, remove(BOTH), replace("m=video 9", "m=video 0")),
      ),
      offer(
        THREE,
        remove(/^a=group/),
        inSection(2, remove(BOTH), replace(/^m=.*$/m, "m=image 9 udptl t38")),
      ),
    ],
    refused: [
      expecting(offer(THREE, remove(BOTH)), {
        times: 3,
        at: /^m=audio /,
        says: /^no ice-ufrag and ice-pwd: /,
      }),
      expecting(answer(THREE, remove(UFRAG)), { times: 3, says: /^no ice-ufrag: / }),
      expecting(offer(THREE, remove(PASSWORD)), { times: 3, says: /^no ice-pwd: / }),
      expecting(
        offer(THREE, replace("BUNDLE 0 1 2", "BUNDLE 0 1"), inSection(2, remove(PASSWORD))),
        { at: /^m=application / },
      ),
    ],
  },
  "ice-ufrag-syntax": {
    accepted: [
      offer(THREE),
      offer(THREE, ufrag("a+/0")),
      offer(THREE, ufrag("eX1C ")),
      offer(THREE, ufrag("x".repeat(256))),
      answer("node-datachannel.audio-video-data"),
      offer("gstreamer.relay-only"),
    ],
    refused: [
      expecting(offer(THREE, ufrag("abc")), { at: "a=ice-ufrag:abc" }),
      expecting(answer(THREE, ufrag("")), { at: "a=ice-ufrag:" }),
      offer(THREE, ufrag("x".repeat(257))),
      offer(THREE, ufrag("eX1_")),
      offer(THREE, ufrag("eX 1C")),
      expecting(offer(THREE, inSection(0, remove(UFRAG)), insertAfter(/^t=/, "a=ice-ufrag:abc")), {
        at: "a=ice-ufrag:abc",
      }),
    ],
  },
  "ice-ufrag-long": {
    accepted: [
      offer("gstreamer.relay-only"),
      offer(THREE, ufrag("x".repeat(32))),
      offer(THREE, ufrag("x".repeat(257))),
    ],
    refused: [
      expecting(offer(THREE, ufrag("x".repeat(33))), {
        at: `a=ice-ufrag:${"x".repeat(33)}`,
        says: /^33 characters: /,
      }),
      answer(THREE, ufrag("x".repeat(256))),
    ],
  },
  "ice-pwd-syntax": {
    accepted: [
      offer(THREE),
      answer("aiortc.relay-only"),
      offer(THREE, password("x".repeat(22))),
      offer(THREE, password("+/".repeat(128))),
    ],
    refused: [
      expecting(offer(THREE, password("x".repeat(21))), { at: `a=ice-pwd:${"x".repeat(21)}` }),
      answer(THREE, password("x".repeat(257))),
      offer(THREE, password(`${"x".repeat(22)}!`)),
    ],
  },
  "ice-ufrag-pwd-inconsistent": {
    accepted: [
      offer(THREE),
      offer("firefox.max-compat"),
      offer(THREE, inSection(1, ufrag("other"), password("x".repeat(22)))),
      offer(THREE, inSection(1, remove(BOTH)), inSection(2, remove(PASSWORD))),
      offer(
        THREE,
        inSection(1, password("x".repeat(22)), replace("m=video 9", "m=video 0")),
        inSection(2, replace("m=application 9", "m=application 0")),
      ),
      offer(THREE, remove(UFRAG), inSection(1, password("x".repeat(22)))),
      offer(THREE, remove(PASSWORD)),
    ],
    refused: [
      expecting(offer(THREE, inSection(1, password("x".repeat(22)))), {
        at: `a=ice-pwd:${"x".repeat(22)}`,
      }),
      expecting(answer(THREE, inSection(0, password("x".repeat(22)))), { times: 2 }),
    ],
  },
  "ice-options-syntax": {
    accepted: [
      offer(THREE),
      offer("firefox.max-compat"),
      offer(THREE, options("ice2 trickle")),
      offer(THREE, options("trickle renomination")),
      offer("aiortc.relay-only"),
    ],
    refused: [
      expecting(offer("node-datachannel.audio-video-data"), { at: "a=ice-options:ice2,trickle" }),
      expecting(answer(THREE, options("")), { at: "a=ice-options:" }),
      offer(THREE, options("google-ice")),
    ],
  },
  "ice-options-no-ice2": {
    accepted: [
      // One for the bundle will do.
      offer(THREE, options("ice2 trickle")),
      offer("firefox.max-compat", options("trickle ice2")),
      offer(THREE, insertAfter(/^t=/, "a=ice-options:ice2"), inSection(0, remove(OPTIONS))),
    ],
    refused: [
      expecting(offer(THREE), { at: "a=ice-options:trickle" }),
      expecting(answer("aiortc.relay-only"), { at: /^m=audio / }),
      expecting(offer("firefox.max-compat"), { at: /^m=audio / }),
      offer(THREE, insertAfter(/^t=/, "a=ice-options:ice2")),
      offer(THREE, options("ice22")),
    ],
  },
  "ice-lite": {
    accepted: [offer(THREE), offer(THREE, append(0, "a=ice-lite"))],
    refused: [
      expecting(offer(THREE, insertAfter(/^t=/, "a=ice-lite")), { at: "a=ice-lite" }),
      answer(THREE, insertAfter(/^t=/, "a=ice-lite")),
    ],
  },
  "candidate-duplicate": {
    accepted: [
      // The same candidate for two components.
      offer("pion.audio-video-data"),
      offer("firefox.max-compat"),
      offer(THREE, append(0, ...candidates(2)), append(1, ...candidates(2))),
    ],
    refused: [
      expecting(offer(THREE, append(0, ...candidates(2), ...candidates(1))), {
        at: String(candidates(1)[0]),
      }),
      expecting(offer(THREE, append(1, ...candidates(2), ...candidates(2))), { times: 2 }),
    ],
  },
  "candidate-count": {
    accepted: [
      offer(THREE),
      offer("gstreamer.relay-only", remove(/^a=candidate/), append(0, ...candidates(64))),
      offer(THREE, append(1, ...candidates(64)), append(2, ...candidates(64))),
    ],
    refused: [
      expecting(offer(THREE, append(1, ...candidates(65))), {
        at: String(candidates(65)[64]),
        says: /^65 candidates: /,
      }),
      expecting(answer(THREE, append(2, ...candidates(1000))), { says: /^1000 candidates: / }),
    ],
  },
});
