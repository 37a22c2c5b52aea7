import type { Problem } from "../protocol/problem.ts";
import type { UeSeen } from "../protocol/session-config.ts";
import type { CallMessage, EndpointNews, Seats } from "../protocol/swap/bridge.ts";
import type { Connect, Criterion, SwapDialect } from "../protocol/swap/message.ts";
import { deploymentConfig } from "./deployment-config.ts";
import type { Bindings } from "./env.ts";

/** What realms and sessions ask of each other over RPC. */

/** An endpoint of a realm as its operator sees it. */
export interface EndpointView {
  readonly source: string;
  readonly dialect: SwapDialect;
  /** Absent when it has not registered: nobody can find it but by its source. */
  readonly criteria?: readonly Criterion[];
  readonly calls: readonly { readonly partner: string; readonly session: string }[];
}

/** What a realm is asked. */
export interface RealmCommands {
  /** Sends what endpoints are to know; gives the peers of those that have no socket any more. */
  deliver(news: readonly EndpointNews[]): Promise<string[]>;
  /** Of these sources, those that have a socket. */
  present(sources: readonly string[]): Promise<string[]>;
  view(): Promise<readonly EndpointView[]>;
  /** Brings an endpoint into a session. */
  invite(session: string, callee: Callee): Promise<Seat | Problem>;
  /** Lets endpoints find a peer of a session. */
  register(peer: RegisteredPeer): Promise<void>;
  unregister(peer: string): Promise<void>;
  fetch(request: Request): Promise<Response>;
}

/** Whom somebody wants: an endpoint by its source, or one that matches all criteria. */
export interface Callee {
  readonly target?: string | undefined;
  readonly criteria?: readonly Criterion[] | undefined;
}

/** A peer without SWAP that endpoints of a realm can find. */
export interface RegisteredPeer {
  readonly session: string;
  readonly peer: string;
  readonly criteria: readonly Criterion[];
}

/** A call between two endpoints of a realm. */
export interface NewCall {
  /** Of the session. */
  readonly id: string;
  readonly realm: string;
  readonly caller: Seat;
  readonly callee: Seat;
  readonly message: Connect;
}

export interface ConnectTo {
  readonly other: string;
  readonly message: Connect;
}

export interface Seat {
  readonly peer: string;
  readonly source: string;
  /** As what it is seen to come, in a deployment with mobile networks. */
  readonly ue?: UeSeen | undefined;
}

/** What a session is asked for its endpoints. Refusals come back as problems. */
export interface CallCommands {
  /** Makes the session of a call, which nobody has if the offer is refused. */
  openCall(call: NewCall): Promise<null | Problem>;
  /** `isOfOffer`: a reject is of an offer, or of an application message; unknown when it does not say. */
  say(seats: Seats, message: CallMessage, isOfOffer?: boolean): Promise<null | Problem>;
  /** An endpoint joins; `connect` is for a peer that is there, and it stays only if that takes it. */
  admitEndpoint(realm: string, seat: Seat, connect?: ConnectTo): Promise<null | Problem>;
  leaveCall(peer: string): Promise<null>;
  loseEndpoint(peer: string): Promise<null>;
  /** False when the peer has left meanwhile. */
  restoreEndpoint(peer: string, ue?: UeSeen): Promise<boolean>;
}

/** The object of a realm. Types of the platform lose records of unknown values. */
export function realmStub(env: Bindings, realm: string): RealmCommands {
  const { jurisdiction } = deploymentConfig(env);
  const namespace =
    jurisdiction === undefined
      ? env.SWAP_REALMS
      : env.SWAP_REALMS.jurisdiction(jurisdiction as DurableObjectJurisdiction);
  return namespace.getByName(realm) as unknown as RealmCommands;
}
