import type { LinkSummary } from "../protocol/message-parts.ts";
import type { ToPeer } from "../protocol/messages.ts";
import { hasSections, isOtherConnection, rollBack, setRemoteOffer } from "./description.ts";
import { asDuplexError, type DuplexError, isOutOfStep, outlook, reasonOf } from "./duplex-error.ts";
import { ExchangeNumbers } from "./exchange-numbers.ts";
import { hasDescription, isOpen, LinkPort } from "./link-port.ts";
import { LocalCandidates } from "./local-candidates.ts";
import type { NegotiationHost, NegotiationStart } from "./negotiation-host.ts";
import { OfferGate } from "./offer-gate.ts";
import { OperationChain } from "./operation-chain.ts";
import { type CandidatesFrame, RemoteCandidates } from "./remote-candidates.ts";
import type { SignallingPort } from "./requests.ts";

type OfferFrame = Extract<ToPeer, { type: "offer" }>;

/** One description that cannot be applied may be the other side's mistake; a second one is a pattern. */
const MISFITS = 2;

/**
 * Offer/answer of one link. Which of two crossing offers counts is the server's decision (N3): the loser is
 * told `glare`, rolls back and answers. Every exchange has a number; what is not for the current one is
 * ignored (N1). Operations run one after the other; an operation includes the server's reply to it.
 */
export class Negotiation {
  readonly #host: NegotiationHost;
  readonly #port: LinkPort;
  readonly #self: string;
  readonly #peer: string;
  readonly #local: LocalCandidates;
  readonly #remote = new RemoteCandidates();
  readonly #gate = new OfferGate(() => this.#kick());
  readonly #numbers = new ExchangeNumbers();
  readonly #chain = new OperationChain((thrown) => this.#host.problem(asDuplexError(thrown)));
  #needed = false;
  #restart = false;
  #misfits = 0;
  #isAnswererOnly = false;

