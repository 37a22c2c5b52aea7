import { abandon } from "./managed-intake.ts";
import type {
  BackendOffer,
  Context,
  ManagedLink,
  ManagedState,
  Operation,
  RemoteDescription,
} from "./managed-state.ts";
import { FAULT, type LocalTrack, MediaBackendFault, type TrackResult } from "./media-backend.ts";
import type { MediaServerPort, Reply } from "./media-server-port.ts";
import { endTracks } from "./publications.ts";

/** Sessions that are lost one after the other, and offers that are refused: more are not tried. */
const MOST_LOSSES = 2;
const MOST_OFFERS = 3;
const MOST_PULLS = 3;
const PULL_PAUSE_MS = 1000;
const CLOSE_PAUSE_MS = 5000;
const CHECK_PAUSE_MS = 30_000;
/** A call that nobody knows the end of is over by then. */
const UNCERTAIN_MS = 15_000;
const LONGEST_REASON = 256;
const LONGEST_TRANSPORT_REASON = 64;

/** What becomes of a link when something does not work. */
export class Setbacks {
  readonly #state: ManagedState;
  readonly #port: MediaServerPort;

  constructor(state: ManagedState, port: MediaServerPort) {
    this.#state = state;
    this.#port = port;
  }

  /** A call failed. */
  async failed(link: ManagedLink, operation: Operation, thrown: unknown): Promise<void> {
    const fault = faultOf(thrown);
    const isGone = fault.code === FAULT.gone;
    switch (operation.type) {
      case "publish":
      case "play":
        return this.#offerFailed(link, operation.remote, fault);
      case "pull":
        if (isGone || fault.code === FAULT.uncertain) return this.#pullLost(link, fault);
        for (const { context } of operation.wanted) this.trackFailed(context, fault);
        return;
      case "update":
        if (isGone) return this.lose(link, fault.detail);
        for (const { mid } of operation.changes) this.trackFailed(link.pulls[mid]?.context, fault);
        return;
      case "close":
        link.closeAt = this.#port.now() + CLOSE_PAUSE_MS;
        return;
      case "inspect":
        if (isGone) return this.lose(link, fault.detail);
        link.checkAt = this.#port.now() + CHECK_PAUSE_MS;
        return;
      default:
        return this.lose(link, fault.detail);
    }
  }

  /** Refuses the peer's offer. */
  async refuse(link: ManagedLink, remote: RemoteDescription, reason: string): Promise<void> {
    if (link.remote === remote) link.remote = undefined;
    if (link.offered) {
      link.offered.exchange = undefined;
      link.offered.retryAt = undefined;
    }
    const { exchange } = remote;
    const said = reason.slice(0, LONGEST_REASON);
    await this.#port.send({ type: "reject", to: link.peer.id, exchange, reason: said });
  }

  /** The session took no answer: the peer withdrew its offer, or the answer was refused. */
  async unanswered(
    link: ManagedLink,
    remote: RemoteDescription,
    { code }: Extract<Reply, { type: "problem" }>,
    tracks: readonly LocalTrack[],
  ): Promise<void> {
    this.withdrawn(link, tracks);
    if (code !== "stale-negotiation") await this.refuse(link, remote, `the answer met ${code}`);
  }

  /** The offer came to nothing while it was answered: the SFU has agreed to what the peer has given up. */
  withdrawn(link: ManagedLink, tracks: readonly LocalTrack[]): void {
    if (link.established) endTracks(link, tracks);
    else this.renew(link);
  }

  isHopeless({ attempts }: BackendOffer): boolean {
    return attempts > MOST_OFFERS;
  }

  /** A track could not be had: once more after a while when it may come, else its context is refused. */
  trackFailed(id: string | undefined, fault: TrackResult["fault"]): void {
    const context = id === undefined ? undefined : this.#state.contexts[id];
    if (!context) return;
    const attempts = (context.attempts ?? 0) + 1;
    context.attempts = attempts;
    if (fault?.retryable && attempts <= MOST_PULLS) {
      context.retryAt = this.#port.now() + PULL_PAUSE_MS * 2 ** (attempts - 1);
      return;
    }
    context.retryAt = undefined;
    context.failure = { cause: causeOf(fault?.code), detail: fault?.detail ?? "not reported" };
  }

  /** A track is there; `ended` when its context is not any more. */
  trackWorked(id: string | undefined): { ended?: true } {
    const context = id === undefined ? undefined : this.#state.contexts[id];
    if (!context) return { ended: true };
    context.attempts = undefined;
    context.retryAt = undefined;
    return {};
  }

  /** The connection is lost; a peer that takes offers is offered a new one, as often as it makes sense. */
  async lose(link: ManagedLink, reason: string): Promise<void> {
    link.losses += 1;
    this.renew(link);
    if (link.losses > MOST_LOSSES || link.peer.via !== undefined) this.#refuseAll(link);
    const said = reason.slice(0, LONGEST_TRANSPORT_REASON);
    const to = link.peer.id;
    await this.#port.send({ type: "transport", to, state: "failed", reason: said });
  }

  /** Forgets the session of a link; an offer of the peer stays, for the next one. */
  renew(link: ManagedLink, afterMs = 0): void {
    abandon(this.#state, link, this.#port.now() + afterMs);
    link.session = undefined;
    link.established = undefined;
    link.connected = undefined;
    link.offered = undefined;
    link.checkAt = undefined;
    link.closeAt = undefined;
    link.publications = {};
    link.pulls = {};
  }

  async #offerFailed(
    link: ManagedLink,
    remote: RemoteDescription,
    { code, detail }: MediaBackendFault,
  ): Promise<void> {
    const isUncertain = code === FAULT.uncertain;
    // What an established session may have made of the offer is closed, track by track.
    if (code === FAULT.gone || !link.established) {
      this.renew(link, isUncertain ? UNCERTAIN_MS : 0);
    }
    await this.refuse(link, remote, detail);
  }

  async #pullLost(link: ManagedLink, { code, detail }: MediaBackendFault): Promise<void> {
    const { session, established } = link;
    if (established) {
      await this.lose(link, detail);
    } else {
      link.losses += 1;
      this.renew(link);
      if (link.losses > MOST_LOSSES) this.#refuseAll(link);
    }
    if (code !== FAULT.uncertain || session === undefined) return;
    // The call may still be under way: what it makes must go as well.
    this.#state.cleanups.push({ session, attempts: 0, at: this.#port.now() + UNCERTAIN_MS });
  }

  #refuseAll({ peer }: ManagedLink): void {
    const detail = "the connection to the SFU is lost";
    for (const context of Object.values(this.#state.contexts)) {
      if (context.peer === peer.id) context.failure = { cause: "transport-failed", detail };
    }
  }
}

const faultOf = (thrown: unknown): MediaBackendFault =>
  thrown instanceof MediaBackendFault
    ? thrown
    : new MediaBackendFault(FAULT.uncertain, "the adapter failed");

const causeOf = (code: string | undefined): NonNullable<Context["failure"]>["cause"] =>
  code === "not_found_track_error" || code === "empty_track_error" ? "unknown-source" : "other";
