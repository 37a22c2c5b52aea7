import type { Candidate } from "./message-parts.ts";
import type { Move } from "./move.ts";
import { candidateLineOf } from "./sdp/candidate.ts";
import { checkCandidate } from "./sdp/check.ts";
import type { Description } from "./sdp/description.ts";
import type { SdpFinding } from "./sdp/finding.ts";
import type { DescriptionRole } from "./sdp/rule.ts";
import { CANDIDATE_COUNT, MOST_CANDIDATES } from "./sdp/rules/ice.ts";
import { CANDIDATE_RELAY_ONLY } from "./sdp/rules/policy.ts";
import { CANDIDATE_AFTER_END, CANDIDATE_UFRAG_MISMATCH, findingOf } from "./sdp/rules/trickle.ts";
import type { Section } from "./sdp/section.ts";
import type { Trickle } from "./session.ts";

/** What the rules find in trickled candidates. */
interface Checked {
  /** Candidates that go on. */
  readonly good: readonly Candidate[];
  readonly findings: readonly SdpFinding[];
}

/** Checks candidates by the rules for those in descriptions; where the policy is to report, all go on. */
export function checkCandidates(
  candidates: readonly Candidate[],
  description: Description,
  role: DescriptionRole,
  { session: { config } }: Move,
): Checked {
  const findings: SdpFinding[] = [];
  const sectionOf = finder(description);
  const good = candidates.filter((candidate) => {
    const section = sectionOf(candidate);
    if (candidate.candidate === "" || !section) return true;
    const found = findingsOf(candidate, section, role, config.iceTransportPolicy === "relay");
    findings.push(...found);
    return config.sdpPolicy === "report" || found.every(({ level }) => level !== "error");
  });
  return { good, findings };
}

/** Finds the m-section of a candidate: by mid, which is never ambiguous, else by index. */
function finder({ sections }: Description): (candidate: Candidate) => Section | undefined {
  const byMid = new Map(sections.map((section) => [section.mid, section]));
  return ({ sdpMid, sdpMLineIndex }) =>
    byMid.get(sdpMid ?? undefined) ?? sections[sdpMLineIndex ?? 0];
}

/** M-sections for which more candidates came, in the description and by trickle, than a peer will check. */
export function countFindings(
  candidates: readonly Candidate[],
  description: Description,
  role: DescriptionRole,
): readonly SdpFinding[] {
  const bySection = Map.groupBy(candidates, finder(description));
  return description.sections
    .filter((section) => {
      const trickled = bySection.get(section)?.length ?? 0;
      return trickled > 0 && trickled + section.candidates.length > MOST_CANDIDATES;
    })
    .map((section) => findingOf(CANDIDATE_COUNT, role, section));
}

function findingsOf(
  { candidate }: Candidate,
  section: Section,
  role: DescriptionRole,
  isRelayOnly: boolean,
): readonly SdpFinding[] {
  const line = candidateLineOf(candidate);
  const found = checkCandidate(line, section, role);
  return isRelayOnly && line.type !== "relay"
    ? [...found, findingOf(CANDIDATE_RELAY_ONLY, role, section)]
    : found;
}

/** Candidates that come too late: of an old ICE generation, or after their end was said (RFC 8838). */
export function lateFindings(
  known: Trickle | undefined,
  role: DescriptionRole,
  { current, dropped }: { readonly current: readonly Candidate[]; readonly dropped: number },
): readonly SdpFinding[] {
  const seen = new Set(known?.candidates.map(({ candidate }) => candidate));
  const isLate =
    known?.complete === true &&
    current.some(({ candidate }) => candidate !== "" && !seen.has(candidate));
  return [
    ...(dropped > 0 ? [findingOf(CANDIDATE_UFRAG_MISMATCH, role)] : []),
    ...(isLate ? [findingOf(CANDIDATE_AFTER_END, role)] : []),
  ];
}
