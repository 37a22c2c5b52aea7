import { z } from "zod";

/** What a mobile network was asked for a flow's end, and what came of it; schemas are the source of the wire shape. */

export const AssistanceApi = z.enum(["camara-qod", "nef", "rtc-af"]);
export type AssistanceApi = z.infer<typeof AssistanceApi>;

export const AssistanceState = z
  .enum(["waiting", "requested", "granted", "impaired", "refused", "ended", "dry-run"])
  .describe(
    "waiting: something that the request needs is not known yet, see reason; requested: no word yet; granted: the network says it holds; impaired: the network says it cannot hold it now; refused: it does not, see reason; ended: it is over; dry-run: it would have been asked",
  );
export type AssistanceState = z.infer<typeof AssistanceState>;

const AssistanceRates = z.object({
  uplinkBps: z.int().optional().describe("what the end sends, bits per second"),
  downlinkBps: z.int().optional().describe("what the end receives, bits per second"),
});

/** Of one end, in the network that it is in. */
export const FlowAssistance = z
  .object({
    network: z.string().describe("the operator's network, by its name in the configuration"),
    api: AssistanceApi,
    state: AssistanceState,
    since: z.number().describe("when it entered this state, milliseconds since 1970"),
    asked: AssistanceRates.extend({
      profile: z.string().optional().describe("QoS profile, QoS reference or policy template"),
    })
      .optional()
      .describe("for all flows of the end on this link together"),
    granted: AssistanceRates.extend({
      profile: z.string().optional().describe("of what holds: the asked one, or an alternative"),
      until: z.number().optional().describe("milliseconds since 1970; it is extended before that"),
    })
      .optional()
      .describe("what the network says it holds"),
    advised: AssistanceRates.optional().describe(
      "what the network recommends now, for all flows of the end on this link together",
    ),
    reason: z
      .string()
      .max(128)
      .optional()
      .describe("why not: a code of the network's, or of ours; what it waits for"),
    failures: z.int().optional().describe("calls in a row that failed"),
  })
  .meta({ id: "FlowAssistance" });
export type FlowAssistance = z.infer<typeof FlowAssistance>;
