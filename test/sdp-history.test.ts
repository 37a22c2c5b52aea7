import { describe, expect, it } from "vitest";
import { HISTORY_SECTION_RULES } from "../protocol/sdp/rules/history.ts";
import { HISTORY_KEY_RULES } from "../protocol/sdp/rules/history-keys.ts";
import { HISTORY_NAMING_RULES } from "../protocol/sdp/rules/history-naming.ts";
import { CORPUS, recordOf } from "./corpus.ts";
import {
  append,
  dropSection,
  inSection,
  insertAfter,
  type Mutation,
  remove,
  replace,
} from "./sdp-examples.ts";
import {
  again,
  called,
  otherCertificate,
  proveScenes,
  reanswered,
  reoffered,
  restart,
  Story,
  scene,
  sequence,
} from "./sdp-story.ts";

const CALL = "chromium.connected-host-candidates";
const FIREFOX = "firefox.connected-host-candidates";
const offerOf = (record: string): string => recordOf(record).offer;
const answerOf = (record: string): string => recordOf(record).answer!;

/** Another connection of the same page: other keys, other credentials, other numbers. */
const reloaded: readonly Mutation[] = [restart, otherCertificate];

const unchanged = scene("the same again", () => reoffered(CALL));
const loadedAgain = scene("a page that was loaded again offers fewer sections", () =>
  reoffered(CALL, ...reloaded, dropSection(2), replace(/BUNDLE 0 1 2/, "BUNDLE 0 1")),
);

describe("sections", () => {
  proveScenes(HISTORY_SECTION_RULES, {
    "m-line-dropped": {
      accepted: [
        unchanged,
        loadedAgain,
        scene("a section is disabled", () =>
          reoffered(
            CALL,
            replace(/^m=video \d+/m, "m=video 0"),
            replace(/BUNDLE 0 1 2/, "BUNDLE 0 2"),
          ),
        ),
      ],
      refused: [
        scene("the last section is gone", () => reoffered(CALL, dropSection(2))),
        scene("the answerer offers without it", () =>
          called(CALL).offer("bob", "alice", again(answerOf(CALL), dropSection(2))),
        ),
      ],
    },
    "m-line-type-changed": {
      accepted: [
        scene("a disabled section is used for other media", () =>
          sequence("chromium.add-remove-track.5-stop-video").offer(
            "alice",
            "bob",
            again(
              offerOf("chromium.add-remove-track.5-stop-video"),
              replace("m=video 0", "m=audio 9"),
            ),
          ),
        ),
        loadedAgain,
      ],
      refused: [
        scene("video became audio", () => reoffered(CALL, replace(/^m=video/m, "m=audio"))),
      ],
    },
    "mid-changed": {
      accepted: [
        scene("a disabled section is recycled with a new mid", () =>
          sequence(
            "chromium.add-remove-track.5-stop-video",
            "chromium.add-remove-track.6-recycle-mline",
          ),
        ),
        scene("a mid appears where there was none", () =>
          called("firefox.no-mid").offer(
            "alice",
            "bob",
            again(offerOf("firefox.no-mid"), append(0, "a=mid:0")),
          ),
        ),
      ],
      refused: [
        scene("mid 1 is called x", () =>
          reoffered(CALL, replace("a=mid:1", "a=mid:x"), replace("BUNDLE 0 1 2", "BUNDLE 0 x 2")),
        ),
      ],
    },
    "mid-reused": {
      accepted: [unchanged],
      refused: [
        scene("two sections change names", () =>
          reoffered(CALL, (sdp) =>
            sdp
              .replace("a=mid:0", "a=mid:#")
              .replace("a=mid:1", "a=mid:0")
              .replace("a=mid:#", "a=mid:1"),
          ),
        ),
        scene("a name that was given up comes back elsewhere", () =>
          reanswered(
            CALL,
            [inSection(1, replace("a=mid:1", "a=mid:x"))],
            [inSection(1, replace("a=mid:1", "a=mid:x"))],
          ).offer(
            "alice",
            "bob",
            again(
              again(offerOf(CALL)),
              inSection(1, replace("a=mid:1", "a=mid:x")),
              inSection(2, replace("a=mid:2", "a=mid:1")),
            ),
          ),
        ),
      ],
    },
    "rtcp-mux-changed": {
      accepted: [unchanged],
      refused: [
        scene("rtcp-mux is gone", () => reoffered(CALL, remove(/^a=rtcp-mux/))),
        scene("rtcp-mux is gone from one section that is in no bundle any more", () =>
          reoffered(
            CALL,
            replace("BUNDLE 0 1 2", "BUNDLE 0 2"),
            inSection(1, remove(/^a=rtcp-mux/)),
          ),
        ),
      ],
    },
    "bundle-moved": {
      accepted: [
        unchanged,
        scene("a section leaves its bundle", () =>
          reoffered(CALL, replace("BUNDLE 0 1 2", "BUNDLE 0 1")),
        ),
        loadedAgain,
      ],
      refused: [
        scene("one bundle becomes two", () =>
          reoffered(
            CALL,
            replace("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 0\r\na=group:BUNDLE 1 2"),
          ),
        ),
        scene("two bundles become one", () => {
          const split: Mutation = replace(
            "a=group:BUNDLE 0 1 2",
            "a=group:BUNDLE 0 2\r\na=group:BUNDLE 1",
          );
          return new Story()
            .join("alice", "bob")
            .offer("alice", "bob", again(offerOf(CALL), split))
            .answer("bob", "alice", again(answerOf(CALL), split))
            .offer("alice", "bob", again(again(offerOf(CALL))));
        }),
      ],
    },
    "rid-set-changed": {
      accepted: [scene("the same layers", () => reoffered("chromium.simulcast-3-rids.sfu-answer"))],
      refused: [
        scene("a layer is gone", () =>
          reoffered(
            "chromium.simulcast-3-rids.sfu-answer",
            remove(/^a=rid:q/),
            replace("send q;h;f", "send h;f"),
          ),
        ),
      ],
    },
    "renegotiation-rate": {
      accepted: [
        scene("twenty offers in a minute", () => negotiating(20)),
        scene("thirty in an hour", () => negotiating(30, 120_000)),
      ],
      refused: [scene("twenty-one in a minute", () => negotiating(21))],
    },
  });
});

