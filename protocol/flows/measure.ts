import type { Flow, FlowQuality } from "../flow.ts";
import { commit, isLive } from "./commit.ts";
import { type ReportedSource, withReportedSources } from "./known-sources.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";

/** What an end of a flow measures of it. */
export interface Measurement extends FlowQuality {
  readonly flow: string;
  /** SSRCs in use, signalled or not. */
  readonly sources?: readonly ReportedSource[] | undefined;
}

/**
 * An end of the link tells what it measures of its flows: its latest figures, and the SSRCs it sees in use.
 * A report may be late: what it says of flows that are not here, or are over, is ignored.
 */
export function measureFlows(
  context: FlowContext,
  before: LinkFlows,
  reporter: string,
  measurements: readonly Measurement[],
): LinkFlows {
  const byFlow = Map.groupBy(measurements, ({ flow }) => flow);
  const flows = before.flows.map((flow) => {
    const own = byFlow.get(flow.id);
    if (!own || !isLive(flow)) return flow;
    return own.reduce((next, each) => measured(next, reporter, each), flow);
  });
  return commit(context, before, { flows });
}

function measured(flow: Flow, reporter: string, measurement: Measurement): Flow {
  const { flow: _, sources, ...quality } = measurement;
  const next = sources ? withReportedSources(flow, sources) : flow;
  return Object.keys(quality).length === 0
    ? next
    : { ...next, quality: { ...next.quality, [reporter]: quality } };
}
