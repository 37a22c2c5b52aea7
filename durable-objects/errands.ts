import type { Effect } from "../protocol/session.ts";
import type { SessionEvent } from "../protocol/step.ts";
import type { Bindings } from "./env.ts";
import { iceServersFrame } from "./ice-servers.ts";
import { recallCnames } from "./recall-cnames.ts";

type RecallCnames = Extract<Effect, { type: "recall-cnames" }>;

/** What comes of an errand. */
export interface ErrandResults {
  readonly deliver: (peer: string, frame: string) => void;
  readonly turn: (event: SessionEvent) => void;
}

/** Effects that others have to be asked for: they end after the turn, as a frame or another event. */
export class Errands {
  readonly #state: DurableObjectState;
  readonly #env: Bindings;
  readonly #results: ErrandResults;

  constructor(state: DurableObjectState, env: Bindings, results: ErrandResults) {
    this.#state = state;
    this.#env = env;
    this.#results = results;
  }

  renewIceServers(peer: string): void {
    const frame = iceServersFrame(this.#env, peer, Date.now());
    this.#state.waitUntil(frame.then((text) => this.#results.deliver(peer, text)));
  }

  recallCnames(id: string, effect: RecallCnames): void {
    this.#state.waitUntil(this.#recall(id, effect));
  }

  async #recall(id: string, { cnames, type: _type, ...about }: RecallCnames): Promise<void> {
    const at = Date.now();
    const isKnown = await recallCnames(this.#env, id, cnames, at);
    if (isKnown) this.#results.turn({ type: "cname-recalled", ...about, at });
  }
}
