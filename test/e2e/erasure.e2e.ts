import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { LoadPeer } from "../../bench/load-peer.ts";
import { candidateOf, sdpOf } from "../descriptions.ts";
import { type Browser, launchChromium } from "./browsers.ts";
import { Backend, Caller, until } from "./caller.ts";
import { type Server, startServer } from "./server.ts";
import { temporaryFolder } from "./watchdog.ts";

/** What is on the disk of a server, in any file, while sessions live and after they have ended. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const KEY = { authorization: "Bearer dev-key" };

let state: string;
let server: Server;

beforeAll(async () => {
  state = temporaryFolder("erasure");
  const { host, port, secrets } = inject("turn");
  server = await startServer({
    file: process.execPath,
    args: [join(root, "scripts", "start.mjs")],
    cwd: root,
    env: {
      DUPLEX_STATE: state,
      TURN_URLS: `turn:${host}:${port}?transport=udp`,
      TURN_SECRETS: secrets.join(","),
    },
    readyLimitMs: 90_000,
  });
});

afterAll(async () => {
  const left = await server?.stop();
  rmSync(state, { recursive: true, force: true });
  expect(left).toEqual([]);
});

/** Databases, their write-ahead logs, counters, caches, and what wrangler logs. */
const filesOnDisk = (): string[] =>
  [state, join(root, ".wrangler", "logs")].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)),
  );

/** Of the texts those that are found, each with the file. */
function foundOnDisk(texts: readonly string[]): string[] {
  return filesOnDisk().flatMap((path) => {
    const content = contentOf(path);
    return texts.filter((text) => content.includes(text)).map((text) => `${text} in ${path}`);
  });
}

/** Files come and go while a server runs. */
function contentOf(path: string): string {
  try {
    return statSync(path).isFile() ? readFileSync(path, "latin1") : "";
  } catch {
    return "";
  }
}

const mark = (what: string): string => `${what}-${randomBytes(9).toString("hex")}`;

const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found = ""]) => found);

/** What a description tells of its peer, as it would stand in a file. */
const secretsOf = (sdp: string): string[] => [
  ...matches(sdp, /a=ice-pwd:(\S+)/g),
  ...matches(sdp, /a=fingerprint:\S+ (\S+)/g),
  ...matches(sdp, /cname:(\S+)/g),
  ...matches(sdp, /a=msid:(\S+)/g).filter((id) => id.length > 8),
  // Four characters alone might be anything.
  ...matches(sdp, /a=(ice-ufrag:\S+)/g),
  ...matches(sdp, /a=ice-ufrag:(\S+)/g).flatMap((ufrag) => [
    `"ufrag":"${ufrag}"`,
    `"usernameFragment":"${ufrag}"`,
    `ufrag ${ufrag}`,
  ]),
  ...matches(sdp, /candidate:\S+ \d+ \w+ \d+ (\S+ \d+) typ/g),
  ...matches(sdp, /candidate:\S+ \d+ \w+ \d+ \S+ (\d+) typ/g).map((port) => `"port":${port}`),
];

/** A back end that remembers the tokens it was given. */
class RecordingBackend extends Backend {
  readonly tokens: string[] = [];

  static async begin(config: object): Promise<RecordingBackend> {
    return new RecordingBackend(server.baseUrl, (await Backend.start(server.baseUrl, config)).id);
  }

  override async invite(asked: object = {}) {
    const invitation = await super.invite(asked);
    this.tokens.push(invitation.token);
    return invitation;
  }
}

/** Two peers without media that agree on descriptions of which every line can be found again. */
class MarkedCall {
  readonly one: LoadPeer;
  readonly other: LoadPeer;
  readonly secrets: readonly string[];

  private constructor(one: LoadPeer, other: LoadPeer, secrets: readonly string[]) {
    this.one = one;
    this.other = other;
    this.secrets = secrets;
  }

  static async in(backend: Backend): Promise<MarkedCall> {
    const [name, note, line] = [mark("name"), mark("note"), mark("line")];
    const one = await LoadPeer.join(await backend.invite({ name, metadata: { note } }));
    const other = await LoadPeer.join(await backend.invite({ name: `${name}-other` }));
    const [ufrag, cname] = [randomBytes(6).toString("hex"), mark("cname")];
    const lines = `a=ssrc:4711 cname:${cname}\r\na=x-secret:${line}\r\n`;
    // Names that have certificates to themselves.
    const offer = sdpOf({ of: mark("one"), ufrag }) + lines;
    const answer = sdpOf({ of: mark("other"), setup: "active", ufrag: mark("u").replace("-", "") });
    const [{ exchange = 0 }] = await Promise.all([
      one.request({ type: "offer", to: other.id, sdp: offer }),
      other.next("offer"),
    ]);
    const candidate = candidateOf(17, ufrag);
    await other.request({ type: "answer", to: one.id, exchange, sdp: answer });
    await one.request({ type: "candidates", to: other.id, exchange, candidates: [candidate] });
    const end = { candidateType: "host", address: "203.0.113.77", port: 47_011 } as const;
    const pair = { local: end, remote: end };
    await one.request({ type: "transport", to: other.id, state: "connected", pair });
    const secrets = [name, note, line, "203.0.113.77", ...secretsOf(offer), ...secretsOf(answer)];
    return new MarkedCall(one, other, [...secrets, candidate.candidate.slice(0, 30)]);
  }
}

