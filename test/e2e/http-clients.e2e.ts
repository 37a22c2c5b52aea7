import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Browser, type BrowserName, launch } from "./browsers.ts";
import { Backend, until } from "./caller.ts";
import { HttpClient } from "./http-client.ts";
import { inviteMediaServer, type MediaServer, startMediaServer } from "./media-server.ts";
import { PublishedClient } from "./published-client.ts";
import type { PublishedName } from "./published-clients-page.ts";

/** WHIP and WHEP clients of others, as npm has them, through the example media server. */

const baseUrl = inject("baseUrl");

/** Firefox pairs no loopback address with another one by itself, and some clients tell it of none of theirs. */
function mediaAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const reachable = all.find(({ family, internal }) => family === "IPv4" && !internal);
  return reachable?.address ?? "127.0.0.1";
}

let server: MediaServer;
/** Near the relay of the tests, for who uses nothing else. */
let loopbackServer: MediaServer;
beforeAll(async () => {
  [server, loopbackServer] = await Promise.all([
    // A client here can restart ICE only where the other side has a single candidate.
    startMediaServer("--direct", "--address", mediaAddress()),
    startMediaServer("--direct"),
  ]);
});
afterAll(() => Promise.all([server?.kill(), loopbackServer?.kill()]));

const central = async (used: MediaServer = server): Promise<Backend> => {
  const backend = await Backend.start(baseUrl, { topology: "central" });
  await inviteMediaServer(used, backend);
  return backend;
};

interface SessionNow {
  readonly peers: readonly { readonly id: string }[];
  readonly links: readonly { readonly peers: readonly string[]; readonly exchange: number }[];
}

const sessionNow = (backend: Backend): Promise<SessionNow> => backend.read<SessionNow>("");

/** How many offers there were between a client and the media server, restarts included. */
const exchangesOf = async (backend: Backend, { id }: PublishedClient): Promise<number> => {
  const { links } = await sessionNow(backend);
  return links.find(({ peers }) => peers.includes(id))?.exchange ?? 0;
};

const expectGone = async (backend: Backend, { id }: PublishedClient): Promise<void> => {
  const { peers } = await sessionNow(backend);
  expect(peers.map((peer) => peer.id)).not.toContain(id);
  const { flows } = await backend.flows();
  const own = flows.filter(({ from, to }) => from === id || to === id);
  expect(own.length).toBeGreaterThan(0);
  expect(own.filter(({ state }) => state !== "ended")).toEqual([]);
};

const isLive = async (backend: Backend): Promise<boolean> =>
  (await backend.flows()).flows.filter(({ state }) => state === "active").length === 2;

