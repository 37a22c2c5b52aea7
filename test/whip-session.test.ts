import { describe, expect, it } from "vitest";
import { isProblem, type Problem } from "../protocol/problem.ts";
import { type Described, withLink } from "../protocol/session.ts";
import { type Door, tagOf } from "../protocol/whip/http-session.ts";
import { sdpOf } from "./descriptions.ts";
import { accepted, outcome, PureSession } from "./pure-session.ts";

/** WHIP publishers and WHEP players as peers of a session, without HTTP. */

type Direction = "sendonly" | "recvonly" | "sendrecv" | "inactive";

const CANDIDATE = "candidate:1 1 udp 2113937151 192.0.2.9 50000 typ host";

const media = (of: string, direction: Direction, more: object = {}): string =>
  sdpOf({
    of,
    sections: [
      { kind: "audio", direction },
      { kind: "video", direction },
    ],
    ...more,
  });

const resourceOf = (peer: string): string => `${peer}-resource-0123456789`;

function post(
  session: PureSession,
  door: Door,
  peer: string,
  {
    offer,
    plays,
    resource,
    grant = {},
  }: { offer?: string; plays?: string; resource?: string; grant?: object } = {},
) {
  const direction = door === "whip" ? "sendonly" : "recvonly";
  return session.do({
    type: "open-http",
    door,
    grant: session.grant(peer, grant),
    resource: resource ?? resourceOf(peer),
    offer: offer ?? media(peer, direction),
    ...(plays !== undefined && { peer: plays }),
    at: session.at,
  });
}

const answerTo = (session: PureSession, from: string, to: string, more: object = {}) => {
  const link = [...session.session.links.values()].find(
    ({ peers }) => peers.includes(from) && peers.includes(to),
  );
  return session.send(from, {
    type: "answer",
    to,
    exchange: link?.exchange ?? 0,
    sdp: media(
      `${from}${to}`,
      session.session.peers.get(to)?.http?.door === "whep" ? "sendonly" : "recvonly",
      {
        setup: "active",
        ...more,
      },
    ),
  });
};

const candidatesOf = (session: PureSession, from: string, to: string, complete = true) => {
  const link = [...session.session.links.values()].find(
    ({ peers }) => peers.includes(from) && peers.includes(to),
  );
  return session.send(from, {
    type: "candidates",
    to,
    exchange: link?.exchange ?? 0,
    candidates: [{ candidate: CANDIDATE, sdpMid: "0" }],
    ...(complete && { complete }),
  });
};

/** Publishes, and is answered with all candidates. */
function published(session: PureSession, peer = "cam", server = "sfu"): void {
  accepted(post(session, "whip", peer));
  accepted(answerTo(session, server, peer));
  accepted(candidatesOf(session, server, peer));
}

const connected = (
  session: PureSession,
  peer: string,
  state: "connected" | "failed" | "closed" = "connected",
) => session.send("sfu", { type: "transport", to: peer, state });

function central(): PureSession {
  const session = new PureSession({ topology: "central" });
  accepted(session.join("sfu", "media-server"));
  session.take("sfu");
  return session;
}

const answer = (session: PureSession, peer: string): Described | Problem | undefined =>
  session.answered.get(peer);

const code = (session: PureSession, peer: string): string | undefined => {
  const told = answer(session, peer);
  return told && isProblem(told) ? told.code : undefined;
};

const tag = (session: PureSession, peer: string): string => {
  const http = session.session.peers.get(peer)?.http;
  return http ? tagOf(http) : "";
};

