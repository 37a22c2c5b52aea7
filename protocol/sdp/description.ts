import { LIMITS } from "../limits.ts";
import { isFinding, type SdpFinding } from "./finding.ts";
import { groupOf, mediaLineOf } from "./grammar.ts";
import { type Line, readLines, sectionsTooMany } from "./line.ts";
import {
  byName,
  every,
  inherit,
  type Section,
  type SessionPart,
  sectionOf,
  sessionPartOf,
} from "./section.ts";

/**
 * A description as it was received, read once. Every line is kept with its number; nothing is ever
 * written back from it (N9).
 */
export interface Description {
  readonly lines: readonly Line[];
  readonly session: SessionPart;
  readonly sections: readonly Section[];
  /** Mids of each BUNDLE group, in its order: the first is the tagged section (RFC 9143 s7). */
  readonly bundles: readonly (readonly string[])[];
}

/**
 * Reads a description in linear time; never throws.
 *
 * Gives a finding at level error when the text cannot be read: `sdp-too-large`, `line-not-utf8`,
 * `line-bad-syntax`, `version-invalid`, `m-line-invalid`, `mid-duplicate`. Whatever else is wrong with it
 * is left to the rules.
 */
export function readDescription(sdp: string): Description | SdpFinding {
  const lines = readLines(sdp);
  return isFinding(lines) ? lines : describe(lines);
}

function describe(lines: readonly Line[]): Description | SdpFinding {
  const starts = lines.filter(({ type }) => type === "m");
  if (starts.length > LIMITS.sdpSections) return sectionsTooMany();
  // Line numbers count from 1: the number of an m-line is one more than its index.
  const partOf = (from: number, next: Line | undefined) =>
    lines.slice(from, next && next.number - 1);
  const session = sessionPartOf(partOf(0, starts[0]));
  const sections: Section[] = [];
  for (const [index, { number: line, value }] of starts.entries()) {
    const media = mediaLineOf(value);
    if (!media) return mediaLineInvalid(line, index);
    const own = partOf(line - 1, starts[index + 1]);
    sections.push(sectionOf(own, media, { index, line }, session));
  }
  const bundles = every(byName(session.lines), "group", groupOf)
    .filter(({ semantics }) => semantics === "BUNDLE")
    .map(({ mids }) => mids);
  return (
    duplicateMid(sections) ?? { lines, session, sections: bundled(sections, bundles), bundles }
  );
}

function mediaLineInvalid(line: number, mLine: number): SdpFinding {
  return {
    rule: "m-line-invalid",
    level: "error",
    line,
    mLine,
    message: "an m-line must name media, port, protocol and formats",
    source: "RFC 8866 s5.14",
  };
}

function duplicateMid(sections: readonly Section[]): SdpFinding | undefined {
  const seen = new Set<string>();
  for (const { mid, lines, index } of sections) {
    if (mid === undefined) continue;
    if (seen.has(mid)) {
      const named = lines.filter(({ type, value }) => type === "a" && value.startsWith("mid:"));
      return {
        rule: "mid-duplicate",
        level: "error",
        line: Math.max(...named.map(({ number }) => number)),
        mLine: index,
        mid,
        message: "two m-sections have the same mid",
        source: "RFC 5888 s4",
      };
    }
    seen.add(mid);
  }
  return undefined;
}

/** Bundled sections take the transport attributes they lack from the tagged one (RFC 9143 s7.1.3). */
function bundled(
  sections: readonly Section[],
  bundles: readonly (readonly string[])[],
): readonly Section[] {
  const tags = new Map<string, string>();
  for (const bundle of bundles) {
    const [tag] = bundle;
    if (tag === undefined) continue;
    for (const mid of bundle) tags.set(mid, tag);
  }
  const byMid = new Map(sections.map((section) => [section.mid, section]));
  return sections.map((section) => {
    const tag = section.mid === undefined ? undefined : byMid.get(tags.get(section.mid));
    return tag && tag !== section ? { ...section, ...inherit(section, tag) } : section;
  });
}
