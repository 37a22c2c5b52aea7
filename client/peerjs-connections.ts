import { type PeerError, PeerEvents, peerError } from "./peerjs-events.ts";
import type { Session } from "./session.ts";

/** What pages of the adapter tell each other of a call, as application messages of the session. */
export interface CallMessage {
  readonly peerjs: "call" | "answer" | "close" | "unavailable";
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
  #partner: Partner | undefined;
  #connection: RTCPeerConnection | undefined;
  #remoteId: string | undefined;
  readonly #added: RTCRtpSender[] = [];
  #isClosed = false;

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

  /** Takes a call that came in; without a stream nothing is sent back. */
  answer(stream?: MediaStream): void {
    if (this.open || this.#isClosed) return;
    this.localStream = stream;
    // First said, then sent: by its stream the caller knows what the tracks belong to.
    this.#tell("answer").catch(() => this.end());
    this.#start();
  }

  /** Ends the call on both sides. */
  close(): void {
    if (this.#isClosed) return;
    this.#tell("close").catch(() => undefined);
    this.end();
  }

  /** @internal The other peer was found, or calls: `stream` is what it will send. */
  attach(partner: Partner, stream?: string): void {
    if (this.#isClosed) return;
    this.#partner = partner;
    this.#remoteId = stream;
    this.#connection = partner.session.connection(partner.id);
    this.#connection?.addEventListener("iceconnectionstatechange", () => {
      if (!this.#isClosed && this.#connection)
        this.emit("iceStateChanged", this.#connection.iceConnectionState);
    });
  }

  /** @internal The caller asks. Rejects with a `DuplexError` when the other peer cannot be told. */
  async ring(): Promise<void> {
    await this.#tell("call");
  }

  /** @internal The other peer answered. */
  answered(stream: string | undefined): void {
    if (this.open || this.#isClosed) return;
    this.#remoteId = stream;
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
  check(): void {
    const { session, id } = this.#partner ?? {};
    if (id !== undefined && session?.connection(id) !== this.#connection) this.end();
  }

  /** @internal It comes to nothing. */
  fail(error: PeerError): void {
    this.emit("error", error);
    this.end();
  }

  /** @internal Over, without a word to the other side. */
  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
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

/** How a data connection is made. */
export interface DataOptions {
  /** A name for it; its id when left out. */
  readonly label?: string;
  /** Any JSON; the other side has it as `metadata`. */
  readonly metadata?: unknown;
  /** `raw` sends what it is given; others send binary data as it is and everything else as JSON. */
  readonly serialization?: string;
  /** False: neither in order nor sent again. */
  readonly reliable?: boolean;
}

/** Events of a data connection. */
export interface DataEvents {
  /** Data may be sent. */
  open: [];
  /** What the other side sent; binary data as an `ArrayBuffer`. */
  data: [data: unknown];
  /** Either side closed it, or the other one is gone. */
  close: [];
  /** `not-open-yet`, `message-too-big`, `peer-unavailable`, or what else is in the way. */
  error: [error: PeerError];
}

/** The subprotocol of a data channel that is a data connection: what it is follows as JSON. */
const SUBPROTOCOL = "duplex-peerjs:";

type DataHeader = DataOptions & { readonly id: string };

/** The head of a data connection; undefined for a data channel that the page made for itself. */
export function dataHeaderOf({ protocol }: RTCDataChannel): DataHeader | undefined {
  if (!protocol.startsWith(SUBPROTOCOL)) return undefined;
  return JSON.parse(protocol.slice(SUBPROTOCOL.length)) as DataHeader;
}

/** A data connection: PeerJS's `DataConnection`, one data channel of the connection between both peers. */
export class DataConnection extends PeerEvents<DataEvents> {
  /** As of PeerJS's connections. */
  readonly type = "data";
  /** Id of the other peer, as the page knows it. */
  readonly peer: string;
  /** The same on both sides. */
  readonly connectionId: string;
  /** The name that it was given. */
  readonly label: string;
  /** What the side that opened it said of it. */
  readonly metadata: unknown;
  /** As in `DataOptions`. */
  readonly serialization: string;
  /** As in `DataOptions`. */
  readonly reliable: boolean;
  /** The channel that carries it, once the other peer was found. */
  dataChannel: RTCDataChannel | undefined;
  /** The connection that carries the channel. */
  peerConnection: RTCPeerConnection | undefined;
  #isClosed = false;

  /** @internal */
  constructor(peer: string, { id, ...options }: DataHeader) {
    super();
    this.peer = peer;
    this.connectionId = id;
    this.label = options.label ?? id;
    this.metadata = options.metadata;
    this.serialization = options.serialization ?? "binary";
    this.reliable = options.reliable ?? true;
  }

  /** True while data can be sent. */
  get open(): boolean {
    return this.dataChannel?.readyState === "open";
  }

  /** Sends binary data as it is, anything else as JSON. Before `open` it gives an `error` event. */
  send(data: unknown): void {
    const isBinary =
      data instanceof ArrayBuffer || ArrayBuffer.isView(data) || data instanceof Blob;
    const isRaw = isBinary || this.serialization === "raw";
    if (!this.open) {
      this.emit("error", peerError("not-open-yet", "wait for the open event before sending"));
      return;
    }
    try {
      this.dataChannel?.send((isRaw ? data : JSON.stringify(data ?? null)) as string);
    } catch (error) {
      this.emit("error", peerError("message-too-big", String(error)));
    }
  }

  /** Closes it on both sides. */
  close(): void {
    this.dataChannel?.close();
    this.#end();
  }

  /** @internal The other peer was found: opens the channel. */
  dial(connection: RTCPeerConnection): void {
    if (this.#isClosed) return;
    const { connectionId: id, label, metadata, serialization, reliable } = this;
    const header: DataHeader = { id, metadata, serialization, reliable };
    const protocol = SUBPROTOCOL + JSON.stringify(header);
    const how = reliable ? { protocol } : { protocol, ordered: false, maxRetransmits: 0 };
    this.attach(connection, connection.createDataChannel(label, how));
  }

  /** @internal The channel that carries it. */
  attach(connection: RTCPeerConnection, channel: RTCDataChannel): void {
    this.peerConnection = connection;
    this.dataChannel = channel;
    channel.binaryType = "arraybuffer";
    channel.addEventListener("open", () => this.emit("open"));
    channel.addEventListener("close", () => this.#end());
    channel.addEventListener("message", ({ data }) => {
      const isText = typeof data === "string" && this.serialization !== "raw";
      this.emit("data", isText ? JSON.parse(data) : data);
    });
  }

  /** @internal It comes to nothing. */
  fail(error: PeerError): void {
    this.emit("error", error);
    this.#end();
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.emit("close");
  }
}
