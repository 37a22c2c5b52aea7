import { z } from "zod";
import { FlowState, FlowTopology, Kind, Priority } from "./flow.ts";

/** What is asked of flows: changes, filters, and what senders say of them. */

/** What PATCH on a flow, and the `flow` message, can change. */
export const FlowChange = z
  .strictObject({
    held: z.boolean().optional().describe("false takes a hold of one's own back"),
    maxBitrateBps: z
      .int()
      .positive()
      .nullish()
      .describe("bits per second; null takes a limit of one's own away"),
    priority: Priority.nullish().describe("null takes a priority of one's own away"),
  })
  .meta({ id: "FlowChange" });
export type FlowChange = z.infer<typeof FlowChange>;

/** A number and nothing that JavaScript would take for one, such as nothing at all. */
const port = z
  .string()
  .regex(/^\d{1,5}$/, "expected a port, 0 to 65535")
  .transform(Number)
  .pipe(z.int().max(65_535))
  .meta({ type: "integer", minimum: 0, maximum: 65_535 });
const address = z
  .string()
  .min(1)
  .max(255)
  .describe(
    "IP address in any spelling, or the name of a TURN server; `local` may be either end of the packets' way",
  );

/** Filters of GET .../flows: a flow must fit all members. */
export const FlowFilter = z.strictObject({
  peer: z.string().min(1).max(64).optional().describe("flows that this peer sends or receives"),
  direction: z
    .enum(["uplink", "downlink"])
    .optional()
    .describe("as `peer` sees it; without a peer as in `views`"),
  state: FlowState.optional(),
  kind: Kind.optional(),
  transport: z.string().min(1).max(512).optional().describe("id of the transport"),
  protocol: z.string().min(1).max(16).optional().describe("of the 5-tuple, such as `udp`"),
  localAddress: address.optional(),
  localPort: port.optional(),
  remoteAddress: address.optional(),
  remotePort: port.optional(),
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
      context: z
        .string()
        .max(600)
        .optional()
        .describe("a media server's: the downlink context that the section is for"),
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
