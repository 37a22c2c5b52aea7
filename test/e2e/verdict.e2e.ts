import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import type { TimelineView } from "../../protocol/timeline/view.ts";
import type { Verdict } from "../../protocol/verdict/verdict.ts";
import { type Browser, launchChromium, type Page } from "./browsers.ts";
import { Backend, Caller, type CallerOptions, until } from "./caller.ts";
import { startCoturn } from "./coturn.ts";
import { asGuest, type PlainOptions, plainPeer } from "./verdict-page.ts";

/**
 * Calls that fail, each for a reason of its own, and what the server says of them. All are staged at the same time, in
 * one browser: what takes long is mostly the patience of ICE.
 */

const baseUrl = inject("baseUrl");
/** Longer than ICE and the server are patient with a path. */
const LIMIT_MS = 90_000;

// They wait for each other's patience otherwise.
vi.setConfig({ maxConcurrency: 32 });

let browser: Browser;
/** Where all peers without our SDK are: a page each would be a browser full. */
let plain: Page;

beforeAll(async () => {
  browser = await launchChromium();
  plain = await browser.open(new URL("healthz", baseUrl).href);
});

afterAll(async () => {
  await browser?.close();
});

const timelineOf = (backend: Backend): Promise<TimelineView> => backend.read("/timeline");

/** Waits for a verdict with this cause and state; its evidence must be in the timeline. */
async function verdict(
  backend: Backend,
  cause: NonNullable<Verdict["cause"]>,
  state: Verdict["state"],
): Promise<Verdict> {
  let last: TimelineView | undefined;
  let found: Verdict | undefined;
  try {
    await until(
      cause,
      async () => {
        last = await timelineOf(backend);
        found = last.verdicts.find((each) => each.cause === cause && each.state === state);
        return found !== undefined;
      },
      LIMIT_MS,
    );
  } catch (late) {
    throw new Error(`${String(late)}: ${JSON.stringify(last?.verdicts)}`);
  }
  expect(found?.evidence.length).toBeGreaterThan(0);
  expect(found?.advice).toBeTruthy();
  for (const { entry, at } of found?.evidence ?? []) {
    if (entry !== undefined) expect(last?.entries.find(({ n }) => n === entry)?.at).toBe(at);
  }
  return found!;
}

/** What is said as evidence, one line each. */
const evidenceOf = ({ evidence }: Verdict): string => evidence.map(({ says }) => says).join("\n");

const rulesOf = ({ evidence }: Verdict) => evidence.flatMap(({ finding }) => finding ?? []);

/** Two plain peers, of which the second one offers to the first. */
async function plainCall(
  backend: Backend,
  answerer: Partial<PlainOptions> = {},
  offerer: Partial<PlainOptions> = {},
  rights: object = {},
): Promise<{ place: number; one: string; two: string }> {
  const [first, second] = [await backend.invite(), await backend.invite(rights)];
  const to = first.peer.id;
  const place = await plain.evaluate(plainPeer, { reports: true, ...asGuest(first), ...answerer });
  await plain.evaluate(plainPeer, { reports: true, to, ...asGuest(second), ...offerer });
  return { place, one: to, two: second.peer.id };
}

/** Plain peers that offer nothing. */
async function plainPeers(backend: Backend, count: number): Promise<string[]> {
  const guests = await Promise.all(Array.from({ length: count }, () => backend.invite()));
  for (const guest of guests) {
    await plain.evaluate(plainPeer, { reports: true, ...asGuest(guest) });
  }
  return guests.map(({ peer }) => peer.id);
}

/** A page with the SDK, which offers to a plain peer. */
async function call(
  backend: Backend,
  options: CallerOptions,
  answerer: Partial<PlainOptions> = {},
): Promise<Caller> {
  const guest = asGuest(await backend.invite());
  await plain.evaluate(plainPeer, { reports: true, ...guest, ...answerer });
  // One after the other: many pages that load at once are slower than that.
  const joined = opening.then(() =>
    Caller.join(browser, backend, { kinds: ["audio"], ...options }),
  );
  opening = joined.catch(() => undefined);
  return joined;
}

let opening: Promise<unknown> = Promise.resolve();

/** Runs in the page before the SDK: its connections use these ICE servers, whatever they are told. */
const withServers = (servers: readonly RTCIceServer[]): (() => void) =>
  new Function(
    `const servers = ${JSON.stringify(servers)};
    const Native = RTCPeerConnection;
    window.RTCPeerConnection = class extends Native {
      constructor(given) { super({ ...given, iceServers: servers }); }
      setConfiguration(given) { super.setConfiguration({ ...given, iceServers: servers }); }
    };`,
  ) as () => void;

/** A port where nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const credentialsOf = (secret: string): RTCIceServer & { username: string; credential: string } => {
  const username = `${Math.floor(Date.now() / 1000) + 600}:staged`;
  const credential = createHmac("sha1", secret).update(username).digest("base64");
  return { urls: [], username, credential };
};

/** An end that has no other way than relays, and no relay. */
const RELAY = { configuration: { iceTransportPolicy: "relay" } } as const;

