import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { SdpFinding } from "../../client/duplex.ts";
import { type Browser, launchChromium, launchFirefox } from "./browsers.ts";
import { Backend, Caller, until } from "./caller.ts";

/** Sessions with `iceTransportPolicy: relay`: what leaves a page, and what reaches the other one. */

declare global {
  interface Window {
    /** What the page's sockets carried, as text. */
    frameLog: { sent: string[]; received: string[] };
    /** What the SDK said of descriptions and candidates. */
    told: { problems: { code: string; rule?: string }[]; findings: string[] };
  }
}

const baseUrl = inject("baseUrl");
let chromium: Browser;
let firefox: Browser;

beforeAll(async () => {
  [chromium, firefox] = await Promise.all([launchChromium(), launchFirefox()]);
});

afterAll(async () => {
  await Promise.all([chromium?.close(), firefox?.close()]);
});

/** Runs in the page: keeps a copy of all frames. */
const recordFrames = (): void => {
  window.frameLog = { sent: [], received: [] };
  const Native = WebSocket;
  window.WebSocket = class extends Native {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols);
      this.addEventListener("message", ({ data }) => window.frameLog.received.push(String(data)));
    }
    override send(data: string): void {
      window.frameLog.sent.push(data);
      super.send(data);
    }
  };
};

/** The same in a page whose connections do as they like: the SDK's wish for relays only is not heard. */
const recordAndLeak = (): void => {
  window.frameLog = { sent: [], received: [] };
  window.told = { problems: [], findings: [] };
  const Socket = WebSocket;
  window.WebSocket = class extends Socket {
    override send(data: string): void {
      window.frameLog.sent.push(data);
      super.send(data);
    }
  };
  const Connection = RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(configuration: RTCConfiguration = {}) {
      super({ ...configuration, iceTransportPolicy: "all" });
    }
    override setConfiguration(configuration: RTCConfiguration): void {
      super.setConfiguration({ ...configuration, iceTransportPolicy: "all" });
    }
  };
};

const listen = (caller: Caller): Promise<void> =>
  caller.page.evaluate(() => {
    const { session } = window.call;
    session.on("problem", ({ error }) => {
      const { finding } = error.problem as { finding?: SdpFinding };
      window.told.problems.push({ code: error.code, ...(finding && { rule: finding.rule }) });
    });
    session.on("findings", ({ findings }) => {
      window.told.findings.push(...findings.map(({ rule }) => rule));
    });
  }, null);

const framesOf = (caller: Caller) => caller.page.evaluate(() => window.frameLog, null);
const toldTo = (caller: Caller) => caller.page.evaluate(() => window.told, null);

