import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { stopTree } from "../../scripts/processes.ts";
import type { Backend } from "./caller.ts";
import { guard } from "./watchdog.ts";

/** The example media server as a process, and its invitations. */

const MAIN = fileURLToPath(new URL("../../examples/media-server/main.ts", import.meta.url));

export interface MediaServer {
  /** Where it takes invitations. */
  readonly url: string;
  readonly log: () => string;
  /** As a crash: nobody is told. */
  readonly kill: () => Promise<void>;
  /** As an operator: it drains. */
  readonly stop: () => Promise<void>;
}

const READY_MS = 20_000;

export async function startMediaServer(...args: string[]): Promise<MediaServer> {
  const child = spawn(process.execPath, [MAIN, "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the media server could not be started");
  guard(pid);
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += String(chunk);
  });
  const port = await listeningPort(child, (line) => {
    log += `${line}\n`;
  });
  const end = async (signal: "SIGKILL" | "SIGTERM"): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 15_000))]);
    await stopTree(pid, 1000);
  };
  return {
    url: `http://127.0.0.1:${port}/`,
    log: () => log,
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
  };
}

async function listeningPort(child: ChildProcess, heard: (line: string) => void): Promise<number> {
  const { stdout } = child;
  if (!stdout) throw new Error("no output");
  const lines = createInterface({ input: stdout });
  const found = new Promise<number>((resolve, reject) => {
    lines.on("line", (line) => {
      heard(line);
      const port = /"event":"listening".*"port":(\d+)/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.once("exit", (code) => reject(new Error(`the media server ended with code ${code}`)));
    setTimeout(() => reject(new Error("no media server in time")), READY_MS).unref();
  });
  return found;
}

/** Asks a media server into a session; `invitation` when it has been there before. */
export async function inviteMediaServer(
  server: MediaServer,
  backend: Backend,
  invitation?: object,
): Promise<object> {
  const body = invitation ?? (await backend.invite({ role: "media-server" }));
  const response = await fetch(server.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.status !== 202) throw new Error(`invitation: ${response.status}`);
  return body;
}
