import { afterAct } from "../protocol/assistance/after-act.ts";
import { type Act, emptyHolding, type Holding, type Wish } from "../protocol/assistance/holding.ts";
import type { FoundAnswer, NetworkStatus } from "../protocol/assistance/network.ts";
import { begun, dueOf, interrupted, lapsed, nextAct } from "../protocol/assistance/next-act.ts";
import { notified } from "../protocol/assistance/notified.ts";
import type { AssistanceApi } from "../protocol/assistance/record.ts";

/** A mobile network and a holding of it, with a clock that moves when it is told to. */

export type Fate =
  | "ok"
  | "request-lost"
  | "answer-lost"
  | "late"
  | "late-twice"
  | "late-answer"
  | "evicted"
  | "evicted-with-effect"
  | "500"
  | "500-with-effect"
  | "429"
  | "409"
  | "400"
  | "404";

export interface Resource {
  readonly id: string;
  readonly generation: number;
  body: Wish["body"];
  status: NetworkStatus;
}

const ADAPTER_MS = 10_000;
const FAR = 1e15;

export class HoldingWorld {
  at = 1_000_000;
  holding: Holding;
  wish: Wish | undefined;
  readonly resources = new Map<string, Resource>();
  readonly calls: { readonly at: number; readonly act: Act; readonly fate: Fate }[] = [];
  readonly fates: Fate[] = [];
  /** Without a fate of its own a call has this one. */
  usual: Fate = "ok";
  /** State that a created resource is given. */
  grants: "granted" | "requested" | "ended" = "granted";
  durationMs = 600_000;
  /** What it recommends when it is read. */
  recommends: ((body: Wish["body"]) => NetworkStatus["advised"]) | undefined;
  /** No resource is extended beyond so much. */
  longestMs = 3_600_000;
  readonly #later: { readonly at: number; readonly run: () => void }[] = [];
  #ids = 0;
  readonly #random: () => number;

  constructor(api: AssistanceApi, random: () => number = () => 0.5) {
    this.holding = emptyHolding("k", "n", api);
    this.#random = random;
  }

  /** As storage gives it back. */
  set(holding: Holding): void {
    this.holding = JSON.parse(JSON.stringify(holding));
  }

  push(resource: Resource, extra: { readonly happenedAt?: number } = {}): void {
    const { generation, id, status } = resource;
    const { until: _until, ...told } = status;
    this.set(notified(this.holding, { generation, id, status: told, ...extra }, this.at));
  }

  soon(ms: number, run: () => void): void {
    this.#later.push({ at: this.at + ms, run });
  }

  /** Lets time pass, and all that happens in it happen. */
  pass(ms: number): void {
    const end = this.at + ms;
    for (let turn = 0; turn < 20_000; turn += 1) {
      this.#later.sort((one, other) => one.at - other.at);
      const due = Math.max(dueOf(this.holding, this.wish) ?? FAR, this.at);
      const next = this.#later[0];
      if (Math.min(due, next?.at ?? FAR) > end) {
        this.at = end;
        return;
      }
      if (next && next.at <= due) {
        this.#later.shift();
        this.at = Math.max(this.at, next.at);
        next.run();
      } else {
        this.at = due;
        this.turn();
      }
    }
    throw new Error("it never comes to rest");
  }

