import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FlowAssistance } from "../protocol/assistance/record.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { isProblem, type Problem } from "../protocol/problem.ts";
import { newSession, type Step } from "../protocol/session.ts";
import { SessionRequest } from "../protocol/session-config.ts";
import type { SessionEvent } from "../protocol/step.ts";
import {
  WEBHOOK_EVENTS,
  type WebhookNews,
  webhookEvent,
  webhookIdOf,
} from "../protocol/webhooks/event.ts";
import { newsOf, newsOfEnd, newsOfStart } from "../protocol/webhooks/news.ts";
import {
  isTooOld,
  outcomeOf,
  retryDelayMs,
  WEBHOOK_RETRIES_MS,
} from "../protocol/webhooks/retry.ts";
import { record } from "./assisted-session.ts";
import { sdpOf } from "./descriptions.ts";
import { accepted, PureSession } from "./pure-session.ts";

/** What a back end is told of a session, as it follows from the events of that. */

type Told = { type: string; [member: string]: unknown };

/** A session and all that was told of it; each event fits its schema, and no other. */
class ToldSession extends PureSession {
  readonly news: WebhookNews[];

  constructor(config: SessionRequest = {}) {
    super(config);
    this.news = [newsOfStart(this.session)];
    this.#check(this.news);
  }

  override do(event: SessionEvent): Step | Problem {
    const before = this.session;
    const result = super.do(event);
    if (isProblem(result) && this.session === before) return result;
    const effects = isProblem(result) ? [] : result.effects;
    const isOver = effects.some(({ type }) => type === "erase");
    const news = isOver ? newsOfEnd(before, event) : newsOf(before, this.session, event);
    this.#check(news);
    this.news.push(...news);
    return result;
  }

  #check(news: readonly WebhookNews[]): void {
    for (const each of news) {
      const event = webhookEvent("s", 1, new Date(each.at).toISOString(), each);
      const { data, ...schema } = WEBHOOK_EVENTS[each.type].shape;
      expect(Object.keys(event)).toEqual(["type", "timestamp", "data"]);
      expect(schema.type.parse(event.type)).toBe(each.type);
      schema.timestamp.parse(event.timestamp);
      expect(data.strict().parse(event.data)).toEqual(event.data);
      expect(JSON.parse(JSON.stringify(event))).toEqual(event);
    }
  }

  /** What was told since this was asked last, briefly. */
  tell(): Told[] {
    return this.news.splice(0).map(({ type, data }) => {
      const { peer, flow, reason, previous, ...rest } = data as unknown as Record<string, object>;
      return {
        type,
        ...(peer && { peer: Reflect.get(peer, "id") }),
        ...(flow && { from: Reflect.get(flow, "from") }),
        ...(reason && { reason }),
        ...(previous && { previous }),
        ...rest,
      };
    });
  }

  types(): string[] {
    return this.tell().map(({ type, peer = "", reason = "" }) =>
      `${type} ${peer} ${reason}`.trim(),
    );
  }

  agree(one = "a", other = "b", version = 1): this {
    accepted(this.send(one, { type: "offer", to: other, sdp: sdpOf({ of: one, version }) }));
    const exchange = [...this.session.links.values()][0]?.exchange ?? 0;
    const sdp = sdpOf({ of: other, setup: "active", version });
    accepted(this.send(other, { type: "answer", to: one, exchange, sdp }));
    return this;
  }

  /** Two who have agreed on a flow in each direction. */
  static ofTwo(config: SessionRequest = {}): ToldSession {
    const session = new ToldSession(config);
    accepted(session.join("a", "peer", { name: "Alice", metadata: { mail: "a@example" } }));
    accepted(session.join("b"));
    session.agree();
    return session;
  }
}

const leave = (session: PureSession, peer: string) =>
  accepted(session.send(peer, { type: "leave" }));

describe("a session", () => {
  it("[M17] is told of from its beginning to its end, with what its back end gave it", () => {
    const metadata = { room: "blue" };
    const session = new ToldSession({ metadata, topology: "central" });
    expect(session.tell()).toEqual([{ type: "session.created", topology: "central", metadata }]);
    session.at += 5_000;
    accepted(session.do({ type: "end", at: session.at }));
    expect(session.tell()).toEqual([
      { type: "session.ended", reason: "deleted", lastedMs: 5_000, metadata },
    ]);
  });

  it("[M17] ends as empty when nobody was connected for its time", () => {
    const session = new ToldSession();
    accepted(session.join("a"));
    accepted(session.do({ type: "lost", peer: "a", at: session.at }));
    session.tell();
    session.at += 300_000;
    // Away for longer than it may: it has left before.
    session.do({ type: "alarm", at: session.at - 1 });
    session.do({ type: "alarm", at: session.at });
    expect(session.types()).toEqual(["peer.left a lost", "session.ended  empty"]);
  });

  it("[S4] everybody who is there leaves before the end, and the flows before them", () => {
    const session = ToldSession.ofTwo();
    session.tell();
    accepted(session.do({ type: "end", at: session.at }));
    expect(session.types()).toEqual([
      "flow.ended  session-ended",
      "flow.ended  session-ended",
      "peer.left a session-ended",
      "peer.left b session-ended",
      "session.ended  deleted",
    ]);
  });
});

