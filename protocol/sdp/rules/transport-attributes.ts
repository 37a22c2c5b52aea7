import type { Description } from "../description.ts";
import type { Attribute } from "../line.ts";
import { carriesMedia, type DescriptionRule, type Hit, NO_HITS, own } from "../rule.ts";
import type { Section } from "../section.ts";

/** The lines of one attribute in one place: a section in use, or the session part. */
export interface AttributeLines {
  readonly section: Section | undefined;
  readonly lines: readonly Attribute[];
}

/** Where an attribute that sections may take from the session part is said with effect. */
export function effectiveLines(
  { session, live, saying }: Description,
  name: string,
): readonly AttributeLines[] {
  const sections = saying.get(name) ?? NOWHERE;
  const isForNone = live.length > 0 && sections.length === live.length;
  const general = isForNone ? undefined : session.attributes.get(name);
  if (general === undefined && sections.length === 0) return NOWHERE;
  const places: AttributeLines[] = [];
  if (general) places.push({ section: undefined, lines: general });
  for (const section of sections) places.push({ section, lines: own(section, name) });
  return places;
}

const NOWHERE: readonly never[] = [];

/** Says for every line of an attribute in effect what `condition` says for its value. */
export function eachLine(
  name: string,
  condition: (value: string) => boolean,
  detail?: (value: string) => string,
): DescriptionRule["find"] {
  return ({ description }) => {
    const places = effectiveLines(description, name);
    if (places.length === 0) return NO_HITS;
    const hits: Hit[] = [];
    for (const { section, lines } of places) {
      for (const { line, value: spelt } of lines) {
        // A blank at the end of a line has a rule of its own.
        const value = spelt.trimEnd();
        if (!condition(value)) continue;
        hits.push({ section, line, detail: detail?.(value) });
      }
    }
    return hits;
  };
}

const DTLS = /(?:^|\/)D?TLS(?:\/|$)/;

/** True for the sections that need ICE and DTLS: media, and whatever else says that it runs over DTLS. */
export function needsDtls(section: Section): boolean {
  return !section.rejected && (carriesMedia(section) || DTLS.test(section.protocol));
}

/** The sections that stand for a transport: those of no bundle, and of each bundle the first in use. */
export function transportSections({ sections, bundles }: Description): readonly Section[] {
  const used = sections.filter(needsDtls);
  const mids = new Set(used.map(({ mid }) => mid));
  const followers = new Set(
    bundles.flatMap((bundle) => bundle.filter((mid) => mids.has(mid)).slice(1)),
  );
  return used.filter(({ mid }) => mid === undefined || !followers.has(mid));
}
