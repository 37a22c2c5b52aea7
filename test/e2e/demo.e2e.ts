import {
  type BrowserContext,
  type Browser as Chromium,
  chromium,
  type Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import type { Session } from "../../client/duplex.ts";
import { toolPath } from "../../scripts/tools.ts";
import { CHROMIUM_FLAGS, launch, type Page as PlainPage } from "./browsers.ts";
import { Backend, type FlowsAnswer, until } from "./caller.ts";

/** The demo page as a person uses it: real clicks and keys, which only the driver itself can give. */

declare global {
  interface Window {
    duplexDemo: { session?: Session };
  }
}

const baseUrl = inject("baseUrl");
const { host } = new URL(baseUrl);
const PHONE = { width: 390, height: 844 };

let browser: Chromium;
let contexts: BrowserContext[] = [];
/** What the pages of a test asked for, and what went wrong in them. */
let requests: string[] = [];
let errors: string[] = [];

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
  expect([...new Set(asked.map((url) => new URL(url).host))]).toEqual([host]);
});

afterAll(() => browser.close());

async function open(url: string, viewport = { width: 1280, height: 800 }): Promise<Page> {
  const permissions = ["clipboard-read", "clipboard-write"];
  const context = await browser.newContext({ viewport, permissions });
  contexts.push(context);
  const page = await context.newPage();
  page.on("request", (request) => {
    if (!request.url().startsWith("data:")) requests.push(request.url());
  });
  page.on("websocket", (socket) => requests.push(socket.url()));
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(url);
  return page;
}

/** Click one and click two; gives the link as the clipboard has it. */
async function start(page: Page): Promise<string> {
  await page.locator("#start").click();
  await page.locator("#copy").click();
  await until("the link is copied", async () => {
    return (await page.locator("#copy").textContent()) === "Link copied";
  });
  return page.evaluate(() => navigator.clipboard.readText());
}

async function join(link: string, name: string): Promise<Page> {
  const page = await open(link);
  await page.locator("#name").fill(name);
  await page.locator("#join").click();
  return page;
}

/** Two clicks on one page, one on the other; both connected, all their flows shown as active. */
async function call(): Promise<{ a: Page; b: Page; link: string }> {
  const a = await open(baseUrl);
  const link = await start(a);
  const b = await join(link, "Grace");
  await Promise.all([flowCount(a, 4), flowCount(b, 4)]);
  return { a, b, link };
}

const ownId = (page: Page) => page.evaluate(() => window.duplexDemo.session?.peer.id ?? "");

const active = (page: Page) => page.locator('[data-flow][data-state="active"]');

const flowCount = (page: Page, wanted: number) =>
  until(`${wanted} active flows in the table`, async () => {
    expect(await page.locator("[data-flow]").count()).toBe(wanted);
    return (await active(page).count()) === wanted;
  });

/** The pictures of other peers; runs in the page. Firefox counts frames of streams elsewhere. */
function readPictures() {
  const own = window.duplexDemo.session?.peer.id;
  return [...document.querySelectorAll<HTMLVideoElement>("video[data-peer]")]
    .filter((video) => video.dataset.peer !== own)
    .map((video) => ({
      width: video.videoWidth,
      time: video.currentTime,
      frames:
        (video as { mozPaintedFrames?: number }).mozPaintedFrames ??
        video.getVideoPlaybackQuality().totalVideoFrames,
      link: video.closest("figure")?.querySelector(".link-state")?.textContent ?? "",
    }));
}

interface Watcher {
  readonly evaluate: <R>(read: () => R, argument: null) => Promise<R>;
}

/** Waits until every picture of others moves and says that it is connected. */
async function sees({ evaluate }: Watcher, others: number): Promise<void> {
  const shown = async () => {
    const pictures = await evaluate(readPictures, null);
    expect(pictures).toHaveLength(others);
    return pictures;
  };
  let first: Awaited<ReturnType<typeof shown>> = [];
  await until(`${others} pictures`, async () => {
    first = await shown();
    return first.every(({ width, link }) => width > 0 && link === "connected");
  });
  await until("they move", async () => {
    const now = await shown();
    return now.every(
      ({ frames, time }, i) => frames > (first[i]?.frames ?? 0) + 5 && time > (first[i]?.time ?? 0),
    );
  });
}

const watcher = (page: Page): Watcher => ({ evaluate: (read) => page.evaluate(read) as never });

