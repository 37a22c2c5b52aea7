import type { Flow } from "../flow.ts";
import { agreeFlows } from "./agree.ts";
import type { AgreedPair } from "./agreed-pair.ts";
import type { Candidates } from "./candidate-counts.ts";
import { commit, isLive } from "./commit.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { FAILED } from "./running-state.ts";

/**
 * ICE may recover by itself after the flows of a transport ended as failed: what the pair in force agrees on
 * is there again, as new flows. To be asked after a report.
 */
export function reviveFlows(
  context: FlowContext,
  before: LinkFlows,
  pair: AgreedPair,
  candidates: Candidates,
): LinkFlows {
  const lost = lostTransports(before);
  if (lost.size === 0) return before;
  const agreed = agreeFlows(context, before, pair, candidates, pair);
  const known = new Set(before.flows.map(({ id }) => id));
  const revived = agreed.flows.filter(
    (flow) => isLive(flow) && !known.has(flow.id) && lost.has(flow.transport),
  );
  return commit(context, before, {
    flows: [...before.flows, ...revived],
    syncGroups: agreed.syncGroups,
  });
}

/** Ids of the transports that are up and have lost flows which nothing has replaced since. */
function lostTransports({ flows, transports }: LinkFlows): ReadonlySet<string> {
  const up = new Set(transports.filter(({ state }) => state === "connected").map(({ id }) => id));
  const keyOf = ({ mLineIndex, from }: Flow): string => `${mLineIndex} ${from}`;
  const served = new Set(flows.filter(isLive).map(keyOf));
  const lost = flows.filter(
    (flow) =>
      flow.reason === FAILED && !isLive(flow) && up.has(flow.transport) && !served.has(keyOf(flow)),
  );
  return new Set(lost.map(({ transport }) => transport));
}
