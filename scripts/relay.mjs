// Installs if needed, then runs a script of this folder on a modern Node and passes signals on to it.
import { spawn } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { ensureInstalled, modernNode, root } from "./install.mjs";

const STOP_LIMIT_MS = 20_000;
const PARENT_CHECK_MS = 100;

/** npm's shell dies of a signal without passing it on; the change of parent tells. */
const onOrphaned = (stop) => {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const check = () => {
    if (process.ppid !== parent) stop("SIGTERM");
  };
  setInterval(check, PARENT_CHECK_MS).unref();
};

const run = (script, args, cwd) =>
  new Promise((resolve, reject) => {
    const bin = join(root, "node_modules", ".bin");
    const node = modernNode();
    // The channel tells the script that we are gone, however we went.
    const child = spawn(node, [join(root, "scripts", script), ...args], {
      cwd,
      stdio: ["inherit", "inherit", "inherit", "ipc"],
      env: { ...process.env, PATH: [bin, dirname(node), process.env.PATH].join(delimiter) },
    });
    let stopping = false;
    const stop = (signal) => {
      child.kill(signal);
      if (stopping) return;
      stopping = true;
      setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS).unref();
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(signal));
    onOrphaned(stop);
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });

export const relay = async (script, args = [], cwd = root) => {
  try {
    await ensureInstalled();
    process.exitCode = await run(script, args, cwd);
  } catch (fault) {
    process.stderr.write(`${fault instanceof Error ? fault.message : fault}\n`);
    process.exitCode = 1;
  }
  // Signal handlers and the timers of this file must not keep us.
  process.exit();
};
