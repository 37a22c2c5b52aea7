import type { ContextResult, StreamContext } from "../../protocol/context-messages.ts";
import type { ToPeer } from "../../protocol/messages.ts";
import type { Downlink } from "./downlink.ts";
import { logRefusal } from "./log.ts";
import type { PeerLink } from "./peer-link.ts";
import type { Signalling } from "./signalling.ts";
import type { Uplink } from "./uplink.ts";

/** A context with what carries it. */
export interface Carried {
  asked: StreamContext;
  uplink?: Uplink | undefined;
  downlink?: Downlink | undefined;
  /** The uplink context that a downlink carries now. */
  source?: Carried | undefined;
  told?: string;
  retold: boolean;
}

type Outcome = Omit<ContextResult, "context" | "revision">;

const GRANTED: Outcome = { outcome: "granted" };
const LEAVING: Outcome = { outcome: "refused", cause: "no-capacity", detail: "It is leaving." };

/** The stream contexts of a session: which uplinks there are, and which downlinks carry which of them. */
export class Contexts {
  readonly #signalling: Signalling;
  readonly #link: (peer: string) => PeerLink | undefined;
  readonly #carried = new Map<string, Carried>();
  /** The publisher whose sound and picture a player is given. */
  readonly #followed = new Map<string, string>();
  #retelling: ReturnType<typeof setTimeout> | undefined;
  #refusesNew = false;

  constructor(signalling: Signalling, link: (peer: string) => PeerLink | undefined) {
    this.#signalling = signalling;
    this.#link = link;
  }

  of(peer: string): readonly Carried[] {
    return [...this.#carried.values()].filter(({ asked }) => asked.peer === peer);
  }

  receive({ op, ...asked }: Extract<ToPeer, { type: "context" }>): void {
    if (op === "close") {
      this.#close(asked.context);
      this.plug();
      return;
    }
    // Only one that closes may lack anything.
    this.#ask(asked as StreamContext);
  }

  refuseNew(): void {
    this.#refusesNew = true;
  }

  /** What is not told again in this time was closed meanwhile. */
  expectAgain(withinMs: number): void {
    for (const carried of this.#carried.values()) carried.retold = false;
    clearTimeout(this.#retelling);
    this.#retelling = setTimeout(() => {
      for (const [context, { retold }] of this.#carried) if (!retold) this.#close(context);
      this.plug();
    }, withinMs);
  }

  forget(peer: string): void {
    for (const { asked } of this.of(peer)) this.#close(asked.context);
    this.#followed.delete(peer);
    this.plug();
  }

  clear(): void {
    clearTimeout(this.#retelling);
    for (const context of [...this.#carried.keys()]) this.#close(context);
    this.#followed.clear();
  }

  /** Gives each downlink its source, as far as there is one now. */
  plug(): void {
    for (const carried of this.#carried.values()) {
      if (carried.asked.direction === "uplink") this.#carryUplink(carried);
    }
    for (const carried of this.#carried.values()) {
      const { asked, downlink } = carried;
      if (downlink === undefined) continue;
      carried.source = this.#choose(asked);
      downlink.follow(carried.source?.uplink);
      this.#tellSources(carried);
    }
  }

  #ask(asked: StreamContext): void {
    let carried = this.#carried.get(asked.context);
    if (carried === undefined && this.#refusesNew) {
      this.#answer(asked, LEAVING);
      return;
    }
    carried ??= { asked, retold: true };
    this.#carried.set(asked.context, carried);
    carried.asked = asked;
    carried.retold = true;
    const outcome = this.#carry(carried);
    this.plug();
    this.#answer(asked, outcome);
  }

  #carry(carried: Carried): Outcome {
    const { asked } = carried;
    if (asked.kind === "data") {
      return { outcome: "refused", cause: "other", detail: "Data channels are not forwarded." };
    }
    return asked.direction === "uplink" ? this.#carryUplink(carried) : this.#carryDownlink(carried);
  }

  #carryUplink(carried: Carried): Outcome {
    const { peer, mid, maxBitrateBps } = carried.asked;
    const uplink = mid === undefined ? undefined : this.#link(peer)?.uplink(mid);
    carried.uplink = uplink;
    if (uplink === undefined)
      return { outcome: "refused", cause: "other", detail: "No such section." };
    uplink.maxBitrateBps = maxBitrateBps;
    const sources = uplink.layers.map(({ ssrc, rtxSsrc, rid }) => ({
      ssrc,
      ...(rtxSsrc === undefined ? {} : { rtx: rtxSsrc }),
      ...(rid === "" ? {} : { rid }),
    }));
    return { ...GRANTED, ...(sources.length > 0 && { sources }) };
  }

  #carryDownlink(carried: Carried): Outcome {
    const { asked } = carried;
    carried.downlink ??= this.#openDownlink(carried);
    if (carried.downlink === undefined) {
      return { outcome: "refused", cause: "other", detail: "No section to send it on." };
    }
    const { held, maxBitrateBps } = asked;
    carried.downlink.limit({ held, maxBitrateBps });
    const sources = asked.sourceFlows ?? [];
    if (sources.length > 0 && !sources.some((flow) => this.#carried.has(flow))) {
      return { outcome: "refused", cause: "unknown-source" };
    }
    return { ...GRANTED, ...(maxBitrateBps === undefined ? {} : { maxBitrateBps }) };
  }

  #openDownlink(carried: Carried): Downlink | undefined {
    const { context, peer, kind, mid, sourceFlows } = carried.asked;
    const link = this.#link(peer);
    if (link === undefined || kind === "data") return undefined;
    // Sound and picture of one publisher are one stream: receivers keep them together.
    const stream = this.#carried.get(sourceFlows?.[0] ?? "")?.asked.peer ?? context;
    const downlink =
      link.via === "native"
        ? link.openDownlink({ context, kind, stream })
        : link.answeredDownlink(mid ?? "");
    if (downlink !== undefined) downlink.changed = () => this.#tellSources(carried);
    return downlink;
  }

  #close(context: string): void {
    const carried = this.#carried.get(context);
    this.#carried.delete(context);
    if (carried?.downlink === undefined) return;
    this.#link(carried.asked.peer)?.closeDownlink(carried.downlink);
  }

