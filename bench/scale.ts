import { readFileSync } from "node:fs";
import type { Bench, BenchOptions, Outcome, Table } from "./bench.ts";
import {
  alternate,
  type Contender,
  type Figures,
  medianOf,
  type Rounds,
  ratioOf,
  saysRounds,
} from "./rounds.ts";
import { opening, type ScaleLoad } from "./scale-load.ts";
import { memoryAndWaking, startBare } from "./scale-memory.ts";

/** What a frame costs when there are more sessions, or more peers in its session: nothing more. */

const SESSIONS = [1, 10, 100, 1000];
/** Measured next to the largest of those, by itself: a machine that allows fewer files has the rest of the table. */
const MANY_SESSIONS = 5000;
/** Two for each of two sockets, and three of SQLite: what a session that is awake has open in workerd. */
const FILES_PER_SESSION = 7;
const OTHER_FILES = 500;
/** The bare object has as many at most. */
const BARE_SESSIONS = 1000;
/** A mesh of 50 peers has 1225 links: to set them up takes longer than all the rest. */
const PEERS = { central: [2, 5, 20, 50], mesh: [2, 5, 20] } as const;
const LEAST_PEERS = 2;
const ROUNDS = 5;

const MESSAGES = 10_000;
const IN_FLIGHT = 64;
const MESSAGES_ONE_BY_ONE = 2_000;
const EXCHANGES = 100;

