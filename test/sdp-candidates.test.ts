import { expect, it } from "vitest";
import { type CandidateLine, candidateLineOf } from "../protocol/sdp/candidate.ts";
import { checkCandidate } from "../protocol/sdp/check.ts";
import { CANDIDATE_LINE_RULES } from "../protocol/sdp/rules/candidates.ts";
import {
  answer,
  type Example,
  expecting,
  findingsOf,
  offer,
  proveRules,
  type Refused,
  read,
  replace,
} from "./sdp-examples.ts";

/** Has one candidate, which is replaced. */
const ONE = "gstreamer.relay-only";

const said = (candidate: string): Example => ({
  ...offer(ONE, replace(/^a=candidate:.*$/m, `a=candidate:${candidate}`)),
  name: `offer with candidate:${candidate}`,
});

const wrong = (candidate: string): Refused =>
  expecting(said(candidate), { at: `a=candidate:${candidate}` });

/** A candidate of type host at this address. */
const host = (address: string, port = 50_000): string =>
  `1 1 udp 2130706431 ${address} ${port} typ host`;

proveRules(CANDIDATE_LINE_RULES, {
  "candidate-syntax": {
    accepted: [
      offer(ONE),
      offer("chromium.turn-all-candidates"),
      offer("firefox.max-compat"),
      offer("werift.relay-only"),
      said(host("192.0.2.2")),
      said(`${host("192.0.2.2")} x-new whatever`),
      said(`${host("192.0.2.2")} generation 0 `),
      said("1 1 future 2130706431 192.0.2.2 50000 typ new"),
      said("@ 999 quic 9999999999 host.example.com 99999 typ foo"),
    ],
    refused: [
      wrong("foo bar"),
      wrong(""),
      wrong("1 1 udp 2130706431 192.0.2.2 50000 typ"),
      wrong("1 1 udp 2130706431 192.0.2.2 50000 host"),
      wrong("1 1 udp 2130706431 192.0.2.2 typ host"),
      wrong("1 1234 udp 2130706431 192.0.2.2 50000 typ host"),
      wrong("1 x udp 2130706431 192.0.2.2 50000 typ host"),
      wrong("1 1 udp 99999999999 192.0.2.2 50000 typ host"),
      wrong("1 1 udp -1 192.0.2.2 50000 typ host"),
      wrong("1 1 udp 2130706431 192.0.2.2 port typ host"),
      wrong("1 1 udp 2130706431 192.0.2.2 123456 typ host"),
      wrong(`${host("192.0.2.2")} generation`),
      wrong(`${host("192.0.2.2")}\tgeneration 0`),
    ],
  },
  "candidate-foundation": {
    accepted: [
      offer("aiortc.relay-only"),
      answer("werift.relay-only"),
      said(`+/${host("192.0.2.2")}`),
      said(`${"1".repeat(31)}${host("192.0.2.2")}`),
    ],
    refused: [
      wrong(`${"1".repeat(32)}${host("192.0.2.2")}`),
      wrong(`candidate-${host("192.0.2.2")}`),
      wrong(`:${host("192.0.2.2")}`),
    ],
  },
  "candidate-component": {
    accepted: [
      offer("pion.audio-video-data"),
      said("1 256 udp 1 192.0.2.2 50000 typ host"),
      said("1 001 udp 1 192.0.2.2 50000 typ host"),
    ],
    refused: [
      wrong("1 0 udp 1 192.0.2.2 50000 typ host"),
      wrong("1 257 udp 1 192.0.2.2 50000 typ host"),
    ],
  },
  "candidate-priority": {
    accepted: [
      offer(ONE),
      said("1 1 udp 1 192.0.2.2 50000 typ host"),
      said("1 1 udp 2147483647 192.0.2.2 50000 typ host"),
    ],
    refused: [
      wrong("1 1 udp 0 192.0.2.2 50000 typ host"),
      wrong("1 1 udp 2147483648 192.0.2.2 50000 typ host"),
      wrong("1 1 udp 9999999999 192.0.2.2 50000 typ host"),
    ],
  },
  "candidate-port": {
    accepted: [offer(ONE), said(host("192.0.2.2", 65_535)), said(host("192.0.2.2", 0))],
    refused: [wrong(host("192.0.2.2", 65_536)), wrong(host("192.0.2.2", 70_000))],
  },
  "candidate-transport-unknown": {
    accepted: [
      offer("firefox.max-compat"),
      answer(ONE),
      said("1 1 SSLTCP 2130706431 192.0.2.2 443 typ host"),
    ],
    refused: [
      wrong("1 1 quic 2130706431 192.0.2.2 50000 typ host"),
      wrong("1 1 tls 2130706431 192.0.2.2 50000 typ host"),
    ],
  },
  "candidate-tcptype-missing": {
    accepted: [
      offer("firefox.max-compat"),
      offer("gstreamer.recvonly"),
      said(host("192.0.2.2")),
      said("1 1 tcp 2105524479 192.0.2.2 50000 typ host tcptype so"),
      said("1 1 tcp 2105524479 192.0.2.2 50000 typ host generation 0 tcptype Passive"),
      said("1 1 ssltcp 2105524479 192.0.2.2 443 typ host"),
    ],
    refused: [
      wrong("1 1 tcp 2105524479 192.0.2.2 50000 typ host"),
      wrong("1 1 TCP 2105524479 192.0.2.2 50000 typ host tcptype actpass"),
    ],
  },
  "candidate-type-unknown": {
    accepted: [
      offer("chromium.turn-all-candidates"),
      said("1 1 udp 1 192.0.2.2 50000 typ prflx raddr 0.0.0.0 rport 0"),
    ],
    refused: [
      wrong("1 1 udp 1 192.0.2.2 50000 typ foo"),
      wrong("1 1 udp 1 192.0.2.2 50000 typ HOST"),
    ],
  },
  "candidate-raddr-missing": {
    accepted: [
      offer("chromium.turn-all-candidates"),
      offer(ONE),
      said(host("192.0.2.2")),
      said("1 1 udp 1 192.0.2.2 50000 typ srflx generation 0 raddr 0.0.0.0 rport 0"),
      said("1 1 udp 1 192.0.2.2 50000 typ new"),
    ],
    refused: [
      wrong("1 1 udp 1 192.0.2.2 50000 typ relay"),
      wrong("1 1 udp 1 192.0.2.2 50000 typ srflx raddr 0.0.0.0"),
      wrong("1 1 udp 1 192.0.2.2 50000 typ prflx rport 0"),
    ],
  },
  "candidate-mdns": {
    accepted: [offer(ONE), said(host("host.example.com")), said(host("local"))],
    refused: [
      expecting(offer("chromium.turn-all-candidates"), { times: 4, at: /\.local / }),
      expecting(offer("firefox.max-compat"), { times: 20 }),
      wrong(host("C56B30C5-0DE8-441D-84FF-84D389C26A37.LOCAL")),
    ],
  },
  "candidate-fqdn": {
    accepted: [
      offer(ONE),
      offer("chromium.max-bundle"),
      offer("gstreamer.recvonly"),
      said(host("fe80::1%eth0")),
      said(host("::ffff:192.0.2.2")),
    ],
    refused: [
      wrong(host("host.example.com")),
      wrong(host("localhost")),
      wrong(host("evil.local.example.com")),
      wrong(host("192.0.2.256")),
      wrong(host("2130706433")),
      wrong(host("[2001:db8::1]")),
      wrong(host("2001:db8::1::2")),
    ],
  },
  "candidate-link-local": {
    accepted: [offer(ONE), said(host("fec0::1")), said(host("169.253.0.1"))],
    refused: [
      expecting(offer("gstreamer.recvonly"), { times: 3, at: / fe80::/ }),
      wrong(host("FEBF::1")),
      wrong(host("fe80::1%2")),
      wrong(host("169.254.1.1")),
    ],
  },
  "candidate-private-address": {
    accepted: [
      offer(ONE),
      said(host("172.32.0.1")),
      said("1 1 udp 1 10.0.0.1 50000 typ relay raddr 10.0.0.2 rport 9"),
      said("1 1 udp 1 192.0.2.2 50000 typ srflx raddr 10.0.0.2 rport 9"),
    ],
    refused: [
      expecting(offer("aiortc.relay-only"), { at: / fd00::2 / }),
      wrong(host("10.0.0.1")),
      wrong(host("172.16.0.1")),
      wrong(host("192.168.1.5")),
      wrong(host("FC00::1")),
      wrong(host("::ffff:192.168.1.5")),
    ],
  },
  "candidate-loopback": {
    accepted: [offer(ONE), said(host("128.0.0.1")), said(host("::2"))],
    refused: [
      wrong(host("127.0.0.1")),
      wrong(host("127.8.8.8")),
      wrong(host("::1")),
      wrong(host("0:0:0:0:0:0:0:1")),
      wrong(host("::ffff:127.0.0.1")),
    ],
  },
  "candidate-unspecified-or-multicast": {
    accepted: [
      offer("chromium.turn-all-candidates"),
      said(host("0.0.0.0", 9)),
      said("1 1 tcp 1 :: 9 typ host tcptype active"),
      said(host("223.255.255.255")),
      said(host("240.0.0.1")),
    ],
    refused: [
      wrong(host("0.0.0.0")),
      wrong(host("::")),
      wrong(host("0:0::0")),
      wrong(host("224.0.0.251", 5353)),
      wrong(host("239.255.255.250", 1900)),
      wrong(host("FF02::FB", 5353)),
      wrong(host("::ffff:224.0.0.1")),
      wrong(host("0.0.0.0", 10)),
    ],
  },
});

