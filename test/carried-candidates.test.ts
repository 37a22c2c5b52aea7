import { describe, expect, it } from "vitest";
import { LIMITS } from "../protocol/limits.ts";
import type { LinkView } from "../protocol/message-parts.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { accepted, PureSession } from "./pure-session.ts";

/** Candidates of an ICE generation that goes on through a new offer/answer pair. */

interface Exchange {
  readonly number: number;
  readonly ufrag?: string;
  readonly bobs?: string;
  /** What alice trickles once the offer is open. */
  readonly more?: readonly object[];
  readonly complete?: boolean;
  readonly offer?: string;
}

function exchange(pure: PureSession, { number, ufrag, bobs, more, complete, offer }: Exchange) {
  const shape = { version: number, ...(ufrag === undefined ? {} : { ufrag }) };
  const sdp = offer ?? sdpOf(shape);
  accepted(pure.send("alice", { type: "offer", to: "bob", sdp }));
  trickle(pure, "alice", number, more ?? [], complete);
  const answer = { setup: "active", version: number, ...(bobs ? { ufrag: bobs } : {}) } as const;
  accepted(pure.send("bob", { type: "answer", to: "alice", exchange: number, sdp: sdpOf(answer) }));
}

function trickle(
  pure: PureSession,
  from: "alice" | "bob",
  number: number,
  candidates: readonly object[],
  complete?: boolean,
) {
  if (candidates.length === 0 && !complete) return;
  const to = from === "alice" ? "bob" : "alice";
  const end = complete ? { complete } : {};
  const list = candidates as { candidate: string }[];
  accepted(pure.send(from, { type: "candidates", to, exchange: number, candidates: list, ...end }));
}

function pair(config: object = {}): PureSession {
  const pure = new PureSession(config);
  pure.join("alice");
  pure.join("bob");
  return pure;
}

/** What anybody reads of the candidates of a peer. */
function kept(pure: PureSession, peer: string): LinkView["candidates"] {
  const step = accepted(pure.send("alice", { type: "state", id: 1, to: "bob" }));
  return step.ack?.links?.[0]?.candidates.filter(({ from }) => from === peer) ?? [];
}

describe("candidates of a generation that goes on", () => {
  it("[N6] belong to the pair that is in force now, before those that came with it", () => {
    const pure = pair();
    exchange(pure, { number: 1, more: [candidateOf(1), candidateOf(2)] });
    trickle(pure, "bob", 1, [candidateOf(7, "ufragbob")], true);
    exchange(pure, { number: 2, more: [candidateOf(2), candidateOf(3)], complete: true });
    expect(kept(pure, "alice")).toEqual([
      {
        from: "alice",
        exchange: 2,
        candidates: [candidateOf(1), candidateOf(2), candidateOf(3)],
        complete: true,
      },
    ]);
    expect(kept(pure, "bob")).toEqual([
      { from: "bob", exchange: 2, candidates: [candidateOf(7, "ufragbob")], complete: true },
    ]);
  });

  it("[R2] reach a peer that lost its socket before it had read them", () => {
    const pure = pair();
    exchange(pure, { number: 1 });
    trickle(pure, "alice", 1, [candidateOf(1)]);
    pure.do({ type: "lost", peer: "bob", at: pure.at });
    pure.join("bob");
    exchange(pure, { number: 2 });
    pure.do({ type: "lost", peer: "bob", at: pure.at });
    pure.join("bob");
    expect(pure.take("bob", "candidates")).toMatchObject([
      { from: "alice", exchange: 2, candidates: [candidateOf(1)] },
    ]);
  });

  it("[N5] are told the other side once", () => {
    const pure = pair();
    exchange(pure, { number: 1 });
    trickle(pure, "bob", 1, [candidateOf(7, "ufragbob")]);
    pure.take("alice");
    exchange(pure, { number: 2 });
    expect(pure.take("alice", "candidates")).toEqual([]);
  });

  it("[N5] are over with an ICE restart, on both sides", () => {
    const pure = pair();
    exchange(pure, { number: 1, more: [candidateOf(1)] });
    trickle(pure, "bob", 1, [candidateOf(7, "ufragbob")]);
    exchange(pure, {
      number: 2,
      ufrag: "restarted",
      bobs: "again",
      more: [candidateOf(2, "restarted")],
    });
    expect(kept(pure, "alice").map(({ candidates }) => candidates)).toEqual([
      [candidateOf(2, "restarted")],
    ]);
    expect(kept(pure, "bob")).toEqual([]);
  });

  it("[N6] need not name it", () => {
    const pure = pair();
    const unnamed = { candidate: "candidate:1 1 udp 1 192.0.2.1 4000 typ host", sdpMid: "0" };
    exchange(pure, { number: 1, more: [unnamed] });
    exchange(pure, { number: 2 });
    expect(kept(pure, "alice")).toMatchObject([{ exchange: 2, candidates: [unnamed] }]);
  });

  it("[S7] give way to new ones where there is no room for both", () => {
    const pure = pair();
    const many = Array.from({ length: LIMITS.candidates }, (_none, n) => candidateOf(n));
    exchange(pure, { number: 1, more: many });
    exchange(pure, { number: 2, more: [candidateOf(999)] });
    expect(kept(pure, "alice")).toMatchObject([{ exchange: 2, candidates: [candidateOf(999)] }]);
  });

  it("[D1] are not known of a description that cannot be read", () => {
    const pure = pair({ sdpPolicy: "report" });
    exchange(pure, { number: 1, more: [candidateOf(1)] });
    exchange(pure, { number: 2, offer: "no description" });
    expect(kept(pure, "alice")).toEqual([]);
  });
});
