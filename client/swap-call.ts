import type { EndpointAdvice } from "../protocol/swap/advice.ts";
import { asDuplexError, type DuplexError } from "./duplex-error.ts";
import { Emitter } from "./emitter.ts";
import { OperationChain } from "./operation-chain.ts";
import { SenderLimits } from "./swap-advice.ts";
import type { SwapFrame, SwapSocket } from "./swap-socket.ts";

/** What happens to a call. */
export interface SwapCallEvents {
  /** The other side accepted the connect: media may flow. */
  accepted: undefined;
  /** An application message of the other side. */
  application: { readonly type: string; readonly value: unknown };
  /** A mobile network recommends something else for an m-section than before; what this side sends obeys already. */
  advice: EndpointAdvice;
  /** It is over: closed by either side, rejected, or not answered. */
  closed: { readonly reason: string };
  /** Something was refused or failed; the call goes on. */
  problem: { readonly error: DuplexError };
}

/** SWAP has no trickle: what is not gathered by then is left out. */
const GATHERING_MS = 3_000;

async function gathered(connection: RTCPeerConnection): Promise<string> {
  if (connection.iceGatheringState !== "complete") {
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, GATHERING_MS);
      connection.addEventListener("icegatheringstatechange", () => {
        if (connection.iceGatheringState !== "complete") return;
        clearTimeout(late);
        resolve();
      });
    });
  }
  return connection.localDescription?.sdp ?? "";
}

/**
 * One call of an endpoint. Tracks and data channels are added to `connection`, before and during the call; the call
 * sends an update whenever the browser says that it needs to be negotiated.
 */
export class SwapCall extends Emitter<SwapCallEvents> {
  /** Its connection: what is added to it is negotiated. */
  readonly connection: RTCPeerConnection;
  /** The other endpoint; known to a caller that named criteria once it is accepted. */
  partner: string | undefined;
  readonly #socket: SwapSocket;
  readonly #limits = new SenderLimits();
  readonly #chain = new OperationChain((thrown) => this.#failed(thrown));
  #offer: SwapFrame | undefined;
  #isNegotiated = false;
  #isOver = false;

  /** @internal */
  constructor(socket: SwapSocket, connection: RTCPeerConnection, offer?: SwapFrame) {
    super();
    this.#socket = socket;
    this.connection = connection;
    this.#offer = offer;
    this.partner = offer?.source;
    connection.addEventListener("negotiationneeded", () => {
      if (this.#isNegotiated) this.#chain.add(() => this.#update());
    });
    connection.addEventListener("connectionstatechange", () => {
      // One side restarts, so that both do not: the caller.
      if (connection.connectionState === "failed" && offer === undefined) connection.restartIce();
    });
  }

  /** @internal Sends the connect of a caller; resolves when it was delivered. */
  async connect(to: { target: string } | { criteria: { type: string; value: unknown }[] }) {
    await this.connection.setLocalDescription();
    const offer = await gathered(this.connection);
    await this.#socket.send({ type: "connect", offer, criteria: [], ...to });
  }

  /** Accepts an incoming call with what was added to `connection`. */
  async accept(): Promise<void> {
    const offer = this.#offer;
    this.#offer = undefined;
    if (offer) await this.#answer(String(offer.offer));
    this.#isNegotiated = true;
  }

  /** Rejects an incoming call. */
  async reject(description = "rejected"): Promise<void> {
    const request = this.#offer?.message_id;
    if (request === undefined || this.partner === undefined) return;
    const target = this.partner;
    this.#end("rejected");
    await this.#socket.send({ type: "reject", target, request, description });
  }

  /** Sends an application message; `type` is a URN that says what `value` is. */
  async send(type: string, value: unknown): Promise<void> {
    await this.#socket.send({ type: "application", target: this.#target(), urn: type, value });
  }

  /** Closes the call; resolves when the server has it. */
  async close(): Promise<void> {
    if (this.#isOver || this.partner === undefined) {
      this.#end("closed");
      return;
    }
    const target = this.partner;
    this.#end("closed");
    await this.#socket.send({ type: "close", target });
  }

  /** @internal A message of the other side. */
  receive(frame: SwapFrame): void {
    switch (frame.message_type) {
      case "accept":
        this.#chain.add(() => this.#accepted(frame));
        return;
      case "connect":
      case "update":
        this.#chain.add(() => this.#answer(String(frame.sdp ?? frame.offer)));
        return;
      case "application":
        this.emit("application", { type: String(frame.type), value: frame.value });
        return;
      case "reject":
        this.#chain.add(() => this.#rejected(frame));
        return;
      case "close":
        this.#end("closed by the other side");
        // Without an answer, because it accepts the close (13.2.4.4.8).
        this.#socket.send({ type: "accept", target: frame.source }).catch(() => undefined);
        return;
    }
  }

  /** @internal The server's word. */
  advised(advice: EndpointAdvice): void {
    const { mid, direction, bitrateBps } = advice;
    const own = this.connection.getTransceivers().find((each) => each.mid === mid);
    if (own && direction === "uplink") {
      this.#chain.add(() => this.#limits.set(own.sender, bitrateBps));
    }
    this.emit("advice", advice);
  }

  #target(): string {
    if (this.partner === undefined) throw new Error("nobody has accepted the call yet");
    return this.partner;
  }

  async #accepted({ source, answer }: SwapFrame): Promise<void> {
    this.partner = source;
    if (answer === undefined || this.connection.signalingState !== "have-local-offer") return;
    await this.connection.setRemoteDescription({ type: "answer", sdp: String(answer) });
    const isFirst = !this.#isNegotiated;
    this.#isNegotiated = true;
    if (isFirst) this.emit("accepted", undefined);
  }

  /** What comes while an own offer is open was first: the browser rolls that back (RFC 9429 section 4.1.10.2). */
  async #answer(sdp: string): Promise<void> {
    const { connection } = this;
    await connection.setRemoteDescription({ type: "offer", sdp });
    await connection.setLocalDescription();
    const answer = await gathered(connection);
    await this.#socket.send({ type: "accept", target: this.#target(), answer });
  }

  async #update(): Promise<void> {
    const { connection } = this;
    if (connection.signalingState !== "stable") return;
    await connection.setLocalDescription();
    const sdp = await gathered(connection);
    try {
      await this.#socket.send({ type: "update", target: this.#target(), sdp });
    } catch (thrown) {
      await this.#rollBack();
      // The other side's update was first and comes, after it the browser asks again.
      if (asDuplexError(thrown).code !== "glare") throw thrown;
    }
  }

  async #rollBack(): Promise<void> {
    if (this.connection.signalingState !== "have-local-offer") return;
    await this.connection.setLocalDescription({ type: "rollback" });
  }

  async #rejected({ description }: SwapFrame): Promise<void> {
    if (!this.#isNegotiated) this.#end(String(description ?? "rejected"));
    else await this.#rollBack();
  }

  #failed(thrown: unknown): void {
    if (!this.#isOver) this.emit("problem", { error: asDuplexError(thrown) });
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#chain.stop();
    this.connection.close();
    this.emit("closed", { reason });
  }
}
