import type { FlowAssistance } from "../assistance/record.ts";
import type { Flow } from "../flow.ts";
import type { LinkFlows } from "./link-flows.ts";
import { isSame } from "./same.ts";

type Assistance = NonNullable<LinkFlows["assistance"]>;

/**
 * The flows with what mobile networks do for the ends of their link. One that has ended keeps what it had; one that begins
 * has what the others have: a network is asked for all flows of an end together.
 */
export function withAssistance(
  flows: readonly Flow[],
  assistance: Assistance | undefined,
): readonly Flow[] {
  return flows.map((flow) => {
    if (flow.state === "ended" || isSame(flow.assistance, assistance)) return flow;
    const { assistance: _, ...rest } = flow;
    return assistance ? { ...rest, assistance } : rest;
  });
}

/** What there is of a link's ends after one end's record is another; null: there is none any more. */
export function assistanceAfter(
  { assistance = {} }: Pick<LinkFlows, "assistance">,
  peer: string,
  record: FlowAssistance | null,
): Assistance | undefined {
  const { [peer]: _, ...others } = assistance;
  const next = record ? { ...others, [peer]: record } : others;
  return Object.keys(next).length > 0 ? next : undefined;
}
