import type { Description } from "./description.ts";
import type { SdpFinding } from "./finding.ts";
import type { Section } from "./section.ts";

/**
 * What keeps an answer from belonging to an offer, at level error: `m-line-count-mismatch`,
 * `m-line-type-mismatch`, `mid-mismatch`, `rejected-line-accepted` (RFC 3264 s6, RFC 8829 s5.8.3).
 */
export function pairFindings(offer: Description, answer: Description): readonly SdpFinding[] {
  const ofSections = answer.sections.flatMap((answered, index) => {
    const offered = offer.sections[index];
    return offered ? sectionFindings(offered, answered) : [];
  });
  return [...countFindings(offer, answer), ...ofSections];
}

function countFindings(offer: Description, answer: Description): readonly SdpFinding[] {
  const [offered, answered] = [offer.sections.length, answer.sections.length];
  if (offered === answered) return [];
  return [
    {
      rule: "m-line-count-mismatch",
      level: "error",
      description: "pair",
      message: `the offer has ${offered} m-sections, the answer ${answered}`,
      source: "RFC 3264 s6",
    },
  ];
}

function sectionFindings(offered: Section, answered: Section): readonly SdpFinding[] {
  const finding = (rule: string, message: string, source: string): SdpFinding => ({
    rule,
    level: "error",
    description: "pair",
    line: answered.line,
    mLine: answered.index,
    ...(answered.mid === undefined ? {} : { mid: answered.mid }),
    message,
    source,
  });
  if (offered.kind !== answered.kind) {
    return [
      finding("m-line-type-mismatch", "offer and answer name different media", "RFC 8829 s5.8.3"),
    ];
  }
  if (answered.rejected) return [];
  if (offered.rejected) {
    return [
      finding("rejected-line-accepted", "the offer has disabled this m-section", "RFC 3264 s6"),
    ];
  }
  const bothNamed = offered.mid !== undefined && answered.mid !== undefined;
  return bothNamed && offered.mid !== answered.mid
    ? [finding("mid-mismatch", "the mid differs from that of the offer", "RFC 5888 s9.1")]
    : [];
}
