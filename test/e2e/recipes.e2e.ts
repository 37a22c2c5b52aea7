import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { blocksOf, openShell } from "./document-shell.ts";
import { type MediaServer, startMediaServer } from "./media-server.ts";
import { temporaryFolder } from "./watchdog.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const recipes = join(root, "docs", "recipes");
const server = new URL(inject("baseUrl")).host;

let folder: string;
let mediaServer: MediaServer;

beforeAll(async () => {
  folder = temporaryFolder("recipes");
  mediaServer = await startMediaServer();
});

afterAll(async () => {
  await mediaServer.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The addresses of this run for those of the text. */
const here = (text: string): string =>
  text
    .replaceAll("127.0.0.1:8787", server)
    .replaceAll("127.0.0.1:8790", new URL(mediaServer.url).host);

/** Blocks that are run by others, each with who does. All other blocks are run here. */
const RUN_ELSEWHERE = [
  // beforeAll: it goes on until it is stopped.
  "npm run media-server\n",
  // package.e2e.ts installs the package.
  "npm install ./duplex-0.1.0.tgz && npm uninstall peerjs\n",
];

const shellBlocks = (name: string): readonly string[] =>
  blocksOf(readFileSync(join(recipes, name), "utf8"))
    .filter(({ language }) => language === "sh")
    .map(({ text }) => text)
    .filter((text) => !RUN_ELSEWHERE.includes(text));

/** What the last word of a recipe's blocks has to be, by a part of the block. */
const ANSWERS: readonly (readonly [recipe: string, part: string, says: RegExp])[] = [
  ["one-to-one.md", "peers -H", /mesh\s*$/],
  ["one-to-one.md", "signalling", /duplex\.v1/],
  [
    "group-call.md",
    "sleep 1",
    /"role":"media-server".*"state":"connected"|"state":"connected".*"role":"media-server"/s,
  ],
  ["whip-ingest.md", "OPTIONS", /application\/sdp/i],
  ["swap.md", "service-access", /swapEndpoints/],
  ["who-talked.md", "state=ended", /\n0\s*$/],
  ["failed-call.md", "sdp/check", /[1-9]\d*\s*$/],
];

describe("the recipes, by their commands as they stand there", () => {
  const names = readdirSync(recipes).filter((name) => name.endsWith(".md"));

  it.each(names)("[M19] %s", async (name) => {
    const cwd = join(folder, name);
    mkdirSync(cwd);
    symlinkSync(join(root, "web"), join(cwd, "web"));
    const shell = openShell(cwd, { ...process.env });
    const answers = ANSWERS.filter(([recipe]) => recipe === name);
    const said = new Set<string>();
    try {
      for (const block of shellBlocks(name)) {
        const output = await shell.run(here(block));
        for (const [, part, says] of answers.filter(([, one]) => block.includes(one))) {
          said.add(part);
          expect(output).toMatch(says);
        }
      }
      expect(said.size).toBe(answers.length);
      // Nothing is left lying about.
      expect(readdirSync(cwd)).toEqual(["web"]);
    } finally {
      await shell.stop();
    }
  });

  it("[M19] fail where a command fails, or where a server refuses", async () => {
    const shell = openShell(folder, { ...process.env });
    const refused = `curl -s http://${server}/v1/sessions/none -H 'authorization: Bearer dev-key'`;
    await expect(shell.run(refused)).rejects.toThrow("was refused");
    await expect(shell.run("false")).rejects.toThrow("ended here");
    await shell.stop();
  });
});
