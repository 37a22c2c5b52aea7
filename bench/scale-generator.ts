// The peers of bench/scale.ts, in a process of its own. Does what its parent says over IPC, and reads the processor
// time of the server right before and after what it sends.
import { setTimeout as delay } from "node:timers/promises";
import { processorMicroseconds } from "./process-samples.ts";
import { FIRST, type FrameKind } from "./relay-frames.ts";
import { type Figures, percentile } from "./rounds.ts";
import { type Pair, Scene, type ScenePlan } from "./scale-scene.ts";

export type ScaleCommand =
  /** Frames of all pairs in turn, so many in flight. */
  | { readonly type: "messages"; readonly frames: number; readonly inFlight: number }
  /** So many exchanges are renewed, which is not measured; then each has its candidates sent. */
  | { readonly type: "candidates"; readonly exchanges: number }
  /** One frame in each session, one at a time, then the same again. */
  | { readonly type: "twice" }
  /** One frame in each session: all are awake. */
  | { readonly type: "wake" };

export type ScaleNews =
  | { readonly type: "ready" }
  | { readonly type: "done"; readonly figures: Figures };

/** A peer sends so many in one exchange. */
const CANDIDATES = 8;
/** What an exchange writes is written by then. */
const SETTLED_MS = 5;
const WAKING_AT_ONCE = 32;

interface Shot {
  readonly pair: Pair;
  readonly kind: FrameKind;
}

let sent = FIRST;
let arrived: (n: number) => void = () => undefined;

/** Sends these in order, so many in flight; gives how long each took, milliseconds. */
function shoot(shots: readonly Shot[], inFlight: number): Promise<readonly number[]> {
  const first = sent;
  const sentAt = new Float64Array(shots.length);
  const tookMs: number[] = [];
  return new Promise((resolve) => {
    const send = (): void => {
      const shot = shots[sent - first];
      if (!shot) return;
      sentAt[sent - first] = performance.now();
      sent += 1;
      shot.pair.send(shot.kind, sent - 1);
    };
    arrived = (n) => {
      tookMs.push(performance.now() - (sentAt[n - first] ?? Number.NaN));
      if (tookMs.length === shots.length) resolve(tookMs);
      else send();
    };
    for (let n = 0; n < inFlight; n++) send();
  });
}

class Turns {
  readonly #sessions: readonly (readonly Pair[])[];
  readonly #used: () => number;
  #turn = 0;

  constructor(sessions: readonly (readonly Pair[])[], pid: number) {
    this.#sessions = sessions;
    this.#used = () => processorMicroseconds(pid);
  }

  /** The pairs of all sessions in turn: the next session each time, and the next pair of it. */
  #next(count: number): readonly Pair[] {
    return Array.from({ length: count }, () => {
      const pairs = this.#sessions[this.#turn % this.#sessions.length] ?? [];
      const round = Math.floor(this.#turn / this.#sessions.length);
      this.#turn += 1;
      return pairs[round % pairs.length] as Pair;
    });
  }

  /** The first pair of each session. */
  #firsts(): readonly Shot[] {
    return this.#sessions.flatMap(([pair]) => (pair ? [{ pair, kind: "message" }] : []));
  }

  async #measured(shots: readonly Shot[], inFlight: number): Promise<Figures> {
    const before = this.#used();
    const tookMs = await shoot(shots, inFlight);
    const cpuUs = (this.#used() - before) / shots.length;
    return { cpuUs, p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99) };
  }

  async wake(): Promise<Figures> {
    await shoot(this.#firsts(), WAKING_AT_ONCE);
    return {};
  }

  async messages(frames: number, inFlight: number): Promise<Figures> {
    await this.wake();
    const shots = this.#next(frames).map((pair) => ({ pair, kind: "message" }) as const);
    return this.#measured(shots, inFlight);
  }

  async candidates(exchanges: number): Promise<Figures> {
    const size = this.#sessions.flat().length;
    let cpuUs = 0;
    const p50s: number[] = [];
    // A pair has one exchange at a time.
    for (let left = exchanges; left > 0; left -= size) {
      const pairs = this.#next(Math.min(left, size));
      for (const pair of pairs) await pair.renew();
      await delay(SETTLED_MS);
      const shots = pairs.flatMap((pair) =>
        Array.from({ length: CANDIDATES }, () => ({ pair, kind: "candidates" }) as const),
      );
      const figures = await this.#measured(shots, CANDIDATES);
      cpuUs += ((figures.cpuUs ?? 0) * pairs.length) / exchanges;
      p50s.push(figures.p50Ms ?? Number.NaN);
    }
    return { cpuUs, p50Ms: percentile(p50s, 0.5) };
  }

  /** What the first frame costs more than the second. */
  async twice(): Promise<Figures> {
    const first = await this.#measured(this.#firsts(), 1);
    const second = await this.#measured(this.#firsts(), 1);
    return {
      asleepUs: first.cpuUs ?? Number.NaN,
      asleepMs: first.p50Ms ?? Number.NaN,
      awakeUs: second.cpuUs ?? Number.NaN,
      awakeMs: second.p50Ms ?? Number.NaN,
    };
  }

  obey(command: ScaleCommand): Promise<Figures> {
    switch (command.type) {
      case "messages":
        return this.messages(command.frames, command.inFlight);
      case "candidates":
        return this.candidates(command.exchanges);
      case "twice":
        return this.twice();
      case "wake":
        return this.wake();
    }
  }
}

const tell = (news: ScaleNews): void => {
  process.send?.(news);
};

// As a program only: bench/scale-load.ts imports the types.
if (import.meta.main) {
  // Whoever started it is gone: nobody would hear the rest.
  process.once("disconnect", () => process.exit());
  const [plan = "", pid] = process.argv.slice(2);
  const scene = await Scene.of(JSON.parse(plan) as ScenePlan, (n) => arrived(n));
  const turns = new Turns(scene.sessions, Number(pid));
  process.on("message", async (command) => {
    tell({ type: "done", figures: await turns.obey(command as ScaleCommand) });
  });
  tell({ type: "ready" });
}
