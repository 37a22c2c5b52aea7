import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stopTree } from "../../scripts/processes.ts";
import { guard } from "./watchdog.ts";

/** A fenced block of a document, and the file it is to be saved as where the words before it name one. */
export interface Block {
  readonly language: string;
  readonly text: string;
  readonly file?: string;
}

/** All fenced blocks in order. `... the page, `my-call/page.html`:` names the file of the block after it. */
export function blocksOf(document: string): readonly Block[] {
  const blocks = document.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm);
  return [...blocks].map(({ 1: language = "", 2: text = "", index }) => {
    const before = document.slice(0, index).trimEnd();
    const file = /`([\w./-]+)`:$/.exec(before)?.[1];
    return file === undefined ? { language, text } : { language, text, file };
  });
}

export interface Shell {
  /** Runs a block and gives what it printed; rejects when a command of it fails. */
  readonly run: (block: string, limitMs?: number) => Promise<string>;
  /** Ends it and all that was started in it. */
  readonly stop: () => Promise<void>;
}

const LIMIT_MS = 30_000;

/** One shell for all blocks of a document, as its reader has one: variables and background programs stay. */
export function openShell(cwd: string, env: NodeJS.ProcessEnv): Shell {
  // A group of its own: what it started in the background outlives it when a command fails.
  const child = spawn("bash", ["--norc", "-s"], {
    cwd,
    env,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("no bash");
  guard(pid);
  let output = "";
  let complaints = "";
  let heard = (): void => undefined;
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
    heard();
  });
  child.stderr.on("data", (chunk) => {
    complaints += String(chunk);
  });
  child.on("exit", () => heard());
  // As a person who stops at the first command that fails.
  child.stdin.write("set -eo pipefail\n");
  let count = 0;
  const run = (block: string, limitMs = LIMIT_MS): Promise<string> => {
    count += 1;
    const mark = `block-${count}-ended`;
    output = "";
    complaints = "";
    child.stdin.write(`${block}\nprintf '\\n%s\\n' ${mark}\n`);
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer);
        reject(new Error(`${why}\n${block}\n${output}${complaints}`));
      };
      const timer = setTimeout(() => fail("took too long"), limitMs);
      heard = () => {
        if (child.exitCode !== null) return fail("ended here");
        const printed = output.split(`\n${mark}\n`);
        if (printed.length < 2) return;
        clearTimeout(timer);
        // curl is content with whatever a server answers.
        if (/"status":\s*[45]\d\d\b/.test(output)) fail("was refused");
        else resolve(printed[0] ?? "");
      };
    });
  };
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await stopTree(pid);
    try {
      process.kill(-pid, "SIGTERM");
    } catch {
      // Nothing of it is left.
    }
  };
  return { run, stop };
}

/** Saves a block where the document says. */
export function save(folder: string, file: string, text: string): void {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