describe.concurrent("nobody met", () => {
  it("[M15] somebody who stays alone is told apart from two who offer nothing", async () => {
    const [lonely, silent] = [await Backend.start(baseUrl), await Backend.start(baseUrl)];
    await plainPeers(lonely, 1);
    await plainPeers(silent, 2);
    expect(evidenceOf(await verdict(lonely, "alone", "waiting"))).toContain("came");
    expect((await verdict(silent, "nobody-offered", "waiting")).says).toContain("2 peers");
  });

  it("[M15] a session that is full says so, a central one that has no media server as well", async () => {
    const [full, central] = [
      await Backend.start(baseUrl, { maxPeers: 2 }),
      await Backend.start(baseUrl, { topology: "central" }),
    ];
    const [, , late] = await plainPeers(full, 3);
    expect(evidenceOf(await verdict(full, "session-full", "failed"))).toContain(late);
    await plainPeers(central, 1);
    await verdict(central, "no-media-server", "waiting");
  });
});

describe.concurrent("offer and answer", () => {
  it("[M15][N7] an offer that nobody answers: at first it waits, then it has expired", async () => {
    const backend = await Backend.start(baseUrl);
    const { one, two } = await plainCall(backend, { answer: "silent" });
    expect((await verdict(backend, "no-answer", "waiting")).says).toContain(one);
    const expired = await verdict(backend, "no-answer", "failed");
    expect(expired.says).toContain("within 60 s");
    expect(evidenceOf(expired)).toMatch(new RegExp(`${two} offered\\nthe offer expired`));
  });

  it("[M15] an offer that the other page rejects, with its reason", async () => {
    const backend = await Backend.start(baseUrl);
    await plainCall(backend, { answer: { reject: "in another call" } });
    expect((await verdict(backend, "rejected", "failed")).says).toContain("in another call");
  });

  it("[M15][D1] a description that a rule refuses, by the name of the rule", async () => {
    const backend = await Backend.start(baseUrl);
    await plainCall(backend, {}, { spoil: ["a=fingerprint.*\\r\\n", ""] });
    const found = await verdict(backend, "sdp-refused", "failed");
    expect(found.says).toContain("fingerprint-missing");
    expect(rulesOf(found)).toContain("fingerprint-missing");
  });

  it("[M15][A2] a kind that the token does not grant", async () => {
    const backend = await Backend.start(baseUrl);
    const media = { kind: "video", direction: "sendonly" } as const;
    const { two } = await plainCall(backend, {}, { media }, { publish: ["audio", "data"] });
    expect((await verdict(backend, "not-permitted", "failed")).says).toContain(two);
  });

  it("[M15] two browsers without a codec in common", async () => {
    const backend = await Backend.start(baseUrl);
    const media = { kind: "video", direction: "sendrecv" } as const;
    await plainCall(
      backend,
      { media: { ...media, codec: "H264" } },
      { media: { ...media, codec: "VP8" }, noData: true },
    );
    expect((await verdict(backend, "no-common-codec", "failed")).says).toContain("video codec");
  });

  it("[M15] two ends of which neither sends", async () => {
    const backend = await Backend.start(baseUrl);
    const media = { kind: "audio", direction: "recvonly" } as const;
    await plainCall(backend, {}, { media, noData: true });
    expect(evidenceOf(await verdict(backend, "no-media-wanted", "waiting"))).toContain("inactive");
  });
});

