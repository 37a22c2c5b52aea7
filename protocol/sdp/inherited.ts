import type { ExtMap } from "./grammar.ts";
import type { Section } from "./section.ts";

/**
 * What lists say that a whole description may share: every section without fingerprints or header extensions of its
 * own has those of the session part, or of the tagged section of its bundle. Each list is read once, or the work
 * would grow with sections times lines.
 */

/** Remembers what is made of a list for as long as the list lives. */
export function once<K extends object, V>(make: (list: K) => V): (list: K) => V {
  const known = new WeakMap<K, V>();
  return (list) => {
    const found = known.get(list);
    if (found !== undefined) return found;
    const made = make(list);
    known.set(list, made);
    return made;
  };
}

/** The formats of an m-line, each once: a dozen rules ask which they are. */
export const listedFormats = ({ formats }: Pick<Section, "formats">): ReadonlySet<string> =>
  listed(formats);

const listed = once((formats: Section["formats"]): ReadonlySet<string> => new Set(formats));

/** The certificates of a section, in an order that does not matter. */
export const certificatesOf = ({ fingerprints }: Pick<Section, "fingerprints">): string =>
  certificates(fingerprints);

const certificates = once((fingerprints: Section["fingerprints"]): string =>
  fingerprints
    .map(({ hash, value }) => `${hash} ${value}`)
    .toSorted()
    .join(","),
);

const ENCRYPTED_URI = "urn:ietf:params:rtp-hdrext:encrypt";

/** The URI of an extension; an encrypted one is another one than the same in clear (RFC 6904 s4). */
export const extensionOf = ({ uri, attributes }: ExtMap): string =>
  uri === ENCRYPTED_URI ? `${uri} ${attributes.split(" ", 1)}` : uri;

/** The URIs of the header extensions of a section, those that come encrypted included. */
export const extensionsOf = ({ extMaps }: Pick<Section, "extMaps">): ReadonlySet<string> =>
  extensions(extMaps);

const extensions = once(
  (extMaps: Section["extMaps"]): ReadonlySet<string> =>
    new Set(extMaps.flatMap((extMap) => extensionOf(extMap).split(" "))),
);

/** The largest identifier that a packet can carry (RFC 8285 s4.3); those above it keep a place in an offer. */
const LAST_CARRIED_ID = 256;

/** The header extensions that packets can carry, one for each identifier. */
export const carriedExtMaps = ({ extMaps }: Pick<Section, "extMaps">): Section["extMaps"] =>
  carried(extMaps);

const carried = once((extMaps: Section["extMaps"]): Section["extMaps"] => [
  ...new Map(
    extMaps.filter(({ id }) => id <= LAST_CARRIED_ID).map((extMap) => [extMap.id, extMap]),
  ).values(),
]);

/** The distinct lists of fingerprints of some sections, each with the first section that has it. */
export function fingerprintLists(
  sections: readonly Section[],
): readonly (readonly [fingerprints: Section["fingerprints"], section: Section])[] {
  const firsts = new Map<Section["fingerprints"], Section>();
  for (const section of sections) {
    if (!firsts.has(section.fingerprints)) firsts.set(section.fingerprints, section);
  }
  return [...firsts];
}
