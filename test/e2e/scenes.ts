import type { Page } from "playwright-core";
import { until } from "./caller.ts";
import { INSPECTOR_SCENES, inspectCall, TABS } from "./inspector-scenes.ts";
import type { Device, Stage } from "./stage.ts";

/** Where each page is, by its file in `web/`, and what it may load, in bytes before compression. */
export const PAGES = {
  "index.html": { path: "", budgetBytes: 180_000 },
  "check.html": { path: "check", budgetBytes: 60_000 },
  "swap.html": { path: "swap", budgetBytes: 50_000 },
  "inspect.html": { path: "inspect", budgetBytes: 45_000 },
  "inspector.html": { path: "inspect/no-such-session", budgetBytes: 230_000 },
  /** Written by the Worker. */
  docs: { path: "docs", budgetBytes: 130_000 },
} as const;

export type PageName = keyof typeof PAGES;

/** A part of a scene. Shown again for each theme and width: some things close when the window changes. */
export interface View {
  /** Follows the name of the scene; empty for the scene as it is set. */
  readonly name: string;
  readonly show: (page: Page) => Promise<void>;
}

const AS_SET: View = { name: "", show: async () => undefined };

export const viewsOf = ({ views = [] }: Scene): readonly View[] => [AS_SET, ...views];

/** A page in a state that somebody sees: it is looked at, and checked. */
export interface Scene {
  /** Of the files of its screenshots. */
  readonly name: string;
  /** A key of PAGES. */
  readonly page: string;
  /** Sets it up and gives the page that is looked at. */
  readonly set: (stage: Stage) => Promise<Page>;
  /** What there is to see besides: each has pictures of its own and is checked by itself. */
  readonly views?: readonly View[];
  /** Where a picture shows the window only: the page is too long, or something stays at its edge. */
  readonly window?: readonly Device[];
  /** So much that checks in all themes at all widths would take long. */
  readonly isLarge?: boolean;
  /** Messages of the console that belong to the scene: browsers report each refused request. */
  readonly expected?: RegExp;
}

/** Starts a call by a click; the page is alone in it. */
async function startCall(stage: Stage): Promise<Page> {
  const page = await stage.open("");
  await page.locator("#name").fill("Ada");
  await page.locator("#start").click();
  await page.locator("#alone").waitFor();
  return page;
}

async function joinCall(stage: Stage, first: Page, name: string): Promise<Page> {
  const page = await stage.open(first.url(), { isExtra: true });
  await page.locator("#name").fill(name);
  await page.locator("#join").click();
  return page;
}

/** A call of so many pages, all flows running and measured. */
async function call(stage: Stage, others: readonly string[]): Promise<Page> {
  const page = await startCall(stage);
  for (const name of others) await joinCall(stage, page, name);
  const flows = others.length * 4;
  await until("all flows run", async () => {
    const rates = page.locator('[data-flow][data-state="active"] [data-label="Bit rate"]');
    const texts = await rates.allTextContents();
    return texts.length === flows && texts.every((text) => /\d/.test(text));
  });
  return page;
}

async function brokenDescription(stage: Stage): Promise<Page> {
  const page = await stage.open("check");
  await page.locator("#example").click();
  await page.locator("#findings li").first().waitFor();
  return page;
}

async function registered(stage: Stage, name: string, isExtra = false): Promise<Page> {
  const page = await stage.open("swap", { isExtra });
  await page.locator("#own").fill(name);
  await page.locator("#register button").click();
  await page.locator("#dial").waitFor();
  return page;
}

async function dial(page: Page, callee: string): Promise<void> {
  await page.locator("#callee").fill(callee);
  await page.locator("#dial button").click();
}

async function swapCall(stage: Stage): Promise<Page> {
  const page = await registered(stage, "Grace");
  const other = await registered(stage, "Lin", true);
  await dial(page, "Lin");
  await other.locator("#accept").click();
  for (const one of [page, other]) await one.getByText("Media: connected").waitFor();
  for (const one of [page, other]) await one.locator("#camera").click();
  await page.locator("#other video").evaluate(
    (video) =>
      new Promise<void>((resolve) => {
        const shown = () => (video as HTMLVideoElement).videoWidth > 0;
        if (shown()) resolve();
        else video.addEventListener("resize", () => shown() && resolve());
      }),
  );
  await other.locator("#hello").click();
  await page.locator("#log li").waitFor();
  return page;
}

/** A finding leads to its line, and the line says what is wrong. */
async function showLine(page: Page): Promise<void> {
  await page.keyboard.press("Escape");
  await page.locator("#findings .jump").first().click();
  await page.locator("#tip:popover-open").waitFor();
  await page.locator("#offer-pane").evaluate((pane) => pane.scrollIntoView({ block: "center" }));
}

/** All pages in all states that matter. A page without a scene fails the tests. */
export const SCENES: readonly Scene[] = [
  { name: "lobby", page: "index.html", set: (stage) => stage.open("") },
  { name: "lobby-invited", page: "index.html", set: (stage) => stage.open("#some-call") },
  {
    name: "lobby-key",
    page: "index.html",
    expected: /status of 401/,
    set: async (stage) => {
      const page = await stage.open("", { stored: { "duplex-api-key": "not-the-key" } });
      await page.locator("#start").click();
      await page.locator("#key").waitFor();
      return page;
    },
  },
  { name: "call-alone", page: "index.html", window: ["phone"], set: startCall },
  {
    name: "call",
    page: "index.html",
    window: ["phone"],
    set: (stage) => call(stage, ["Grace"]),
  },
  { name: "check", page: "check.html", set: (stage) => stage.open("check") },
  {
    name: "check-findings",
    page: "check.html",
    set: brokenDescription,
    views: [{ name: "line", show: showLine }],
  },
  { name: "swap", page: "swap.html", set: (stage) => stage.open("swap") },
  {
    name: "swap-ringing",
    page: "swap.html",
    set: async (stage) => {
      const page = await registered(stage, "Ada");
      await dial(await registered(stage, "Max", true), "Ada");
      await page.locator("#incoming").waitFor();
      return page;
    },
  },
  { name: "swap-call", page: "swap.html", window: ["phone"], set: swapCall },
  {
    name: "sessions",
    page: "inspect.html",
    set: async (stage) => {
      await startCall(stage);
      const page = await stage.open("inspect", { isExtra: true });
      await page.locator("#sessions tbody tr").first().waitFor();
      return page;
    },
  },
  {
    name: "inspect-call",
    page: "inspector.html",
    window: ["desktop", "phone"],
    views: TABS,
    set: async (stage) => inspectCall(stage, await call(stage, ["Grace"])),
  },
  ...INSPECTOR_SCENES,
  {
    name: "docs",
    page: "docs",
    isLarge: true,
    window: ["desktop", "phone"],
    set: (stage) => stage.open("docs"),
  },
];
