import { join } from "node:path";
import type { Bench, BenchOptions, Outcome, Table } from "./bench.ts";
import { candidateOf, type Dialect, FIRST, type FrameKind, frameOf } from "./relay-frames.ts";
import { RelayLoad, type RelayScenario } from "./relay-load.ts";
import {
  alternate,
  type Contender,
  medianOf,
  type Rounds,
  saysRounds,
  spreadOf,
} from "./rounds.ts";
import {
  type BenchServer,
  ensurePeers,
  peerVersion,
  startDuplex,
  startProgram,
  startWorker,
} from "./servers.ts";
import { inTemporaryFolder } from "./temporary-folder.ts";

/** What a relayed frame costs, and how long it takes, next to relays that look at nothing. */

const ROUNDS = 5;
const LINES = 100;

/** A peer sends so many candidates in one exchange; more would be kept otherwise. */
const CANDIDATES = 8;

/** What a client may do in a second is no matter here; no other limit is near. */
const LIMITS = { messagesPerSecond: 1_000_000_000, messageBurst: 1_000_000_000 };

const BARE = "bare Durable Object";
const BARE_ACKING = "bare Durable Object, acks";
const DUPLEX = "Duplex";
const DUPLEX_ACKING = "Duplex, with `id`";

interface Runner {
  readonly name: string;
  readonly dialect: Dialect;
  /** Frames ask for an acknowledgement. */
  readonly ack: boolean;
  readonly start: (folder: string) => Promise<BenchServer>;
}

const startBare = (folder: string): Promise<BenchServer> =>
  startWorker({
    name: "bare",
    entry: "bench/baselines/forwarding-object.ts",
    durableObjects: { FORWARDING: "ForwardingObject", ACKING: "AckingObject" },
    folder,
  });

const startDuplexHere = (folder: string): Promise<BenchServer> =>
  startDuplex(folder, { limits: LIMITS });

const RUNNERS: readonly Runner[] = [
  { name: BARE, dialect: "plain", ack: false, start: startBare },
  { name: DUPLEX, dialect: "duplex", ack: false, start: startDuplexHere },
  { name: BARE_ACKING, dialect: "plain-acking", ack: true, start: startBare },
  { name: DUPLEX_ACKING, dialect: "duplex", ack: true, start: startDuplexHere },
  {
    name: "partyserver",
    dialect: "partyserver",
    ack: false,
    start: (folder) =>
      startWorker({
        name: "party",
        entry: "bench/peers/party-relay.js",
        durableObjects: { Party: "Party" },
        folder,
      }),
  },
  {
    name: "Node.js `ws`",
    dialect: "plain",
    ack: false,
    start: () => startProgram({ name: "ws", file: "baselines/ws-relay.ts" }),
  },
  {
    name: "PeerJS",
    dialect: "peerjs",
    ack: false,
    start: () => startProgram({ name: "PeerJS", file: "baselines/peerjs-server.ts" }),
  },
];

interface Shape {
  readonly title: string;
  readonly scenario: Omit<RelayScenario, "ack">;
}

const message = (title: string, lines: number, inFlightPerLine: number, frames: number): Shape => ({
  title: `message, ${title}`,
  scenario: {
    kind: "message",
    lines,
    linesAtOnce: lines,
    inFlightPerLine,
    framesPerLine: frames / lines / 4,
    bursts: 4,
  },
});

const candidates = (
  title: string,
  lines: number,
  linesAtOnce: number,
  inFlightPerLine: number,
): Shape => ({
  title: `candidates, ${title}`,
  scenario: {
    kind: "candidates",
    lines,
    linesAtOnce,
    inFlightPerLine,
    framesPerLine: CANDIDATES,
    bursts: 5,
  },
});

const shapesOf = (lines: number): readonly Shape[] => [
  message("1 pair, 1 in flight", 1, 1, 1_600),
  message("1 pair, 64 in flight", 1, 64, 6_400),
  message(`${lines} pairs in ${lines} sessions, 8 in flight each`, lines, 8, lines * 64),
  candidates("1 pair at a time, 1 in flight", lines, 1, 1),
  candidates("8 pairs at a time, 8 in flight each", lines, 8, 8),
  candidates(`${lines} pairs in ${lines} sessions, 8 in flight each`, lines, lines, 8),
];

