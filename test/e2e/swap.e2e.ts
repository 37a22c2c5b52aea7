import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { SwapEndpoint } from "../../client/swap.ts";
import type { SwapCall } from "../../client/swap-call.ts";
import { type Browser, launchChromium, type Page } from "./browsers.ts";
import { Backend, Caller, until } from "./caller.ts";

/** The SWAP tab of the demo: two endpoints find each other by name, in real browsers. */

declare global {
  interface Window {
    swapDemo: { endpoint?: SwapEndpoint; call?: SwapCall };
    /** The newest socket of the page, and the source of whom it is acknowledged by. */
    swapSocket: WebSocket;
    swapServer: string;
    /** What a call said of advice and application messages. */
    swapHeard: object[];
    /** An endpoint of a page of its own: how often it connected, and what became of it. */
    twice: {
      endpoint?: SwapEndpoint;
      refused?: string;
      sockets: number;
      open: () => number;
      closed: object[];
    };
  }
}

const baseUrl = inject("baseUrl");
const KEY = { authorization: "Bearer dev-key" };

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

interface Endpoint {
  readonly page: Page;
  readonly source: string;
}

const submit = (page: Page, form: string, field: string, value: string): Promise<void> =>
  page.evaluate(
    ({ form: formId, field: fieldId, value: text }) => {
      const input = document.getElementById(fieldId) as HTMLInputElement;
      input.value = text;
      (document.getElementById(formId) as HTMLFormElement).requestSubmit();
    },
    { form, field, value },
  );

const click = (page: Page, id: string): Promise<void> =>
  page.evaluate((button) => document.getElementById(button)?.click(), id);

const isShown = (page: Page, id: string): Promise<boolean> =>
  page.evaluate((element) => document.getElementById(element)?.hidden === false, id);

async function endpoint(name: string): Promise<Endpoint> {
  const page = await browser.open(new URL("swap", baseUrl).href);
  await page.evaluate(() => {
    const Native = WebSocket;
    window.WebSocket = class extends Native {
      constructor(address: string | URL, protocols?: string | string[]) {
        super(address, protocols);
        window.swapSocket = this;
        this.addEventListener("message", ({ data }) => {
          const { message_type: type, source } = JSON.parse(String(data));
          if (type === "response") window.swapServer = source;
        });
      }
    };
  }, null);
  await submit(page, "register", "own", name);
  await until(`${name} is registered`, () => isShown(page, "dial"));
  const source = await page.evaluate(() => window.swapDemo.endpoint?.source ?? "", null);
  return { page, source };
}

interface Grant {
  readonly source: string;
  readonly token: string;
}

/** A page with an endpoint that connects with a token and is called by this user; not when it is refused. */
async function connected(grant: Grant, user: string): Promise<Page> {
  const page = await browser.open(new URL("docs", baseUrl).href);
  await page.evaluate(
    async ({ source, token, value }) => {
      const made: WebSocket[] = [];
      const Native = WebSocket;
      window.WebSocket = class extends Native {
        constructor(address: string | URL, protocols?: string | string[]) {
          super(address, protocols);
          made.push(this);
        }
      };
      const script = document.createElement("script");
      script.type = "module";
      script.textContent = 'import * as swap from "/swap.js"; window.swapLoaded(swap);';
      const swap = await new Promise<typeof import("../../client/swap.ts")>((resolve) => {
        Object.assign(window, { swapLoaded: resolve });
        document.body.append(script);
      });
      const closed: object[] = [];
      window.twice = {
        closed,
        open: () => made.filter(({ readyState }) => readyState <= WebSocket.OPEN).length,
        get sockets() {
          return made.length;
        },
      };
      const criteria = [{ type: "user", value }];
      await swap.SwapEndpoint.connect({
        url: "/3gpp-swap/v1",
        source,
        token,
        criteria: value === "" ? [{ type: "", value }] : criteria,
      }).then(
        (endpoint) => {
          window.twice.endpoint = endpoint;
          endpoint.on("closed", (why) => closed.push(why));
        },
        ({ code }: { code: string }) => {
          window.twice.refused = code;
        },
      );
    },
    { ...grant, value: user },
  );
  return page;
}

