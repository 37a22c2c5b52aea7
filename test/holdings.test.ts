import { describe, expect, it } from "vitest";
import { SessionStore } from "../durable-objects/session-store.ts";
import type { Flow } from "../protocol/flow.ts";
import { LIMITS } from "../protocol/limits.ts";
import { Readings } from "../protocol/readings.ts";
import { type Link, revisionOf, type Session } from "../protocol/session.ts";
import { LONGEST_TOKEN_MS } from "../protocol/session-config.ts";
import { candidateOf, type Shape, sdpOf } from "./descriptions.ts";
import { LiveSession } from "./live-session.ts";
import { accepted, outcome, PureSession } from "./pure-session.ts";

/** What a session holds on behalf of its peers, however they come, go and offer (S7, S8). */

const padded = (sdp: string, bytes: number): string => {
  const head = `${sdp}a=x:`;
  return `${head}${"y".repeat(bytes - head.length - 2)}\r\n`;
};

const BIG = LIMITS.sdpBytes;

/** An offer of so many bytes; each peer has credentials of its own. */
const bigOffer = (of: string, bytes = BIG, version = 1): string =>
  padded(sdpOf({ of, version }), bytes);

class Crowd extends PureSession {
  constructor(names: readonly string[]) {
    super({ maxPeers: 100, sdpPolicy: "report" });
    for (const name of names) accepted(this.join(name));
  }

  offer(from: string, to: string, sdp: string) {
    return this.send(from, { type: "offer", to, sdp });
  }

  /** The link of two peers under more names, as if others had one like it. */
  multiply(times: number, change: (link: Link, index: number) => Link = (link) => link): void {
    const [link] = this.session.links.values();
    const copies = Array.from({ length: times }, (_none, index): [string, Link] => {
      const peers = [`x${index}`, `y${index}`] as const;
      const id = peers.join("~");
      return [id, change({ ...link!, id, peers }, index)];
    });
    this.session = { ...this.session, links: new Map([...this.session.links, ...copies]) };
  }
}

const names = (count: number): string[] => Array.from({ length: count }, (_none, n) => `p${n}`);

