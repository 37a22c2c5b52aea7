import type { Description } from "../description.ts";
import { DIRECTIONS, type ExtMap, words } from "../grammar.ts";
import type { Attribute } from "../line.ts";
import { once } from "../notes.ts";
import {
  type DescriptionRule,
  type DescriptionSubject,
  type Hit,
  locate,
  NO_HITS,
  repeated,
  where,
} from "../rule.ts";
import type { Lined, Part, Section } from "../section.ts";
import { rtpSectionsOf } from "./rtp-sections.ts";

/** One-byte headers have the identifiers 1-14; 15 is reserved in them (RFC 8285 s4.2). */
const RESERVED_ONE_BYTE = 15;
/** Two-byte headers have 1-255, and 256 for the bits that the application defines (RFC 8285 s4.3). */
const LAST_TWO_BYTE = 256;
/** In an offer with more extensions than identifiers; alternatives share one (RFC 8285 s7). */
const isStandIn = (id: number): boolean => id >= 4096 && id <= 4351;

const ENCRYPT = "urn:ietf:params:rtp-hdrext:encrypt";
const AUDIO_LEVELS: ReadonlySet<string> = new Set([
  "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
  "urn:ietf:params:rtp-hdrext:csrc-audio-level",
]);

/** The header extensions that the session part lists, or an RTP section in use. */
interface Declared {
  readonly section: Section | undefined;
  readonly extMaps: readonly Lined<ExtMap>[];
  /** Its extmap lines that cannot be read. */
  readonly misfits: readonly Attribute[];
}

const misfitsOf = ({ unreadable }: Part): readonly Attribute[] =>
  unreadable.filter(({ name }) => name === "extmap");

const declaredBy = once((description: Description): readonly Declared[] => {
  const { session } = description;
  const declared: readonly Declared[] = [
    { section: undefined, extMaps: session.extMaps, misfits: misfitsOf(session) },
    ...rtpSectionsOf(description).map((section) => ({
      section,
      // A section without a list of its own has that of the session, which is looked at once.
      extMaps: section.extMaps === session.extMaps ? [] : section.extMaps,
      misfits: misfitsOf(section),
    })),
  ];
  return declared.filter(({ extMaps, misfits }) => extMaps.length > 0 || misfits.length > 0);
});

/** Says for every list of header extensions what `find` says for one. */
const eachDeclared =
  (
    find: (declared: Declared, subject: DescriptionSubject) => readonly Hit[],
  ): DescriptionRule["find"] =>
  (subject) => {
    const hits: Hit[] = [];
    for (const declared of declaredBy(subject.description)) {
      locate(hits, declared.section, find(declared, subject));
    }
    return hits;
  };

/** The same for lines that cannot be read. */
const eachMisfit = (
  find: (misfits: readonly Attribute[]) => readonly Hit[],
): DescriptionRule["find"] =>
  eachDeclared(({ misfits }) => (misfits.length === 0 ? NO_HITS : find(misfits)));

const named = ({ id }: Pick<ExtMap, "id">): string => `extension ${id}`;

/** Hits for the header extensions that the condition holds for. */
const eachExtension = (condition: (extMap: ExtMap) => boolean): DescriptionRule["find"] =>
  eachDeclared(({ extMaps }) => where(extMaps, condition, named));

/** Whether a flag holds for a section: of its own, from the session part or from the tagged one (RFC 9143 s7.1.3). */
function coveredBy(
  flag: string,
  { session, sections, bundles }: Description,
): (section: Section) => boolean {
  const has = ({ attributes }: Part): boolean => attributes.has(flag);
  if (has(session)) return () => true;
  const carriers = new Set(sections.filter(has).map(({ mid }) => mid));
  if (carriers.size === 0) return () => false;
  const covered = new Set<string | undefined>(bundles.filter(([tag]) => carriers.has(tag)).flat());
  return (section) => has(section) || covered.has(section.mid);
}

/** Hits for the lists that a flag does not cover. */
const eachWithout =
  (flag: string, find: (extMaps: Declared["extMaps"]) => readonly Hit[]): DescriptionRule["find"] =>
  ({ description }) => {
    const hits: Hit[] = [];
    let isCovered: ReturnType<typeof coveredBy> | undefined;
    for (const { section, extMaps } of declaredBy(description)) {
      const found = find(extMaps);
      // Mostly there is nothing that would have to be covered.
      if (found.length === 0) continue;
      isCovered ??= coveredBy(flag, description);
      // The list of the session is for all sections.
      const places = section ? [section] : rtpSectionsOf(description);
      if (!places.every(isCovered)) locate(hits, section, found);
    }
    return hits;
  };

/** What an unreadable line says nevertheless; nothing when it is no `<id>[/<direction>] <URI>` at all. */
interface Misfit {
  readonly line: number;
  readonly id: number;
  readonly direction: string | undefined;
}

function misfitOf({ value, line }: Attribute): Misfit[] {
  const [entry = "", uri] = words(value);
  const found = /^(\d+)(?:\/(.*))?$/.exec(entry);
  return found && uri !== undefined ? [{ line, id: Number(found[1]), direction: found[2] }] : [];
}

