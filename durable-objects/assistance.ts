import type { AssistanceConfig, AssistanceNetwork } from "../protocol/assistance/config.ts";
import { withoutStale } from "../protocol/assistance/held.ts";
import { isSettled, type Told, type Wish } from "../protocol/assistance/holding.ts";
import type { NetworkAnswer } from "../protocol/assistance/network.ts";
import { dueOf, interrupted } from "../protocol/assistance/next-act.ts";
import { notified } from "../protocol/assistance/notified.ts";
import { type AssistanceRequest, recordsOf, viewRequests } from "../protocol/assistance/records.ts";
import { relaysOf } from "../protocol/assistance/relays.ts";
import { type Surroundings, type Wanted, wantedOf } from "../protocol/assistance/wishes.ts";
import type { Session } from "../protocol/session.ts";
import type { SessionEvent } from "../protocol/step.ts";
import { AssistanceCalls } from "./assistance-calls.ts";
import { assistanceConfig } from "./assistance-networks.ts";
import { AssistanceNews } from "./assistance-news.ts";
import { type AssistanceEntry, AssistanceRows } from "./assistance-rows.ts";
import { deploymentConfig } from "./deployment-config.ts";
import type { Bindings } from "./env.ts";
import { report } from "./frames.ts";
import { type Kept, UnsureWishes } from "./unsure-wishes.ts";

/** What it asks of its session. */
export interface AssistancePorts {
  readonly session: () => Session | null;
  readonly turn: (event: SessionEvent) => void;
  /** Something is due that was not before: the alarm may have to be earlier. */
  readonly dueChanged: () => void;
  /** Of a session that is over no network has anything any more. */
  readonly emptied: () => void;
}

/** When to look again where nobody can say what is due: the configuration is wrong, or something of ours failed. */
const AGAIN_MS = 600_000;

/** What makes the session want something else. */
type Cause = readonly [Session["links"], Session["peers"], Session["trickle"]];

/**
 * What mobile networks are asked for a session (M13): made to be what its flows need, by calls that are remembered before
 * they are made. The call between peers waits for none of it, and suffers from none of its faults. Without networks in the
 * configuration nothing is read, written or asked.
 */
export class Assistance {
  readonly #env: Bindings;
  readonly #ports: AssistancePorts;
  readonly #rows: AssistanceRows;
  readonly #calls: AssistanceCalls;
  readonly #unsure = new UnsureWishes(() => this.#carry(true));
  /** Undefined until it is read; null where it is wrong. */
  #config: AssistanceConfig | null | undefined;
  #cause: Cause | undefined;
  #wanted: ReadonlyMap<string, Wanted> = new Map();
  /** By what is wanted: comparing all of a large mesh takes long. */
  readonly #alike = new WeakMap<Wanted, Wanted>();
  /** Something is another than when it was looked at last. */
  #isNews = true;
  /** Undefined until it is looked at. */
  #due: number | null | undefined;
  readonly #news: AssistanceNews;
  #around: Surroundings | undefined;

