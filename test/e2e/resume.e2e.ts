import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, inject, it, type TestContext } from "vitest";
import { run, stillRunning } from "../../scripts/processes.ts";
import { type Browser, launchChromium } from "./browsers.ts";
import { Backend, Caller, type CallerOptions, until } from "./caller.ts";
import { CutProxy, type Fate, type Passing } from "./cut-proxy.ts";
import { type Server, startServer } from "./server.ts";
import { temporaryFolder } from "./watchdog.ts";

/** Real pages whose way to the server is cut, or goes dead without a word, at chosen messages. */

declare global {
  interface Window {
    /** What happened in a page since it was watched. */
    seen: { joined: string[]; left: string[]; tracks: string[]; bodies: unknown[] };
  }
}

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
});

/** Closes what a test opened when it is over; tests run side by side. */
type Closing = (close: () => Promise<unknown>) => void;

const noop = (): void => undefined;
const closingOf =
  ({ onTestFinished }: TestContext): Closing =>
  (close) =>
    onTestFinished(() => close().then(noop, noop));

async function network(backend: Backend, closing: Closing): Promise<CutProxy> {
  const proxy = await CutProxy.start(backend.baseUrl);
  closing(() => proxy.stop());
  return proxy;
}

async function enter(
  proxy: CutProxy,
  backend: Backend,
  closing: Closing,
  options: CallerOptions = {},
): Promise<Caller> {
  const through = new Backend(proxy.baseUrl, backend.id);
  const caller = await Caller.join(browser, through, { kinds: ["audio"], ...options });
  closing(() => caller.close());
  await caller.page.evaluate(() => {
    const seen: Window["seen"] = { joined: [], left: [], tracks: [], bodies: [] };
    const { session } = window.call;
    window.seen = seen;
    session.on("peer-joined", ({ peer }) => seen.joined.push(peer.id));
    session.on("peer-left", ({ peer, reason }) => seen.left.push(`${peer} ${reason}`));
    session.on("track", ({ track }) => seen.tracks.push(track.kind));
    session.on("message", ({ body }) => seen.bodies.push(body));
  }, null);
  return caller;
}

const seenBy = ({ page }: Caller) => page.evaluate(() => window.seen, null);
const offersOf = ({ page }: Caller) => page.evaluate(() => window.call.offersSent, null);
const audio = ["audio"] as const;

/** The first message of a kind meets its fate; how often it was met is in `times`. */
function once(proxy: CutProxy, fate: Fate, isIt: (message: Passing) => boolean): { times: number } {
  const met = { times: 0 };
  proxy.rule = (message) => {
    if (met.times > 0 || !isIt(message)) return "pass";
    met.times += 1;
    return fate;
  };
  return met;
}

/** The reply to the request of a type. */
function replyTo(type: string): (message: Passing) => boolean {
  let id: unknown;
  return (message) => {
    if (message.from === "page" && message.type === type) id = message.id;
    return message.type === "ack" && message.re === id;
  };
}

const leaving =
  (type: string) =>
  (message: Passing): boolean =>
    message.from === "page" && message.type === type;
const arriving =
  (type: string) =>
  (message: Passing): boolean =>
    message.from === "server" && message.type === type;

/** Both hear each other, by two flows on the server; gives their ids. */
async function talk(backend: Backend, one: Caller, two: Caller): Promise<string[]> {
  await Promise.all([one.receives(two.id, audio), two.receives(one.id, audio)]);
  let ids: string[] = [];
  await until("two active flows", async () => {
    // What an offer proposed that came to nothing has ended.
    const flows = (await backend.flows()).flows.filter(({ state }) => state !== "ended");
    ids = flows.map(({ id }) => id).sort();
    return flows.length === 2 && flows.every(({ state }) => state === "active");
  });
  return ids;
}

interface Call {
  readonly backend: Backend;
  readonly one: Caller;
  readonly two: Caller;
  readonly here: CutProxy;
  readonly there: CutProxy;
  readonly ids: string[];
}

/** A call that is up, each page behind a network of its own. */
async function callOf(closing: Closing, baseUrl = inject("baseUrl")): Promise<Call> {
  const backend = await Backend.start(baseUrl);
  const [here, there] = [await network(backend, closing), await network(backend, closing)];
  const one = await enter(here, backend, closing);
  const two = await enter(there, backend, closing);
  const ids = await talk(backend, one, two);
  return { backend, one, two, here, there, ids };
}

