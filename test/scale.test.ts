import { describe, expect, it } from "vitest";
import { assistedLink } from "../protocol/assistance/derive.ts";
import type { FromPeer } from "../protocol/messages.ts";
import { revisionOf, type Session } from "../protocol/session.ts";
import { nextDeadline } from "../protocol/session-deadline.ts";
import { type SessionEvent, step } from "../protocol/step.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { accepted, PureSession } from "./pure-session.ts";

/** Counts how often somebody walks through it, or asks for one of its values. */
class CountedMap<K, V> extends Map<K, V> {
  walks = 0;
  gets = 0;

  override get(key: K): V | undefined {
    this.gets += 1;
    return super.get(key);
  }
  override entries() {
    this.walks += 1;
    return super.entries();
  }
  override keys() {
    this.walks += 1;
    return super.keys();
  }
  override values() {
    this.walks += 1;
    return super.values();
  }
  override forEach(...args: Parameters<Map<K, V>["forEach"]>) {
    this.walks += 1;
    super.forEach(...args);
  }
  override [Symbol.iterator]() {
    this.walks += 1;
    return super[Symbol.iterator]();
  }
}

const SERVER = "sfu";

/** A central session in which everybody has an exchange in force with the media server. */
function centralOf(peers: number): PureSession {
  const pure = new PureSession({ topology: "central", maxPeers: peers + 1 });
  accepted(pure.join(SERVER, "media-server"));
  for (let n = 0; n < peers; n++) {
    const peer = `peer${n}`;
    accepted(pure.join(peer));
    accepted(pure.send(peer, { type: "offer", sdp: sdpOf({ of: peer }) }));
    const sdp = sdpOf({ of: SERVER, setup: "active" });
    accepted(pure.send(SERVER, { type: "answer", to: peer, exchange: 1, sdp }));
  }
  return pure;
}

interface Counted {
  readonly walks: number;
  readonly gets: number;
}

/** What a frame looks at besides its own link, with what the object asks after it. */
function lookedAt({ session, at }: PureSession, message: FromPeer): Counted {
  const peers = new CountedMap(session.peers);
  const links = new CountedMap(session.links);
  const watched: Session = { ...session, peers, links };
  const event: SessionEvent = { type: "message", peer: "peer1", message, at };
  // The first frame after somebody came or a link changed may look at everything, once.
  nextDeadline(accepted(step(watched, event)).session);
  const of = (what: "walks" | "gets") => peers[what] + links[what];
  const [walks, gets] = [of("walks"), of("gets")];
  const result = accepted(step(watched, event));
  const deadline = nextDeadline(result.session);
  const counted = { walks: of("walks") - walks, gets: of("gets") - gets };
  expect(deadline).toBe(nextDeadline(session));
  expect(revisionOf(result.session)).toBe(revisionOf(session));
  return counted;
}

const FRAMES: Readonly<Record<string, FromPeer>> = {
  "a message": { type: "message", to: SERVER, body: "hello" },
  "a message to another peer": { type: "message", to: "peer0", body: "hello" },
  candidates: {
    type: "candidates",
    to: SERVER,
    exchange: 1,
    candidates: [candidateOf(1, "ufragpeer1")],
  },
  "candidates for the media server, which they do not name": {
    type: "candidates",
    exchange: 1,
    candidates: [candidateOf(2, "ufragpeer1")],
  },
  "a sign of life": { type: "alive", n: 1 },
};

describe("a session of many peers", () => {
  const [few, many] = [centralOf(2), centralOf(50)];

  it.each(Object.entries(FRAMES))(
    "[M20] %s looks at no peer and no link but its own",
    (_name, message) => {
      const looked = lookedAt(many, message);
      expect(looked.walks).toBe(0);
      expect(looked).toEqual(lookedAt(few, message));
    },
  );

  it("[R5] the deadline follows from whoever has come, gone or offered since", () => {
    const pure = centralOf(2);
    const before = nextDeadline(pure.session);
    expect(before).toBe(pure.at + 3_600_000);
    accepted(pure.send("peer0", { type: "offer", sdp: sdpOf({ of: "peer0", version: 2 }) }));
    expect(nextDeadline(pure.session)).toBe(pure.at + 60_000);
    accepted(pure.do({ type: "lost", peer: "peer1", at: pure.at }));
    expect(nextDeadline(pure.session)).toBe(pure.at + 60_000);
    accepted(pure.send("peer0", { type: "rollback", exchange: 2 }));
    const { resumeSeconds } = pure.session.config;
    expect(nextDeadline(pure.session)).toBe(pure.at + resumeSeconds * 1000);
    accepted(pure.join("peer1"));
    expect(nextDeadline(pure.session)).toBe(before);
  });

  it("[A2] the media server that a peer does not name is whoever is there by then", () => {
    const pure = new PureSession({ topology: "central" });
    accepted(pure.join("peer1"));
    const hello: FromPeer = { type: "offer", sdp: sdpOf({ of: "peer1" }) };
    const refused = { code: "no-media-server" };
    expect(pure.send("peer1", hello)).toMatchObject(refused);
    expect(pure.send("peer1", hello)).toMatchObject(refused);
    accepted(pure.join("one", "media-server"));
    accepted(pure.send("peer1", hello));
    expect(pure.take("one", "offer")).toHaveLength(1);
    accepted(pure.join("two", "media-server"));
    accepted(pure.send("peer1", { ...hello, sdp: sdpOf({ of: "peer1", version: 2 }) }));
    expect(pure.take("one", "offer")).toHaveLength(1);
    accepted(pure.do({ type: "lost", peer: "one", at: pure.at }));
    accepted(pure.send("peer1", hello));
    expect(pure.take("two", "offer")).toHaveLength(1);
  });
});

/** A mesh under ceilings in which everybody calls everybody, and a mobile network recommends something to the first. */
function meshOf(peers: number): PureSession {
  const pure = new PureSession({ maxUplinkBps: 2_000_000 });
  const names = Array.from({ length: peers }, (_, n) => `peer${n}`);
  for (const name of names) accepted(pure.join(name));
  for (const [n, from] of names.entries()) {
    for (const to of names.slice(n + 1)) {
      accepted(pure.send(from, { type: "offer", to, sdp: sdpOf({ of: from }) }));
      const sdp = sdpOf({ of: to, setup: "active" });
      accepted(pure.send(to, { type: "answer", to: from, exchange: 1, sdp }));
    }
  }
  const advised = { uplinkBps: 50_000 };
  const assistance = { network: "n", api: "nef", state: "granted", since: 0, advised } as const;
  const news = { link: "peer0~peer1", peer: "peer0", assistance, at: pure.at };
  accepted(pure.do({ type: "assistance", ...news }));
  return pure;
}

describe("a mesh of many peers under ceilings, in mobile networks", () => {
  /** What is wanted of networks for both ends of every link: how often all links are gone through for it. */
  function walksFor({ session }: PureSession): number {
    const links = new CountedMap(session.links);
    const watched: Session = { ...session, links };
    for (const link of session.links.values()) {
      for (const peer of link.peers) {
        expect(assistedLink(watched, link, peer)?.transports).toHaveLength(1);
      }
    }
    return links.walks;
  }

  it("[M20] one look goes through all links no oftener than that of a few peers", () => {
    const [few, many] = [walksFor(meshOf(3)), walksFor(meshOf(8))];
    expect(few).toBeLessThanOrEqual(2);
    expect(many).toBe(few);
  });
});
