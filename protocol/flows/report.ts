import type { Flow } from "../flow.ts";
import type { SelectedPair, Transport, TransportState } from "../transport.ts";
import { type Problem, problem } from "../problem.ts";
import { commit, ended, entered, isLive } from "./commit.ts";
import { fiveTupleOf } from "./five-tuple.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { FAILED } from "./running-state.ts";

/** What a peer sees of a transport, out of getStats. */
export interface TransportReport {
  /** Id of the transport, or a mid of it; every open transport of the link when left out. */
  readonly transport?: string;
  readonly state: TransportState;
  readonly pair?: SelectedPair;
}

/**
 * A peer reports on a transport; of two reporting peers, the latest report wins. `connected` makes its
 * agreed flows active, `disconnected` impairs them, `failed` takes them back to negotiated, `closed`
 * ends them. A pair without the name of a transport counts only where the link has one transport.
 * What comes late about a closed transport changes nothing.
 *
 * Problem: `invalid-message` when no transport has this id or mid.
 */
export function reportTransport(
  context: FlowContext,
  before: LinkFlows,
  reporter: string,
  report: TransportReport,
): LinkFlows | Problem {
  const open = before.transports.filter(({ state }) => state !== "closed");
  const targets = report.transport === undefined ? open : named(before, report.transport);
  if (targets === undefined) {
    return problem("invalid-message", "`transport` names no transport of this link");
  }
  const hasPair = report.transport !== undefined || open.length === 1;
  const ids = new Set(targets.filter((target) => open.includes(target)).map(({ id }) => id));
  return commit(context, before, {
    transports: before.transports.map((transport) =>
      ids.has(transport.id)
        ? reported(transport, reporter, report.state, hasPair ? report.pair : undefined)
        : transport,
    ),
    flows: before.flows.map((flow) =>
      ids.has(flow.transport) && isLive(flow) && flow.state !== "proposed"
        ? carried(context, flow, report.state)
        : flow,
    ),
  });
}

/** By id, else by mid: the open one before a closed one that had the mid. */
function named({ transports }: LinkFlows, name: string): readonly Transport[] | undefined {
  const byMid = transports.filter(({ mids }) => mids.includes(name));
  const found =
    transports.find(({ id }) => id === name) ??
    byMid.find(({ state }) => state !== "closed") ??
    byMid[0];
  return found && [found];
}

function reported(
  transport: Transport,
  reporter: string,
  state: TransportState,
  pair: SelectedPair | undefined,
): Transport {
  if (!pair) return { ...transport, state };
  const others = transport.fiveTuples.filter(({ peer }) => peer !== reporter);
  return {
    ...transport,
    state,
    selectedPair: { ...transport.selectedPair, [reporter]: pair },
    fiveTuples: [...others, fiveTupleOf(reporter, pair)].toSorted((one, other) =>
      one.peer < other.peer ? -1 : 1,
    ),
  };
}

/** An agreed flow after its transport got into a state. */
function carried(context: FlowContext, flow: Flow, state: TransportState): Flow {
  const { impaired: _, ...sound } = flow;
  switch (state) {
    case "connected":
      return flow.state === "negotiated" ? entered(context, sound, "active") : sound;
    case "disconnected":
      return { ...flow, impaired: true };
    case "failed":
      return flow.state === "held"
        ? { ...flow, impaired: true }
        : entered(context, { ...flow, impaired: true }, "negotiated", FAILED);
    case "closed":
      return ended(context, flow, "closed");
    case "new":
    case "checking":
      return flow;
  }
}
