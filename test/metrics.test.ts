import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { logLevelOf } from "../protocol/config.ts";
import { BLOBS, type DataPoint, DOUBLES, dataPointsOf } from "../protocol/metrics/data-point.ts";
import { expositionOf } from "../protocol/metrics/exposition.ts";
import { type Change, changesOf } from "../protocol/metrics/lifecycle.ts";
import { levelOf, logLineOf } from "../protocol/metrics/log-line.ts";
import { isProblem } from "../protocol/problem.ts";
import type { Peer } from "../protocol/session.ts";
import type { SessionConfig } from "../protocol/session-config.ts";
import { type SessionEvent, step } from "../protocol/step.ts";
import type { PairEnd, SelectedPair, TransportState } from "../protocol/transport.ts";
import { VERSION } from "../protocol/version.ts";
import { type Shape, sdpOf } from "./descriptions.ts";
import { call, callJson, KEY, type LivePeer, LiveSession, MODES } from "./live-session.ts";
import { PureSession } from "./pure-session.ts";

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

const end = (candidateType: PairEnd["candidateType"], more: Partial<PairEnd> = {}): PairEnd => ({
  candidateType,
  address: "192.0.2.7",
  port: 40_000,
  protocol: "udp",
  ...more,
});

const HOST: SelectedPair = { local: end("host"), remote: end("srflx") };

/** A session of which all changes are kept. */
class Watched extends PureSession {
  readonly changes: Change[] = [];

  override do(event: SessionEvent) {
    const before = this.session;
    const result = step(before, event);
    if (isProblem(result)) throw new Error(result.detail);
    const { session: after, effects } = result;
    this.changes.push(...changesOf({ before, after, effects, at: event.at }));
    return super.do(event);
  }

  /** What has changed since it was asked last. */
  news(): Change[] {
    return this.changes.splice(0);
  }

  exchange(from: string, to: string, shape: Shape = {}, credentials = ""): void {
    const ufragOf = (name: string) => credentials && { ufrag: `${name}${credentials}` };
    this.send(from, { type: "offer", to, sdp: sdpOf({ of: from, ...ufragOf(from), ...shape }) });
    const { exchange } = [...this.session.links.values()].find(
      ({ peers }) => peers.includes(from) && peers.includes(to),
    ) as { exchange: number };
    const sdp = sdpOf({ setup: "active", of: to, ...ufragOf(to), ...shape });
    this.send(to, { type: "answer", to: from, exchange, sdp });
  }

  path(from: string, to: string, state: TransportState, pair?: SelectedPair): Change[] {
    this.send(from, { type: "transport", to, state, ...(pair && { pair }) });
    return this.news();
  }

  alarm(): Change[] {
    this.do({ type: "alarm", at: this.at });
    return this.news();
  }
}

