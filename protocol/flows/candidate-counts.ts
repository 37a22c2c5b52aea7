import { candidateLineOf } from "../sdp/candidate.ts";
import type { Description } from "../sdp/description.ts";
import type { CandidateCounts } from "../transport.ts";
import { type AgreedPair, descriptionOf } from "./agreed-pair.ts";

/** Candidates by type: per peer, per m-section in order. */
export type Candidates = ReadonlyMap<string, readonly CandidateCounts[]>;

/** Candidates of one peer that came after or beside its description (RFC 8840). */
export interface Trickled {
  readonly from: string;
  readonly candidates: readonly {
    readonly candidate: string;
    /** Empty is as good as none: Pion has sent that for years, with the index beside it. */
    readonly sdpMid?: string | null | undefined;
    readonly sdpMLineIndex?: number | null | undefined;
  }[];
}

/** Foundation to type: what follows may differ between the description and the trickled form. */
const IDENTIFYING_TOKENS = 8;

const identityOf = (text: string): string =>
  text
    .replace(/^(?:a=)?candidate:/, "")
    .split(" ", IDENTIFYING_TOKENS)
    .join(" ");

function countsOf(texts: readonly string[]): CandidateCounts {
  const types = [...new Set(texts.map(identityOf))].map((text) => candidateLineOf(text).type);
  const count = (wanted: string): number => types.filter((type) => type === wanted).length;
  return {
    host: count("host"),
    srflx: count("srflx"),
    prflx: count("prflx"),
    relay: count("relay"),
  };
}

/** Counts the candidates of both peers of a link, each once, in their descriptions and trickled. */
export function candidateCounts(
  peers: readonly [string, string],
  pair: AgreedPair,
  trickled: readonly Trickled[],
): Candidates {
  return new Map(
    peers.map((peer) => {
      const own = trickled.filter(({ from }) => from === peer).flatMap((each) => each.candidates);
      return [peer, sectionCounts(descriptionOf(pair, peer), own)] as const;
    }),
  );
}

function sectionCounts(
  { sections }: Description,
  trickled: Trickled["candidates"],
): readonly CandidateCounts[] {
  const byMid = new Map(sections.map((section) => [section.mid, section]));
  const bySection = Map.groupBy(trickled, ({ sdpMid, sdpMLineIndex }) =>
    sdpMid ? byMid.get(sdpMid) : sections[sdpMLineIndex ?? -1],
  );
  return sections.map((section) =>
    countsOf([
      ...section.candidates.map(({ text }) => text),
      ...(bySection.get(section) ?? []).map(({ candidate }) => candidate),
    ]),
  );
}

const NO_CANDIDATES: CandidateCounts = { host: 0, srflx: 0, prflx: 0, relay: 0 };

const isAny = ({ host, srflx, prflx, relay }: CandidateCounts): boolean =>
  host + srflx + prflx + relay > 0;

/**
 * What a transport counts, by peer: the candidates of a bundle are those of its tagged section; offers may
 * spread them (RFC 9143 s7.2).
 */
export function bundleCounts(
  peers: readonly [string, string],
  candidates: Candidates,
  sections: readonly { readonly index: number }[],
): Record<string, CandidateCounts> {
  const countsOfPeer = (peer: string): CandidateCounts =>
    sections.flatMap(({ index }) => candidates.get(peer)?.[index] ?? []).find(isAny) ??
    NO_CANDIDATES;
  return Object.fromEntries(peers.map((peer) => [peer, countsOfPeer(peer)]));
}
