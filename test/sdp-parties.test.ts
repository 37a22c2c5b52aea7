import { describe, expect, it } from "vitest";
import { PARTY_RULES } from "../protocol/sdp/rules/parties.ts";
import { SESSION_POLICY_RULES } from "../protocol/sdp/rules/policy.ts";
import { TRICKLE_RULES } from "../protocol/sdp/rules/trickle.ts";
import { recordOf } from "./corpus.ts";
import { type Mutation, remove, replace } from "./sdp-examples.ts";
import {
  again,
  called,
  otherCertificate,
  proveScenes,
  restart,
  Story,
  scene,
} from "./sdp-story.ts";

const CALL = "chromium.connected-host-candidates";
const OTHER = "chromium.max-compat";
const FIREFOX = "firefox.connected-host-candidates";
const JANUS = "chromium-to-janus.videoroom-publish";
const offerOf = (record: string): string => recordOf(record).offer;
const answerOf = (record: string): string => recordOf(record).answer!;

const partOf = (sdp: string, pattern: RegExp): string => pattern.exec(sdp)?.[1] ?? "";
const cname = (sdp: string): string => partOf(sdp, /cname:(\S+)/);
const fingerprint = (sdp: string): string => partOf(sdp, /^a=fingerprint:(.*)$/m);
const ssrc = (sdp: string): string => partOf(sdp, /^a=ssrc:(\d+)/m);

/** The CNAME, certificate or first SSRC of another description. */
const withCnameOf = (sdp: string): Mutation => replace(/cname:\S+/g, `cname:${cname(sdp)}`);
const withCertificateOf = (sdp: string): Mutation =>
  replace(/^a=fingerprint:.*$/gm, `a=fingerprint:${fingerprint(sdp)}`);
const withSourceOf =
  (sdp: string): Mutation =>
  (text) =>
    text.replaceAll(`a=ssrc:${ssrc(text)}`, `a=ssrc:${ssrc(sdp)}`);
const withCredentialsOf =
  (sdp: string): Mutation =>
  (text) =>
    text
      .replaceAll(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${partOf(sdp, /^a=ice-ufrag:(.*)$/m)}`)
      .replaceAll(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${partOf(sdp, /^a=ice-pwd:(.*)$/m)}`);

const changed = (sdp: string, ...mutations: Mutation[]): string => again(sdp, ...mutations);

/** alice is in a call with bob and offers to carol. */
const toCarol = (...mutations: Mutation[]): Story =>
  called(CALL)
    .join("carol")
    .offer("alice", "carol", changed(offerOf(OTHER), ...mutations));

/** carol offers to bob, who is in a call with alice. */
const fromCarol = (...mutations: Mutation[]): Story =>
  called(CALL)
    .join("carol")
    .offer("carol", "bob", changed(offerOf(OTHER), ...mutations));

/** alice has published to a media server; bob offers to it as well. */
const throughServer = (...mutations: Mutation[]): Story =>
  published().offer("bob", "server", changed(offerOf(OTHER), ...mutations));

const published = (): Story =>
  new Story({ topology: "central" })
    .join("alice", "bob")
    .serve("server")
    .offer("alice", "server", offerOf(JANUS))
    .answer("server", "alice", answerOf(JANUS));

/** The media server offers to bob. */
const served = (...mutations: Mutation[]): Story =>
  published().offer(
    "server",
    "bob",
    changed(offerOf("janus-to-chromium.videoroom-subscribe.1-initial"), ...mutations),
  );

const fresh = scene("another connection with names of its own", () => toCarol());