function negotiating(offers: number, everyMs = 1000): Story {
  const story = new Story().join("alice", "bob");
  let sdp = offerOf(CALL);
  for (let count = 1; count < offers; count += 1) {
    story.later(everyMs).offer("alice", "bob", sdp).rollback("alice", "bob");
    sdp = again(sdp);
  }
  return story.offer("alice", "bob", sdp);
}

describe("names and numbers", () => {
  proveScenes(HISTORY_NAMING_RULES, {
    "origin-version-not-incremented": {
      accepted: [
        unchanged,
        scene("a version of more digits than a number holds grows", () => {
          const grown = again(
            offerOf(CALL),
            replace(/^(o=\S+ \S+) \d+/m, "$1 18446744073709551615"),
          );
          return called(CALL)
            .offer("alice", "bob", grown)
            .answer("bob", "alice", again(answerOf(CALL)))
            .offer("alice", "bob", again(grown));
        }),
        scene("an answer that only repeats itself keeps its version", () =>
          called(CALL)
            .offer("alice", "bob", again(offerOf(CALL)))
            .answer("bob", "alice", answerOf(CALL)),
        ),
      ],
      refused: [
        scene("another text with the same version", () =>
          called(CALL).offer("alice", "bob", offerOf(CALL).replace("a=sendrecv", "a=sendonly")),
        ),
        scene("an older version", () =>
          reoffered(
            CALL,
            replace("a=sendrecv", "a=sendonly"),
            replace(/^(o=\S+ \S+) \d+/m, "$1 001"),
          ),
        ),
      ],
    },
    "origin-session-changed": {
      accepted: [
        unchanged,
        scene("a page that was loaded again", () =>
          reoffered(CALL, ...reloaded, replace(/^o=- \d+/m, "o=- 4")),
        ),
      ],
      refused: [
        scene("another session id", () => reoffered(CALL, replace(/^o=- \d+/m, "o=- 4"))),
        scene("another address", () => reoffered(CALL, replace(/^(o=.*) \S+$/m, "$1 192.0.2.7"))),
      ],
    },
    "payload-type-remapped-in-session": {
      accepted: [
        scene("a rejected section gave it up", () => onceRejected()),
        scene("sections without mids", () =>
          called("firefox.no-mid")
            .offer("alice", "bob", again(offerOf("firefox.no-mid")))
            .answer("bob", "alice", again(answerOf("firefox.no-mid")))
            .offer("alice", "bob", again(again(offerOf("firefox.no-mid")))),
        ),
        unchanged,
        scene("a payload type is new", () =>
          reoffered(
            CALL,
            replace(/^m=audio (.*)$/m, "m=audio $1 77"),
            append(0, "a=rtpmap:77 speex/16000"),
          ),
        ),
      ],
      refused: [
        scene("VP8 and VP9 change numbers", () =>
          reoffered(CALL, (sdp) =>
            sdp
              .replace("a=rtpmap:96 VP8", "a=rtpmap:96 VP9")
              .replace("a=rtpmap:98 VP9", "a=rtpmap:98 VP8"),
          ),
        ),
        scene("a number that was given up comes back for another codec", () =>
          reanswered(CALL, [without111], [without111]).offer(
            "alice",
            "bob",
            again(
              again(offerOf(CALL)),
              replace("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 G722/8000"),
            ),
          ),
        ),
      ],
    },
    "extmap-id-remapped-in-session": {
      accepted: [unchanged],
      refused: [
        scene("an id means another extension", () =>
          reoffered(
            CALL,
            inSection(0, replace(/^a=extmap:1 .*$/m, "a=extmap:1 urn:example:other")),
          ),
        ),
        scene("an id that was given up comes back", () =>
          reanswered(CALL, [withoutExtension], [withoutExtension]).offer(
            "alice",
            "bob",
            again(
              again(offerOf(CALL)),
              inSection(0, replace(/^a=extmap:1 .*$/m, "a=extmap:1 urn:example:other")),
            ),
          ),
        ),
      ],
    },
    "msid-changed": {
      accepted: [
        scene("a stream without a track", () => {
          const trackless: Mutation = replace(/^(a=msid:\S+) .*$/gm, "$1");
          return new Story()
            .join("alice", "bob")
            .offer("alice", "bob", again(offerOf(CALL), trackless))
            .answer("bob", "alice", answerOf(CALL))
            .offer("alice", "bob", again(again(offerOf(CALL), trackless)));
        }),
        unchanged,
        scene("a track was removed", () => reoffered(CALL, inSection(1, remove(/^a=msid:/)))),
      ],
      refused: [
        scene("another track", () =>
          reoffered(CALL, inSection(1, replace(/^a=msid:(\S+) .*$/m, "a=msid:$1 other"))),
        ),
      ],
    },
    "cname-changed": {
      accepted: [
        unchanged,
        scene("no source is left to have one", () => reoffered(CALL, remove(/^a=ssrc/))),
        scene("a page that was loaded again", () =>
          reoffered(CALL, ...reloaded, replace(/cname:\S+/g, "cname:YNBUiW7IzhPUPFKW")),
        ),
      ],
      refused: [
        scene("all CNAMEs are others", () =>
          reoffered(CALL, replace(/cname:\S+/g, "cname:YNBUiW7IzhPUPFKW")),
        ),
      ],
    },
    "previous-ssrc-unknown": {
      accepted: [
        scene("it was announced before", () =>
          reoffered(
            CALL,
            insertAfter(/^a=ssrc:2158176722 cname/, "a=ssrc:2158176722 previous-ssrc:189645421"),
          ),
        ),
      ],
      refused: [
        scene("it never was", () =>
          reoffered(
            CALL,
            insertAfter(
              /^a=ssrc:2158176722 cname/,
              "a=ssrc:2158176722 previous-ssrc:189645421 77777",
            ),
          ),
        ),
      ],
    },
  });
});

