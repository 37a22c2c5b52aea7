import type { Advice } from "../assistance/advice-message.ts";
import type { Flow } from "../flow.ts";
import type { FromPeer, ToPeer } from "../messages.ts";
import { CLOSE, type Problem, problem } from "../problem.ts";
import { type Effect, type Link, linkIdOf, type Session } from "../session.ts";
import { findFlow } from "../steering.ts";
import { ADVICE_URN, endpointAdvice } from "./advice.ts";
import { applicationOf, REJECTED } from "./application-body.ts";
import type { Accept, Application, Close, Connect, Reject, Update } from "./message.ts";

/**
 * Between the messages of SWAP and those of a session: what an endpoint asks of it, and what it tells an endpoint (decision
 * 0024). Numbers of exchanges, glare, what is open and what is in force are the session's business; SWAP has no words for
 * them.
 */

/** What endpoints of a call send each other. */
export type CallMessage = Connect | Accept | Reject | Update | Close | Application;

type Unnumbered<M> = M extends CallMessage
  ? Omit<M, "messageId"> & { readonly messageId?: number }
  : never;

/** A message for an endpoint. One without a number is the server's own: whoever sends it gives it one. */
export type Delivery = Unnumbered<CallMessage>;

/** A message, and the endpoint that it is for. */
export interface EndpointNews {
  readonly realm: string;
  /** Source of the endpoint. */
  readonly endpoint: string;
  /** As which peer of the session. */
  readonly session: string;
  readonly peer: string;
  /** The peer that it is of. */
  readonly from: string;
  readonly delivery: Delivery;
  /** A reject of the newest offer of the endpoint. */
  readonly isOfOffer?: true;
  /** The server itself says it: whoever sends it puts its own id in. */
  readonly isOfServer?: true;
}

/** The two peers of a call as one of them sees them. */
export interface Seats {
  readonly self: string;
  readonly other: string;
}

const REASON_CHARACTERS = 256;

/**
 * What a message of an endpoint asks of the session. `isOfOffer` says whether a reject is of an offer or of an application
 * message; where the endpoint did not say, it is of the offer that is open, if one is.
 *
 * Problems: `nothing-offered` when no connect or update waits for an answer; `invalid-message` for an accept without one.
 */
export function requestOf(
  session: Session,
  { self, other: to }: Seats,
  message: CallMessage,
  isOfOffer?: boolean,
): FromPeer | Problem {
  const seats = { self, other: to };
  switch (message.type) {
    case "connect":
      return { type: "offer", to, sdp: message.offer };
    case "update":
      return { type: "offer", to, sdp: message.sdp };
    case "accept":
      return answerOf(session, seats, message);
    case "reject":
      return (isOfOffer ?? openOf(session, seats) !== null)
        ? rejectOf(session, seats, message)
        : refusalOf(to, message);
    case "application":
      return { type: "message", to, body: { type: message.urn, value: message.value } };
    case "close":
      return { type: "leave" };
  }
}

/** The offer of the other side that is open. */
function openOf({ links }: Session, { self, other }: Seats): Link["open"] {
  const open = links.get(linkIdOf(self, other))?.open;
  return open?.offerer === other ? open : null;
}

const nothingOffered = (): Problem =>
  problem("nothing-offered", "no connect or update of this endpoint waits for an answer");

function answerOf(session: Session, seats: Seats, { answer }: Accept): FromPeer | Problem {
  if (answer === undefined) {
    return problem("invalid-message", "answer: only an accept of a close has none", {
      errors: [{ field: "answer", expected: "the answer SDP" }],
    });
  }
  const open = openOf(session, seats);
  if (!open) return nothingOffered();
  return { type: "answer", to: seats.other, exchange: open.exchange, sdp: answer };
}

function rejectOf(session: Session, seats: Seats, message: Reject): FromPeer | Problem {
  const open = openOf(session, seats);
  if (!open) return nothingOffered();
  const reason = (message.description ?? message.errorId)?.slice(0, REASON_CHARACTERS);
  return {
    type: "reject",
    to: seats.other,
    exchange: open.exchange,
    ...(reason !== undefined && { reason }),
  };
}

function refusalOf(to: string, { request, errorId, description }: Reject): FromPeer {
  return {
    type: "message",
    to,
    body: { type: REJECTED, value: { request, errorId, description } },
  };
}

/**
 * What endpoints are to be told of a turn, in order. `cause` is the message of an endpoint that asked for the turn: what is
 * told of it keeps its number and whatever else the session has no member for.
 */
export function endpointNews(
  before: Session,
  after: Session,
  effects: readonly Effect[],
  cause?: CallMessage,
): readonly EndpointNews[] {
  const turn = new Turn(before, after, cause);
  return effects.flatMap((effect) => {
    if (effect.type === "send") return turn.told(effect.to, effect.message);
    return effect.type === "close" ? turn.closed(effect) : [];
  });
}

class Turn {
  readonly #before: Session;
  readonly #after: Session;
  readonly #cause: CallMessage | undefined;

  constructor(before: Session, after: Session, cause: CallMessage | undefined) {
    this.#before = before;
    this.#after = after;
    this.#cause = cause;
  }

