import type { Link, Session } from "./session.ts";
import type { SessionConfig } from "./session-config.ts";

/** When something is due about the flows of a link, milliseconds since 1970; null when nothing is. */
export function flowDeadline(_link: Link, _config: SessionConfig): number | null {
  return null;
}

/** What is due about flows: ICE restarts and failures that nobody mended in time. */
export function overdueFlows(session: Session, _at: number): Session {
  return session;
}
