import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { unstable_getMiniflareWorkerOptions } from "wrangler";

/** Workers as miniflare takes them: the one of this checkout as `wrangler.toml` has it, and those it is compared with. */

const root = fileURLToPath(new URL("..", import.meta.url));
const CONFIGURATION = fileURLToPath(new URL("../wrangler.toml", import.meta.url));

/** One address asks for everything here: what limits clients must not limit the bench. */
const NO_LIMIT = 1_000_000_000;

/** Keys of the bench: sessions are counted per key. */
export const KEYS: readonly string[] = Array.from({ length: 8 }, (_none, n) => `bench-key-${n}`);

/** Values of `LIMITS` (protocol/limits.ts) that a bench has otherwise, by name. */
export type RaisedLimits = Readonly<Record<string, number>>;

/** Puts other values into protocol/limits.ts while it is bundled: the code that looks at them stays what it is. */
const raising = (limits: RaisedLimits): Plugin => ({
  name: "raised-limits",
  setup: ({ onLoad }) => {
    onLoad({ filter: /protocol\/limits\.ts$/ }, ({ path }) => {
      const text = Object.entries(limits).reduce(
        (source, [name, value]) => {
          const raised = source.replace(
            new RegExp(`^  ${name}: [\\d_]+,$`, "m"),
            `  ${name}: ${value},`,
          );
          if (raised === source) throw new Error(`protocol/limits.ts has no ${name}`);
          return raised;
        },
        readFileSync(path, "utf8"),
      );
      return { contents: text, loader: "ts" };
    });
  },
});

export interface Bundle {
  /** Relative to the project. */
  readonly entry: string;
  readonly limits?: RaisedLimits;
  /** Leaves names as they are, for profiles. */
  readonly readable?: boolean;
}

async function bundled({ entry, limits, readable = false }: Bundle): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    loader: { ".html": "text" },
    minify: !readable,
    plugins: limits ? [raising(limits)] : [],
    write: false,
  });
  const [file] = outputFiles;
  if (!file) throw new Error(`${entry} could not be built`);
  return file.text;
}

const configured = () => unstable_getMiniflareWorkerOptions(CONFIGURATION).workerOptions;

const asModules = (...scripts: readonly (readonly [path: string, contents: string])[]): object => ({
  modules: scripts.map(([path, contents]) => ({ type: "ESModule", path, contents })),
  compatibilityDate: configured().compatibilityDate,
});

const asModule = (script: string): object => asModules(["index.mjs", script]);

/**
 * The Worker with rate limits that count nothing. The platform counts them in the memory of its machines; miniflare has an
 * object with a row for each count in their place, which would be measured together with the Worker.
 */
const limitless = (names: readonly string[]): string => `
  import worker from "./worker.mjs";
  export * from "./worker.mjs";
  const unlimited = { limit: async () => ({ success: true }) };
  const limits = Object.fromEntries(${JSON.stringify(names)}.map((name) => [name, unlimited]));
  // The same object each time: the Worker remembers by it what it has read of the configuration.
  let bindings;
  export default {
    fetch(request, env, context) {
      bindings ??= { ...env, ...limits };
      return worker.fetch(request, bindings, context);
    },
  };
`;

/** Of the configuration what a load meets: objects and rate limits. Pages need no Worker. */
export async function duplexWorker(about: Omit<Bundle, "entry"> = {}): Promise<object> {
  const { durableObjects = {}, ratelimits = {} } = configured();
  return {
    name: "duplex",
    ...asModules(
      ["index.mjs", limitless(Object.keys(ratelimits as object))],
      ["worker.mjs", await bundled({ entry: "src/index.ts", ...about })],
    ),
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

export interface PlainWorker {
  readonly name: string;
  /** Relative to the project. */
  readonly entry: string;
  /** Binding and class; each has its storage in SQLite. */
  readonly durableObjects: Readonly<Record<string, string>>;
}

export async function plainWorker({ name, entry, durableObjects }: PlainWorker): Promise<object> {
  return {
    name,
    ...asModule(await bundled({ entry })),
    durableObjects: Object.fromEntries(
      Object.entries(durableObjects).map(([binding, className]) => [
        binding,
        { className, useSQLite: true },
      ]),
    ),
  };
}

/** What is used of miniflare. */
interface MiniflareModule {
  readonly Miniflare: new (
    options: object,
  ) => {
    readonly ready: Promise<URL>;
    getInspectorURL(): Promise<URL>;
    dispose(): Promise<void>;
  };
  /** From options as wrangler gives them. */
  convertV4MiniflareOptions(options: object): object;
}

const requireOfWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler"));

/** wrangler brings miniflare along, of the version that `npm start` runs. */
export const miniflareOfWrangler = (): MiniflareModule =>
  requireOfWrangler("miniflare") as MiniflareModule;

/** Version of the workerd that miniflare starts. */
export const workerdVersion = (): string => {
  const requireOfMiniflare = createRequire(requireOfWrangler.resolve("miniflare"));
  const path = requireOfMiniflare.resolve("workerd/package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
};