/** What a page receives: RTP packets by kind. */
const received = (page: Page): Promise<Record<string, number>> =>
  page.evaluate(async () => {
    const packets: Record<string, number> = {};
    const stats = await window.swapDemo.call?.connection.getStats();
    stats?.forEach((stat: { type: string; kind: string; packetsReceived: number }) => {
      if (stat.type === "inbound-rtp") packets[stat.kind] = stat.packetsReceived;
    });
    return packets;
  }, null);

/** Bits per second of video that a page sends, measured over two seconds. */
async function videoBps(page: Page): Promise<number> {
  const sent = () =>
    page.evaluate(async () => {
      let bytes = 0;
      const stats = await window.swapDemo.call?.connection.getStats();
      stats?.forEach((stat: { type: string; kind: string; bytesSent: number }) => {
        if (stat.type === "outbound-rtp" && stat.kind === "video") bytes += stat.bytesSent;
      });
      return { bytes, at: performance.now() };
    }, null);
  const before = await sent();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const after = await sent();
  return ((after.bytes - before.bytes) * 8_000) / (after.at - before.at);
}

const receives = (page: Page, kind: string): Promise<void> =>
  until(`${kind} comes in`, async () => ((await received(page))[kind] ?? 0) > 10);

async function sessionOf(source: string): Promise<string> {
  const response = await fetch(new URL("v1/realms/default", baseUrl), { headers: KEY });
  const { sessions } = (await response.json()) as {
    sessions: { id: string; endpoints: string[] }[];
  };
  return sessions.find(({ endpoints }) => endpoints.includes(source))?.id ?? "";
}

