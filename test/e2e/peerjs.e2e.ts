import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import type { PeerView } from "../../client/duplex.ts";
import type { DataConnection, Invitation, MediaConnection, Peer } from "../../client/peerjs.ts";
import { type Browser, launchChromium, type Page } from "./browsers.ts";
import { until } from "./caller.ts";
import { CutProxy } from "./cut-proxy.ts";
import { type ExampleServer, startExample } from "./example-server.ts";
import { temporaryFolder } from "./watchdog.ts";

/** A page as people write it for PeerJS: what PeerJS's own guide shows, but for how the peer is made. */

declare global {
  interface Window {
    peer: Peer;
    /** What happened, in order. */
    heard: string[];
    calls: MediaConnection[];
    connections: DataConnection[];
    /** Makes another peer in the page; what its page is asked for goes to `invited`. */
    another: (id: string) => Peer;
    invited: (string | undefined)[];
    /** When errors came, in ms of the page. */
    failedAt: number[];
    /** Of each slice of a file its number, its size and its last byte. */
    slices: [number, number, number][];
  }
}

const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Written for PeerJS</title>
<video id="video" autoplay muted playsinline></video>
<script type="importmap">{ "imports": { "peerjs": "/peerjs.js" } }</script>
<script type="module">
import { Peer } from "peerjs";

const told = (window.heard = []);
window.calls = [];
window.connections = [];
const video = document.getElementById("video");

const query = new URLSearchParams(location.search);
const invite = async (id) => {
  const wanted = id === undefined ? "" : "&name=" + encodeURIComponent(id);
  const answer = await fetch("/invite?call=lobby" + query.get("call") + wanted, { method: "POST" });
  const { token, signalling } = await answer.json();
  const url = new URL(signalling.url);
  url.host = query.get("via") ?? url.host;
  return { token, signalling: { url: url.href } };
};
const server = { host: "0.peerjs.com", port: 443, path: "/", secure: true, key: "peerjs", debug: 2 };
const peer = (window.peer = new Peer(query.get("id"), { ...server, invite }));
window.failedAt = [];
window.invited = [];
window.another = (id) =>
  new Peer(id, { invite: (wanted) => (window.invited.push(wanted), invite(wanted)) });

window.watchCall = (call) => {
  window.calls.push(call);
  call.on("stream", (stream) => {
    told.push("stream of " + call.peer);
    video.srcObject = stream;
  });
  call.on("close", () => told.push("call closed"));
  call.on("error", (err) => told.push("call error " + err.type));
};
window.watchConnection = (conn) => {
  window.connections.push(conn);
  conn.on("open", () => told.push("open to " + conn.peer));
  conn.on("data", (data) => {
    const bytes = (value) => (value instanceof ArrayBuffer ? "bytes " + new Uint8Array(value).join() : value);
    if (data?.slice?.byteLength === undefined)
      told.push("data " + (data instanceof ArrayBuffer ? bytes(data) : JSON.stringify(data, (_, value) => bytes(value))));
    else window.slices = [...(window.slices ?? []), [data.number, data.slice.byteLength, new Uint8Array(data.slice).at(-1)]];
  });
  conn.on("close", () => told.push("connection closed"));
  conn.on("error", (err) => told.push("connection error " + err.type));
};

