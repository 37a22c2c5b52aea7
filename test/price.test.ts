import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FlowsView } from "../protocol/flow.ts";
import { pairOf } from "./flow-call.ts";
import { type LivePeer, LiveSession, MODES } from "./live-session.ts";
import { Meter } from "./meter.ts";

/** What calls cost at the platform: counts, no times. A change that writes more rows fails here. */

const variables = env as unknown as Record<string, unknown>;
const { CNAME_WINDOW_DAYS } = variables;

let meter: Meter;

beforeEach(async () => {
  // As deployments are: CNAMEs are remembered without rows.
  delete variables.CNAME_WINDOW_DAYS;
  meter = await Meter.start(await LiveSession.start("awake"));
});

afterEach(async () => {
  meter.stop();
  variables.CNAME_WINDOW_DAYS = CNAME_WINDOW_DAYS;
  vi.useRealTimers();
  await reset();
});

const later = (seconds: number): void => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
};

let ids = 0;
async function ask(peer: LivePeer, message: object): Promise<{ exchange?: number }> {
  ids += 1;
  const reply = await peer.request({ ...message, id: ids } as { id: number });
  expect(reply).toMatchObject({ type: "ack" });
  return reply as { exchange?: number };
}

const [OFFER, ANSWER] = pairOf("chromium.trickle-no-candidates");

/** A description of a connection of its own. */
const ofConnection = (sdp: string, name: string, version: number): string =>
  sdp
    .replace(/^(o=- \d+) \d+/m, (_line, origin) => `${origin} ${version}`)
    .replaceAll(/a=ice-ufrag:\S+/g, `a=ice-ufrag:${name.slice(0, 8)}`)
    .replaceAll(/a=ice-pwd:\S+/g, `a=ice-pwd:${name.padEnd(24, "x").slice(0, 24)}`)
    .replaceAll(/cname:\S+/g, `cname:${name.padEnd(16, "y")}`);

async function negotiate(offerer: LivePeer, answerer: LivePeer, version = 2): Promise<void> {
  const [offered, answered] = [
    ofConnection(OFFER, `${offerer.id.slice(0, 4)}${answerer.id.slice(0, 4)}`, version),
    ofConnection(ANSWER, `${answerer.id.slice(0, 4)}${offerer.id.slice(0, 4)}`, version),
  ];
  const offer = { type: "offer", to: answerer.id, sdp: offered };
  const { exchange } = await ask(offerer, offer);
  await ask(answerer, {
    type: "answer",
    to: offerer.id,
    exchange,
    sdp: answered,
  });
  if (version > 2) return;
  for (const [from, to, sdp] of [
    [offerer, answerer, offered],
    [answerer, offerer, answered],
  ] as const) {
    const ufrag = /ice-ufrag:(\S+)/.exec(sdp)?.[1];
    // The SDK sends what it gathers in one turn together, and the end of it.
    for (const numbers of [[1, 2], [3]]) {
      const candidates = numbers.map((n) => ({
        candidate: `candidate:${n} 1 udp 2122260223 192.0.2.${n} 5400${n} typ host generation 0 ufrag ${ufrag}`,
        sdpMid: "0",
        sdpMLineIndex: 0,
        usernameFragment: ufrag,
      }));
      const complete = numbers.includes(3);
      await ask(from, { type: "candidates", to: to.id, exchange, candidates, complete });
    }
  }
  const end = (port: number) => ({ candidateType: "host", address: "192.0.2.2", port });
  for (const [from, to, port] of [
    [offerer, answerer, 50_001],
    [answerer, offerer, 50_002],
  ] as const) {
    const pair = { local: end(port), remote: end(100_003 - port) };
    await ask(from, { type: "transport", to: to.id, state: "checking" });
    await ask(from, { type: "transport", to: to.id, state: "connected", pair });
  }
}

/** Each side tells now and then how its flows do. */
async function talk(
  session: LiveSession,
  pairs: readonly (readonly [LivePeer, LivePeer])[],
  reports: number,
) {
  const { flows } = await session.read<FlowsView>("/flows");
  for (let n = 1; n <= reports; n++) {
    for (const [from, to] of pairs.flatMap(
      ([one, other]) =>
        [
          [one, other],
          [other, one],
        ] as const,
    )) {
      const own = flows.filter((flow) => flow.from === from.id && flow.to === to.id);
      const figures = own.map(({ id }) => ({
        flow: id,
        ...{ bitrateBps: 100_000 * n, packets: 1000 * n, framesPerSecond: 30 - (n % 5) },
        ...{ roundTripMs: 10 * n, width: 640, height: 480, pt: 96 },
      }));
      await ask(from, { type: "quality", to: to.id, flows: figures });
    }
  }
}

describe.each(MODES)("%s", (mode) => {
  it("[M20] a call of two for ten minutes writes nine rows, and one when it is erased", async () => {
    let session: LiveSession | undefined;
    const call = await meter.of(async () => {
      session = await LiveSession.start(mode);
      const [alice, bob] = [await session.join(), await session.join()];
      await negotiate(alice, bob);
      later(31);
      await session.alarm();
      await talk(session, [[alice, bob]], 20);
      later(570);
      await ask(alice, { type: "leave" });
      await ask(bob, { type: "leave" });
    });
    expect(call.rowsWritten).toBeLessThanOrEqual(9);
    // Session, two tokens, two upgrades, an alarm, and the reading of flows that the call itself does not need.
    expect(call.requests).toBeLessThanOrEqual(7);
    expect(call.frames).toBeLessThanOrEqual(54);
    later(301);
    const rest = await meter.of(() => session?.alarm() ?? Promise.resolve());
    expect(rest.rowsWritten).toBe(1);
    expect((await session?.read<{ code: string }>())?.code).toBe("session-not-found");
  });
});

it("[R5] an idle hour of connected peers writes nothing, and nothing runs", async () => {
  const session = await LiveSession.start("awake");
  const [alice, bob] = [
    await session.join({ ttlSeconds: 86_400 }),
    await session.join({ ttlSeconds: 86_400 }),
  ];
  await negotiate(alice, bob);
  later(31);
  await session.alarm();
  const due = await session.inside(({ storage }) => storage.getAlarm());
  expect(due ?? 0).toBeGreaterThan(Date.now() + 3_600_000);
  const idle = await meter.of(async () => {
    for (let minute = 0; minute < 60; minute++) {
      later(60);
      await alice.settled();
      await bob.settled();
    }
  });
  expect(idle).toEqual({ rowsWritten: 0, rowsRead: 0, requests: 0, frames: 0, billedRequests: 0 });
});

it("[M20] a mesh of five writes a row for each join, offer, answer, path and leave, and little more", async () => {
  const mesh = await meter.of(async () => {
    const session = await LiveSession.start("awake");
    const peers: LivePeer[] = [];
    for (let n = 0; n < 5; n++) {
      const peer = await session.join();
      for (const other of peers) await negotiate(other, peer);
      peers.push(peer);
    }
    for (const peer of peers) await ask(peer, { type: "leave" });
  });
  expect(mesh.rowsWritten).toBeLessThanOrEqual(95);
});
