import { describe, expect, it } from "vitest";
import type { FromPeer } from "../protocol/messages.ts";
import { isProblem } from "../protocol/problem.ts";
import type { TimelineEntry } from "../protocol/timeline/entry.ts";
import { TimelineEntry as EntrySchema } from "../protocol/timeline/entry.ts";
import { recordedNews, recordedRefusal } from "../protocol/timeline/record.ts";
import {
  append,
  droppedOf,
  entriesOf,
  forgetting,
  isIn,
  NO_TIMELINE,
  type Noted,
  newsSince,
  type Remembered,
  type Timeline,
  timelineOf,
  withEntries,
} from "../protocol/timeline/timeline.ts";
import { timelineLines, viewDescriptions, viewTimeline } from "../protocol/timeline/view.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { accepted, outcome, PureSession } from "./pure-session.ts";

type Entry<T extends TimelineEntry["type"]> = Extract<TimelineEntry, { type: T }>;

/** What has happened, each entry as its schema reads it. */
function told(pure: PureSession, since = 0): readonly TimelineEntry[] {
  return viewTimeline(pure.session, since, pure.at).entries.map((each) => {
    expect(EntrySchema.parse(each)).toEqual(each);
    return each;
  });
}

const ofType = <T extends TimelineEntry["type"]>(pure: PureSession, type: T): Entry<T>[] =>
  told(pure).filter((each): each is Entry<T> => each.type === type);

const types = (entries: readonly TimelineEntry[]): string[] => entries.map(({ type }) => type);

function two(config: ConstructorParameters<typeof PureSession>[0] = {}): PureSession {
  const pure = new PureSession(config);
  accepted(pure.join("alice"));
  pure.at += 1_500;
  accepted(pure.join("bob"));
  return pure;
}

const offer = (version = 1): FromPeer => ({ type: "offer", to: "bob", sdp: sdpOf({ version }) });
const answer = (exchange: number): FromPeer => ({
  type: "answer",
  to: "alice",
  exchange,
  sdp: sdpOf({ setup: "active", of: "bob", version: exchange }),
});

function call(config: ConstructorParameters<typeof PureSession>[0] = {}): PureSession {
  const pure = two(config);
  accepted(pure.send("alice", offer()));
  accepted(pure.send("bob", answer(1)));
  return pure;
}

