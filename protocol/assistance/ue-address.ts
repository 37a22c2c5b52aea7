import { addressKindOf } from "../sdp/address.ts";
import type { Located } from "./assisted.ts";
import {
  type Family,
  familyOf,
  type PathCandidate,
  plainAddress,
  soleEnd,
} from "./path-candidates.ts";

/** The two addresses of a UE: on its own interface, as its operator's user plane sees it, and as the world sees it. */
export interface UeAddresses {
  readonly ue?: Located;
  readonly uePublic?: Located;
}

/** All there is to tell them by. */
export interface UeEvidence {
  readonly candidates: readonly PathCandidate[];
  /** Of the signalling socket. */
  readonly seen: string | undefined;
  /** Some of its candidates say no address. */
  readonly isHiding: boolean;
  /** Of the other end of the path: the UE uses an address of the same. */
  readonly family: Family | undefined;
}

/**
 * The addresses with what is not known of them yet. Own ones: IPv6 has no NAT, so there both are the same; an IPv4 address
 * that is global, or that others see as it is, has none either. What a browser hides behind a name stays unknown.
 */
export function completed({ ue, uePublic }: UeAddresses, evidence: UeEvidence): UeAddresses {
  const family = familyFor({ ue, uePublic }, evidence);
  if (family === undefined) return {};
  const own = evidence.candidates.filter(
    ({ address, type }) => type !== "relay" && familyOf(address) === family,
  );
  const seen = plainAddress(evidence.seen);
  const socket = seen !== undefined && familyOf(seen) === family ? { address: seen } : undefined;
  return family === 6
    ? same(ue ?? uePublic ?? soleEnd(withoutLocal(own)) ?? socket)
    : translated(ue, uePublic ?? reflexive(own, ue), own, socket);
}

function familyFor(
  { ue, uePublic }: { readonly [K in keyof UeAddresses]: UeAddresses[K] | undefined },
  { candidates, seen, isHiding, family }: UeEvidence,
): Family | undefined {
  const address = ue?.address ?? uePublic?.address;
  if (address !== undefined) return familyOf(address);
  if (family !== undefined) return family;
  // Media take none of the addresses that only signalling has.
  const isTold = !isHiding && candidates.some(({ type }) => type !== "relay");
  const socket = isTold ? undefined : plainAddress(seen);
  const tried = withoutLocal(candidates).map((each) => each.address);
  const known = [...tried, ...(socket ? [socket] : [])];
  const families = known.map(familyOf);
  // ICE prefers IPv6 (RFC 8421).
  return families.includes(6) ? 6 : families[0];
}

/** Of a VPN or a home (RFC 4193): from there nothing gets through an operator's network, if there are others. */
function withoutLocal(candidates: readonly PathCandidate[]): readonly PathCandidate[] {
  const isLocal = (each: PathCandidate): boolean => familyOf(each.address) === 6 && !isGlobal(each);
  const others = candidates.filter((each) => !isLocal(each));
  return others.some(({ type }) => type !== "relay") ? others : candidates;
}

const same = (both: Located | undefined): UeAddresses => (both ? { ue: both, uePublic: both } : {});

const isGlobal = ({ address }: Located): boolean => addressKindOf(address) === "global";

/** What a UE in a network of IPv6 alone gives its applications (RFC 7335): no packet has it that leaves the UE. */
const isOfTranslator = ({ address }: Located): boolean => /^192\.0\.0\.[0-7]$/.test(address);

/** A NAT towards the world makes global addresses: one that is none is seen from inside, and the UE's own. */
const fromInside = (end: Located | undefined): Located | undefined =>
  end && !isGlobal(end) ? end : undefined;

const publicOf = (end: Located | undefined): Located | undefined =>
  end && isGlobal(end) ? end : undefined;

/** Behind a NAT, perhaps. Who is inside the network as well sees no public address of it. */
function translated(
  known: Located | undefined,
  seenAs: Located | undefined,
  own: readonly PathCandidate[],
  socket: Located | undefined,
): UeAddresses {
  const hosts = own.filter(({ type }) => type === "host");
  const isOwn = hosts.some(({ address }) => address === seenAs?.address);
  const seen = isOwn ? seenAs : fromInside(seenAs);
  const ue = known ?? seen ?? soleEnd(hosts) ?? baseOf(own) ?? fromInside(socket);
  const isOutside = socket !== undefined && isGlobal(socket);
  const uePublic = (isOutside ? publicOf(seenAs) : seenAs) ?? publicOf(ue) ?? socket;
  return {
    ...(ue && !isOfTranslator(ue) ? { ue } : {}),
    ...(uePublic ? { uePublic } : {}),
  };
}

/** What a NAT makes of the address, or of the only one there is. */
function reflexive(own: readonly PathCandidate[], ue: Located | undefined): Located | undefined {
  const mapped = own.filter(
    ({ type, base }) =>
      type !== "host" && (ue === undefined || base === undefined || base.address === ue.address),
  );
  const exact = mapped.find(({ base }) => base !== undefined && base.port === ue?.port);
  return soleEnd(exact ? [exact] : mapped);
}

const baseOf = (own: readonly PathCandidate[]): Located | undefined =>
  soleEnd(own.flatMap(({ base }) => base ?? []));

/**
 * The addresses of one socket of a UE, of which others see this. To its TURN server a UE sends from a socket of its own:
 * the ports of its other candidates match none of those packets. What others see tells the port where nobody translates.
 * The public side keeps one of another socket, which names the device as well.
 */
export function ofSocket({ ue, uePublic }: UeAddresses, seenAs: Located | undefined): UeAddresses {
  if (!ue) return uePublic ? { uePublic } : {};
  const own = seenAs?.address === ue.address ? seenAs : { address: ue.address };
  const seen = uePublic?.address === ue.address ? own : uePublic;
  return { ue: own, ...(seen ? { uePublic: seen } : {}) };
}
