import type { SdpFinding } from "./sdp/finding.ts";

/** Findings that differ in their place only. */
export type FindingGroup = readonly [SdpFinding, ...SdpFinding[]];

/** Findings for people: what is said in the same words of several lines of a description is said once. */
export function findingGroups(findings: readonly SdpFinding[]): readonly FindingGroup[] {
  const groups = new Map<string, [SdpFinding, ...SdpFinding[]]>();
  for (const finding of findings) {
    const { description, level, rule, message } = finding;
    const key = [description, level, rule, message].join(" ");
    const group = groups.get(key);
    if (group) group.push(finding);
    else groups.set(key, [finding]);
  }
  return [...groups.values()];
}
