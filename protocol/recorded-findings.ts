import type { SdpFinding } from "./sdp/finding.ts";
import type { Link, RecordedFinding } from "./session.ts";

/** Findings of one link that are kept. */
const MOST = 200;

type About = Pick<RecordedFinding, "from" | "at" | "exchange" | "refused">;

/** The same finding of the same peer: lines move from one description to the next, so they do not count. */
const keyOf = ({ rule, level, from, mLine, message, refused }: RecordedFinding): string =>
  JSON.stringify([rule, level, from, mLine, message, refused]);

/**
 * Adds findings to what a link keeps of them: one that is known is put at the end with its newest place.
 * What is too much goes from the old end, remarks before warnings before errors.
 *
 * Gives the link itself when there is nothing to add.
 */
export function withFindings(link: Link, findings: readonly SdpFinding[], about: About): Link {
  if (findings.length === 0) return link;
  const fresh = findings.map((finding): RecordedFinding => ({ ...finding, ...about }));
  const all = new Map(link.findings.map((finding) => [keyOf(finding), finding]));
  for (const finding of fresh) {
    all.delete(keyOf(finding));
    all.set(keyOf(finding), finding);
  }
  return { ...link, findings: capped([...all.values()]) };
}

function capped(findings: readonly RecordedFinding[]): readonly RecordedFinding[] {
  let excess = findings.length - MOST;
  let kept = findings;
  for (const level of ["info", "warning", "error"] as const) {
    if (excess <= 0) break;
    const dropped = new Set(kept.filter((finding) => finding.level === level).slice(0, excess));
    kept = kept.filter((finding) => !dropped.has(finding));
    excess -= dropped.size;
  }
  return kept;
}

/** Only what the link does not know yet: trickled candidates repeat themselves, and a row is dear. */
export function unknownFindings(
  link: Link,
  findings: readonly SdpFinding[],
  about: About,
): readonly SdpFinding[] {
  if (findings.length === 0) return findings;
  const known = new Set(link.findings.map(keyOf));
  return findings.filter((finding) => !known.has(keyOf({ ...finding, ...about })));
}
