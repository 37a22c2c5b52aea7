import type { FlowSummary } from "../protocol/flow-summary.ts";
import type { ToPeer, Welcome } from "../protocol/messages.ts";
import type { Transport } from "../protocol/transport.ts";

type FlowsFrame = Extract<ToPeer, { type: "flows" }>;

/**
 * The flows and transports that this peer may see, kept up to date by id and revision (F4): records, or what the server
 * tells of them briefly.
 */
export class FlowList {
  #flows = new Map<string, FlowSummary>();
  #transports = new Map<string, Transport>();

  get flows(): readonly FlowSummary[] {
    return [...this.#flows.values()];
  }

  get transports(): readonly Transport[] {
    return [...this.#transports.values()];
  }

  /**
   * What `welcome` has: all live flows, but only the newest ended ones. Older ones that are known stay, with the
   * transports that closed with them.
   */
  reset({ flows, transports }: Welcome["flows"]): void {
    const isOver = ({ state }: FlowSummary): boolean => state === "ended";
    const kept = [...this.#flows.values()].filter(isOver);
    const carriers = new Set(kept.map((flow) => "transport" in flow && flow.transport));
    const carried = [...this.#transports.values()].filter(
      ({ id, state }) => state === "closed" && carriers.has(id),
    );
    this.#flows = new Map([...kept, ...flows].map((flow) => [flow.id, flow]));
    this.#transports = new Map([...carried, ...transports].map((each) => [each.id, each]));
  }

  /** Takes changes in; one older than what is known is left out. */
  apply({ changed, transports }: FlowsFrame): void {
    for (const flow of changed) keepNewest(this.#flows, flow);
    for (const transport of transports) keepNewest(this.#transports, transport);
  }
}

function keepNewest<T extends { id: string; revision: number }>(known: Map<string, T>, next: T) {
  const before = known.get(next.id);
  if (before === undefined || before.revision <= next.revision) known.set(next.id, next);
}
