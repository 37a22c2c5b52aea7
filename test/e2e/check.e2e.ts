import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type BrowserContext,
  type Browser as Chromium,
  chromium,
  type Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { checkSdp } from "../../protocol/sdp-check.ts";
import { toolPath } from "../../scripts/tools.ts";
import { CHROMIUM_FLAGS, launch } from "./browsers.ts";
import { until } from "./caller.ts";

/** The page that checks an SDP, as a person uses it. */

const baseUrl = inject("baseUrl");
const url = new URL("check", baseUrl).href;
const root = fileURLToPath(new URL("../..", import.meta.url));
const PHONE = { width: 390, height: 844 };

const { offer, answer }: { offer: string; answer: string } = JSON.parse(
  readFileSync(join(root, "test/fixtures/sdp-corpus/chromium.hold-resume.1-initial.json"), "utf8"),
);
const example = readFileSync(join(root, "web", "check-example.sdp"), "utf8");

let browser: Chromium;
let contexts: BrowserContext[] = [];
let requests: string[] = [];
let errors: string[] = [];
let clients = 0;

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: toolPath("chromium"),
    args: [...CHROMIUM_FLAGS],
  });
});

afterEach(async () => {
  await Promise.all(contexts.map((context) => context.close()));
  contexts = [];
  const [asked, thrown] = [requests, errors];
  requests = [];
  errors = [];
  expect(thrown).toEqual([]);
  const { host } = new URL(baseUrl);
  expect(asked.filter((one) => new URL(one).host !== host)).toEqual([]);
});

afterAll(() => browser.close());