/** Waits until a page has another socket than it had, and has been let in again. */
const reconnected = ({ page }: Caller, proxy: CutProxy, opened: number) =>
  until("reconnected", async () => {
    const state = await page.evaluate(() => window.call.session.state, null);
    return proxy.opened > opened && state === "connected";
  });

/** Nobody came, nobody went, no track began again, and of the flows none is another one. */
async function nothingHappened(
  { backend, one, two, ids }: Call,
  expect: TestContext["expect"],
): Promise<void> {
  expect(await talk(backend, one, two)).toEqual(ids);
  for (const [caller, joined] of [
    [one, [two.id]],
    [two, []],
  ] as const) {
    const seen = await seenBy(caller);
    expect(seen.left).toEqual([]);
    expect(seen.joined).toEqual(joined);
    expect(seen.tracks.length).toBeLessThanOrEqual(1);
  }
}

describe("a socket that dies while a call comes up", () => {
  // Who loses what: the one who was there and answers, or the one who comes and offers.
  const deaths = [
    ["the offer, before the server has it", "comes", () => leaving("offer")],
    ["the reply to the offer", "comes", () => replyTo("offer")],
    ["the offer, on its way to the answerer", "was there", () => arriving("offer")],
    ["candidates of the offerer", "comes", () => leaving("candidates")],
    ["candidates, on their way to the answerer", "was there", () => arriving("candidates")],
    ["the answer, before the server has it", "was there", () => leaving("answer")],
    ["the reply to the answer", "was there", () => replyTo("answer")],
    ["the answer, on its way to the offerer", "comes", () => arriving("answer")],
  ] as const;
  // Of a silent death only the one who has something to say learns soon; the others by their next ping.
  const cases = deaths.flatMap(([what, ...rest]) =>
    (["cut", "swallow"] as const)
      .filter((fate) => fate === "cut" || !what.includes("candidates, on"))
      .map((fate) => [fate, what, ...rest] as const),
  );

  it.concurrent.for(cases)("[R3][S3] %s: %s, by the one who %s", async (death, context) => {
    const [fate, , who, which] = death;
    const { expect } = context;
    const closing = closingOf(context);
    const backend = await Backend.start(inject("baseUrl"));
    const [here, there] = [await network(backend, closing), await network(backend, closing)];
    const one = await enter(here, backend, closing);
    const met = once(who === "comes" ? there : here, fate, which());
    const two = await enter(there, backend, closing);
    const ids = await talk(backend, one, two);
    expect(met.times).toBe(1);
    await nothingHappened({ backend, one, two, here, there, ids }, expect);
  });

  it.concurrent("[S3] the page is loaded again, with its token, while its offer is open", async (context) => {
    const closing = closingOf(context);
    const backend = await Backend.start(inject("baseUrl"));
    const [here, there] = [await network(backend, closing), await network(backend, closing)];
    const one = await enter(here, backend, closing);
    const invitation = await new Backend(there.baseUrl, backend.id).invite();
    const again = Object.assign(new Backend(there.baseUrl, backend.id), {
      invite: async () => invitation,
    });
    // Its offer is on the server, and it never learns.
    const met = once(here, "swallow", arriving("offer"));
    const first = await Caller.join(browser, again, { kinds: ["audio"] });
    await until("the offer is open", () => met.times === 1);
    await first.close();
    const two = await Caller.join(browser, again, { kinds: ["audio"] });
    closing(() => two.close());
    await talk(backend, one, two);
    const seen = await seenBy(one);
    context.expect(seen.left).toEqual([]);
    context.expect(seen.joined).toEqual([two.id]);
  });
});

