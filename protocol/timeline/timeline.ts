import type { TimelineEntry } from "./entry.ts";

/**
 * The record of a session: what happened, bounded. Every subject (a link, a peer, the session) has a ring of its own, so
 * that whoever is loud pushes out only its own history (S8).
 */
export interface Timeline {
  /** Number of the newest entry; 0 before the first. */
  readonly newest: number;
  /** By subject: id of a link or a peer, or `""` for the session; entries in the order of their numbers. */
  readonly rings: ReadonlyMap<string, readonly TimelineEntry[]>;
  /** Entries that had to go. */
  readonly dropped: number;
}

export const NO_TIMELINE: Timeline = { newest: 0, rings: new Map(), dropped: 0 };

/** All entries after number `since`, in their order. */
export function entriesOf({ rings }: Timeline, since = 0): readonly TimelineEntry[] {
  return [...rings.values()]
    .flatMap((ring) => ring.filter(({ n }) => n > since))
    .toSorted((one, other) => one.n - other.n);
}