/** The rows of the flow table by flow id: direction, state, and the text of each cell by its column. */
const rows = (page: Page) =>
  page.locator("[data-flow]").evaluateAll((all) =>
    all.map((row) => ({
      id: row.getAttribute("data-flow"),
      direction: row.getAttribute("data-direction"),
      cells: Object.fromEntries(
        [...row.querySelectorAll<HTMLElement>("td")].map((cell) => [
          cell.dataset.label || "Action",
          cell.textContent,
        ]),
      ),
    })),
  );

const backendOf = (link: string) => new Backend(baseUrl, new URL(link).hash.slice(1));

/** Every row of the table against the record of the server, and the other way round. */
async function tableAgrees(page: Page, { flows, transports }: FlowsAnswer): Promise<void> {
  const self = await ownId(page);
  const shown = await rows(page);
  const mine = flows.filter(({ from, to, state }) => {
    return state !== "ended" && (from === self || to === self);
  });
  expect(shown.map(({ id }) => id).sort()).toEqual(mine.map(({ id }) => id).sort());
  for (const { id, direction, cells } of shown) {
    const flow = mine.find((one) => one.id === id)!;
    const view = flow.views.find(({ peer }) => peer === self)!;
    expect(direction).toBe(view.direction);
    expect(cells.Direction).toContain(view.direction);
    expect(cells.Media).toBe(`${flow.kind}, mid ${flow.mid}`);
    expect(cells.Codec).toContain(flow.codecs[0]!.name);
    expect(cells.State).toBe(flow.state);
    expect(cells["Bit rate"]).toMatch(/^[\d.]+ [kM]bit\/s$/);
    expect(Number.parseFloat(cells["Bit rate"]!)).toBeGreaterThan(0);
    const tuple = transports
      .find((one) => one.id === flow.transport)!
      .fiveTuples.find(({ peer }) => peer === self)!;
    const [local, remote] = [tuple.local, tuple.remote].map(({ address, port }) =>
      address!.includes(":") ? `[${address}]:${port}` : `${address}:${port}`,
    );
    const path = view.direction === "uplink" ? `${local} → ${remote}` : `${remote} → ${local}`;
    expect(cells["5-tuple"]).toBe(`${tuple.protocol} ${path}`);
  }
}

/** Mean brightness of the first picture of another peer, 0 to 255. */
const brightness = (page: Page) =>
  page.evaluate(() => {
    const own = window.duplexDemo.session?.peer.id;
    const video = [...document.querySelectorAll<HTMLVideoElement>("video[data-peer]")].find(
      (one) => one.dataset.peer !== own,
    )!;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [16, 16];
    const context = canvas.getContext("2d")!;
    context.drawImage(video, 0, 0, 16, 16);
    const { data } = context.getImageData(0, 0, 16, 16);
    return data.reduce((sum, value, i) => (i % 4 === 3 ? sum : sum + value), 0) / (16 * 16 * 3);
  });

/** Sound energy received from the other peer so far. */
const energy = (page: Page) =>
  page.evaluate(async () => {
    const { session } = window.duplexDemo;
    const [peer] = session!.peers.keys();
    const report = await session!.connection(peer!)!.getStats();
    const stats = [...(report as unknown as Map<string, Record<string, unknown>>).values()];
    const audio = stats.find((one) => one.type === "inbound-rtp" && one.kind === "audio");
    return Number(audio?.totalAudioEnergy ?? 0);
  });

const tileOf = async (page: Page, other: Page) =>
  page.locator(`figure[data-tile="${await ownId(other)}"]`);

