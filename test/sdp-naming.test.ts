import { NAMING_RULES } from "../protocol/sdp/rules/naming.ts";
import {
  answer,
  append,
  type Example,
  expecting,
  inSection,
  inSession,
  insertAfter,
  offer,
  proveRules,
  type Refused,
  remove,
  replace,
} from "./sdp-examples.ts";

const CALL = "chromium.hold-resume.1-initial";

/** The call with another CNAME for its audio. */
const withCname = (cname: string): Example =>
  offer(CALL, replace(/^(a=ssrc:1359025406 cname:).*$/m, `$1${cname}`));

/** What a CNAME is refused for; no finding may repeat it. */
const refusing = (cname: string, says?: RegExp): Refused =>
  expecting(withCname(cname), {
    at: `a=ssrc:1359025406 cname:${cname}`,
    ...(says === undefined ? {} : { says }),
  });

const MSID = /^a=msid:.*$/m;
const UUID = "0b718829-59c2-4efc-8d08-1c8f77f9c615";

proveRules(NAMING_RULES, {
  "cname-syntax": {
    accepted: [withCname("x"), withCname("y".repeat(255)), withCname("ü".repeat(127))],
    refused: [
      refusing(""),
      refusing("y".repeat(256)),
      refusing("ü".repeat(128)),
      expecting(offer(CALL, replace("1359025406 cname:i6RrENo+knEbnped", "1359025406 cname")), {
        at: "a=ssrc:1359025406 cname",
      }),
    ],
  },
  "cname-not-random": {
    accepted: [
      offer("chromium.max-bundle"),
      offer("firefox.recvonly"),
      withCname(UUID),
      withCname("0123456789abcdef01234567"),
      withCname("12345678901234567890123456789"),
      withCname("AbCdEfGhIjKlMnOp"),
      // Empty ones have a rule of their own.
      withCname(""),
    ],
    refused: [
      refusing("AbCdEfGhIjKlMnO", /^a CNAME of less than 96 random bits: /),
      refusing("0123456789abcdef0123456", /^a CNAME of less than 96 random bits: /),
      refusing("1234567890123456789012345678", /^a CNAME of less than 96 random bits: /),
      refusing("user123456789@host-123456789", /^a CNAME in the form user@host: /),
      refusing("d6403110-eb5b-406a-8a15-7187a1fad58b", /^a CNAME that is the name of a stream: /),
      refusing("9099155a-8bcd-4028-814f-03ca2f49d9af", /^a CNAME that is the name of a stream: /),
      // Names of the older form count as well, and those of other sections.
      expecting(
        offer(
          CALL,
          remove(/^a=msid:/),
          replace(/(a=ssrc:1359025406 cname:).*/, "$1d01ed8a5-863a-4028-bcb3-324b9c844e99"),
        ),
        { at: "a=ssrc:1359025406 cname:d01ed8a5-863a-4028-bcb3-324b9c844e99" },
      ),
      // One per section, however many sources have it.
      expecting(offer("gstreamer.audio-video-sendrecv"), {
        at: "a=ssrc:2163981031 cname:user215624756@host-13207bc3",
        times: 2,
      }),
    ],
  },
  "cname-contains-identity": {
    accepted: [
      offer("gstreamer.audio-video-sendrecv"),
      offer("firefox.recvonly"),
      offer(CALL),
      withCname("alice@laptop"),
      withCname("1.2.3"),
      withCname("1.2.3.4.5"),
      withCname("02:42:ac:11:00:02"),
      withCname("12:30"),
      withCname("@example.com"),
      withCname("@"),
    ],
    refused: [
      refusing("alice@10.0.0.3", /^RTCP shows the CNAME/),
      refusing("alice@example.com"),
      refusing("192.0.2.7"),
      refusing("host-192.0.2.7-x"),
      refusing("alice@[2001:db8::7]"),
      refusing("fe80::1%eth0"),
      refusing("2001:db8:0:1:1:1:1:7"),
      refusing("::ffff:192.0.2.7"),
    ],
  },
  "cname-multiple": {
    accepted: [
      offer(CALL),
      // A media server gives every participant its own.
      offer(
        "pion.two-video-tracks",
        inSession((part) => `${part}a=ice-lite\r\n`),
      ),
      offer("janus-to-chromium.videoroom-subscribe.1-initial", replace("cname:janus", "cname:b")),
      offer(
        "chromium.two-video-tracks",
        replace(/^a=sendrecv$/gm, "a=sendonly"),
        replace("849100538 cname:5", "849100538 cname:6"),
      ),
      offer(CALL, inSection(1, remove(/^a=ssrc/))),
      answer("chromium.recvonly"),
    ],
    refused: [
      expecting(
        offer(
          "chromium.two-video-tracks",
          replace(/^a=sendrecv$/gm, "a=sendonly"),
          inSection(2, replace(/ba178cfa-b6a7-4bc3-a6c6-0fb261ee128c/g, "-")),
          replace("849100538 cname:5", "849100538 cname:6"),
        ),
        { at: "a=ssrc:849100538 cname:6NPMAE7GuKN8gCZO" },
      ),
      expecting(offer("pion.two-video-tracks"), { at: "a=ssrc:1752544972 cname:cam" }),
      expecting(offer(CALL, replace("3433942856 cname:i6", "3433942856 cname:i7")), {
        at: "a=ssrc:3433942856 cname:i7RrENo+knEbnped",
      }),
    ],
  },
  "msid-missing": {
    accepted: [
      offer(CALL),
      offer(CALL, remove(/^a=msid:/)),
      offer(CALL, remove(/^a=ssrc/)),
      offer("chromium.recvonly"),
      offer("aiortc.data-channel-only"),
      // In no stream, which is a name too.
      offer(CALL, replace(new RegExp(MSID, "gm"), "a=msid:-")),
    ],
    refused: [
      expecting(offer("werift.audio-video-sendrecv"), { at: /^m=audio /, times: 2 }),
      expecting(offer(CALL, inSection(1, remove(/^a=(?:msid:|ssrc:\d+ msid)/))), {
        at: /^m=video /,
      }),
    ],
  },
  "msid-syntax": {
    accepted: [
      offer("firefox.max-compat"),
      offer("node-datachannel.audio-video-data"),
      offer(CALL, replace(MSID, "a=msid:-")),
      offer(CALL, replace(MSID, `a=msid:${"s".repeat(64)} ${"t".repeat(64)}`)),
      offer(CALL, replace(MSID, "a=msid:!#$%&'*+-. ^_`az{|}~")),
    ],
    refused: [
      ...[
        "a=msid:",
        "a=msid:a b c",
        "a=msid:a  b",
        "a=msid: a b",
        `a=msid:${"s".repeat(65)} t`,
        `a=msid:s ${"t".repeat(65)}`,
        "a=msid:a/b c",
        "a=msid:caf\u00e9 c",
        "a=msid:s user@host",
      ].map((line) => expecting(offer(CALL, inSection(0, replace(MSID, line))), { at: line })),
    ],
  },
  "msid-duplicate": {
    accepted: [
      offer(CALL),
      offer("chromium.track-in-two-streams"),
      // The same line in two sections is for another rule.
      offer("chromium.two-video-tracks", append(0, "a=msid:x y"), append(1, "a=msid:x y")),
    ],
    refused: [
      expecting(
        offer(
          CALL,
          insertAfter(
            /^a=msid:/,
            "a=msid:d6403110-eb5b-406a-8a15-7187a1fad58b 9099155a-8bcd-4028-814f-03ca2f49d9af",
          ),
        ),
        {
          at: "a=msid:d6403110-eb5b-406a-8a15-7187a1fad58b 9099155a-8bcd-4028-814f-03ca2f49d9af",
        },
      ),
      expecting(offer(CALL, append(0, "a=msid:x y", "a=msid:x y", "a=msid:x y")), {
        at: "a=msid:x y",
        times: 2,
      }),
    ],
  },
});
