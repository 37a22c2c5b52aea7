import { describe, expect, it } from "vitest";
import type { FromPeer } from "../protocol/messages.ts";
import { revisionOf } from "../protocol/session.ts";
import { nextDeadline } from "../protocol/session-deadline.ts";
import { summariseLink, viewLink, viewSession } from "../protocol/views.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { accepted, outcome, PureSession } from "./pure-session.ts";

const answerSdp = sdpOf({ setup: "active", ufrag: "wxyz" });

function meshOf(...peers: string[]): PureSession {
  const pure = new PureSession();
  for (const peer of peers) accepted(pure.join(peer));
  for (const peer of peers) pure.take(peer);
  return pure;
}

/** alice and bob with a pair in force. */
function called(
  sections?: Parameters<typeof sdpOf>[0],
  config: ConstructorParameters<typeof PureSession>[0] = {},
): PureSession {
  const pure = new PureSession(config);
  accepted(pure.join("alice"));
  accepted(pure.join("bob"));
  accepted(pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf(sections) }));
  const answer = sdpOf({ ...sections, setup: "active", ufrag: "wxyz" });
  accepted(pure.send("bob", { type: "answer", to: "alice", exchange: 1, sdp: answer }));
  return pure;
}

const flowsOf = (pure: PureSession) => pure.session.links.get("alice~bob")!.flows;

describe("addressing", () => {
  const central = (): PureSession => {
    const pure = new PureSession({ topology: "central" });
    accepted(pure.join("alice"));
    accepted(pure.join("bob"));
    return pure;
  };
  const offer = (to?: string): FromPeer => ({ type: "offer", ...(to && { to }), sdp: sdpOf() });

  it("[A2] in a central session `to` may be left out: it is the media server", () => {
    const pure = central();
    expect(outcome(pure.send("alice", offer()))).toBe("no-media-server");
    accepted(pure.join("sfu", "media-server"));
    accepted(pure.send("alice", offer()));
    expect(pure.take("sfu", "offer")).toMatchObject([{ from: "alice" }]);
    expect(outcome(pure.send("sfu", offer()))).toBe("invalid-message");
    accepted(pure.send("sfu", offer("bob")));
  });

  it("[A2] in a central session peers have links with the media server only, but may send messages", () => {
    const pure = central();
    expect(outcome(pure.send("alice", offer("bob")))).toBe("topology-mismatch");
    accepted(pure.send("alice", { type: "message", to: "bob", body: "hi" }));
  });

  it("[A2] an away media server is still the one meant; a connected one is preferred", () => {
    const pure = central();
    accepted(pure.join("sfu1", "media-server"));
    accepted(pure.do({ type: "lost", peer: "sfu1", at: pure.at }));
    accepted(pure.send("alice", offer()));
    expect(pure.session.links.has("alice~sfu1")).toBe(true);
    accepted(pure.join("sfu2", "media-server"));
    accepted(pure.send("bob", offer()));
    expect(pure.session.links.has("bob~sfu2")).toBe(true);
  });

  it("[F1] flows with a media server have one view: that of the peer", () => {
    const pure = central();
    accepted(pure.join("sfu", "media-server"));
    accepted(pure.send("alice", offer()));
    accepted(pure.send("sfu", { type: "answer", to: "alice", exchange: 1, sdp: answerSdp }));
    const { flows } = pure.session.links.get("alice~sfu")!.flows;
    expect(flows.map(({ from, views }) => [from, views])).toEqual([
      ["alice", [{ peer: "alice", direction: "uplink" }]],
      ["sfu", [{ peer: "alice", direction: "downlink" }]],
    ]);
  });

  it("[A2] nobody has a link with an observer, and an observer sends nothing", () => {
    const pure = meshOf("alice");
    accepted(pure.join("eve", "observer"));
    expect(outcome(pure.send("alice", offer("eve")))).toBe("not-permitted");
    expect(outcome(pure.send("eve", offer("alice")))).toBe("not-permitted");
    expect(accepted(pure.send("eve", { type: "state", id: 1 })).ack).toEqual({ links: [] });
    accepted(pure.send("eve", { type: "leave" }));
  });

  const strangers: FromPeer[] = [
    { type: "offer", to: "nobody", sdp: sdpOf() },
    { type: "answer", to: "nobody", exchange: 1, sdp: sdpOf() },
    { type: "candidates", to: "nobody", exchange: 1, candidates: [] },
    { type: "reject", to: "nobody", exchange: 1 },
    { type: "rollback", to: "nobody", exchange: 1 },
    { type: "transport", to: "nobody", state: "connected" },
    { type: "message", to: "nobody", body: 1 },
  ];
  it.each(strangers)("[A2] $type to nobody is refused", (message) => {
    const pure = meshOf("alice");
    expect(outcome(pure.send("alice", message))).toBe("unknown-peer");
  });

  it("[A2] who has left speaks no more", () => {
    const pure = meshOf("alice");
    expect(outcome(pure.send("ghost", { type: "leave" }))).toBe("unknown-peer");
  });

  it("[S5] application data to a lost peer is refused, not queued", () => {
    const pure = meshOf("alice", "bob");
    accepted(pure.do({ type: "lost", peer: "bob", at: pure.at }));
    expect(outcome(pure.send("alice", { type: "message", to: "bob", body: 1 }))).toBe("peer-away");
  });
});

