import { LIMITS } from "./limits.ts";
import type { Link, Session } from "./session.ts";

const isDeparted =
  ({ peers }: Session) =>
  (link: Link): boolean =>
    !link.peers.every((peer) => peers.has(peer));

/** What a media server made of contexts of a peer, or a peer of its, that was here before is nothing to who comes now. */
export function withoutResults(session: Session, peer: string): Session {
  const stale = [...session.links.values()].filter(
    ({ peers, contextResults }) => contextResults !== undefined && peers.includes(peer),
  );
  if (stale.length === 0) return session;
  const links = new Map(session.links);
  for (const { contextResults: _, ...link } of stale) links.set(link.id, link);
  return { ...session, links };
}

/**
 * The session without the oldest of those links that a peer has left: people come and go as long as it lives. Asked
 * before somebody joins, never after somebody left: what ended with a peer is told first. The numbers of a link that is
 * gone start anew should both its peers ever meet again (N1 is per link).
 */
export function withoutOldLinks(session: Session): Session {
  const departed = [...session.links.values()].filter(isDeparted(session));
  const excess = departed.length - LIMITS.departedLinks;
  if (excess <= 0) return session;
  const links = new Map(session.links);
  // The end of its flows was the last change of a link.
  const oldest = departed.toSorted((one, other) => one.flows.revision - other.flows.revision);
  for (const { id } of oldest.slice(0, excess)) links.delete(id);
  return { ...session, links };
}
