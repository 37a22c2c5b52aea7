import { describe, expect, it } from "vitest";
import { LIMITS } from "../protocol/limits.ts";
import { accepted, outcome, PureSession } from "./pure-session.ts";

/** Who takes a place of a session (S7). */

const observers = Array.from({ length: LIMITS.observers }, (_none, n) => `o${n}`);

function watched(): PureSession {
  const session = new PureSession({ maxPeers: 2 });
  for (const id of observers) accepted(session.join(id, "observer"));
  return session;
}

function lose(session: PureSession, peer: string): void {
  session.at += 1000;
  accepted(session.do({ type: "lost", peer, at: session.at }));
}

describe("places", () => {
  it("[S7] a session takes all its peers however many look on, before or after", () => {
    const session = watched();
    accepted(session.join("alice"));
    accepted(session.join("server", "media-server"));
    expect(session.join("carol")).toMatchObject({ code: "session-full", maxPeers: 2 });
    expect(session.join("late", "observer")).toMatchObject({
      code: "too-many-observers",
      maxObservers: LIMITS.observers,
    });
    accepted(session.send("o3", { type: "leave" }));
    accepted(session.join("late", "observer"));
    expect(outcome(session.join("carol"))).toBe("session-full");
  });

  it("[S5] a peer that is lost keeps its place, and none is taken twice by whoever comes back", () => {
    const session = watched();
    accepted(session.join("alice"));
    accepted(session.join("bob"));
    lose(session, "alice");
    lose(session, "o1");
    expect(outcome(session.join("carol"))).toBe("session-full");
    accepted(session.join("alice"));
    accepted(session.join("o1", "observer"));
    expect(session.take("o1", "welcome")).toMatchObject([{ resumed: true }]);
  });

  it("[S7] observers that are lost give way to others, the first that was lost first, and leave with a reason", () => {
    const session = watched();
    accepted(session.join("alice"));
    for (const id of ["o5", "o2", "o9"]) lose(session, id);
    session.take("alice");
    accepted(session.join("new", "observer"));
    accepted(session.join("newer", "observer"));
    expect(
      session.take("alice").map((message) => ("peer" in message ? message : {})),
    ).toMatchObject([
      { type: "peer-left", peer: "o5", reason: "lost" },
      { type: "peer-joined", peer: { id: "new" } },
      { type: "peer-left", peer: "o2", reason: "lost" },
      { type: "peer-joined", peer: { id: "newer" } },
    ]);
    // Whoever had to go comes as anybody else does.
    accepted(session.join("o5", "observer"));
    expect(session.take("o5", "welcome")).toMatchObject([{ resumed: false }]);
    expect(session.session.peers.has("o9")).toBe(false);
    expect(outcome(session.join("o2", "observer"))).toBe("too-many-observers");
  });
});