describe.concurrent("the path", () => {
  it("[M15] networks of their own that do not reach each other, without STUN and TURN", async () => {
    const backend = await Backend.start(baseUrl);
    await plainCall(
      backend,
      { candidates: { address: "10.99.0.1" } },
      { candidates: { address: "192.168.77.5" } },
    );
    const found = await verdict(backend, "no-path-private-only", "failed");
    expect(evidenceOf(found)).toMatch(/host, 0 srflx, 0 relay/);
    // ICE gives up after 15 s, and the server after 20 s.
    expect(evidenceOf(found)).toMatch(/reports (?:failed|checking)/);
  });

  it("[M15] pages that send no candidates", async () => {
    const backend = await Backend.start(baseUrl);
    const { one, two } = await plainCall(backend, { candidates: "none" }, { candidates: "none" });
    const found = await verdict(backend, "no-candidates", "failed");
    expect(found.says).toContain(one);
    expect(found.says).toContain(two);
  });

  it("[M15] pages that never report are not called failed", async () => {
    const backend = await Backend.start(baseUrl);
    const address = { address: "10.99.0.2" };
    const mute = { candidates: address, reports: false };
    await plainCall(backend, mute, mute);
    expect(evidenceOf(await verdict(backend, "no-report", "connecting"))).toContain(
      "candidates of",
    );
  });

  it("[M15][A3] a TURN server that does not take the credentials", async () => {
    const backend = await Backend.start(baseUrl, { iceTransportPolicy: "relay" });
    const { host, port } = inject("turn");
    const urls = [`turn:${host}:${port}?transport=udp`];
    const prepare = withServers([{ ...credentialsOf("of somebody else"), urls }]);
    const one = await call(backend, { relay: true, prepare }, RELAY);
    const found = await verdict(backend, "turn-refused", "failed");
    expect(found.says).toContain("401");
    expect(evidenceOf(found)).toContain(`${one.id}: ${urls[0]} gave 401`);
  });

  it("[M15] a TURN server that is not there", async () => {
    const backend = await Backend.start(baseUrl);
    const urls = [`turn:127.0.0.1:${await closedPort()}?transport=tcp`];
    const prepare = withServers([{ ...credentialsOf("any"), urls }]);
    await call(backend, { relay: true, prepare }, RELAY);
    expect(evidenceOf(await verdict(backend, "turn-unreachable", "failed"))).toContain("gave 701");
  });

  it("[M15] a TURN server whose name is wrong", async () => {
    const backend = await Backend.start(baseUrl);
    const prepare = withServers([{ ...credentialsOf("any"), urls: ["turn:nowhere.invalid:3478"] }]);
    await call(backend, { relay: true, prepare }, RELAY);
    const found = await verdict(backend, "wrong-ice-server-url", "failed");
    expect(evidenceOf(found)).toContain("nowhere.invalid");
  });

  it("[M15] relays only, and no TURN server", async () => {
    const backend = await Backend.start(baseUrl, { iceTransportPolicy: "relay" });
    await call(backend, { relay: true, prepare: withServers([]) }, RELAY);
    const found = await verdict(backend, "relay-required-but-none", "failed");
    expect(evidenceOf(found)).toContain("0 relay");
  });

  it("[M15] a certificate that is not that of the other end", async () => {
    const backend = await Backend.start(baseUrl);
    const spoil = ["(a=fingerprint:sha-256 )[0-9A-F]{2}:[0-9A-F]{2}", "$100:11"] as const;
    await plainCall(backend, { spoil });
    const found = await verdict(backend, "dtls-not-finished", "failed");
    expect(evidenceOf(found)).toContain("reports failed");
  });

  it("[M15] a path that was there: its relay goes away", async () => {
    const secret = randomBytes(16).toString("hex");
    const turn = await startCoturn([secret]);
    const backend = await Backend.start(baseUrl);
    const iceServers = [{ ...credentialsOf(secret), urls: [turn.urls[0] ?? ""] }];
    const configuration: RTCConfiguration = { iceServers, iceTransportPolicy: "relay" };
    try {
      await plainCall(backend, { configuration }, { configuration });
      await until("connected", async () => {
        const [first] = (await timelineOf(backend)).verdicts;
        return first?.state === "working";
      });
    } finally {
      expect(await turn.stop()).toEqual([]);
    }
    const found = await verdict(backend, "path-lost", "failed");
    expect(evidenceOf(found)).toContain("reports failed");
  });
});

describe.concurrent("media and peers", () => {
  it("[M15][M14] a camera that stops, while the call is up", async () => {
    const backend = await Backend.start(baseUrl);
    const one = await call(backend, { kinds: ["video"], width: 160, height: 120 });
    await until("up", async () => {
      const [first] = (await timelineOf(backend)).verdicts;
      return first?.state === "working";
    });
    await one.page.evaluate(() => {
      for (const id of window.call.session.peers.keys()) {
        const senders = window.call.session.connection(id)?.getSenders() ?? [];
        for (const { track } of senders) track?.stop();
      }
    }, null);
    const found = await verdict(backend, "stopped-sending", "degraded");
    expect(found.says).toContain(`${one.id} sends no video`);
    expect(found.evidence.some(({ flow }) => flow !== undefined)).toBe(true);
  });

  it("[M15][S5] somebody who is gone without a word, and one that left before media ran", async () => {
    const [lost, early] = [await Backend.start(baseUrl), await Backend.start(baseUrl)];
    const { place: gone, one } = await plainCall(lost);
    await until("up", async () => (await timelineOf(lost)).verdicts[0]?.state === "working");
    await plain.evaluate((at) => window.plainPeers[at]?.socket.close(), gone);
    expect((await verdict(lost, "peer-lost", "degraded")).says).toContain(one);
    const { place, one: leaver } = await plainCall(early, { answer: "silent" });
    await until("an offer", async () => {
      const { entries } = await timelineOf(early);
      return entries.some(({ type }) => type === "offer");
    });
    await plain.evaluate((at) => window.plainPeers[at]?.socket.send('{"type":"leave"}'), place);
    expect((await verdict(early, "left-early", "over")).says).toContain(leaver);
  });
});