describe("what happens", () => {
  it("[M15] who came and went, with milliseconds from the start and a reason", () => {
    const pure = two();
    accepted(pure.do({ type: "lost", peer: "bob", at: pure.at }));
    pure.at += 100;
    accepted(pure.join("bob"));
    accepted(pure.do({ type: "lost", peer: "bob", at: pure.at }));
    pure.at += 60_000;
    accepted(pure.do({ type: "alarm", at: pure.at }));
    accepted(pure.send("alice", { type: "leave" }));
    expect(told(pure)).toEqual([
      { n: 1, at: 0, type: "peer-joined", peer: "alice", role: "peer" },
      { n: 2, at: 1_500, type: "peer-joined", peer: "bob", role: "peer" },
      { n: 3, at: 1_500, type: "peer-lost", peer: "bob" },
      { n: 4, at: 1_600, type: "peer-resumed", peer: "bob" },
      { n: 5, at: 1_600, type: "peer-lost", peer: "bob" },
      { n: 6, at: 61_600, type: "peer-left", peer: "bob", reason: "lost" },
      { n: 7, at: 61_600, type: "peer-left", peer: "alice", reason: "left" },
    ]);
  });

  it("[S4] a kick, a token that ends, and a peer that has lost its state have their reasons", () => {
    const pure = two();
    accepted(pure.do({ type: "kick", peer: "bob", at: pure.at }));
    const grant = pure.grant("alice");
    const ice = { iceServers: [] };
    accepted(pure.do({ type: "join", grant, ice, asked: { fresh: "true" }, at: pure.at }));
    pure.at = grant.expiresAt;
    accepted(pure.join("carol", "peer", { expiresAt: pure.at + 1 }));
    accepted(pure.do({ type: "alarm", at: pure.at }));
    const left = ofType(pure, "peer-left").map(({ peer, reason }) => `${peer} ${reason}`);
    expect(left).toEqual(["bob kicked", "alice lost", "alice expired"]);
    expect(types(told(pure)).slice(3, 5)).toEqual(["peer-left", "peer-joined"]);
  });

  it("[M15] an offer and an answer: sizes and m-lines, and no text", () => {
    const pure = call();
    const [offered] = ofType(pure, "offer");
    const [answered] = ofType(pure, "answer");
    expect(offered).toMatchObject({ by: "alice", link: "alice~bob", exchange: 1 });
    expect(offered?.bytes).toBe(sdpOf({ version: 1 }).length);
    expect(offered?.media[0]).toMatchObject({ kind: "audio", direction: "sendrecv" });
    expect(answered).toMatchObject({ by: "bob", exchange: 1 });
    expect(JSON.stringify(told(pure))).not.toContain("v=0");
  });

  it("[M15] flows enter their states, what is merely proposed follows from the offer", () => {
    const pure = call();
    const states = new Set(ofType(pure, "flow").map(({ state }) => state));
    expect(states).toEqual(new Set(["negotiated"]));
    accepted(pure.send("alice", { type: "leave" }));
    expect(ofType(pure, "flow").at(-1)).toMatchObject({ state: "ended", reason: "left" });
  });

  it("[M15] a rejected m-section and one that restarts ICE are told as such", () => {
    const pure = call();
    const restart = { ...offer(2), restart: true } as FromPeer;
    accepted(pure.send("alice", restart));
    expect(ofType(pure, "offer").at(-1)?.restart).toBe(true);
    const rejected = sdpOf({ setup: "active", of: "bob", version: 2 }).replace(
      /^m=audio \d+/m,
      "m=audio 0",
    );
    accepted(pure.send("bob", { type: "answer", to: "alice", exchange: 2, sdp: rejected }));
    expect(ofType(pure, "answer").at(-1)?.media[0]).toMatchObject({ rejected: true });
  });

  it.each([
    ["reject", "bob", { to: "alice", exchange: 1, reason: "busy" }, { by: "bob", reason: "busy" }],
    ["reject", "bob", { to: "alice", exchange: 1 }, { by: "bob" }],
    ["rollback", "alice", { to: "bob", exchange: 1 }, { by: "alice" }],
  ] as const)("[N4] a %s of %s", (type, peer, members, expected) => {
    const pure = two();
    accepted(pure.send("alice", offer()));
    accepted(pure.send(peer, { type, ...members } as FromPeer));
    expect(told(pure).at(-1)).toMatchObject({ type, link: "alice~bob", exchange: 1, ...expected });
  });

  it("[N7] an offer that nobody answered", () => {
    const pure = two();
    accepted(pure.send("alice", offer()));
    pure.at += 60_000;
    accepted(pure.do({ type: "alarm", at: pure.at }));
    expect(told(pure).at(-1)).toMatchObject({ type: "expired", exchange: 1, at: 61_500 });
  });

  it("[N1] an offer that its sender replaces is followed by the next one, and nothing in between", () => {
    const pure = two();
    accepted(pure.send("alice", offer()));
    accepted(pure.send("alice", offer(2)));
    expect(types(told(pure)).slice(2)).toEqual(["offer", "offer"]);
  });

  it("[N5] candidates by type, those of an old generation, and their end", () => {
    const pure = call();
    const mdns = candidateOf(1, "abcd");
    const candidates = [
      { ...mdns, candidate: mdns.candidate.replace(/\d+\.\d+\.\d+\.\d+/, "0f1e.local") },
      candidateOf(2, "abcd"),
    ];
    const message = { type: "candidates", to: "bob", exchange: 1 } as const;
    accepted(pure.send("alice", { ...message, candidates }));
    accepted(pure.send("alice", { ...message, candidates }));
    accepted(pure.send("alice", { ...message, candidates: [candidateOf(3, "elsewhere")] }));
    accepted(pure.send("alice", { ...message, candidates: [], complete: true }));
    accepted(pure.send("alice", { ...message, candidates: [], complete: true }));
    const entries = ofType(pure, "candidates").map(({ n: _, at: __, link: ___, ...rest }) => rest);
    const about = { type: "candidates", by: "alice", exchange: 1 };
    expect(entries).toEqual([
      { ...about, types: { host: 2 }, mdns: 1, global: 1 },
      { ...about, types: {}, dropped: 1 },
      { ...about, types: {}, complete: true },
    ]);
    // A description of an older exchange goes on: its candidates are no news under its new number.
    accepted(pure.send("alice", offer(2)));
    accepted(pure.send("bob", answer(2)));
    expect(ofType(pure, "candidates")).toHaveLength(3);
  });

  it("[N5] a candidate of a type nobody knows counts for none", () => {
    const pure = call();
    const odd = candidateOf(1, "abcd");
    const candidates = [{ ...odd, candidate: odd.candidate.replace("typ host", "typ future") }];
    pure.send("alice", { type: "candidates", to: "bob", exchange: 1, candidates });
    for (const { types } of ofType(pure, "candidates")) expect(types).toEqual({});
  });

  it("[D2] what the rules found, with its line and without its text", () => {
    const pure = two();
    const sdp = sdpOf({ version: 1 }).replace(/^a=fingerprint:.*\r\n/gm, "");
    expect(isProblem(pure.send("alice", { type: "offer", to: "bob", sdp }))).toBe(true);
    const [found] = ofType(pure, "finding");
    expect(found).toMatchObject({ by: "alice", link: "alice~bob", level: "error", refused: true });
    expect(found).not.toHaveProperty("exchange");
    expect(ofType(pure, "refused")[0]).toMatchObject({ message: "offer", code: "sdp-invalid" });
  });

  it("[D2] a finding says of which exchange it is: the same rule may find the same again", () => {
    const pure = two({ sdpPolicy: "report" });
    const bad = (of: string, members: object) =>
      sdpOf({ of, ...members }).replace(/^a=fingerprint:.*\r\n/gm, "");
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: bad("alice", { version: 1 }) }));
    accepted(pure.send("alice", { type: "rollback", to: "bob", exchange: 1 }));
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: bad("alice", { version: 2 }) }));
    const rules = ofType(pure, "finding").map(({ rule, exchange }) => [exchange, rule]);
    const [, rule] = rules[0] ?? [];
    expect(rules).toContainEqual([1, rule]);
    expect(rules).toContainEqual([2, rule]);
  });

  it("[M15] transports as reported, with the types of the pair; a report that says nothing new is none", () => {
    const pure = call();
    const end = { candidateType: "host", address: "192.0.2.1", port: 1, protocol: "udp" } as const;
    const relay = { ...end, candidateType: "relay", relayProtocol: "tls" } as const;
    const bare = { candidateType: "host" } as const;
    const report = { type: "transport", to: "bob", state: "connected" } as const;
    accepted(pure.send("alice", { ...report, pair: { local: relay, remote: end } }));
    accepted(pure.send("alice", { ...report, pair: { local: relay, remote: end } }));
    const [transport = "0"] =
      pure.session.links.get("alice~bob")?.flows.transports.map(({ id }) => id) ?? [];
    const failed = {
      ...report,
      to: "alice",
      state: "failed",
      reason: "consent",
      transport,
    } as const;
    accepted(pure.send("bob", { ...failed, pair: { local: bare, remote: bare } }));
    accepted(pure.send("alice", { ...report, pair: { local: end, remote: end } }));
    expect(ofType(pure, "transport")).toMatchObject([
      {
        by: "alice",
        state: "connected",
        pair: { local: "relay", remote: "host", protocol: "tls" },
      },
      { by: "bob", state: "failed", reason: "consent", transport, pair: { local: "host" } },
      { by: "alice", pair: { local: "host", remote: "host", protocol: "udp" } },
    ]);
    expect(JSON.stringify(told(pure))).not.toContain("192.0.2.1");
  });

  it("[F7] who steered a flow", () => {
    const pure = call();
    const flow = pure.session.links.get("alice~bob")?.flows.flows[0]?.id ?? "";
    accepted(pure.send("bob", { type: "flow", flow, maxBitrateBps: 100_000, priority: "high" }));
    accepted(pure.do({ type: "change-flow", flow, change: { held: true }, at: pure.at }));
    accepted(pure.do({ type: "change-flow", flow, change: { held: true }, at: pure.at }));
    const steered = ofType(pure, "steered").map(({ n: _, at: __, ...rest }) => rest);
    expect(steered).toEqual([
      { type: "steered", by: "bob", flow, maxBitrateBps: 100_000, priority: "high" },
      { type: "steered", flow, held: true },
    ]);
  });

  it("[C3] a media server that is about to go, and who takes its place", () => {
    const pure = new PureSession({ topology: "central" });
    for (const server of ["sfu", "spare"]) accepted(pure.join(server, "media-server"));
    accepted(pure.send("sfu", { type: "drain", successor: "spare" }));
    accepted(pure.send("spare", { type: "drain" }));
    expect(ofType(pure, "drain")).toMatchObject([
      { by: "sfu", successor: "spare" },
      { by: "spare" },
    ]);
  });

  it("[M15] in a central session a report is about the link with the media server", () => {
    const pure = new PureSession({ topology: "central" });
    accepted(pure.join("sfu", "media-server"));
    accepted(pure.join("alice"));
    accepted(pure.send("alice", { type: "offer", sdp: sdpOf({ version: 1 }) }));
    const sdp = sdpOf({ setup: "active", of: "sfu" });
    accepted(pure.send("sfu", { type: "answer", to: "alice", exchange: 1, sdp }));
    accepted(pure.send("alice", { type: "transport", state: "connected" }));
    expect(ofType(pure, "transport")[0]?.link).toBe("alice~sfu");
  });
});