describe("a peer", () => {
  it("[M17] joins with what its token says, and no more", () => {
    const session = ToldSession.ofTwo();
    const [joined] = session.news.filter(({ type }) => type === "peer.joined");
    expect(joined?.data).toEqual({
      peer: { id: "a", role: "peer", name: "Alice", metadata: { mail: "a@example" } },
    });
  });

  it("[S4] leaves once, with the reason that the others are told", () => {
    const session = ToldSession.ofTwo();
    accepted(session.join("c", "peer", { expiresAt: session.at + 10_000 }));
    accepted(session.join("d"));
    accepted(session.join("e"));
    session.tell();
    leave(session, "a");
    accepted(session.do({ type: "kick", peer: "b", at: session.at }));
    accepted(session.do({ type: "lost", peer: "d", at: session.at }));
    session.at += 10_000;
    accepted(session.do({ type: "alarm", at: session.at }));
    session.at += 50_000;
    accepted(session.do({ type: "alarm", at: session.at }));
    const told = session.tell().filter(({ type }) => type === "peer.left");
    expect(told.map(({ peer, reason }) => `${peer} ${reason}`)).toEqual([
      "a left",
      "b kicked",
      "c expired",
      "d lost",
    ]);
    const heard = session.take("e", "peer-left") as Extract<ToPeer, { type: "peer-left" }>[];
    expect(heard.map(({ peer, reason }) => `${peer} ${reason}`)).toEqual(
      told.map(({ peer, reason }) => `${peer} ${reason}`),
    );
  });

  it("[S3] neither leaves nor joins when another socket takes over, or when it comes back in time", () => {
    const session = ToldSession.ofTwo();
    session.tell();
    accepted(session.join("a"));
    expect(session.tell()).toEqual([]);
    accepted(session.do({ type: "lost", peer: "a", at: session.at }));
    expect(session.tell()).toEqual([{ type: "peer.lost", peer: "a", until: session.at + 60_000 }]);
    // Whoever was lost is not lost once more.
    accepted(session.do({ type: "lost", peer: "a", at: session.at }));
    session.at += 10_000;
    accepted(session.join("a"));
    expect(session.types()).toEqual(["peer.resumed a"]);
  });

  it("[S4] that has lost its state leaves before it joins anew", () => {
    const session = ToldSession.ofTwo();
    session.tell();
    const arrival = { grant: session.grant("a"), ice: { iceServers: [] }, at: session.at } as const;
    accepted(session.do({ type: "join", ...arrival, asked: { fresh: "true" } }));
    expect(session.types()).toEqual([
      "flow.ended  lost",
      "flow.ended  lost",
      "peer.left a lost",
      "peer.joined a",
    ]);
  });

  it("[M17] that comes by HTTP or SWAP is told of as such; who is kicked takes its guests along", () => {
    const session = new ToldSession();
    accepted(session.join("b"));
    accepted(session.join("p"));
    const endpoint = { realm: "home", source: "phone-12345" };
    const arrival = { grant: session.grant("w"), ice: { iceServers: [] }, at: session.at };
    accepted(session.do({ type: "join", ...arrival, endpoint }));
    session.tell();
    const post = (peer: string, resource: string) =>
      session.do({
        type: "open-http",
        door: "whep",
        grant: session.grant(peer),
        resource,
        offer: sdpOf({
          of: `${peer}${resource}`,
          sections: [{ kind: "audio", direction: "recvonly" }],
        }),
        peer: "b",
        at: session.at,
      });
    accepted(post("p", "one"));
    const guest = session.news.at(0);
    expect(guest).toMatchObject({
      type: "peer.joined",
      data: { peer: { id: "p-one", via: "whep" } },
    });
    accepted(post("h", "two"));
    session.tell();
    accepted(session.do({ type: "kick", peer: "p", at: session.at }));
    // Nobody is left whom its player could hear.
    accepted(session.do({ type: "kick", peer: "b", at: session.at }));
    expect(session.types()).toEqual([
      "peer.left p kicked",
      "peer.left p-one kicked",
      "peer.left b kicked",
      "peer.left h lost",
    ]);
    leave(session, "w");
    expect(session.news.at(-1)?.data).toMatchObject({ peer: { id: "w", via: "swap" } });
  });

  it("[S4] that was an HTTP client leaves as that when it comes by a socket", () => {
    const session = new ToldSession();
    accepted(session.join("b"));
    accepted(
      session.do({
        type: "open-http",
        door: "whep",
        grant: session.grant("h"),
        resource: "one",
        offer: sdpOf({ of: "h", sections: [{ kind: "audio", direction: "recvonly" }] }),
        peer: "b",
        at: session.at,
      }),
    );
    session.tell();
    accepted(session.join("h"));
    expect(session.types()).toEqual(["peer.left h lost", "peer.joined h"]);
    // What strands another one is not its own leave.
    leave(session, "b");
    expect(session.types()).toEqual(["peer.left b left"]);
  });

  it("[S4] has left only when it says so: whatever else of its messages ends it, it is lost", () => {
    const { session: before, at } = ToldSession.ofTwo();
    const after = { ...before, peers: new Map([...before.peers].filter(([id]) => id !== "a")) };
    const reasonAfter = (peer: string, message: object) => {
      const event = { type: "message", peer, message, at } as SessionEvent;
      const [left] = newsOf(before, after, event);
      return (left?.data as { reason?: string } | undefined)?.reason;
    };
    expect(reasonAfter("a", { type: "leave" })).toBe("left");
    expect(reasonAfter("a", { type: "candidates" })).toBe("lost");
    expect(reasonAfter("b", { type: "leave" })).toBe("lost");
    expect(reasonAfter("b", { type: "transport" })).toBe("lost");
  });

  it("[M17] that the deployment brings along is nobody's news", () => {
    const session = newSession("s", SessionRequest.parse({}), 1);
    const event = { type: "alarm", at: 2 } as const;
    const peer = { ...([...ToldSession.ofTwo().session.peers.values()][0] as never as object) };
    const managed = { ...peer, id: "m", managed: true } as never;
    const withManaged = { ...session, peers: new Map([["m", managed]]) };
    expect(newsOf(session, withManaged, event)).toEqual([]);
    expect(newsOf(withManaged, session, event)).toEqual([]);
    expect(newsOfEnd(withManaged, event).map(({ type }) => type)).toEqual(["session.ended"]);
  });
});

