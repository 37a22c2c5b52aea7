import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser as Chromium, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import * as audit from "./page-audit.ts";
import { PAGES, type PageName, SCENES, type View, viewsOf } from "./scenes.ts";
import { DEVICES, launchForScenes, present, Stage, THEMES } from "./stage.ts";

/** Every page, in every state that matters, in both themes, on a desktop and on a phone. */

const baseUrl = inject("baseUrl");
const { host } = new URL(baseUrl);

let browser: Chromium;
beforeAll(async () => {
  browser = await launchForScenes();
});
afterAll(() => browser.close());

/** Sets a stage, and takes it down again whatever comes of it. */
async function onStage(act: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = new Stage(browser, baseUrl);
  try {
    await act(stage);
  } finally {
    await stage.close();
  }
}

/** What was found, by what was looked for; nothing, where all is well. */
type Found = Record<string, string[]>;

function note(found: Found, what: string, faults: string[]): void {
  if (faults.length > 0) found[what] = faults;
}

interface Looks {
  readonly show: View["show"];
  /** Each theme on one device and each device in one theme, where all four would take long. */
  readonly isBrief: boolean;
}

async function findFaults(page: Page, { show, isBrief }: Looks): Promise<Found> {
  const found: Found = {};
  for (const device of DEVICES) {
    for (const theme of THEMES) {
      // What depends on neither is asked once in each theme and once on each device.
      const isWhole = (theme === "light") === (device === "desktop");
      if (isBrief && !isWhole) continue;
      await present(page, theme, device);
      await show(page);
      const violations = await audit.axeViolations(page, isWhole ? "all" : "looks");
      note(found, `axe, ${theme}, ${device}`, violations);
    }
    note(found, `width, ${device}`, await audit.overflowing(page));
  }
  note(found, "targets", await audit.smallTargets(page));
  note(found, "motion", await audit.motion(page));
  note(found, "document", await audit.documentFaults(page));
  note(found, "focus", await audit.focusFaults(page));
  return found;
}

describe("every page in every state", () => {
  it.each(SCENES)("[M16] $name: nothing is wrong for anybody", async (scene) => {
    await onStage(async (stage) => {
      const page = await scene.set(stage);
      for (const view of viewsOf(scene)) {
        const isBrief = scene.isLarge === true || view.name !== "";
        const found = await findFaults(page, { show: view.show, isBrief });
        expect([view.name, found]).toEqual([view.name, {}]);
      }
      const { complaints, requests } = stage.witness;
      expect(complaints.filter((line) => scene.expected?.test(line) !== true)).toEqual([]);
      expect(requests.filter((url) => new URL(url).host !== host)).toEqual([]);
    });
  });

  it("[M16] every page of web/ and of the Worker has a scene", () => {
    const web = fileURLToPath(new URL("../../web/", import.meta.url));
    const files = readdirSync(web, { recursive: true, encoding: "utf8" });
    const pages = files.filter((name) => name.endsWith(".html"));
    expect(Object.keys(PAGES).sort()).toEqual([...pages, "docs"].sort());
    expect(new Set(SCENES.map(({ page }) => page))).toEqual(new Set(Object.keys(PAGES)));
    expect(new Set(SCENES.map(({ name }) => name)).size).toBe(SCENES.length);
  });
});

describe("every page", () => {
  const names = Object.keys(PAGES) as PageName[];

  it.each(names)(
    "[M16] %s stays within its bytes, also when it comes from the cache",
    async (name) => {
      const { path, budgetBytes } = PAGES[name];
      await onStage(async (stage) => {
        const page = await stage.open(path);
        await page.waitForLoadState("networkidle");
        const bytes = await audit.loadedBytes(page);
        expect(bytes).toBeGreaterThan(0.6 * budgetBytes);
        expect(bytes).toBeLessThanOrEqual(budgetBytes);
        await page.goto("about:blank");
        await page.goto(new URL(path, baseUrl).href);
        await page.waitForLoadState("networkidle");
        expect(await audit.loadedAgain(page)).toEqual([]);
        expect(await audit.documentFaults(page)).toEqual([]);
        expect(stage.witness.complaints).toEqual([]);
      });
    },
  );

  it("[M16] all pages have one bar, and each says which one it is", async () => {
    const bars = await Promise.all(
      names.map(async (name) => {
        const text = await (await fetch(new URL(PAGES[name].path, baseUrl))).text();
        const [bar = ""] = /<header class="bar">.*?<\/nav>/s.exec(text) ?? [];
        const current = [...bar.matchAll(/href="([^"]*)" aria-current="page"/g)];
        expect([name, current.length]).toEqual([name, 1]);
        return bar.replace(' aria-current="page"', "").replaceAll(/\s+/g, "");
      }),
    );
    expect(new Set(bars).size).toBe(1);
  });
});

describe("what the checks find", () => {
  it("[M16] a page with faults is reported, each by its name", async () => {
    await onStage(async (stage) => {
      const page = await stage.open("swap");
      // Styles of scripts are not what the policy of the page forbids.
      await page.evaluate(() => {
        document.documentElement.lang = "";
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(`
          #pale { color: #999; background: #aaa; }
          #wide { width: 500px; height: 10px; }
          #tiny { width: 12px; height: 12px; padding: 0; border: 0; }
          #unseen { min-height: 30px; }
          #unseen:focus-visible { outline: none; }
          #moving { transition: color 1s; }
        `);
        document.adoptedStyleSheets = [sheet];
        const add = (tag: string, id: string, text = "") => {
          const made = document.createElement(tag);
          made.id = id;
          made.textContent = text;
          document.querySelector("main")?.append(made);
          return made;
        };
        add("p", "pale", "Hardly to be read");
        add("div", "wide");
        add("button", "tiny");
        add("button", "unseen", "A button without a ring");
        add("p", "moving", "Moving");
        add("h1", "second", "Second");
      });
      const found = await findFaults(page, { show: async () => undefined, isBrief: false });
      const axe = found["axe, light, desktop"]?.map((line) => line.split(":")[0]) ?? [];
      for (const rule of ["html-has-lang", "color-contrast", "button-name"]) {
        expect(axe).toContain(rule);
      }
      expect(found["axe, dark, phone"]?.join()).toContain("color-contrast: #pale");
      expect(found["axe, light, phone"]?.join()).toContain("color-contrast: #pale");
      expect(found["width, phone"]?.join()).toContain("div#wide. sticks out");
      expect(found["width, desktop"]).toBeUndefined();
      expect(found.targets).toEqual(['button "" is 12 by 12']);
      expect(found.motion).toContain("p. has a transition");
      expect(found.document).toEqual(["no language", "2 headings of level 1"]);
      expect(found.focus).toEqual([
        'the focus is not seen on button#unseen "A button without a ring"',
      ]);
    });
  });
});