describe("odd cases", () => {
  it("[C2] a context that its media server refuses, and none that it grants", () => {
    const pure = new PureSession({ topology: "central" });
    accepted(pure.join("sfu", "media-server"));
    accepted(pure.join("alice"));
    accepted(pure.send("alice", { type: "offer", sdp: sdpOf({ version: 1 }) }));
    const sdp = sdpOf({ setup: "active", of: "sfu" });
    accepted(pure.send("sfu", { type: "answer", to: "alice", exchange: 1, sdp }));
    const { context = "", revision = 0 } = pure.take("sfu", "context")[0] as {
      context?: string;
      revision?: number;
    };
    const result = { type: "context-result", context, revision } as const;
    accepted(pure.send("sfu", { ...result, outcome: "refused", cause: "no-capacity" }));
    accepted(pure.send("sfu", { ...result, outcome: "granted" }));
    accepted(pure.send("sfu", { ...result, outcome: "refused" }));
    expect(ofType(pure, "context").map(({ n: _, at: __, ...rest }) => rest)).toEqual([
      { type: "context", by: "sfu", context, reason: "no-capacity" },
      { type: "context", by: "sfu", context },
    ]);
  });

  it("[D1] a description that nobody can read has a size, and no m-sections", () => {
    const pure = two({ sdpPolicy: "report" });
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: "hello" }));
    expect(ofType(pure, "offer")[0]).toMatchObject({ bytes: 5, media: [] });
  });

  it("[A4] candidates in a description count by type; a section without a mid has none; SDES keys are masked", () => {
    const pure = two({ sdpPolicy: "report", debug: true });
    const crypto =
      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
    const candidate = "a=candidate:1 1 udp 2113937151 192.0.2.7 9 typ host";
    const sdp = sdpOf().replace("a=mid:0\r\n", `${crypto}\r\n${candidate}\r\n`);
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp }));
    const [offered] = ofType(pure, "offer");
    expect(offered).toMatchObject({ candidates: { host: 1 } });
    expect(offered?.media[0]).not.toHaveProperty("mid");
    expect(offered?.sdp).toContain("inline:***");
    expect(offered?.sdp).not.toContain("WVNfX19");
  });

  it("[S6] the end of a session is the end of its peers, and of offers without a word", () => {
    const pure = two();
    accepted(pure.send("alice", offer()));
    accepted(pure.do({ type: "kick", peer: "bob", at: pure.at }));
    accepted(pure.do({ type: "end", at: pure.at }));
    const left = ofType(pure, "peer-left").map(({ peer, reason }) => `${peer} ${reason}`);
    expect(left).toEqual(["bob kicked", "alice session-ended"]);
    expect(types(told(pure))).not.toContain("expired");
  });

  it("[A1] whoever came by HTTP with the token of a kicked peer is kicked with it", () => {
    const pure = new PureSession({ topology: "central" });
    accepted(pure.join("sfu", "media-server"));
    accepted(pure.join("alice"));
    accepted(pure.send("alice", { type: "offer", sdp: sdpOf() }));
    const sdp = sdpOf({ of: "sfu", setup: "active" });
    accepted(pure.send("sfu", { type: "answer", to: "alice", exchange: 1, sdp }));
    for (const resource of ["one", "two"]) {
      accepted(
        pure.do({
          type: "open-http",
          door: "whep",
          grant: pure.grant("player"),
          resource,
          offer: sdpOf({ of: resource, sections: [{ kind: "audio", direction: "recvonly" }] }),
          at: pure.at,
        }),
      );
    }
    accepted(pure.do({ type: "kick", peer: "player", at: pure.at }));
    const left = ofType(pure, "peer-left");
    expect(left.map(({ reason }) => reason)).toEqual(["kicked", "kicked"]);
  });

  it("[M15] of many links and peers only those that changed are told of", () => {
    const pure = call();
    accepted(pure.join("carol"));
    const sdp = sdpOf({ of: "carol" });
    accepted(pure.send("carol", { type: "offer", to: "bob", sdp }));
    const before = pure.session.timeline.newest;
    const candidates = (n: number): FromPeer => ({
      type: "candidates",
      to: "bob",
      exchange: 1,
      candidates: [candidateOf(n, "abcd")],
    });
    accepted(pure.send("alice", candidates(1)));
    const hers = { type: "candidates", to: "bob", exchange: 1 } as const;
    accepted(pure.send("carol", { ...hers, candidates: [candidateOf(2, "ufragcarol")] }));
    const message = { type: "candidates", to: "alice", exchange: 1 } as const;
    accepted(pure.send("bob", { ...message, candidates: [candidateOf(3, "ufragbob")] }));
    accepted(pure.send("alice", candidates(4)));
    const news = told(pure, before).map((each) =>
      "by" in each ? `${each.type} ${each.by}` : each.type,
    );
    expect(news).toEqual([
      "candidates alice",
      "candidates carol",
      "candidates bob",
      "candidates alice",
    ]);
  });

  it("[S2] an endpoint that may stay longer is no news", () => {
    const pure = two();
    const before = pure.session.timeline;
    accepted(pure.do({ type: "stay", peer: "bob", until: pure.at + 1, at: pure.at }));
    expect(pure.session.timeline).toBe(before);
  });

  it("[W7] a publisher by HTTP leaves with the only link it has, whoever took that from it", () => {
    const pure = two();
    accepted(pure.join("sfu", "media-server"));
    const publish = (resource: string) =>
      accepted(
        pure.do({
          type: "open-http",
          door: "whip",
          grant: pure.grant("encoder"),
          resource,
          offer: sdpOf({ of: "encoder", sections: [{ kind: "audio", direction: "sendonly" }] }),
          at: pure.at,
        }),
      );
    publish("one");
    const sections = [{ kind: "audio", direction: "recvonly" }] as const;
    const sdp = sdpOf({ of: "sfu", setup: "active", sections });
    accepted(pure.send("sfu", { type: "answer", to: "encoder", exchange: 1, sdp }));
    accepted(pure.send("sfu", { type: "transport", to: "encoder", state: "disconnected" }));
    publish("two");
    const presence = told(pure)
      .filter(({ type }) => type.startsWith("peer-"))
      .slice(3);
    expect(presence).toMatchObject([
      { type: "peer-joined", peer: "encoder" },
      { type: "peer-left", peer: "encoder", reason: "lost" },
      { type: "peer-joined", peer: "encoder" },
    ]);
    accepted(pure.send("sfu", { type: "leave" }));
    const left = ofType(pure, "peer-left").map(({ peer, reason }) => `${peer} ${reason}`);
    expect(left).toEqual(["encoder lost", "sfu left", "encoder lost"]);
    accepted(pure.join("spare", "media-server"));
    publish("three");
    accepted(pure.do({ type: "kick", peer: "spare", at: pure.at }));
    const last = ofType(pure, "peer-left").slice(-2);
    expect(last.map(({ reason }) => reason)).toEqual(["kicked", "lost"]);
  });
});

