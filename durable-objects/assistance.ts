import { afterAct } from "../protocol/assistance/after-act.ts";
import type { AssistanceConfig, AssistanceNetwork } from "../protocol/assistance/config.ts";
import { type Act, type Holding, isSettled, type Told } from "../protocol/assistance/holding.ts";
import type { NetworkAnswer } from "../protocol/assistance/network.ts";
import { begun, dueOf, interrupted, nextAct } from "../protocol/assistance/next-act.ts";
import { notified } from "../protocol/assistance/notified.ts";
import {
  type AssistanceRequest,
  type EndRecord,
  recordsOf,
  viewRequests,
} from "../protocol/assistance/records.ts";
import { relaysOf } from "../protocol/assistance/relays.ts";
import { type Wanted, wantedOf } from "../protocol/assistance/wishes.ts";
import type { Session } from "../protocol/session.ts";
import type { SessionEvent } from "../protocol/step.ts";
import { assistanceConfig, portOf } from "./assistance-networks.ts";
import { type AssistanceEntry, AssistanceRow, newsIn } from "./assistance-row.ts";
import { deploymentConfig } from "./deployment-config.ts";
import type { Bindings } from "./env.ts";
import { report } from "./frames.ts";
import { notifyFor } from "./network-notify.ts";
import { TentativeWishes } from "./tentative-wishes.ts";

/** What it asks of its session. */
export interface AssistancePorts {
  readonly session: () => Session | null;
  readonly turn: (event: SessionEvent) => void;
  /** Something is due that was not before: the alarm may have to be earlier. */
  readonly dueChanged: () => void;
  /** Of a session that is over no network has anything any more. */
  readonly emptied: () => void;
}

/** Calls in a row for one request before the rest waits for the alarm. */
const MOST_IN_A_ROW = 50;

/** What makes the session want something else. */
type Cause = readonly [Session["links"], Session["peers"], Session["trickle"]];

/**
 * What mobile networks are asked for a session (M13): made to be what its flows need, by calls that are remembered before
 * they are made. The call between peers waits for none of it. Without networks in the configuration nothing is read,
 * written or asked.
 */
export class Assistance {
  readonly #state: DurableObjectState;
  readonly #env: Bindings;
  readonly #ports: AssistancePorts;
  readonly #row: AssistanceRow;
  readonly #running = new Set<string>();
  #config: AssistanceConfig | undefined;
  #cause: Cause | undefined;
  #wanted: ReadonlyMap<string, Wanted> = new Map();
  readonly #tentative = new TentativeWishes(() => this.carry());
  /** By link and peer: what the session was told last; the same is not told twice, whatever it makes of it. */
  readonly #told = new Map<string, string>();
  #isTelling = false;

  constructor(state: DurableObjectState, env: Bindings, ports: AssistancePorts) {
    this.#state = state;
    this.#env = env;
    this.#ports = ports;
    this.#row = new AssistanceRow(state.storage);
  }

