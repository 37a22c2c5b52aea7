import { readFileSync } from "node:fs";
import {
  type BrowserContext,
  type Browser as Chromium,
  chromium,
  type Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import type { TimelineView } from "../../protocol/timeline/view.ts";
import { toolPath } from "../../scripts/tools.ts";
import { type Browser, CHROMIUM_FLAGS, launchChromium } from "./browsers.ts";
import { Backend, Caller, until } from "./caller.ts";
import { measure, negotiate, ScenePeer, transport } from "./inspector-scene.ts";

/** The inspector of a session, as somebody uses it who wants to know what goes on in a call. */

const baseUrl = inject("baseUrl");

let browser: Browser;
let looking: Chromium;
let contexts: BrowserContext[] = [];
let requests: string[] = [];
let errors: string[] = [];

beforeAll(async () => {
  [browser, looking] = await Promise.all([
    launchChromium(),
    chromium.launch({ executablePath: toolPath("chromium"), args: [...CHROMIUM_FLAGS] }),
  ]);
});

afterEach(async () => {
  await Promise.all(contexts.map((context) => context.close()));
  contexts = [];
  const [asked, thrown] = [requests, errors];
  requests = [];
  errors = [];
  expect(thrown).toEqual([]);
  const { host } = new URL(baseUrl);
  expect(asked.filter((url) => new URL(url).host !== host)).toEqual([]);
});

afterAll(async () => {
  await Promise.all([browser?.close(), looking?.close()]);
});

/** Keeps what the page asks for, and what went wrong in it. */
function watch(page: Page): void {
  page.on("request", (request) => {
    if (!/^(?:data|blob):/.test(request.url())) requests.push(request.url());
  });
  page.on("websocket", (socket) => requests.push(socket.url()));
  page.on("pageerror", (error) => errors.push(error.message));
}

async function open(session: string, viewport = { width: 1280, height: 900 }): Promise<Page> {
  const context = await looking.newContext({ viewport, reducedMotion: "reduce" });
  contexts.push(context);
  const page = await context.newPage();
  watch(page);
  await page.goto(new URL(`inspect/${session}`, baseUrl).href);
  return page;
}

/** Opens the inspector with one click, as in local development. */
async function inspect(
  session: string,
  viewport?: { width: number; height: number },
): Promise<Page> {
  const page = await open(session, viewport);
  await page.locator("#development-form button").click();
  await page.locator("#liveness", { hasText: "Live" }).waitFor();
  return page;
}

const tab = (page: Page, name: string) => page.locator(`#tab-${name}`).click();

const texts = (page: Page, selector: string): Promise<string[]> =>
  page.locator(selector).allTextContents();

const timeline = (backend: Backend) => backend.read<TimelineView>("/timeline");

/** Shoots the page where DUPLEX_SHOTS names a folder. */
async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.DUPLEX_SHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}