describe.each<BrowserName>(["chromium", "firefox"])("in %s", (name) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch(name);
  });
  afterAll(() => browser?.close());

  /** Opens a publisher, looks at it by WHEP, and again after what is done meanwhile. */
  const publishes = async (
    client: PublishedName,
    meanwhile?: (cam: PublishedClient, backend: Backend) => Promise<void>,
  ): Promise<PublishedClient> => {
    const backend = await central(client === "ovenlivekit" ? loopbackServer : server);
    const cam = await PublishedClient.open(browser, backend, client);
    await cam.connects();
    const eye = await HttpClient.open(browser, backend, "whep");
    await eye.plays();
    await meanwhile?.(cam, backend);
    if (meanwhile) await eye.plays();
    await cam.stop();
    await expectGone(backend, cam);
    await eye.close();
    return cam;
  };

  /** Opens a player of what is published by WHIP. */
  const plays = async (
    client: PublishedName,
    meanwhile?: (eye: PublishedClient, backend: Backend) => Promise<void>,
  ): Promise<PublishedClient> => {
    const backend = await central();
    const cam = await HttpClient.open(browser, backend, "whip");
    await until("something is live", () => isLive(backend));
    const eye = await PublishedClient.open(browser, backend, client);
    await eye.plays();
    await meanwhile?.(eye, backend);
    await eye.stop();
    await expectGone(backend, eye);
    await cam.close();
    return eye;
  };

  /** It comes to a new exchange, media goes on, and what it trickles then counts. */
  const restarts = async (client: PublishedClient, backend: Backend): Promise<void> => {
    expect(await exchangesOf(backend, client)).toBe(1);
    expect(await client.restart()).toBe("");
    expect(await exchangesOf(backend, client)).toBe(2);
    await until("its candidates are taken after the restart", async () => {
      const statuses = await client.statuses("PATCH");
      return statuses.indexOf(200) >= 0 && statuses.lastIndexOf(204) > statuses.indexOf(200);
    });
    await client.connects();
  };

  it("[W1] @eyevinn/whip-web-client publishes, trickles and ends", async () => {
    const cam = await publishes("whip-web-client");
    const asked = await cam.exchanges();
    expect(asked.map(({ method, status }) => `${method} ${status}`)).toEqual([
      "OPTIONS 200",
      "OPTIONS 200",
      "POST 201",
      // It forgets all candidates but the last that it finds before it knows where to send them.
      ...(await cam.statuses("PATCH")).map(() => "PATCH 204"),
      "DELETE 200",
    ]);
    // Where others say If-Match.
    const { headers } = asked.find(({ method }) => method === "PATCH") ?? {};
    expect(headers?.etag).toMatch(/^"/);
    await cam.close();
  });

  it("[W6] whip-whep of medooze publishes, trickles, restarts ICE and ends", async () => {
    const cam = await publishes("medooze-whip", restarts);
    expect(await cam.statuses("POST")).toEqual([201]);
    expect(new Set(await cam.statuses("PATCH"))).toEqual(new Set([204, 200]));
    expect(await cam.statuses("DELETE")).toEqual([200]);
    expect(await cam.rejections()).toEqual([]);
    await cam.close();
  });

  it("[W1] ovenlivekit publishes through the relay that it is told of, and ends", async () => {
    const cam = await publishes("ovenlivekit", async (client) => {
      await until("it sends by a relay", async () => {
        const { candidateType } = await client.media();
        return candidateType === "relay" || candidateType === "prflx";
      });
    });
    const asked = await cam.exchanges();
    expect(asked.map(({ method, status }) => `${method} ${status}`)).toEqual([
      "POST 201",
      "DELETE 200",
    ]);
    expect(asked[0]?.headers["oven-capabilities"]).toContain("max_width=320");
    await cam.close();
  });

  it("[W6] whip-whep of medooze plays, restarts ICE and ends", async () => {
    const eye = await plays("medooze-whep", async (client, backend) => {
      await restarts(client, backend);
      await client.plays();
    });
    expect(await eye.statuses("POST")).toEqual([201]);
    // It forgets the entity tag of the answer, and learns that of the restart (RFC 9725 s4.3.1).
    const [first, ...others] = [...new Set(await eye.statuses("PATCH"))];
    expect(first).toBe(428);
    expect(new Set(others)).toEqual(new Set([200, 204]));
    expect(await eye.statuses("DELETE")).toEqual([200]);
    await eye.close();
  });

  it("[W1] @eyevinn/webrtc-player plays and ends", async () => {
    const eye = await plays("webrtc-player");
    const asked = await eye.exchanges();
    expect(asked.map(({ method, status }) => `${method} ${status}`)).toEqual([
      "POST 201",
      "DELETE 200",
    ]);
    expect(await eye.connections()).toBe(1);
    await eye.close();
  });

  it("[W4] players are told that nothing is live, and do not take it for another dialect", async () => {
    const backend = await central();
    const player = await PublishedClient.open(browser, backend, "webrtc-player");
    await until("it was answered", async () => (await player.exchanges()).length > 0);
    expect(await player.statuses("POST")).toEqual([409]);
    expect(await player.connections()).toBe(1);
    await expect(PublishedClient.open(browser, backend, "medooze-whep")).rejects.toThrow("409");
    await player.close();
  });
});