describe("rights", () => {
  const av = (direction: "sendrecv" | "recvonly" | "sendonly" | "inactive") =>
    sdpOf({
      sections: [
        { kind: "audio", direction },
        { kind: "video", direction: "inactive" },
      ],
    });

  it.each([
    [["audio"], ["audio"], "sendrecv", "accepted"],
    [[], ["audio"], "recvonly", "accepted"],
    [[], ["audio"], "sendrecv", "not-permitted"],
    [["audio"], [], "sendonly", "accepted"],
    [["audio"], [], "recvonly", "not-permitted"],
    [[], [], "inactive", "accepted"],
  ] as const)("[A2] publish %j subscribe %j: %s is %s", (publish, subscribe, direction, wanted) => {
    const pure = meshOf("alice");
    accepted(pure.join("bob", "peer", { publish, subscribe }));
    expect(outcome(pure.send("bob", { type: "offer", to: "alice", sdp: av(direction) }))).toBe(
      wanted,
    );
  });

  it("[A2] a rejected section asks for nothing; sections of other kinds are not ours to judge", () => {
    const pure = meshOf("alice");
    accepted(pure.join("bob", "peer", { publish: [], subscribe: [] }));
    const sdp = sdpOf({ sections: [{ kind: "video", port: 0 }] });
    accepted(pure.send("bob", { type: "offer", to: "alice", sdp }));
    const text = sdpOf({ version: 2 }).replace("m=audio", "m=text");
    accepted(pure.send("bob", { type: "offer", to: "alice", sdp: text }));
  });

  it("[D1] an answer that does not fit its offer is refused with the finding; the offer stays open", () => {
    const pure = meshOf("alice", "bob");
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf() }));
    const two = sdpOf({ setup: "active", sections: [{ kind: "audio" }, { kind: "video" }] });
    const refused = pure.send("bob", { type: "answer", to: "alice", exchange: 1, sdp: two });
    expect(refused).toMatchObject({
      code: "sdp-invalid",
      finding: { rule: "m-line-count-mismatch", description: "pair" },
    });
    expect(pure.session.links.get("alice~bob")?.open?.exchange).toBe(1);
  });

  it("[D1] where the policy is to report, a pair that cannot be read has no flows and is in force", () => {
    const pure = new PureSession({ sdpPolicy: "report" });
    accepted(pure.join("alice"));
    accepted(pure.join("bob"));
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: "nonsense" }));
    accepted(
      pure.send("alice", {
        type: "candidates",
        to: "bob",
        exchange: 1,
        candidates: [candidateOf(1)],
      }),
    );
    accepted(pure.send("bob", { type: "answer", to: "alice", exchange: 1, sdp: "more nonsense" }));
    const link = pure.session.links.get("alice~bob")!;
    expect(link.inForce?.exchange).toBe(1);
    expect(link.flows.flows).toEqual([]);
    const errors = link.findings.filter(({ level }) => level === "error");
    expect(new Set(errors.map(({ from }) => from))).toEqual(new Set(["alice", "bob"]));
    accepted(pure.send("alice", { type: "transport", to: "bob", state: "connected" }));
  });
});

