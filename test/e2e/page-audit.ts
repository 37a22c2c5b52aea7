import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { RunOptions } from "axe-core";
import type { Page } from "playwright-core";

/** What is looked for in every page; each check gives what it found, in words. */

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** All of WCAG 2.0 to 2.2 at levels A and AA, best practices, and what axe still tries out. */
const TAGS = [
  ...["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"],
  ...["best-practice", "experimental"],
];

/** Those whose outcome another theme or another width may change. */
const OF_LOOKS = ["color-contrast", "link-in-text-block", "scrollable-region-focusable"];
const OF_WIDTH = ["target-size", "region", "css-orientation-lock"];

const ASKED = {
  all: { type: "tag", values: TAGS },
  looks: { type: "rule", values: [...OF_LOOKS, ...OF_WIDTH] },
} as const;

/** Violations of axe-core: rule, element, what to do. `looks` asks only for what theme and width change. */
export async function axeViolations(
  page: Page,
  asked: keyof typeof ASKED = "all",
): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  return page.evaluate(async (runOnly) => {
    const { axe } = window as unknown as { axe: typeof import("axe-core") };
    const options = { runOnly, resultTypes: ["violations"] } as unknown as RunOptions;
    const { violations } = await axe.run(document, options);
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary = "" }) => `${id}: ${target} ${failureSummary}`),
    );
  }, ASKED[asked]);
}

/** What search engines, screen readers and phones ask of the document itself. */
export const documentFaults = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const meta = (name: string) =>
      document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";
    const isOver = (text: string, least: number, most: number) =>
      text.length < least || text.length > most;
    const faults: string[] = [];
    if (document.documentElement.lang !== "en") faults.push("no language");
    if (isOver(document.title, 6, 60)) faults.push(`title: ${document.title}`);
    if (isOver(meta("description"), 40, 160)) faults.push(`description: ${meta("description")}`);
    if (!meta("viewport").includes("width=device-width")) faults.push("no viewport");
    if (meta("color-scheme") !== "light dark") faults.push("no color-scheme");
    if (document.querySelector('link[rel="icon"]') === null) faults.push("no icon");
    const heads = [...document.querySelectorAll("h1")].filter((head) => head.checkVisibility());
    if (heads.length !== 1) faults.push(`${heads.length} headings of level 1`);
    return faults;
  });

/** What sticks out of the window or out of what holds it, where no container scrolls it. */
export const overflowing = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const wide = document.documentElement.scrollWidth - innerWidth;
    const faults = wide > 0 ? [`the page is ${wide} px too wide`] : [];
    const isClipped = (element: Element | null): boolean => {
      if (element === null || element === document.body) return false;
      const { overflowX } = getComputedStyle(element);
      return overflowX !== "visible" || isClipped(element.parentElement);
    };
    const isSeen = (element: Element) =>
      element.clientWidth > 1 &&
      element.checkVisibility({ visibilityProperty: true }) &&
      element.closest(".visually-hidden, thead") === null;
    for (const element of document.body.querySelectorAll("*")) {
      const name = `${element.localName}#${element.id}.${element.getAttribute("class") ?? ""}`;
      // Texts of drawings have no room of their own.
      const isBox = element instanceof HTMLElement;
      const isOpen = isBox && getComputedStyle(element).overflowX === "visible";
      if (isOpen && isSeen(element) && element.scrollWidth > element.clientWidth + 2) {
        const text = element.textContent?.trim().slice(0, 30);
        faults.push(`${name} "${text}" holds ${element.scrollWidth} px in ${element.clientWidth}`);
      }
      const { left, right, width, height } = element.getBoundingClientRect();
      const isOut = width > 1 && height > 1 && (right > innerWidth + 1 || left < -1);
      if (!isOut || isClipped(element) || !element.checkVisibility()) continue;
      faults.push(`${name} sticks out: ${left} to ${right}`);
    }
    return faults;
  });

/** Runs in the page. All that one can act on, but for links within a sentence and what is switched off. */
function readTargets(least: number): string[] {
  const all = document.querySelectorAll<HTMLElement>(
    'a[href], button, input:not([type="file"]), select, textarea, summary, [tabindex="0"]',
  );
  const isInSentence = (element: HTMLElement) =>
    element.localName === "a" &&
    [...(element.parentElement?.childNodes ?? [])].some(
      (node) => node.nodeType === Node.TEXT_NODE && (node.textContent ?? "").trim().length > 1,
    );
  return [...all]
    .filter((element) => element.checkVisibility() && !isInSentence(element))
    .map((element) => ({ element, box: (element.closest("label") ?? element) as Element }))
    .map(({ element, box }) => ({ element, ...box.getBoundingClientRect().toJSON() }))
    .filter(({ width, height }) => Math.min(width, height) < least)
    .map(({ element, width, height }) => {
      return `${element.localName} "${element.textContent?.trim()}" is ${width} by ${height}`;
    });
}

