import { LIMITS } from "../limits.ts";
import { exceedsBytes } from "../utf8.ts";
import { isFinding, type SdpFinding } from "./finding.ts";
import { type Line, midTooLong, readLines, sectionsTooMany } from "./line.ts";
import { type Noted, Notes } from "./notes.ts";
import { type Section, type SessionPart, sectionOf, sessionPartOf } from "./section.ts";
import { inherit, lacksOf } from "./transport.ts";

/**
 * A description as it was received, read once. Every line is kept with its number; nothing is ever
 * written back from it (N9).
 */
export interface Description extends Noted {
  readonly text: string;
  readonly lines: readonly Line[];
  readonly session: SessionPart;
  readonly sections: readonly Section[];
  /** Those in use: most rules ask for nothing else. */
  readonly live: readonly Section[];
  /** Sections in use by the names of the attributes that they say themselves, each list in order. */
  readonly saying: ReadonlyMap<string, readonly Section[]>;
  /** Mids of each BUNDLE group, in its order: the first is the tagged section (RFC 9143 s7). */
  readonly bundles: readonly (readonly string[])[];
  /**
   * False for what is no description or no text, has an m-line that cannot be read, or one mid twice: it gives no
   * flows.
   */
  readonly isUsable: boolean;
}

/**
 * Reads a description in linear time; never throws. What is wrong with it is left to the rules, but for the
 * limits of D4: over them it is not read at all.
 *
 * Finding: `sdp-too-large`.
 */
export function readDescription(sdp: string): Description | SdpFinding {
  const lines = readLines(sdp);
  return isFinding(lines) ? lines : describe(sdp, lines);
}

function describe(text: string, lines: readonly Line[]): Description | SdpFinding {
  const starts = lines.filter(({ type }) => type === "m");
  if (starts.length > LIMITS.sdpSections) return sectionsTooMany();
  // Line numbers count from 1: the number of an m-line is one more than its index.
  const session = sessionPartOf(lines.slice(0, starts[0] && starts[0].number - 1));
  const sections = starts.map((start, index) => {
    const next = starts[index + 1];
    const own = lines.slice(start.number - 1, next && next.number - 1);
    return sectionOf(start, own, index, session);
  });
  // Flows, transports and the timeline name sections by it, long after the description is gone.
  const long = sections.find(({ mid }) => mid !== undefined && exceedsBytes(mid, LIMITS.midBytes));
  if (long) return midTooLong(long.index);
  const bundles = session.groups
    .filter(({ semantics }) => semantics === "BUNDLE")
    .map(({ mids }) => mids);
  const mids = sections.map(({ mid }) => mid).filter((mid) => mid !== undefined);
  const inBundles = bundled(sections, bundles);
  const live = inBundles.filter(({ rejected }) => !rejected);
  return {
    notes: new Notes(),
    text,
    lines,
    session,
    sections: inBundles,
    live,
    saying: byAttribute(live),
    bundles,
    isUsable:
      text.isWellFormed() &&
      lines[0]?.type === "v" &&
      sections.every(({ isReadable }) => isReadable) &&
      new Set(mids).size === mids.length,
  };
}

/** Most rules are about one attribute, which most descriptions do not have: they need look no further than here. */
function byAttribute(sections: readonly Section[]): Description["saying"] {
  const saying = new Map<string, Section[]>();
  for (const section of sections) {
    for (const name of section.attributes.keys()) {
      const known = saying.get(name);
      if (known) known.push(section);
      else saying.set(name, [section]);
    }
  }
  return saying;
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
    return tag && tag !== section && lacksOf(section, tag)
      ? { ...section, ...inherit(section, tag), notes: new Notes() }
      : section;
  });
}
