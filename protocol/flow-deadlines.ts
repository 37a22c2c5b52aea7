import { type Grace, nextDue } from "./flows/overdue.ts";
import type { Link } from "./session.ts";
import type { SessionConfig } from "./session-config.ts";

/**
 * The time that the transports of a link have to mend: as long as a lost peer has to come back. While an
 * exchange is open it may be the restart: its end decides.
 */
export function graceOf({ open }: Pick<Link, "open">, config: SessionConfig): Grace {
  return { failedMs: open ? null : config.resumeSeconds * 1000 };
}

/** When something is due about the flows of a link, milliseconds since 1970; null when nothing is. */
export function flowDeadline(link: Link, config: SessionConfig): number | null {
  return nextDue(link.flows, graceOf(link, config));
}
