import { carrierOf, fiveTupleOf, knownOf } from "../flows/five-tuple.ts";
import type { FiveTuple, PairEnd, SelectedPair } from "../transport.ts";
import type { AssistedPath, Located, RelayServer } from "./assisted.ts";
import {
  type CandidateSource,
  candidatesOf,
  connectionsOf,
  endOf,
  familyOf,
  hasOnlyRelays,
  hidesAddresses,
  type PathCandidate,
  reachable,
  seenFrom,
  soleEnd,
} from "./path-candidates.ts";
import { carrierToRelay, isForeign, namedServer, serversOr, unnamedServer } from "./relay-hop.ts";
import { completed, ofSocket, type UeAddresses } from "./ue-address.ts";

/** What is known of the way between a UE and the first hop that its network sees. */
export interface PathFacts extends CandidateSource {
  readonly ue: string;
  readonly other: string;
  /** Address of the UE's signalling socket. */
  readonly seen: string | undefined;
  readonly relay: readonly RelayServer[];
}

/** A path before the UE's own addresses are completed. */
interface Draft extends UeAddresses {
  readonly known: AssistedPath["known"];
  readonly isHearsay?: true;
  readonly protocol?: "udp" | "tcp";
  readonly remotes: readonly Located[];
  readonly remoteDomain?: string;
  readonly isRelayed: boolean;
  /** The first hop is the UE's own TURN server, to which it sends from a socket of its own. */
  readonly isOwnRelay?: true;
}

/**
 * The path of a transport, as well as it is known: the selected pair as the UE reports it, and what it keeps to itself as
 * the other end does; the TURN server while relays are all there can be; candidates; nothing.
 */
export function pathOf(facts: PathFacts): AssistedPath {
  const own = candidatesOf(facts, facts.ue);
  const others = candidatesOf(facts, facts.other);
  const draft =
    selectedPath(facts, others) ??
    relayPath(facts, own) ??
    candidatePath(facts, own, others) ??
    NOTHING;
  return withUe(draft, facts, own);
}

const NOTHING: Draft = { known: "nothing", protocol: "udp", remotes: [], isRelayed: false };

const BY_OWN_RELAY = { isRelayed: true, isOwnRelay: true } as const;

function withUe(
  draft: Draft,
  facts: PathFacts,
  candidates: readonly PathCandidate[],
): AssistedPath {
  const { ue: own, uePublic: seenByOther, isOwnRelay, ...path } = draft;
  const families = new Set(draft.remotes.map(({ address }) => familyOf(address)));
  const [family] = families;
  const addresses = completed(draft, {
    candidates,
    seen: facts.seen,
    isHiding: hidesAddresses(facts, facts.ue),
    family: families.size === 1 ? family : undefined,
  });
  // Candidates are of UDP: a connection has a socket of its own as well.
  const isOfAnother = isOwnRelay || path.protocol === "tcp";
  return { ...path, ...(isOfAnother ? ofSocket(addresses, own ?? seenByOther) : addresses) };
}

const protocolOf = (name: string): "udp" | "tcp" => (name === "tcp" ? "tcp" : "udp");

function selectedPath(facts: PathFacts, others: readonly PathCandidate[]): Draft | undefined {
  const { transport, ue, other } = facts;
  const { [ue]: own, [other]: reversed } = transport.selectedPair ?? {};
  const byOther = reversed && pathByOther(facts, reversed, others);
  const byUe = own && pathByUe(facts, own);
  if (!byUe) return byOther && { ...byOther, isHearsay: true };
  return byOther ? filled(byUe, byOther) : byUe;
}

/** What the UE does not tell, or does not know: its public address, an address of the other that it sees only as a name. */
function filled(byUe: Draft, byOther: Draft): Draft {
  // What the other end sees of it is beyond the server.
  if (byUe.isOwnRelay) return byUe;
  const isDirect = !byUe.isRelayed && !byOther.isRelayed;
  return {
    ...(byOther.uePublic ? { uePublic: byOther.uePublic } : {}),
    ...(byOther.ue ? { ue: byOther.ue } : {}),
    ...byUe,
    remotes: byUe.remotes.length === 0 && isDirect ? byOther.remotes : byUe.remotes,
  };
}

