import {
  type BrowserContext,
  type Browser as Chromium,
  chromium,
  type Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { WebSocket } from "ws";
import { toolPath } from "../../scripts/tools.ts";
import { sdpOf } from "../descriptions.ts";
import { CHROMIUM_FLAGS } from "./browsers.ts";
import { Backend, until } from "./caller.ts";

/** The start page of operators, as a person uses it, with sessions that run. */

const baseUrl = inject("baseUrl");
const url = new URL("inspect", baseUrl).href;
const PHONE = { width: 360, height: 740 };
const KEY = { authorization: "Bearer dev-key" };

let browser: Chromium;
let contexts: BrowserContext[] = [];
let begun: Backend[] = [];
let requests: string[] = [];
let errors: string[] = [];

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: toolPath("chromium"),
    args: [...CHROMIUM_FLAGS],
  });
});

const end = ({ id }: Backend): Promise<Response> =>
  fetch(new URL(`v1/sessions/${id}`, baseUrl), { method: "DELETE", headers: KEY });

afterEach(async () => {
  await Promise.all([...contexts.map((context) => context.close()), ...begun.map(end)]);
  contexts = [];
  begun = [];
  const [asked, thrown] = [requests, errors];
  requests = [];
  errors = [];
  expect(thrown).toEqual([]);
  const { host } = new URL(baseUrl);
  expect(asked.filter((one) => new URL(one).host !== host)).toEqual([]);
});

afterAll(() => browser.close());

