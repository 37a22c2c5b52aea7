import type { FromPeer } from "./messages.ts";
import type { Problem } from "./problem.ts";
import type { Peer, Session, Step } from "./session.ts";

/** What peers measure of their flows. */
export function reportQuality(
  session: Session,
  _sender: Peer,
  _message: Extract<FromPeer, { type: "quality" }>,
  _at: number,
): Step | Problem {
  return { session, effects: [], ack: {} };
}