describe("what was refused", () => {
  it("[M15] a refusal is of its sender, one like the one before is the same once more", () => {
    const pure = two();
    const refuse = (message: FromPeer | undefined, code: "glare" | "rate-limited") => {
      const problem = { code, detail: "" } as never;
      const done = recordedRefusal(pure.session, "alice", { message, problem, at: pure.at });
      pure.session = done.session;
    };
    refuse(offer(), "glare");
    pure.at += 10;
    refuse(offer(), "glare");
    pure.at += 10;
    refuse(offer(), "glare");
    refuse(undefined, "rate-limited");
    refuse({ type: "leave" }, "glare");
    refuse({ type: "message", to: "alice", body: 1 }, "glare");
    expect(ofType(pure, "refused").map(({ n: _, ...rest }) => rest)).toEqual([
      {
        at: 1_500,
        type: "refused",
        by: "alice",
        link: "alice~bob",
        message: "offer",
        code: "glare",
        times: 3,
        until: 1_520,
      },
      { at: 1_520, type: "refused", by: "alice", code: "rate-limited" },
      { at: 1_520, type: "refused", by: "alice", message: "leave", code: "glare" },
      { at: 1_520, type: "refused", by: "alice", message: "message", code: "glare" },
    ]);
  });

  it("[S2] whoever is not in the session has no history in it", () => {
    const { session, at } = two();
    const problem = { code: "glare", detail: "" } as never;
    expect(recordedRefusal(session, "stranger", { problem, at })).toEqual({ session, effects: [] });
  });
});