/** Each page comes from an address of its own: checks are counted per address. */
async function open(viewport = { width: 1280, height: 900 }): Promise<Page> {
  clients += 1;
  const context = await browser.newContext({
    viewport,
    permissions: ["clipboard-read", "clipboard-write"],
    extraHTTPHeaders: { "cf-connecting-ip": `198.51.100.${clients}` },
  });
  contexts.push(context);
  const page = await context.newPage();
  page.on("request", (request) => {
    if (!request.url().startsWith("data:")) requests.push(request.url());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("dialog", (dialog) => {
    errors.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return page;
}

async function paste(page: Page, role: "offer" | "answer", text: string): Promise<void> {
  await page.evaluate((words) => navigator.clipboard.writeText(words), text);
  await page.locator(`#${role}`).click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.press("ControlOrMeta+V");
}

const verdict = (page: Page, words: string | RegExp) =>
  page.locator("#verdict").filter({ hasText: words }).waitFor();

const row = (page: Page, line: number, role = "offer") =>
  page.locator(`#${role}-pane .lines > li`).nth(line - 1);

const tip = (page: Page) => page.locator("#tip:popover-open");

/** Whether an element is inside what is seen of its pane. */
const isInView = (page: Page, line: number, role = "offer") =>
  row(page, line, role).evaluate((one) => {
    const pane = one.parentElement!.getBoundingClientRect();
    const { top, bottom } = one.getBoundingClientRect();
    return top >= pane.top - 1 && bottom <= Math.min(pane.bottom, innerHeight) + 1;
  });

const drop = (page: Page, where: string, files: Record<string, string>) =>
  page.evaluate(
    ([selector, entries]) => {
      const data = new DataTransfer();
      for (const [name, text] of entries) data.items.add(new File([text], name));
      const target = document.querySelector(selector)!;
      for (const type of ["dragover", "drop"]) {
        const options = { bubbles: true, cancelable: true, dataTransfer: data };
        target.dispatchEvent(new DragEvent(type, options));
      }
    },
    [where, Object.entries(files)] as const,
  );

describe("the page that checks an SDP", () => {
  it("[M3] a pasted offer is checked at once: lines are marked, findings and flows shown", async () => {
    const page = await open();
    await paste(page, "offer", example);
    await verdict(page, /^2 errors and 2 warnings: Duplex refuses this offer\.$/);
    const { findings, flows } = checkSdp({ offer: example }, 0);
    const shown = await page.locator("#offer-pane .lines > li").evaluateAll((rows) =>
      rows.map((one) => ({
        text: one.querySelector("code")?.textContent,
        number: one.querySelector(".no")?.textContent,
        level: (one as HTMLElement).dataset.level,
      })),
    );
    const texts = example.trimEnd().split("\r\n");
    expect(shown.map(({ text }) => text)).toEqual(texts);
    expect(shown.map(({ number }) => Number(number))).toEqual(texts.map((_, index) => index + 1));
    const worst = (line: number) =>
      (["error", "warning", "info"] as const).find((level) =>
        findings.some((finding) => finding.line === line && finding.level === level),
      );
    expect(shown.map(({ level }) => level)).toEqual(texts.map((_, index) => worst(index + 1)));
    expect(await isInView(page, 16)).toBe(true);
    const rules = await page.locator("#findings li code").allTextContents();
    expect(new Set(rules)).toEqual(new Set(findings.map(({ rule }) => rule)));
    expect(await page.locator("#flows tbody tr").count()).toBe(flows.length);
    expect(await page.locator("#flows tbody tr").first().locator("td").allTextContents()).toEqual([
      "offerer ↑ uplink",
      "answerer ↓ downlink",
      "audio, mid 0",
      "opus, G722, PCMU, PCMA + red, CN, telephone-event",
      "proposed",
      "1, shared by mid 0, 1",
    ]);
  });

  it("[M3] with the answer it says whether both fit, and what they agree on", async () => {
    const page = await open();
    await paste(page, "offer", offer);
    await verdict(page, "No errors");
    await paste(page, "answer", answer);
    await page.locator('#flows tr[data-state="negotiated"]').first().waitFor();
    expect(await page.locator("#flows tbody tr").count()).toBe(4);
    await page.locator("#answer-pane [data-act=edit]").click();
    await page.locator("#answer").fill(answer.replace("a=mid:1", "a=mid:7"));
    await verdict(page, /error.*Duplex refuses this pair/);
    const entry = page.locator("#findings li").filter({ hasText: "mid-mismatch" });
    expect(await entry.textContent()).toContain("offer and answer");
    await entry.locator(".jump").click();
    const line = answer.split("\r\n").indexOf("a=mid:1") + 1;
    expect(await row(page, line, "answer").getAttribute("data-level")).toBe("error");
    expect(await isInView(page, line, "answer")).toBe(true);
  });

  it("[M3] a line says what is wrong with it under the pointer, and by keyboard", async () => {
    const page = await open();
    await page.locator("#example").click();
    await verdict(page, "2 errors");
    await row(page, 16).hover();
    await tip(page).waitFor();
    const words = await tip(page).textContent();
    for (const part of ["error", "fingerprint-length", "RFC 8122 s5"])
      expect(words).toContain(part);
    await page.mouse.move(5, 5);
    await tip(page).waitFor({ state: "detached" });

    await page.locator("#offer-pane .lines").focus();
    for (const line of [11, 12, 16]) {
      await page.keyboard.press("Tab");
      const mark = row(page, line).locator("button");
      expect(await mark.evaluate((one) => one === document.activeElement)).toBe(true);
      expect(await mark.getAttribute("aria-describedby")).toBe("tip");
      expect(await isInView(page, line)).toBe(true);
    }
    expect(await tip(page).textContent()).toContain("fingerprint-length");
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineWidth);
    expect(ring).toBe("3px");
    await page.keyboard.press("Escape");
    expect(await tip(page).count()).toBe(0);
  });

  it("[M3] a finding leads to its line, however far down, and levels can be hidden", async () => {
    const page = await open();
    const far = 15_000;
    const filler = Array.from(
      { length: far - 165 },
      (_, n) => `a=x-filler:${n} ${"y".repeat(n % 20)}`,
    );
    const long = `${offer}${filler.join("\r\n")}\r\na=fingerprint:sha-256 00:11\r\n`;
    await drop(page, "#offer-pane", { "long.sdp": long });
    await verdict(page, /error/);
    const line = long.trimEnd().split("\r\n").length;
    const entry = page.locator("#findings li").filter({ hasText: "fingerprint-length" });
    await entry.locator(".jump").click();
    await until("the line is in view", () => isInView(page, line));
    expect(await tip(page).textContent()).toContain("fingerprint-length");
    for (const level of ["error", "warning", "info"]) {
      await page.locator(`#findings input[value=${level}]`).uncheck();
      const left = page.locator(`#findings li[data-level=${level}]:visible`);
      expect(await left.count()).toBe(0);
    }
    await page.getByText("None of these levels.").waitFor();
    await page.locator("#findings input[value=error]").check();
    expect(await entry.isVisible()).toBe(true);
  });

  it("[M3] editing checks again and leaves the text alone; Done shows the lines", async () => {
    const page = await open();
    await page.locator("#example").click();
    await verdict(page, "2 errors");
    await row(page, 50).locator("button").focus();
    await page.locator("#offer-pane [data-act=edit]").click();
    const caret = await page.locator("#offer").evaluate((area) => {
      const { value, selectionStart } = area as HTMLTextAreaElement;
      return value.slice(0, selectionStart).split("\n").length;
    });
    expect(caret).toBe(50);
    await page.keyboard.press("Shift+End");
    await page.keyboard.type("a=setup:actpass");
    await verdict(page, "2 errors and 1 warning");
    expect(await page.locator("#offer").isVisible()).toBe(true);
    await page.keyboard.press("ControlOrMeta+Enter");
    await row(page, 50).getByText("a=setup:actpass").waitFor();
    expect(await row(page, 50).getAttribute("data-level")).toBeNull();
    await page.locator("#offer-pane [data-act=clear]").click();
    await page.locator("#findings").waitFor({ state: "hidden" });
    expect(await page.locator("#verdict").textContent()).toBe("");
    await paste(page, "answer", answer);
    await verdict(page, "Paste the offer too");
  });

  it("[M3] the strict profile asks for more", async () => {
    const page = await open();
    await drop(page, "main", { "lf.sdp": offer.replaceAll("\r\n", "\n") });
    await verdict(page, "No errors, no warnings.");
    const endings = page.locator("#findings li").filter({ hasText: "line-ending-not-crlf" });
    expect(await endings.getAttribute("data-level")).toBe("info");
    await page.locator("#strict").check();
    await page.locator('#findings li[data-level="warning"]').first().waitFor();
    expect(await endings.getAttribute("data-level")).toBe("warning");
  });

  it("[M3] JSON is unwrapped, goes where its type says, and files can be dropped or chosen", async () => {
    const page = await open();
    await paste(page, "offer", JSON.stringify({ type: "answer", sdp: answer }));
    await verdict(page, "Paste the offer too");
    expect(await page.locator("#offer").inputValue()).toBe("");
    expect(await page.locator("#answer").inputValue()).toBe(answer.replaceAll("\r\n", "\n"));
    await page.locator("#offer-pane input[type=file]").setInputFiles({
      name: "one.json",
      mimeType: "application/json",
      buffer: Buffer.from(JSON.stringify({ type: "offer", sdp: offer })),
    });
    await verdict(page, "No errors");
    await page.locator('#flows tr[data-state="negotiated"]').first().waitFor();
    const other = await open();
    await drop(other, "main", { "my-answer.sdp": answer, "my-offer.sdp": offer });
    await other.locator('#flows tr[data-state="negotiated"]').first().waitFor();
    expect(await other.locator("#findings").textContent()).not.toContain("line-ending");
  });

  it("[S8] hostile text is text: nothing of it runs, loads or leaves its line", async () => {
    const page = await open();
    const attack = `<img src=x onerror="window.owned=1"><script>window.owned=1</script><svg/onload=owned=1>\u202e"'`;
    const hostile = offer
      .replace("a=mid:1", `a=mid:${attack}`)
      .replace("a=group:BUNDLE 0 1", `a=group:BUNDLE 0 ${attack}`)
      .replace("a=setup:actpass", `a=setup:${attack}`)
      .replaceAll("opus/48000/2", `${attack}/48000/2`);
    await paste(page, "offer", hostile);
    await verdict(page, /error/);
    for (const mark of await page.locator("#offer-pane li[data-level] button").all()) {
      await mark.focus();
    }
    await page.locator("#findings .jump").first().click();
    const seen = await page.evaluate(() => ({
      owned: "owned" in window,
      foreign: document.querySelectorAll("main img, main script, main svg, #tip img").length,
    }));
    expect(seen).toEqual({ owned: false, foreign: 0 });
    const line = hostile.split("\r\n").findIndex((one) => one.startsWith("a=mid:<")) + 1;
    expect(await row(page, line).locator("code").textContent()).toBe(`a=mid:${attack}`);
    // Were there a way to make it markup, the policy of the page would stop it.
    const stopped = await page.evaluate(() => {
      try {
        document.body.innerHTML = "<p>x</p>";
        return false;
      } catch {
        return true;
      }
    });
    expect(stopped).toBe(true);
  });

  it("[D4] what is too large is a finding, a problem, or not even sent", async () => {
    const page = await open();
    const sized = (bytes: number) => `${offer}a=x:${"x".repeat(bytes)}\r\n`;
    await drop(page, "#offer-pane", { "a.sdp": sized(600_000) });
    await verdict(page, "1 error: Duplex refuses this offer.");
    expect(await page.locator("#findings li").textContent()).toContain("sdp-too-large");
    await page.getByText("None: a description that cannot be read").waitFor();
    await page.locator("#offer-pane [data-act=edit]").click();
    await page.locator("#offer").fill(sized(2_300_000));
    await verdict(page, "This is too large: a description has at most 512 KiB.");
    const asked = requests.length;
    await drop(page, "#offer-pane", { "b.sdp": sized(3_000_000) });
    await verdict(page, "b.sdp is too large to be a description.");
    expect(requests.length).toBe(asked);
  });

  it("[M3] works on a phone: nothing is wider, and what is wrong is at the bottom", async () => {
    const page = await open(PHONE);
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await fits()).toBe(0);
    await page.locator("#example").click();
    await verdict(page, "2 errors");
    expect(await fits()).toBe(0);
    await row(page, 16).locator("button").click();
    const box = (await tip(page).boundingBox())!;
    expect(Math.round(box.y + box.height)).toBe(PHONE.height);
    expect(Math.round(box.width)).toBe(PHONE.width);
  });

  it("[M3] every control has a name, and the demo leads here", async () => {
    const page = await open();
    await page.locator("#example").click();
    await verdict(page, "2 errors");
    const tree = (await page.locator("body").ariaSnapshot()).split("\n");
    const controls = tree.filter((line) => /^\s*- (button|link|textbox|checkbox)\b/.test(line));
    expect(controls.length).toBeGreaterThan(12);
    for (const line of controls) expect(line).toMatch(/^\s*- \w+ ".+"/);
    await page.goto(baseUrl);
    await page.getByRole("link", { name: "Check an SDP" }).click();
    await page.getByRole("heading", { name: "Check an SDP" }).waitFor();
    expect(page.url()).toBe(url);
  });

  it("[M3] Firefox shows the same", async () => {
    const firefox = await launch("firefox");
    try {
      const page = await firefox.open(url);
      const act = () => document.querySelector<HTMLElement>("#example")?.click();
      await page.evaluate(act, null);
      const read = () => document.querySelector("#verdict")?.textContent;
      await until("the verdict", async () =>
        /^2 errors/.test((await page.evaluate(read, null)) ?? ""),
      );
      const open = () => {
        document.querySelector<HTMLElement>("#findings .jump")?.click();
        return document.querySelector("#tip:popover-open")?.textContent;
      };
      expect(await page.evaluate(open, null)).toContain("fingerprint-length");
    } finally {
      await firefox.close();
    }
  });

  it("[S7] who asks too often is told so in words, and keeps the text", async () => {
    const page = await open();
    await page.locator("#example").click();
    await verdict(page, "2 errors");
    await until("the limit is reached", () =>
      page.evaluate(async () => {
        const init = {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ offer: "v=0" }),
        };
        const answers = Array.from({ length: 20 }, () => fetch("/v1/sdp/check", init));
        return (await Promise.all(answers)).some(({ status }) => status === 429);
      }),
    );
    await page.locator("#form button[type=submit]").click();
    await verdict(page, "Too many checks from your address just now. Try again in a minute.");
    expect(await page.locator("#offer").inputValue()).toContain("v=0");
  });
});
