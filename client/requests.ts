import type { FromPeer, ToPeer, Welcome } from "../protocol/messages.ts";
import { clientError, type DuplexError } from "./duplex-error.ts";

export type Ack = Extract<ToPeer, { type: "ack" }>;
type Unnumbered<M> = M extends FromPeer ? Omit<M, "id"> : never;
/** A message as its sender writes it; the socket numbers it. */
export type Outgoing = Unnumbered<FromPeer>;

/**
 * What becomes of a request whose reply was lost with the socket, seen from the `welcome` of the next one (R2):
 * its outcome, where the server's state tells it, or "resend". Ids are remembered per socket (R1): what is sent
 * again on a new one may be done twice, which matters to application messages only.
 */
export type OnResume = (welcome: Welcome) => Ack | DuplexError | "resend";

/** The reply of a request that the server has carried out, when only its state tells so. */
export const DONE: Ack = { type: "ack", re: 0 };

/** What a link needs of the socket. */
export interface SignallingPort {
  readonly connected: boolean;
  send(message: Outgoing): void;
  request(message: Outgoing, onResume?: OnResume): Promise<Ack>;
}

interface Pending {
  readonly text: string;
  readonly onResume: OnResume;
  readonly resolve: (ack: Ack) => void;
  readonly reject: (error: DuplexError) => void;
}

/** Requests that wait for their `ack` or `problem`, by id. */
export class Requests {
  readonly #pending = new Map<number, Pending>();
  // Replies are remembered per socket (R1): whatever a page before this one has asked for is forgotten.
  #nextId = 1;

  /** Numbers a message. `text` is the frame to send; `reply` settles with the answer to it. */
  add(message: Outgoing, onResume: OnResume): { text: string; reply: Promise<Ack> } {
    const id = this.#nextId++;
    const text = JSON.stringify({ ...message, id });
    const reply = new Promise<Ack>((resolve, reject) => {
      this.#pending.set(id, { text, onResume, resolve, reject });
    });
    return { text, reply };
  }

  /** Settles a request by the reply to it; false when none of this id is waiting. */
  settle(id: number, outcome: Ack | DuplexError): boolean {
    const pending = this.#pending.get(id);
    if (pending === undefined) return false;
    this.#pending.delete(id);
    if (outcome instanceof Error) pending.reject(outcome);
    else pending.resolve(outcome);
    return true;
  }

  /** After a reconnect: settles what the server's state decides; returns the frames to send again. */
  resume(welcome: Welcome): string[] {
    if (!welcome.resumed) {
      this.fail("The session had forgotten this peer; what was on its way is lost.");
      return [];
    }
    const resend: string[] = [];
    for (const [id, pending] of [...this.#pending]) {
      const outcome = pending.onResume(welcome);
      if (outcome === "resend") resend.push(pending.text);
      else this.settle(id, outcome);
    }
    return resend;
  }

  /** Rejects all that wait. */
  fail(detail: string): void {
    for (const id of [...this.#pending.keys()]) {
      this.settle(id, clientError("signalling-closed", "The request was not answered", detail));
    }
  }
}
