// `npm start` after the installation: checks the configuration, builds, runs `wrangler dev`.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readConfig } from "../protocol/config.ts";
import { ConfigError } from "../protocol/config-values.ts";
import { build } from "./build.ts";
import { devVars, type Vars, writeEnvFile } from "./dev-env.ts";
import { processTree, stillRunning } from "./processes.ts";
import { NotStarted, startWrangler, urlOf } from "./wrangler.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const DEFAULT_PORT = 8787;
const PATIENCE_MS = 2_000;

/** What the user can put right; said in one line, without a stack. */
class Refusal extends Error {}

/** What may be over in a moment: a server that was just told to stop may still be at it. */
class Busy extends Refusal {}

const readPort = (value: string | undefined): number => {
  const port = value === undefined || value === "" ? DEFAULT_PORT : Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Refusal(`PORT: ${value} is not a port number (0 to 65535)`);
};

const patiently = async <T>(attempt: () => Promise<T>): Promise<T> => {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (fault) {
      if (!(fault instanceof Busy) || Date.now() > end) throw fault;
      await delay(100);
    }
  }
};

/** Asked before anything slow, and in one line: wrangler would find out late and at length. */
const checkAddress = (host: string, port: number): Promise<void> =>
  new Promise((done, reject) => {
    const probe = createServer();
    probe.once("error", (fault: NodeJS.ErrnoException) => {
      const where = `${host}:${port}`;
      if (fault.code === "EADDRINUSE") {
        reject(new Busy(`PORT: ${where} is in use; stop what listens there or set another PORT`));
      } else {
        reject(new Refusal(`HOST, PORT: cannot listen on ${where} (${fault.code})`));
      }
    });
    probe.listen(port, host, () => probe.close(() => done()));
  });

const checkConfiguration = (vars: Vars): void => {
  try {
    readConfig(vars);
  } catch (fault) {
    if (fault instanceof ConfigError) throw new Refusal(fault.message);
    throw fault;
  }
};

/** The owner's process, so that a second server of this checkout does not share its database files. */
const isTaken = (owner: string): boolean => {
  try {
    return stillRunning([JSON.parse(readFileSync(owner, "utf8"))]).length > 0;
  } catch {
    return false;
  }
};

interface State {
  readonly folder: string;
  readonly release: () => void;
}

const take = (folder: string, isTemporary: boolean): State => {
  const owner = join(folder, "owner.json");
  mkdirSync(folder, { recursive: true });
  writeFileSync(owner, JSON.stringify(processTree(process.pid)[0]));
  const release = () => rmSync(isTemporary ? folder : owner, { recursive: true, force: true });
  return { folder, release };
};

const claimState = async (port: number): Promise<State> => {
  const chosen = process.env.DUPLEX_STATE ?? "";
  const folder = chosen === "" ? join(root, ".wrangler", "state") : resolve(chosen);
  const claim = async (): Promise<State> => {
    if (isTaken(join(folder, "owner.json"))) {
      throw new Busy(`DUPLEX_STATE: another server uses ${folder}`);
    }
    return take(folder, false);
  };
  if (chosen !== "") return patiently(claim);
  return patiently(claim).catch((fault: unknown) => {
    if (!(fault instanceof Busy)) throw fault;
    const own = `${folder}-${port === 0 ? process.pid : port}`;
    const place = relative(root, own);
    process.stderr.write(
      `Another server of this checkout runs: this one keeps its state in ${place}\n`,
    );
    return take(own, port === 0);
  });
};

const warnIfReachable = (host: string, vars: Vars): void => {
  const isLoopback = /^(127\.|::1$|localhost$)/.test(host);
  if (isLoopback || vars.LOCAL_DEV !== "true") return;
  process.stderr.write(
    `dev-key is valid for everybody who can reach ${host}; LOCAL_DEV=false ends that\n`,
  );
};

/** Aborted when somebody wants us to end: a signal, or the process that started us is gone. */
const stopRequest = (): AbortSignal => {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"]) {
    process.on(name, () => stop.abort());
  }
  return stop.signal;
};

const runServer = async (host: string, port: number, vars: Vars, stop: AbortSignal) => {
  const state = await claimState(port);
  const env = writeEnvFile(root, vars);
  try {
    const options = { host, port, envFile: env.path, stateFolder: state.folder };
    const server = await startWrangler(options, stop);
    console.log(`Ready on ${urlOf(host, server.port)}`);
    const code = await server.ended;
    if (!stop.aborted) throw new Refusal(`wrangler ended by itself with code ${code}`);
  } finally {
    env.remove();
    state.release();
  }
};

const serve = async (stop: AbortSignal): Promise<void> => {
  const host = process.env.HOST || "127.0.0.1";
  const port = readPort(process.env.PORT);
  const vars = devVars(root, process.env);
  checkConfiguration(vars);
  await patiently(() => checkAddress(host, port));
  await build("web");
  warnIfReachable(host, vars);
  if (!stop.aborted) await runServer(host, port, vars, stop);
};

const explain = (fault: unknown): string => {
  if (fault instanceof Refusal || fault instanceof NotStarted) return fault.message;
  return fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
};

const stop = stopRequest();
try {
  await serve(stop);
} catch (fault) {
  if (!stop.aborted) {
    process.stderr.write(`${explain(fault)}\n`);
    process.exitCode = 1;
  }
}
// The channel to the process that started us would keep us.
process.exit();
