import { at, type PolicyRule, where } from "../rule.ts";
import type { TrickleRule } from "./trickle.ts";

const KILO = 1000;

/** The same for candidates in a description and trickled ones. */
export const CANDIDATE_RELAY_ONLY: TrickleRule = {
  id: "candidate-policy-relay-only",
  level: "warning",
  strict: "warning",
  source: "Duplex session iceTransportPolicy",
  requirements: ["R10-3"],
  condition: "a candidate that is not of a relay, in a session with `iceTransportPolicy: relay`",
  message:
    "this session is relayed only, but the peer shows an address of its own: create the connection with iceTransportPolicy relay",
};

/** What the session was created with, and what a description makes of it. */
export const SESSION_POLICY_RULES: readonly PolicyRule[] = [
  {
    ...CANDIDATE_RELAY_ONLY,
    find: ({ description, isRelayOnly }) =>
      description.sections.flatMap((section) =>
        isRelayOnly && !section.rejected
          ? where(section.candidates, ({ type }) => type !== "relay")
              .slice(0, 1)
              .map((hit) => ({ section, ...hit }))
          : [],
      ),
  },
  {
    id: "bandwidth-exceeds-policy",
    level: "info",
    strict: "info",
    source: "Duplex session maxUplinkBps, maxDownlinkBps",
    requirements: ["R4.1-13"],
    condition: "b=AS or b=TIAS above what the session, or its own ceiling, lets its author receive",
    message: "session or peer have a lower ceiling; the flow records have it",
    find: ({ description, maxReceiveBps = Number.POSITIVE_INFINITY }) =>
      description.sections.flatMap((section) =>
        where(section.bandwidths, ({ type, value }) => {
          const bps = type === "AS" ? value * KILO : type === "TIAS" ? value : 0;
          return bps > maxReceiveBps;
        }).map((hit) => ({ ...at(section, "mid"), ...hit })),
      ),
  },
];
