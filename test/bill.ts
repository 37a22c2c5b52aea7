/**
 * What the platform bills, read off its own interfaces while they are used: rows by the counters of SQL cursors, a row for
 * each value that is put or deleted and each alarm that is set; a request for each call, upgrade and alarm, and a
 * twentieth of one for each frame that comes in.
 */
export interface Bill {
  readonly rowsWritten: number;
  readonly rowsRead: number;
  readonly workerRequests: number;
  /** Calls and upgrades that objects got. */
  readonly calls: number;
  /** Alarms that fired. */
  readonly alarms: number;
  /** Frames that peers sent and the runtime did not answer itself. */
  readonly frames: number;
  /** Ends of sockets that objects were told of; no requests, but they run then. */
  readonly closes: number;
}

export const NOTHING: Bill = {
  rowsWritten: 0,
  rowsRead: 0,
  workerRequests: 0,
  calls: 0,
  alarms: 0,
  frames: 0,
  closes: 0,
};

/** Frames come 20 to a request. */
export const FRAMES_PER_REQUEST = 20;

/** What objects are asked, as it is billed. */
export const objectRequestsOf = ({ calls, alarms, frames }: Bill): number =>
  calls + alarms + frames / FRAMES_PER_REQUEST;

/** How often an object runs. */
export const eventsOf = ({ calls, alarms, frames, closes }: Bill): number =>
  calls + alarms + frames + closes;

export const mapped = (bill: Bill, to: (name: keyof Bill) => number): Bill =>
  Object.fromEntries(
    (Object.keys(bill) as (keyof Bill)[]).map((name) => [name, to(name)]),
  ) as Record<keyof Bill, number>;
