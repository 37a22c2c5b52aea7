import type { Flow, FlowLimits } from "../flow.ts";
import type { Transport } from "../transport.ts";

/**
 * All flows and transports of one link, ended ones included: part of the link's durable state.
 * Values are immutable; every function of this room returns a new one, or the same one (by reference)
 * when nothing changed. It is plain JSON.
 */
export interface LinkFlows {
  /** Highest revision any record of this link carries; 0 before the first. */
  readonly revision: number;
  readonly flows: readonly Flow[];
  readonly transports: readonly Transport[];
  /** Ids of flows whose direction the descriptions in force switch off; never on the wire. */
  readonly switchedOff?: readonly string[];
  /** What the descriptions allow flows that somebody limited further, by flow id; never on the wire. */
  readonly agreedLimits?: Readonly<Record<string, FlowLimits>>;
  /** Highest generation among records that were forgotten: later ids start above it. */
  readonly forgotten?: number;
}

export const NO_FLOWS: LinkFlows = { revision: 0, flows: [], transports: [] };

/** What every change of flows needs to know from outside: pure code has no clock and no counter. */
export interface FlowContext {
  readonly link: string;
  /** The two peers of the link, sorted. */
  readonly peers: readonly [string, string];
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Every record that this event changes gets this revision (F4); the session's current one plus 1. */
  readonly revision: number;
  readonly exchange: number;
  /** The end of the link that is a media server: uplink and downlink are then views of the other one only. */
  readonly mediaServer?: string;
}
