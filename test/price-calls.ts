import { expect, vi } from "vitest";
import { pairOf } from "./flow-call.ts";
import { callJson, type LivePeer, LiveSession, type Mode } from "./live-session.ts";

/** The calls whose price is counted: what the SDK sends in them, with descriptions of Chromium; time is pretended. */

/** Lets time pass without anything happening. */
export const later = (seconds: number): void => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
};

/** How often each peer of a call says what it measures: the SDK looks every 5 s and tells what has changed. */
const REPORT_SECONDS = 30;

/** A page that is asked whether it reads says so. */
async function answerProbes(peer: LivePeer): Promise<void> {
  for (const frame of peer.inbox.splice(0)) {
    if (frame.type === "probe") await peer.send({ type: "alive", n: frame.n });
    else peer.inbox.push(frame);
  }
}

let ids = 0;
async function ask(peer: LivePeer, message: object): Promise<{ exchange?: number }> {
  await answerProbes(peer);
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

type Ends = readonly [offerer: LivePeer, answerer: LivePeer];

const ofEnds = ([offerer, answerer]: Ends, version: number): readonly [string, string] => [
  ofConnection(OFFER, `${offerer.id.slice(0, 4)}${answerer.id.slice(0, 4)}`, version),
  ofConnection(ANSWER, `${answerer.id.slice(0, 4)}${offerer.id.slice(0, 4)}`, version),
];

/** An offer and its answer. */
export async function exchange(ends: Ends, version: number): Promise<number | undefined> {
  const [offerer, answerer] = ends;
  const [offer, answer] = ofEnds(ends, version);
  const { exchange: number } = await ask(offerer, { type: "offer", to: answerer.id, sdp: offer });
  await ask(answerer, { type: "answer", to: offerer.id, exchange: number, sdp: answer });
  return number;
}

/** The SDK sends what it gathers in one burst together, and the end of it. */
async function trickle([from, to]: Ends, sdp: string, number: number | undefined): Promise<void> {
  const ufrag = /ice-ufrag:(\S+)/.exec(sdp)?.[1];
  for (const numbers of [[1, 2], [3]]) {
    const candidates = numbers.map((n) => ({
      candidate: `candidate:${n} 1 udp 2122260223 192.0.2.${n} 5400${n} typ host generation 0 ufrag ${ufrag}`,
      sdpMid: "0",
      sdpMLineIndex: 0,
      usernameFragment: ufrag,
    }));
    const complete = numbers.includes(3);
    await ask(from, { type: "candidates", to: to.id, exchange: number, candidates, complete });
  }
}

/** Both ends tell that they look for a path, and which they have found. */
async function connect([one, other]: Ends): Promise<void> {
  const end = (port: number) => ({ candidateType: "host", address: "192.0.2.2", port });
  for (const [from, to, port] of [
    [one, other, 50_001],
    [other, one, 50_002],
  ] as const) {
    const pair = { local: end(port), remote: end(100_003 - port) };
    await ask(from, { type: "transport", to: to.id, state: "checking" });
    await ask(from, { type: "transport", to: to.id, state: "connected", pair });
  }
}

/** From the offer until both ends have a path. */
export async function negotiate(ends: Ends): Promise<void> {
  const [offerer, answerer] = ends;
  const number = await exchange(ends, 2);
  const [offer, answer] = ofEnds(ends, 2);
  await trickle([offerer, answerer], offer, number);
  await trickle([answerer, offerer], answer, number);
  await connect(ends);
}

/** The flows that a peer sends another one, as it was told of them. */
const sentBy = ({ id, inbox }: LivePeer, to: string): readonly string[] => [
  ...new Set(
    inbox
      .flatMap((frame) => (frame.type === "flows" ? frame.changed : []))
      .filter((flow) => flow.from === id && flow.to === to)
      .map((flow) => flow.id),
  ),
];

/** Each of these tells what it measures of its link, now and then, for so long. */
async function talk(speakers: readonly Ends[], seconds: number): Promise<void> {
  for (let n = 1; n * REPORT_SECONDS <= seconds; n++) {
    // Whoever only listens, such as a media server that was told much, is asked as well.
    for (const listener of new Set(speakers.map(([, to]) => to))) await answerProbes(listener);
    later(REPORT_SECONDS);
    for (const [from, to] of speakers) {
      const figures = sentBy(from, to.id).map((flow) => ({
        flow,
        ...{ bitrateBps: 100_000 * n, packets: 1000 * n, framesPerSecond: 30 - (n % 5) },
        ...{ roundTripMs: 10 * n, width: 640, height: 480, pt: 96 },
      }));
      expect(figures.length).toBeGreaterThan(0);
      await ask(from, { type: "quality", to: to.id, flows: figures });
    }
  }
}

const bothWays = (links: readonly Ends[]): readonly Ends[] =>
  links.flatMap(([one, other]) => [
    [one, other],
    [other, one],
  ]);

/** The alarm that is due after so long. */
async function alarmAfter(session: LiveSession, seconds: number): Promise<void> {
  later(seconds);
  await session.alarm();
}

/** What a call leaves in storage, until it is erased. */
export interface Stored {
  readonly bytes: number;
  readonly seconds: number;
}

async function storedFor(session: LiveSession, seconds: number): Promise<Stored> {
  const bytes = await session.inside(({ storage }) => storage.sql.databaseSize);
  return { bytes, seconds };
}

/** Nobody comes back: the session is erased. */
async function expire(session: LiveSession): Promise<void> {
  await alarmAfter(session, 301);
  expect((await session.inside(({ storage }) => storage.getAlarm())) ?? null).toBeNull();
  expect(await session.stored()).toBeNull();
}

type Join = () => Promise<LivePeer>;

/** A session whose peers are invited as it starts, and what each does to come. */
async function start<Guests extends readonly object[]>(
  mode: Mode,
  invite: Guests,
  config: object = {},
): Promise<readonly [LiveSession, { readonly [Guest in keyof Guests]: Join }]> {
  const response = await callJson("/v1/sessions", "POST", { ...config, invite });
  expect(response.status).toBe(201);
  const { id, invited } = (await response.json()) as {
    id: string;
    invited: Parameters<LiveSession["connect"]>[0][];
  };
  const session = new LiveSession(id, mode);
  const joins = invited.map((invitation) => () => session.connect(invitation));
  return [session, joins as unknown as { readonly [Guest in keyof Guests]: Join }];
}

/** Two who talk for ten minutes; the session has no options of its own. */
async function talkOfTwo(
  mode: Mode,
  guest: object = {},
): Promise<readonly [LiveSession, LivePeer, LivePeer]> {
  const [session, [first, second]] = await start(mode, [guest, {}] as const);
  const alice = await first();
  const bob = await second();
  // Who joins offers.
  await negotiate([bob, alice]);
  await talk(bothWays([[alice, bob]]), 60);
  await session.alarm();
  await talk(bothWays([[alice, bob]]), 540);
  return [session, alice, bob];
}

/** Both leave, and the session ends when nobody has come back for five minutes; `guest` is how the first is invited. */
export async function callOfTwo(mode: Mode, guest?: object): Promise<Stored> {
  const [session, alice, bob] = await talkOfTwo(mode, guest);
  await ask(alice, { type: "leave" });
  later(1);
  await ask(bob, { type: "leave" });
  const stored = await storedFor(session, 900);
  await expire(session);
  return stored;
}

/** The application ends the session itself. */
export async function callOfTwoDeleted(mode: Mode): Promise<Stored> {
  const [session] = await talkOfTwo(mode);
  const stored = await storedFor(session, 600);
  await callJson(session.path, "DELETE");
  expect(await session.stored()).toBeNull();
  return stored;
}

/** Five, each with a link to each other one, for ten minutes; `guest` is how each is invited. */
export async function meshOfFive(mode: Mode, guest: object = {}): Promise<Stored> {
  const [session, joins] = await start(mode, [guest, guest, guest, guest, guest]);
  const peers: LivePeer[] = [];
  const links: Ends[] = [];
  for (const join of joins) {
    const peer = await join();
    for (const other of peers) {
      await negotiate([peer, other]);
      links.push([peer, other]);
    }
    peers.push(peer);
  }
  await talk(bothWays(links), 60);
  await session.alarm();
  await talk(bothWays(links), 540);
  const stored = await storedFor(session, 900);
  for (const peer of peers) await ask(peer, { type: "leave" });
  await expire(session);
  return stored;
}

const HOUR = 3600;

/** Twenty and a media server for an hour; each link is negotiated anew so often. */
export async function centralOfTwenty(mode: Mode, renegotiations = 10): Promise<Stored> {
  const ttlSeconds = 2 * HOUR;
  const guests = Array.from({ length: 20 }, () => ({ ttlSeconds }));
  const config = { topology: "central", maxPeers: 21 };
  const invite = [{ role: "media-server", ttlSeconds }, ...guests] as const;
  const [session, [first, ...joins]] = await start(mode, invite, config);
  const server = await first();
  const links: Ends[] = [];
  for (const join of joins) {
    const peer = await join();
    await negotiate([server, peer]);
    links.push([server, peer]);
  }
  await talk(
    links.map(([, peer]) => [peer, server]),
    60,
  );
  await session.alarm();
  for (let version = 3; version < 3 + renegotiations; version++) {
    for (const link of links) await exchange(link, version);
    await talk(
      links.map(([, peer]) => [peer, server]),
      (HOUR - 60) / renegotiations,
    );
    // TURN credentials of an hour are renewed after 24 minutes.
    if (version === 6 || version === 10)
      for (const [, peer] of links) await ask(peer, { type: "ice-servers" });
  }
  const stored = await storedFor(session, HOUR + 300);
  for (const [, peer] of links) await ask(peer, { type: "leave" });
  await ask(server, { type: "leave" });
  await expire(session);
  return stored;
}

/** Two who are connected and have found their path; the first minute is over. */
export async function connectedTwo(mode: Mode): Promise<readonly [LivePeer, LivePeer]> {
  const guest = { ttlSeconds: 24 * HOUR };
  const [session, [first, second]] = await start(mode, [guest, guest] as const);
  const alice = await first();
  const bob = await second();
  await negotiate([bob, alice]);
  await alarmAfter(session, 61);
  const due = await session.inside(({ storage }) => storage.getAlarm());
  expect(due ?? 0).toBeGreaterThan(Date.now() + HOUR * 1000);
  return [alice, bob];
}

/** They say nothing but pings, which the SDK sends every 25 s. */
export async function idleHour(peers: readonly LivePeer[]): Promise<void> {
  for (let second = 0; second < HOUR; second += 25) {
    later(25);
    for (const peer of peers) await peer.settled();
  }
}
