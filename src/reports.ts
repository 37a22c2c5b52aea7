import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { ConsumptionReport, consumptionReports } from "../protocol/qoe/consumption.ts";
import type { MeasuredPeer } from "../protocol/qoe/measured-peer.ts";
import { QOE_SCHEME, QOE_TYPE, qoeReportXml } from "../protocol/qoe/report.ts";
import type { AppEnv } from "./env.ts";
import { signallingUrl } from "./invitations.ts";
import { granted, invalidRequest, Refusal } from "./refusal.ts";
import { answers, problemAnswers, SECURED } from "./schemas.ts";
import { memberOf } from "./sessions.ts";
import { realmUrl } from "./swap.ts";

/** /v1/sessions/{id}/peers/{peerId}/qoe and /consumption: reports in the formats of 3GPP (M14). */

const tags = ["reports"];
const security = SECURED;
const params = z.object({ id: z.string(), peerId: z.string().max(64) });
const PROBLEMS = ["unauthorized", "not-permitted", "session-not-found", "unknown-peer"] as const;

const ABOUT = "For the back end, observers, and the peer itself; also of a peer that has left.";

const qoe = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/peers/{peerId}/qoe",
  summary: "What a peer experiences, as a QoE report of 3GPP",
  description: `The latest of every flow that it measures, as XML of TS 26.113 clause 15.3 (scheme \`${QOE_SCHEME}\`). ${ABOUT}`,
  tags,
  security,
  request: { params },
  responses: {
    200: {
      description: "ReceptionReport (TS 26.247 clause 10.6.2)",
      content: { [QOE_TYPE]: { schema: z.string() } },
    },
    ...problemAnswers(PROBLEMS),
  },
});

const consumption = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/peers/{peerId}/consumption",
  summary: "What a peer has consumed, as consumption reports of 3GPP",
  description: `A report for each of its links, a unit for each m-line: bodies for \`submitConsumptionReport\` of TS 26.510. ${ABOUT}`,
  tags,
  security,
  request: { params },
  responses: answers(
    200,
    "Reports; none of links on which media have not run",
    z.object({ reports: z.array(ConsumptionReport) }),
    ...PROBLEMS,
  ),
});

export const reports = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (!result.success) throw new Refusal(invalidRequest(result.error));
  },
});

const dateTime = (at: number): string => new Date(at).toISOString();

/** Who it is, and what it has measured. */
async function measuredOf(
  c: Context<AppEnv>,
  { id, peerId }: z.infer<typeof params>,
): Promise<{ subject: Parameters<typeof qoeReportXml>[0]; measured: MeasuredPeer }> {
  const { stub, asker } = memberOf(c, id);
  const measured = granted<MeasuredPeer>(await stub.measured(asker, peerId));
  const { realm } = measured;
  const url = realm === undefined ? signallingUrl(c, id) : realmUrl(c, realm);
  return { subject: { session: id, peer: peerId, url, dateTime }, measured };
}

reports.openapi(qoe, async (c) => {
  const { subject, measured } = await measuredOf(c as never, c.req.valid("param"));
  const headers = { "content-type": QOE_TYPE };
  return c.body(qoeReportXml(subject, measured.flows), 200, headers) as never;
});

reports.openapi(consumption, async (c) => {
  const { subject, measured } = await measuredOf(c as never, c.req.valid("param"));
  const consumer = { ...subject, at: Date.now() };
  return c.json(
    { reports: consumptionReports(consumer, measured.flows, measured.transports) },
    200,
  );
});
