import type { FromPeer } from "./messages.ts";
import type { Problem } from "./problem.ts";
import type { Peer, Session, Step } from "./session.ts";

/** The sender of a flow says which flows to it the flow carries on (media-flows.md section 6). */
export function declareSources(
  session: Session,
  _sender: Peer,
  _message: Extract<FromPeer, { type: "sources" }>,
  _at: number,
): Step | Problem {
  return { session, effects: [], ack: {} };
}

/** After an event: flows lose the sources that ended in it. */
export function dropEndedSources(_before: Session, after: Session, _at: number): Session {
  return after;
}
