import { type Problem, problem } from "../problem.ts";
import { addressKindOf } from "../sdp/address.ts";
import { type CandidateLine, candidateLineOf, fitsGrammar } from "../sdp/candidate.ts";
import { exceedsBytes } from "../utf8.ts";

/** `application/trickle-ice-sdpfrag` (RFC 8840 s9), as real clients write it. */

/** Of a fragment, and of any other body that WHIP and WHEP clients send. */
export const HTTP_BODY_BYTES = 65_536;

/** `a=ice-ufrag:EsAw`, `a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1`: which ICE generation is meant (RFC 8839 s5.4). */
export interface Credentials {
  readonly iceUfrag?: string;
  readonly icePwd?: string;
}

/** A pseudo section, or the lines before the first one that belong into one. */
export interface FragmentSection extends Credentials {
  readonly mid?: string;
  /** Value of the pseudo m-line; absent where there is none. All of it but its place is to be ignored (RFC 8840 s9.2). */
  readonly mLine?: string;
  /** `candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host`, in order, each once. */
  readonly candidates: readonly string[];
  /** `a=end-of-candidates` of this section. */
  readonly complete: boolean;
}

export interface Fragment extends Credentials {
  readonly sections: readonly FragmentSection[];
  /** `a=end-of-candidates` of the session part: no section will have more. */
  readonly complete: boolean;
  /** Candidates that nobody can use: they are left out, and the rest counts all the same (RFC 9725 s4.3.2). */
  readonly dropped: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface OpenSection extends Writable<Omit<FragmentSection, "candidates">> {
  readonly candidates: Set<string>;
}

interface Reading {
  readonly session: Writable<Credentials> & { complete: boolean };
  readonly sections: OpenSection[];
  /** Whether the next attribute belongs to the newest section, not to the session part. */
  inSection: boolean;
  recognised: boolean;
  dropped: number;
}

/** A list that was put into a text by its name has commas between its candidates. */
const JOINED = /,(?=[ \t]*(?:a=)?candidate:)/i;
const LINE_END = /\r\n|\n|\r/;
/** `a=mid:0`, `a=end-of-candidates`; names are compared without regard to case (RFC 8840 s9.2). */
const ATTRIBUTE = /^(?:a=|(?=candidate:))([!#$%&'*+.^_`{|}~\w-]+)(?::(.*))?$/is;
/** Of a ufrag, a password or a mid; what else is odd about it is for the rules of offers to say. */
const WORD = /^[!-~]{1,256}$/;

/**
 * Reads a fragment in linear time, whatever of it can be understood. Candidates before any `m=` or `mid` (some clients
 * write none) are in a section without either.
 *
 * Problems: `message-too-large`; `fragment-invalid` when no line is one of a fragment.
 */
export function readFragment(text: string): Fragment | Problem {
  if (exceedsBytes(text, HTTP_BODY_BYTES)) {
    return problem("message-too-large", `a fragment has at most ${HTTP_BODY_BYTES} bytes`);
  }
  const reading: Reading = {
    session: { complete: false },
    sections: [],
    inSection: false,
    recognised: false,
    dropped: 0,
  };
  for (const line of text.split(LINE_END)) {
    for (const part of line.split(JOINED)) readLine(reading, part.replace(/^[,\s]+/, "").trimEnd());
  }
  const { session, sections, recognised, dropped } = reading;
  if (!recognised) return problem("fragment-invalid", "no line is one of an SDP fragment");
  return {
    ...session,
    sections: sections.map((section) => ({ ...section, candidates: [...section.candidates] })),
    dropped,
  };
}

function readLine(reading: Reading, line: string): void {
  if (/^m=\S/i.test(line)) {
    reading.recognised = true;
    open(reading).mLine = line.slice(2);
    return;
  }
  const [, name, value = ""] = ATTRIBUTE.exec(line) ?? [];
  if (name === undefined) return;
  reading.recognised = true;
  ATTRIBUTES.get(name.toLowerCase())?.(reading, value.trim());
}

/** What a fragment may say that means something here; all else is ignored (RFC 8840 s9.2). */
const ATTRIBUTES: ReadonlyMap<string, (reading: Reading, value: string) => void> = new Map([
  ["mid", identifySection],
  ["ice-ufrag", (reading, value) => keepCredential(reading, "iceUfrag", value)],
  ["ice-pwd", (reading, value) => keepCredential(reading, "icePwd", value)],
  ["end-of-candidates", complete],
  ["candidate", addCandidate],
]);

function identifySection(reading: Reading, mid: string): void {
  if (!WORD.test(mid)) return;
  // Whoever writes no m-lines may still name several sections.
  const newest = reading.inSection ? reading.sections.at(-1) : undefined;
  const section = newest?.mid === undefined ? newest : undefined;
  (section ?? open(reading)).mid = mid;
}

function keepCredential(reading: Reading, which: keyof Credentials, value: string): void {
  if (WORD.test(value)) partOf(reading)[which] = value;
}

function complete(reading: Reading): void {
  partOf(reading).complete = true;
}

function addCandidate(reading: Reading, value: string): void {
  if (isUsable(candidateLineOf(value))) sectionOf(reading).candidates.add(`candidate:${value}`);
  else reading.dropped += 1;
}

function open(reading: Reading): OpenSection {
  const opened: OpenSection = { candidates: new Set(), complete: false };
  reading.sections.push(opened);
  reading.inSection = true;
  return opened;
}

const partOf = (reading: Reading): Reading["session"] =>
  reading.inSection ? sectionOf(reading) : reading.session;

function sectionOf(reading: Reading): OpenSection {
  const newest = reading.sections.at(-1);
  if (newest) return newest;
  const opened = open(reading);
  // Where there is no m-line, what follows the candidates is still of the session part.
  reading.inSection = false;
  return opened;
}

const MAX_COMPONENT = 256;
const MAX_PORT = 65_535;
/** Digits alone would be an address that is none. */
const HOST_NAME = /^(?=.{1,253}$)(?![\d.]+$)[\w-]+(?:\.[\w-]+)*\.?$/;

/** Whether somebody could try it: a component of RTP, a transport of RFC 8839 s5.1 or RFC 6544, an address without brackets. */
function isUsable(line: CandidateLine): boolean {
  const { parts } = line;
  if (!parts || !fitsGrammar(line)) return false;
  const component = Number(parts.component);
  return (
    component > 0 &&
    component <= MAX_COMPONENT &&
    Number(parts.port) <= MAX_PORT &&
    /^(?:udp|tcp)$/i.test(parts.transport) &&
    (addressKindOf(parts.address) !== undefined || HOST_NAME.test(parts.address))
  );
}

/**
 * The ICE generation that a fragment is of: session part first, then the first section that says it, then the
 * `ufrag` of a candidate, which tells no password.
 */
export function credentialsOf(fragment: Fragment): Credentials {
  const { sections } = fragment;
  const said = [fragment, ...sections].find(({ iceUfrag }) => iceUfrag !== undefined);
  const iceUfrag = said?.iceUfrag ?? ufragAmong(sections);
  const icePwd = [said, fragment, ...sections].find((each) => each?.icePwd !== undefined)?.icePwd;
  return {
    ...(iceUfrag !== undefined && { iceUfrag }),
    ...(said !== undefined && icePwd !== undefined && { icePwd }),
  };
}

function ufragAmong(sections: readonly FragmentSection[]): string | undefined {
  for (const { candidates } of sections) {
    for (const candidate of candidates) {
      const ufrag = candidateLineOf(candidate).parts?.extensions.get("ufrag");
      if (ufrag !== undefined) return ufrag;
    }
  }
  return undefined;
}
