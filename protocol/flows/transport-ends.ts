import type { Section } from "../sdp/section.ts";
import type { Transport } from "../transport.ts";
import { type AgreedPair, type AgreedSection, descriptionOf } from "./agreed-pair.ts";
import type { FlowContext } from "./link-flows.ts";

/** RFC 8839 s5.4; a longer one fits no STUN message. Every transport repeats that of the session part. */
const MAX_UFRAG_CHARACTERS = 256;

/** A certificate under each hash function there is, and a second one to change to. */
const MAX_FINGERPRINTS = 16;

/** `sha-256` and its octets: no hash has more than 64. */
const FINGERPRINT = /^[\w-]{1,16} [\dA-F]{2}(?::[\dA-F]{2}){0,63}$/;

/** What each peer says in the section that speaks for the transport: of the offerer it has its own bundle. */
function ofEachEnd<T>(
  { peers }: FlowContext,
  { offerer }: AgreedPair,
  { offered, answered }: AgreedSection,
  read: (section: Section, peer: string) => T,
): Record<string, T> {
  return Object.fromEntries(
    peers.map((peer) => [peer, read(peer === offerer ? offered : answered, peer)]),
  );
}

/** The ICE ends of a transport: user name fragments in force, never passwords, and who is a lite agent. */
export function iceEnds(
  context: FlowContext,
  pair: AgreedPair,
  tagged: AgreedSection,
): Transport["ice"] {
  return ofEachEnd(context, pair, tagged, ({ iceUfrag: ufrag }, peer) => ({
    ...(ufrag === undefined || ufrag.length > MAX_UFRAG_CHARACTERS ? {} : { ufrag }),
    ...(descriptionOf(pair, peer).session.iceLite ? { lite: true } : {}),
  }));
}

/** The certificates that the peers announce for the DTLS association, those of peers that have some. */
export function dtlsCertificates(
  context: FlowContext,
  pair: AgreedPair,
  tagged: AgreedSection,
): Pick<Transport["dtls"], "fingerprints"> {
  const all = Object.entries(ofEachEnd(context, pair, tagged, fingerprintsIn));
  const known = all.filter(([, fingerprints]) => fingerprints.length > 0);
  return known.length === 0 ? {} : { fingerprints: Object.fromEntries(known) };
}

function fingerprintsIn({ fingerprints }: Section): string[] {
  const texts = fingerprints
    .slice(0, MAX_FINGERPRINTS)
    .map(({ hash, value }) => `${hash} ${value}`)
    .filter((text) => FINGERPRINT.test(text));
  return [...new Set(texts)];
}
