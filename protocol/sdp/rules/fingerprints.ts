import type { Description } from "../description.ts";
import { type Fingerprint, fingerprintOf } from "../grammar.ts";
import { once } from "../notes.ts";
import { type DescriptionRule, eachSection, type Hit, locate, NO_HITS, where } from "../rule.ts";
import type { Lined, Section } from "../section.ts";
import { effectiveLines, needsDtls } from "./transport-attributes.ts";

/** Octets of each hash that has a name in SDP (RFC 8122 s5). */
const OCTETS: ReadonlyMap<string, number> = new Map([
  ["md2", 16],
  ["md5", 16],
  ["sha-1", 20],
  ["sha-224", 28],
  ["sha-256", 32],
  ["sha-384", 48],
  ["sha-512", 64],
]);

const isNamed = ({ hash }: Fingerprint): boolean => OCTETS.has(hash);
const isForbidden = ({ hash }: Fingerprint): boolean => hash === "md2" || hash === "md5";
const isWeak = ({ hash }: Fingerprint): boolean => hash === "sha-1";
const isUsable = (one: Fingerprint): boolean => isNamed(one) && !isForbidden(one);
const isStrong = (one: Fingerprint): boolean => isUsable(one) && !isWeak(one);

const SYNTAX = /^[\w!#$%&'*+.^`{|}~-]+ [\dA-Fa-f]{2}(?::[\dA-Fa-f]{2})*$/;

/** An `a=fingerprint` line in effect. */
interface Spelt {
  readonly section: Section | undefined;
  readonly line: number;
  readonly fits: boolean;
  /** Lower case. */
  readonly hash: string;
  readonly digest: string;
}

const speltIn = once((description: Description): readonly Spelt[] =>
  effectiveLines(description, "fingerprint").flatMap(({ section, lines }) =>
    lines.map(({ line, value: whole }) => {
      // A blank at the end of a line has a rule of its own.
      const value = whole.trimEnd();
      const blank = value.indexOf(" ");
      const hash = value.slice(0, blank).toLowerCase();
      return { section, line, fits: SYNTAX.test(value), hash, digest: value.slice(blank + 1) };
    }),
  ),
);

/** Says for every such line what `condition` says for it. */
const eachSpelt =
  (condition: (spelt: Spelt) => boolean): DescriptionRule["find"] =>
  ({ description }) => {
    const hits: Hit[] = [];
    for (const spelt of speltIn(description)) {
      if (condition(spelt)) hits.push({ section: spelt.section, line: spelt.line });
    }
    return hits;
  };

/** Says for each place with fingerprints in effect what `find` says for all that stand there. */
const together =
  (
    find: (fingerprints: readonly Lined<Fingerprint>[]) => readonly Hit[],
  ): DescriptionRule["find"] =>
  ({ description }) => {
    const hits: Hit[] = [];
    for (const { section, fingerprints } of placesIn(description)) {
      locate(hits, section, find(fingerprints));
    }
    return hits;
  };

/** The fingerprints of each place that has some in effect. */
const placesIn = once((description: Description) =>
  effectiveLines(description, "fingerprint").map(({ section, lines }) => ({
    section,
    fingerprints: lines.flatMap(({ line, value }) => {
      const fingerprint = fingerprintOf(value);
      return fingerprint ? [{ ...fingerprint, line }] : [];
    }),
  })),
);

/** The certificate that DTLS must show, by its hash (RFC 8122). What a digest is never gets into a finding. */
export const FINGERPRINT_RULES: readonly DescriptionRule[] = [
  {
    id: "fingerprint-missing",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8829 s5.1.1, RFC 8122 s5",
    requirements: ["R4.2-4", "R4.2-6", "R13-1", "R13-2"],
    condition:
      "an m-section that needs DTLS has no `a=fingerprint`, neither its own nor an inherited one",
    message:
      "without a=fingerprint nobody can tell whose media these are, and browsers refuse the description; put it in the m-section or before the first one",
    find: eachSection((section) =>
      section.fingerprints.length === 0 && needsDtls(section) ? [{}] : NO_HITS,
    ),
  },
  {
    id: "fingerprint-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8122 s5",
    requirements: ["R4.2-6", "R13-1"],
    condition:
      "`a=fingerprint` is not the name of a hash, a blank and pairs of hex digits with colons between",
    message:
      "a=fingerprint must be a hash and its octets, such as sha-256 and 32 pairs of hex digits with colons between",
    find: eachSpelt(({ fits }) => !fits),
  },
  {
    id: "fingerprint-length",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8122 s5",
    requirements: ["R4.2-6", "R13-1"],
    condition: "a fingerprint has not as many octets as its hash gives",
    message:
      "a digest of this hash has another length, so no certificate can match it; was the line cut?",
    find: eachSpelt(({ fits, hash, digest }) => {
      const octets = OCTETS.get(hash);
      // Two digits each, and a colon between them.
      return fits && octets !== undefined && digest.length !== 3 * octets - 1;
    }),
  },
  {
    id: "fingerprint-lowercase",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8122 s5",
    requirements: ["R4.2-6", "R13-1"],
    condition: "a fingerprint is spelt with small hex digits",
    message: "hex digits of a fingerprint must be capitals; Firefox refuses small ones",
    find: eachSpelt(({ fits, digest }) => fits && /[a-f]/.test(digest)),
  },
  {
    id: "fingerprint-hash-forbidden",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8122 s5",
    requirements: ["R4.2-6", "R13-1"],
    condition: "a fingerprint is made with `md2` or `md5`",
    message: "MD2 and MD5 are broken: anybody can make a certificate that fits; use sha-256",
    find: together((fingerprints) => where(fingerprints, isForbidden)),
  },
  {
    id: "fingerprint-hash-weak",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8122 s5, RFC 8827 s6.5",
    requirements: ["R4.2-6", "R13-1"],
    condition: "a fingerprint is made with `sha-1`, and none beside it with a stronger hash",
    message: "SHA-1 is too weak to prove whose certificate this is; add a sha-256 fingerprint",
    find: together((fingerprints) =>
      fingerprints.some(isStrong) ? NO_HITS : where(fingerprints, isWeak),
    ),
  },
  {
    id: "fingerprint-hash-unknown",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8122 s5",
    requirements: ["R4.2-6", "R13-1"],
    condition:
      "a fingerprint is made with a hash without a name in SDP; an error when there is none beside it that a receiver can check",
    message:
      "receivers do not know this hash: browsers refuse the description or ignore the line; use sha-256",
    find: together((fingerprints) => {
      const unknown = where(fingerprints, (one) => !isNamed(one));
      return fingerprints.some(isUsable)
        ? unknown
        : unknown.map((hit): Hit => ({ ...hit, level: "error" }));
    }),
  },
];
