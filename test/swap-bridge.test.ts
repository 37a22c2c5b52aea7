import { describe, expect, it } from "vitest";
import type { FlowAssistance } from "../protocol/assistance/record.ts";
import type { FromPeer } from "../protocol/messages.ts";
import { isProblem, type Problem } from "../protocol/problem.ts";
import { nextDeadline } from "../protocol/session-deadline.ts";
import type { SessionEvent } from "../protocol/step.ts";
import {
  type CallMessage,
  type EndpointNews,
  endpointNews,
  requestOf,
} from "../protocol/swap/bridge.ts";
import { record } from "./assisted-session.ts";
import { type Shape, sdpOf } from "./descriptions.ts";
import { PureSession } from "./pure-session.ts";

/** Endpoints of SWAP in a session, alone and with peers of `duplex.v1`: what each is told of the other. */

const LINE = "candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host";
const RELAYED = "candidate:2 1 udp 41885439 198.51.100.9 3478 typ relay raddr 0.0.0.0 rport 0";
const whole = (shape: Shape = {}): string =>
  sdpOf(shape).replace(/a=mid:\S+\r\n/g, (mid) => `${mid}a=${LINE}\r\n`);
const trickling = (shape: Shape = {}): string =>
  sdpOf(shape).replace(/a=mid:\S+\r\n/g, (mid) => `${mid}a=ice-options:trickle\r\n`);
const OFFER = whole();
const ANSWER = whole({ setup: "active" });

type Body = CallMessage extends infer M
  ? M extends CallMessage
    ? Omit<M, "source" | "messageId" | "target"> & { messageId?: number }
    : never
  : never;

class Bridged extends PureSession {
  readonly news: EndpointNews[] = [];
  #number = 0;

  constructor(...natives: string[]) {
    super();
    for (const peer of ["alice", "bob"]) {
      if (natives.includes(peer)) this.join(peer);
      else this.seat(peer);
    }
    for (const peer of natives) this.take(peer);
    this.news.splice(0);
  }

  seat(peer: string): void {
    const endpoint = { realm: "home", source: `source-of-${peer}` };
    this.tell({
      type: "join",
      grant: this.grant(peer),
      endpoint,
      ice: { iceServers: [] },
      at: this.at,
    });
  }

  /** One event, and what endpoints are told of it. */
  tell(event: SessionEvent, cause?: CallMessage): Problem | null {
    const before = this.session;
    const result = this.do(event);
    if (isProblem(result)) return result;
    this.news.push(...endpointNews(before, this.session, result.effects, cause));
    return null;
  }

  /** A message of an endpoint to the other one. */
  say(self: string, body: Body, isOfOffer?: boolean): Problem | null {
    const other = self === "alice" ? "bob" : "alice";
    this.#number += 1;
    const message = {
      source: `source-of-${self}`,
      target: `source-of-${other}`,
      messageId: this.#number,
      ...body,
    } as CallMessage;
    const asked = requestOf(this.session, { self, other }, message, isOfOffer);
    if (isProblem(asked)) return asked;
    return this.tell({ type: "message", peer: self, message: asked, at: this.at }, message);
  }

  native(peer: string, message: FromPeer): Problem | null {
    return this.tell({ type: "message", peer, message, at: this.at });
  }

  alarm(afterMs: number): void {
    this.at += afterMs;
    this.tell({ type: "alarm", at: this.at });
  }

  /** What an endpoint was told since the last time. */
  told(peer: string): EndpointNews["delivery"][] {
    const told = this.news.filter((each) => each.peer === peer).map(({ delivery }) => delivery);
    this.news.splice(0, this.news.length, ...this.news.filter((each) => each.peer !== peer));
    return told;
  }
}

const connect = (offer = OFFER): Body => ({ type: "connect", offer, criteria: [] });
const accept = (answer = ANSWER): Body => ({ type: "accept", answer });

/** A call that was accepted. */
function agreed(): Bridged {
  const call = new Bridged();
  expect(call.say("alice", connect())).toBeNull();
  expect(call.say("bob", accept())).toBeNull();
  call.told("alice");
  call.told("bob");
  return call;
}

