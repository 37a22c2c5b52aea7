import type { Flow, Kind, Priority } from "../flow.ts";

type Dscp = Flow["dscp"];

/**
 * DSCP values to suggest (RFC 8837 table 1, in decimal). Browser video is interactive. The endpoint
 * marks its packets, or not; the network may remark them: hence suggested.
 */
const DSCP: Readonly<Record<Kind, Readonly<Record<Priority, Dscp>>>> = {
  audio: {
    "very-low": { suggested: 1 },
    low: { suggested: 0 },
    medium: { suggested: 46 },
    high: { suggested: 46 },
  },
  video: {
    "very-low": { suggested: 1 },
    low: { suggested: 0 },
    medium: { suggested: 36, alternatives: [38] },
    high: { suggested: 34, alternatives: [36] },
  },
  data: {
    "very-low": { suggested: 1 },
    low: { suggested: 0 },
    medium: { suggested: 10 },
    high: { suggested: 18 },
  },
};

/** The DSCP to suggest for a flow. */
export function dscpOf(kind: Kind, priority: Priority): Dscp {
  return DSCP[kind][priority];
}
