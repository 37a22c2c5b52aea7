import type { ContextResult } from "../protocol/context-messages.ts";
import type { FromPeer } from "../protocol/messages.ts";
import { sameSource, sourceFor } from "./downlink-sources.ts";
import type { Context, ManagedLink, ManagedState, Pull } from "./managed-state.ts";

/** What the session is told of contexts: a result for each revision, and what downlinks carry. */

type Outcome = Pick<ContextResult, "outcome" | "cause" | "detail">;

const granted: Outcome = { outcome: "granted" };
const refused = (cause: ContextResult["cause"], detail: string): Outcome => ({
  outcome: "refused",
  cause,
  detail,
});

/** What became of the newest revision of a context; undefined as long as nobody can say. */
function outcomeOf(state: ManagedState, context: Context): Outcome | undefined {
  if (context.kind === "data") return refused("other", "data channels are not carried");
  if (context.failure) return refused(context.failure.cause, context.failure.detail);
  const link = state.links[context.peer];
  if (!link) return undefined;
  if (context.direction === "uplink") return uplinkOutcome(context, link);
  const pull = pullOf(link, context);
  if (!pull) return withoutPull(state, context, link);
  if (isOffered(link, context)) return undefined;
  // What the description stops needs no help; nothing else stops one track of many.
  if (context.held && !pull.off && pull.source.flow in state.contexts) {
    return refused("other", "the managed SFU cannot hold one track");
  }
  const source = sourceFor(state, context, pull.source);
  return source === undefined || sameSource(source, pull.source) ? granted : undefined;
}

function uplinkOutcome({ mid }: Context, link: ManagedLink): Outcome | undefined {
  const publication = mid === undefined ? undefined : link.publications[mid];
  if (publication?.fault !== undefined) return refused("other", publication.fault);
  if (publication && !publication.ended) return granted;
  const isBusy = link.calling !== undefined || link.remote !== undefined;
  return isBusy ? undefined : refused("unknown-source", "the section was not published");
}

function withoutPull(
  state: ManagedState,
  context: Context,
  { peer }: ManagedLink,
): Outcome | undefined {
  if (context.held) return granted;
  if (peer.via === "whep") {
    return refused("unknown-source", "the section was answered without a source");
  }
  const { sourceFlows = [] } = context;
  const hopeless = sourceFlows.length > 0 && sourceFlows.every((flow) => isRefused(state, flow));
  return hopeless ? refused("unknown-source", "the source could not be published") : undefined;
}

function isRefused({ contexts, links }: ManagedState, flow: string): boolean {
  const uplink = contexts[flow];
  const mid = uplink?.mid;
  return mid !== undefined && links[uplink?.peer ?? ""]?.publications[mid]?.fault !== undefined;
}

/** The section of a downlink, if it has one. */
export const pullOf = ({ pulls }: ManagedLink, { context }: Context): Pull | undefined =>
  Object.values(pulls).find((pull) => pull.context === context && !pull.ended);

const isOffered = ({ offered }: ManagedLink, { context }: Context): boolean =>
  Object.values(offered?.media ?? {}).some((label) => label.context === context);

/** Messages that are due; notes in the state that they were sent. */
export function dueReports(state: ManagedState): FromPeer[] {
  return Object.values(state.contexts).flatMap((context) => {
    const result = context.told < context.revision ? outcomeOf(state, context) : undefined;
    if (result) context.told = context.revision;
    const { context: id, revision } = context;
    return [
      ...(result ? [{ type: "context-result", context: id, revision, ...result } as const] : []),
      ...sourcesReport(state, context),
    ];
  });
}

function sourcesReport(state: ManagedState, context: Context): FromPeer[] {
  const link = state.links[context.peer];
  const pull = link && pullOf(link, context);
  if (!link || !pull || context.flow === undefined || isOffered(link, context)) return [];
  const { flow, layer } = pull.source;
  // A source that has ended is no flow any more that a record could name.
  const isPlain = layer === undefined && pull.said === undefined && link.peer.via === undefined;
  // The label of the offer has said as much.
  if (isPlain) return [];
  const sourceFlows = state.contexts[flow] ? [flow] : [];
  const message = {
    type: "sources",
    flow: context.flow,
    sourceFlows,
    topology: "projecting",
    layer: sourceFlows.length > 0 ? (layer?.rid ?? null) : null,
    forwarding: sourceFlows.length > 0,
  } as const;
  const said = JSON.stringify(message);
  if (pull.said === said) return [];
  pull.said = said;
  return [message];
}