describe("joining and leaving", () => {
  it("[S4] the others hear of a join and a leave, in this order, once", () => {
    const pure = meshOf("alice");
    accepted(pure.join("bob"));
    accepted(pure.do({ type: "lost", peer: "bob", at: pure.at }));
    accepted(pure.do({ type: "lost", peer: "bob", at: pure.at }));
    accepted(pure.join("bob"));
    accepted(pure.send("bob", { type: "leave", reason: "tea" }));
    accepted(pure.do({ type: "lost", peer: "bob", at: pure.at }));
    expect(pure.take("alice").map(({ type }) => type)).toEqual(["peer-joined", "peer-left"]);
  });

  it("[S5] when both ends of a link are lost, its flows stay stale until both are back", () => {
    const pure = called();
    accepted(pure.do({ type: "lost", peer: "alice", at: pure.at }));
    accepted(pure.do({ type: "lost", peer: "bob", at: pure.at }));
    accepted(pure.join("alice"));
    expect(flowsOf(pure).flows.every(({ stale }) => stale === true)).toBe(true);
    accepted(pure.join("bob"));
    expect(flowsOf(pure).flows.some(({ stale }) => stale === true)).toBe(false);
  });

  it("[S6] the empty session's deadline starts with the last socket and ends with the next", () => {
    const pure = meshOf("alice");
    expect(pure.session.emptySince).toBeNull();
    accepted(pure.do({ type: "lost", peer: "alice", at: pure.at + 5 }));
    expect(pure.session.emptySince).toBe(pure.at + 5);
    accepted(pure.join("alice"));
    expect(pure.session.emptySince).toBeNull();
  });

  it("[R5] with nothing due an alarm changes nothing", () => {
    const pure = called();
    const before = pure.session;
    accepted(pure.do({ type: "alarm", at: pure.at }));
    expect(pure.session).toEqual(before);
    expect(nextDeadline(pure.session)).toBe(pure.session.peers.get("alice")?.tokenExpiresAt);
  });

  it("[R5] a session that is over has nothing due", () => {
    const pure = meshOf("alice");
    accepted(pure.do({ type: "end", at: pure.at }));
    expect(nextDeadline(pure.session)).toBeNull();
  });

  it("[A1] kicking a peer that never joined kills its token all the same", () => {
    const pure = meshOf("alice");
    accepted(pure.do({ type: "kick", peer: "bob", at: pure.at }));
    expect(outcome(pure.join("bob"))).toBe("unauthorized");
    expect(pure.take("alice")).toEqual([]);
  });

  it("[N7] offers whose ends expire together are told to nobody who has left", () => {
    const pure = meshOf("alice");
    accepted(pure.join("bob", "peer", { expiresAt: pure.at + 60_000 }));
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf() }));
    pure.take("alice");
    pure.at += 60_000;
    accepted(pure.do({ type: "alarm", at: pure.at }));
    expect(pure.take("alice").map(({ type }) => type)).toEqual(["peer-left", "flows"]);
    expect(pure.closed.get("bob")).toBe(4003);
  });
});

