import type { Link, Session } from "../session.ts";
import type { TimelineEntry } from "../timeline/entry.ts";

/** How long two peers are in the session together, and how that ended. */

export interface Departure {
  readonly peer: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly entry: Entry<"peer-left"> | undefined;
  /** When it lost the socket that it did not come back by. HTTP clients have none to lose. */
  readonly lost: Entry<"peer-lost"> | undefined;
}

export type Entry<T extends TimelineEntry["type"]> = Extract<TimelineEntry, { type: T }>;

export interface Stay {
  /** How the meeting before this one ended. */
  readonly before: Entry<"peer-left"> | undefined;
  readonly departure: Departure | undefined;
}

/** Since when both are here, or were, and how that ended. */
export function stayOf(session: Session, link: Link, entries: readonly TimelineEntry[]): Stay {
  const here = new Set<string>(link.peers);
  let before: Stay["before"];
  let left: Stay["before"];
  for (const entry of entries) {
    if (entry.type === "peer-joined") here.add(entry.peer);
    if (entry.type !== "peer-left") continue;
    if (here.size === 2) [before, left] = [left, entry];
    here.delete(entry.peer);
  }
  return link.peers.every((peer) => session.peers.has(peer))
    ? { before: left, departure: undefined }
    : { before, departure: departureOf(session, link, left, entries) };
}

const REASONS = ["left", "lost", "kicked", "expired", "session-ended"];

/** By the entry, or by what its flows say of their end where that had to go; undefined for who was never here. */
function departureOf(
  session: Session,
  link: Link,
  entry: Entry<"peer-left"> | undefined,
  entries: readonly TimelineEntry[],
): Departure | undefined {
  if (entry) {
    const { peer, reason } = entry;
    const lost =
      reason === "lost" ? lossOf(entries.slice(0, entries.indexOf(entry)), peer) : undefined;
    return { peer, reason, at: session.createdAt + entry.at, entry, lost };
  }
  if (link.exchange === 0) return undefined;
  const ended = link.flows.flows.findLast(({ reason }) => REASONS.some((each) => each === reason));
  const [one, other] = link.peers;
  return {
    peer: session.peers.has(one) ? other : one,
    reason: ended?.reason ?? "left",
    at: ended?.since ?? session.createdAt,
    entry,
    lost: undefined,
  };
}

/** That the socket of a peer is lost, as the last that is known of it. */
export function lossOf(
  entries: readonly TimelineEntry[],
  peer: string,
): Entry<"peer-lost"> | undefined {
  const last = entries.findLast(
    (entry) =>
      (entry.type === "peer-lost" ||
        entry.type === "peer-resumed" ||
        entry.type === "peer-joined") &&
      entry.peer === peer,
  );
  return last?.type === "peer-lost" ? last : undefined;
}
