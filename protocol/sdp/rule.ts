import type { AddressKind } from "./address.ts";
import type { CandidateLine } from "./candidate.ts";
import type { Continuation } from "./continued.ts";
import type { Description } from "./description.ts";
import type { Level } from "./finding.ts";
import type { Attribute } from "./line.ts";
import type { Noted } from "./notes.ts";
import type { Lined, Part, Section } from "./section.ts";

/** Which of the two a description is. */
export type DescriptionRole = "offer" | "answer";

/** `off`: known, but asked for by nobody at this strictness. */
export type RuleLevel = Level | "off";

/** Where a rule's condition holds, and what it holds for. */
export interface Hit {
  /** Number of the offending line; the m-line of `section` when absent. */
  readonly line?: number | undefined;
  readonly section?: HitSection | undefined;
  /** The particulars, such as `payload type 77`. Never a password, a key, an address or a whole candidate (D2). */
  readonly detail?: string | undefined;
  /** Where the condition is worse or better than the rule's level says. */
  readonly level?: Level | undefined;
}

/** The m-section of a hit; without a line where the description's lines are not at fault. */
export interface HitSection {
  readonly index: number;
  readonly line?: number | undefined;
  readonly mid: string | undefined;
}

/** What a rule gives: `undefined` where the condition does not hold, so that a clause can be one expression. */
export type Hits = readonly (Hit | undefined)[];

/** What most rules give of most descriptions. */
export const NO_HITS: readonly Hit[] = [];

/** A rule of the catalogue as data; `docs/sdp-rules.md` is made from it. */
export interface RuleFacts {
  readonly id: string;
  readonly level: RuleLevel;
  /** Level in an answer, where it is another one. */
  readonly answerLevel?: RuleLevel;
  /** Level of the strict profile, for conformance testing. */
  readonly strict: RuleLevel;
  /** Clauses the rule comes from, such as `RFC 9143 s7.2.1`. */
  readonly source: string;
  /** Requirements of the RTP-usage draft that the rule checks, such as `R4.2-3`. */
  readonly requirements?: readonly string[];
  /** When it holds, in one clause. */
  readonly condition: string;
  /** What a developer is told: what is wrong, what happens, what to do. */
  readonly message: string;
}

/** One description by itself. */
export interface DescriptionSubject {
  readonly description: Description;
  readonly role: DescriptionRole;
}

/** One candidate, in a description or trickled. */
export interface CandidateSubject {
  readonly candidate: CandidateLine;
  /** What its address is, which is dear to read; absent for a candidate that cannot be read. */
  readonly address: AddressKind | "name" | undefined;
}

/** Sections of the same index in an offer and its answer. */
export interface SectionPair {
  readonly offered: Section;
  readonly answered: Section;
}

/** Sections that both have and neither rejects, of the same media. */
export interface LivePair extends SectionPair, Noted {}

/** An offer and its answer. */
export interface PairSubject {
  readonly offer: Description;
  readonly answer: Description;
  readonly live: readonly LivePair[];
}

/** Which descriptions a rule is for. */
interface Applies {
  readonly on: DescriptionRole | "both";
}

/** A rule about one description. Rejected sections have no content: rules look at them only by intent. */
export interface DescriptionRule extends RuleFacts, Applies {
  readonly find: (subject: DescriptionSubject) => Hits;
}

/** A rule about one candidate, wherever it comes from; `detail` and `level` are all it says. */
export interface CandidateRule extends RuleFacts {
  readonly find: (subject: CandidateSubject) => Hit | undefined;
}

/** A rule about an answer and its offer; lines and sections of its hits are those of the answer. */
export interface PairRule extends RuleFacts {
  readonly find: (subject: PairSubject) => Hits;
}

/** Says for every section in use what `find` says for one. */
export function eachSection(
  find: (section: Section, subject: DescriptionSubject) => Hits,
): DescriptionRule["find"] {
  return (subject) => inSections(subject.description.live, subject, find);
}

/** The same for a part of the sections in use. */
export function inSections(
  sections: readonly Section[],
  subject: DescriptionSubject,
  find: (section: Section, subject: DescriptionSubject) => Hits,
): Hits {
  const found: Hit[] = [];
  for (const section of sections) locate(found, section, find(section, subject));
  return found;
}

