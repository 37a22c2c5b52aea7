import { afterAll, beforeAll, expect, inject, it } from "vitest";
import type { LinkView } from "../../protocol/message-parts.ts";
import type { SimulatedFault } from "../../protocol/simulated-fault.ts";
import { seedsToPlay } from "../chaos-seeds.ts";
import { Seeded } from "../chaos-world.ts";
import { type Browser, launch, type Page } from "./browsers.ts";
import { Backend } from "./caller.ts";
import { installChaos, type PageFault, type PageReading } from "./chaos-page.ts";

/**
 * Seeded runs in real Chromium over real sockets: what the pages do and what breaks is the seed's choice, when
 * it meets the frames is the machine's. In the end both ends and the server agree on every link (R3).
 */

const baseUrl = inject("baseUrl");
const KEY = { authorization: "Bearer dev-key", "content-type": "application/json" };
const PAGES = 3;
const REST_MS = 25_000;

let browser: Browser;
let pages: Page[] = [];

beforeAll(async () => {
  browser = await launch("chromium");
  pages = await Promise.all(
    Array.from({ length: PAGES }, async () => {
      const page = await browser.open(new URL("docs", baseUrl).href);
      await page.evaluate(installChaos, null);
      return page;
    }),
  );
});

afterAll(() => browser.close());

interface Member {
  readonly id: string;
  readonly token: string;
  readonly url: string;
  readonly page: Page;
  leaves: number;
}

const PAGE_FAULTS: readonly PageFault[] = [
  "cut",
  "cut",
  "half-open up",
  "half-open down",
  "twice up",
  "twice down",
];
const SIMULATED: readonly SimulatedFault[] = [
  { fault: "drop" },
  { fault: "evict" },
  { fault: "abort" },
  { fault: "duplicate", count: 3 },
  { fault: "delay", count: 3, delayMs: 200 },
];

async function simulate(backend: Backend, { id }: Member, fault: SimulatedFault): Promise<void> {
  const url = new URL(`v1/sessions/${backend.id}/peers/${id}/simulate`, baseUrl);
  // The peer may be away: then there is nothing to break.
  await fetch(url, { method: "POST", headers: KEY, body: JSON.stringify(fault) });
}

async function act(random: Seeded, members: readonly Member[], log: string[]): Promise<void> {
  const member = random.pick(members);
  const { page } = member;
  const what = random.pick([
    "publish",
    "publish",
    "glare",
    "unpublish",
    "restart",
    "message",
    "message",
    "online",
    "loads again",
  ]);
  log.push(`${members.indexOf(member)} ${what}`);
  switch (what) {
    case "publish":
      await page.evaluate((kind) => window.chaos.publish(kind), random.pick(["audio", "video"]));
      return;
    case "glare":
      await Promise.all(
        members.map((one) => one.page.evaluate(() => window.chaos.publish("video"), null)),
      );
      return;
    case "unpublish":
      await page.evaluate(() => window.chaos.unpublish(), null);
      return;
    case "restart":
      await page.evaluate(() => window.chaos.restartIce(), null);
      return;
    case "message": {
      const to = random.pick(members.filter((one) => one !== member)).id;
      await page.evaluate((peer) => {
        for (let n = 0; n < 3; n += 1) window.chaos.send(peer);
      }, to);
      return;
    }
    case "online":
      await page.evaluate(() => window.chaos.online(), null);
      return;
    default:
      await page.evaluate(() => window.chaos.die(), null);
      await join(member, []);
  }
}

async function breakSomething(
  random: Seeded,
  backend: Backend,
  members: readonly Member[],
  log: string[],
): Promise<void> {
  const member = random.pick(members);
  if (random.chance(0.5)) {
    const fault = random.pick(PAGE_FAULTS);
    log.push(`${members.indexOf(member)} ${fault}`);
    await member.page.evaluate((one) => window.chaos.fault(one), fault);
    return;
  }
  const fault = random.pick(SIMULATED);
  log.push(`${members.indexOf(member)} simulated ${fault.fault}`);
  await simulate(backend, member, fault);
}