describe("observers", () => {
  it("[S2] one that follows is told what happens, others are not", () => {
    const pure = two();
    const join = (peer: string, role: "observer" | "peer", timeline?: "true") =>
      accepted(
        pure.do({
          type: "join",
          grant: pure.grant(peer, { role }),
          ice: { iceServers: [] },
          ...(timeline && { asked: { timeline } }),
          at: pure.at,
        }),
      );
    join("eve", "observer", "true");
    join("oscar", "observer");
    join("carol", "peer", "true");
    for (const peer of ["eve", "oscar", "carol"]) pure.take(peer);
    accepted(pure.send("alice", offer()));
    const [frame] = pure.take("eve", "timeline");
    expect(frame).toMatchObject({ newest: 6, entries: [{ n: 6, type: "offer" }] });
    expect([...pure.take("oscar", "timeline"), ...pure.take("carol", "timeline")]).toEqual([]);
    const news = { type: "fault", fault: "storage" } as const;
    const done = recordedNews(pure.session, news, pure.at);
    expect(done.effects).toMatchObject([{ to: "eve", message: { entries: [news] } }]);
    accepted(pure.do({ type: "lost", peer: "eve", at: pure.at }));
    expect(
      accepted(pure.send("bob", answer(1))).effects.some(
        (each) => each.type === "send" && each.to === "eve",
      ),
    ).toBe(false);
  });
});