async function open({
  viewport = { width: 1280, height: 900 },
  key = "",
  hasClock = false,
} = {}): Promise<Page> {
  const context = await browser.newContext({ viewport });
  contexts.push(context);
  const page = await context.newPage();
  page.on("request", (request) => {
    if (!request.url().startsWith("data:")) requests.push(request.url());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  if (key !== "")
    await page.addInitScript((item) => sessionStorage.setItem("duplex-api-key", item), key);
  if (hasClock) await page.clock.install();
  await page.goto(url);
  return page;
}

async function begin(config: object): Promise<Backend> {
  const session = await Backend.start(baseUrl, config);
  begun.push(session);
  return session;
}

const row = (page: Page, { id }: Backend) => page.locator(`#sessions tr[data-session="${id}"]`);

const fits = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/** A peer without a browser, of which only the state of a link matters. */
class Member {
  readonly id: string;
  readonly socket: WebSocket;
  readonly #taken: { type: string; re?: number; exchange?: number }[] = [];

  constructor(id: string, socket: WebSocket) {
    this.id = id;
    this.socket = socket;
    socket.on("message", (data) => this.#taken.push(JSON.parse(String(data))));
  }

  static async join(session: Backend): Promise<Member> {
    const { peer, token, signalling } = await session.invite();
    const member = new Member(
      peer.id,
      new WebSocket(signalling.url, ["duplex.v1", `bearer.${token}`]),
    );
    await member.#next(({ type }) => type === "welcome");
    return member;
  }

  async ask(message: { id: number } & object): Promise<number> {
    this.socket.send(JSON.stringify(message));
    const { type, exchange = 0 } = await this.#next(({ re }) => re === message.id);
    expect(type).toBe("ack");
    return exchange;
  }

  async #next(is: (frame: { type: string; re?: number }) => boolean) {
    await until("a frame", async () => this.#taken.some(is));
    return this.#taken.find(is) as { type: string; exchange?: number };
  }
}

/** An offer, its answer, and the word of one end that it found a path. */
async function agree(one: Member, two: Member): Promise<void> {
  const exchange = await one.ask({ type: "offer", id: 1, to: two.id, sdp: sdpOf() } as never);
  const sdp = sdpOf({ setup: "active" });
  await two.ask({ type: "answer", id: 1, to: one.id, exchange, sdp } as never);
  await one.ask({ type: "transport", id: 2, to: two.id, state: "connected" } as never);
}

describe("the start page of operators", () => {
  it("[M15] shows what runs, and opens the inspector with a token in the storage of its tab", async () => {
    const metadata = { title: "Support call 4711" };
    const session = await begin({ listed: true, metadata });
    const unlisted = await begin({});
    // So that nobody waits for the page to refresh by itself.
    const page = await open({ hasClock: true });
    await row(page, session).getByText("Empty").waitFor();
    expect(await row(page, session).textContent()).toContain("Support call 4711");
    expect(await row(page, unlisted).count()).toBe(0);

    const [one, two] = [await Member.join(session), await Member.join(session)];
    await agree(one, two);
    await until("the call is shown", async () => {
      await page.locator("#refresh").click();
      return (await row(page, session).textContent())?.includes("1 working") ?? false;
    });
    expect(await row(page, session).locator("td[data-label=Peers]").textContent()).toBe("2");
    const peers = Number.parseInt((await page.locator("#total-peers").textContent()) ?? "", 10);
    expect(peers).toBeGreaterThan(1);
    for (const [act, opened] of [
      [
        () =>
          row(page, session)
            .getByRole("button", { name: /^Inspect/ })
            .click(),
        session,
      ],
      [
        () =>
          page
            .locator("#open")
            .fill(` ${unlisted.id} `)
            .then(() => page.keyboard.press("Enter")),
        unlisted,
      ],
    ] as const) {
      const [tab] = await Promise.all([page.context().waitForEvent("page"), act()]);
      await tab.waitForURL((there) => there.pathname === `/inspect/${opened.id}`);
      expect(tab.url()).toBe(`${url}/${opened.id}`);
      // Whatever page the tab shows: its storage is what it was opened with.
      await tab.goto(new URL("check", baseUrl).href);
      const kept = await tab.evaluate(() => ({ ...sessionStorage }));
      expect(Object.keys(kept)).toEqual([`duplex.observer.${opened.id}`]);
      const [token = ""] = Object.values(kept) as string[];
      const read = (path: string) =>
        fetch(new URL(`v1/sessions/${opened.id}${path}`, baseUrl), {
          headers: { authorization: `Bearer ${token}` },
        });
      // Only an observer and the application may.
      expect((await read("/findings")).status).toBe(200);
      await tab.close();
    }
    expect(requests.filter((one) => /eyJ/.test(one))).toEqual([]);
    expect(await page.evaluate(() => Object.keys(sessionStorage))).toEqual([]);
    one.socket.close();
    two.socket.close();
    // By itself: nobody asks for it here.
    await end(session);
    await page.clock.fastForward(11_000);
    await until("it is gone", async () => (await row(page, session).count()) === 0);
  });

  it("[M15] goes through older sessions page by page, and finds by id and by metadata", async () => {
    const group = `group-${Math.random().toString(36).slice(2)}`;
    const oldest = await begin({ listed: true, metadata: { group, at: 0 } });
    const later = Array.from({ length: 27 }, (_none, at) =>
      begin({ listed: true, metadata: { group, at: at + 1 } }),
    );
    const many = await Promise.all(later);
    const newest = await begin({ listed: true, metadata: { group } });
    const page = await open();
    await row(page, newest).waitFor();
    expect(await row(page, oldest).count()).toBe(0);
    await page.locator("#search").fill(`${group} "at":0`);
    await page.getByText("None of these matches.").waitFor();
    await page.getByRole("button", { name: "Search older sessions, too" }).click();
    await row(page, oldest).waitFor();
    await page.locator("#search").fill(oldest.id.slice(3, 15));
    expect(await page.locator("#sessions tbody tr").count()).toBe(1);
    await page.locator("#search").fill("");
    await row(page, newest).waitFor();
    const shown = await page
      .locator("#sessions tbody tr")
      .evaluateAll((rows) => rows.map((one) => (one as HTMLElement).dataset.session));
    const wanted = new Set([newest, ...many, oldest].map(({ id }) => id));
    const found = shown.filter((id) => id !== undefined && wanted.has(id));
    expect([found.length, found[0], found.at(-1)]).toEqual([29, newest.id, oldest.id]);
  });

  it("[A1] without a key that is valid it asks for one, and keeps it in the tab only", async () => {
    const session = await begin({ listed: true });
    const page = await open({ key: "wrong-key" });
    await page.getByRole("heading", { name: "This server wants an API key" }).waitFor();
    expect(await page.locator("#view").isVisible()).toBe(false);
    await page.locator("#key").fill("wrong-again");
    await page.keyboard.press("Enter");
    await page.getByText("The server does not accept this key.").waitFor();
    await page.locator("#key").fill("dev-key");
    await page.keyboard.press("Enter");
    await row(page, session).waitFor();
    expect(await page.locator("#access").isVisible()).toBe(false);
    expect(await page.locator("#key").inputValue()).toBe("");
    expect(
      await page.evaluate(() => [sessionStorage["duplex-api-key"], localStorage.length]),
    ).toEqual(["dev-key", 0]);
    expect(page.url()).toBe(url);
    // The tab of the inspector gets a token and no key.
    const [tab] = await Promise.all([
      page.context().waitForEvent("page"),
      row(page, session).getByRole("button").click(),
    ]);
    await tab.goto(new URL("check", baseUrl).href);
    expect(await tab.evaluate(() => Object.keys(sessionStorage))).toEqual([
      `duplex.observer.${session.id}`,
    ]);
    expect(await page.evaluate(() => ({ ...sessionStorage }))).toEqual({
      "duplex-api-key": "dev-key",
    });
  });

  it("[M15] says what is wrong with an id, and has the letters of webhooks where there are any", async () => {
    const page = await open();
    await page.locator("#open").fill("no-such-session");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("There is no such session").waitFor();
    const { status } = await fetch(new URL("v1/webhooks/dead-letters", baseUrl), { headers: KEY });
    expect(await page.locator("#letters").isVisible()).toBe(status !== 404);
  });

  it("[M15] tells of a server that does not answer while it does not, and asks it no more often", async () => {
    const session = await begin({ listed: true });
    const page = await open({ hasClock: true });
    await row(page, session).waitFor();
    let asked = 0;
    await page.route("**/v1/sessions?*", (route) => {
      asked += 1;
      return route.abort();
    });
    const said = page.getByRole("alert").getByText("The server does not answer");
    for (let seconds = 0; seconds < 15; seconds += 1) {
      await page.clock.runFor(1_000);
      // In real time: a request that fails takes some.
      await page.waitForTimeout(30);
    }
    await said.waitFor();
    expect(asked).toBe(1);
    await page.unroute("**/v1/sessions?*");
    await page.clock.runFor(11_000);
    await said.waitFor({ state: "hidden" });
    expect(await row(page, session).isVisible()).toBe(true);
  });

  it("[M15] works on a phone and by keyboard, and every control has a name", async () => {
    const metadata = { title: "A".repeat(200), long: "b".repeat(300) };
    const session = await begin({ listed: true, metadata });
    const page = await open({ viewport: PHONE });
    await row(page, session).waitFor();
    expect(await fits(page)).toBe(0);
    const tree = (await page.locator("body").ariaSnapshot()).split("\n");
    const controls = tree.filter((line) =>
      /^\s*- (button|link|textbox|searchbox|checkbox)\b/.test(line),
    );
    expect(controls.length).toBeGreaterThan(7);
    for (const line of controls) expect(line).toMatch(/^\s*- \w+ ".+"/);
    const inspect = row(page, session).getByRole("button");
    for (let presses = 0; presses < 60; presses++) {
      if (await inspect.evaluate((one) => one === document.activeElement)) break;
      await page.keyboard.press("Tab");
    }
    // A refresh leaves the focus where it is.
    await page.locator("#refresh").evaluate((one) => (one as HTMLButtonElement).click());
    await begin({ listed: true });
    const [tab] = await Promise.all([
      page.context().waitForEvent("page"),
      page.keyboard.press("Enter"),
    ]);
    expect(new URL(tab.url()).pathname).toBe(`/inspect/${session.id}`);
  });

  it("[M16] a call that the demo starts in local development is in the list", async () => {
    const page = await open();
    const demo = await page.context().newPage();
    await demo.goto(baseUrl);
    await demo.getByRole("button", { name: "Start a call" }).click();
    await until("the link of the call", async () => new URL(demo.url()).hash.length > 1);
    const id = new URL(demo.url()).hash.slice(1);
    begun.push(new Backend(baseUrl, id));
    await page.locator("#refresh").click();
    await row(page, new Backend(baseUrl, id)).waitFor();
    await demo.goto(baseUrl);
    await demo.getByRole("link", { name: "Inspect" }).click();
    await row(demo, new Backend(baseUrl, id)).waitFor();
  });
});