describe("a mobile network", () => {
  it("[M13] is told of when it does or recommends something else, and of nothing more", () => {
    const session = ToldSession.ofTwo();
    session.tell();
    const hear = (assistance: FlowAssistance | null) => {
      const event = { type: "assistance", link: "a~b", peer: "a", at: session.at } as const;
      accepted(session.do({ ...event, assistance }));
    };
    hear(record());
    hear(record({ failures: 1 }));
    hear(record({ state: "impaired", reason: "NO", advised: { uplinkBps: 300_000 } }));
    hear(null);
    const about = { type: "assistance.changed", link: "a~b", network: "alpha" };
    expect(session.tell()).toEqual([
      { ...about, peer: "a", state: "granted" },
      { ...about, peer: "a", state: "impaired", reason: "NO", advised: { uplinkBps: 300_000 } },
      { ...about, peer: "a", state: "ended" },
    ]);
    leave(session, "a");
    session.tell();
    hear(record({ state: "refused" }));
    const [late] = session.news;
    expect(late?.data).toMatchObject({ peer: { id: "a", role: "peer" }, state: "refused" });
  });
});

describe("a flow", () => {
  it("[F4] is told of by its states, from the moment both ends have agreed until it ends with its cause", () => {
    const session = ToldSession.ofTwo();
    const negotiated = session.tell().filter(({ type }) => type.startsWith("flow."));
    expect(negotiated.map(({ type, from, previous }) => `${type} ${from} ${previous}`)).toEqual([
      "flow.negotiated a proposed",
      "flow.negotiated b proposed",
    ]);
    session.at += 1_000;
    accepted(session.send("a", { type: "transport", to: "b", state: "connected" }));
    expect(session.tell().map(({ type, previous }) => `${type} ${previous}`)).toEqual([
      "flow.active negotiated",
      "flow.active negotiated",
    ]);
    const flow = [...session.session.links.values()][0]?.flows.flows.find(
      ({ from }) => from === "a",
    );
    const steer = (held: boolean) =>
      accepted(session.send("a", { type: "flow", flow: flow?.id ?? "", held }));
    session.at += 2_000;
    steer(true);
    session.at += 3_000;
    steer(false);
    expect(session.tell()).toEqual([
      { type: "flow.held", from: "a", previous: "active", reason: "requested" },
      { type: "flow.active", from: "a", previous: "held" },
    ]);
    session.at += 4_000;
    leave(session, "b");
    expect(session.tell().slice(0, 2)).toEqual([
      {
        type: "flow.ended",
        from: "a",
        previous: "active",
        reason: "left",
        activeMs: 6_000,
        heldMs: 3_000,
      },
      {
        type: "flow.ended",
        from: "b",
        previous: "active",
        reason: "left",
        activeMs: 9_000,
        heldMs: 0,
      },
    ]);
  });

  it("[M17] that was only offered is nobody's news, not even when the offer is refused", () => {
    const session = new ToldSession();
    for (const peer of ["a", "b"]) accepted(session.join(peer));
    session.tell();
    accepted(session.send("a", { type: "offer", to: "b", sdp: sdpOf() }));
    accepted(session.send("b", { type: "reject", to: "a", exchange: 1 }));
    expect(session.tell()).toEqual([]);
    accepted(session.send("a", { type: "quality", to: "b", flows: [] }));
    expect(session.tell()).toEqual([]);
  });

  it("[M17] tells why it is negotiated again, and what it shows", () => {
    const session = new ToldSession();
    for (const peer of ["a", "b"]) accepted(session.join(peer));
    const sdp = sdpOf().replace("a=mid:0", "a=mid:0\r\na=content:slides");
    accepted(session.send("a", { type: "offer", to: "b", sdp }));
    accepted(
      session.send("b", { type: "answer", to: "a", exchange: 1, sdp: sdpOf({ setup: "active" }) }),
    );
    const shown = session.news.flatMap(({ type, data }) =>
      type === "flow.negotiated" ? [(data as { flow: { content?: string } }).flow.content] : [],
    );
    expect(shown).toContain("slides");
  });

  it("[M17] that is made and agreed in one event has no state before; one that is so and over is nobody's news", () => {
    const session = ToldSession.ofTwo();
    const { links } = session.session;
    const event = { type: "alarm", at: session.at } as const;
    const none = { ...session.session, links: new Map() };
    expect(newsOf(none, session.session, event).map(({ data }) => "previous" in data)).toEqual([
      false,
      false,
    ]);
    const [link] = links.values();
    if (!link) throw new Error("no link");
    const inState = (state: string, reason?: string) => ({
      ...session.session,
      links: new Map([
        [
          link.id,
          {
            ...link,
            flows: {
              ...link.flows,
              flows: link.flows.flows.map((flow) => {
                const { reason: _, ...rest } = flow;
                return { ...rest, state, ...(reason !== undefined && { reason }) } as typeof flow;
              }),
            },
          },
        ],
      ]),
    });
    expect(newsOf(none, inState("ended"), event)).toEqual([]);
    // A failed transport takes an active flow back to what was agreed.
    const [failed] = newsOf(inState("active"), inState("negotiated", "failed"), event);
    expect(failed?.data).toMatchObject({ previous: "active", reason: "failed" });
    // Records of old sessions may say less.
    const [back] = newsOf(inState("ended"), inState("held"), event);
    expect(back?.data).not.toHaveProperty("previous");
    expect(back?.data).not.toHaveProperty("reason");
  });
});

