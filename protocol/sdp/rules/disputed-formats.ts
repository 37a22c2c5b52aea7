import type { Description } from "../description.ts";
import { listedFormats } from "../inherited.ts";
import { once } from "../notes.ts";
import { parametersSaid, rtpMapsByFormat } from "../payload-types.ts";
import type { Section } from "../section.ts";
import { bundlesOf } from "./scopes.ts";
import type { First } from "./unlike.ts";

/** Finds the formats that sections of one bundle describe in different ways: mostly none, and no rule need compare. */

/** What counts is on the m-line. */
const mapsOf = once((section: Section): Section["rtpMaps"] => {
  const listed = listedFormats(section);
  return section.rtpMaps.filter(({ format }) => listed.has(format));
});

type Maps = Section["rtpMaps"];

/** A format and its parameters. */
interface Described {
  readonly map: Maps[number];
  readonly said: Section["formatParameters"];
}

/** Said in the same words. */
export const areVerbatim = (said: Described["said"], other: Described["said"]): boolean =>
  said.length === other.length &&
  said.every(({ parameters }, index) => parameters === other[index]?.parameters);

type FirstMap = First<Maps[number]>;

/** Whether a map means what the first does, spelt in the same way. */
export const isSameCodec = (
  map: Maps[number],
  { kind }: Section,
  { item, section }: FirstMap,
): boolean =>
  kind === section.kind &&
  map.name === item.name &&
  map.rate === item.rate &&
  map.channels === item.channels;

/** Whether a section takes a format for what the first does, and says the same of its parameters, word by word. */
function describesSame(map: Maps[number], section: Section, first: FirstMap): boolean {
  const { format } = map;
  if (!isSameCodec(map, section, first)) return false;
  // Once per format: rtpmaps of one format are as many as a hostile peer likes, and so are its parameters.
  const isLast = rtpMapsByFormat(section).get(format) === map;
  return (
    !isLast || areVerbatim(parametersSaid(section, format), parametersSaid(first.section, format))
  );
}

/** Formats of which some of these sections do not say just what the first that maps them does: few or none. */
function disputedFormats(members: readonly Section[]): ReadonlySet<string> {
  const disputed = new Set<string>();
  const firsts = new Map<string, FirstMap>();
  for (const section of members) {
    for (const map of mapsOf(section)) {
      const first = firsts.get(map.format);
      if (!first) firsts.set(map.format, { section, item: map });
      else if (first.section !== section && !describesSame(map, section, first)) {
        disputed.add(map.format);
      }
    }
  }
  return disputed;
}

/** What sections map and others of their bundle describe in another way; all else is against no other. */
const disputedMaps = once((description: Description): ReadonlyMap<Section, Maps> => {
  const maps = new Map<Section, Maps>();
  for (const members of bundlesOf(description)) {
    const disputed = disputedFormats(members);
    if (disputed.size === 0) continue;
    for (const section of members) {
      maps.set(
        section,
        mapsOf(section).filter(({ format }) => disputed.has(format)),
      );
    }
  }
  return maps;
});

export const disputedMapsOf = (section: Section, description: Description): Maps =>
  disputedMaps(description).get(section) ?? NO_MAPS;

const NO_MAPS: Maps = [];
const NONE_DESCRIBED: readonly Described[] = [];

/** Those maps, of each format the one that counts, with what is said of its parameters. */
export function describedMapsOf(section: Section, description: Description): readonly Described[] {
  const disputed = disputedMapsOf(section, description);
  if (disputed.length === 0) return NONE_DESCRIBED;
  // Once per format: rtpmaps of one format are as many as a hostile peer likes, and so are its parameters.
  const byFormat = new Map(disputed.map((map) => [map.format, map]));
  return [...byFormat.values()].map((map) => ({ map, said: parametersSaid(section, map.format) }));
}
