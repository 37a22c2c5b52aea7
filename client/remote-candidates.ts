import type { Candidate } from "../protocol/message-parts.ts";
import type { ToPeer } from "../protocol/messages.ts";

export type CandidatesFrame = Extract<ToPeer, { type: "candidates" }>;

function textOf({ candidate, sdpMid, usernameFragment }: Candidate): string {
  return `${sdpMid ?? ""} ${usernameFragment ?? ""} ${candidate}`;
}

/** The other side's candidates: held until the description they belong to is applied, then added once. */
export class RemoteCandidates {
  #waiting: CandidatesFrame[] = [];
  readonly #added = new Set<string>();

  /** Adds the candidates of a frame, or keeps them when `applied` (the newest exchange applied) is older. */
  async add(frame: CandidatesFrame, connection: RTCPeerConnection, applied: number): Promise<void> {
    if (frame.exchange > applied) this.#waiting.push(frame);
    else await this.#apply(frame, connection);
  }

  /** The remote description of exchange `applied` is in place. */
  async release(connection: RTCPeerConnection, applied: number): Promise<void> {
    const due = this.#waiting.filter((frame) => frame.exchange <= applied);
    this.#waiting = this.#waiting.filter((frame) => frame.exchange > applied);
    for (const frame of due) await this.#apply(frame, connection);
  }

  /** Exchange `exchange` is void: what waited for it will not be needed. */
  drop(exchange: number): void {
    this.#waiting = this.#waiting.filter((frame) => frame.exchange !== exchange);
  }

  /** A new connection took the place of the old one: it has been given nothing yet. */
  reset(): void {
    this.#added.clear();
  }

  async #apply(frame: CandidatesFrame, connection: RTCPeerConnection): Promise<void> {
    if (connection.remoteDescription === null) return;
    for (const candidate of frame.candidates) {
      const text = textOf(candidate);
      if (this.#added.has(text)) continue;
      this.#added.add(text);
      await addQuietly(connection, candidate);
    }
    if (frame.complete === true) await addQuietly(connection, { candidate: "", sdpMid: null });
  }
}

/** A candidate of an ICE generation that has passed is refused by the browser; nothing is lost with it. */
async function addQuietly(connection: RTCPeerConnection, candidate: Candidate): Promise<void> {
  try {
    await connection.addIceCandidate(candidate as RTCIceCandidateInit);
  } catch {
    // See above: the generation is over, or the section was stopped.
  }
}
