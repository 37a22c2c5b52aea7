import type { RTCPeerConnection } from "werift";
import type { Candidate } from "../../protocol/message-parts.ts";
import { withUsedFeedback } from "./codecs.ts";
import { codeOf, log } from "./log.ts";
import { OperationChain } from "./operation-chain.ts";
import { checkAgain } from "./peer-connection.ts";
import { readableDescription } from "./readable-description.ts";
import { Refused, type Signalling } from "./signalling.ts";

export interface NegotiationShape {
  readonly peer: string;
  readonly connection: RTCPeerConnection;
  readonly signalling: Signalling;
  /** A native peer can be offered something; who came over HTTP makes the only offer. */
  readonly offers: boolean;
  /** Before an answer: in which direction each section that was offered is to be used. */
  readonly direct: () => void;
  /** A description of this side as peers are to see it. */
  readonly announced: (sdp: string) => string;
  /** Before an offer: what it is to say of its sections, by mid, once they have one. */
  readonly prepare: () => void;
  readonly labels: () => Readonly<Record<string, { readonly context: string }>>;
  /** An exchange is done here; `remote` is the other side's description. */
  readonly agreed: (remote: string) => void;
  /** The server has heard of it too. */
  readonly settled: () => void;
}

/** A native peer that joined will make an offer at once: one exchange for both directions will do. */
const FIRST_OFFER_MS = 1_000;
/** Contexts come one by one, and a single offer can have them all. */
const GATHER_CONTEXTS_MS = 30;

