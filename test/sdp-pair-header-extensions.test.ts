import { PAIR_HEADER_EXTENSION_RULES } from "../protocol/sdp/rules/pair-header-extensions.ts";
import {
  append,
  expecting,
  inSection,
  inSession,
  insertAfter,
  pair,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

const BUNDLE = "chromium.max-bundle";
const TOFFSET = "urn:ietf:params:rtp-hdrext:toffset";
const OFFERED = `a=extmap:14 ${TOFFSET}`;
const LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const ENCRYPTED = `a=extmap:12 urn:ietf:params:rtp-hdrext:encrypt ${LEVEL}`;
const CLEAR = `a=extmap:1 ${LEVEL}`;
const MIXED = "a=extmap-allow-mixed";

proveRules(PAIR_HEADER_EXTENSION_RULES, {
  "extmap-not-offered": {
    accepted: [
      pair(BUNDLE),
      pair("firefox-to-chromium.simulcast-3-rids"),
      pair("chromium-to-janus.videoroom-publish-simulcast"),
      pair("chromium-to-gstreamer.recvonly"),
      pair(BUNDLE, { answer: [inSection(1, remove(/^a=extmap:14 /))] }),
      pair(BUNDLE, { answer: [append(2, "a=extmap:9 urn:example:foo")] }),
      pair(BUNDLE, {
        offer: [remove(/^a=extmap:/), inSession(insertAfter(/^t=/, "a=extmap:9 urn:example:foo"))],
        answer: [
          remove(/^a=extmap:/),
          append(0, "a=extmap:9 urn:example:foo"),
          append(1, "a=extmap:9 urn:example:foo"),
        ],
      }),
      pair(BUNDLE, { offer: [append(0, ENCRYPTED)], answer: [append(0, ENCRYPTED)] }),
    ],
    refused: [
      expecting(pair(BUNDLE, { answer: [append(1, "a=extmap:9 urn:example:foo")] }), {
        at: "a=extmap:9 urn:example:foo",
        says: /^urn:example:foo: /,
      }),
      // What is offered in the clear is not offered encrypted.
      expecting(pair(BUNDLE, { answer: [append(0, ENCRYPTED)] }), { at: ENCRYPTED }),
      expecting(
        pair(BUNDLE, {
          offer: [append(0, ENCRYPTED)],
          answer: [append(0, "a=extmap:12 urn:ietf:params:rtp-hdrext:encrypt")],
        }),
        { at: "a=extmap:12 urn:ietf:params:rtp-hdrext:encrypt" },
      ),
      // In the session part it is meant for both sections, and told once.
      expecting(
        pair(BUNDLE, {
          answer: [
            remove(/^a=extmap:/),
            inSession(insertAfter(/^t=/, "a=extmap:9 urn:example:foo")),
          ],
        }),
        { at: "a=extmap:9 urn:example:foo" },
      ),
    ],
  },
  "extmap-id-changed": {
    accepted: [
      pair(BUNDLE),
      pair("firefox-to-aiortc.audio-video-sendrecv"),
      pair("pion-to-aiortc.audio-video-sendrecv"),
      pair(BUNDLE, { answer: [append(1, "a=extmap:9 urn:example:foo")] }),
      // Of several ids the answer chooses one; instead of a place-holder it gives one.
      pair(BUNDLE, {
        offer: [append(1, `a=extmap:9 ${TOFFSET}`)],
        answer: [inSection(1, replace(OFFERED, `a=extmap:9 ${TOFFSET}`))],
      }),
      pair(BUNDLE, {
        offer: [inSection(1, replace(OFFERED, `a=extmap:4096 ${TOFFSET}`))],
        answer: [inSection(1, replace(OFFERED, `a=extmap:9 ${TOFFSET}`))],
      }),
    ],
    refused: [
      expecting(
        pair(BUNDLE, { answer: [inSection(1, replace(OFFERED, `a=extmap:9 ${TOFFSET}`))] }),
        { at: `a=extmap:9 ${TOFFSET}`, says: new RegExp(`^${TOFFSET}: `) },
      ),
    ],
  },
  "extmap-direction-incompatible": {
    accepted: [
      pair(BUNDLE),
      // Chromium names no direction in its answers; the section has it.
      pair("firefox-to-chromium.simulcast-3-rids"),
      ...[
        ["/recvonly", "/sendonly"],
        ["/recvonly", "/inactive"],
        ["/sendonly", "/recvonly"],
        ["/inactive", "/inactive"],
        ["", "/recvonly"],
        ["", "/sendonly"],
        ["/sendrecv", "/sendonly"],
      ].map(([offered, answered]) =>
        pair(BUNDLE, {
          offer: [inSection(1, replace(OFFERED, `a=extmap:9${offered} ${TOFFSET}`))],
          answer: [inSection(1, replace(OFFERED, `a=extmap:9${answered} ${TOFFSET}`))],
        }),
      ),
      pair(BUNDLE, {
        offer: [
          inSection(1, replace(OFFERED, `a=extmap:14/sendonly ${TOFFSET}`)),
          append(1, `a=extmap:9/recvonly ${TOFFSET}`),
        ],
        answer: [inSection(1, replace(OFFERED, `a=extmap:9/sendonly ${TOFFSET}`))],
      }),
      pair(BUNDLE, { answer: [append(1, "a=extmap:9/sendonly urn:example:foo")] }),
    ],
    refused: [
      ["/recvonly", "/recvonly"],
      ["/sendonly", "/sendonly"],
      ["/sendonly", "/sendrecv"],
      ["/inactive", "/recvonly"],
    ].map(([offered, answered]) =>
      expecting(
        pair(BUNDLE, {
          offer: [inSection(1, replace(OFFERED, `a=extmap:9${offered} ${TOFFSET}`))],
          answer: [inSection(1, replace(OFFERED, `a=extmap:9${answered} ${TOFFSET}`))],
        }),
        { at: `a=extmap:9${answered} ${TOFFSET}`, says: new RegExp(`^${TOFFSET}: `) },
      ),
    ),
  },
  "extmap-allow-mixed-not-offered": {
    accepted: [
      pair(BUNDLE),
      pair("firefox-to-chromium.simulcast-3-rids"),
      pair(BUNDLE, { answer: [remove(/^a=extmap-allow-mixed$/)] }),
      pair(BUNDLE, { answer: [remove(/^a=extmap-allow-mixed$/), append(1, MIXED)] }),
      pair(BUNDLE, {
        offer: [remove(/^a=extmap-allow-mixed$/), append(0, MIXED), append(1, MIXED)],
      }),
      pair(BUNDLE, {
        offer: [remove(/^a=extmap-allow-mixed$/)],
        answer: [remove(/^a=extmap-allow-mixed$/), append(2, MIXED)],
      }),
    ],
    refused: [
      expecting(pair(BUNDLE, { offer: [remove(/^a=extmap-allow-mixed$/)] }), { at: MIXED }),
      expecting(
        pair(BUNDLE, {
          offer: [remove(/^a=extmap-allow-mixed$/), append(0, MIXED)],
          answer: [remove(/^a=extmap-allow-mixed$/), append(0, MIXED), append(1, MIXED)],
        }),
        { at: MIXED },
      ),
    ],
  },
  "encrypted-extension-clear-only": {
    accepted: [
      pair(BUNDLE),
      pair(BUNDLE, { offer: [append(0, ENCRYPTED)], answer: [append(0, ENCRYPTED)] }),
      pair(BUNDLE, {
        offer: [append(0, ENCRYPTED)],
        answer: [inSection(0, replace(CLEAR, ENCRYPTED))],
      }),
      pair(BUNDLE, { offer: [inSection(0, replace(CLEAR, ENCRYPTED))] }),
      pair(BUNDLE, {
        offer: [append(0, ENCRYPTED)],
        answer: [inSection(0, replace("m=audio 9", "m=audio 0"))],
      }),
    ],
    refused: [
      expecting(pair(BUNDLE, { offer: [append(0, ENCRYPTED)] }), {
        at: CLEAR,
        says: new RegExp(`^${LEVEL}: `),
      }),
    ],
  },
  "cryptex-not-bidirectional": {
    accepted: [
      pair(BUNDLE),
      pair(BUNDLE, { answer: [append(0, "a=cryptex")] }),
      pair(BUNDLE, {
        offer: [inSession(insertAfter(/^t=/, "a=cryptex"))],
        answer: [append(0, "a=cryptex"), append(1, "a=cryptex")],
      }),
    ],
    refused: [
      expecting(pair(BUNDLE, { offer: [append(1, "a=cryptex")] }), { at: /^m=video / }),
      expecting(pair(BUNDLE, { offer: [inSession(insertAfter(/^t=/, "a=cryptex"))] }), {
        at: /^m=audio /,
        times: 2,
      }),
    ],
  },
});
