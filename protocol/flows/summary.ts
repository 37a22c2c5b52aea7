import type { Flow } from "../flow.ts";
import type { FlowSummary } from "../flow-summary.ts";
import { isSame } from "./same.ts";

/** What those are told of flows who asked for little (decision 0022). */

/** What of a record steering needs. */
export function summaryOf(flow: Flow): FlowSummary {
  const { id, revision, mid, kind, from, to, state, reason, content, simulcastGroup } = flow;
  const { limits, requests, priority, applied, sourceFlows } = flow;
  const { effectiveBps } = limits;
  const isPriorityAsked = requests?.some((one) => one.priority !== undefined) === true;
  return {
    id,
    revision,
    mid,
    kind,
    from,
    to,
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(content === undefined ? {} : { content }),
    ...(simulcastGroup === undefined ? {} : { simulcastGroup }),
    ...(effectiveBps === undefined ? {} : { limits: { effectiveBps } }),
    ...(requests === undefined ? {} : { requests }),
    ...(isPriorityAsked ? { priority } : {}),
    ...(applied === undefined ? {} : { applied }),
    ...(sourceFlows.length === 0 ? {} : { sourceFlows }),
  };
}

/**
 * Whether a flow is told of briefly. As long as it is only offered or agreed, nobody can steer it but by what is asked
 * of it already; when it ends, whoever had been told of it is told.
 */
export function isSummarised({ state, timing, history, requests, limits }: Flow): boolean {
  if (state === "proposed") return false;
  if (state === "ended") return history.some((past) => past.state !== "proposed");
  const isAsked = requests !== undefined || limits.effectiveBps !== undefined;
  // Whoever was told that it is held goes on being told.
  const wasHeld = history.some((past) => past.state === "held");
  return state !== "negotiated" || timing.activeAt !== undefined || isAsked || wasHeld;
}

/** The summary of a flow where it, or whether there is one at all, is another than before. */
export function summaryNews(flow: Flow, before: Flow | undefined): FlowSummary | undefined {
  const wasSummarised = before !== undefined && isSummarised(before);
  if (!wasSummarised && !isSummarised(flow)) return undefined;
  const summary = summaryOf(flow);
  if (!wasSummarised) return summary;
  const known = { ...summaryOf(before), revision: summary.revision };
  return isSame(summary, known) ? undefined : summary;
}
