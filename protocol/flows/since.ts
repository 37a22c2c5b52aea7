import type { Flow } from "../flow.ts";
import type { Transport } from "../transport.ts";
import type { LinkFlows } from "./link-flows.ts";

/** The records that changed after a revision (F4). */
export function flowsSince(
  { flows, transports }: LinkFlows,
  revision: number,
): { readonly flows: readonly Flow[]; readonly transports: readonly Transport[] } {
  return {
    flows: flows.filter((flow) => flow.revision > revision),
    transports: transports.filter((transport) => transport.revision > revision),
  };
}
