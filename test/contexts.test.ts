import { describe, expect, it } from "vitest";
import type { ContextChange } from "../protocol/context-messages.ts";
import { viewContexts } from "../protocol/context-results.ts";
import type { Flow } from "../protocol/flow.ts";
import { recordOf } from "./corpus.ts";
import { sdpOf } from "./descriptions.ts";
import { accepted, outcome, PureSession } from "./pure-session.ts";

/** Stream contexts of a media server (M7). */

const AUDIO_AND_VIDEO = (direction: "sendonly" | "recvonly" | "sendrecv") => [
  { kind: "audio" as const, direction },
  { kind: "video" as const, direction },
];

function central(...peers: string[]): PureSession {
  const session = new PureSession({ topology: "central" });
  accepted(session.join("sfu", "media-server"));
  for (const peer of peers) accepted(session.join(peer));
  session.take("sfu");
  return session;
}

const linkOf = (session: PureSession, peer: string) =>
  [...session.session.links.values()].find(
    ({ peers }) => peers.includes(peer) && peers.includes("sfu"),
  );

const flowsOf = (session: PureSession, peer: string): readonly Flow[] =>
  linkOf(session, peer)?.flows.flows ?? [];

/** The peer publishes audio and video. */
function publish(session: PureSession, peer: string, version = 1): void {
  const sections = AUDIO_AND_VIDEO("sendonly");
  accepted(
    session.send(peer, { type: "offer", to: "sfu", sdp: sdpOf({ of: peer, sections, version }) }),
  );
  const exchange = linkOf(session, peer)?.exchange ?? 0;
  const answered = sdpOf({
    of: `sfu${peer}`,
    setup: "active",
    sections: AUDIO_AND_VIDEO("recvonly"),
    version,
  });
  accepted(session.send("sfu", { type: "answer", to: peer, exchange, sdp: answered }));
}

const contexts = (session: PureSession): ContextChange[] =>
  session.take("sfu", "context") as unknown as ContextChange[];

const brief = ({ op, direction, peer, kind, sourceFlows, reason }: ContextChange) =>
  [op, direction, peer, kind, sourceFlows?.length, reason]
    .filter((each) => each !== undefined)
    .join(" ");

/** The media server offers a section for each of these contexts. */
function serve(session: PureSession, peer: string, ids: readonly string[], version = 1): void {
  const sections = ids.map((_id, index) => ({
    kind: index % 2 ? ("video" as const) : ("audio" as const),
    direction: "sendonly" as const,
    mid: `d${index}`,
  }));
  const media = Object.fromEntries(ids.map((context, index) => [`d${index}`, { context }]));
  const sdp = sdpOf({ of: `sfu${peer}`, sections, version });
  accepted(session.send("sfu", { type: "offer", to: peer, sdp, media }));
  const exchange = linkOf(session, peer)?.exchange ?? 0;
  const answered = sdpOf({
    of: peer,
    setup: "active",
    sections: sections.map((each) => ({ ...each, direction: "recvonly" })),
    version,
  });
  accepted(session.send(peer, { type: "answer", to: "sfu", exchange, sdp: answered }));
}

const downlinksOf = (news: readonly ContextChange[], peer: string): string[] =>
  news
    .filter((each) => each.direction === "downlink" && each.peer === peer)
    .map(({ context }) => context);

