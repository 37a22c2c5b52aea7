import { type PeerError, PeerEvents, peerError } from "./peerjs-events.ts";
import type { Session } from "./session.ts";

/** What pages of the adapter tell each other of a call or data connection, as application messages of the session. */
export interface CallMessage {
  readonly peerjs: "call" | "connect" | "answer" | "close" | "unavailable";
  readonly id: string;
  /** Id of the stream that the sender of the message adds. */
  readonly stream?: string | undefined;
  readonly metadata?: unknown;
}

/** Whom a connection is with: `peer` for the page, `id` for the session. */
export interface Partner {
  readonly session: Session;
  readonly id: string;
}

/** The connection that carries everything between both. Throws a `PeerError` where they have none. */
export function connectionWith({ session, id }: Partner): RTCPeerConnection {
  const connection = session.connection(id);
  if (connection) return connection;
  throw peerError("peer-unavailable", "this session has no connection to that peer");
}

/** Events of a call. */
export interface MediaEvents {
  /** The other side's stream is there. */
  stream: [stream: MediaStream];
  /** Either side closed the call, or the other one is gone. */
  close: [];
  /** It comes to nothing: `peer-unavailable`, or what else is in the way. */
  error: [error: PeerError];
  /** Of the connection that carries it. */
  iceStateChanged: [state: RTCIceConnectionState];
}

/** A call: PeerJS's `MediaConnection`. Both sides' tracks are sent once it is answered. */
export class MediaConnection extends PeerEvents<MediaEvents> {
  /** As of PeerJS's connections. */
  readonly type = "media";
  /** Id of the other peer, as the page knows it. */
  readonly peer: string;
  /** The same on both sides. */
  readonly connectionId: string;
  /** What the caller said of it. */
  readonly metadata: unknown;
  /** What this side sends. */
  localStream: MediaStream | undefined;
  /** What the other side sends, from the `stream` event on. */
  remoteStream: MediaStream | undefined;
  /** False until it was answered, and after it was closed. */
  open = false;
  /** @internal The other side was asked, and has not answered. */
  isAsking = false;
  #partner: Partner | undefined;
  #connection: RTCPeerConnection | undefined;
  #remoteId: string | undefined;
  readonly #added: RTCRtpSender[] = [];
  #isOver = false;

  /** @internal */
  constructor(peer: string, connectionId: string, metadata: unknown, localStream?: MediaStream) {
    super();
    this.peer = peer;
    this.connectionId = connectionId;
    this.metadata = metadata;
    this.localStream = localStream;
  }

  /** The connection that carries it; one for everything between the same two peers. */
  get peerConnection(): RTCPeerConnection | undefined {
    return this.#connection;
  }

  /** @internal It was closed, or came to nothing. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes a call that came in; without a stream nothing is sent back. */
  answer(stream?: MediaStream): void {
    if (this.open || this.#isOver) return;
    this.localStream = stream;
    // First said, then sent: by its stream the caller knows what the tracks belong to.
    this.#tell("answer").catch(() => this.end());
    this.#start();
  }

  /** Ends the call on both sides. */
  close(): void {
    if (this.#isOver) return;
    this.#tell("close").catch(() => undefined);
    this.end();
  }

  /** @internal It came in: `stream` is what the other peer will send. */
  attach(partner: Partner, stream?: string): void {
    const connection = connectionWith(partner);
    const isKnown = connection === this.#connection;
    this.#partner = partner;
    this.#connection = connection;
    this.#remoteId = stream;
    if (isKnown) return;
    connection.addEventListener("iceconnectionstatechange", () => {
      if (!this.#isOver && connection === this.#connection)
        this.emit("iceStateChanged", connection.iceConnectionState);
    });
  }

  /** @internal The other peer was found: asks it. Rejects with a `DuplexError` when it cannot be told. */
  async ring(partner: Partner): Promise<void> {
    this.attach(partner);
    try {
      this.isAsking = true;
      await this.#tell("call");
    } catch (error) {
      this.#partner = undefined;
      throw error;
    }
  }

  /** @internal The other peer answered. */
  answered(stream: string | undefined): void {
    if (this.open || this.#isOver) return;
    this.#remoteId = stream;
    this.isAsking = false;
    this.#start();
  }

  /** @internal Tracks came in; they may be of this call. */
  received(peer: string, streams: readonly MediaStream[]): void {
    const stream = streams.find(({ id }) => id === this.#remoteId);
    if (!this.open || peer !== this.#partner?.id || !stream || this.remoteStream) return;
    this.remoteStream = stream;
    this.emit("stream", stream);
  }

  /** @internal Its connection is not the one that the session has with this peer any more. */
  get isCut(): boolean {
    const { session, id } = this.#partner ?? {};
    return id !== undefined && session?.connection(id) !== this.#connection;
  }

  /** @internal It comes to nothing. */
  fail(error: PeerError): void {
    this.emit("error", error);
    this.end();
  }

  /** @internal Over, without a word to the other side. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.open = false;
    if (this.#connection?.signalingState !== "closed")
      for (const sender of this.#added) this.#connection?.removeTrack(sender);
    this.emit("close");
  }

  #start(): void {
    const { session, id } = this.#partner ?? {};
    this.open = true;
    const busy = this.#connection?.getSenders().map(({ track }) => track);
    for (const track of this.localStream?.getTracks() ?? []) {
      // Another call with the same peer may send it already.
      if (!this.#connection || busy?.includes(track) || !this.localStream) continue;
      this.#added.push(this.#connection.addTrack(track, this.localStream));
    }
    // What the other side sends may be here already.
    for (const { peer, streams } of session?.tracks ?? [])
      if (peer === id) this.received(peer, streams);
  }

  async #tell(peerjs: CallMessage["peerjs"]): Promise<void> {
    const { session, id = "" } = this.#partner ?? {};
    const { connectionId, localStream, metadata } = this;
    const message: CallMessage = {
      peerjs,
      id: connectionId,
      ...(peerjs !== "close" && { stream: localStream?.id }),
      ...(peerjs === "call" && { metadata }),
    };
    await session?.send(id, message);
  }
}
