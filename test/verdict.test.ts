import { describe, expect, it } from "vitest";
import { readable } from "../protocol/assess.ts";
import { problem } from "../protocol/problem.ts";
import type { AgreedExchange, Link, StoredDescription } from "../protocol/session.ts";
import type { TimelineEntry } from "../protocol/timeline/entry.ts";
import { recordedNews, recordedRefusal } from "../protocol/timeline/record.ts";
import { NO_TIMELINE } from "../protocol/timeline/timeline.ts";
import { meetingOf, readEntries } from "../protocol/verdict/meeting.ts";
import { type Verdict, verdictsOf } from "../protocol/verdict/verdict.ts";
import { candidateOf, type Shape, sdpOf } from "./descriptions.ts";
import { brief, Story } from "./verdict-story.ts";

const HOLD = { sections: [{ kind: "audio", direction: "recvonly" }] } as const;
const DATA = { sections: [{ kind: "application" }] } as const;

const evidenceOf = (story: Story): string =>
  story.verdict.evidence.map(({ says }) => says).join("\n");

describe("a session in which nobody met", () => {
  it("[M15] nobody came, or only somebody who looks on", () => {
    const story = new Story().wait(40);
    expect(brief(story.verdict)).toBe("waiting: nobody-came");
    expect(story.verdict.says).toContain("40 s");
    story.come("eve", "observer");
    expect(brief(story.verdict)).toBe("waiting: nobody-came");
    expect(evidenceOf(story)).toBe("eve only observes");
  });

  it("[M15] one is alone: not at once, and not when the other one came", () => {
    const story = new Story().come("alice");
    expect(brief(story.verdict)).toBe("waiting");
    expect(brief(story.wait(11).verdict)).toBe("waiting: alone");
    expect(brief(story.forgetful)).toBe("waiting: alone");
    expect(brief(story.come("bob").verdict)).toBe("waiting");
    expect(brief(story.wait(11).verdict)).toBe("waiting: nobody-offered");
    expect(brief(story.lose("bob").verdict)).toBe("waiting: nobody-offered");
    expect(evidenceOf(story)).toContain("the socket of bob is lost");
  });

  it("[M15] two were never here at the same time", () => {
    const story = new Story({ emptyTtlSeconds: 3600 }).come("alice").wait(5).leave("alice");
    expect(brief(story.verdict)).toBe("over: everybody-left");
    story.wait(7).come("bob");
    expect(brief(story.verdict)).toBe("waiting: never-met");
    expect(story.verdict.says).toContain("alice left 7 s before bob came");
    expect(brief(story.leave("bob").verdict)).toBe("over: never-met");
  });

  it("[M15] all left that were here together, or one of them", () => {
    const story = new Story().come("alice").come("bob").wait(5).leave("alice");
    expect(brief(story.verdict)).toBe("waiting");
    expect(brief(story.wait(20).verdict)).toBe("waiting: alone");
    expect(brief(story.leave("bob").verdict)).toBe("over: everybody-left");
  });

  it("[M15] they had met before one of them was alone", () => {
    const story = new Story({ emptyTtlSeconds: 3600 }).come("alice").come("bob").wait(1);
    story.leave("alice").leave("bob").wait(1).come("alice").wait(11);
    expect(brief(story.verdict)).toBe("waiting: alone");
  });

  it("[M15] the same peer again has not missed itself", () => {
    const story = new Story({ emptyTtlSeconds: 3600 }).come("alice").leave("alice").wait(1);
    expect(brief(story.come("alice").wait(11).verdict)).toBe("waiting: alone");
  });

  it("[M15] a full session, and one that is full without having turned anybody away", () => {
    const story = new Story({ maxPeers: 2 }).come("alice").come("bob").wait(11);
    expect(brief(story.verdict)).toBe("waiting: nobody-offered");
    expect(brief(story.come("carol").verdict)).toBe("failed: session-full");
    expect(evidenceOf(story)).toBe("carol could not join");
  });

  it("[M15] a central session without a media server, until one comes", () => {
    const story = new Story({ topology: "central" }).come("alice");
    expect(brief(story.verdict)).toBe("waiting: no-media-server");
    story.tell("alice", { type: "offer", sdp: sdpOf({ of: "alice" }) });
    expect(brief(story.verdict)).toBe("waiting: no-media-server");
    expect(evidenceOf(story)).toContain("alice was told no-media-server");
    story.come("sfu", "media-server").wait(11);
    expect(brief(story.verdict)).not.toContain("no-media-server");
  });

  it("[M15][S7] a peer that went on with what is refused", () => {
    const story = new Story({ emptyTtlSeconds: 3600 }).come("alice").badger("alice", 70);
    expect(brief(story.verdict)).toBe("waiting");
    story.closeFor("alice", "self-addressed");
    expect(brief(story.verdict)).toBe("failed: too-many-problems");
    expect(story.verdict.says).toBe("alice was closed after 70 refused messages.");
    expect(evidenceOf(story)).toContain("the socket of alice was closed for self-addressed");
    expect(brief(story.come("alice").verdict)).toBe("waiting");
    const unread = new Story().come("alice").closeFor("alice", "message-too-large");
    expect(unread.verdict.says).toContain("after 0 refused");
  });

  it("[M15][S7] what was refused is not why a socket was lost that nobody closed", () => {
    const story = new Story().come("alice").badger("alice", 70).lose("alice");
    expect(brief(story.verdict)).toBe("waiting");
    const raced = new Story().come("alice").come("bob").badger("alice", 1);
    for (let n = 0; n < 70; n += 1) raced.tell("alice", { type: "message", to: "zoe", body: n });
    raced.badger("alice", 3).closeFor("alice", "rate-limited");
    expect(raced.verdict.says).toContain("after 4 refused");
  });
});

