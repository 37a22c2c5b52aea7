import type { Description } from "../description.ts";
import type { Group } from "../grammar.ts";
import { once } from "../notes.ts";
import { NO_HITS, type PairRule, type SectionPair, where } from "../rule.ts";
import type { Lined, Section } from "../section.ts";

/** A group without members groups nothing: Chromium writes one when it rejects everything. */
function bundlesOf({ session }: Description): readonly Lined<Group>[] {
  return session.groups.filter(({ semantics, mids }) => semantics === "BUNDLE" && mids.length > 0);
}

/** The BUNDLE group of each mid that is in one. */
const groupByMid = once(
  (description: Description): ReadonlyMap<string | undefined, Lined<Group>> => {
    const groups = new Map<string | undefined, Lined<Group>>();
    for (const group of bundlesOf(description)) {
      for (const mid of group.mids) groups.set(mid, group);
    }
    return groups;
  },
);

/** The name of a section in its answer; one that lost it is still that of the offer. No mid is empty. */
function midOf({ offered, answered }: SectionPair): string {
  return answered.mid ?? offered.mid ?? "";
}

/** The tagged section of a group: the first, whose transport the others use. */
function tagOf(byMid: ReadonlyMap<string | undefined, Section>, group: Group | undefined) {
  return group && byMid.get(group.mids[0]);
}

/** What an answer makes of the BUNDLE groups of its offer (RFC 9143 s7.3, s7.4). */
export const PAIR_BUNDLE_RULES: readonly PairRule[] = [
  {
    id: "bundle-group-not-offered",
    level: "error",
    strict: "error",
    source: "RFC 9143 s7.3",
    requirements: ["R4.4-3", "R10-5"],
    condition: "the answer has a BUNDLE group, the offer has none",
    message:
      "the answer bundles sections although the offer has no BUNDLE group, so the offerer expects one transport per section; leave a=group:BUNDLE out of the answer or offer it",
    find: ({ offer, answer }) =>
      bundlesOf(offer).length > 0 ? NO_HITS : where(bundlesOf(answer), () => true),
  },
  {
    id: "bundle-group-not-subset",
    level: "error",
    strict: "error",
    source: "RFC 9143 s7.3, s7.4",
    requirements: ["R4.4-3", "R10-5"],
    condition: "the mids of a BUNDLE group of the answer are not all in one group of the offer",
    message:
      "a BUNDLE group of an answer may only hold sections that the offer has in one group; browsers refuse this answer, take the mid out of the group",
    find: ({ offer, answer }) => {
      const offered = groupByMid(offer);
      if (offered.size === 0) return [];
      return bundlesOf(answer).map(({ mids, line }) => {
        const groups = mids.map((mid) => offered.get(mid));
        const stranger = mids.find(
          (_mid, index) => groups[index] === undefined || groups[index] !== groups[0],
        );
        return stranger === undefined ? undefined : { line, detail: `mid ${stranger}` };
      });
    },
  },
  {
    id: "bundle-declined",
    level: "info",
    strict: "info",
    source: "RFC 9143 s7.4",
    requirements: ["R4.4-2"],
    condition: "the offer has a BUNDLE group, the answer accepts sections of it and has none",
    message:
      "the answer does not bundle, so every section gets a transport of its own: more candidates, more ICE and DTLS handshakes",
    find: ({ offer, answer, live }) => {
      if (bundlesOf(answer).length > 0) return NO_HITS;
      const offered = groupByMid(offer);
      return live.some((pair) => offered.has(pair.offered.mid)) ? [{}] : [];
    },
  },
  {
    id: "bundle-only-not-bundled",
    level: "error",
    strict: "error",
    source: "RFC 9143 s7.3.2",
    requirements: ["R4.4-3"],
    condition: "a section offered with port 0 and bundle-only is accepted outside any BUNDLE group",
    message:
      "this section was offered for use in a bundle only and has no transport of its own; put its mid into the BUNDLE group of the answer or reject it with port 0",
    find: ({ answer, live }) => {
      const bundled = groupByMid(answer);
      return live
        .filter(
          (pair) => pair.offered.bundleOnly && pair.offered.port === 0 && !bundled.has(midOf(pair)),
        )
        .map(({ answered }) => ({ section: answered }));
    },
  },
  {
    id: "bundled-group-tag-rejected",
    level: "warning",
    strict: "error",
    source: "RFC 9143 s7.3.3",
    condition:
      "the answer rejects the first section of an offered BUNDLE group and keeps others that use its transport bundled",
    message:
      "the answer rejects the section whose transport the bundle uses and keeps others of the bundle; once the session runs this takes the transport away from all of them, answer with a=inactive instead or reject the whole group",
    find: ({ offer, answer, live }) => {
      if (answer.live.length === answer.sections.length) return NO_HITS;
      const byMid = new Map(offer.sections.map((section) => [section.mid, section]));
      const offered = groupByMid(offer);
      const kept = groupByMid(answer);
      // The engine reports each tagged section once, however many depend on it.
      return live.map((pair) => {
        const tag = tagOf(byMid, offered.get(pair.offered.mid));
        if (!tag || tag.rejected || !kept.has(midOf(pair))) return undefined;
        // With credentials of its own, as in a first offer of aiortc, it can go on without the tagged one.
        if (pair.offered.iceUfrag !== tag.iceUfrag) return undefined;
        const answered = answer.sections[tag.index];
        return answered?.rejected ? { section: answered } : undefined;
      });
    },
  },
];