describe("two pages that speak SWAP", () => {
  it("[M9] call by user, add video, exchange a message and close; the server has the flows", async () => {
    const suffix = crypto.randomUUID();
    const alice = await endpoint(`alice-${suffix}`);
    const bob = await endpoint(`bob-${suffix}`);
    await submit(alice.page, "dial", "callee", `bob-${suffix}`);
    await until("bob is called", () => isShown(bob.page, "incoming"));
    await click(bob.page, "accept");
    await Promise.all([receives(alice.page, "audio"), receives(bob.page, "audio")]);
    const backend = new Backend(baseUrl, await sessionOf(alice.source));
    expect((await backend.flows()).flows.map(({ kind, state }) => [kind, state])).toEqual([
      ["audio", "negotiated"],
      ["audio", "negotiated"],
    ]);

    await click(alice.page, "camera");
    await receives(bob.page, "video");
    await click(bob.page, "camera");
    await receives(alice.page, "video");
    // One that was offered and not taken up has ended.
    const { flows } = await backend.flows("?state=negotiated");
    expect(flows.map(({ kind }) => kind).toSorted()).toEqual(["audio", "audio", "video", "video"]);

    await click(bob.page, "hello");
    await until("the message is there", () =>
      alice.page.evaluate(
        () =>
          document.getElementById("log")?.textContent?.includes("urn:duplex:demo:hello") ?? false,
        null,
      ),
    );
    await click(alice.page, "close");
    await until("both are out of the call", async () => {
      const shown = await Promise.all([isShown(alice.page, "call"), isShown(bob.page, "call")]);
      return !shown.includes(true);
    });
    await until("the realm has no call of them", async () => (await sessionOf(bob.source)) === "");
    const after = await backend.flows();
    expect(new Set(after.flows.map(({ state }) => state))).toEqual(new Set(["ended"]));
    await Promise.all([alice.page.close(), bob.page.close()]);
  });

  it("[M13] what a network recommends limits what an endpoint sends, until it recommends nothing", async () => {
    const suffix = crypto.randomUUID();
    const alice = await endpoint(`alice-${suffix}`);
    const bob = await endpoint(`bob-${suffix}`);
    await submit(alice.page, "dial", "callee", `bob-${suffix}`);
    await until("bob is called", () => isShown(bob.page, "incoming"));
    await click(bob.page, "accept");
    await click(alice.page, "camera");
    await receives(bob.page, "video");
    const mid = await alice.page.evaluate(() => {
      const { endpoint: own, call } = window.swapDemo;
      window.swapHeard = [];
      call?.on("advice", (advice) => window.swapHeard.push(advice));
      call?.on("application", (message) => window.swapHeard.push(message));
      const all = call?.connection.getTransceivers() ?? [];
      return own ? all.find(({ sender }) => sender.track?.kind === "video")?.mid : undefined;
    }, null);
    // As the realm writes it, or somebody else.
    const hear = (said: object, source?: string): Promise<void> =>
      alice.page.evaluate(
        ({ target, value, sender }) => {
          const head = { version: 1, source: sender ?? window.swapServer, message_id: 7, target };
          const type = "urn:duplex:network-advice:1";
          const frame = { ...head, message_type: "application", type, value };
          window.swapSocket.dispatchEvent(
            new MessageEvent("message", { data: JSON.stringify(frame) }),
          );
        },
        {
          target: alice.source,
          value: { call: bob.source, mid, direction: "uplink", network: "north", ...said },
          sender: source,
        },
      );
    const heard = () => alice.page.evaluate(() => window.swapHeard.splice(0), null);
    const less = { state: "impaired", bitrateBps: 1_000 };
    await hear(less, "somebody-else");
    for (const wrong of [
      { bitrateBps: -1 },
      { bitrateBps: "1000" },
      { bitrateBps: null },
      { mid: 1, ...less },
      { direction: "up", ...less },
      { call: null, ...less },
    ]) {
      await hear(wrong);
    }
    expect(await heard()).toEqual([]);
    await hear(less, bob.source);
    // In a call anybody may say anything; it is the application's to believe it.
    expect(await heard()).toMatchObject([{ type: "urn:duplex:network-advice:1" }]);
    const limit = await alice.page.evaluate(() => {
      const senders = window.swapDemo.call?.connection.getSenders() ?? [];
      return senders.flatMap((each) => each.getParameters().encodings).map((e) => e.maxBitrate);
    }, null);
    expect(new Set(limit)).toEqual(new Set([undefined]));
    await until("its usual rate", async () => (await videoBps(alice.page)) > 250_000);
    await hear({ state: "impaired", bitrateBps: 100_000 });
    await until("under 150 kbit/s", async () => (await videoBps(alice.page)) < 150_000, 15_000);
    const told = { call: bob.source, state: "impaired", bitrateBps: 100_000 };
    expect(await heard()).toMatchObject([told]);
    await hear({ state: "granted" });
    await until("the usual rate again", async () => (await videoBps(alice.page)) > 250_000);
    await Promise.all([alice.page.close(), bob.page.close()]);
  });

  it("[M9] call by service: one of those that offer it is called", async () => {
    const suffix = crypto.randomUUID();
    const helpers = [await endpoint(`one-${suffix}`), await endpoint(`other-${suffix}`)];
    const criteria = [{ type: "service", value: `help-${suffix}` }];
    for (const { page } of helpers) {
      await page.evaluate((said) => window.swapDemo.endpoint?.register(said), criteria);
    }
    const alice = await endpoint(`alice-${suffix}`);
    await alice.page.evaluate(async (wanted) => {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const call = await window.swapDemo.endpoint?.call({ criteria: wanted }, (connection) => {
        for (const track of stream.getTracks()) connection.addTrack(track, stream);
      });
      if (call) window.swapDemo.call = call;
    }, criteria);
    const rings = () => Promise.all(helpers.map(({ page }) => isShown(page, "incoming")));
    await until("one of them is called", async () => (await rings()).includes(true));
    const called = helpers[(await rings()).indexOf(true)] as Endpoint;
    await click(called.page, "accept");
    await Promise.all([receives(alice.page, "audio"), receives(called.page, "audio")]);
    expect((await rings()).includes(true)).toBe(false);
    await Promise.all([alice, ...helpers].map(({ page }) => page.close()));
  });

  it("[S3] of two pages with one token the newer one stays, and the older one is told that it is over", async () => {
    const grant = (await ask("POST", "v1/realms/default/endpoints", {})) as Grant;
    const user = `twice-${crypto.randomUUID()}`;
    const older = await connected(grant, user);
    expect(await older.evaluate(() => window.twice.closed, null)).toEqual([]);
    const newer = await connected(grant, user);
    await until("the older one is told", () =>
      older.evaluate(() => window.twice.closed.length === 1, null),
    );
    // Longer than the wait before it would come back.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const seen = (page: Page) =>
      page.evaluate(() => ({ closed: window.twice.closed, sockets: window.twice.sockets }), null);
    expect(await seen(older)).toEqual({ closed: [{ code: 4001, reason: "replaced" }], sockets: 1 });
    expect(await seen(newer)).toEqual({ closed: [], sockets: 1 });
    expect(
      await older.evaluate(
        () => window.twice.endpoint?.register([]).catch(({ code }: { code: string }) => code),
        null,
      ),
    ).toBe("signalling-closed");
    await Promise.all([older.close(), newer.close()]);
  });

  it("[M9] an endpoint whose criteria are refused leaves no socket behind", async () => {
    const grant = (await ask("POST", "v1/realms/default/endpoints", {})) as Grant;
    const page = await connected(grant, "");
    expect(await page.evaluate(() => window.twice.refused, null)).toMatch(/./);
    await until("its socket is closed", () => page.evaluate(() => window.twice.open() === 0, null));
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(await page.evaluate(() => window.twice.sockets, null)).toBe(1);
    await page.close();
  });

  it("[M9] a call that is rejected is over, and the next one comes through", async () => {
    const suffix = crypto.randomUUID();
    const alice = await endpoint(`alice-${suffix}`);
    const bob = await endpoint(`bob-${suffix}`);
    for (const act of ["reject", "accept"]) {
      await submit(alice.page, "dial", "callee", `bob-${suffix}`);
      await until("bob is called", () => isShown(bob.page, "incoming"));
      await click(bob.page, act);
      if (act === "reject") {
        await until("alice is told", async () => !(await isShown(alice.page, "call")));
      }
    }
    await receives(alice.page, "audio");
    await Promise.all([alice.page.close(), bob.page.close()]);
  });
});

