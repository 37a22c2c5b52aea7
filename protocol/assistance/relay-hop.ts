import type { FiveTuple, PairEnd } from "../transport.ts";
import type { AssistedPath, Located, RelayServer } from "./assisted.ts";
import { endOf, familyOf, plainAddress, soleOf } from "./path-candidates.ts";

/** The hop from a UE to its own TURN server. */
export type RelayHop = Pick<AssistedPath, "protocol" | "remotes" | "remoteDomain">;

/** A TURN server that an end names by its URL, with the address that this deployment knows it by. */
export function namedServer(
  servers: readonly RelayServer[],
  named: FiveTuple["remote"],
): Omit<RelayHop, "protocol"> {
  const { address: name } = named;
  const server = endOf(named);
  if (server) return { remotes: [server] };
  if (name === undefined) return { remotes: [] };
  const address = servers.find(({ domain }) => domain === name)?.address;
  const known = endOf({ ...named, address });
  return { remotes: known ? [known] : [], remoteDomain: name };
}

/**
 * What carries the packets to a TURN server: as the pair says, or as its URL means without a transport (RFC 7065 s3.1).
 * Nothing where an end says neither.
 */
export function carrierToRelay(protocol: string, url?: PairEnd["url"]): Pick<RelayHop, "protocol"> {
  if (protocol === "udp" || protocol === "tcp") return { protocol };
  if (/^turns:/i.test(url ?? "")) return { protocol: "tcp" };
  return /^turn:/i.test(url ?? "") ? { protocol: "udp" } : {};
}

const addressOf = ({ address }: RelayServer): string | undefined => plainAddress(address);

/**
 * Whether an end brought a TURN server of its own: none of its relayed addresses is one of this deployment's. That cannot be
 * told of servers that are known by name, nor of addresses of the other IP version.
 */
export function isForeign(servers: readonly RelayServer[], relayed: readonly string[]): boolean {
  const known = servers.flatMap((server) => addressOf(server) ?? []);
  const families = new Set(known.map(familyOf));
  const alike = relayed.filter((address) => families.has(familyOf(address)));
  return (
    known.length === servers.length &&
    alike.length > 0 &&
    !alike.some((address) => known.includes(address))
  );
}

/**
 * The TURN servers of this deployment, as long as a UE does not say which it uses and how: the protocol where all have one,
 * the port where a server has one. Else what candidates show of others: a relayed address is mostly the server's own.
 */
export function serversOr(servers: readonly RelayServer[], relayed: readonly string[]): RelayHop {
  if (servers.length === 0 || isForeign(servers, relayed)) {
    return { remotes: [...new Set(relayed)].map((address) => ({ address })) };
  }
  const protocol = soleOf(servers.map((server) => server.protocol ?? "udp"));
  const domain = servers.find((server) => server.domain !== undefined)?.domain;
  return {
    ...(protocol === undefined ? {} : { protocol }),
    remotes: locatedIn(servers, protocol !== undefined),
    ...(domain === undefined ? {} : { remoteDomain: domain }),
  };
}

/**
 * The TURN server of a pair whose end does not name it, as Firefox: one of this deployment that speaks the protocol, else
 * what the relayed address shows.
 */
export function unnamedServer(
  servers: readonly RelayServer[],
  protocol: string,
  relayed: string | undefined,
): RelayHop {
  const carrier = carrierToRelay(protocol);
  const speaking = servers.filter(
    (server) => carrier.protocol === undefined || carrier.protocol === (server.protocol ?? "udp"),
  );
  return { ...serversOr(speaking, relayed === undefined ? [] : [relayed]), ...carrier };
}

/** Each address once. What has a name alone may be any of them, at its own port. */
function locatedIn(servers: readonly RelayServer[], hasPorts: boolean): readonly Located[] {
  const byName = servers.filter((server) => addressOf(server) === undefined);
  const addresses = new Set(servers.flatMap((server) => addressOf(server) ?? []));
  return [...addresses].map((address) => {
    const own = servers.filter((server) => addressOf(server) === address);
    const port = soleOf([...own, ...byName].map((server) => server.port));
    return hasPorts && port !== undefined ? { address, port } : { address };
  });
}
