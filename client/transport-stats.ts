import type { DtlsReport, PairEnd, SelectedPair } from "../protocol/transport.ts";

/** The members of getStats entries (W3C webrtc-stats) read here; TypeScript's DOM lacks several. */
interface Stat {
  readonly id: string;
  readonly type: string;
  readonly mid?: string;
  readonly transportId?: string;
  readonly selectedCandidatePairId?: string;
  readonly selected?: boolean;
  readonly nominated?: boolean;
  readonly state?: string;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
}

type Stats = ReadonlyMap<string, Stat>;

/** What getStats knows of a transport that has a path: its pair, and what DTLS came to. */
export interface TransportStats {
  readonly pair: SelectedPair;
  readonly dtls: DtlsReport;
}

/** The transports of a connection that have a path. */
export interface ConnectionTransports {
  /** By the mids of sections whose RTP they carry. */
  readonly byMid: ReadonlyMap<string, TransportStats>;
  /** Those that carry no RTP, such as that of the data channels. */
  readonly others: readonly TransportStats[];
}

const END_MEMBERS = [
  "candidateType",
  "address",
  "port",
  "protocol",
  "relayProtocol",
  "url",
  "relatedAddress",
  "relatedPort",
  "usernameFragment",
] as const;

const DTLS_MEMBERS = ["srtpCipher", "tlsVersion", "dtlsCipher"] as const;

/** The members that say something: browsers hide the address of some candidates, an empty one is none. */
function known(stat: Stat, members: readonly string[]): Record<string, unknown> {
  const values = stat as unknown as Readonly<Record<string, unknown>>;
  const said = members.filter((member) => (values[member] ?? "") !== "");
  return Object.fromEntries(said.map((member) => [member, values[member]]));
}

function endOf(candidate: Stat | undefined): PairEnd | undefined {
  const end = candidate && known(candidate, END_MEMBERS);
  return end?.candidateType === undefined ? undefined : (end as PairEnd);
}

/** Pairs in use, by stats id of their transport; Firefox may have no transport entries: then under "". */
function selectedPairIds(stats: Stats): Map<string, string> {
  const ids = new Map<string, string>();
  for (const { type, id, selectedCandidatePairId } of stats.values()) {
    if (type === "transport" && selectedCandidatePairId !== undefined) {
      ids.set(id, selectedCandidatePairId);
    }
  }
  if (ids.size > 0) return ids;
  for (const { type, id, selected, nominated, state, transportId } of stats.values()) {
    const inUse = selected ?? (nominated === true && state === "succeeded");
    if (type === "candidate-pair" && inUse) ids.set(transportId ?? "", id);
  }
  return ids;
}

/** What getStats says of a connection's transports. */
export async function transportsOf(connection: RTCPeerConnection): Promise<ConnectionTransports> {
  const stats = (await connection.getStats()) as Stats;
  const byId = new Map<string, TransportStats>();
  for (const [id, pairId] of selectedPairIds(stats)) {
    const pair = stats.get(pairId);
    const local = endOf(stats.get(pair?.localCandidateId ?? ""));
    const remote = endOf(stats.get(pair?.remoteCandidateId ?? ""));
    const own = stats.get(id);
    const dtls: DtlsReport = own ? known(own, DTLS_MEMBERS) : {};
    if (local && remote) byId.set(id, { pair: { local, remote }, dtls });
  }
  const byMid = new Map<string, TransportStats>();
  const others = new Map(byId);
  for (const { mid, transportId = "" } of stats.values()) {
    const transport = byId.get(transportId);
    if (mid === undefined || transport === undefined) continue;
    byMid.set(mid, transport);
    others.delete(transportId);
  }
  return { byMid, others: [...others.values()] };
}
