import type { Flow } from "../flow.ts";
import type { Transport } from "../transport.ts";
import { entered } from "./commit.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";

/** Reason of a flow that somebody holds on purpose; it outlives renegotiation. */
export const REQUESTED = "requested";
/** Reason of a flow whose direction the descriptions switch off. */
export const DIRECTION = "direction";
/** Reason of a flow that has nothing left to carry on: the last of its sources ended. */
export const SOURCE_ENDED = "source-ended";
/** Reason of a flow whose transport failed. */
export const FAILED = "failed";

interface Circumstances {
  readonly transport: Pick<Transport, "state"> | undefined;
  /** The descriptions in force switch this direction off. */
  readonly isOff: boolean;
  /** The last of its sources has ended. */
  readonly isSourceless: boolean;
  /** The flow runs on another transport, or another DTLS association, than before. */
  readonly isMoved: boolean;
}

/** Whether a flow has nothing to carry on. */
export const isSourceless = ({ sourceless }: LinkFlows, { id }: Pick<Flow, "id">): boolean =>
  sourceless?.includes(id) === true;

/**
 * An agreed flow in the state that follows from its holds and its transport. An active one stays active
 * while ICE restarts: the old path may still carry media.
 */
export function running(
  context: FlowContext,
  flow: Flow,
  { transport, isOff, isSourceless, isMoved }: Circumstances,
): Flow {
  if (flow.reason === REQUESTED) return entered(context, flow, "held", REQUESTED);
  if (isOff) return entered(context, flow, "held", DIRECTION);
  if (isSourceless) return entered(context, flow, "held", SOURCE_ENDED);
  if (flow.state === "active" && !isMoved) return flow;
  if (transport?.state === "connected") return entered(context, flow, "active");
  const reason = transport?.state === "failed" ? FAILED : undefined;
  return entered(context, flow, "negotiated", reason);
}
