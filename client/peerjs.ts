/**
 * Pages written for PeerJS on Duplex: the same calls, only construction differs, because a peer needs a token
 * of the page's own back end. See docs/recipes/peerjs.md.
 */
import type { PeerView } from "../protocol/message-parts.ts";
import { join } from "./duplex.ts";
import { DuplexError } from "./duplex-error.ts";
import {
  type CallMessage,
  DataConnection,
  type DataOptions,
  dataHeaderOf,
  MediaConnection,
} from "./peerjs-connections.ts";
import { type PeerError, PeerEvents, peerError } from "./peerjs-events.ts";
import type { Session } from "./session.ts";

export type {
  DataConnection,
  DataEvents,
  DataOptions,
  MediaConnection,
  MediaEvents,
} from "./peerjs-connections.ts";
export type { PeerError, PeerEvents } from "./peerjs-events.ts";

/** What the page's back end got from POST /v1/sessions/{id}/peers, or the part of it that is used. */
export interface Invitation {
  /** Of the peer. */
  readonly token: string;
  /** Where to use it. */
  readonly signalling: { readonly url: string };
}

/** How a peer is made. */
export interface PeerOptions {
  /**
   * Asks the page's own back end for a token. `id` is the id that the page wants, if it wants one: the back end
   * gives it to the peer as its `name`, if it may have it.
   */
  readonly invite: (id: string | undefined) => Promise<Invitation>;
  /** Base of the configuration of connections; the session's ICE servers are used besides its own. */
  readonly config?: Omit<RTCConfiguration, "certificates">;
}

/** Events of a peer. */
export interface PeerEventMap {
  /** It is in the session; `id` is what others find it by. */
  open: [id: string];
  /** Another peer calls. */
  call: [call: MediaConnection];
  /** Another peer opened a data connection. */
  connection: [connection: DataConnection];
  /** It was destroyed. */
  close: [];
  /** It takes and makes no calls until `reconnect`. Short losses of the network do not come to this. */
  disconnected: [id: string];
  /** `type` is PeerJS's: `peer-unavailable`, `unavailable-id`, `invalid-key`, `network`, `disconnected`, `webrtc`. */
  error: [error: PeerError];
}

/** How long a peer that is called may take to come, as PeerServer keeps an offer. */
const AWAITED_MS = 5_000;