describe("changes in the life of a session", () => {
  let session: Watched;

  beforeEach(() => {
    session = new Watched({ emptyTtlSeconds: 100, resumeSeconds: 30 });
  });

  it("[M17] peers join and leave, each with how it came, why it left and how long it was there", () => {
    session.join("ann");
    session.join("eye", "observer");
    expect(session.news()).toEqual([
      { kind: "peer-joined", peer: "ann", role: "peer", via: "socket" },
      { kind: "peer-joined", peer: "eye", role: "observer", via: "socket" },
    ]);
    session.at += 5_000;
    session.do({ type: "lost", peer: "ann", at: session.at });
    session.join("ann");
    // Lost and come back: the same stay.
    expect(session.news()).toEqual([]);
    session.send("ann", { type: "leave" });
    const left = { kind: "peer-left", role: "peer", via: "socket", ms: 5_000 };
    expect(session.news()).toEqual([{ ...left, peer: "ann", reason: "left" }]);
  });

  it("[M17] the reason is known where nobody is left to be told", () => {
    const alone = (then: () => void): unknown => {
      session = new Watched({ resumeSeconds: 30 });
      session.join("ann", "peer", { expiresAt: session.at + 60_000 });
      session.news();
      then();
      return session.news().map((change) => (change.kind === "peer-left" ? change.reason : ""));
    };
    expect(alone(() => session.send("ann", { type: "leave" }))).toEqual(["left"]);
    const lost = () => session.do({ type: "lost", peer: "ann", at: session.at });
    const later = (ms: number) => {
      session.at += ms;
      session.do({ type: "alarm", at: session.at });
    };
    expect(
      alone(() => {
        lost();
        later(31_000);
      }),
    ).toEqual(["lost"]);
    expect(alone(() => later(60_000))).toEqual(["expired"]);
    expect(alone(() => session.do({ type: "kick", peer: "ann", at: session.at }))).toEqual([
      "kicked",
    ]);
    expect(
      alone(() => {
        lost();
        session.send("ann", { type: "leave" });
      }),
    ).toEqual(["left"]);
    expect(
      alone(() => {
        session.at += 1;
        const grant = session.grant("ann");
        const asked = { fresh: "true" } as const;
        session.do({ type: "join", grant, ice: { iceServers: [] }, asked, at: session.at });
      }),
    ).toEqual(["lost", ""]);
  });

  it("[M17] others leave for the reason they are told", () => {
    for (const name of ["ann", "ben", "cat"]) session.join(name);
    session.news();
    session.do({ type: "kick", peer: "ben", at: session.at });
    session.send("ann", { type: "leave" });
    session.join("dan", "peer", { expiresAt: session.at + 31_000 });
    session.join("eve");
    session.do({ type: "lost", peer: "eve", at: session.at });
    session.at += 31_000;
    session.do({ type: "alarm", at: session.at });
    const reasons = session.news().map((change) => [change.kind, Reflect.get(change, "reason")]);
    expect(reasons).toEqual([
      ["peer-left", "kicked"],
      ["peer-left", "left"],
      ["peer-joined", undefined],
      ["peer-joined", undefined],
      ["peer-left", "expired"],
      ["peer-left", "lost"],
    ]);
  });

  it("[M17] a session ends because it was deleted, with all who are there, or because it is empty", () => {
    session.join("ann");
    session.at += 1_000;
    session.news();
    session.do({ type: "end", at: session.at });
    expect(session.news()).toEqual([
      {
        kind: "peer-left",
        peer: "ann",
        role: "peer",
        via: "socket",
        reason: "session-ended",
        ms: 1_000,
      },
      { kind: "session-ended", reason: "deleted", ms: 1_000 },
    ]);
    session = new Watched({ emptyTtlSeconds: 100 });
    session.at += 50_000;
    session.do({ type: "end", at: session.at });
    expect(session.news()).toEqual([{ kind: "session-ended", reason: "deleted", ms: 50_000 }]);
    session = new Watched({ emptyTtlSeconds: 100 });
    session.at += 100_000;
    expect(session.alarm()).toEqual([{ kind: "session-ended", reason: "empty", ms: 100_000 }]);
  });

  it("[M17] peers that have no socket are told apart by their door", () => {
    const grant = session.grant("door");
    const ice = { iceServers: [] };
    const { at } = session;
    const endpoint = { realm: "home", source: "endpoint-one" };
    session.do({ type: "join", grant, ice, endpoint, at });
    session.do({ type: "join", grant: session.grant("sfu"), ice, managed: true, at });
    const { session: before } = session;
    const [sfu] = [...before.peers.values()];
    const http = { ...sfu!, id: "obs", http: { door: "whip" } } as unknown as Peer;
    const arrived = { ...before, peers: new Map([...before.peers, ["obs", http]]) };
    session.changes.push(...changesOf({ before, after: arrived, effects: [], at }));
    const vias = session.news().map((change) => Reflect.get(change, "via"));
    expect(vias).toEqual(["swap", "managed", "whip"]);
  });

  it("[M17] a link comes up once for both ends: how long after its offer, over which kind of path", () => {
    session.join("ann");
    session.join("ben");
    session.exchange("ann", "ben");
    session.news();
    session.at += 700;
    expect(session.path("ann", "ben", "checking")).toEqual([]);
    session.at += 300;
    expect(session.path("ann", "ben", "connected", HOST)).toEqual([
      {
        kind: "link-connected",
        link: "ann~ben",
        attempt: "first",
        ms: 1_000,
        path: { local: "host", remote: "srflx", protocol: "udp" },
      },
    ]);
    expect(session.path("ben", "ann", "connected", HOST)).toEqual([]);
    session.at += 4_000;
    expect(session.path("ben", "ann", "disconnected")).toEqual([]);
    session.at += 2_500;
    expect(session.path("ben", "ann", "connected")).toMatchObject([
      { kind: "link-connected", attempt: "recovered", ms: 2_500 },
    ]);
    session.path("ben", "ann", "disconnected");
    session.at += 6_000;
    expect(session.path("ben", "ann", "failed")).toEqual([
      { kind: "link-failed", link: "ann~ben", attempt: "broken", ms: 6_000 },
    ]);
  });

  it("[M17] a link that fails before it ever ran is told apart, and one without a pair has no path", () => {
    session.join("ann");
    session.join("ben");
    session.exchange("ann", "ben");
    session.news();
    session.at += 15_000;
    expect(session.path("ann", "ben", "failed")).toEqual([
      { kind: "link-failed", link: "ann~ben", attempt: "first", ms: 15_000 },
    ]);
    session.at += 1_000;
    expect(session.path("ann", "ben", "connected")).toEqual([
      { kind: "link-connected", link: "ann~ben", attempt: "recovered", ms: 1_000 },
    ]);
  });

  it("[M17] after an ICE restart the time is that of the restart", () => {
    session.join("ann");
    session.join("ben");
    session.exchange("ann", "ben");
    session.path("ann", "ben", "connected");
    let version = 1;
    const restart = () => {
      session.at += 60_000;
      version += 1;
      session.exchange("ann", "ben", { version }, `again${version}`);
      session.news();
      session.path("ann", "ben", "checking");
    };
    restart();
    session.at += 800;
    expect(session.path("ann", "ben", "connected")).toMatchObject([
      { kind: "link-connected", attempt: "restart", ms: 800 },
    ]);
    restart();
    session.at += 900;
    expect(session.path("ann", "ben", "failed")).toMatchObject([
      { kind: "link-failed", attempt: "broken", ms: 900 },
    ]);
  });

  it("[M17] times count from the transport where no offer is remembered", () => {
    session.join("ann");
    session.join("ben");
    session.exchange("ann", "ben");
    const [link] = [...session.session.links.values()];
    const forgetful = { ...link!, offeredAt: [] };
    session.session = { ...session.session, links: new Map([[forgetful.id, forgetful]]) };
    session.news();
    session.at += 400;
    expect(session.path("ann", "ben", "connected")).toMatchObject([{ attempt: "first", ms: 400 }]);
  });

  it("[A4] of a path nothing is told but kinds: a protocol that nobody knows is left out", () => {
    const odd = { protocol: "192.0.2.9", relayProtocol: null };
    for (const [local, protocol] of [
      [end("relay", { relayProtocol: "TLS" }), "tls"],
      [end("host", odd), undefined],
      [end("host", { protocol: null }), undefined],
    ] as const) {
      session = new Watched();
      session.join("ann");
      session.join("ben");
      session.exchange("ann", "ben");
      session.news();
      const [change] = session.path("ann", "ben", "connected", { local, remote: end("prflx") });
      const path = { local: local.candidateType, remote: "prflx", ...(protocol && { protocol }) };
      expect(Reflect.get(change!, "path")).toEqual(path);
      expect(JSON.stringify(change)).not.toContain("192.0.2");
    }
  });

  it("[M17] renegotiating, measuring and talking are no changes", () => {
    session.join("ann");
    session.join("ben");
    session.exchange("ann", "ben");
    session.path("ann", "ben", "connected");
    session.at += 1_000;
    session.exchange("ann", "ben", { version: 2 });
    session.send("ann", { type: "quality", to: "ben", flows: [] } as never);
    session.send("ann", { type: "message", to: "ben", body: 1 });
    expect(session.path("ann", "ben", "closed")).toEqual([]);
    expect(session.news()).toEqual([]);
  });
});

