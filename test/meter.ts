import { runInDurableObject } from "cloudflare:test";
import { CnameMemory } from "../durable-objects/cname-memory.ts";
import { KeyQuota } from "../durable-objects/key-quota.ts";
import { ManagedSfu } from "../durable-objects/managed-sfu.ts";
import { SessionIndex } from "../durable-objects/session-index.ts";
import { SessionObject } from "../durable-objects/session-object.ts";
import worker from "../src/index.ts";
import { type Bill, mapped, NOTHING } from "./bill.ts";
import type { LiveSession } from "./live-session.ts";

type Name = keyof Bill;
type Method = (this: unknown, ...given: unknown[]) => unknown;

/** What is counted by how often it is called. */
const METHODS: readonly (readonly [on: object, counts: Name, names: readonly string[]])[] = [
  [worker, "workerRequests", ["fetch"]],
  [
    SessionObject.prototype,
    "calls",
    [
      ...["fetch", "create", "exists", "view", "overview", "peers", "flows", "flow", "changeFlow"],
      ...["findings", "kick", "end"],
    ],
  ],
  [SessionObject.prototype, "calls", ["openHttpSession", "closeHttpSession", "hear"]],
  [ManagedSfu.prototype, "calls", ["take", "end"]],
  [ManagedSfu.prototype, "alarms", ["alarm"]],
  [SessionObject.prototype, "alarms", ["alarm"]],
  [SessionObject.prototype, "frames", ["webSocketMessage"]],
  [SessionObject.prototype, "closes", ["webSocketClose"]],
  [CnameMemory.prototype, "calls", ["recall"]],
  [CnameMemory.prototype, "alarms", ["alarm"]],
  [KeyQuota.prototype, "calls", ["acquire", "release", "held"]],
  [SessionIndex.prototype, "calls", ["add", "remove", "forget", "list", "totals"]],
];

/** The object in the chain of prototypes that has a method of its own. */
function ownerOf(start: object, name: string): Record<string, Method> {
  let owner: object | null = start;
  while (owner && !Object.hasOwn(owner, name)) owner = Reflect.getPrototypeOf(owner);
  if (!owner) throw new Error(`nothing has ${name}`);
  return owner as Record<string, Method>;
}

export class Meter {
  readonly #count: Record<Name, number> = { ...NOTHING };
  /** Rows are read as long as a cursor runs. */
  readonly #cursors: SqlStorageCursor<never>[] = [];
  #awakeMs = 0;
  /** When objects ran, milliseconds since 1970. */
  readonly #ranAt: number[] = [];
  readonly #undo: (() => void)[] = [];

  /** Counts all that the Worker and the objects of this isolate do from now on; `session` is any. */
  static async start(session: LiveSession): Promise<Meter> {
    const meter = new Meter();
    await runInDurableObject(session.stub, (_object, { storage }) => meter.#watchStorage(storage));
    for (const [on, counts, names] of METHODS) {
      for (const name of names) {
        meter.#watch(
          on,
          name,
          () => {
            meter.#count[counts] += 1;
            if (on !== worker) meter.#ranAt.push(Date.now());
          },
          on !== worker,
        );
      }
    }
    return meter;
  }

  stop(): void {
    for (const act of this.#undo) act();
  }

  get bill(): Bill {
    const rows = { written: 0, read: 0 };
    for (const { rowsWritten, rowsRead } of this.#cursors) {
      rows.written += rowsWritten;
      rows.read += rowsRead;
    }
    const { rowsWritten, rowsRead } = this.#count;
    return {
      ...this.#count,
      rowsWritten: rowsWritten + rows.written,
      rowsRead: rowsRead + rows.read,
    };
  }

  /** What an act costs. */
  async of(act: () => Promise<unknown>): Promise<Bill> {
    const before = this.bill;
    await act();
    const now = this.bill;
    return mapped(now, (name) => now[name] - before[name]);
  }

  /** How long objects ran, one as the other; on this machine, which may do other things as well. */
  get awakeMs(): number {
    return this.#awakeMs;
  }

  /** Seconds in which an object ran or had run less than `forSeconds` ago, since a time. */
  secondsSince(at: number, forSeconds: number): number {
    let seconds = 0;
    let until = at;
    for (const ran of this.#ranAt.filter((each) => each >= at).toSorted((a, b) => a - b)) {
      const end = ran + forSeconds * 1000;
      seconds += Math.max(0, end - Math.max(until, ran)) / 1000;
      until = Math.max(until, end);
    }
    return seconds;
  }

  #watchStorage(storage: DurableObjectStorage): void {
    const counts = (name: Name) => () => {
      this.#count[name] += 1;
    };
    this.#watch(storage.sql, "exec", (cursor) => {
      this.#cursors.push(cursor as SqlStorageCursor<never>);
    });
    for (const name of ["put", "delete"]) this.#watch(storage.kv, name, counts("rowsWritten"));
    this.#watch(storage.kv, "get", counts("rowsRead"));
    this.#watch(storage, "getAlarm", counts("rowsRead"));
    // What runs an alarm in tests deletes it first; objects delete none. What `deleteAll` costs is nowhere said: one row.
    for (const name of ["setAlarm", "deleteAll"]) {
      this.#watch(storage, name, counts("rowsWritten"));
    }
  }

  #watch(start: object, name: string, count: (result: unknown) => void, isTimed = false): void {
    const owner = ownerOf(start, name);
    const method = owner[name] as Method;
    const meter = this;
    owner[name] = function watched(this: unknown, ...given: unknown[]) {
      const began = performance.now();
      const result = method.apply(this, given);
      count(result);
      if (isTimed) void meter.#time(began, result);
      return result;
    };
    this.#undo.push(() => {
      owner[name] = method;
    });
  }

  async #time(began: number, result: unknown): Promise<void> {
    await Promise.resolve(result).catch(() => undefined);
    this.#awakeMs += performance.now() - began;
  }
}
