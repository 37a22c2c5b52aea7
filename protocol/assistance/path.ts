import { carrierOf, fiveTupleOf } from "../flows/five-tuple.ts";
import type { FiveTuple, PairEnd, SelectedPair, Transport } from "../transport.ts";
import type { AssistedPath, Located, RelayServer } from "./assisted.ts";
import {
  type CandidateSource,
  candidatesOf,
  familyOf,
  type PathCandidate,
  plainAddress,
  reachable,
  seenFrom,
  soleEnd,
} from "./path-candidates.ts";
import { completed, type UeAddresses } from "./ue-address.ts";

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
  readonly protocol: "udp" | "tcp";
  readonly remotes: readonly Located[];
  readonly remoteDomain?: string;
  readonly isRelayed: boolean;
}

/**
 * The path of a transport, as well as it is known: the selected pair as the UE reports it, and what it keeps to itself as
 * the other end does; the TURN server while relays are all there can be; candidates; nothing.
 */
export function pathOf(facts: PathFacts): AssistedPath {
  const own = candidatesOf(facts, facts.ue);
  const others = candidatesOf(facts, facts.other);
  const draft =
    selectedPath(facts, others) ?? relayPath(facts, own) ?? candidatePath(own, others) ?? NOTHING;
  return withUe(draft, facts, own);
}

const NOTHING: Draft = { known: "nothing", protocol: "udp", remotes: [], isRelayed: false };

function withUe(draft: Draft, { seen }: PathFacts, own: readonly PathCandidate[]): AssistedPath {
  const { ue: _, uePublic: __, ...path } = draft;
  const families = new Set(draft.remotes.map(({ address }) => familyOf(address)));
  const [family] = families;
  const addresses = completed(draft, {
    candidates: own,
    seen,
    family: families.size === 1 ? family : undefined,
  });
  return { ...path, ...addresses };
}

const protocolOf = (name: string): "udp" | "tcp" => (name === "tcp" ? "tcp" : "udp");

/** One end of a path, where it has an address. */
function endOf(end: FiveTuple["local"]): Located | undefined {
  const address = plainAddress(end.address);
  if (address === undefined) return undefined;
  return { address, ...(end.port === undefined ? {} : { port: end.port }) };
}

function selectedPath(facts: PathFacts, others: readonly PathCandidate[]): Draft | undefined {
  const { transport, ue, other } = facts;
  const { [ue]: own, [other]: reversed } = transport.selectedPair ?? {};
  const byOther = reversed && pathByOther(facts, reversed, others);
  const byUe = own && pathByUe(facts, own);
  if (!byUe) return byOther;
  return byOther ? filled(byUe, byOther) : byUe;
}

/** What the UE does not tell, or does not know: its public address, an address of the other that it sees only as a name. */
function filled(byUe: Draft, byOther: Draft): Draft {
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
  const path = { known: "pair", protocol: protocolOf(tuple.protocol) } as const;
  if (tuple.relay) {
    // RFC 8839 s5.1: a relayed candidate is related to the address that its server sees.
    const uePublic = endOf(tuple.local);
    const server = relayServer(facts.relay, tuple.remote);
    return { ...path, ...(uePublic ? { uePublic } : {}), ...server, isRelayed: true };
  }
  const ue = endOf(tuple.local);
  const uePublic = pair.local.candidateType === "host" ? undefined : endIn(pair.local);
  const remote = endOf(tuple.remote);
  return {
    ...path,
    ...(ue ? { ue } : {}),
    ...(uePublic ? { uePublic } : {}),
    remotes: remote ? [remote] : [],
    isRelayed: pair.remote.candidateType === "relay",
  };
}

/** A TURN server that an end names by its URL, with the address that this deployment knows it by. */
function relayServer(
  servers: readonly RelayServer[],
  named: FiveTuple["remote"],
): Pick<Draft, "remotes" | "remoteDomain"> {
  const { address: name } = named;
  const server = endOf(named);
  if (server) return { remotes: [server] };
  if (name === undefined) return { remotes: [] };
  const address = servers.find(({ domain }) => domain === name)?.address;
  const known = endOf({ ...named, address });
  return { remotes: known ? [known] : [], remoteDomain: name };
}