describe("stream contexts", () => {
  it("[C1] an uplink opens when it is agreed, and a downlink of it for each other peer", () => {
    const session = central("alice", "bob", "carol");
    publish(session, "alice");
    const news = contexts(session);
    expect(news.map(brief)).toEqual([
      "open uplink alice audio",
      "open uplink alice video",
      "open downlink bob audio 1",
      "open downlink bob video 1",
      "open downlink carol audio 1",
      "open downlink carol video 1",
    ]);
    const [audio] = flowsOf(session, "alice");
    expect(news[0]).toMatchObject({ context: audio?.id, flow: audio?.id, mid: "0", held: false });
    expect(news[2]).toMatchObject({ sourceFlows: [audio?.id] });
    expect(news[2]?.flow).toBeUndefined();
  });

  it("[C1] who may not subscribe to a kind has no context of it, who only looks none at all", () => {
    const session = central("alice");
    accepted(session.join("ear", "peer", { subscribe: ["audio"] }));
    accepted(session.join("eye", "observer"));
    publish(session, "alice");
    expect(contexts(session).map(brief)).toContain("open downlink ear audio 1");
    expect(
      viewContexts(session.session).filter(({ direction }) => direction === "downlink"),
    ).toHaveLength(1);
  });

  it("[C1] what comes to be between them, ends with it", () => {
    const session = central("alice", "bob");
    publish(session, "alice");
    contexts(session);
    accepted(session.join("carol"));
    expect(contexts(session).map(brief)).toEqual([
      "open downlink carol audio 1",
      "open downlink carol video 1",
    ]);
    accepted(session.send("bob", { type: "leave" }));
    expect(contexts(session).map(brief)).toEqual([
      "close downlink bob unsubscribed",
      "close downlink bob unsubscribed",
    ]);
    accepted(session.send("alice", { type: "leave" }));
    expect(contexts(session).map(brief)).toEqual([
      "close uplink alice left",
      "close uplink alice left",
      "close downlink carol unsubscribed",
      "close downlink carol unsubscribed",
    ]);
  });

  it("[C1] a flow that is offered for a context has its sources, and the context its flow", () => {
    const session = central("alice", "bob");
    publish(session, "alice");
    const ids = downlinksOf(contexts(session), "bob");
    serve(session, "bob", ids);
    const news = contexts(session);
    expect(news.map(brief)).toEqual(["update downlink bob audio 1", "update downlink bob video 1"]);
    const [audio, video] = flowsOf(session, "bob");
    expect(news[0]).toMatchObject({ context: ids[0], flow: audio?.id, mid: "d0" });
    const [up] = flowsOf(session, "alice");
    expect(audio).toMatchObject({ sourceFlows: [up?.id], topology: "projecting", from: "sfu" });
    expect(video?.sourceFlows).toEqual([flowsOf(session, "alice")[1]?.id]);
  });

  it("[C1] a peer that publishes has downlinks on the same link", () => {
    const session = central("alice", "bob");
    publish(session, "bob");
    publish(session, "alice");
    const [id = ""] = downlinksOf(contexts(session), "bob");
    const answered = { kind: "audio", direction: "recvonly" } as const;
    const offered = [
      ...AUDIO_AND_VIDEO("recvonly"),
      { ...answered, direction: "sendonly", mid: "d" } as const,
    ];
    const sdp = sdpOf({ of: "sfubob", sections: offered, version: 2 });
    accepted(session.send("sfu", { type: "offer", to: "bob", sdp, media: { d: { context: id } } }));
    const sections = [...AUDIO_AND_VIDEO("sendonly"), { ...answered, mid: "d" }];
    const reply = sdpOf({ of: "bob", setup: "passive", sections, version: 2 });
    accepted(session.send("bob", { type: "answer", to: "sfu", exchange: 2, sdp: reply }));
    const downlink = flowsOf(session, "bob").find(({ to }) => to === "bob");
    expect(downlink?.sourceFlows).toEqual([flowsOf(session, "alice")[0]?.id]);
  });

  it("[C1] a section for a context that is none has no sources", () => {
    const session = central("alice", "zoe");
    publish(session, "zoe");
    contexts(session);
    serve(session, "alice", ["nonsense"]);
    const [audio] = flowsOf(session, "alice");
    expect(audio?.sourceFlows).toEqual([]);
    expect(audio?.topology).toBeUndefined();
  });

  it("[C1] layers of an uplink are those that were accepted", () => {
    const session = central("alice");
    const { offer, answer } = recordOf("chromium-to-janus.videoroom-publish-simulcast");
    accepted(session.send("alice", { type: "offer", to: "sfu", sdp: offer }));
    accepted(session.send("sfu", { type: "answer", to: "alice", exchange: 1, sdp: answer ?? "" }));
    const video = contexts(session).find(({ kind }) => kind === "video");
    expect(video?.layers).toEqual([{ rid: "h" }, { rid: "m" }, { rid: "l" }]);
  });

  it("[C1] an update when something is asked of the flow, and none for news that matter to nobody", () => {
    const session = central("alice", "bob");
    publish(session, "alice");
    serve(session, "bob", downlinksOf(contexts(session), "bob"));
    contexts(session);
    const [, video] = flowsOf(session, "bob");
    const flow = video?.id ?? "";
    accepted(session.send("bob", { type: "flow", flow, maxBitrateBps: 300_000 }));
    expect(contexts(session)).toMatchObject([{ op: "update", flow, maxBitrateBps: 300_000 }]);
    accepted(session.send("bob", { type: "flow", flow, held: true, priority: "high" }));
    expect(contexts(session)).toMatchObject([{ op: "update", held: true, priority: "high" }]);
    accepted(session.send("bob", { type: "quality", to: "sfu", flows: [{ flow, packets: 9 }] }));
    accepted(session.send("sfu", { type: "transport", to: "bob", state: "connected" }));
    expect(contexts(session)).toEqual([]);
  });

  it("[C1] one that comes back is told of all there are", () => {
    const session = central("alice", "bob");
    publish(session, "alice");
    contexts(session);
    accepted(session.do({ type: "lost", peer: "sfu", at: session.at }));
    accepted(session.join("carol"));
    accepted(session.join("sfu", "media-server"));
    const news = session.take("sfu");
    expect(news[0]).toMatchObject({ type: "welcome", resumed: true });
    expect(news.filter(({ type }) => type === "context")).toHaveLength(6);
  });

  it("[C1] in a mesh, what peers send each other is no context", () => {
    const session = new PureSession();
    for (const peer of ["alice", "bob"]) accepted(session.join(peer));
    accepted(session.join("sfu", "media-server"));
    accepted(session.send("alice", { type: "offer", to: "bob", sdp: sdpOf() }));
    const sdp = sdpOf({ setup: "active" });
    accepted(session.send("bob", { type: "answer", to: "alice", exchange: 1, sdp }));
    expect(contexts(session)).toEqual([]);
  });

  it("[C4] one that has lost its state leaves and comes, for everybody else", () => {
    const session = central("alice", "bob");
    publish(session, "alice");
    session.take("alice");
    const grant = session.grant("sfu", { role: "media-server" });
    const asked = { fresh: "true" as const };
    accepted(session.do({ type: "join", grant, ice: { iceServers: [] }, asked, at: session.at }));
    expect(session.take("alice").map(({ type }) => type)).toEqual([
      "peer-left",
      "peer-joined",
      "flows",
    ]);
    expect(session.take("sfu").at(-1)).toMatchObject({
      type: "welcome",
      resumed: false,
      links: [],
    });
    expect(session.session.peers.get("sfu")).toMatchObject({ connection: 2 });
    expect(session.session.peers.get("sfu")?.asked).toBeUndefined();
    expect(flowsOf(session, "alice").map(({ state }) => state)).toEqual(["ended", "ended"]);
  });

  it("[C4] a session that is full has room for whoever comes anew", () => {
    const session = new PureSession({ topology: "central", maxPeers: 2 });
    accepted(session.join("sfu", "media-server"));
    accepted(session.join("alice"));
    const grant = session.grant("sfu", { role: "media-server" });
    const ice = { iceServers: [] };
    expect(
      outcome(session.do({ type: "join", grant, ice, asked: { fresh: "true" }, at: session.at })),
    ).toBe("accepted");
  });
});

