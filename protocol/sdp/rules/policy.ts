import { type OwnAddress, ownAddressLines } from "../relay-only.ts";
import { located, NO_HITS, type PolicyRule, where } from "../rule.ts";
import type { Section } from "../section.ts";
import type { TrickleRule } from "./trickle.ts";

const KILO = 1000;

const RELAY_ONLY = {
  level: "error",
  strict: "error",
  source: "Duplex session iceTransportPolicy",
  requirements: ["R10-3"],
} as const;

/** What of addresses a session with `iceTransportPolicy: relay` keeps from the other side, by what shows them. */
export const RULE_OF_OWN_ADDRESS: Readonly<Record<OwnAddress, TrickleRule>> = {
  candidate: {
    id: "candidate-policy-relay-only",
    ...RELAY_ONLY,
    condition:
      "a candidate of a peer that is not of a relay, in a session with `iceTransportPolicy: relay`",
    message:
      "this session is relayed only, but the peer shows an address of its own; it is kept from the other side: create the connection with iceTransportPolicy relay",
  },
  related: {
    id: "candidate-policy-related-address",
    ...RELAY_ONLY,
    condition:
      "a relayed candidate whose `raddr` is neither unspecified nor the relay's own address, in a session with `iceTransportPolicy: relay`",
    message:
      "this session is relayed only, but the candidate tells which address its relay is for; it is kept from the other side: write raddr 0.0.0.0 rport 0 (RFC 8839 s5.1)",
  },
  default: {
    id: "address-policy-relay-only",
    ...RELAY_ONLY,
    condition:
      "an `o=`, `c=` or `a=rtcp` address that is not of a relayed candidate of the description, unspecified or loopback, in a session with `iceTransportPolicy: relay`",
    message:
      "this session is relayed only, but the description shows another address than that of a relay; it is kept from the other side: write 0.0.0.0 (and port 9 in the m-line)",
  },
};

/** The first of each section, and all of the session part. */
const shownIn =
  (shows: OwnAddress): PolicyRule["find"] =>
  ({ description, isRelayOnly }) => {
    if (!isRelayOnly) return NO_HITS;
    const seen = new Set<Section>();
    return ownAddressLines(description).filter((own) => {
      if (own.shows !== shows || (own.section && seen.has(own.section))) return false;
      if (own.section) seen.add(own.section);
      return true;
    });
  };

const hasCandidates = ({ candidates }: Section): boolean => candidates.length > 0;

/** What the session was created with, and what a description makes of it. */
export const SESSION_POLICY_RULES: readonly PolicyRule[] = [
  { ...RULE_OF_OWN_ADDRESS.candidate, find: shownIn("candidate") },
  { ...RULE_OF_OWN_ADDRESS.related, find: shownIn("related") },
  { ...RULE_OF_OWN_ADDRESS.default, find: shownIn("default") },
  {
    id: "no-trickle-without-candidates",
    level: "error",
    strict: "error",
    source: "TS 26.113 s13.2.4.3",
    condition: "no candidate in a description of a SWAP endpoint",
    message:
      "SWAP has no trickle, so no path can be found: wait until gathering is complete, then send the local description",
    find: ({ description, hasNoTrickle }) =>
      hasNoTrickle && description.live.length > 0 && !description.live.some(hasCandidates)
        ? [{}]
        : NO_HITS,
  },
  {
    id: "bandwidth-exceeds-policy",
    level: "info",
    strict: "info",
    source: "Duplex session maxUplinkBps, maxDownlinkBps",
    requirements: ["R4.1-13"],
    condition: "b=AS or b=TIAS above what the session, or its own ceiling, lets its author receive",
    message: "session or peer have a lower ceiling; the flow records have it",
    find: ({ description, maxReceiveBps }) => {
      if (maxReceiveBps === undefined) return NO_HITS;
      return description.sections.flatMap((section) =>
        where(section.bandwidths, ({ type, value }) => {
          const bps = type === "AS" ? value * KILO : type === "TIAS" ? value : 0;
          return bps > maxReceiveBps;
        }).map((hit) => located(section, hit)),
      );
    },
  },
];