describe("the demo page", () => {
  it("[M16] two clicks to a call: both see each other", async () => {
    const { a, b, link } = await call();
    expect(link).toBe(a.url());
    expect(new URL(link).host).toBe(host);
    await Promise.all([sees(watcher(a), 1), sees(watcher(b), 1)]);
    for (const page of [a, b]) {
      expect(await page.locator("#signalling").textContent()).toBe("Online");
      expect(await page.locator("#alone").isVisible()).toBe(false);
    }
  });

  it("[M4] the flow table shows on both sides what the server records", async () => {
    const { a, b, link } = await call();
    const backend = backendOf(link);
    for (const page of [a, b]) {
      await until(
        "table and record agree",
        async () => {
          await tableAgrees(page, await backend.flows());
          return true;
        },
        20_000,
      );
      expect((await rows(page)).map(({ direction }) => direction).sort()).toEqual([
        "downlink",
        "downlink",
        "uplink",
        "uplink",
      ]);
    }
    await until("the sum", async () => {
      const sum = await a.locator("#flows-sum").textContent();
      return /^4 flows, ↑ [1-9][\d.]* [kM]bit\/s, ↓ [1-9][\d.]* [kM]bit\/s$/.test(sum ?? "");
    });
  });

  it("[M4] Hold in the table holds a flow on both sides and in the record; Resume takes it up", async () => {
    const { a, b, link } = await call();
    const row = a.locator('[data-direction="uplink"][data-kind="video"]');
    const id = await row.getAttribute("data-flow");
    const button = row.getByRole("button");
    for (const [action, state, next] of [
      ["Hold", "held", "Resume"],
      ["Resume", "active", "Hold"],
    ] as const) {
      expect(await button.textContent()).toBe(action);
      await button.click();
      await until(`${state} everywhere`, async () => {
        const { flows } = await backendOf(link).flows();
        return (
          flows.find((flow) => flow.id === id)?.state === state &&
          (await row.getAttribute("data-state")) === state &&
          (await b.locator(`[data-flow="${id}"]`).getAttribute("data-state")) === state &&
          (await button.textContent()) === next
        );
      });
    }
    await sees(watcher(b), 1);
  });

  it("[M16] mute and camera off silence and darken the other side, which is told", async () => {
    const { a, b } = await call();
    await sees(watcher(b), 1);
    const tile = await tileOf(b, a);
    const silent = async () => {
      const before = await energy(b);
      // The fake microphone beeps once a second.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return (await energy(b)) - before < 1e-6;
    };
    expect(await silent()).toBe(false);

    await a.locator("#mute").click();
    expect(await a.locator("#mute").textContent()).toBe("Unmute");
    await tile.getByText("muted").waitFor();
    await until("silence", silent);
    await a.locator("#mute").click();
    expect(await a.locator("#mute").textContent()).toBe("Mute");
    await until("sound", async () => !(await silent()));
    expect(await tile.getByText("muted").count()).toBe(0);

    await a.locator("#camera").click();
    expect(await a.locator("#camera").textContent()).toBe("Camera on");
    await tile.locator(".face").waitFor();
    await until("a black picture", async () => (await brightness(b)) < 3);
    await a.locator("#camera").click();
    expect(await a.locator("#camera").textContent()).toBe("Camera off");
    await until("a picture", async () => (await brightness(b)) > 20);
    await tile.locator(".face").waitFor({ state: "hidden" });
  });

  it("[M5] limit and priority in the table reach the record, the other page and the sender", async () => {
    const { a, b, link } = await call();
    const row = b.locator('[data-direction="downlink"][data-kind="video"]');
    const id = await row.getAttribute("data-flow");
    const recorded = async () =>
      (await backendOf(link).flows()).flows.find((flow) => flow.id === id)!;
    const rate = (page: Page) =>
      page.locator(`[data-flow="${id}"] [data-label="Bit rate"]`).textContent();
    await row.getByLabel(/^Limit/).selectOption("200 kbit/s");
    await row.getByLabel(/^Priority/).selectOption("high");
    await until("the sender has done it", async () => {
      const { applied, limits, priority } = await recorded();
      return (
        limits.requestedBps === 200_000 &&
        priority === "high" &&
        applied?.maxBitrateBps === 200_000 &&
        applied.priority === "high" &&
        (await rate(a))?.endsWith(" of 200 kbit/s") === true &&
        (await rate(b))?.endsWith(" of 200 kbit/s") === true
      );
    });
    await row.getByLabel(/^Limit/).selectOption("No limit");
    await row.getByLabel(/^Priority/).selectOption({ index: 0 });
    await until("it is as before", async () => {
      const { applied, requests, limits, priority } = await recorded();
      return (
        requests === undefined &&
        limits.requestedBps === undefined &&
        priority === "low" &&
        applied?.maxBitrateBps === null &&
        !(await rate(b))?.includes(" of ")
      );
    });
  });

  it("[M5] a flow that the other one holds says so, and cannot be let go on", async () => {
    const { a, b } = await call();
    const row = a.locator('[data-direction="uplink"][data-kind="video"]');
    const id = await row.getAttribute("data-flow");
    await row.getByRole("button", { name: /^Hold/ }).click();
    const theirs = b.locator(`[data-flow="${id}"]`);
    const state = theirs.locator('[data-label="State"]');
    const nameOfA = await a.evaluate(() => window.duplexDemo.session!.peer.name ?? "Guest");
    await until(
      "b knows by whom",
      async () => (await state.textContent()) === `held (by ${nameOfA})`,
    );
    // Holding it as well, and letting it go again, leaves it held by the other.
    await theirs.getByRole("button", { name: /^Hold/ }).click();
    await until("both hold", async () => (await state.textContent())?.includes("and") === true);
    await theirs.getByRole("button", { name: /^Resume/ }).click();
    await until("one holds", async () => (await state.textContent()) === `held (by ${nameOfA})`);
    await row.getByRole("button", { name: /^Resume/ }).click();
    await until("it goes on", async () => (await state.textContent()) === "active");
  });

  it("[M16] share screen adds a flow and a picture; stopping takes both away", async () => {
    const { a, b, link } = await call();
    await sees(watcher(b), 1);
    await a.locator("#share").click();
    await Promise.all([flowCount(a, 5), flowCount(b, 5)]);
    await sees(watcher(b), 2);
    expect(await (await tileOf(b, a)).allTextContents()).toEqual([
      expect.stringContaining("Guest"),
      expect.stringContaining("Guest, screen"),
    ]);
    expect(await a.locator("#share").textContent()).toBe("Stop sharing");
    await a.locator("#share").click();
    await Promise.all([flowCount(a, 4), flowCount(b, 4)]);
    await sees(watcher(b), 1);
    const self = await ownId(a);
    await until("the screen's flow is over in the record", async () => {
      const { flows } = await backendOf(link).flows("?state=ended&kind=video");
      return flows.filter(({ from, reason }) => from === self && reason === "stopped").length === 1;
    });
    await a.locator("#ended").check();
    expect(await a.locator("[data-flow]").getByText("ended (stopped)").count()).toBe(1);
  });

  it("[M16] leave ends the call on the other side, and joins again by the same link", async () => {
    const { a, b, link } = await call();
    await b.locator("#leave").click();
    await b.getByText("You left the call.").waitFor();
    await a.getByText("Nobody else is here yet").waitFor();
    expect(await a.locator("#tiles figure").count()).toBe(1);
    expect(await a.locator("[data-flow]").count()).toBe(0);
    expect(await a.locator("#link").textContent()).toBe(link);
    const { flows } = await backendOf(link).flows();
    expect(new Set(flows.map(({ state, reason }) => `${state} ${reason}`))).toEqual(
      new Set(["ended left"]),
    );
    await b.locator("#join").click();
    await Promise.all([sees(watcher(a), 1), sees(watcher(b), 1)]);
    await a.locator("#ended").check();
    expect((await rows(a)).map(({ cells }) => cells.Peer)).toEqual(Array(8).fill("Grace"));
  });

  it("[M16] a third page joins by the same link and learns who is muted", async () => {
    const { a, b, link } = await call();
    await b.locator("#mute").click();
    const c = await join(link, "Lin");
    await Promise.all([a, b, c].map((page) => flowCount(page, 8)));
    await Promise.all([a, b, c].map((page) => sees(watcher(page), 2)));
    await (await tileOf(c, b)).getByText("muted").waitFor();
    expect(await (await tileOf(c, a)).getByText("muted").count()).toBe(0);
    expect(await (await tileOf(a, c)).locator(".who").textContent()).toBe("Lin");
  });

  it("[M16] a wrong link says so in plain words and lets one start a call", async () => {
    const page = await open(`${baseUrl}#no-such-call`);
    await page.locator("#join").click();
    const words = await page.locator(".notice p").textContent();
    expect(words).toBe("This call is over, or the link is not complete. You can start a new one.");
    expect(await page.locator("#join").isVisible()).toBe(false);
    const link = await start(page);
    expect(new URL(link).hash.slice(1)).not.toBe("no-such-call");
    expect(await page.locator(".notice").count()).toBe(0);
  });

  it("[M16] a link that is cut off in the middle of an escape is a wrong link", async () => {
    const page = await open(`${baseUrl}#abc%E`);
    await page.locator("#join").click();
    await page.getByText("This call is over, or the link is not complete").waitFor();
  });

  it("[M16] a server with another API key asks for it", async () => {
    const page = await open(baseUrl);
    await page.evaluate(() => sessionStorage.setItem("duplex-api-key", "not-the-key"));
    await page.locator("#start").click();
    await page.locator("#key").waitFor();
    await page.keyboard.type("dev-key");
    await page.keyboard.press("Enter");
    await page.locator("#call").waitFor();
  });

  it("[M16] Firefox joins a call of Chromium by the link", async () => {
    const firefox = await launch("firefox");
    try {
      const a = await open(baseUrl);
      const b: PlainPage = await firefox.open(await start(a));
      await b.evaluate(() => document.querySelector<HTMLElement>("#join")?.click(), null);
      await Promise.all([sees(watcher(a), 1), sees(b, 1)]);
      await flowCount(a, 4);
    } finally {
      await firefox.close();
    }
  });
});