  constructor(state: DurableObjectState, env: Bindings, ports: AssistancePorts) {
    this.#env = env;
    this.#ports = ports;
    const rows = new AssistanceRows(state.storage);
    this.#rows = rows;
    this.#news = new AssistanceNews(state, {
      ...ports,
      ends: (session, at) =>
        recordsOf(session, [...this.#wanted.values()], rows.holdings, this.#networks, at),
    });
    this.#calls = new AssistanceCalls(state, env, this.#rows, {
      networks: () => this.#networks,
      wishOf: (key) => this.#wishOf(key),
      changed: () => this.#changed(),
      rested: (key) => this.#rested(key),
    });
  }

  get #networks(): readonly AssistanceNetwork[] {
    if (this.#config === undefined) this.#config = assistanceConfig(this.#env);
    return this.#config?.networks ?? [];
  }

  /** False where there is nobody to ask, and nothing to be read. */
  get #isOn(): boolean {
    return this.#networks.length > 0 || this.#config === null;
  }

  /** A network has, or may have, something: a session that is over leaves it behind. */
  get isWaiting(): boolean {
    return this.#isOn && this.#rows.entries.size > 0;
  }

  /** When something is due, milliseconds since 1970; null when nothing is. */
  get deadline(): number | null {
    if (!this.isWaiting) return null;
    // Nobody can be asked: when the configuration is right again, a new object reads it.
    if (this.#config === null) this.#due ??= Date.now() + AGAIN_MS;
    this.#due ??= this.#guarded(() => this.#nextDue(), Date.now() + AGAIN_MS);
    return this.#due === NEVER ? null : this.#due;
  }

  #nextDue(): number {
    let next = NEVER;
    for (const [key, entry] of this.#rows.entries) {
      const due = dueOf(entry.holding, this.#wishOf(key)) ?? NEVER;
      next = Math.min(next, this.#calls.startOf(key, entry, due));
    }
    return next;
  }

  /** Compares what the session needs with what networks hold, and begins what is due; nothing is awaited. */
  carry(): void {
    this.#carry(false);
  }

  /** The alarm has rung, whatever for. */
  ring(): void {
    this.#due = undefined;
    this.#carry(true);
  }

  #carry(isTime: boolean): void {
    if (this.#networks.length > 0) this.#guarded(() => this.#look(isTime), undefined);
    else if (this.#config) this.#news.takeBack(this.#rows);
  }

  /** A fault of ours is none of the call's. */
  #guarded<T>(act: () => T, otherwise: T): T {
    try {
      return act();
    } catch (thrown) {
      report(thrown);
      return otherwise;
    }
  }

  #look(isTime: boolean): void {
    this.#want();
    if (!this.#isNews && !isTime) return;
    this.#isNews = false;
    this.#due = undefined;
    const isAny = this.#wanted.size > 0 || this.#rows.entries.size > 0 || this.#news.hasTold;
    if (!isAny) {
      this.#unsure.wait([]);
      return;
    }
    for (const { key, ue, network } of this.#wanted.values()) {
      if (this.#rows.entries.has(key) || !this.#wishOf(key)) continue;
      this.#rows.add(key, ue, network, apiOf(this.#networks, network));
    }
    for (const [key, entry] of this.#rows.entries) this.#begin(key, entry);
    this.#unsure.wait(this.#kept());
    this.#news.tellSoon();
  }

  #want(): void {
    const session = this.#ports.session();
    const { links, peers, trickle } = session ?? {};
    const [knownLinks, knownPeers, knownTrickle] = this.#cause ?? [];
    if (!session || !links || !peers || !trickle) {
      this.#wantOnly([]);
      return;
    }
    if (links === knownLinks && peers === knownPeers && trickle === knownTrickle) return;
    this.#around ??= {
      networks: this.#networks,
      relays: relaysOf(deploymentConfig(this.#env).turn),
    };
    this.#wantOnly(wantedOf(session, this.#around));
    this.#cause = [links, peers, trickle];
  }

  /** Measurements change a session all the time, and mostly nothing of what it wants. */
  #wantOnly(wanted: readonly Wanted[]): void {
    this.#cause = undefined;
    const next = new Map(wanted.map((each) => [each.key, this.#known(each)]));
    const isSame =
      next.size === this.#wanted.size &&
      [...next].every(([key, each]) => this.#wanted.get(key) === each);
    if (isSame) return;
    this.#wanted = next;
    this.#isNews = true;
    this.#unsure.look(next.values());
  }

  /** What was wanted before, where it is the same. */
  #known(wanted: Wanted): Wanted {
    const alike = this.#alike.get(wanted);
    if (alike) return alike;
    const before = this.#wanted.get(wanted.key);
    const known = before && JSON.stringify(before) === JSON.stringify(wanted) ? before : wanted;
    this.#alike.set(wanted, known);
    return known;
  }

  #wishOf(key: string): Wish | undefined {
    const wanted = this.#wanted.get(key);
    const entry = this.#rows.entries.get(key);
    const of = wanted ?? entry;
    return of && this.#unsure.wishOf({ of, wanted, holding: entry?.holding });
  }

  /** What is wanted, and what is still held of what was. */
  *#kept(): Iterable<Kept> {
    for (const [key, wanted] of this.#wanted) {
      yield { of: wanted, wanted, holding: this.#rows.entries.get(key)?.holding };
    }
    for (const [key, entry] of this.#rows.entries) {
      if (!this.#wanted.has(key)) yield { of: entry, wanted: undefined, holding: entry.holding };
    }
  }

  #begin(key: string, entry: AssistanceEntry): void {
    if (this.#calls.isAtWorkFor(key)) return;
    // Whoever made the call is gone with the memory it was in: nobody will know its answer.
    const given = interrupted(entry.holding, Date.now(), Math.random());
    const holding = withoutStale(given, Date.now());
    if (holding !== entry.holding) {
      entry.holding = holding;
      this.#rows.write(key);
    }
    if (this.#isOver(key, entry)) this.#drop(key);
    else this.#calls.begin(key, entry);
  }

  #isOver(key: string, { holding }: AssistanceEntry): boolean {
    return isSettled(holding) && !this.#wishOf(key);
  }

  /** The network has nothing of it any more. */
  #drop(key: string): void {
    this.#rows.delete(key);
    this.#changed();
    this.#rest();
  }

  #changed(): void {
    this.#isNews = true;
    this.#due = undefined;
    this.#news.tellSoon();
  }

  #rested(key: string): void {
    const entry = this.#rows.entries.get(key);
    if (entry && this.#isOver(key, entry)) this.#rows.delete(key);
    this.#changed();
    this.#carry(true);
    this.#rest();
  }

  #rest(): void {
    const isEmpty = this.#rows.entries.size === 0 && !this.#calls.isRunning;
    if (isEmpty && !this.#ports.session()) this.#ports.emptied();
    else this.#ports.dueChanged();
  }

  /** A network says by itself what became of a resource; false when none of ours is meant. */
  notified(key: string, told: Told): boolean {
    const entry = this.#networks.length > 0 ? this.#rows.entries.get(key) : undefined;
    if (!entry) return false;
    const holding = notified(entry.holding, told, Date.now());
    // What is told twice, or too late, changes nothing.
    if (holding === entry.holding) return true;
    entry.holding = holding;
    this.#rows.write(key);
    this.#changed();
    this.#carry(true);
    this.#rest();
    return true;
  }

  /** Asks the network of a peer for more for a short time; undefined where it cannot be asked. */
  boost(peer: string): Promise<NetworkAnswer | undefined> {
    return this.#calls.boost(peer);
  }

  view(): readonly AssistanceRequest[] {
    const [wanted, { entries }] = [[...this.#wanted.values()], this.#rows];
    return viewRequests(this.#ports.session(), wanted, entries, this.#networks, Date.now());
  }

  /** What memory holds is in doubt. */
  forget(): void {
    this.#rows.forget();
    this.#config = undefined;
    this.#around = undefined;
    this.#cause = undefined;
    this.#wanted = new Map();
    this.#isNews = true;
    this.#due = undefined;
    this.#unsure.forget();
    this.#news.forget();
  }
}

const NEVER = Number.POSITIVE_INFINITY;

const apiOf = (networks: readonly AssistanceNetwork[], name: string) =>
  networks.find((network) => network.name === name)?.api ?? "camara-qod";