const renamed = (figures: Figures, kind: string): Figures =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${kind} ${name}`, value]));

const contender = (name: string, load: ScaleLoad, hasCandidates: boolean): Contender => ({
  name,
  measure: async () => ({
    ...renamed(
      await load.measure({ type: "messages", frames: MESSAGES, inFlight: IN_FLIGHT }),
      "many",
    ),
    ...renamed(
      await load.measure({ type: "messages", frames: MESSAGES_ONE_BY_ONE, inFlight: 1 }),
      "one",
    ),
    ...(hasCandidates &&
      renamed(await load.measure({ type: "candidates", exchanges: EXCHANGES }), "candidates")),
  }),
});

const sessionsOf = (name: string, count: number): string => `${name} ${count}`;

function measureSessions(sizes: readonly number[], rounds: number): Promise<Rounds> {
  return opening(async (opened) => {
    const contenders: Contender[] = [];
    for (const sessions of sizes) {
      const plan = { topology: "mesh", peers: 2, sessions, isNegotiated: false } as const;
      const load = await opened.load(await opened.duplex(), { ...plan, dialect: "duplex" });
      contenders.push(contender(sessionsOf("Duplex", sessions), load, true));
      if (sessions > BARE_SESSIONS) continue;
      const bare = await opened.server(startBare());
      const plain = await opened.load(bare, { ...plan, dialect: "plain" });
      contenders.push(contender(sessionsOf("bare", sessions), plain, false));
    }
    return alternate(contenders, rounds);
  });
}

interface Many {
  readonly tables: readonly Table[];
  readonly raw: readonly unknown[];
  readonly about: readonly string[];
}

/** As many sessions as there can be, next to a thousand; what went wrong with them where they were too many. */
async function measureMany(most: number, rounds: number): Promise<Many> {
  const base = SESSIONS.at(-1) ?? 1;
  if (most <= base) return { tables: [], raw: [], about: [] };
  try {
    const measured = await measureSessions([base, most], rounds);
    return { tables: [sessionsTable(measured, [base, most])], raw: [...measured], about: [] };
  } catch (fault) {
    const said = `With ${most} sessions workerd or its peers ended: ${fault}`;
    return { tables: [], raw: [said], about: [said] };
  }
}

const peersOf = (topology: string, peers: number): string => `${topology} ${peers}`;

function measurePeers(rounds: number): Promise<Rounds> {
  return opening(async (opened) => {
    // What is measured is one session at a time: they can share a server.
    const server = await opened.duplex();
    const contenders: Contender[] = [];
    for (const topology of ["central", "mesh"] as const) {
      for (const peers of PEERS[topology]) {
        const plan = {
          topology,
          peers,
          sessions: 1,
          isNegotiated: true,
          dialect: "duplex",
        } as const;
        const load = await opened.load(server, plan);
        contenders.push(contender(peersOf(topology, peers), load, true));
      }
    }
    return alternate(contenders, rounds);
  });
}

const figureOf = (rounds: Rounds, name: string, figure: string, digits: number): string =>
  medianOf(rounds.get(name) ?? [], figure).toFixed(digits);

const MANY = "many cpuUs";
const ONE = "one cpuUs";
const CANDIDATES = "candidates cpuUs";

function sessionsTable(rounds: Rounds, sizes: readonly number[]): Table {
  const least = sizes[0] ?? 1;
  const against = (name: string, size: number, figure: string): string =>
    rounds.has(sessionsOf(name, size))
      ? ratioOf(rounds, sessionsOf(name, size), sessionsOf(name, least), figure)
      : "";
  return {
    title: `Processor time per frame, against that with ${least} session${least > 1 ? "s" : ""}`,
    head: [
      "sessions",
      `message, ${IN_FLIGHT} in flight, µs`,
      "ratio",
      "of the bare object",
      "one at a time, µs",
      "ratio",
      "of the bare object",
      "p50, ms",
      "candidates, µs",
      "ratio",
    ],
    rows: sizes.map((size) => {
      const name = sessionsOf("Duplex", size);
      return [
        String(size),
        figureOf(rounds, name, MANY, 0),
        against("Duplex", size, MANY),
        against("bare", size, MANY),
        figureOf(rounds, name, ONE, 0),
        against("Duplex", size, ONE),
        against("bare", size, ONE),
        figureOf(rounds, name, "one p50Ms", 2),
        figureOf(rounds, name, CANDIDATES, 0),
        against("Duplex", size, CANDIDATES),
      ];
    }),
  };
}

function peersTable(rounds: Rounds): Table {
  return {
    title: `Processor time per frame in one session, against that with ${LEAST_PEERS} peers`,
    head: [
      "topology",
      "peers",
      `message, ${IN_FLIGHT} in flight, µs`,
      "ratio",
      "one at a time, µs",
      "ratio",
      "candidates, µs",
      "ratio",
    ],
    rows: (["central", "mesh"] as const).flatMap((topology) =>
      PEERS[topology].map((peers) => {
        const name = peersOf(topology, peers);
        const base = peersOf(topology, LEAST_PEERS);
        return [
          topology,
          String(peers),
          ...[MANY, ONE, CANDIDATES].flatMap((figure) => [
            figureOf(rounds, name, figure, 0),
            ratioOf(rounds, name, base, figure),
          ]),
        ];
      }),
    ),
  };
}

/** How many sessions can be awake at once: a process may have so many files open (Linux). */
function mostSessions(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  const [, files = "0"] = /^Max open files +(\d+)/m.exec(limits) ?? [];
  return Math.floor((Number(files) - OTHER_FILES) / FILES_PER_SESSION / 100) * 100;
}

async function measure({ sessions = Infinity, rounds = ROUNDS }: BenchOptions): Promise<Outcome> {
  const most = Math.min(sessions, mostSessions());
  const sizes = SESSIONS.filter((size) => size <= most);
  const bySessions = await measureSessions(sizes, rounds);
  console.log(
    sessionsTable(bySessions, sizes)
      .rows.map((row) => row.join("\t"))
      .join("\n"),
  );
  const many = await measureMany(Math.min(most, MANY_SESSIONS), rounds);
  const byPeers = await measurePeers(rounds);
  console.log(
    peersTable(byPeers)
      .rows.map((row) => row.join("\t"))
      .join("\n"),
  );
  const rest = await memoryAndWaking(sessions, rounds);
  return {
    tables: [sessionsTable(bySessions, sizes), ...many.tables, peersTable(byPeers), ...rest.tables],
    raw: { bySessions: [...bySessions], many: many.raw, byPeers: [...byPeers], ...rest.raw },
    with: [`${rounds} rounds`],
    about: [
      "Each number of sessions has a server of its own, and all sessions of it take turns: every frame is of another",
      `session, and of another pair of peers in it. ${IN_FLIGHT} frames in flight, or one. The bare object is next to it,`,
      "because the runtime too costs more when more sockets take part: it reads several frames of one socket at once.",
      `A session that is awake has ${FILES_PER_SESSION} files open in workerd, which ends when it may open no more (the bare object`,
      `alike): here there can be ${mostSessions()} sessions.`,
      ...many.about,
      "Candidates come in bursts of 8 after an exchange, which is not counted. In a central session every peer sends to",
      "the media server; in a mesh all links have an exchange in force. Ratios are those of one round, and their medians.",
      `Sessions: ${saysRounds(bySessions, rounds)} Peers: ${saysRounds(byPeers, rounds)}`,
      ...rest.about,
    ],
  };
}

export const scale: Bench = {
  name: "scale",
  title: "More sessions, and more peers in a session",
  run: measure,
};