const PLACE = { session: "s", topology: "mesh", peers: 2 };

/** A point with its columns named, the empty ones left out. */
const named = ({ indexes: [kind], blobs, doubles }: DataPoint) => ({
  kind,
  ...Object.fromEntries(BLOBS.flatMap((name, at) => (blobs[at] === "" ? [] : [[name, blobs[at]]]))),
  ...Object.fromEntries(DOUBLES.map((name, at) => [name, doubles[at]])),
});

const EVERY_KIND: readonly Change[] = [
  { kind: "session-created" },
  { kind: "session-ended", reason: "empty", ms: 9 },
  { kind: "peer-joined", peer: "p", role: "peer", via: "whip" },
  { kind: "peer-left", peer: "p", role: "peer", via: "whip", reason: "lost", ms: 8 },
  {
    kind: "link-connected",
    link: "a~b",
    attempt: "first",
    ms: 7,
    path: { local: "relay", remote: "host", protocol: "tcp" },
  },
  { kind: "link-failed", link: "a~b", attempt: "broken", ms: 6 },
  { kind: "refused", peer: "p", code: "glare", times: 5 },
  { kind: "webhook-dead", type: "session.ended" },
];

describe("data points", () => {
  it("[M17] have the fixed layout that docs/metrics.md has, for every kind", () => {
    const points = dataPointsOf(EVERY_KIND, PLACE);
    for (const { indexes, blobs, doubles } of points) {
      expect([indexes.length, blobs.length, doubles.length]).toEqual([1, 10, 3]);
    }
    const always = { session: "s", topology: "mesh", version: VERSION, count: 1, ms: 0, peers: 2 };
    expect(points.map(named)).toEqual([
      { kind: "session-created", ...always },
      { kind: "session-ended", ...always, reason: "empty", ms: 9 },
      { kind: "peer-joined", ...always, role: "peer", via: "whip" },
      { kind: "peer-left", ...always, role: "peer", via: "whip", reason: "lost", ms: 8 },
      {
        kind: "link-connected",
        ...always,
        attempt: "first",
        localCandidate: "relay",
        remoteCandidate: "host",
        protocol: "tcp",
        ms: 7,
      },
      { kind: "link-failed", ...always, attempt: "broken", ms: 6 },
      { kind: "refused", ...always, reason: "glare", count: 5 },
      { kind: "webhook-dead", ...always, reason: "session.ended" },
    ]);
  });

  it("[M20] of changes that come together, those of one sort are one point that counts for all", () => {
    const left = (peer: string, role: "peer" | "observer", ms: number): Change => {
      return { kind: "peer-left", peer, role, via: "socket", reason: "session-ended", ms };
    };
    const changes = [left("a", "peer", 100), left("b", "peer", 300), left("c", "observer", 50)];
    expect(dataPointsOf(changes, PLACE).map(named)).toMatchObject([
      { role: "peer", count: 2, ms: 200 },
      { role: "observer", count: 1, ms: 50 },
    ]);
    const plain: Change = { kind: "link-connected", link: "a~b", attempt: "first", ms: 5 };
    expect(dataPointsOf([plain], PLACE).map(named)).toMatchObject([{ attempt: "first", ms: 5 }]);
  });

  it("[A4] have no id but that of the session", () => {
    const text = JSON.stringify(dataPointsOf(EVERY_KIND, PLACE));
    expect(text).not.toContain('"p"');
    expect(text).not.toContain("a~b");
  });
});

