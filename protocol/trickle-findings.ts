import { isRelayOnly } from "./assess.ts";
import type { Candidate } from "./message-parts.ts";
import type { Move } from "./move.ts";
import type { Outline, SectionOutline } from "./outline.ts";
import { type CandidateLine, candidateLineOf } from "./sdp/candidate.ts";
import { checkCandidate } from "./sdp/check.ts";
import type { SdpFinding } from "./sdp/finding.ts";
import { ownAddressIn } from "./sdp/relay-only.ts";
import type { DescriptionRole } from "./sdp/rule.ts";
import { CANDIDATE_COUNT, MOST_CANDIDATES } from "./sdp/rules/ice.ts";
import { RULE_OF_OWN_ADDRESS } from "./sdp/rules/policy.ts";
import { CANDIDATE_AFTER_END, CANDIDATE_UFRAG_MISMATCH, findingOf } from "./sdp/rules/trickle.ts";
import type { Trickle } from "./session.ts";

/** What the rules find in trickled candidates. */
interface Checked {
  /** Candidates that go on. */
  readonly good: readonly Candidate[];
  /** How many are refused; others that stay behind are withheld (decision 0017). */
  readonly broken: number;
  readonly findings: readonly SdpFinding[];
}

/**
 * Checks candidates by the rules for those in descriptions. Where the policy is to report, all go on but those that
 * a relay-only session keeps from the other side; these are looked for also where the description cannot be read.
 */
export function checkCandidates(
  candidates: readonly Candidate[],
  description: Outline | undefined,
  role: DescriptionRole,
  made: Move,
): Checked {
  const findings: SdpFinding[] = [];
  const sectionOf = description && finder(description);
  const isEnforced = made.session.config.sdpPolicy === "enforce";
  const hidesOwn = isRelayOnly(made);
  let broken = 0;
  const good = candidates.filter((candidate) => {
    if (candidate.candidate === "") return true;
    const line = candidateLineOf(candidate.candidate);
    const section = sectionOf?.(candidate);
    const found = section ? checkCandidate(line, section, role) : [];
    const own = hidesOwn ? ownAddressFindings(line, section, role) : [];
    findings.push(...found, ...own.filter((finding) => !has(findings, finding)));
    const isBroken = isEnforced && [...found, ...own].some(({ level }) => level === "error");
    if (isBroken) broken += 1;
    return !isBroken && own.length === 0;
  });
  return { good, findings, broken };
}

/** Said once per section: a gathering burst shows many addresses. */
const has = (findings: readonly SdpFinding[], { rule, mLine }: SdpFinding): boolean =>
  findings.some((known) => known.rule === rule && known.mLine === mLine);

/** Finds the m-section of a candidate: by mid, which is never ambiguous, else by index. */
function finder({ sections }: Outline): (candidate: Candidate) => SectionOutline | undefined {
  const byMid = new Map(sections.map((section) => [section.mid, section]));
  return ({ sdpMid, sdpMLineIndex }) =>
    byMid.get(sdpMid ?? undefined) ?? sections[sdpMLineIndex ?? 0];
}

/** M-sections for which more candidates came, in the description and by trickle, than a peer will check. */
export function countFindings(
  candidates: readonly Candidate[],
  description: Outline,
  role: DescriptionRole,
): readonly SdpFinding[] {
  const most = Math.max(...description.sections.map((section) => section.candidates.length));
  if (candidates.length + most <= MOST_CANDIDATES) return [];
  const bySection = Map.groupBy(candidates, finder(description));
  return description.sections
    .filter((section) => {
      const trickled = bySection.get(section)?.length ?? 0;
      return trickled > 0 && trickled + section.candidates.length > MOST_CANDIDATES;
    })
    .map((section) => findingOf(CANDIDATE_COUNT, role, section));
}

function ownAddressFindings(
  line: CandidateLine,
  section: SectionOutline | undefined,
  role: DescriptionRole,
): readonly SdpFinding[] {
  const shows = ownAddressIn(line);
  return shows ? [findingOf(RULE_OF_OWN_ADDRESS[shows], role, section)] : [];
}

/** Candidates that come too late: of an old ICE generation, or after their end was said (RFC 8838). */
export function lateFindings(
  known: Trickle | undefined,
  role: DescriptionRole,
  { current, dropped }: { readonly current: readonly Candidate[]; readonly dropped: number },
): readonly SdpFinding[] {
  return [
    ...(dropped > 0 ? [findingOf(CANDIDATE_UFRAG_MISMATCH, role)] : []),
    ...(isLate(current, known) ? [findingOf(CANDIDATE_AFTER_END, role)] : []),
  ];
}

function isLate(candidates: readonly Candidate[], known: Trickle | undefined): boolean {
  if (known?.complete !== true) return false;
  const seen = new Set(known.candidates.map(({ candidate }) => candidate));
  return candidates.some(({ candidate }) => candidate !== "" && !seen.has(candidate));
}