describe("two endpoints", () => {
  it("[M9] connect and accept keep numbers, criteria and texts", () => {
    const call = new Bridged();
    const criteria = [{ type: "service", value: "game-7" }];
    call.say("alice", { type: "connect", offer: OFFER, criteria });
    expect(call.told("bob")).toEqual([
      {
        type: "connect",
        source: "source-of-alice",
        target: "source-of-bob",
        messageId: 1,
        offer: OFFER,
        criteria,
      },
    ]);
    call.say("bob", accept());
    expect(call.told("alice")).toMatchObject([{ type: "accept", messageId: 2, answer: ANSWER }]);
    call.say("alice", { type: "update", sdp: whole({ version: 2 }) });
    expect(call.told("bob")).toMatchObject([{ type: "update", messageId: 3 }]);
  });

  it("[M13] what a network recommends is told by the server, in terms of calls and m-sections", () => {
    const call = new Bridged("bob");
    call.say("alice", connect());
    call.native("bob", { type: "answer", to: "alice", exchange: 1, sdp: ANSWER });
    call.news.splice(0);
    const event = { type: "assistance", link: "alice~bob", peer: "alice", at: call.at } as const;
    const advised = { uplinkBps: 50_000, downlinkBps: 40_000 };
    call.tell({ ...event, assistance: record({ advised, reason: "ALT_1" }) });
    expect(call.news.map(({ isOfServer }) => isOfServer)).toEqual([true, true]);
    const about = { call: "bob", mid: "0", network: "alpha", state: "granted", reason: "ALT_1" };
    expect(call.told("alice")).toMatchObject([
      {
        type: "application",
        urn: "urn:duplex:network-advice:1",
        target: "source-of-alice",
        value: { ...about, direction: "uplink", bitrateBps: 50_000 },
      },
      { value: { ...about, direction: "downlink", bitrateBps: 40_000 } },
    ]);
    call.tell({ ...event, assistance: null });
    expect(call.told("alice")).toMatchObject([
      { value: { call: "bob", mid: "0", direction: "uplink" } },
      { value: { call: "bob", mid: "0", direction: "downlink" } },
    ]);
  });

  it("[M13] an endpoint that is back is told what networks recommend now, of what it sends", () => {
    const call = agreed();
    const away = () => call.tell({ type: "lost", peer: "alice", at: call.at });
    const assist = (peer: string, assistance: FlowAssistance | null) =>
      call.tell({ type: "assistance", link: "alice~bob", peer, at: call.at, assistance });
    const back = () => {
      call.news.splice(0);
      call.seat("alice");
      return call.told("alice").filter(({ type }) => type === "application");
    };
    away();
    expect(back()).toEqual([]);
    away();
    assist("alice", record({ advised: { uplinkBps: 50_000 } }));
    const about = { call: "source-of-bob", mid: "0", direction: "uplink" };
    const limited = { ...about, network: "alpha", state: "granted", bitrateBps: 50_000 };
    expect(back()).toMatchObject([
      { type: "application", urn: "urn:duplex:network-advice:1", value: limited },
    ]);
    // Its old socket may have been dead without anybody knowing.
    expect(back()).toMatchObject([{ value: limited }]);
    away();
    assist("alice", record());
    assist("bob", record({ network: "beta" }));
    const free = { ...about, network: "alpha", state: "granted" };
    expect(back()).toEqual([expect.objectContaining({ value: free })]);
    away();
    assist("alice", null);
    assist("bob", null);
    // It may have been limited until then, and is in no network now.
    expect(back()).toEqual([expect.objectContaining({ value: about })]);
    call.say("alice", { type: "close" });
    expect(back()).toEqual([]);
  });

  it("[N2] an accept or reject of nothing, and an accept that has no answer, are refused", () => {
    const call = new Bridged();
    expect(call.say("bob", accept())?.code).toBe("nothing-offered");
    expect(call.say("bob", { type: "reject" }, true)?.code).toBe("nothing-offered");
    call.say("alice", connect());
    expect(call.say("alice", accept())?.code).toBe("nothing-offered");
    expect(call.say("bob", { type: "accept" })?.code).toBe("invalid-message");
  });

  it("[N4] a reject keeps what it says; without words it says none", () => {
    const call = new Bridged();
    call.say("alice", connect());
    call.say("bob", { type: "reject", errorId: "busy-7", description: "busy" });
    expect(call.told("alice")).toMatchObject([
      { type: "reject", messageId: 2, errorId: "busy-7", description: "busy" },
    ]);
    call.say("alice", connect(whole({ version: 2 })));
    call.say("bob", { type: "reject", errorId: "busy-8" });
    expect(call.told("alice")).toMatchObject([{ errorId: "busy-8" }]);
    call.say("alice", connect(whole({ version: 3 })));
    call.say("bob", { type: "reject" });
    expect(call.told("alice")[0]).not.toHaveProperty("description");
  });

  it("[M9] application messages and their refusal pass through", () => {
    const call = agreed();
    call.say("alice", { type: "application", urn: "urn:x:y", value: { a: 1 } });
    expect(call.told("bob")).toMatchObject([
      { type: "application", messageId: 3, urn: "urn:x:y", value: { a: 1 } },
    ]);
    call.say("alice", { type: "application", urn: "chat", value: "no URN" });
    expect(call.told("bob")).toMatchObject([{ urn: "chat", value: "no URN" }]);
    call.say("bob", { type: "reject", request: 3, errorId: "e", description: "what?" }, false);
    expect(call.told("alice")).toMatchObject([
      { type: "reject", messageId: 5, request: 3, errorId: "e", description: "what?" },
    ]);
    call.say("bob", { type: "reject", description: "of what, the dialect does not say" });
    expect(call.told("alice")).toMatchObject([{ type: "reject", messageId: 6 }]);
  });

  it("[M9] what is protected goes on as it came", () => {
    const call = agreed();
    const raw = (body: Body): Body => ({ ...body, raw: `raw ${body.type}` }) as Body;
    const say = (body: Body) => call.say("alice", raw(body));
    say({ type: "update", sdp: whole({ version: 2 }) });
    call.say("bob", raw(accept(whole({ setup: "active", version: 2 }))));
    expect(call.told("alice")).toMatchObject([{ type: "accept", raw: "raw accept" }]);
    say({ type: "application", urn: "urn:x:y", value: 1 });
    say({ type: "close" });
    expect(call.told("bob")).toMatchObject([
      { type: "update", raw: "raw update" },
      { type: "application", raw: "raw application" },
      { type: "close", raw: "raw close" },
    ]);
  });

  it("[A3] unless the session keeps part of it from others", () => {
    const call = new Bridged();
    const { config } = call.session;
    const relayed = { ...config, sdpPolicy: "report", iceTransportPolicy: "relay" } as const;
    call.session = { ...call.session, config: relayed };
    call.say("alice", { ...connect(), raw: "raw" } as Body);
    const [told] = call.told("bob");
    expect(told).not.toHaveProperty("raw");
    expect((told as { offer?: string }).offer).not.toContain("192.0.2.7");
  });

  it("[N7] an offer that nobody answers: its sender is told it was rejected, the other that it is over", () => {
    const call = new Bridged();
    call.say("alice", connect());
    call.told("bob");
    call.alarm(61_000);
    expect(call.told("alice")).toMatchObject([
      { type: "reject", description: "The offer was not answered in time" },
    ]);
    expect(call.told("bob")).toMatchObject([{ type: "close", source: "source-of-alice" }]);
    const later = agreed();
    later.say("alice", { type: "update", sdp: whole({ version: 2 }) });
    later.told("bob");
    later.alarm(61_000);
    expect(later.told("alice")).toMatchObject([{ type: "reject" }]);
    expect(later.told("bob")).toEqual([]);
  });

  it("[S4] whoever leaves, is kicked, or is in a session that ends: the other one is told to close", () => {
    const left = agreed();
    left.say("alice", { type: "close" });
    expect(left.told("bob")).toMatchObject([{ type: "close", messageId: 3 }]);
    expect(left.told("alice")).toEqual([]);
    const kicked = agreed();
    kicked.tell({ type: "kick", peer: "alice", at: kicked.at });
    expect(kicked.told("alice")).toMatchObject([{ type: "close", source: "source-of-bob" }]);
    expect(kicked.told("bob")).toMatchObject([{ type: "close", source: "source-of-alice" }]);
    const ended = agreed();
    ended.tell({ type: "end", at: ended.at });
    expect(ended.told("alice")).toMatchObject([{ type: "close" }]);
    expect(ended.told("bob")).toMatchObject([{ type: "close" }]);
    const strangers = new Bridged();
    strangers.tell({ type: "kick", peer: "alice", at: strangers.at });
    expect(strangers.news).toEqual([]);
  });

  it("[S4] who is said to stay does, and who is not leaves when its time is over", () => {
    const call = agreed();
    const until = call.at + 7_200_000;
    call.tell({ type: "stay", peer: "alice", until, at: call.at });
    call.tell({ type: "stay", peer: "nobody", until, at: call.at });
    call.alarm(3_600_000);
    expect([...call.session.peers.keys()]).toEqual(["alice"]);
    expect(call.told("alice")).toMatchObject([{ type: "close", source: "source-of-bob" }]);
  });

  it("[D1] a description without candidates is refused; where the policy is to report, it goes on", () => {
    const call = new Bridged();
    expect(call.say("alice", connect(sdpOf()))?.detail).toMatch(/gathering is complete/);
    expect(call.told("bob")).toEqual([]);
  });
});