async function ask(method: string, path: string, body: object): Promise<unknown> {
  const response = await fetch(new URL(path, baseUrl), {
    method,
    headers: { ...KEY, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.status === 204 ? undefined : response.json();
}

describe("a page that speaks SWAP and one that speaks duplex.v1", () => {
  it("[M9] the one calls the other by name", async () => {
    const suffix = crypto.randomUUID();
    const backend = await Backend.start(baseUrl);
    const desk = await Caller.join(browser, backend, { kinds: ["audio"] });
    const criteria = [{ type: "user", value: `desk-${suffix}` }];
    await ask("PUT", `v1/realms/default/peers/${desk.id}`, { session: backend.id, criteria });
    const phone = await endpoint(`phone-${suffix}`);
    await submit(phone.page, "dial", "callee", `desk-${suffix}`);
    await receives(phone.page, "audio");
    const peers = await backend.read<{ peers: { id: string }[] }>("/peers");
    const other = peers.peers.find(({ id }) => id !== desk.id)?.id ?? "";
    await desk.receives(other, ["audio"]);
    await desk.publishCanvas("screen");
    await receives(phone.page, "video");
    await click(phone.page, "camera");
    await desk.receives(other, ["audio", "video"]);
    await click(phone.page, "close");
    await until("the endpoint has left", async () => {
      const { peers: now } = await backend.read<{ peers: object[] }>("/peers");
      return now.length === 1;
    });
    await Promise.all([phone.page.close(), desk.close()]);
  });

  it("[M9] and the other way, when the back end brings the endpoint into the session", async () => {
    const suffix = crypto.randomUUID();
    const backend = await Backend.start(baseUrl);
    const desk = await Caller.join(browser, backend, { kinds: ["audio"] });
    const phone = await endpoint(`phone-${suffix}`);
    const criteria = [{ type: "user", value: `phone-${suffix}` }];
    const seat = await ask("POST", "v1/realms/default/calls", { session: backend.id, criteria });
    const { peer, source } = seat as { peer: string; source: string };
    expect(source).toBe(phone.source);
    await until("the phone rings", () => isShown(phone.page, "incoming"));
    await click(phone.page, "accept");
    await receives(phone.page, "audio");
    await desk.receives(peer, ["audio"]);
    await desk.page.evaluate(() => window.call.session.leave(), null);
    await until("the phone is told", async () => !(await isShown(phone.page, "call")));
    await Promise.all([phone.page.close(), desk.close()]);
  });
});