/** Offer and answer with one peer, in both directions, one operation after the other. */
export class Negotiation {
  readonly #shape: NegotiationShape;
  readonly #operations: OperationChain;
  readonly #waiting: ReturnType<typeof setTimeout>;
  #waitsForOffer = true;
  /** The exchange of this side's open offer. */
  #offering: number | undefined;
  #offerNeeded = false;
  #offerTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(shape: NegotiationShape) {
    this.#shape = shape;
    this.#operations = new OperationChain((thrown) =>
      log("negotiation-failed", { peer: shape.peer, code: codeOf(thrown) }),
    );
    this.#waiting = setTimeout(() => this.#stopWaiting(), FIRST_OFFER_MS);
  }

  /** Sections have changed: they are offered as soon as it can be. */
  offerSoon(): void {
    this.#offerNeeded = true;
    if (this.#waitsForOffer || !this.#shape.offers) return;
    clearTimeout(this.#offerTimer);
    this.#offerTimer = setTimeout(
      () => this.#operations.add(() => this.#offer()),
      GATHER_CONTEXTS_MS,
    );
  }

  /** The peer's offer; its answer names all candidates of this side. */
  offered(exchange: number, sdp: string): void {
    this.#operations.add(async () => {
      try {
        await this.#answer(exchange, sdp);
      } catch (thrown) {
        await this.#reject(exchange, codeOf(thrown));
        throw thrown;
      } finally {
        this.#stopWaiting();
      }
    });
  }

  answered(exchange: number, sdp: string): void {
    this.#operations.add(async () => {
      if (exchange !== this.#offering) return;
      this.#offering = undefined;
      const answer = readableDescription(sdp);
      await this.#shape.connection.setRemoteDescription({ type: "answer", sdp: answer });
      this.#agree(answer);
      this.#shape.settled();
    });
  }

  /** The peer refused the offer, or did not answer it in time: then it is made again. */
  refused(exchange: number, again: boolean): void {
    this.#operations.add(async () => {
      if (exchange !== this.#offering) return;
      await this.#takeBack();
      if (again) this.offerSoon();
    });
  }

  /** The peer's candidates. Their end is not passed on: an agent that checks first may still come. */
  candidates(candidates: readonly Candidate[]): void {
    this.#operations.add(async () => {
      for (const { candidate, sdpMid, sdpMLineIndex, usernameFragment } of candidates) {
        if (candidate === "") continue;
        // Not awaited: looking up the name of an mDNS candidate can take seconds.
        this.#shape.connection
          .addIceCandidate({
            candidate,
            ...(sdpMid == null ? { sdpMLineIndex: sdpMLineIndex ?? 0 } : { sdpMid }),
            ...(usernameFragment == null ? {} : { usernameFragment }),
          })
          .catch(() => {});
      }
    });
  }

  close(): void {
    clearTimeout(this.#waiting);
    clearTimeout(this.#offerTimer);
    this.#operations.stop();
  }

  async #answer(exchange: number, sdp: string): Promise<void> {
    const { connection, direct, signalling, peer } = this.#shape;
    if (this.#offering !== undefined) await this.#takeBack();
    const offer = readableDescription(sdp);
    await acceptOffer(connection, offer);
    for (const transceiver of connection.getTransceivers()) {
      transceiver.codecs = transceiver.codecs.map(withUsedFeedback);
    }
    direct();
    await connection.setLocalDescription(await connection.createAnswer());
    checkAgain(connection);
    this.#agree(offer);
    await signalling.request({ type: "answer", to: peer, exchange, sdp: this.#localSdp() });
    this.#shape.settled();
    await this.#completeCandidates(exchange);
  }

  async #reject(exchange: number, reason: string): Promise<void> {
    const { connection, signalling, peer } = this.#shape;
    if (connection.signalingState === "have-remote-offer") {
      await connection.setRemoteDescription({ type: "rollback", sdp: "" });
    }
    await signalling.request({ type: "reject", to: peer, exchange, reason }).catch(() => {});
  }

  async #offer(): Promise<void> {
    const { connection, signalling, peer, prepare, labels } = this.#shape;
    const busy = this.#offering !== undefined || connection.signalingState !== "stable";
    if (!this.#offerNeeded || busy) return;
    this.#offerNeeded = false;
    prepare();
    await connection.setLocalDescription(await connection.createOffer());
    try {
      const { exchange } = await signalling.request({
        type: "offer",
        to: peer,
        sdp: this.#localSdp(),
        media: labels(),
      });
      this.#offering = exchange;
      if (exchange !== undefined) await this.#completeCandidates(exchange);
    } catch (thrown) {
      await this.#takeBack();
      // The peer's offer came first (N3): it is answered, and then this one is made anew.
      if (thrown instanceof Refused && thrown.code === "glare") this.#offerNeeded = true;
      else throw thrown;
    }
  }

  async #takeBack(): Promise<void> {
    this.#offering = undefined;
    const { connection } = this.#shape;
    if (connection.signalingState !== "have-local-offer") return;
    await connection.setLocalDescription({ type: "rollback" });
    this.#offerNeeded = true;
  }

  #agree(remote: string): void {
    this.#shape.agreed(remote);
    if (this.#offerNeeded) this.offerSoon();
  }

  // The description has them already.
  async #completeCandidates(exchange: number): Promise<void> {
    const { signalling, peer: to } = this.#shape;
    await signalling.request({ type: "candidates", to, exchange, candidates: [], complete: true });
  }

  #localSdp(): string {
    return this.#shape.announced(this.#shape.connection.localDescription?.sdp ?? "");
  }

  #stopWaiting(): void {
    if (!this.#waitsForOffer) return;
    this.#waitsForOffer = false;
    if (this.#offerNeeded) this.offerSoon();
  }
}

/** Of no section in any description: a mid is a token (RFC 5888 s4). */
const NO_MID = "no mid";

/**
 * Takes a peer's offer. werift gives its new sections to any transceiver that was never agreed, also after a rollback,
 * and a peer that only sends there would never receive: those of this side wait for an offer of their own
 * (RFC 8829 s4.1.10.2 and s5.10).
 */
async function acceptOffer(connection: RTCPeerConnection, sdp: string): Promise<void> {
  const waiting = connection
    .getTransceivers()
    .filter(({ currentDirection, stopped }) => currentDirection === null && !stopped);
  for (const transceiver of waiting) {
    transceiver.mid = NO_MID;
    delete transceiver.mLineIndex;
  }
  try {
    await connection.setRemoteDescription({ type: "offer", sdp });
  } finally {
    for (const transceiver of waiting) transceiver.mid = null;
  }
}
