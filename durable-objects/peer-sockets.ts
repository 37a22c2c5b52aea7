import { CLOSE } from "../protocol/problem.ts";
import { isConnected, type Peer, type Session } from "../protocol/session.ts";
import { type Attachment, attachmentOf, remember } from "./attachment.ts";
import { answerClose, closingFrame, sendTo } from "./frames.ts";
import { Liveness, SILENCE_MS } from "./liveness.ts";
import type { SimulatedNetwork } from "./simulated-network.ts";

const tagOf = (peer: string): string => `p:${peer}`;

const speaksFor = (ws: WebSocket, { connection }: Peer): boolean =>
  attachmentOf(ws).connection === connection && ws.readyState === WebSocket.OPEN;

/**
 * The sockets of a session's peers: which of them speaks for its peer, and what goes out through it. A socket that
 * is closing may be listed by the runtime all the same (not when its client closed it); it is never written to.
 */
export class PeerSockets {
  readonly liveness: Liveness;
  readonly #state: DurableObjectState;
  readonly #network: SimulatedNetwork | undefined;
  /** The sockets that spoke for their peers when they were looked for last. */
  readonly #found = new Map<string, WebSocket>();

  constructor(state: DurableObjectState, network: SimulatedNetwork | undefined) {
    this.#state = state;
    this.#network = network;
    this.liveness = new Liveness(state);
  }

  /** What all sockets remember, when memory is new or in doubt. */
  recall(): readonly Attachment[] {
    const sockets = this.#state.getWebSockets();
    this.liveness.recall(sockets);
    return sockets.map(attachmentOf);
  }

  accept(ws: WebSocket, attachment: Attachment): void {
    this.#state.acceptWebSocket(ws, [tagOf(attachment.peer)]);
    remember(ws, attachment);
  }

  /**
   * The open socket that speaks for a peer. Hibernation keeps sockets; an abort (deploy, crash) takes them without
   * a close event (S5).
   */
  of(peer: Peer): WebSocket | undefined {
    const known = this.#found.get(peer.id);
    if (known && speaksFor(known, peer)) return known;
    const found = this.#all(peer.id).find((ws) => speaksFor(ws, peer));
    if (found) this.#found.set(peer.id, found);
    else this.#found.delete(peer.id);
    return found;
  }

  /** A socket of anybody; undefined when nobody has one. */
  anyOf({ peers }: Session): WebSocket | undefined {
    for (const peer of peers.values()) {
      const socket = this.of(peer);
      if (socket) return socket;
    }
    return undefined;
  }

  /**
   * Peers that are connected as far as anybody knows, and have no socket any more. Of an endpoint of SWAP its realm tells,
   * of an HTTP client the other side; a managed media server never has one.
   */
  missing(peers: Session["peers"]): readonly Peer[] {
    return [...peers.values()].filter(
      (peer) =>
        isConnected(peer) && !peer.endpoint && !peer.http && !peer.managed && !this.of(peer),
    );
  }

  /** So much waits for the peer that only what the session needs is sent to it. */
  isBusy(peer: Peer): boolean {
    const ws = this.of(peer);
    return ws !== undefined && this.liveness.isBusy(ws);
  }

  /** What the sockets of a peer remember. */
  remembered(peer: string): Attachment[] {
    return this.#all(peer).map(attachmentOf);
  }

  /** To the newest socket of the peer; to any when it has left, which is to be closed then. */
  send(session: Session, peer: string, frame: string, at: number): void {
    const known = session.peers.get(peer);
    const ws = known && this.of(known);
    if (ws) this.#send(ws, frame, at);
    if (known) return;
    for (const each of this.#all(peer)) {
      if (each.readyState === WebSocket.OPEN) this.#send(each, frame, at);
    }
  }

  #send(ws: WebSocket, frame: string, at: number): void {
    this.#doubt(ws, SILENCE_MS.delivered, at);
    this.deliver(ws, frame);
  }

  /** Others cannot reach this peer: it may be gone, whatever its socket looks like. */
  doubt(peer: Peer, at: number): void {
    const ws = this.of(peer);
    if (ws) this.#doubt(ws, SILENCE_MS.reported, at);
  }

  #doubt(ws: WebSocket, silenceMs: number, at: number): void {
    const probe = this.liveness.doubt(ws, silenceMs, at);
    if (probe !== undefined) this.#transmit(ws, probe);
  }

  /** Every frame is counted: what nobody reads has an end. */
  deliver(ws: WebSocket, frame: string): void {
    const probe = this.liveness.delivered(ws, frame);
    this.#transmit(ws, frame);
    if (probe !== undefined) this.#transmit(ws, probe);
  }

  #transmit(ws: WebSocket, frame: string): void {
    if (this.#network) this.#network.outgoing(ws, () => sendTo(ws, frame));
    else sendTo(ws, frame);
  }

  /** Closes the sockets of a peer, but for the newest in a session that is named. */
  close(peer: string, code: number, reason: string, keepNewestOf?: Session): void {
    const newest = keepNewestOf?.peers.get(peer)?.connection;
    for (const ws of this.#all(peer)) {
      if (attachmentOf(ws).connection === newest) continue;
      this.#close(ws, code, reason);
      this.letGo(ws);
    }
  }

  /** Closes a socket whose peer is gone, or does not read. */
  cutOff(ws: WebSocket, reason: string): void {
    this.#close(ws, CLOSE.silent, reason);
  }

  #close(ws: WebSocket, code: number, reason: string): void {
    // The frame first: a socket closed from outside its own message keeps its TCP connection until the object
    // sleeps (workerd 1.20261023), so that a client may learn of the close only 10 s later.
    if (ws.readyState === WebSocket.OPEN) this.#transmit(ws, closingFrame(code, reason));
    answerClose(ws, code, reason);
  }

  /** Whatever comes of this socket later is no news of its peer, which may have left and joined again by then. */
  letGo(ws: WebSocket): void {
    this.liveness.letGo(ws);
    const { events: _, figures: __, timeline: ___, ...attachment } = attachmentOf(ws);
    remember(ws, { ...attachment, connection: 0, soft: [] });
  }

  #all(peer: string): WebSocket[] {
    return this.#state.getWebSockets(tagOf(peer));
  }
}