describe("an endpoint and a peer of duplex.v1", () => {
  const trickle = (candidates: string[], complete = false, exchange = 1): FromPeer => ({
    type: "candidates",
    to: "bob",
    exchange,
    candidates: candidates.map((candidate) => ({ candidate, sdpMid: "0", sdpMLineIndex: 0 })),
    ...(complete && { complete }),
  });

  it("[M9] an offer waits for its candidates, and comes with all of them in it", () => {
    const call = new Bridged("alice");
    call.native("alice", { type: "offer", to: "bob", sdp: trickling() });
    call.native("alice", trickle([LINE]));
    expect(call.told("bob")).toEqual([]);
    call.native("alice", trickle([RELAYED], true));
    const [told] = call.told("bob");
    expect(told).toMatchObject({ type: "connect", source: "alice", target: "source-of-bob" });
    const { offer = "" } = told as { offer?: string };
    expect(offer).toBe(`${trickling()}a=${LINE}\r\na=${RELAYED}\r\n`);
    expect(call.say("bob", accept())).toBeNull();
    expect(call.take("alice", "answer")).toMatchObject([{ from: "bob", sdp: ANSWER }]);
    expect([...call.session.links.values()][0]).not.toHaveProperty("unsent");
  });

  it("[M9] one that has some of them waits for the rest", () => {
    const call = new Bridged("alice");
    const sdp = whole().replace(`a=${LINE}`, `a=ice-options:ice2 trickle\r\na=${LINE}`);
    call.native("alice", { type: "offer", to: "bob", sdp });
    expect(call.told("bob")).toEqual([]);
    call.native("alice", trickle([LINE, RELAYED], true));
    expect(call.told("bob")).toMatchObject([{ offer: `${sdp}a=${RELAYED}\r\n` }]);
  });

  it("[D1] one that nobody can read goes on where the policy is to report", () => {
    const call = new Bridged("alice");
    const config = { ...call.session.config, sdpPolicy: "report" } as const;
    call.session = { ...call.session, config };
    call.native("alice", { type: "offer", to: "bob", sdp: "no SDP" });
    expect(call.told("bob")).toEqual([]);
    call.alarm(5_000);
    expect(call.told("bob")).toMatchObject([{ offer: "no SDP" }]);
  });

  it("[M9] not for ever: after some seconds it goes with those that are there", () => {
    const call = new Bridged("alice");
    call.native("alice", { type: "offer", to: "bob", sdp: trickling() });
    call.native("alice", trickle([LINE]));
    expect(nextDeadline(call.session)).toBe(call.at + 5_000);
    call.alarm(4_999);
    expect(call.told("bob")).toEqual([]);
    call.alarm(1);
    expect((call.told("bob")[0] as { offer?: string }).offer).toContain(LINE);
    call.native("alice", trickle([RELAYED], true));
    expect(call.told("bob")).toEqual([]);
  });

  it("[M9] an answer waits in the same way", () => {
    const call = new Bridged("alice");
    call.say("bob", connect(whole({ of: "bob" })));
    expect(call.take("alice", "offer")).toHaveLength(1);
    const sdp = trickling({ setup: "active", of: "alice" });
    call.native("alice", { type: "answer", to: "bob", exchange: 1, sdp });
    expect(call.told("bob")).toEqual([]);
    call.native("alice", trickle([LINE], true));
    expect(call.told("bob")).toMatchObject([{ type: "accept", answer: `${sdp}a=${LINE}\r\n` }]);
  });

  it("[M9] one that says that it has all its candidates goes at once", () => {
    const ended = whole().replace(`a=${LINE}`, `a=${LINE}\r\na=end-of-candidates`);
    const both = `a=ice-options:trickle\r\na=${LINE}\r\na=end-of-candidates`;
    const trickled = whole().replace(`a=${LINE}`, both);
    for (const sdp of [whole(), ended, trickled]) {
      const call = new Bridged("alice");
      call.native("alice", { type: "offer", to: "bob", sdp });
      expect((call.told("bob")[0] as { offer?: string }).offer).toBe(sdp);
    }
  });

  it("[N4] what was not sent is taken back, superseded or late without a word", () => {
    const back = new Bridged("alice");
    back.native("alice", { type: "offer", to: "bob", sdp: trickling() });
    back.native("alice", { type: "rollback", to: "bob", exchange: 1 });
    expect(back.told("bob")).toEqual([]);
    expect(nextDeadline(back.session)).not.toBe(back.at + 5_000);
    const anew = new Bridged("alice");
    anew.native("alice", { type: "offer", to: "bob", sdp: trickling() });
    anew.native("alice", { type: "offer", to: "bob", sdp: trickling({ version: 2 }) });
    anew.native("alice", trickle([LINE], true, 2));
    expect(anew.told("bob")).toMatchObject([
      { type: "connect", offer: `${trickling({ version: 2 })}a=${LINE}\r\n` },
    ]);
    anew.native("alice", { type: "rollback", to: "bob", exchange: 2 });
    expect(anew.told("bob")).toMatchObject([{ type: "close", source: "alice" }]);
  });

  it("[N4] an update that is taken back is no news: SWAP has no word for it", () => {
    const call = new Bridged("alice");
    call.native("alice", { type: "offer", to: "bob", sdp: whole() });
    call.say("bob", accept());
    call.told("bob");
    call.native("alice", { type: "offer", to: "bob", sdp: whole({ version: 2 }) });
    expect(call.told("bob")).toMatchObject([{ type: "update" }]);
    call.native("alice", { type: "rollback", to: "bob", exchange: 2 });
    expect(call.told("bob")).toEqual([]);
  });

  it("[N4] rejects go both ways", () => {
    const call = new Bridged("alice");
    call.native("alice", { type: "offer", to: "bob", sdp: whole() });
    call.say("bob", { type: "reject", description: "no" });
    expect(call.take("alice", "reject")).toMatchObject([{ exchange: 1, reason: "no" }]);
    call.told("bob");
    call.say("bob", connect(whole({ of: "bob" })));
    call.native("alice", { type: "reject", to: "bob", exchange: 2, reason: "not now" });
    expect(call.told("bob")).toMatchObject([{ type: "reject", description: "not now" }]);
  });

  it("[M9] messages go both ways: any JSON becomes a value with a URN", () => {
    const call = new Bridged("alice");
    const message = (body: unknown): FromPeer => ({ type: "message", to: "bob", body });
    call.native("alice", message({ type: "urn:x:y", value: 1 }));
    call.native("alice", message({ type: "other", value: 1 }));
    call.native("alice", message(null));
    call.native("alice", message({ type: "urn:duplex:swap:reject", value: null }));
    call.native(
      "alice",
      message({
        type: "urn:duplex:swap:reject",
        value: { request: 7, errorId: "e", description: "d", source: "liar" },
      }),
    );
    expect(call.told("bob")).toEqual([
      { type: "application", source: "alice", target: "source-of-bob", urn: "urn:x:y", value: 1 },
      expect.objectContaining({ urn: "urn:duplex:message", value: { type: "other", value: 1 } }),
      expect.objectContaining({ urn: "urn:duplex:message", value: null }),
      { type: "reject", source: "alice", target: "source-of-bob" },
      {
        type: "reject",
        source: "alice",
        target: "source-of-bob",
        request: 7,
        errorId: "e",
        description: "d",
      },
    ]);
    call.say("bob", { type: "application", urn: "urn:x:y", value: [1] });
    expect(call.take("alice", "message")).toMatchObject([
      { from: "bob", body: { type: "urn:x:y", value: [1] } },
    ]);
  });

  it("[M9] a media server is called like any other, in a central session, too", () => {
    const call = new Bridged("alice");
    const { config } = call.session;
    call.session = { ...call.session, config: { ...config, topology: "central" } };
    call.tell({ type: "kick", peer: "alice", at: call.at });
    call.session = { ...call.session, kicked: new Map() };
    call.join("alice", "media-server");
    expect(call.say("bob", connect(whole({ of: "bob" })))).toBeNull();
    expect(call.take("alice", "offer")).toHaveLength(1);
    const sdp = whole({ setup: "active", of: "alice" });
    call.native("alice", { type: "answer", to: "bob", exchange: 1, sdp });
    expect(call.told("bob")).toMatchObject([{ type: "accept", answer: sdp }]);
    call.seat("carol");
    const stray = { type: "offer", to: "carol", sdp: whole({ of: "bob" }) } as const;
    expect(call.native("bob", stray)?.code).toBe("topology-mismatch");
  });

  it("[S5] an endpoint that comes back is sent what it lacks", () => {
    const call = new Bridged("alice");
    call.native("alice", { type: "offer", to: "bob", sdp: trickling() });
    call.native("alice", trickle([LINE], true));
    call.told("bob");
    call.tell({ type: "lost", peer: "bob", at: call.at });
    call.seat("bob");
    expect(call.told("bob")).toMatchObject([{ type: "connect", source: "alice" }]);
    expect((call.news[0]?.delivery as { offer?: string } | undefined)?.offer).toBeUndefined();
  });
});
