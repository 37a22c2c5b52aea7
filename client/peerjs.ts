/** Pages written for PeerJS on Duplex: only construction differs, for a token of the page's own back end (docs/recipes). */
import { backoffMs } from "./backoff.ts";
import { join } from "./duplex.ts";
import { DataConnection, type DataOptions, dataHeaderOf } from "./peerjs-data.ts";
import { type PeerError, PeerEvents, peerError, peerErrorOf } from "./peerjs-events.ts";
import { type CallMessage, MediaConnection, type Partner } from "./peerjs-media.ts";
import type { Invitation, PeerEventMap, PeerOptions } from "./peerjs-options.ts";
import { callablePeers, idOf, peersNamed, reach } from "./peerjs-reach.ts";
import type { Session } from "./session.ts";

export type { DataConnection, DataEvents, DataOptions } from "./peerjs-data.ts";
export type { PeerError, PeerEvents } from "./peerjs-events.ts";
export type { MediaConnection, MediaEvents } from "./peerjs-media.ts";
export type { Invitation, PeerEventMap, PeerOptions } from "./peerjs-options.ts";

/** PeerJS's words for what went wrong with a peer: `error.type`, for programs. */
export const PeerErrorType = {
  BrowserIncompatible: "browser-incompatible",
  Disconnected: "disconnected",
  InvalidID: "invalid-id",
  InvalidKey: "invalid-key",
  Network: "network",
  PeerUnavailable: "peer-unavailable",
  SslUnavailable: "ssl-unavailable",
  ServerError: "server-error",
  SocketError: "socket-error",
  SocketClosed: "socket-closed",
  UnavailableID: "unavailable-id",
  WebRTC: "webrtc",
} as const;

/** One of PeerJS's words for what went wrong. */
export type PeerErrorType = (typeof PeerErrorType)[keyof typeof PeerErrorType];

// Pages reconnect on every `disconnected`: as soon as they like once, but not over and over.
const RECONNECT = { firstMs: 500, mostMs: 5_000 };
/** Who was open as long as this may come back at once. */
const SOUND_MS = 5_000;

/** PeerJS's `Peer`, over a session of Duplex. */
export class Peer extends PeerEvents<PeerEventMap> {
  /** What others find this peer by: its name, else its id in the session. Known from `open` on. */
  id: string | undefined;
  /** True while it takes and makes calls. */
  open = false;
  /** True from `disconnect` to `reconnect`. */
  disconnected = false;
  /** True from `destroy` on. */
  destroyed = false;
  readonly #wanted: string | undefined;
  readonly #options: PeerOptions;
  readonly #connections = new Map<string, MediaConnection | DataConnection>();
  readonly #watched = new WeakSet<RTCPeerConnection>();
  readonly #leave = () => this.destroy();
  #session: Session | undefined;
  #isStarting = false;
  #joins = 0;
  #openedAt = 0;

