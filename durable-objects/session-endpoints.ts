import { Kind } from "../protocol/flow.ts";
import { isProblem, type Problem } from "../protocol/problem.ts";
import { newSession, type Peer, type Session } from "../protocol/session.ts";
import type { UeSeen } from "../protocol/session-config.ts";
import { type Grant, SessionRequest } from "../protocol/session-config.ts";
import { type CallMessage, requestOf, type Seats } from "../protocol/swap/bridge.ts";
import type { Endpoint } from "../protocol/swap/endpoint.ts";
import {
  type CallCommands,
  type ConnectTo,
  type NewCall,
  realmStub,
  type Seat,
} from "./realm-commands.ts";
import { sessionNotFound } from "./session-not-found.ts";
import { SessionSockets } from "./session-sockets.ts";

const DEFAULTS = SessionRequest.parse({});

/** It has them of its operator: TS 26.113 has no message for them. */
const NO_ICE_SERVERS = { iceServers: [] };

/** Peers of a session that are endpoints of SWAP: their realm speaks for them. */
export abstract class SessionEndpoints extends SessionSockets implements CallCommands {
  async openCall({ id, realm, caller, callee, message }: NewCall): Promise<null | Problem> {
    const at = Date.now();
    if (!this.session) this.begin(newSession(id, DEFAULTS, at));
    for (const seat of [caller, callee]) {
      this.#join(grantOf(id, seat, at), { realm, source: seat.source }, at);
    }
    const seats = { self: caller.peer, other: callee.peer };
    const refused = await this.say(seats, message);
    if (refused) this.turn({ type: "end", at });
    return refused;
  }

  async admitEndpoint(realm: string, seat: Seat, connect?: ConnectTo): Promise<null | Problem> {
    const { session } = this;
    if (!session) return sessionNotFound();
    const at = Date.now();
    const { peer, source } = seat;
    const full = this.#join(grantOf(session.id, seat, at), { realm, source }, at);
    if (isProblem(full) || !connect) return isProblem(full) ? full : null;
    const seats = { self: peer, other: connect.other };
    const refused = await this.say(seats, connect.message);
    if (refused) await this.leaveCall(peer);
    return refused;
  }

  async say(seats: Seats, message: CallMessage, isOfOffer?: boolean): Promise<null | Problem> {
    const { session } = this;
    if (!session) return sessionNotFound();
    const asked = requestOf(session, seats, message, isOfOffer);
    if (isProblem(asked)) return asked;
    const event = { type: "message", peer: seats.self, message: asked, at: Date.now() } as const;
    const turned = this.turn(event, undefined, message);
    return isProblem(turned) ? turned : null;
  }

  async leaveCall(peer: string): Promise<null> {
    // A peer without SWAP stays in its session, whatever the endpoints of its calls do.
    if (!this.session?.peers.get(peer)?.endpoint) return null;
    this.turn({ type: "message", peer, message: { type: "leave" }, at: Date.now() });
    return null;
  }

  async loseEndpoint(peer: string): Promise<null> {
    this.lose(peer);
    return null;
  }

  async restoreEndpoint(id: string, ue?: UeSeen): Promise<boolean> {
    const { session } = this;
    const peer = session?.peers.get(id);
    if (!session || !peer?.endpoint) return false;
    const { role, publish, subscribe, name, tokenExpiresAt: expiresAt } = peer;
    const grant = { session: session.id, peer: id, role, publish, subscribe, expiresAt };
    const seen = { ...(name !== undefined && { name }), ...(ue && { ue }) };
    this.#join({ ...grant, ...seen }, peer.endpoint, Date.now());
    return true;
  }

  /** A realm that was restarted has lost its sockets, and nobody was told: it is asked from time to time. */
  protected override renewStays(session: Session, at: number): Promise<void> | undefined {
    const due = [...session.peers.values()].filter(
      ({ endpoint, tokenExpiresAt }) => endpoint !== undefined && tokenExpiresAt <= at,
    );
    return due.length === 0 ? undefined : this.#renew(due, at);
  }

  async #renew(peers: readonly Peer[], at: number): Promise<void> {
    for (const { id, endpoint } of peers) {
      if (endpoint && (await this.#isThere(endpoint))) {
        this.turn({ type: "stay", peer: id, until: at + STAY_MS, at });
      }
    }
  }

  /** A realm that does not answer is believed to have it: nobody loses a call because another object fails. */
  async #isThere({ realm, source }: Endpoint): Promise<boolean> {
    try {
      return (await realmStub(this.env, realm).present([source])).length > 0;
    } catch {
      return true;
    }
  }

  #join(grant: Grant, endpoint: Endpoint, at: number): Session | Problem {
    return this.turn({ type: "join", grant, endpoint, ice: NO_ICE_SERVERS, at });
  }
}

const NAME_CHARACTERS = 128;
/** An endpoint stays for so long before its realm is asked again. */
const STAY_MS = 3_600_000;

const grantOf = (session: string, { peer, source, ue }: Seat, at: number): Grant => ({
  session,
  peer,
  role: "peer",
  publish: Kind.options,
  subscribe: Kind.options,
  name: source.slice(0, NAME_CHARACTERS),
  ...(ue && { ue }),
  expiresAt: at + STAY_MS,
});