function pathByUe(facts: PathFacts, pair: SelectedPair): Draft {
  const tuple = fiveTupleOf(facts.ue, pair);
  if (tuple.relay) {
    // RFC 8839 s5.1: a relayed candidate is related to the address that its server sees.
    const uePublic = endOf(tuple.local);
    const { address: relayed } = endOf(tuple.relay.relayed) ?? {};
    const server =
      tuple.remote.address === undefined
        ? unnamedServer(facts.relay, tuple.protocol, relayed)
        : {
            ...carrierToRelay(tuple.protocol, pair.local.url),
            ...namedServer(facts.relay, tuple.remote),
          };
    return { known: "pair", ...(uePublic ? { uePublic } : {}), ...server, ...BY_OWN_RELAY };
  }
  const ue = endOf(tuple.local);
  const uePublic = pair.local.candidateType === "host" ? undefined : endIn(pair.local);
  const remote = endOf(tuple.remote);
  return {
    known: "pair",
    protocol: protocolOf(tuple.protocol),
    ...(ue ? { ue } : {}),
    ...(uePublic ? { uePublic } : {}),
    remotes: remote ? [remote] : [],
    isRelayed: pair.remote.candidateType === "relay",
  };
}

const endIn = ({ address, port }: PairEnd): Located | undefined => endOf(knownOf(address, port));

/** The same pair from the other side: its remote end is the UE as the world sees it. */
function pathByOther(
  facts: PathFacts,
  { local, remote }: SelectedPair,
  others: readonly PathCandidate[],
): Draft {
  if (remote.candidateType === "relay") {
    // Which of its servers, and from where: only the UE knows.
    const relayed = endIn(remote)?.address;
    const relays = serversOr(facts.relay, relayed === undefined ? [] : [relayed]);
    return { known: "pair", ...relays, ...BY_OWN_RELAY };
  }
  const uePublic = endIn(remote);
  const own = endIn(local);
  const isHost = local.candidateType === "host" && remote.candidateType !== "host";
  const seen = own && (isHost ? seenFrom(others, own) : own);
  return {
    known: "pair",
    protocol: protocolOf(carrierOf(local.protocol || remote.protocol)),
    ...(uePublic ? { uePublic } : {}),
    ...(uePublic && remote.candidateType === "host" ? { ue: uePublic } : {}),
    remotes: seen ? [seen] : [],
    isRelayed: local.candidateType === "relay",
  };
}

/** While the UE can only send by relays. */
function relayPath(facts: PathFacts, own: readonly PathCandidate[]): Draft | undefined {
  const { session, ue, relay } = facts;
  const isOnly = own.length > 0 && hasOnlyRelays(facts, ue);
  if (!isOnly && session.config.iceTransportPolicy !== "relay") return undefined;
  const relays = own.filter(({ type }) => type === "relay");
  const relayed = relays.map(({ address }) => address);
  const servers = serversOr(relay, relayed);
  const isKnown = servers.remotes.length > 0 || servers.remoteDomain !== undefined;
  const uePublic = soleEnd(relays.flatMap(({ base }) => base ?? []));
  return isKnown
    ? {
        known: isForeign(relay, relayed) ? "candidates" : "relay",
        ...servers,
        ...(uePublic ? { uePublic } : {}),
        ...BY_OWN_RELAY,
      }
    : undefined;
}

function candidatePath(
  facts: PathFacts,
  own: readonly PathCandidate[],
  others: readonly PathCandidate[],
): Draft | undefined {
  if (own.length === 0 && others.length === 0) return undefined;
  const connections = connectionsOf(facts, facts.other);
  return {
    known: "candidates",
    protocol: connections.length > 0 ? "tcp" : "udp",
    remotes: reachable(connections.length > 0 ? connections : others),
    isRelayed: others.length > 0 && others.every(({ type }) => type === "relay"),
  };
}

/** The path of RTCP where it has one of its own beside that of RTP: as an end reports it, undefined before that. */
export function rtcpPathOf(
  { transport, ue, other, relay }: PathFacts,
  { ue: known }: AssistedPath,
): AssistedPath | undefined {
  const tupleOf = (peer: string): FiveTuple | undefined =>
    transport.fiveTuples.find((each) => each.peer === peer && each.component === "rtcp");
  const own = tupleOf(ue);
  const theirs = tupleOf(other);
  const tuple = own ?? (theirs && !theirs.relay ? reversedTuple(theirs) : undefined);
  if (!tuple) return undefined;
  const [local, remote] = [endOf(tuple.local), endOf(tuple.remote)];
  const isOwn = own !== undefined && own.relay === undefined;
  const end = isOwn ? local : known && ofSocket({ ue: known }, local).ue;
  return {
    known: "pair",
    ...(tuple.relay
      ? { ...carrierToRelay(tuple.protocol), ...namedServer(relay, tuple.remote) }
      : { protocol: protocolOf(tuple.protocol), remotes: remote ? [remote] : [] }),
    ...(end ? { ue: end } : {}),
    isRelayed: tuple.relay !== undefined,
  };
}

const reversedTuple = ({ local, remote, ...tuple }: FiveTuple): FiveTuple => ({
  ...tuple,
  local: remote,
  remote: local,
});
