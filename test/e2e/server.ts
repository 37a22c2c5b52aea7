import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { VARIABLES } from "../../protocol/config.ts";
import { type ProcessId, processTree, stillRunning, stopTree } from "../../scripts/processes.ts";
import { GUARD } from "../../scripts/steps.ts";
import { secretLines } from "../secret-patterns.ts";
import { guard } from "./watchdog.ts";

export interface Server {
  /** With a slash at the end. */
  readonly baseUrl: string;
  readonly processes: () => ProcessId[];
  /** What it wrote: to stdout, and to stderr. */
  readonly output: () => string;
  readonly complaints: () => string;
  /**
   * SIGTERM, as a supervisor does; gives what is left of its processes, which should be none. Throws when there was
   * SDP, a candidate, an address, a token or a secret in what it wrote (A4).
   */
  readonly stop: () => Promise<ProcessId[]>;
}

export interface ServerOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly readyLimitMs: number;
}

/** The environment of the tests without the developer's configuration and without traces of `npm test`. */
const plainEnv = (): NodeJS.ProcessEnv => {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("npm_") && !name.startsWith("VITEST") && name !== "NODE_OPTIONS",
  );
  const unset = VARIABLES.map((name) => [name, ""] as const);
  return { ...Object.fromEntries(kept), ...Object.fromEntries(unset), NODE_ENV: "", [GUARD]: "1" };
};

const collect = (stream: NodeJS.ReadableStream | null): (() => string) => {
  let text = "";
  stream?.on("data", (chunk) => {
    text += String(chunk);
  });
  return () => text;
};

const readyUrl = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = /^Ready on (http:\S+\/)$/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  });

/** Where servers of tests listen: they say so themselves. */
const LISTENED_ON = ["127.0.0.1", "0.0.0.0", "[::1]"];

/** Variables whose values are secrets, several separated by commas. */
const SECRETS = [
  ...["API_KEYS", "TOKEN_SECRETS", "TURN_SECRETS", "CLOUDFLARE_TURN_API_TOKEN"],
  "WEBHOOK_SECRETS",
];

const SHORTEST_SECRET = 8;

/** Every line that the server wrote is a log line (A4). */
function expectNoSecrets(written: string, env: Readonly<Record<string, string>>): void {
  const networks = [...(env.ASSISTANCE_NETWORKS ?? "").matchAll(/"clientSecret":"([^"]+)"/g)];
  const secrets = SECRETS.flatMap((name) => (env[name] ?? "").split(","))
    .concat(networks.map(([, secret = ""]) => secret))
    .map((secret) => secret.trim())
    .filter((secret) => secret.length >= SHORTEST_SECRET);
  const found = secretLines(written, LISTENED_ON, secrets);
  if (found.length > 0) throw new Error(`[A4] in the log of the server:\n${found.join("\n")}`);
}

/** Starts the server as a user would and waits for its `Ready on` line. */
export const startServer = async (options: ServerOptions): Promise<Server> => {
  const child = spawn(options.file, options.args, {
    cwd: options.cwd,
    env: { ...plainEnv(), HOST: "", PORT: "0", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${options.file} could not be started`);
  guard(pid);
  const output = collect(child.stdout);
  const complaints = collect(child.stderr);
  const processes = (): ProcessId[] => processTree(pid);
  let timer: NodeJS.Timeout | undefined;
  const baseUrl = await new Promise<string>((resolve, reject) => {
    const failed = (why: string): void =>
      reject(new Error(`${why}\n${output()}${complaints()}`.trim()));
    timer = setTimeout(() => failed("no server in time"), options.readyLimitMs);
    child.once("error", (fault) => failed(fault.message));
    child.once("exit", (code) => failed(`the server ended with code ${code}`));
    void readyUrl(child).then(resolve);
  }).catch(async (fault) => {
    await stopTree(pid);
    throw fault;
  });
  clearTimeout(timer);
  const stop = async (): Promise<ProcessId[]> => {
    const tree = processes();
    child.kill("SIGTERM");
    await new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve();
      else child.once("exit", () => resolve());
      setTimeout(resolve, 20_000).unref();
    });
    const left = stillRunning(tree);
    await Promise.all(left.map((one) => stopTree(one.pid, 2_000)));
    expectNoSecrets(`${output()}\n${complaints()}`, options.env);
    return left;
  };
  return { baseUrl, processes, output, complaints, stop };
};