describe("texts of descriptions", () => {
  it("[A4] only where the session is debugged, without ICE passwords and keys", () => {
    const pure = call({ debug: true });
    const [offered] = ofType(pure, "offer");
    expect(offered?.sdp).toContain("a=ice-pwd:***");
    expect(offered?.sdp).not.toMatch(/a=ice-pwd:(?!\*\*\*)/);
    accepted(pure.send("alice", offer(2)));
    const open = viewDescriptions(pure.session);
    expect(open.map(({ type, state, exchange }) => `${type} ${state} ${exchange}`)).toEqual([
      "offer in-force 1",
      "answer in-force 1",
      "offer open 2",
    ]);
    accepted(pure.send("bob", answer(2)));
    const all = viewDescriptions(pure.session);
    expect(all.map(({ type, state, exchange }) => `${type} ${state} ${exchange}`)).toEqual([
      "offer past 1",
      "answer past 1",
      "offer in-force 2",
      "answer in-force 2",
    ]);
    for (const { sdp } of all) expect(sdp).not.toMatch(/a=ice-pwd:(?!\*\*\*)/);
    expect(all[0]).toMatchObject({ from: "alice", to: "bob", link: "alice~bob", at: 1_500 });
  });

  it("[N9] where the text differs from what its author sent, the reader learns how often", () => {
    const pure = two({ sdpPolicy: "report", iceTransportPolicy: "relay" });
    const candidate = "a=candidate:1 1 udp 2113937151 192.0.2.7 9 typ host";
    const sdp = sdpOf().replace("a=mid:0", `${candidate}\r\na=mid:0`);
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp }));
    expect(viewDescriptions(pure.session)[0]?.withheld).toBeGreaterThan(0);
    // What is remembered may be less than what is in force.
    const bare = { ...pure.session, timeline: NO_TIMELINE };
    expect(viewDescriptions(bare)).toHaveLength(1);
  });

  it("[A4] without debugging former descriptions are gone", () => {
    const pure = call();
    accepted(pure.send("alice", offer(2)));
    accepted(pure.send("bob", answer(2)));
    expect(viewDescriptions(pure.session).map(({ state }) => state)).toEqual([
      "in-force",
      "in-force",
    ]);
    expect(viewDescriptions(two().session)).toEqual([]);
  });

  it("[S8] texts are kept of the newest descriptions only, however large they are", () => {
    const described = (sdp: string) =>
      [
        "link a~b",
        { type: "offer", by: "a", link: "a~b", exchange: 1, bytes: 1, media: [], sdp },
      ] as Noted;
    let timeline: Timeline = NO_TIMELINE;
    for (let n = 0; n < 20; n++) timeline = append(timeline, [described("v=0")], n);
    const texts = ({ rings }: Timeline) =>
      rings.get("link a~b")?.filter((each) => "sdp" in each && each.sdp !== undefined).length;
    expect(texts(timeline)).toBe(12);
    timeline = append(timeline, [described("x".repeat(131_072))], 21);
    expect(texts(timeline)).toBe(1);
    expect(timeline.rings.get("link a~b")?.at(-1)).toHaveProperty("sdp");
    timeline = append(timeline, [described("x".repeat(131_073))], 22);
    expect(texts(timeline)).toBe(0);
  });

  it("[S8] texts of all links together are bounded, and what has no room is still told of", () => {
    const text = "x".repeat(131_072);
    const links = Array.from({ length: 400 }, (_none, n) => `a~${n}`);
    const noted = links.map((link): Noted => {
      const about = { by: "a", link, exchange: 1, bytes: text.length, media: [], sdp: text };
      return [`link ${link}`, { type: "offer", ...about }];
    });
    const once = append(NO_TIMELINE, noted, 0);
    const kept = [...once.rings.values()].flat();
    const characters = kept.flatMap((each) => ("sdp" in each && each.sdp) || []).join("").length;
    expect(kept).toHaveLength(400);
    expect(characters).toBeGreaterThan(text.length);
    expect(characters).toBeLessThanOrEqual(4_194_304);
  });

  it("[S8] what a description says at any length is not kept at any length", () => {
    const pure = two({ sdpPolicy: "report" });
    const sdp = sdpOf().replaceAll("a=mid:0", `a=mid:${"m".repeat(120)}`);
    const long = sdp.replace("m=audio", `m=${"k".repeat(200_000)}`);
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: long }));
    const [{ mid, kind } = { kind: "" }] = ofType(pure, "offer")[0]?.media ?? [];
    expect([mid, kind]).toEqual(["m".repeat(64), "k".repeat(32)]);
    expect(JSON.stringify([...pure.session.timeline.rings]).length).toBeLessThan(4_000);
    // And one that everything would be named by for ever is refused, whatever the policy.
    const huge = sdp.replaceAll("m".repeat(120), "m".repeat(400_000));
    const refused = pure.send("alice", { type: "offer", to: "bob", sdp: huge });
    expect(outcome(refused)).toBe("sdp-too-large");
    expect(JSON.stringify(pure.session.links.get("alice~bob")?.flows).length).toBeLessThan(8_000);
  });
});

