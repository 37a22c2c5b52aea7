import type { ExtMap, Fingerprint } from "./grammar.ts";
import { once } from "./notes.ts";
import type { Section, SessionPart } from "./section.ts";

/**
 * What lists say that a whole description may share: every section without fingerprints or header extensions of its
 * own has those of the session part, or of the tagged section of its bundle. Each list is read once, or the work
 * would grow with sections times lines.
 */

/** The formats of an m-line, each once: a dozen rules ask which they are. */
export const listedFormats = once(({ formats }: Section): ReadonlySet<string> => new Set(formats));

/** Whether two sections have the same certificates. */
export function sharesCertificates(one: Section, other: Section): boolean {
  const [own, ownSecond] = one.fingerprints;
  const [others, othersSecond] = other.fingerprints;
  // Mostly each has one.
  if (own && others && !ownSecond && !othersSecond) {
    return own.value === others.value && own.hash === others.hash;
  }
  return certificatesOf(one) === certificatesOf(other);
}

/** The certificates of a section, in an order that does not matter. */
export function certificatesOf({ fingerprints }: Pick<Section, "fingerprints">): string {
  const [first, second] = fingerprints;
  if (second === undefined) return first ? certificateOf(first) : "";
  const known = LISTS.get(fingerprints) ?? fingerprints.map(certificateOf).toSorted().join(",");
  LISTS.set(fingerprints, known);
  return known;
}

const certificateOf = ({ hash, value }: Fingerprint): string => `${hash} ${value}`;

/** Certificates by lists of several. */
const LISTS = new WeakMap<Section["fingerprints"], string>();

/** The part whose header extensions a section has: its own, or all those of the session part. */
export const extensionsPart = (section: Section): Section | SessionPart =>
  section.extMaps === section.session.extMaps ? section.session : section;

const ENCRYPTED_URI = "urn:ietf:params:rtp-hdrext:encrypt";

/** The URI of an extension; an encrypted one is another one than the same in clear (RFC 6904 s4). */
export const extensionOf = ({ uri, attributes }: ExtMap): string =>
  uri === ENCRYPTED_URI ? `${uri} ${attributes.split(" ", 1)}` : uri;

/** The URIs of the header extensions of a section, those that come encrypted included. */
export const extensionsOf = (section: Section): ReadonlySet<string> =>
  extensions(extensionsPart(section));

const extensions = once(
  ({ extMaps }: Section | SessionPart): ReadonlySet<string> =>
    new Set(
      extMaps.some(({ uri }) => uri === ENCRYPTED_URI)
        ? extMaps.flatMap((extMap) => extensionOf(extMap).split(" "))
        : extMaps.map(({ uri }) => uri),
    ),
);

/** The largest identifier that a packet can carry (RFC 8285 s4.3); those above it keep a place in an offer. */
const LAST_CARRIED_ID = 256;

/** The header extensions that packets can carry, one for each identifier. */
export const carriedExtMaps = (section: Section): Section["extMaps"] =>
  carried(extensionsPart(section));

const carried = once(({ extMaps }: Section | SessionPart): Section["extMaps"] => {
  const byId = new Map<number, Section["extMaps"][number]>();
  for (const extMap of extMaps.filter(({ id }) => id <= LAST_CARRIED_ID)) {
    byId.set(extMap.id, extMap);
  }
  return [...byId.values()];
});

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