describe("the demo page for everybody", () => {
  /** Names of all controls in the accessibility tree. */
  const controls = async (page: Page): Promise<string[]> =>
    (await page.locator("body").ariaSnapshot())
      .split("\n")
      .filter((line) => /^\s*- (button|link|textbox|checkbox)\b/.test(line));

  const focusRing = (page: Page) =>
    page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement!);
      return { id: document.activeElement!.id, seen: outlineStyle !== "none" && outlineWidth };
    });

  /** Tab by tab; every stop must show that it has the focus. */
  async function tabTo(page: Page, id: string): Promise<void> {
    for (let steps = 0; steps < 20; steps++) {
      await page.keyboard.press("Tab");
      const focus = await focusRing(page);
      expect(focus.seen).toBe("3px");
      if (focus.id === id) return;
    }
    throw new Error(`#${id} is not reached with Tab`);
  }

  it("[M16] the keyboard alone starts, joins and leaves a call, and the focus is always seen", async () => {
    const a = await open(baseUrl);
    await tabTo(a, "start");
    await a.keyboard.press("Enter");
    await a.locator("#call").waitFor();
    await until("the focus is on the link", async () => (await focusRing(a)).id === "copy");
    await a.keyboard.press("Enter");
    await a.getByText("Link copied").waitFor();
    const b = await open(a.url());
    await tabTo(b, "name");
    await b.keyboard.type("Grace");
    await b.keyboard.press("Enter");
    await Promise.all([flowCount(a, 4), flowCount(b, 4)]);
    await tabTo(b, "leave");
    await b.keyboard.press("Enter");
    await b.getByText("You left the call.").waitFor();
    expect((await focusRing(b)).id).toBe("lobby-title");
    await tabTo(b, "join");
  });

  it("[M16] every control has a name", async () => {
    const { a, link } = await call();
    const invited = await open(link);
    const fresh = await open(baseUrl);
    for (const [page, least] of [
      [a, 11],
      [invited, 4],
      [fresh, 4],
    ] as const) {
      const found = await controls(page);
      expect(found.length).toBeGreaterThanOrEqual(least);
      for (const line of found) expect(line).toMatch(/^\s*- \w+ ".+"/);
      expect(await page.locator("h1:visible, h1.visually-hidden").count()).toBeGreaterThan(0);
    }
    const holds = (await controls(a)).filter((line) => line.includes("Hold"));
    expect(new Set(holds).size).toBe(4);
  });

  it("[M16] nothing is wider than a phone, and the controls stay in view", async () => {
    const a = await open(baseUrl, PHONE);
    const fits = () =>
      a.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await fits()).toBe(0);
    const link = await start(a);
    expect(await fits()).toBe(0);
    await join(link, "A name so long that it has to be cut off somewhere, W".padEnd(64, "W"));
    await flowCount(a, 4);
    expect(await fits()).toBe(0);
    await active(a).last().scrollIntoViewIfNeeded();
    for (const id of ["mute", "camera", "share", "leave"]) {
      const box = (await a.locator(`#${id}`).boundingBox())!;
      expect(box.y + box.height).toBeLessThanOrEqual(PHONE.height);
      expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(44);
    }
  });

  it("[M16] no requests go to other hosts: neither page nor style names one", async () => {
    const page = await open(baseUrl);
    const loaded = await page.evaluate(() =>
      performance.getEntriesByType("resource").map(({ name }) => name),
    );
    const styles = loaded.filter((url) => url.endsWith(".css"));
    expect(styles.length).toBeGreaterThan(0);
    for (const url of [baseUrl, ...styles]) {
      const text = await (await fetch(url)).text();
      const absolute = text.match(/(?:https?:)?\/\/[\w.-]+\.\w+[^\s"')]*/g) ?? [];
      expect(absolute.filter((one) => one !== "http://www.w3.org/2000/svg")).toEqual([]);
    }
    // Further, after every test of this file: all requests and sockets went to the server itself.
  });
});
