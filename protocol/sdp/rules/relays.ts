import type { TrickleRule } from "./trickle.ts";

/** Looked at when a media server says that it relays. */
export const RELAY_PT_MISMATCH: TrickleRule = {
  id: "relay-pt-mismatch",
  level: "warning",
  strict: "warning",
  source: "RFC 7667 s3.2.2, draft-ietf-rtcweb-rtp-usage-07 sA.4.3",
  requirements: ["RA.4.3-1"],
  condition:
    "a relay passes on payload types that the next leg does not have, or has for another format",
  message:
    "a relay passes packets on as they are, so all its legs must number payload types alike; agree on the same numbers, or let the server rewrite them",
};

/** Rules about what relays join. */
export const RELAY_RULES: readonly TrickleRule[] = [RELAY_PT_MISMATCH];
