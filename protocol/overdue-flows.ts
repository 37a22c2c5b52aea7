import { graceOf } from "./flow-deadlines.ts";
import { overdue } from "./flows/overdue.ts";
import { flowContext } from "./move.ts";
import { type Session, withFlows } from "./session.ts";

/** What is due about flows: ICE restarts and failures that nobody mended in time (media-flows.md section 4). */
export function overdueFlows(session: Session, at: number): Session {
  let now = session;
  for (const link of session.links.values()) {
    const context = flowContext(session, link, at);
    const flows = overdue(context, link.flows, graceOf(link, session.config));
    now = withFlows(now, link, flows);
  }
  return now;
}
