import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ToPeer, Welcome } from "../protocol/messages.ts";
import { type Peer, withPeer } from "../protocol/session.ts";
import { SessionRequest } from "../protocol/session-config.ts";
import { USUAL, withoutUsual, withUsual } from "../protocol/usual-values.ts";
import { viewPeer, welcome } from "../protocol/views.ts";
import { PureSession } from "./pure-session.ts";

/** What a socket with `?defaults=omit` is not sent, and what its reader makes of that. */

const kinds = fc.subarray(["audio", "video", "data"] as const).map((list) => [...list]);

const peers: fc.Arbitrary<Peer> = fc.record({
  id: fc.constant("alice"),
  role: fc.constantFrom("peer", "media-server", "observer"),
  publish: kinds,
  subscribe: kinds,
  tokenExpiresAt: fc.nat(),
  joinedAt: fc.nat(),
  connection: fc.nat(),
  awayUntil: fc.option(fc.nat()),
});

const configs = fc.record({
  topology: fc.constantFrom("mesh" as const, "central" as const),
  maxPeers: fc.constantFrom(2, 16),
  sdpPolicy: fc.constantFrom("enforce" as const, "report" as const),
  iceTransportPolicy: fc.constantFrom("all" as const, "relay" as const),
  resumeSeconds: fc.constantFrom(60, 61),
});

const told = (message: ToPeer): unknown => JSON.parse(JSON.stringify(withoutUsual(message)));

const welcomeOf = (peer: Peer, config: SessionRequest, resumed: boolean, ...others: Peer[]) => {
  let { session } = new PureSession(config);
  for (const each of [peer, ...others]) session = withPeer(session, each);
  return welcome(session, peer, resumed, { iceServers: [{ urls: ["stun:192.0.2.1"] }] });
};

describe("usual values", () => {
  it("[S7] are those of a session and a peer that are made without saying anything", () => {
    const { topology, sdpPolicy, iceTransportPolicy, resumeSeconds, maxPeers } =
      SessionRequest.parse({});
    expect(USUAL.session).toEqual({ topology, sdpPolicy, iceTransportPolicy, resumeSeconds });
    expect(USUAL.limits.peers).toBe(maxPeers);
    const pure = new PureSession();
    pure.join("alice");
    const [frame] = pure.take("alice");
    const { peer, session, ...rest } = told(frame as ToPeer) as Welcome;
    expect(Object.keys(peer)).toEqual(["id", "joinedAt"]);
    expect(Object.keys(session)).toEqual(["id", "createdAt"]);
    expect(Object.keys(rest)).toEqual(["type", "iceServers", "tokenExpiresAt"]);
  });

  it("[R2] of limits never change: SDKs that are out there know them so", () => {
    expect(USUAL.limits).toEqual({
      messageBytes: 1_048_576,
      sdpBytes: 524_288,
      bodyBytes: 16_384,
      candidates: 256,
      candidateBytes: 65_536,
      pendingOfferBytes: 4_194_304,
      sessionSdpBytes: 33_554_432,
      messagesPerSecond: 100,
      messageBurst: 400,
      offerExpirySeconds: 60,
      peers: 16,
    });
  });

  it("[R2] whatever is left out comes back", () => {
    fc.assert(
      fc.property(peers, peers, configs, fc.boolean(), (peer, other, config, resumed) => {
        const alone = welcomeOf(peer, config, resumed);
        expect(withUsual(told(alone) as ToPeer)).toEqual(JSON.parse(JSON.stringify(alone)));
        const both = welcomeOf(peer, config, resumed, { ...other, id: "bob" });
        expect(withUsual(told(both) as ToPeer)).toEqual(JSON.parse(JSON.stringify(both)));
        const joined: ToPeer = { type: "peer-joined", peer: viewPeer(other) };
        expect(withUsual(told(joined) as ToPeer)).toEqual(joined);
      }),
      { seed: 22, numRuns: 300 },
    );
  });

  it("[R2] are left out of nothing else", () => {
    const left: ToPeer = { type: "peer-left", peer: "bob", reason: "left" };
    expect(withoutUsual(left)).toBe(left);
    expect(withUsual(left)).toBe(left);
    expect(withUsual({ type: "pong" })).toEqual({ type: "pong" });
  });
});