describe("room", () => {
  const left = (peer: string) => [`peer ${peer}`, { type: "peer-lost", peer }] as const;

  it("[S8] whoever is loud pushes out only its own history", () => {
    let timeline: Timeline = append(NO_TIMELINE, [left("quiet")], 0);
    for (let n = 0; n < 100; n++) timeline = append(timeline, [left("loud")], n);
    expect(timeline.rings.get("peer loud")).toHaveLength(32);
    expect(timeline.rings.get("peer quiet")).toHaveLength(1);
    expect(droppedOf(timeline)).toBe(101 - 33);
    expect(entriesOf(timeline)[0]?.n).toBe(1);
    expect(entriesOf(timeline, 99).map(({ n }) => n)).toEqual([100, 101]);
    expect(append(timeline, [], 5)).toBe(timeline);
  });

  it("[S8] a session forgets what happened on links it has forgotten, and peers that left long ago", () => {
    const noted = Array.from({ length: 200 }, (_, n) => left(`p${n}`));
    const link = { type: "expired", link: "a~b", exchange: 1 } as const;
    const timeline = append(NO_TIMELINE, [...noted, ["link a~b", link], ["", link]], 0);
    const kept = forgetting(timeline, new Set(["p0"]), new Set());
    expect(kept.rings.has("peer p0")).toBe(true);
    expect(kept.rings.has("peer p1")).toBe(false);
    expect(kept.rings.has("peer p199")).toBe(true);
    expect(kept.rings.size).toBe(1 + 128 + 1);
    expect(kept.rings.has("link a~b")).toBe(false);
    expect(forgetting(kept, new Set(["p0"]), new Set())).toBe(kept);
    const known = append(NO_TIMELINE, [["flows a~b", link]], 0);
    expect(forgetting(known, new Set(), new Set(["a~b"]))).toBe(known);
  });

  it("[M15] when somebody joins, old peers are forgotten", () => {
    const pure = new PureSession({ maxPeers: 2 });
    for (let n = 0; n < 140; n++) {
      accepted(pure.join(`p${n}`));
      accepted(pure.send(`p${n}`, { type: "leave" }));
    }
    accepted(pure.join("last"));
    expect(pure.session.timeline.rings.size).toBe(128 + 1);
    expect(viewTimeline(pure.session, 0, pure.at).dropped).toBe(281 - 257);
  });
});

