import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type ProcessId, processTree, stopTree } from "./processes.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
export const WRANGLER = join(root, "node_modules", "wrangler", "bin", "wrangler.js");

const READY_LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 15_000;
const STOP_LIMIT_MS = 8_000;

/** No question, no call home, nothing in the user's folders, no trace of each event in a database. */
export const wranglerEnv = (): NodeJS.ProcessEnv => ({
  ...process.env,
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  CLOUDFLARE_INCLUDE_PROCESS_ENV: "false",
  FORCE_COLOR: "0",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_LOG_PATH: join(root, ".wrangler", "logs"),
  WRANGLER_NO_SKILLS_UPDATE_PROMPTS: "true",
  WRANGLER_REGISTRY_PATH: join(root, ".wrangler", "registry"),
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_SEND_METRICS: "false",
  X_LOCAL_EXPLORER: "false",
  X_LOCAL_OBSERVABILITY: "false",
});

export interface DevServer {
  readonly port: number;
  /** Settles with wrangler's exit code when it has ended and nothing of its tree is left. */
  readonly ended: Promise<number>;
}

export interface DevOptions {
  readonly host: string;
  readonly port: number;
  readonly envFile: string;
  readonly stateFolder: string;
}

const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

/** What wrangler says about itself, as opposed to what the Worker writes to its console. */
const isChatter = (line: string): boolean =>
  /wrangler\/(templates\/middleware|tmp\/bundle)/.test(line) ||
  /^\[wrangler:(info|inf|debug)\]|^⎔|^🪵|^Using secrets defined in|^Your Worker has access|^env\.|^Binding {2,}Resource/u.test(
    line,
  );

/** wrangler waits for the sources to be mended; a start does not. */
const isFatal = (line: string): boolean =>
  /^✘ \[ERROR\] (Build failed|Your Worker|.*Uncaught)/.test(line);

interface Streams {
  /** Settles some time after the Worker was seen to be broken. */
  readonly broken: Promise<void>;
  /** From now on the Worker speaks: its lines go to our stderr. */
  readonly open: () => void;
  readonly heldBack: () => string;
}

const readStreams = (child: ChildProcess): Streams => {
  const held: string[] = [];
  let isOpen = false;
  let tellBroken: () => void = () => undefined;
  const broken = new Promise<void>((resolve) => {
    tellBroken = resolve;
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      const plain = line.replaceAll(COLOUR, "");
      if (plain.trim() === "" || isChatter(plain)) return;
      if (isOpen) process.stderr.write(`${process.stderr.isTTY ? line : plain}\n`);
      else held.push(plain);
      // The lines that follow say what is broken.
      if (isFatal(plain)) setTimeout(tellBroken, 500);
    });
  }
  return {
    broken,
    open: () => {
      isOpen = true;
    },
    heldBack: () => held.join("\n"),
  };
};

const portOf = (message: unknown): number | undefined => {
  if (typeof message !== "string") return undefined;
  const { event, port } = JSON.parse(message);
  return event === "DEV_SERVER_READY" && typeof port === "number" ? port : undefined;
};

const spawnWrangler = ({ host, port, envFile, stateFolder }: DevOptions): ChildProcess => {
  const follow = new URL("follow-parent.mjs", import.meta.url).href;
  const dev = ["dev", "--ip", host, "--port", String(port), "--env-file", envFile];
  const rest = ["--persist-to", stateFolder, "--show-interactive-dev-session=false"];
  // Port 0: any free one, so that two servers do not fight for the inspector's.
  return spawn(
    process.execPath,
    ["--import", follow, WRANGLER, ...dev, ...rest, "--inspector-port", "0"],
    { cwd: root, env: wranglerEnv(), stdio: ["ignore", "pipe", "pipe", "ipc"] },
  );
};

/** Why there is no server, with what wrangler or the Worker said about it. */
export class NotStarted extends Error {}

/** An address that can be called, for one that is listened on; IPv6 in brackets. */
export const urlOf = (host: string, port: number): string =>
  `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;

/** wrangler is ready before the Worker has been loaded, and queues requests until it is. */
const firstAnswer = async (host: string, port: number): Promise<void> => {
  const called = host === "0.0.0.0" ? "127.0.0.1" : host.replace(/^::$/, "::1");
  const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
  const answer = await fetch(new URL("healthz", urlOf(called, port)), { signal });
  await answer.arrayBuffer();
};

const portGiven = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    child.on("message", (message) => {
      const port = portOf(message);
      if (port !== undefined) resolve(port);
    });
  });

/**
 * Starts `wrangler dev` and waits until the Worker answers; throws `NotStarted` when it does not. It
 * is stopped by `signal`.
 */
export const startWrangler = async (
  options: DevOptions,
  signal: AbortSignal,
): Promise<DevServer> => {
  const child = spawnWrangler(options);
  const { pid } = child;
  if (pid === undefined) throw new NotStarted("wrangler could not be started");
  const streams = readStreams(child);
  let below: ProcessId[] = [];
  const stop = (): Promise<void> => stopTree(pid, STOP_LIMIT_MS, below);
  signal.addEventListener("abort", () => void stop());
  // `close`, not `exit`: the last lines must have been read.
  const closed = new Promise<number>((resolve) => {
    child.on("close", (code) => resolve(code ?? 1));
  });
  const ended = closed.then(async (code) => {
    await stop();
    return code;
  });
  const started = async (): Promise<number> => {
    const port = await portGiven(child);
    await firstAnswer(options.host, port);
    below = processTree(pid);
    return port;
  };
  try {
    const limit = delay(READY_LIMIT_MS, undefined, { ref: false });
    const port = await Promise.race([
      started(),
      ended.then(() => undefined),
      streams.broken.then(() => undefined),
      limit,
    ]);
    if (port === undefined) throw new Error("no answer");
    streams.open();
    return { port, ended };
  } catch {
    await stop();
    throw new NotStarted(`The Worker did not start.\n${streams.heldBack()}`.trim());
  }
};
