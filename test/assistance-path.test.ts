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
    call.select("a", { address: "10.0.0.5", port: 4000 }, { address: "198.51.100.9", port: 5000 });
    expect(call.path("a")).toMatchObject({
      ue: { address: "10.0.0.5", port: 4000 },
      uePublic: { address: "203.0.113.7", port: 4444 },
    });
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
    expect(call.path("a", TURN)).toMatchObject({
      remotes: [{ address: "198.51.100.1", port: 3478 }],
    });
    const hidden = blank().select("b", { address: "192.0.2.9" }, { candidateType: "relay" });
    expect(hidden.path("a", NAMED)).toMatchObject({
      ...{ protocol: "tcp", remotes: [], remoteDomain: "turn.example.net" },
    });
    expect(hidden.path("a")).toMatchObject({ remotes: [] });
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
      ...{ known: "pair", protocol: "udp", remotes: [], isRelayed: true },
    });
    expect(hidden.of("b").transports[0]?.rtcpPath).toBeUndefined();
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
      ...{ protocol: "udp", remotes: [{ address: "198.51.100.1" }] },
    });
  });

  it.each(["chromium.relay-only", "pion.relay-only", "werift.relay-only", "gstreamer.relay-only"])(
    "[M13] %s: by candidates, each end to its own",
    (record) => {
      const call = AssistedCall.of(pairOf(record));
      for (const ue of ["a", "b"]) {
        const path = call.path(ue, TURN);
        expect(path).toMatchObject({ known: "relay", isRelayed: true });
        expect(path.remotes).toEqual([{ address: "198.51.100.1", port: 3478 }]);
        const [text] = [pairOf(record)[ue === "a" ? 0 : 1]];
        const [remote] = call.path(ue).remotes;
        expect(text).toContain(` ${remote?.address} `);
        expect(remote?.port).toBeUndefined();
      }
    },
  );

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
