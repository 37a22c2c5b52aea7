import { PAIR_SOURCE_RULES } from "../protocol/sdp/rules/pair-sources.ts";
import { append, expecting, pair, proveRules, remove, replace } from "./sdp-examples.ts";

const BUNDLE = "chromium.max-bundle";
/** SSRCs that the offer of this record announces for its audio and video, and the answer for its audio. */
const [AUDIO, VIDEO, ANSWERED] = ["2205610644", "2097375549", "45836284"];
const CNAME = "e7Pbjlihy5tRcsb5";

proveRules(PAIR_SOURCE_RULES, {
  "ssrc-collision": {
    accepted: [
      pair(BUNDLE),
      // A mirrored group announces nothing.
      pair("chromium-to-node-datachannel.audio-video-sendrecv"),
      pair("chromium-to-janus.echotest-av-data"),
      // Not bundled, audio and video have SSRCs of their own.
      pair(BUNDLE, {
        offer: [remove(/^a=group:/)],
        answer: [remove(/^a=group:/), replace(`a=ssrc:${ANSWERED} `, `a=ssrc:${VIDEO} `)],
      }),
      pair(BUNDLE, {
        answer: [
          replace("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 1 2"),
          replace(`a=ssrc:${ANSWERED} `, `a=ssrc:${VIDEO} `),
        ],
      }),
      pair(BUNDLE, {
        offer: [remove(/^a=(?:group|mid):/)],
        answer: [remove(/^a=(?:group|mid):/), replace(`a=ssrc:${ANSWERED} `, `a=ssrc:${VIDEO} `)],
      }),
    ],
    refused: [
      expecting(pair(BUNDLE, { answer: [replace(`a=ssrc:${ANSWERED} `, `a=ssrc:${AUDIO} `)] }), {
        at: /^a=ssrc:2205610644 cname:/,
        says: /^SSRC 2205610644: /,
      }),
      expecting(pair(BUNDLE, { answer: [replace(`a=ssrc:${ANSWERED} `, `a=ssrc:${VIDEO} `)] }), {
        at: /^a=ssrc:2097375549 cname:/,
      }),
      expecting(
        pair(BUNDLE, {
          offer: [remove(/^a=(?:group|mid):/)],
          answer: [remove(/^a=(?:group|mid):/), replace(`a=ssrc:${ANSWERED} `, `a=ssrc:${AUDIO} `)],
        }),
        { at: /^a=ssrc:2205610644 cname:/ },
      ),
    ],
  },
  "cname-shared-by-both-ends": {
    accepted: [
      pair(BUNDLE),
      pair("firefox-to-chromium.audio-video-sendrecv"),
      pair("chromium-to-janus.echotest-av-data"),
      // No name and an empty one are none to share.
      pair(BUNDLE, {
        offer: [append(1, "a=ssrc:1 cname:", "a=ssrc:2 x:y")],
        answer: [append(1, "a=ssrc:3 cname:", "a=ssrc:4 x:y")],
      }),
    ],
    refused: [
      expecting(pair("pion.audio-video-sendrecv"), { at: /^a=ssrc:\d+ cname:s0$/ }),
      expecting(pair(BUNDLE, { answer: [replace("cname:QyNVu7SnZQA8zipW", `cname:${CNAME}`)] }), {
        at: `a=ssrc:${ANSWERED} cname:${CNAME}`,
      }),
      // Every source has it, which is told once.
      expecting(pair(BUNDLE, { answer: [replace(/cname:QyNVu7SnZQA8zipW/g, `cname:${CNAME}`)] }), {
        at: `a=ssrc:${ANSWERED} cname:${CNAME}`,
      }),
    ],
  },
});