describe("results of contexts", () => {
  it("[C2] a refusal is kept until it is taken back", () => {
    const session = central("alice", "bob");
    publish(session, "alice");
    const [context = ""] = downlinksOf(contexts(session), "bob");
    const result = { type: "context-result", context, revision: 1 } as const;
    const refused = {
      ...result,
      outcome: "refused",
      cause: "no-capacity",
      detail: "full",
    } as const;
    accepted(session.send("sfu", refused));
    const kept = () =>
      viewContexts(session.session).find((each) => each.context === context)?.result;
    expect(kept()).toEqual({
      revision: 1,
      outcome: "refused",
      cause: "no-capacity",
      detail: "full",
      at: session.at,
    });
    accepted(session.send("sfu", { ...result, outcome: "granted", maxBitrateBps: 500_000 }));
    expect(kept()).toMatchObject({ outcome: "granted", maxBitrateBps: 500_000 });
    accepted(session.send("sfu", { ...result, outcome: "granted" }));
    expect(kept()).toBeUndefined();
    const before = session.session;
    accepted(session.send("sfu", { ...result, outcome: "granted" }));
    expect(session.session).toBe(before);
  });

  it("[C2] those of contexts that are closed are forgotten with the next one", () => {
    const session = central("alice", "bob");
    publish(session, "alice");
    const [one = "", other = ""] = downlinksOf(contexts(session), "bob");
    const refuse = (context: string) =>
      session.send("sfu", { type: "context-result", context, revision: 1, outcome: "refused" });
    accepted(refuse(one));
    accepted(refuse(other));
    expect(Object.keys(linkOf(session, "bob")?.contextResults ?? {})).toEqual([one, other]);
    accepted(session.send("alice", { type: "leave" }));
    expect(outcome(refuse(one))).toBe("context-not-found");
    publish(session, "bob");
    accepted(
      refuse(
        contexts(session).find(({ op, peer }) => op === "open" && peer === "bob")?.context ?? "",
      ),
    );
    expect(Object.keys(linkOf(session, "bob")?.contextResults ?? {})).toHaveLength(1);
  });

  it("[C2] its transport and sources are reports as any others", () => {
    const session = central("alice", "bob");
    publish(session, "alice");
    const [up] = contexts(session);
    const result = {
      type: "context-result",
      context: up?.context ?? "",
      revision: up?.revision ?? 0,
      outcome: "granted",
      sources: [{ ssrc: 4711 }],
      transport: { state: "connected" },
    } as const;
    accepted(session.send("sfu", { ...result, sources: [...result.sources] }));
    const [audio] = flowsOf(session, "alice");
    expect(audio).toMatchObject({ state: "active", sources: [{ ssrc: 4711, reported: true }] });
  });

  it("[C2] nobody else has contexts, and a transport that cannot be is refused with it", () => {
    const session = central("alice", "bob");
    publish(session, "alice");
    const news = contexts(session);
    const [context = ""] = downlinksOf(news, "bob");
    const granted = { type: "context-result", context, revision: 1, outcome: "granted" } as const;
    expect(outcome(session.send("alice", granted))).toBe("not-permitted");
    const early = { ...granted, transport: { state: "connected" as const } };
    expect(outcome(session.send("sfu", early))).toBe("nothing-offered");
  });
});

