/** What a chaos run is made of: one seed, one clock, and events that wait in lanes until the seed picks them. */

/** Random numbers that are the same for the same seed (mulberry32). */
export class Seeded {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(part: number): boolean {
    return this.next() < part;
  }

  pick<T>(list: readonly T[]): T {
    const one = list[this.below(list.length)];
    if (one === undefined) throw new Error("nothing to pick from");
    return one;
  }

  /** Letters and digits, as in ufrags and ids. */
  text(length: number): string {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    return Array.from({ length }, () => letters[this.below(letters.length)]).join("");
  }
}

interface Timer {
  readonly id: number;
  at: number;
  readonly everyMs: number | undefined;
  readonly ring: () => void;
}

/** Timers that ring when the run says what time it is. */
export class Clock {
  now: number;
  /** Far from the ids of the runtime's own timers. */
  #nextId = 1e9;
  readonly #timers = new Map<number, Timer>();

  constructor(now: number) {
    this.now = now;
  }

  set(ring: () => void, ms = 0, everyMs?: number): number {
    const id = this.#nextId++;
    const wait = Number.isFinite(ms) ? Math.max(0, ms) : 0;
    this.#timers.set(id, { id, at: this.now + wait, everyMs, ring });
    return id;
  }

  clear(id: unknown): void {
    this.#timers.delete(Number(id));
  }

  /** When the next timer rings. */
  get next(): number | undefined {
    return this.#first()?.at;
  }

  /** Rings the next timer if it is due. */
  ring(): boolean {
    const timer = this.#first();
    if (timer === undefined || timer.at > this.now) return false;
    if (timer.everyMs === undefined) this.#timers.delete(timer.id);
    else timer.at = this.now + Math.max(1, timer.everyMs);
    timer.ring();
    return true;
  }

  #first(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (first === undefined || timer.at < first.at) first = timer;
    }
    return first;
  }
}

/** Something that waits for its turn. */
export interface Pending {
  readonly what: string;
  readonly run: () => void | Promise<void>;
  /** What is lost if it never gets its turn. */
  readonly frame?: string;
}

/** Events of one source: among themselves they keep their order. */
export class Lane {
  readonly name: string;
  readonly pending: Pending[] = [];

  constructor(name: string) {
    this.name = name;
  }

  add(what: string, run: Pending["run"], frame?: string): void {
    this.pending.push({ what, run, ...(frame === undefined ? {} : { frame }) });
  }
}

/** Promise chains of the SDK are a few dozen links long; a chain ends where it waits for an event of a lane. */
const LINKS_OF_A_CHAIN = 80;

export class World {
  readonly seed: number;
  readonly random: Seeded;
  readonly clock: Clock;
  readonly log: string[] = [];
  /** Something that did not go as it must, found under way. */
  readonly wrongs: string[] = [];
  readonly #lanes = new Set<Lane>();
  readonly #start: number;

  constructor(seed: number, now: number) {
    this.seed = seed;
    this.random = new Seeded(seed);
    this.clock = new Clock(now);
    this.#start = now;
  }

  lane(name: string): Lane {
    const lane = new Lane(name);
    this.#lanes.add(lane);
    return lane;
  }

  drop(lane: Lane): void {
    this.#lanes.delete(lane);
  }

  note(what: string): void {
    this.log.push(`${((this.clock.now - this.#start) / 1000).toFixed(3)} ${what}`);
  }

  wrong(what: string): void {
    this.note(`WRONG ${what}`);
    this.wrongs.push(what);
  }

  get busy(): boolean {
    return [...this.#lanes].some(({ pending }) => pending.length > 0);
  }

  /** Lets one event happen that the seed picks; false when none waits. */
  async happen(): Promise<boolean> {
    const lanes = [...this.#lanes].filter(({ pending }) => pending.length > 0);
    if (lanes.length === 0) return false;
    const lane = this.random.pick(lanes);
    const next = lane.pending.shift();
    if (next === undefined) return false;
    this.note(`${lane.name} ${next.what}`);
    await next.run();
    await this.drain();
    return true;
  }

  /** Lets time pass; what rings on the way rings in order. */
  async pass(ms: number): Promise<void> {
    const until = this.clock.now + ms;
    for (let next = this.clock.next; next !== undefined && next <= until; next = this.clock.next) {
      this.clock.now = Math.max(this.clock.now, next);
      if (this.clock.ring()) await this.drain();
    }
    this.clock.now = until;
  }

  async drain(): Promise<void> {
    for (let link = 0; link < LINKS_OF_A_CHAIN; link += 1) await null;
  }
}
