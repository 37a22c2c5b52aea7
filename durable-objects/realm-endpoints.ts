import { CLOSE } from "../protocol/problem.ts";
import { Registry } from "../protocol/swap/matching.ts";
import type { Criterion } from "../protocol/swap/message.ts";
import { memoryOf, remember, rememberFirst } from "./endpoint-memory.ts";
import type { RegisteredPeer } from "./realm-commands.ts";

/**
 * The endpoints of a realm: whose socket is whose, and what each can be found by. All of it is in the attachments of
 * the sockets, and is read from them when the object wakes; peers without SWAP have a row.
 */
export class RealmEndpoints {
  readonly #sockets = new Map<string, WebSocket>();
  readonly #registry = new Registry();
  readonly #peers = new Map<string, RegisteredPeer>();

  constructor(sockets: readonly WebSocket[], peers: Iterable<RegisteredPeer>) {
    for (const peer of peers) this.add(peer);
    for (const ws of sockets) {
      const { source, criteria } = memoryOf(ws);
      if (source === undefined || ws.readyState !== WebSocket.OPEN) continue;
      this.#sockets.set(source, ws);
      if (criteria) this.#registry.register(source, criteria);
    }
  }

  get sockets(): Iterable<WebSocket> {
    return this.#sockets.values();
  }

  /** The open socket of an endpoint. */
  socketOf(source: string): WebSocket | undefined {
    const ws = this.#sockets.get(source);
    return ws?.readyState === WebSocket.OPEN ? ws : undefined;
  }

  /**
   * Lets a socket speak for an endpoint. False when another one does, unless both have the token for it: then the newest
   * wins, as the older one may be dead without anybody knowing (S3). The id of a peer that can be found is taken.
   */
  claim(ws: WebSocket, source: string): boolean {
    if (this.#peers.has(source)) return false;
    const other = this.socketOf(source);
    if (other && !(isGranted(ws, source) && isGranted(other, source))) return false;
    if (other) takeOver(ws, other);
    remember(ws, { source });
    this.#sockets.set(source, ws);
    return true;
  }

  register(ws: WebSocket, source: string, criteria: readonly Criterion[]): void {
    remember(ws, { criteria });
    this.#registry.register(source, criteria);
  }

  /** A peer without SWAP that can be found. */
  add(registered: RegisteredPeer): void {
    this.#peers.set(registered.peer, registered);
    this.#registry.register(registered.peer, registered.criteria);
  }

  peerOf(id: string): RegisteredPeer | undefined {
    return this.#peers.get(id);
  }

  remove(peer: string): void {
    if (this.#peers.delete(peer)) this.#registry.unregister(peer);
  }

  /** The endpoint that matches all criteria, but for `except`; chance decides among equals. */
  find(criteria: readonly Criterion[], except: string): string | undefined {
    return this.#registry.find(criteria, except, Math.random());
  }

  /** The socket is gone, and its registration with it. */
  letGo(ws: WebSocket): void {
    const { source } = memoryOf(ws);
    if (source === undefined || this.#sockets.get(source) !== ws) return;
    this.#sockets.delete(source);
    this.#registry.unregister(source);
  }
}

const isGranted = (ws: WebSocket, source: string): boolean => memoryOf(ws).granted === source;

/** All that the older socket knew is the newer one's, which is told like any other. */
function takeOver(ws: WebSocket, older: WebSocket): void {
  const { calls, criteria, newest, answered, granted } = memoryOf(older);
  remember(ws, { calls, newest, answered, ...(criteria && { criteria }) });
  rememberFirst(older, granted === undefined ? {} : { granted });
  older.close(CLOSE.replaced, "replaced");
}
