import { copyFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle, stop as stopBundler } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { type Browser, launchChromium, type Page } from "./browsers.ts";
import { Backend, until } from "./caller.ts";
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

/** Two pages that see each other. */
async function meet(url: string): Promise<[Page, Page]> {
  const pages = await Promise.all([browser.open(`${url}#blue`), browser.open(`${url}#blue`)]);
  for (const page of pages) {
    await until("the page can join", () => shows(page, "join"));
    await press(page, "join");
  }
  for (const page of pages) {
    await until("both see each other", async () => (await moving(page)) === 2);
  }
  return pages as [Page, Page];
}

/** When one leaves the other sees it. */
async function part([one, two]: readonly [Page, Page]): Promise<void> {
  await press(one, "leave");
  await until("the other page has only itself", async () => (await moving(two)) === 1);
  await until("who left can join again", () => shows(one, "join"));
  await Promise.all([one.close(), two.close()]);
}

/** The React example as a bundler that splits makes it. */
async function bundleReact(): Promise<string[]> {
  const { metafile } = await bundle({
    entryPoints: [join(root, "examples", "react", "call.tsx")],
    alias: { duplex: join(root, "client", "duplex.ts") },
    bundle: true,
    splitting: true,
    format: "esm",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"development"' },
    outdir: folder,
    metafile: true,
  });
  await stopBundler();
  copyFileSync(join(root, "examples", "react", "index.html"), join(folder, "index.html"));
  return Object.keys(metafile.outputs);
}

/** Stands before the example's server and keeps the part that measures to itself until `release`. */
async function slowly(target: string) {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let session = "";
  const proxy = createServer(async ({ method = "GET", url = "/" }, response) => {
    if (url.includes("flow-duties")) await released;
    const answer = await fetch(new URL(url, target), { method });
    const body = await answer.text();
    if (url.startsWith("/invite")) session = /sessions\/([^/]+)\//.exec(body)?.[1] ?? "";
    const type = answer.headers.get("content-type") ?? "text/plain";
    response.writeHead(answer.status, { "content-type": type }).end(body);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    release,
    session: () => session,
    stop: () => proxy.close(),
  };
}

describe("the examples", () => {
  it("[M16] two pages in plain JavaScript hold a call", async () => {
    server = await startExample(join(root, "examples", "plain-js"), baseUrl);
    await part(await meet(server.url));
  });

  it("[M16] two pages in React hold a call, with the SDK in files that are loaded when they are needed", async () => {
    expect((await bundleReact()).some((path) => path.includes("flow-duties"))).toBe(true);
    server = await startExample(folder, baseUrl);
    await part(await meet(server.url));
  });

  it("[M16] a call does not wait for what measures it, which makes up for it when it comes", async () => {
    await bundleReact();
    server = await startExample(folder, baseUrl);
    const slow = await slowly(server.url);
    try {
      const pages = await meet(slow.url);
      const backend = new Backend(baseUrl, slow.session());
      const tuples = async (): Promise<number> => {
        const { transports } = await backend.flows();
        return transports.flatMap(({ fiveTuples }) => fiveTuples).length;
      };
      expect(await tuples()).toBe(0);
      slow.release();
      await until("both sides have told their pair", async () => (await tuples()) >= 2);
      await part(pages);
    } finally {
      slow.stop();
    }
  });
});
