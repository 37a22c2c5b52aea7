import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ProcessId, processTree, run, stopTree } from "../scripts/processes.ts";
import {
  type Bundle,
  duplexWorker,
  miniflareOfWrangler,
  type PlainWorker,
  plainWorker,
} from "./worker-bundle.ts";

/** Servers that are measured, each in a process of its own below this one. */
export interface BenchServer {
  readonly name: string;
  /** With a slash at the end. */
  readonly baseUrl: string;
  /** Of the process whose tree is measured: workerd, or Node. */
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

const isWorkerd = ({ pid }: ProcessId): boolean => {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "workerd";
  } catch {
    return false;
  }
};

const workerds = (): number[] =>
  processTree(process.pid)
    .filter(isWorkerd)
    .map(({ pid }) => pid);

/** Starts one after another: which workerd is whose is seen by which one is new. */
let starting: Promise<unknown> = Promise.resolve();

function inTurn<T>(start: () => Promise<T>): Promise<T> {
  const next = starting.then(start, start);
  starting = next.catch(() => undefined);
  return next;
}

/** On bare workerd as miniflare starts it, without the proxy and the tracing of `wrangler dev`. */
async function startInMiniflare(
  name: string,
  worker: object,
  folder: string,
  inspector = false,
): Promise<BenchServer & { readonly inspectorUrl?: string }> {
  const { Miniflare, convertV4MiniflareOptions } = miniflareOfWrangler();
  const before = workerds();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      resourcePersistencePath: folder,
      workers: [worker],
      ...(inspector && { inspectorPort: 0 }),
    }),
  );
  const { href } = await miniflare.ready;
  const pid = workerds().find((one) => !before.includes(one));
  if (pid === undefined) throw new Error("workerd does not run below this process");
  const stop = () => miniflare.dispose();
  const inspectorUrl = inspector ? (await miniflare.getInspectorURL()).href : undefined;
  return { name, baseUrl: href, pid, stop, ...(inspectorUrl && { inspectorUrl }) };
}

/** Starts the Worker of this checkout with its storage in a folder. */
export const startDuplex = (
  folder: string,
  about: Omit<Bundle, "entry"> = {},
): Promise<BenchServer> =>
  inTurn(async () => startInMiniflare("Duplex", await duplexWorker(about), folder));

/** The same with names left as they are, and workerd's inspector open at `inspectorUrl`. */
export const startProfiled = (folder: string, about: Omit<Bundle, "entry"> = {}) =>
  inTurn(async () => {
    const worker = await duplexWorker({ ...about, readable: true });
    return startInMiniflare("Duplex", worker, folder, true);
  });

/** Bundles a Worker and starts it, with its storage in a folder or in one that goes with it. */
export const startWorker = (worker: PlainWorker & { folder?: string }): Promise<BenchServer> =>
  inTurn(async () => {
    const own = worker.folder === undefined ? mkdtempSync(join(tmpdir(), "bench-")) : undefined;
    const folder = worker.folder ?? own ?? "";
    const server = await startInMiniflare(worker.name, await plainWorker(worker), folder);
    const stop = async (): Promise<void> => {
      await server.stop();
      if (own !== undefined) rmSync(own, { recursive: true, force: true });
    };
    return { ...server, stop };
  });

export interface Program {
  readonly name: string;
  /** Absolute, or relative to bench/. */
  readonly file: string;
  readonly args?: readonly string[];
}

const READY = /Ready on (http:\/\/\S+)/;
const READY_MS = 20_000;

/** Starts a Node program that prints `Ready on http://127.0.0.1:PORT/` once it can be asked. */
export async function startProgram({ name, file, args = [] }: Program): Promise<BenchServer> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} did not start`);
  const kill = (): boolean => child.kill();
  process.once("exit", kill);
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    await stopTree(pid);
  };
  const baseUrl = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${name} is not ready`)), READY_MS);
    child.once("exit", (code) => reject(new Error(`${name} ended with code ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, url] = READY.exec(line) ?? [];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    });
  }).catch(async (fault: unknown) => {
    await stop();
    throw fault;
  });
  return { name, baseUrl, pid, stop };
}

const PEERS = fileURLToPath(new URL("peers/", import.meta.url));

/** Installs what the benches compare with into bench/peers, when it is not there. */
export async function ensurePeers(): Promise<void> {
  if (existsSync(join(PEERS, "node_modules", ".package-lock.json"))) return;
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { code, output } = await run("npm", args, { cwd: PEERS, limitMs: 300_000 });
  if (code !== 0) throw new Error(`bench/peers could not be installed: ${output}`);
}

/** `peer 1.0.2`: the version of a peer that is installed. */
export function peerVersion(name: string): string {
  const path = join(PEERS, "node_modules", name, "package.json");
  return `${name} ${(JSON.parse(readFileSync(path, "utf8")) as { version: string }).version}`;
}