/** All where a URI comes several times, else none. */
function sameUri<T extends ExtMap>(extMaps: readonly T[]): readonly T[] {
  const known = new Set(extMaps.map(({ uri }) => uri));
  return known.size === extMaps.length ? [] : extMaps;
}

const isDirection = (text: string): boolean => DIRECTIONS.some((direction) => direction === text);

/** Extensions of the RTP header and their identifiers (RFC 8285, RFC 6904, RFC 9335). */
export const HEADER_EXTENSION_RULES: readonly DescriptionRule[] = [
  {
    id: "extmap-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8285 s8",
    requirements: ["R5.2-1"],
    condition: "an extmap is not `<id>[/<direction>] <URI> [<attributes>]`",
    message:
      "write the identifier, then the URI of the extension, as in 4 urn:ietf:params:rtp-hdrext:sdes:mid",
    find: eachMisfit((misfits) => where(misfits, (each) => misfitOf(each).length === 0)),
  },
  {
    id: "extmap-id-range",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8285 s4.3, RFC 8285 s7",
    requirements: ["R5.2-1"],
    condition: "the identifier of an extmap is 0 or above 256; info for 4096-4351 in an offer",
    message:
      "packets cannot carry this identifier and browsers refuse it; number extensions from 1 to 14",
    find: eachDeclared(({ extMaps, misfits }, { role }) => {
      const all = misfits.length === 0 ? extMaps : [...extMaps, ...misfits.flatMap(misfitOf)];
      return all
        .filter(({ id }) => id === 0 || id > LAST_TWO_BYTE)
        .map(({ id, line }) => ({
          line,
          detail: named({ id }),
          level: role === "offer" && isStandIn(id) ? "info" : undefined,
        }));
    }),
  },
  {
    id: "extmap-id-15",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8285 s4.2",
    requirements: ["R5.2-1"],
    condition: "the identifier of an extmap is 15",
    message:
      "15 is reserved in one-byte headers and Firefox refuses it; take a number from 1 to 14",
    find: eachExtension(({ id }) => id === RESERVED_ONE_BYTE),
  },
  {
    id: "extmap-two-byte-without-mixed",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8285 s6",
    requirements: ["R5.2-1"],
    condition: "the identifier of an extmap is above 14 where there is no extmap-allow-mixed",
    message:
      "every packet then needs two-byte headers, which Firefox does not have; stay below 15 or add a=extmap-allow-mixed",
    find: eachWithout("extmap-allow-mixed", (extMaps) =>
      where(extMaps, ({ id }) => id >= RESERVED_ONE_BYTE && id <= LAST_TWO_BYTE, named),
    ),
  },
  {
    id: "extmap-id-duplicate",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8285 s5",
    requirements: ["R5.2-1"],
    condition: "two extensions of a section have one identifier",
    message:
      "packets could not be read and browsers refuse this; give each extension its own identifier",
    find: eachDeclared(({ extMaps }) =>
      where(
        repeated(extMaps, ({ id }) => id),
        ({ id }) => !isStandIn(id),
        named,
      ),
    ),
  },
  {
    id: "extmap-uri-duplicate",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8285 s5",
    requirements: ["R5.2-1"],
    condition:
      "a section lists one URI twice, with the same attributes and both or neither encrypted",
    message:
      "one identifier is enough for an extension, and Firefox cannot answer this; list it once",
    find: eachDeclared(({ extMaps }) =>
      where(
        // The encrypted form is a URI of its own with the extension as its attribute (RFC 6904 s4).
        repeated(sameUri(extMaps), ({ uri, attributes }) => `${uri} ${attributes}`),
        () => true,
        named,
      ),
    ),
  },
  {
    id: "extmap-uri-not-absolute",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8285 s5",
    requirements: ["R5.2-1"],
    condition: "the URI of an extmap has no scheme",
    message:
      "an extension is known by an absolute URI, such as urn:ietf:params:rtp-hdrext:sdes:mid",
    find: eachExtension(({ uri }) => !/^[a-z][a-z\d+.-]*:/i.test(uri)),
  },
  {
    id: "extmap-direction-invalid",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8285 s8",
    requirements: ["R5.2-1"],
    condition: "what follows the slash of an extmap is not a direction",
    message: "the direction of an extension is sendonly, recvonly, sendrecv or inactive",
    find: eachMisfit((misfits) =>
      where(
        misfits.flatMap(misfitOf),
        ({ direction }) => direction !== undefined && !isDirection(direction),
        named,
      ),
    ),
  },
  {
    id: "audio-level-unencrypted",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8834 s5.2.2, RFC 8834 s5.2.3",
    requirements: ["R5.2.2-2", "R5.2.3-2"],
    condition: "an audio level extension is listed in the clear only, without cryptex",
    message:
      "whoever sees the packets sees who speaks when; list the extension encrypted (RFC 6904) or use a=cryptex",
    find: eachWithout("cryptex", (extMaps) => {
      const levels = extMaps.filter(({ uri }) => AUDIO_LEVELS.has(uri));
      if (levels.length === 0) return NO_HITS;
      const encrypted = new Set(
        extMaps.filter(({ uri }) => uri === ENCRYPT).map(({ attributes }) => words(attributes)[0]),
      );
      return where(levels, ({ uri }) => !encrypted.has(uri), named);
    }),
  },
];
