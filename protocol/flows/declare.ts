import type { Flow } from "../flow.ts";
import { commit, isLive } from "./commit.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { isSourceless, running } from "./running-state.ts";
import { terminated } from "./topology.ts";

/** Where a flow comes from, as its sender says; undefined takes a member away. */
export interface Declaration {
  readonly sourceFlows: readonly string[];
  readonly topology: Flow["topology"];
  readonly layer: string | undefined;
  readonly forwarding: boolean | undefined;
}

/** The sender of a flow has said where it comes from. A flow that had lost all sources and has one again runs. */
export function declareFlow(
  context: FlowContext,
  before: LinkFlows,
  flow: Flow,
  { sourceFlows, ...declared }: Declaration,
): LinkFlows {
  const isSourced = sourceFlows.length > 0;
  const said = terminated({ ...flow, ...declared, sourceFlows: [...sourceFlows] });
  const next =
    isSourced && isSourceless(before, flow) ? inState(context, before, said, false) : said;
  const others = before.sourceless?.filter((id) => id !== flow.id || !isSourced);
  return commit(context, before, {
    flows: before.flows.map((each) => (each === flow ? next : each)),
    sourceless: others && others.length > 0 ? others : undefined,
  });
}

/** A flow after it lost its sources, or got some. One that is only proposed is what it is until it is agreed. */
function inState(context: FlowContext, before: LinkFlows, flow: Flow, hasNoSource: boolean): Flow {
  if (flow.state === "proposed") return flow;
  return running(context, flow, {
    transport: before.transports.find(({ id }) => id === flow.transport),
    isOff: before.switchedOff?.includes(flow.id) === true,
    isSourceless: hasNoSource,
    isMoved: false,
  });
}

/**
 * Flows have ended: those that carried them on lose them. One that loses the last is held: its section
 * lives, and its sender may find it another source.
 */
export function loseSources(
  context: FlowContext,
  before: LinkFlows,
  ended: ReadonlySet<string>,
): LinkFlows {
  const sourceless = new Set(before.sourceless);
  const flows = before.flows.map((flow) => {
    if (!isLive(flow) || !flow.sourceFlows.some((id) => ended.has(id))) return flow;
    const sourceFlows = flow.sourceFlows.filter((id) => !ended.has(id));
    if (sourceFlows.length > 0) return { ...flow, sourceFlows };
    sourceless.add(flow.id);
    const { layer: _, ...bare } = flow;
    return inState(context, before, { ...bare, sourceFlows }, true);
  });
  const live = flows.filter((flow) => isLive(flow) && sourceless.has(flow.id));
  return commit(context, before, {
    flows,
    sourceless: live.length > 0 ? live.map(({ id }) => id) : undefined,
  });
}
