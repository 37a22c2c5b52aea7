import { type AgreedPair, agreedSections } from "./agreed-pair.ts";
import { bundleCounts, type Candidates } from "./candidate-counts.ts";
import { commit } from "./commit.ts";
import { labelOf } from "./identity.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";

/**
 * Brings the candidate counts of open transports up to date. Candidates trickle in long after the answer, and
 * none of them is worth a change of its own: they are counted anew when a peer reports on its transport.
 */
export function recount(
  context: FlowContext,
  before: LinkFlows,
  pair: AgreedPair,
  candidates: Candidates,
): LinkFlows {
  const sections = agreedSections(pair);
  const transports = before.transports.map((transport) => {
    if (transport.state === "closed") return transport;
    const own = sections.filter((section) => transport.mids.includes(labelOf(section)));
    return { ...transport, candidates: bundleCounts(context.peers, candidates, own) };
  });
  return commit(context, before, { flows: before.flows, transports });
}
