import type { Flow, FlowLimits } from "../flow.ts";
import type { FlowChange } from "../flow-query.ts";
import { type Problem, problem } from "../problem.ts";
import { commit, entered, isLive } from "./commit.ts";
import { dscpOf } from "./dscp.ts";
import { limitsWith } from "./flow-limits.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { REQUESTED, running } from "./running-state.ts";

/**
 * Holds or resumes a flow, limits it (bits per second; null takes the limit away) or changes its
 * priority. All three outlive renegotiation.
 *
 * Problem: `flow-not-found`, also for a flow that has ended.
 */
export function changeFlow(
  context: FlowContext,
  before: LinkFlows,
  flowId: string,
  change: FlowChange,
): LinkFlows | Problem {
  const flow = before.flows.find(({ id }) => id === flowId);
  if (!flow || !isLive(flow)) return problem("flow-not-found", "no such flow is running");
  const agreed = before.agreedLimits?.[flowId] ?? flow.limits;
  const requestedBps =
    change.maxBitrateBps === undefined ? flow.limits.requestedBps : change.maxBitrateBps;
  const priority = change.priority ?? flow.priority;
  const next: Flow = {
    ...heldOrResumed(context, before, flow, change.held),
    limits: limitsWith(agreed, requestedBps ?? undefined),
    priority,
    dscp: dscpOf(flow.kind, priority),
  };
  return commit(context, before, {
    flows: before.flows.map((each) => (each === flow ? next : each)),
    agreedLimits: remembered(before, flowId, requestedBps == null ? undefined : agreed),
  });
}

function heldOrResumed(
  context: FlowContext,
  before: LinkFlows,
  flow: Flow,
  held: boolean | undefined,
): Flow {
  const isHeld = flow.reason === REQUESTED;
  if (held === undefined || held === isHeld) return flow;
  // A proposed flow is held, or not, once it is agreed.
  if (flow.state === "proposed") {
    return entered(context, flow, "proposed", held ? REQUESTED : undefined);
  }
  if (held) return entered(context, flow, "held", REQUESTED);
  const { reason: _, ...free } = flow;
  return running(context, free, {
    transport: before.transports.find(({ id }) => id === flow.transport),
    isOff: before.switchedOff?.includes(flow.id) === true,
    isMoved: false,
  });
}

function remembered(
  { agreedLimits = {} }: LinkFlows,
  flowId: string,
  limits: FlowLimits | undefined,
): LinkFlows["agreedLimits"] {
  const { [flowId]: _, ...others } = agreedLimits;
  const next = limits ? { ...others, [flowId]: limits } : others;
  return Object.keys(next).length > 0 ? next : undefined;
}
