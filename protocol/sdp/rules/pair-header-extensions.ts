import type { Description } from "../description.ts";
import { type ExtMap, words } from "../grammar.ts";
import { extensionsPart } from "../inherited.ts";
import { once } from "../notes.ts";
import { at, carriesMedia, type Hit, own, type PairRule } from "../rule.ts";
import type { Section, SessionPart } from "../section.ts";
import { receivesUninvited, sendsUninvited } from "./pair-directions.ts";

const MIXED = "extmap-allow-mixed";

/** RFC 6904 s4: the extension it stands for comes as its attribute. */
const ENCRYPT = "urn:ietf:params:rtp-hdrext:encrypt";

/** Ids from here on only keep a place in an offer: the answer says which one to use (RFC 8285 s7). */
const FIRST_PLACE_HOLDER = 4096;

const encrypted = (uri: string): string => `${ENCRYPT} ${uri}`;

/** What an id stands for: the URI, and with an encrypted extension what it encrypts. */
const nameOf = ({ uri, attributes }: ExtMap): string =>
  uri === ENCRYPT ? encrypted(words(attributes)[0] ?? "") : uri;

/** All mappings of one name. */
interface Mapped {
  readonly hasId: (id: number) => boolean;
  readonly isPlaceHolder: boolean;
  readonly directions: readonly ExtMap["direction"][];
}

type Names = ReadonlyMap<string, Mapped>;

/** What the two sections map. */
interface Extensions {
  readonly names: Names;
  readonly keeps: (name: string) => boolean;
}

const isPlaceHolder = ({ id }: ExtMap): boolean => id >= FIRST_PLACE_HOLDER;

function mappedBy(same: readonly [ExtMap, ...ExtMap[]]): Mapped {
  const ids = new Set(same.map(({ id }) => id));
  return {
    hasId: (id) => ids.has(id),
    isPlaceHolder: same.some(isPlaceHolder),
    directions: [...new Set(same.map(({ direction }) => direction))],
  };
}

/** As a rule a name is mapped once. */
const mappedOnce = (extMap: ExtMap): Mapped => ({
  hasId: (id) => id === extMap.id,
  isPlaceHolder: isPlaceHolder(extMap),
  directions: [extMap.direction],
});

const namesOf = once(({ extMaps }: Section | SessionPart): Names => {
  const names = new Map<string, [ExtMap, ...ExtMap[]]>();
  for (const extMap of extMaps) {
    const name = nameOf(extMap);
    const known = names.get(name);
    if (known) known.push(extMap);
    else names.set(name, [extMap]);
  }
  const mapped = new Map<string, Mapped>();
  for (const [name, same] of names) {
    mapped.set(name, same.length === 1 ? mappedOnce(same[0]) : mappedBy(same));
  }
  return mapped;
});

const keptOf = once(
  ({ extMaps }: Section | SessionPart): ReadonlySet<string> => new Set(extMaps.map(nameOf)),
);

/**
 * Extensions of an answer that the condition holds for, given how the offer has them. Mappings of a session part
 * are those of all sections: they are read once and told once, for the first section, to stay linear.
 */
function answeredWhere(
  condition: (answered: ExtMap, offered: Mapped | undefined, all: Extensions) => boolean,
): PairRule["find"] {
  return ({ live }) => {
    const hits: Hit[] = [];
    const told = new Set<readonly ExtMap[]>();
    for (const { offered, answered } of live) {
      if (!carriesMedia(answered) || told.has(answered.extMaps)) continue;
      told.add(answered.extMaps);
      const names = namesOf(extensionsPart(offered));
      const all = {
        names,
        keeps: (name: string) => keptOf(extensionsPart(answered)).has(name),
      };
      for (const extMap of answered.extMaps) {
        const name = nameOf(extMap);
        if (!condition(extMap, names.get(name), all)) continue;
        hits.push({ section: answered, line: extMap.line, detail: name });
      }
    }
    return hits;
  };
}

