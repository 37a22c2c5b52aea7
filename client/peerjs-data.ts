import { type PeerError, PeerEvents, peerError } from "./peerjs-events.ts";
import { type CallMessage, connectionWith, type Partner } from "./peerjs-media.ts";
import { Assembly, bytesOf, framesOf, messageOf } from "./peerjs-messages.ts";
import { Outbox } from "./peerjs-outbox.ts";

/** How a data connection is made. */
export interface DataOptions {
  /** A name for it; its id when left out. */
  readonly label?: string;
  /** Any JSON; the other side has it as `metadata`. */
  readonly metadata?: unknown;
  /** `raw` sends what it is given as one message of the channel; any other sends JSON with binary data in it. */
  readonly serialization?: string;
  /** False: in any order. Nothing is lost, as with PeerJS. */
  readonly reliable?: boolean;
}

/** Events of a data connection. */
export interface DataEvents {
  /** Data may be sent. */
  open: [];
  /** What the other side sent; binary data as an `ArrayBuffer`, wherever it is in it. */
  data: [data: unknown];
  /** Either side closed it, or the other one is gone. */
  close: [];
  /** `not-open-yet`, `message-too-big` (`raw` only), `peer-unavailable`, or what else is in the way. */
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
  /** @internal The other side was asked, and its channel is not open. */
  isAsking = false;
  #partner: Partner | undefined;
  #outbox: Outbox | undefined;
  readonly #assembly = new Assembly();
  #sent = 0;
  #isOver = false;

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

  /** Messages that wait for the channel to take them. */
  get bufferSize(): number {
    return this.#outbox?.size ?? 0;
  }

  /** @internal It was closed, or came to nothing. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Sends any JSON with binary data anywhere in it, as large as it may be. Before `open` it gives an `error` event.
   * Throws a `TypeError` for what JSON cannot say.
   */
  send(data: unknown): void {
    if (!this.open) {
      this.emit("error", peerError("not-open-yet", "wait for the open event before sending"));
    } else if (this.serialization === "raw") {
      const isBytes = data instanceof ArrayBuffer || ArrayBuffer.isView(data);
      this.#outbox?.add([isBytes ? bytesOf(data) : (data as string | Blob)].values());
    } else {
      const number = this.#sent++;
      const message = messageOf(data);
      if (message instanceof Promise)
        this.#outbox?.add(message.then((bytes) => framesOf(bytes, number)));
      else this.#outbox?.add(framesOf(message, number));
    }
  }

  /** Closes it on both sides; with `flush` after what was sent before has gone out. */
  close({ flush = false }: { readonly flush?: boolean } = {}): void {
    if (flush && this.open) {
      this.#outbox?.whenEmpty(() => this.close());
      return;
    }
    this.dataChannel?.close();
    this.end();
  }

  /** @internal The other peer was found: opens the channel. Rejects with a `DuplexError` when it cannot be told. */
  async ring(partner: Partner): Promise<void> {
    const { connectionId: id, label, metadata, serialization, reliable } = this;
    const message: CallMessage = { peerjs: "connect", id };
    await partner.session.send(partner.id, message);
    if (this.#isOver) return;
    const header: DataHeader = { id, metadata, serialization, reliable };
    const protocol = SUBPROTOCOL + JSON.stringify(header);
    const connection = connectionWith(partner);
    const channel = connection.createDataChannel(label, { protocol, ordered: reliable });
    this.isAsking = true;
    this.attach(partner, connection, channel);
  }

  /** @internal The channel that carries it. */
  attach(partner: Partner, connection: RTCPeerConnection, channel: RTCDataChannel): void {
    this.#partner = partner;
    this.peerConnection = connection;
    this.dataChannel = channel;
    this.#outbox = new Outbox(channel, (type, error) =>
      this.emit("error", peerError(type, String(error))),
    );
    channel.binaryType = "arraybuffer";
    channel.addEventListener("open", () => {
      this.isAsking = false;
      this.emit("open");
    });
    channel.addEventListener("close", () => this.end());
    channel.addEventListener("message", ({ data }) => {
      const message = this.serialization === "raw" ? { data } : this.#assembly.take(data);
      if (message && !this.#isOver) this.emit("data", message.data);
    });
  }

  /** @internal Its connection is not the one that the session has with this peer any more. */
  get isCut(): boolean {
    const { session, id } = this.#partner ?? {};
    return id !== undefined && session?.connection(id) !== this.peerConnection;
  }

  /** @internal It comes to nothing. */
  fail(error: PeerError): void {
    this.emit("error", error);
    this.close();
  }

  /** @internal Over, without a word to the other side. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.emit("close");
  }
}
