import { z } from "zod";

/** What mobile networks answer, as far as it is read; members that are not named here are ignored. */

/** Error bodies: CAMARA's ErrorInfo has `code`, problem details of TS 29.122 have `cause`. */
export const Refused = z.object({ code: z.string().optional(), cause: z.string().optional() });

/** Token endpoint, RFC 6749 s5.1. Some gateways write the number as a string; a token is good whatever is said of its life. */
export const Granted = z.object({
  access_token: z.string().min(1).max(16_384),
  expires_in: z.coerce.number().positive().optional().catch(undefined),
});

/** The same where it refuses, RFC 6749 s5.2: what else it says may quote what was sent. */
export const NotGranted = z.object({
  error: z.enum([
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
  ]),
});

/** It becomes part of the record of each flow: what is longer is none that was published. */
const textOf = (most: number) => z.string().max(most).optional().catch(undefined);

/** CAMARA quality-on-demand 1.1.0 SessionInfo. */
export const SessionInfo = z.object({
  qosStatus: z.enum(["REQUESTED", "AVAILABLE", "UNAVAILABLE"]),
  statusInfo: textOf(128),
  expiresAt: z.string().optional(),
  qosProfile: textOf(256),
});
export type SessionInfo = z.infer<typeof SessionInfo>;

/** What of it says whose session it is: the state of one that is another's may be anything. */
export const SessionName = z.object({
  sessionId: z.string().optional(),
  sink: z.string().optional(),
  applicationServer: z.unknown().optional(),
  applicationServerPorts: z.unknown().optional(),
  devicePorts: z.unknown().optional(),
});
export type SessionName = z.infer<typeof SessionName>;

export const Sessions = z.array(SessionName);

/** TS 29.122 AsSessionWithQoSSubscription. */
export const Subscription = z.object({
  self: z.string().optional(),
  notificationDestination: z.string().optional(),
});

export const Subscriptions = z.array(Subscription);

/** TS 26.510 DynamicPolicy and NetworkAssistanceSession. */
export const Policy = z.object({ qosEnforcement: z.boolean() });
/** What it was named when it was made. */
export const Named = z.object({
  dynamicPolicyId: z.string().optional(),
  naSessionId: z.string().optional(),
});
export const Anything = z.looseObject({});

const BitRates = z.object({ maximumRequestedBitRate: z.string() });

/** TS 26.510 ClientPolicySpecification, as a recommendation. */
export const Recommendation = z.object({
  uplinkBitRates: BitRates,
  downlinkBitRates: BitRates,
});

export const Recommended = z.object({ recommendedQoS: Recommendation });

export const Boosted = z.object({ success: z.boolean(), reason: z.string().optional() });
