// What the checklist of a deployment looks at: files, git, the account.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { experimental_readRawConfig } from "wrangler";
import {
  environmentComplaints,
  movedBelow,
  type Settings,
  settingsIn,
} from "./deploy-environment.ts";
import type { Deployment, Secrets } from "./deployment.ts";
import { run } from "./processes.ts";
import { WRANGLER, wranglerEnv } from "./wrangler.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const ASK_LIMIT_MS = 60_000;
const GIT_LIMIT_MS = 30_000;

/** What the user can put right; said in one line, without a stack. */
export class Refusal extends Error {}

export interface Options {
  readonly environment?: string;
  readonly secretsFile?: string;
  readonly dryRun: boolean;
}

const settingsAt = (path: string): Settings =>
  experimental_readRawConfig({ config: path }).rawConfig as Settings;

const environments = (): readonly string[] =>
  readdirSync(join(root, "environments"))
    .filter((name) => name.endsWith(".toml"))
    .map((name) => name.replace(/\.toml$/, ""));

interface Chosen {
  readonly settings: Settings;
  readonly complaints: readonly string[];
  /** What wrangler is to read. */
  readonly file: string;
}

/** The configuration of an environment, or of wrangler.toml itself without one. */
export function choose(environment: string | undefined): Chosen {
  const shared = settingsAt(join(root, "wrangler.toml"));
  if (environment === undefined) {
    return { settings: shared, complaints: [], file: join(root, "wrangler.toml") };
  }
  if (!environments().includes(environment)) {
    throw new Refusal(
      `--env: there is no environments/${environment}.toml; there are ${environments().join(", ")}`,
    );
  }
  const own = settingsAt(join(root, "environments", `${environment}.toml`));
  const settings = settingsIn(environment, shared, own);
  const folder = join(root, ".wrangler", "environments");
  const file = join(folder, `${environment}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(movedBelow(settings, "../../"), null, 2)}\n`);
  return { settings, complaints: environmentComplaints(environment, own), file };
}

/** `{"API_KEYS": "…"}` or lines of `API_KEYS=…`, as wrangler takes them. */
function readSecrets(path: string | undefined): Readonly<Record<string, string>> {
  if (path === undefined) return {};
  if (!existsSync(path)) throw new Refusal(`--secrets-file: there is no ${path}`);
  const text = readFileSync(path, "utf8");
  const found: Record<string, unknown> = text.trimStart().startsWith("{")
    ? JSON.parse(text)
    : parseEnv(text);
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, String(value)]));
}

export const wrangler = (args: readonly string[], limitMs: number) =>
  run(process.execPath, [WRANGLER, ...args], { cwd: root, env: wranglerEnv(), limitMs });

/** What the answer of `wrangler secret list` says. */
export function secretsIn(code: number, output: string): Secrets {
  if (code === 0) {
    // Warnings may stand before it.
    const start = output.search(/^\[(?:\s*$|\]|\{)/m);
    const list = JSON.parse(output.slice(start)) as readonly { name: string }[];
    return { kind: "named", names: list.map(({ name }) => name) };
  }
  if (/\b10007\b|not found/i.test(output)) return { kind: "no-worker" };
  if (
    /CLOUDFLARE_API_TOKEN environment variable|wrangler login|not (logged in|authenticated)/i.test(
      output,
    )
  ) {
    return { kind: "not-logged-in" };
  }
  const [why = "no answer"] = output.split("\n").filter((line) => line.includes("ERROR"));
  return { kind: "refused", why: why.trim() };
}

async function askForSecrets(name: string): Promise<Secrets> {
  const { code, output } = await wrangler(
    ["secret", "list", "--format", "json", "--name", name],
    ASK_LIMIT_MS,
  );
  return secretsIn(code, output);
}

const git = async (...args: string[]): Promise<string | undefined> => {
  const { code, output } = await run("git", args, { cwd: root, limitMs: GIT_LIMIT_MS });
  return code === 0 ? output : undefined;
};

const uncommitted = async (): Promise<readonly string[] | undefined> =>
  (await git("status", "--porcelain"))
    ?.split("\n")
    .map((line) => line.slice(3))
    .filter((line) => line !== "");

/** Every class that a commit of wrangler.toml declared. */
const formerClasses = async (): Promise<readonly string[]> => {
  const history = (await git("log", "--format=", "-p", "--", "wrangler.toml")) ?? "";
  const declared = [...history.matchAll(/^[+]\[exports\.(\w+)\]/gm)].map(([, name = ""]) => name);
  return [...new Set(declared)];
};

/** `export { SessionObject } from "../durable-objects/session-object.ts";` */
export const classesIn = (index: string): readonly string[] =>
  [...index.matchAll(/^export \{([^}]+)\} from "\.\.\/durable-objects\//gm)].flatMap(
    ([, names = ""]) => names.split(",").map((name) => name.trim()),
  );

const json = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));

const filesBuilt = (): readonly string[] => {
  const folder = join(root, "dist", "web");
  return existsSync(folder) ? readdirSync(folder) : [];
};

/** Refuses what cannot be meant, before anything slow. */
export function checkOptions({ environment, secretsFile }: Options): void {
  choose(environment);
  readSecrets(secretsFile);
}

/** Looks at everything; only `askForSecrets` leaves the machine, and not in a dry run. */
export async function factsOf(options: Options): Promise<Deployment & { readonly file: string }> {
  const { settings, complaints, file } = choose(options.environment);
  const changed = await uncommitted();
  return {
    file,
    settings,
    ofEnvironment: complaints,
    classes: classesIn(readFileSync(join(root, "src", "index.ts"), "utf8")),
    formerClasses: await formerClasses(),
    secrets: options.dryRun ? { kind: "not-asked" } : await askForSecrets(settings.name ?? ""),
    secretsFile: readSecrets(options.secretsFile),
    built: filesBuilt(),
    ...(changed && { uncommitted: changed }),
    wrangler: {
      installed: json("node_modules/wrangler/package.json").version,
      wanted: json("package.json").devDependencies.wrangler,
    },
    today: new Date().toISOString().slice(0, 10),
    inBuilds: process.env.WORKERS_CI === "1",
  };
}
