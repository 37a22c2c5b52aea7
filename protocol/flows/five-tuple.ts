import type { Address, FiveTuple, PairEnd, SelectedPair } from "../transport.ts";

type Known = Partial<Address>;

/** Hidden, unspecified or a placeholder: mDNS names, `0.0.0.0`, and port 9 of TCP (RFC 6544 s4.5). */
function knownOf(address: string | null | undefined, port: number | null | undefined): Known {
  const isHidden =
    !address || address === "0.0.0.0" || address === "::" || /\.local\.?$/i.test(address);
  return {
    ...(isHidden ? {} : { address }),
    ...(!port || port === 9 ? {} : { port }),
  };
}

/** `turn:turn.example.net:3478?transport=udp`, `turns:[2001:db8::1]` (RFC 7065 s3.1). */
const TURN_URL = /^(turns?):(\[[0-9a-f:.%]+\]|[^:?[\]\s]+)(?::(\d{1,5}))?(?:\?transport=(\w+))?$/i;

const TURN_PORT = 3478;
const TURNS_PORT = 5349;

interface TurnServer {
  readonly at: Known;
  readonly protocol: string | undefined;
}

function turnServerOf(url: string | null | undefined): TurnServer {
  const found = TURN_URL.exec(url ?? "");
  if (!found) return { at: {}, protocol: undefined };
  const [, scheme, host, port, transport] = found;
  const isSecure = String(scheme).toLowerCase() === "turns";
  return {
    at: {
      address: String(host).replace(/^\[|\]$/g, ""),
      port: port === undefined ? (isSecure ? TURNS_PORT : TURN_PORT) : Number(port),
    },
    protocol: transport?.toLowerCase(),
  };
}

/** TLS to a TURN server runs on TCP. */
const carrierOf = (protocol: string): string =>
  protocol.toLowerCase() === "tls" ? "tcp" : protocol.toLowerCase();

const UNKNOWN_PROTOCOL = "unknown";

/**
 * The 5-tuple of a selected pair, written from the interface of the peer that reports it (F5): what it
 * does not know is left out. Behind a relay the packets of the peer go to its TURN server; the hop from
 * there on is `relay`.
 */
export function fiveTupleOf(peer: string, { local, remote }: SelectedPair): FiveTuple {
  return local.candidateType === "relay"
    ? relayedTuple(peer, local, remote)
    : directTuple(peer, local, remote);
}

function directTuple(peer: string, local: PairEnd, remote: PairEnd): FiveTuple {
  // A reflexive candidate is the public side of a NAT; its base is the interface (RFC 8839 s5.1).
  const own =
    local.candidateType === "host"
      ? knownOf(local.address, local.port)
      : knownOf(local.relatedAddress, local.relatedPort);
  return {
    peer,
    protocol: carrierOf(local.protocol ?? remote.protocol ?? UNKNOWN_PROTOCOL),
    local: own,
    remote: knownOf(remote.address, remote.port),
  };
}

function relayedTuple(peer: string, local: PairEnd, remote: PairEnd): FiveTuple {
  const server = turnServerOf(local.url);
  const protocol = local.relayProtocol ?? server.protocol;
  return {
    peer,
    protocol: carrierOf(protocol ?? UNKNOWN_PROTOCOL),
    local: knownOf(local.relatedAddress, local.relatedPort),
    remote: server.at,
    relay: {
      relayed: knownOf(local.address, local.port),
      remote: knownOf(remote.address, remote.port),
      ...(protocol ? { protocol } : {}),
    },
  };
}