describe("lines of the log", () => {
  it("[A4] are JSON with ids and codes; failures are warnings", () => {
    expect(EVERY_KIND.map((change) => JSON.parse(logLineOf("s", change)))).toEqual(
      EVERY_KIND.map(({ kind, ...about }) => ({
        level: ["link-failed", "webhook-dead"].includes(kind) ? "warn" : "info",
        event: kind,
        session: "s",
        ...about,
      })),
    );
    expect(new Set(EVERY_KIND.map(levelOf))).toEqual(new Set(["info", "warn"]));
  });

  it("[M17] are those of LOG_LEVEL; a value that is none of its own is warn", () => {
    expect(logLevelOf({ LOG_LEVEL: "info" })).toBe("info");
    expect(logLevelOf({ LOG_LEVEL: "loud" })).toBe("warn");
    expect(logLevelOf({})).toBe("warn");
  });
});

/** What the platform gives, for tests: written points are kept. */
class Dataset implements AnalyticsEngineDataset {
  readonly points: DataPoint[] = [];
  fails = false;

  writeDataPoint(point: AnalyticsEngineDataPoint = {}): void {
    if (this.fails) throw new Error("too many");
    this.points.push(point as unknown as DataPoint);
  }

  get kinds(): string[] {
    return this.points.map(({ indexes }) => indexes[0]);
  }
}

