import type { AssistedPath, Lack, Located } from "./assisted.ts";
import { familyOf, soleEnd } from "./path-candidates.ts";

/** Filters for the packets of a path. */

/** IANA protocol numbers. */
const PROTOCOL_NUMBERS = { udp: 17, tcp: 6 } as const;

export const protocolNumberOf = ({ protocol }: AssistedPath): number | undefined =>
  protocol && PROTOCOL_NUMBERS[protocol];

/** Both ends of a filter. */
export interface FilterEnds {
  readonly ue: Located;
  readonly remote: Located;
}

/** What the other end is, where it can only be one: of the UE's own IP version. */
const remoteOf = ({ remotes }: AssistedPath, ue: Located): Located | undefined =>
  soleEnd(remotes.filter(({ address }) => familyOf(address) === familyOf(ue.address)));

/**
 * The ends of a path, with ports as far as they are sure: a candidate's may be another one behind a NAT, and none
 * means anything without its protocol. Undefined while the UE's own address is not known, or the other end's.
 */
export function filterEnds(path: AssistedPath): FilterEnds | undefined {
  const { ue } = path;
  const remote = ue && remoteOf(path, ue);
  if (!ue || !remote) return undefined;
  return path.known === "candidates" || path.protocol === undefined
    ? { ue: { address: ue.address }, remote: { address: remote.address } }
    : { ue, remote };
}

const written = ({ address, port }: Located): string =>
  port === undefined ? address : `${address} ${port}`;

/**
 * IPFilterRules (RFC 6733 s4.3.1), uplink first: `in` is from the UE. Where the other end is one of several, it is any, if
 * at least the UE's port is known, and its protocol. Undefined where there is too little for a filter.
 */
export function filterRules(
  path: AssistedPath,
  directions: { readonly uplink: boolean; readonly downlink: boolean },
): readonly string[] | undefined {
  const ends = filterEnds(path);
  const { ue } = path;
  const number = protocolNumberOf(path);
  if (!ue || (!ends && (ue.port === undefined || number === undefined))) return undefined;
  const [own, remote] = ends ? [written(ends.ue), written(ends.remote)] : [written(ue), "any"];
  const protocol = number ?? "ip";
  return [
    ...(directions.uplink ? [`permit in ${protocol} from ${own} to ${remote}`] : []),
    ...(directions.downlink ? [`permit out ${protocol} from ${remote} to ${own}`] : []),
  ];
}

/** What a path has to have for a filter, and has not. */
export const lackOf = ({ ue }: AssistedPath): Lack =>
  ue === undefined ? "ue-address" : "server-address";
