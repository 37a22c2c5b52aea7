import type { Flow, FlowRequest, Priority } from "../flow.ts";
import type { FlowChange } from "../flow-query.ts";

/** Who asks when it is the application's back end; peers ask by their id. */
export const APPLICATION = "application";

/** The W3C's default (webrtc-priority s3). */
export const DEFAULT_PRIORITY = "low" satisfies Priority;

type Requests = readonly FlowRequest[];

/** What one asker wants, or undefined when it wants nothing. */
export const requestOf = (requests: Requests, asker: string): FlowRequest | undefined =>
  requests.find(({ by }) => by === asker);

/**
 * The requests after an asker changed its own, at a time in milliseconds since 1970. What is not named stays;
 * `held: false` and null take a request back; an asker without any is not listed. The same value when
 * nothing changes.
 */
export function requestsAfter(
  requests: Requests,
  asker: string,
  change: FlowChange,
  at: number,
): Requests {
  const known = requestOf(requests, asker);
  const held = (change.held ?? known?.held) === true;
  const maxBitrateBps = changed(change.maxBitrateBps, known?.maxBitrateBps);
  const priority = changed(change.priority, known?.priority);
  const isAsBefore =
    held === (known?.held === true) &&
    maxBitrateBps === known?.maxBitrateBps &&
    priority === known?.priority;
  if (isAsBefore) return requests;
  const next: FlowRequest = {
    by: asker,
    ...(held ? { held } : {}),
    ...(maxBitrateBps === undefined ? {} : { maxBitrateBps }),
    ...(priority === undefined ? {} : { priority }),
    at,
  };
  const isAny = held || maxBitrateBps !== undefined || priority !== undefined;
  if (!known) return [...requests, next];
  return isAny
    ? requests.map((request) => (request === known ? next : request))
    : requests.filter((request) => request !== known);
}

/** Undefined leaves a value, null takes it away. */
const changed = <T>(wanted: T | null | undefined, known: T | undefined): T | undefined =>
  wanted === undefined ? known : (wanted ?? undefined);

/** Who holds the flow. */
export const holdersIn = (requests: Requests): string[] =>
  requests.filter(({ held }) => held).map(({ by }) => by);

/** The lowest rate anybody asks for, bits per second. */
export function lowestRequest(requests: Requests): number | undefined {
  const asked = requests.flatMap(({ maxBitrateBps }) => maxBitrateBps ?? []);
  return asked.length > 0 ? Math.min(...asked) : undefined;
}

/** The application's word goes before the sender's, that before the receiver's. */
export function priorityIn(requests: Requests, { from, to }: Pick<Flow, "from" | "to">): Priority {
  const [priority = DEFAULT_PRIORITY] = [APPLICATION, from, to].flatMap(
    (asker) => requestOf(requests, asker)?.priority ?? [],
  );
  return priority;
}