const variables = env as unknown as Record<string, unknown>;

async function connect(alice: LivePeer, bob: LivePeer): Promise<void> {
  await alice.request({ type: "offer", id: 1, to: bob.id, sdp: sdpOf() } as never);
  const { exchange } = await bob.next("offer");
  const sdp = sdpOf({ setup: "active" });
  await bob.request({ type: "answer", id: 1, to: alice.id, exchange, sdp } as never);
  await alice.request({
    type: "transport",
    id: 2,
    to: bob.id,
    state: "connected",
    pair: HOST,
  } as never);
}

describe.each(MODES)("news of a call (%s)", (mode) => {
  const { METRICS } = variables;
  let dataset: Dataset;
  let lines: string[];

  beforeEach(() => {
    dataset = new Dataset();
    variables.METRICS = dataset;
    lines = [];
    const keep = (line: unknown) => void lines.push(String(line));
    vi.spyOn(console, "info").mockImplementation(keep);
    vi.spyOn(console, "warn").mockImplementation(keep);
  });

  afterEach(() => {
    variables.METRICS = METRICS;
    delete variables.LOG_LEVEL;
  });

  const callOf = async (config: Partial<SessionConfig> = {}) => {
    const session = await LiveSession.start(mode, config);
    const alice = await session.join({ name: "Alice Example" });
    const bob = await session.join({ name: "Bob Example" });
    await connect(alice, bob);
    return { session, alice, bob };
  };

  it("[M17] has one data point for each change, after it is done", async () => {
    const { session, alice } = await callOf({ metadata: { title: "board meeting" } });
    await alice.request({ type: "leave", id: 9 } as never);
    await callJson(session.path, "DELETE");
    expect(dataset.kinds).toEqual([
      "session-created",
      "peer-joined",
      "peer-joined",
      "link-connected",
      "peer-left",
      "peer-left",
      "session-ended",
    ]);
    const text = JSON.stringify(dataset.points);
    for (const secret of ["192.0.2.7", "Example", "board meeting", alice.id]) {
      expect(text).not.toContain(secret);
    }
    expect(named(dataset.points[3]!)).toMatchObject({
      session: session.id,
      topology: "mesh",
      attempt: "first",
      localCandidate: "host",
      remoteCandidate: "srflx",
      protocol: "udp",
      peers: 2,
    });
    expect(lines).toEqual([]);
  });

  it("[M17] is logged as LOG_LEVEL says", async () => {
    variables.LOG_LEVEL = "info";
    const { session, alice, bob } = await callOf();
    expect(lines.map((line) => JSON.parse(line).event)).toEqual([
      "session-created",
      "peer-joined",
      "peer-joined",
      "link-connected",
    ]);
    expect(JSON.parse(lines[1]!)).toEqual({
      level: "info",
      event: "peer-joined",
      session: session.id,
      peer: alice.id,
      role: "peer",
      via: "socket",
    });
    let id = 20;
    const tell = (state: TransportState) => {
      id += 1;
      return alice.request({ type: "transport", id, to: bob.id, state } as never);
    };
    for (const [level, logged] of [
      ["warn", 1],
      ["error", 0],
      ["info", 1],
    ] as const) {
      variables.LOG_LEVEL = level;
      lines.splice(0);
      await tell("failed");
      expect(lines.filter((line) => line.includes("link-failed")).length).toBe(logged);
      await tell("connected");
    }
  });

  it("[S7] refusals are told by their code, once in ten seconds with how many there were", async () => {
    const { session, alice } = await callOf();
    dataset.points.splice(0);
    const wrong = async (id: number) =>
      expect(
        await alice.request({ type: "offer", id, to: "nobody", sdp: sdpOf() } as never),
      ).toMatchObject({ type: "problem", code: "unknown-peer" });
    for (const id of [40, 41, 42]) await wrong(id);
    // What only memory counts an eviction takes.
    const told = mode === "awake" ? 1 : 3;
    expect(dataset.points.map(named)).toMatchObject(
      Array(told).fill({ kind: "refused", reason: "unknown-peer", count: 1 }),
    );
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 11_000 });
    await wrong(43);
    const counted = mode === "awake" ? 3 : 1;
    expect(named(dataset.points.at(-1)!)).toMatchObject({ kind: "refused", count: counted });
    dataset.points.splice(0);
    const full = await LiveSession.start(mode, { maxPeers: 2 });
    for (let peers = 0; peers < 2; peers++) await full.join();
    await full.upgrade((await full.invite()).token);
    expect(named(dataset.points.at(-1)!)).toMatchObject({ reason: "session-full" });
    // Over HTTP as well.
    dataset.points.splice(0);
    const path = `${session.path}/flows/none`;
    expect((await callJson(path, "PATCH", { held: true })).status).toBe(404);
    const unknown = await callJson(`${session.path}/peers/nobody`, "DELETE");
    expect([204, 404]).toContain(unknown.status);
  });

  it("[M17] an event that was given up is told while the session lasts, and after its end", async () => {
    const session = await LiveSession.start(mode);
    const give = () =>
      runInDurableObject(session.stub, (object) =>
        (object as unknown as { noteDeadWebhooks(types: string[]): void }).noteDeadWebhooks([
          "flow.ended",
        ]),
      );
    dataset.points.splice(0);
    await give();
    await callJson(session.path, "DELETE");
    await give();
    const dead = { kind: "webhook-dead", reason: "flow.ended", session: session.id };
    const points = dataset.points.map(named).filter(({ kind }) => kind === "webhook-dead");
    expect(points).toMatchObject([{ ...dead, topology: "mesh" }, dead]);
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      Array(2).fill({
        level: "warn",
        event: "webhook-dead",
        session: session.id,
        type: "flow.ended",
      }),
    );
  });

  it("[S8] a call goes on where the dataset fails or is not there", async () => {
    const { session, alice, bob } = await callOf();
    const faults = vi.spyOn(console, "error").mockImplementation(() => undefined);
    dataset.fails = true;
    await alice.request({ type: "transport", id: 50, to: bob.id, state: "failed" } as never);
    expect(faults).toHaveBeenCalledTimes(1);
    expect(String(faults.mock.calls[0])).not.toContain("too many");
    delete variables.METRICS;
    await session.join();
    expect(await session.read("")).toMatchObject({ peers: [{}, {}, {}] });
    expect(faults).toHaveBeenCalledTimes(1);
  });
});

