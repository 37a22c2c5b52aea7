import type { Effect, Session } from "../protocol/session.ts";
import {
  type CallMessage,
  type EndpointNews,
  endpointNews,
  hasEndpoints,
} from "../protocol/swap/bridge.ts";
import type { Bindings } from "./env.ts";
import { report } from "./frames.ts";
import { type RealmCommands, realmStub } from "./realm-commands.ts";

/** Tries for one piece of news: a realm that is moved or deployed fails once. */
const TRIES = 3;

/** Takes the news of a session to the realms that have the sockets of its endpoints, in order. */
export class EndpointCourier {
  readonly #state: DurableObjectState;
  readonly #env: Bindings;
  readonly #gone: (peer: string) => void;
  #underWay: Promise<void> = Promise.resolve();

  /** `gone` is told of a peer whose endpoint has no socket any more. */
  constructor(state: DurableObjectState, env: Bindings, gone: (peer: string) => void) {
    this.#state = state;
    this.#env = env;
    this.#gone = gone;
  }

  /** What endpoints are to know of a turn; nothing is awaited. */
  carry(before: Session, after: Session, effects: readonly Effect[], cause?: CallMessage): void {
    if (!hasEndpoints(before) && !hasEndpoints(after)) return;
    const news = endpointNews(before, after, effects, cause);
    for (const [realm, itsNews] of Map.groupBy(news, (each) => each.realm)) {
      this.#underWay = this.#underWay.then(() => this.#deliver(realm, itsNews));
      this.#state.waitUntil(this.#underWay);
    }
  }

  async #deliver(realm: string, news: readonly EndpointNews[]): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries++) {
      try {
        const stub: RealmCommands = realmStub(this.#env, realm);
        for (const peer of await stub.deliver(news)) this.#gone(peer);
        return;
      } catch (thrown) {
        if (tries === TRIES) report(thrown);
      }
    }
  }
}
