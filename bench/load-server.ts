import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { type ProcessId, processTree } from "../scripts/processes.ts";

/** The Worker as `wrangler.toml` has it, in workerd, without the proxy and the tracing of `wrangler dev`. */

const root = fileURLToPath(new URL("..", import.meta.url));
const CONFIGURATION = fileURLToPath(new URL("../wrangler.toml", import.meta.url));

/** One address asks for everything here: what limits clients must not limit the bench. */
const NO_LIMIT = 1_000_000_000;

/** Keys of the bench: sessions are counted per key. */
export const KEYS: readonly string[] = Array.from({ length: 8 }, (_none, n) => `bench-key-${n}`);

export interface LoadServer {
  /** With a slash at the end. */
  readonly baseUrl: string;
  /** The workerd process. */
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

async function bundled(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["src/index.ts"],
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    loader: { ".html": "text" },
    minify: true,
    write: false,
  });
  const [file] = outputFiles;
  if (!file) throw new Error("the Worker could not be built");
  return file.text;
}

/** Of the configuration what the load meets: objects and limits. Pages need no Worker. */
function workerOptions(script: string): object {
  const { workerOptions: configured } = unstable_getMiniflareWorkerOptions(CONFIGURATION);
  const { durableObjects = {}, ratelimits = {}, compatibilityDate } = configured;
  return {
    name: "duplex",
    modules: [{ type: "ESModule", path: "index.mjs", contents: script }],
    compatibilityDate,
    durableObjects,
    ratelimits: Object.fromEntries(
      Object.keys(ratelimits as object).map((name, index) => [
        name,
        { namespace_id: String(index + 1), simple: { limit: NO_LIMIT, period: 60 } },
      ]),
    ),
    bindings: {
      API_KEYS: KEYS.join(","),
      TOKEN_SECRETS: "secret-of-the-bench-that-is-long-enough",
      TURN_URLS: "turn:127.0.0.1:3478?transport=udp",
      TURN_SECRETS: "turn-secret",
    },
  };
}

/** What is used of miniflare. */
interface MiniflareModule {
  readonly Miniflare: new (
    options: object,
  ) => { readonly ready: Promise<URL>; dispose(): Promise<void> };
  /** From options as wrangler gives them. */
  convertV4MiniflareOptions(options: object): object;
}

/** wrangler brings miniflare along, of the version that `npm start` runs. */
function miniflareOfWrangler(): MiniflareModule {
  const wrangler = createRequire(import.meta.url).resolve("wrangler");
  return createRequire(wrangler)("miniflare") as MiniflareModule;
}

const isWorkerd = ({ pid }: ProcessId): boolean =>
  readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "workerd";

/** Starts the server with its storage in a folder. */
export async function startLoadServer(folder: string): Promise<LoadServer> {
  const { Miniflare, convertV4MiniflareOptions } = miniflareOfWrangler();
  const options = {
    host: "127.0.0.1",
    port: 0,
    cf: false,
    resourcePersistencePath: folder,
    workers: [workerOptions(await bundled())],
  };
  const miniflare = new Miniflare(convertV4MiniflareOptions(options));
  const { href } = await miniflare.ready;
  const workerd = processTree(process.pid).find(isWorkerd);
  if (!workerd) throw new Error("workerd does not run below this process");
  return { baseUrl: href, pid: workerd.pid, stop: () => miniflare.dispose() };
}
