import type { Flow } from "../flow.ts";
import type { Transport } from "../transport.ts";
import type { FlowContext, LinkFlows } from "./link-flows.ts";

type Json = unknown;

const isObject = (value: Json): value is Record<string, Json> =>
  typeof value === "object" && value !== null;

/** Equality of plain JSON; a member that is undefined is a member that is absent. */
export function isSame(one: Json, other: Json): boolean {
  if (!isObject(one) || !isObject(other)) return one === other;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => isSame(one[name], other[name]));
}

/** Plain JSON says the same, awake or read back, only if nothing in it is undefined. */
const withoutUndefined = <T extends object>(record: { [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;

interface Versioned {
  readonly id: string;
  readonly revision: number;
}

/** Records with the new revision where they changed, the very same record where they did not (F4). */
function revised<T extends Versioned>(
  records: readonly T[],
  before: readonly T[],
  revision: number,
): readonly T[] {
  const known = new Map(before.map((record) => [record.id, record]));
  const next = records.map((record) => {
    const old = known.get(record.id);
    if (record === old) return record;
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
  readonly agreedLimits?: LinkFlows["agreedLimits"] | undefined;
  readonly forgotten?: number | undefined;
}

/** The link's flows after a change, or the same value when nothing changed. */
export function commit(context: FlowContext, before: LinkFlows, change: Change): LinkFlows {
  const flows = revised(change.flows, before.flows, context.revision);
  const transports = revised(
    change.transports ?? before.transports,
    before.transports,
    context.revision,
  );
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

/** The flow in a state, entered now unless it was in it already. */
export function entered(
  context: FlowContext,
  flow: Flow,
  state: Flow["state"],
  reason?: string,
): Flow {
  const { reason: _, ...rest } = flow;
  return {
    ...rest,
    state,
    ...(reason === undefined ? {} : { reason }),
    since: flow.state === state ? flow.since : context.at,
  };
}

/** The flow after its end; whatever qualified its running is gone. */
export function ended(context: FlowContext, flow: Flow, reason: string): Flow {
  const { stale: _, impaired: __, ...rest } = flow;
  return entered(context, rest, "ended", reason);
}

/** A flow that has not ended. */
export const isLive = (flow: Flow): boolean => flow.state !== "ended";
