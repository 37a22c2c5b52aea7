import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "../test/e2e/browsers.ts";
import { LoadBackend } from "./load-call.ts";
import type { Invitation } from "./load-peer.ts";
import type { Figures } from "./rounds.ts";
import type { BenchServer } from "./servers.ts";
import type { CallEnd } from "./setup-call-page.ts";
// For its declaration of `window.callPage`.
import type {} from "./setup-page.ts";
import { KEYS } from "./worker-bundle.ts";

/** Two pages of a browser that call each other, and how long that takes. */

const LIMIT_MS = 15_000;
/** The callee is there for a while before the caller comes. */
const BEFORE_MS = 100;
/** Reports and records follow the connection at once; what comes within this time is counted, too. */
export const AFTER_MS = 500;

type Invited = Invitation & { readonly iceServers: RTCIceServer[] };

/** What an application's back end does before a call. */
async function sessionOn({ baseUrl }: BenchServer) {
  const key = KEYS[0] ?? "";
  const backend = new LoadBackend(baseUrl, key);
  const path = `v1/sessions/${await backend.session({ emptyTtlSeconds: 60 })}`;
  const invite = () => backend.call<Invited>("POST", `${path}/peers`, 201, {});
  return { invite, key, url: new URL(path, baseUrl).href };
}

/** Two pages, and the servers that they meet by. */
export class Pair {
  readonly #callee: Page;
  readonly #caller: Page;
  readonly #peerJs: BenchServer;
  /** Of the session, for both: gathering must not take longer for one than for the other. */
  #iceServers: RTCIceServer[] = [];

  constructor([callee, caller]: readonly [Page, Page], peerJs: BenchServer) {
    this.#callee = callee;
    this.#caller = caller;
    this.#peerJs = peerJs;
  }

  async prepare(): Promise<void> {
    for (const page of [this.#callee, this.#caller]) {
      await page.evaluate(() => window.callPage.prepare(), null);
    }
  }

  async duplex(server: BenchServer): Promise<Figures> {
    const { invite } = await sessionOn(server);
    const [callee, caller] = [await this.#member(invite), await this.#member(invite)];
    return this.#figures(async () => {
      await this.#callee.evaluate((given) => window.callPage.duplex(given), callee);
      await delay(BEFORE_MS);
      await this.#caller.evaluate((given) => window.callPage.duplex(given), caller);
    });
  }

  async duplexWithInvitation(server: BenchServer): Promise<Figures> {
    const { invite, url, key } = await sessionOn(server);
    const callee = await this.#member(invite);
    return this.#figures(async () => {
      await this.#callee.evaluate((own) => window.callPage.duplex(own), callee);
      await delay(BEFORE_MS);
      const given = { sessionUrl: url, key };
      await this.#caller.evaluate((own) => window.callPage.duplexWithInvitation(own), given);
    });
  }

  /** `named`: the application knows ids; otherwise the client asks the server for one. */
  peerJs(named: boolean): Promise<Figures> {
    const id = () => (named ? `p${crypto.randomUUID()}p` : null);
    const given = { base: this.#peerJs.baseUrl, iceServers: this.#iceServers };
    return this.#figures(async () => {
      const own = { ...given, id: id(), callee: null };
      const callee = await this.#callee.evaluate((each) => window.callPage.peerJs(each), own);
      await delay(BEFORE_MS);
      const other = { ...given, id: id(), callee };
      await this.#caller.evaluate((each) => window.callPage.peerJs(each), other);
    });
  }

  async #member(invite: () => Promise<Invited>) {
    const { iceServers, signalling, token } = await invite();
    this.#iceServers = iceServers;
    return { url: signalling.url, token };
  }

  async #figures(call: () => Promise<void>): Promise<Figures> {
    const pages = [this.#callee, this.#caller] as const;
    await call();
    await Promise.all(
      pages.map((page) => page.evaluate((ms) => window.callPage.end(ms), LIMIT_MS)),
    );
    await delay(AFTER_MS);
    const ends = pages.map((page) => page.evaluate(() => window.callPage.read(), null));
    const [callee, caller] = [await ends[0], await ends[1]];
    for (const page of pages) await page.evaluate(() => window.callPage.hangUp(), null);
    if (!callee || !caller) throw new Error("a page told nothing");
    return { ...timesOf(callee, caller), ...countsOf(callee, caller) };
  }
}

/** Milliseconds from joining to each step of the caller's way to the callee and back. */
function timesOf(callee: CallEnd, caller: CallEnd): Figures {
  const [begin] = caller.marks;
  if (!begin) throw new Error("the call never began");
  const at = (end: CallEnd, ...whats: readonly string[]): number =>
    (end.marks.find(({ what }) => whats.includes(what))?.at ?? Number.NaN) - begin.at;
  return {
    joinedMs: at(caller, "<- welcome", "<- OPEN"),
    offerMs: at(caller, "-> offer", "-> OFFER"),
    offeredMs: at(callee, "<- offer", "<- OFFER"),
    answerMs: at(callee, "-> answer", "-> ANSWER"),
    answeredMs: at(caller, "<- answer", "<- ANSWER"),
    connectedMs: Math.max(caller.connectedAt, callee.connectedAt) - begin.at,
  };
}

function countsOf(...ends: readonly CallEnd[]): Figures {
  const sent = ends.flatMap((end) => end.sent);
  const received = ends.flatMap((end) => end.received);
  const bytes = (frames: typeof sent): number => frames.reduce((sum, each) => sum + each.bytes, 0);
  return {
    sent: sent.length,
    received: received.length,
    sentBytes: bytes(sent),
    receivedBytes: bytes(received),
    requests: ends.reduce((sum, end) => sum + end.requests, 0),
  };
}
