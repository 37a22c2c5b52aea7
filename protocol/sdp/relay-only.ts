import { addressKindOf, canonicalAddressOf } from "./address.ts";
import { type CandidateLine, candidateLineOf, fitsGrammar } from "./candidate.ts";
import type { Description } from "./description.ts";
import type { Line } from "./line.ts";
import type { Section } from "./section.ts";

/** What shows an address of a peer's own, where others may see its relays only (decision 0017). */

/** `candidate`: not of a relay, or not to be read; `related`: what a relay is related to; `default`: of no candidate. */
export type OwnAddress = "candidate" | "related" | "default";

/** A line of a description that shows one. */
export interface OwnAddressLine {
  readonly line: number;
  /** Absent in the session part. */
  readonly section?: Section;
  readonly shows: OwnAddress;
}

/**
 * What a candidate shows of its author's own. Related addresses may say nothing (`raddr 0.0.0.0 rport 0`, RFC 8839
 * s5.1), as Chromium does, or repeat the relay's, as Firefox does.
 */
export function ownAddressIn(candidate: CandidateLine): OwnAddress | undefined {
  const { parts } = candidate;
  if (parts?.type !== "relay" || !fitsGrammar(candidate)) return "candidate";
  const related = parts.extensions.get("raddr");
  if (related === undefined || addressKindOf(related) === "unspecified") return undefined;
  return canonicalAddressOf(related) === canonicalAddressOf(parts.address) ? undefined : "related";
}

/** `a=candidate:...` as a candidate; other lines are none. */
const candidateIn = ({ type, value }: Line): CandidateLine | undefined =>
  type === "a" && value.startsWith("candidate:") ? candidateLineOf(value) : undefined;

/** `192.0.2.2/127`: the scope of a group belongs to no address (RFC 8866 s5.7). */
const bare = (address: string): string => address.replace(/\/.*/, "");

/** The address of an `o=`, `c=` or `a=rtcp:` line: its last word by all their grammars. */
function addressIn({ type, value }: Line): string | undefined {
  const isRtcp = type === "a" && /^rtcp:\d+ +\S/.test(value);
  if (type !== "o" && type !== "c" && !isRtcp) return undefined;
  const text = value.trimEnd();
  return bare(text.slice(text.lastIndexOf(" ") + 1));
}

/** An address that says nothing about a peer: none, or the own machine's for itself. */
function isBlank(address: string): boolean {
  const kind = addressKindOf(address);
  return address === "" || kind === "unspecified" || kind === "loopback";
}

/**
 * The lines that show an address of their author's own: candidates, also those of rejected sections, and the
 * default destinations and the origin unless they are those of a relay in the description, or blank.
 */
export function ownAddressLines({ lines, session, sections }: Description): OwnAddressLine[] {
  const relays = new Set(
    lines.flatMap((line) => {
      const { parts } = candidateIn(line) ?? {};
      return parts?.type === "relay" ? [canonicalAddressOf(parts.address)] : [];
    }),
  );
  const shownBy = (line: Line): OwnAddress | undefined => {
    const candidate = candidateIn(line);
    if (candidate) return ownAddressIn(candidate);
    const address = addressIn(line);
    const isOwn =
      address !== undefined && !isBlank(address) && !relays.has(canonicalAddressOf(address));
    return isOwn ? "default" : undefined;
  };
  return [session, ...sections].flatMap((part) =>
    part.lines.flatMap((line) => {
      const shows = shownBy(line);
      const place = "index" in part ? { section: part } : {};
      return shows ? [{ line: line.number, ...place, shows }] : [];
    }),
  );
}

/** What stands for an address that is not told: RFC 8839 s5.4 takes it for no default destination. */
const blankOf = (text: string): string => (/ IP6 /.test(text) ? "::" : "0.0.0.0");

/** The line without its address; undefined where nothing of it is left to say. */
function blanked(text: string): string | undefined {
  if (text.startsWith("a=candidate:")) return undefined;
  const masked = text.slice(0, 2) + text.slice(2).replace(/\S+\s*$/, blankOf(text));
  return masked.replace(/^a=rtcp:\d+/, "a=rtcp:9");
}

/**
 * The text of a description without the addresses of its author's own, and how many of its lines that changed: its
 * candidates go, default destinations and origin are blanked as in a description that has no candidates yet
 * (RFC 8840 s4.1.1). All else is byte for byte what it was.
 */
export function withoutOwnAddresses(description: Description): { sdp: string; withheld: number } {
  const own = ownAddressLines(description);
  if (own.length === 0) return { sdp: description.text, withheld: 0 };
  const numbers = new Set(own.map(({ line }) => line));
  const ports = new Set(
    description.sections
      .filter(({ lines, session }) => {
        const defaults = lines.some(({ type }) => type === "c") ? lines : session.lines;
        return defaults.some(({ type, number }) => type === "c" && numbers.has(number));
      })
      .map(({ line }) => line),
  );
  const texts = description.text.split(/(?<=\r\n|\n|\r(?!\n))/);
  const kept = texts.map((whole, index) => {
    const text = whole.replace(/[\r\n]+$/, "");
    const end = whole.slice(text.length);
    // The port goes with the address that it is a port of; 0 is no port.
    if (ports.has(index + 1)) return text.replace(/^(m=\S+) [1-9]\d*/, "$1 9") + end;
    const left = numbers.has(index + 1) ? blanked(text) : text;
    return left === undefined ? "" : left + end;
  });
  return { sdp: kept.join(""), withheld: numbers.size };
}
