import fc from "fast-check";
import { expect, it } from "vitest";
import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import { isProblem } from "../protocol/problem.ts";
import { linkIdOf, revisionOf } from "../protocol/session.ts";
import { nextDeadline } from "../protocol/session-deadline.ts";
import { candidateOf, sdpOf } from "./descriptions.ts";
import { PureSession } from "./pure-session.ts";

/**
 * A client that only believes what it was told, and is told late: messages wait in its inbox until the
 * run lets it read them, so that it acts on an old view as real clients do.
 */
class Client {
  /** Per other peer: the exchanges it believes open and in force. */
  readonly links = new Map<string, { open: number | null; inForce: number | null }>();
  readonly present = new Set<string>();

  link(peer: string) {
    const known = this.links.get(peer) ?? { open: null, inForce: null };
    this.links.set(peer, known);
    return known;
  }

  hear(message: ToPeer): void {
    switch (message.type) {
      case "welcome":
        this.links.clear();
        this.present.clear();
        for (const { id } of message.peers) this.present.add(id);
        for (const { peers, state, exchange, has } of message.links) {
          const other = peers.find((peer) => peer !== message.peer.id);
          const answered = has.find(({ description }) => description === "answer");
          if (!other) continue;
          this.link(other).open = state === "offered" ? exchange : null;
          this.link(other).inForce = answered?.exchange ?? null;
        }
        break;
      case "peer-joined":
        expect(this.present.has(message.peer.id)).toBe(false);
        this.present.add(message.peer.id);
        break;
      case "peer-left":
        expect(this.present.delete(message.peer)).toBe(true);
        this.links.delete(message.peer);
        break;
      case "offer":
        this.link(message.from).open = message.exchange;
        break;
      case "answer":
        Object.assign(this.link(message.from), { open: null, inForce: message.exchange });
        break;
      case "reject":
      case "rollback":
      case "expired":
        this.link(message.from).open = null;
        break;
      case "candidates": {
        const link = this.link(message.from);
        // N5: never before the description they belong to.
        expect([link.open, link.inForce]).toContain(message.exchange);
        break;
      }
      default:
        break;
    }
  }
}

const PEERS = ["a", "b", "c"] as const;
type Name = (typeof PEERS)[number];

const actions = fc.oneof(
  { weight: 2, arbitrary: fc.constant("join" as const) },
  { weight: 1, arbitrary: fc.constantFrom("lose" as const, "leave" as const) },
  { weight: 8, arbitrary: fc.constantFrom("offer" as const, "answer" as const) },
  { weight: 4, arbitrary: fc.constantFrom("candidates" as const, "read" as const) },
  { weight: 2, arbitrary: fc.constantFrom("reject" as const, "rollback" as const) },
  { weight: 1, arbitrary: fc.constantFrom("alarm" as const, "transport" as const) },
);

const move = fc.record({
  actor: fc.constantFrom(...PEERS),
  other: fc.constantFrom(...PEERS),
  action: actions,
  n: fc.nat({ max: 9 }),
});
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

class Run {
  readonly pure = new PureSession({ resumeSeconds: 30 });
  readonly clients = new Map<Name, Client>(PEERS.map((name) => [name, new Client()]));
  readonly #requests: { other: Name; message: FromPeer }[] = [];
  #version = 0;

  client(name: Name): Client {
    return this.clients.get(name)!;
  }

  readAll(name: Name): void {
    for (const message of this.pure.take(name)) {
      if (message.type === "ack") this.#believe(name, message.re, message.exchange);
      else this.client(name).hear(message);
    }
  }

  #message({ actor, other, action, n }: Move): FromPeer | undefined {
    const link = this.client(actor).link(other);
    // Sometimes what the client believes, sometimes any number.
    const exchange = n > 7 ? n : (link.open ?? link.inForce ?? 1);
    switch (action) {
      case "offer":
        this.#version += 1;
        return { type: "offer", to: other, sdp: sdpOf({ of: actor, version: this.#version }) };
      case "answer":
        this.#version += 1;
        return {
          type: "answer",
          to: other,
          exchange,
          // Roles of a DTLS association never change, whoever answers.
          sdp: sdpOf({
            of: actor,
            setup: actor < other ? "active" : "passive",
            version: this.#version,
          }),
        };
      case "candidates":
        return {
          type: "candidates",
          to: other,
          exchange,
          candidates: [candidateOf(n, `ufrag${actor}`)],
        };
      case "reject":
      case "rollback":
        return { type: action, to: other, exchange };
      case "transport":
        return { type: "transport", to: other, state: "connected" };
      case "leave":
        return { type: "leave" };
      default:
        return undefined;
    }
  }

  do(made: Move): void {
    const { actor, action, other } = made;
    const { pure } = this;
    const before = pure.session;
    const revision = revisionOf(before);
    if (action === "read") this.readAll(actor);
    else if (action === "join") pure.join(actor);
    else if (action === "lose") pure.do({ type: "lost", peer: actor, at: pure.at });
    else if (action === "alarm") {
      pure.at = Math.max(pure.at, nextDeadline(pure.session) ?? pure.at);
      if (pure.at > (before.emptySince ?? Number.POSITIVE_INFINITY) + 290_000) return;
      pure.do({ type: "alarm", at: pure.at });
    } else {
      const message = this.#message(made);
      if (!message || pure.session.peers.get(actor)?.awayUntil !== null) return;
      const result = pure.send(actor, message);
      // A refused event changes nothing at all.
      if (isProblem(result)) {
        expect(pure.session).toBe(before);
        return;
      }
      // The ack comes after all that is on its way to the sender already.
      const re = this.#requests.push({ other, message });
      pure.deliver(actor, { type: "ack", re, ...result.ack });
    }
    expect(revisionOf(pure.session)).toBeGreaterThanOrEqual(revision);
  }

  /** What a client knows from the ack of its own message. */
  #believe(actor: Name, re: number, acked: number | undefined): void {
    const request = this.#requests[re - 1];
    if (!request) return;
    const { other, message } = request;
    const link = this.client(actor).link(other);
    if (message.type === "offer") link.open = acked ?? null;
    if (message.type === "answer") Object.assign(link, { open: null, inForce: message.exchange });
    if (message.type === "reject" || message.type === "rollback") link.open = null;
  }

  /** Everyone is back and has read everything: both ends and the server agree on every link. */
  settle(): void {
    for (const name of PEERS) {
      const peer = this.pure.session.peers.get(name);
      if (peer?.awayUntil === null) continue;
      if (peer) this.pure.join(name);
    }
    for (const name of PEERS) this.readAll(name);
    for (const name of PEERS) {
      if (!this.pure.session.peers.has(name)) continue;
      for (const other of PEERS) {
        if (other === name || !this.pure.session.peers.has(other)) continue;
        const link = this.pure.session.links.get(linkIdOf(name, other));
        const { open, inForce } = this.client(name).link(other);
        expect({ open, inForce }).toEqual({
          open: link?.open?.exchange ?? null,
          inForce: link?.inForce?.exchange ?? null,
        });
      }
      expect([...this.client(name).present].sort()).toEqual(
        [...this.pure.session.peers.keys()].filter((id) => id !== name).sort(),
      );
    }
  }
}

it("[R3] after any sequence of events a refused one changed nothing and both ends agree", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 24 }), (moves) => {
      const run = new Run();
      run.pure.join("a");
      run.pure.join("b");
      for (const made of moves) run.do(made);
      run.settle();
    }),
    { numRuns: 10_000 },
  );
}, 120_000);
