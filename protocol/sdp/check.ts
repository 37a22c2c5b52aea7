import type { CandidateLine } from "./candidate.ts";
import {
  CANDIDATE_RULES,
  DESCRIPTION_RULES,
  HISTORY_RULES,
  PAIR_RULES,
  POLICY_RULES,
} from "./catalogue.ts";
import type { Description } from "./description.ts";
import type { Level, SdpFinding } from "./finding.ts";
import type { HistorySubject } from "./history.ts";
import type {
  DescriptionRole,
  Hit,
  HitSection,
  Hits,
  PairSubject,
  PolicySubject,
  RuleFacts,
  RuleLevel,
} from "./rule.ts";
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

/** What a description says, as a finding may repeat it: a name may be as long as its line, and move a terminal. */
const quoted = (text: string): string =>
  text.slice(0, MOST_QUOTED).replace(/[\p{Cc}\p{Cs}]/gu, "\ufffd");

/** The level a rule has here. */
function levelOf(rule: RuleFacts, role: DescriptionRole | "pair", strict: boolean): RuleLevel {
  if (strict) return rule.strict;
  return role === "answer" ? (rule.answerLevel ?? rule.level) : rule.level;
}

const WEIGHT: Record<Level, number> = { error: 0, warning: 1, info: 2 };

/** A hit may say that it is worse or milder than its rule; the strict profile never makes it milder. */
const weighed = (rule: Level, hit: Level | undefined, strict: boolean): Level => {
  if (hit === undefined) return rule;
  return strict && WEIGHT[rule] < WEIGHT[hit] ? rule : hit;
};

/** Runs rules over a subject and gathers what they find, each thing once (one finding per rule and place). */
export class Findings {
  readonly #strict: boolean;
  readonly #description: DescriptionRole | "pair";
  readonly #found = new Map<string, SdpFinding>();
  /** How many there are of a rule and level. */
  readonly #counts = new Map<string, number>();

  constructor(description: DescriptionRole | "pair", { strict = false }: CheckOptions) {
    this.#description = description;
    this.#strict = strict;
  }

  /** Applies one rule, unless it is off here; `find` is not called then. */
  apply(rule: RuleFacts, find: () => Hits): void {
    const level = levelOf(rule, this.#description, this.#strict);
    if (level === "off") return;
    for (const hit of find()) if (hit) this.#add(rule, level, hit);
  }

  #add(rule: RuleFacts, ruleLevel: Level, hit: Hit): void {
    const { section } = hit;
    const level = weighed(ruleLevel, hit.level, this.#strict);
    const kind = `${rule.id} ${level}`;
    const count = this.#counts.get(kind) ?? 0;
    // A hundred thousand hits are possible, and no more than these are ever told.
    if (count === MOST_FINDINGS) return;
    const detail = hit.detail === undefined ? undefined : quoted(hit.detail);
    const line = hit.line ?? section?.line;
    const key = `${rule.id} ${section?.index ?? ""} ${line ?? ""} ${detail ?? ""}`;
    if (this.#found.has(key)) return;
    this.#counts.set(kind, count + 1);
    this.#found.set(key, {
      rule: rule.id,
      level,
      description: this.#description,
      ...(line === undefined ? {} : { line }),
      ...(section === undefined ? {} : { mLine: section.index }),
      ...(section?.mid === undefined ? {} : { mid: quoted(section.mid) }),
      message: detail === undefined ? rule.message : `${detail}: ${rule.message}`,
      source: rule.source,
    });
  }

  /** Errors first, then warnings, then the rest; in the catalogue's order, in which causes precede effects. */
  all(): readonly SdpFinding[] {
    return [...this.#found.values()]
      .toSorted((one, other) => WEIGHT[one.level] - WEIGHT[other.level])
      .slice(0, MOST_FINDINGS);
  }
}

/** What the rules find in one description. */
export function checkDescription(
  description: Description,
  role: DescriptionRole,
  options: CheckOptions = {},
): readonly SdpFinding[] {
  const findings = new Findings(role, options);
  const subject = { description, role };
  for (const rule of DESCRIPTION_RULES) {
    if (rule.on === "both" || rule.on === role) findings.apply(rule, () => rule.find(subject));
  }
  for (const section of description.live) {
    for (const candidate of section.candidates) {
      applyCandidateRules(findings, candidate, section, candidate.line);
    }
  }
  return findings.all();
}

const NO_HITS: Hits = [];

function applyCandidateRules(
  findings: Findings,
  candidate: CandidateLine,
  { index, mid }: HitSection,
  line?: number,
): void {
  const subject = { candidate };
  for (const rule of CANDIDATE_RULES) {
    findings.apply(rule, () => {
      const hit = rule.find(subject);
      // A trickled candidate has no line, and that of its m-section would not be it.
      return hit ? [{ section: { index, mid }, line, ...hit }] : NO_HITS;
    });
  }
}

/** What the rules find in a trickled candidate; `section` is its m-section in a description of this role. */
export function checkCandidate(
  candidate: CandidateLine,
  section: HitSection,
  role: DescriptionRole,
  options: CheckOptions = {},
): readonly SdpFinding[] {
  const findings = new Findings(role, options);
  applyCandidateRules(findings, candidate, section);
  return findings.all();
}

/** What the rules find in a description when they know what was said before it. */
export function checkHistory(
  subject: HistorySubject,
  options: CheckOptions = {},
): readonly SdpFinding[] {
  const findings = new Findings(subject.role, options);
  for (const rule of HISTORY_RULES) {
    if (rule.on === "both" || rule.on === subject.role) {
      findings.apply(rule, () => rule.find(subject));
    }
  }
  return findings.all();
}

/** What a description asks for that the session does not allow. */
export function checkPolicy(
  subject: PolicySubject,
  options: CheckOptions = {},
): readonly SdpFinding[] {
  const findings = new Findings(subject.role, options);
  for (const rule of POLICY_RULES) findings.apply(rule, () => rule.find(subject));
  return findings.all();
}

/** What keeps an answer from fitting its offer. */
export function checkPair(
  offer: Description,
  answer: Description,
  options: CheckOptions = {},
): readonly SdpFinding[] {
  const findings = new Findings("pair", options);
  const subject: PairSubject = { offer, answer, live: livePairs(offer, answer) };
  for (const rule of PAIR_RULES) findings.apply(rule, () => rule.find(subject));
  return findings.all();
}

function livePairs(offer: Description, answer: Description): PairSubject["live"] {
  return answer.sections.flatMap((answered, index) => {
    const offered = offer.sections[index];
    const isLive = offered && inUse(offered) && inUse(answered) && offered.kind === answered.kind;
    return isLive ? [{ offered, answered }] : [];
  });
}

const inUse = ({ rejected }: Section): boolean => !rejected;
