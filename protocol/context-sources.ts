import { contextsOf, mediaServersOf } from "./contexts.ts";
import type { Flow } from "./flow.ts";
import { isLive } from "./flows/commit.ts";
import { declareFlow } from "./flows/declare.ts";
import type { FlowContext, LinkFlows } from "./flows/link-flows.ts";
import { flowContext } from "./move.ts";
import { type Link, revisionOf, type Session, withFlows } from "./session.ts";

/**
 * The session with the sources of flows that a media server has offered for a context: what the context names, as long
 * as the server says nothing else (F9).
 */
export function withContextSources(before: Session, after: Session, at: number): Session {
  const revision = Math.max(revisionOf(before) + 1, revisionOf(after));
  let next = after;
  for (const { id: server } of mediaServersOf(after)) {
    for (const link of after.links.values()) {
      if (link.flows === before.links.get(link.id)?.flows) continue;
      for (const { flow, context } of unsourced(link, server)) {
        const sourceFlows = contextsOf(after, server).get(context)?.sourceFlows;
        if (!sourceFlows) continue;
        const now = next.links.get(link.id) as Link;
        const about = { ...flowContext(next, now, at, flow.exchange), revision };
        next = withFlows(next, now, declared(about, now, flow, sourceFlows));
      }
    }
  }
  return next;
}

/** Agreed flows of which only the context is known. */
function unsourced({ flows }: Link, server: string) {
  const labels = flows.labels?.[server];
  if (!labels) return [];
  return flows.flows.flatMap((flow) => {
    const context = flow.from === server ? labels[flow.mid]?.context : undefined;
    const isNew = flow.topology === undefined && flow.state !== "proposed" && isLive(flow);
    return context !== undefined && isNew ? [{ flow, context }] : [];
  });
}

const declared = (
  context: FlowContext,
  { flows }: Link,
  flow: Flow,
  sourceFlows: readonly string[],
): LinkFlows =>
  declareFlow(context, flows, flow, {
    sourceFlows,
    topology: "projecting",
    layer: undefined,
    forwarding: undefined,
  });
