import type { CandidateLine } from "./candidate.ts";
import {
  CANDIDATE_RULES,
  DESCRIPTION_RULES,
  HISTORY_RULES,
  PAIR_RULES,
  POLICY_RULES,
} from "./catalogue.ts";
import { continuationOf } from "./continued.ts";
import type { Description } from "./description.ts";
import type { Level, SdpFinding } from "./finding.ts";
import type { HistorySubject } from "./history.ts";
import { Notes } from "./notes.ts";
import type {
  CandidateRule,
  DescriptionRole,
  Hit,
  HitSection,
  Hits,
  PairSubject,
  PolicySubject,
  RuleFacts,
  RuleLevel,
} from "./rule.ts";
import { candidateSubject } from "./rules/candidates.ts";
import type { Section } from "./section.ts";

/** What a check is asked for. */
export interface CheckOptions {
  /** The strict profile, for conformance testing: more rules, at higher levels. */
  readonly strict?: boolean;
}

/** Findings per description; errors first, so that none is lost to the cap. */
const MOST_FINDINGS = 50;

/** Characters of a description that a finding repeats at most in one place. */
const MOST_QUOTED = 80;

const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;
const ALL_UNPRINTABLE = new RegExp(UNPRINTABLE, "gu");

/** What a description says, as a finding may repeat it: a name may be as long as its line, and move a terminal. */
function quoted(text: string): string {
  const short = text.slice(0, MOST_QUOTED);
  return UNPRINTABLE.test(short) ? short.replace(ALL_UNPRINTABLE, "\ufffd") : short;
}

/** What findings are about. */
type About = DescriptionRole | "pair";

/** The level a rule has here. */
function levelOf(rule: RuleFacts, about: About, strict: boolean): RuleLevel {
  if (strict) return rule.strict;
  return about === "answer" ? (rule.answerLevel ?? rule.level) : rule.level;
}

const WEIGHT: Record<Level, number> = { error: 0, warning: 1, info: 2 };

/** A hit may say that it is worse or milder than its rule; the strict profile never makes it milder. */
const weighed = (rule: Level, hit: Level | undefined, strict: boolean): Level => {
  if (hit === undefined) return rule;
  return strict && WEIGHT[rule] < WEIGHT[hit] ? rule : hit;
};

/** A rule that is asked, with the level that it has here. */
interface Asked<R extends Findable> {
  readonly rule: R;
  readonly level: Level;
  readonly find: R["find"];
}

type Findable = RuleFacts & { readonly on?: DescriptionRole | "both"; readonly find: unknown };

/** The rules of a list that are asked: those for this role that are not off. Chosen once, and not for every description. */
function asked<R extends Findable>(
  rules: readonly R[],
): (about: About, strict: boolean) => readonly Asked<R>[] {
  const chosen = (about: About, strict: boolean): readonly Asked<R>[] =>
    rules.flatMap((rule) => {
      const { on = "both", find } = rule;
      const level = levelOf(rule, about, strict);
      return level === "off" || (on !== "both" && on !== about) ? [] : [{ rule, level, find }];
    });
  const choose = (strict: boolean): Record<About, readonly Asked<R>[]> => ({
    offer: chosen("offer", strict),
    answer: chosen("answer", strict),
    pair: chosen("pair", strict),
  });
  const usual = choose(false);
  const strictly = choose(true);
  return (about, strict) => (strict ? strictly : usual)[about];
}

const descriptionRules = asked(DESCRIPTION_RULES);
const candidateRules = asked(CANDIDATE_RULES);
const historyRules = asked(HISTORY_RULES);
const policyRules = asked(POLICY_RULES);
const pairRules = asked(PAIR_RULES);

/** Gathers what rules find, each thing once (one finding per rule and place). */
export class Findings {
  readonly #about: About;
  readonly #strict: boolean;
  readonly #byLevel: Record<Level, SdpFinding[]> = { error: [], warning: [], info: [] };
  readonly #byRule = new Map<string, SdpFinding[]>();

  constructor(about: About, strict: boolean) {
    this.#about = about;
    this.#strict = strict;
  }

  /** Adds what a rule has found. */
  add(rule: RuleFacts, level: Level, hits: Hits): void {
    // Mostly there are none, and to find that out by iterating is dear.
    if (hits.length === 0) return;
    for (const hit of hits) {
      if (hit) this.#tell(rule, weighed(level, hit.level, this.#strict), hit);
    }
  }

  #tell(rule: RuleFacts, level: Level, hit: Hit): void {
    const known = this.#byRule.get(rule.id);
    // A hundred thousand hits are possible, and no more than these are ever told.
    if (known && isFull(known, level)) return;
    const finding = findingOf(rule, level, this.#about, hit);
    if (known?.some((other) => isSamePlace(other, finding))) return;
    if (known) known.push(finding);
    else this.#byRule.set(rule.id, [finding]);
    this.#byLevel[level].push(finding);
  }

