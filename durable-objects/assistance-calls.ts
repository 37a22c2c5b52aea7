import { type Allowance, type AllowanceRule, levelOf, spend } from "../protocol/allowance.ts";
import { afterAct } from "../protocol/assistance/after-act.ts";
import type { AssistanceNetwork } from "../protocol/assistance/config.ts";
import type { Act, Wish } from "../protocol/assistance/holding.ts";
import type { FoundAnswer, NetworkAnswer } from "../protocol/assistance/network.ts";
import { begun, nextAct } from "../protocol/assistance/next-act.ts";
import { boosted } from "../protocol/assistance/notified.ts";
import { portOf } from "./assistance-networks.ts";
import { type AssistanceEntry, type AssistanceRows, newsIn } from "./assistance-rows.ts";
import type { Bindings } from "./env.ts";
import { report } from "./frames.ts";
import { notifyFor } from "./network-notify.ts";

/** What the calls are made for. */
export interface CallPorts {
  readonly networks: () => readonly AssistanceNetwork[];
  readonly wishOf: (key: string) => Wish | undefined;
  /** Something of a request is another than before. */
  readonly changed: () => void;
  /** Nobody is at work for this request any more, or something is due now. */
  readonly rested: (key: string) => void;
}

/** Calls in a row for one request before the rest waits for the alarm. */
const MOST_IN_A_ROW = 50;
/** Requests at a time: the platform opens six connections, and a call that waits for one would count as unanswered. */
const MOST_AT_ONCE = 4;
/** Of a network that asks for a pause without saying how long. Milliseconds. */
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** Between two boosts that a peer asks for: whoever asks all the time may not use up what a network takes from all. Milliseconds. */
const BOOST_PAUSE_MS = 5_000;
/**
 * Creates for one UE: all that a mesh of sixteen needs at once, then one a second. Whoever selects another pair all the time, or
 * holds and resumes, may not use up what a network takes from all.
 */
const CREATES: AllowanceRule = { burst: 32, perSecond: 1 };
/** An alarm for what is under way: it matters only if the object is gone before it is done. */
const SAFETY_MS = 60_000;

const TOO_OFTEN: NetworkAnswer = { type: "later", reason: "too-often" };

/** Makes the calls of a session's requests, each written before it is made; nothing waits for them. */
export class AssistanceCalls {
  readonly #state: DurableObjectState;
  readonly #env: Bindings;
  readonly #rows: AssistanceRows;
  readonly #ports: CallPorts;
  /** Until when each may take. */
  readonly #running = new Map<string, number>();
  /** Networks that asked for a pause, and until when. */
  readonly #paused = new Map<string, number>();
  /** When each peer asked for a boost. */
  readonly #boostedAt = new Map<string, number>();
  /** What each peer may still have created. */
  readonly #creates = new Map<string, Allowance>();

  constructor(state: DurableObjectState, env: Bindings, rows: AssistanceRows, ports: CallPorts) {
    this.#state = state;
    this.#env = env;
    this.#rows = rows;
    this.#ports = ports;
  }

  get isRunning(): boolean {
    return this.#running.size > 0;
  }

  isAtWorkFor(key: string): boolean {
    return this.#running.has(key);
  }

