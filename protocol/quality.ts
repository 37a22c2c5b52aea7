import { counterpart } from "./addressing.ts";
import { measureFlows } from "./flows/measure.ts";
import type { FromPeer } from "./messages.ts";
import { flowContext } from "./move.ts";
import type { Problem } from "./problem.ts";
import { linkIdOf, type Peer, type Session, type Step, withFlows } from "./session.ts";

/**
 * A peer tells what it measures of the flows that it sends or receives on a link. Reports and the end of
 * flows cross each other: what is said of flows that are not there is ignored.
 *
 * Problems: those of addressing.
 */
export function reportQuality(
  session: Session,
  sender: Peer,
  message: Extract<FromPeer, { type: "quality" }>,
  at: number,
): Step | Problem {
  const receiver = counterpart(session, sender, message.to);
  if ("code" in receiver) return receiver;
  const link = session.links.get(linkIdOf(sender.id, receiver.id));
  if (!link) return { session, effects: [], ack: {} };
  const context = flowContext(session, link, at);
  const flows = measureFlows(context, link.flows, sender.id, message.flows);
  return {
    session: withFlows(session, link, flows),
    effects: [],
    ack: {},
  };
}
