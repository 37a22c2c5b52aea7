import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { DEV_KEY, VARIABLES } from "../protocol/config.ts";
import { stopTree } from "../scripts/processes.ts";
import { Application, ServerTrouble } from "./application.ts";

const SERVE = fileURLToPath(new URL("../scripts/serve.ts", import.meta.url));
const READY_MS = 60_000;

export interface OwnServer {
  readonly application: Application;
  readonly stop: () => Promise<void>;
}

/** A Duplex server for one run: as `npm start` has it, on a free port and with nothing kept. */
export async function startDuplex(): Promise<OwnServer> {
  const state = mkdtempSync(join(tmpdir(), "duplex-kit-"));
  const unset = VARIABLES.map((name) => [name, ""] as const);
  const child = spawn(process.execPath, [SERVE], {
    env: {
      ...process.env,
      ...Object.fromEntries(unset),
      HOST: "127.0.0.1",
      PORT: "0",
      DUPLEX_STATE: state,
    },
    // The channel tells it when we are gone, however we went.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const { pid } = child;
  if (pid === undefined) throw new ServerTrouble("The Duplex server could not be started.");
  const stop = async () => {
    await stopTree(pid);
    rmSync(state, { recursive: true, force: true });
  };
  try {
    return { application: new Application(await readyUrl(child), DEV_KEY), stop };
  } catch (fault) {
    await stop();
    throw fault;
  }
}

function readyUrl(child: ChildProcess): Promise<string> {
  let complaints = "";
  child.stderr?.on("data", (chunk) => {
    complaints += String(chunk);
  });
  return new Promise((resolve, reject) => {
    const failed = (why: string) => reject(new ServerTrouble(`${why}\n${complaints}`.trim()));
    const timer = setTimeout(() => failed("The Duplex server did not start in time."), READY_MS);
    child.once("exit", (code) => {
      clearTimeout(timer);
      failed(`The Duplex server ended with code ${code}.`);
    });
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = /^Ready on (http:\S+\/)$/.exec(line)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}
