import type { Description } from "../description.ts";
import { once } from "../notes.ts";
import { type DescriptionRule, type Hit, type Hits, locate } from "../rule.ts";
import type { Section, SessionPart } from "../section.ts";

/** Says for the session part and for every section in use what `find` says for one of them. */
export function eachPart(find: (part: Section | SessionPart) => Hits): DescriptionRule["find"] {
  return ({ description: { session, live } }) => {
    const found: Hit[] = [];
    locate(found, undefined, find(session));
    for (const section of live) locate(found, section, find(section));
    return found;
  };
}

type Members = readonly [Section, ...Section[]];

/**
 * The sections in use of each bundle, its tagged section first. A mid in two groups counts for the first, so that
 * the sections of all bundles together are never more than those of the description, which may name a hundred
 * thousand mids.
 */
export const bundlesOf = once(readBundles);

function readBundles({ bundles, sections }: Description): readonly Members[] {
  const places = new Map<string | undefined, { bundle: number; place: number }>();
  for (const [bundle, mids] of bundles.entries()) {
    for (const [place, mid] of mids.entries()) {
      if (!places.has(mid)) places.set(mid, { bundle, place });
    }
  }
  const members = sections
    .flatMap((section) => {
      const found = places.get(section.mid);
      return section.rejected || !found ? [] : [{ ...found, section }];
    })
    .toSorted((one, other) => one.place - other.place);
  const byBundle = new Map<number, [Section, ...Section[]]>();
  for (const { bundle, section } of members) {
    const known = byBundle.get(bundle);
    if (known) known.push(section);
    else byBundle.set(bundle, [section]);
  }
  return [...byBundle.values()];
}

/** Says for every bundle what `find` says for its sections in use. */
export function eachBundle(find: (members: Members) => Hits): DescriptionRule["find"] {
  return ({ description }) => bundlesOf(description).flatMap(find);
}
