import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { stopTree } from "../../scripts/processes.ts";
import { toolPath } from "../../scripts/tools.ts";
import { guard } from "./watchdog.ts";

export type BrowserName = "chromium" | "firefox";

/** What both drivers can do, as far as the tests need it. */
export interface Page {
  readonly browser: BrowserName;
  /** Runs a function in the page; it sees its argument only. A promise is awaited. */
  readonly evaluate: <R, A>(act: (argument: A) => R | Promise<R>, argument: A) => Promise<R>;
  readonly goto: (url: string) => Promise<void>;
  readonly screenshot: (path: `${string}.png`) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface Browser {
  readonly name: BrowserName;
  /** A page of its own context: no storage is shared with other pages. */
  readonly open: (url: string) => Promise<Page>;
  readonly close: () => Promise<void>;
}

const LAUNCH_LIMIT_MS = 60_000;

export const CHROMIUM_FLAGS: readonly string[] = [
  "--no-sandbox",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--allow-loopback-in-peer-connection",
  // mDNS names of host candidates resolve nowhere in a container.
  "--disable-features=WebRtcHideLocalIpsWithMdns",
  "--autoplay-policy=no-user-gesture-required",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** `program` stands for the browser's own, such as one that starts it in another network. */
export const launchChromium = async ({
  program = toolPath("chromium"),
  flags = [],
}: {
  program?: string;
  flags?: readonly string[];
} = {}): Promise<Browser> => {
  const browser = await chromium.launch({
    executablePath: program,
    args: [...CHROMIUM_FLAGS, ...flags],
    timeout: LAUNCH_LIMIT_MS,
  });
  const open = async (url: string): Promise<Page> => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(url);
    return {
      browser: "chromium",
      // The driver's own types allow handles as arguments, ours do not.
      evaluate: (act, argument) =>
        page.evaluate(act as (argument: unknown) => unknown, argument as unknown) as never,
      goto: async (next) => void (await page.goto(next)),
      screenshot: async (path) => void (await page.screenshot({ path })),
      close: () => context.close(),
    };
  };
  return { name: "chromium", open, close: () => browser.close() };
};

const FIREFOX_PREFERENCES = {
  // Fake microphone and camera, given without asking.
  "media.navigator.streams.fake": true,
  "media.navigator.permission.disabled": true,
  "media.autoplay.default": 0,
  "media.peerconnection.ice.loopback": true,
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  // Nothing outside is asked: codecs, updates, lists, experiments, portals, regions.
  "media.gmp-manager.updateEnabled": false,
  "media.gmp-provider.enabled": false,
  "app.normandy.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.newtabpage.activity-stream.feeds.topsites": false,
  "browser.region.network.url": "",
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "dom.push.connection.enabled": false,
  "extensions.getAddons.cache.enabled": false,
  "extensions.systemAddon.update.enabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.dns.disablePrefetch": true,
  "network.prefetch-next": false,
  "services.settings.server": "data:,#remote-settings-dummy/v1",
  "toolkit.telemetry.enabled": false,
  "toolkit.telemetry.server": "",
};

export const launchFirefox = async (): Promise<Browser> => {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: toolPath("firefox"),
    headless: true,
    extraPrefsFirefox: FIREFOX_PREFERENCES,
    timeout: LAUNCH_LIMIT_MS,
  });
  const pid = browser.process()?.pid;
  if (pid !== undefined) guard(pid);
  const open = async (url: string): Promise<Page> => {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    await page.goto(url);
    return {
      browser: "firefox",
      evaluate: (act, argument) =>
        page.evaluate(act as (argument: unknown) => unknown, argument as unknown) as never,
      goto: async (next) => void (await page.goto(next)),
      screenshot: async (path) => void (await page.screenshot({ path })),
      close: () => context.close(),
    };
  };
  const close = async (): Promise<void> => {
    await browser.close();
    if (pid !== undefined) await stopTree(pid);
  };
  return { name: "firefox", open, close };
};

export const launch = (name: BrowserName): Promise<Browser> =>
  name === "chromium" ? launchChromium() : launchFirefox();
