import { HEADER_EXTENSION_RULES } from "../protocol/sdp/rules/header-extensions.ts";
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
const TOFFSET = "urn:ietf:params:rtp-hdrext:toffset";
const ENCRYPT = "urn:ietf:params:rtp-hdrext:encrypt";
const AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/** Gives the extension with identifier 14 of Chromium's video section another one. */
const renumbered = (id: number | string) =>
  replace(`a=extmap:14 ${TOFFSET}`, `a=extmap:${id} ${TOFFSET}`);
const toSession = (...lines: string[]) => inSession(insertAfter(/^t=/, ...lines));
const withoutMixed = remove(/^a=extmap-allow-mixed$/);

proveRules(HEADER_EXTENSION_RULES, {
  "extmap-syntax": {
    accepted: [
      offer(CHROMIUM),
      // With directions, and with attributes.
      offer("firefox.recvonly"),
      offer(CHROMIUM, replace(AUDIO_LEVEL, `${AUDIO_LEVEL} vad=on more`)),
      offer(CHROMIUM, renumbered("14/both")),
      offer(CHROMIUM, renumbered(123_456)),
      // Data channels have no packets with headers.
      offer(CHROMIUM, append(2, "a=extmap:x")),
      offer(CHROMIUM, append(1, "a=extmap:x"), inSection(1, replace("m=video 9", "m=video 0"))),
    ],
    refused: [
      expecting(offer(CHROMIUM, append(1, "a=extmap:9")), { at: "a=extmap:9" }),
      expecting(offer(CHROMIUM, renumbered("x")), { at: `a=extmap:x ${TOFFSET}` }),
      expecting(answer(CHROMIUM, renumbered("-1")), { at: `a=extmap:-1 ${TOFFSET}` }),
      expecting(offer(CHROMIUM, append(0, "a=extmap")), { at: "a=extmap" }),
      expecting(offer(CHROMIUM, toSession("a=extmap:9/sendonly")), { at: "a=extmap:9/sendonly" }),
    ],
  },
  "extmap-id-range": {
    accepted: [
      offer(CHROMIUM),
      offer(CHROMIUM, renumbered(1), append(0, `a=extmap:256 ${TOFFSET}`)),
      offer(CHROMIUM, append(2, `a=extmap:0 ${TOFFSET}`)),
    ],
    refused: [
      expecting(offer(CHROMIUM, renumbered(0)), {
        at: `a=extmap:0 ${TOFFSET}`,
        level: "error",
        says: /^extension 0: /,
      }),
      expecting(offer(CHROMIUM, renumbered(300)), { at: `a=extmap:300 ${TOFFSET}` }),
      expecting(offer(CHROMIUM, renumbered(257)), { at: `a=extmap:257 ${TOFFSET}` }),
      expecting(offer(CHROMIUM, renumbered(123_456)), { at: `a=extmap:123456 ${TOFFSET}` }),
      expecting(offer(CHROMIUM, renumbered("0/both")), { at: `a=extmap:0/both ${TOFFSET}` }),
      // In an offer these stand for numbers that the answer gives.
      expecting(offer(CHROMIUM, renumbered(4096)), { level: "info" }),
      expecting(offer(CHROMIUM, renumbered(4351)), { level: "info" }),
      expecting(offer(CHROMIUM, renumbered(4095)), { level: "error" }),
      expecting(offer(CHROMIUM, renumbered(4352)), { level: "error" }),
      expecting(answer(CHROMIUM, renumbered(4096)), { level: "error" }),
      expecting(offer(CHROMIUM, toSession(`a=extmap:0 ${TOFFSET}`)), {
        at: `a=extmap:0 ${TOFFSET}`,
      }),
    ],
  },
  "extmap-id-15": {
    accepted: [offer(CHROMIUM), offer(CHROMIUM, renumbered(16))],
    refused: [
      expecting(offer(CHROMIUM, renumbered(15)), {
        at: `a=extmap:15 ${TOFFSET}`,
        says: /^extension 15: /,
      }),
      // Once, although two sections have it from the session.
      expecting(offer(CHROMIUM, remove(/^a=extmap:/), toSession(`a=extmap:15 ${TOFFSET}`)), {
        at: `a=extmap:15 ${TOFFSET}`,
      }),
    ],
  },
  "extmap-two-byte-without-mixed": {
    accepted: [
      offer(CHROMIUM, renumbered(16)),
      offer(CHROMIUM, withoutMixed),
      offer(CHROMIUM, withoutMixed, renumbered(16), append(1, "a=extmap-allow-mixed")),
      // Bundled sections have it from the tagged one.
      offer(CHROMIUM, withoutMixed, renumbered(16), append(0, "a=extmap-allow-mixed")),
      // For the whole session, all of whose sections have it.
      offer(
        CHROMIUM,
        withoutMixed,
        remove(/^a=group:/),
        toSession(`a=extmap:16 ${TOFFSET}`),
        append(0, "a=extmap-allow-mixed"),
        append(1, "a=extmap-allow-mixed"),
      ),
      // Other rules say what these are.
      offer(CHROMIUM, withoutMixed, renumbered(300)),
    ],
    refused: [
      expecting(offer(CHROMIUM, withoutMixed, renumbered(16)), {
        at: `a=extmap:16 ${TOFFSET}`,
        says: /^extension 16: /,
      }),
      expecting(offer(CHROMIUM, withoutMixed, renumbered(256)), {
        at: `a=extmap:256 ${TOFFSET}`,
      }),
      expecting(answer(CHROMIUM, withoutMixed, renumbered(15)), { at: `a=extmap:15 ${TOFFSET}` }),
      // One section without it is one too many for an extension of the session.
      expecting(
        offer(
          CHROMIUM,
          withoutMixed,
          remove(/^a=group:/),
          toSession(`a=extmap:16 ${TOFFSET}`),
          append(0, "a=extmap-allow-mixed"),
        ),
        { at: `a=extmap:16 ${TOFFSET}` },
      ),
      // Not bundled: what another section has does not count.
      expecting(
        offer(
          CHROMIUM,
          withoutMixed,
          remove(/^a=group:/),
          renumbered(16),
          append(0, "a=extmap-allow-mixed"),
        ),
        {},
      ),
      // Sections without a name are in no bundle.
      expecting(
        offer(
          CHROMIUM,
          withoutMixed,
          remove(/^a=mid:/),
          renumbered(16),
          append(0, "a=extmap-allow-mixed"),
        ),
        {},
      ),
    ],
  },
  "extmap-id-duplicate": {
    accepted: [
      // Each section has a list of its own.
      offer("werift.audio-video-sendrecv", replace("a=extmap:2 urn", "a=extmap:1 urn")),
      offer(CHROMIUM, toSession(`a=extmap:14 ${TOFFSET}`)),
      // Alternatives share a stand-in, of which the answer chooses one.
      offer(CHROMIUM, append(1, "a=extmap:4096 urn:x:one", "a=extmap:4096 urn:x:other")),
    ],
    refused: [
      expecting(offer(CHROMIUM, renumbered(13)), {
        at: "a=extmap:13 urn:3gpp:video-orientation",
        says: /^extension 13: /,
      }),
      expecting(offer(CHROMIUM, toSession("a=extmap:9 urn:x:one", "a=extmap:9 urn:x:other")), {
        at: "a=extmap:9 urn:x:other",
      }),
      expecting(offer("firefox.recvonly", replace("a=extmap:2/recvonly", "a=extmap:1/recvonly")), {
        at: "a=extmap:1/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level",
      }),
    ],
  },
  "extmap-uri-duplicate": {
    accepted: [
      offer(CHROMIUM),
      // Clear and encrypted, and with other attributes, are different extensions.
      offer(CHROMIUM, append(0, `a=extmap:9 ${ENCRYPT} ${AUDIO_LEVEL}`)),
      offer(
        CHROMIUM,
        append(0, `a=extmap:9 ${ENCRYPT} ${TOFFSET}`, `a=extmap:10 ${ENCRYPT} ${AUDIO_LEVEL}`),
      ),
      offer(CHROMIUM, append(1, `a=extmap:9 ${TOFFSET} short`)),
    ],
    refused: [
      expecting(offer(CHROMIUM, append(1, `a=extmap:9 ${TOFFSET}`)), {
        at: `a=extmap:9 ${TOFFSET}`,
        says: /^extension 9: /,
      }),
      expecting(
        offer(
          CHROMIUM,
          append(0, `a=extmap:9 ${ENCRYPT} ${TOFFSET}`, `a=extmap:10 ${ENCRYPT} ${TOFFSET}`),
        ),
        { at: `a=extmap:10 ${ENCRYPT} ${TOFFSET}` },
      ),
      // Directions do not make it another extension.
      expecting(offer(CHROMIUM, append(1, `a=extmap:9/sendonly ${TOFFSET}`)), {
        at: `a=extmap:9/sendonly ${TOFFSET}`,
      }),
    ],
  },
  "extmap-uri-not-absolute": {
    accepted: [
      offer(CHROMIUM),
      offer("firefox.recvonly"),
      offer(CHROMIUM, append(1, "a=extmap:9 x-my.scheme+1:thing")),
    ],
    refused: [
      expecting(offer(CHROMIUM, append(1, "a=extmap:9 foo")), {
        at: "a=extmap:9 foo",
        says: /^extension 9: /,
      }),
      expecting(answer(CHROMIUM, append(0, "a=extmap:9 /hdrext:mid")), {
        at: "a=extmap:9 /hdrext:mid",
      }),
    ],
  },
  "extmap-direction-invalid": {
    accepted: [
      offer("firefox.recvonly"),
      offer(CHROMIUM, renumbered("14/inactive")),
      offer(CHROMIUM, renumbered("123456/sendonly")),
      offer(CHROMIUM, renumbered("x/both")),
    ],
    refused: [
      expecting(offer(CHROMIUM, renumbered("14/both")), {
        at: `a=extmap:14/both ${TOFFSET}`,
        says: /^extension 14: /,
      }),
      expecting(offer(CHROMIUM, renumbered("14/")), { at: `a=extmap:14/ ${TOFFSET}` }),
      expecting(offer(CHROMIUM, renumbered("14/SendOnly")), {
        at: `a=extmap:14/SendOnly ${TOFFSET}`,
      }),
    ],
  },
  "audio-level-unencrypted": {
    accepted: [
      offer("werift.audio-video-sendrecv"),
      // Offered both ways, or encrypted only.
      offer(CHROMIUM, append(0, `a=extmap:9 ${ENCRYPT} ${AUDIO_LEVEL}`)),
      offer(CHROMIUM, replace(AUDIO_LEVEL, `${ENCRYPT} ${AUDIO_LEVEL}`)),
      offer(CHROMIUM, append(0, "a=cryptex")),
      offer(CHROMIUM, toSession("a=cryptex")),
      offer(CHROMIUM, replace(/^a=group:.*$/m, "a=group:BUNDLE 1 0 2"), append(1, "a=cryptex")),
    ],
    refused: [
      expecting(offer(CHROMIUM), { at: `a=extmap:1 ${AUDIO_LEVEL}`, says: /^extension 1: / }),
      // The levels of the speaker and of those mixed are two extensions.
      expecting(offer("firefox.recvonly"), { times: 2 }),
      expecting(offer("firefox.recvonly", append(0, `a=extmap:9 ${ENCRYPT} ${AUDIO_LEVEL}`)), {
        at: "a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level",
      }),
      expecting(answer(CHROMIUM, append(0, `a=extmap:9 ${ENCRYPT} ${TOFFSET}`)), {
        at: `a=extmap:1 ${AUDIO_LEVEL}`,
      }),
    ],
  },
});