describe("of any history", () => {
  const PEERS = ["a", "b", "c"] as const;
  interface Deed {
    what: "join" | "fresh" | "lost" | "leave" | "kick" | "agree" | "connect" | "wait";
    who: string;
    with: string;
  }
  const deed: fc.Arbitrary<Deed> = fc.record({
    what: fc.constantFrom("join", "fresh", "lost", "leave", "kick", "agree", "connect", "wait"),
    who: fc.constantFrom(...PEERS),
    with: fc.constantFrom(...PEERS),
  });

  function act(session: ToldSession, { what, who, with: other }: Deed): void {
    const { at } = session;
    switch (what) {
      case "join":
        session.join(who);
        break;
      case "fresh":
        session.do({
          type: "join",
          grant: session.grant(who),
          ice: { iceServers: [] },
          asked: { fresh: "true" },
          at,
        });
        break;
      case "lost":
      case "kick":
        session.do({ type: what, peer: who, at });
        break;
      case "leave":
        session.send(who, { type: "leave" });
        break;
      case "agree": {
        session.send(who, { type: "offer", to: other, sdp: sdpOf({ of: who }) });
        const link = [...session.session.links.values()].find(
          ({ peers }) => peers.includes(who) && peers.includes(other),
        );
        const sdp = sdpOf({ of: other, setup: "active" });
        session.send(other, { type: "answer", to: who, exchange: link?.exchange ?? 0, sdp });
        break;
      }
      case "connect":
        session.send(who, { type: "transport", to: other, state: "connected" });
        break;
      case "wait":
        session.at += 61_000;
        session.do({ type: "alarm", at: session.at });
        break;
    }
    session.at += 1;
  }

  it("[S4] every peer joins before it leaves and leaves once, every flow ends once, and all before the end", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 40 }), (deeds) => {
        const session = new ToldSession({ emptyTtlSeconds: 86_400 });
        accepted(session.join("watcher", "observer", { expiresAt: session.at + 2_000_000_000 }));
        for (const each of deeds) act(session, each);
        const heard = session.take("watcher", "peer-joined", "peer-left");
        const told = session.news.flatMap(({ type, data }) => {
          const id = "peer" in data ? data.peer.id : "";
          return id !== "watcher" && (type === "peer.joined" || type === "peer.left")
            ? [`${type} ${id} ${"reason" in data ? data.reason : ""}`]
            : [];
        });
        // As an observer is told, word for word.
        expect(told).toEqual(
          heard.map((message) =>
            message.type === "peer-joined"
              ? `peer.joined ${message.peer.id} `
              : `peer.left ${(message as { peer: string }).peer} ${(message as { reason: string }).reason}`,
          ),
        );
        session.do({ type: "end", at: session.at });
        const present = new Set<string>();
        const live = new Set<string>();
        for (const { type, data } of session.news) {
          if ("peer" in data) {
            expect(present.has(data.peer.id)).toBe(type !== "peer.joined");
            if (type === "peer.joined") present.add(data.peer.id);
            if (type === "peer.left") present.delete(data.peer.id);
          }
          if ("flow" in data) {
            for (const end of [data.flow.from, data.flow.to]) expect(present).toContain(end);
            if (type === "flow.ended") expect(live.delete(data.flow.id)).toBe(true);
            else live.add(data.flow.id);
          }
        }
        expect([...present, ...live]).toEqual([]);
        expect(session.news.at(0)?.type).toBe("session.created");
        expect(session.news.at(-1)?.type).toBe("session.ended");
      }),
      { numRuns: 300 },
    );
  });
});

