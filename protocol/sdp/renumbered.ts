import type { Description } from "./description.ts";
import type { SdpFinding } from "./finding.ts";
import { tellsMid } from "./rules/bundle-sharing.ts";

const CONFLICT = "bundle-payload-type-conflict";

/**
 * Findings about a description that renegotiates: payload types that mean two codecs are no error there, as long as the
 * MID of each packet says which section it belongs to (RFC 9143 s9.2). Firefox, once it has answered with the numbers
 * of the other side, numbers a section that it adds by its own table; Chromium answers it with the same numbers.
 */
export function easedForRenegotiation(
  findings: readonly SdpFinding[],
  description: Description,
): readonly SdpFinding[] {
  return findings.map((finding) =>
    finding.rule === CONFLICT && isToldByMid(description, finding.line)
      ? { ...finding, level: "warning" }
      : finding,
  );
}

/** All that use the payload type of this line are of one kind and tell their MID. */
function isToldByMid({ sections }: Description, line: number | undefined): boolean {
  const format = sections
    .flatMap(({ rtpMaps }) => rtpMaps)
    .find((map) => map.line === line)?.format;
  const sharing = sections.filter(
    ({ formats, rejected }) => !rejected && formats.some((listed) => listed === format),
  );
  return sharing.every((section) => section.kind === sharing[0]?.kind && tellsMid(section));
}