/** Starts everybody, and gives who measures what; all of it ends with `stop`. */
async function started(folder: string, lines: number) {
  const loads = new Map<Runner, RelayLoad>();
  const servers = new Map<Runner["start"], BenchServer>();
  const stop = async (): Promise<void> => {
    for (const load of loads.values()) await load.stop();
    for (const server of servers.values()) await server.stop();
  };
  try {
    for (const [n, runner] of RUNNERS.entries()) {
      const known = servers.get(runner.start);
      const server = known ?? (await runner.start(join(folder, String(n))));
      servers.set(runner.start, server);
      loads.set(runner, await RelayLoad.connect(server, runner.dialect, lines));
    }
  } catch (fault) {
    await stop();
    throw fault;
  }
  const contenders = ({ scenario }: Shape): Contender[] =>
    [...loads].map(([{ name, ack }, load]) => ({
      name,
      measure: () => load.measure({ ...scenario, ack }),
    }));
  return { contenders, stop };
}

const ratio = (one: number, other: number): string => `x ${(one / other).toFixed(2)}`;

function tableOf({ title }: Shape, rounds: Rounds): Table {
  const of = (name: string) => rounds.get(name) ?? [];
  return {
    title,
    head: [
      "server",
      "CPU per frame, us",
      "spread",
      "to the bare object",
      "p50, ms",
      "to the bare object",
      "p99, ms",
    ],
    rows: RUNNERS.map(({ name, ack }) => {
      const [own, bare] = [of(name), of(ack ? BARE_ACKING : BARE)];
      const cell = (figure: string, digits: number) => medianOf(own, figure).toFixed(digits);
      const against = (figure: string) => ratio(medianOf(own, figure), medianOf(bare, figure));
      return [
        name,
        cell("cpuUs", 1),
        spreadOf(own, "cpuUs"),
        against("cpuUs"),
        cell("p50Ms", 3),
        against("p50Ms"),
        cell("p99Ms", 2),
      ];
    }),
  };
}

const bytesOf = (dialect: Dialect, kind: FrameKind): number =>
  frameOf(dialect, kind, { to: "p".repeat(12), n: FIRST, ufrag: "Ab3d", exchange: 12 }).length;

const about = (rounds: string): readonly string[] => [
  "One peer sends, the other gets, each frame with one relay candidate of",
  `${candidateOf(FIRST, "Ab3d").candidate.length} bytes and a number of its own: ${bytesOf("duplex", "message")} bytes as \`message\`, ${bytesOf("duplex", "candidates")} as \`candidates\`, ${bytesOf("peerjs", "message")} as the client of PeerJS`,
  "sends it. The next frame is sent when one has come. CPU is of the whole process tree of the server, latency is",
  "one way, sender to receiver. The bare Durable Object hands frames on unread to the socket with the other tag; “acks”",
  "answers each with a constant, and frames with an `id` are compared with that one. partyserver hibernates and sends",
  "to the other connection by its id. All of these run on bare workerd as miniflare starts it; `ws` and PeerJS are Node.js",
  "programs. The load runs in other processes on the same cores; no compression anywhere.",
  "",
  `Duplex runs with its rate limit raised, the check itself is what it is. Each peer sends ${CANDIDATES} candidates per exchange, as`,
  "browsers do; an exchange with an ICE restart comes before each burst of them, and a rest of 0.3 s in which all servers",
  "can collect what it left: neither is measured. So “64 in flight”",
  `of candidates are 8 pairs with 8 each. ${rounds}`,
];

async function measure({ rounds = ROUNDS, sessions = LINES }: BenchOptions): Promise<Outcome> {
  await ensurePeers();
  return inTemporaryFolder("relay", async (folder) => {
    const { contenders, stop } = await started(folder, sessions);
    try {
      const measured: { readonly shape: Shape; readonly rounds: Rounds }[] = [];
      for (const shape of shapesOf(sessions)) {
        const one = { shape, rounds: await alternate(contenders(shape), rounds) };
        measured.push(one);
        const { title, rows } = tableOf(one.shape, one.rounds);
        console.log([title, ...rows.map((row) => row.join("\t"))].join("\n"));
      }
      const says = measured.map(
        ({ shape, rounds: all }) => `${shape.title}: ${saysRounds(all, rounds)}`,
      );
      return {
        tables: measured.map((one) => tableOf(one.shape, one.rounds)),
        about: about(says.join(" ")),
        raw: measured.map(({ shape, rounds: all }) => ({ ...shape, figures: [...all] })),
        with: [peerVersion("partyserver"), peerVersion("peer"), `${rounds} rounds`],
      };
    } finally {
      await stop();
    }
  });
}

export const relay: Bench = {
  name: "relay",
  title: "Relaying frames",
  run: measure,
};