describe("a socket that dies in mid-call", () => {
  it.concurrent.for([
    ["one", "cut"],
    ["both", "cut"],
    ["one", "swallow"],
    ["both", "swallow"],
  ] as const)(
    "[S3][S5] of %s: %s. Media goes on, nothing is negotiated again",
    async (death, context) => {
      const [whose, fate] = death;
      const call = await callOf(closingOf(context));
      const { one, two, here, there } = call;
      const offers = [await offersOf(one), await offersOf(two)];
      const opened = [here.opened, there.opened] as const;
      here[fate]();
      if (whose === "both") there[fate]();
      // Something to say makes a dead socket known sooner than the next ping does.
      const said = one.page.evaluate(
        (peer) =>
          window.call.session.changeFlow(
            window.call.session.flows.find(({ to }) => to === peer)?.id ?? "",
            { priority: "high" },
          ),
        two.id,
      );
      await Promise.all([one.receives(two.id, audio), two.receives(one.id, audio)]);
      await said;
      await reconnected(one, here, opened[0]);
      if (whose === "both") await reconnected(two, there, opened[1]);
      await nothingHappened(call, context.expect);
      context.expect([await offersOf(one), await offersOf(two)]).toEqual(offers);
    },
  );

  it.concurrent("[R3] a message whose reply was lost is sent again and arrives once, in its order", async (context) => {
    const { one, two, here } = await callOf(closingOf(context));
    const met = once(
      here,
      "deliver-and-cut",
      (message) => message.from === "page" && message.body === 2,
    );
    await one.page.evaluate(async (peer) => {
      const { session } = window.call;
      await Promise.all([1, 2, 3, 4].map((n) => session.send(peer, n)));
    }, two.id);
    context.expect(met.times).toBe(1);
    // Taken by the server; the other page may not have read it yet.
    await context.expect
      .poll(async () => (await seenBy(two)).bodies, { timeout: 20_000 })
      .toEqual([1, 2, 3, 4]);
  });

  it.concurrent("[R2] signalling that comes and goes restarts no media that flows", async (context) => {
    const call = await callOf(closingOf(context));
    const { one, two, here } = call;
    const offers = [await offersOf(one), await offersOf(two)];
    for (let round = 0; round < 4; round++) {
      const { opened } = here;
      await one.page.evaluate(() => dispatchEvent(new Event("online")), null);
      await reconnected(one, here, opened);
    }
    // Longer than a side listens before it takes its paths for dead.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    await nothingHappened(call, context.expect);
    context.expect([await offersOf(one), await offersOf(two)]).toEqual(offers);
  });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

describe("a server that is killed", () => {
  it("[R3][S5] comes back with sessions and flows; peers resume, media never stopped", async (context) => {
    const state = temporaryFolder("killed");
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const port = String(await freePort());
    const start = (): Promise<Server> =>
      startServer({
        file: process.execPath,
        args: [`${root}scripts/start.mjs`],
        cwd: root,
        env: { DUPLEX_STATE: state, PORT: port },
        readyLimitMs: 90_000,
      });
    let server = await start();
    context.onTestFinished(async () => {
      await server.stop();
      rmSync(state, { recursive: true, force: true });
    });
    const call = await callOf(closingOf(context), server.baseUrl);
    const { backend, one, two } = call;
    const offers = await offersOf(one);
    const processes = server.processes();
    for (const { pid } of processes) process.kill(pid, "SIGKILL");
    await until("the server is dead", () => stillRunning(processes).length === 0);
    await Promise.all([one.receives(two.id, audio), two.receives(one.id, audio)]);
    server = await start();
    await until("both are back", async () => {
      const { peers } = await backend.read<{ peers: { state: string }[] }>("");
      return peers.length === 2 && peers.every(({ state: now }) => now === "connected");
    });
    await nothingHappened(call, context.expect);
    context.expect(await offersOf(one)).toBe(offers);
    await one.publishCanvas("screen");
    await two.receives(one.id, ["video"]);
  });
});

/** Namespaces of the network are Linux's, and root's to make. */
const NAMESPACES =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["--net", "ip", "link", "set", "lo", "up"]).status === 0 &&
  spawnSync("nsenter", ["--version"]).status === 0;

describe("a phone that goes from one network to another", () => {
  it.skipIf(!NAMESPACES)(
    "[R3][F5] signalling resumes, one offer restarts ICE, media flows on the new path and the record has it",
    async ({ expect }) => {
      const program = fileURLToPath(new URL("network-switch.ts", import.meta.url));
      const { output } = await run("unshare", ["--net", process.execPath, program], {
        limitMs: 115_000,
      });
      const line = output.split("\n").find((text) => text.startsWith("{")) ?? output;
      const seen = JSON.parse(line);
      // The phone, when it is back before the other side has given its path up; else the other side. Never both.
      expect(seen.made.phone + seen.made.desk).toBe(1);
      expect(seen).toMatchObject({ left: [], joined: 1, same: true });
    },
  );
});