  constructor(host: NegotiationHost, port: SignallingPort, self: string, peer: string) {
    this.#host = host;
    this.#port = new LinkPort(port, self, peer, host);
    this.#self = self;
    this.#peer = peer;
    this.#local = new LocalCandidates(port, peer, host, (error, exchange) =>
      this.#chain.add(() => this.#candidatesRefused(error, exchange)),
    );
  }

  /** True once an exchange was completed. */
  get established(): boolean {
    return this.#host.connection.currentRemoteDescription !== null;
  }

  start({ offers, summary, isAnswererOnly = false }: NegotiationStart): void {
    this.#isAnswererOnly = isAnswererOnly;
    if (summary !== undefined) this.#takeOver(summary);
    else if (offers) this.#needed = true;
    else this.#gate.awaitJoiner();
    // One task later, so that what the application publishes right after `join` is in the first offer.
    this.#chain.add(() => new Promise((resolve) => setTimeout(resolve)));
    this.#kick();
  }

  stop(): void {
    this.#chain.stop();
    this.#gate.stop();
    this.#local.stop();
  }

  /** `negotiationneeded`. */
  need(): void {
    this.#needed = true;
    this.#kick();
  }

  /** The application changed something: offers that were given up are worth another try. */
  encourage(): void {
    this.#gate.reset();
    this.#kick();
  }

  restartIce(): void {
    this.#restart = true;
    this.#host.refresh(true);
    this.encourage();
  }

  localCandidate(candidate: RTCIceCandidate | null): void {
    this.#local.add(candidate);
  }

  offer(frame: OfferFrame): void {
    this.#chain.add(() => this.#applyOffer(frame));
  }

  answer({ exchange, sdp }: Extract<ToPeer, { type: "answer" }>): void {
    this.#chain.add(() => this.#applyAnswer(exchange, sdp));
  }

  candidates(frame: CandidatesFrame): void {
    this.#remote.add(frame, this.#host.connection);
  }

  /** Rejected, rolled back or expired: back to the last stable state (N4). */
  withdraw(exchange: number, error?: DuplexError): void {
    this.#numbers.withdraw(exchange);
    this.#chain.add(() => this.#withdrawn(exchange, error));
  }

  /** After a reconnect: compares with what the server has (R2). */
  resume(summary: LinkSummary | undefined): void {
    // What is open now; an offer sent again after this `welcome` is not in its summary yet.
    const { open } = this.#numbers;
    this.#chain.add(() => this.#reconcile(summary, open));
    this.#kick();
  }

  #kick(): void {
    this.#chain.add(() => this.#offerIfNeeded());
  }

  #takeOver(summary: LinkSummary): void {
    this.#needed = !this.#numbers.takeOver(summary, this.#self);
    const isOpenHere = this.#needed && summary.state === "offered";
    if (isOpenHere) this.#chain.add(() => this.#port.rollback(summary.exchange));
  }

  async #offerIfNeeded(): Promise<void> {
    const { connection } = this.#host;
    const idle = connection.signalingState === "stable" && this.#numbers.open === undefined;
    if (this.#isAnswererOnly || !this.#needed || !idle || !this.#gate.open) return;
    this.#needed = false;
    this.#host.prepare("offer");
    await connection.setLocalDescription();
    const sdp = connection.localDescription?.sdp ?? "";
    if (hasSections(sdp)) await this.#sendOffer(sdp);
    else await this.#rollBack();
  }

  async #sendOffer(sdp: string): Promise<void> {
    this.#local.begin(sdp);
    try {
      const exchange = await this.#port.offer(sdp, this.#restart, this.#numbers.newest);
      this.#restart = false;
      this.#numbers.opened(exchange);
      this.#local.release(exchange);
    } catch (thrown) {
      await this.#offerRefused(asDuplexError(thrown));
    }
  }

  async #offerRefused(error: DuplexError): Promise<void> {
    // After `glare` the other offer, which came in before this reply, is next in line.
    if (outlook(error) === "over") await this.#rollBack();
    else await this.#again(error);
    if (outlook(error) === "never") this.#gate.giveUp();
  }

  async #applyOffer({ exchange, sdp }: OfferFrame): Promise<void> {
    if (!this.#numbers.isDue(exchange)) return;
    this.#numbers.apply(exchange);
    if (isOtherConnection(this.#host.connection.remoteDescription?.sdp, sdp)) this.#renew();
    // Browsers decide anew, when stable again, whether something is left to negotiate.
    this.#needed = false;
    const { connection } = this.#host;
    try {
      if (await setRemoteOffer(connection, sdp)) this.#host.refresh(false);
      this.#host.prepare("answer");
      await connection.setLocalDescription();
    } catch (thrown) {
      await this.#refuse(exchange, thrown);
      return;
    }
    await this.#sendAnswer(exchange, connection.localDescription?.sdp ?? "");
  }

  async #sendAnswer(exchange: number, sdp: string): Promise<void> {
    this.#local.begin(sdp);
    const reply = this.#port.answer(exchange, sdp);
    this.#local.release(exchange);
    try {
      // ICE need not wait for the reply; the answer did not wait for candidates.
      await Promise.all([reply, this.#remote.release(this.#host.connection, exchange)]);
      this.#settled(exchange);
    } catch (thrown) {
      this.#answerRefused(exchange, asDuplexError(thrown));
    }
  }

  /**
   * The answer is applied here but not there: its offer had just been withdrawn, or the server refused it. An
   * offer with an ICE restart brings both sides together again.
   */
  #answerRefused(exchange: number, error: DuplexError): void {
    const ahead = outlook(error);
    if (ahead === "over") return;
    this.#host.problem(error);
    if (ahead === "never") {
      this.#chain.add(() => this.#port.reject(exchange, error.code));
      // The offer was for the connection of a page loaded before this one.
      if (isOutOfStep(error)) this.#startOver();
      else this.#gate.giveUp();
      return;
    }
    this.#restart = true;
    this.#host.refresh(true);
    this.#needed = true;
    this.#gate.later();
  }

  async #refuse(exchange: number, thrown: unknown): Promise<void> {
    await this.#rollBack();
    this.#host.problem(asDuplexError(thrown));
    await this.#port.reject(exchange, reasonOf(thrown));
    this.#misfit();
  }

  async #applyAnswer(exchange: number, sdp: string): Promise<void> {
    const { connection } = this.#host;
    if (exchange !== this.#numbers.open || connection.signalingState !== "have-local-offer") return;
    this.#numbers.apply(exchange);
    // Answered by a page that was loaded anew: it never had this connection's keys.
    if (isOtherConnection(connection.remoteDescription?.sdp, sdp)) return this.#startOver();
    try {
      await connection.setRemoteDescription({ type: "answer", sdp });
      await this.#remote.release(connection, exchange);
      this.#settled(exchange);
    } catch (thrown) {
      await this.#again(asDuplexError(thrown));
      this.#misfit();
    }
  }

  /** Descriptions do not fit the connection, time and again: the sides have come apart; a fresh one mends it. */
  #misfit(): void {
    this.#misfits += 1;
    if (this.#misfits < MISFITS || !this.established) return;
    this.#misfits = 0;
    this.#startOver();
  }

  async #withdrawn(exchange: number, error: DuplexError | undefined): Promise<void> {
    this.#numbers.heard(exchange);
    this.#remote.drop(exchange);
    if (this.#numbers.open !== exchange) return;
    this.#numbers.open = undefined;
    await this.#again(error);
  }

  /** This side's offer came to nothing: back to stable, and once more after a while. */
  async #again(error: DuplexError | undefined): Promise<void> {
    await this.#rollBack();
    if (error !== undefined) this.#host.problem(error);
    this.#needed = true;
    this.#gate.later();
  }

  async #candidatesRefused(error: DuplexError, exchange: number): Promise<void> {
    if (error.code !== "stale-negotiation") {
      if (outlook(error) !== "over") this.#host.problem(error);
      return;
    }
    // Operations that were under way are done: the number may have changed, the generation need not.
    const current = this.#numbers.known(error.problem.exchange);
    if (current !== exchange) this.#local.resend(exchange, current);
  }

  async #reconcile(summary: LinkSummary | undefined, open: number | undefined): Promise<void> {
    // An answer that was missed follows as a frame of its own.
    const alive = isOpen(summary, open) || hasDescription(summary, this.#peer, "answer", open);
    if (open !== undefined && !alive) await this.#withdrawn(open, undefined);
    this.#local.reconcile(summary?.candidates.filter(({ from }) => from === this.#self) ?? []);
    this.#numbers.heard(summary?.exchange ?? 0);
    // The other side may have given up while this one was away.
    if (!this.established && summary?.state !== "offered") this.#needed = true;
  }

  async #rollBack(): Promise<void> {
    const { connection } = this.#host;
    if (!(await rollBack(connection))) return;
    this.#local.begin(connection.localDescription?.sdp ?? "");
    if (this.established) this.#local.release(this.#numbers.inForce);
  }

  #startOver(): void {
    this.#renew();
    this.need();
  }

  #renew(): void {
    this.#host.renew();
    this.#remote.reset();
    this.#restart = false;
  }

  #settled(exchange: number): void {
    this.#misfits = 0;
    this.#gate.reset();
    this.#numbers.settle(exchange);
    this.#host.settled();
    this.#kick();
  }
}