  /** Makes the call that is due. */
  turn(): void {
    if (nextAct(this.holding, this.wish, (dueOf(this.holding, this.wish) ?? 0) - 1)) {
      throw new Error("something to do before it is due");
    }
    const woken = lapsed(this.holding, this.at, this.#random());
    if (woken !== this.holding) {
      this.set(woken);
      return;
    }
    const act = nextAct(this.holding, this.wish, this.at);
    if (!act) throw new Error("due, and nothing to do");
    const fate = this.fates.shift() ?? this.usual;
    this.calls.push({ at: this.at, act, fate });
    this.set(begun(this.holding, act, this.at));
    this.#meet(act, fate);
  }

  #meet(act: Act, fate: Fate): void {
    const outcome = this.#outcomeOf(act, fate);
    if (!outcome) return;
    const [answer, ms] = outcome;
    this.soon(ms, () => this.set(afterAct(this.holding, act, answer, this.at, this.#random())));
  }

  #outcomeOf(act: Act, fate: Fate): readonly [FoundAnswer, number] | undefined {
    const unknown = { type: "unknown", reason: "time-out" } as const;
    switch (fate) {
      case "ok":
        return [this.#effect(act), 50];
      case "request-lost":
        return [unknown, ADAPTER_MS];
      case "answer-lost":
        this.#effect(act);
        return [unknown, ADAPTER_MS];
      case "late":
      case "late-twice":
        for (let times = fate === "late" ? 1 : 2; times > 0; times -= 1) {
          this.soon(this.#random() * 55_000, () => this.#effect(act));
        }
        return [unknown, ADAPTER_MS];
      case "late-answer":
        return [this.#effect(act), 20_000 + this.#random() * 60_000];
      case "evicted":
        return undefined;
      case "evicted-with-effect":
        this.#effect(act);
        if (this.#random() < 0.5) this.soon(2000, () => this.#interrupt(act));
        return undefined;
      case "500-with-effect":
        this.#effect(act);
        return [{ type: "unknown", reason: "500" }, 50];
      default:
        return [REFUSALS[fate], 50];
    }
  }

  /** Woken again while nobody waits for the act any more. */
  #interrupt({ serial }: Act): void {
    if (this.holding.underway?.act.serial !== serial) return;
    this.set(interrupted(this.holding, this.at, this.#random()));
  }

  #effect(act: Act): FoundAnswer {
    this.#expire();
    switch (act.type) {
      case "create":
        return this.#create(act);
      case "find": {
        const ids = [...this.resources.values()].map(({ id }) => id);
        return {
          type: "done",
          ids: ids.filter((id) => this.resources.get(id)?.generation === act.generation),
        };
      }
      default:
        return this.#on(this.resources.get(act.id), act);
    }
  }

  #on(resource: Resource | undefined, act: Act): FoundAnswer {
    if (!resource) return { type: "gone" };
    switch (act.type) {
      case "remove":
        this.resources.delete(resource.id);
        return { type: "done" };
      case "change":
        resource.body = act.body;
        return { type: "done" };
      case "extend": {
        if (resource.status.state !== "granted") return { type: "conflict", reason: "no" };
        const most = Number(resource.body.since ?? 0) + this.longestMs;
        const until = Math.min((resource.status.until ?? 0) + act.seconds * 1000, most);
        resource.status = { ...resource.status, until };
        return { type: "done", status: resource.status };
      }
      default: {
        const advised = this.recommends?.(resource.body);
        const status = { ...resource.status, ...(advised && { advised }) };
        return this.holding.api === "nef" ? { type: "done" } : { type: "done", status };
      }
    }
  }

  #create({ body, generation }: Extract<Act, { type: "create" }>): FoundAnswer {
    const isTimed = this.holding.api === "camara-qod";
    if (isTimed && this.resources.size > 0) return { type: "conflict", reason: "overlap" };
    this.#ids += 1;
    const id = `r${this.#ids}`;
    const until = isTimed && this.grants === "granted" ? { until: this.at + this.durationMs } : {};
    const status: NetworkStatus = { state: this.grants, ...until };
    const resource = { id, generation, body: { ...body, since: this.at }, status };
    this.resources.set(id, resource);
    return this.holding.api === "nef" ? { type: "done", id } : { type: "done", id, status };
  }

  #expire(): void {
    for (const resource of this.resources.values()) {
      if ((resource.status.until ?? FAR) <= this.at) {
        resource.status = { state: "ended", reason: "DURATION_EXPIRED" };
      }
    }
  }

  /** By itself. */
  end(reason = "NETWORK_TERMINATED", isTold = true): void {
    for (const resource of this.resources.values()) {
      resource.status = { state: "ended", reason };
      if (isTold) this.push(resource);
    }
  }
}

const REFUSALS: Readonly<Record<"500" | "429" | "409" | "400" | "404", FoundAnswer>> = {
  "500": { type: "unknown", reason: "500" },
  "429": { type: "later", reason: "429", afterMs: 7000 },
  "409": { type: "conflict", reason: "409" },
  "400": { type: "refused", reason: "400" },
  "404": { type: "gone" },
};