/** Whether a property attribute holds for a section: it may stand in either part (E3). */
const has = (
  { session }: Description,
  { attributes }: Section,
  name: "cryptex" | typeof MIXED,
): boolean => session.attributes.has(name) || attributes.has(name);

/** Header extensions of an answer against those of its offer (RFC 8285 s7, RFC 6904 s4, RFC 9335 s4). */
export const PAIR_HEADER_EXTENSION_RULES: readonly PairRule[] = [
  {
    id: "extmap-not-offered",
    level: "warning",
    strict: "error",
    source: "RFC 8285 s7",
    requirements: ["R10-8"],
    condition: "the answer maps a header extension that the section was not offered with",
    message:
      "an answer may only keep header extensions of the offer; Firefox refuses it, so leave this a=extmap out",
    find: answeredWhere((_answered, offered) => offered === undefined),
  },
  {
    id: "extmap-id-changed",
    level: "error",
    strict: "error",
    source: "RFC 8285 s7, RFC 8834 s10",
    requirements: ["R10-8"],
    condition: "the answer gives an offered header extension another id than the offer does",
    message:
      "both sides must use one id for a header extension; repeat the id of the offer, or packets are misread",
    find: answeredWhere(
      ({ id }, offered) => offered !== undefined && !offered.hasId(id) && !offered.isPlaceHolder,
    ),
  },
  {
    id: "extmap-direction-incompatible",
    level: "warning",
    strict: "warning",
    source: "RFC 8285 s7",
    condition: "the direction of a header extension does not fit the one it was offered with",
    message:
      "what one side only sends the other can only receive; answer sendonly with recvonly, recvonly with sendonly, or inactive",
    find: answeredWhere(
      ({ direction }, offered) =>
        // Browsers name no direction where the section has it already.
        direction !== undefined &&
        offered?.directions.every(
          (said) => sendsUninvited(said, direction) || receivesUninvited(said, direction),
        ) === true,
    ),
  },
  {
    id: "extmap-allow-mixed-not-offered",
    level: "warning",
    strict: "warning",
    source: "RFC 8285 s6",
    condition: "the answer has extmap-allow-mixed where the offer has not",
    message:
      "one-byte and two-byte header extensions may only be mixed when the offer allows it; leave a=extmap-allow-mixed out of the answer",
    find: ({ offer, answer, live }) =>
      live
        .filter(({ answered }) => carriesMedia(answered) && has(answer, answered, MIXED))
        .filter(({ offered }) => !has(offer, offered, MIXED))
        .map(({ answered }) =>
          answered.attributes.has(MIXED)
            ? at(answered, MIXED)
            : { line: own(answer.session, MIXED)[0]?.line },
        ),
  },
  {
    id: "encrypted-extension-clear-only",
    level: "info",
    strict: "warning",
    source: "RFC 6904 s4",
    condition:
      "a header extension is offered both encrypted and in the clear, and the answer keeps only the clear one",
    message:
      "this header extension could have been encrypted but is sent in the clear; answer the mapping with urn:ietf:params:rtp-hdrext:encrypt if you can",
    find: answeredWhere(({ uri }, offered, { names, keeps }) => {
      const isChoice = offered !== undefined && names.has(encrypted(uri));
      return isChoice && !keeps(encrypted(uri));
    }),
  },
  {
    id: "cryptex-not-bidirectional",
    level: "info",
    strict: "info",
    source: "RFC 9335 s4",
    condition: "a section is offered with cryptex and answered without it",
    message:
      "the answerer does not take up the encryption of all header extensions and contributing sources; those stay in the clear",
    find: ({ offer, answer, live }) =>
      live
        .filter(({ answered }) => carriesMedia(answered) && !has(answer, answered, "cryptex"))
        .filter(({ offered }) => has(offer, offered, "cryptex"))
        .map(({ answered }) => ({ section: answered })),
  },
];