/** A sample of the text format: what a scraper makes of a line. */
interface Sample {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)",?/;

const plain = (text: string): string =>
  text.replaceAll(/\\(.)/g, (_all, escaped: string) => (escaped === "n" ? "\n" : escaped));

/** Reads the exposition format 0.0.4 by its rules; throws where a scraper would refuse it. */
function scrape(text: string): {
  samples: Sample[];
  types: Map<string, string>;
  help: Map<string, string>;
} {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const types = new Map<string, string>();
  const help = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment) {
      const [, kind, name = "", rest = ""] = comment;
      const into = kind === "HELP" ? help : types;
      if (into.has(name)) throw new Error(`${kind} of ${name} twice`);
      if (samples.some((sample) => sample.name === name)) throw new Error(`${kind} after samples`);
      into.set(name, kind === "HELP" ? plain(rest) : rest);
      continue;
    }
    const name = NAME.exec(line)?.[0];
    if (name === undefined) throw new Error(`no name in ${line}`);
    let rest = line.slice(name.length);
    const labels: Record<string, string> = {};
    if (rest.startsWith("{")) {
      rest = rest.slice(1);
      for (let label = LABEL.exec(rest); label; label = LABEL.exec(rest)) {
        labels[label[1]!] = plain(label[2]!);
        rest = rest.slice(label[0].length);
      }
      if (!rest.startsWith("}")) throw new Error(`labels of ${line}`);
      rest = rest.slice(1);
    }
    if (!/^ [-+]?(\d+(\.\d+)?(e[-+]?\d+)?|Inf|NaN)$/i.test(rest))
      throw new Error(`value of ${line}`);
    samples.push({ name, labels, value: Number(rest) });
  }
  return { samples, types, help };
}