describe("a publisher by HTTP", () => {
  it("[W3] joins and offers in one turn, and is answered when the answer has all candidates", () => {
    const session = central();
    accepted(post(session, "whip", "cam"));
    const told = session.take("sfu");
    expect(told.map(({ type }) => type)).toEqual(["peer-joined", "offer", "flows"]);
    expect(told[0]).toMatchObject({ peer: { id: "cam", via: "whip", role: "peer" } });
    accepted(answerTo(session, "sfu", "cam"));
    expect(answer(session, "cam")).toBeUndefined();
    accepted(candidatesOf(session, "sfu", "cam", false));
    expect(answer(session, "cam")).toBeUndefined();
    accepted(
      session.send("sfu", {
        type: "candidates",
        to: "cam",
        exchange: 1,
        candidates: [],
        complete: true,
      }),
    );
    expect(answer(session, "cam")).toMatchObject({
      type: "answer",
      sdp: expect.stringContaining(`a=${CANDIDATE}\r\n`),
    });
  });

  it("[W3] candidates that do not come keep an answer only so long", () => {
    const session = central();
    accepted(post(session, "whip", "cam"));
    accepted(answerTo(session, "sfu", "cam"));
    session.at += 5_500;
    accepted(session.do({ type: "alarm", at: session.at }));
    expect(answer(session, "cam")).toMatchObject({ type: "answer" });
  });

  it("[W3] is told that nobody has answered, and is gone", () => {
    const session = central();
    accepted(post(session, "whip", "cam"));
    session.take("sfu");
    session.at += 6_000;
    accepted(session.do({ type: "alarm", at: session.at }));
    expect(code(session, "cam")).toBe("media-server-timeout");
    expect(session.take("sfu", "peer-left")).toEqual([
      { type: "peer-left", peer: "cam", reason: "lost" },
    ]);
    expect(session.session.peers.has("cam")).toBe(false);
  });

  it("[W3] is told that the other side refuses, and is gone", () => {
    const session = central();
    accepted(post(session, "whip", "cam"));
    accepted(session.send("sfu", { type: "reject", to: "cam", exchange: 1, reason: "full" }));
    expect(answer(session, "cam")).toMatchObject({ code: "offer-rejected", detail: "full" });
    expect(session.session.peers.has("cam")).toBe(false);
    accepted(post(session, "whip", "mic"));
    accepted(session.send("sfu", { type: "reject", to: "mic", exchange: 1 }));
    expect(answer(session, "mic")).toMatchObject({ code: "offer-rejected" });
  });

  it("[W3] whose offer is broken leaves nothing but what was found in it", () => {
    const session = central();
    const before = session.session;
    const offer = media("cam", "sendonly").replaceAll(/a=fingerprint.*\r\n/g, "");
    expect(outcome(post(session, "whip", "cam", { offer }))).toBe("sdp-invalid");
    expect(session.session.peers).toEqual(before.peers);
    expect(session.take("sfu")).toEqual([]);
    const [link] = session.session.links.values();
    expect(link?.findings.length).toBeGreaterThan(0);
  });

  it("[W3] needs a media server in a central session", () => {
    const session = new PureSession({ topology: "central" });
    expect(outcome(post(session, "whip", "cam"))).toBe("no-media-server");
    accepted(session.join("sfu", "media-server"));
    accepted(session.do({ type: "lost", peer: "sfu", at: session.at }));
    expect(outcome(post(session, "whip", "cam"))).toBe("no-media-server");
  });

  it("[W5] a token publishes once; a publisher whose media are gone gives way", () => {
    const session = central();
    published(session);
    accepted(connected(session, "cam"));
    expect(outcome(post(session, "whip", "cam", { resource: "other" }))).toBe("publisher-busy");
    accepted(session.send("sfu", { type: "transport", to: "cam", state: "disconnected" }));
    session.take("sfu");
    session.answered.clear();
    accepted(post(session, "whip", "cam", { resource: "other" }));
    expect(session.take("sfu").map(({ type }) => type)).toEqual([
      "peer-left",
      "peer-joined",
      "offer",
      "flows",
      "context",
      "context",
    ]);
    session.answered.clear();
    accepted(answerTo(session, "sfu", "cam"));
    accepted(candidatesOf(session, "sfu", "cam"));
    expect(answer(session, "cam")).toMatchObject({ type: "answer" });
    expect(session.session.peers.get("cam")?.http?.resource).toBe("other");
  });

  it("[W5] a peer with a socket does not publish by HTTP as well", () => {
    const session = central();
    accepted(session.join("cam"));
    expect(outcome(post(session, "whip", "cam"))).toBe("publisher-busy");
  });

  it("[W5] whoever gives way has left, also where the next offer is refused", () => {
    const session = central();
    published(session);
    session.take("sfu");
    const offer = media("cam", "sendonly").replaceAll(/a=fingerprint.*\r\n/g, "");
    expect(outcome(post(session, "whip", "cam", { offer, resource: "other" }))).toBe("sdp-invalid");
    expect(session.take("sfu", "peer-left")).toHaveLength(1);
    expect(session.session.peers.has("cam")).toBe(false);
  });

  it("[S3] a socket with its token takes its place: for others it leaves and comes", () => {
    const session = central();
    accepted(post(session, "whip", "cam"));
    session.take("sfu");
    accepted(session.join("cam"));
    expect(code(session, "cam")).toBe("resource-not-found");
    expect(session.take("cam", "welcome")).toMatchObject([{ resumed: false, links: [] }]);
    const told = session.take("sfu").map(({ type }) => type);
    expect(told).toEqual(["peer-left", "peer-joined", "flows"]);
    expect(session.session.peers.get("cam")?.http).toBeUndefined();
  });

  it("[A2] only what the token grants", () => {
    const session = central();
    const silent = { grant: { publish: ["video"] } };
    expect(outcome(post(session, "whip", "cam", silent))).toBe("not-permitted");
    const observer = { grant: { role: "observer" } };
    expect(outcome(post(session, "whip", "cam", observer))).toBe("not-permitted");
  });

  it("[A1] a kick ends it, and whoever came with its token", () => {
    const session = central();
    published(session);
    accepted(post(session, "whep", "eye"));
    accepted(post(session, "whep", "eye", { resource: "0123456789abc" }));
    accepted(session.do({ type: "kick", peer: "eye", at: session.at }));
    expect([...session.session.peers.keys()]).toEqual(["sfu", "cam"]);
    expect(outcome(post(session, "whep", "eye"))).toBe("unauthorized");
  });

  it("[W3] a session that is full, or holds too much, takes nobody", () => {
    const full = new PureSession({ maxPeers: 2 });
    accepted(full.join("alice"));
    accepted(full.join("bob"));
    expect(outcome(post(full, "whip", "cam", { plays: "bob" }))).toBe("session-full");
    const session = central();
    const offer = `${media("cam", "sendonly")}${"a=x:1\r\n".repeat(20_000)}`;
    expect(outcome(post(session, "whip", "cam", { offer }))).toBe("sdp-too-large");
    expect(session.session.peers.has("cam")).toBe(false);
    accepted(post(session, "whip", "mic"));
    const link = [...session.session.links.values()].find(({ open: offered }) => offered !== null);
    const open = link?.open && { ...link.open, offer: { sdp: "x".repeat(33_500_000) } };
    if (link && open) session.session = withLink(session.session, { ...link, open });
    const large = `${media("cam", "sendonly")}${"a=x:1\r\n".repeat(8_000)}`;
    expect(outcome(post(session, "whip", "cam", { offer: large }))).toBe("session-too-large");
  });

  it("[W3] where the policy is to report, one without ICE credentials is passed on all the same", () => {
    const session = new PureSession({ topology: "central", sdpPolicy: "report" });
    accepted(session.join("sfu", "media-server"));
    const offer = media("cam", "sendonly").replaceAll(/a=ice-ufrag.*\r\n/g, "");
    accepted(post(session, "whip", "cam", { offer }));
    accepted(answerTo(session, "sfu", "cam"));
    accepted(candidatesOf(session, "sfu", "cam"));
    expect(answer(session, "cam")).toMatchObject({ type: "answer" });
    expect(tag(session, "cam")).toBe("ice-1");
  });

  it("[W2] a peer whose offer expires with that of its media server is told once", () => {
    const session = central();
    accepted(post(session, "whip", "cam"));
    session.at += 60_000;
    accepted(session.do({ type: "alarm", at: session.at }));
    expect(code(session, "cam")).toBe("media-server-timeout");
  });

  it("[W2] ends when the other side says that its media are gone", () => {
    for (const state of ["failed", "closed"] as const) {
      const session = central();
      published(session);
      accepted(connected(session, "cam"));
      accepted(connected(session, "cam", state));
      expect(session.session.peers.has("cam")).toBe(false);
    }
  });

  it("[W2] ends when its media do not come", () => {
    const session = central();
    published(session);
    session.at += 30_000;
    accepted(session.do({ type: "alarm", at: session.at }));
    expect(session.session.peers.has("cam")).toBe(false);
  });

  it("[W2] stays when its media have come, and ends with the media server", () => {
    const session = central();
    published(session);
    accepted(connected(session, "cam"));
    session.at += 30_000;
    accepted(session.do({ type: "alarm", at: session.at }));
    expect(session.session.peers.get("cam")?.http?.dueAt).toBeNull();
    accepted(session.send("sfu", { type: "leave" }));
    expect(session.session.peers.size).toBe(0);
  });

  it("[W6] an ICE restart is an offer to the other side, and a new entity tag", () => {
    const session = central();
    published(session);
    accepted(connected(session, "cam"));
    expect(tag(session, "cam")).toBe("ice-1");
    session.answered.clear();
    const sdp = media("cam", "sendonly", { ufrag: "newfrag", version: 2 });
    accepted(session.do({ type: "restart-http", peer: "cam", sdp, at: session.at }));
    expect(session.take("sfu", "offer").at(-1)).toMatchObject({ exchange: 2, restart: true, sdp });
    accepted(answerTo(session, "sfu", "cam", { version: 2, ufrag: "again" }));
    accepted(candidatesOf(session, "sfu", "cam"));
    expect(answer(session, "cam")).toMatchObject({ type: "answer" });
    expect(tag(session, "cam")).toBe("ice-2");
    expect(session.session.peers.get("cam")?.http?.retired).toEqual(["ufragcam"]);
  });

  it("[W6] an ICE restart without an answer leaves what was", () => {
    const session = central();
    published(session);
    accepted(connected(session, "cam"));
    session.answered.clear();
    const sdp = media("cam", "sendonly", { ufrag: "newfrag", version: 2 });
    accepted(session.do({ type: "restart-http", peer: "cam", sdp, at: session.at }));
    session.at += 6_000;
    session.take("sfu");
    accepted(session.do({ type: "alarm", at: session.at }));
    expect(code(session, "cam")).toBe("media-server-timeout");
    expect(session.take("sfu", "rollback")).toHaveLength(1);
    expect(tag(session, "cam")).toBe("ice-1");
    expect(session.session.peers.has("cam")).toBe(true);
    session.answered.clear();
    expect(outcome(session.do({ type: "restart-http", peer: "nobody", sdp, at: session.at }))).toBe(
      "resource-not-found",
    );
  });

  it("[W7] cannot be offered anything, nor sent messages", () => {
    const session = central();
    published(session);
    const sdp = media("sfucam", "sendonly", { version: 3 });
    expect(outcome(session.send("sfu", { type: "offer", to: "cam", sdp }))).toBe(
      "no-renegotiation",
    );
    expect(outcome(session.send("sfu", { type: "message", to: "cam", body: 1 }))).toBe(
      "not-permitted",
    );
  });
});

