/** What the log says of a fault: where it happened, never what it was about (A4). */
export interface FaultRecord {
  readonly fault: string;
  readonly name: string;
  /** Stack frames without the message: messages may quote what a peer sent. */
  readonly frames: readonly string[];
}

/** `TypeError`; a library may put anything there. */
const NAME = /^[A-Za-z]{1,40}$/;

/** `    at step (file:///duplex/index.js:12:34)`: a function, and a place in a script. */
const FRAME = /^ +at (?:[\w$.<># [\]]{1,200} \()?\S{1,500}\.[cm]?[jt]s(?:\?\S{1,80})?:\d+:\d+\)?$/;

/** Makes the log record of a thrown value; `id` is opaque and is all that the outside learns. */
export function faultRecord(id: string, thrown: unknown): FaultRecord {
  if (!(thrown instanceof Error)) return { fault: id, name: typeof thrown, frames: [] };
  const { name, message, stack = "" } = thrown;
  // A message may have lines that look like frames: what follows it counts.
  const at = stack.indexOf(message);
  const below = at < 0 ? stack : stack.slice(at + message.length);
  const frames = below.split("\n").filter((line) => FRAME.test(line));
  return {
    fault: id,
    name: NAME.test(name) ? name : "Error",
    frames: frames.map((line) => line.trim()),
  };
}
