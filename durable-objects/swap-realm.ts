import { type Problem, problem } from "../protocol/problem.ts";
import type { CallMessage, EndpointNews } from "../protocol/swap/bridge.ts";
import { type Call, callWith, hasMostCalls, memoryOf, rememberCall } from "./endpoint-memory.ts";
import { neverGivenUp } from "./last-try.ts";
import { newPeerId } from "./random-id.ts";
import { RealmCalls } from "./realm-calls.ts";
import type {
  Callee,
  EndpointView,
  RealmCommands,
  RegisteredPeer,
  Seat,
} from "./realm-commands.ts";

/** A realm of SWAP (TS 26.113 clause 13.2): its sockets and calls (see RealmCalls), and what others ask of it over RPC. */
export class SwapRealm extends RealmCalls implements RealmCommands {
  override alarm(info?: AlarmInvocationInfo): Promise<void> {
    return neverGivenUp(this.ctx, info, () => super.alarm());
  }

  /** Sends what endpoints are to know; gives the peers of those that have no socket any more, or no room for a call. */
  async deliver(news: readonly EndpointNews[]): Promise<string[]> {
    const gone: string[] = [];
    for (const each of news) {
      const ws = this.endpoints.socketOf(each.endpoint);
      if (ws && hasRoomFor(ws, each)) this.#hand(ws, each);
      else gone.push(each.peer);
    }
    return gone;
  }

  async present(sources: readonly string[]): Promise<string[]> {
    return sources.filter((source) => this.endpoints.socketOf(source));
  }

  async view(): Promise<readonly EndpointView[]> {
    return [...this.endpoints.sockets].map((ws) => {
      const { source = "", dialect = "text", criteria, calls } = memoryOf(ws);
      const sessions = calls.map(({ partner, session }) => ({ partner, session }));
      return { source, dialect, ...(criteria && { criteria }), calls: sessions };
    });
  }

  async invite(session: string, { target, criteria = [] }: Callee): Promise<Seat | Problem> {
    const source = target ?? this.endpoints.find(criteria, "");
    const socket = source === undefined ? undefined : this.endpoints.socketOf(source);
    if (source === undefined || !socket) {
      return problem("unknown-peer", "no endpoint of this realm matches");
    }
    const seat = { peer: newPeerId(), source };
    const { ue } = memoryOf(socket);
    return (await this.session({ session }).admitEndpoint(this.name, { ...seat, ue })) ?? seat;
  }

  async register(peer: RegisteredPeer): Promise<void> {
    this.registered.put(peer);
    this.endpoints.add(peer);
  }

  async unregister(peer: string): Promise<void> {
    this.dropPeer(peer);
  }

  #hand(ws: WebSocket, news: EndpointNews): void {
    const { delivery } = news;
    const call = callWith(memoryOf(ws), delivery.source) ?? begun(ws, news);
    const request = news.isOfOffer ? call?.offered : undefined;
    this.send(ws, {
      ...delivery,
      ...(news.isOfServer && { source: this.ctx.id.toString() }),
      messageId: delivery.messageId ?? this.nextNumber(),
      ...(request !== undefined && { request }),
    } as CallMessage);
    if (call) this.#follow(ws, call, news);
  }

  /** What the call is after this endpoint was told. */
  #follow(ws: WebSocket, call: Call, { delivery: { type }, isOfOffer }: EndpointNews): void {
    const { isClosed: _, ...open } = call;
    if (type === "close") rememberCall(ws, { ...call, isClosed: true });
    // One that was not answered in time was told that it is over; here is the next.
    if (type === "connect" && call.isClosed) rememberCall(ws, open);
    if (type === "accept") rememberCall(ws, { ...call, isAccepted: true });
    if (isOfOffer && !call.isAccepted) this.ctx.waitUntil(this.leave(ws, call));
  }
}

/** One more call, if it is one, is one that its socket can remember. */
const hasRoomFor = (ws: WebSocket, { delivery }: EndpointNews): boolean =>
  delivery.type !== "connect" ||
  callWith(memoryOf(ws), delivery.source) !== undefined ||
  !hasMostCalls(ws);

/** A peer without SWAP calls the endpoint: the first that the realm hears of it. */
function begun(
  ws: WebSocket,
  { session, peer: self, from: other, delivery }: EndpointNews,
): Call | undefined {
  if (delivery.type !== "connect") return undefined;
  const call = { partner: delivery.source, session, self, other };
  rememberCall(ws, call);
  return call;
}