describe("a player by HTTP", () => {
  it("[W4] waits until something is live", () => {
    const session = central();
    expect(outcome(post(session, "whep", "eye"))).toBe("not-live");
    accepted(post(session, "whip", "cam"));
    expect(outcome(post(session, "whep", "eye"))).toBe("not-live");
    accepted(answerTo(session, "sfu", "cam"));
    accepted(post(session, "whep", "eye"));
    expect(outcome(post(session, "whep", "ear", { plays: "mic" }))).toBe("not-live");
    session.take("sfu");
    accepted(post(session, "whep", "ear", { plays: "cam" }));
    expect(session.take("sfu", "peer-joined")).toMatchObject([
      { peer: { via: "whep", plays: "cam" } },
    ]);
  });

  it("[W5] several players share a token, each a peer of its own", () => {
    const session = central();
    published(session);
    accepted(post(session, "whep", "eye"));
    accepted(post(session, "whep", "eye", { resource: "second-0123456" }));
    expect([...session.session.peers.keys()]).toEqual(["sfu", "cam", "eye", "eye-second-0123"]);
    accepted(answerTo(session, "sfu", "eye"));
    accepted(candidatesOf(session, "sfu", "eye"));
    accepted(connected(session, "eye"));
    accepted(connected(session, "eye", "failed"));
    expect([...session.session.peers.keys()]).toEqual(["sfu", "cam", "eye-second-0123"]);
  });

  it("[W5] one that is dead gives way to the next with its token", () => {
    const session = central();
    published(session);
    accepted(post(session, "whep", "eye"));
    accepted(answerTo(session, "sfu", "eye"));
    accepted(candidatesOf(session, "sfu", "eye"));
    accepted(connected(session, "eye"));
    accepted(session.send("sfu", { type: "transport", to: "eye", state: "disconnected" }));
    session.at += 30_000;
    accepted(post(session, "whep", "eye", { resource: "later" }));
    expect(session.session.peers.get("eye")?.http?.resource).toBe("later");
  });

  it("[W7] is answered by a counter-offer when the media server insists", () => {
    const session = central();
    published(session);
    accepted(post(session, "whep", "eye"));
    const sdp = media("sfueye", "sendonly");
    accepted(session.send("sfu", { type: "offer", to: "eye", sdp }));
    accepted(candidatesOf(session, "sfu", "eye"));
    expect(answer(session, "eye")).toMatchObject({ type: "offer" });
    expect(
      outcome(
        session.send("sfu", {
          type: "offer",
          to: "eye",
          sdp: media("sfueye", "sendonly", { version: 2 }),
        }),
      ),
    ).toBe("no-renegotiation");
    const answered = media("eye", "recvonly", { setup: "active" });
    accepted(session.send("eye", { type: "answer", to: "sfu", exchange: 2, sdp: answered }));
    expect(session.take("sfu", "answer").at(-1)).toMatchObject({ from: "eye", exchange: 2 });
  });

  it("[W7] a counter-offer that is not answered is over", () => {
    const session = central();
    published(session);
    accepted(post(session, "whep", "eye"));
    accepted(session.send("sfu", { type: "offer", to: "eye", sdp: media("sfueye", "sendonly") }));
    accepted(candidatesOf(session, "sfu", "eye"));
    session.at += 30_000;
    accepted(session.do({ type: "alarm", at: session.at }));
    expect(session.session.peers.has("eye")).toBe(false);
  });
});

