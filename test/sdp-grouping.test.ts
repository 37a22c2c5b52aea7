import { GROUPING_RULES } from "../protocol/sdp/rules/grouping.ts";
import {
  answer,
  append,
  expecting,
  inSection,
  insertAfter,
  type Mutation,
  offer,
  proveRules,
  remove,
  replace,
} from "./sdp-examples.ts";

/** Audio, video and data of mids 0 to 2, in one bundle. */
const three = "chromium.connected-host-candidates";
/** Its section 1 is rejected. */
const rejecting = "chromium.rejected-no-common-codec";
/** Section 2 is bundle-only. */
const bundleOnly = "firefox.two-video-tracks";
const lipSync = "node-datachannel.audio-video-data";

/** Renames a section in its own line and in the groups. */
const rename =
  (from: string, to: string): Mutation =>
  (sdp) =>
    sdp.replace(`a=mid:${from}\r\n`, `a=mid:${to}\r\n`).replace(/^a=group:.*$/gm, (line) =>
      line
        .split(" ")
        .map((word) => (word === from ? to : word))
        .join(" "),
    );
const group = (...lines: string[]): Mutation =>
  replace(/^a=group:BUNDLE.*$/m, lines.map((line) => `a=group:${line}`).join("\r\n"));
const noPort = (index: number, ...lines: string[]): Mutation =>
  inSection(index, replace(/^(m=\w+) \d+/, "$1 0"), insertAfter(/^c=/, "a=x", ...lines));