  /** Errors first, then warnings, then the rest; in the catalogue's order, in which causes precede effects. */
  all(): readonly SdpFinding[] {
    const { error, warning, info } = this.#byLevel;
    return [...error, ...warning, ...info].slice(0, MOST_FINDINGS);
  }
}

/** Whether a rule has found as much of this level as is ever told. */
function isFull(findings: readonly SdpFinding[], level: Level): boolean {
  if (findings.length < MOST_FINDINGS) return false;
  return findings.filter((finding) => finding.level === level).length === MOST_FINDINGS;
}

const isSamePlace = (one: SdpFinding, other: SdpFinding): boolean =>
  one.line === other.line && one.mLine === other.mLine && one.message === other.message;

type Told = { -readonly [member in keyof SdpFinding]?: SdpFinding[member] };

function findingOf(
  { id: rule, message, source }: RuleFacts,
  level: Level,
  description: About,
  { section, line = section?.line, detail }: Hit,
): SdpFinding {
  // Member by member: what is absent is not told as undefined.
  const finding: Told = { rule, level, description };
  if (line !== undefined) finding.line = line;
  if (section !== undefined) finding.mLine = section.index;
  if (section?.mid !== undefined) finding.mid = quoted(section.mid);
  finding.message = detail === undefined ? message : `${quoted(detail)}: ${message}`;
  finding.source = source;
  return finding as SdpFinding;
}

/** Asks rules what they find in what they are about. */
function ask<S>(
  findings: Findings,
  rules: readonly Asked<RuleFacts & { readonly find: (subject: S) => Hits }>[],
  subject: S,
): Findings {
  for (const { rule, level, find } of rules) findings.add(rule, level, find(subject));
  return findings;
}

/** What the rules find in one description. */
export function checkDescription(
  description: Description,
  role: DescriptionRole,
  { strict = false }: CheckOptions = {},
): readonly SdpFinding[] {
  const findings = new Findings(role, strict);
  ask(findings, descriptionRules(role, strict), { description, role });
  const rules = candidateRules(role, strict);
  for (const { index, mid, candidates } of description.live) {
    const section = { index, mid };
    for (const candidate of candidates) {
      addCandidate(findings, rules, candidate, section, candidate.line);
    }
  }
  return findings.all();
}

function addCandidate(
  findings: Findings,
  rules: readonly Asked<CandidateRule>[],
  candidate: CandidateLine,
  section: HitSection,
  line: number | undefined,
): void {
  const subject = candidateSubject(candidate);
  for (const { rule, level, find } of rules) {
    const hit = find(subject);
    if (hit) findings.add(rule, level, [{ section, line, detail: hit.detail, level: hit.level }]);
  }
}

/** What the rules find in a trickled candidate; `section` is its m-section in a description of this role. */
export function checkCandidate(
  candidate: CandidateLine,
  { index, mid }: HitSection,
  role: DescriptionRole,
  { strict = false }: CheckOptions = {},
): readonly SdpFinding[] {
  const findings = new Findings(role, strict);
  // It has no line, and that of its m-section would not be it.
  addCandidate(findings, candidateRules(role, strict), candidate, { index, mid }, undefined);
  return findings.all();
}

/** What the rules find in a description when they know what was said before it. */
export function checkHistory(
  subject: HistorySubject,
  { strict = false }: CheckOptions = {},
): readonly SdpFinding[] {
  const { role } = subject;
  return ask(new Findings(role, strict), historyRules(role, strict), continuationOf(subject)).all();
}

/** What a description asks for that the session does not allow. */
export function checkPolicy(
  subject: PolicySubject,
  { strict = false }: CheckOptions = {},
): readonly SdpFinding[] {
  const { role } = subject;
  return ask(new Findings(role, strict), policyRules(role, strict), subject).all();
}

/** What keeps an answer from fitting its offer. */
export function checkPair(
  offer: Description,
  answer: Description,
  { strict = false }: CheckOptions = {},
): readonly SdpFinding[] {
  const subject: PairSubject = { offer, answer, live: livePairs(offer, answer) };
  return ask(new Findings("pair", strict), pairRules("pair", strict), subject).all();
}

function livePairs(offer: Description, answer: Description): PairSubject["live"] {
  return answer.sections.flatMap((answered, index) => {
    const offered = offer.sections[index];
    const isLive = offered && inUse(offered) && inUse(answered) && offered.kind === answered.kind;
    return isLive ? [{ offered, answered, notes: new Notes() }] : [];
  });
}

const inUse = ({ rejected }: Section): boolean => !rejected;