  get #networks(): readonly AssistanceNetwork[] {
    this.#config ??= assistanceConfig(this.#env);
    return this.#config.networks;
  }

  /** A network has, or may have, something: a session that is over leaves it behind. */
  get isWaiting(): boolean {
    return this.#networks.length > 0 && this.#row.entries.size > 0;
  }

  /** When something is due, milliseconds since 1970; null when nothing is. */
  get deadline(): number | null {
    if (!this.isWaiting) return null;
    let due = Number.POSITIVE_INFINITY;
    for (const [key, { holding }] of this.#row.entries) {
      due = Math.min(due, dueOf(holding, this.#wishOf(key)) ?? Number.POSITIVE_INFINITY);
    }
    return due === Number.POSITIVE_INFINITY ? null : due;
  }

  /** Compares what the session needs with what networks hold, and begins what is due; nothing is awaited. */
  carry(): void {
    const networks = this.#networks;
    if (networks.length === 0) return;
    this.#look(networks);
    if (this.#wanted.size === 0 && this.#row.entries.size === 0 && this.#told.size === 0) return;
    for (const { key, ue, network } of this.#wanted.values()) {
      if (this.#wishOf(key) && !this.#row.entries.has(key)) {
        this.#row.add(key, ue, network, apiOf(networks, network));
      }
    }
    for (const [key, entry] of this.#row.entries) this.#begin(key, entry);
    this.#tellSoon();
  }

  #look(networks: readonly AssistanceNetwork[]): void {
    const session = this.#ports.session();
    const { links, peers, trickle } = session ?? {};
    if (!session || !links || !peers || !trickle) {
      this.#wanted = new Map();
      this.#cause = undefined;
      this.#tentative.forget();
      return;
    }
    const [knownLinks, knownPeers, knownTrickle] = this.#cause ?? [];
    if (links === knownLinks && peers === knownPeers && trickle === knownTrickle) return;
    this.#cause = [links, peers, trickle];
    const relays = relaysOf(deploymentConfig(this.#env).turn);
    const wanted = wantedOf(session, { networks, relays });
    this.#wanted = new Map(wanted.map((each) => [each.key, each]));
    this.#tentative.look(this.#wanted);
  }

  #wishOf(key: string) {
    const wanted = this.#wanted.get(key);
    return wanted?.mode === "on" ? this.#tentative.wishOf(wanted) : undefined;
  }

  #begin(key: string, entry: AssistanceEntry): void {
    if (this.#running.has(key)) return;
    // Whoever made the call is gone with the memory it was in: nobody will know its answer.
    const holding = interrupted(entry.holding, Date.now(), Math.random());
    if (holding !== entry.holding) {
      entry.holding = holding;
      this.#row.write();
    }
    if (this.#isOver(key, entry)) this.#drop(key);
    else if (nextAct(holding, this.#wishOf(key), Date.now())) {
      this.#running.add(key);
      this.#state.waitUntil(this.#run(key));
    }
  }

  #isOver(key: string, { holding }: AssistanceEntry): boolean {
    return isSettled(holding) && !this.#wishOf(key);
  }

  /** The network has nothing of it any more. */
  #drop(key: string): void {
    this.#row.delete(key);
    this.#row.write();
    this.#rest();
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
      const entry = this.#row.entries.get(key);
      if (entry && this.#isOver(key, entry)) this.#drop(key);
      else this.#rest();
    }
  }

  /** Makes the next call of a request; false when none is due. */
  async #act(key: string): Promise<boolean> {
    const entry = this.#row.entries.get(key);
    const act = entry && nextAct(entry.holding, this.#wishOf(key), Date.now());
    if (!entry || !act) return false;
    const before = entry.holding;
    entry.holding = begun(before, act, Date.now());
    // A look that nobody remembers is looked again.
    if (act.type !== "read") this.#row.write();
    const answer = await this.#call(key, entry, act);
    // A turn may have changed it meanwhile, or memory was forgotten.
    const now = this.#row.entries.get(key);
    if (!now) return false;
    now.holding = afterAct(now.holding, act, answer, Date.now(), Math.random());
    if (act.type !== "read" || newsIn(before) !== newsIn(now.holding)) this.#row.write();
    this.#tellSoon();
    return true;
  }

  async #call(key: string, { network: name }: AssistanceEntry, act: Act): Promise<NetworkAnswer> {
    const network = this.#networks.find((each) => each.name === name);
    // What is there ends by itself, or stays the operator's to look after.
    if (!network) return { type: "gone" };
    const port = portOf(network);
    const notify = await notifyFor(this.#env, {
      session: this.#state.id.name ?? "",
      network: name,
      key,
      generation: act.generation,
    });
    switch (act.type) {
      case "create":
        return port.create(act.body, notify);
      case "change":
        return port.change?.(act.id, act.body, notify) ?? { type: "gone" };
      case "find":
        return port.find?.(act.body, notify) ?? { type: "gone" };
      case "extend":
        return port.extend?.(act.id, act.seconds) ?? { type: "gone" };
      case "read":
        return port.read(act.id);
      case "remove":
        return port.remove(act.id);
    }
  }

  /** A network says by itself what became of a resource; false when none of ours is meant. */
  notified(key: string, told: Told): boolean {
    const entry = this.#networks.length > 0 ? this.#row.entries.get(key) : undefined;
    if (!entry) return false;
    entry.holding = notified(entry.holding, told, Date.now());
    this.#row.write();
    this.carry();
    this.#rest();
    return true;
  }

  /** Asks the network of a peer for more for a short time; undefined where it cannot be asked. */
  async boost(peer: string): Promise<NetworkAnswer | undefined> {
    for (const { ue, network: name, holding } of this.#row.entries.values()) {
      const id = holding.held?.id;
      const network = this.#networks.find((each) => each.name === name);
      const port = ue === peer && network ? portOf(network) : undefined;
      if (id === undefined || !port?.boost) continue;
      const answer = await port.boost(id);
      if (answer.type !== "refused" || answer.reason !== "not-an-id") return answer;
    }
    return undefined;
  }

  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    this.#state.waitUntil(Promise.resolve().then(() => this.#tell()));
  }

  /** The session learns what is new of each end of each link. */
  #tell(): void {
    this.#isTelling = false;
    const session = this.#ports.session();
    if (!session) return;
    const at = Date.now();
    const wanted = [...this.#wanted.values()];
    const ends = recordsOf(session, wanted, this.#holdings(), this.#networks, at);
    const places = new Set(ends.map(placeOf));
    for (const { id: link, flows } of session.links.values()) {
      for (const peer of Object.keys(flows.assistance ?? {})) {
        if (places.has(placeOf({ link, peer }))) continue;
        this.#ports.turn({ type: "assistance", link, peer, assistance: null, at });
      }
    }
    for (const end of ends) {
      const { link, peer, record: assistance } = end;
      const text = JSON.stringify(assistance);
      const known = session.links.get(link)?.flows.assistance?.[peer];
      if (JSON.stringify(known) === text || this.#told.get(placeOf(end)) === text) continue;
      this.#told.set(placeOf(end), text);
      this.#ports.turn({ type: "assistance", link, peer, assistance, at });
    }
    for (const place of this.#told.keys()) if (!places.has(place)) this.#told.delete(place);
  }

  #holdings(): ReadonlyMap<string, Holding> {
    return new Map([...this.#row.entries].map(([key, { holding }]) => [key, holding]));
  }

  #rest(): void {
    const { session } = this.#ports;
    const isDone = !session() && this.#row.entries.size === 0 && this.#running.size === 0;
    if (isDone) this.#ports.emptied();
    else this.#ports.dueChanged();
  }

  view(): readonly AssistanceRequest[] {
    return viewRequests([...this.#wanted.values()], this.#holdings(), this.#networks, Date.now());
  }

  /** What memory holds is in doubt. */
  forget(): void {
    this.#row.forget();
    this.#config = undefined;
    this.#cause = undefined;
    this.#tentative.forget();
    this.#told.clear();
  }
}

const placeOf = ({ link, peer }: Pick<EndRecord, "link" | "peer">): string => `${link} ${peer}`;

const apiOf = (networks: readonly AssistanceNetwork[], name: string) =>
  networks.find((network) => network.name === name)?.api ?? "camara-qod";
