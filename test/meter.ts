import { runInDurableObject } from "cloudflare:test";
import { SessionObject } from "../durable-objects/session-object.ts";
import type { LiveSession } from "./live-session.ts";

/**
 * What the platform bills of session objects, read off its own interfaces while they are used: rows by the counters of
 * SQL cursors, a row for each value that is put and each alarm that is set, a request for each call, upgrade and alarm,
 * and a twentieth of one for each frame that comes in.
 */
export interface Bill {
  readonly rowsWritten: number;
  readonly rowsRead: number;
  /** Calls, upgrades and alarms. */
  readonly requests: number;
  /** Frames that peers sent and the runtime did not answer itself. */
  readonly frames: number;
  /** Requests as they are billed: frames count 20 to one. */
  readonly billedRequests: number;
}

type Method = (this: unknown, ...given: unknown[]) => unknown;

/** The object in the chain of prototypes that has a method of its own. */
function ownerOf(start: object, name: string): Record<string, Method> {
  let owner: object | null = start;
  while (owner && !Object.hasOwn(owner, name)) owner = Reflect.getPrototypeOf(owner);
  if (!owner) throw new Error(`nothing has ${name}`);
  return owner as Record<string, Method>;
}

const REQUESTS = ["fetch", "alarm", "create", "exists", "view", "peers", "flows", "flow"] as const;
const FRAMES = ["webSocketMessage"] as const;

export class Meter {
  readonly #count = { rowsWritten: 0, rowsRead: 0, requests: 0, frames: 0 };
  readonly #undo: (() => void)[] = [];

  /** Counts all session objects of this isolate from now on. */
  static async start(session: LiveSession): Promise<Meter> {
    const meter = new Meter();
    await runInDurableObject(session.stub, (_object, { storage }) => meter.#watchStorage(storage));
    for (const name of REQUESTS) {
      meter.#watch(SessionObject.prototype, name, () => {
        meter.#count.requests += 1;
      });
    }
    for (const name of FRAMES) {
      meter.#watch(SessionObject.prototype, name, () => {
        meter.#count.frames += 1;
      });
    }
    return meter;
  }

  stop(): void {
    for (const act of this.#undo) act();
  }

  get bill(): Bill {
    return {
      ...this.#count,
      billedRequests: this.#count.requests + this.#count.frames / 20,
    };
  }

  /** What an act costs. */
  async of(act: () => Promise<unknown>): Promise<Bill> {
    const before = this.bill;
    await act();
    const now = this.bill;
    return Object.fromEntries(
      Object.entries(now).map(([name, value]) => [name, value - before[name as keyof Bill]]),
    ) as unknown as Bill;
  }

  #watchStorage(storage: DurableObjectStorage): void {
    this.#watch(storage.sql, "exec", (cursor) => {
      const { rowsWritten, rowsRead } = cursor as SqlStorageCursor<never>;
      this.#count.rowsWritten += rowsWritten;
      this.#count.rowsRead += rowsRead;
    });
    for (const name of ["put", "delete"]) {
      this.#watch(storage.kv, name, () => {
        this.#count.rowsWritten += 1;
      });
    }
    this.#watch(storage.kv, "get", () => {
      this.#count.rowsRead += 1;
    });
    // What runs an alarm in tests deletes it first; objects delete none.
    for (const name of ["setAlarm", "deleteAll"]) {
      this.#watch(storage, name, () => {
        this.#count.rowsWritten += 1;
      });
    }
  }

  #watch(start: object, name: string, count: (result: unknown) => void): void {
    const owner = ownerOf(start, name);
    const method = owner[name] as Method;
    owner[name] = function watched(this: unknown, ...given: unknown[]) {
      const result = method.apply(this, given);
      count(result);
      return result;
    };
    this.#undo.push(() => {
      owner[name] = method;
    });
  }
}
