import type { PairEnd, SelectedPair } from "../protocol/transport.ts";

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

const END_MEMBERS = [
  "candidateType",
  "address",
  "port",
  "protocol",
  "relayProtocol",
  "url",
  "relatedAddress",
  "relatedPort",
] as const;

function endOf(candidate: Readonly<Record<string, unknown>> | undefined): PairEnd | undefined {
  if (typeof candidate?.candidateType !== "string") return undefined;
  const known = END_MEMBERS.filter((member) => {
    const value = candidate[member];
    // Browsers hide the address of some candidates: an empty one says nothing.
    return value !== undefined && value !== null && value !== "";
  });
  return Object.fromEntries(known.map((member) => [member, candidate[member]])) as PairEnd;
}

/** Pairs in use, by stats id of their transport; Firefox may have no transport entries: then under "". */
function selectedPairIds(stats: ReadonlyMap<string, Stat>): Map<string, string> {
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

/** The selected pairs of a connection by mid, and under "" the pair of a bundled connection. */
export async function selectedPairsOf(
  connection: RTCPeerConnection,
): Promise<Map<string, SelectedPair>> {
  const stats = (await connection.getStats()) as ReadonlyMap<string, Stat>;
  const pairs = new Map<string, SelectedPair>();
  const byTransport = new Map<string, SelectedPair>();
  for (const [transport, pairId] of selectedPairIds(stats)) {
    const pair = stats.get(pairId);
    const local = endOf(
      stats.get(pair?.localCandidateId ?? "") as Record<string, unknown> | undefined,
    );
    const remote = endOf(
      stats.get(pair?.remoteCandidateId ?? "") as Record<string, unknown> | undefined,
    );
    if (local === undefined || remote === undefined) continue;
    byTransport.set(transport, { local, remote });
    pairs.set("", { local, remote });
  }
  for (const { mid, transportId } of stats.values()) {
    const pair = byTransport.get(transportId ?? "");
    if (mid !== undefined && pair !== undefined) pairs.set(mid, pair);
  }
  return pairs;
}
