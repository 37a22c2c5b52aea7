import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Browser, type BrowserName, launch } from "./browsers.ts";
import { Backend, Caller, until } from "./caller.ts";
import { HttpClient, type HttpClientOptions } from "./http-client.ts";

/** WHIP and WHEP without a media server: straight to a page that uses the SDK. */

const baseUrl = inject("baseUrl");

const browsers = new Map<BrowserName, Browser>();
beforeAll(async () => {
  for (const name of ["chromium", "firefox"] as const) browsers.set(name, await launch(name));
});
afterAll(async () => {
  await Promise.all([...browsers.values()].map((browser) => browser.close()));
});

const browserOf = (name: BrowserName): Browser => {
  const browser = browsers.get(name);
  if (!browser) throw new Error(`${name} does not run`);
  return browser;
};

interface Room {
  readonly backend: Backend;
  readonly native: Caller;
  /** Publishes to it. */
  readonly cam: HttpClient;
  /** Plays what it publishes. */
  readonly eye: HttpClient;
}

const arrive = async (
  http: BrowserName,
  backend: Backend,
  native: Caller,
  options: HttpClientOptions = {},
): Promise<Room> => {
  const [cam, eye] = await Promise.all([
    HttpClient.open(browserOf(http), backend, "whip", options),
    HttpClient.open(browserOf(http), backend, "whep", options),
  ]);
  return { backend, native, cam, eye };
};

const plays = ({ native, cam, eye }: Room): Promise<unknown> =>
  Promise.all([native.receives(cam.id), eye.plays()]);

const leave = ({ native, cam, eye }: Room): Promise<unknown> =>
  Promise.all([native, cam, eye].map((page) => page.close()));

/** Who sends what to whom now. */
const flowsNow = async ({ backend, native, cam, eye }: Room): Promise<string[]> => {
  const names = new Map([
    [native.id, "native"],
    [cam.id, "cam"],
    [eye.id, "eye"],
  ]);
  const { flows } = await backend.flows();
  return flows
    .filter(({ state }) => state === "active")
    .map(({ from, to, kind }) => `${kind} of ${names.get(from)} to ${names.get(to)}`)
    .sort();
};

const ALL_FLOWS = [
  "audio of cam to native",
  "audio of native to eye",
  "video of cam to native",
  "video of native to eye",
];

/** It answers, and offers nothing, which the server would refuse (W7). */
const expectOnlyAnswers = async ({ native }: Room, answers: number): Promise<void> => {
  const said = await native.page.evaluate(
    () => ({
      problems: window.call.problems,
      offers: window.call.offersSent,
      answers: window.call.sent.answer,
    }),
    null,
  );
  expect(said).toEqual({ problems: [], offers: 0, answers });
};

describe.each<[BrowserName, BrowserName]>([
  ["chromium", "firefox"],
  ["firefox", "chromium"],
])("WHIP and WHEP in %s, the SDK in %s", (http, sdk) => {
  it("[W7] media go both ways, through a restart of ICE, and the SDK offers nothing", async () => {
    const backend = await Backend.start(baseUrl);
    const native = await Caller.join(browserOf(sdk), backend);
    const room = await arrive(http, backend, native);
    const { cam, eye } = room;
    await plays(room);
    await until("all flows run", async () => (await flowsNow(room)).length === ALL_FLOWS.length);
    expect(await flowsNow(room)).toEqual(ALL_FLOWS);
    await expectOnlyAnswers(room, 2);
    // A player can be offered nothing more, and keeps what it has.
    await native.publishCanvas("slides");
    expect(await Promise.all([cam.restart(), eye.restart()])).toEqual([200, 200]);
    await plays(room);
    await expectOnlyAnswers(room, 4);
    expect(await flowsNow(room)).toEqual(ALL_FLOWS);
    expect(await Promise.all([cam.end(), eye.end()])).toEqual([200, 200]);
    await until("its links are gone", async () => {
      const links = await Promise.all([native.stats(cam.id), native.stats(eye.id)]);
      return links.every(({ state }) => state === "none");
    });
    expect(await flowsNow(room)).toEqual([]);
    await leave(room);
  });
});

describe("in a session that allows relays only", () => {
  it("[A3] media go through the relays of the Link header, also after a restart of ICE", async () => {
    const backend = await Backend.start(baseUrl, { iceTransportPolicy: "relay" });
    const native = await Caller.join(browserOf("chromium"), backend);
    const room = await arrive("chromium", backend, native, { relay: true });
    const { cam, eye } = room;
    const expectRelays = async (): Promise<void> => {
      await plays(room);
      for (const { id } of [cam, eye]) {
        const { pair } = await native.stats(id);
        expect(pair?.local.candidateType).toBe("relay");
        expect(pair?.remote.candidateType).toMatch(/relay|prflx/);
      }
    };
    await expectRelays();
    expect(await Promise.all([cam.restart(), eye.restart()])).toEqual([200, 200]);
    await expectRelays();
    await leave(room);
  });
});

describe("a page that is loaded again", () => {
  it("[W5] ends what was agreed with the one before, and HTTP clients come again", async () => {
    const backend = await Backend.start(baseUrl);
    const invitation = await backend.invite();
    const before = await Caller.join(browserOf("chromium"), backend, { invitation });
    const room = await arrive("chromium", backend, before);
    await plays(room);
    await before.close();
    const native = await Caller.join(browserOf("chromium"), backend, { invitation });
    const now = { ...room, native };
    await until("both came again", async () => {
      const sessions = await Promise.all([room.cam.sessions(), room.eye.sessions()]);
      return sessions.every((count) => count > 1);
    });
    await plays(now);
    await until("all flows run", async () => (await flowsNow(now)).length === ALL_FLOWS.length);
    expect(await flowsNow(now)).toEqual(ALL_FLOWS);
    await leave(now);
  });
});