proveRules(GROUPING_RULES, {
  "mid-missing": {
    accepted: [offer(three), answer(rejecting, inSection(1, remove(/^a=mid:/)))],
    refused: [
      expecting(offer("firefox.no-mid"), { at: /^m=audio/, times: 2 }),
      expecting(offer(three, inSection(1, remove(/^a=mid:/))), { at: /^m=video/ }),
    ],
  },
  "mid-duplicate": {
    accepted: [offer(three), offer("firefox.no-mid"), offer(three, remove(/^a=mid:/))],
    refused: [
      expecting(offer(three, inSection(1, replace("a=mid:1", "a=mid:0"))), { at: "a=mid:0" }),
      expecting(answer(rejecting, inSection(1, replace("a=mid:1", "a=mid:2"))), { at: "a=mid:2" }),
      expecting(offer(three, replace(/^a=mid:./gm, "a=mid:x")), { at: "a=mid:x", times: 2 }),
    ],
  },
  "mid-syntax": {
    accepted: [
      offer("gstreamer-to-chromium.data-channel-only"),
      offer(three, rename("0", "!#$%&'*+-.^_`{|}~aZ9")),
      offer(three, replace("a=mid:0", "a=mid:0 ")),
    ],
    refused: [
      expecting(offer(three, replace("a=mid:0", "a=mid:a b")), { at: "a=mid:a b" }),
      expecting(offer(three, replace("a=mid:0", "a=mid:a/b")), { at: "a=mid:a/b" }),
      expecting(offer(three, replace("a=mid:0", "a=mid:ä")), { at: "a=mid:ä" }),
      expecting(offer(three, replace("a=mid:0", "a=mid:")), { at: "a=mid:" }),
      expecting(offer(three, replace("a=mid:0", "a=mid")), { at: "a=mid" }),
    ],
  },
  "mid-too-long": {
    accepted: [offer(three, rename("0", "audio-0123456789"))],
    refused: [
      expecting(offer(three, rename("0", "audio-0123456789x")), { at: "a=mid:audio-0123456789x" }),
      expecting(offer(three, rename("0", "ääääääääx")), { at: "a=mid:ääääääääx" }),
    ],
  },
  "mid-leaks-identity": {
    accepted: [
      offer(three, rename("0", "camera-of-the-main-room0")),
      offer(three, rename("0", "@")),
      offer("firefox.no-mid"),
    ],
    refused: [
      expecting(offer(three, rename("0", "camera-of-the-main-room-0")), { at: /^a=mid:camera/ }),
      expecting(offer(three, rename("0", "bob@corp")), { at: "a=mid:bob@corp" }),
    ],
  },
  "group-syntax": {
    accepted: [
      offer(lipSync),
      offer(three, group("BUNDLE 0 1 2", "x-new 0", "BUNDLE")),
      offer(three, group("BUNDLE 0 1 2 ")),
    ],
    refused: [
      expecting(offer(three, group("")), { at: "a=group:" }),
      expecting(offer(three, group("BUNDLE 0,1,2")), { at: "a=group:BUNDLE 0,1,2" }),
      expecting(offer(three, group(" BUNDLE 0 1 2")), { at: "a=group: BUNDLE 0 1 2" }),
    ],
  },
  "group-empty": {
    accepted: [offer(three), offer(three, group("")), offer("firefox.no-mid")],
    refused: [
      expecting(offer(three, group("BUNDLE")), { at: "a=group:BUNDLE", says: /^BUNDLE: / }),
      expecting(offer(lipSync, replace(/^a=group:LS.*$/m, "a=group:LS ")), { at: "a=group:LS " }),
    ],
  },
  "group-unknown-mid": {
    accepted: [
      offer(three),
      // The section is there, though rejected.
      answer(rejecting, group("BUNDLE 0 1 2")),
      offer(lipSync, replace(/^a=group:LS.*$/m, "a=group:LS 0 9")),
    ],
    refused: [
      expecting(offer(three, group("BUNDLE 0 9")), { at: "a=group:BUNDLE 0 9", says: /^mid 9: / }),
      expecting(offer(three, group("BUNDLE 0 7 8")), { times: 2 }),
      expecting(offer(three, group("BUNDLE 0 1 2", "FID 0 9")), {
        at: "a=group:FID 0 9",
        level: "info",
      }),
    ],
  },
  "ls-group-unknown-mid": {
    accepted: [offer(lipSync), offer(three, group("BUNDLE 0 9"))],
    refused: [
      expecting(offer(lipSync, replace(/^a=group:LS.*$/m, "a=group:LS 0 9")), {
        at: "a=group:LS 0 9",
      }),
    ],
  },
  "bundle-mid-in-two-groups": {
    accepted: [
      offer(lipSync),
      offer(three, group("BUNDLE 0 1", "BUNDLE 2")),
      offer(three, group("BUNDLE 0 1 2 0")),
    ],
    refused: [
      expecting(offer(three, group("BUNDLE 0 1", "BUNDLE 1 2")), {
        at: "a=group:BUNDLE 1 2",
        says: /^mid 1: /,
      }),
    ],
  },
  "bundle-not-offered": {
    accepted: [
      offer(three, group("BUNDLE 0 1")),
      offer("chromium-to-firefox.data-channel-only", remove(/^a=group:/)),
      offer(three, remove(/^a=group:/), noPort(0), noPort(1)),
    ],
    refused: [
      offer("firefox.no-mid"),
      offer(three, remove(/^a=group:/)),
      offer(three, group("BUNDLE")),
    ],
  },
  "bundle-tag-bundle-only": {
    accepted: [
      offer(bundleOnly),
      // Ignored with a port, and rejected without being bundle-only.
      offer(three, append(0, "a=bundle-only")),
      offer(three, noPort(0)),
      offer(three, group("BUNDLE 0 1"), noPort(2, "a=bundle-only")),
    ],
    refused: [
      expecting(offer(three, noPort(0, "a=bundle-only")), { at: "a=bundle-only" }),
      expecting(offer(bundleOnly, group("BUNDLE 2 0 1")), { at: "a=bundle-only" }),
      expecting(offer(bundleOnly, group("BUNDLE 0 1", "BUNDLE 2")), { at: "a=bundle-only" }),
    ],
  },
  "bundle-only-port": {
    accepted: [offer(bundleOnly), offer(three)],
    refused: [expecting(offer(three, append(1, "a=bundle-only")), { at: "a=bundle-only" })],
  },
  "bundle-only-has-transport-attrs": {
    accepted: [
      offer(three),
      offer(bundleOnly, inSection(2, remove(/^a=(?:ice-ufrag|candidate|fingerprint)/))),
    ],
    refused: [
      expecting(offer(bundleOnly), { at: /^a=ice-ufrag:/, says: /^a=ice-ufrag: / }),
      expecting(
        offer(
          bundleOnly,
          inSection(2, replace(/^a=ice-ufrag:.*$/m, "a=candidate:1 1 udp 1 192.0.2.2 9 typ host")),
        ),
        { at: /^a=candidate/ },
      ),
      expecting(
        offer(bundleOnly, inSection(2, replace(/^a=ice-ufrag:.*$/m, "a=fingerprint:sha-1 00"))),
        { at: "a=fingerprint:sha-1 00" },
      ),
    ],
  },
  "bundle-only-in-answer": {
    accepted: [answer(bundleOnly), answer(rejecting)],
    refused: [
      expecting(answer(bundleOnly, append(2, "a=bundle-only")), { at: "a=bundle-only" }),
      expecting(answer(bundleOnly, noPort(2, "a=bundle-only")), { at: "a=bundle-only" }),
    ],
  },
  "bundle-rejected-member": {
    accepted: [
      answer(rejecting),
      offer(bundleOnly),
      offer(three, replace(/^m=video .*$/m, "m=video")),
      answer(rejecting, inSection(1, remove(/^a=mid:/))),
    ],
    refused: [
      expecting(offer("werift.hold-resume.2-hold-inactive"), { at: /^m=audio 0 / }),
      expecting(answer("werift.hold-resume.2-hold-inactive"), { at: /^m=audio 0 / }),
      expecting(answer(rejecting, group("BUNDLE 0 1 2")), { at: "m=video 0 UDP/TLS/RTP/SAVPF 0" }),
    ],
  },
});
