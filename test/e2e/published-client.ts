import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "./browsers.ts";
import { type Backend, until } from "./caller.ts";
import type { Exchange, PublishedName } from "./published-clients-page.ts";

/** A page with a WHIP or WHEP client of somebody else, bundled as it is. */

let bundled: Promise<string> | undefined;

const bundle = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("./published-clients-page.ts", import.meta.url))],
    bundle: true,
    format: "iife",
    target: "es2022",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
};

const DOORS: Readonly<Record<PublishedName, "whip" | "whep">> = {
  "whip-web-client": "whip",
  "medooze-whip": "whip",
  ovenlivekit: "whip",
  "medooze-whep": "whep",
  "webrtc-player": "whep",
};

/** What a connection sends or receives. */
export interface Media {
  readonly state: string;
  readonly framesDecoded: number;
  readonly audioPackets: number;
  /** Of the pair in use, on this side. */
  readonly candidateType: string;
}

export class PublishedClient {
  /** The peer of its token. */
  readonly id: string;
  readonly page: Page;

  constructor(id: string, page: Page) {
    this.id = id;
    this.page = page;
  }

  static async open(
    browser: Browser,
    backend: Backend,
    name: PublishedName,
  ): Promise<PublishedClient> {
    bundled ??= bundle();
    const { peer, token } = await backend.invite();
    const page = await browser.open(new URL("docs", backend.baseUrl).href);
    await page.evaluate(
      (text) => {
        const script = document.createElement("script");
        script.textContent = text;
        document.body.append(script);
      },
      await bundled,
    );
    const endpoint = new URL(`v1/sessions/${backend.id}/${DOORS[name]}`, backend.baseUrl).href;
    await page.evaluate(({ client, begin }) => window.published.begin(client, begin), {
      client: name,
      begin: { endpoint, token },
    });
    return new PublishedClient(peer.id, page);
  }

  /** What it asked of the server, and the statuses that it got. */
  exchanges(): Promise<Exchange[]> {
    return this.page.evaluate(() => window.published.exchanges, null);
  }

  async statuses(method: string): Promise<number[]> {
    const asked = await this.exchanges();
    return asked.filter((exchange) => exchange.method === method).map(({ status }) => status);
  }

  /** Promises that it left alone. */
  rejections(): Promise<string[]> {
    return this.page.evaluate(() => window.published.rejections, null);
  }

  /** How many connections it opened, which are not few when it came again. */
  connections(): Promise<number> {
    return this.page.evaluate(() => window.published.connections.length, null);
  }

  media(): Promise<Media> {
    return this.page.evaluate(readMedia, null);
  }

  async connects(): Promise<Media> {
    await until(`${this.id} is connected`, async () => (await this.media()).state === "connected");
    return this.media();
  }

  /** Waits until picture and sound move on. */
  async plays(): Promise<void> {
    const first = await this.media();
    await until(`${this.page.browser} ${this.id} plays`, async () => {
      const { framesDecoded, audioPackets } = await this.media();
      return framesDecoded > first.framesDecoded + 5 && audioPackets > first.audioPackets;
    });
  }

  /** What the client complains of, if it does. */
  restart(): Promise<string> {
    return this.page.evaluate(() => window.published.restart(), null);
  }

  stop(): Promise<void> {
    return this.page.evaluate(() => window.published.stop(), null);
  }

  close(): Promise<void> {
    return this.page.close();
  }
}

/** Runs in the page. */
async function readMedia(): Promise<Media> {
  const connection = window.published.connections.at(-1);
  const all = [...((await connection?.getStats()) ?? new Map()).values()];
  const inbound = (kind: string) =>
    all.filter((stat) => stat.type === "inbound-rtp" && stat.kind === kind);
  const sum = (stats: Record<string, number>[], name: string) =>
    stats.reduce((total, stat) => total + (stat[name] ?? 0), 0);
  const pair = all.find(
    ({ type, state, nominated }) => type === "candidate-pair" && state === "succeeded" && nominated,
  );
  const own = all.find(({ id }) => id === pair?.localCandidateId);
  return {
    state: connection?.connectionState ?? "none",
    framesDecoded: sum(inbound("video"), "framesDecoded"),
    audioPackets: sum(inbound("audio"), "packetsReceived"),
    candidateType: own?.candidateType ?? "none",
  };
}
