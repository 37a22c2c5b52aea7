import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import type { DataConnection, MediaConnection, Peer } from "../../client/peerjs.ts";
import { type Browser, launchChromium, type Page } from "./browsers.ts";
import { until } from "./caller.ts";
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
  return answer.json();
};
const peer = (window.peer = new Peer(query.get("id") ?? undefined, { invite }));

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
    const text = data instanceof ArrayBuffer ? "bytes " + new Uint8Array(data).join() : JSON.stringify(data);
    told.push("data " + text);
  });
  conn.on("close", () => told.push("connection closed"));
  conn.on("error", (err) => told.push("connection error " + err.type));
};

peer.on("open", (id) => told.push("open as " + id));
peer.on("error", (err) => told.push("error " + err.type));
peer.on("disconnected", () => told.push("disconnected"));
peer.on("close", () => told.push("closed"));
peer.on("connection", (conn) => {
  told.push("connection " + conn.label + " " + JSON.stringify(conn.metadata));
  watchConnection(conn);
});
peer.on("call", async (call) => {
  told.push("call of " + call.peer + " " + JSON.stringify(call.metadata));
  watchCall(call);
  call.answer(await navigator.mediaDevices.getUserMedia({ video: true, audio: true }));
});
</script>
`;

let folder: string;
let server: ExampleServer;
let browser: Browser;
let pages: Page[] = [];
let count = 0;

beforeAll(async () => {
  folder = temporaryFolder("peerjs");
  writeFileSync(join(folder, "index.html"), PAGE);
  server = await startExample(folder, inject("baseUrl"));
  browser = await launchChromium();
});

afterEach(async () => {
  await Promise.all(pages.map((page) => page.close().catch(() => undefined)));
  pages = [];
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const told = (page: Page): Promise<string[]> => page.evaluate(() => window.heard ?? [], null);

const hears = (page: Page, what: string): Promise<void> =>
  until(what, async () => (await told(page)).includes(what));

async function open(id?: string): Promise<Page> {
  const query = id === undefined ? "" : `&id=${id}`;
  const page = await browser.open(`${server.url}?call=${count}${query}`);
  pages.push(page);
  await until("the peer is open", () => page.evaluate(() => window.peer?.open === true, null));
  return page;
}

async function pair(): Promise<[Page, Page]> {
  count += 1;
  return [await open("alice"), await open("bob")];
}

const call = (page: Page, id: string): Promise<void> =>
  page.evaluate(async (to) => {
    const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
    const { watchCall } = window as unknown as { watchCall: (call: MediaConnection) => void };
    watchCall(window.peer.call(to, stream, { metadata: { topic: "tea" } }));
  }, id);

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
    await hears(bob, "stream of alice");
    await hears(alice, "stream of bob");
    await plays(alice);
    expect(await sending()).toBe(2);
  });

  it("[M16] send each other texts, objects and bytes, and see the end", async () => {
    const [alice, bob] = await pair();
    await connect(alice, "bob");
    await hears(bob, 'connection chat {"topic":"tea"}');
    await Promise.all([hears(alice, "open to bob"), hears(bob, "open to alice")]);
    await alice.evaluate(() => window.connections[0]?.send({ text: "hello" }), null);
    await alice.evaluate(() => window.connections[0]?.send(new Uint8Array([1, 2, 3])), null);
    await bob.evaluate(() => window.connections[0]?.send("hi"), null);
    await hears(bob, 'data {"text":"hello"}');
    await hears(bob, "data bytes 1,2,3");
    await hears(alice, 'data "hi"');
    await bob.evaluate(() => window.connections[0]?.close(), null);
    await hears(alice, "connection closed");
    await alice.evaluate(() => window.connections[0]?.send("late"), null);
    expect(await told(alice)).toContain("connection error not-open-yet");
  });

  it("[M16] nobody of that name is peer-unavailable, for calls and connections", async () => {
    const [alice] = await pair();
    await call(alice, "nobody");
    await connect(alice, "nobody");
    await hears(alice, "call error peer-unavailable");
    await hears(alice, "connection error peer-unavailable");
    expect((await told(alice)).filter((one) => one === "error peer-unavailable")).toHaveLength(2);
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
    await hears(alice, "error peer-unavailable");
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
        (await told(alice)).filter((one) => one === "error peer-unavailable").length === 2,
    );
  });
});
