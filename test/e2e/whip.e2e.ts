import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Browser, launchChromium, launchFirefox } from "./browsers.ts";
import { Backend, until } from "./caller.ts";
import { HttpClient } from "./http-client.ts";
import { inviteMediaServer, type MediaServer, startMediaServer } from "./media-server.ts";

/** WHIP and WHEP through the example media server, in real browsers. */

const baseUrl = inject("baseUrl");

let chromium: Browser;
let firefox: Browser;
let server: MediaServer;
beforeAll(async () => {
  [chromium, firefox, server] = await Promise.all([
    launchChromium(),
    launchFirefox(),
    startMediaServer(),
  ]);
});
afterAll(async () => {
  await Promise.all([chromium?.close(), firefox?.close(), server?.kill()]);
});

const central = async (): Promise<Backend> => {
  const backend = await Backend.start(baseUrl, { topology: "central" });
  await inviteMediaServer(server, backend);
  return backend;
};

/** Live flows with their ends. */
const flowMap = async (backend: Backend) => {
  const { flows } = await backend.flows();
  return flows.filter(({ state }) => state === "active");
};

describe("one publisher by WHIP, three players by WHEP", () => {
  it("[M8] pictures decode on all, one uplink feeds three downlinks, and a restart of the media server brings all back", async () => {
    const backend = await Backend.start(baseUrl, { topology: "central" });
    const invitation = await inviteMediaServer(server, backend);
    const cam = await HttpClient.open(chromium, backend, "whip");
    const players = await Promise.all([
      HttpClient.open(chromium, backend, "whep"),
      HttpClient.open(chromium, backend, "whep"),
      HttpClient.open(firefox, backend, "whep"),
    ]);
    for (const player of players) await player.plays();
    await until("the flow map is complete", async () => (await flowMap(backend)).length === 8);
    const expectMap = async () => {
      const flows = await flowMap(backend);
      const uplinks = flows.filter(({ from }) => from === cam.id);
      expect(uplinks.map(({ kind }) => kind).sort()).toEqual(["audio", "video"]);
      for (const { id, kind } of uplinks) {
        const fed = flows.filter(({ sourceFlows }) => sourceFlows.includes(id));
        expect(fed.map((flow) => flow.kind)).toEqual([kind, kind, kind]);
        expect(fed.map(({ to }) => to).sort()).toEqual(players.map((each) => each.id).sort());
      }
    };
    await expectMap();
    const before = await Promise.all(players.map((player) => player.sessions()));
    await server.kill();
    server = await startMediaServer();
    await inviteMediaServer(server, backend, invitation);
    await Promise.all(players.map((player) => player.plays(90_000)));
    const after = await Promise.all(players.map((player) => player.sessions()));
    expect(after.every((count, index) => count > (before[index] ?? 0))).toBe(true);
    await until(
      "the flow map is complete again",
      async () => (await flowMap(backend)).length === 8,
    );
    await expectMap();
    await Promise.all([cam, ...players].map((each) => each.close()));
  }, 240_000);
});

describe("one publisher", () => {
  it("[W6] trickles, restarts ICE and goes on sending", async () => {
    const backend = await central();
    const cam = await HttpClient.open(chromium, backend, "whip");
    const eye = await HttpClient.open(chromium, backend, "whep");
    await eye.plays();
    expect(await cam.statuses()).toContain(204);
    expect(await cam.restart()).toBe(200);
    await eye.plays();
    await until("cam is connected", async () => (await cam.state()) === "connected");
    expect(await cam.sessions()).toBe(1);
    expect(await cam.end()).toBe(200);
    await until("its flows have ended", async () =>
      (await flowMap(backend)).every(({ from }) => from !== cam.id),
    );
    await Promise.all([cam.close(), eye.close()]);
  }, 120_000);
});
