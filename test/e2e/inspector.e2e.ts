import { readFileSync } from "node:fs";
import {
  type BrowserContext,
  type Browser as Chromium,
  chromium,
  type Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import type { ContextRecord } from "../../protocol/context-messages.ts";
import { LIMITS } from "../../protocol/limits.ts";
import type { DescriptionView, TimelineView } from "../../protocol/timeline/view.ts";
import { toolPath } from "../../scripts/tools.ts";
import { type Browser, CHROMIUM_FLAGS, launchChromium } from "./browsers.ts";
import { Backend, Caller, until } from "./caller.ts";
import { CutProxy } from "./cut-proxy.ts";
import { measure, negotiate, ScenePeer, transport } from "./inspector-scene.ts";

/** The inspector of a session, as somebody uses it who wants to know what goes on in a call. */

const baseUrl = inject("baseUrl");

let browser: Browser;
let looking: Chromium;
let contexts: BrowserContext[] = [];
let requests: string[] = [];
let errors: string[] = [];
let proxies: CutProxy[] = [];

beforeAll(async () => {
  [browser, looking] = await Promise.all([
    launchChromium(),
    chromium.launch({ executablePath: toolPath("chromium"), args: [...CHROMIUM_FLAGS] }),
  ]);
});

afterEach(async () => {
  await Promise.all(contexts.map((context) => context.close()));
  contexts = [];
  const hosts = [baseUrl, ...proxies.map((proxy) => proxy.baseUrl)].map((url) => new URL(url).host);
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  proxies = [];
  const [asked, thrown] = [requests, errors];
  requests = [];
  errors = [];
  expect(thrown).toEqual([]);
  expect(asked.filter((url) => !hosts.includes(new URL(url).host))).toEqual([]);
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

async function open(
  session: string,
  viewport = { width: 1280, height: 900 },
  at = baseUrl,
): Promise<Page> {
  const context = await looking.newContext({ viewport, reducedMotion: "reduce" });
  contexts.push(context);
  const page = await context.newPage();
  watch(page);
  await page.goto(new URL(`inspect/${session}`, at).href);
  return page;
}

/** Opens the inspector with one click, as in local development. */
async function inspect(
  session: string,
  viewport?: { width: number; height: number },
  at?: string,
): Promise<Page> {
  const page = await open(session, viewport, at);
  // Some people click twice.
  await page.locator("#development-form button").dblclick();
  await page.locator("#liveness", { hasText: "Live" }).waitFor();
  return page;
}

const tab = (page: Page, name: string) => page.locator(`#tab-${name}`).click();

const texts = (page: Page, selector: string): Promise<string[]> =>
  page.locator(selector).allTextContents();

/** Name and value of each fact of the head, and how many entries the sequence has. */
const facts = async (page: Page): Promise<Record<string, string>> => ({
  ...Object.fromEntries(
    await page
      .locator("#facts > div")
      .evaluateAll((all) =>
        all.map((one) => [...one.children].map(({ textContent }) => textContent ?? "")),
      ),
  ),
  entries: (await page.locator(".sequence-head .when").textContent()) ?? "",
});

const focused = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => document.activeElement?.textContent ?? undefined);

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

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
    // The receiver's first report may come after the sender's.
    await until("what its receiver measures", async () =>
      (await texts(page, ".flow-members dt")).includes("Receiver measures"),
    );
    expect(await texts(page, ".flow-members dt")).toEqual(
      expect.arrayContaining(["State", "Codecs"]),
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
    await until("charts, and what the receiver experiences", async () => {
      expect(await page.locator(".charts svg.chart").count()).toBeGreaterThan(2);
      expect(await texts(page, ".experience dt")).toEqual(
        expect.arrayContaining(["Packets lost", "Jitter in playback", "Codec bit rate"]),
      );
      return true;
    });
    await shoot(page, "live-quality");
    await Promise.all([a.close(), b.close()]);
  }, 120_000);

  it("[M15] shows descriptions with line numbers, findings at their line, and what a renegotiation changed", async () => {
    const backend = await Backend.start(baseUrl, { sdpPolicy: "report", debug: true });
    const page = await inspect(backend.id);
    const a = await Caller.join(browser, backend, { kinds: ["audio"] });
    const b = await Caller.join(browser, backend, { kinds: [] });
    await b.receives(a.id, ["audio"]);
    await a.publishCanvas("canvas");
    await b.receives(a.id, ["audio", "video"]);
    const { descriptions } = await backend.read<{ descriptions: DescriptionView[] }>(
      "/descriptions",
    );
    const newest = descriptions.findLast(({ from }) => from === a.id);
    const before = descriptions.findLast(
      ({ from, exchange }) => from === a.id && exchange < (newest?.exchange ?? 0),
    );
    if (!(newest && before)) throw new Error("nothing was renegotiated");
    const linesOf = ({ sdp }: DescriptionView) => sdp.trimEnd().split("\r\n");
    await tab(page, "sdp");
    const title = new RegExp(`^${newest.type} ${newest.exchange}`);
    await page.locator(".sdp-item", { hasText: title }).click();
    const rows = (selector: string) =>
      page.locator(selector).evaluateAll((all) =>
        all.map((row) => ({
          no: row.querySelector(".no")?.textContent,
          text: row.querySelector("code")?.lastChild?.textContent,
          kind: (row as HTMLElement).dataset.kind,
        })),
      );
    expect(await rows(".code-lines:not(.diff) li")).toEqual(
      linesOf(newest).map((text, index) => ({ no: String(index + 1), text, kind: undefined })),
    );
    const { findings } = await backend.read<{
      findings: { exchange?: number; from: string; line?: number }[];
    }>("/findings");
    const marked = findings
      .filter(({ exchange, from }) => exchange === newest.exchange && from === a.id)
      .map(({ line = 1 }) => String(line));
    expect(new Set((await rows(".code-lines li[data-level]")).map(({ no }) => no))).toEqual(
      new Set(marked),
    );
    await shoot(page, "live-sdp");
    // The diff is both texts, line by line.
    await page.locator('#sdp-how input[value="changes"]').check({ force: true });
    await shoot(page, "live-changes");
    await page.locator(".hidden-lines button").evaluateAll((all) => {
      for (const button of all) (button as HTMLElement).click();
    });
    const diff = await rows(".code-lines.diff li");
    expect(diff.filter(({ kind }) => kind !== "gone").map(({ text }) => text)).toEqual(
      linesOf(newest),
    );
    expect(diff.filter(({ kind }) => kind !== "new").map(({ text }) => text)).toEqual(
      linesOf(before),
    );
    expect(diff.some(({ kind }) => kind === "new")).toBe(true);
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
    const named = (text: string): string =>
      [ada, grace, linus].reduce((so, peer) => so.replaceAll(peer.id, peer.name), text);
    const bad = verdicts.filter(({ state }) => state === "failed");
    const said = bad.map(({ says }) => named(says));
    const evidence = bad.flatMap((verdict) => verdict.evidence.map(({ says }) => named(says)));
    expect(evidence.join()).toContain("Linus");
    await until("the verdicts", async () => {
      const shown = await texts(page, ".verdict-card .says");
      return said.every((words) => shown.includes(words));
    });
    // Ids are for the server; people have names.
    const cards = (await texts(page, ".verdict-card .evidence")).join();
    for (const words of evidence) expect(cards).toContain(words);
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
    // Closing gives the keyboard back to the list.
    await page.locator("#entry-close").press("Enter");
    expect(await page.evaluate(() => document.activeElement?.className)).toBe("rows");
    await page.keyboard.press("ArrowDown");
    expect(await page.locator("#entry-members dd").first().textContent()).toBe("3");
    // Filters, and the raw entries.
    await page.keyboard.press("Escape");
    expect(await page.locator("#entry").isVisible()).toBe(false);
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
    // Cards change places and words: the keyboard stays where it is.
    transport(ada, grace, "disconnected");
    const has = page.locator(".who", { hasText: "Grace" });
    const card = page.locator(".verdict-card", { has });
    await card.locator(".evidence-link").first().focus();
    transport(ada, grace, "failed");
    await page.locator('.verdict-card[data-state="failed"]', { has }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.className)).toBe("evidence-link");
    transport(ada, grace, "connected");
    const head = page.locator('.verdict-card[data-state="working"] .verdict-head');
    await head.focus();
    const name = await focused(page);
    transport(ada, linus, "connected");
    await page.locator(".verdict-card:last-child .who", { hasText: "Linus" }).waitFor();
    expect(await focused(page)).toBe(name);
    // The end.
    await fetch(new URL(`v1/sessions/${backend.id}`, baseUrl), {
      method: "DELETE",
      headers: { authorization: "Bearer dev-key" },
    });
    await page.locator("#over", { hasText: "The session is over" }).waitFor();
    // Time stands still, and what ran until then is still there.
    await until("nothing is active", async () => (await facts(page)).Flows === "0 of 4");
    const atEnd = await facts(page);
    expect(atEnd["Bit rate"]).toBe("0 kbit/s");
    await pause(1_500);
    expect(await facts(page)).toEqual(atEnd);
    await tab(page, "map");
    expect(await texts(page, ".flow-head .rate")).toEqual(["ended", "ended"]);
    await shoot(page, "over-map");
    await tab(page, "timeline");
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
    await Promise.all(
      pairs.map(async ([one, other], index) => {
        await negotiate(one, other, index < 5 ? both : audio);
        transport(one, other, index === 7 ? "failed" : "connected");
      }),
    );
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
    // Whoever reads further up is left alone, and the box says so.
    await tab(page, "timeline");
    await page.locator("#raw").hover();
    await page.mouse.wheel(0, -2_000);
    await until("it follows no more", async () => !(await page.locator("#follow").isChecked()));
    const phone = await inspect(backend.id, { width: 360, height: 780 });
    for (const name of ["sequence", "map", "sdp", "transports", "quality", "timeline"]) {
      await tab(phone, name);
      await shoot(phone, `phone-${name}`);
      const width = await phone.evaluate(() => document.documentElement.scrollWidth);
      expect(width, name).toBeLessThanOrEqual(360);
    }
    for (const peer of peers) peer.close();
  }, 120_000);

  it("[M15] has what happened while its own socket was away, and shows who is away", async () => {
    const proxy = await CutProxy.start(baseUrl);
    proxies.push(proxy);
    const backend = await Backend.start(baseUrl, { sdpPolicy: "report" });
    const invitation = await backend.invite({ name: "Grace" });
    const ada = await ScenePeer.join(backend, "Ada");
    const grace = await ScenePeer.enter(backend, "Grace", invitation);
    const page = await inspect(backend.id, undefined, proxy.baseUrl);
    // One page, however often somebody clicked.
    expect(await page.locator("#sequence .rows").count()).toBe(1);
    proxy.refuses = true;
    proxy.cut();
    await page.locator("#liveness", { hasText: "Reconnecting" }).waitFor();
    const audio = [{ kind: "audio" as const, ssrc: 77 }];
    await negotiate(ada, grace, audio);
    grace.close();
    const isAway = async () =>
      (await timeline(backend)).entries.some(
        (entry) => entry.type === "peer-lost" && entry.peer === grace.id,
      );
    await until("Grace is away", isAway);
    proxy.refuses = false;
    await page.locator("#liveness", { hasText: "Live" }).waitFor();
    await until("all entries", async () => {
      const { entries } = await timeline(backend);
      return (await facts(page)).entries === `${entries.length} entries`;
    });
    expect((await facts(page)).Peers).toBe("1 of 2");
    // What is paused stands still, and knows all when it goes on.
    await page.locator("#pause").click();
    const paused = await facts(page);
    const back = await ScenePeer.enter(backend, "Grace", invitation);
    for (let times = 0; times < 3; times += 1) {
      ada.send({ type: "reject", to: grace.id, exchange: 77, reason: "busy" });
      await ada.next("problem");
    }
    await pause(1_500);
    await tab(page, "timeline");
    await tab(page, "sequence");
    expect(await facts(page)).toEqual(paused);
    await page.locator("#pause").click();
    await until("both are there", async () => (await facts(page)).Peers === "2");
    await page.locator("#sequence", { hasText: "3 times" }).waitFor();
    await shoot(page, "back-sequence");
    // A finding has its line in its own exchange, though a later one has the same.
    await negotiate(ada, back, audio);
    await tab(page, "timeline");
    const found = page.locator("#raw .row", { hasText: "ssrc-collision" });
    await until("the same again", async () => (await found.count()) > 1);
    await found.first().click();
    await page.locator("#entry-actions button", { hasText: "Show the line" }).click();
    expect(await page.locator("#sdp-title").textContent()).toMatch(/^Answer 1,/);
    expect(await page.evaluate(() => document.activeElement?.hasAttribute("data-line"))).toBe(true);
    ada.close();
    back.close();
  }, 60_000);

  it("[M15] asks where it gets no socket, until there is a place or its token is of no use", async () => {
    const backend = await Backend.start(baseUrl, {});
    const [ada, grace] = [
      await ScenePeer.join(backend, "Ada"),
      await ScenePeer.join(backend, "Grace"),
    ];
    const lookers: ScenePeer[] = [];
    for (let n = 0; n < LIMITS.observers; n += 1) {
      lookers.push(await ScenePeer.join(backend, `Looker ${n}`, "observer"));
    }
    const page = await open(backend.id);
    await page.locator("#development-form button").click();
    await page.locator("#liveness", { hasText: "No socket" }).waitFor();
    const { token } = await backend.invite({ role: "observer", ttlSeconds: 4 });
    const brief = await open(backend.id);
    await brief.locator("#token").fill(token);
    await brief.locator("#token-form button").click();
    await negotiate(ada, grace, [{ kind: "audio", ssrc: 77 }]);
    await tab(page, "sdp");
    await until("both descriptions", async () => (await page.locator(".sdp-item").count()) === 2);
    await brief.locator("#over", { hasText: "not valid any more" }).waitFor();
    grace.send({ type: "leave" });
    await until("one is there", async () => (await facts(page)).Peers === "1");
    lookers.pop()?.close();
    await page.locator("#liveness", { hasText: "Live" }).waitFor();
    ada.close();
    await until("and is away", async () => (await facts(page)).Peers === "0 of 1");
    for (const looker of lookers) looker.close();
  }, 90_000);

  it("[M7] shows with a flow what a media server makes of its context", async () => {
    const backend = await Backend.start(baseUrl, { topology: "central" });
    const server = await ScenePeer.join(backend, "Forwarder", "media-server");
    const ada = await ScenePeer.join(backend, "Ada");
    await negotiate(ada, server, [{ kind: "audio", ssrc: 77 }]);
    const page = await inspect(backend.id);
    await tab(page, "map");
    await page.locator(".flow-head", { hasText: "Ada → Forwarder" }).click();
    const shown = page.locator(".flow-members:visible dt", { hasText: "Context of Forwarder" });
    await shown.waitFor();
    const { contexts: all } = await backend.read<{ contexts: ContextRecord[] }>("/contexts");
    const uplink = all.find(({ direction, flow }) => direction === "uplink" && flow !== undefined);
    const { context, revision } = uplink ?? {};
    const outcome = { outcome: "refused", cause: "no-capacity" };
    server.send({ type: "context-result", context, revision, ...outcome });
    await page.locator(".flow-members dd", { hasText: "refused, no-capacity" }).waitFor();
    await shoot(page, "context");
    ada.close();
    server.close();
  }, 60_000);

  it("[A1] takes a token from a form, never from the address, and says why one is refused", async () => {
    const backend = await Backend.start(baseUrl, {});
    const { token } = await backend.invite({ role: "observer" });
    const page = await open(backend.id);
    await page.locator("#token").fill("none");
    await page.locator("#token-form button").click();
    await page.locator("#access-problem", { hasText: "does not accept" }).waitFor();
    // A wrong key is a wrong key, and not kept for the other ways in.
    await page.locator("#key").fill("wrong");
    await page.locator("#key-form button").click();
    await page.locator("#access-problem", { hasText: "does not accept this API key" }).waitFor();
    expect(await page.evaluate(() => Object.keys(sessionStorage))).toEqual([]);
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