  /** Makes what is due for a request, if there is anything. */
  begin(key: string, { holding, network, ue }: AssistanceEntry): void {
    if (this.#running.has(key) || this.#running.size >= MOST_AT_ONCE) return;
    if (this.#isPaused(network)) return;
    const act = nextAct(holding, this.#ports.wishOf(key), Date.now());
    if (!act || this.#startOfAct(act, ue) > Date.now()) return;
    this.#running.set(key, Date.now() + SAFETY_MS);
    this.#state.waitUntil(this.#run(key));
  }

  /** When a request that is due then can be looked after, milliseconds since 1970. */
  startOf(key: string, { network, holding, ue }: AssistanceEntry, due: number): number {
    const safe = this.#running.get(key);
    // Calls in a row may take longer: an alarm for what has passed would ring at once, and so for as long as they take.
    if (safe !== undefined) return safe > Date.now() ? safe : Date.now() + SAFETY_MS;
    // Whoever is done lets the next begin.
    const isFull = this.#running.size >= MOST_AT_ONCE;
    const act = nextAct(holding, this.#ports.wishOf(key), due);
    // Nobody need be asked.
    if (!act) return due;
    const start = Math.max(due, this.#paused.get(network) ?? 0, this.#startOfAct(act, ue));
    return isFull ? Math.max(start, Date.now() + SAFETY_MS) : start;
  }

  /** When the allowance of a UE lets an act be made, milliseconds since 1970. */
  #startOfAct({ type }: Act, ue: string): number {
    if (type !== "create") return 0;
    const at = Date.now();
    const missing = 1 - levelOf(this.#creates.get(ue), CREATES, at);
    return missing > 0 ? at + Math.ceil((missing / CREATES.perSecond) * 1000) : 0;
  }

  /** Asks the network of a peer for more for a short time; undefined where it cannot be asked. */
  async boost(peer: string): Promise<NetworkAnswer | undefined> {
    const at = Date.now();
    if (at - (this.#boostedAt.get(peer) ?? 0) < BOOST_PAUSE_MS) return TOO_OFTEN;
    for (const [key, entry] of this.#rows.entries) {
      const answer = entry.ue === peer ? await this.#boost(key, entry, at) : undefined;
      if (answer) return answer;
    }
    return undefined;
  }

  /** Undefined where this request is none that can be boosted. */
  async #boost(
    key: string,
    entry: AssistanceEntry,
    at: number,
  ): Promise<NetworkAnswer | undefined> {
    const network = this.#ports.networks().find(({ name }) => name === entry.network);
    const port = network && portOf(network);
    const id = entry.holding.held?.id;
    if (id === undefined || !port?.boost) return undefined;
    if (this.#isPaused(entry.network)) return TOO_OFTEN;
    this.#boostedAt.set(entry.ue, at);
    const answer = await port.boost(id);
    if (answer.type === "refused" && answer.reason === "not-an-id") return undefined;
    if (answer.type === "later") this.#pause(entry.network, answer.afterMs);
    const now = this.#rows.entries.get(key);
    if (answer.type === "done" && now) {
      now.holding = boosted(now.holding, Date.now());
      this.#ports.changed();
      this.#ports.rested(key);
    }
    return answer;
  }

  async #run(key: string): Promise<void> {
    // What is told of the turn goes first.
    await null;
    try {
      for (let count = 0; count < MOST_IN_A_ROW && (await this.#act(key)); count++);
    } catch (thrown) {
      report(thrown);
    } finally {
      this.#running.delete(key);
      this.#ports.rested(key);
    }
  }

  /** Makes the next call of a request; false when none is due. */
  async #act(key: string): Promise<boolean> {
    const entry = this.#rows.entries.get(key);
    const isPaused = entry && this.#isPaused(entry.network);
    const act = entry && nextAct(entry.holding, this.#ports.wishOf(key), Date.now());
    if (!entry || !act || isPaused || !this.#mayMake(act, entry.ue)) return false;
    const before = entry.holding;
    entry.holding = begun(before, act, Date.now());
    // A look that nobody remembers is looked again.
    if (act.type !== "read") this.#rows.write(key);
    const answer = await this.#call(key, entry, act);
    if (answer.type === "later") this.#pause(entry.network, answer.afterMs);
    // A turn may have changed it meanwhile, or memory was forgotten.
    const now = this.#rows.entries.get(key);
    if (!now) return false;
    now.holding = afterAct(now.holding, act, answer, Date.now(), Math.random());
    if (act.type !== "read" || newsIn(before) !== newsIn(now.holding)) this.#rows.write(key);
    this.#ports.changed();
    return true;
  }

  /** Takes it from the allowance of the UE, if there is one for such acts. */
  #mayMake({ type }: Act, ue: string): boolean {
    if (type !== "create") return true;
    const left = spend(this.#creates.get(ue), CREATES, Date.now());
    if (left) this.#creates.set(ue, left);
    return left !== null;
  }

  #isPaused(network: string): boolean {
    return (this.#paused.get(network) ?? 0) > Date.now();
  }

  /** It is for all that is asked of the network, not for this request alone (RFC 6585 s4). */
  #pause(network: string, afterMs = PAUSE_MS): void {
    const until = Date.now() + Math.min(afterMs, LONGEST_PAUSE_MS);
    this.#paused.set(network, Math.max(this.#paused.get(network) ?? 0, until));
  }

  /** What was found, without what other requests hold: peers that are on one device have the same list. */
  #unclaimed(key: string, network: string, found: FoundAnswer): FoundAnswer {
    const claimed = new Set<string>();
    for (const [other, { holding, network: name }] of this.#rows.entries) {
      if (other === key || name !== network) continue;
      for (const { id } of [holding.held ?? [], holding.strays].flat()) claimed.add(id);
    }
    const { ids } = found;
    return ids ? { ...found, ids: ids.filter((id) => !claimed.has(id)) } : found;
  }

  async #call(key: string, { network: name }: AssistanceEntry, act: Act): Promise<NetworkAnswer> {
    const network = this.#ports.networks().find((each) => each.name === name);
    // What is there ends by itself, or stays the operator's to look after.
    if (!network) return { type: "gone" };
    const port = portOf(network);
    const session = this.#state.id.name ?? "";
    const { generation } = act;
    const notify = await notifyFor(this.#env, { session, network: name, key, generation });
    switch (act.type) {
      case "create":
        return port.create(act.body, notify);
      case "change":
        return port.change?.(act.id, act.body, notify) ?? { type: "gone" };
      case "find":
        return port.find
          ? this.#unclaimed(key, name, await port.find(act.body, notify))
          : { type: "gone" };
      case "extend":
        return port.extend?.(act.id, act.seconds) ?? { type: "gone" };
      case "read":
        return port.read(act.id);
      case "remove":
        return port.remove(act.id);
    }
  }
}
