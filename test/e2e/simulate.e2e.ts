import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import WebSocket from "ws";
import type { Session } from "../../client/duplex.ts";
import { SimulatedFault } from "../../protocol/simulated-fault.ts";
import { type Browser, type BrowserName, launch, type Page } from "./browsers.ts";
import { Backend, Caller, until } from "./caller.ts";

/** Faults on purpose, as an application's developer has them: over HTTP, against clients on real sockets. */

declare global {
  interface Window {
    duplexDemo: { session?: Session };
  }
}

const baseUrl = inject("baseUrl");
const KEY = { authorization: "Bearer dev-key", "content-type": "application/json" };

let browser: Browser;
let callers: Caller[] = [];
let open: WebSocket[] = [];

beforeAll(async () => {
  browser = await launch("chromium");
});

afterEach(async () => {
  for (const socket of open) socket.terminate();
  open = [];
  await Promise.all(callers.map((caller) => caller.close().catch(() => undefined)));
  callers = [];
});

afterAll(() => browser.close());

async function simulate(backend: Backend, peer: string, fault: SimulatedFault): Promise<void> {
  const url = new URL(`v1/sessions/${backend.id}/peers/${peer}/simulate`, baseUrl);
  const asked = await fetch(url, { method: "POST", headers: KEY, body: JSON.stringify(fault) });
  expect(asked.status).toBe(204);
}

interface Frame {
  readonly type: string;
  readonly body?: unknown;
}

/** A client of somebody's own. */
class Raw {
  readonly id: string;
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  closed: number | undefined;

