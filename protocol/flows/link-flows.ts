import type { FlowAssistance } from "../assistance/record.ts";
import type { Flow } from "../flow.ts";
import type { MediaLabels } from "../flow-query.ts";
import type { Transport } from "../transport.ts";

/** Numbers of the synchronisation groups of one sender, by what makes the group: a CNAME, a stream, an LS group. */
export interface SyncNumbers {
  /** The highest number ever given. */
  readonly last: number;
  readonly numbers: Readonly<Record<string, number>>;
}

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
  /** Ids of flows whose last source has ended, as long as their sender names no other; never on the wire. */
  readonly sourceless?: readonly string[];
  /** What each end says of its media, by peer and mid; on the wire as members of the flows. */
  readonly labels?: Readonly<Record<string, MediaLabels>>;
  /** Synchronisation contexts by sender; never on the wire. */
  readonly syncGroups?: Readonly<Record<string, SyncNumbers>>;
  /** What a mobile network does for an end, by peer; on the wire as a member of every live flow. */
  readonly assistance?: Readonly<Record<string, FlowAssistance>>;
  /** Highest generation among records that were forgotten: later ids start above it. */
  readonly forgotten?: number;
}

export const NO_FLOWS: LinkFlows = { revision: 0, flows: [], transports: [] };

/** How many ended flows there is room for, besides those that ended after a revision: they are yet to be told. */
export interface Room {
  readonly ended: number;
  readonly told: number;
}

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
  /** What the link may remember when new flows come; absent: as much as any link. */
  readonly room?: Room;
  /** The signalling of an end is lost: what comes now is stale from the start (S5). */
  readonly isStale?: boolean;
  /** How flows of this link come about, as far as that follows from who its peers are. */
  readonly topology?: "point-to-point" | "gateway";
  /** The end of the link that is a media server: uplink and downlink are then views of the other one only. */
  readonly mediaServer?: string;
}
