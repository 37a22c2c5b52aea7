import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stopTree } from "../scripts/processes.ts";
import type { Bench, BenchOptions, Outcome, Table } from "./bench.ts";
import type { LoadNews, LoadPlan, MinuteOfCalls, Totals } from "./load-generator.ts";
import {
  growthPerMinute,
  machineSeconds,
  processorSeconds,
  residentBytes,
  type Sample,
} from "./process-samples.ts";
import { percentile } from "./rounds.ts";
import { type BenchServer, startDuplex } from "./servers.ts";
import { KEYS } from "./worker-bundle.ts";

/**
 * A server full of idle peers on which calls are set up all the time: nothing may fail, nobody may be lost, and
 * memory must stay where it is.
 */

const SESSIONS = 2000;
const CALLS_PER_MINUTE = 200;
const MINUTES = 10;
const SAMPLE_MS = 10_000;

/** Of the time, what counts as warm-up: objects fall asleep, the heap finds its size. */
const WARM_UP = 0.3;
/** Over the rest memory may grow by this part of itself: what the collector leaves lying about varies by that. */
const FLAT = 0.05;

const MB = 1_000_000;
const generator = fileURLToPath(new URL("load-generator.ts", import.meta.url));

/** What was seen, minute by minute, and in the end. */
interface Seen {
  readonly emptyBytes: number;
  readonly rampMs: number;
  readonly samples: readonly Sample[];
  readonly minutes: readonly (MinuteOfCalls & Used)[];
  readonly total: Totals;
}

/** Processor seconds of a minute. */
interface Used {
  readonly server: number;
  readonly load: number;
  /** Whatever else ran on the machine. */
  readonly others: number;
  readonly ms: number;
}

/** Runs the load against a server and watches the process of the server. */
class Watch {
  readonly #server: BenchServer;
  readonly #child: ChildProcess;
  readonly #ms: number;
  readonly #samples: Sample[] = [];
  readonly #minutes: (MinuteOfCalls & Used)[] = [];
  readonly #emptyBytes: number;
  #began = 0;
  #rampMs = 0;
  #used = { server: 0, load: 0, machine: 0, at: 0 };
  #timer: NodeJS.Timeout | undefined;

  constructor(server: BenchServer, plan: LoadPlan) {
    this.#server = server;
    this.#ms = plan.ms;
    this.#emptyBytes = residentBytes(server.pid);
    this.#child = spawn(process.execPath, [generator, JSON.stringify(plan)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
  }