const join = ({ page, url, token }: Member, kinds: readonly string[]): Promise<void> =>
  page.evaluate(({ address, bearer, wanted }) => window.chaos.join(address, bearer, wanted), {
    address: url,
    bearer: token,
    wanted: kinds,
  });

/** Reads the links as the server has them, over a socket of an observer. */
class Observer {
  readonly #socket: WebSocket;
  readonly #welcome = Promise.withResolvers<void>();
  #nextId = 1;
  readonly #waiting = new Map<number, (links: readonly LinkView[]) => void>();

  constructor({ token, signalling }: Awaited<ReturnType<Backend["invite"]>>) {
    this.#socket = new WebSocket(new URL(signalling.url), ["duplex.v1", `bearer.${token}`]);
    this.#socket.addEventListener("error", () => {
      this.#welcome.reject(new Error("the observer's socket failed"));
    });
    this.#socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as { type: string; re?: number; links?: LinkView[] };
      if (frame.type === "welcome") this.#welcome.resolve();
      if (frame.type === "ack") this.#waiting.get(frame.re ?? 0)?.(frame.links ?? []);
    });
  }

  async links(): Promise<readonly LinkView[]> {
    await this.#welcome.promise;
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ type: "state", id }));
    });
  }

  close(): void {
    this.#socket.close();
  }
}

/** Chromium writes candidates, and the address of the first of them, into descriptions that it shows. */
const asSent = (sdp: string): string =>
  sdp
    .replace(/^a=(candidate:.*|end-of-candidates)\r\n/gm, "")
    .replace(/^(m=\w+) (?!0 )\d+ /gm, "$1 9 ")
    .replace(/^c=.*$/gm, "c=IN IP4 0.0.0.0")
    .replace(/^a=rtcp:.*$/gm, "a=rtcp:9 IN IP4 0.0.0.0");

function linkWrongs(
  name: string,
  [one, mine]: readonly [Member, PageReading],
  [other, theirs]: readonly [Member, PageReading],
  links: readonly LinkView[],
): string[] {
  const here = mine.connections[other.id];
  const there = theirs.connections[one.id];
  const link = links.find(({ peers }) => [one.id, other.id].every((id) => peers.includes(id)));
  if (!here || !there) return [`${name}: no connection`];
  if (!link?.offer || !link.answer || link.state !== "stable") {
    const ends = `${one.id} ${here.signalingState}, ${other.id} ${there.signalingState}`;
    return [`${name}: ${link?.state} #${link?.exchange} by ${link?.offerer}, ${ends}`];
  }
  const wrongs: string[] = [];
  for (const end of [here, there]) {
    if (end.signalingState !== "stable") wrongs.push(`${name}: ${end.signalingState}`);
    if (end.connectionState !== "connected") wrongs.push(`${name}: ${end.connectionState}`);
    if (new Set(end.remoteSet).size !== end.remoteSet.length) {
      wrongs.push(`${name}: a description was set twice`);
    }
  }
  const [offerer, answerer] = link.offer.from === one.id ? [here, there] : [there, here];
  for (const [what, shown, kept] of [
    ["offerer's local", offerer.local, link.offer.sdp],
    ["answerer's remote", answerer.remote, link.offer.sdp],
    ["offerer's remote", offerer.remote, link.answer.sdp],
    ["answerer's local", answerer.local, link.answer.sdp],
  ] as const) {
    if (asSent(shown) !== asSent(kept)) wrongs.push(`${name}: ${what} is not the server's`);
  }
  for (const [from, sender, receiver] of [
    [one.id, here, there],
    [other.id, there, here],
  ] as const) {
    // Sections that share the first one's transport need none of their own: Chromium ends them with it.
    if (!sender.gatheredAll) wrongs.push(`${name}: not all candidates are gathered`);
    // `delay` lets later frames overtake: of order nothing can be said here.
    if (sender.gathered.toSorted().join() !== receiver.added.toSorted().join()) {
      wrongs.push(
        `${name}: candidates ${sender.gathered.length} told, ${receiver.added.length} added`,
      );
    }
    const kept = link.candidates.filter((entry) => entry.from === from);
    const known = kept.flatMap(({ candidates }) =>
      candidates.map(({ sdpMid, candidate }) => `${sdpMid} ${candidate}`),
    );
    if (sender.gathered.some((text) => !known.includes(text))) {
      wrongs.push(`${name}: candidates are missing at the server`);
    }
  }
  return wrongs;
}