  constructor({ peer, token, signalling }: Awaited<ReturnType<Backend["invite"]>>) {
    this.id = peer.id;
    this.socket = new WebSocket(signalling.url, ["duplex.v1", `bearer.${token}`]);
    open.push(this.socket);
    this.socket.on("message", (data) => this.frames.push(JSON.parse(String(data)) as Frame));
    this.socket.on("close", (code) => {
      this.closed = code;
    });
    this.socket.on("error", () => undefined);
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  async next(type: string): Promise<Frame> {
    await until(type, () => this.frames.some((frame) => frame.type === type), 20_000);
    const at = this.frames.findIndex((frame) => frame.type === type);
    return this.frames.splice(at, 1)[0]!;
  }
}

async function rawPair() {
  const backend = await Backend.start(baseUrl);
  const invitation = await backend.invite();
  const alice = new Raw(await backend.invite());
  await alice.next("welcome");
  const bob = new Raw(invitation);
  await bob.next("welcome");
  await alice.next("peer-joined");
  const again = async (): Promise<Raw> => {
    const back = new Raw(invitation);
    expect(await back.next("welcome")).toMatchObject({ resumed: true });
    return back;
  };
  return { backend, alice, bob, again };
}

describe("a client of one's own", () => {
  it("[S5] drop: its socket ends abnormally, it comes back, and nobody else notices", async () => {
    const { backend, alice, bob, again } = await rawPair();
    await simulate(backend, bob.id, { fault: "drop" });
    // This client waits for the end of the TCP connection, which comes when the object sleeps.
    await until("cut", () => bob.closed !== undefined, 25_000);
    expect(bob.closed).toBe(1006);
    expect(bob.frames).toEqual([]);
    const back = await again();
    alice.send({ type: "message", to: bob.id, body: "after" });
    expect(await back.next("message")).toMatchObject({ body: "after" });
    expect(alice.frames).toEqual([]);
    back.send({ type: "simulate", fault: "drop" });
    await until("cut", () => back.closed !== undefined, 25_000);
    expect(back.closed).toBe(1006);
  });

  it("[S3] half-open: its socket stays and is dead, until it opens another", async () => {
    const { backend, alice, bob, again } = await rawPair();
    bob.send({ type: "ping" });
    await bob.next("pong");
    await simulate(backend, bob.id, { fault: "half-open" });
    bob.send({ type: "ping" });
    alice.send({ type: "ping" });
    alice.send({ type: "message", id: 1, to: bob.id, body: "lost" });
    await Promise.all([alice.next("ack"), alice.next("pong")]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([bob.frames, bob.closed]).toEqual([[], undefined]);
    const back = await again();
    back.send({ type: "ping" });
    await back.next("pong");
    expect(alice.frames).toEqual([]);
  });

  it("[S5] abort: every socket of the session ends abnormally, and everybody comes back to where it was", async () => {
    const { backend, alice, bob, again } = await rawPair();
    await simulate(backend, bob.id, { fault: "abort" });
    await until("cut", () => alice.closed !== undefined && bob.closed !== undefined, 20_000);
    expect([alice.closed, bob.closed]).toEqual([1006, 1006]);
    await again();
  });

  it("[R3] duplicate, reorder, delay: it sees its frames so", async () => {
    const { backend, alice, bob } = await rawPair();
    const hears = async (said: readonly unknown[], heard: readonly unknown[]) => {
      for (const body of said) alice.send({ type: "message", to: bob.id, body });
      for (const body of heard) expect(await bob.next("message")).toMatchObject({ body });
    };
    await simulate(backend, bob.id, { fault: "duplicate" });
    await hears([1, 2], [1, 1, 2]);
    await simulate(backend, bob.id, { fault: "reorder" });
    await hears([3, 4], [4, 3]);
    await simulate(backend, bob.id, { fault: "delay", delayMs: 300 });
    await hears([5, 6], [6, 5]);
    await simulate(backend, bob.id, { fault: "evict" });
    await hears([7], [7]);
  });
});

/** What a page's own WebSocket says of its end. */
async function closeSeenBy(name: BrowserName): Promise<{ code: number; wasClean: boolean }> {
  const own = name === "chromium" ? browser : await launch(name);
  try {
    const backend = await Backend.start(baseUrl);
    const { peer, token, signalling } = await backend.invite();
    const page = await own.open(new URL("docs", baseUrl).href);
    const seen = page.evaluate(
      ({ url, bearer }) =>
        new Promise<{ code: number; wasClean: boolean }>((resolve) => {
          // Not the client of the tests: the page's own.
          const socket = new window.WebSocket(url, ["duplex.v1", `bearer.${bearer}`]);
          socket.onclose = ({ code, wasClean }) => resolve({ code, wasClean });
        }),
      { url: signalling.url, bearer: token },
    );
    await until("joined", async () => {
      const { peers } = await backend.read<{ peers: unknown[] }>("/peers");
      return peers.length === 1;
    });
    await simulate(backend, peer.id, { fault: "drop" });
    return await seen;
  } finally {
    if (own !== browser) await own.close();
  }
}

describe("browsers", () => {
  it("[S5] drop: Chromium and Firefox take it for a cut", async () => {
    const cut = { code: 1006, wasClean: false };
    expect([await closeSeenBy("chromium"), await closeSeenBy("firefox")]).toEqual([cut, cut]);
  });

  it("[R3] a call through the SDK survives each of them", async () => {
    const backend = await Backend.start(baseUrl);
    const [one, two] = [await Caller.join(browser, backend), await Caller.join(browser, backend)];
    callers.push(one, two);
    await Promise.all([one.receives(two.id), two.receives(one.id)]);
    for (const caller of callers) {
      await caller.page.evaluate(() => {
        const seen = { states: [] as string[], heard: [] as unknown[], presence: 0 };
        const { session } = window.call;
        session.on("state", (state) => seen.states.push(state));
        session.on("message", ({ body }) => seen.heard.push(body));
        session.on("peer-left", () => {
          seen.presence += 1;
        });
        session.on("peer-joined", () => {
          seen.presence += 1;
        });
        Object.assign(window, { seen });
      }, null);
    }
    const seenBy = ({ page }: Caller) =>
      page.evaluate(
        () =>
          (window as unknown as { seen: { states: string[]; heard: unknown[]; presence: number } })
            .seen,
        null,
      );
    const tell = (from: Caller, to: Caller, body: string) =>
      from.page.evaluate(([peer, text]) => window.call.session.send(peer, text), [
        to.id,
        body,
      ] as const);
    const stateOf = ({ page }: Caller) => page.evaluate(() => window.call.session.state, null);
    const tracksAt = ({ page }: Caller) =>
      page.evaluate(() => window.call.session.tracks.map(({ track }) => track.id), null);
    const before = await backend.flows();
    const faults: SimulatedFault[] = [
      { fault: "drop" },
      { fault: "half-open" },
      { fault: "evict" },
      { fault: "abort" },
      { fault: "duplicate", count: 20 },
      { fault: "reorder", count: 10 },
      { fault: "delay", count: 5, delayMs: 300 },
    ];
    for (const fault of faults) {
      await until(`connected before ${fault.fault}`, async () => {
        return (await Promise.all([one, two].map((caller) => stateOf(caller)))).every(
          (state) => state === "connected",
        );
      });
      await simulate(backend, one.id, fault);
      const { length: tracks } = await tracksAt(two);
      await one.publishCanvas(fault.fault);
      await until(`${fault.fault}: a message there and one back`, async () => {
        await tell(one, two, `to two ${fault.fault}`);
        await tell(two, one, `to one ${fault.fault}`);
        return true;
      });
      await until(`${fault.fault}: they arrive`, async () => {
        const [a, b] = [await seenBy(one), await seenBy(two)];
        return (
          a.heard.includes(`to one ${fault.fault}`) && b.heard.includes(`to two ${fault.fault}`)
        );
      });
      await until(`${fault.fault}: a new track`, async () => {
        return (await tracksAt(two)).length === tracks + 1;
      });
      await one.unpublish(fault.fault);
      await until(`${fault.fault}: it ends`, async () => (await tracksAt(two)).length === tracks);
      await Promise.all([one.receives(two.id), two.receives(one.id)]);
    }
    expect((await seenBy(one)).states.filter((state) => state === "connected")).toHaveLength(3);
    expect((await seenBy(two)).presence).toBe(0);
    const after = await backend.flows();
    const lively = (list: typeof after) =>
      list.flows.filter(({ state }) => state === "active").map(({ id }) => id);
    expect(lively(after)).toEqual(expect.arrayContaining(lively(before)));
  });
});

describe("the demo page", () => {
  const buttons = (page: Page) =>
    page.evaluate(() => {
      const row = document.querySelector<HTMLElement>("#faults");
      const labels = [...(row?.querySelectorAll("button") ?? [])].map((one) => one.textContent);
      return { hidden: row?.hidden, labels };
    }, null);

  it("[M16] has a button for each fault where its address asks for them, and comes back by itself", async () => {
    const plain = await browser.open(baseUrl);
    expect(await buttons(plain)).toMatchObject({ hidden: true });
    await plain.close();
    const page = await browser.open(new URL("?simulate", baseUrl).href);
    expect(await buttons(page)).toEqual({
      hidden: false,
      labels: SimulatedFault.shape.fault.options,
    });
    const state = () => page.evaluate(() => window.duplexDemo.session?.state, null);
    await page.evaluate(() => document.querySelector<HTMLElement>("#start")?.click(), null);
    await until("in a call", async () => (await state()) === "connected");
    const seen = await page.evaluate(async () => {
      const states: string[] = [];
      const back = new Promise<void>((resolve) => {
        window.duplexDemo.session?.on("state", (now) => {
          states.push(now);
          if (now === "connected") resolve();
        });
      });
      document.querySelector<HTMLElement>("#faults button")?.click();
      await back;
      return states;
    }, null);
    expect(seen).toEqual(["reconnecting", "connected"]);
    await page.close();
  });
});