describe("descriptions", () => {
  it("[S7] offers of one peer that wait for answers are 4 MiB at most; one that is answered or taken back makes room", () => {
    const most = LIMITS.pendingOfferBytes / BIG;
    const peers = names(most + 2);
    const crowd = new Crowd(["alice", ...peers]);
    for (const peer of peers.slice(0, most))
      accepted(crowd.offer("alice", peer, bigOffer("alice")));
    const [first = "", ...rest] = peers;
    const last = rest.at(-1) ?? "";
    const before = crowd.session;
    expect(crowd.offer("alice", last, sdpOf())).toMatchObject({
      code: "too-many-offers",
      maxBytes: LIMITS.pendingOfferBytes,
      open: most,
    });
    expect(crowd.session).toBe(before);
    expect(crowd.take(last, "offer")).toEqual([]);
    // Others offer as they like, and its own offer may be replaced.
    accepted(crowd.offer(last, rest[0] ?? "", sdpOf({ of: last })));
    accepted(crowd.offer("alice", first, bigOffer("alice", BIG, 2)));
    accepted(crowd.send("alice", { type: "rollback", to: first, exchange: 2 }));
    accepted(crowd.offer("alice", last, sdpOf()));
  });

  it("[S7] a media server offers to all at once; descriptions of a session are 32 MiB at most", () => {
    const most = LIMITS.sessionSdpBytes / BIG;
    const peers = names(most + 1);
    const crowd = new Crowd(peers);
    accepted(crowd.join("server", "media-server"));
    const last = peers.at(-1) ?? "";
    for (const peer of peers.slice(0, most - 1)) {
      accepted(crowd.offer("server", peer, bigOffer("server")));
    }
    accepted(crowd.offer("server", last, sdpOf({ of: "server" })));
    expect(outcome(crowd.offer("server", "p63", bigOffer("server")))).toBe("session-too-large");
    // An answer is kept as well.
    const answer = { type: "answer", to: "server", exchange: 1 } as const;
    const large = padded(sdpOf({ of: last, setup: "active" }), BIG);
    expect(outcome(crowd.send(last, { ...answer, sdp: large }))).toBe("session-too-large");
    accepted(crowd.send(last, { ...answer, sdp: sdpOf({ of: last, setup: "active" }) }));
    // What is replaced counts no more.
    accepted(crowd.offer("server", "p0", bigOffer("server", BIG, 2)));
    accepted(crowd.send("server", { type: "rollback", to: "p1", exchange: 1 }));
    accepted(crowd.offer("server", "p63", bigOffer("server")));
  });

  it("[S7] bytes are those of UTF-8", () => {
    const crowd = new Crowd(["alice", ...names(20)]);
    const wide = `${sdpOf()}a=x:${"ä".repeat(200_000)}\r\n`;
    const results = names(20).map((peer) => outcome(crowd.offer("alice", peer, wide)));
    const fit = Math.floor(LIMITS.pendingOfferBytes / new TextEncoder().encode(wide).byteLength);
    expect(results.indexOf("too-many-offers")).toBe(fit);
  });

  it("[S8] what was read of descriptions is remembered as far as there is room, the newest for certain", () => {
    const readings = new Readings<object, string>(10);
    const [one, two, three] = [{}, {}, {}];
    readings.set(one, 6, "one");
    readings.set(two, 4, "two");
    expect([one, two].map((key) => readings.get(key))).toEqual(["one", "two"]);
    readings.set(three, 3, "three");
    expect([one, two, three].map((key) => readings.get(key))).toEqual([undefined, "two", "three"]);
    readings.set(one, 11, "anew");
    expect([one, two, three].map((key) => readings.get(key))).toEqual([
      "anew",
      undefined,
      undefined,
    ]);
  });

  it("[N6] a description that was read long ago is as good as one that was just read", () => {
    const crowd = new Crowd(["alice", "bob", "carol", "dave"]);
    const offered = bigOffer("alice");
    const { ack } = accepted(crowd.offer("alice", "bob", offered));
    const filler = { of: "carol" };
    accepted(crowd.offer("carol", "dave", padded(sdpOf(filler), BIG)));
    accepted(crowd.offer("carol", "dave", padded(sdpOf({ ...filler, version: 2 }), BIG)));
    accepted(crowd.offer("carol", "dave", padded(sdpOf({ ...filler, version: 3 }), BIG)));
    const sdp = sdpOf({ of: "bob", setup: "active" });
    accepted(crowd.send("bob", { type: "answer", to: "alice", exchange: ack?.exchange ?? 0, sdp }));
    const link = crowd.session.links.get("alice~bob");
    expect(link?.flows.flows.map(({ state }) => state)).toEqual(["negotiated", "negotiated"]);
  });

  it("[S7] a description that cannot be read is kept and compared with nothing", () => {
    const crowd = new Crowd(["alice", "bob", "carol"]);
    accepted(crowd.offer("alice", "bob", "v=0\r\nthis is not SDP\r\n"));
    accepted(crowd.offer("carol", "bob", sdpOf({ of: "carol" })));
    accepted(crowd.offer("alice", "carol", sdpOf({ version: 2 })));
    expect(crowd.session.links.get("alice~bob")?.open?.exchange).toBe(1);
  });
});

describe("candidates", () => {
  it("[S7] those of one peer in one exchange have 64 KiB together, however few they are", () => {
    const crowd = new Crowd(["alice", "bob"]);
    accepted(crowd.offer("alice", "bob", sdpOf()));
    const long = (n: number) => {
      const candidate = candidateOf(n);
      return { ...candidate, candidate: `${candidate.candidate} x ${"y".repeat(3_900)}` };
    };
    const send = (from: number, count: number) =>
      crowd.send("alice", {
        type: "candidates",
        to: "bob",
        exchange: 1,
        candidates: Array.from({ length: count }, (_none, index) => long(from + index)),
      });
    accepted(send(0, 15));
    expect(outcome(send(15, 2))).toBe("too-many-candidates");
    // Known ones count once.
    accepted(send(0, 15));
    expect(crowd.session.trickle.get("alice~bob")?.[0]?.candidates).toHaveLength(15);
  });
});

const sections = (count: number, round = 0): NonNullable<Shape["sections"]> =>
  Array.from({ length: count }, (_none, index) => ({ kind: "audio", mid: `${round}r${index}` }));

