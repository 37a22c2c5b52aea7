import { PAIR_SECTION_RULES } from "../protocol/sdp/rules/pair-sections.ts";
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
  remove,
  replace,
} from "./sdp-examples.ts";

const BUNDLE = "chromium.max-bundle";

const port = (kind: string, by: string): Mutation =>
  replace(new RegExp(`^m=${kind} \\d+`, "m"), `m=${kind} ${by}`);

/** The audio section of both sides with other directions than sendrecv. */
const directions = (offered: string, answered: string): Example => {
  const to = (direction: string): readonly Mutation[] =>
    direction === "sendrecv" ? [] : [inSection(0, replace(/^a=sendrecv$/m, `a=${direction}`))];
  return pair(BUNDLE, { offer: to(offered), answer: to(answered) });
};

proveRules(PAIR_SECTION_RULES, {
  "m-line-count-mismatch": {
    accepted: [pair(BUNDLE), pair(BUNDLE, { answer: [inSection(2, port("application", "0"))] })],
    refused: [
      expecting(pair(BUNDLE, { answer: [dropSection(2)] }), {
        says: /^3 m-sections offered, 2 answered: /,
      }),
      expecting(pair(BUNDLE, { answer: [(sdp) => `${sdp}m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n`] }), {
        at: "m=audio 0 UDP/TLS/RTP/SAVPF 0",
      }),
    ],
  },
  "m-line-type-mismatch": {
    accepted: [
      pair(BUNDLE),
      pair(BUNDLE, { answer: [dropSection(2)] }),
      pair(BUNDLE, { answer: [(sdp) => `${sdp}m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n`] }),
      // What cannot be read is no other media: it is told as such.
      pair(BUNDLE, { answer: [inSection(0, replace(/^m=.*$/m, "m=video"))] }),
      pair(BUNDLE, { offer: [inSection(0, replace(/^m=.*$/m, "m=video"))] }),
    ],
    refused: [
      expecting(pair(BUNDLE, { answer: [inSection(0, replace("m=audio", "m=video"))] }), {
        at: /^m=video 9 UDP\/TLS\/RTP\/SAVPF 111 /,
        says: /^video answers audio: /,
      }),
      expecting(
        pair(BUNDLE, {
          answer: [inSection(0, port("audio", "0"), replace("m=audio", "m=video"))],
        }),
        { at: /^m=video 0 / },
      ),
      expecting(
        pair(BUNDLE, {
          answer: [
            inSection(0, replace("m=audio", "m=video")),
            inSection(1, replace("m=video", "m=audio")),
          ],
        }),
        { times: 2 },
      ),
    ],
  },
  "m-line-proto-mismatch": {
    accepted: [
      pair(BUNDLE),
      pair("chromium.legacy-profile-RTP-SAVPF"),
      pair("firefox.legacy-profile-RTP-AVP"),
      pair("aiortc-to-pion.data-channel-only"),
      pair(BUNDLE, {
        answer: [inSection(0, port("audio", "0"), replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"))],
      }),
    ],
    refused: [
      expecting(
        pair(BUNDLE, { answer: [inSection(0, replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"))] }),
        {
          at: /^m=audio 9 RTP\/SAVPF 111 /,
          says: "RTP/SAVPF answers UDP/TLS/RTP/SAVPF",
        },
      ),
    ],
  },
  "mid-mismatch": {
    accepted: [
      pair(BUNDLE),
      pair("firefox.no-mid"),
      pair("chromium.rejected-no-common-codec", { answer: [inSection(1, remove(/^a=mid:/))] }),
      pair("chromium.rejected-no-common-codec", {
        answer: [inSection(1, replace("a=mid:1", "a=mid:x"))],
      }),
      // Of two mids the last counts, as in browsers.
      pair(BUNDLE, { answer: [inSection(1, insertAfter(/^c=/, "a=mid:x"))] }),
    ],
    refused: [
      expecting(pair(BUNDLE, { answer: [inSection(1, replace("a=mid:1", "a=mid:x"))] }), {
        at: "a=mid:x",
        says: /^the mid is another one: /,
      }),
      expecting(pair(BUNDLE, { answer: [append(1, "a=mid:x")] }), { at: "a=mid:x" }),
      expecting(pair(BUNDLE, { answer: [inSection(1, remove(/^a=mid:/))] }), {
        at: /^m=video /,
        level: "warning",
        says: /^the mid is gone: /,
      }),
      expecting(pair(BUNDLE, { answer: [inSection(1, replace("a=mid:1", "a=mid:"))] }), {
        at: "a=mid:",
        level: "warning",
      }),
    ],
  },
  "mid-added-in-answer": {
    accepted: [pair(BUNDLE), pair("firefox.no-mid", { answer: [remove(/^a=mid:/)] })],
    refused: [
      expecting(pair("firefox.no-mid"), { at: "a=mid:0", times: 2 }),
      expecting(pair(BUNDLE, { offer: [inSection(2, remove(/^a=mid:/))] }), { at: "a=mid:2" }),
    ],
  },
  "rejected-line-accepted": {
    accepted: [
      pair(BUNDLE),
      pair(BUNDLE, {
        offer: [inSection(1, port("video", "0"))],
        answer: [inSection(1, port("video", "0"))],
      }),
      pair(BUNDLE, { offer: [inSection(1, port("video", "0")), append(1, "a=bundle-only")] }),
    ],
    refused: [
      expecting(pair(BUNDLE, { offer: [inSection(1, port("video", "0"))] }), { at: /^m=video 9 / }),
      expecting(pair(BUNDLE, { offer: [inSection(2, port("application", "0"))] }), {
        at: "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
      }),
    ],
  },
  "m-line-rejected": {
    accepted: [
      pair(BUNDLE),
      pair("firefox.rejected-m-line.video"),
      pair(BUNDLE, {
        offer: [inSection(1, port("video", "0"))],
        answer: [inSection(1, port("video", "0"))],
      }),
      pair(BUNDLE, {
        answer: [inSection(0, port("audio", "0"), replace("m=audio", "m=video"))],
      }),
    ],
    refused: [
      expecting(pair("chromium.rejected-no-common-codec"), { at: "m=video 0 UDP/TLS/RTP/SAVPF 0" }),
      expecting(pair(BUNDLE, { answer: [inSection(2, port("application", "0"))] }), {
        at: "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
      }),
      expecting(
        pair(BUNDLE, {
          offer: [inSection(1, port("video", "0")), append(1, "a=bundle-only")],
          answer: [inSection(1, port("video", "0"))],
        }),
        { at: /^m=video 0 / },
      ),
    ],
  },
  "direction-send-not-invited": {
    accepted: [
      pair(BUNDLE),
      directions("sendonly", "recvonly"),
      directions("sendonly", "inactive"),
      directions("recvonly", "sendonly"),
      directions("recvonly", "sendrecv"),
      directions("inactive", "inactive"),
      directions("inactive", "recvonly"),
      // A direction means nothing to a data channel, nor to what is rejected.
      pair(BUNDLE, { offer: [append(2, "a=inactive")] }),
      pair(BUNDLE, {
        offer: [inSection(0, replace("a=sendrecv", "a=inactive"))],
        answer: [inSection(0, port("audio", "0"))],
      }),
    ],
    refused: [
      expecting(directions("sendonly", "sendonly"), {
        at: "a=sendonly",
        says: /^sendonly answers sendonly: /,
      }),
      expecting(directions("sendonly", "sendrecv"), { at: "a=sendrecv" }),
      expecting(directions("inactive", "sendrecv"), { at: "a=sendrecv" }),
      expecting(directions("inactive", "sendonly"), { at: "a=sendonly" }),
      // Nothing said is sendrecv.
      expecting(
        pair(BUNDLE, {
          offer: [inSection(0, replace("a=sendrecv", "a=sendonly"))],
          answer: [inSection(0, remove(/^a=sendrecv$/))],
        }),
        { at: /^m=audio / },
      ),
      expecting(
        pair(BUNDLE, {
          offer: [inSection(1, replace("a=sendrecv", "a=inactive"))],
          answer: [
            inSession(insertAfter(/^t=/, "a=sendonly")),
            inSection(1, remove(/^a=sendrecv$/)),
          ],
        }),
        { at: /^m=video / },
      ),
    ],
  },
  "direction-recv-not-invited": {
    accepted: [
      pair(BUNDLE),
      directions("recvonly", "sendonly"),
      directions("recvonly", "inactive"),
      directions("inactive", "inactive"),
      directions("sendonly", "recvonly"),
      directions("sendrecv", "recvonly"),
      // These send uninvited, which is worse and told as that.
      directions("inactive", "sendrecv"),
    ],
    refused: [
      expecting(directions("recvonly", "recvonly"), {
        at: "a=recvonly",
        says: /^recvonly answers recvonly: /,
      }),
      expecting(directions("recvonly", "sendrecv"), { at: "a=sendrecv" }),
      expecting(directions("inactive", "recvonly"), { at: "a=recvonly" }),
    ],
  },
});
