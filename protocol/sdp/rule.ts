import type { CandidateLine } from "./candidate.ts";
import type { Description } from "./description.ts";
import type { Level } from "./finding.ts";
import type { HistorySubject } from "./history.ts";
import type { Attribute } from "./line.ts";
import type { Lined, Section } from "./section.ts";

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
  readonly detail?: string;
  /** Where the condition is worse or better than the rule's level says. */
  readonly level?: Level;
}

/** The m-section of a hit; without a line where the description's lines are not at fault. */
export interface HitSection {
  readonly index: number;
  readonly line?: number | undefined;
  readonly mid: string | undefined;
}

/** What a rule gives: `undefined` where the condition does not hold, so that a clause can be one expression. */
export type Hits = Iterable<Hit | undefined>;

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
}

/** Sections of the same index in an offer and its answer. */
export interface SectionPair {
  readonly offered: Section;
  readonly answered: Section;
}

/** An offer and its answer. */
export interface PairSubject {
  readonly offer: Description;
  readonly answer: Description;
  /** Sections that both have and neither rejects, of the same media. */
  readonly live: readonly SectionPair[];
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
  return (subject) => {
    const found: Hit[] = [];
    for (const section of subject.description.live) {
      locate(found, section, find(section, subject));
    }
    return found;
  };
}

/** Says for every pair of sections in use what `find` says for one. */
export function eachPair(
  find: (pair: SectionPair, subject: PairSubject) => Hits,
): PairRule["find"] {
  return (subject) => {
    const found: Hit[] = [];
    for (const pair of subject.live) locate(found, pair.answered, find(pair, subject));
    return found;
  };
}

/** Adds the hits of a section: they are in it unless they say otherwise. */
export function locate(found: Hit[], section: Section, hits: Hits): void {
  for (const hit of hits) if (hit) found.push({ section, ...hit });
}

/** A hit at the first line of this attribute, or at the m-line. */
export function at(section: Section, name: string, detail?: string): Hit {
  return {
    section,
    line: section.attributes.get(name)?.[0]?.line,
    ...(detail === undefined ? {} : { detail }),
  };
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
    if (!condition(item)) continue;
    hits.push(detail ? { line: item.line, detail: detail(item) } : { line: item.line });
  }
  return hits;
}

/** Attributes of this name that do not fit their grammar. */
export function unreadable(part: Pick<Section, "unreadable">, name: string): Hit[] {
  return where(part.unreadable, (attribute) => attribute.name === name);
}

/** Items whose key an earlier one has. */
export function repeated<T>(items: readonly T[], keyOf: (item: T) => unknown): readonly T[] {
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
  readonly find: (subject: HistorySubject) => Hits;
}

/** A description and what the session allows. */
export interface PolicySubject extends DescriptionSubject {
  /** `iceTransportPolicy: relay` of the session. */
  readonly isRelayOnly: boolean;
  /** Bits per second that its author may receive in all; absent without a ceiling. */
  readonly maxReceiveBps?: number | undefined;
}

/** A rule about what the session was created with. */
export interface PolicyRule extends RuleFacts {
  readonly find: (subject: PolicySubject) => Hits;
}
