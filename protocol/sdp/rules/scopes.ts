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

/** Where a mid stands: in which group, and where in it. */
interface Place {
  readonly bundle: number;
  readonly place: number;
}

function readBundles({ bundles, live }: Description): readonly Members[] {
  const places = new Map<string | undefined, Place>();
  for (const [bundle, mids] of bundles.entries()) {
    for (const [place, mid] of mids.entries()) {
      if (!places.has(mid)) places.set(mid, { bundle, place });
    }
  }
  const members: { readonly section: Section; readonly at: Place }[] = [];
  for (const section of live) {
    const at = places.get(section.mid);
    if (at) members.push({ section, at });
  }
  members.sort((one, other) => one.at.place - other.at.place);
  const byBundle = new Map<number, [Section, ...Section[]]>();
  for (const { section, at } of members) {
    const known = byBundle.get(at.bundle);
    if (known) known.push(section);
    else byBundle.set(at.bundle, [section]);
  }
  return [...byBundle.values()];
}

/** Says for every bundle what `find` says for its sections in use. */
export function eachBundle(find: (members: Members) => Hits): DescriptionRule["find"] {
  return ({ description }) => {
    const found: Hit[] = [];
    for (const members of bundlesOf(description)) locate(found, undefined, find(members));
    return found;
  };
}
