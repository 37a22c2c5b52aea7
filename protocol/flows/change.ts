import type { Flow } from "../flow.ts";
import type { FlowChange } from "../flow-query.ts";
import { type Problem, problem } from "../problem.ts";
import { commit, entered, isLive } from "./commit.ts";
import { withRequested } from "./flow-limits.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { holdersIn, lowestRequest, priorityIn, requestOf, requestsAfter } from "./requests.ts";
import { isSourceless, REQUESTED, running } from "./running-state.ts";

/**
 * An asker (a peer's id, or `application`) holds or resumes a flow, limits it (bits per second) or wants
 * another priority; null takes a request back. Requests live as long as the flow and outlive renegotiation.
 * The flow is held while anybody holds it, and the lowest limit counts.
 *
 * Problems: `flow-not-found`; `flow-ended`; `flow-held`, with `heldBy`, when the asker would resume what only
 * others hold; `flow-not-steerable` when a data flow is to be held or limited.
 */
export function changeFlow(
  context: FlowContext,
  before: LinkFlows,
  flowId: string,
  change: FlowChange,
  asker: string,
): LinkFlows | Problem {
  const flow = before.flows.find(({ id }) => id === flowId);
  if (!flow) return problem("flow-not-found", "no such flow is in this session");
  const refused = refusal(flow, change, asker);
  if (refused) return refused;
  const { requests: known = [] } = flow;
  const requests = requestsAfter(known, asker, change, context.at);
  if (requests === known) return before;
  const isHeld = holdersIn(requests).length > 0;
  const { requests: _, ...rest } = heldOrResumed(context, before, flow, isHeld);
  const next: Flow = {
    ...rest,
    ...(requests.length > 0 ? { requests: [...requests] } : {}),
    limits: withRequested(flow.limits, lowestRequest(requests)),
    priority: priorityIn(requests, flow),
  };
  return commit(context, before, {
    flows: before.flows.map((each) => (each === flow ? next : each)),
  });
}

function refusal(flow: Flow, change: FlowChange, asker: string): Problem | undefined {
  if (!isLive(flow)) {
    return problem("flow-ended", `the flow has ended (${flow.reason}); nothing can be asked of it`);
  }
  if (flow.kind === "data" && (change.held === true || typeof change.maxBitrateBps === "number")) {
    return problem(
      "flow-not-steerable",
      "a data flow cannot be held or limited: SCTP has no direction and no rate to set; its priority can",
    );
  }
  const { requests = [] } = flow;
  const heldBy = holdersIn(requests);
  const isOthers = heldBy.length > 0 && requestOf(requests, asker)?.held !== true;
  if (change.held !== false || !isOthers) return undefined;
  return problem("flow-held", "somebody else holds the flow: only who holds it can let it go", {
    heldBy,
  });
}

function heldOrResumed(context: FlowContext, before: LinkFlows, flow: Flow, isHeld: boolean): Flow {
  if (isHeld === (flow.reason === REQUESTED)) return flow;
  // A proposed flow is held, or not, once it is agreed.
  if (flow.state === "proposed") {
    return entered(context, flow, "proposed", isHeld ? REQUESTED : undefined);
  }
  if (isHeld) return entered(context, flow, "held", REQUESTED);
  const { reason: _, ...free } = flow;
  return running(context, free, {
    transport: before.transports.find(({ id }) => id === flow.transport),
    isOff: before.switchedOff?.includes(flow.id) === true,
    isSourceless: isSourceless(before, flow),
    isMoved: false,
  });
}
