import type { Description } from "../description.ts";
import { extensionOf } from "../inherited.ts";
import { once } from "../notes.ts";
import type { DescriptionSubject, Hit } from "../rule.ts";
import type { Section } from "../section.ts";
import { bundlesOf } from "./scopes.ts";

/** Finds where sections of one bundle say different things of what must be the same. */

/** Ids from here on stand for choices that the answerer maps to real ones (RFC 8285 s7). */
const FIRST_CHOICE_ID = 4096;

const fixedExtMaps = ({ extMaps }: Section): Section["extMaps"] =>
  extMaps.filter(({ id }) => id < FIRST_CHOICE_ID);

/** How to read what a section says of a thing of which all sections of its bundle must say the same. */
export interface Saying<T> {
  /** What it is said of. */
  readonly of: (item: T, section: Section) => string | number;
  /** What is said of it. */
  readonly says: (item: T, section: Section) => string | number;
  /** Whether that is plainly what was said first: mostly it is, and `says` need not be asked. */
  readonly isSame: (item: T, section: Section, first: First<T>) => boolean;
  readonly hit: (item: T, section: Section) => Hit;
}

/** What was said first of a thing, by which section. */
export interface First<T> {
  readonly section: Section;
  readonly item: T;
  /** All that the section says of it; absent as long as nobody says anything else. */
  said?: Set<string | number>;
}

/** What was said first of each thing. */
type Firsts<T> = Map<string | number, First<T>>;

/** Adds hits for what a section says of a thing that an earlier one of its bundle does not say. */
function against<T>(
  hits: Hit[],
  firsts: Firsts<T>,
  section: Section,
  items: readonly T[],
  { of, says, isSame, hit }: Saying<T>,
): void {
  for (const item of items) {
    const thing = of(item, section);
    const first = firsts.get(thing);
    if (!first) {
      firsts.set(thing, { section, item });
    } else if (!isSame(item, section, first)) {
      first.said ??= new Set([says(first.item, first.section)]);
      // Saying two things itself is not against another section: rules of one section see it.
      if (first.section === section) first.said.add(says(item, section));
      else if (!first.said.has(says(item, section))) hits.push({ section, ...hit(item, section) });
    }
  }
}

/** Hits for what sections say of a thing that an earlier one of their bundle does not say. */
export function unlike<T>(
  itemsOf: (section: Section, description: Description) => readonly T[],
  saying: Saying<T>,
) {
  return ({ description }: DescriptionSubject): readonly Hit[] => {
    const hits: Hit[] = [];
    for (const members of bundlesOf(description)) {
      let firsts: Firsts<T> | undefined;
      for (const section of members) {
        const items = itemsOf(section, description);
        if (items.length === 0) continue;
        firsts ??= new Map();
        against(hits, firsts, section, items, saying);
      }
    }
    return hits;
  };
}

/** Hits for the sections of a bundle that say something else than the first of those that count. */
export function unlikeFirst(
  counts: (section: Section) => boolean,
  isSame: (section: Section, first: Section) => boolean,
  hit: (section: Section) => Hit,
) {
  return ({ description }: DescriptionSubject): readonly Hit[] => {
    const hits: Hit[] = [];
    for (const members of bundlesOf(description)) {
      const first = members.find(counts);
      for (const section of members) {
        const isOther = first && first !== section && counts(section) && !isSame(section, first);
        if (isOther) hits.push({ section, ...hit(section) });
      }
    }
    return hits;
  };
}

/**
 * Whether one of these sections gives an identifier or an extension to another one than the others do, or does so
 * itself. Mostly all give the same, and need not be compared for each rule.
 */
function mayDiffer(members: readonly Section[]): boolean {
  const firsts = new Map<number, Section["extMaps"][number]>();
  const seen = new Set<Section["extMaps"]>();
  for (const { extMaps } of members) {
    if (seen.has(extMaps)) continue;
    seen.add(extMaps);
    for (const extMap of extMaps) {
      const first = firsts.get(extMap.id);
      if (!first) firsts.set(extMap.id, extMap);
      else if (first.uri !== extMap.uri || first.attributes !== extMap.attributes) return true;
    }
  }
  const extensions = new Set<string>();
  for (const extMap of firsts.values()) extensions.add(extensionOf(extMap));
  return extensions.size < firsts.size;
}

const differingBundles = once((description: Description) =>
  bundlesOf(description).filter(mayDiffer),
);

/** Hits of a list that are told again of other sections with it: no more findings of a rule are ever told. */
const MOST_REPEATED = 50;

/**
 * The same for header extensions: sections that have them from the session part have the same list, which is
 * compared once.
 */
export function unlikeExtension(saying: Saying<Section["extMaps"][number]>) {
  return ({ description }: DescriptionSubject): readonly Hit[] => {
    const hits: Hit[] = [];
    for (const members of differingBundles(description)) {
      const firsts: Firsts<Section["extMaps"][number]> = new Map();
      const compared = new Map<Section["extMaps"], readonly Hit[]>();
      for (const section of members) {
        const { extMaps } = section;
        const known = compared.get(extMaps);
        if (known) {
          for (const hit of known) hits.push({ ...hit, section });
          continue;
        }
        const before = hits.length;
        against(hits, firsts, section, fixedExtMaps(section), saying);
        compared.set(extMaps, hits.slice(before, before + MOST_REPEATED));
      }
    }
    return hits;
  };
}