describe("running media", () => {
  it("[F2] a mid with characters that ids separate by is escaped in ids, and told as it is", () => {
    const pure = called({ sections: [{ kind: "audio", mid: "a:b.c%" }] }, { sdpPolicy: "report" });
    const [flow] = flowsOf(pure).flows;
    expect(flow?.mid).toBe("a:b.c%");
    expect(flow?.id).toBe("alice~bob:a%3Ab%2Ec%25.1:alice");
    const looksLikeAnIndex = called({ sections: [{ kind: "audio", mid: "i0" }] });
    expect(flowsOf(looksLikeAnIndex).flows[0]?.id).toBe("alice~bob:%690.1:alice");
  });

  it("[F4] candidates that came after the answer are counted when the transport is reported", () => {
    const pure = called();
    const send = (n: number) =>
      accepted(
        pure.send("alice", {
          type: "candidates",
          to: "bob",
          exchange: 1,
          candidates: [candidateOf(n)],
        }),
      );
    send(1);
    send(2);
    const revision = revisionOf(pure.session);
    expect(flowsOf(pure).transports[0]?.candidates.alice).toMatchObject({ host: 0 });
    pure.take("bob");
    accepted(pure.send("alice", { type: "transport", to: "bob", state: "connected" }));
    expect(flowsOf(pure).transports[0]?.candidates.alice).toMatchObject({ host: 2 });
    expect(pure.take("bob", "flows")).toMatchObject([
      { revision: revision + 1, transports: [{ candidates: { alice: { host: 2 } } }] },
    ]);
    // A transport that is closed counts no more.
    accepted(pure.send("alice", { type: "transport", to: "bob", state: "closed" }));
    send(3);
    accepted(pure.send("bob", { type: "transport", to: "alice", state: "connected" }));
    expect(flowsOf(pure).transports[0]?.candidates.alice).toMatchObject({ host: 2 });
  });

  it("[F4] a report that says nothing new changes nothing and tells nobody", () => {
    const pure = called();
    const report: FromPeer = { type: "transport", to: "bob", state: "connected" };
    accepted(pure.send("alice", report));
    pure.take("bob");
    const before = pure.session;
    accepted(pure.send("alice", report));
    expect(pure.session).toBe(before);
    expect(pure.take("bob")).toEqual([]);
  });

  it("[F5] a report before anything is agreed, or of a transport that is not there, is refused", () => {
    const pure = meshOf("alice", "bob");
    const report: FromPeer = { type: "transport", to: "bob", state: "connected" };
    expect(outcome(pure.send("alice", report))).toBe("nothing-offered");
    const running = called();
    const named: FromPeer = { ...report, transport: "nowhere" };
    expect(outcome(running.send("alice", named))).toBe("invalid-message");
  });

  it("[F4] its sender or receiver steers a flow; others do not find it; null takes a limit away", () => {
    const pure = called();
    accepted(pure.join("carol"));
    const { id } = flowsOf(pure).flows[0]!;
    const steer = (peer: string, change: Partial<Extract<FromPeer, { type: "flow" }>>) =>
      pure.send(peer, { type: "flow", flow: id, ...change });
    expect(outcome(steer("carol", { held: true }))).toBe("flow-not-found");
    expect(outcome(pure.send("alice", { type: "flow", flow: "x" }))).toBe("flow-not-found");
    const flow = () => flowsOf(pure).flows[0];
    accepted(steer("alice", { held: true, maxBitrateBps: 50_000, priority: "high" }));
    expect(flow()).toMatchObject({
      state: "held",
      reason: "requested",
      priority: "high",
      limits: { requestedBps: 50_000, effectiveBps: 50_000, source: "request" },
    });
    expect(outcome(steer("bob", { held: false }))).toBe("flow-held");
    accepted(steer("alice", { held: false, maxBitrateBps: null }));
    expect(flow()).toMatchObject({ state: "negotiated" });
    expect(flow()?.limits.requestedBps).toBeUndefined();
    const before = pure.session;
    expect(accepted(steer("bob", { held: false })).ack).toEqual({ revision: revisionOf(before) });
    expect(pure.session).toBe(before);
    accepted(pure.send("alice", { type: "leave" }));
    expect(outcome(steer("bob", { held: true }))).toBe("flow-ended");
  });
});

