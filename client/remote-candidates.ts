import type { Candidate } from "../protocol/message-parts.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { ufragIn } from "./description.ts";

export type CandidatesFrame = Extract<ToPeer, { type: "candidates" }>;

/** With its generation, which its sender may have left in its text. */
function whole(given: Candidate): RTCIceCandidateInit {
  const { candidate, usernameFragment = ufragIn(candidate) ?? null } = given;
  return { ...given, usernameFragment } as RTCIceCandidateInit;
}

function textOf({ candidate, sdpMid, usernameFragment }: RTCIceCandidateInit): string {
  return `${sdpMid ?? ""} ${usernameFragment ?? ""} ${candidate}`;
}

/** The other side's candidates: held until the description they belong to is in place, then added once. */
export class RemoteCandidates {
  #waiting: CandidatesFrame[] = [];
  /** Newest exchange whose remote description the connection has been given. */
  #inPlace = 0;
  readonly #added = new Set<string>();

  /** Adds the candidates of a frame at once, whatever else is going on, or keeps them for `release`. */
  add(frame: CandidatesFrame, connection: RTCPeerConnection): void {
    this.#waiting.push(frame);
    this.#release(connection).catch(reportError);
  }

  /** The remote description of this exchange is in place. */
  async release(connection: RTCPeerConnection, exchange: number): Promise<void> {
    this.#inPlace = exchange;
    await this.#release(connection);
  }

  /** Exchange `exchange` is void: what waited for it will not be needed. */
  drop(exchange: number): void {
    this.#waiting = this.#waiting.filter((frame) => frame.exchange !== exchange);
  }

  /** A new connection took the place of the old one: it has been given nothing yet. */
  reset(): void {
    this.#added.clear();
  }

  async #release(connection: RTCPeerConnection): Promise<void> {
    const due = this.#waiting.filter((frame) => frame.exchange <= this.#inPlace);
    this.#waiting = this.#waiting.filter((frame) => frame.exchange > this.#inPlace);
    // All are asked for at once: a connection does one thing after another, in that order.
    await Promise.all(due.map((frame) => this.#apply(frame, connection)));
  }

  async #apply(frame: CandidatesFrame, connection: RTCPeerConnection): Promise<void> {
    if (connection.remoteDescription === null) return;
    const fresh = frame.candidates.map(whole).filter((candidate) => {
      const text = textOf(candidate);
      const isNew = !this.#added.has(text);
      this.#added.add(text);
      return isNew;
    });
    const end = frame.complete === true ? [{ candidate: "", sdpMid: null }] : [];
    await Promise.all([...fresh, ...end].map((one) => addQuietly(connection, one)));
  }
}

/** A candidate of an ICE generation that has passed is refused by the browser; nothing is lost with it. */
async function addQuietly(
  connection: RTCPeerConnection,
  candidate: RTCIceCandidateInit,
): Promise<void> {
  try {
    await connection.addIceCandidate(candidate);
  } catch {
    // See above: the generation is over, or the section was stopped.
  }
}
