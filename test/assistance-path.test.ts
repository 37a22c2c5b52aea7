import { describe, expect, it } from "vitest";
import type { LinkKnowledge } from "../protocol/assistance/derive.ts";
import { plainAddress } from "../protocol/assistance/path-candidates.ts";
import type { SelectedPair } from "../protocol/transport.ts";
import { AssistedCall } from "./assisted-call.ts";
import { pairOf } from "./flow-call.ts";
import { AUDIO, textOf, VIDEO } from "./link-negotiation.ts";

const MEDIA = ["a=group:BUNDLE 0", AUDIO, "a=mid:0", "a=rtcp-mux"];
const CREDENTIALS = ["a=ice-ufrag:abcd", "a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa"];

/** A call of which nothing is known yet. */
const blank = (config = {}) => AssistedCall.of([textOf(...MEDIA), textOf(...MEDIA)], config);

const host = (address: string, port = 1000) => `1 1 udp 2113937151 ${address} ${port} typ host`;
const srflx = (address: string, port: number, base = "0.0.0.0", basePort = 0) =>
  `2 1 udp 1677729535 ${address} ${port} typ srflx raddr ${base} rport ${basePort}`;
const relayed = (address: string, port = 50_000, base = "0.0.0.0", basePort = 0) =>
  `3 1 udp 41885439 ${address} ${port} typ relay raddr ${base} rport ${basePort}`;

const TURN: LinkKnowledge = { relay: [{ address: "198.51.100.1", port: 3478 }] };
const NAMED: LinkKnowledge = {
  relay: [{ domain: "turn.example.net", port: 443, protocol: "tcp" }],
};

