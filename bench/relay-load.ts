import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stopTree } from "../scripts/processes.ts";
import { processorMicroseconds } from "./process-samples.ts";
import type { Dialect } from "./relay-frames.ts";
import {
  type Burst,
  quantilesOf,
  type RelayCommand,
  type RelayNews,
  type RelayPlan,
} from "./relay-generator.ts";
import type { Figures } from "./rounds.ts";
import type { BenchServer } from "./servers.ts";
import { KEYS } from "./worker-bundle.ts";

const generator = fileURLToPath(new URL("relay-generator.ts", import.meta.url));

/** In which a server can collect what exchanges left behind, or frames would seem to cost it. */
const REST_MS = 300;

/** What a measurement sends: bursts, each after a new exchange where the frames are candidates. */
export interface RelayScenario extends Burst {
  readonly bursts: number;
}

/** A server with its generator: lines that are open all the time. */
export class RelayLoad {
  readonly #server: BenchServer;
  readonly #child: ChildProcess;

  private constructor(server: BenchServer, child: ChildProcess) {
    this.#server = server;
    this.#child = child;
  }

  static async connect(server: BenchServer, dialect: Dialect, lines: number): Promise<RelayLoad> {
    const plan: RelayPlan = { dialect, baseUrl: server.baseUrl, keys: KEYS, lines };
    const child = spawn(process.execPath, [generator, JSON.stringify(plan)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const load = new RelayLoad(server, child);
    await load.#news();
    return load;
  }

  /**
   * Processor time of the server per frame, and how long frames took. One burst comes before, to wake everybody.
   * `watched` is put around each of the others.
   */
  async measure(
    { bursts, ...burst }: RelayScenario,
    watched: <T>(act: () => Promise<T>) => Promise<T> = (act) => act(),
  ): Promise<Figures> {
    const latenciesMs: number[] = [];
    let micros = 0;
    for (let n = -1; n < bursts; n++) {
      if (burst.kind === "candidates") {
        await this.#tell({ type: "renew", lines: burst.lines });
        await delay(REST_MS);
      }
      const before = processorMicroseconds(this.#server.pid);
      const act = () => this.#tell({ type: "burst", burst });
      const done = await (n < 0 ? act() : watched(act));
      if (n < 0) continue;
      micros += processorMicroseconds(this.#server.pid) - before;
      latenciesMs.push(...(done.latenciesMs ?? []));
    }
    return { cpuUs: micros / latenciesMs.length, ...quantilesOf(latenciesMs) };
  }

  async stop(): Promise<void> {
    if (this.#child.pid !== undefined) await stopTree(this.#child.pid);
  }

  #tell(command: RelayCommand): Promise<RelayNews> {
    this.#child.send(command);
    return this.#news();
  }

  #news(): Promise<RelayNews> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`the generator ended with ${code}`));
      this.#child.once("exit", ended);
      this.#child.once("message", (news) => {
        this.#child.off("exit", ended);
        resolve(news as RelayNews);
      });
    });
  }
}