const OWN = new Set(CANDIDATE_LINE_RULES.map(({ id }) => id));

it("[D2] nothing more is said of a candidate that does not fit the grammar", () => {
  const found = findingsOf(said("! 0 quic 0 127.0.0.1 99999 typ"), true)
    .map(({ rule }) => rule)
    .filter((rule) => OWN.has(rule));
  expect(found).toEqual(["candidate-syntax"]);
});

/** What the rules find in a candidate that comes alone. */
function foundIn(candidate: CandidateLine): readonly string[] {
  const [section] = read(offer(ONE).offer).sections;
  if (!section) throw new Error(`${ONE} has no section`);
  return checkCandidate(candidate, section, "offer").map(({ rule }) => rule);
}

it("[D2] a trickled candidate is judged as one in a description", () => {
  expect(foundIn(candidateLineOf(`candidate:${host("192.0.2.2")}`))).toEqual([]);
  expect(foundIn(candidateLineOf(`candidate:${host("192.0.2.2")} generation 0\r\n`))).toEqual([]);
  expect(foundIn(candidateLineOf(`candidate:${host("127.0.0.1", 70_000)}`))).toEqual([
    "candidate-port",
    "candidate-loopback",
  ]);
});

it("[D2] a trickled candidate cannot bring lines of its own", () => {
  const smuggled = candidateLineOf(`candidate:${host("192.0.2.2")} x y\r\na=setup:passive`);
  expect(foundIn(smuggled)).toEqual(["candidate-syntax"]);
});

it("[D2] no finding tells an address", () => {
  const addresses = ["10.1.2.3", "127.1.2.3", "fe80::abcd", "ff02::abcd", "secret.example.com"];
  const told = addresses.flatMap((address) => findingsOf(said(host(address)), true));
  expect(told.length).toBeGreaterThanOrEqual(addresses.length);
  for (const { message } of told) {
    expect(addresses.filter((address) => message.includes(address))).toEqual([]);
  }
});
