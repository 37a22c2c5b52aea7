import { isReadByManaged } from "../adapters/managed-intake.ts";
import { MANAGED_SERVER, managedArrival, managedServerOf } from "../protocol/managed-server.ts";
import type { ToPeer } from "../protocol/messages.ts";
import type { Effect, Session } from "../protocol/session.ts";
import type { SessionEvent } from "../protocol/step.ts";
import type { Bindings } from "./env.ts";
import { report } from "./frames.ts";
import { managedSfuOf } from "./managed-sfu-commands.ts";

/** Tries to bring something, one after the other: an object that is moved or deployed fails once. */
const TRIES = 3;

/** Takes what is for the managed media server of a session to its object, in order. */
export class ManagedCourier {
  readonly #state: DurableObjectState;
  readonly #env: Bindings;
  readonly #turn: (event: SessionEvent) => void;
  #underWay: Promise<void> = Promise.resolve();
  /** Something did not get there: a welcome, which tells all that there is, has to be next. */
  #isBehind = false;
  #isCatchingUp = false;
  #failures = 0;

  constructor(state: DurableObjectState, env: Bindings, turn: (event: SessionEvent) => void) {
    this.#state = state;
    this.#env = env;
    this.#turn = turn;
  }

  /** What the media server is to know of a turn; nothing is awaited. */
  carry(before: Session, effects: readonly Effect[]): void {
    const { id } = before;
    const server = managedServerOf(before);
    if (!server) return;
    const messages = effects.flatMap((effect) =>
      effect.type === "send" && effect.to === server.id && isReadByManaged(effect.message)
        ? [effect.message]
        : [],
    );
    const isOver = effects.some((effect) => effect.type === "close" && effect.peer === server.id);
    if (isOver) this.#enqueue(() => this.#end(id));
    else if (messages.length > 0) this.#enqueue(() => this.#deliver(id, messages));
  }

  /** Tells the media server again of all that there is, because it may have missed something. */
  catchUp(session: Session): void {
    if (managedServerOf(session)) this.#catchUp(session.id);
  }

  #enqueue(act: () => Promise<void>): void {
    this.#underWay = this.#underWay.then(act);
    this.#state.waitUntil(this.#underWay);
  }

  #catchUp(id: string): void {
    this.#isBehind = true;
    this.#isCatchingUp = true;
    this.#turn({ type: "join", ...managedArrival(id, Date.now()) });
  }

  async #deliver(id: string, messages: readonly ToPeer[]): Promise<void> {
    if (this.#isBehind && messages[0]?.type !== "welcome") {
      // The welcome tells what of them still matters.
      if (!this.#isCatchingUp) this.#catchUp(id);
      return;
    }
    try {
      const isTaken = await managedSfuOf(this.#env, id).take(id, messages);
      this.#isBehind = false;
      this.#isCatchingUp = false;
      this.#failures = 0;
      if (!isTaken)
        this.#turn({
          type: "message",
          peer: MANAGED_SERVER,
          message: { type: "leave" },
          at: Date.now(),
        });
    } catch (thrown) {
      this.#failed(id, thrown);
    }
  }

  #failed(id: string, thrown: unknown): void {
    this.#failures += 1;
    this.#isBehind = true;
    this.#isCatchingUp = false;
    if (this.#failures % TRIES === 0) report(thrown);
    else this.#catchUp(id);
  }

  async #end(id: string): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries++) {
      try {
        return await managedSfuOf(this.#env, id).end();
      } catch (thrown) {
        if (tries === TRIES) report(thrown);
      }
    }
  }
}