/** `candidate:... typ host ...` in frames, trickled or in descriptions. */
const candidatesIn = (frames: readonly string[]): string[] =>
  frames.flatMap((frame) => frame.match(/candidate:[^"\\]+/g) ?? []);

/** Waits until what is done has led to another exchange, and that is over. */
async function negotiatedAgain(backend: Backend, act: () => Promise<void>): Promise<void> {
  const link = async () => {
    const { links } = await backend.read<{ links: { state: string; exchange: number }[] }>("");
    return links[0] ?? { state: "none", exchange: 0 };
  };
  const { exchange: before } = await link();
  await act();
  await until("another exchange", async () => {
    const { state, exchange } = await link();
    return state === "stable" && exchange > before;
  });
}

const typeOf = (candidate: string): string => / typ (\w+)/.exec(candidate)?.[1] ?? "none";

/** Addresses and ports of candidates that are not relayed, each as it stands in a candidate. */
const placesIn = (candidates: readonly string[]): string[] =>
  candidates
    .filter((candidate) => typeOf(candidate) !== "relay")
    .map((candidate) => candidate.split(" ").slice(4, 6).join(" "));

describe.each(["chromium", "firefox"] as const)("a page of %s with the SDK", (name) => {
  it("[A2] shows relays only, and the call comes up under the strict policy", async () => {
    const backend = await Backend.start(baseUrl, { iceTransportPolicy: "relay" });
    const browser = name === "chromium" ? chromium : firefox;
    const one = await Caller.join(browser, backend, { prepare: recordFrames });
    const two = await Caller.join(chromium, backend, { prepare: recordFrames });
    const stats = await Promise.all([one.receives(two.id), two.receives(one.id)]);
    for (const { pair } of stats) expect(pair?.local.candidateType).toBe("relay");
    // Again, with candidates of before in the descriptions.
    await negotiatedAgain(backend, () => two.publishCanvas("canvas"));
    for (const caller of [one, two]) {
      const { sent } = await framesOf(caller);
      const candidates = candidatesIn(sent);
      expect(new Set(candidates.map(typeOf))).toEqual(new Set(["relay"]));
      expect(await caller.page.evaluate(() => window.call.problems, null)).toEqual([]);
    }
    await Promise.all([one.close(), two.close()]);
  });
});

describe("a page that shows more than relays", () => {
  it("[D1] enforced: it is told by an SdpError, and the other page sees nothing of it", async () => {
    const backend = await Backend.start(baseUrl, { iceTransportPolicy: "relay" });
    const other = await Caller.join(chromium, backend, { prepare: recordFrames });
    const leaky = await Caller.join(chromium, backend, { prepare: recordAndLeak });
    await listen(leaky);
    await until("the SDK was told", async () =>
      (await toldTo(leaky)).problems.some(
        ({ code, rule }) => code === "sdp-invalid" && rule === "candidate-policy-relay-only",
      ),
    );
    const shown = placesIn(candidatesIn((await framesOf(leaky)).sent));
    expect(shown.length).toBeGreaterThan(0);
    const text = (await framesOf(other)).received.join("\n");
    for (const place of shown) expect(text).not.toContain(place);
    expect(candidatesIn([text]).filter((each) => typeOf(each) !== "relay")).toEqual([]);
    await Promise.all([other.close(), leaky.close()]);
  });

  it("[N9] reported: the call comes up through relays, what was dropped is told and recorded", async () => {
    const backend = await Backend.start(baseUrl, {
      iceTransportPolicy: "relay",
      sdpPolicy: "report",
    });
    const other = await Caller.join(chromium, backend, { prepare: recordFrames });
    const leaky = await Caller.join(chromium, backend, { prepare: recordAndLeak });
    await listen(leaky);
    await Promise.all([other.receives(leaky.id), leaky.receives(other.id)]);
    // Now its descriptions have candidates, too.
    await negotiatedAgain(backend, () => leaky.publishCanvas("canvas"));
    await until("told", async () =>
      (await toldTo(leaky)).findings.includes("candidate-policy-relay-only"),
    );
    const shown = placesIn(candidatesIn((await framesOf(leaky)).sent));
    expect(shown.length).toBeGreaterThan(0);
    const text = (await framesOf(other)).received.join("\n");
    for (const place of shown) expect(text).not.toContain(place);
    expect(text).toContain('"withheld":');
    const { findings } = await backend.read<{ findings: { rule: string; from: string }[] }>(
      "/findings",
    );
    const recorded = findings.filter(({ rule }) => rule === "candidate-policy-relay-only");
    expect(new Set(recorded.map(({ from }) => from))).toEqual(new Set([leaky.id]));

    // What each page reads of transports has no address of the other's own.
    const seen = await leaky.page.evaluate(
      () => JSON.stringify(window.call.session.transports),
      null,
    );
    const own = JSON.parse(seen) as { fiveTuples: { peer: string; local: object }[] }[];
    for (const { fiveTuples } of own) {
      for (const tuple of fiveTuples) {
        if (tuple.peer !== leaky.id) expect(tuple).toMatchObject({ local: {}, remote: {} });
      }
    }
    await Promise.all([other.close(), leaky.close()]);
  });
});
