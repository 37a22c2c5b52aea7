import {
  type BrowserContext,
  type Browser as Chromium,
  chromium,
  type Page,
} from "playwright-core";
import { toolPath } from "../../scripts/tools.ts";
import { CHROMIUM_FLAGS } from "./browsers.ts";

export type Theme = "light" | "dark";

export const THEMES: readonly Theme[] = ["light", "dark"];

/** A desktop, and the narrowest phone in common use. */
export const WIDTHS = { desktop: 1280, phone: 360 } as const;

export type Device = keyof typeof WIDTHS;

export const DEVICES = Object.keys(WIDTHS) as Device[];

const HEIGHTS: Readonly<Record<Device, number>> = { desktop: 800, phone: 740 };

/** What a page asked for and what went wrong in it. */
export interface Witness {
  /** Addresses of all requests and sockets, but for `data:`. */
  readonly requests: string[];
  /** Errors and warnings of its console, and what its scripts threw. */
  readonly complaints: string[];
}

export interface OpenOptions {
  /** Session storage, set before any script of the page runs. */
  readonly stored?: Readonly<Record<string, string>>;
  /** The other side of a call: it is not the page that is looked at. */
  readonly isExtra?: boolean;
}

/** A browser whose cameras take five pictures a second: more would be work for nobody. */
export const launchForScenes = (): Promise<Chromium> =>
  chromium.launch({
    executablePath: toolPath("chromium"),
    args: [...CHROMIUM_FLAGS, "--use-fake-device-for-media-stream=fps=5"],
  });

let addresses = 0;

/** The pages of one scene, each with a browser context of its own; all end with `close`. */
export class Stage {
  readonly baseUrl: string;
  readonly #browser: Chromium;
  readonly #contexts: BrowserContext[] = [];
  readonly #endings: (() => void)[] = [];
  readonly witness: Witness = { requests: [], complaints: [] };

  constructor(browser: Chromium, baseUrl: string) {
    this.#browser = browser;
    this.baseUrl = baseUrl;
  }

  async open(path: string, { stored = {}, isExtra = false }: OpenOptions = {}): Promise<Page> {
    addresses += 1;
    const context = await this.#browser.newContext({
      viewport: { width: WIDTHS.desktop, height: HEIGHTS.desktop },
      permissions: ["clipboard-read", "clipboard-write"],
      reducedMotion: isExtra ? null : "reduce",
      // What is open to everybody is counted per address.
      extraHTTPHeaders: { "cf-connecting-ip": `203.0.113.${addresses % 250}` },
    });
    this.#contexts.push(context);
    const page = await context.newPage();
    this.#watch(page);
    await page.addInitScript((items) => {
      for (const [name, value] of Object.entries(items)) sessionStorage.setItem(name, value);
    }, stored);
    await page.goto(new URL(path, this.baseUrl).href);
    return page;
  }

  #watch(page: Page): void {
    const { requests, complaints } = this.witness;
    page.on("request", (request) => {
      if (!request.url().startsWith("data:")) requests.push(request.url());
    });
    page.on("websocket", (socket) => requests.push(socket.url()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (line) => {
      if (["error", "warning"].includes(line.type())) complaints.push(line.text());
    });
  }

  /** Something else that belongs to the scene, such as peers without a page; ended with it. */
  onClose(end: () => void): void {
    this.#endings.push(end);
  }

  async close(): Promise<void> {
    await Promise.all(this.#contexts.map((context) => context.close()));
    for (const end of this.#endings) end();
  }
}

/** Shows a page as this device does with this theme, once it has settled. */
export async function present(page: Page, theme: Theme, device: Device): Promise<void> {
  await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
  await page.setViewportSize({ width: WIDTHS[device], height: HEIGHTS[device] });
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
}
