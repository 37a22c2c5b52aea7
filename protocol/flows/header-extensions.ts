import type { Flow } from "../flow.ts";
import { type ExtMap, words } from "../sdp/grammar.ts";
import type { Section } from "../sdp/section.ts";
import type { Ends } from "./terms.ts";

type Extensions = Flow["headerExtensions"];

/** RFC 6904 s4: the URI of what is encrypted comes as its attribute. */
const ENCRYPT = "urn:ietf:params:rtp-hdrext:encrypt";

/** What two bytes of header can carry (RFC 8285 s4.3); the ids above only keep a place in an offer (s6). */
const HIGHEST_ID = 255;

/** Characters of all URIs of one flow together: every section repeats what the session part maps. */
const MAX_URI_CHARACTERS = 4096;

interface Mapping {
  readonly id: number;
  readonly uri: string;
  readonly direction: ExtMap["direction"];
  readonly isEncrypted: boolean;
}

function mappingOf({ id, uri, attributes, direction }: ExtMap): Mapping {
  const inner = uri === ENCRYPT ? words(attributes)[0] : undefined;
  return { id, uri: inner ?? uri, direction, isEncrypted: inner !== undefined };
}

const canSend = ({ direction }: ExtMap): boolean =>
  direction === undefined || direction === "sendrecv" || direction === "sendonly";
const canReceive = ({ direction }: ExtMap): boolean =>
  direction === undefined || direction === "sendrecv" || direction === "recvonly";

const keyOf = ({ id, uri, isEncrypted }: Mapping): string => `${id} ${isEncrypted} ${uri}`;

type Mapped = readonly ExtMap[];

interface Agreed {
  readonly asMapped: Extensions;
  readonly allEncrypted: Extensions;
}

/** What the session parts map is the same for every section: it is compared once. */
const AGREED = new WeakMap<Mapped, WeakMap<Mapped, Agreed>>();

/**
 * Header extensions that both ends map to the same id and that may travel this way (RFC 8285 s6, s7), in
 * the receiver's order. Encrypted ones have the URI of what they encrypt (RFC 6904); with cryptex on both
 * sides all are encrypted (RFC 9335 s4).
 */
export function headerExtensionsOf({ sender, receiver }: Ends): Extensions {
  const bySender = AGREED.get(sender.extMaps) ?? new WeakMap<Mapped, Agreed>();
  const known = bySender.get(receiver.extMaps);
  const agreed = known ?? agreedOf(sender.extMaps, receiver.extMaps);
  AGREED.set(sender.extMaps, bySender.set(receiver.extMaps, agreed));
  return hasCryptex(sender) && hasCryptex(receiver) ? agreed.allEncrypted : agreed.asMapped;
}

const hasCryptex = ({ attributes, session }: Section): boolean =>
  attributes.has("cryptex") || session.attributes.has("cryptex");

function agreedOf(sent: Mapped, received: Mapped): Agreed {
  const offered = new Set(sent.filter(canSend).map(mappingOf).map(keyOf));
  const taken = new Set<number>();
  let room = MAX_URI_CHARACTERS;
  const mappings = received
    .filter(canReceive)
    .map(mappingOf)
    .filter((mapping) => {
      const { id, uri } = mapping;
      if (id < 1 || id > HIGHEST_ID || taken.has(id) || !offered.has(keyOf(mapping))) return false;
      taken.add(id);
      room -= uri.length;
      return room >= 0;
    });
  return {
    asMapped: mappings.map((mapping) => extensionOf(mapping, mapping.isEncrypted)),
    allEncrypted: mappings.map((mapping) => extensionOf(mapping, true)),
  };
}

const extensionOf = (
  { id, uri, direction }: Mapping,
  isEncrypted: boolean,
): Extensions[number] => ({
  id,
  uri,
  ...(direction ? { direction } : {}),
  ...(isEncrypted ? { encrypted: true } : {}),
});