describe("GET /v1/metrics", () => {
  const scraped = async (headers: object = KEY) => {
    const response = await call("/v1/metrics", { headers: headers as Record<string, string> });
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    return scrape(await response.text());
  };
  const valuesOf = ({ samples }: { samples: Sample[] }) =>
    Object.fromEntries(samples.map(({ name, value }) => [name, value]));

  it("[M17] is what a scraper reads, each metric with type and help", async () => {
    const answer = await scraped();
    expect(answer.samples.length).toBeGreaterThan(2);
    for (const { name } of answer.samples) {
      expect(name).toMatch(/^duplex_[a-z_]+$/);
      expect(["gauge", "counter"]).toContain(answer.types.get(name));
      expect(answer.types.get(name) === "counter").toBe(name.endsWith("_total"));
      expect(answer.help.get(name)).toMatch(/\.$/);
    }
    const build = answer.samples.find(({ name }) => name === "duplex_build_info");
    expect(build).toEqual({ name: "duplex_build_info", labels: { version: VERSION }, value: 1 });
  });

  it("[M17] counts the sessions of the key that asks, wherever it is asked", async () => {
    const session = await LiveSession.start("awake", { listed: true });
    await LiveSession.start("awake", { listed: true });
    await LiveSession.start("awake");
    await callJson(session.path, "DELETE");
    const counted = { duplex_sessions_listed: 1, duplex_sessions_listed_total: 2 };
    await vi.waitFor(async () => expect(valuesOf(await scraped())).toMatchObject(counted));
    expect(valuesOf(await scraped({ authorization: "Bearer second-key" }))).toMatchObject({
      duplex_sessions_listed: 0,
      duplex_sessions_listed_total: 0,
    });
    expect(valuesOf(await scraped())).not.toHaveProperty("duplex_sessions_held");
    expect(valuesOf(await scraped())).not.toHaveProperty("duplex_webhook_dead_letters");
  });

  it("[S7] tells what is held of MAX_SESSIONS_PER_KEY, where that is set", async () => {
    const { default: worker } = await import("../src/index.ts");
    const bindings = { ...env, MAX_SESSIONS_PER_KEY: "5" } as never;
    const ask = (path: string, method: string) =>
      worker.fetch(new Request(`https://duplex.test${path}`, { method, headers: KEY }), bindings, {
        waitUntil: () => undefined,
        passThroughOnException: () => undefined,
      } as never);
    for (let made = 0; made < 2; made++) await ask("/v1/sessions", "POST");
    const answer = scrape(await (await ask("/v1/metrics", "GET")).text());
    expect(valuesOf(answer)).toMatchObject({ duplex_sessions_held: 2, duplex_sessions_limit: 5 });
  });

  it("[M17] texts that the format would misread are escaped", () => {
    const odd = 'a "quoted" \\ back\nslash';
    const text = expositionOf([
      { name: "x", type: "gauge", help: odd, value: 0.5, labels: { l: odd, m: "" } },
      { name: "y_total", type: "counter", help: "Y.", value: 2, labels: {} },
    ]);
    const answer = scrape(text);
    expect(answer.help.get("x")).toBe(odd);
    expect(answer.samples).toEqual([
      { name: "x", labels: { l: odd, m: "" }, value: 0.5 },
      { name: "y_total", labels: {}, value: 2 },
    ]);
  });
});
