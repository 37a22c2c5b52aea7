import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stopTree } from "../scripts/processes.ts";
import { residentBytes } from "./process-samples.ts";
import type { Figures } from "./rounds.ts";
import type { ScaleCommand, ScaleNews } from "./scale-generator.ts";
import type { ScenePlan } from "./scale-scene.ts";
import { type BenchServer, startDuplex } from "./servers.ts";

const generator = fileURLToPath(new URL("scale-generator.ts", import.meta.url));

type Plan = Omit<ScenePlan, "baseUrl">;

/** A server and a process full of peers that are connected to it. */
export class ScaleLoad {
  readonly #server: BenchServer;
  readonly #child: ChildProcess;

  private constructor(server: BenchServer, child: ChildProcess) {
    this.#server = server;
    this.#child = child;
  }

  static async connect(server: BenchServer, plan: Plan): Promise<ScaleLoad> {
    const scene: ScenePlan = { ...plan, baseUrl: server.baseUrl };
    const args = [generator, JSON.stringify(scene), String(server.pid)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const load = new ScaleLoad(server, child);
    try {
      await load.#news();
    } catch (fault) {
      await load.stop();
      throw fault;
    }
    return load;
  }

  /** Bytes of the server that are in memory. */
  get bytes(): number {
    return residentBytes(this.#server.pid);
  }

  async measure(command: ScaleCommand): Promise<Figures> {
    this.#child.send(command);
    const news = await this.#news();
    return news.type === "done" ? news.figures : {};
  }

  async stop(): Promise<void> {
    if (this.#child.pid !== undefined) await stopTree(this.#child.pid);
  }

  #news(): Promise<ScaleNews> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void =>
        reject(new Error(`the peers ended with code ${code}`));
      this.#child.once("exit", ended);
      this.#child.once("message", (news) => {
        this.#child.off("exit", ended);
        resolve(news as ScaleNews);
      });
    });
  }
}

/** The bursts are larger than what a client may send. */
const LIMITS = { messagesPerSecond: 1_000_000_000, messageBurst: 1_000_000_000 };

/** What is open, and is to be closed at the end whatever comes. */
export class Opened {
  readonly #stops: (() => Promise<void> | void)[] = [];

  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), "duplex-scale-"));
    this.#stops.push(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  async server(server: Promise<BenchServer>): Promise<BenchServer> {
    const started = await server;
    this.#stops.push(started.stop);
    return started;
  }

  duplex(): Promise<BenchServer> {
    return this.server(startDuplex(this.folder(), { limits: LIMITS }));
  }

  async load(server: BenchServer, plan: Plan): Promise<ScaleLoad> {
    const load = await ScaleLoad.connect(server, plan);
    this.#stops.push(() => load.stop());
    return load;
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
  }
}

/** Whatever `act` opens is closed after it. */
export async function opening<T>(act: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = new Opened();
  try {
    return await act(opened);
  } finally {
    await opened.close();
  }
}
