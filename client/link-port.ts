import type { MediaLabels } from "../protocol/flow-query.ts";
import type { LinkSummary } from "../protocol/message-parts.ts";
import type { Welcome } from "../protocol/messages.ts";
import { tracksIn } from "./description.ts";
import { DuplexError } from "./duplex-error.ts";
import type { NegotiationHost } from "./negotiation-host.ts";
import { type Ack, DONE, type SignallingPort } from "./requests.ts";

/** The description of `from` in exchange `exchange` is on the server. */
export function hasDescription(
  summary: LinkSummary | undefined,
  from: string,
  description: "offer" | "answer",
  exchange: number | undefined,
): boolean {
  const known = summary?.has ?? [];
  return known.some(
    (one) => one.from === from && one.description === description && one.exchange === exchange,
  );
}

/** The offer of this exchange waits for its answer. */
export function isOpen(summary: LinkSummary | undefined, exchange: number | undefined): boolean {
  return summary?.state === "offered" && summary.exchange === exchange;
}

/**
 * The messages of one link's negotiation. Each knows how to tell, from the `welcome` of a later socket, what
 * became of it when the reply was lost (R2).
 */
export class LinkPort {
  readonly #port: SignallingPort;
  readonly #self: string;
  readonly #peer: string;
  readonly #host: Pick<NegotiationHost, "found" | "labels">;

  /** `host` is told what the server remarks on descriptions that it takes all the same. */
  constructor(
    port: SignallingPort,
    self: string,
    peer: string,
    host: Pick<NegotiationHost, "found" | "labels">,
  ) {
    this.#port = port;
    this.#self = self;
    this.#peer = peer;
    this.#host = host;
  }

  /** Sends an offer; `known` is the newest exchange before it. Gives the number of its exchange. */
  async offer(sdp: string, restart: boolean, known: number): Promise<number> {
    const ack = await this.#port.request(
      { type: "offer", to: this.#peer, sdp, ...(restart && { restart }), ...this.#media(sdp) },
      (welcome) => this.#offerOutcome(welcome, known),
    );
    this.#remark(ack);
    return ack.exchange ?? known + 1;
  }

  /** Sends an answer. Rejects when its offer is not open any more, or the server finds fault with it. */
  async answer(exchange: number, sdp: string): Promise<void> {
    const ack = await this.#port.request(
      { type: "answer", to: this.#peer, exchange, sdp, ...this.#media(sdp) },
      (welcome) => {
        const summary = this.#summaryIn(welcome);
        if (hasDescription(summary, this.#self, "answer", exchange)) return DONE;
        return isOpen(summary, exchange) ? "resend" : lost("stale-negotiation");
      },
    );
    this.#remark(ack);
  }

  /** Refuses the other side's open offer. */
  reject(exchange: number, reason: string): Promise<void> {
    return this.#void({ type: "reject", exchange, reason: reason.slice(0, 256) });
  }

  /** Takes this side's open offer back. */
  rollback(exchange: number): Promise<void> {
    return this.#void({ type: "rollback", exchange });
  }

  async #void(
    message:
      | { type: "reject"; exchange: number; reason: string }
      | { type: "rollback"; exchange: number },
  ): Promise<void> {
    try {
      await this.#port.request({ ...message, to: this.#peer }, (welcome) =>
        isOpen(this.#summaryIn(welcome), message.exchange) ? "resend" : DONE,
      );
    } catch {
      // Too late: the exchange is over, which is what was wanted.
    }
  }

  #offerOutcome(welcome: Welcome, known: number): Ack | DuplexError | "resend" {
    const summary = this.#summaryIn(welcome);
    // Taken: the server has it still, or an answer that only it can have had.
    const taken = summary?.has.find(
      ({ from, description, exchange }) =>
        exchange > known && (from === this.#self) === (description === "offer"),
    );
    if (taken !== undefined) return { ...DONE, exchange: taken.exchange };
    const glare = summary?.state === "offered" && summary.offerer === this.#peer;
    return glare ? lost("glare") : "resend";
  }

  #remark({ findings = [] }: Ack): void {
    if (findings.length > 0) this.#host.found(findings);
  }

  /** What the application says of what it sends, by the mids of the description, as far as that does not say it. */
  #media(sdp: string): { media?: MediaLabels } {
    const tracks = tracksIn(sdp);
    const media = Object.entries(this.#host.labels()).flatMap(([mid, { sourceId, ...label }]) => {
      const isTold = sourceId === undefined || sourceId === tracks.get(mid);
      const said = isTold ? label : { ...label, sourceId };
      return Object.keys(said).length > 0 ? [[mid, said] as const] : [];
    });
    return media.length > 0 ? { media: Object.fromEntries(media) } : {};
  }

  #summaryIn(welcome: Welcome): LinkSummary | undefined {
    return welcome.links.find(({ peers }) => peers.includes(this.#peer));
  }
}

/** The problem that a lost reply would have told. */
function lost(code: "glare" | "stale-negotiation"): DuplexError {
  return new DuplexError({
    code,
    title: "The exchange is not this one any more",
    status: 409,
    detail: "found out on reconnecting",
  });
}