describe("a selected pair", () => {
  it("[M13] as the UE reports it: its interface, and the other end as it sees it", () => {
    const call = blank().select(
      "a",
      { address: "10.0.0.5", port: 4000, protocol: "udp" },
      { address: "198.51.100.9", port: 5000, candidateType: "srflx" },
    );
    expect(call.path("a", { seen: "203.0.113.7" })).toEqual({
      known: "pair",
      protocol: "udp",
      ue: { address: "10.0.0.5", port: 4000 },
      uePublic: { address: "203.0.113.7" },
      remotes: [{ address: "198.51.100.9", port: 5000 }],
      isRelayed: false,
    });
  });

  it("[M13] the other end's report, reversed, tells the public address of the UE", () => {
    const call = blank().select(
      "b",
      { address: "198.51.100.9", port: 5000, candidateType: "host" },
      { address: "203.0.113.7", port: 4444, candidateType: "prflx" },
    );
    expect(call.path("a")).toMatchObject({
      known: "pair",
      uePublic: { address: "203.0.113.7", port: 4444 },
      remotes: [{ address: "198.51.100.9", port: 5000 }],
    });
    expect(call.path("a").ue).toBeUndefined();
    expect(call.path("a").isHearsay).toBe(true);
    expect(call.path("b")).not.toHaveProperty("isHearsay");
    call.select("a", { address: "10.0.0.5", port: 4000 }, { address: "198.51.100.9", port: 5000 });
    expect(call.path("a")).toMatchObject({
      ue: { address: "10.0.0.5", port: 4000 },
      uePublic: { address: "203.0.113.7", port: 4444 },
    });
    expect(call.path("a")).not.toHaveProperty("isHearsay");
  });

  it("[M13] names that hide addresses are filled in from the other end's report", () => {
    const name = "0f1e2d3c-0000-4000-8000-000000000000.local";
    const call = blank()
      .select("a", { address: name, port: 4000 }, { address: name, port: 5000 })
      .select("b", { address: "10.0.0.6", port: 5000 }, { address: "10.0.0.5", port: 4000 });
    expect(call.path("a")).toMatchObject({
      ue: { address: "10.0.0.5", port: 4000 },
      remotes: [{ address: "10.0.0.6", port: 5000 }],
    });
    const byOther = blank().select("b", { address: name }, { address: name });
    expect(byOther.path("a")).toMatchObject({ known: "pair", remotes: [] });
    byOther.select("a", { address: "10.0.0.5", port: 4000 }, { address: "10.0.0.6", port: 5000 });
    expect(byOther.path("a")).toMatchObject({ ue: { address: "10.0.0.5", port: 4000 } });
    const alone = blank().select("a", { address: name, port: 4000 }, { address: name, port: 5000 });
    expect(alone.path("a")).toEqual({
      ...{ known: "pair", protocol: "udp", remotes: [], isRelayed: false },
    });
  });

  it("[M13] a reflexive candidate is the public side, what it is related to the interface", () => {
    const call = blank().select(
      "a",
      {
        ...{ candidateType: "srflx", address: "203.0.113.7", port: 4444 },
        ...{ relatedAddress: "10.0.0.5", relatedPort: 4000 },
      },
      { address: "198.51.100.9", port: 5000 },
    );
    expect(call.path("a")).toMatchObject({
      ue: { address: "10.0.0.5", port: 4000 },
      uePublic: { address: "203.0.113.7", port: 4444 },
    });
  });

  it("[M13] behind a TURN server that is all the network sees, and it is seen from outside", () => {
    const call = blank().select(
      "a",
      {
        ...{ candidateType: "relay", address: "198.51.100.1", port: 50_000, relayProtocol: "udp" },
        ...{ url: "turn:198.51.100.1:3478", relatedAddress: "203.0.113.7", relatedPort: 4444 },
      },
      { address: "192.0.2.9", port: 5000 },
    );
    expect(call.path("a")).toEqual({
      known: "pair",
      protocol: "udp",
      uePublic: { address: "203.0.113.7", port: 4444 },
      remotes: [{ address: "198.51.100.1", port: 3478 }],
      isRelayed: true,
    });
    // Its own interface is another one: somebody translates.
    call.trickle("a", host("10.0.0.5"));
    expect(call.path("a")).toMatchObject({
      ue: { address: "10.0.0.5" },
      uePublic: { address: "203.0.113.7", port: 4444 },
    });
  });

  it("[M13] a TURN server inside the network sees the UE's own address", () => {
    const own = { address: "10.45.0.2", port: 4444 };
    const call = blank().select(
      "a",
      {
        ...{ candidateType: "relay", url: "turn:10.1.0.1", relayProtocol: "udp" },
        ...{ relatedAddress: own.address, relatedPort: own.port },
      },
      { address: "192.0.2.9", port: 5000 },
    );
    expect(call.path("a")).toMatchObject({ ue: own, uePublic: own });
    // So does a signalling server inside it, where a relay-only browser tells nothing.
    const hidden = blank({ iceTransportPolicy: "relay" });
    const inside = { address: own.address };
    expect(hidden.path("a", { ...TURN, seen: own.address })).toMatchObject({
      ...{ known: "relay", ue: inside, uePublic: inside },
    });
  });

  it("[M13] a TURN server over TLS is TCP to the network, and may be known by name alone", () => {
    const tls = { url: "turns:turn.example.net", relayProtocol: "tls" };
    const call = blank().select(
      "a",
      { candidateType: "relay", ...tls },
      { address: "192.0.2.9", port: 5000 },
    );
    expect(call.path("a")).toEqual({
      ...{ known: "pair", protocol: "tcp", remotes: [], remoteDomain: "turn.example.net" },
      isRelayed: true,
    });
    const relay = [{ domain: "turn.example.net", address: "198.51.100.1" }];
    expect(call.path("a", { relay })).toMatchObject({
      remotes: [{ address: "198.51.100.1", port: 5349 }],
      remoteDomain: "turn.example.net",
    });
    const unnamed = blank().select("a", { candidateType: "relay" }, { address: "192.0.2.9" });
    expect(unnamed.path("a")).toMatchObject({ known: "pair", remotes: [], isRelayed: true });
    // What the other end sees of it is beyond the server.
    unnamed.select(
      "b",
      { address: "192.0.2.9", port: 1 },
      { candidateType: "host", address: "1.2.3.4" },
    );
    expect(unnamed.path("a").remotes).toEqual([]);
  });

  it("[M13] Firefox does not name the TURN server of a pair: it is one that speaks the protocol of its hop", () => {
    const other = { address: "192.0.2.9", port: 5000 };
    const relay = { candidateType: "relay", address: "198.51.100.1", port: 50_000 } as const;
    const call = blank({ iceTransportPolicy: "relay" });
    const before = call.path("a", { ...TURN, seen: "10.45.0.2" });
    call.select("a", { ...relay, protocol: "udp", relayProtocol: "udp" }, other);
    expect(call.path("a", { ...TURN, seen: "10.45.0.2" })).toEqual({ ...before, known: "pair" });
    const both: LinkKnowledge = {
      relay: [
        { domain: "turn.example.net", port: 3478, protocol: "udp" },
        { domain: "turn.example.net", port: 5349, protocol: "tcp" },
        { address: "198.51.100.1", port: 443, protocol: "tcp" },
      ],
    };
    call.select("a", { ...relay, protocol: "udp", relayProtocol: "tls" }, other);
    expect(call.path("a", both)).toMatchObject({
      ...{ known: "pair", protocol: "tcp", remoteDomain: "turn.example.net" },
      remotes: [{ address: "198.51.100.1" }],
    });
    // One of its own, which is none of this deployment's.
    call.select("a", { ...relay, address: "198.51.100.2", relayProtocol: "udp" }, other);
    expect(call.path("a", TURN)).toMatchObject({
      ...{ known: "pair", protocol: "udp", remotes: [{ address: "198.51.100.2" }] },
    });
    call.select("a", relay, other);
    expect(call.path("a", both).remotes).toEqual([{ address: "198.51.100.1" }]);
    expect(call.path("a", both)).not.toHaveProperty("protocol");
  });

  it("[M13] the other end tells that the UE is behind a relay, not how", () => {
    const call = blank().select(
      "b",
      { address: "192.0.2.9", port: 5000 },
      { candidateType: "relay", address: "198.51.100.2", port: 50_000 },
    );
    expect(call.path("a")).toMatchObject({
      remotes: [{ address: "198.51.100.2" }],
      isRelayed: true,
    });
    // That is no server of this deployment.
    expect(call.path("a", TURN).remotes).toEqual([{ address: "198.51.100.2" }]);
    const hidden = blank().select("b", { address: "192.0.2.9" }, { candidateType: "relay" });
    expect(hidden.path("a", NAMED)).toMatchObject({
      ...{ protocol: "tcp", remotes: [], remoteDomain: "turn.example.net" },
    });
    expect(hidden.path("a", TURN)).toMatchObject({
      ...{ protocol: "udp", remotes: [{ address: "198.51.100.1", port: 3478 }] },
    });
    expect(hidden.path("a")).toMatchObject({ remotes: [] });
    expect(hidden.path("a")).not.toHaveProperty("protocol");
  });

  it("[M13] the other side's relay is the first hop that the UE's network sees", () => {
    const end = { candidateType: "relay", address: "198.51.100.2", port: 50_000 } as const;
    const own = { address: "192.0.2.5", port: 4000 };
    for (const call of [blank().select("a", own, end), blank().select("b", end, own)]) {
      expect(call.path("a")).toMatchObject({
        ...{ ue: own, remotes: [{ address: "198.51.100.2", port: 50_000 }], isRelayed: true },
      });
    }
  });

  it("[M13] a private address of the other end is what its NAT makes of it", () => {
    const call = blank().select(
      "b",
      { address: "10.0.0.6", port: 5000 },
      { candidateType: "prflx", address: "203.0.113.7", port: 4444, protocol: "udp" },
    );
    expect(call.path("a").remotes).toEqual([{ address: "10.0.0.6", port: 5000 }]);
    call.trickle("b", srflx("198.51.100.9", 6000, "10.0.0.6", 5000));
    expect(call.path("a").remotes).toEqual([{ address: "198.51.100.9", port: 6000 }]);
  });

  it("[M13] IPv6 has no NAT: the address is the same on both sides of nothing", () => {
    const call = blank().select(
      "a",
      { address: "2001:DB8::5", port: 4000 },
      { address: "[2001:db8::9]", port: 5000 },
    );
    const ue = { address: "2001:db8::5", port: 4000 };
    expect(call.path("a", { seen: "203.0.113.7" })).toMatchObject({
      ...{ ue, uePublic: ue, remotes: [{ address: "2001:db8::9", port: 5000 }] },
    });
    const byOther = blank().select("b", { address: "2001:db8::9", port: 5000 }, ue);
    expect(byOther.path("a")).toMatchObject({ ue, uePublic: ue });
  });

  it("[M13] media are of the IP version that the UE's candidates have, whatever its signalling takes", () => {
    const call = blank().trickle("a", host("203.0.113.7", 4000), { candidate: "", sdpMid: "0" });
    call.trickle("b", host("192.0.2.9", 5000), host("2001:db8:ffff::9", 5000));
    const seen = "2001:db8:a::7";
    const ue = { address: "203.0.113.7", port: 4000 };
    expect(call.path("a", { seen })).toMatchObject({ ue, uePublic: ue });
    // What is hidden behind a name may be of the other one.
    call.trickle("a", host("0f5c1a7e-1d5e-4a27-9c1c-3d2b1a0f9e8d.local", 4001));
    expect(call.path("a", { seen }).ue).toEqual({ address: seen });
  });

  it("[M13] a port that is not known is left out", () => {
    const call = blank().select("b", { address: "192.0.2.9" }, { address: "192.0.2.5" });
    expect(call.path("a")).toMatchObject({
      ...{ ue: { address: "192.0.2.5" }, remotes: [{ address: "192.0.2.9" }] },
    });
  });

  it("[M13] RTCP has a path of its own where it is not multiplexed", () => {
    const media = MEDIA.slice(0, -1);
    const pair = [textOf(...media), textOf(...media)] as const;
    const ends = [
      { address: "192.0.2.5", port: 4000 },
      { address: "192.0.2.9", port: 5000 },
    ] as const;
    const rtcp = (one: number, other: number) => ({
      rtcpPair: {
        local: { candidateType: "host", address: "192.0.2.5", port: one, protocol: "udp" },
        remote: { candidateType: "host", address: "192.0.2.9", port: other, protocol: "udp" },
      } satisfies SelectedPair,
    });
    const call = AssistedCall.of(pair);
    expect(call.of("a").transports[0]).toMatchObject({ rtcpMux: false });
    expect(call.of("a").transports[0]?.rtcpPath).toBeUndefined();
    call.select("a", ...ends, rtcp(4001, 5001));
    const ue = { address: "192.0.2.5", port: 4001 };
    const other = { address: "192.0.2.9", port: 5001 };
    expect(call.of("a").transports[0]?.rtcpPath).toMatchObject({ ue, remotes: [other] });
    expect(call.of("b").transports[0]?.rtcpPath).toMatchObject({ ue: other, remotes: [ue] });
    const hidden = AssistedCall.of(pair).select("a", ...ends, {
      rtcpPair: { local: { candidateType: "relay" }, remote: { candidateType: "host" } },
    });
    expect(hidden.of("a").transports[0]?.rtcpPath).toEqual({
      ...{ known: "pair", ue: { address: "192.0.2.5" }, remotes: [], isRelayed: true },
    });
    expect(hidden.of("b").transports[0]?.rtcpPath).toBeUndefined();
  });

  it("[M13] of ICE over TCP (RFC 6544) it is TCP", () => {
    const ends = [
      { address: "192.0.2.5", port: 4000, protocol: "tcp" },
      { address: "192.0.2.9", port: 5000 },
    ] as const;
    for (const call of [blank().select("a", ...ends), blank().select("b", ends[1], ends[0])]) {
      expect(call.path("a").protocol).toBe("tcp");
    }
    // An active end has no port until it connects: 9 stands for it (RFC 6544 s4.5).
    const active = blank().select("b", { ...ends[1], protocol: "tcp", port: 9 }, ends[0]);
    expect(active.path("a").remotes).toEqual([{ address: "192.0.2.9" }]);
    const mapped = { ...ends[0], candidateType: "srflx", port: 9 } as const;
    expect(blank().select("a", mapped, ends[1]).path("a").uePublic).not.toHaveProperty("port");
  });

  it("[M13] over TCP no port is that of a candidate for UDP", () => {
    const call = blank().trickle("a", host("10.0.0.5", 4000));
    const server = { address: "198.51.100.9", port: 443, protocol: "tcp" } as const;
    call.select("b", server, { address: "203.0.113.7", port: 51_344, candidateType: "prflx" });
    expect(call.path("a")).toMatchObject({
      protocol: "tcp",
      ue: { address: "10.0.0.5" },
      uePublic: { address: "203.0.113.7", port: 51_344 },
    });
    expect(call.path("a").ue).not.toHaveProperty("port");
    // Where nobody translates, the other end sees it.
    call.select("b", server, { address: "10.0.0.5", port: 51_344, candidateType: "prflx" });
    expect(call.path("a").ue).toEqual({ address: "10.0.0.5", port: 51_344 });
    call.select("a", { address: "10.0.0.5", port: 51_000, protocol: "tcp" }, server);
    expect(call.path("a").ue).toEqual({ address: "10.0.0.5", port: 51_000 });
  });

  it("[M13] RTCP goes from the UE's own address, whatever others see", () => {
    const pair = [textOf(...MEDIA.slice(0, -1)), textOf(...MEDIA.slice(0, -1))] as const;
    const end = (address: string, port: number) =>
      ({ candidateType: "host", address, port, protocol: "udp" }) as const;
    const call = AssistedCall.of(pair);
    const rtcp = (by: AssistedCall) => by.of("a").transports[0]?.rtcpPath;
    const other = { address: "198.51.100.9", port: 5000 };
    const mapped = { candidateType: "srflx", address: "203.0.113.7", port: 4445 } as const;
    call.select(
      "b",
      other,
      { ...mapped, port: 4444 },
      {
        rtcpPair: { local: end(other.address, 5001), remote: mapped },
      },
    );
    const remotes = [{ address: other.address, port: 5001 }];
    expect(rtcp(call)).toEqual({
      ...{ known: "pair", protocol: "udp", remotes, isRelayed: false },
    });
    call.trickle("a", host("10.0.0.5", 4000));
    expect(rtcp(call)).toMatchObject({ ue: { address: "10.0.0.5" }, remotes });
    expect(rtcp(call)?.ue).not.toHaveProperty("port");
    const nameless = AssistedCall.of(pair).select("a", end("10.0.0.5", 4000), other, {
      rtcpPair: { local: end("10.0.0.5", 4001), remote: end("x.local", 5001) },
    });
    expect(rtcp(nameless)).toMatchObject({ ue: { port: 4001 }, remotes: [] });
    const relay = {
      candidateType: "relay",
      url: "turn:198.51.100.1",
      relayProtocol: "tls",
    } as const;
    const related = (relatedAddress: string, relatedPort: number) =>
      ({ ...relay, relatedAddress, relatedPort }) as const;
    for (const [address, port] of [
      ["10.45.0.2", 4445],
      ["203.0.113.7", undefined],
    ] as const) {
      const behind = AssistedCall.of(pair).trickle("a", host("10.45.0.2", 4000));
      behind.select("a", related(address, 4444), other, {
        rtcpPair: { local: related(address, 4445), remote: end(other.address, 5001) },
      });
      expect(rtcp(behind)).toEqual({
        ...{ known: "pair", protocol: "tcp", isRelayed: true },
        ue: { address: "10.45.0.2", ...(port && { port }) },
        remotes: [{ address: "198.51.100.1", port: 3478 }],
      });
    }
  });

  it("[M13] an ICE restart makes it unknown again", () => {
    const media = (ufrag: string) =>
      [
        textOf(...MEDIA, `a=ice-ufrag:${ufrag}`, `a=ice-pwd:pwd-of-${ufrag}`),
        textOf(...MEDIA, `a=ice-ufrag:${ufrag}b`, `a=ice-pwd:pwd-of-${ufrag}b`),
      ] as const;
    const call = AssistedCall.of(media("one1"));
    call.select("a", { address: "192.0.2.5", port: 4000 }, { address: "192.0.2.9", port: 5000 });
    expect(call.path("a").known).toBe("pair");
    call.exchange("a", "b", media("two2"));
    expect(call.path("a").known).toBe("nothing");
  });
});