/** Says for every section in use that says this attribute itself what `find` says for it and its lines. */
export function eachSaying(
  name: string,
  find: (section: Section, lines: readonly Attribute[]) => Hits,
): DescriptionRule["find"] {
  return ({ description: { saying } }) => {
    const sections = saying.get(name);
    if (sections === undefined) return NO_HITS;
    const found: Hit[] = [];
    for (const section of sections) locate(found, section, find(section, own(section, name)));
    return found;
  };
}

/** Says for every pair of sections in use what `find` says for one. */
export function eachPair(find: (pair: LivePair, subject: PairSubject) => Hits): PairRule["find"] {
  return (subject) => {
    const found: Hit[] = [];
    for (const pair of subject.live) locate(found, pair.answered, find(pair, subject));
    return found;
  };
}

/** Adds the hits of a section, or of the session part: they are in it unless they say otherwise. */
export function locate(found: Hit[], section: Section | undefined, hits: Hits): void {
  // Mostly there are none, and to find that out by iterating is dear.
  if (hits.length === 0) return;
  for (const hit of hits) if (hit) found.push(located(section, hit));
}

/** A hit that says no section itself in this one. */
export const located = (section: Section | undefined, hit: Hit): Hit =>
  hit.section ? hit : { section, line: hit.line, detail: hit.detail, level: hit.level };

/** A hit at the first line of this attribute, or at the m-line. */
export function at(section: Section, name: string, detail?: string): Hit {
  return { section, line: section.attributes.get(name)?.[0]?.line, detail };
}

const NO_LINES: readonly Attribute[] = [];

/** The section's own lines of an attribute. */
export function own(part: Pick<Section, "attributes">, name: string): readonly Attribute[] {
  return part.attributes.get(name) ?? NO_LINES;
}

/** Hits for those of the items that the condition holds for. */
export function where<T extends { readonly line: number }>(
  items: readonly T[],
  condition: (item: T) => boolean,
  detail?: (item: T) => string,
): Hit[] {
  // A loop: rules ask this of every line there is, and mostly nothing is found.
  const hits: Hit[] = [];
  for (const item of items) {
    if (condition(item)) hits.push({ line: item.line, detail: detail?.(item) });
  }
  return hits;
}

/** Hits for the lines of this type, not of attributes, that the condition holds for. */
export function wherePlain(
  { plainLines }: Pick<Part, "plainLines">,
  wanted: string,
  condition: (value: string) => boolean,
): Hit[] {
  const hits: Hit[] = [];
  for (const { number: line, type, value } of plainLines) {
    if (type === wanted && condition(value)) hits.push({ line });
  }
  return hits;
}

/** Attributes of this name that do not fit their grammar. */
export function unreadable(part: Pick<Section, "unreadable">, name: string): readonly Hit[] {
  if (part.unreadable.length === 0) return NO_HITS;
  return where(part.unreadable, (attribute) => attribute.name === name);
}

const NO_ITEMS: readonly never[] = [];

/** Items whose key an earlier one has. */
export function repeated<T>(items: readonly T[], keyOf: (item: T) => unknown): readonly T[] {
  if (items.length < 2) return NO_ITEMS;
  const seen = new Set<unknown>();
  return items.filter((item) => {
    const key = keyOf(item);
    const known = seen.has(key);
    seen.add(key);
    return known;
  });
}

/** True for the sections that carry RTP. */
export function carriesMedia({ kind }: Pick<Section, "kind">): boolean {
  return kind === "audio" || kind === "video";
}

/** The lines of a section's candidates as rules see them. */
export type PlacedCandidate = Lined<CandidateLine>;

/** A rule about a description and what was said before it, here and on the other links of the session. */
export interface HistoryRule extends RuleFacts, Applies {
  readonly find: (subject: Continuation) => Hits;
}

/** A description and what the session allows. */
export interface PolicySubject extends DescriptionSubject {
  /** `iceTransportPolicy: relay` of the session. */
  readonly isRelayOnly: boolean;
  /** Its author sends no candidates after it. */
  readonly hasNoTrickle: boolean;
  /** One end is a client of WHIP or WHEP; `isClient`: its author is. */
  readonly http?: { readonly door: "whip" | "whep"; readonly isClient: boolean } | undefined;
  /** Bits per second that its author may receive in all; absent without a ceiling. */
  readonly maxReceiveBps?: number | undefined;
}

/** A rule about what the session was created with. */
export interface PolicyRule extends RuleFacts {
  readonly find: (subject: PolicySubject) => Hits;
}