describe("candidates", () => {
  it("[N5] by m-line index, by ufrag in the text, and an end for all sections are understood", () => {
    const pure = called();
    const send = (candidate: object) =>
      pure.send("alice", {
        type: "candidates",
        to: "bob",
        exchange: 1,
        candidates: [candidate as ReturnType<typeof candidateOf>],
      });
    const text = "candidate:9 1 udp 1 192.0.2.9 4009 typ host";
    accepted(send({ candidate: text, sdpMLineIndex: 0 }));
    expect(outcome(send({ candidate: text, sdpMLineIndex: 7 }))).toBe("unknown-m-section");
    expect(outcome(send({ candidate: text }))).toBe("unknown-m-section");
    accepted(send({ candidate: "" }));
    accepted(send({ candidate: "", sdpMid: null, usernameFragment: "" }));
    accepted(send({ candidate: `${text} ufrag gone`, sdpMid: "0" }));
    expect(pure.session.trickle.get("alice~bob")).toMatchObject([{ dropped: 1 }]);
    expect(pure.take("bob", "candidates")).toHaveLength(3);
  });

  it("[N5] what waited for an answer of another generation is dropped with it", () => {
    const pure = meshOf("alice", "bob");
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf() }));
    const waiting = [candidateOf(1, "wxyz"), candidateOf(2, "else")];
    accepted(
      pure.send("bob", { type: "candidates", to: "alice", exchange: 1, candidates: waiting }),
    );
    accepted(pure.send("bob", { type: "answer", to: "alice", exchange: 1, sdp: answerSdp }));
    expect(pure.take("alice", "candidates")).toMatchObject([{ candidates: [waiting[0]] }]);
  });

  it("[N6] a link is read by its other peer's id, and the hint of a restart is kept", () => {
    const pure = meshOf("alice", "bob", "carol");
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf(), restart: true }));
    expect(pure.take("bob", "offer")).toMatchObject([{ restart: true }]);
    expect(
      accepted(pure.send("alice", { type: "state", id: 1, to: "bob" })).ack?.links,
    ).toHaveLength(1);
    expect(accepted(pure.send("alice", { type: "state", id: 2, to: "carol" })).ack?.links).toEqual(
      [],
    );
    accepted(pure.do({ type: "lost", peer: "bob", at: pure.at }));
    accepted(pure.join("bob"));
    expect(pure.take("bob", "offer")).toMatchObject([{ restart: true }]);
  });

  it("[R2] what the other side trickled, with its end, is sent again to a peer that comes back", () => {
    const pure = called();
    accepted(
      pure.send("alice", {
        type: "candidates",
        to: "bob",
        exchange: 1,
        candidates: [candidateOf(1)],
        complete: true,
      }),
    );
    accepted(pure.join("bob"));
    const [welcome, ...rest] = pure
      .take("bob")
      .filter(({ type }) => type !== "flows" && type !== "offer")
      .slice(-2);
    expect(welcome).toMatchObject({
      type: "welcome",
      resumed: true,
      links: [
        {
          exchange: 1,
          offerer: "alice",
          has: [
            { from: "alice", description: "offer", exchange: 1 },
            { from: "bob", description: "answer", exchange: 1 },
          ],
          candidates: [{ from: "alice", exchange: 1, count: 1, complete: true }],
        },
      ],
    });
    expect(rest).toMatchObject([{ type: "candidates", complete: true }]);
  });
});

