import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { stopTree } from "../../scripts/processes.ts";
import { guard } from "./watchdog.ts";

/** The application server of the examples, with the pages of a folder. */
export interface ExampleServer {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const LIMIT_MS = 15_000;

export async function startExample(folder: string, baseUrl: string): Promise<ExampleServer> {
  const program = fileURLToPath(new URL("../../examples/back-end.js", import.meta.url));
  const child = spawn(process.execPath, [program, folder], {
    env: { ...process.env, DUPLEX_URL: baseUrl, DUPLEX_KEY: "dev-key", PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = child.pid ?? 0;
  guard(pid);
  const stop = (): Promise<void> => stopTree(pid);
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("the example does not start")), LIMIT_MS);
    createInterface({ input: child.stdout }).once("line", (line) => {
      clearTimeout(late);
      resolve(line);
    });
  });
  return { url, stop };
}
