import { isLive } from "./commit.ts";
import { generationIn, numberIn } from "./identity.ts";
import type { LinkFlows } from "./link-flows.ts";

/** How many ended flows, and closed transports, a link remembers once new ones come. */
const REMEMBERED = 64;

/**
 * Forgets the oldest ended records, so that a link that renegotiates for ever stays small. Asked before
 * an event, never after it: what ends in the event is still told. `forgotten`
 * is the highest generation among all that were ever forgotten: no id is given twice.
 */
export function forget(before: LinkFlows): LinkFlows {
  const flows = oldest(before.flows.filter((flow) => !isLive(flow)));
  const transports = oldest(before.transports.filter(({ state }) => state === "closed"));
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

const oldest = <T extends { readonly revision: number }>(records: readonly T[]): readonly T[] =>
  records
    .toSorted((one, other) => one.revision - other.revision)
    .slice(0, Math.max(0, records.length - REMEMBERED));
