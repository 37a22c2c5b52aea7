import type { Candidate } from "../protocol/message-parts.ts";
import { ufragIn, ufragsOf } from "./description.ts";
import { asDuplexError, type DuplexError } from "./duplex-error.ts";
import type { NegotiationHost } from "./negotiation-host.ts";
import { type Ack, DONE, type SignallingPort } from "./requests.ts";

/** One gathering burst becomes one message: each message costs, and most candidates come at once. */
const BURST_MS = 50;
/** Most candidates that one message may carry. */
const MOST_AT_ONCE = 256;

/** What the server has of this peer's candidates for one exchange. */
export interface CandidateCount {
  readonly exchange: number;
  readonly count: number;
  readonly complete: boolean;
}

/**
 * The candidates of this side of a link: kept for the generation in use, sent in bursts once the number of
 * the exchange they belong to is known.
 */
export class LocalCandidates {
  readonly #port: SignallingPort;
  readonly #peer: string;
  readonly #host: Pick<NegotiationHost, "found">;
  readonly #refused: (error: DuplexError, exchange: number) => void;
  #generation = new Set<string>();
  #list: Candidate[] = [];
  #sent = 0;
  #complete = false;
  #completeSent = false;
  #exchange: number | undefined;
  /** The newest exchange under whose number something of this generation was sent. */
  #sentFor = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `refused` is told when the server does not take a burst, `host` what it remarks on those that it takes. */
  constructor(
    port: SignallingPort,
    peer: string,
    host: Pick<NegotiationHost, "found">,
    refused: (error: DuplexError, exchange: number) => void,
  ) {
    this.#port = port;
    this.#peer = peer;
    this.#host = host;
    this.#refused = refused;
  }

  /** A candidate of the browser; null when it has gathered all. */
  add(candidate: RTCIceCandidate | null): void {
    if (candidate === null) {
      this.#complete = true;
      this.flush();
      return;
    }
    // Firefox marks the end of each section this way; `complete` says it once for all.
    if (candidate.candidate === "") return;
    this.#list.push(candidate.toJSON() as Candidate);
    this.#timer ??= setTimeout(() => this.flush(), BURST_MS);
  }

  /**
   * A local description was set, or rolled back to: candidates of other generations are over. They wait for
   * `release` when their exchange has no number yet.
   */
  begin(sdp: string): void {
    const generation = ufragsOf(sdp);
    this.#exchange = undefined;
    if ([...generation].join() === [...this.#generation].join()) return;
    this.#generation = generation;
    this.#list = this.#list.filter((candidate) => this.#belongs(candidate));
    this.#sent = 0;
    this.#sentFor = 0;
    // Browsers fire the end of gathering after the description is set, never before.
    this.#complete = false;
    this.#completeSent = false;
  }

  /** The exchange of the local description is known: what waited goes out under its number. */
  release(exchange: number): void {
    this.#exchange = exchange;
    // Back to an older one: what went out for the newer is void on both other sides.
    if (exchange < this.#sentFor) this.#sendAll();
    else this.flush();
  }

  /**
   * The server refused what came for `refused` as stale; sends all again, as far as it still belongs to the local
   * description. That has a number of its own by now, or waits for one, or its number is `current`.
   */
  resend(refused: number, current: number): void {
    if (this.#exchange === refused) this.#exchange = current;
    this.#sendAll();
  }

  /** After a reconnect: sends all again when the server lacks some; it drops what it has (N5). */
  reconcile(counts: readonly CandidateCount[]): void {
    if (this.#exchange === undefined) return;
    const count = Math.max(0, ...counts.map((known) => known.count));
    const complete = counts.some((known) => known.complete);
    if (count < this.#sent || (this.#completeSent && !complete)) this.#sendAll();
    else this.flush();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const exchange = this.#exchange;
    if (exchange === undefined || !this.#port.connected) return;
    while (this.#sent < this.#list.length || (this.#complete && !this.#completeSent)) {
      const next = this.#list.slice(this.#sent, this.#sent + MOST_AT_ONCE);
      this.#sent += next.length;
      this.#completeSent = this.#complete && this.#sent === this.#list.length;
      // Those of a description not begun yet, or rolled back, are not for this exchange.
      const candidates = next.filter((candidate) => this.#belongs(candidate));
      if (candidates.length > 0 || this.#completeSent) {
        this.#post(exchange, candidates, this.#completeSent);
      }
    }
  }

  #sendAll(): void {
    this.#sent = 0;
    this.#completeSent = false;
    this.flush();
  }

  #post(exchange: number, candidates: Candidate[], complete: boolean): void {
    this.#sentFor = Math.max(this.#sentFor, exchange);
    const lean = candidates.map(withoutRepetition);
    const message = { type: "candidates", to: this.#peer, exchange, candidates: lean } as const;
    // A lost reply needs no answer: `reconcile` compares the counts.
    const onResume = (): Ack => DONE;
    this.#port
      .request(complete ? { ...message, complete } : message, onResume)
      .then(({ findings }) => findings && this.#host.found(findings))
      .catch((error: unknown) => this.#refused(asDuplexError(error), exchange));
  }

  #belongs(candidate: Candidate): boolean {
    const { usernameFragment } = candidate;
    return (
      usernameFragment === undefined ||
      usernameFragment === null ||
      this.#generation.has(usernameFragment)
    );
  }
}

/** Chromium names the generation twice; the other side finds it in the text. */
function withoutRepetition(given: Candidate): Candidate {
  const { usernameFragment, ...candidate } = given;
  return ufragIn(given.candidate) === usernameFragment ? candidate : given;
}
