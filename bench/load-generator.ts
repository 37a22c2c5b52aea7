// The peers and the back end of bench/load.ts, in a process of its own. Tells its parent over IPC.
import { setTimeout as delay } from "node:timers/promises";
import { LoadBackend, makeCall } from "./load-call.ts";
import type { LoadPeer } from "./load-peer.ts";

export interface LoadPlan {
  readonly baseUrl: string;
  readonly keys: readonly string[];
  readonly sessions: number;
  readonly callsPerMinute: number;
  readonly ms: number;
}

/** What the generator tells: first that all idle peers are there, then each minute, at last the end. */
export type LoadNews =
  | { readonly type: "ready"; readonly rampMs: number }
  | { readonly type: "minute"; readonly minute: MinuteOfCalls }
  | { readonly type: "end"; readonly total: Totals };

export interface MinuteOfCalls {
  readonly calls: number;
  /** Of each call, in milliseconds. */
  readonly setUpMs: readonly number[];
  readonly pings: number;
}

export interface Totals {
  readonly failures: readonly string[];
  /** Sockets of idle peers that closed, or did not answer their ping. */
  readonly lost: number;
  /** Idle peers that got a message of the other one at the end. */
  readonly woken: number;
}

const RAMP_AT_ONCE = 12;
const PING_MS = 25_000;

const tell = (news: LoadNews): Promise<void> =>
  new Promise((resolve) => process.send?.(news, undefined, undefined, () => resolve()));

async function withAtOnce(limit: number, count: number, act: (n: number) => Promise<void>) {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

class Load {
  readonly #plan: LoadPlan;
  readonly #backends: readonly LoadBackend[];
  readonly #idle: (readonly [LoadPeer, LoadPeer])[] = [];
  readonly #failures: string[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #setUpMs: number[] = [];
  #calls = 0;
  #pings = 0;
  #lost = 0;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#backends = plan.keys.map((key) => new LoadBackend(plan.baseUrl, key));
  }

  #backend(n: number): LoadBackend {
    const backend = this.#backends[n % this.#backends.length];
    if (!backend) throw new Error("no key");
    return backend;
  }

  async run(): Promise<void> {
    const began = performance.now();
    await withAtOnce(RAMP_AT_ONCE, this.#plan.sessions, (n) => this.#addIdle(n));
    await tell({ type: "ready", rampMs: performance.now() - began });
    await this.#hold();
    for (const timer of this.#timers) clearInterval(timer);
    const woken = await this.#wakeAll();
    await tell({ type: "end", total: { failures: this.#failures, lost: this.#lost, woken } });
    for (const peer of this.#idle.flat()) peer.close();
  }

  async #addIdle(n: number): Promise<void> {
    const backend = this.#backend(n);
    const session = await backend.session({ metadata: { bench: n } });
    const pair = [await backend.join(session), await backend.join(session)] as const;
    await pair[0].next("peer-joined");
    this.#idle.push(pair);
    for (const peer of pair) {
      peer.onClose = () => {
        this.#lost += 1;
      };
      // Each at its own time, as peers that came one after another do.
      const first = setTimeout(() => {
        this.#timers.push(setInterval(() => void this.#ping(peer), PING_MS));
        void this.#ping(peer);
      }, Math.random() * PING_MS);
      this.#timers.push(first);
    }
  }

  async #ping(peer: LoadPeer): Promise<void> {
    if (peer.closed !== null) return;
    await peer.ping().then(
      () => {
        this.#pings += 1;
      },
      () => {
        this.#lost += 1;
      },
    );
  }

  /** Calls begin at their times, however long those before take. */
  async #hold(): Promise<void> {
    const { callsPerMinute, ms } = this.#plan;
    const count = Math.round((ms / 60_000) * callsPerMinute);
    const began = performance.now();
    const running: Promise<void>[] = [];
    // What came in while everybody joined is not of the first minute.
    this.#pings = 0;
    const minutes = setInterval(() => void this.#tellMinute(), 60_000);
    const last = setTimeout(() => clearInterval(minutes), ms - 1_000);
    for (let n = 0; n < count; n++) {
      await delay(Math.max(0, began + (n * 60_000) / callsPerMinute - performance.now()));
      running.push(this.#call(n));
    }
    await delay(Math.max(0, began + ms - performance.now()));
    await Promise.all(running);
    clearTimeout(last);
    await this.#tellMinute();
  }

  async #call(n: number): Promise<void> {
    try {
      this.#setUpMs.push(await makeCall(this.#backend(n)));
      this.#calls += 1;
    } catch (fault) {
      this.#fail(fault);
    }
  }

  #tellMinute(): Promise<void> {
    const minute = { calls: this.#calls, setUpMs: this.#setUpMs, pings: this.#pings };
    this.#calls = 0;
    this.#setUpMs = [];
    this.#pings = 0;
    return tell({ type: "minute", minute });
  }

  /** A socket may look open and be dead: a message must come through each. */
  async #wakeAll(): Promise<number> {
    let woken = 0;
    await withAtOnce(RAMP_AT_ONCE, this.#idle.length, async (n) => {
      const [one, other] = this.#idle[n] ?? [];
      if (!one || !other) return;
      try {
        for (const [from, to] of [[one, other] as const, [other, one] as const]) {
          const heard = to.next("message");
          await from.request({ type: "message", to: to.id, body: n });
          if ((await heard).body === n) woken += 1;
        }
      } catch (fault) {
        this.#fail(fault);
      }
    });
    return woken;
  }

  #fail(fault: unknown): void {
    this.#failures.push(fault instanceof Error ? fault.message : String(fault));
  }
}

// As a program only: bench/load.ts imports the types.
if (import.meta.main) {
  // Whoever started it is gone: nobody would hear the rest.
  process.once("disconnect", () => process.exit());
  await new Load(JSON.parse(process.argv[2] ?? "") as LoadPlan).run();
  process.disconnect();
}
