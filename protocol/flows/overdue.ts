import type { Flow } from "../flow.ts";
import type { Transport } from "../transport.ts";
import { commit, ended, isLive } from "./commit.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { FAILED } from "./running-state.ts";

/** How long an ICE restart may take to come to a pair before its flows count as impaired. */
export const RESTART_MS = 30_000;

/** What a link is given. */
export interface Grace {
  /** How long a failed transport keeps its flows, milliseconds; null as long as an exchange is open. */
  readonly failedMs: number | null;
}

/** What comes over a flow unless its transport mends before. */
interface Due {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: "impaired" | "failed";
}

/** When something is due about flows of a link, milliseconds since 1970; null when nothing is. */
export function nextDue(link: LinkFlows, grace: Grace): number | null {
  const times = duesOf(link, grace).map(({ due }) => due.at);
  return times.length === 0 ? null : times.reduce((one, other) => Math.min(one, other));
}

/**
 * What is due comes over its flows: those of an ICE restart without a pair are impaired, those of a
 * transport that failed and was not restarted end as `failed`. Neither is due a second time.
 */
export function overdue(context: FlowContext, before: LinkFlows, grace: Grace): LinkFlows {
  const dues = duesOf(before, grace).filter(({ due }) => due.at <= context.at);
  const events = new Map(dues.map(({ flow, due }) => [flow.id, due.event]));
  return commit(context, before, {
    flows: before.flows.map((flow) => {
      const event = events.get(flow.id);
      if (event === "impaired") return { ...flow, impaired: true };
      return event === "failed" ? ended(context, flow, FAILED) : flow;
    }),
  });
}

function duesOf(
  { flows, transports }: LinkFlows,
  grace: Grace,
): readonly { readonly flow: Flow; readonly due: Due }[] {
  const troubled = transports.filter(
    ({ state, restartingSince }) => state === "failed" || restartingSince !== undefined,
  );
  if (troubled.length === 0) return [];
  const byId = new Map(troubled.map((transport) => [transport.id, transport]));
  return flows.flatMap((flow) => {
    const transport = byId.get(flow.transport);
    if (!transport || !isLive(flow) || flow.state === "proposed") return [];
    const due = dueOf(flow, transport, grace);
    return due ? [{ flow, due }] : [];
  });
}

function dueOf(flow: Flow, transport: Transport, { failedMs }: Grace): Due | undefined {
  const { state, since, restartingSince } = transport;
  if (state === "failed" && failedMs !== null) {
    // What is added to a failed transport has the same time for a restart.
    const at = Math.max(since, flow.timing.createdAt) + failedMs;
    return { at, event: "failed" };
  }
  return restartingSince === undefined || flow.impaired
    ? undefined
    : { at: restartingSince + RESTART_MS, event: "impaired" };
}
