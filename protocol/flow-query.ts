import { z } from "zod";
import { FlowState, FlowTopology, Kind, Priority } from "./flow.ts";

/** What is asked of flows: changes, filters, and what senders say of them. */

/** What PATCH on a flow, and the `flow` message, can change. */
export const FlowChange = z
  .strictObject({
    held: z.boolean().optional(),
    maxBitrateBps: z.int().positive().nullish(),
    priority: Priority.nullish(),
  })
  .meta({ id: "FlowChange" });
export type FlowChange = z.infer<typeof FlowChange>;

const port = z.coerce.number().int().min(0).max(65_535).optional();
const address = z.string().max(255).optional();

/** Filters of GET .../flows: a flow must fit all members. */
export const FlowFilter = z.object({
  peer: z.string().max(64).optional(),
  direction: z.enum(["uplink", "downlink"]).optional(),
  state: FlowState.optional(),
  kind: Kind.optional(),
  transport: z.string().max(512).optional(),
  protocol: z.string().max(16).optional().describe("of the 5-tuple"),
  localAddress: address,
  localPort: port,
  remoteAddress: address,
  remotePort: port,
});
export type FlowFilter = z.infer<typeof FlowFilter>;

/** What a sender says of a flow beside its SDP, by mid, in `offer` and `answer`. */
export const MediaLabels = z
  .record(
    z.string().max(256),
    z.object({
      sourceId: z.string().max(256).optional(),
      simulcastGroup: z.string().max(256).optional(),
      content: z.string().max(64).optional(),
    }),
  )
  .describe("what the sender says of its media, by mid: Flow has the same members");
export type MediaLabels = z.infer<typeof MediaLabels>;

/** What a media server (or a peer that forwards) says of where one of its flows comes from. */
export const FlowSources = z.object({
  sourceFlows: z.array(z.string().max(512)).max(256),
  topology: FlowTopology.exclude(["point-to-point", "gateway"]).optional(),
  layer: z.string().max(256).nullish(),
  forwarding: z.boolean().optional(),
});
export type FlowSources = z.infer<typeof FlowSources>;