/** WCAG 2.2 (2.5.8) allows smaller ones with space around them; these pages do not need that. */
const LEAST_TARGET_PX = 24;

export const smallTargets = (page: Page): Promise<string[]> =>
  page.evaluate(readTargets, LEAST_TARGET_PX);

/** What moves although the person asked for less motion. */
export const motion = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const faults = document
      .getAnimations()
      .filter((animation) => animation.playState === "running")
      .map((animation) => `an animation runs: ${animation.id}`);
    for (const element of document.querySelectorAll("*")) {
      const { transitionDuration, scrollBehavior } = getComputedStyle(element);
      const name = `${element.localName}.${element.getAttribute("class") ?? ""}`;
      if (/[1-9]/.test(transitionDuration)) faults.push(`${name} has a transition`);
      if (scrollBehavior === "smooth") faults.push(`${name} scrolls smoothly`);
    }
    return faults;
  });

const MOST_STOPS = 400;

declare global {
  interface Window {
    /** Stops of the focus, as `watchFocus` notes them. */
    focusStops: { element: Element; isSeen: boolean }[];
  }
}

/** Runs in the page: how things look without the focus, and what has it from now on. */
function watchFocus(): void {
  const look = (element: Element | null): string => {
    if (element === null) return "";
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    return `${outlineStyle === "none" ? "" : outlineWidth} ${boxShadow}`;
  };
  // The ring of a control that is drawn by its neighbour is the neighbour's.
  const looks = (element: Element): string =>
    `${look(element)}, ${look(element.nextElementSibling)}`;
  (document.activeElement as HTMLElement | null)?.blur();
  const before = new Map<Element, string>();
  for (const element of document.querySelectorAll("*")) before.set(element, looks(element));
  const stops: Window["focusStops"] = [];
  window.focusStops = stops;
  document.addEventListener("focusin", ({ target }) => {
    const element = target as Element;
    stops.push({ element, isSeen: looks(element) !== before.get(element) });
  });
}

/** Runs in the page: controls that the focus never came to, and stops that do not show. */
function readFocus(): string[] {
  const name = (element: Element) =>
    `${element.localName}#${element.id} "${element.textContent?.trim().slice(0, 30)}"`;
  const reached = new Set(window.focusStops.map(({ element }) => element));
  const controls = document.querySelectorAll<HTMLElement>(
    "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex]",
  );
  // Of the radio buttons of a group one takes the focus, and arrow keys go on from there.
  const groups = new Set([...reached].map((element) => element.getAttribute("name")));
  const isOfGroup = (element: Element) =>
    element.matches('[type="radio"]') && groups.has(element.getAttribute("name"));
  return [
    ...[...controls]
      .filter((element) => element.tabIndex >= 0 && element.checkVisibility())
      .filter((element) => !reached.has(element) && !isOfGroup(element))
      .map((element) => `Tab does not reach ${name(element)}`),
    ...window.focusStops
      .filter(({ isSeen }) => !isSeen)
      .map(({ element }) => `the focus is not seen on ${name(element)}`),
  ];
}

/** Tab by tab through the whole page. */
export async function focusFaults(page: Page): Promise<string[]> {
  await page.evaluate(watchFocus);
  // From the last control the focus comes back to the first, wherever it began.
  const isThrough = () =>
    page.evaluate(() => {
      const [first, ...others] = window.focusStops;
      return others.some(({ element }) => element === first?.element);
    });
  for (let stops = 0; stops < MOST_STOPS; stops += 5) {
    for (let step = 0; step < 5; step++) await page.keyboard.press("Tab");
    if (await isThrough()) break;
  }
  return page.evaluate(readFocus);
}

/** Bytes of the page and all it loads, before compression. */
export const loadedBytes = (page: Page): Promise<number> =>
  page.evaluate(() =>
    [
      ...performance.getEntriesByType("navigation"),
      ...performance.getEntriesByType("resource"),
    ].reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).decodedBodySize, 0),
  );

/** What an answer without a body counts as, such as 304; from the cache itself it is 0. */
const HEADERS_ONLY = 300;

/** Scripts and styles that a second visit loads anew; those in the cache are asked about at most. */
export const loadedAgain = (page: Page): Promise<string[]> =>
  page.evaluate(
    (most) =>
      (performance.getEntriesByType("resource") as PerformanceResourceTiming[])
        .filter(({ name, transferSize }) => /\.(js|css)$/.test(name) && transferSize > most)
        .map(({ name, transferSize }) => `${name}: ${transferSize} bytes`),
    HEADERS_ONLY,
  );