const readingOf = (page: Page): Promise<PageReading> =>
  page.evaluate(() => window.chaos.reading(), null);

async function disagreements(
  backend: Backend,
  observer: Observer,
  members: readonly Member[],
): Promise<string[]> {
  const readings = await Promise.all(members.map(({ page }) => readingOf(page)));
  const links = await observer.links();
  const wrongs: string[] = [];
  for (const [index, member] of members.entries()) {
    const mine = readings[index] as PageReading;
    if (mine.state !== "connected") wrongs.push(`${index} is ${mine.state}`);
    for (const [next, other] of members.entries()) {
      const left = mine.told.filter((what) => what === `left ${other.id}`);
      if (left.length > other.leaves) wrongs.push(`${index} was told that ${next} left`);
      const heard = mine.heard.filter((what) => what.startsWith(other.id));
      if (new Set(heard).size !== heard.length) wrongs.push(`${index} heard twice: ${heard}`);
      if (next <= index) continue;
      const theirs = readings[next] as PageReading;
      wrongs.push(...linkWrongs(`${index}~${next}`, [member, mine], [other, theirs], links));
    }
    const query = `?peer=${member.id}`;
    const { flows } = await backend.flows(query);
    const live = (list: readonly { id: string; state: string }[]) =>
      list
        // What is agreed and has no path, the pages are not told.
        .filter(({ state }) => state === "active" || state === "held")
        .map(({ id, state }) => `${id} ${state}`)
        .sort()
        .join();
    if (live(flows) !== live(mine.flows)) wrongs.push(`${index} has other flows than the server`);
  }
  return wrongs;
}

async function rest(backend: Backend, members: readonly Member[]): Promise<string[]> {
  const until = Date.now() + REST_MS;
  const observer = new Observer(await backend.invite({ role: "observer" }));
  let wrongs = ["not looked"];
  let calm = 0;
  try {
    // Twice in a row: what agrees must stay so.
    while (Date.now() < until && calm < 2) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      wrongs = await disagreements(backend, observer, members);
      calm = wrongs.length === 0 ? calm + 1 : 0;
    }
    if (wrongs.length === 0) return [];
    const readings = await Promise.all(members.map(({ page }) => readingOf(page)));
    return [...wrongs, ...readings.map(({ told, problems }) => [...told, ...problems].join(" | "))];
  } finally {
    observer.close();
  }
}

it.each(seedsToPlay(1, 20))(
  "[R3] Chromium, seed %i: both ends and the server agree after faults",
  async (seed) => {
    const random = new Seeded(seed);
    const backend = await Backend.start(baseUrl, { resumeSeconds: 600 });
    const log: string[] = [];
    const members = await Promise.all(
      pages.slice(0, random.chance(0.4) ? 3 : 2).map(async (page): Promise<Member> => {
        const { peer, token, signalling } = await backend.invite();
        return { id: peer.id, token, url: signalling.url, page, leaves: 0 };
      }),
    );
    try {
      await Promise.all(members.map((member) => join(member, ["audio"])));
      const count = 4 + random.below(6);
      for (let n = 0; n < count; n += 1) {
        await new Promise((resolve) => setTimeout(resolve, random.below(150)));
        if (random.chance(0.5)) await act(random, members, log);
        else await breakSomething(random, backend, members, log);
      }
      expect(await rest(backend, members), `seed ${seed}: ${log.join(", ")}`).toEqual([]);
    } finally {
      await Promise.all(members.map(({ page }) => page.evaluate(() => window.chaos.leave(), null)));
    }
  },
);