describe("a media server that goes", () => {
  it("[C3] is named to its peers, with its successor, and is given nothing new", () => {
    const session = central("alice");
    accepted(session.join("sfu2", "media-server"));
    session.take("alice");
    accepted(session.send("sfu", { type: "drain", successor: "sfu2" }));
    expect(session.take("alice")).toEqual([{ type: "drain", peer: "sfu", successor: "sfu2" }]);
    expect(session.take("sfu2", "drain")).toHaveLength(1);
    accepted(session.join("bob"));
    const [welcome] = session.take("bob", "welcome");
    expect(welcome).toMatchObject({
      peers: expect.arrayContaining([expect.objectContaining({ id: "sfu", draining: true })]),
    });
    accepted(session.send("bob", { type: "offer", sdp: sdpOf({ of: "bob" }) }));
    expect(session.take("sfu2", "offer")).toHaveLength(1);
  });

  it("[C3] names a media server of the session, or nobody", () => {
    const session = central("alice");
    expect(outcome(session.send("sfu", { type: "drain", successor: "alice" }))).toBe(
      "unknown-peer",
    );
    expect(outcome(session.send("sfu", { type: "drain", successor: "sfu" }))).toBe("unknown-peer");
    expect(outcome(session.send("sfu", { type: "drain", successor: "x" }))).toBe("unknown-peer");
    expect(outcome(session.send("alice", { type: "drain" }))).toBe("not-permitted");
    accepted(session.send("sfu", { type: "drain" }));
    // It is still better than nobody.
    accepted(session.send("alice", { type: "offer", sdp: sdpOf() }));
    expect(session.take("sfu", "offer")).toHaveLength(1);
  });
});
