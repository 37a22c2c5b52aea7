import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stopTree } from "../scripts/processes.ts";
import type { Bench, BenchOptions, Outcome, Table } from "./bench.ts";
import { processorMicroseconds } from "./process-samples.ts";
import {
  alternate,
  type Contender,
  type Figures,
  median,
  medianOf,
  percentile,
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
import type { Dialect, Done, Order } from "./setup-plan.ts";
import { KEYS } from "./worker-bundle.ts";

/** What it costs a server to set up one call, from two joins until both have everything. */

const ROUNDS = 7;
const CALLS = 60;
const AT_ONCE = 2;

const generator = fileURLToPath(new URL("setup-generator.ts", import.meta.url));

/** The process with the clients. */
class Clients {
  readonly #child: ChildProcess = spawn(process.execPath, [generator], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });

  order(order: Order): Promise<Extract<Done, { type: "done" }>> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error("the clients ended"));
      this.#child.once("exit", ended);
      this.#child.once("message", (message) => {
        this.#child.off("exit", ended);
        const done = message as Done;
        if (done.type === "done") resolve(done);
        else reject(new Error(done.why));
      });
      this.#child.send(order);
    });
  }

  async stop(): Promise<void> {
    if (this.#child.pid !== undefined) await stopTree(this.#child.pid);
  }
}

async function measure(clients: Clients, server: BenchServer, dialect: Dialect): Promise<Figures> {
  const { baseUrl, pid } = server;
  const cpu = async (order: Order) => {
    const before = processorMicroseconds(pid);
    const done = await clients.order(order);
    return { done, us: (processorMicroseconds(pid) - before) / CALLS };
  };
  const key = KEYS[0] ?? "";
  const prepared = await cpu({ type: "prepare", dialect, baseUrl, key, calls: CALLS });
  const { done, us } = await cpu({ type: "run", atOnce: AT_ONCE });
  const closed = await cpu({ type: "close" });
  const { counts, ms } = done;
  return {
    cpuUs: us,
    prepareUs: prepared.us,
    closeUs: closed.us,
    p50Ms: median(ms),
    p99Ms: percentile(ms, 0.99),
    requests: counts.requests / CALLS,
    sent: counts.sent / CALLS,
    received: counts.received / CALLS,
    sentBytes: counts.sentBytes / CALLS,
    receivedBytes: counts.receivedBytes / CALLS,
    records: counts.records / CALLS,
    recordBytes: counts.recordBytes / CALLS,
  };
}

const BASELINE = "PeerJS";

const fixed = (value: number, digits = 0): string => value.toFixed(digits);

function tableOf(rounds: Rounds): Table {
  const of = (name: string, figure: string): number => medianOf(rounds.get(name) ?? [], figure);
  const total = (name: string, up: string, down: string): number => of(name, up) + of(name, down);
  const times = (value: number, base: number): string => `${fixed(value / base, 2)}x`;
  return {
    head: [
      "",
      "CPU, us",
      "spread",
      "of PeerJS",
      "requests",
      "messages to the server",
      "from it",
      "all, of PeerJS",
      "bytes to the server",
      "from it",
      "all, of PeerJS",
      "p50, ms",
      "p99, ms",
    ],
    rows: [...rounds].map(([name, figures]) => [
      name,
      fixed(of(name, "cpuUs")),
      spreadOf(figures, "cpuUs"),
      times(of(name, "cpuUs"), of(BASELINE, "cpuUs")),
      fixed(of(name, "requests")),
      fixed(of(name, "sent"), 1),
      fixed(of(name, "received"), 1),
      times(total(name, "sent", "received"), total(BASELINE, "sent", "received")),
      fixed(of(name, "sentBytes")),
      fixed(of(name, "receivedBytes")),
      times(
        total(name, "sentBytes", "receivedBytes"),
        total(BASELINE, "sentBytes", "receivedBytes"),
      ),
      fixed(of(name, "p50Ms"), 1),
      fixed(of(name, "p99Ms"), 1),
    ]),
  };
}

async function run({ rounds: wanted = ROUNDS }: BenchOptions): Promise<Outcome> {
  await ensurePeers();
  const folder = mkdtempSync(join(tmpdir(), "duplex-set-up-"));
  const clients = new Clients();
  const servers: BenchServer[] = [];
  try {
    const duplex = await startDuplex(folder);
    servers.push(duplex);
    const bare = await startWorker({
      name: "bare",
      entry: "bench/baselines/forwarding-object.ts",
      durableObjects: { FORWARDING: "ForwardingObject", ACKING: "AckingObject" },
    });
    servers.push(bare);
    const peerJs = await startProgram({ name: BASELINE, file: "baselines/peerjs-server.ts" });
    servers.push(peerJs);
    const rooms = await startProgram({ name: "Socket.IO", file: "baselines/socket-io-rooms.ts" });
    servers.push(rooms);
    const contenders: readonly (readonly [string, BenchServer, Dialect])[] = [
      ["Duplex", duplex, "duplex"],
      ["Duplex, with reports of both ends until connected", duplex, "duplex-reports"],
      ["Duplex, with whole records of flows", duplex, "duplex-full"],
      ["A bare object that forwards and answers", bare, "forwarding"],
      [BASELINE, peerJs, "peerjs"],
      ["Socket.IO sample", rooms, "socket-io"],
    ];
    const rounds = await alternate(
      contenders.map(
        ([name, server, dialect]): Contender => ({
          name,
          measure: () => measure(clients, server, dialect),
        }),
      ),
      wanted,
    );
    return {
      tables: [tableOf(rounds)],
      about: aboutOf(rounds, wanted),
      raw: Object.fromEntries(rounds),
      with: [peerVersion("peer"), peerVersion("socket.io"), `${wanted} rounds`],
    };
  } finally {
    await clients.stop();
    await Promise.all(servers.map(({ stop }) => stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

function aboutOf(rounds: Rounds, wanted: number): readonly string[] {
  const duplex = rounds.get("Duplex") ?? [];
  const whole = rounds.get("Duplex, with whole records of flows") ?? [];
  return [
    "One call: two joins, offer, answer and all candidates with the descriptions of two Chromium that use STUN and TURN,",
    "until both ends have everything. Duplex by the messages of its SDK, one for each burst of candidates (host; STUN",
    "and TURN with the end); PeerJS by those of its client, ids over HTTP and each candidate alone; a room over",
    "Socket.IO as tutorials have it, over WebSocket from the start. Payloads of frames and bodies of requests are",
    "counted, each upgrade is a request; heartbeats are left out. CPU is that of the server's processes. The platform's",
    "rate limits are left out: miniflare has an object with rows in their place. The bare object shows what two upgrades and",
    "these frames cost on the platform alone: it keeps nothing, knows nobody and reads nothing.",
    `${CALLS} calls per round and contender, ${AT_ONCE} at a time, sockets stay open until all are set up.`,
    `Not in it: the session and two tokens that the back end asks Duplex for, ${fixed(medianOf(duplex, "prepareUs"))} us in 3 requests;`,
    `leaving and ending the session, ${fixed(medianOf(duplex, "closeUs"))} us.`,
    "Its SDK follows flows briefly and is told of them once media run: the second row. Whoever asks for whole records",
    `gets ${fixed(medianOf(whole, "records"))} frames of ${fixed(medianOf(whole, "recordBytes"))} bytes in all.`,
    saysRounds(rounds, wanted),
  ];
}

export const setUp: Bench = {
  name: "set-up",
  title: "What a call costs to set up",
  run,
};
