import { wholeAnswer } from "../protocol/held-descriptions.ts";
import { LIMITS } from "../protocol/limits.ts";
import { isProblem, type Problem, problem } from "../protocol/problem.ts";
import type { AgreedExchange, Described, Session } from "../protocol/session.ts";
import type { UeSeen } from "../protocol/session-config.ts";
import type { SessionEvent } from "../protocol/step.ts";
import { completedAnswer } from "../protocol/whip/completed-answer.ts";
import { credentialsOf, type Fragment } from "../protocol/whip/fragment.ts";
import { candidatesOfFragment } from "../protocol/whip/fragment-candidates.ts";
import {
  type Door,
  type HttpPeer,
  type HttpSession,
  linkOfHttp,
  ownIn,
  peerOfResource,
  tagOf,
  ufragIn,
} from "../protocol/whip/http-session.ts";
import { patchedOffer } from "../protocol/whip/patched-offer.ts";
import { type Condition, meaningOf } from "../protocol/whip/precondition.ts";
import { restartFragment } from "../protocol/whip/restart-fragment.ts";
import { EndedResources } from "./ended-resources.ts";
import type {
  HttpSessionCommands,
  NewHttpSession,
  OpenedHttpSession,
  Patched,
  Patcher,
} from "./http-session-commands.ts";
import { SessionEndpoints } from "./session-endpoints.ts";
import { sessionNotFound } from "./session-not-found.ts";

const notFound = (): Problem =>
  problem("resource-not-found", "there is no such session; it may have ended");

/** Peers of a session that are WHIP publishers and WHEP players: the Worker speaks for them. */
export abstract class SessionHttp extends SessionEndpoints implements HttpSessionCommands {
  readonly #ended = new EndedResources();

  protected override commit(...turn: Parameters<SessionEndpoints["commit"]>) {
    const [before, after] = turn;
    this.#ended.note(before, after);
    return super.commit(...turn);
  }

  async openHttpSession(ask: NewHttpSession): Promise<OpenedHttpSession | Problem> {
    const { door, resource } = ask;
    const turned = this.turn({ type: "open-http", ...ask, at: Date.now() });
    if (isProblem(turned)) return turned;
    const peer = peerOfResource(turned, door, resource);
    if (!peer) return notFound();
    const outcome = await this.#outcomeFor(peer.id);
    if (isProblem(outcome)) return outcome;
    const { type, sdp } = outcome;
    const now = this.#peer(door, resource);
    if (isProblem(now)) return now;
    return { type, sdp: type === "answer" ? completedAnswer(sdp) : sdp, tag: tagOf(now.http) };
  }

