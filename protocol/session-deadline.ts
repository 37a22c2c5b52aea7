import { flowDeadline } from "./flow-deadlines.ts";
import type { Session } from "./session.ts";
import type { SessionConfig } from "./session-config.ts";

/** The earliest time at which something is due, or null: what the one alarm is set to (R5). */
export function nextDeadline({ emptySince, config, peers, links }: Session): number | null {
  const emptied = emptySince === null ? NEVER : emptySince + config.emptyTtlSeconds * 1000;
  const due = Math.min(emptied, dueOfPeers(peers), dueOfLinks(links, config));
  return due === NEVER ? null : due;
}

const NEVER = Number.POSITIVE_INFINITY;

// Asked after every frame, and few frames change a peer or a link.
const duesOfPeers = new WeakMap<Session["peers"], number>();
const duesOfLinks = new WeakMap<Session["links"], number>();

function dueOfPeers(peers: Session["peers"]): number {
  const known = duesOfPeers.get(peers);
  if (known !== undefined) return known;
  let due = NEVER;
  for (const { tokenExpiresAt, awayUntil, http } of peers.values()) {
    due = Math.min(due, tokenExpiresAt, awayUntil ?? NEVER, http?.dueAt ?? NEVER);
  }
  duesOfPeers.set(peers, due);
  return due;
}

/** The configuration of a session never changes. */
function dueOfLinks(links: Session["links"], config: SessionConfig): number {
  const known = duesOfLinks.get(links);
  if (known !== undefined) return known;
  let due = NEVER;
  for (const link of links.values()) {
    const { open, unsent } = link;
    due = Math.min(due, open?.expiresAt ?? NEVER, unsent?.until ?? NEVER);
    due = Math.min(due, flowDeadline(link, config) ?? NEVER);
  }
  duesOfLinks.set(links, due);
  return due;
}
