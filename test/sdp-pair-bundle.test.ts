import { PAIR_BUNDLE_RULES } from "../protocol/sdp/rules/pair-bundle.ts";
import {
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

const GROUP = /^a=group:BUNDLE/;
const withoutGroup = remove(GROUP);
const groups = (...lines: string[]): Mutation => inSession(insertAfter(/^t=/, ...lines));
const regrouped = (mids: string): Mutation =>
  replace(/^a=group:BUNDLE.*$/m, `a=group:BUNDLE${mids}`);
const rejected = (index: number): Mutation => inSection(index, replace(/^m=(\w+) \d+/, "m=$1 0"));
const bundleOnly = (index: number): Mutation =>
  inSection(index, insertAfter(/^c=/, "a=bundle-only"));

proveRules(PAIR_BUNDLE_RULES, {
  "bundle-group-not-offered": {
    accepted: [
      pair("chromium.max-bundle"),
      pair("chromium.max-bundle", { offer: [withoutGroup], answer: [withoutGroup] }),
      // Other semantics are no bundle, and a group without members groups nothing.
      pair("chromium.max-bundle", {
        offer: [withoutGroup],
        answer: [withoutGroup, groups("a=group:LS 0 1", "a=group:BUNDLE")],
      }),
    ],
    refused: [
      expecting(pair("chromium.max-bundle", { offer: [withoutGroup] }), {
        at: "a=group:BUNDLE 0 1 2",
      }),
      expecting(pair("chromium.max-bundle", { offer: [regrouped("")] }), {
        at: "a=group:BUNDLE 0 1 2",
      }),
      expecting(pair("pion.audio-video-sendrecv", { offer: [withoutGroup] }), { at: GROUP }),
    ],
  },
  "bundle-group-not-subset": {
    accepted: [
      pair("chromium.max-bundle"),
      // A rejected section leaves the group.
      pair("chromium.rejected-no-common-codec"),
      pair("chromium.max-bundle", { answer: [regrouped(" 2 0")] }),
      pair("chromium.max-bundle", {
        offer: [regrouped(" 0 1"), groups("a=group:BUNDLE 2")],
        answer: [regrouped(" 1"), groups("a=group:BUNDLE 2")],
      }),
      // Without any offered group there is another rule for it.
      pair("chromium.max-bundle", { offer: [withoutGroup] }),
    ],
    refused: [
      expecting(pair("chromium.max-bundle", { answer: [regrouped(" 0 1 2 7")] }), {
        at: "a=group:BUNDLE 0 1 2 7",
        says: /^mid 7: /,
      }),
      expecting(pair("chromium.max-bundle", { answer: [regrouped(" 7")] }), {
        at: "a=group:BUNDLE 7",
      }),
      expecting(pair("chromium.max-bundle", { offer: [regrouped(" 0 1")] }), {
        at: "a=group:BUNDLE 0 1 2",
        says: /^mid 2: /,
      }),
      // Two groups of the offer are not made one.
      expecting(
        pair("chromium.max-bundle", { offer: [regrouped(" 0 1"), groups("a=group:BUNDLE 2")] }),
        { at: "a=group:BUNDLE 0 1 2", says: /^mid 2: / },
      ),
    ],
  },
  "bundle-declined": {
    accepted: [
      pair("chromium.max-bundle"),
      pair("chromium.max-bundle", { answer: [regrouped(" 0 1")] }),
      pair("chromium.max-bundle", { offer: [withoutGroup], answer: [withoutGroup] }),
      // An answer that rejects everything has nothing to bundle.
      pair("chromium.max-bundle", {
        answer: [regrouped(""), rejected(0), rejected(1), rejected(2)],
      }),
    ],
    refused: [
      pair("chromium.max-bundle", { answer: [withoutGroup] }),
      pair("firefox.recvonly", { answer: [regrouped("")] }),
      pair("chromium.max-bundle", { offer: [regrouped(" 2")], answer: [withoutGroup] }),
    ],
  },
  "bundle-only-not-bundled": {
    accepted: [
      pair("firefox.large-session"),
      pair("gstreamer-to-chromium.audio-video-sendrecv"),
      // With a port of its own the section can do without the bundle.
      pair("chromium.max-bundle", { offer: [bundleOnly(1)], answer: [regrouped(" 0 2")] }),
      pair("firefox.two-video-tracks", { answer: [regrouped(" 0 1"), rejected(2)] }),
      // The name that the answer lost is in its group.
      pair("firefox.two-video-tracks", { answer: [inSection(2, remove(/^a=mid:/))] }),
    ],
    refused: [
      expecting(pair("firefox.two-video-tracks", { answer: [regrouped(" 0 1")] }), {
        at: /^m=video/,
      }),
      pair("gstreamer-to-firefox.audio-video-sendrecv", { answer: [withoutGroup] }),
      expecting(pair("firefox.sfu-many-recvonly", { answer: [withoutGroup] }), { times: 10 }),
      pair("firefox.two-video-tracks", {
        offer: [inSection(2, remove(/^a=mid:/))],
        answer: [inSection(2, remove(/^a=mid:/))],
      }),
    ],
  },
  "bundled-group-tag-rejected": {
    accepted: [
      pair("chromium.rejected-no-common-codec"),
      // The whole group is rejected.
      pair("chromium.max-bundle", {
        answer: [regrouped(""), rejected(0), rejected(1), rejected(2)],
      }),
      // The others leave the group.
      pair("chromium.max-bundle", { answer: [withoutGroup, rejected(0)] }),
      // The offer had disabled it.
      pair("chromium.max-bundle", {
        offer: [rejected(0)],
        answer: [regrouped(" 1 2"), rejected(0)],
      }),
      // The others have transports of their own, as in a first offer.
      pair("aiortc.audio-video-sendrecv", { answer: [regrouped(" 1"), rejected(0)] }),
      // The group begins with a section that is not there.
      pair("chromium.max-bundle", {
        offer: [regrouped(" 9 0 1 2")],
        answer: [regrouped(" 1 2"), rejected(0)],
      }),
      // The answer has fewer sections than the offer.
      pair("chromium.max-bundle", {
        offer: [regrouped(" 2 0 1")],
        answer: [regrouped(" 0 1"), (sdp) => sdp.slice(0, sdp.indexOf("m=application"))],
      }),
    ],
    refused: [
      expecting(pair("chromium.max-bundle", { answer: [regrouped(" 1 2"), rejected(0)] }), {
        at: /^m=audio 0 /,
      }),
      // It is still listed.
      expecting(pair("firefox.recvonly", { answer: [rejected(0)] }), { at: /^m=audio 0 / }),
      // The tagged section is the first of the group, not of the description.
      expecting(
        pair("chromium.max-bundle", {
          offer: [regrouped(" 2 0 1")],
          answer: [regrouped(" 0 1"), rejected(2)],
        }),
        { at: /^m=application 0 / },
      ),
      // The others take what they lack from the tagged section.
      expecting(
        pair("aiortc.audio-video-sendrecv", {
          offer: [inSection(1, remove(/^a=ice-/))],
          answer: [regrouped(" 1"), rejected(0)],
        }),
        { at: /^m=audio 0 / },
      ),
    ],
  },
});