describe("an offer", () => {
  const offered = () => new Story().come("alice").come("bob").wait(3).offer("alice", "bob");

  it("[M15][N7] waits, waits long, and expires", () => {
    const story = offered();
    expect(brief(story.verdict)).toBe("waiting");
    expect(brief(story.wait(11).verdict)).toBe("waiting: no-answer");
    expect(story.verdict.says).toContain("within 11 s");
    expect(brief(story.forgetful)).toBe("waiting: no-answer");
    expect(brief(story.wait(50).verdict)).toBe("failed: no-answer");
    expect(story.verdict).toMatchObject({ link: "alice~bob", peers: ["alice", "bob"] });
    expect(evidenceOf(story)).toBe("alice offered\nthe offer expired\nbob was connected");
    expect(brief(story.forgetful)).toBe("failed: no-answer");
  });

  it("[M15] to a peer that has lost its socket", () => {
    const story = offered().lose("bob").wait(1);
    expect(brief(story.verdict)).toBe("waiting: answerer-away");
    expect(brief(story.forgetful)).toBe("waiting: answerer-away");
    const back = offered().lose("bob").wait(1).come("bob").wait(60);
    expect(brief(back.verdict)).toBe("failed: no-answer");
    const away = new Story({ resumeSeconds: 90 }).come("alice").come("bob").offer("alice", "bob");
    expect(brief(away.lose("bob").wait(61).verdict)).toBe("failed: answerer-away");
  });

  it("[M15] is rejected with a reason, or without", () => {
    const reject = (reason?: string) =>
      offered().tell("bob", {
        type: "reject",
        to: "alice",
        exchange: 1,
        ...(reason && { reason }),
      });
    const story = reject("busy");
    expect(brief(story.verdict)).toBe("failed: rejected");
    expect(story.verdict.says).toBe("bob rejected the offer of alice: busy.");
    expect(brief(story.forgetful)).toBe("failed: rejected");
    expect(reject().verdict.says).toContain("no reason");
    expect(brief(story.offer("alice", "bob").verdict)).toBe("waiting");
  });

  it("[M15] is taken back", () => {
    const story = offered().tell("alice", { type: "rollback", to: "bob", exchange: 1 });
    expect(brief(story.verdict)).toBe("failed: withdrawn");
    expect(brief(story.forgetful)).toBe("failed: withdrawn");
  });

  it("[M15][D1] is refused by a rule, by its record too", () => {
    const broken = sdpOf({ of: "alice" }).replace(/a=fingerprint.*\r\n/, "");
    const story = new Story().come("alice").come("bob").offer("alice", "bob", broken);
    expect(brief(story.verdict)).toBe("failed: sdp-refused");
    expect(story.verdict.says).toBe(
      "The offer of alice was refused by the rule fingerprint-missing.",
    );
    expect(story.verdict.evidence[0]).toMatchObject({ finding: "fingerprint-missing" });
    expect(brief(story.forgetful)).toBe("failed: sdp-refused");
    expect(story.forgetful.evidence[0]).toMatchObject({ finding: "fingerprint-missing" });
    story.wait(1).offer("alice", "bob");
    expect(brief(story.verdict)).toBe("waiting");
    expect(brief(story.forgetful)).toBe("waiting");
  });

  it("[M15][D1] has an answer that a rule refuses: at once, and when it expired of that", () => {
    const broken = sdpOf({ of: "bob", setup: "active" }).replace(/a=fingerprint.*\r\n/, "");
    const story = offered().answer("bob", "alice", broken);
    expect(brief(story.verdict)).toBe("failed: sdp-refused");
    expect(story.verdict.says).toContain("The answer of bob");
    expect(brief(story.forgetful)).toBe("failed: sdp-refused");
    expect(brief(story.wait(60).verdict)).toBe("failed: sdp-refused");
    expect(brief(offered().answer("bob", "alice", broken).answer("bob", "alice").verdict)).toBe(
      "connecting",
    );
  });

  it("[M15] has an answer without a codec of it", () => {
    const other = sdpOf({ of: "bob", setup: "active" })
      .replace("SAVPF 111", "SAVPF 9")
      .replace("a=rtpmap:111 opus/48000/2", "a=rtpmap:9 G722/8000");
    const story = offered().answer("bob", "alice", other);
    expect(brief(story.verdict)).toBe("failed: no-common-codec");
    expect(story.verdict.says).toBe("alice and bob have no media codec in common.");
    const mirrored = new Story().come("alice").come("bob").offer("bob", "alice");
    const turned = other.replaceAll(/ufragbob/g, "ufragcy");
    expect(mirrored.answer("alice", "bob", turned).verdict.says).toContain("bob and alice");
  });

  it("[M15][A2] is not granted, also where it would have been the first of its link", () => {
    const story = new Story().come("alice", "peer", { publish: ["data"] }).come("bob");
    expect(brief(story.offer("alice", "bob").verdict)).toBe("failed: not-permitted");
    expect(story.verdict).toMatchObject({ link: "alice~bob", peers: ["alice", "bob"] });
    expect(story.session.links.size).toBe(0);
    const central = new Story({ topology: "central" })
      .come("sfu", "media-server")
      .come("alice", "peer", { publish: ["data"] })
      .tell("alice", { type: "offer", sdp: sdpOf({ of: "alice" }) });
    expect(brief(central.verdict)).toBe("failed: not-permitted");
    expect(central.verdict.link).toBe("alice~sfu");
  });

  it("[M15] is refused for something else, again and again", () => {
    const story = new Story().come("alice");
    story.offer("alice", "zoe").offer("alice", "zoe");
    expect(brief(story.verdict)).toBe("failed: message-refused");
    expect(evidenceOf(story)).toContain("unknown-peer, 2 times");
    const alone = new Story().come("alice").come("bob");
    alone.tell("alice", { type: "offer", sdp: sdpOf({ of: "alice" }) });
    expect(brief(alone.verdict)).toBe("failed: message-refused");
    expect(alone.verdict.link).toBeUndefined();
  });

  it("[M15] to oneself is nobody's link", () => {
    const story = new Story().come("alice").offer("alice", "alice");
    expect(story.verdict.link).toBeUndefined();
    const odd = new Story().come("alice").offer("alice", "x~y~z");
    expect(odd.verdict.link).toBeUndefined();
  });

  it("[M15][N3] meets another one: once is nothing, five times are a loop", () => {
    const story = offered();
    story.offer("bob", "alice");
    expect(brief(story.verdict)).toBe("waiting");
    for (let n = 0; n < 4; n += 1) story.offer("bob", "alice");
    expect(brief(story.verdict)).toBe("failed: glare-loop");
    expect(brief(story.tell("alice", { type: "rollback", to: "bob", exchange: 1 }).verdict)).toBe(
      "failed: glare-loop",
    );
  });

  it("[M15] entries that had to go take nothing from what is said", () => {
    const expired = offered().wait(61).without("offer");
    expect(brief(expired.verdict)).toBe("failed: no-answer");
    expect(evidenceOf(expired)).toBe("the offer expired\nbob was connected");
    const story = offered().tell("alice", { type: "rollback", to: "bob", exchange: 1 });
    const refused = { type: "finding", by: "bob", link: "alice~bob", refused: true } as const;
    story.note("alice~bob", { ...refused, rule: "policy-relay-only", level: "error" });
    expect(evidenceOf(story)).toBe("policy-relay-only in a description of bob");
    story.note("alice~bob", { ...refused, rule: "candidate-x", level: "error" });
    expect(evidenceOf(story)).toBe("policy-relay-only in a description of bob");
  });

  it("[M15] what could not be read, or comes of races, is not why", () => {
    const story = offered().wait(1);
    story.tell("bob", { type: "answer", to: "alice", exchange: 7, sdp: sdpOf() });
    const { at } = story;
    const what = problem("rate-limited", "too many");
    story.session = recordedRefusal(story.session, "bob", { problem: what, at }).session;
    expect(brief(story.verdict)).toBe("waiting");
  });

  it("[M15] that never was: a link of refused candidates only", () => {
    const story = offered().tell("alice", { type: "rollback", to: "bob", exchange: 1 }).wait(1);
    story.leave("bob").come("bob");
    expect(brief(story.verdict)).toBe("waiting");
    expect(story.verdict.says).toBe("Nothing is offered between alice and bob.");
  });
});