describe("parties of a session", () => {
  proveScenes(PARTY_RULES, {
    "cname-reused-across-sessions": {
      accepted: [
        fresh,
        scene("a media server has one name", () => served()),
        scene("another peer's name is another matter", () => fromCarol(withCnameOf(offerOf(CALL)))),
      ],
      refused: [
        scene("on a second link", () => toCarol(withCnameOf(offerOf(CALL)))),
        scene("on the same link after leaving", () =>
          called(CALL)
            .leave("alice")
            .join("alice")
            .offer("alice", "bob", changed(offerOf(OTHER), withCnameOf(offerOf(CALL)))),
        ),
        scene("on the same link by a page that was loaded again", () =>
          called(CALL)
            .offer("alice", "bob", changed(offerOf(CALL), restart, otherCertificate))
            .answer("bob", "alice", changed(answerOf(CALL), restart))
            .offer("alice", "bob", again(again(offerOf(CALL), restart, otherCertificate))),
        ),
      ],
    },
    "ssrc-reused-across-sessions": {
      accepted: [fresh],
      refused: [scene("on a second link", () => toCarol(withSourceOf(offerOf(CALL))))],
    },
    "ssrc-claimed-by-two-participants": {
      accepted: [
        scene("sources of its own", () => throughServer()),
        scene("the server forwards it", () => served(withSourceOf(offerOf(JANUS)))),
        scene("in a mesh every link is a session of its own", () =>
          fromCarol(withSourceOf(offerOf(CALL))),
        ),
      ],
      refused: [scene("bob takes alice's", () => throughServer(withSourceOf(offerOf(JANUS))))],
    },
    "loop-detected": {
      accepted: [
        fresh,
        scene("an offer of the other side", () =>
          called(CALL).offer(
            "bob",
            "alice",
            changed(answerOf(CALL), replace(/setup:active/g, "setup:actpass")),
          ),
        ),
        scene("one device shares its certificate", () =>
          fromCarol(withCertificateOf(answerOf(CALL))),
        ),
      ],
      refused: [
        scene("alice's offer comes back to her as bob's", () =>
          called(CALL).offer("bob", "alice", again(offerOf(CALL))),
        ),
        scene("her offer comes back by way of carol", () =>
          called(CALL)
            .join("carol")
            .offer("carol", "alice", again(offerOf(CALL))),
        ),
        scene("it comes back while it is still open", () =>
          new Story()
            .join("alice", "bob", "carol")
            .offer("alice", "bob", offerOf(CALL))
            .offer("carol", "alice", again(offerOf(CALL))),
        ),
        scene("credentials alone", () => fromCarol(withCredentialsOf(answerOf(CALL)))),
        scene("a source with its CNAME", () =>
          called(CALL)
            .join("carol")
            .offer(
              "carol",
              "alice",
              changed(offerOf(OTHER), withCnameOf(offerOf(CALL)), withSourceOf(offerOf(CALL))),
            ),
        ),
        scene("a server shows a peer its own certificate", () =>
          published().offer(
            "server",
            "alice",
            changed(
              offerOf("janus-to-chromium.videoroom-subscribe.1-initial"),
              withCertificateOf(offerOf(JANUS)),
            ),
          ),
        ),
      ],
    },
    "fingerprint-relayed-unchanged": {
      accepted: [scene("the server has its own", () => served())],
      refused: [scene("the server shows alice's", () => served(withCertificateOf(offerOf(JANUS))))],
    },
    "fingerprint-shared-by-participants": {
      accepted: [
        scene("everyone has their own", () => fromCarol()),
        scene("the server's own is everywhere", () => served()),
      ],
      refused: [scene("carol has alice's", () => fromCarol(withCertificateOf(offerOf(CALL))))],
    },
    "sfu-no-common-codec": {
      accepted: [
        scene("they have some", () => throughServer()),
        scene("in a mesh it does not matter", () =>
          fromCarol(replace(/ (VP8|VP9|H264|AV1|H265)\//g, " X-$1/")),
        ),
        scene("bob sends no video", () =>
          throughServer(remove(/^a=rtpmap:\d+ (?:VP8|VP9|H264|AV1|H265)/)),
        ),
        scene("the server itself", () => served()),
      ],
      refused: [
        scene("bob has only codecs that alice has not", () =>
          throughServer(replace(/ (VP8|VP9|H264|AV1|H265)\//g, " X-$1/")),
        ),
      ],
    },
    "mesh-shared-session": {
      accepted: [fresh],
      refused: [
        scene("the offer to bob is sent to carol as well", () =>
          called(CALL).join("carol").offer("alice", "carol", offerOf(CALL)),
        ),
        scene("the same certificate", () => toCarol(withCertificateOf(offerOf(CALL)))),
      ],
    },
  });

  it("[S8] an empty description, or one whose sections are all rejected, is compared with nothing", () => {
    const story = called(CALL);
    const rejected = again(offerOf(CALL), replace(/^m=(\w+) \d+/gm, "m=$1 0"));
    expect(story.offer("alice", "bob", rejected).found.map(({ rule }) => rule)).not.toContain(
      "loop-detected",
    );
    expect(story.offer("alice", "bob", "v=0\r\n").found.map(({ rule }) => rule)).toContain(
      "m-line-dropped",
    );
  });
});

const candidate = (rest: string) => ({
  candidate: `candidate:1 1 udp 2113937151 ${rest}`,
  sdpMid: "0",
  sdpMLineIndex: 0,
});
const host = candidate("192.0.2.3 55052 typ host");
const relayed = candidate("198.51.100.7 40000 typ relay raddr 0.0.0.0 rport 0");

const relayOnly = (record: string, ...mutations: Mutation[]): Story =>
  new Story({ iceTransportPolicy: "relay" })
    .join("alice", "bob")
    .offer("alice", "bob", changed(offerOf(record), ...mutations));

const trickled = (...candidates: object[]): Story =>
  relayOnly("chromium.trickle-no-candidates").candidates("alice", "bob", candidates);

const endpoint = (record: string, ...mutations: Mutation[]): Story =>
  new Story()
    .seat("alice")
    .join("bob")
    .offer("alice", "bob", changed(offerOf(record), ...mutations));

describe("what the session was created with", () => {
  proveScenes(SESSION_POLICY_RULES, {
    "candidate-policy-relay-only": {
      accepted: [
        scene("relayed candidates only", () => relayOnly("chromium.relay-only")),
        scene("a relayed one trickles", () =>
          relayOnly("chromium.trickle-no-candidates").candidates("alice", "bob", [relayed]),
        ),
        scene("the session allows all", () => called(CALL)),
        scene("those of a media server", () =>
          new Story({ topology: "central", iceTransportPolicy: "relay" })
            .join("alice")
            .serve("server")
            .offer("server", "alice", offerOf(CALL))
            .candidates("server", "alice", [host]),
        ),
      ],
      refused: [
        scene("host candidates in the offer", () => relayOnly(CALL)),
        scene("one in a rejected section", () =>
          relayOnly(
            "chromium.relay-only",
            replace(/^m=video \d+/m, "m=video 0"),
            replace(/(?<=^m=video.*(?:\r\n.+)*)typ relay/m, "typ host"),
          ),
        ),
        scene("one trickles", () =>
          relayOnly("chromium.trickle-no-candidates").candidates("alice", "bob", [relayed, host]),
        ),
        scene("one trickles that cannot be read", () =>
          relayOnly("chromium.trickle-no-candidates").candidates("alice", "bob", [
            candidate("198.51.100.7 40000 typ relay raddr"),
          ]),
        ),
        scene("one trickles in the clothes of another", () =>
          relayOnly("chromium.trickle-no-candidates").candidates("alice", "bob", [
            candidate(
              "198.51.100.7 40000 typ relay x y\r\na=candidate:1 1 udp 1 192.0.2.3 5 typ host",
            ),
          ]),
        ),
      ],
    },
    "candidate-policy-related-address": {
      accepted: [
        scene("none is told", () =>
          trickled(candidate("198.51.100.7 40000 typ relay generation 0")),
        ),
        scene("it is hidden", () => trickled(relayed)),
        scene("it is the relay's own", () =>
          trickled(candidate("198.51.100.7 40000 typ relay raddr 198.51.100.7 rport 40000")),
        ),
      ],
      refused: [
        scene("one trickles", () =>
          trickled(candidate("198.51.100.7 40000 typ relay raddr 192.0.2.3 rport 5000")),
        ),
        scene("one in the offer", () =>
          relayOnly("chromium.relay-only", replace(/raddr 0\.0\.0\.0/, "raddr 192.0.2.3")),
        ),
      ],
    },
    "address-policy-relay-only": {
      accepted: [
        scene("those of relays", () => relayOnly("chromium.relay-only")),
        scene("no default destination yet", () => relayOnly("chromium.trickle-no-candidates")),
      ],
      refused: [
        scene("a default destination", () =>
          relayOnly(
            "chromium.trickle-no-candidates",
            replace(/^c=IN IP4 .*$/m, "c=IN IP4 192.0.2.3"),
          ),
        ),
        scene("one for RTCP", () =>
          relayOnly(
            "chromium.trickle-no-candidates",
            replace(/^a=rtcp:.*$/m, "a=rtcp:5001 IN IP6 2001:db8::3"),
          ),
        ),
        scene("the origin", () =>
          relayOnly(
            "chromium.trickle-no-candidates",
            replace(/^(o=.*) \S+$/m, "$1 host.example.com"),
          ),
        ),
      ],
    },
    "no-trickle-without-candidates": {
      accepted: [
        scene("an endpoint that has gathered", () => endpoint(CALL)),
        scene("a peer that trickles", () => called("chromium.trickle-no-candidates")),
        scene("nothing is in use", () => endpoint(CALL, replace(/^m=(\w+) \d+/gm, "m=$1 0"))),
      ],
      refused: [
        scene("an endpoint that would trickle", () => endpoint("chromium.trickle-no-candidates")),
      ],
    },
    "bandwidth-exceeds-policy": {
      accepted: [
        scene("no ceiling", () => called("chromium.bandwidth-munged")),
        scene("below it", () =>
          called("chromium.bandwidth-munged", { maxDownlinkBps: 100_000_000 }),
        ),
        scene("the uplink of a media server has none", () =>
          new Story({ topology: "central", maxDownlinkBps: 1000 })
            .join("alice")
            .serve("server")
            .offer("server", "alice", offerOf("chromium.bandwidth-munged")),
        ),
      ],
      refused: [
        scene("above what alice may receive", () =>
          new Story({ maxDownlinkBps: 1000 })
            .join("alice", "bob")
            .offer("alice", "bob", offerOf("chromium.bandwidth-munged")),
        ),
        scene("above what bob may send", () =>
          new Story({ maxUplinkBps: 1000 })
            .join("alice", "bob")
            .offer("alice", "bob", offerOf("chromium.bandwidth-munged")),
        ),
        scene("TIAS", () =>
          new Story({ maxUplinkBps: 1000 })
            .join("alice", "bob")
            .offer(
              "alice",
              "bob",
              changed(offerOf(FIREFOX), replace(/^(m=audio.*\r\nc=.*)$/m, "$1\r\nb=TIAS:64000")),
            ),
        ),
      ],
    },
  });
});

/** That many host candidates, of which the description has none. */
const hosts = (count: number) =>
  Array.from({ length: count }, (_none, n) => candidate(`192.0.2.3 ${50_000 + n} typ host`));
const rulesOf = (story: Story): string[] => story.found.map(({ rule }) => rule);

const trickling = (): Story =>
  new Story().join("alice", "bob").offer("alice", "bob", offerOf("chromium.trickle-no-candidates"));

describe("candidates as they come", () => {
  proveScenes(TRICKLE_RULES, {
    "candidate-ufrag-mismatch": {
      accepted: [
        scene("of this generation", () =>
          trickling().candidates("alice", "bob", [
            {
              ...host,
              usernameFragment: partOf(
                offerOf("chromium.trickle-no-candidates"),
                /^a=ice-ufrag:(.*)$/m,
              ),
            },
          ]),
        ),
        scene("of no generation in particular", () =>
          trickling().candidates("alice", "bob", [host]),
        ),
      ],
      refused: [
        scene("of another one", () =>
          trickling().candidates("alice", "bob", [{ ...host, usernameFragment: "other" }]),
        ),
      ],
    },
    "candidate-mid-unknown": {
      accepted: [scene("mid 0", () => trickling().candidates("alice", "bob", [host]))],
      refused: [
        scene("mid 7", () => trickling().candidates("alice", "bob", [{ ...host, sdpMid: "7" }])),
        scene("index 9", () =>
          trickling().candidates("alice", "bob", [{ ...host, sdpMid: null, sdpMLineIndex: 9 }]),
        ),
      ],
    },
    "end-of-candidates-then-candidate": {
      accepted: [
        scene("before the end", () => trickling().candidates("alice", "bob", [host], true)),
        scene("a known one again", () =>
          trickling().candidates("alice", "bob", [host], true).candidates("alice", "bob", [host]),
        ),
      ],
      refused: [
        scene("a new one after the end", () =>
          trickling()
            .candidates("alice", "bob", [host], true)
            .candidates("alice", "bob", [candidate("192.0.2.4 55053 typ host")]),
        ),
      ],
    },
  });

  it("[D2] candidates are counted with those that came before", () => {
    const story = trickling().candidates("alice", "bob", hosts(64));
    expect(rulesOf(story)).not.toContain("candidate-count");
    const more = hosts(65).slice(64);
    expect(rulesOf(story.candidates("alice", "bob", more))).toContain("candidate-count");
    // It was said once; said again, it would only cost a row.
    const again = hosts(66).slice(65);
    expect(rulesOf(story.candidates("alice", "bob", again))).toEqual([]);
  });

  it("[D2] findings of a link are capped: remarks go first, errors last", () => {
    const story = called(CALL);
    for (let n = 0; n < 260; n += 1) {
      story.offer(
        "alice",
        "bob",
        again(offerOf(CALL)).replace("a=sendrecv", `a=rtcp-fb:${n + 200} x${n}`),
      );
    }
    const { findings } = story.pure.session.links.get("alice~bob")!;
    expect(findings).toHaveLength(200);
  });
});