describe("a relay, while it is all there can be", () => {
  it("[M13] by the policy of the session, to the TURN servers of the deployment", () => {
    const call = blank({ iceTransportPolicy: "relay" });
    expect(call.path("a").known).toBe("nothing");
    expect(call.path("a", { ...TURN, seen: "203.0.113.7" })).toEqual({
      known: "relay",
      protocol: "udp",
      uePublic: { address: "203.0.113.7" },
      remotes: [{ address: "198.51.100.1", port: 3478 }],
      isRelayed: true,
    });
    expect(call.path("a", NAMED)).toEqual({
      ...{ known: "relay", protocol: "tcp", remotes: [], remoteDomain: "turn.example.net" },
      isRelayed: true,
    });
    const several = [
      { address: "198.51.100.1", port: 443, protocol: "tcp" },
      { address: "198.51.100.1", protocol: "udp" },
      { address: "not an address" },
    ] as const;
    expect(call.path("a", { relay: several })).toMatchObject({
      ...{ known: "relay", remotes: [{ address: "198.51.100.1" }] },
    });
    expect(call.path("a", { relay: several })).not.toHaveProperty("protocol");
  });

  it("[M13] of several ways to a server nobody guesses; the UE says which it takes", () => {
    const at = (port: number, protocol: "udp" | "tcp") =>
      ({ address: "198.51.100.1", port, protocol }) as const;
    const call = blank({ iceTransportPolicy: "relay" });
    const to = (...relay: NonNullable<LinkKnowledge["relay"]>) => {
      const { protocol, remotes } = call.path("a", { relay });
      return { protocol, remotes };
    };
    const [bare] = [{ address: "198.51.100.1" }];
    expect(to(at(3478, "udp"), at(3478, "udp"))).toEqual({
      ...{ protocol: "udp", remotes: [{ ...bare, port: 3478 }] },
    });
    expect(to(at(3478, "udp"), at(443, "udp"))).toEqual({ protocol: "udp", remotes: [bare] });
    expect(to(at(3478, "udp"), at(3478, "tcp"))).toEqual({ remotes: [bare] });
    const other = { address: "198.51.100.2", port: 443 };
    expect(to(at(3478, "udp"), other).remotes).toEqual([{ ...bare, port: 3478 }, other]);
    // The name may be that of the same server.
    const named = { domain: "turn.example.net", protocol: "udp" } as const;
    expect(to(at(3478, "udp"), { ...named, port: 443 }).remotes).toEqual([bare]);
    expect(to(at(443, "udp"), { ...named, port: 443 }).remotes).toEqual([{ ...bare, port: 443 }]);
    const relay = [at(3478, "udp"), at(443, "tcp")];
    for (const [url, protocol, port] of [
      ["turn:198.51.100.1", "udp", 3478],
      ["turns:198.51.100.1:443", "tcp", 443],
      ["turn:198.51.100.1:443?transport=tcp", "tcp", 443],
    ] as const) {
      call.select("a", { candidateType: "relay", url }, { address: "192.0.2.9", port: 5000 });
      expect(call.path("a", { relay })).toMatchObject({
        ...{ known: "pair", protocol, remotes: [{ ...bare, port }] },
      });
    }
  });

  it("[M13] a server that the UE brought is none of the deployment", () => {
    const call = blank();
    call.trickle("a", relayed("192.0.2.77", 50_000, "203.0.113.7", 4444), relayed("192.0.2.77"));
    expect(call.path("a", TURN)).toEqual({
      known: "candidates",
      uePublic: { address: "203.0.113.7", port: 4444 },
      remotes: [{ address: "192.0.2.77" }],
      isRelayed: true,
    });
    const known = { known: "relay", remotes: [{ address: "198.51.100.1", port: 3478 }] };
    // What is known by its name alone may have any address, and an address of each IP version.
    expect(call.path("a", NAMED).known).toBe("relay");
    const six = [{ address: "2001:db8::1", port: 3478 }];
    expect(call.path("a", { relay: six }).known).toBe("relay");
    call.trickle("a", relayed("198.51.100.1"));
    expect(call.path("a", TURN)).toMatchObject(known);
  });

  it("[M13] the UE sends to it from a socket that no other candidate tells", () => {
    const own = { address: "10.0.0.5" };
    const relay: SelectedPair["local"] = {
      ...{ candidateType: "relay", address: "198.51.100.1", port: 50_000, relayProtocol: "tls" },
      url: "turns:198.51.100.1",
    };
    const others = { address: "192.0.2.9", port: 5000 };
    const candidates = [host(own.address, 54_321), srflx("203.0.113.7", 4444, own.address, 54_321)];
    const selected = (more: Partial<SelectedPair["local"]> = {}) =>
      blank()
        .select("a", { ...relay, ...more }, others)
        .trickle("a", ...candidates)
        .path("a");
    expect(selected()).toEqual({
      known: "pair",
      protocol: "tcp",
      ue: own,
      // It names the device, and is in no filter.
      uePublic: { address: "203.0.113.7", port: 4444 },
      remotes: [{ address: "198.51.100.1", port: 5349 }],
      isRelayed: true,
    });
    expect(selected({ relatedAddress: "203.0.113.7", relatedPort: 1 }).ue).toEqual(own);
    const same = { ...own, port: 40_001 };
    expect(selected({ relatedAddress: own.address, relatedPort: same.port })).toMatchObject({
      ...{ ue: same, uePublic: same },
    });
    // The public side of its base candidates is no better, nor what the other end sees of it.
    const reflexive = blank().select("a", relay, others);
    reflexive.trickle("a", srflx("10.45.0.2", 4444, "10.45.0.2", 4444));
    expect(reflexive.path("a")).toMatchObject({
      ...{ ue: { address: "10.45.0.2" }, uePublic: { address: "10.45.0.2" } },
    });
    expect(reflexive.path("a").ue).not.toHaveProperty("port");
    const seen = blank().select("a", relay, others);
    seen.select("b", others, { candidateType: "prflx", address: "198.51.100.1", port: 50_000 });
    expect(seen.path("a")).not.toHaveProperty("uePublic");
    const byOther = blank().select("b", others, relay);
    byOther.trickle("a", ...candidates);
    expect(byOther.path("a")).toMatchObject({ known: "pair", ue: own });
    expect(byOther.path("a").ue).not.toHaveProperty("port");
    const alone = blank().trickle("a", relayed("198.51.100.1", 50_000, "10.45.0.2", 40_001));
    const inside = { address: "10.45.0.2", port: 40_001 };
    expect(alone.path("a", TURN)).toMatchObject({ known: "relay", ue: inside, uePublic: inside });
  });

  it.each(["chromium.relay-only", "pion.relay-only", "werift.relay-only", "gstreamer.relay-only"])(
    "[M13] %s: by candidates, each end to its own",
    (record) => {
      const call = AssistedCall.of(pairOf(record));
      for (const ue of ["a", "b"]) {
        const { remotes } = call.path(ue);
        const relay = remotes.map(({ address }) => ({ address, port: 3478 }));
        const path = call.path(ue, { relay });
        expect(path).toMatchObject({ known: "relay", isRelayed: true, protocol: "udp" });
        expect(path.remotes).toEqual(relay);
        expect(call.path(ue, TURN)).toMatchObject({ known: "candidates", remotes });
        const [text] = [pairOf(record)[ue === "a" ? 0 : 1]];
        const [remote] = call.path(ue).remotes;
        expect(text).toContain(` ${remote?.address} `);
        expect(remote?.port).toBeUndefined();
      }
    },
  );

  it("[M13] relays are not all there can be while a name or a connection is tried as well", () => {
    const known = (...lines: string[]) =>
      blank()
        .trickle("a", relayed("198.51.100.1"), ...lines)
        .path("a", TURN).known;
    expect(known()).toBe("relay");
    expect(known(host("0b1c2d3e-0000-4000-8000-000000000000.local"))).toBe("candidates");
    expect(known("4 1 tcp 1518280447 10.0.0.5 9 typ host tcptype active")).toBe("candidates");
  });

  it("[M13] what a relayed candidate is related to is the UE's public address", () => {
    const media = textOf(...MEDIA, ...CREDENTIALS);
    const withRelay = (...lines: string[]) =>
      media + lines.map((line) => `a=candidate:${line}\r\n`).join("");
    const call = AssistedCall.of([
      withRelay(relayed("198.51.100.2", 50_000, "203.0.113.7", 4444)),
      media,
    ]);
    expect(call.path("a")).toMatchObject({
      ...{ known: "relay", uePublic: { address: "203.0.113.7", port: 4444 } },
    });
    const twice = AssistedCall.of([
      withRelay(
        relayed("198.51.100.2", 50_000, "203.0.113.7", 4444),
        relayed("198.51.100.2", 50_001, "203.0.113.7", 4445),
      ),
      media,
    ]);
    expect(twice.path("a").uePublic).toEqual({ address: "203.0.113.7" });
    // Firefox repeats the relay's own address there: it says nothing of the UE.
    for (const address of ["198.51.100.2", "10.1.0.1"]) {
      const firefox = AssistedCall.of([
        withRelay(relayed(address, 50_000, address, 50_000)),
        media,
      ]);
      const path = firefox.path("a", { seen: "203.0.113.7" });
      expect(path).toMatchObject({ known: "relay", uePublic: { address: "203.0.113.7" } });
      expect(path.ue).toBeUndefined();
      expect(path.uePublic).not.toHaveProperty("port");
    }
    // The other end may be reached there; what it sends from itself is not known.
    expect(call.path("b")).toMatchObject({
      ...{ known: "candidates", isRelayed: true },
      remotes: [{ address: "198.51.100.2", port: 50_000 }],
    });
  });
});

