import { addressKindOf, canonicalAddressOf } from "../sdp/address.ts";
import type { Address, FiveTuple, PairEnd, SelectedPair } from "../transport.ts";

type Known = Partial<Address>;

const MDNS_NAME = /\.local\.?$/i;

/** Port of `discard`: stands for a port that is not known (RFC 6544 s4.5, RFC 8840 s4.1.1). */
const NO_PORT = 9;

/** Left out: mDNS names, unspecified addresses and placeholders, which say that the end hides it. */
export function knownOf(
  address: string | null | undefined,
  port: number | null | undefined,
): Known {
  const text = canonicalAddressOf(address ?? "");
  const isHidden = text === "" || MDNS_NAME.test(text) || addressKindOf(text) === "unspecified";
  return {
    ...(isHidden ? {} : { address: text }),
    ...(!port || port === NO_PORT ? {} : { port }),
  };
}

/** `turn:turn.example.net:3478?transport=udp`, `turns:[2001:db8::1]` (RFC 7065 s3.1). */
const TURN_URL = /^(turns?):(\[[0-9a-f:.%]+\]|[^:?[\]\s]+)(?::(\d{1,5}))?(?:\?transport=(\w+))?$/i;

const TURN_PORT = 3478;
const TURNS_PORT = 5349;

export interface TurnServer {
  readonly at: Known;
  readonly protocol: string | undefined;
}

/** Where a TURN server is, by its URL (RFC 7065); nowhere for what is none. */
export function turnServerOf(url: string | null | undefined): TurnServer {
  const found = TURN_URL.exec(url ?? "");
  if (!found) return { at: {}, protocol: undefined };
  const [, scheme, host, port, transport] = found;
  const isSecure = String(scheme).toLowerCase() === "turns";
  return {
    at: {
      address: canonicalAddressOf(String(host)),
      port: port === undefined ? (isSecure ? TURNS_PORT : TURN_PORT) : Number(port),
    },
    protocol: transport?.toLowerCase(),
  };
}

const UNKNOWN_PROTOCOL = "unknown";

/** TLS runs on TCP, and so does the false TLS by which old Chromium passes firewalls. */
const OVER_TCP: ReadonlySet<string> = new Set(["tls", "ssltcp"]);

/** `udp` or `tcp` as a rule: what the network sees. */
export function carrierOf(protocol: string | null | undefined): string {
  const name = protocol?.toLowerCase() || UNKNOWN_PROTOCOL;
  return OVER_TCP.has(name) ? "tcp" : name;
}

/**
 * The 5-tuple of a selected pair, written from the interface of the peer that reports it (F5): what it
 * does not know is left out. Addresses are in the text form of RFC 5952, without brackets and zone. Behind
 * a relay the packets of the peer go to its TURN server; the hop from there on is `relay`.
 */
export function fiveTupleOf(
  peer: string,
  { local, remote }: SelectedPair,
  component?: FiveTuple["component"],
): FiveTuple {
  return {
    peer,
    ...(component === undefined ? {} : { component }),
    ...(local.candidateType === "relay" ? relayedHops(local, remote) : directHop(local, remote)),
  };
}

type Hops = Omit<FiveTuple, "peer" | "component">;

function directHop(local: PairEnd, remote: PairEnd): Hops {
  // A reflexive candidate is the public side of a NAT; its base is the interface (RFC 8839 s5.1).
  const own =
    local.candidateType === "host"
      ? knownOf(local.address, local.port)
      : knownOf(local.relatedAddress, local.relatedPort);
  return {
    protocol: carrierOf(local.protocol || remote.protocol),
    local: own,
    remote: knownOf(remote.address, remote.port),
  };
}

function relayedHops(local: PairEnd, remote: PairEnd): Hops {
  const server = turnServerOf(local.url);
  const protocol = local.relayProtocol || server.protocol;
  return {
    protocol: carrierOf(protocol),
    local: knownOf(local.relatedAddress, local.relatedPort),
    remote: server.at,
    relay: {
      relayed: knownOf(local.address, local.port),
      remote: knownOf(remote.address, remote.port),
      ...(protocol ? { protocol } : {}),
    },
  };
}
