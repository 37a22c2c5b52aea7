import { canonicalAddressOf } from "../sdp/address.ts";
import type { Criterion } from "./message.ts";

/**
 * Finds the endpoint that a connect message is for (TS 26.113 clause 13.2.4.4.2.2). All criteria have to match. One that
 * said nothing of its `qos` or `processing` is a match all the same, after those that did; among equals chance decides.
 */

/** What an endpoint may leave unsaid. */
const MAY_BE_UNSAID: ReadonlySet<string> = new Set(["qos", "processing"]);

/** Criteria by type, each value in its one spelling. */
type Facts = ReadonlyMap<string, readonly unknown[]>;

/** The endpoints of a realm by what they registered: a connect message looks at few of them, however many there are. */
export class Registry {
  readonly #facts = new Map<string, Facts>();
  /** Endpoints by type and value, by each of its leaves where it is an object. */
  readonly #index = new Map<string, Set<string>>();

  get size(): number {
    return this.#facts.size;
  }

  /** Replaces whatever the endpoint registered before. */
  register(endpoint: string, criteria: readonly Criterion[]): void {
    this.unregister(endpoint);
    const facts = factsOf(criteria);
    this.#facts.set(endpoint, facts);
    for (const key of keysOf(facts)) {
      const known = this.#index.get(key);
      if (known) known.add(endpoint);
      else this.#index.set(key, new Set([endpoint]));
    }
  }

  unregister(endpoint: string): void {
    const facts = this.#facts.get(endpoint);
    if (!facts) return;
    this.#facts.delete(endpoint);
    for (const key of keysOf(facts)) {
      const known = this.#index.get(key);
      known?.delete(endpoint);
      if (known?.size === 0) this.#index.delete(key);
    }
  }

  /**
   * The endpoint that matches all criteria, never `except`. `chance` from 0 to below 1 decides among equals. Undefined when
   * none does.
   */
  find(criteria: readonly Criterion[], except: string, chance: number): string | undefined {
    const wanted = criteria.map(wantedOf);
    let best: string[] = [];
    let most = 0;
    for (const endpoint of this.#candidates(wanted)) {
      const facts = this.#facts.get(endpoint);
      const said = endpoint === except || !facts ? undefined : matches(facts, wanted);
      if (said === undefined || said < most) continue;
      if (said > most) best = [];
      most = said;
      best.push(endpoint);
    }
    return best[Math.floor(chance * best.length)];
  }

  /** Endpoints that could match: the fewest that some criterion leaves, or all. */
  #candidates(wanted: readonly Wanted[]): Iterable<string> {
    let fewest: ReadonlySet<string> | undefined;
    for (const { type, values } of wanted) {
      if (MAY_BE_UNSAID.has(type)) continue;
      const found = this.#withAny(type, values);
      if (found && (!fewest || found.size < fewest.size)) fewest = found;
    }
    return fewest ?? this.#facts.keys();
  }

  /** Those that may have one of these values; undefined when the index does not tell. */
  #withAny(type: string, values: readonly unknown[]): ReadonlySet<string> | undefined {
    const sets: ReadonlySet<string>[] = [];
    for (const value of values) {
      const found = this.#with(type, value);
      if (!found) return undefined;
      sets.push(found);
    }
    const [first] = sets;
    return first && sets.length === 1 ? first : new Set(sets.flatMap((set) => [...set]));
  }

  /** The fewest that have one of the leaves of a value. */
  #with(type: string, value: unknown): ReadonlySet<string> | undefined {
    let fewest: ReadonlySet<string> | undefined;
    for (const key of keysIn(type, value)) {
      const found = this.#index.get(key) ?? NONE;
      if (!fewest || found.size < fewest.size) fewest = found;
    }
    return fewest;
  }
}

const NONE: ReadonlySet<string> = new Set();

/** How much that may be unsaid the endpoint did say; undefined when anything does not match. */
function matches(facts: Facts, wanted: readonly Wanted[]): number | undefined {
  let said = 0;
  for (const { type, values } of wanted) {
    const own = facts.get(type);
    if (!own) {
      if (MAY_BE_UNSAID.has(type)) continue;
      return undefined;
    }
    if (!values.some((value) => own.some((each) => includes(each, value)))) return undefined;
    if (MAY_BE_UNSAID.has(type)) said += 1;
  }
  return said;
}

/** What an endpoint registered; several criteria of one type are all true of it. */
function factsOf(criteria: readonly Criterion[]): Facts {
  const facts = new Map<string, unknown[]>();
  for (const { type, values } of criteria.map(wantedOf)) {
    const known = facts.get(type);
    if (known) known.push(...values);
    else facts.set(type, [...values]);
  }
  return facts;
}

interface Wanted {
  readonly type: string;
  /** Any of these. */
  readonly values: readonly unknown[];
}

/** A list of values names alternatives, such as areas that one can be in. */
function wantedOf({ type, value }: Criterion): Wanted {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return { type, values: values.map((each) => spellingOf(type, each)) };
}

/** What is written in several ways and means one thing (RFC 4343, RFC 5952). */
function spellingOf(type: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (type === "fqdn") return value.toLowerCase().replace(/\.$/, "");
  return type === "ipv6" ? canonicalAddressOf(value) : value;
}

function* keysOf(facts: Facts): Generator<string> {
  for (const [type, values] of facts) for (const value of values) yield* keysIn(type, value);
}

/** `service "game-7"`, `location.area "cell-3"`: a key for each leaf of a value. */
function* keysIn(path: string, value: unknown): Generator<string> {
  if (!isRecord(value)) yield `${path} ${JSON.stringify(value)}`;
  else for (const [name, member] of Object.entries(value)) yield* keysIn(`${path}.${name}`, member);
}

/** The same value; an object that has all that is wanted, and perhaps more. */
function includes(own: unknown, wanted: unknown): boolean {
  if (own === wanted) return true;
  if (!isRecord(own) || !isRecord(wanted)) return false;
  return Object.entries(wanted).every(([name, value]) => includes(own[name], value));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
