import { describe, expect, it } from "vitest";
import { fiveTupleOf } from "../protocol/flows/five-tuple.ts";
import { canonicalAddressOf } from "../protocol/sdp/address.ts";
import type { PairEnd, SelectedPair } from "../protocol/transport.ts";
import {
  AUDIO,
  DATA,
  Negotiation,
  PAIRS,
  sectionFlows,
  textOf,
  VIDEO,
} from "./link-negotiation.ts";

const HOST: PairEnd = {
  candidateType: "host",
  address: "10.0.0.1",
  port: 1000,
  protocol: "udp",
};

const pairOf = (local: Partial<PairEnd>, remote: Partial<PairEnd> = {}): SelectedPair => ({
  local: { ...HOST, ...local },
  remote: { ...HOST, address: "10.0.0.2", port: 2000, ...remote },
});

const TURN: Partial<PairEnd> = { candidateType: "relay", address: "198.51.100.9", port: 50_000 };

describe("the ends of a transport", () => {
  it("[F6] ICE user name fragments are those in force, and passwords are nowhere", () => {
    const link = new Negotiation();
    const offer = textOf(
      ...["a=group:BUNDLE 0 1", "a=ice-lite", "a=ice-ufrag:wide", "a=ice-pwd:secret-of-a"],
      ...[AUDIO, "a=mid:0", "a=ice-ufrag:tagged", "a=ice-pwd:secret-of-a", ...VIDEO, "a=mid:1"],
      "a=ice-ufrag:ignored",
    );
    const answer = textOf(
      ...["a=group:BUNDLE 0 1", "a=ice-ufrag:bbbb", "a=ice-pwd:secret-of-b"],
      ...[AUDIO, "a=mid:0", ...VIDEO, "a=mid:1"],
    );
    link.exchange(offer, answer);
    const a = { ufrag: "tagged", lite: true };
    expect(link.transport.ice).toEqual({ a, b: { ufrag: "bbbb" } });
    expect(JSON.stringify(link.flows)).not.toContain("secret");
  });

  it("[F6] each unbundled transport has its own", () => {
    const media = [AUDIO, "a=mid:0", "a=ice-ufrag:one1", ...VIDEO, "a=mid:1", "a=ice-ufrag:two2"];
    const link = new Negotiation();
    link.exchange(textOf(...media), textOf(...media));
    expect(link.flows.transports.map(({ ice }) => ice.a?.ufrag)).toEqual(["one1", "two2"]);
    expect(link.flows.transports.map(({ id, rtpSession }) => id === rtpSession)).toEqual([
      ...[true, true],
    ]);
  });

  it("[F6] without credentials, or with what fits no STUN message, there is no fragment", () => {
    const link = sectionFlows([AUDIO], [`a=ice-ufrag:${"x".repeat(257)}`], []);
    expect(link.transport.ice).toEqual({ a: {}, b: {} });
  });

  it("[F6] certificates are told in the form of their lines, each once", () => {
    const link = sectionFlows(
      [AUDIO],
      [
        ...["a=fingerprint:SHA-256 ab:cd", "a=fingerprint:sha-1 12:34"],
        ...["a=fingerprint:sha-256 AB:CD", "a=fingerprint:sha-256 nonsense", "a=setup:actpass"],
      ],
      ["a=setup:active"],
    );
    expect(link.transport.dtls).toEqual({
      client: "b",
      server: "a",
      fingerprints: { a: ["sha-256 AB:CD", "sha-1 12:34"] },
    });
    expect(sectionFlows([AUDIO], [], []).transport.dtls).toEqual({});
  });

  it("[S8] however many certificates the session part has, a transport repeats few", () => {
    const hex = (octet: number): string => octet.toString(16).padStart(2, "0").toUpperCase();
    const octets = (n: number): string => [n >> 8, n & 255].map(hex).join(":");
    const all = Array.from({ length: 5000 }, (_, n) => `a=fingerprint:sha-256 ${octets(n)}`);
    const media = Array.from({ length: 256 }, (_, n) => [AUDIO, `a=mid:${n}`]).flat();
    const link = new Negotiation();
    const sdp = textOf(...all, ...media);
    link.exchange(sdp, sdp);
    for (const { dtls } of link.flows.transports) expect(dtls.fingerprints?.a).toHaveLength(16);
    const before = link.flows;
    link.exchange(sdp, sdp);
    expect(link.flows).toBe(before);
  });

  it("[F6] a re-offer keeps generation, RTP session and ends; a restart changes the fragment", () => {
    const media = (ufrag: string): string =>
      textOf(AUDIO, "a=mid:0", `a=ice-ufrag:${ufrag}`, `a=ice-pwd:pwd-${ufrag}`);
    const link = new Negotiation();
    link.exchange(media("one1"), media("bbbb"));
    const first = link.transport;
    link.exchange(media("one1"), media("bbbb"));
    expect(link.transport).toBe(first);
    link.exchange(media("two2"), media("cccc"));
    expect(link.transport).toMatchObject({
      id: first.id,
      rtpSession: first.rtpSession,
      iceGeneration: 1,
      ice: { a: { ufrag: "two2" }, b: { ufrag: "cccc" } },
    });
    link.end("left");
    expect(link.flows.transports[0]?.ice.a?.ufrag).toBe("two2");
  });

  it.each(PAIRS)("[F6] %s tells both ends of every transport", (_, offer, answer) => {
    const link = new Negotiation();
    link.exchange(offer, answer);
    for (const { ice, dtls } of link.flows.transports) {
      for (const peer of ["a", "b"]) {
        expect(`${offer}${answer}`).toContain(`a=ice-ufrag:${ice[peer]?.ufrag}`);
        const [fingerprint] = dtls.fingerprints?.[peer] ?? [];
        expect(`${offer}${answer}`.toLowerCase()).toContain(
          `a=fingerprint:${fingerprint?.toLowerCase()}`,
        );
      }
      expect([dtls.client, dtls.server].toSorted()).toEqual(["a", "b"]);
    }
  });

  it("[F6] RTCP is multiplexed when the answer says so too", () => {
    const muxOf = (offered: string[], answered: string[]): boolean[] => {
      const link = sectionFlows([AUDIO], offered, answered);
      return [link.transport.rtcpMux, link.flow("0.1:a").rtcp?.mux === true];
    };
    expect(muxOf(["a=rtcp-mux"], ["a=rtcp-mux"])).toEqual([true, true]);
    expect(muxOf(["a=rtcp-mux"], [])).toEqual([false, false]);
    expect(muxOf([], ["a=rtcp-mux"])).toEqual([false, false]);
  });
});

