import type { Criterion } from "../protocol/swap/message.ts";
import { Emitter } from "./emitter.ts";
import type { Closed } from "./signalling-listener.ts";
import { adviceIn } from "./swap-advice.ts";
import { SwapCall } from "./swap-call.ts";
import { type SwapFrame, SwapSocket } from "./swap-socket.ts";

export type { EndpointAdvice } from "../protocol/swap/advice.ts";
export type { Criterion } from "../protocol/swap/message.ts";
export type { DuplexError } from "./duplex-error.ts";
export type { Emitter, Listener } from "./emitter.ts";
export type { Closed } from "./signalling-listener.ts";
export type { SwapCall, SwapCallEvents } from "./swap-call.ts";

/** A small endpoint of SWAP v1 for browsers (TS 26.113 clause 13.2). */

export interface SwapEndpointOptions {
  /** Address of the realm: `/3gpp-swap/v1` or `/{realm}/3gpp-swap/v1` on the server. */
  readonly url: string | URL;
  /** Where the realm is not open. It names the source. */
  readonly token?: string;
  /** How the endpoint names itself, at least 10 characters; random when left out. */
  readonly source?: string;
  /** What it can be found by, such as `[{ type: "user", value: "alice@example.org" }]`. */
  readonly criteria?: readonly Criterion[];
  /** Of its connections: ICE servers come from the operator, SWAP has no message for them. */
  readonly configuration?: RTCConfiguration;
}

/** What happens to an endpoint. */
export interface SwapEndpointEvents {
  /** Somebody calls: add what is to be sent to `call.connection` and accept, or reject. */
  incoming: { readonly call: SwapCall };
  /**
   * It has left the realm for good, and its calls are over: `left` by itself, or closed by the realm, with 4001 when
   * another page came with the same token.
   */
  closed: Closed;
}

/** Whom a call is for: an endpoint by its source, or whoever matches all criteria. */
export type SwapCallee = { readonly target: string } | { readonly criteria: readonly Criterion[] };

/** An endpoint and its calls. */
export class SwapEndpoint extends Emitter<SwapEndpointEvents> {
  /** How it names itself: what others may call it by. */
  readonly source: string;
  readonly #socket: SwapSocket;
  readonly #configuration: RTCConfiguration | undefined;
  readonly #calls = new Set<SwapCall>();
  #criteria: readonly Criterion[] | undefined;

  private constructor({ url, token, source, configuration }: SwapEndpointOptions) {
    super();
    this.source = source ?? crypto.randomUUID();
    this.#configuration = configuration;
    this.#socket = new SwapSocket(
      { url, token, source: this.source },
      {
        received: (frame) => this.#receive(frame),
        reopened: () => this.#reopened(),
        closed: (closed) => this.#closed(closed),
      },
    );
  }

  /** Connects, and registers what the endpoint can be found by. Rejects with a `DuplexError`. */
  static async connect(options: SwapEndpointOptions): Promise<SwapEndpoint> {
    const endpoint = new SwapEndpoint(options);
    try {
      await endpoint.#socket.open();
      if (options.criteria) await endpoint.register(options.criteria);
    } catch (thrown) {
      endpoint.#socket.close({ code: 1000, reason: "refused" });
      throw thrown;
    }
    return endpoint;
  }

  /** Says anew what the endpoint can be found by. */
  async register(criteria: readonly Criterion[]): Promise<void> {
    this.#criteria = criteria;
    await this.#socket.send({ type: "register", criteria });
  }

  /**
   * Calls somebody with what `add` puts into the connection. Resolves when the other side was told; rejects with a
   * `DuplexError`, `target_unknown.html` when nobody matches.
   */
  async call(callee: SwapCallee, add: (connection: RTCPeerConnection) => void): Promise<SwapCall> {
    const call = this.#add(new SwapCall(this.#socket, this.#connection()));
    add(call.connection);
    if ("target" in callee) call.partner = callee.target;
    try {
      await call.connect("target" in callee ? callee : { criteria: [...callee.criteria] });
    } catch (thrown) {
      this.#calls.delete(call);
      call.connection.close();
      throw thrown;
    }
    return call;
  }

  /** Closes all calls and leaves the realm. */
  async leave(): Promise<void> {
    await this.#closeCalls();
    this.#socket.close({ code: 1000, reason: "left" });
  }

  async #closeCalls(): Promise<void> {
    await Promise.allSettled([...this.#calls].map((call) => call.close()));
  }

  #closed(closed: Closed): void {
    // Nobody can be told any more: what is left is to stop sending.
    void this.#closeCalls();
    this.emit("closed", closed);
  }

  #reopened(): void {
    if (this.#criteria) this.register(this.#criteria).catch(() => undefined);
  }

  #connection(): RTCPeerConnection {
    return new RTCPeerConnection(this.#configuration);
  }

  #add(call: SwapCall): SwapCall {
    this.#calls.add(call);
    call.on("closed", () => this.#calls.delete(call));
    return call;
  }

  #receive(frame: SwapFrame): void {
    const calls = [...this.#calls];
    const { source } = frame;
    // Whoever is in a call may have sealed an answer in the server's place.
    const isOfPartner = calls.some(({ partner }) => partner === source);
    if (frame.message_type === "application" && this.#socket.server === source && !isOfPartner) {
      const advice = adviceIn(frame);
      if (advice) calls.find(({ partner }) => partner === advice.call)?.advised(advice);
      return;
    }
    // Who was found by criteria is known by its first message.
    const call =
      calls.find(({ partner }) => partner === source) ??
      (frame.message_type === "connect"
        ? undefined
        : calls.find(({ partner }) => partner === undefined));
    if (call) call.receive(frame);
    else if (frame.message_type === "connect") this.#incoming(frame);
    // A close of a call that this side knows nothing of, such as one before the page was loaded again.
    else if (frame.message_type === "close") {
      this.#socket.send({ type: "accept", target: source }).catch(() => undefined);
    }
  }

  #incoming(frame: SwapFrame): void {
    const call = this.#add(new SwapCall(this.#socket, this.#connection(), frame));
    this.emit("incoming", { call });
  }
}