/** Codes of a `DuplexError` that PeerJS has words for. */
const ERROR_TYPES: Readonly<Record<string, string>> = {
  unauthorized: "invalid-key",
  "unknown-peer": "peer-unavailable",
  "signalling-unreachable": "network",
};

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
  readonly #calls = new Map<string, MediaConnection>();
  readonly #data = new Set<DataConnection>();
  readonly #watched = new WeakSet<RTCPeerConnection>();
  readonly #leave = () => this.destroy();
  #session: Session | undefined;

  /** `new Peer(options)` or `new Peer(id, options)`. */
  constructor(...given: [options: PeerOptions] | [id: string | undefined, options: PeerOptions]) {
    super();
    const [first, second] = given;
    this.#options = second ?? (first as PeerOptions);
    this.#wanted = second ? (first as string | undefined) : undefined;
    // The others see at once that this page is gone.
    addEventListener("pagehide", this.#leave);
    this.#start().catch((thrown) => this.#fail(thrown));
  }

  /** The session, for what PeerJS has no words for: flows, findings, `restartIce`. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Calls a peer; `stream` event when it has answered and its media are there. */
  call(
    peer: string,
    stream: MediaStream,
    options: { readonly metadata?: unknown } = {},
  ): MediaConnection {
    const call = new MediaConnection(peer, crypto.randomUUID(), options.metadata, stream);
    this.#add(call);
    this.#reach(call, (session, { id }) => {
      call.attach({ session, id });
      call.ring().catch((thrown: Error) => this.#unreached(call, typeOf(thrown)));
    });
    return call;
  }

  /** Opens a data connection to a peer. */
  connect(peer: string, options: DataOptions = {}): DataConnection {
    const connection = new DataConnection(peer, { ...options, id: crypto.randomUUID() });
    this.#keep(connection);
    this.#reach(connection, (session, { id }) => {
      const link = session.connection(id);
      if (link) connection.dial(link);
    });
    return connection;
  }

  /** Takes and makes no calls any more; those that there are go on. */
  disconnect(): void {
    if (this.disconnected) return;
    this.disconnected = true;
    this.open = false;
    this.emit("disconnected", this.id ?? "");
  }

  /** The way back from `disconnected`, with the same id. */
  reconnect(): void {
    if (this.destroyed) throw new Error("this peer was destroyed");
    if (!this.disconnected) return;
    this.disconnected = false;
    if (this.#session && this.#session.state !== "closed") this.#opened(this.#session);
    else this.#start().catch((thrown) => this.#fail(thrown));
  }

  /** Ends all calls and leaves the session. */
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    removeEventListener("pagehide", this.#leave);
    for (const call of this.#calls.values()) call.close();
    for (const connection of this.#data) connection.close();
    this.disconnect();
    this.#session?.leave();
    this.emit("close");
  }

  /** Gives the ids of all other peers of the session. */
  listAllPeers(callback: (ids: string[]) => void): void {
    callback([...(this.#session?.peers.values() ?? [])].map(idOf));
  }

  async #start(): Promise<void> {
    const { token, signalling } = await this.#options.invite(this.id ?? this.#wanted);
    const { config } = this.#options;
    const { url } = signalling;
    const session = await join({ url, token, ...(config && { rtcConfiguration: config }) });
    if (this.destroyed) {
      session.leave();
      return;
    }
    this.#session = session;
    session.on("peer-joined", ({ peer }) => this.#watch(peer.id));
    session.on("link", ({ peer }) => {
      this.#watch(peer);
      for (const call of this.#calls.values()) call.check();
    });
    session.on("track", ({ peer, streams }) => {
      for (const call of this.#calls.values()) call.received(peer, streams);
    });
    session.on("message", ({ peer, body }) => this.#told(peer, body as CallMessage));
    session.on("problem", ({ error }) => this.emit("error", peerError("webrtc", error.message)));
    session.on("closed", ({ problem }) => {
      if (problem) this.emit("error", peerError(typeOf(problem), problem.message));
      this.disconnect();
    });
    for (const peer of session.peers.keys()) this.#watch(peer);
    this.#opened(session);
  }

  #opened(session: Session): void {
    const id = idOf(session.peer);
    const taken = this.#named(session, id);
    if (taken && taken.joinedAt < session.peer.joinedAt) {
      this.#fail(peerError("unavailable-id", `ID "${id}" is taken`));
      return;
    }
    this.id = id;
    this.open = true;
    this.emit("open", id);
  }

  /** The peer of this id: of several that one which was first and is there. */
  #named(session: Session, id: string): PeerView | undefined {
    const [first] = [...session.peers.values()]
      .filter((peer) => idOf(peer) === id && peer.state === "connected")
      .sort((one, other) => one.joinedAt - other.joinedAt);
    return first;
  }

  /** Finds the peer of a call or data connection, and waits for one that is about to come. */
  #reach(
    wanted: MediaConnection | DataConnection,
    found: (session: Session, peer: PeerView) => void,
  ): void {
    const until = Date.now() + AWAITED_MS;
    const look = (): void => {
      const session = this.#session;
      const peer = session && this.#named(session, wanted.peer);
      if (this.disconnected) this.#unreached(wanted, "disconnected");
      else if (peer && this.open) found(session, peer);
      else if (Date.now() > until && this.open) this.#unreached(wanted, "peer-unavailable");
      else setTimeout(look, 100);
    };
    // Never at once: the page adds its listeners after the call.
    setTimeout(look);
  }

  #unreached(wanted: MediaConnection | DataConnection, type: string): void {
    const error = peerError(type, `Could not connect to peer ${wanted.peer}`);
    this.emit("error", error);
    wanted.fail(error);
  }

  #add(call: MediaConnection): void {
    this.#calls.set(call.connectionId, call);
    call.on("close", () => this.#calls.delete(call.connectionId));
  }

  #keep(connection: DataConnection): void {
    this.#data.add(connection);
    connection.on("close", () => this.#data.delete(connection));
  }

  #told(from: string, message: CallMessage): void {
    const session = this.#session;
    const { peerjs, id, stream, metadata } = message;
    const call = this.#calls.get(id);
    if (peerjs === "answer") call?.answered(stream);
    else if (peerjs === "close") call?.end();
    else if (peerjs === "unavailable" && call) this.#unreached(call, "peer-unavailable");
    else if (peerjs === "call" && session) {
      if (this.open) this.#incoming({ session, id: from }, message, metadata);
      else session.send(from, { peerjs: "unavailable", id }).catch(() => undefined);
    }
  }

  #incoming(
    partner: { readonly session: Session; readonly id: string },
    { id, stream }: CallMessage,
    metadata: unknown,
  ): void {
    const caller = partner.session.peers.get(partner.id);
    const call = new MediaConnection(caller ? idOf(caller) : partner.id, id, metadata);
    call.attach(partner, stream);
    this.#add(call);
    this.emit("call", call);
  }

  #watch(peer: string): void {
    const link = this.#session?.connection(peer);
    if (!link || this.#watched.has(link)) return;
    this.#watched.add(link);
    link.addEventListener("datachannel", ({ channel }) => {
      const header = dataHeaderOf(channel);
      const view = this.#session?.peers.get(peer);
      if (!header || !this.open) return;
      const { label } = channel;
      const connection = new DataConnection(view ? idOf(view) : peer, { ...header, label });
      connection.attach(link, channel);
      this.#keep(connection);
      this.emit("connection", connection);
    });
  }

  #fail(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.emit(
      "error",
      "type" in error ? (error as PeerError) : peerError(typeOf(error), error.message),
    );
    this.destroy();
  }
}

const idOf = ({ id, name }: PeerView): string => name ?? id;

const typeOf = (error: Error): string =>
  (error instanceof DuplexError ? ERROR_TYPES[error.code] : undefined) ?? "server-error";
