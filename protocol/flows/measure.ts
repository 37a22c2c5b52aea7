import type { Flow } from "../flow.ts";
import type { FlowQuality, MeasuredQuality } from "../flow-quality.ts";
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
    return own.reduce((next, each) => measured(context, next, reporter, each), flow);
  });
  return commit(context, before, { flows });
}

function measured(
  { at }: FlowContext,
  flow: Flow,
  reporter: string,
  { flow: _, sources, qoe, ...quality }: Measurement,
): Flow {
  const next = sources ? withReportedSources(flow, sources) : flow;
  if (!qoe && Object.keys(quality).length === 0) return next;
  const before = next.quality?.[reporter];
  const recentLoss = lossSince(before, quality, at);
  // Who says nothing of it has not taken back what it said: `at` tells how old that is.
  const experience = qoe ? { ...qoe, at } : before?.qoe;
  const report = {
    ...quality,
    ...(recentLoss && { recentLoss }),
    ...(experience && { qoe: experience }),
  };
  return { ...next, quality: { ...next.quality, [reporter]: report } };
}

const NOTHING_YET: FlowQuality = { packets: 0, packetsLost: 0 };

/** What was lost since the report before, or since the flow began. */
function lossSince(
  before: MeasuredQuality | undefined,
  { packets, packetsLost }: FlowQuality,
  at: number,
): MeasuredQuality["recentLoss"] {
  const was = before ?? NOTHING_YET;
  if (packets === undefined || packetsLost === undefined) return undefined;
  if (was.packets === undefined || was.packetsLost === undefined) return undefined;
  const came = packets - was.packets;
  const lost = packetsLost - was.packetsLost;
  // The same once more is no news.
  if (came === 0 && lost === 0) return before?.recentLoss;
  // A counter of packets that fell belongs to another source; what comes late is not lost after all (RFC 3550 s6.4.1).
  return came < 0 || lost <= 0 ? undefined : { lost, of: came + lost, at };
}