describe("candidates", () => {
  it("[M13] chromium.connected-host-candidates: what getStats selected later is among them", () => {
    const call = AssistedCall.of(pairOf("chromium.connected-host-candidates"));
    expect(call.path("a")).toEqual({
      known: "candidates",
      protocol: "udp",
      ue: { address: "192.0.2.2", port: 55_052 },
      uePublic: { address: "192.0.2.2", port: 55_052 },
      remotes: [{ address: "192.0.2.2", port: 38_436 }],
      isRelayed: false,
    });
    expect(call.path("b")).toMatchObject({
      ue: { address: "192.0.2.2", port: 38_436 },
      remotes: [{ address: "192.0.2.2", port: 55_052 }],
    });
  });

  it("[M13] chromium.turn-all-candidates: hosts that hide behind names stay unknown", () => {
    const call = AssistedCall.of(pairOf("chromium.turn-all-candidates"));
    const path = call.path("a", { seen: "203.0.113.7" });
    expect(pairOf("chromium.turn-all-candidates")[0]).toMatch(/[.]local \d+ typ host/);
    expect(path.known).toBe("candidates");
    expect(path.ue).toBeUndefined();
    expect(path.uePublic?.address).toMatch(/^[\d.]+$/);
  });

  it("[M13] chromium.trickle-no-candidates: nothing, until they come; those of its exchange alone", () => {
    const call = AssistedCall.of(pairOf("chromium.trickle-no-candidates"));
    expect(call.path("a")).toEqual({
      ...{ known: "nothing", protocol: "udp", remotes: [], isRelayed: false },
    });
    const seen = { address: "203.0.113.7" };
    expect(call.path("a", { seen: "::ffff:203.0.113.7" })).toMatchObject({ uePublic: seen });
    expect(call.path("a", { seen: "2001:db8::7" })).toMatchObject({
      ...{ ue: { address: "2001:db8::7" }, uePublic: { address: "2001:db8::7" } },
    });
    expect(call.path("a", { seen: "nowhere" }).uePublic).toBeUndefined();
    call.trickle("a", host("10.0.0.5", 4000), srflx("203.0.113.7", 4444, "10.0.0.5", 4000));
    call.trickle("b", { candidate: `candidate:${host("198.51.100.9", 5000)}`, sdpMLineIndex: 0 });
    expect(call.path("a")).toEqual({
      known: "candidates",
      protocol: "udp",
      ue: { address: "10.0.0.5", port: 4000 },
      uePublic: { address: "203.0.113.7", port: 4444 },
      remotes: [{ address: "198.51.100.9", port: 5000 }],
      isRelayed: false,
    });
  });

  it("[M13] with an empty sdpMid they are of the section that the index names, as Pion sends them", () => {
    const media = [...MEDIA, ...VIDEO, "a=mid:1"];
    const call = AssistedCall.of([textOf(...media), textOf(...media)]);
    const of = (line: string, sdpMLineIndex: number) =>
      ({ candidate: `candidate:${line}`, sdpMid: "", sdpMLineIndex }) as const;
    call.trickle("a", of(host("10.0.0.5", 4000), 0));
    call.trickle("b", of(host("198.51.100.9", 5000), 0), of(host("198.51.100.9", 5000), 1));
    expect(call.path("a")).toEqual({
      known: "candidates",
      protocol: "udp",
      ue: { address: "10.0.0.5", port: 4000 },
      remotes: [{ address: "198.51.100.9", port: 5000 }],
      isRelayed: false,
    });
    // What is the same of another section is no repetition.
    expect(call.of("a").transports[1]?.path.remotes).toHaveLength(1);
    // Those that came are counted with the next report.
    call.select("a", {}, {});
    expect(call.transports.map(({ candidates: { b } }) => b?.host)).toEqual([1, 1]);
  });

  it("[M13] several of the other side may each be it; with a global one, private ones are not", () => {
    const call = blank();
    call.trickle("b", host("10.0.0.6", 5000), host("10.0.0.6", 5000), host("10.1.0.6", 5001));
    expect(call.path("a").remotes).toEqual([
      { address: "10.0.0.6", port: 5000 },
      { address: "10.1.0.6", port: 5001 },
    ]);
    call.trickle("b", srflx("198.51.100.9", 6000), relayed("198.51.100.2"));
    expect(call.path("a")).toMatchObject({
      remotes: [
        { address: "198.51.100.9", port: 6000 },
        { address: "198.51.100.2", port: 50_000 },
      ],
      isRelayed: false,
    });
  });

  it("[M13] of TCP, of the other component, without an address or not to be read: none", () => {
    const call = blank();
    call.trickle(
      "a",
      "1 1 tcp 1518280447 10.0.0.5 9 typ host tcptype active",
      "1 2 udp 2113937150 10.0.0.5 4001 typ host",
      host("a.example.net"),
    );
    expect(call.path("a").known).toBe("nothing");
    expect(plainAddress("224.0.0.1")).toBeUndefined();
    expect(plainAddress(null)).toBeUndefined();
    expect(plainAddress("fe80::1%eth0")).toBe("fe80::1");
  });

  it("[M13] an end that only takes connections is reached over TCP, from a port that nobody knows", () => {
    const passive = "1 1 tcp 1518280447 198.51.100.9 443 typ host tcptype passive";
    const ofRtcp = "1 2 tcp 1518280446 198.51.100.9 444 typ host tcptype passive";
    const call = blank().trickle("a", host("10.45.0.2", 4000)).trickle("b", passive, ofRtcp);
    expect(call.path("a")).toEqual({
      known: "candidates",
      protocol: "tcp",
      ue: { address: "10.45.0.2" },
      remotes: [{ address: "198.51.100.9", port: 443 }],
      isRelayed: false,
    });
    call.trickle("b", host("x.local", 5000));
    expect(call.path("a")).toMatchObject({ protocol: "udp", remotes: [] });
  });

  it("[M13] what an operator shares out among its UEs (RFC 6598) is behind its NAT, as other private addresses are", () => {
    const call = blank();
    call.trickle("a", host("100.64.1.2", 4000));
    call.trickle("b", host("100.65.1.2", 5000), srflx("203.0.113.9", 5555, "100.65.1.2", 5000));
    const expected = {
      ue: { address: "100.64.1.2", port: 4000 },
      uePublic: { address: "203.0.113.7" },
    };
    expect(call.path("a", { seen: "203.0.113.7" })).toMatchObject({
      ...expected,
      remotes: [{ address: "203.0.113.9", port: 5555 }],
    });
    call.select("a", expected.ue, { address: "198.51.100.9", port: 5000 });
    expect(call.path("a", { seen: "203.0.113.7" })).toMatchObject(expected);
  });

  it("[M13] the address of a UE's own translator to IPv6 (RFC 7335) is in no packet that its network sees", () => {
    const translated = { address: "192.0.0.4", port: 4000 };
    const call = blank().select("a", translated, { address: "198.51.100.9", port: 5000 });
    expect(call.path("a", { seen: "2001:db8::7" })).toEqual({
      ...{ known: "pair", protocol: "udp", isRelayed: false },
      remotes: [{ address: "198.51.100.9", port: 5000 }],
    });
    const seenAs = { candidateType: "prflx", address: "203.0.113.7", port: 4444 } as const;
    call.select("b", { address: "198.51.100.9", port: 5000 }, seenAs);
    expect(call.path("a")).toMatchObject({ uePublic: { address: "203.0.113.7", port: 4444 } });
    expect(call.path("a").ue).toBeUndefined();
    const byCandidate = blank().trickle("a", host("192.0.0.4", 4000));
    expect(byCandidate.path("a").ue).toBeUndefined();
    expect(byCandidate.path("a").uePublic).toBeUndefined();
  });

  it("[M13] gstreamer.audio-video-sendrecv: a link-local address is on no way through a network", () => {
    const at = (text: string, address: string) =>
      text
        .replaceAll("192.0.2.2", address)
        .replaceAll(/a=candidate:\d+ 1 \w+ \d+ fd00:.*\r\n/g, "");
    const [offer, answer] = pairOf("gstreamer.audio-video-sendrecv");
    expect(offer).toMatch(/ fe80::\S+ \d+ typ host/);
    const call = AssistedCall.of([at(offer, "10.45.0.2"), at(answer, "10.45.0.3")]);
    expect(call.path("a")).toMatchObject({
      ue: { address: "10.45.0.2" },
      remotes: [{ address: "10.45.0.3" }],
    });
    expect(call.path("a").remotes).toHaveLength(1);
    expect(call.path("b").ue?.address).toBe("10.45.0.3");
  });

  it("[M13] those of the tagged section speak for the bundle", () => {
    const sections = [AUDIO, "a=mid:0", ...VIDEO, "a=mid:1"];
    const call = AssistedCall.of([
      textOf("a=group:BUNDLE 1 0", ...sections),
      textOf("a=group:BUNDLE 1 0", ...sections),
    ]);
    call.trickle(
      "a",
      { candidate: `candidate:${host("10.0.0.5", 4000)}`, sdpMid: "0" },
      { candidate: `candidate:${host("10.0.0.5", 4002)}`, sdpMid: "1" },
    );
    expect(call.path("a").ue).toEqual({ address: "10.0.0.5", port: 4002 });
  });

  it("[M13] of several addresses of its own nobody knows which it will use", () => {
    const call = blank();
    call.trickle("a", host("10.0.0.5", 4000), host("10.0.0.5", 4001));
    expect(call.path("a").ue).toEqual({ address: "10.0.0.5" });
    call.trickle("a", host("10.1.0.5", 4000));
    expect(call.path("a").ue).toBeUndefined();
  });

  it("[M13] that which others see is the one that it uses, where it has several", () => {
    const call = blank().select(
      "b",
      { address: "198.51.100.9", port: 5000 },
      { candidateType: "prflx", address: "203.0.113.7", port: 4000 },
    );
    call.trickle("a", host("203.0.113.6", 4001), host("203.0.113.7", 4000));
    const own = { address: "203.0.113.7", port: 4000 };
    expect(call.path("a")).toMatchObject({ known: "pair", ue: own, uePublic: own });
  });

  it("[M13] the base of a reflexive candidate tells what its host candidate hides", () => {
    const call = blank();
    call.trickle("a", srflx("203.0.113.7", 4444, "10.0.0.5", 4000));
    expect(call.path("a")).toMatchObject({
      ue: { address: "10.0.0.5", port: 4000 },
      uePublic: { address: "203.0.113.7", port: 4444 },
    });
    const hidden = blank();
    hidden.trickle("a", srflx("203.0.113.7", 4444), srflx("203.0.113.7", 4445));
    expect(hidden.path("a").ue).toBeUndefined();
    expect(hidden.path("a").uePublic).toEqual({ address: "203.0.113.7" });
    // With the pair known, what is mapped from the very port counts.
    const pair = blank().select(
      "a",
      { address: "10.0.0.5", port: 4000 },
      { address: "192.0.2.9", port: 1 },
    );
    pair.trickle("a", srflx("203.0.113.7", 4444, "10.0.0.5", 4000));
    pair.trickle("a", srflx("203.0.113.8", 4445, "10.0.0.5", 4001));
    expect(pair.path("a").uePublic).toEqual({ address: "203.0.113.7", port: 4444 });
  });

  it("[M13] a unique local address (RFC 4193), as a VPN gives, is not the UE's where it has another", () => {
    const far = [host("198.51.100.9", 5000), host("2001:db8::9", 5001)];
    const path = (...own: string[]) =>
      blank()
        .trickle("a", ...own)
        .trickle("b", ...far)
        .path("a");
    const local = host("fd7a:115c::5", 4001);
    expect(path(host("10.45.0.2", 4000), local).ue).toEqual({ address: "10.45.0.2", port: 4000 });
    expect(path(host("2001:db8::5", 4000), local).ue).toEqual({
      ...{ address: "2001:db8::5", port: 4000 },
    });
    expect(path(local).ue).toEqual({ address: "fd7a:115c::5", port: 4001 });
  });

  it("[M13] with both IP versions the sixth goes first, or that of the other side", () => {
    const call = blank();
    call.trickle("a", host("10.0.0.5", 4000), host("2001:db8::5", 4001));
    expect(call.path("a").ue).toEqual({ address: "2001:db8::5", port: 4001 });
    call.trickle("b", host("192.0.2.9", 5000));
    expect(call.path("a").ue).toEqual({ address: "10.0.0.5", port: 4000 });
    call.trickle("b", host("2001:db8::9", 5001));
    expect(call.path("a").ue).toEqual({ address: "2001:db8::5", port: 4001 });
    expect(call.path("a").remotes).toHaveLength(2);
    const four = blank();
    four.trickle("b", host("2001:db8::9", 5001));
    expect(four.path("a", { seen: "203.0.113.7" })).not.toHaveProperty("uePublic");
    expect(four.path("a", { seen: "2001:db8::7" }).ue).toEqual({ address: "2001:db8::7" });
  });
});
