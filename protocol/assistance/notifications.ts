import { z } from "zod";
import { msOfDateTime } from "./date-time.ts";
import type { FlowReport, NetworkStatus } from "./network.ts";

/** What mobile networks tell by themselves. Members that are not named here are ignored, and null is as good as none. */

export interface NetworkNews {
  /** Of the resource; absent where the network says nothing of one. */
  readonly id?: string;
  /** Absent where there is nothing to do about it. */
  readonly status?: NetworkStatus;
  /** What that is made of, where it does not say the same of all flows. */
  readonly reports?: readonly FlowReport[];
  /** Milliseconds since 1970, by the network's clock. */
  readonly happenedAt?: number;
}

const QodEvent = z.object({
  specversion: z.literal("1.0"),
  type: z.string(),
  time: z.string().nullish(),
  data: z.object({
    sessionId: z.string().max(128),
    qosStatus: z.enum(["AVAILABLE", "UNAVAILABLE"]),
    statusInfo: z.string().max(128).nullish(),
  }),
});

/** Versions of the API differ in the middle: `….v1.qos-status-changed`, `….v0.qos-status-changed`. */
const QOD_TYPE = /^org\.camaraproject\.quality-on-demand\.[a-z0-9]+\.qos-status-changed$/;

/** A CloudEvent of CAMARA quality-on-demand 1.1.0; undefined when it is none. */
export function qodEventOf(json: unknown): NetworkNews | undefined {
  const event = QodEvent.safeParse(json).data;
  if (!event || !QOD_TYPE.test(event.type)) return undefined;
  const { sessionId: id, qosStatus, statusInfo } = event.data;
  const happenedAt = msOfDateTime(event.time ?? "");
  const status: NetworkStatus =
    qosStatus === "AVAILABLE"
      ? { state: "granted" }
      : { state: "ended", reason: statusInfo ?? "UNAVAILABLE" };
  return { id, status, ...(happenedAt === undefined ? {} : { happenedAt }) };
}

/** TS 29.122 UserPlaneNotificationData, and the test notification that a subscriber may ask for (s5.2.5.3). */
const NefNotification = z.object({
  transaction: z.string().max(2048),
  eventReports: z
    .array(
      z.object({
        event: z.string().max(128),
        flowIds: z.array(z.int()).min(1).nullish().catch(undefined),
        appliedQosRef: z.string().max(256).nullish(),
      }),
    )
    .min(1)
    .max(64),
});
const NefTest = z.object({ subscription: z.string().max(2048) });

const NEF_STATES: Readonly<Record<string, NetworkStatus["state"]>> = {
  QOS_GUARANTEED: "granted",
  SUCCESSFUL_RESOURCES_ALLOCATION: "granted",
  RECOVERY_OF_BEARER: "granted",
  QOS_NOT_GUARANTEED: "impaired",
  QOS_NOT_GUARANTEED_DL: "impaired",
  QOS_NOT_GUARANTEED_UL: "impaired",
  LOSS_OF_BEARER: "impaired",
  RELEASE_OF_BEARER: "ended",
  SESSION_TERMINATION: "ended",
  FAILED_RESOURCES_ALLOCATION: "ended",
};

/** What weighs more when one notification has several reports; without one of these it says nothing of the state. */
const WORST = ["ended", "impaired", "granted"] as const;

/**
 * A notification of NEF AsSessionWithQoS; undefined when it is none. A resource has one state: of flows that fare
 * differently the worst counts, and of reports of the same state the last.
 */
export function nefNotificationOf(json: unknown): NetworkNews | undefined {
  const test = NefTest.safeParse(json).data;
  if (test) return named(test.subscription);
  const told = NefNotification.safeParse(json).data;
  if (!told) return undefined;
  const reports = told.eventReports.flatMap(({ event, appliedQosRef, flowIds }): FlowReport[] => {
    const state = NEF_STATES[event];
    if (state === undefined) return [];
    const applied = appliedQosRef == null ? {} : { profile: appliedQosRef };
    // That something holds needs no reason.
    const why = state === "granted" ? {} : { reason: event };
    return [{ flows: flowIds ?? undefined, status: { state, ...why, ...applied } }];
  });
  const worst = WORST.map((state) => reports.findLast(({ status }) => status.state === state));
  const status = worst.find((report) => report !== undefined)?.status;
  const isOfSome = reports.some(({ flows }) => flows);
  return {
    ...named(told.transaction),
    ...(status && { status }),
    ...(isOfSome && { reports }),
  };
}

const LINK_END = /\/subscriptions\/([A-Za-z0-9._~-]{1,128})\/?$/;

/** The link may be absolute or not; it is never followed. */
function named(link: string): { id?: string } {
  const id = LINK_END.exec(link)?.[1];
  return id === undefined ? {} : { id };
}
