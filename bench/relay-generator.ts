// The peers of bench/relay.ts, in a process of its own. Does what its parent says over IPC.

import { type Dialect, FIRST, type FrameKind } from "./relay-frames.ts";
import { Line } from "./relay-lines.ts";
import { percentile } from "./rounds.ts";

export interface RelayPlan {
  readonly dialect: Dialect;
  readonly baseUrl: string;
  /** Of Duplex: sessions are counted per key. */
  readonly keys: readonly string[];
  readonly lines: number;
}

/** What is sent in one go. */
export interface Burst {
  readonly kind: FrameKind;
  readonly ack: boolean;
  /** Lines that send at the same time; when one has sent its share, the next begins. */
  readonly linesAtOnce: number;
  readonly inFlightPerLine: number;
  /** Lines that take part. */
  readonly lines: number;
  readonly framesPerLine: number;
}

export type RelayCommand =
  | { readonly type: "renew"; readonly lines: number }
  | { readonly type: "burst"; readonly burst: Burst };

export interface RelayNews {
  readonly type: "ready" | "done";
  /** Of a burst: one-way, milliseconds. */
  readonly latenciesMs?: readonly number[];
}

const AT_ONCE = 8;
let numbers = FIRST;

async function connect({ dialect, baseUrl, keys, lines }: RelayPlan): Promise<Line[]> {
  const made: Line[] = [];
  const one = async (n: number): Promise<Line> => {
    const room = `room${process.pid}x${n}`;
    if (dialect !== "duplex") return Line.of(dialect, baseUrl, room);
    return Line.ofDuplex(baseUrl, keys[n % keys.length] ?? "");
  };
  while (made.length < lines) {
    const more = Math.min(AT_ONCE, lines - made.length);
    made.push(
      ...(await Promise.all(Array.from({ length: more }, (_none, n) => one(made.length + n)))),
    );
  }
  return made;
}

async function renew(lines: readonly Line[]): Promise<void> {
  for (let n = 0; n < lines.length; n += AT_ONCE) {
    await Promise.all(lines.slice(n, n + AT_ONCE).map((line) => line.renew()));
  }
}

/** Sends the share of one line, so many in flight; settles when all has come, acknowledgements included. */
function sendShare(line: Line, burst: Burst, latenciesMs: number[]): Promise<void> {
  const { kind, ack, inFlightPerLine, framesPerLine } = burst;
  const first = numbers;
  numbers += framesPerLine;
  const sentAt = new Float64Array(framesPerLine);
  let [sent, received, acks] = [0, 0, 0];
  return new Promise((resolve) => {
    const send = (): void => {
      sentAt[sent] = performance.now();
      line.send(kind, first + sent, ack);
      sent += 1;
    };
    const end = (): void => {
      if (received === framesPerLine && (!ack || acks === framesPerLine)) resolve();
    };
    line.onReceived = (n) => {
      latenciesMs.push(performance.now() - (sentAt[n - first] ?? Number.NaN));
      received += 1;
      if (sent < framesPerLine) send();
      end();
    };
    line.onAck = () => {
      acks += 1;
      end();
    };
    while (sent < Math.min(inFlightPerLine, framesPerLine)) send();
  });
}

async function run(lines: readonly Line[], burst: Burst): Promise<readonly number[]> {
  const latenciesMs: number[] = [];
  const waiting = lines.slice(0, burst.lines);
  const worker = async (): Promise<void> => {
    for (let line = waiting.shift(); line; line = waiting.shift()) {
      await sendShare(line, burst, latenciesMs);
    }
  };
  await Promise.all(Array.from({ length: burst.linesAtOnce }, worker));
  return latenciesMs;
}

const tell = (news: RelayNews): void => {
  process.send?.(news);
};

/** The middle and the slow end of latencies. */
export const quantilesOf = (latenciesMs: readonly number[]) => ({
  p50Ms: percentile(latenciesMs, 0.5),
  p99Ms: percentile(latenciesMs, 0.99),
});

// As a program only: bench/relay.ts imports the types.
if (import.meta.main) {
  // Whoever started it is gone: nobody would hear the rest.
  process.once("disconnect", () => process.exit());
  const lines = await connect(JSON.parse(process.argv[2] ?? "") as RelayPlan);
  process.on("message", async (said) => {
    const command = said as RelayCommand;
    if (command.type === "renew") {
      await renew(lines.slice(0, command.lines));
      tell({ type: "ready" });
    } else {
      tell({ type: "done", latenciesMs: await run(lines, command.burst) });
    }
  });
  tell({ type: "ready" });
}