/** Nothing of a token is on disk, ever: neither the whole nor one of its three parts. */
const partsOf = (tokens: readonly string[]): string[] =>
  tokens.flatMap((token) => [token, ...token.split(".")]);

const isGone = async (backend: Backend): Promise<boolean> => {
  const url = new URL(`v1/sessions/${backend.id}`, backend.baseUrl);
  return (await fetch(url, { headers: KEY })).status === 404;
};

async function expectErased(backend: Backend, secrets: readonly string[]): Promise<void> {
  await until("the session to end", () => isGone(backend), 20_000);
  await until("its bytes to be gone", () => foundOnDisk(secrets).length === 0, 20_000).catch(
    () => undefined,
  );
  expect(foundOnDisk(secrets)).toEqual([]);
}

const request = (method: string, backend: Backend, path = ""): Promise<Response> =>
  fetch(new URL(`v1/sessions/${backend.id}${path}`, backend.baseUrl), { method, headers: KEY });

describe("the disk of a server", () => {
  it("[S6] has nothing of a relayed call in Chromium once its session was deleted, whatever happened in it", async () => {
    const title = mark("title");
    const backend = await RecordingBackend.begin({ listed: true, metadata: { title } });
    const browser: Browser = await launchChromium();
    try {
      const [alice, bob] = await Promise.all([
        Caller.join(browser, backend, { relay: true }),
        Caller.join(browser, backend, { relay: true }),
      ]);
      await alice.receives(bob.id);
      const described = [
        ...(await descriptionsOf(alice, bob.id)),
        ...(await descriptionsOf(bob, alice.id)),
      ];
      await alice.publishCanvas("picture");
      await until("the third picture", async () => (await flowCount(backend)) === 5);
      await alice.unpublish("picture");
      // Others come, agree, are lost and are kicked.
      const marked = await MarkedCall.in(backend);
      marked.other.close();
      await request("DELETE", backend, `/peers/${marked.one.id}`);
      const { transports } = await backend.flows();
      const ports = transports.flatMap(({ fiveTuples }) =>
        fiveTuples.flatMap(({ local, remote }) => [local.port, remote.port]),
      );
      const reported = ports.flatMap((port) => (port === undefined ? [] : [`"port":${port}`]));
      const ofPages = described.flatMap(secretsOf);
      const secrets = [...new Set([title, ...marked.secrets, ...ofPages, ...reported])];
      expect(reported.length).toBeGreaterThan(0);
      expect(ofPages.length).toBeGreaterThan(10);
      // Otherwise the search would find nothing anywhere.
      const livingNow = foundOnDisk([title, ...ofPages]).length;
      expect(livingNow).toBeGreaterThan(5);
      expect(backend.tokens).toHaveLength(4);
      const tokens = partsOf(backend.tokens);
      expect(foundOnDisk(tokens)).toEqual([]);
      expect((await request("DELETE", backend)).status).toBe(204);
      await expectErased(backend, [...secrets, ...tokens]);
    } finally {
      await browser.close();
    }
  });

  it("[S6] has nothing of a session that ended because nobody was connected any more", async () => {
    const backend = await RecordingBackend.begin({ emptyTtlSeconds: 1 });
    const { one, other, secrets } = await MarkedCall.in(backend);
    expect(foundOnDisk(secrets).length).toBeGreaterThan(5);
    one.close();
    other.close();
    await expectErased(backend, [...secrets, ...partsOf(backend.tokens)]);
  });

  it("[S6] has nothing of a session that ended because all have left", async () => {
    const backend = await RecordingBackend.begin({ emptyTtlSeconds: 1 });
    const { one, other, secrets } = await MarkedCall.in(backend);
    await one.request({ type: "leave" });
    await other.request({ type: "leave" });
    await expectErased(backend, [...secrets, ...partsOf(backend.tokens)]);
  });

  it("[A4] has no address of who asked too often: counters are kept by keyed hashes", async () => {
    const check = () =>
      fetch(new URL("v1/sdp/check", server.baseUrl), {
        method: "POST",
        headers: { "content-type": "application/json", "cf-connecting-ip": "198.51.100.23" },
        body: JSON.stringify({ offer: sdpOf() }),
      });
    expect((await check()).status).toBe(200);
    expect(foundOnDisk(["198.51.100.23"])).toEqual([]);
    const counters = filesOnDisk().filter((path) => /ratelimit.*sqlite/i.test(path));
    expect(counters.length).toBeGreaterThan(0);
    expect(counters.map(contentOf).join()).not.toMatch(/127\.0\.0\.1|::1/);
  });
});

const flowCount = async (backend: Backend): Promise<number> =>
  (await backend.flows()).flows.filter(({ state: now }) => now !== "ended").length;

const descriptionsOf = (caller: Caller, peer: string): Promise<string[]> =>
  caller.page.evaluate((id) => {
    const connection = window.call.session.connection(id);
    return [connection?.localDescription?.sdp ?? "", connection?.remoteDescription?.sdp ?? ""];
  }, peer);