describe("flows", () => {
  it("[S7] a session has 16,384 that have not ended at most; an offer of more is refused as a whole", () => {
    const crowd = new Crowd(["alice", "bob", "carol"]);
    accepted(crowd.offer("alice", "bob", sdpOf({ sections: sections(16) })));
    crowd.multiply(LIMITS.sessionFlows / 32 - 1);
    const before = crowd.session;
    expect(outcome(crowd.offer("carol", "bob", sdpOf({ of: "carol" })))).toBe("session-too-large");
    expect(crowd.session).toBe(before);
    // The offer of the link itself may be replaced by one as large.
    accepted(crowd.offer("alice", "bob", sdpOf({ version: 2, sections: sections(16) })));
    accepted(crowd.send("alice", { type: "rollback", to: "bob", exchange: 2 }));
    accepted(crowd.offer("carol", "bob", sdpOf({ of: "carol" })));
  });

  const withdrawn = (crowd: Crowd, round: number): void => {
    const sdp = sdpOf({ version: round + 1, sections: sections(10, round) });
    accepted(crowd.offer("alice", "bob", sdp));
  };

  const endedOf = (session: Session, link: string): readonly Flow[] =>
    session.links.get(link)?.flows.flows.filter(({ state }) => state === "ended") ?? [];

  it("[S7] where a session has more than 8,000 ended ones a link keeps its share, the newest", () => {
    const crowd = new Crowd(["alice", "bob"]);
    for (let round = 0; round < 11; round++) withdrawn(crowd, round);
    expect(endedOf(crowd.session, "alice~bob")).toHaveLength(200);
    withdrawn(crowd, 11);
    expect(endedOf(crowd.session, "alice~bob")).toHaveLength(220);
    crowd.multiply(79);
    withdrawn(crowd, 12);
    const kept = endedOf(crowd.session, "alice~bob");
    expect(kept).toHaveLength(LIMITS.sessionEndedFlows / 80);
    expect(Math.min(...kept.map(({ revision }) => revision))).toBeGreaterThan(1);
    expect(endedOf(crowd.session, "x0~y0")).toHaveLength(220);
  });

  it("[F4] what ends is told, however small the share of its link is", () => {
    const crowd = new Crowd(["alice", "bob"]);
    for (let round = 0; round < 11; round++) withdrawn(crowd, round);
    crowd.multiply(999, (link) => {
      const ended = link.flows.flows.filter(({ state }) => state === "ended").slice(0, 10);
      return { ...link, flows: { ...link.flows, flows: ended } };
    });
    crowd.take("bob");
    withdrawn(crowd, 11);
    const [told] = crowd.take("bob", "flows") as { changed: Flow[] }[];
    expect(told?.changed.filter(({ state }) => state === "ended")).toHaveLength(20);
    expect(endedOf(crowd.session, "alice~bob")).toHaveLength(20);
  });

  it("[S7] the times of no more than 64 offers are remembered", () => {
    const crowd = new Crowd(["alice", "bob"]);
    for (let version = 1; version <= 80; version++) {
      accepted(crowd.offer("alice", "bob", sdpOf({ version })));
    }
    expect(crowd.session.links.get("alice~bob")?.offeredAt).toHaveLength(64);
    crowd.at += 61_000;
    accepted(crowd.offer("alice", "bob", sdpOf({ version: 81 })));
    expect(crowd.session.links.get("alice~bob")?.offeredAt).toEqual([crowd.at]);
  });
});

it("[S8] nobody asks other sessions about the CNAMEs of a link that offers without end", () => {
  const crowd = new Crowd(["alice", "bob"]);
  const asked = Array.from({ length: 30 }, (_none, version) => {
    const sdp = sdpOf({ version, sections: [{ kind: "audio", ssrc: 1_000 + version }] });
    const { effects } = accepted(crowd.offer("alice", "bob", sdp));
    return effects.some(({ type }) => type === "recall-cnames");
  });
  expect(asked).toEqual(Array.from({ length: 30 }, (_none, offers) => offers <= 20));
});