describe("a try", () => {
  it("[R6] succeeds with 2xx; 410 wants no more; anything else is tried again, and redirects are not followed", () => {
    expect([200, 202, 204].map((status) => outcomeOf(status, undefined).type)).toEqual(
      Array(3).fill("taken"),
    );
    expect(outcomeOf(410, undefined)).toEqual({ type: "gone" });
    expect(outcomeOf(302, 1000)).toEqual({ type: "failed", status: 302, reason: "redirected" });
    expect(outcomeOf(500, 1000)).toEqual({ type: "failed", status: 500, reason: "answered" });
    expect(outcomeOf(101, undefined)).toMatchObject({ type: "failed" });
    for (const status of [429, 503]) {
      expect(outcomeOf(status, 7_000)).toMatchObject({
        type: "failed",
        status,
        retryAfterMs: 7_000,
      });
      expect(outcomeOf(status, undefined)).not.toHaveProperty("retryAfterMs");
    }
  });

  it("[R6] is followed by the next after a growing time that chance spreads, or when the receiver says", () => {
    const middle = [...WEBHOOK_RETRIES_MS, 14_400_000].map((_, index) =>
      retryDelayMs(index + 1, 0.5),
    );
    expect(middle).toEqual([...WEBHOOK_RETRIES_MS, 14_400_000]);
    expect(retryDelayMs(1, 0)).toBe(4_000);
    expect(retryDelayMs(1, 1)).toBe(6_000);
    expect(retryDelayMs(1, 0.5, { retryAfterMs: 90_000 })).toBe(90_000);
    expect(retryDelayMs(4, 0.5, { retryAfterMs: 1_000 })).toBe(600_000);
    // Nobody can put an event off for ever.
    expect(retryDelayMs(1, 0.5, { retryAfterMs: 1e12 })).toBe(14_400_000);
    expect(retryDelayMs(9, 0.5, { everyMs: 1_000 })).toBe(1_000);
  });

  it("[R6] is not made for an event that would be older than a day then", () => {
    expect(isTooOld(0, LIMITS.webhookAgeMs - 5_000, 5_000)).toBe(false);
    expect(isTooOld(0, LIMITS.webhookAgeMs - 5_000, 5_001)).toBe(true);
  });

  it("[R6] carries an id that is the same every time", () => {
    expect(webhookIdOf("abc", 7)).toBe("msg_abc_7");
  });
});
