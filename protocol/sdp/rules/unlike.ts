import type { DescriptionSubject, Hit } from "../rule.ts";
import type { Section } from "../section.ts";
import { bundlesOf } from "./scopes.ts";

/** Finds where sections of one bundle say different things of what must be the same. */

/** Ids from here on stand for choices that the answerer maps to real ones (RFC 8285 s7). */
const FIRST_CHOICE_ID = 4096;

const fixedExtMaps = ({ extMaps }: Section): Section["extMaps"] =>
  extMaps.filter(({ id }) => id < FIRST_CHOICE_ID);

/** What a section says of a thing of which all sections of its bundle must say the same. */
export interface Saying {
  readonly of: string | number;
  readonly says: string | number;
  /** Made when it is needed: seldom. */
  readonly hit: () => Hit;
}

/** What was said first of each thing, and by which section. */
type Firsts = Map<Saying["of"], { section: Section; said: Set<Saying["says"]> }>;

/** Hits for what a section says of a thing that an earlier one of its bundle does not say. */
function against(firsts: Firsts, section: Section, sayings: readonly Saying[]): Hit[] {
  const hits: Hit[] = [];
  for (const { of, says, hit } of sayings) {
    const known = firsts.get(of);
    if (!known) firsts.set(of, { section, said: new Set([says]) });
    // Saying two things itself is not against another section: rules of one section see it.
    else if (known.section === section) known.said.add(says);
    else if (!known.said.has(says)) hits.push({ section, ...hit() });
  }
  return hits;
}

/** Hits for what sections say of a thing that an earlier one of their bundle does not say. */
export function unlike(sayings: (section: Section) => readonly Saying[]) {
  return ({ description }: DescriptionSubject): Hit[] =>
    bundlesOf(description).flatMap((members) => {
      const firsts: Firsts = new Map();
      return members.flatMap((section) => against(firsts, section, sayings(section)));
    });
}

/** Hits of a list that are told again of other sections with it: no more findings of a rule are ever told. */
const MOST_REPEATED = 50;

/**
 * The same for header extensions: sections that have them from the session part have the same list, which is
 * compared once.
 */
export function unlikeExtension(saying: (extMap: Section["extMaps"][number]) => Saying) {
  return ({ description }: DescriptionSubject): Hit[] =>
    bundlesOf(description).flatMap((members) => {
      const firsts: Firsts = new Map();
      const compared = new Map<Section["extMaps"], readonly Hit[]>();
      return members.flatMap((section) => {
        const known = compared.get(section.extMaps);
        if (known) return known.map((hit) => ({ ...hit, section }));
        const hits = against(firsts, section, fixedExtMaps(section).map(saying));
        compared.set(section.extMaps, hits.slice(0, MOST_REPEATED));
        return hits;
      });
    });
}
