import type { Candidate } from "../protocol/message-parts.ts";
import { type Description, readDescription } from "../protocol/sdp/description.ts";
import { isFinding } from "../protocol/sdp/finding.ts";
import type { Section } from "../protocol/sdp/section.ts";

/** What the translator reads of descriptions, and the one thing it writes into them. */

/** An m-section with audio or video. */
export interface OfferedSection {
  readonly mid: string;
  readonly kind: "audio" | "video";
  readonly sends: boolean;
  readonly receives: boolean;
}

const usable = (sdp: string): Description | undefined => {
  const description = readDescription(sdp);
  return isFinding(description) || !description.isUsable ? undefined : description;
};

/** The sections of a description that are in use; undefined when it cannot be read. */
export function offeredSections(sdp: string): readonly OfferedSection[] | undefined {
  return usable(sdp)?.live.flatMap(({ mid, kind, direction }) => {
    if (mid === undefined || (kind !== "audio" && kind !== "video")) return [];
    const sends = direction === "sendrecv" || direction === "sendonly";
    const receives = direction === "sendrecv" || direction === "recvonly";
    return [{ mid, kind, sends, receives }];
  });
}

/** Mids of sections that the description does not use. */
export function rejectedMids(sdp: string): readonly string[] {
  const sections = usable(sdp)?.sections ?? [];
  return sections.flatMap(({ mid, rejected }) => (rejected && mid !== undefined ? [mid] : []));
}

const valuesOf = (sdp: string, line: RegExp): string[] => [
  ...new Set([...sdp.matchAll(line)].map(([, value = ""]) => value)),
];

/** DTLS fingerprints: each connection has a certificate of its own (RFC 8122). */
export const printsOf = (sdp: string): string[] =>
  valuesOf(sdp.toUpperCase(), /^A=FINGERPRINT:\S+ (\S+)/gm);

/** ICE user fragments: the generation (RFC 8839 s5.4). */
export const ufragsOf = (sdp: string): string[] => valuesOf(sdp, /^a=ice-ufrag:(\S+)/gm);

/** True when two lists of which one describes what came before the other have nothing in common. */
export const isOther = (before: readonly string[], now: readonly string[]): boolean =>
  before.length > 0 && now.length > 0 && !now.some((each) => before.includes(each));

/** An agent that does no connectivity checks itself (RFC 8445 s2.7). */
export const isIceLite = (sdp: string): boolean => /^a=ice-lite\r?$/m.test(sdp);

/** True when the description says itself that no candidate will follow (RFC 8840 s4.4). */
export const isComplete = (sdp: string): boolean => /^a=end-of-candidates\r?$/m.test(sdp);

/**
 * The description with candidates that came beside it, each at the end of its section, as a description has them
 * that is made after gathering (RFC 8840 s4.4).
 */
export function withCandidates(sdp: string, candidates: readonly Candidate[]): string {
  const described = usable(sdp);
  if (!described || candidates.length === 0) return sdp;
  const lines = described.lines.map(({ type, value }) =>
    type === "" ? value : `${type}=${value}`,
  );
  const known = new Set(lines);
  // From the last section on: what is put in moves only what comes after it.
  for (const section of [...described.sections].reverse()) {
    const own = candidates
      .filter((candidate) => candidate.candidate !== "" && belongsTo(candidate, section))
      .map(({ candidate }) => `a=${candidate.replace(/^a=/, "")}`)
      .filter((line) => !known.has(line));
    lines.splice(endOf(section, described), 0, ...new Set(own));
  }
  return `${lines.join("\r\n")}\r\n`;
}

const belongsTo = ({ sdpMid, sdpMLineIndex }: Candidate, section: Section): boolean =>
  sdpMid ? sdpMid === section.mid : sdpMLineIndex === section.index;

const endOf = ({ index }: Section, { sections, lines }: Description): number => {
  const next = sections[index + 1];
  return next ? next.line - 1 : lines.length;
};