  told(to: string, message: ToPeer): readonly EndpointNews[] {
    switch (message.type) {
      case "offer":
        return this.#news(to, message.from, this.#offer(to, message));
      case "answer":
        return this.#news(to, message.from, { type: "accept", answer: message.sdp });
      case "reject":
        return this.#rejected(to, message.from, this.#reject(message.reason));
      case "rollback":
        return this.#withdrawn(to, message.from);
      case "expired":
        return this.#expired(to, message.from);
      case "message":
        return this.#news(to, message.from, this.#application(message.body));
      case "advice":
        return this.#advised(to, message);
      case "peer-left":
        return this.#isInCall(to, message.peer)
          ? this.#news(to, message.peer, { type: "close" })
          : [];
      default:
        return [];
    }
  }

  /** Its socket stays open: it is told that each of its calls is over. */
  closed({ peer, code }: Extract<Effect, { type: "close" }>): readonly EndpointNews[] {
    if (code === CLOSE.left) return [];
    return this.#partnersOf(peer).flatMap((partner) => this.#news(peer, partner, CLOSED));
  }

  #link(one: string, other: string): Link | undefined {
    return this.#before.links.get(linkIdOf(one, other));
  }

  #isInCall(one: string, other: string): boolean {
    const link = this.#link(one, other);
    return link !== undefined && (link.open !== null || link.inForce !== null);
  }

  #partnersOf(peer: string): readonly string[] {
    return [...this.#before.peers.keys()].filter((other) => this.#isInCall(peer, other));
  }

  #offer(to: string, { from, sdp }: Extract<ToPeer, { type: "offer" }>): Content {
    const cause = this.#cause;
    if (cause?.type === "connect") return { type: "connect", offer: sdp, criteria: cause.criteria };
    const isUpdate = cause?.type === "update" || this.#link(from, to)?.inForce;
    return isUpdate ? { type: "update", sdp } : { type: "connect", offer: sdp, criteria: [] };
  }

  #application(body: unknown): Content {
    const cause = this.#cause;
    if (cause?.type !== "application") return applicationOf(body);
    return { type: "application", urn: cause.urn, value: cause.value };
  }

  #reject(reason: string | undefined): Content {
    const { errorId, description = reason } =
      this.#cause?.type === "reject" ? this.#cause : ({} as Partial<Reject>);
    return {
      type: "reject",
      ...(errorId !== undefined && { errorId }),
      ...(description !== undefined && { description }),
    };
  }

  /** Not in the name of the other end: what an endpoint makes of it is none of that one's business. */
  #advised(to: string, advice: Advice): readonly EndpointNews[] {
    // Advice is about flows that there are.
    const { flow } = findFlow(this.#after, advice.flow) as { readonly flow: Flow };
    const from = flow.from === to ? flow.to : flow.from;
    const call = this.#endpoint(from)?.source ?? from;
    const value = endpointAdvice(to, call, flow, advice);
    const news = this.#news(to, from, { type: "application", urn: ADVICE_URN, value });
    return news.map((each) => ({ ...each, isOfServer: true }));
  }

  /** An offer was taken back: SWAP has no word for an update that is. */
  #withdrawn(to: string, from: string): readonly EndpointNews[] {
    return this.#link(to, from)?.inForce ? [] : this.#news(to, from, CLOSED);
  }

  #expired(to: string, from: string): readonly EndpointNews[] {
    const isOwn = this.#link(to, from)?.open?.offerer === to;
    return isOwn ? this.#rejected(to, from, UNANSWERED) : this.#withdrawn(to, from);
  }

  #rejected(to: string, from: string, content: Content): readonly EndpointNews[] {
    return this.#news(to, from, content).map((news) => ({ ...news, isOfOffer: true }));
  }

  #news(to: string, from: string, content: Content): readonly EndpointNews[] {
    const endpoint = this.#endpoint(to);
    if (!endpoint) return [];
    const { realm, source: target } = endpoint;
    const source = this.#endpoint(from)?.source ?? from;
    const cause = this.#cause;
    const isCaused = cause?.source === source && cause.type === content.type;
    const numbered = isCaused ? { messageId: cause.messageId } : {};
    const delivery = { ...content, ...numbered, ...asItCame(content, cause), source, target };
    return [
      {
        realm,
        endpoint: target,
        session: this.#after.id,
        peer: to,
        from,
        delivery: delivery as Delivery,
      },
    ];
  }

  #endpoint(peer: string) {
    return (this.#after.peers.get(peer) ?? this.#before.peers.get(peer))?.endpoint;
  }
}

type Addressed = "source" | "target" | "messageId";
type Named<M> = M extends CallMessage ? Omit<M, Addressed> : never;

/** A message without who sends it to whom. */
type Content = Named<CallMessage>;

const CLOSED: Content = { type: "close" };
const UNANSWERED: Content = { type: "reject", description: "The offer was not answered in time" };

/** What is protected goes on as it came, unless its description could not. */
function asItCame(content: Content, cause: CallMessage | undefined): { raw?: string } {
  if (cause?.raw === undefined || cause.type !== content.type) return {};
  return descriptionOf(content) === descriptionOf(cause) ? { raw: cause.raw } : {};
}

function descriptionOf(message: Content): string | undefined {
  if (message.type === "connect") return message.offer;
  if (message.type === "update") return message.sdp;
  return message.type === "accept" ? message.answer : undefined;
}

const endpoints = new WeakMap<Session["peers"], boolean>();

/** Whether a peer of the session is an endpoint of SWAP. Asked after every frame, and people seldom come or go. */
export function hasEndpoints({ peers }: Session): boolean {
  const known = endpoints.get(peers);
  if (known !== undefined) return known;
  const has = [...peers.values()].some(({ endpoint }) => endpoint !== undefined);
  endpoints.set(peers, has);
  return has;
}
