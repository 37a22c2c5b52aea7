import type { Description } from "../description.ts";
import type { Attribute } from "../line.ts";
import { carriesMedia, type DescriptionRule, own } from "../rule.ts";
import type { Section } from "../section.ts";

/** The lines of one attribute in one place: a section in use, or the session part. */
export interface AttributeLines {
  readonly section: Section | undefined;
  readonly lines: readonly Attribute[];
}

/** Where an attribute that sections may take from the session part is said with effect. */
export function effectiveLines(
  { session, sections }: Description,
  name: string,
): readonly AttributeLines[] {
  const used = sections.filter(({ rejected }) => !rejected);
  const inSections = used
    .map((section) => ({ section, lines: own(section, name) }))
    .filter(({ lines }) => lines.length > 0);
  const isForNone = used.length > 0 && inSections.length === used.length;
  return isForNone
    ? inSections
    : [{ section: undefined, lines: own(session, name) }, ...inSections];
}

/** Says for every line of an attribute in effect what `condition` says for its value. */
export function eachLine(
  name: string,
  condition: (value: string) => boolean,
  detail?: (value: string) => string,
): DescriptionRule["find"] {
  return ({ description }) =>
    effectiveLines(description, name).flatMap(({ section, lines }) =>
      lines
        // A blank at the end of a line has a rule of its own.
        .map(({ line, value }) => ({ line, value: value.trimEnd() }))
        .filter(({ value }) => condition(value))
        .map(({ line, value }) => ({
          section,
          line,
          ...(detail ? { detail: detail(value) } : {}),
        })),
    );
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
