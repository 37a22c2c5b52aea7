import { readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Flow } from "../../protocol/flow.ts";
import { run } from "../../scripts/processes.ts";
import { toolPath } from "../../scripts/tools.ts";
import { CHROMIUM_FLAGS } from "./browsers.ts";
import { until } from "./caller.ts";
import { type Block, blocksOf, openShell, type Shell, save } from "./document-shell.ts";
import { type Server, startServer } from "./server.ts";
import { temporaryFolder } from "./watchdog.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Five minutes are promised; a machine that runs other tests as well may take twice as long. */
const START_LIMIT_MS = 5 * 60_000;
const LIMIT_MS = 10 * 60_000;

/** As somebody has it who cloned the repository: their own Node and npm, nothing of ours in PATH. */
const theirPath = (process.env.PATH ?? "")
  .split(":")
  .filter((folder) => !folder.includes("node_modules"))
  .join(":");

let folder: string;
let clone: string;
let browser: Browser;
let server: Server | undefined;
let shell: Shell | undefined;

beforeAll(async () => {
  folder = temporaryFolder("get-started");
  clone = join(folder, "duplex");
  const args = ["clone", "--quiet", "--no-hardlinks", root, clone];
  expect((await run(toolPath("git"), args, { limitMs: 60_000 })).code).toBe(0);
  browser = await chromium.launch({
    executablePath: toolPath("chromium"),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  await browser.close();
  await shell?.stop();
  const left = await server?.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(left).toEqual([]);
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

const tab = async (url: string): Promise<Page> => {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  await page.goto(url);
  return page;
};

/** A picture that is not one's own, and moves. */
const seesTheOther = (page: Page): Promise<void> =>
  until("a picture", () =>
    page.evaluate(() => {
      const own = (window as { duplexDemo?: { session?: { peer: { id: string } } } }).duplexDemo;
      return [...document.querySelectorAll("video")].some(
        (video) =>
          (own === undefined || video.dataset.peer !== own.session?.peer.id) &&
          video.videoWidth > 0 &&
          video.currentTime > 0.5,
      );
    }),
  );

const press = (page: Page, name: string) => page.getByRole("button", { name }).first().click();

describe("docs/get-started.md, followed in a clone", () => {
  it(
    "[M19] has a call in two tabs, a page of one's own, its flows: by its commands as they stand there",
    async () => {
      const page = readFileSync(join(root, "docs", "get-started.md"), "utf8");
      const blocks = blocksOf(page);
      expect(blocks.map(({ language, file }) => file ?? language)).toEqual([
        "sh",
        "sh",
        "my-call/back-end.mjs",
        "my-call/page.html",
        "sh",
        "sh",
        "sh",
        "sh",
      ]);
      const [first, create, backEnd, ownPage, ...rest] = blocks as [Block, Block, Block, Block];
      const [open, flows, hold, end] = rest as unknown as [Block, Block, Block, Block];

      // 1. Start the server: any free port, as the text lets one choose.
      server = await startServer({
        file: "bash",
        args: ["-c", first.text],
        cwd: clone,
        env: { PATH: theirPath },
        readyLimitMs: START_LIMIT_MS,
      });
      const { port } = new URL(server.baseUrl);
      const ownPort = String(await freePort());
      const here = (text: string): string =>
        text.replaceAll("8787", port).replaceAll("3000", ownPort);
      expect(page.match(/\b127\.0\.0\.1:\d+/g)?.every((one) => /:(8787|3000)$/.test(one))).toBe(
        true,
      );

      // 2. Call yourself.
      const a = await tab(server.baseUrl);
      await press(a, "Start a call");
      await press(a, "Copy link");
      await a.getByText("Link copied").waitFor();
      const link = await a.evaluate(() => navigator.clipboard.readText());
      const b = await tab(link);
      await press(b, "Join the call");
      await Promise.all([seesTheOther(a), seesTheOther(b)]);
      await until("flows in the table", async () => {
        return (await a.locator('[data-flow][data-state="active"]').count()) === 4;
      });
      await press(a, "Hold");
      await a.locator('[data-flow][data-state="held"]').waitFor();

      // 4. Your own page.
      shell = openShell(clone, { ...process.env, PATH: theirPath });
      const id = (await shell.run(here(create.text))).trim();
      for (const { file, text } of [backEnd, ownPage]) save(clone, file ?? "", here(text));
      await shell.run(here(open.text));
      const own = `http://127.0.0.1:${ownPort}/`;
      await until("the page is served", () =>
        fetch(own).then(
          ({ ok }) => ok,
          () => false,
        ),
      );
      const pages = await Promise.all([tab(own), tab(own)]);
      await Promise.all(pages.map(seesTheOther));

      // 5. Ask who sends what.
      const active = async () =>
        (JSON.parse(await shell!.run(here(flows.text))) as { flows: Flow[] }).flows;
      await until("four active flows", async () => (await active()).length === 4);
      const kinds = (await active()).map(({ kind }) => kind).toSorted();
      expect(kinds).toEqual(["audio", "audio", "video", "video"]);
      expect(JSON.parse(await shell.run(here(hold.text)))).toMatchObject({ state: "held" });
      await shell.run(here(end.text));
      expect((await fetch(`${server.baseUrl}v1/sessions/${id}`)).ok).toBe(false);
    },
    LIMIT_MS,
  );
});
