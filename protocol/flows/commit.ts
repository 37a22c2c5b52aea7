import type { Flow } from "../flow.ts";
import type { Transport } from "../transport.ts";
import { withAssistance } from "./assist.ts";
import { withDscp } from "./dscp.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";
import { isSame } from "./same.ts";

/** Plain JSON says the same, awake or read back, only if nothing in it is undefined. */
const withoutUndefined = <T extends object>(record: { [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;

interface Versioned {
  readonly id: string;
  readonly revision: number;
  readonly state: string;
}

/** Ended flows and closed transports are over: what is read of them once is read of them always. */
const isOver = ({ state }: Versioned): boolean => state === "ended" || state === "closed";

/**
 * Records with the new revision where they changed, the very same record where they did not, and where
 * they were over before (F4).
 */
function revised<T extends Versioned>(
  records: readonly T[],
  before: readonly T[],
  revision: number,
): readonly T[] {
  const known = new Map(before.map((record) => [record.id, record]));
  const next = records.map((record) => {
    const old = known.get(record.id);
    if (record === old) return record;
    if (old && isOver(old)) return old;
    const same = old && isSame({ ...record, ...unseen }, { ...old, ...unseen });
    return same ? old : withoutUndefined<T>({ ...record, revision });
  });
  const isUnchanged =
    next.length === before.length && next.every((record, index) => record === before[index]);
  return isUnchanged ? before : next;
}

/** Members that follow from a change and are none themselves. */
const unseen = { revision: 0, exchange: 0 };

/** What an event leaves; flows it made a part of carry its time and exchange already. */
export interface Change {
  readonly flows: readonly Flow[];
  readonly transports?: readonly Transport[] | undefined;
  readonly switchedOff?: readonly string[] | undefined;
  readonly sourceless?: readonly string[] | undefined;
  readonly labels?: LinkFlows["labels"] | undefined;
  readonly syncGroups?: LinkFlows["syncGroups"];
  readonly assistance?: LinkFlows["assistance"] | undefined;
  readonly forgotten?: number | undefined;
}

/**
 * The link's flows after a change, or the same value when nothing changed. What a flow should be marked with
 * depends on the flows beside it and on the path: every change leaves that right. So it does with what networks do.
 */
export function commit(context: FlowContext, before: LinkFlows, change: Change): LinkFlows {
  const transports = revised(
    change.transports ?? before.transports,
    before.transports,
    context.revision,
  );
  const { assistance } = { ...before, ...change };
  const marked = withAssistance(withDscp(change.flows, transports), assistance);
  const flows = revised(marked, before.flows, context.revision);
  const isSeen = flows !== before.flows || transports !== before.transports;
  const next = withoutUndefined<LinkFlows>({
    ...before,
    ...change,
    revision: isSeen ? context.revision : before.revision,
    flows,
    transports,
  });
  return !isSeen && isSame(next, before) ? before : next;
}

/** How many of its former states a flow remembers. */
const REMEMBERED_STATES = 16;

/**
 * The flow in a state, entered now unless it was in it already. The state it leaves becomes history, and
 * the time in it, milliseconds, is added to what `timing` counts.
 */
export function entered(
  context: FlowContext,
  flow: Flow,
  state: Flow["state"],
  reason?: string,
): Flow {
  const { reason: former, ...rest } = flow;
  const because = reason === undefined ? {} : { reason };
  if (flow.state === state) return { ...rest, state, ...because };
  const past = { state: flow.state, ...(former === undefined ? {} : { reason: former }) };
  return {
    ...rest,
    state,
    ...because,
    since: context.at,
    timing: timingAfter(context, flow, state),
    history: isTold(flow)
      ? [...flow.history, { ...past, at: flow.since }].slice(-REMEMBERED_STATES)
      : flow.history,
  };
}

/** What is made and agreed in one event was never proposed to anybody. */
const isTold = ({ revision }: Flow): boolean => revision > 0;

function timingAfter(
  { at }: FlowContext,
  { state: left, since, timing }: Flow,
  state: Flow["state"],
): Flow["timing"] {
  const spentMs = Math.max(0, at - since);
  return {
    ...timing,
    ...(state === "active" && timing.activeAt === undefined ? { activeAt: at } : {}),
    activeMs: timing.activeMs + (left === "active" ? spentMs : 0),
    heldMs: timing.heldMs + (left === "held" ? spentMs : 0),
  };
}

/** The flow after its end; whatever qualified its running, or was asked of it by an offer, is gone. */
export function ended(context: FlowContext, flow: Flow, reason: string): Flow {
  const { stale: _, impaired: __, pending: ___, ...rest } = flow;
  return entered(context, rest, "ended", reason);
}

/** A flow that has not ended. */
export const isLive = (flow: Flow): boolean => flow.state !== "ended";
