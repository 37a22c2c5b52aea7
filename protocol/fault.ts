/** What the log says of a fault: where it happened, never what it was about (A4). */
export interface FaultRecord {
  readonly fault: string;
  readonly name: string;
  /** Stack frames without the message: messages may quote what a peer sent. */
  readonly frames: readonly string[];
}

/** Makes the log record of a thrown value; `id` is opaque and is all that the outside learns. */
export function faultRecord(id: string, thrown: unknown): FaultRecord {
  const error = thrown instanceof Error ? thrown : undefined;
  const frames = (error?.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return {
    fault: id,
    name: error?.name ?? typeof thrown,
    frames: frames.map((line) => line.trim()),
  };
}