peer.on("open", (id) => told.push("open as " + id));
peer.on("error", (err) => {
  told.push("error " + err.type);
  window.failedAt.push(performance.now());
});
peer.on("disconnected", () => {
  told.push("disconnected");
  if (query.has("reconnects") && !peer.destroyed) peer.reconnect();
});
peer.on("close", () => told.push("closed"));
peer.on("connection", (conn) => {
  told.push("connection " + conn.label + " " + JSON.stringify(conn.metadata));
  watchConnection(conn);
});
peer.on("call", async (call) => {
  told.push("call of " + call.peer + " " + JSON.stringify(call.metadata));
  watchCall(call);
  const watches = call.metadata?.watches === true;
  call.answer(watches ? undefined : await navigator.mediaDevices.getUserMedia({ video: true, audio: true }));
});
</script>
`;

let folder: string;
let server: ExampleServer;
let browser: Browser;
let pages: Page[] = [];
let proxies: CutProxy[] = [];
let count = 0;

beforeAll(async () => {
  folder = temporaryFolder("peerjs");
  writeFileSync(join(folder, "index.html"), PAGE);
  server = await startExample(folder, inject("baseUrl"));
  browser = await launchChromium();
});

afterEach(async () => {
  await Promise.all(pages.map((page) => page.close().catch(() => undefined)));
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  pages = [];
  proxies = [];
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const told = (page: Page): Promise<string[]> => page.evaluate(() => window.heard ?? [], null);

const hears = (page: Page, what: string): Promise<void> =>
  until(what, async () => (await told(page)).includes(what));

const isOpen = (page: Page): Promise<void> =>
  until("the peer is open", () => page.evaluate(() => window.peer?.open === true, null));

async function open(id?: string, { from = server.url, more = "" } = {}): Promise<Page> {
  const query = id === undefined ? "" : `&id=${id}`;
  const page = await browser.open(`${from}?call=${count}${query}${more}`);
  pages.push(page);
  await isOpen(page);
  return page;
}

async function proxyOf(url: string): Promise<CutProxy> {
  const proxy = await CutProxy.start(url);
  proxies.push(proxy);
  return proxy;
}

function refuseAll(proxy: CutProxy): void {
  proxy.refuses = true;
  proxy.cut();
}

/** What the application's back end asks of the session that a page is in. */
async function ask(page: Page, method: string, path: string, body?: object): Promise<Response> {
  const id = await page.evaluate(() => window.peer.session?.info.id, null);
  return fetch(new URL(`v1/sessions/${id}/${path}`, inject("baseUrl")), {
    method,
    headers: { authorization: "Bearer dev-key", "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
}

const idOf = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => window.peer.session?.peer.id, null);

async function pair(): Promise<[Page, Page]> {
  count += 1;
  return [await open("alice"), await open("bob")];
}

const call = (page: Page, id: string, metadata: object = { topic: "tea" }): Promise<void> =>
  page.evaluate(
    async ([to, said]) => {
      const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
      const { watchCall } = window as unknown as { watchCall: (call: MediaConnection) => void };
      watchCall(window.peer.call(to, stream, { metadata: said }));
    },
    [id, metadata] as const,
  );

const connect = (page: Page, id: string): Promise<void> =>
  page.evaluate((to) => {
    const { watchConnection } = window as unknown as {
      watchConnection: (connection: DataConnection) => void;
    };
    watchConnection(window.peer.connect(to, { label: "chat", metadata: { topic: "tea" } }));
  }, id);

const plays = (page: Page): Promise<void> =>
  until("the other side's picture moves", () =>
    page.evaluate(() => {
      const video = document.getElementById("video") as HTMLVideoElement;
      const kinds = (video.srcObject as MediaStream | null)?.getTracks().length;
      return video.videoWidth > 0 && video.currentTime > 0.3 && kinds === 2;
    }, null),
  );

describe("pages written for PeerJS", () => {
  it("[M16] call each other by id, with metadata; each sees the other, and that it hung up; and again", async () => {
    const [alice, bob] = await pair();
    expect(await told(alice)).toEqual(["open as alice"]);
    await call(alice, "bob");
    await Promise.all([plays(alice), plays(bob)]);
    expect(await told(bob)).toEqual([
      "open as bob",
      'call of alice {"topic":"tea"}',
      "stream of alice",
    ]);
    expect(await told(alice)).toEqual(["open as alice", "stream of bob"]);

    await bob.evaluate(() => window.calls[0]?.close(), null);
    await hears(alice, "call closed");
    await hears(bob, "call closed");
    const sending = () =>
      alice.evaluate(() => {
        const [call] = window.calls;
        const senders = call?.peerConnection?.getSenders() ?? [];
        return senders.filter(({ track }) => track !== null).length;
      }, null);
    expect(await sending()).toBe(0);

    await call(bob, "alice");
    for (const [page, what] of [
      [bob, "stream of alice"],
      [alice, "stream of bob"],
    ] as const) {
      await until(`again: ${what}`, async () => (await told(page)).lastIndexOf(what) > 2);
    }
    await plays(alice);
    expect(await sending()).toBe(2);
  });

  it("[M16] answer without a stream, and know their connections by peer and id", async () => {
    const [alice, bob] = await pair();
    await call(alice, "bob", { watches: true });
    await hears(bob, "stream of alice");
    await until("the caller knows", () => alice.evaluate(() => window.calls[0]!.open, null));
    await connect(alice, "bob");
    await hears(bob, "open to alice");
    const known = (page: Page) =>
      page.evaluate(() => {
        const { peer } = window;
        const types = Object.entries(peer.connections).map(([id, all = []]) => [
          id,
          all.map(({ type }) => type),
        ]);
        const [mine] = window.calls;
        return [types, peer.getConnection(mine!.peer, mine!.connectionId) === mine];
      }, null);
    expect(await known(alice)).toEqual([[["bob", ["media", "data"]]], true]);
    expect(await known(bob)).toEqual([[["alice", ["media", "data"]]], true]);
    expect(await told(alice)).not.toContain("stream of bob");

    await alice.evaluate(() => {
      const [call] = window.calls;
      const said = () => window.heard.push("not to be heard");
      call?.addListener("close", said).removeListener("close", said);
      window.connections[0]?.addListener("close", said).removeAllListeners();
      call?.close();
      window.connections[0]?.close();
    }, null);
    await hears(bob, "call closed");
    await hears(bob, "connection closed");
    expect(await told(alice)).not.toContain("not to be heard");
    expect(await alice.evaluate(() => Object.keys(window.peer.connections), null)).toEqual([]);
  });

  it("[M16] send each other texts, objects and bytes, and see the end", async () => {
    const [alice, bob] = await pair();
    await connect(alice, "bob");
    await hears(bob, 'connection chat {"topic":"tea"}');
    await Promise.all([hears(alice, "open to bob"), hears(bob, "open to alice")]);
    await alice.evaluate(() => window.connections[0]?.send({ text: "hello" }), null);
    await alice.evaluate(() => window.connections[0]?.send(new Uint8Array([1, 2, 3])), null);
    await alice.evaluate(() => {
      const file = new File(["abc"], "abc.txt");
      window.connections[0]?.send({ name: file.name, file, more: [new Uint8Array([7])] });
      window.connections[0]?.send("after the file");
    }, null);
    await bob.evaluate(() => window.connections[0]?.send("hi"), null);
    await hears(bob, 'data {"text":"hello"}');
    await hears(bob, "data bytes 1,2,3");
    await hears(alice, 'data "hi"');
    await hears(bob, 'data "after the file"');
    expect((await told(bob)).filter((one) => one.startsWith("data "))).toEqual([
      'data {"text":"hello"}',
      "data bytes 1,2,3",
      'data {"name":"abc.txt","file":"bytes 97,98,99","more":["bytes 7"]}',
      'data "after the file"',
    ]);
    await bob.evaluate(() => window.connections[0]?.close(), null);
    await hears(alice, "connection closed");
    await alice.evaluate(() => window.connections[0]?.send("late"), null);
    expect(await told(alice)).toContain("connection error not-open-yet");
  });

  it("[M16] send files by slices as fast as they read them, more than a browser holds; what was sent goes out before the end", async () => {
    const [alice, bob] = await pair();
    await connect(alice, "bob");
    await hears(alice, "open to bob");
    const [waiting, all] = await alice.evaluate(() => {
      const connection = window.connections[0]!;
      const whole = new Uint8Array(19 * 1024 * 1024).map((_, at) => at >> 18);
      for (let number = 0; number < 60; number += 1) {
        const slice = whole.subarray(number * 300_000, (number + 1) * 300_000);
        connection.send({ number, slice });
      }
      connection.send({ number: 60, slice: whole.subarray(60 * 300_000) });
      const { bufferSize } = connection;
      connection.close({ flush: true });
      const sizes = Array.from({ length: 61 }, (_, number) => (number < 60 ? 300_000 : 1_922_944));
      const lasts = sizes.map((size, number) => whole[number * 300_000 + size - 1]);
      return [bufferSize, sizes.map((size, number) => [number, size, lasts[number]])];
    }, null);
    expect(waiting).toBeGreaterThan(0);
    await hears(bob, "connection closed");
    expect(await bob.evaluate(() => window.slices, null)).toEqual(all);
    expect(await told(alice)).toEqual(["open as alice", "open to bob", "connection closed"]);
  });

  it("[M16] nobody of that name is peer-unavailable, for calls and connections; who cannot be called is not listed", async () => {
    const [alice] = await pair();
    const invited = await ask(alice, "POST", "peers", { role: "observer", name: "Inspector" });
    const { token, signalling } = (await invited.json()) as Invitation;
    await alice.evaluate(
      ([url, secret]) => void new WebSocket(url, ["duplex.v1", `bearer.${secret}`]),
      [signalling.url, token] as const,
    );
    await until("the observer is there", () =>
      alice.evaluate(() => window.peer.session?.peers.size === 2, null),
    );
    const listed = await alice.evaluate(
      () => new Promise<string[]>((resolve) => window.peer.listAllPeers(resolve)),
      null,
    );
    expect(listed).toEqual(["bob"]);
    await call(alice, "Inspector");
    await call(alice, "nobody");
    await connect(alice, "nobody");
    await hears(alice, "connection error peer-unavailable");
    await until("both calls failed", async () => {
      const all = await told(alice);
      return all.filter((one) => one === "call error peer-unavailable").length === 2;
    });
    expect((await told(alice)).filter((one) => one === "error peer-unavailable")).toHaveLength(3);
    // As with PeerJS that is no end.
    await call(alice, "bob");
    await hears(alice, "stream of bob");
  });

  it("[M16] a page that is loaded again has its name again, the other one sees the call end and calls it anew", async () => {
    const [alice, bob] = await pair();
    await call(alice, "bob");
    await connect(alice, "bob");
    await hears(alice, "stream of bob");
    await hears(alice, "open to bob");
    await bob.goto(`${server.url}?call=${count}&id=bob&again`);
    await hears(alice, "call closed");
    await hears(alice, "connection closed");
    await hears(bob, "open as bob");
    await call(alice, "bob");
    await hears(bob, "stream of alice");
    await plays(bob);
  });

  it("[M16] a name that somebody has is unavailable-id; who is disconnected is not called, and comes back", async () => {
    const [alice, bob] = await pair();
    const second = await browser.open(`${server.url}?call=${count}&id=bob`);
    pages.push(second);
    await hears(second, "closed");
    expect(await told(second)).toEqual(["error unavailable-id", "disconnected", "closed"]);

    await bob.evaluate(() => window.peer.disconnect(), null);
    await hears(bob, "disconnected");
    await call(alice, "bob");
    await connect(alice, "bob");
    await hears(alice, "call error peer-unavailable");
    await hears(alice, "connection error peer-unavailable");
    await connect(bob, "alice");
    await hears(bob, "error disconnected");

    await bob.evaluate(() => window.peer.reconnect(), null);
    await until("bob is open again", () => bob.evaluate(() => window.peer.open, null));
    await call(alice, "bob");
    await hears(alice, "stream of bob");
    await bob.evaluate(() => window.peer.destroy(), null);
    await hears(alice, "call closed");
    await hears(bob, "closed");
    await call(alice, "bob");
    await until(
      "the call to nobody failed",
      async () =>
        (await told(alice)).filter((one) => one === "call error peer-unavailable").length === 2,
    );
  });

  it("[M16] who was away when a page joined is called and connected to, as soon as it is back", async () => {
    count += 1;
    const proxy = await proxyOf(inject("baseUrl"));
    const bob = await open("bob", { more: `&via=${new URL(proxy.baseUrl).host}` });
    const bobsId = await idOf(bob);
    refuseAll(proxy);
    await until("bob is away", async () => {
      const { peers } = (await (await ask(bob, "GET", "peers")).json()) as { peers: PeerView[] };
      return peers.some(({ id, state }) => id === bobsId && state === "away");
    });
    const alice = await open("alice");
    await call(alice, "bob");
    proxy.refuses = false;
    await bob.evaluate(() => window.peer.session?.reconnectNow(), null);
    await hears(alice, "stream of bob");
    await hears(bob, "stream of alice");
    // That bob is back, nobody has told alice.
    const states = await alice.evaluate(
      () => [...(window.peer.session?.peers.values() ?? [])].map(({ state }) => state),
      null,
    );
    expect(states).toEqual(["away"]);
    await connect(alice, "bob");
    await hears(alice, "open to bob");
  });

  it("[M16] who reconnects whenever it is disconnected tries again, not over and over, until its back end is there", async () => {
    count += 1;
    const proxy = await proxyOf(server.url);
    const alice = await open("alice", { from: proxy.baseUrl, more: "&reconnects" });
    refuseAll(proxy);
    const kicked = await ask(alice, "DELETE", `peers/${await idOf(alice)}`);
    expect(kicked.status).toBe(204);
    await until("it failed twice", () => alice.evaluate(() => window.failedAt.length >= 2, null));
    proxy.refuses = false;
    await isOpen(alice);
    const [first, ...then] = (await told(alice)).filter((one) => one.startsWith("open"));
    expect([first, ...then]).toEqual(["open as alice", "open as alice"]);
    expect((await told(alice)).slice(1, 5)).toEqual([
      "disconnected",
      "error network",
      "disconnected",
      "error network",
    ]);
    const [one = 0, other = 0] = await alice.evaluate(() => window.failedAt, null);
    expect(other - one).toBeGreaterThan(200);
    const bob = await open("bob");
    await call(bob, "alice");
    await hears(bob, "stream of alice");
  });

  it("[M16] disconnected and reconnected before it was open, a peer joins once, and is open when it is wanted", async () => {
    count += 1;
    const alice = await open("alice");
    const heard = await alice.evaluate(async () => {
      const said: string[] = [];
      const opened = (peer: Peer) =>
        new Promise<void>((resolve) => {
          peer.once("open", (id) => {
            said.push(id);
            resolve();
          });
        });
      const carol = window.another("carol");
      carol.on("error", ({ type }) => said.push(type));
      carol.disconnect();
      carol.reconnect();
      await opened(carol);
      const dave = window.another("dave");
      while (!window.invited.includes("dave")) await new Promise((next) => setTimeout(next, 5));
      dave.disconnect();
      while (dave.session === undefined) await new Promise((next) => setTimeout(next, 5));
      await new Promise((next) => setTimeout(next, 100));
      said.push(`dave is open: ${dave.open}`);
      const isOpen = opened(dave);
      dave.reconnect();
      await isOpen;
      return [...said, ...window.invited];
    }, null);
    expect(heard).toEqual(["carol", "dave is open: false", "dave", "carol", "dave"]);
  });
});