describe("what sockets remember of it", () => {
  const entry = (n: number, times?: number): Remembered => [
    "peer a",
    { n, at: n, type: "refused", by: "a", code: "glare", ...(times && { times }) },
  ];

  it("[R4] what rows lack is put in its place, what they have stays", () => {
    const rows = timelineOf([["peer a", [entry(2)[1], entry(4)[1]]]]);
    expect(rows.newest).toBe(4);
    expect(withEntries(rows, [])).toBe(rows);
    const whole = withEntries(rows, [entry(5), entry(3), entry(4), entry(2, 7)]);
    expect(whole.newest).toBe(5);
    expect(whole.rings.get("peer a")?.map(({ n }) => n)).toEqual([2, 3, 4, 5]);
    expect(whole.rings.get("peer a")?.[0]).toMatchObject({ times: 7 });
    expect(withEntries(NO_TIMELINE, [["link x", entry(9)[1]]]).newest).toBe(9);
    expect(timelineOf([]).newest).toBe(0);
    expect(timelineOf([["peer a", []]]).newest).toBe(0);
  });

  it("[R4] what got a number that was given away meanwhile gets another, and its place by its time", () => {
    const peerLost = { n: 2, at: 9, type: "peer-lost", peer: "b" } as const;
    const rows = timelineOf([
      ["peer a", [entry(1)[1]]],
      ["peer b", [peerLost]],
    ]);
    const whole = withEntries(rows, [entry(2), entry(3)]);
    expect(whole.newest).toBe(4);
    expect(entriesOf(whole).map(({ n, at }) => [n, at])).toEqual([
      [1, 1],
      [3, 2],
      [4, 3],
      [2, 9],
    ]);
  });

  it("[R4] what a full ring has let go of does not come back", () => {
    const ring = Array.from({ length: 32 }, (_, n) => entry(n + 10)[1]);
    expect(isIn(ring, ...entry(3))).toBe(true);
    expect(isIn(ring.slice(1), ...entry(3))).toBe(false);
    expect(isIn([], ...entry(3))).toBe(false);
    expect(
      isIn([["", { n: 1, at: 0, type: "fault", fault: "x" }][1] as TimelineEntry], "", {
        n: 1,
        at: 0,
        type: "fault",
        fault: "x",
      }),
    ).toBe(true);
  });

  it("[R4] the news between two states are entries that are new, or said once more", () => {
    const one = append(NO_TIMELINE, [["peer a", { type: "refused", by: "a", code: "glare" }]], 1);
    const more = append(one, [["peer a", { type: "refused", by: "a", code: "glare" }]], 2);
    expect(newsSince(one, more)).toEqual([["peer a", expect.objectContaining({ n: 1, times: 2 })]]);
    expect(newsSince(more, more)).toEqual([]);
    const other = append(more, [["", { type: "fault", fault: "x" }]], 3);
    expect(newsSince(more, other)).toHaveLength(1);
  });
});

it("[M15] a download is a line for each entry", () => {
  const view = viewTimeline(call().session, 0, 0);
  const lines = timelineLines({
    ...view,
    verdicts: [{ state: "working", says: "it works", evidence: [] }],
  });
  const read = lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string });
  expect(read).toHaveLength(view.entries.length + 1);
  expect(read.at(-1)).toMatchObject({ type: "verdict", state: "working" });
});