describe("at the edges", () => {
  it("[A2] data is granted by the kind `data`; a section without mid is named by its index", () => {
    const pure = meshOf("alice");
    const data = sdpOf({ sections: [{ kind: "application" }] });
    accepted(pure.send("alice", { type: "offer", to: join(pure, "bob"), sdp: data }));
    const nameless = sdpOf({ of: "carol" })
      .replace("a=mid:0\r\n", "")
      .replace("a=group:BUNDLE 0\r\n", "");
    const carol = join(pure, "carol", { publish: [] });
    const refused = pure.send(carol, { type: "offer", to: "alice", sdp: nameless });
    expect(refused).toMatchObject({ code: "not-permitted", mLine: 0 });
    expect(refused).not.toHaveProperty("mid");
  });

  it("[N5] an end of candidates that waited for the answer follows it; what was only dropped does not", () => {
    for (const [waiting, told] of [
      [{ candidates: [], complete: true }, 1],
      [{ candidates: [candidateOf(1, "else")] }, 0],
    ] as const) {
      const pure = meshOf("alice", "bob");
      accepted(pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf() }));
      const early = { ...waiting, candidates: [...waiting.candidates] };
      accepted(pure.send("bob", { type: "candidates", to: "alice", exchange: 1, ...early }));
      accepted(pure.send("bob", { type: "answer", to: "alice", exchange: 1, sdp: answerSdp }));
      expect(pure.take("alice", "candidates")).toHaveLength(told);
    }
  });

  it("[N5] both sides' candidates are kept apart", () => {
    const pure = called();
    const send = (from: string, to: string, n: number, ufrag: string) =>
      accepted(
        pure.send(from, {
          type: "candidates",
          to,
          exchange: 1,
          candidates: [candidateOf(n, ufrag)],
        }),
      );
    send("alice", "bob", 1, "abcd");
    send("bob", "alice", 2, "wxyz");
    send("bob", "alice", 3, "wxyz");
    expect(pure.session.trickle.get("alice~bob")).toMatchObject([
      { from: "alice", candidates: [candidateOf(1)] },
      { from: "bob", candidates: [candidateOf(2, "wxyz"), candidateOf(3, "wxyz")] },
    ]);
  });

  it("[R2] an offerer that comes back is sent the answer again, but not what waits for its own answer", () => {
    const pure = called();
    accepted(pure.join("alice"));
    expect(pure.take("alice", "answer")).toHaveLength(2);
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf({ version: 2 }) }));
    const early = { to: "alice", exchange: 2, candidates: [candidateOf(1, "wxyz")] };
    accepted(pure.send("bob", { type: "candidates", ...early }));
    accepted(pure.join("alice"));
    expect(pure.take("alice", "answer", "candidates")).toEqual([]);
  });

  it("[N4] a rollback forgets the candidates of its exchange and keeps those of the pair in force", () => {
    const pure = called();
    const send = (exchange: number, n: number) =>
      accepted(
        pure.send("alice", {
          type: "candidates",
          to: "bob",
          exchange,
          candidates: [candidateOf(n)],
        }),
      );
    send(1, 1);
    accepted(pure.send("alice", { type: "offer", to: "bob", sdp: sdpOf({ version: 2 }) }));
    send(2, 2);
    accepted(pure.send("alice", { type: "rollback", to: "bob", exchange: 2 }));
    expect(pure.session.trickle.get("alice~bob")).toMatchObject([
      { exchange: 1, candidates: [candidateOf(1)] },
    ]);
  });

  it("[S8] a third peer that is lost or leaves touches no link of others", () => {
    const pure = called();
    accepted(pure.join("carol"));
    const link = pure.session.links.get("alice~bob");
    accepted(pure.do({ type: "lost", peer: "carol", at: pure.at }));
    accepted(pure.join("carol"));
    accepted(pure.send("carol", { type: "leave" }));
    expect(pure.session.links.get("alice~bob")).toBe(link);
  });

  it("[N1] before the first offer every number is stale", () => {
    const pure = meshOf("alice", "bob");
    const answer: FromPeer = { type: "answer", to: "bob", exchange: 1, sdp: answerSdp };
    expect(pure.send("alice", answer)).toMatchObject({ code: "stale-negotiation", exchange: null });
  });

  it("[S6] losing and leaving of peers that are away already does not start the empty time anew", () => {
    const pure = meshOf("alice", "bob");
    accepted(pure.do({ type: "lost", peer: "alice", at: pure.at }));
    accepted(pure.do({ type: "lost", peer: "bob", at: pure.at + 10 }));
    accepted(pure.do({ type: "kick", peer: "alice", at: pure.at + 20 }));
    expect(pure.session.emptySince).toBe(pure.at + 10);
  });

  it("[R2] an observer that comes back is welcomed and sent nothing else", () => {
    const pure = called();
    accepted(pure.join("eve", "observer"));
    accepted(pure.join("eve", "observer"));
    expect(pure.take("eve").map(({ type }) => type)).toEqual(["welcome", "welcome"]);
  });

  it("[N6] a link whose peer has left has no descriptions any more; an offered one has no answer yet", () => {
    const pure = called();
    accepted(pure.send("bob", { type: "leave" }));
    const dead = pure.session.links.get("alice~bob")!;
    expect(viewLink(dead, [])).toEqual({
      id: "alice~bob",
      peers: ["alice", "bob"],
      state: "stable",
      exchange: 1,
      candidates: [],
    });
    expect(summariseLink(dead, []).has).toEqual([]);
    expect(viewSession(pure.session).links).toMatchObject([{ state: "stable", exchange: 1 }]);
    accepted(pure.join("bob"));
    accepted(pure.send("bob", { type: "offer", to: "alice", sdp: sdpOf({ of: "bob" }) }));
    const open = pure.session.links.get("alice~bob")!;
    expect(summariseLink(open, []).has).toEqual([
      { from: "bob", description: "offer", exchange: 2 },
    ]);
  });
});

function join(pure: PureSession, peer: string, more: object = {}): string {
  accepted(pure.join(peer, "peer", more));
  return peer;
}