  /** `new Peer(options)` or `new Peer(id, options)`. */
  constructor(
    ...given: [options: PeerOptions] | [id: string | null | undefined, options: PeerOptions]
  ) {
    super();
    const [first, second] = given;
    this.#options = second ?? (first as PeerOptions);
    this.#wanted = second ? ((first as string | null | undefined) ?? undefined) : undefined;
    if (typeof this.#options?.invite !== "function")
      throw new TypeError("A peer needs `invite` in its options: see docs/recipes/peerjs.md");
    // The others see at once that this page is gone.
    addEventListener("pagehide", this.#leave);
    this.#start();
  }

  /** The session, for what PeerJS has no words for: flows, findings, `restartIce`. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Calls and data connections by the id of the other peer, those that are not open yet included. */
  get connections(): Partial<Record<string, (MediaConnection | DataConnection)[]>> {
    const live = this.#live();
    const withPeer = (peer: string) => live.filter((one) => one.peer === peer);
    return Object.fromEntries(live.map(({ peer }) => [peer, withPeer(peer)]));
  }

  /** A call or data connection with a peer; null when there is none of this `connectionId`. */
  getConnection(peer: string, connectionId: string): MediaConnection | DataConnection | null {
    const isMeant = (one: MediaConnection | DataConnection): boolean =>
      one.peer === peer && one.connectionId === connectionId;
    return this.#live().find(isMeant) ?? null;
  }

  /** Calls a peer; `stream` event when it has answered and its media are there. */
  call(
    peer: string,
    stream: MediaStream,
    options: { readonly metadata?: unknown } = {},
  ): MediaConnection {
    const call = new MediaConnection(peer, crypto.randomUUID(), options.metadata, stream);
    this.#reach(call);
    return call;
  }

  /** Opens a data connection to a peer. */
  connect(peer: string, options: DataOptions = {}): DataConnection {
    const connection = new DataConnection(peer, { ...options, id: crypto.randomUUID() });
    this.#reach(connection);
    return connection;
  }

  /** Takes and makes no calls any more; those that there are go on. */
  disconnect(): void {
    if (this.disconnected) return;
    if (this.open && Date.now() - this.#openedAt > SOUND_MS) this.#joins = 0;
    this.disconnected = true;
    this.open = false;
    this.emit("disconnected", this.id ?? "");
  }

  /** The way back from `disconnected`, with the same id. What comes to nothing ends in `disconnected` again. */
  reconnect(): void {
    if (this.destroyed) throw new Error("this peer was destroyed");
    if (!this.disconnected) return;
    this.disconnected = false;
    this.#start();
  }

  /** Ends all calls and leaves the session. */
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    removeEventListener("pagehide", this.#leave);
    for (const connection of this.#live()) connection.close();
    this.disconnect();
    this.#session?.leave();
    this.emit("close");
  }

  /** Gives the ids of all other peers of the session that may be called. */
  listAllPeers(callback: (ids: string[]) => void): void {
    callback(callablePeers(this.#session).map(idOf));
  }

  /** Goes on in the session, or joins one; a join that is under way does for all. */
  #start(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    const isIn = this.#session !== undefined && this.#session.state !== "closed";
    const waitMs = isIn || this.#joins === 0 ? 0 : backoffMs(this.#joins - 1, RECONNECT);
    if (!isIn) this.#joins += 1;
    setTimeout(() => {
      this.#enter().catch(reportError);
    }, waitMs);
  }

  async #enter(): Promise<void> {
    try {
      const isIn = this.#session !== undefined && this.#session.state !== "closed";
      if (!isIn && !this.disconnected) await this.#join();
    } catch (thrown) {
      this.#isStarting = false;
      this.#fail(peerErrorOf(thrown));
      return;
    }
    this.#isStarting = false;
    // What the page has asked for meanwhile.
    if (this.destroyed) this.#session?.leave();
    else if (!this.disconnected && this.#session) this.#opened(this.#session);
  }

  async #join(): Promise<void> {
    const { config } = this.#options;
    const { token, signalling } = await this.#invitation();
    const { url } = signalling;
    const session = await join({ url, token, ...(config && { rtcConfiguration: config }) });
    this.#session = session;
    session.on("peer-joined", ({ peer }) => this.#watch(peer.id));
    session.on("link", ({ peer }) => {
      this.#watch(peer);
      for (const connection of this.#live()) if (connection.isCut) this.#cut(connection);
    });
    session.on("track", ({ peer, streams }) => {
      for (const connection of this.#live())
        if (connection.type === "media") connection.received(peer, streams);
    });
    session.on("message", ({ peer, body }) => this.#told({ session, id: peer }, body));
    session.on("problem", ({ error }) => this.emit("error", peerError("webrtc", error.message)));
    session.on("closed", ({ problem }) => {
      if (problem) this.emit("error", peerErrorOf(problem));
      this.disconnect();
    });
    for (const peer of session.peers.keys()) this.#watch(peer);
  }

  async #invitation(): Promise<Invitation> {
    try {
      return await this.#options.invite(this.id ?? this.#wanted);
    } catch (thrown) {
      // What `fetch` throws when the back end cannot be reached.
      throw thrown instanceof TypeError ? peerError("network", thrown.message) : thrown;
    }
  }

  #opened(session: Session): void {
    const id = idOf(session.peer);
    const isTaken = peersNamed(session, id).some(
      ({ state, joinedAt }) => state === "connected" && joinedAt < session.peer.joinedAt,
    );
    if (isTaken) {
      this.#fail(peerError("unavailable-id", `ID "${id}" is taken`));
      return;
    }
    this.id = id;
    this.open = true;
    this.#openedAt = Date.now();
    this.emit("open", id);
  }

  #reach(wanted: MediaConnection | DataConnection): void {
    this.#keep(wanted);
    reach(wanted, this).catch((thrown: unknown) => this.#unreached(wanted, peerErrorOf(thrown)));
  }

  #unreached(wanted: MediaConnection | DataConnection, error: PeerError): void {
    this.emit("error", error);
    wanted.fail(error);
  }

  #cut(connection: MediaConnection | DataConnection): void {
    if (!connection.isAsking) connection.end();
    else this.#unreached(connection, peerError("peer-unavailable", `${connection.peer} is gone`));
  }

  #keep(connection: MediaConnection | DataConnection): void {
    // Not when they close, by a listener: pages take all listeners away.
    for (const [id, { isOver }] of this.#connections) if (isOver) this.#connections.delete(id);
    this.#connections.set(connection.connectionId, connection);
  }

  #live(): (MediaConnection | DataConnection)[] {
    return [...this.#connections.values()].filter(({ isOver }) => !isOver);
  }

  #told(from: Partner, body: unknown): void {
    const { peerjs, id, stream, metadata } = (body ?? {}) as Partial<CallMessage>;
    const connection = this.#live().find(({ connectionId }) => connectionId === id);
    const isAsked = peerjs === "call" || peerjs === "connect";
    if (isAsked && !this.open)
      from.session.send(from.id, { peerjs: "unavailable", id }).catch(() => undefined);
    else if (peerjs === "call" && id !== undefined) this.#incoming(from, { id, stream, metadata });
    else if (peerjs === "unavailable" && connection)
      this.#unreached(
        connection,
        peerError("peer-unavailable", `${connection.peer} takes no calls`),
      );
    else if (connection?.type !== "media") return;
    else if (peerjs === "answer") connection.answered(stream);
    else if (peerjs === "close") connection.end();
  }

  #incoming(from: Partner, { id, stream, metadata }: Omit<CallMessage, "peerjs">): void {
    const caller = from.session.peers.get(from.id);
    const call = new MediaConnection(caller ? idOf(caller) : from.id, id, metadata);
    call.attach(from, stream);
    this.#keep(call);
    this.emit("call", call);
  }

  #watch(peer: string): void {
    const session = this.#session;
    const link = session?.connection(peer);
    if (!session || !link || this.#watched.has(link)) return;
    this.#watched.add(link);
    link.addEventListener("datachannel", ({ channel }) => {
      const header = dataHeaderOf(channel);
      if (!header) return;
      if (!this.open) {
        channel.close();
        return;
      }
      const view = session.peers.get(peer);
      const { label } = channel;
      const connection = new DataConnection(view ? idOf(view) : peer, { ...header, label });
      connection.attach({ session, id: peer }, link, channel);
      this.#keep(connection);
      this.emit("connection", connection);
    });
  }

  /** As PeerJS does it: who was open once may come back, everybody else makes another peer. */
  #fail(error: PeerError): void {
    this.emit("error", error);
    if (this.id === undefined || error.type === "unavailable-id") this.destroy();
    else this.disconnect();
  }
}

// biome-ignore lint/style/noDefaultExport: PeerJS has it, and pages import it so.
export default Peer;
