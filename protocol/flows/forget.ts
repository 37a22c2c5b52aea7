import { isLive } from "./commit.ts";
import { generationIn, numberIn } from "./identity.ts";
import type { LinkFlows } from "./link-flows.ts";

/**
 * How many ended flows and closed transports a link remembers once new ones come: far more than calls
 * have. Ended flows are for reading until the session is gone; this only bounds what abuse can pile up.
 */
const REMEMBERED_FLOWS = 2000;
const REMEMBERED_TRANSPORTS = 256;

/**
 * Forgets the oldest ended records, so that a link that renegotiates for ever stays bounded. Asked before
 * an event, never after it: what ends in the event is still told. `forgotten`
 * is the highest generation among all that were ever forgotten: no id is given twice.
 */
export function forget(before: LinkFlows): LinkFlows {
  const ended = before.flows.filter((flow) => !isLive(flow));
  const closed = before.transports.filter(({ state }) => state === "closed");
  const flows = oldest(ended, REMEMBERED_FLOWS);
  const transports = oldest(closed, REMEMBERED_TRANSPORTS);
  if (flows.length + transports.length === 0) return before;
  const gone = new Set([...flows, ...transports].map(({ id }) => id));
  return {
    ...before,
    flows: before.flows.filter(({ id }) => !gone.has(id)),
    transports: before.transports.filter(({ id }) => !gone.has(id)),
    forgotten: Math.max(
      before.forgotten ?? 0,
      ...flows.map(generationIn),
      ...transports.map(numberIn),
    ),
  };
}

/** What there is of them beyond `remembered`; ended records keep the revision of their end. */
const oldest = <T extends { readonly revision: number }>(
  records: readonly T[],
  remembered: number,
): readonly T[] =>
  records.length <= remembered
    ? []
    : records
        .toSorted((one, other) => one.revision - other.revision)
        .slice(0, records.length - remembered);