  async seen(): Promise<Seen> {
    try {
      const total = await new Promise<Totals>((resolve, reject) => {
        this.#child.on("message", (news) => {
          const { type } = news as LoadNews;
          this.#take(news as LoadNews);
          if (type === "end") resolve((news as Extract<LoadNews, { type: "end" }>).total);
        });
        this.#child.once("exit", (code) => reject(new Error(`the load ended with code ${code}`)));
      });
      const [emptyBytes, rampMs] = [this.#emptyBytes, this.#rampMs];
      return { emptyBytes, rampMs, samples: this.#samples, minutes: this.#minutes, total };
    } finally {
      clearInterval(this.#timer);
      if (this.#child.pid !== undefined) await stopTree(this.#child.pid);
    }
  }

  #take(news: LoadNews): void {
    if (news.type === "ready") {
      this.#rampMs = news.rampMs;
      this.#began = performance.now();
      this.#used = this.#usedSoFar();
      this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
      this.#sample();
    }
    if (news.type === "minute") this.#minutes.push({ ...news.minute, ...this.#usedSince() });
  }

  #sample(): void {
    // After its time come the last calls and the messages that wake everybody: not the load that is measured.
    if (performance.now() - this.#began > this.#ms) return;
    const bytes = residentBytes(this.#server.pid);
    this.#samples.push({ ms: performance.now() - this.#began, bytes });
  }

  #usedSoFar() {
    return {
      server: processorSeconds(this.#server.pid),
      load: processorSeconds(this.#child.pid ?? 0),
      machine: machineSeconds(),
      at: performance.now(),
    };
  }

  #usedSince(): Used {
    const before = this.#used;
    this.#used = this.#usedSoFar();
    const now = this.#used;
    const [server, load] = [now.server - before.server, now.load - before.load];
    const others = now.machine - before.machine - server - load;
    return { server, load, others, ms: now.at - before.at };
  }
}

const megabytes = (bytes: number): string => (bytes / MB).toFixed(0);

function tableOf({ samples, minutes }: Seen): Table {
  return {
    head: [
      "minute",
      "memory, MB",
      "highest, MB",
      "cores of the server",
      "cores of the load",
      "cores of others",
      "calls",
      "set-up p50, ms",
      "p99, ms",
      "pings answered",
    ],
    rows: minutes.map(({ calls, setUpMs, pings, server, load, others, ms }, index) => {
      const bytes = samples
        .filter((sample) => Math.floor(sample.ms / 60_000) === index)
        .map((sample) => sample.bytes);
      return [
        String(index + 1),
        megabytes(percentile(bytes, 0.5)),
        megabytes(Math.max(...bytes)),
        ((server * 1000) / ms).toFixed(2),
        ((load * 1000) / ms).toFixed(2),
        ((others * 1000) / ms).toFixed(2),
        String(calls),
        percentile(setUpMs, 0.5).toFixed(0),
        percentile(setUpMs, 0.99).toFixed(0),
        String(pings),
      ];
    }),
  };
}

/** By how much memory grew after the warm-up, in all, as a part of itself; and per minute. */
function growthOf(samples: readonly Sample[], ms: number) {
  const warm = samples.filter((sample) => sample.ms >= ms * WARM_UP);
  const perMinute = growthPerMinute(warm);
  const level = percentile(
    warm.map(({ bytes }) => bytes),
    0.5,
  );
  return { perMinute, level, part: (perMinute * (ms / 60_000) * (1 - WARM_UP)) / level };
}

function expectHeld({ total, samples, minutes }: Seen, plan: LoadPlan): void {
  const { failures, lost, woken } = total;
  const peers = plan.sessions * 2;
  const calls = minutes.reduce((sum, minute) => sum + minute.calls, 0);
  const wanted = Math.round((plan.ms / 60_000) * plan.callsPerMinute);
  const { part, perMinute } = growthOf(samples, plan.ms);
  const wrong = [
    ...new Set(failures),
    ...(lost > 0 ? [`${lost} idle peers were lost`] : []),
    ...(woken < peers ? [`${peers - woken} of ${peers} idle peers could not be woken`] : []),
    ...(calls < wanted ? [`${calls} of ${wanted} calls were set up`] : []),
    ...(part > FLAT ? [`memory grows by ${megabytes(perMinute)} MB a minute`] : []),
  ];
  if (wrong.length > 0) throw new Error(`the load was not held: ${wrong.slice(0, 8).join("; ")}`);
}

function aboutOf(seen: Seen, plan: LoadPlan): readonly string[] {
  const { perMinute, level, part } = growthOf(seen.samples, plan.ms);
  const peers = plan.sessions * 2;
  const each = (level - seen.emptyBytes) / peers / 1000;
  return [
    `${plan.sessions} sessions with two idle peers each, which ping every 25 s, and ${plan.callsPerMinute} calls a minute set up besides`,
    `them for ${plan.ms / 60_000} minutes: session, two joins, offer, answer, candidates of both with descriptions of Chromium,`,
    "both report their pair, the four flows are read as active, a re-offer holds two of them, one leaves, the session",
    "is ended and is gone; each step is checked, every text byte for byte. The Worker of this checkout runs in workerd",
    "as miniflare starts it, its storage on disk; the peers run in another process on the same cores. Set-up is from",
    "the request for the session until both ends have reported; others on the machine make it longer.",
    "",
    `0 failures, 0 idle peers lost; at the end each of the ${peers} got a message of its mate. They joined in`,
    `${(seen.rampMs / 1000).toFixed(0)} s. workerd began with ${megabytes(seen.emptyBytes)} MB and is at ${megabytes(level)} MB, ${each.toFixed(0)} kB per idle peer with its half of a session.`,
    `After the first ${WARM_UP * 100} % of the time memory grew by ${(perMinute / MB).toFixed(1)} MB a minute, ${(part * 100).toFixed(1)} % in all (flat is at most ${FLAT * 100} %).`,
  ];
}

/** Problem: an `Error` that names what the server did not hold. */
async function measure({ minutes = MINUTES, sessions = SESSIONS }: BenchOptions): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "duplex-load-"));
  try {
    const server = await startDuplex(folder);
    const plan: LoadPlan = {
      baseUrl: server.baseUrl,
      keys: KEYS,
      sessions,
      callsPerMinute: CALLS_PER_MINUTE,
      ms: minutes * 60_000,
    };
    try {
      const seen = await new Watch(server, plan).seen();
      const table = tableOf(seen);
      console.log(table.rows.map((row) => row.join("\t")).join("\n"));
      expectHeld(seen, plan);
      return { tables: [table], about: aboutOf(seen, plan), raw: seen };
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const load: Bench = {
  name: "load",
  title: "Many idle peers, and calls that are set up",
  run: measure,
};
