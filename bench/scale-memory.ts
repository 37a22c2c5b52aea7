import { setTimeout as delay } from "node:timers/promises";
import type { Table } from "./bench.ts";
import { type Figures, median, medianOf, spread } from "./rounds.ts";
import { type Opened, opening, type ScaleLoad } from "./scale-load.ts";
import { startWorker } from "./servers.ts";

/** What sessions take of memory, awake and asleep, and what it costs to wake one. */

const SESSIONS = 500;
/** Sessions that are there before anything is measured: what the first ones take is the server's. */
const WARM_UP = 20;
const FEW = 50;
const MANY_PEERS = 20;
const WAKING = [
  { peers: 2, sessions: 20 },
  { peers: 50, sessions: 10 },
] as const;
/** An object sleeps 10 s after its last frame. */
const ASLEEP_MS = 13_000;
const WAKING_ROUNDS = 5;

const kB = (bytes: number): string => (bytes / 1000).toFixed(0);

/** Bytes for each session. */
interface Memory {
  readonly asleep: number;
  readonly awake: number;
  readonly evicted: number;
}

const mesh = (sessions: number, peers: number, isNegotiated: boolean) =>
  ({ dialect: "duplex", topology: "mesh", sessions, peers, isNegotiated }) as const;

/** The same without anything but two sockets that are handed each other's frames. */
const plain = (sessions: number) => ({ ...mesh(sessions, 2, false), dialect: "plain" }) as const;

export const startBare = () =>
  startWorker({
    name: "bare",
    entry: "bench/baselines/forwarding-object.ts",
    durableObjects: { FORWARDING: "ForwardingObject", ACKING: "AckingObject" },
  });

/** Of sessions of two peers that have negotiated, or of bare objects. */
async function measureSessions(opened: Opened, sessions: number, isBare: boolean): Promise<Memory> {
  const server = await (isBare ? opened.server(startBare()) : opened.duplex());
  const plan = (count: number) => (isBare ? plain(count) : mesh(count, 2, true));
  const first = await opened.load(server, plan(WARM_UP));
  const before = first.bytes;
  const load = await opened.load(server, plan(sessions));
  const each = (): number => (load.bytes - before) / sessions;
  await delay(ASLEEP_MS);
  const asleep = each();
  await load.measure({ type: "wake" });
  const awake = each();
  await delay(ASLEEP_MS);
  return { asleep, awake, evicted: each() };
}

/** Bytes per socket, asleep: of sessions that differ by how many they have. */
async function measureSockets(opened: Opened): Promise<number> {
  const bytesOf = async (peers: number): Promise<number> => {
    const server = await opened.duplex();
    const before = (await opened.load(server, mesh(WARM_UP, 2, false))).bytes;
    const load = await opened.load(server, mesh(FEW, peers, false));
    await delay(ASLEEP_MS);
    return load.bytes - before;
  };
  return ((await bytesOf(MANY_PEERS)) - (await bytesOf(2))) / (FEW * (MANY_PEERS - 2));
}

/** First and second frame of sessions that slept, by their peers. */
async function measureWaking(
  opened: Opened,
  rounds: number,
): Promise<ReadonlyMap<number, readonly Figures[]>> {
  const server = await opened.duplex();
  const loads = new Map<number, ScaleLoad>();
  const figures = new Map<number, Figures[]>();
  for (const { peers, sessions } of WAKING) {
    const plan = { topology: "central", peers, sessions, isNegotiated: true } as const;
    loads.set(peers, await opened.load(server, { ...plan, dialect: "duplex" }));
    figures.set(peers, []);
  }
  // The first round does not count.
  for (let round = 0; round <= rounds; round++) {
    await delay(ASLEEP_MS);
    for (const [peers, load] of round % 2 === 0 ? loads : [...loads].toReversed()) {
      const measured = await load.measure({ type: "twice" });
      if (round > 0) figures.get(peers)?.push(measured);
    }
  }
  return figures;
}

interface Memories {
  readonly duplex: Memory;
  readonly bare: Memory;
  /** Bytes for each idle socket. */
  readonly socket: number;
}

function memoryTable({ duplex, bare, socket }: Memories): Table {
  const cells = ({ asleep, awake, evicted }: Memory) => [asleep, awake, evicted].map(kB);
  return {
    title: "Memory of workerd for each session of two peers, kB",
    head: [
      "server",
      "asleep since it was set up",
      "all awake",
      "after they fell asleep again",
      "one idle socket more",
    ],
    rows: [
      ["Duplex", ...cells(duplex), kB(socket)],
      ["bare Durable Object", ...cells(bare), ""],
    ],
  };
}

function wakingTable(waking: ReadonlyMap<number, readonly Figures[]>): Table {
  const cells = (figures: readonly Figures[], unit: "Us" | "Ms", digits: number): string[] => {
    const ratios = figures.map(
      (each) => (each[`asleep${unit}`] ?? Number.NaN) / (each[`awake${unit}`] ?? Number.NaN),
    );
    return [
      medianOf(figures, `asleep${unit}`).toFixed(digits),
      medianOf(figures, `awake${unit}`).toFixed(digits),
      `x ${median(ratios).toFixed(1)} ${spread(ratios)}`,
    ];
  };
  return {
    title: "The first frame of a session that sleeps, and the second",
    head: [
      "peers",
      "processor time of the first, µs",
      "of the second",
      "ratio",
      "latency of the first, ms",
      "of the second",
      "ratio",
    ],
    rows: [...waking].map(([peers, figures]) => [
      String(peers),
      ...cells(figures, "Us", 0),
      ...cells(figures, "Ms", 2),
    ]),
  };
}

interface MemoryAndWaking {
  readonly tables: readonly Table[];
  readonly raw: object;
  readonly about: readonly string[];
}

/** `most`: sessions at most. */
export async function memoryAndWaking(most: number, rounds: number): Promise<MemoryAndWaking> {
  const sessions = Math.min(SESSIONS, most);
  const memory: Memories = {
    duplex: await opening((opened) => measureSessions(opened, sessions, false)),
    bare: await opening((opened) => measureSessions(opened, sessions, true)),
    socket: await opening(measureSockets),
  };
  const waking = await opening((opened) => measureWaking(opened, Math.min(WAKING_ROUNDS, rounds)));
  return {
    tables: [memoryTable(memory), wakingTable(waking)],
    raw: { memory, waking: [...waking] },
    about: [
      "",
      `Memory is what workerd has more than after ${WARM_UP} sessions, for each of ${sessions} sessions of two peers that`,
      "have negotiated with descriptions of Chromium, and of as many bare objects with two sockets; the heap does not give",
      `back at once what nobody needs. An idle socket is what ${MANY_PEERS - 2} peers more in each of ${FEW} sleeping sessions take.`,
      "Sessions that wake are central and have an exchange in force with every peer; their frames come one at a time.",
    ],
  };
}
