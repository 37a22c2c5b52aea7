import type { FlowsView } from "../flow.ts";
import { type Problem, problem } from "../problem.ts";
import type { Session } from "../session.ts";
import { type Reader, viewFlows } from "../views.ts";

/** What reports of one peer are made of. */
export interface MeasuredPeer extends Pick<FlowsView, "flows" | "transports"> {
  /** Of an endpoint of SWAP: the realm that has its socket. */
  readonly realm?: string;
}

/**
 * The flows that a peer sends and receives, as `reader` may read them: the back end, observers, and the peer itself, also when
 * it has left.
 *
 * Problems: `not-permitted`, `unknown-peer`.
 */
export function measuredPeer(
  session: Session,
  id: string,
  reader?: Reader,
): MeasuredPeer | Problem {
  if (reader && reader.role !== "observer" && reader.id !== id) {
    return problem("not-permitted", "reports are for the back end, observers and the peer itself");
  }
  const view = viewFlows(session, reader);
  const flows = view.flows.filter(({ from, to }) => from === id || to === id);
  const peer = session.peers.get(id);
  if (!peer && flows.length === 0) {
    return problem("unknown-peer", "no such peer is, or was, in the session");
  }
  const own = new Set(flows.map(({ transport }) => transport));
  return {
    flows,
    transports: view.transports.filter((transport) => own.has(transport.id)),
    ...(peer?.endpoint && { realm: peer.endpoint.realm }),
  };
}
