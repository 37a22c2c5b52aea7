import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { checkSdp } from "../../protocol/sdp-check.ts";
import type { RecordedFinding } from "../../protocol/session.ts";
import { mutated, Random } from "../sdp-fuzz-mutations.ts";
import { type Browser, launch, type Page } from "./browsers.ts";
import { Backend, until } from "./caller.ts";

/** Two Chromium pages with a hand-made client: what the server refuses, and that the call goes on. */

const baseUrl = inject("baseUrl");
let browser: Browser;

beforeAll(async () => {
  browser = await launch("chromium");
});

afterAll(async () => {
  await browser.close();
});

interface CorpusRecord {
  offer: string;
  munged?: boolean;
}

interface Frame {
  type: string;
  re?: number;
  exchange?: number;
  sdp?: string;
  finding?: { rule: string; level: string };
}

declare global {
  interface Window {
    wire: { socket: WebSocket; connection: RTCPeerConnection; inbox: Frame[]; id: number };
  }
}

/** A page that speaks the protocol itself, with a camera. */
class Wire {
  readonly id: string;
  readonly page: Page;

  constructor(id: string, page: Page) {
    this.id = id;
    this.page = page;
  }

  static async open(backend: Backend): Promise<Wire> {
    const { peer, token, signalling } = await backend.invite();
    const page = await browser.open(new URL("docs", baseUrl).href);
    await page.evaluate(
      async ({ url, bearer }) => {
        const socket = new WebSocket(url, ["duplex.v1", `bearer.${bearer}`]);
        const opened = new Promise((resolve) => socket.addEventListener("open", resolve));
        const wire = { socket, connection: new RTCPeerConnection(), inbox: [] as Frame[], id: 0 };
        window.wire = wire;
        const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
        for (const track of stream.getTracks()) wire.connection.addTrack(track, stream);
        socket.addEventListener("message", ({ data }) => wire.inbox.push(JSON.parse(data)));
        await opened;
      },
      { url: signalling.url, bearer: token },
    );
    return new Wire(peer.id, page);
  }

