import { LIMITS } from "./limits.ts";
import type { Candidate } from "./message-parts.ts";
import type { Outline } from "./outline.ts";
import { type Problem, problem } from "./problem.ts";
import type { DescriptionRole } from "./sdp/rule.ts";
import { CANDIDATE_MID_UNKNOWN, findingOf } from "./sdp/rules/trickle.ts";
import type { Trickle } from "./session.ts";
import { utf8Bytes } from "./utf8.ts";

/** Trickle ICE of one peer in one exchange (RFC 8838, RFC 8840). */

/** `candidate:1 1 udp 2113937151 192.0.2.2 55421 typ host generation 0 ufrag Ut4Y network-cost 999` */
const UFRAG_EXTENSION = / ufrag (\S+)/;

/** The ICE generation a candidate says it belongs to, or undefined when it does not say. */
export function ufragOf(candidate: Candidate): string | undefined {
  return candidate.usernameFragment ?? UFRAG_EXTENSION.exec(candidate.candidate)?.[1] ?? undefined;
}

const keyOf = (candidate: Candidate): string =>
  JSON.stringify([
    candidate.candidate,
    // An empty mid names no section.
    (candidate.sdpMid || candidate.sdpMLineIndex) ?? null,
    ufragOf(candidate) ?? null,
  ]);

const sizeOf = (candidates: readonly Candidate[]): number =>
  candidates.reduce((sum, candidate) => sum + utf8Bytes(keyOf(candidate)), 0);

/** What the key of a candidate has at most: no character takes more than six bytes in JSON (`\ud800`). */
const mostBytesOf = ({ candidate, sdpMid, usernameFragment }: Candidate): number =>
  6 * (2 * candidate.length + (sdpMid?.length ?? 0) + (usernameFragment?.length ?? 0)) + 20;

/** Measures keys only where it could matter: most peers have a dozen candidates. */
function areTooMany(candidates: readonly Candidate[]): boolean {
  if (candidates.length > LIMITS.candidates) return true;
  const most = candidates.reduce((sum, candidate) => sum + mostBytesOf(candidate), 0);
  return most > LIMITS.candidateBytes && sizeOf(candidates) > LIMITS.candidateBytes;
}

/** True when their texts alone tell them from all others, as nearly always. */
function areNew(candidates: readonly Candidate[], known: readonly Candidate[]): boolean {
  const texts = new Set(known.map(({ candidate }) => candidate));
  const before = texts.size;
  for (const { candidate } of candidates) texts.add(candidate);
  return texts.size === before + candidates.length;
}

/** Those that are not known, each once. */
function freshOf(
  candidates: readonly Candidate[],
  known: readonly Candidate[],
): readonly Candidate[] {
  if (areNew(candidates, known)) return candidates;
  const seen = new Set(known.map(keyOf));
  return candidates.filter((candidate) => {
    const key = keyOf(candidate);
    const isFresh = !seen.has(key);
    seen.add(key);
    return isFresh;
  });
}

/**
 * Checks that every candidate names an m-section that the description has.
 *
 * Problem: `unknown-m-section`.
 */
export function checkSections(
  candidates: readonly Candidate[],
  description: Outline,
  role: DescriptionRole,
): Problem | undefined {
  for (const candidate of candidates) {
    const { sdpMid, sdpMLineIndex } = candidate;
    const found =
      typeof sdpMid === "string" && sdpMid !== ""
        ? description.sections.some((section) => section.mid === sdpMid)
        : typeof sdpMLineIndex === "number"
          ? sdpMLineIndex < description.sections.length
          : false;
    if (found || isEndOfAll(candidate)) continue;
    return problem("unknown-m-section", CANDIDATE_MID_UNKNOWN.message, {
      sdpMid: sdpMid ?? null,
      sdpMLineIndex: sdpMLineIndex ?? null,
      finding: findingOf(CANDIDATE_MID_UNKNOWN, role),
    });
  }
  return undefined;
}

/** W3C webrtc-pc 4.4.1.9: only the end of candidates may name no section: it means all of them. */
const isEndOfAll = ({ candidate, sdpMid, sdpMLineIndex }: Candidate): boolean =>
  candidate === "" && sdpMid == null && sdpMLineIndex == null;

/** Splits candidates by generation: those of the description's own ICE generation, and the others. */
export function ofGeneration(
  candidates: readonly Candidate[],
  description: Outline | undefined,
): { readonly current: readonly Candidate[]; readonly dropped: number } {
  if (!description) return { current: candidates, dropped: 0 };
  const ufrags = new Set(description.sections.map((section) => section.iceUfrag));
  const current = candidates.filter((candidate) => {
    const ufrag = ufragOf(candidate);
    return ufrag === undefined || ufrag === "" || ufrags.has(ufrag);
  });
  return { current, dropped: candidates.length - current.length };
}

/** What came: the trickle with it, and only what was new of it. */
export interface Added {
  readonly trickle: readonly Trickle[];
  readonly fresh: readonly Candidate[];
  /** Something is to be told the receiver. */
  readonly changed: boolean;
}

/**
 * Adds candidates to what a peer has trickled in an exchange; those known already are left out (N5).
 *
 * Problem: `too-many-candidates`.
 */
export function addCandidates(before: readonly Trickle[], more: Trickle): Added | Problem {
  const mine = (entry: Trickle): boolean =>
    entry.from === more.from && entry.exchange === more.exchange;
  const known = before.find(mine);
  const fresh = freshOf(more.candidates, known?.candidates ?? []);
  const candidates = known ? [...known.candidates, ...fresh] : fresh;
  if (areTooMany(candidates)) {
    return problem(
      "too-many-candidates",
      `at most ${LIMITS.candidates} candidates of one peer in one exchange, ${LIMITS.candidateBytes} bytes together`,
    );
  }
  const next: Trickle = {
    from: more.from,
    exchange: more.exchange,
    candidates,
    complete: more.complete || known?.complete === true,
    dropped: more.dropped + (known?.dropped ?? 0),
  };
  return {
    trickle: known ? before.map((entry) => (mine(entry) ? next : entry)) : [...before, next],
    fresh,
    changed: fresh.length > 0 || (more.complete && known?.complete !== true),
  };
}