const without111: Mutation = (sdp) =>
  sdp
    .replace(/^m=audio (\d+ \S+) 111/m, "m=audio $1")
    .replaceAll(/^a=(?:rtpmap|fmtp|rtcp-fb):111 .*\r\n/gm, "");
const withoutExtension: Mutation = inSection(0, remove(/^a=extmap:1 /));

const halfRestart = replace(/^a=ice-pwd:.*$/gm, "a=ice-pwd:onlyThePasswordIsNew1234");

describe("ICE and DTLS", () => {
  proveScenes(HISTORY_KEY_RULES, {
    "ice-partial-restart": {
      accepted: [
        unchanged,
        scene("a whole restart", () => reoffered(CALL, restart)),
        scene("Firefox restarts", () =>
          sequence("firefox.ice-restart.1-initial", "firefox.ice-restart.2-restart"),
        ),
        scene("a new section comes with credentials of its own", () =>
          reoffered(
            CALL,
            append(
              2,
              ...offerOf(CALL)
                .split(/(?=^m=)/m)[1]!
                .trimEnd()
                .replace("a=mid:0", "a=mid:3")
                .replace(/^a=ice-ufrag:.*$/m, "a=ice-ufrag:fresh")
                .replace(/^a=ice-pwd:.*$/m, "a=ice-pwd:ofItsOwn1234567890123456")
                .split("\r\n"),
            ),
          ),
        ),
      ],
      refused: [
        scene("only the password", () => reoffered(CALL, halfRestart)),
        scene("only the ufrag", () =>
          reoffered(CALL, replace(/^a=ice-ufrag:.*$/gm, "a=ice-ufrag:news")),
        ),
        scene("only the password, in an answer", () => reanswered(CALL, [restart], [halfRestart])),
        scene("only the password, at session level", () => reoffered(FIREFOX, halfRestart)),
      ],
    },
    "ice-restart-not-answered": {
      accepted: [
        scene("answered with new credentials", () => reanswered(CALL, [restart], [restart])),
        scene("no restart", () => reanswered(CALL, [], [])),
        scene("the restarted section is rejected", () =>
          reanswered(CALL, [restart], [restart, replace(/^m=video \d+/m, "m=video 0")]),
        ),
      ],
      refused: [scene("the old credentials", () => reanswered(CALL, [restart], []))],
    },
    "ice-restart-not-requested": {
      accepted: [
        scene("requested", () => reanswered(CALL, [restart], [restart])),
        scene("a first answer", () => called(CALL)),
        scene("a section that was rejected so far has credentials of its own", () =>
          onceRejected(),
        ),
      ],
      refused: [
        scene("new credentials for an ordinary offer", () => reanswered(CALL, [], [restart])),
      ],
    },
    "ice-credentials-reused": {
      accepted: [
        scene("new ones", () => reoffered(CALL, restart)),
        scene("the same while nothing restarts", () => reoffered(CALL)),
        scene("an offer made again after a rollback", () =>
          new Story()
            .join("alice", "bob")
            .offer("alice", "bob", offerOf(CALL))
            .rollback("alice", "bob")
            .offer("alice", "bob", again(offerOf(CALL))),
        ),
      ],
      refused: [
        scene("those of two restarts ago", () =>
          reanswered(CALL, [restart], [restart]).offer("alice", "bob", again(again(offerOf(CALL)))),
        ),
        scene("those of an earlier stay in the session", () =>
          called(CALL)
            .leave("alice")
            .join("alice")
            .offer("alice", "bob", again(offerOf(CALL))),
        ),
      ],
    },
    "fingerprint-changed-without-restart": {
      accepted: [
        unchanged,
        scene("together with a restart", () => reoffered(CALL, restart, otherCertificate)),
      ],
      refused: [
        scene("in an offer", () => reoffered(CALL, otherCertificate)),
        scene("in an answer", () => reanswered(CALL, [], [otherCertificate])),
        scene("at session level", () => reoffered(FIREFOX, otherCertificate)),
        scene("one is added, so that another certificate would do as well", () =>
          reoffered(
            CALL,
            replace(
              /^(a=fingerprint:sha-256) (..)(.*)$/gm,
              "$1 $2$3\r\na=fingerprint:sha-256 00$3",
            ),
          ),
        ),
        scene("tls-id", () =>
          new Story()
            .join("alice", "bob")
            .offer("alice", "bob", again(offerOf(CALL), tlsId("one")))
            .answer("bob", "alice", answerOf(CALL))
            .offer("alice", "bob", again(again(offerOf(CALL)), tlsId("two"))),
        ),
      ],
    },
    "fingerprint-changed": {
      accepted: [
        unchanged,
        scene("there are no keys at all", () => keyless()),
        scene("a restart keeps the certificate", () => reoffered(CALL, restart)),
      ],
      refused: [scene("together with a restart", () => reoffered(CALL, restart, otherCertificate))],
    },
    "dtls-role-changed": {
      accepted: [
        scene("an answerer that is passive stays so", () => {
          const passive = replace(/a=setup:active/g, "a=setup:passive");
          return new Story()
            .join("alice", "bob")
            .offer("alice", "bob", offerOf(CALL))
            .answer("bob", "alice", again(answerOf(CALL), passive))
            .offer(
              "bob",
              "alice",
              again(again(answerOf(CALL), replace(/a=setup:active/g, "a=setup:actpass"))),
            )
            .answer(
              "alice",
              "bob",
              again(offerOf(CALL), replace(/a=setup:actpass/g, "a=setup:active")),
            );
        }),
        scene("nobody says a role", () => {
          const silent = remove(/^a=setup:/);
          return new Story()
            .join("alice", "bob")
            .offer("alice", "bob", again(offerOf(CALL), silent))
            .answer("bob", "alice", again(answerOf(CALL), silent))
            .offer("bob", "alice", again(again(answerOf(CALL), silent)))
            .answer("alice", "bob", again(again(offerOf(CALL), silent)));
        }),
        scene("the same side, the same role", () => reanswered(CALL, [], [])),
        scene("a bundled section says what its tagged one does not", () =>
          reanswered(CALL, [], [inSection(1, replace("a=setup:active", "a=setup:passive"))]),
        ),
        scene("sections without a mid, the same roles", () => {
          const unbundled = remove(/^a=(mid:|group:)/);
          return new Story()
            .join("alice", "bob")
            .offer("alice", "bob", again(offerOf(CALL), unbundled))
            .answer("bob", "alice", again(answerOf(CALL), unbundled))
            .offer("alice", "bob", again(again(offerOf(CALL), unbundled)))
            .answer("bob", "alice", again(again(answerOf(CALL), unbundled)));
        }),
        scene("sides change, roles stay", () =>
          called(CALL)
            .offer(
              "bob",
              "alice",
              again(answerOf(CALL), replace(/a=setup:active/g, "a=setup:actpass")),
            )
            .answer(
              "alice",
              "bob",
              again(offerOf(CALL), replace(/a=setup:actpass/g, "a=setup:passive")),
            ),
        ),
        scene("a restart may renew the association", () =>
          reanswered(CALL, [restart], [restart, replace(/a=setup:active/g, "a=setup:passive")]),
        ),
      ],
      refused: [
        scene("the answerer turns", () =>
          reanswered(CALL, [], [replace(/a=setup:active/g, "a=setup:passive")]),
        ),
        scene("a section without a bundle turns", () => {
          const unbundled = remove(/^a=group:/);
          return new Story()
            .join("alice", "bob")
            .offer("alice", "bob", again(offerOf(CALL), unbundled))
            .answer("bob", "alice", again(answerOf(CALL), unbundled))
            .offer("alice", "bob", again(again(offerOf(CALL), unbundled)))
            .answer(
              "bob",
              "alice",
              again(
                again(answerOf(CALL), unbundled),
                inSection(1, replace("a=setup:active", "a=setup:passive")),
              ),
            );
        }),
        scene("sides change and so do roles", () =>
          called(CALL)
            .offer(
              "bob",
              "alice",
              again(answerOf(CALL), replace(/a=setup:active/g, "a=setup:actpass")),
            )
            .answer(
              "alice",
              "bob",
              again(offerOf(CALL), replace(/a=setup:actpass/g, "a=setup:active")),
            ),
        ),
      ],
    },
  });
});