describe("the inspector", () => {
  it("[M15] shows a call while it runs: who told whom what, who sends what, over which path, how well", async () => {
    const backend = await Backend.start(baseUrl, { sdpPolicy: "report", debug: true });
    const page = await inspect(backend.id);
    const flowReports = { intervalMs: 1_000 };
    const a = await Caller.join(browser, backend, { flowReports });
    const b = await Caller.join(browser, backend, { flowReports });
    await a.receives(b.id);
    // Sequence
    await page.locator("#sequence .mark-answer").first().waitFor();
    const marks = page.locator("#sequence .mark");
    for (const type of ["offer", "answer", "candidates", "transport"]) {
      expect(await page.locator(`#sequence .mark-${type}`).count(), type).toBeGreaterThan(0);
    }
    const { entries } = await timeline(backend);
    expect(entries.map(({ type }) => type)).toEqual(expect.arrayContaining(["offer", "answer"]));
    expect(await marks.count()).toBeGreaterThan(4);
    await shoot(page, "live-sequence");
    // Flow map
    await tab(page, "map");
    await until("a line each way with a bit rate", async () => {
      const rows = await texts(page, ".flow-head");
      return (
        rows.length === 4 &&
        rows.every((row) => / [kM]bit\/s/.test(row) && !row.includes(" 0 kbit"))
      );
    });
    expect(await page.locator('#map g.flow-line[data-look="active"]').count()).toBe(4);
    expect(await page.locator("#map g.node").count()).toBe(2);
    await page.locator(".flow-head").first().click();
    expect(await texts(page, ".flow-members dt")).toEqual(
      expect.arrayContaining(["State", "Codecs", "Receiver measures"]),
    );
    await shoot(page, "live-map");
    // Transports
    await tab(page, "transports");
    await until("pairs and 5-tuples of both ends", async () => {
      const tuples = await texts(page, ".ends .tuple");
      return tuples.length === 2 && tuples.every((text) => /^udp \S+ → \S+/.test(text));
    });
    expect((await texts(page, ".ends td")).filter((text) => / ↔ /.test(text))).toHaveLength(2);
    await shoot(page, "live-transports");
    // Quality
    await tab(page, "quality");
    await until("graphs with more than one point", async () => {
      const points = await page
        .locator('#quality-table td[data-label="Bit rate"]')
        .evaluateAll((cells) => cells.map((cell) => Number((cell as HTMLElement).dataset.points)));
      return points.length === 4 && points.every((count) => count > 1);
    });
    await page.locator(".quality-head").first().click();
    expect(await page.locator(".charts svg.chart").count()).toBeGreaterThan(2);
    await shoot(page, "live-quality");
    await Promise.all([a.close(), b.close()]);
  }, 120_000);

  it("[M15] shows descriptions with line numbers, findings at their line, and what a renegotiation changed", async () => {
    const backend = await Backend.start(baseUrl, { sdpPolicy: "report" });
    const page = await inspect(backend.id);
    const a = await Caller.join(browser, backend, { kinds: ["audio"] });
    const b = await Caller.join(browser, backend, { kinds: [] });
    await b.receives(a.id, ["audio"]);
    await tab(page, "sdp");
    await page.locator(".sdp-item").nth(1).waitFor();
    await a.publishCanvas("canvas");
    await b.receives(a.id, ["audio", "video"]);
    const held = () =>
      backend.read<{ descriptions: { type: string; exchange: number; sdp: string }[] }>(
        "/descriptions",
      );
    const offered = async () =>
      (await held()).descriptions.findLast(({ type }) => type === "offer");
    await until(
      "video is offered",
      async () => (await offered())?.sdp.includes("m=video") === true,
    );
    const { exchange = 0, sdp: newest = "" } = (await offered()) ?? {};
    await page.locator(".sdp-item", { hasText: new RegExp(`^offer ${exchange}`) }).click();
    const lines = page.locator(".code-lines:not(.diff) li");
    const shown = await lines.evaluateAll((rows) =>
      rows.map((row) => [
        row.querySelector(".no")?.textContent,
        row.querySelector("code")?.textContent,
      ]),
    );
    expect(shown).toEqual(
      newest
        .trimEnd()
        .split("\r\n")
        .map((line, index) => [String(index + 1), line]),
    );
    await shoot(page, "live-sdp");
    await page.locator('#sdp-how input[value="changes"]').check({ force: true });
    const added = await texts(page, '.diff li[data-kind="new"] code');
    await shoot(page, "live-changes");
    expect(added.some((line) => line.includes("m=video"))).toBe(true);
    await page.locator('#sdp-how input[value="pair"]').check({ force: true });
    expect(await texts(page, "#sdp-body > .hint")).toEqual([
      expect.stringContaining("in the answer"),
    ]);
    await Promise.all([a.close(), b.close()]);
  }, 120_000);

  it("[M15] says what became of links, takes the keyboard, and keeps what it has seen when the session ends", async () => {
    const backend = await Backend.start(baseUrl, {});
    const [ada, grace, linus] = await Promise.all(
      ["Ada", "Grace", "Linus"].map((name) => ScenePeer.join(backend, name)),
    );
    if (!(ada && grace && linus)) throw new Error("nobody came");
    const audio = [{ kind: "audio" as const, ssrc: 77 }];
    await negotiate(ada, grace, audio);
    transport(ada, grace, "connected");
    await negotiate(ada, linus, audio);
    transport(ada, linus, "failed");
    const page = await inspect(backend.id);
    await page.locator("#sequence .mark-transport.tone-bad").first().waitFor();
    const { verdicts } = await timeline(backend);
    const said = verdicts.filter(({ state }) => state === "failed").map(({ says }) => says);
    await until("the verdicts", async () => {
      const shown = await texts(page, ".verdict-card .says");
      return said.every((words) => shown.includes(words));
    });
    // One Tab stop for the tabs, arrows within; every panel has what it is for.
    await page.locator("#tab-sequence").focus();
    for (const name of ["map", "sdp", "transports", "quality", "timeline"]) {
      await page.keyboard.press("ArrowRight");
      expect(await page.evaluate(() => document.activeElement?.id)).toBe(`tab-${name}`);
      expect(await page.locator(`#panel-${name}`).isVisible()).toBe(true);
    }
    await page.keyboard.press("Home");
    expect(await page.locator("#panel-sequence").isVisible()).toBe(true);
    await page.locator("#sequence .rows").focus();
    await page.keyboard.press("Home");
    await page.locator("#entry").waitFor();
    expect(await page.locator("#entry-members dd").first().textContent()).toBe("1");
    await page.keyboard.press("ArrowDown");
    expect(await page.locator("#entry-members dd").first().textContent()).toBe("2");
    // Filters, and the raw entries.
    await page.keyboard.press("Escape");
    await tab(page, "timeline");
    await page.locator("#scope-peer").selectOption({ label: "Linus" });
    await page.locator("#entry-search").fill("failed");
    const all = (await timeline(backend)).entries;
    const failed = all.filter(
      (entry) =>
        "link" in entry &&
        entry.link?.split("~").includes(linus.id) === true &&
        JSON.stringify(entry).includes("failed"),
    );
    expect(failed.length).toBeGreaterThan(0);
    await until("only what failed", async () => {
      return (await page.locator("#raw .row").count()) === failed.length;
    });
    // The end.
    await fetch(new URL(`v1/sessions/${backend.id}`, baseUrl), {
      method: "DELETE",
      headers: { authorization: "Bearer dev-key" },
    });
    await page.locator("#over", { hasText: "The session is over" }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator("#save").click(),
    ]);
    const saved = readFileSync(await download.path(), "utf8")
      .trim()
      .split("\n");
    const numbers = saved.map((line) => (JSON.parse(line) as { n?: number }).n);
    expect(numbers).toEqual(expect.arrayContaining(all.map(({ n }) => n)));
    for (const peer of [ada, grace, linus]) peer.close();
  }, 120_000);

  it("[M15] stays readable with ten peers and a hundred flows, and on a phone", async () => {
    const backend = await Backend.start(baseUrl, {});
    const names = [
      "Ada",
      "Grace",
      "Linus",
      "Margaret",
      "Tim",
      "Radia",
      "Vint",
      "Barbara",
      "Donald",
      "Hedy",
    ];
    const peers = await Promise.all(names.map((name) => ScenePeer.join(backend, name)));
    const audio = [{ kind: "audio" as const, ssrc: 77 }];
    const both = [...audio, { kind: "video" as const, ssrc: 78 }];
    const pairs = peers.flatMap((one, i) =>
      peers.slice(i + 1).map((other) => [one, other] as const),
    );
    for (const [index, [one, other]] of pairs.entries()) {
      await negotiate(one, other, index < 5 ? both : audio);
      transport(one, other, index === 7 ? "failed" : "connected");
    }
    const page = await inspect(backend.id);
    for (const n of [1, 2, 3]) await measure(backend, peers, n);
    await tab(page, "map");
    await until("a hundred flows", async () => {
      const sum = await page.locator("#flow-sum").textContent();
      return sum?.startsWith("100 flows, ") === true && !sum.includes(" 0 kbit/s");
    });
    expect(await page.locator("#map g.node").count()).toBe(10);
    // A line per direction of each pair; by kind where one peer is looked at.
    expect(await page.locator("#map g.flow-line").count()).toBe(90);
    await shoot(page, "ten-map");
    await page.locator("#scope-peer").selectOption({ label: "Ada" });
    await until("the flows of Ada", async () => {
      return (await page.locator("#map g.flow-line").count()) === 28;
    });
    for (const name of ["sequence", "quality", "transports"]) {
      await tab(page, name);
      await shoot(page, `ten-${name}`);
    }
    const phone = await inspect(backend.id, { width: 360, height: 780 });
    for (const name of ["sequence", "map", "sdp", "transports", "quality", "timeline"]) {
      await tab(phone, name);
      await shoot(phone, `phone-${name}`);
      const width = await phone.evaluate(() => document.documentElement.scrollWidth);
      expect(width, name).toBeLessThanOrEqual(360);
    }
    for (const peer of peers) peer.close();
  }, 120_000);

  it("[A1] takes a token from a form, never from the address, and says why one is refused", async () => {
    const backend = await Backend.start(baseUrl, {});
    const { token } = await backend.invite({ role: "observer" });
    const page = await open(backend.id);
    await page.locator("#token").fill("none");
    await page.locator("#token-form button").click();
    await page.locator("#access-problem", { hasText: "does not accept" }).waitFor();
    await page.locator("#token").fill(token);
    await page.locator("#token-form button").click();
    await page.locator("#liveness", { hasText: "Live" }).waitFor();
    // The page keeps it for itself in this tab.
    await page.reload();
    await page.locator("#liveness", { hasText: "Live" }).waitFor();
    expect(requests.filter((url) => url.includes(token))).toEqual([]);
    expect(page.url()).not.toContain(token);
  }, 60_000);

  it("[M15] a call of the demo page opens its inspector with one click", async () => {
    const context = await looking.newContext();
    contexts.push(context);
    const demo = await context.newPage();
    watch(demo);
    await demo.goto(baseUrl);
    await demo.locator("#start").click();
    const [page] = await Promise.all([
      context.waitForEvent("page"),
      demo.locator("#inspect").click(),
    ]);
    watch(page);
    await page.locator("#liveness", { hasText: "Live" }).waitFor();
    expect(await page.locator("#session-id").textContent()).toBe(
      decodeURIComponent(new URL(demo.url()).hash.slice(1)),
    );
  }, 60_000);
});