describe("without a media server", () => {
  it("[W3] a publisher sends to the only peer there is, or to the one it names", () => {
    const session = new PureSession();
    expect(outcome(post(session, "whip", "cam"))).toBe("unknown-peer");
    accepted(session.join("alice"));
    accepted(post(session, "whip", "cam"));
    expect(session.take("alice", "offer")).toHaveLength(1);
    accepted(session.join("carol"));
    expect(outcome(post(session, "whip", "mic"))).toBe("topology-mismatch");
    accepted(post(session, "whip", "mic", { plays: "carol" }));
    expect(session.take("carol", "offer")).toHaveLength(1);
    expect(outcome(post(session, "whip", "sax", { plays: "nobody" }))).toBe("unknown-peer");
  });

  it("[W4] a player receives from a peer that may publish", () => {
    const session = new PureSession();
    accepted(session.join("deaf", "peer", { publish: ["data"] }));
    expect(outcome(post(session, "whep", "eye"))).toBe("not-live");
    accepted(session.join("alice"));
    accepted(post(session, "whep", "eye"));
    expect(session.take("alice", "offer")).toHaveLength(1);
  });

  it("[W2] a peer that tells nothing of its transports keeps its publisher", () => {
    const session = new PureSession();
    accepted(session.join("alice"));
    accepted(post(session, "whip", "cam"));
    accepted(answerTo(session, "alice", "cam"));
    accepted(candidatesOf(session, "alice", "cam"));
    session.at += 30_000;
    accepted(session.do({ type: "alarm", at: session.at }));
    expect(session.session.peers.has("cam")).toBe(true);
    accepted(session.send("cam", { type: "leave" }));
    session.answered.clear();
    accepted(post(session, "whip", "cam"));
    accepted(answerTo(session, "alice", "cam"));
    accepted(candidatesOf(session, "alice", "cam"));
    // What its last session ran on is closed, and says nothing.
    session.at += 30_000;
    accepted(session.do({ type: "alarm", at: session.at }));
    expect(session.session.peers.has("cam")).toBe(true);
  });
});