describe("who was here", () => {
  it("[S7] of links that a peer has left the newest 256 are kept; live ones and revisions stay", () => {
    const crowd = new Crowd(["alice", "bob", "carol"]);
    accepted(crowd.offer("alice", "bob", sdpOf()));
    // The later, the earlier it ended.
    const many = LIMITS.departedLinks + 2;
    crowd.multiply(many, (link, index) => {
      return { ...link, flows: { ...link.flows, revision: 2 + many - index } };
    });
    accepted(crowd.offer("carol", "bob", sdpOf({ of: "carol" })));
    accepted(crowd.send("carol", { type: "leave" }));
    const revision = revisionOf(crowd.session);
    expect(crowd.session.links.size).toBe(1 + many + 1);
    accepted(crowd.join("dave"));
    const { links } = crowd.session;
    expect(links.size).toBe(1 + LIMITS.departedLinks);
    const isKept = (id: string) => links.has(id);
    const gone = [
      `x${many - 1}~y${many - 1}`,
      `x${many - 2}~y${many - 2}`,
      `x${many - 3}~y${many - 3}`,
    ];
    expect(gone.filter(isKept)).toEqual([]);
    expect(["alice~bob", "bob~carol", "x0~y0"].filter(isKept)).toHaveLength(3);
    expect(revisionOf(crowd.session)).toBe(revision);
    accepted(crowd.send("dave", { type: "leave" }));
    accepted(crowd.join("late"));
    // Whoever takes over its own socket is nobody new.
    const before = crowd.session.links;
    accepted(crowd.join("late"));
    expect(crowd.session.links).toBe(before);
  });

  it("[S7] a link that is gone is gone from storage, its ended flows included", async () => {
    const live = await LiveSession.start("awake");
    await live.inside((state) => {
      const crowd = new Crowd(["alice"]);
      for (const table of ["session", "peer", "link"]) {
        state.storage.sql.exec(`DROP TABLE IF EXISTS ${table}`);
      }
      const store = new SessionStore(state.storage.sql);
      store.create(crowd.session);
      const rows = (table: string) =>
        state.storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n;
      const save = (act: () => void): void => {
        const before = crowd.session;
        act();
        store.save(before, crowd.session);
      };
      save(() => accepted(crowd.join("bob")));
      save(() =>
        accepted(crowd.offer("bob", "alice", sdpOf({ of: "bob", sections: sections(40) }))),
      );
      save(() => accepted(crowd.send("bob", { type: "leave" })));
      expect([rows("link"), rows("ended_flow")]).toEqual([1, 1]);
      save(() => accepted(crowd.join("carol")));
      save(() => accepted(crowd.offer("carol", "alice", sdpOf({ of: "carol" }))));
      expect(rows("link")).toBe(2);
      save(() => {
        const links = new Map(crowd.session.links);
        links.delete("alice~bob");
        crowd.session = { ...crowd.session, links };
      });
      expect([rows("link"), rows("ended_flow")]).toEqual([1, 0]);
      expect([...(store.load()?.links.keys() ?? [])]).toEqual(["alice~carol"]);
    });
  });

  it("[A1] a kick is remembered as long as the token may live, and ten thousand of them", () => {
    const crowd = new Crowd([]);
    const kick = (peer: string) => accepted(crowd.do({ type: "kick", peer, at: crowd.at }));
    const end = crowd.at + LONGEST_TOKEN_MS;
    accepted(crowd.join("joined"));
    // Either may hold a token that was made just now, a newer one than it has joined with.
    kick("joined");
    crowd.at += 1;
    kick("never-joined");
    expect([...crowd.session.kicked]).toEqual([
      ["joined", end],
      ["never-joined", end + 1],
    ]);
    // Its token is dead; a minute for clocks that differ.
    crowd.at = end + 60_000;
    kick("other");
    expect([...crowd.session.kicked.keys()]).toEqual(["never-joined", "other"]);
    expect(outcome(crowd.join("never-joined"))).toBe("unauthorized");
    const many = names(LIMITS.kickedPeers).map((name) => [name, crowd.at + 1] as const);
    crowd.session = { ...crowd.session, kicked: new Map(many) };
    kick("one-more");
    expect(crowd.session.kicked.size).toBe(LIMITS.kickedPeers);
    expect(crowd.session.kicked.has("p0")).toBe(false);
    expect(outcome(crowd.join("one-more"))).toBe("unauthorized");
    kick("p5");
    expect([...crowd.session.kicked.keys()].at(-1)).toBe("p5");
  });
});
