import { isLive } from "./commit.ts";
import { generationIn, numberIn } from "./identity.ts";
import type { LinkFlows, Room } from "./link-flows.ts";

/**
 * How many ended flows and closed transports a link remembers once new ones come: far more than calls
 * have. Ended flows are for reading until the session is gone; this only bounds what abuse can pile up.
 */
const REMEMBERED_FLOWS = 2000;
const REMEMBERED_TRANSPORTS = 256;

const PLENTY: Room = { ended: REMEMBERED_FLOWS, told: Number.POSITIVE_INFINITY };

/**
 * Forgets the oldest ended records, so that a link that renegotiates for ever stays bounded. Asked before
 * an event, never after it: what ends in the event is still told. `forgotten`
 * is the highest generation among all that were ever forgotten: no id is given twice. `room` is
 * less where the session has many.
 */
export function forget(before: LinkFlows, room: Room = PLENTY): LinkFlows {
  const ended = before.flows.filter((flow) => !isLive(flow));
  const closed = before.transports.filter(({ state }) => state === "closed");
  const isTold = ({ revision }: { readonly revision: number }): boolean => revision <= room.told;
  const flows = oldest(ended, Math.min(room.ended, REMEMBERED_FLOWS)).filter(isTold);
  const transports = oldest(closed, Math.min(room.ended, REMEMBERED_TRANSPORTS)).filter(isTold);
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
