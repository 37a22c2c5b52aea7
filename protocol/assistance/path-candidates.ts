import { type AgreedPair, agreedSections, descriptionOf } from "../flows/agreed-pair.ts";
import { labelOf } from "../flows/identity.ts";
import { addressKindOf, canonicalAddressOf } from "../sdp/address.ts";
import { type CandidateLine, type CandidateParts, candidateLineOf } from "../sdp/candidate.ts";
import type { Section } from "../sdp/section.ts";
import { type Link, type Session, trickleOf } from "../session.ts";
import type { Address, FiveTuple, Transport } from "../transport.ts";
import type { Located } from "./assisted.ts";

/** What candidates say of where an end can be reached, as far as it counts for a network: the component of RTP, mostly UDP. */

export interface PathCandidate extends Address {
  readonly type: string;
  /** Where it was made from: `raddr` and `rport`, unless they hide it. */
  readonly base?: Address;
}

export type Family = 4 | 6;

const MAPPED = /^::ffff:(?=[\d.]+$)/;

/** RFC 5952; an IPv4 address in IPv6 clothes without them. Undefined for names, and for what stands for no address. */
export function plainAddress(text: string | null | undefined): string | undefined {
  const address = canonicalAddressOf(text ?? "").replace(MAPPED, "");
  const kind = addressKindOf(address);
  const isHost = kind !== undefined && kind !== "unspecified" && kind !== "multicast";
  return isHost ? address.replace(/%.*/, "") : undefined;
}

export const familyOf = (address: string): Family => (address.includes(":") ? 6 : 4);

/** One end of a path, where it has an address. */
export function endOf({ address, port }: FiveTuple["local"]): Located | undefined {
  const known = plainAddress(address);
  if (known === undefined) return undefined;
  return { address: known, ...(port === undefined ? {} : { port }) };
}

/** The only value of a list, however often it is there. */
export function soleOf<T>(values: readonly T[]): T | undefined {
  const [first, ...others] = new Set(values);
  return others.length === 0 ? first : undefined;
}

/** The address of some ends when they have only one, and the port when they have only one. */
export function soleEnd(ends: readonly Located[]): Located | undefined {
  const address = soleOf(ends.map((each) => each.address));
  const port = soleOf(ends.map((each) => each.port));
  if (address === undefined) return undefined;
  return { address, ...(port === undefined ? {} : { port }) };
}

/** Whom and what candidates are asked of. */
export interface CandidateSource {
  readonly session: Session;
  readonly link: Link;
  readonly pair: AgreedPair;
  readonly transport: Transport;
}

/**
 * The candidates of an end for a transport, in its description and trickled: those of the first of its sections that has
 * any speak for the bundle (RFC 9143 s7.2).
 */
export function candidatesOf(source: CandidateSource, peer: string): readonly PathCandidate[] {
  for (const lines of linesOf(source, peer)) {
    const found = lines.flatMap((line) => readable(line, "udp") ?? []);
    if (found.length > 0) return found;
  }
  return [];
}

/** Those of an end that has none but for connections (RFC 6544), as some servers behind firewalls. */
export function connectionsOf(source: CandidateSource, peer: string): readonly PathCandidate[] {
  const lines = linesOf(source, peer).flat();
  const isOnly = lines.every(({ parts }) => parts === undefined || isOver(parts, "tcp"));
  return isOnly ? lines.flatMap((line) => readable(line, "tcp") ?? []) : [];
}

/** Whether an end has candidates of its own whose addresses it hides behind names, as browsers do: nobody knows of which family. */
export const hidesAddresses = (source: CandidateSource, peer: string): boolean =>
  linesOf(source, peer)
    .flat()
    .some(({ parts }) => parts !== undefined && addressKindOf(parts.address) === undefined);

/**
 * Whether an end tries nothing but relays: also no connection, and nothing with a name. As they are now: transports count
 * them when somebody reports.
 */
export const hasOnlyRelays = (source: CandidateSource, peer: string): boolean =>
  linesOf(source, peer)
    .flat()
    .every(({ parts }) => parts === undefined || parts.type === "relay");

/** By section. */
function linesOf(source: CandidateSource, peer: string): readonly (readonly CandidateLine[])[] {
  const { session, link, pair, transport } = source;
  const trickled = trickleOf(session, link.id)
    .filter(({ from, exchange }) => from === peer && exchange === link.inForce?.exchange)
    .flatMap(({ candidates }) => candidates);
  return bundleOf(pair, peer, transport.mids).map((section) => {
    const own = trickled.filter(({ sdpMid, sdpMLineIndex }) =>
      sdpMid ? sdpMid === section.mid : sdpMLineIndex === section.index,
    );
    return [...section.candidates, ...own.map(({ candidate }) => candidateLineOf(candidate))];
  });
}

/** A peer's sections with these labels, the tagged one first. */
function bundleOf(pair: AgreedPair, peer: string, labels: readonly string[]): readonly Section[] {
  const { sections } = descriptionOf(pair, peer);
  return agreedSections(pair)
    .flatMap((agreed) => {
      const section = sections[agreed.index];
      const at = labels.indexOf(labelOf(agreed));
      return section && at >= 0 ? [{ section, at }] : [];
    })
    .toSorted((one, other) => one.at - other.at)
    .map(({ section }) => section);
}

type Carrier = "udp" | "tcp";

const isOver = ({ transport }: CandidateParts, carrier: Carrier): boolean =>
  transport.toLowerCase() === carrier;

function readable({ parts }: CandidateLine, carrier: Carrier): PathCandidate | undefined {
  if (parts?.component !== "1" || !isOver(parts, carrier)) return undefined;
  const address = plainAddress(parts.address);
  // RFC 4291 s2.5.6: no router forwards what comes from there.
  if (address === undefined || addressKindOf(address) === "link-local") return undefined;
  const base = baseOf(parts);
  // Firefox repeats the relay's own address, to say nothing of the UE's.
  const isOwn = parts.type !== "relay" || base?.address !== address;
  return { type: parts.type, address, port: Number(parts.port), ...(base && isOwn && { base }) };
}

function baseOf({ extensions }: CandidateParts): Address | undefined {
  const address = plainAddress(extensions.get("raddr"));
  const rport = extensions.get("rport") ?? "";
  const port = /^\d{1,5}$/.test(rport) ? Number(rport) : 0;
  return address !== undefined && port > 0 && port <= HIGHEST_PORT ? { address, port } : undefined;
}

const HIGHEST_PORT = 65_535;

const isGlobal = ({ address }: Address): boolean => addressKindOf(address) === "global";

/** Where others may reach an end: with a global address, nobody in a mobile network meets it at another one. */
export function reachable(candidates: readonly PathCandidate[]): readonly Address[] {
  const global = candidates.filter(isGlobal);
  const addresses = new Map(
    (global.length > 0 ? global : candidates).map(({ address, port }) => [
      `${address} ${port}`,
      { address, port },
    ]),
  );
  return [...addresses.values()];
}

/** As others see what an end sends from one of its own addresses; itself where no candidate says otherwise. */
export function seenFrom(candidates: readonly PathCandidate[], own: Located): Located {
  const mapped = candidates.find(
    ({ type, base }) =>
      type !== "relay" && base?.address === own.address && base?.port === own.port,
  );
  return mapped ? { address: mapped.address, port: mapped.port } : own;
}
