import type { Flow, Kind } from "../../protocol/flow.ts";
import type { CallRecord } from "./record.ts";
import { bitrateOf } from "./samples.ts";
import type { Scope } from "./scope.ts";

/** How a flow is, for the eye: its state, and whether something is wrong with its path or an end of it. */
export type Look = "impaired" | "active" | "held" | "negotiated" | "proposed" | "ended";

/** Signs go with the colours; nobody needs to tell colours apart. */
export const LOOKS: Readonly<Record<Look, { readonly sign: string; readonly word: string }>> = {
  impaired: { sign: "!", word: "interrupted" },
  active: { sign: "●", word: "active" },
  held: { sign: "‖", word: "held" },
  negotiated: { sign: "◐", word: "negotiated" },
  proposed: { sign: "○", word: "proposed" },
  ended: { sign: "×", word: "ended" },
};

const WORST: readonly Look[] = ["impaired", "active", "held", "negotiated", "proposed", "ended"];

export function lookOf(record: CallRecord, { state, impaired, stale, transport }: Flow): Look {
  if (state === "ended") return "ended";
  const path = record.transports.get(transport)?.state;
  return impaired || stale || path === "failed" || path === "disconnected" ? "impaired" : state;
}

/** Flows of one sender to one receiver, of one kind or of all. */
export interface Bundle {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly kind: Kind | "all";
  readonly flows: readonly Flow[];
  readonly look: Look;
  readonly bps: number;
}

/** What runs from whom to whom, by kind; `isMerged` puts the kinds together. */
export function bundlesOf(
  record: CallRecord,
  flows: readonly Flow[],
  isMerged: boolean,
): readonly Bundle[] {
  const groups = Map.groupBy(flows, ({ from, to, kind }) =>
    [from, to, isMerged ? "all" : kind].join(" "),
  );
  return [...groups].map(([key, [...group]]) => {
    const [first] = group as [Flow, ...Flow[]];
    const looks = new Set(group.map((flow) => lookOf(record, flow)));
    return {
      key,
      from: first.from,
      to: first.to,
      kind: isMerged ? "all" : first.kind,
      flows: group,
      look: WORST.find((look) => looks.has(look)) ?? "ended",
      bps: group.reduce((sum, flow) => sum + bitrateOf(flow), 0),
    };
  });
}

/** Flows that run, or ran until the session ended: what the page shows of it stays. */
export const lastFlows = (record: CallRecord): readonly Flow[] =>
  [...record.flows.values()].filter(
    ({ state, reason }) => state !== "ended" || (record.isOver && reason === "session-ended"),
  );

/** The flows that are looked at. */
export function flowsWithin(record: CallRecord, scope: Scope, withEnded: boolean): readonly Flow[] {
  const all = withEnded ? [...record.flows.values()] : lastFlows(record);
  return all.filter(({ link }) => scope.has(link));
}

/** Bits per second that a peer sends and receives. */
export function trafficOf(
  flows: readonly Flow[],
  peer: string,
): { readonly up: number; readonly down: number } {
  let up = 0;
  let down = 0;
  for (const flow of flows) {
    if (flow.from === peer) up += bitrateOf(flow);
    if (flow.to === peer) down += bitrateOf(flow);
  }
  return { up, down };
}