  /** What the peer is told next, at latest when its time is over. */
  #outcomeFor(peer: string): Promise<Described | Problem> {
    return this.waiting.wait(peer, LIMITS.httpAnswerMs, () => {
      this.turn({ type: "alarm", at: Date.now() });
      // Whatever became of the peer, nobody waits for ever.
      const detail = "the other side has not answered in time";
      this.waiting.resolve(peer, problem("media-server-timeout", detail));
    });
  }

  async abandonHttpSession(door: Door, resource: string): Promise<null> {
    await this.closeHttpSession(door, resource);
    return null;
  }

  async seeHttpSession(door: Door, resource: string, by?: string): Promise<null | Problem> {
    const peer = this.#peer(door, resource, by);
    return isProblem(peer) ? peer : null;
  }

  patchHttpSession(
    door: Door,
    resource: string,
    condition: Condition,
    fragment: Fragment,
    { by, ue }: Patcher = {},
  ): Promise<Patched | Problem> {
    return this.waiting.inTurn(resource, () => {
      const peer = this.#peer(door, resource, by);
      return isProblem(peer) ? Promise.resolve(peer) : this.#patch(peer, condition, fragment, ue);
    });
  }

  async #patch(
    peer: HttpPeer,
    condition: Condition,
    fragment: Fragment,
    ue: UeSeen | undefined,
  ): Promise<Patched | Problem> {
    const session = this.session as Session;
    const { http } = peer;
    const link = linkOfHttp(session, peer);
    const { inForce } = link;
    const iceUfrag = inForce ? ufragIn(inForce, peer) : undefined;
    if (!inForce || iceUfrag === undefined) {
      return problem("nothing-offered", "the counter-offer is not answered yet");
    }
    const meaning = meaningOf(
      {
        tag: tagOf(http),
        iceUfrag,
        retiredUfrags: http.retired,
        ...(http.generation > 1 && {
          previousTag: tagOf({ ...http, generation: http.generation - 1 }),
        }),
      },
      condition,
      credentialsOf(fragment),
    );
    switch (meaning) {
      case "trickle":
        return this.#trickle(peer, inForce, fragment);
      case "restart":
        return this.#restart(peer, inForce, fragment, ue);
      case "repeat":
        // Nothing new, but for candidates that a client trickles while its restart is still under way.
        this.#trickle(peer, inForce, fragment);
        return this.#restarted(wholeAnswer(session, link, inForce), http);
      default:
        return meaning;
    }
  }

  #trickle(peer: HttpPeer, inForce: AgreedExchange, fragment: Fragment): null | Problem {
    const { id, http } = peer;
    const { candidates, complete } = candidatesOfFragment(fragment, ownIn(inForce, peer));
    if (candidates.length === 0 && !complete) return null;
    const turned = this.#say(id, {
      type: "candidates",
      to: http.other,
      exchange: inForce.exchange,
      candidates: [...candidates],
      ...(complete && { complete }),
    });
    // What of them cannot be used stays behind (RFC 9725 s4.3.2).
    const isBroken = isProblem(turned) && turned.code === "sdp-invalid";
    return isProblem(turned) && !isBroken ? turned : null;
  }

  async #restart(
    { id, http }: HttpPeer,
    inForce: AgreedExchange,
    fragment: Fragment,
    ue: UeSeen | undefined,
  ): Promise<Patched | Problem> {
    // A restart has both.
    const { iceUfrag = "", icePwd = "" } = credentialsOf(fragment);
    if (inForce.offerer !== id) {
      return problem("no-renegotiation", "after a counter-offer ICE cannot be restarted");
    }
    const sdp = patchedOffer(inForce.offer.sdp, { ...fragment, iceUfrag, icePwd });
    const seen = { ...(ue && { ue }) };
    const turned = this.turn({ type: "restart-http", peer: id, sdp, ...seen, at: Date.now() });
    if (isProblem(turned)) return turned;
    const outcome = await this.#outcomeFor(id);
    if (isProblem(outcome)) return outcome;
    const now = this.#peer(http.door, http.resource);
    return isProblem(now) ? now : this.#restarted(outcome.sdp, now.http);
  }

  #restarted(answer: string, http: HttpSession): Patched | Problem {
    const fragment = restartFragment(answer);
    return isProblem(fragment) ? fragment : { fragment, tag: tagOf(http) };
  }

  async answerHttpSession(
    door: Door,
    resource: string,
    sdp: string,
    by?: string,
  ): Promise<null | Problem> {
    const peer = this.#peer(door, resource, by);
    if (isProblem(peer)) return peer;
    const { id, http } = peer;
    const { open } = linkOfHttp(this.session as Session, peer);
    if (open?.offerer !== http.other) {
      return problem("nothing-offered", "no counter-offer waits for an answer");
    }
    const { exchange } = open;
    const turned = this.#say(id, { type: "answer", to: http.other, exchange, sdp });
    return isProblem(turned) ? turned : null;
  }

  async closeHttpSession(door: Door, resource: string, by?: string): Promise<null | Problem> {
    const peer = this.#peer(door, resource, by);
    if (isProblem(peer)) return this.#ended.take(resource, by) ? null : peer;
    const turned = this.#say(peer.id, { type: "leave" });
    this.#ended.take(resource);
    return isProblem(turned) ? turned : null;
  }

  #say(peer: string, message: Extract<SessionEvent, { type: "message" }>["message"]) {
    return this.turn({ type: "message", peer, message, at: Date.now() });
  }

  #peer(door: Door, resource: string, by?: string): HttpPeer | Problem {
    const { session } = this;
    if (!session) return sessionNotFound();
    const peer = peerOfResource(session, door, resource);
    if (!peer) return notFound();
    if (by !== undefined && by !== peer.http.bearer)
      return problem("unauthorized", "no valid token");
    return peer;
  }
}