describe("an agreement on nothing", () => {
  it("[M15] nobody sends: both receive, or nothing was offered", () => {
    const both = new Story().agree(HOLD);
    expect(brief(both.verdict)).toBe("waiting: no-media-wanted");
    expect(brief(both.forgetful)).toBe("waiting: no-media-wanted");
    expect(evidenceOf(both)).toContain("audio recvonly");
    expect(brief(both.report("alice", "connected").verdict)).toBe("waiting: no-media-wanted");
    const one = new Story().agree({}, HOLD);
    expect(brief(one.verdict)).toBe("connecting");
    const other = new Story().agree(HOLD, {
      sections: [{ kind: "audio", direction: "sendonly" }],
    });
    expect(brief(other.verdict)).toBe("connecting");
    expect(brief(new Story().agree(DATA).verdict)).toBe("connecting");
  });

  it("[M15] everything is rejected", () => {
    const none = { sections: [{ kind: "audio", port: 0 }] } as const;
    const story = new Story({ sdpPolicy: "report" }).agree({}, none);
    expect(brief(story.verdict)).toBe("failed: all-rejected");
    expect(brief(story.forgetful)).toBe("failed: all-rejected");
    expect(brief(story.leave("bob").verdict)).toBe("failed: all-rejected");
    expect(evidenceOf(story)).toContain("bob left: left");
  });

  const unlisted = (sdp: string) =>
    sdp.replace(/m=(\w+) \d+ (\S+) \d+/, "m=$1 0 $2 0").replace(/a=rtpmap:.*\r\n/, "");

  it("[M15] a browser rejects what it has no codec for by a section without formats", () => {
    const story = new Story({ sdpPolicy: "report" }).come("alice").come("bob");
    story.offer("alice", "bob", { sections: [{ kind: "video" }] });
    story.answer(
      "bob",
      "alice",
      unlisted(sdpOf({ setup: "active", sections: [{ kind: "video" }] })),
    );
    expect(brief(story.verdict)).toBe("failed: no-common-codec");
    expect(story.verdict.says).toContain("video codec");
  });

  it("[M15] a browser lists 0 where it has none, though 0 was offered", () => {
    const pcmu = (sdp: string) =>
      sdp.replace("SAVPF 111", "SAVPF 0").replace("111 opus/48000/2", "0 PCMU/8000");
    const story = new Story({ sdpPolicy: "report" }).come("alice").come("bob");
    story.offer("alice", "bob", pcmu(sdpOf()));
    story.answer("bob", "alice", unlisted(sdpOf({ setup: "active" })));
    expect(brief(story.verdict)).toBe("failed: no-common-codec");
  });

  it("[M15] no m-section at all", () => {
    const empty = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    const story = new Story({ sdpPolicy: "report" }).come("alice").come("bob");
    story.offer("alice", "bob", empty).answer("bob", "alice", empty);
    expect(brief(story.verdict)).toBe("waiting: no-media-wanted");
    expect(evidenceOf(story)).toContain("no media");
  });

  it("[M15] by what the timeline says of it, once a peer has left", () => {
    const left = (offer: Shape, answer: Shape) => {
      const story = new Story({ sdpPolicy: "report" }).agree(offer, answer).wait(1).leave("bob");
      return brief(story.verdict);
    };
    const sent = { sections: [{ kind: "audio", direction: "sendonly" }] } as const;
    expect(left(HOLD, HOLD)).toBe("over: no-media-wanted");
    expect(left(sent, HOLD)).toBe("over: left-early");
    expect(left(HOLD, sent)).toBe("over: left-early");
    expect(left(DATA, DATA)).toBe("over: left-early");
    expect(left({ sections: [{ kind: "audio" }, { kind: "video" }] }, {})).toBe("over: left-early");
    const story = new Story().agree().wait(1).leave("bob").without("offer");
    expect(brief(story.verdict)).toBe("over: left-early");
  });

  it("[M15] one of two media runs: degraded", () => {
    const two = { sections: [{ kind: "video" }, { kind: "audio" }] } as const;
    const story = new Story({ sdpPolicy: "report" }).come("alice").come("bob");
    story.offer("alice", "bob", two);
    story.answer("bob", "alice", unlisted(sdpOf({ setup: "active", ...two })));
    story.report("alice", "connected");
    expect(brief(story.verdict)).toBe("degraded: no-common-codec");
  });

  it("[M15] a description that nothing can be read from", () => {
    const story = new Story({ sdpPolicy: "report" }).come("alice").come("bob");
    story.offer("alice", "bob").answer("bob", "alice", "v=0\r\nm=nonsense\r\n");
    expect(brief(story.verdict)).toBe("failed: sdp-unreadable");
    expect(story.verdict.evidence.some(({ finding }) => finding !== undefined)).toBe(true);
    const shorter = new Story({ sdpPolicy: "report" }).come("alice").come("bob");
    shorter
      .offer("alice", "bob")
      .answer("bob", "alice", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
    expect(brief(shorter.verdict)).toBe("failed: all-rejected");
  });
});

/** Both have agreed on sound and have candidates. */
const agreed = (config = {}) => new Story(config).agree();
const LAN = { host: 2 };

describe("a path that does not come about", () => {
  it("[M15] is looked for, for a while, and then nobody has told of it", () => {
    const story = agreed().both(LAN).wait(15);
    expect(brief(story.verdict)).toBe("connecting");
    expect(brief(story.forgetful)).toBe("connecting");
    expect(brief(story.wait(10).verdict)).toBe("connecting: no-report");
    expect(brief(story.forgetful)).toBe("connecting: no-report");
    const report = { flow: story.flow("alice"), bitrateBps: 32_000 };
    expect(brief(story.measure("alice", report).verdict)).toBe("working");
  });

  it("[M15] measured silence is no path", () => {
    const story = agreed().both(LAN).wait(25);
    expect(brief(story.measure("alice", { flow: story.flow("alice"), packets: 0 }).verdict)).toBe(
      "connecting: no-report",
    );
  });

  it("[M15] one end or both have no candidates", () => {
    const story = agreed().candidates("alice", "bob", LAN).candidates("bob", "alice", {}).wait(25);
    expect(brief(story.verdict)).toBe("connecting: no-candidates");
    expect(story.verdict.says).toBe("bob sent no ICE candidates, so nothing can reach it.");
    story.report("bob", "new");
    expect(brief(story.verdict)).toBe("failed: no-candidates");
    expect(brief(story.forgetful)).toBe("connecting: no-candidates");
    expect(agreed().wait(25).verdict.says).toContain("alice and bob");
    const inText = sdpOf().replace(
      "a=mid:0\r\n",
      "a=mid:0\r\na=candidate:1 1 udp 2113937151 10.0.0.7 4000 typ host\r\n",
    );
    const whole = new Story().come("alice").come("bob").offer("alice", "bob", inText);
    whole.answer("bob", "alice").wait(25);
    expect(whole.verdict.says).toContain("bob sent no");
    const broken = new Story({ sdpPolicy: "report" }).come("alice").come("bob");
    broken.offer("alice", "bob", inText.replace("2113937151", "high")).answer("bob", "alice");
    expect(broken.wait(25).verdict.says).toContain("bob sent no");
  });

  const failed = (kinds: Parameters<Story["both"]>[0], config = {}) =>
    agreed(config).both(kinds).wait(16).report("alice", "checking").report("alice", "failed");

  it("[M15] only private or hidden addresses", () => {
    const story = failed({ host: 1, mdns: 1 });
    expect(brief(story.verdict)).toBe("failed: no-path-private-only");
    expect(brief(story.forgetful)).toBe("failed: no-path-private-only");
    expect(evidenceOf(story)).toContain("alice: 2 host (1 behind a .local name), 0 srflx, 0 relay");
    expect(evidenceOf(story)).toContain("alice reports failed");
    expect(brief(failed({ host: 1, global: 1 }).verdict)).toBe("failed: no-relay");
  });

  it("[M15] addresses of both, and no relay; or a relay, and no path all the same", () => {
    expect(brief(failed({ host: 1, srflx: 1 }).verdict)).toBe("failed: no-relay");
    const prflx = failed({ prflx: 1 });
    expect(brief(prflx.verdict)).toBe("failed: no-relay");
    expect(evidenceOf(prflx)).toContain("1 prflx");
    expect(brief(failed({ host: 1, relay: 1 }).verdict)).toBe("failed: ice-failed");
    const slow = agreed().both({ host: 1, relay: 1 }).report("bob", "checking");
    expect(brief(slow.wait(15).verdict)).toBe("connecting");
    expect(brief(slow.wait(10).verdict)).toBe("failed: ice-failed");
  });

  it("[M15] relays only, and none; a media server needs none", () => {
    const relay = { iceTransportPolicy: "relay" } as const;
    expect(brief(failed({}, relay).verdict)).toBe("failed: relay-required-but-none");
    expect(brief(failed({ relay: 1 }, relay).verdict)).toBe("failed: ice-failed");
    const story = new Story(relay).come("alice").come("sfu", "media-server");
    story.offer("alice", "sfu").answer("sfu", "alice");
    story.candidates("alice", "sfu", { relay: 1 });
    story.candidates("sfu", "alice", { host: 1 }).wait(25);
    story.tell("alice", { type: "transport", to: "sfu", state: "failed" });
    expect(brief(story.verdict)).toBe("failed: ice-failed");
  });

  const withErrors = (...iceErrors: { code: number; url?: string; lookup?: true }[]) =>
    agreed().both(LAN).wait(25).report("bob", "new", { iceErrors });

  it("[M15] a TURN server refuses, is not there, or its name is wrong", () => {
    const url = "turn:turn.example.org:3478";
    const refused = withErrors({ code: 701, url }, { code: 401, url });
    expect(brief(refused.verdict)).toBe("failed: turn-refused");
    expect(refused.verdict.says).toBe("The TURN server refused bob with 401.");
    expect(evidenceOf(refused)).toContain(`bob: ${url} gave 401`);
    expect(brief(withErrors({ code: 701, url }).verdict)).toBe("failed: turn-unreachable");
    const unknown = withErrors({ code: 701, url, lookup: true });
    expect(brief(unknown.verdict)).toBe("failed: wrong-ice-server-url");
    expect(evidenceOf(unknown)).toContain("could not be resolved");
    const told = withErrors({ code: 401, url: "turn:me:secret@turn.example.org" });
    expect(JSON.stringify(told.session.timeline.rings.get("link alice~bob"))).not.toContain(
      "secret",
    );
    const unnamed = withErrors({ code: 486 });
    expect(evidenceOf(unnamed)).toContain("an ICE server gave 486");
  });

  it("[M15] a STUN server that fails matters where only it would have helped", () => {
    const url = "stun:stun.example.org";
    expect(brief(withErrors({ code: 701, url }).report("bob", "failed").verdict)).toBe(
      "failed: no-path-private-only",
    );
    expect(brief(withErrors({ code: 701, url, lookup: true }).verdict)).toBe(
      "failed: wrong-ice-server-url",
    );
    const found = agreed().both({ srflx: 1 }).wait(25);
    found.report("bob", "new", { iceErrors: [{ code: 701, url, lookup: true }] });
    expect(brief(found.report("bob", "failed").verdict)).toBe("failed: no-relay");
    const relayed = agreed().both({ relay: 1 }).wait(25);
    relayed.report("bob", "new", { iceErrors: [{ code: 701, url: "turn:x" }] });
    expect(brief(relayed.verdict)).toBe("failed: ice-failed");
  });

  it("[M15] what is told again is noted once; what else is as it was is not", () => {
    const story = withErrors({ code: 401 });
    const { newest } = story.session.timeline;
    story.report("bob", "new", { iceErrors: [{ code: 401 }] });
    expect(story.session.timeline.newest).toBe(newest);
    story.report("bob", "new", { ice: "new" }).report("alice", "new");
    expect(story.session.timeline.newest).toBe(newest + 2);
    story.measure("alice");
    expect(story.session.timeline.newest).toBe(newest + 2);
    story.session = { ...story.session, timeline: NO_TIMELINE };
    expect(story.report("alice", "new").session.timeline.newest).toBe(1);
  });

  it("[M15] an end that is away", () => {
    expect(brief(agreed().both(LAN).wait(1).lose("bob").wait(25).verdict)).toBe(
      "degraded: peer-lost",
    );
  });
});

describe("DTLS", () => {
  const checked = () => agreed().both(LAN).wait(1).report("alice", "checking");

  it("[M15] failed, as an end says", () => {
    const story = checked().report("alice", "failed", { reason: "dtls-failed" });
    expect(brief(story.verdict)).toBe("failed: dtls-not-finished");
    expect(story.verdict.says).toContain("at alice");
    expect(brief(story.forgetful)).toBe("failed: dtls-not-finished");
    expect(evidenceOf(story)).toContain("alice reports failed (dtls-failed)");
    expect(brief(checked().report("alice", "failed", { reason: "ice-failed" }).verdict)).toBe(
      "failed: no-path-private-only",
    );
  });

  it("[M15] failed at the end that was never connected while the other was", () => {
    const story = checked().report("bob", "connected").report("alice", "failed");
    expect(brief(story.verdict)).toBe("failed: dtls-not-finished");
    const broken = checked().report("bob", "connected").report("alice", "connected");
    expect(brief(broken.report("alice", "failed").verdict)).toBe("failed: path-lost");
  });

  it("[M15] hangs: ICE is connected, and the transport is not", () => {
    const story = checked().report("alice", "checking", { ice: "connected" });
    expect(brief(story.verdict)).toBe("connecting");
    expect(evidenceOf(story)).toContain("ICE by itself: connected");
    expect(brief(story.wait(25).verdict)).toBe("failed: dtls-not-finished");
    const late = checked().report("alice", "failed", { ice: "connected" });
    expect(brief(late.verdict)).toBe("failed: dtls-not-finished");
  });
});

describe("a path that was there", () => {
  const up = (config = {}) =>
    agreed(config).both(LAN).report("alice", "connected").report("bob", "connected").wait(1);

  it("[M15] is there: all is well, whatever else is not", () => {
    const story = up();
    expect(brief(story.verdict)).toBe("working");
    expect(story.verdict.says).toBe("alice and bob are connected: audio of alice, audio of bob.");
    expect(brief(story.forgetful)).toBe("working");
    const many = new Story().agree({
      sections: [{ kind: "audio" }, { kind: "video" }, { kind: "application" }],
    });
    expect(many.report("alice", "connected").verdict.says).toContain("and 2 more");
  });

  it("[M15] is interrupted, then lost", () => {
    const story = up().report("bob", "disconnected").wait(6);
    expect(brief(story.verdict)).toBe("degraded: path-lost");
    expect(story.verdict.says).toContain("6 s ago, as bob says");
    expect(brief(story.forgetful)).toBe("degraded: path-lost");
    expect(brief(story.wait(40).verdict)).toBe("failed: path-lost");
    story.report("bob", "failed");
    expect(brief(story.verdict)).toBe("failed: path-lost");
    expect(brief(story.wait(90).verdict)).toBe("failed: path-lost");
    expect(brief(story.report("bob", "connected").verdict)).toBe("working");
  });

  it("[M15] is lost for one end, and the other has not noticed", () => {
    const story = up().report("bob", "failed").report("alice", "connected");
    expect(brief(story.verdict)).toBe("failed: path-lost");
    expect(story.verdict.says).toContain("as bob says");
  });

  it("[M15] is lost with the socket of an end", () => {
    const story = up().lose("bob").report("alice", "disconnected");
    expect(brief(story.verdict)).toBe("degraded: peer-lost");
    expect(brief(up().lose("bob").wait(4).verdict)).toBe("degraded: peer-lost");
    expect(up().lose("bob").wait(4).verdict.says).toContain("in 4 s");
  });

  const again = { ufrag: "again" } as const;

  it("[M15] is lost, and the restart is open, unanswered, rejected", () => {
    const story = up().report("bob", "failed").wait(1).offer("alice", "bob", again);
    expect(brief(story.verdict)).toBe("degraded: restart-unanswered");
    expect(brief(story.forgetful)).toBe("degraded: restart-unanswered");
    expect(brief(story.wait(31).verdict)).toBe("failed: restart-unanswered");
    expect(brief(story.wait(30).verdict)).toBe("failed: restart-unanswered");
    expect(evidenceOf(story)).toContain("the offer expired");
    const rejected = up().report("bob", "failed").wait(1).offer("alice", "bob", again);
    rejected.tell("bob", { type: "reject", to: "alice", exchange: 2 });
    expect(brief(rejected.verdict)).toBe("degraded: restart-unanswered");
    expect(evidenceOf(rejected)).toContain("bob rejected the offer");
    const away = up().report("bob", "failed").wait(1).offer("alice", "bob", again).lose("bob");
    expect(brief(away.verdict)).toBe("degraded: peer-lost");
  });

  it("[M15] is lost, restarted, and not found again", () => {
    const story = up().report("bob", "failed").wait(1);
    story.offer("alice", "bob", again).answer("bob", "alice", { ufrag: "anew" });
    expect(brief(story.verdict)).toBe("degraded");
    expect(story.verdict.says).toContain("restarted 0 s ago");
    expect(brief(story.forgetful)).toBe("degraded");
    story.report("alice", "checking");
    expect(brief(story.wait(20).verdict)).toBe("degraded");
    expect(brief(story.wait(20).verdict)).toBe("failed: restart-failed");
    expect(evidenceOf(story)).toContain("bob answered");
    story.report("alice", "connected");
    expect(brief(story.verdict)).toBe("working");
  });

  it("[M15] an exchange that does not restart ICE after the loss is no restart", () => {
    const story = up().report("bob", "failed").wait(1).offer("alice", "bob", { version: 2 });
    expect(brief(story.verdict)).toBe("failed: path-lost");
    story.answer("bob", "alice", { version: 2 });
    expect(brief(story.wait(31).verdict)).toBe("failed: path-lost");
    expect(evidenceOf(story)).toContain("alice offered, and did not restart ICE");
    const told = up().report("bob", "failed").wait(1);
    told.tell("alice", { type: "offer", to: "bob", sdp: sdpOf({ version: 2 }), restart: true });
    expect(brief(told.verdict)).toBe("degraded: restart-unanswered");
  });

  it("[M15] several transports: the worst counts, and what one end says of each", () => {
    const apart = sdpOf({ sections: [{ kind: "audio" }, { kind: "video" }] }).replace(
      /a=group.*\r\n/,
      "",
    );
    const answered = sdpOf({
      setup: "active",
      sections: [{ kind: "audio" }, { kind: "video" }],
    }).replace(/a=group.*\r\n/, "");
    const story = new Story({ sdpPolicy: "report" }).come("alice").come("bob");
    story.offer("alice", "bob", apart).answer("bob", "alice", answered);
    story.report("alice", "connected", { transport: "0" });
    story.report("alice", "connected", { transport: "1" });
    expect(brief(story.verdict)).toBe("working");
    story.report("alice", "failed", { transport: "1" });
    expect(brief(story.verdict)).toBe("failed: path-lost");
    expect(brief(story.forgetful)).toBe("failed: path-lost");
  });

  it("[M15] closed by an end that stays in the session", () => {
    const story = up().report("bob", "closed");
    expect(brief(story.verdict)).toBe("over: connection-closed");
    expect(story.verdict.says).toContain("bob closed");
    expect(brief(story.forgetful)).toBe("over: connection-closed");
    expect(story.forgetful.says).toContain("One end closed");
    const both = up().report("bob", "closed").report("alice", "closed");
    expect(both.verdict.says).toContain("bob closed");
  });
});

describe("media", () => {
  const running = (shape = {}) =>
    new Story().agree(shape).both(LAN).report("alice", "connected").wait(13);

  it("[M15][M14] stops at its sender; silence on purpose is none", () => {
    const story = running();
    const flow = story.flow("alice");
    expect(brief(story.measure("alice", { flow, bitrateBps: 30_000 }).verdict)).toBe("working");
    story.measure("alice", { flow, bitrateBps: 0 });
    expect(brief(story.verdict)).toBe("degraded: stopped-sending");
    expect(brief(story.forgetful)).toBe("degraded: stopped-sending");
    expect(story.verdict.says).toContain("alice sends no audio");
    expect(story.verdict.evidence[0]).toMatchObject({ flow });
    story.do({ type: "change-flow", flow, change: { held: true }, at: story.at });
    expect(brief(story.verdict)).toBe("working");
    story.do({
      type: "change-flow",
      flow: story.flow("bob"),
      change: { held: true },
      at: story.at,
    });
    expect(story.verdict.says).toContain("all their media is held");
  });

  it("[M15] has just begun: it is not judged yet", () => {
    const story = new Story().agree().both(LAN).report("alice", "connected").wait(5);
    story.measure("alice", { flow: story.flow("alice"), bitrateBps: 0 });
    expect(brief(story.verdict)).toBe("working");
  });

  it("[M15] is sent and does not arrive: in one direction, or as far as anybody tells", () => {
    const story = running();
    const [sent, back] = [story.flow("alice"), story.flow("bob")];
    story.measure("alice", { flow: sent, bitrateBps: 30_000 });
    story.measure("bob", { flow: sent, bitrateBps: 0 }, { flow: back, bitrateBps: 20_000 });
    expect(brief(story.verdict)).toBe("degraded: nothing-arrives");
    expect(story.verdict.says).toContain("bob receives no audio of alice");
    expect(story.verdict.evidence.map(({ says }) => says)).toEqual([
      "alice measures 30000 bit/s of this audio",
      "bob measures 0 bit/s of this audio",
      "bob measures 20000 bit/s of this audio",
    ]);
    const untold = running();
    untold.measure("bob", { flow: untold.flow("alice"), bitrateBps: 0 });
    expect(evidenceOf(untold)).toContain("alice tells no bit rate");
  });

  it("[M15] a data channel at rest is at rest", () => {
    const story = running(DATA);
    story.measure("alice", { flow: story.flow("alice", "data"), bitrateBps: 0 });
    expect(brief(story.verdict)).toBe("working");
  });

  it("[M15] is lost on its way, a tenth of it or more", () => {
    const lossy = (packets: number, packetsLost: number) => {
      const story = running();
      return story.measure("bob", { flow: story.flow("alice"), packets, packetsLost });
    };
    expect(brief(lossy(180, 20).verdict)).toBe("degraded: heavy-loss");
    expect(lossy(180, 20).verdict.says).toContain("10 % of the audio of alice");
    expect(brief(lossy(190, 10).verdict)).toBe("working");
    expect(brief(lossy(90, 20).verdict)).toBe("working");
  });

  it("[M15] is lost late in a call: what came before says nothing of it, and nor does it after its end", () => {
    const story = running();
    const tell = (packets: number, packetsLost?: number) => {
      const flow = story.flow("alice");
      const lost = packetsLost === undefined ? {} : { packetsLost };
      return brief(story.wait(5).measure("bob", { flow, packets, ...lost }).verdict);
    };
    expect(tell(30_000, 3)).toBe("working");
    expect(tell(30_200, 53)).toBe("degraded: heavy-loss");
    expect(story.verdict.says).toContain("20 % of the audio of alice");
    expect(evidenceOf(story)).toContain("bob lost 50 of the last 250 packets");
    // Said twice it is as true, and no newer.
    const { session } = story;
    expect(tell(30_200, 53)).toBe("degraded: heavy-loss");
    expect(story.session.links).toBe(session.links);
    expect(tell(30_450, 53)).toBe("working");
    expect(tell(30_600, 103)).toBe("degraded: heavy-loss");
    expect(brief(story.wait(55).verdict)).toBe("degraded: heavy-loss");
    expect(brief(story.wait(6).verdict)).toBe("working");
    // Another source counts anew, some count nothing, and what was late was not lost.
    const others = [tell(10, 250), tell(300), tell(300, 300), tell(600, 290)];
    expect(new Set(others)).toEqual(new Set(["working"]));
    expect(tell(900, 390)).toBe("degraded: heavy-loss");
  });

  it("[M15] is removed: nothing is wrong", () => {
    const story = new Story({ sdpPolicy: "report" }).agree().both(LAN).report("alice", "connected");
    const gone = { version: 2, sections: [{ kind: "audio", direction: "inactive" }] } as const;
    story.offer("alice", "bob", gone).answer("bob", "alice", gone);
    expect(brief(story.verdict)).toBe("working");
    expect(story.verdict.says).toContain("all their media is held");
  });

  it("[M15] is stopped on both sides: nothing is wrong", () => {
    const story = new Story({ sdpPolicy: "report" }).agree().both(LAN).report("alice", "connected");
    const gone = { version: 2, sections: [{ kind: "audio", port: 0 }] } as const;
    story.offer("alice", "bob", gone).answer("bob", "alice", gone);
    expect(brief(story.verdict)).toBe("waiting");
    expect(story.verdict.says).toBe("alice and bob have taken all their media away.");
  });

  const served = () => {
    const story = new Story().come("alice").come("sfu", "media-server");
    return story.offer("alice", "sfu").answer("sfu", "alice");
  };
  const refuse = (story: Story, more: object) => {
    const [opened] = story
      .take("sfu", "context")
      .flatMap((frame) => (frame.type === "context" ? [frame] : []));
    if (!opened) throw new Error("no context");
    const { context } = opened;
    return story.tell("sfu", {
      type: "context-result",
      context,
      revision: 1,
      outcome: "refused",
      ...more,
    });
  };

  it("[M15][C2] is refused by a media server, before or while other media run", () => {
    const story = refuse(served(), { cause: "no-capacity" });
    story.tell("alice", { type: "transport", to: "sfu", state: "connected" });
    expect(brief(story.verdict)).toBe("degraded: context-refused");
    expect(story.verdict.says).toContain("refused what was asked of it: no-capacity");
    expect(brief(story.forgetful)).toBe("degraded: context-refused");
    const measured = (story: Story) =>
      story.tell("alice", {
        type: "quality",
        to: "sfu",
        flows: [{ flow: story.flow("alice"), bitrateBps: 900 }],
      });
    const odd = refuse(served(), { detail: "full up" });
    measured(odd);
    expect(brief(odd.verdict)).toBe("failed: context-refused");
    expect(odd.verdict.says).toContain("full up");
    const granted = refuse(served(), { outcome: "granted", maxBitrateBps: 1000 });
    measured(granted);
    expect(brief(granted.verdict)).toBe("working");
  });
});

describe("a link that a peer has left", () => {
  const up = () =>
    agreed().both(LAN).report("alice", "connected").report("bob", "connected").wait(9);

  it("[M15] over: media had run", () => {
    const story = up().leave("bob").wait(100);
    expect(brief(story.verdict)).toBe("over");
    expect(evidenceOf(story)).toBe("bob left: left");
    expect(brief(story.forgetful)).toBe("over");
    expect(brief(story.leave("alice").verdict)).toBe("over");
  });

  it("[M15] by its network, its token or the back end", () => {
    const lost = up().lose("bob").wait(70);
    expect(brief(lost.verdict)).toBe("over: peer-lost");
    expect(lost.verdict.says).toContain("in 70 s");
    // HTTP clients have no socket: that one was lost is nowhere any more.
    expect(brief(lost.forgetful)).toBe("over");
    const kicked = up();
    kicked.do({ type: "kick", peer: "bob", at: kicked.at });
    expect(brief(kicked.verdict)).toBe("over: kicked");
    expect(brief(kicked.forgetful)).toBe("over: kicked");
    const expired = new Story().come("alice");
    expired.come("bob", "peer", { expiresAt: expired.at + 30_000 });
    expired.offer("alice", "bob").answer("bob", "alice").report("alice", "connected").wait(31);
    expect(brief(expired.verdict)).toBe("over: token-expired");
  });

  it("[M15] before media ran", () => {
    const story = agreed().both(LAN).wait(5).leave("alice");
    expect(brief(story.verdict)).toBe("over: left-early");
    expect(story.verdict.says).toBe("alice left after 5 s, before media ran.");
    expect(brief(story.forgetful)).toBe("over: left-early");
    const waiting = new Story().come("alice").come("bob").offer("alice", "bob").wait(2);
    expect(brief(waiting.leave("bob").verdict)).toBe("over: left-early");
    const slow = new Story().come("alice").come("bob").offer("alice", "bob").wait(12);
    expect(brief(slow.leave("alice").verdict)).toBe("over: no-answer");
  });

  it("[M15] what had failed before stays the cause", () => {
    const story = agreed().both(LAN).wait(16).report("alice", "failed").leave("alice");
    expect(brief(story.verdict)).toBe("failed: no-path-private-only");
    expect(evidenceOf(story)).toContain("alice left: left");
    const broken = up().report("bob", "failed").wait(3).leave("bob");
    expect(brief(broken.verdict)).toBe("failed: path-lost");
    expect(brief(broken.forgetful)).toBe("failed: path-lost");
    const offline = up().report("alice", "failed").lose("bob").wait(70);
    expect(brief(offline.verdict)).toBe("over: peer-lost");
    const rejected = new Story().come("alice").come("bob").offer("alice", "bob");
    rejected.tell("bob", { type: "reject", to: "alice", exchange: 1 }).leave("bob");
    expect(brief(rejected.verdict)).toBe("failed: rejected");
  });

  it("[M15][S7] went on with what is refused", () => {
    const story = up().badger("bob", 70).closeFor("bob", "self-addressed");
    story.report("alice", "disconnected");
    expect(brief(story.verdict)).toBe("degraded: too-many-problems");
    expect(brief(story.wait(61).verdict)).toBe("over: too-many-problems");
    expect(brief(up().badger("bob", 70).leave("bob").verdict)).toBe("over");
  });

  it("[M15] and comes again: it is another meeting", () => {
    const story = agreed().both(LAN).wait(16).report("alice", "failed").leave("bob").wait(1);
    story.come("bob");
    expect(brief(story.verdict)).toBe("waiting");
    story.offer("alice", "bob").answer("bob", "alice");
    expect(brief(story.verdict)).toBe("connecting");
    story.leave("bob");
    expect(brief(story.verdict)).toBe("over: left-early");
  });
});

describe("several links", () => {
  it("[M15] and somebody who was turned away, until it can come", () => {
    const story = new Story({ maxPeers: 2 }).agree().report("alice", "connected").come("carol");
    expect(story.verdicts.map(brief)).toEqual(["failed: session-full", "working"]);
    story.leave("bob").come("carol");
    expect(story.verdicts.map(brief)).toEqual(["over"]);
  });

  it("[M15] one verdict each, what needs attention first", () => {
    const story = new Story().agree().report("alice", "connected").come("carol");
    story.offer("carol", "alice").tell("alice", { type: "reject", to: "carol", exchange: 1 });
    expect(story.verdicts.map(({ link, state }) => `${link} ${state}`)).toEqual([
      "alice~carol failed",
      "alice~bob working",
    ]);
  });

  it("[M15] each is judged by the entries about it and its peers, in their order", () => {
    const story = new Story({ topology: "central" }).come("sfu", "media-server");
    for (const peer of ["p1", "p2", "p3"]) {
      story.come(peer).offer(peer, "sfu").candidates(peer, "sfu", LAN).answer("sfu", peer);
      story.tell("sfu", { type: "answer", to: "p1", exchange: 9, sdp: "v=0" }).lose(peer).wait(1);
    }
    story.session = recordedNews(
      story.session,
      { type: "fault", fault: "of nobody" },
      story.at,
    ).session;
    const { session, at } = story;
    const all = readEntries(session);
    for (const link of session.links.values()) {
      const isAbout = (entry: TimelineEntry): boolean => {
        if ("link" in entry && entry.link !== undefined) return entry.link === link.id;
        const peer = "peer" in entry ? entry.peer : "by" in entry ? entry.by : "";
        return link.peers.some((one) => one === peer);
      };
      const { entries } = meetingOf(session, link, all, at);
      expect(entries).toEqual(all.filter(isAbout));
      expect(entries.length).toBeGreaterThan(6);
    }
  });

  it("[S8] texts in force are read once for that, however many there are, and leave room for what negotiates", () => {
    const story = new Story({ sdpPolicy: "report" }).agree();
    const many = Array.from({ length: 70 }, (_none, n) => candidateOf(n).candidate);
    const crowded = `${sdpOf({ of: "bob", setup: "active", version: 2 })}${many
      .map((text) => `a=${text}\r\n`)
      .join("")}`;
    let reads = 0;
    const watched = ({ sdp }: StoredDescription): StoredDescription => ({
      get sdp() {
        reads += 1;
        return sdp;
      },
    });
    const judge = (answer?: string) => {
      const links = [...story.session.links.values()].map((link): [string, Link] => {
        const inForce = link.inForce as AgreedExchange;
        const offered = watched(inForce.offer);
        const answered = watched(answer === undefined ? inForce.answer : { sdp: answer });
        return [link.id, { ...link, inForce: { ...inForce, offer: offered, answer: answered } }];
      });
      const session = { ...story.session, links: new Map(links) };
      const at = story.at + 30_000;
      const first = verdictsOf(session, at);
      const before = reads;
      // Others take all the room that there is for readings.
      for (let n = 0; n < 3; n++) readable({ sdp: `${sdpOf()}a=x:${"y".repeat(500_000)}\r\n` });
      expect(verdictsOf(session, at)).toEqual(first);
      return reads - before;
    };
    expect(judge()).toBe(0);
    // More candidates than any browser writes are not remembered.
    expect(judge(crowded)).toBeGreaterThan(0);
  });
});

describe("a WHIP publisher, which has no socket to lose", () => {
  const published = () => new Story().come("sfu", "media-server").wait(1).publish("alice");
  const taken = { setup: "active", sections: [{ kind: "audio", direction: "recvonly" }] } as const;
  const answered = () => published().answer("sfu", "alice", taken);
  const says = (story: Story, state: "connected" | "failed" | "checking") =>
    story.tell("sfu", { type: "transport", to: "alice", state });

  it("[M15] is not answered in its time", () => {
    const story = published().wait(6);
    expect(story.session.peers.has("alice")).toBe(false);
    expect(brief(story.verdict)).toBe("failed: no-answer");
    expect(story.verdict.says).toContain("sfu is in the session and did not answer");
    expect(story.verdict.says).toContain("within 6 s");
    expect(evidenceOf(story)).toBe("alice offered\nalice left: lost");
  });

  it("[M15] is rejected, by the media server or because of its answer", () => {
    const rejected = published();
    rejected.tell("sfu", { type: "reject", to: "alice", exchange: 1, reason: "full" });
    expect(brief(rejected.verdict)).toBe("failed: rejected");
    expect(rejected.verdict.says).toContain("full");
    const broken = sdpOf({ of: "sfu", ...taken }).replace(/a=fingerprint.*\r\n/, "");
    const refused = published().answer("sfu", "alice", broken);
    expect(brief(refused.verdict)).toBe("failed: sdp-refused");
    expect(refused.verdict.says).toContain("The answer of sfu");
  });

  it("[M15] has no path, or had one", () => {
    const story = says(says(answered().candidates("sfu", "alice", LAN), "checking"), "failed");
    expect(story.session.peers.has("alice")).toBe(false);
    expect(brief(story.verdict)).toBe("failed: no-candidates");
    expect(story.verdict.says).toContain("alice sent no");
    const ran = says(says(answered(), "connected").wait(9), "failed");
    expect(brief(ran.verdict)).toBe("failed: path-lost");
    const untold = answered().candidates("sfu", "alice", { relay: 1 }).wait(30);
    expect(brief(untold.verdict)).toBe("over: no-candidates");
  });

  it("[M15] leaves with its media server, or is gone without anything that was wrong", () => {
    const story = says(answered(), "connected").wait(9).leave("sfu");
    expect(brief(story.verdict)).toBe("over");
    expect(evidenceOf(story)).toBe("sfu left: left");
    const again = says(answered(), "connected").wait(9);
    again.tell("sfu", { type: "transport", to: "alice", state: "disconnected" });
    again.do({ type: "kick", peer: "alice", at: again.at });
    expect(brief(again.verdict)).toBe("over: kicked");
    const quiet = answered().wait(2);
    quiet.session = { ...quiet.session, timeline: NO_TIMELINE };
    quiet.do({ type: "lost", peer: "alice", at: quiet.at });
    expect(brief(quiet.wait(61).verdict)).toBe("over: peer-lost");
  });

  it("[M15][W7] restarts ICE, and is not answered: what ran goes on", () => {
    const story = says(answered(), "connected").wait(20);
    const sdp = sdpOf({
      of: "alice",
      ufrag: "anew",
      version: 2,
      sections: [{ kind: "audio", direction: "sendonly" }],
    });
    story.do({ type: "restart-http", peer: "alice", sdp, at: story.at });
    expect(brief(story.verdict)).toBe("working");
    expect(brief(story.wait(6).verdict)).toBe("degraded: no-answer");
    expect(story.verdict.says).toContain("within 6 s");
  });
});

describe("a path that ICE looks for anew", () => {
  const anew = (story: Story) =>
    story.offer("alice", "bob", { ufrag: "again" }).answer("bob", "alice", { ufrag: "anew" });
  const failed = (reason?: string) =>
    anew(
      agreed()
        .both(LAN)
        .wait(16)
        .report("alice", "failed", reason ? { reason } : {}),
    ).wait(3);

  it("[M15] keeps what it failed for until there is one", () => {
    const story = failed();
    expect(brief(story.verdict)).toBe("failed: no-path-private-only");
    expect(evidenceOf(story)).toContain("alice reports failed");
    expect(evidenceOf(story)).toContain("answer of bob");
    story.report("alice", "checking");
    expect(brief(story.verdict)).toBe("failed: no-path-private-only");
    expect(brief(failed().wait(6).leave("bob").verdict)).toBe("failed: no-path-private-only");
    expect(brief(failed().report("alice", "checking").leave("bob").verdict)).toBe(
      "failed: no-path-private-only",
    );
    expect(brief(story.report("alice", "connected").verdict)).toBe("working");
  });

  it("[M15] keeps that DTLS failed", () => {
    const story = failed("dtls-failed").report("alice", "checking");
    expect(brief(story.verdict)).toBe("failed: dtls-not-finished");
    expect(brief(failed("ice-failed").verdict)).toBe("failed: no-path-private-only");
    const other = agreed().both(LAN).wait(16).report("bob", "failed");
    expect(evidenceOf(anew(other))).toContain("bob reports failed");
    expect(brief(other.lose("bob").verdict)).toBe("degraded: peer-lost");
  });

  it("[M15] takes as long as it takes, however often they agree", () => {
    const story = agreed().both(LAN).wait(15).offer("alice", "bob", { version: 2 });
    story.answer("bob", "alice", { version: 2 }).wait(6);
    expect(brief(story.verdict)).toBe("connecting: no-report");
    expect(story.verdict.says).toContain("21 s ago");
  });

  it("[M15][S5] is not blamed on the network where a page has gone", () => {
    const away = agreed().both(LAN).wait(1).lose("bob").wait(15).report("alice", "failed");
    expect(brief(away.verdict)).toBe("degraded: peer-lost");
    expect(brief(away.wait(50).verdict)).toBe("over: peer-lost");
    expect(away.verdict.says).toContain("65 s");
    const dtls = agreed().both(LAN).report("bob", "connected").wait(1).lose("bob");
    expect(brief(dtls.wait(9).report("alice", "failed").verdict)).toBe("degraded: peer-lost");
    const closed = agreed().report("alice", "connected").report("bob", "closed").lose("bob");
    expect(brief(closed.verdict)).toBe("degraded: peer-lost");
    const forgotten = agreed().both(LAN).wait(1).lose("bob").wait(24);
    expect(brief(forgotten.forgetful)).toBe("degraded: peer-lost");
    expect(forgotten.forgetful.says).toContain("in 24 s");
    expect(brief(forgotten.wait(37).forgetful)).toBe("over");
    expect(forgotten.forgetful.says).toContain("bob is gone");
    const known = agreed().both(LAN).wait(16).report("alice", "failed").wait(60).lose("bob");
    expect(brief(known.wait(61).verdict)).toBe("failed: no-path-private-only");
  });

  it("[M15][S5] nor is a peer blamed for what became of its socket later", () => {
    const story = agreed().both(LAN).report("alice", "connected").wait(9).leave("alice");
    expect(brief(story.wait(5).lose("bob").verdict)).toBe("over");
    const other = agreed().both(LAN).report("alice", "connected").wait(9).lose("bob").wait(3);
    expect(brief(other.leave("alice").verdict)).toBe("over: peer-lost");
    expect(other.verdict.says).toContain("bob lost its socket and has not come back in 3 s");
  });

  it("[M15] ICE that failed by itself is not DTLS", () => {
    const story = agreed().both(LAN).report("bob", "connected");
    expect(brief(story.report("alice", "failed", { reason: "ice-failed" }).verdict)).toBe(
      "failed: path-lost",
    );
  });
});

describe("what is agreed anew on a link that runs", () => {
  const VIDEO = { version: 2, sections: [{ kind: "audio" }, { kind: "video" }] } as const;
  const up = (more: object = {}) =>
    new Story()
      .come("alice", "peer", more)
      .come("bob")
      .offer("alice", "bob")
      .answer("bob", "alice")
      .both(LAN)
      .report("alice", "connected")
      .wait(1);
  const adding = () => up().offer("alice", "bob", VIDEO);

  it("[M15][N7] is not answered: at first that is nothing", () => {
    const story = adding();
    expect(brief(story.verdict)).toBe("working");
    expect(brief(story.wait(11).verdict)).toBe("degraded: no-answer");
    expect(brief(story.forgetful)).toBe("degraded: no-answer");
    expect(brief(story.wait(50).verdict)).toBe("degraded: no-answer");
    expect(brief(story.forgetful)).toBe("working");
    expect(brief(story.leave("alice").verdict)).toBe("over: no-answer");
    const dropped = adding().wait(11).without("answer");
    expect(brief(dropped.verdict)).toBe("degraded: no-answer");
    expect(evidenceOf(dropped)).toBe("alice offered");
    const answered = adding().wait(11).answer("bob", "alice", VIDEO);
    expect(brief(answered.verdict)).toBe("working");
  });

  it("[M15] is rejected, or taken back", () => {
    const story = adding().tell("bob", { type: "reject", to: "alice", exchange: 2 });
    expect(brief(story.verdict)).toBe("degraded: rejected");
    const back = adding().tell("alice", { type: "rollback", to: "bob", exchange: 2 });
    expect(brief(back.verdict)).toBe("working");
  });

  it("[M15][D1][A2] is refused by a rule, or for want of a right", () => {
    const broken = sdpOf({ of: "alice", ...VIDEO }).replaceAll(/a=fingerprint.*\r\n/g, "");
    expect(brief(up().offer("alice", "bob", broken).verdict)).toBe("degraded: sdp-refused");
    const video = (story: Story) => story.wait(1).offer("alice", "bob", VIDEO);
    const story = video(up({ publish: ["audio"] }));
    expect(brief(story.verdict)).toBe("degraded: not-permitted");
    // What is refused once more is the same entry, and news all the same.
    story.wait(1).offer("alice", "bob", { version: 3 }).answer("bob", "alice", { version: 3 });
    expect(brief(story.verdict)).toBe("working");
    expect(brief(video(story).verdict)).toBe("degraded: not-permitted");
  });

  it("[M15][N3] meets other offers, again and again", () => {
    const story = adding();
    for (let n = 0; n < 5; n += 1) story.offer("bob", "alice", { version: 2 });
    expect(brief(story.verdict)).toBe("degraded: glare-loop");
    story.wait(1).answer("bob", "alice", VIDEO);
    expect(brief(story.verdict)).toBe("working");
    story
      .wait(1)
      .offer("alice", "bob", { ...VIDEO, version: 3 })
      .offer("bob", "alice");
    expect(brief(story.verdict)).toBe("working");
  });
});

describe("what was wrong when somebody hung up", () => {
  const running = () => agreed().both(LAN).report("alice", "connected").wait(13);

  it("[M15][M14] media that did not run as they should", () => {
    const silent = running();
    silent.measure("alice", { flow: silent.flow("alice"), bitrateBps: 0 });
    expect(brief(silent.leave("bob").verdict)).toBe("over: stopped-sending");
    expect(evidenceOf(silent)).toContain("bob left: left");
    const lossy = running();
    lossy.measure("bob", { flow: lossy.flow("alice"), packets: 100, packetsLost: 200 });
    expect(brief(lossy.leave("alice").verdict)).toBe("over: heavy-loss");
    expect(brief(lossy.forgetful)).toBe("over: heavy-loss");
  });

  it("[M15] a path that had just broken", () => {
    const story = running().report("bob", "disconnected").wait(3).leave("bob");
    expect(brief(story.verdict)).toBe("over: path-lost");
    const lost = running().report("alice", "failed").wait(1).lose("bob");
    expect(brief(lost.wait(61).verdict)).toBe("over: peer-lost");
  });

  it("[M15] what came of a lost socket is not what it was lost for", () => {
    const story = running().lose("bob").wait(20).report("alice", "failed").wait(41);
    expect(brief(story.verdict)).toBe("over: peer-lost");
    const offered = running().lose("bob").wait(5).offer("alice", "bob", { version: 2 });
    expect(brief(offered.wait(56).verdict)).toBe("over: peer-lost");
    const steered = running().lose("bob");
    for (let n = 0; n < 20; n += 1) {
      const change = { held: n % 2 === 0 };
      steered
        .wait(1)
        .do({ type: "change-flow", flow: steered.flow("alice"), change, at: steered.at });
    }
    expect(brief(steered.wait(41).verdict)).toBe("over: peer-lost");
  });

  it("[M15][S5] who comes again while the other one is away begins anew", () => {
    const story = new Story({ resumeSeconds: 60 }).agree().wait(1).lose("bob").wait(30);
    story.leave("alice").wait(1).come("alice").wait(31);
    expect(brief(story.verdict)).toBe("over: peer-lost");
    expect(story.verdict.says).toContain("in 62 s");
  });
});

describe("an answer that is refused", () => {
  const offered = () => new Story().come("alice").come("bob").offer("alice", "bob").wait(1);
  const broken = sdpOf({ of: "bob", setup: "active" }).replace(/a=fingerprint.*\r\n/, "");

  it("[M15][D1] and then rejected by its author, as our SDK does", () => {
    const story = offered().answer("bob", "alice", broken).wait(1);
    story.tell("bob", { type: "reject", to: "alice", exchange: 1, reason: "sdp-invalid" });
    expect(brief(story.verdict)).toBe("failed: sdp-refused");
    expect(story.verdict.says).toContain("The answer of bob");
    story.offer("alice", "bob").wait(1);
    story.tell("bob", { type: "reject", to: "alice", exchange: 2, reason: "busy" });
    expect(brief(story.verdict)).toBe("failed: rejected");
    const dropped = offered().answer("bob", "alice", broken);
    dropped.tell("bob", { type: "reject", to: "alice", exchange: 1 }).without("offer");
    expect(brief(dropped.verdict)).toBe("failed: rejected");
  });

  it("[M15][A2] once more, for a later offer", () => {
    const video = { setup: "active", sections: [{ kind: "video" }] } as const;
    const story = new Story().come("alice").come("bob", "peer", { publish: ["audio"] });
    story.offer("alice", "bob", { sections: [{ kind: "video" }] });
    story.answer("bob", "alice", video).wait(61);
    expect(brief(story.verdict)).toBe("failed: not-permitted");
    story.offer("alice", "bob", { sections: [{ kind: "video" }] }).wait(1);
    expect(brief(story.verdict)).toBe("waiting");
    story.answer("bob", "alice", video);
    expect(story.verdict.evidence[0]?.says).toContain("2 times");
    expect(brief(story.verdict)).toBe("failed: not-permitted");
  });

  it("[M15][A2] what was refused last counts, though it was refused before as well", () => {
    const story = new Story().come("alice", "peer", { publish: ["data"] });
    story
      .come("bob", "peer", { publish: ["data"] })
      .offer("alice", "bob")
      .wait(1);
    expect(story.offer("bob", "alice").verdict.says).toContain("token of bob");
    expect(story.wait(1).offer("alice", "bob").verdict.says).toContain("token of alice");
  });

  it("[M15][N5] a candidate that is refused is one of many; all of them are not", () => {
    const stray = (story: Story) =>
      story.tell("bob", {
        type: "candidates",
        to: "alice",
        exchange: 1,
        candidates: [{ candidate: "candidate:1 1 udp 1 10.0.0.9 9 typ host", sdpMid: "nine" }],
      });
    expect(brief(stray(offered()).verdict)).toBe("waiting");
    const story = stray(agreed().candidates("alice", "bob", LAN)).wait(16);
    expect(brief(story.report("alice", "failed").verdict)).toBe("failed: message-refused");
    expect(story.verdict.says).toBe("The candidates of bob was refused: unknown-m-section.");
    story.candidates("bob", "alice", LAN);
    expect(brief(story.verdict)).toBe("failed: no-path-private-only");
  });

  it("[M15] what becomes of a socket after the offer expired is another matter", () => {
    const story = offered().wait(61).lose("bob");
    expect(brief(story.verdict)).toBe("failed: no-answer");
  });
});

describe("another connection", () => {
  const up = () =>
    agreed().both(LAN).report("alice", "connected").report("bob", "connected").wait(30);
  const again = { of: "carol", ufrag: "carol", version: 2 } as const;

  it("[M15] of a page that was loaded again is not judged by the one before", () => {
    const story = up().lose("bob").wait(2).come("bob");
    story.offer("bob", "alice", again).wait(1);
    story.answer("alice", "bob", { of: "alice", ufrag: "anew", version: 2 }).wait(2);
    expect(story.session.links.get("alice~bob")?.flows.transports[0]?.associatedAt).toBe(
      story.at - 2000,
    );
    expect(brief(story.verdict)).toBe("connecting");
    expect(story.verdict.says).toContain("agreed 2 s ago");
    story.both(LAN).wait(14).report("bob", "failed");
    expect(brief(story.verdict)).toBe("failed: no-path-private-only");
    story.report("bob", "connected");
    expect(brief(story.verdict)).toBe("working");
    expect(brief(story.report("bob", "failed").verdict)).toBe("failed: path-lost");
  });

  it("[M15] of a second call in the session is not one that broke", () => {
    const story = up().report("alice", "closed").report("bob", "closed").wait(1);
    story.offer("alice", "bob", again).answer("bob", "alice", { of: "dave", version: 2 });
    story.report("alice", "checking").wait(3);
    expect(brief(story.verdict)).toBe("connecting");
    expect(brief(story.report("alice", "disconnected").verdict)).toBe("failed: no-candidates");
  });

  it("[M15] whose beginning was not recorded is as old as what is agreed", () => {
    const story = agreed().both(LAN).wait(15);
    const [link] = story.session.links.values();
    if (!link) throw new Error("no link");
    const transports = link.flows.transports.map(({ associatedAt: _, ...rest }) => rest);
    const links = new Map([[link.id, { ...link, flows: { ...link.flows, transports } }]]);
    story.session = { ...story.session, links };
    story.offer("alice", "bob", { version: 2 }).answer("bob", "alice", { version: 2 }).wait(6);
    expect(brief(story.verdict)).toBe("connecting");
    expect(brief(story.report("alice", "failed").verdict)).toBe("failed: no-path-private-only");
    expect(brief(story.without("answer").leave("bob").verdict)).toBe(
      "failed: no-path-private-only",
    );
  });

  it("[M15] that was none: nothing is left of who went", () => {
    for (const peer of ["alice", "bob"]) {
      const { forgetful } = new Story().agree(HOLD).wait(1).leave(peer);
      expect(brief(forgetful)).toBe("over: left-early");
      expect(forgetful.says).toContain(`${peer} left`);
    }
  });

  it("[M15] of a former meeting has no say", () => {
    const story = up().report("bob", "failed").wait(100).leave("bob").wait(1).come("bob");
    story.offer("alice", "bob").answer("bob", "alice").wait(1);
    expect(story.session.links.get("alice~bob")?.flows.flows.some(({ reason }) => reason)).toBe(
      true,
    );
    expect(brief(story.verdict)).toBe("connecting");
    expect(brief(story.leave("alice").verdict)).toBe("over: left-early");
  });
});

describe("ICE servers and candidates, as far as they tell", () => {
  const url = "turn:turn.example.org:3478";
  const again = { ufrag: "again", version: 2 } as const;

  it("[M15] credentials of a TURN server that ran out before ICE was restarted", () => {
    const story = agreed().both({ relay: 1 }).report("alice", "connected").wait(60);
    story.report("alice", "failed").wait(1).offer("alice", "bob", again);
    story.answer("bob", "alice", { ufrag: "anew", version: 2 }).both(LAN);
    story.report("alice", "failed", { iceErrors: [{ code: 401, url }] });
    expect(brief(story.verdict)).toBe("degraded");
    expect(brief(story.wait(31).verdict)).toBe("failed: turn-refused");
    expect(evidenceOf(story)).toContain("bob answered");
    expect(brief(story.lose("bob").verdict)).toBe("degraded: peer-lost");
  });

  it("[M15] an end that got no relay where relays are all there is", () => {
    const relay = { iceTransportPolicy: "relay" } as const;
    const story = agreed(relay).candidates("bob", "alice", { relay: 1 }).wait(16);
    story.report("alice", "failed", { iceErrors: [{ code: 401, url }] });
    expect(brief(story.verdict)).toBe("failed: turn-refused");
    const open = agreed().candidates("bob", "alice", { relay: 1 }).wait(16);
    open.report("alice", "failed", { iceErrors: [{ code: 401, url }] });
    expect(brief(open.verdict)).toBe("failed: no-candidates");
  });

  it("[M15] an end without candidates, where the other one can be reached", () => {
    const one = (kinds: object) =>
      agreed().candidates("alice", "bob", kinds).wait(16).report("alice", "failed");
    expect(brief(one({ global: 1 }).verdict)).toBe("failed: no-relay");
    expect(brief(one({ global: 1 }).leave("bob").verdict)).toBe("failed: no-relay");
    expect(brief(one({ srflx: 1 }).verdict)).toBe("failed: no-candidates");
    expect(brief(one({ host: 1 }).leave("bob").verdict)).toBe("failed: no-candidates");
  });

  it("[M15] addresses that are not known any more are not called private", () => {
    const line = "a=candidate:1 1 udp 2113937151 8.8.4.4 4000 typ host\r\n";
    const inText = (of: string, setup: "actpass" | "active") =>
      sdpOf({ of, setup }).replace("a=mid:0\r\n", `a=mid:0\r\n${line}`);
    const story = new Story().come("alice").come("bob");
    story.offer("alice", "bob", inText("alice", "actpass"));
    story.answer("bob", "alice", inText("bob", "active")).wait(16).report("alice", "failed");
    expect(brief(story.verdict)).toBe("failed: no-relay");
    expect(brief(story.leave("bob").verdict)).toBe("failed: no-relay");
  });
});

describe("a media server that refuses", () => {
  const joined = (...peers: string[]) => {
    const story = new Story().come("sfu", "media-server");
    for (const peer of peers) {
      story.come(peer).offer(peer, "sfu");
      story.tell("sfu", {
        type: "answer",
        to: peer,
        exchange: 1,
        sdp: sdpOf({ of: `sfu${peer}`, setup: "active" }),
      });
      story.tell(peer, { type: "transport", to: "sfu", state: "connected" });
    }
    return story.wait(1);
  };
  const refuse = (story: Story, context: string) =>
    story.tell("sfu", {
      type: "context-result",
      context,
      revision: 1,
      outcome: "refused",
      cause: "no-capacity",
    });
  const of = (story: Story, peer: string) =>
    story.verdicts.find(({ peers }) => peers?.includes(peer)) as Verdict;
  const uplink = (story: Story, from: string) =>
    story.session.links.get(`${from}~sfu`)?.flows.flows.find((flow) => flow.from === from)?.id ??
    "";

  it("[M15][C2] one of several, while the rest ran, also after somebody left", () => {
    const story = joined("alice", "bob");
    refuse(story, `bob<${uplink(story, "alice")}`);
    expect(brief(of(story, "bob"))).toBe("degraded: context-refused");
    expect(brief(of(story, "alice"))).toBe("working");
    story.wait(1).leave("bob");
    expect(brief(of(story, "bob"))).toBe("over: context-refused");
    const own = joined("alice");
    refuse(own, uplink(own, "alice")).wait(1).leave("alice");
    expect(brief(of(own, "alice"))).toBe("over: context-refused");
  });

  it("[M15][C2] says nothing of what is not asked any more, or was asked of who was here before", () => {
    const story = joined("alice", "bob");
    refuse(story, `bob<${uplink(story, "alice")}`)
      .wait(1)
      .leave("alice");
    expect(brief(of(story, "bob"))).toBe("working");
    const stopped = joined("alice");
    refuse(stopped, uplink(stopped, "alice")).wait(1);
    const none = { version: 2, sections: [{ kind: "audio", port: 0 }] } as const;
    stopped.offer("alice", "sfu", none);
    stopped.tell("sfu", {
      type: "answer",
      to: "alice",
      exchange: 2,
      sdp: sdpOf({ of: "sfualice", setup: "active", ...none }),
    });
    expect(brief(stopped.verdict)).toBe("waiting");
    expect(brief(stopped.wait(1).leave("alice").verdict)).not.toContain("context-refused");
    const back = joined("alice", "bob");
    refuse(back, `bob<${uplink(back, "alice")}`)
      .wait(1)
      .leave("bob")
      .wait(1)
      .come("bob");
    expect(back.session.links.get("bob~sfu")?.contextResults).toBeUndefined();
    expect(back.session.links.get("alice~sfu")?.contextResults).toBeUndefined();
  });
});

describe("peers that have no link", () => {
  const two = () => new Story().agree().report("alice", "connected");

  it("[M15] while others have theirs", () => {
    const story = two().come("carol").wait(9);
    expect(story.verdicts.map(brief)).toEqual(["working"]);
    story.wait(2);
    expect(story.verdicts.map(brief)).toEqual(["waiting: nobody-offered", "working"]);
    expect(story.verdicts[0]?.says).toBe(
      "No offer has been made between carol and 2 others in 11 s.",
    );
    for (const peer of ["dave", "erin", "frank"]) story.come(peer);
    expect(story.wait(11).verdicts[0]?.says).toContain("4 peers and 2 others");
    expect(story.leave("alice").leave("bob").verdicts[0]?.says).toContain("between 4 peers");
  });

  it("[M15] when the one that they had a link with has gone", () => {
    const story = two().wait(30).leave("bob").wait(11);
    expect(story.verdicts.map(brief)).toEqual(["over"]);
    story.come("carol").wait(11);
    expect(story.verdicts.map(brief)).toEqual(["waiting: nobody-offered", "over"]);
    story.leave("alice");
    expect(story.verdicts.map(brief)).toEqual(["waiting: alone", "over"]);
    story.lose("carol");
    expect(story.verdicts.map(brief)).toEqual(["over"]);
    const one = two().wait(30).leave("bob").come("carol").wait(1).lose("carol").wait(11);
    expect(one.verdicts[0]?.says).toContain("between alice and one other");
    const central = new Story({ topology: "central" }).come("sfu", "media-server").come("alice");
    central.offer("alice", "sfu").answer("sfu", "alice").come("bob").wait(1).leave("sfu");
    expect(central.verdicts.map(brief)).toContain("waiting: no-media-server");
  });

  it("[M15] somebody else could join since the session was full", () => {
    const story = new Story({ maxPeers: 2 }).agree().report("alice", "connected").come("carol");
    story.wait(1).come("carol");
    expect(story.verdicts.map(brief)).toEqual(["failed: session-full", "working"]);
    story.leave("bob").wait(1).come("dave");
    expect(story.verdicts.map(brief)).toEqual(["over"]);
  });

  it("[M15] an offer to who had left, or never came", () => {
    const story = new Story().come("alice").come("bob").wait(1).leave("bob").wait(1);
    expect(story.offer("alice", "bob").verdict.link).toBeUndefined();
    const never = new Story().come("alice").offer("alice", "zoe");
    expect(evidenceOf(never)).toBe("the offer of alice was refused with unknown-peer");
  });
});