const endIn = ({ address, port }: PairEnd): Located | undefined =>
  endOf({ address: address ?? "", ...(port ? { port } : {}) });

/** The same pair from the other side: its remote end is the UE as the world sees it. */
function pathByOther(
  facts: PathFacts,
  { local, remote }: SelectedPair,
  others: readonly PathCandidate[],
): Draft {
  if (remote.candidateType === "relay") {
    // Which of its servers, and from where: only the UE knows. The relayed address is mostly the server's own.
    const relayed = endIn(remote)?.address;
    const relays = serversOr(facts.relay, relayed === undefined ? [] : [relayed]);
    return { known: "pair", ...relays, isRelayed: true };
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

/** The TURN servers of this deployment, those over UDP where there are some; else what candidates show of others. */
function serversOr(
  servers: readonly RelayServer[],
  relayed: readonly string[],
): Pick<Draft, "protocol" | "remotes" | "remoteDomain"> {
  const usual = servers.filter(({ protocol = "udp" }) => protocol === "udp");
  const used = usual.length > 0 ? usual : servers;
  const remotes = used.flatMap(({ address, port }) => {
    const known = plainAddress(address);
    return known === undefined ? [] : [{ address: known, ...(port === undefined ? {} : { port }) }];
  });
  const domain = used.find((server) => server.domain !== undefined)?.domain;
  return {
    protocol: used[0]?.protocol ?? "udp",
    remotes: used.length > 0 ? remotes : [...new Set(relayed)].map((address) => ({ address })),
    ...(domain === undefined ? {} : { remoteDomain: domain }),
  };
}

/** While the UE can only send by relays. */
function relayPath(facts: PathFacts, own: readonly PathCandidate[]): Draft | undefined {
  const { session, transport, ue, relay } = facts;
  const types = new Set(own.map(({ type }) => type));
  const isOnly = types.size === 1 && types.has("relay") && !hasOthers(transport, ue);
  if (!isOnly && session.config.iceTransportPolicy !== "relay") return undefined;
  const relayed = own.filter(({ type }) => type === "relay").map(({ address }) => address);
  const servers = serversOr(relay, relayed);
  const isKnown = servers.remotes.length > 0 || servers.remoteDomain !== undefined;
  const uePublic = soleEnd(own.flatMap(({ base }) => base ?? []));
  return isKnown
    ? {
        known: "relay",
        ...servers,
        ...(uePublic ? { uePublic } : {}),
        isRelayed: true,
      }
    : undefined;
}

/** Candidates of its own that say no address, such as names. */
function hasOthers({ candidates }: Transport, ue: string): boolean {
  const counts = candidates[ue];
  return counts !== undefined && counts.host + counts.srflx + counts.prflx > 0;
}

function candidatePath(
  own: readonly PathCandidate[],
  others: readonly PathCandidate[],
): Draft | undefined {
  if (own.length === 0 && others.length === 0) return undefined;
  return {
    known: "candidates",
    protocol: "udp",
    remotes: reachable(others),
    isRelayed: others.length > 0 && others.every(({ type }) => type === "relay"),
  };
}

/** The path of RTCP where it has one of its own: as an end reports it, undefined before that. */
export function rtcpPathOf({ transport, ue, other }: PathFacts): AssistedPath | undefined {
  const tupleOf = (peer: string): FiveTuple | undefined =>
    transport.fiveTuples.find((each) => each.peer === peer && each.component === "rtcp");
  const own = tupleOf(ue);
  const theirs = tupleOf(other);
  const tuple = own ?? (theirs && !theirs.relay ? reversedTuple(theirs) : undefined);
  if (!tuple) return undefined;
  const [local, remote] = [endOf(tuple.local), endOf(tuple.remote)];
  return {
    known: "pair",
    protocol: protocolOf(tuple.protocol),
    ...(local ? { ue: local } : {}),
    remotes: remote ? [remote] : [],
    isRelayed: tuple.relay !== undefined,
  };
}

const reversedTuple = ({ local, remote, ...tuple }: FiveTuple): FiveTuple => ({
  ...tuple,
  local: remote,
  remote: local,
});