  /** Makes a local description with all its candidates. */
  describe(type: "offer" | "answer", restart = false): Promise<string> {
    return this.page.evaluate(
      async ({ wanted, iceRestart }) => {
        const { connection } = window.wire;
        const made =
          wanted === "offer"
            ? await connection.createOffer({ iceRestart })
            : await connection.createAnswer();
        await connection.setLocalDescription(made);
        while (connection.iceGatheringState !== "complete") {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return connection.localDescription?.sdp ?? "";
      },
      { wanted: type, iceRestart: restart },
    );
  }

  apply(type: "offer" | "answer" | "rollback", sdp = ""): Promise<void> {
    return this.page.evaluate(
      async ({ wanted, text }) => {
        const { connection } = window.wire;
        if (wanted === "rollback") await connection.setLocalDescription({ type: "rollback" });
        else await connection.setRemoteDescription({ type: wanted, sdp: text });
      },
      { wanted: type, text: sdp },
    );
  }

  request(message: object): Promise<Frame> {
    return this.page.evaluate(async (sent) => {
      const { wire } = window;
      wire.id += 1;
      const id = wire.id;
      wire.socket.send(JSON.stringify({ ...sent, id }));
      for (let waited = 0; waited < 10_000; waited += 20) {
        const reply = wire.inbox.find(({ re }) => re === id);
        if (reply) return reply;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error("no reply");
    }, message);
  }

  /** The next frame of a type. */
  next(type: string): Promise<Frame> {
    return this.page.evaluate(async (wanted) => {
      const { inbox } = window.wire;
      for (let waited = 0; waited < 10_000; waited += 20) {
        const index = inbox.findIndex((frame) => frame.type === wanted);
        const [found] = index < 0 ? [] : inbox.splice(index, 1);
        if (found) return found;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error(`no ${wanted}`);
    }, type);
  }

  count(type: string): Promise<number> {
    return this.page.evaluate(
      (wanted) => window.wire.inbox.filter((frame) => frame.type === wanted).length,
      type,
    );
  }

  /** Packets of media received so far. */
  packets(): Promise<number> {
    return this.page.evaluate(async () => {
      let packets = 0;
      const report = (await window.wire.connection.getStats()) as unknown as Map<
        string,
        { type: string; packetsReceived: number }
      >;
      for (const { type, packetsReceived } of report.values()) {
        if (type === "inbound-rtp") packets += packetsReceived;
      }
      return packets;
    }, undefined);
  }
}

const refusedBy = (rule: string) => ({
  type: "problem",
  code: "sdp-invalid",
  finding: { rule, level: "error" },
});

/** Media come in on both sides, now. */
async function mediaFlow(...wires: Wire[]): Promise<void> {
  for (const wire of wires) {
    const before = await wire.packets();
    await until(`media at ${wire.id}`, async () => (await wire.packets()) > before + 20);
  }
}

class Call {
  readonly backend: Backend;
  readonly alice: Wire;
  readonly bob: Wire;

  constructor(backend: Backend, alice: Wire, bob: Wire) {
    this.backend = backend;
    this.alice = alice;
    this.bob = bob;
  }

  static async open(): Promise<Call> {
    const backend = await Backend.start(baseUrl);
    return new Call(backend, await Wire.open(backend), await Wire.open(backend));
  }

  offer(sdp: string): Promise<Frame> {
    return this.alice.request({ type: "offer", to: this.bob.id, sdp });
  }

  answer(exchange: number | undefined, sdp: string): Promise<Frame> {
    return this.bob.request({ type: "answer", to: this.alice.id, exchange, sdp });
  }

  /** bob answers the open offer as he should, and media flow. */
  async answered(): Promise<void> {
    const { exchange, sdp } = await this.bob.next("offer");
    await this.bob.apply("offer", sdp);
    expect(await this.answer(exchange, await this.bob.describe("answer"))).toMatchObject({
      type: "ack",
    });
    await this.alice.apply("answer", (await this.alice.next("answer")).sdp);
    await mediaFlow(this.alice, this.bob);
  }
}

const folder = new URL("../fixtures/sdp-corpus/", import.meta.url);
const TRIES = 300;

/** Offers of real stacks, broken at random but the same for the same seed. */
function brokenOffers(): string[] {
  const offers = readdirSync(folder)
    .map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as CorpusRecord)
    .filter(({ munged }) => munged !== true)
    .map(({ offer }) => offer);
  return Array.from({ length: TRIES }, (_none, index) => {
    const random = new Random(31, index);
    return mutated(random, random.pick(offers), [random.pick(offers)]);
  });
}

/** What a page says to offers: why it refuses each, or nothing. Few at a time: connections are not freed at once. */
async function verdictsOf(judge: Browser, offers: readonly string[]): Promise<string[]> {
  const verdicts: string[] = [];
  for (let start = 0; start < offers.length; start += 50) {
    const page = await judge.open(new URL("docs", baseUrl).href);
    const batch = offers.slice(start, start + 50);
    const said = await page.evaluate(async (sdps) => {
      const refusals: string[] = [];
      for (const sdp of sdps) {
        const connection = new RTCPeerConnection();
        try {
          await connection.setRemoteDescription({ type: "offer", sdp });
          await connection.setLocalDescription();
          refusals.push("");
        } catch (thrown) {
          refusals.push(String(thrown));
        }
        connection.close();
      }
      return refusals;
    }, batch);
    verdicts.push(...said);
    await page.close();
  }
  return verdicts;
}

describe.each(["chromium", "firefox"] as const)("%s", (name) => {
  it("[D2] what the browser refuses has been found before it", async () => {
    const judge = name === "chromium" ? browser : await launch(name);
    try {
      const offers = brokenOffers();
      const verdicts = await verdictsOf(judge, offers);
      const refused = offers.flatMap((sdp, index) =>
        verdicts[index] === "" ? [] : [{ sdp, why: verdicts[index] }],
      );
      const missed = refused.filter(({ sdp }) => {
        const { findings } = checkSdp({ offer: sdp }, 0);
        return findings.every(({ level }) => level === "info");
      });
      expect(refused.length).toBeGreaterThan(TRIES / 4);
      // Some of it browsers only dislike: extensions over their own limits, feedback for codecs that are not there.
      expect(missed.map(({ why }) => why).slice(0, Math.ceil(refused.length / 20))).toHaveLength(
        missed.length,
      );
    } finally {
      if (judge !== browser) await judge.close();
    }
  });
});

describe("what only the server can notice", () => {
  it("[D1] an offer echoed as its answer is refused, and the call comes up all the same", async () => {
    const call = await Call.open();
    const offer = await call.alice.describe("offer");
    const { exchange } = await call.offer(offer);
    expect(await call.answer(exchange, offer)).toMatchObject(refusedBy("ice-ufrag-same-both-ends"));
    expect(await call.alice.count("answer")).toBe(0);
    await call.answered();
  });

  it("[D1] half a restart, another certificate, an old answer to a restart: refused while media flow", async () => {
    const call = await Call.open();
    await call.offer(await call.alice.describe("offer"));
    await call.answered();
    const current = await call.alice.describe("offer");
    const broken = {
      "ice-partial-restart": current.replaceAll(
        /^a=ice-pwd:.*$/gm,
        "a=ice-pwd:onlyThePasswordIsNew1234",
      ),
      "fingerprint-changed-without-restart": current.replaceAll(
        /^(a=fingerprint:sha-256 )../gm,
        "$1".concat(current.includes("sha-256 00") ? "11" : "00"),
      ),
    };
    for (const [rule, sdp] of Object.entries(broken)) {
      expect(await call.offer(sdp)).toMatchObject(refusedBy(rule));
      expect(await call.bob.count("offer")).toBe(0);
    }
    await mediaFlow(call.alice, call.bob);
    // The same connection may offer again at once: here with a real restart.
    await call.alice.apply("rollback");
    const old = await call.bob.page.evaluate(
      () => window.wire.connection.localDescription?.sdp ?? "",
      undefined,
    );
    const { exchange } = await call.offer(await call.alice.describe("offer", true));
    expect(await call.answer(exchange, old)).toMatchObject(refusedBy("ice-restart-not-answered"));
    await call.answered();
    const { findings } = await call.backend.read<{ findings: RecordedFinding[] }>("/findings");
    const refused = findings.filter((finding) => finding.refused);
    expect(refused.map(({ rule }) => rule)).toEqual(
      expect.arrayContaining([...Object.keys(broken), "ice-restart-not-answered"]),
    );
  });
});

it("[D2] the SDK says what was found as a typed error, and the link can be used again", async () => {
  const backend = await Backend.start(baseUrl);
  const guests = [await backend.invite(), await backend.invite()];
  const pages = await Promise.all(guests.map(() => browser.open(new URL("docs", baseUrl).href)));
  const join = async (index: 0 | 1, spoil: boolean) =>
    pages[index]!.evaluate(
      async ({ url, token, broken }) => {
        // A script element, because the test runner rewrites `import()` in what it sends to the page.
        const script = document.createElement("script");
        script.type = "module";
        script.textContent = 'import * as duplex from "/duplex.js"; window.duplexLoaded(duplex);';
        const sdk = await new Promise<typeof import("../../client/duplex.ts")>((resolve) => {
          Object.assign(window, { duplexLoaded: resolve });
          document.body.append(script);
        });
        const send = WebSocket.prototype.send;
        if (broken) {
          WebSocket.prototype.send = function spoilt(data) {
            send.call(this, String(data).replaceAll("a=setup:actpass", "a=setup:holdconn"));
          };
        }
        const session = await sdk.join({ url, token });
        const seen: unknown[] = [];
        session.on("problem", ({ error }) =>
          seen.push(sdk.isSdpError(error) ? [error.name, error.finding.rule] : error.code),
        );
        const stream = await navigator.mediaDevices.getUserMedia({ video: true });
        Object.assign(window, {
          session,
          seen,
          stream,
          mend: () => (WebSocket.prototype.send = send),
        });
        for (const track of stream.getTracks()) session.publish(track, stream);
      },
      { url: guests[index]!.signalling.url, token: guests[index]!.token, broken: spoil },
    );
  await join(0, false);
  await join(1, true);
  const seen = () =>
    pages[1]!.evaluate(() => (window as never as { seen: unknown[] }).seen, undefined);
  await until("a problem", async () => (await seen()).length > 0);
  expect(await seen()).toContainEqual(["SdpError", "setup-holdconn"]);
  await pages[1]!.evaluate(async () => {
    const page = window as never as {
      mend: () => void;
      session: import("../../client/duplex.ts").Session;
      stream: MediaStream;
    };
    page.mend();
    const more = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of more.getTracks()) page.session.publish(track, more);
  }, undefined);
  await until("three flows", async () => {
    const { flows } = await backend.flows("?state=active");
    return flows.length >= 3;
  });
});