/** bob rejects video at first, and takes it at the second offer on a transport of its own. */
const onceRejected = (): Story =>
  new Story()
    .join("alice", "bob")
    .offer("alice", "bob", offerOf(CALL))
    .answer("bob", "alice", again(answerOf(CALL), replace(/^m=video \d+/m, "m=video 0")))
    .offer("alice", "bob", again(offerOf(CALL)))
    .answer("bob", "alice", again(again(answerOf(CALL)), inSection(1, restart)));

/** Descriptions without any key or credential, twice. */
const keyless = (): Story => {
  const bare = remove(/^a=(?:fingerprint|ice-ufrag|ice-pwd):/);
  return new Story()
    .join("alice", "bob")
    .offer("alice", "bob", again(offerOf(CALL), bare))
    .answer("bob", "alice", again(answerOf(CALL), bare))
    .offer("alice", "bob", again(again(offerOf(CALL), bare)));
};

const tlsId = (id: string): Mutation =>
  replace(/^a=setup:/gm, `a=tls-id:${id.padEnd(24, "0")}\r\na=setup:`);

describe("connections of real stacks through their lives", () => {
  /** Steps of a scenario that follow each other; the corpus lacks some in between. */
  const lives: string[][] = [];
  for (const name of [...CORPUS.keys()].toSorted()) {
    const last = lives.at(-1)?.at(-1) ?? "";
    const [, life = name, step = ""] = /^(.*)\.(\d)-/.exec(name) ?? [];
    const follows = step !== "" && last.startsWith(`${life}.${Number(step) - 1}-`);
    if (recordOf(name).answer === null) continue;
    if (follows) lives.at(-1)?.push(name);
    else lives.push([name]);
  }
  const sessionId = (sdp: string): string => /^o=\S+ (\S+)/m.exec(sdp)?.[1] ?? "";

  it.each(lives.map((records) => [records.join(", "), records] as const))(
    "[D3] %s gives no error from its first to its last exchange",
    (_life, records) => {
      const [first = "", ...rest] = records;
      const story = called(first);
      const bob = sessionId(answerOf(first));
      for (const record of rest) {
        const { offer, answer } = recordOf(record);
        // Some stacks repeat the session id of the other side: then nothing tells who offers.
        const isBobs = sessionId(offer) === bob && sessionId(offerOf(first)) !== bob;
        const [offerer, answerer] = isBobs ? ["bob", "alice"] : ["alice", "bob"];
        const offered = story.offer(offerer!, answerer!, offer).found;
        const answered = story.answer(answerer!, offerer!, answer!).found;
        const errors = [...offered, ...answered].filter(({ level }) => level === "error");
        const deliberate = errors.filter(({ rule }) => rule === "rtp-profile-insecure");
        expect(errors.filter((finding) => !deliberate.includes(finding))).toEqual([]);
      }
    },
  );
});