describe("addresses", () => {
  it.each([
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["[2001:db8:0000::0001]", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["0:0:1:0:0:0:0:0", "0:0:1::"],
    ["0:0:1:0:0:1:0:0", "::1:0:0:1:0:0"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::1", "::1"],
    ["1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"],
    ["::ffff:c000:0201", "::ffff:192.0.2.1"],
    ["::FFFF:192.0.2.1", "::ffff:192.0.2.1"],
    ["192.0.2.1", "192.0.2.1"],
    ["turn.example.net", "turn.example.net"],
    ["", ""],
  ])("[F5] %s is written %s (RFC 5952)", (text, canonical) => {
    expect(canonicalAddressOf(text)).toBe(canonical);
    expect(canonicalAddressOf(canonical)).toBe(canonical);
  });
});

describe("5-tuples of every kind of pair", () => {
  it("[F5] IPv6 as it is spelt by nobody else, without brackets and zone", () => {
    const tuple = fiveTupleOf(
      "a",
      pairOf({ address: "[FD00:0::2%eth0]" }, { address: "FE80:0000::1%3" }),
    );
    expect(tuple).toEqual({
      peer: "a",
      protocol: "udp",
      local: { address: "fd00::2", port: 1000 },
      remote: { address: "fe80::1", port: 2000 },
    });
  });

  it("[F5] unspecified in any spelling is hidden", () => {
    for (const address of ["0.0.0.0", "::", "[::]", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0"]) {
      expect(fiveTupleOf("a", pairOf({ address })).local).toEqual({ port: 1000 });
    }
  });

  it("[F5] Chromium hides the base of what it gathers", () => {
    const hidden = { relatedAddress: "0.0.0.0", relatedPort: 0 };
    const reflexive = fiveTupleOf("a", pairOf({ candidateType: "srflx", ...hidden }));
    expect(reflexive.local).toEqual({});
    const url = "turn:turn.example.net:3478?transport=udp";
    const relayed = fiveTupleOf("a", pairOf({ ...TURN, ...hidden, url, relayProtocol: "udp" }));
    expect(relayed).toMatchObject({
      local: {},
      remote: { address: "turn.example.net", port: 3478 },
      relay: { relayed: { address: "198.51.100.9", port: 50_000 } },
    });
  });

  it("[F5] a relay of the other end is where the packets of this one go", () => {
    const tuple = fiveTupleOf("a", pairOf({}, TURN));
    expect(tuple.remote).toEqual({ address: "198.51.100.9", port: 50_000 });
    expect(tuple).not.toHaveProperty("relay");
  });

  it.each([
    ["udp", "udp"],
    ["tcp", "tcp"],
    ["TLS", "tcp"],
    ["ssltcp", "tcp"],
    ["", "unknown"],
  ])("[F5] to a TURN server by `%s` the network sees %s", (relayProtocol, protocol) => {
    const tuple = fiveTupleOf("a", pairOf({ ...TURN, relayProtocol }));
    expect(tuple.protocol).toBe(protocol);
    expect(tuple.relay?.protocol).toBe(relayProtocol || undefined);
  });

  it("[F5] the address of a TURN server is written as any other", () => {
    const tuple = fiveTupleOf("a", pairOf({ ...TURN, url: "turns:[2001:DB8:0::1]:443" }));
    expect(tuple.remote).toEqual({ address: "2001:db8::1", port: 443 });
  });

  it("[F5] ICE over TCP: an active end has no port of its own to tell", () => {
    const tcp = { protocol: "tcp" };
    const tuple = fiveTupleOf("a", pairOf({ ...tcp, port: 9 }, { ...tcp, port: 443 }));
    expect(tuple).toEqual({
      peer: "a",
      protocol: "tcp",
      local: { address: "10.0.0.1" },
      remote: { address: "10.0.0.2", port: 443 },
    });
    expect(fiveTupleOf("a", pairOf({ protocol: "" }, tcp)).protocol).toBe("tcp");
  });

  it("[F5] the RTCP component is named", () => {
    const tuple = fiveTupleOf("a", pairOf({ port: 1001 }), "rtcp");
    expect(tuple).toMatchObject({ peer: "a", component: "rtcp", local: { port: 1001 } });
    expect(fiveTupleOf("a", pairOf({}))).not.toHaveProperty("component");
  });
});

describe("DSCP", () => {
  /** Two audio, one video and one data section, all on one transport. */
  function bundled(): Negotiation {
    const link = new Negotiation();
    const sdp = textOf(
      ...["a=group:BUNDLE 0 1 2 3", AUDIO, "a=mid:0", AUDIO, "a=mid:1", ...VIDEO, "a=mid:2"],
      ...[DATA, "a=mid:3"],
    );
    link.exchange(sdp, sdp);
    return link;
  }
  const dscpOf = (link: Negotiation, id: string) => link.flow(id).dscp;
  const connect = (link: Negotiation, peer: string, pair: SelectedPair) =>
    link.report(peer, { state: "connected", pair });

  it("[F3] sender reports are marked as their media, feedback one step higher at most", () => {
    const link = sectionFlows([...VIDEO], [], []);
    const marks = (["very-low", "low", "medium", "high"] as const).map((priority) => {
      link.change("a~b:0.1:a", { priority });
      return dscpOf(link, "0.1:a");
    });
    const rtcp = (media: number, feedback: number) => ({
      rtcp: { senderReports: media, receiverReports: media, feedback },
    });
    expect(marks).toEqual([
      { suggested: 1, ...rtcp(1, 0) },
      { suggested: 0, ...rtcp(0, 36) },
      { suggested: 36, alternatives: [38], ...rtcp(36, 34) },
      { suggested: 34, alternatives: [36], ...rtcp(34, 34) },
    ]);
  });

  it("[F3] a receiver's reports are marked as most of what it gets, of as many the more urgent", () => {
    const link = bundled();
    const reports = () =>
      ["0.1:a", "1.1:a", "2.1:a"].map((id) => dscpOf(link, id).rtcp?.receiverReports);
    link.change("a~b:2.1:a", { priority: "high" });
    expect(reports()).toEqual([0, 0, 0]);
    link.change("a~b:0.1:a", { priority: "high" });
    // One of each value: 46 for audio, 0, 34 for video. High audio goes before high video.
    expect(reports()).toEqual([46, 46, 46]);
    link.change("a~b:0.1:a", { priority: "very-low" });
    link.change("a~b:1.1:a", { priority: "very-low" });
    expect(reports()).toEqual([1, 1, 1]);
    expect(dscpOf(link, "0.1:b").rtcp?.receiverReports).toBe(0);
    expect(dscpOf(link, "3.1:a")).not.toHaveProperty("rtcp");
  });

  it("[F3] flows on transports of their own do not count for each other", () => {
    const sdp = textOf(AUDIO, "a=mid:0", ...VIDEO, "a=mid:1");
    const link = new Negotiation();
    link.exchange(sdp, sdp);
    link.change("a~b:0.1:a", { priority: "high" });
    expect(dscpOf(link, "1.1:a").rtcp?.receiverReports).toBe(0);
  });

  it("[F3] one SCTP association has one value", () => {
    const link = bundled();
    expect(dscpOf(link, "3.1:a")).toEqual({ suggested: 0, constraint: "shared-sctp" });
    link.change("a~b:3.1:a", { priority: "high" });
    link.change("a~b:0.1:a", { priority: "medium" });
    expect(dscpOf(link, "3.1:a")).toEqual({ suggested: 18, constraint: "shared-sctp" });
    expect(dscpOf(link, "3.1:b")).toEqual({ suggested: 0, constraint: "shared-sctp" });
    const two = textOf("a=group:BUNDLE 0 1", DATA, "a=mid:0", DATA, "a=mid:1");
    const twice = new Negotiation();
    twice.exchange(two, two);
    twice.change("a~b:1.1:a", { priority: "medium" });
    expect(dscpOf(twice, "0.1:a")).toEqual({ suggested: 10, constraint: "shared-sctp" });
  });

  it("[F3] one TCP connection has one value: that of the highest priority on it", () => {
    const link = bundled();
    link.change("a~b:2.1:a", { priority: "high" });
    link.change("a~b:0.1:b", { priority: "medium" });
    const before = dscpOf(link, "0.1:a");
    expect(before).not.toHaveProperty("constraint");
    connect(link, "a", pairOf({ protocol: "tcp", port: 9 }, { protocol: "tcp" }));
    const shared = { suggested: 34, alternatives: [36], constraint: "shared-tcp" };
    for (const mid of ["0", "1", "2"]) {
      // What b says about them goes with what b sends: audio of medium priority.
      const rtcp = { senderReports: 34, receiverReports: 46, feedback: 46 };
      expect(dscpOf(link, `${mid}.1:a`)).toEqual({ ...shared, rtcp });
    }
    expect(dscpOf(link, "3.1:a")).toEqual(shared);
    expect(dscpOf(link, "2.1:b")).toEqual({
      suggested: 46,
      constraint: "shared-tcp",
      rtcp: { senderReports: 46, receiverReports: 34, feedback: 34 },
    });
    connect(link, "b", pairOf({ protocol: "udp" }));
    connect(link, "a", pairOf({ protocol: "udp" }));
    expect(dscpOf(link, "0.1:a")).toEqual(before);
  });

  it.each([
    ["tcp", "shared-tcp"],
    ["tls", "shared-tcp"],
    ["udp", undefined],
  ])("[F3] who reaches TURN by %s shares %s, and nobody else", (relayProtocol, constraint) => {
    const link = bundled();
    connect(link, "a", pairOf({ ...TURN, relayProtocol }));
    expect(dscpOf(link, "0.1:a").constraint).toBe(constraint);
    // b sends UDP to the relay of a.
    expect(dscpOf(link, "0.1:b").constraint).toBeUndefined();
    connect(link, "b", pairOf({}, TURN));
    expect(dscpOf(link, "0.1:b").constraint).toBeUndefined();
  });

  it("[F3] behind the relay of the other end the path of a silent one is not known", () => {
    const link = bundled();
    connect(link, "a", pairOf({ protocol: "tcp" }, { ...TURN, protocol: "tcp" }));
    expect(dscpOf(link, "0.1:a").constraint).toBe("shared-tcp");
    expect(dscpOf(link, "0.1:b").constraint).toBeUndefined();
  });

  it("[F3] who only receives on a TCP connection marks reports as most of what it gets", () => {
    const link = sectionFlows([...VIDEO], ["a=sendonly"], ["a=recvonly"]);
    link.change("a~b:0.1:a", { priority: "medium" });
    connect(link, "a", pairOf({ protocol: "tcp" }));
    expect(dscpOf(link, "0.1:a")).toEqual({
      suggested: 36,
      alternatives: [38],
      constraint: "shared-tcp",
      rtcp: { senderReports: 36, receiverReports: 36, feedback: 36 },
    });
  });

  it("[N4] what is only proposed changes no mark of what runs", () => {
    const link = new Negotiation();
    const first = [AUDIO, "a=mid:0"];
    link.exchange(textOf(...first), textOf(...first));
    const { flows } = link.flows;
    link.offer(textOf("a=group:BUNDLE 0 1", ...first, ...VIDEO, "a=mid:1"));
    link.change("a~b:1.1:a", { priority: "high" });
    expect(link.flows.flows.slice(0, 2)).toEqual(flows);
    expect(dscpOf(link, "1.1:a")).toMatchObject({ suggested: 34 });
    link.end("left");
    expect(dscpOf(link, "1.1:a")).toMatchObject({ suggested: 34 });
  });
});
