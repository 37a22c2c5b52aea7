import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle, stop as stopBundler } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { type Browser, launchChromium, type Page } from "./browsers.ts";
import { until } from "./caller.ts";
import { type ExampleServer, startExample } from "./example-server.ts";
import { temporaryFolder } from "./watchdog.ts";

/** The examples as somebody runs them: their own server, their own pages, a Duplex server elsewhere. */

const baseUrl = inject("baseUrl");
const root = fileURLToPath(new URL("../..", import.meta.url));

let browser: Browser;
let folder: string;
let server: ExampleServer | undefined;

beforeAll(async () => {
  folder = temporaryFolder("example");
  browser = await launchChromium();
});

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

const press = (page: Page, id: string): Promise<void> =>
  page.evaluate((button) => document.getElementById(button)?.click(), id);

const shows = (page: Page, id: string): Promise<boolean> =>
  page.evaluate((name) => {
    const button = document.getElementById(name) as HTMLButtonElement | null;
    return button !== null && !button.disabled;
  }, id);

/** How many videos of a page have a picture of their own time. */
const moving = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const videos = [...document.querySelectorAll("video")];
    return videos.filter((video) => video.videoWidth > 0 && video.currentTime > 0.3).length;
  }, null);

/** Two pages call each other; when one leaves the other sees it. */
async function talk(url: string): Promise<void> {
  const pages = await Promise.all([browser.open(`${url}#blue`), browser.open(`${url}#blue`)]);
  const [one, two] = pages as [Page, Page];
  for (const page of pages) {
    await until("the page can join", () => shows(page, "join"));
    await press(page, "join");
  }
  for (const page of pages) {
    await until("both see each other", async () => (await moving(page)) === 2);
  }
  await press(one, "leave");
  await until("the other page has only itself", async () => (await moving(two)) === 1);
  await until("who left can join again", () => shows(one, "join"));
  await Promise.all(pages.map((page) => page.close()));
}

describe("the examples", () => {
  it("[M16] two pages in plain JavaScript hold a call", async () => {
    server = await startExample(join(root, "examples", "plain-js"), baseUrl);
    await talk(server.url);
  });

  it("[M16] two pages in React hold a call, with the SDK in files that are loaded when they are needed", async () => {
    const { outputFiles = [] } = await bundle({
      entryPoints: [join(root, "examples", "react", "call.tsx")],
      alias: { duplex: join(root, "client", "duplex.ts") },
      bundle: true,
      splitting: true,
      format: "esm",
      jsx: "automatic",
      define: { "process.env.NODE_ENV": '"development"' },
      outdir: folder,
      write: true,
      metafile: true,
    }).then(({ metafile }) => ({ outputFiles: Object.keys(metafile?.outputs ?? {}) }));
    await stopBundler();
    expect(outputFiles.some((path) => path.includes("flow-duties"))).toBe(true);
    copyFileSync(join(root, "examples", "react", "index.html"), join(folder, "index.html"));
    server = await startExample(folder, baseUrl);
    await talk(server.url);
  });
});
