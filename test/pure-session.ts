import type { FlowDetail } from "../protocol/flow-summary.ts";
import type { FromPeer, ToPeer } from "../protocol/messages.ts";
import { isProblem, type Problem } from "../protocol/problem.ts";
import {
  type Described,
  type Effect,
  newSession,
  type Session,
  type Step,
} from "../protocol/session.ts";
import { type Grant, type Role, SessionRequest } from "../protocol/session-config.ts";
import { type SessionEvent, step } from "../protocol/step.ts";

/** A session driven by events alone, with what every peer was sent. */
export class PureSession {
  session: Session;
  at = 1_700_000_000_000;
  readonly inbox = new Map<string, ToPeer[]>();
  readonly closed = new Map<string, number>();
  /** What HTTP clients that wait were answered. */
  readonly answered = new Map<string, Described | Problem>();
  /** Peers with a socket: what is sent to others goes nowhere, as in the shell. */
  readonly online = new Set<string>();

  constructor(config: SessionRequest = {}) {
    this.session = newSession("s", SessionRequest.parse(config), this.at);
  }

  grant(peer: string, more: Partial<Grant> = {}): Grant {
    const all = ["audio", "video", "data"] as const;
    return {
      session: "s",
      peer,
      role: "peer",
      publish: all,
      subscribe: all,
      expiresAt: this.at + 3_600_000,
      ...more,
    };
  }

  /** Performs an event; what it sends goes to the inboxes. */
  do(event: SessionEvent): Step | Problem {
    const result = step(this.session, event);
    if (!isProblem(result)) {
      this.session = result.session;
      if (event.type === "join") this.online.add(event.grant.peer);
      if (event.type === "lost") this.#lose(event.peer);
      for (const effect of result.effects) this.#perform(effect);
    }
    return isProblem(result) ? result : (result.problem ?? result);
  }

  /** A lost socket takes along what its peer has not read yet. */
  #lose(peer: string): void {
    this.online.delete(peer);
    this.inbox.delete(peer);
  }

  deliver(peer: string, message: ToPeer): void {
    if (!this.online.has(peer)) return;
    this.inbox.set(peer, [...(this.inbox.get(peer) ?? []), message]);
  }

  #perform(effect: Effect): void {
    if (effect.type === "send") this.deliver(effect.to, effect.message);
    if (effect.type === "resolve" && !this.answered.has(effect.peer)) {
      this.answered.set(effect.peer, effect.outcome);
    }
    if (effect.type === "close") {
      this.closed.set(effect.peer, effect.code);
      this.online.delete(effect.peer);
    }
  }

  join(
    peer: string,
    role: Role = "peer",
    more: Partial<Grant> = {},
    flows: FlowDetail = "full",
  ): Step | Problem {
    const grant = this.grant(peer, { role, ...more });
    return this.do({ type: "join", grant, ice: { iceServers: [] }, asked: { flows }, at: this.at });
  }

  send(peer: string, message: FromPeer): Step | Problem {
    return this.do({ type: "message", peer, message, at: this.at });
  }

  /** Takes what a peer was sent since the last time, of some types or of all. */
  take(peer: string, ...types: ToPeer["type"][]): ToPeer[] {
    const all = this.inbox.get(peer) ?? [];
    this.inbox.set(peer, []);
    return types.length === 0 ? all : all.filter(({ type }) => types.includes(type));
  }
}

/** The step of an event that must not be refused. */
export function accepted(result: Step | Problem): Step {
  if (isProblem(result)) throw new Error(`refused: ${result.code}: ${result.detail}`);
  return result;
}

/** The code of a refusal, or "accepted". */
export const outcome = (result: Step | Problem): string =>
  isProblem(result) ? result.code : "accepted";
