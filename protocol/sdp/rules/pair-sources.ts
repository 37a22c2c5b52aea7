import type { Description } from "../description.ts";
import { NO_HITS, type PairRule, where } from "../rule.ts";
import type { Section } from "../section.ts";
import type { TrickleRule } from "./trickle.ts";

/** What sections of one RTP session have in common: their group in the answer, else only themselves. */
function rtpSessionsOf({ bundles }: Description): (answered: Section) => string {
  const groups = new Map<string | undefined, string>(
    bundles.flatMap((mids, index) => mids.map((mid) => [mid, `group ${index}`] as const)),
  );
  return ({ mid, index }) => groups.get(mid) ?? `section ${index}`;
}

/** Of descriptions; of what is in use, as ends report it, as well. */
export const SSRC_COLLISION: TrickleRule = {
  id: "ssrc-collision",
  level: "warning",
  strict: "error",
  source: "RFC 5576 s5, RFC 3550 s8.2",
  requirements: ["R4.1-6", "R4.8-7/8", "R12.2.2-1"],
  condition: "both sides announce the same SSRC in one RTP session",
  message:
    "the offerer has announced this SSRC in the same RTP session; draw another one, or receivers cannot tell the sources apart until one side changes it",
};

/** Sources of an answer against those of its offer (RFC 5576 s5, RFC 8834 s4.9). */
export const PAIR_SOURCE_RULES: readonly PairRule[] = [
  {
    ...SSRC_COLLISION,
    find: ({ answer, live }) => {
      const anywhere = new Set<number>();
      for (const { offered } of live) for (const { ssrc } of offered.ssrcs) anywhere.add(ssrc);
      // Mostly no number is in both, whatever the session.
      if (!live.some(({ answered }) => answered.ssrcs.some(({ ssrc }) => anywhere.has(ssrc)))) {
        return NO_HITS;
      }
      const sessionOf = rtpSessionsOf(answer);
      const taken = new Set(
        live.flatMap(({ offered, answered }) =>
          offered.ssrcs.map(({ ssrc }) => `${sessionOf(answered)} ${ssrc}`),
        ),
      );
      return live.flatMap(({ answered }) =>
        where(
          answered.ssrcs,
          ({ ssrc }) => taken.has(`${sessionOf(answered)} ${ssrc}`),
          ({ ssrc }) => `SSRC ${ssrc}`,
        ).map((hit) => ({ section: answered, ...hit })),
      );
    },
  },
  {
    id: "cname-shared-by-both-ends",
    level: "warning",
    strict: "warning",
    source: "RFC 8834 s4.9",
    requirements: ["R4.9-1"],
    condition: "sources of both sides have the same CNAME",
    message:
      "a CNAME belongs to one endpoint: receivers would synchronise the media of both; let each side draw its own at random, and check that no media is sent back to where it came from",
    find: ({ live }) => {
      const offered = new Set<string>();
      for (const pair of live)
        for (const { cname } of pair.offered.ssrcs) if (cname) offered.add(cname);
      if (offered.size === 0) return NO_HITS;
      return live.flatMap(({ answered }) =>
        // Each CNAME is told once, at its first source: it is no longer known after that.
        where(answered.ssrcs, ({ cname = "" }) => offered.delete(cname)).map((hit) => ({
          section: answered,
          ...hit,
        })),
      );
    },
  },
];
