import { afterAll, beforeAll, expect, inject, it } from "vitest";
import type { Advice } from "../../protocol/assistance/advice-message.ts";
import type { FlowAssistance } from "../../protocol/assistance/record.ts";
import { type Browser, launchChromium } from "./browsers.ts";
import { Caller, until } from "./caller.ts";
import { PureServer } from "./pure-server.ts";

/** What a mobile network recommends, obeyed by the SDK in a real browser. */

declare global {
  interface Window {
    advice: Advice[];
  }
}

let browser: Browser;
let server: PureServer;

beforeAll(async () => {
  browser = await launchChromium();
  server = await PureServer.start(inject("baseUrl"));
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

const HD = { width: 1280, height: 720, kinds: ["audio", "video"] };

const assistance = (more: Partial<FlowAssistance>): FlowAssistance => ({
  network: "north",
  api: "camara-qod",
  state: "granted",
  since: Date.now(),
  ...more,
});

it("[M13] the measured bit rate follows what the network recommends, down and up again", async () => {
  const one = await Caller.join(browser, server.backend, { ...HD, invitation: server.invite() });
  const two = await Caller.join(browser, server.backend, {
    kinds: [],
    invitation: server.invite(),
  });
  await two.receives(one.id);
  await one.page.evaluate(() => {
    window.advice = [];
    window.call.session.on("advice", (advice) => window.advice.push(advice));
  }, null);
  const heard = () => one.page.evaluate(() => window.advice, null);
  const flows = [...server.session.links.values()].flatMap((link) => [...link.flows.flows]);
  const video = flows.find(({ kind, from }) => kind === "video" && from === one.id);
  const { link = "", mid = "" } = video ?? {};
  const hear = (more: Partial<FlowAssistance>): void =>
    server.happen({ type: "assistance", link, peer: one.id, assistance: assistance(more) });

  await until("720p at its usual rate", async () => (await one.sendingBps(two.id, mid)) > 600_000);
  hear({ state: "impaired", reason: "QOS_NOT_GUARANTEED", advised: { uplinkBps: 300_000 } });
  await until("advised", async () => (await heard()).length > 0, 5000);
  expect((await heard()).find((advice) => advice.mid === mid)).toMatchObject({
    flow: video?.id,
    peer: one.id,
    network: "north",
    state: "impaired",
    reason: "QOS_NOT_GUARANTEED",
    bitrateBps: expect.any(Number),
  });
  await until(
    "under 300 kbit/s",
    async () => (await one.sendingBps(two.id, mid)) < 300_000,
    10_000,
  );

  hear({});
  await until("the usual rate again", async () => (await one.sendingBps(two.id, mid)) > 600_000);
  const last = (await heard()).findLast((advice) => advice.mid === mid);
  expect(last).toMatchObject({ state: "granted" });
  expect(last).not.toHaveProperty("bitrateBps");
});
