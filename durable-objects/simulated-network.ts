import type { SimulatedFault } from "../protocol/simulated-fault.ts";
import { type Attachment, attachmentOf, remember, withMessage } from "./attachment.ts";
import { FrameFaults, type Pass } from "./frame-faults.ts";
import { PING, PONG, sendTo } from "./frames.ts";

/** What of the session's object a fault acts on. */
export interface Simulated {
  readonly state: DurableObjectState;
  /** A sign of life came through the socket; gives what becomes of its attachment. */
  heard(ws: WebSocket): Attachment;
  /** The socket is gone (S5). */
  lose(ws: WebSocket): void;
  /** Memory is gone; sockets, attachments and storage stay. */
  evict(): void;
}

interface Armed {
  readonly toServer: FrameFaults;
  readonly toPeer: FrameFaults;
  /** While it runs the runtime does not put the object to sleep, and with it what was asked for. */
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * The runtime cannot cut one connection of many without a Close frame. Text that is no UTF-8 makes clients fail the
 * connection at once (RFC 6455 s8.1), with 1006 as for a cut: half a surrogate pair goes out as it is. Whoever does
 * not look at it gets a code that no endpoint may send (s7.4.2).
 */
const BROKEN = '{"type":"\ud800"}';
const CUT = 2999;
/** The answer to who asked for an abort is on its way first. */
const ABORT_MS = 50;
/** Faults of frames that do not come are forgotten after this time. */
const ARMED_MS = 60_000;

const isHalfOpen = (ws: WebSocket): boolean => attachmentOf(ws).halfOpen === true;

/**
 * The network between a session's object and its sockets, with the faults that a developer asked for. Only in
 * local development. A half-open socket stays so; other faults wait a minute for their frames.
 */
export class SimulatedNetwork {
  readonly #object: Simulated;
  readonly #faults = new WeakMap<WebSocket, Armed>();

  constructor(object: Simulated) {
    this.#object = object;
    if (this.#hasHalfOpen()) object.state.setWebSocketAutoResponse();
  }

  /** A frame from a peer; `pass` gives it to the object. */
  incoming(ws: WebSocket, frame: string | ArrayBuffer, pass: Pass): void {
    if (isHalfOpen(ws)) return;
    if (frame === PING) this.#answerPing(ws);
    else this.#through(ws, "toServer", pass);
  }

  /** Pings come here while the runtime does not answer them, because one socket of the object is half-open. */
  #answerPing(ws: WebSocket): void {
    sendTo(ws, PONG);
    const known = this.#object.heard(ws);
    remember(ws, withMessage(known, Date.now()) ?? known);
    if (this.#hasHalfOpen()) return;
    this.#object.state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  /** A frame to a peer; `pass` sends it. */
  outgoing(ws: WebSocket, pass: Pass): void {
    if (!isHalfOpen(ws)) this.#through(ws, "toPeer", pass);
  }

  #through(ws: WebSocket, direction: "toServer" | "toPeer", pass: Pass): void {
    const faults = this.#faults.get(ws)?.[direction];
    if (!faults) pass();
    else {
      faults.take(() => {
        if (!isHalfOpen(ws)) pass();
      });
    }
  }

  /** Lets a fault happen, to the socket or to the object of its session. */
  simulate(ws: WebSocket, asked: SimulatedFault): void {
    switch (asked.fault) {
      case "drop":
        ws.send(BROKEN);
        ws.close(CUT);
        this.#object.lose(ws);
        return;
      case "half-open":
        remember(ws, { ...attachmentOf(ws), halfOpen: true });
        // One for the whole object: while a socket is not to be answered, the others are answered here.
        this.#object.state.setWebSocketAutoResponse();
        return;
      case "evict":
        this.#object.evict();
        return;
      case "abort":
        setTimeout(() => this.#object.state.abort("simulated fault"), ABORT_MS);
        return;
      case "duplicate":
      case "reorder":
      case "delay":
        this.#arm(ws, asked);
        return;
    }
  }

  #arm(ws: WebSocket, asked: SimulatedFault): void {
    const known = this.#faults.get(ws);
    if (known) clearTimeout(known.timer);
    const { toServer = new FrameFaults(), toPeer = new FrameFaults() } = known ?? {};
    const timer = setTimeout(() => this.#faults.delete(ws), ARMED_MS);
    this.#faults.set(ws, { toServer, toPeer, timer });
    const { direction = "both" } = asked;
    if (direction !== "to-peer") toServer.arm(asked);
    if (direction !== "to-server") toPeer.arm(asked);
  }

  #hasHalfOpen(): boolean {
    return this.#object.state
      .getWebSockets()
      .some((ws) => ws.readyState === WebSocket.OPEN && isHalfOpen(ws));
  }
}
