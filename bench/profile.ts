import { WebSocket } from "ws";
import type { Bench, BenchOptions, Outcome, Table } from "./bench.ts";
import type { FrameKind } from "./relay-frames.ts";
import { RelayLoad } from "./relay-load.ts";
import { startProfiled } from "./servers.ts";
import { inTemporaryFolder } from "./temporary-folder.ts";
import type { RaisedLimits } from "./worker-bundle.ts";

/** Where the time of a relayed frame goes in the Worker: CPU profiles of workerd's inspector. */

const TOP = 25;
const SAMPLING_US = 200;

const LIMITS: RaisedLimits = { messagesPerSecond: 1_000_000_000, messageBurst: 1_000_000_000 };

/** Of the DevTools protocol, domain Profiler. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface Reply {
  readonly id?: number;
  readonly result?: { readonly profile?: Profile };
  readonly error?: { readonly message: string };
}

/** A connection to the inspector of the one Worker that runs. */
class Inspector {
  readonly #socket: WebSocket;
  #requests = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async open(inspectorUrl: string): Promise<Inspector> {
    const response = await fetch(new URL("/json", inspectorUrl.replace(/^ws/, "http")));
    const targets = (await response.json()) as { webSocketDebuggerUrl: string }[];
    const [target] = targets;
    if (!target) throw new Error("the inspector shows no Worker");
    const socket = new WebSocket(target.webSocketDebuggerUrl, { maxPayload: 1 << 30 });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    return new Inspector(socket);
  }

  ask(method: string, params: object = {}): Promise<NonNullable<Reply["result"]>> {
    this.#requests += 1;
    const id = this.#requests;
    return new Promise((resolve, reject) => {
      const take = (data: unknown): void => {
        const reply = JSON.parse(String(data)) as Reply;
        if (reply.id !== id) return;
        this.#socket.off("message", take);
        if (reply.error) reject(new Error(`${method}: ${reply.error.message}`));
        else resolve(reply.result ?? {});
      };
      this.#socket.on("message", take);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Does it while it is profiled, and hands the profile on. */
  async watch<T>(act: () => Promise<T>, take: (profile: Profile) => void): Promise<T> {
    await this.ask("Profiler.enable");
    await this.ask("Profiler.setSamplingInterval", { interval: SAMPLING_US });
    await this.ask("Profiler.start");
    const result = await act();
    const { profile } = await this.ask("Profiler.stop");
    if (!profile) throw new Error("the inspector gave no profile");
    take(profile);
    return result;
  }

  close(): void {
    this.#socket.close();
  }
}

interface Cost {
  /** In the function itself, and with all that it calls, in microseconds. */
  self: number;
  total: number;
}

/** Not the Worker's: it waits. */
const IDLE = new Set(["(idle)", "(root)"]);

/** Adds time by function name; one that calls itself counts once. */
function addCosts(costs: Map<string, Cost>, { nodes, samples, timeDeltas }: Profile): void {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((c) => [c, id])));
  const nameOf = (id: number): string => byId.get(id)?.callFrame.functionName || "(anonymous)";
  const costOf = (name: string): Cost => {
    const cost = costs.get(name) ?? { self: 0, total: 0 };
    costs.set(name, cost);
    return cost;
  };
  for (const [n, sample] of samples.entries()) {
    const us = timeDeltas[n] ?? 0;
    if (IDLE.has(nameOf(sample))) continue;
    costOf(nameOf(sample)).self += us;
    const above = new Set<string>();
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
      above.add(nameOf(id));
    }
    for (const name of above) costOf(name).total += us;
  }
}

function tableOf(title: string, all: ReadonlyMap<string, Cost>, frames: number): Table {
  const costs = [...all].filter(([name]) => !IDLE.has(name));
  const whole = costs.reduce((sum, [, { self }]) => sum + self, 0);
  const part = (us: number): string => ((us / whole) * 100).toFixed(1);
  const top = (by: keyof Cost) =>
    costs.toSorted(([, one], [, other]) => other[by] - one[by]).slice(0, TOP);
  const [selves, totals] = [top("self"), top("total")];
  return {
    title: `${title}: ${(whole / frames).toFixed(0)} us per frame while it is watched`,
    head: ["in itself", "%", "with what it calls", "%"],
    rows: selves.map(([name, cost], n) => {
      const [above = "", { total } = { total: 0 }] = totals[n] ?? [];
      return [`\`${name}\``, part(cost.self), `\`${above}\``, part(total)];
    }),
  };
}

const PAIRS = 8;
const BURSTS = 12;

async function profileOf(inspector: Inspector, load: RelayLoad, kind: FrameKind, ack: boolean) {
  const lines = kind === "message" ? 1 : PAIRS;
  const framesPerLine = kind === "message" ? 1_500 : 8;
  const scenario = { kind, ack, lines, linesAtOnce: lines, framesPerLine };
  const inFlightPerLine = kind === "message" ? 64 : 8;
  const bursts = kind === "message" ? 2 : BURSTS;
  const all = { ...scenario, inFlightPerLine, bursts };
  await load.measure(all);
  const costs = new Map<string, Cost>();
  await load.measure(all, (act) => inspector.watch(act, (profile) => addCosts(costs, profile)));
  return tableOf(`\`${kind}\`${ack ? " with `id`" : ""}`, costs, lines * framesPerLine * bursts);
}

const measure = (_options: BenchOptions): Promise<Outcome> =>
  inTemporaryFolder("profile", async (folder) => {
    const server = await startProfiled(folder, { limits: LIMITS });
    const load = await RelayLoad.connect(server, "duplex", PAIRS);
    const inspector = await Inspector.open(server.inspectorUrl ?? "");
    const tables: Table[] = [];
    try {
      for (const kind of ["message", "candidates"] as const) {
        for (const ack of [false, true]) {
          tables.push(await profileOf(inspector, load, kind, ack));
        }
      }
    } finally {
      inspector.close();
      await load.stop();
      await server.stop();
    }
    return {
      tables,
      about: [
        "CPU profiles of workerd's inspector while frames are relayed, one pair with 64 in flight, for candidates 8 pairs",
        "with 8 each. Time in the Worker alone; what it asks of the runtime counts as the function that asks.",
      ],
      raw: tables,
    };
  });

export const profile: Bench = {
  name: "profile",
  title: "Where the time of a relayed frame goes",
  run: measure,
};