  // A player has one section per kind for whoever publishes: both follow one publisher while it is there.
  #choose({ peer, sourceFlows = [] }: StreamContext): Carried | undefined {
    const sources = sourceFlows
      .map((flow) => this.#carried.get(flow))
      .filter((source) => source?.uplink !== undefined && !source.uplink.closed);
    if (this.#link(peer)?.via !== "whep") return sources[0];
    const followed = this.#followed.get(peer);
    if (followed !== undefined && this.#publishes(followed)) {
      return sources.find((source) => source?.asked.peer === followed);
    }
    const first = sources[0];
    if (first !== undefined) this.#followed.set(peer, first.asked.peer);
    return first;
  }

  #publishes(peer: string): boolean {
    return this.of(peer).some(({ uplink }) => uplink !== undefined && !uplink.closed);
  }

  #tellSources(carried: Carried): void {
    const { asked, downlink, source } = carried;
    if (asked.flow === undefined || downlink === undefined) return;
    const message = {
      type: "sources",
      flow: asked.flow,
      sourceFlows: source === undefined ? [] : [source.asked.context],
      topology: "projecting",
      layer: downlink.layer ?? null,
      forwarding: downlink.forwarding,
    } as const;
    const told = JSON.stringify(message);
    if (told === carried.told) return;
    carried.told = told;
    this.#signalling.request(message).catch(logRefusal("sources-refused"));
  }

  #answer({ context, revision }: StreamContext, outcome: Outcome): void {
    this.#signalling
      .request({ type: "context-result", context, revision, ...outcome })
      .catch(logRefusal("context-result-refused", { context }));
  }
}
