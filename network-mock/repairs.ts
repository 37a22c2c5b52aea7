// Errors of the published descriptions: each where it is, what it says, what it means, and why.
import { isDeepStrictEqual } from "node:util";
import { type Json, memberAt, putAt } from "./dialect.ts";

export interface Repair {
  readonly file: string;
  /** JSON pointer (RFC 6901). */
  readonly at: string;
  /** As published. */
  readonly says: unknown;
  /** As it has to be read. */
  readonly means: unknown;
  readonly reason: string;
}

const SESSION_HANDLING = "rtc-af-session-handling.yaml";
const PROVISIONING = "rtc-af-provisioning.yaml";

/** Both files of the RTC AF have the schema. */
const endpointAddress = (file: string): Repair => ({
  file,
  at: "/components/schemas/EndpointAddress/required",
  says: ["domainName", "portNumber"],
  means: ["domainName", "portNumbers"],
  reason: "EndpointAddress requires portNumber, and defines portNumbers.",
});

const POLICIES = "/paths/~1provisioning-sessions~1{provisioningSessionId}~1dynamic-policies";
const POLICY = `${POLICIES}~1{dynamicPolicyId}`;
const ASSISTANCES = `/paths/~1provisioning-sessions~1{provisioningSessionId}~1network-assistance-sessions~1`;
const ASSISTANCE = `${ASSISTANCES}{naSessionId}`;

const answer = (operation: string, status: string): Repair => ({
  file: SESSION_HANDLING,
  at: `${operation}/responses/${status}`,
  says: { $ref: "#/components/responses/411" },
  means: { $ref: `#/components/responses/${status}` },
  reason: `The answer ${status} points at that of 411.`,
});

const patch = (resource: string, schema: string): Repair[] => {
  const content = `${resource}/patch/requestBody/content`;
  const says = { $ref: `#/components/schemas/${schema}` };
  return [
    {
      file: SESSION_HANDLING,
      at: `${content}/application~1merge-patch+json/schema`,
      says,
      means: { type: "object" },
      reason: `A merge patch (RFC 7396) names what changes; that the whole ${schema} is asked for would make every patch a replacement. What comes of it has to be a valid ${schema}.`,
    },
    {
      file: SESSION_HANDLING,
      at: `${content}/application~1json-patch+json/schema`,
      says,
      means: { type: "array", items: { type: "object", required: ["op", "path"] } },
      reason: `A JSON patch (RFC 6902) is an array of operations, never a ${schema}.`,
    },
  ];
};

export const REPAIRS: readonly Repair[] = [
  endpointAddress(SESSION_HANDLING),
  endpointAddress(PROVISIONING),
  {
    file: SESSION_HANDLING,
    at: "/components/schemas/MetricsSession/required",
    says: ["clientId", "provisioingSessionId", "sessionId"],
    means: ["clientId", "provisioningSessionId", "sessionId"],
    reason: "MetricsSession requires provisioingSessionId, and defines provisioningSessionId.",
  },
  {
    file: PROVISIONING,
    at: "/components/schemas/PolicyConstraints/anyOf",
    says: [{ required: ["qosReference"] }, { required: ["downlink"] }, { required: ["uplink"] }],
    means: [
      { required: ["qosReference"] },
      { required: ["downlinkQoSSpecification"] },
      { required: ["uplinkQoSSpecification"] },
    ],
    reason:
      "PolicyConstraints wants one of three, and calls two of them otherwise than it defines them.",
  },
  answer(`${POLICIES}/post`, "403"),
  answer(`${ASSISTANCES}/post`, "401"),
  answer(`${ASSISTANCES}/post`, "403"),
  answer(`${ASSISTANCE}/get`, "401"),
  answer(`${ASSISTANCE}~1boost/post`, "403"),
  ...patch(POLICY, "DynamicPolicy"),
  ...patch(ASSISTANCE, "NetworkAssistanceSession"),
];

/**
 * Mends a description as read, in place. A repair that finds something else than it knows throws: its publisher mended
 * it, or broke it in another way, and the list has to be looked through again.
 */
export const repair = (file: string, description: Json): Json => {
  for (const { at, says, means, reason } of REPAIRS.filter((one) => one.file === file)) {
    const found = memberAt(description, at);
    if (!isDeepStrictEqual(found, says)) {
      throw new Error(
        `${file} is not what it was at ${at}: ${JSON.stringify(found)}; the repair "${reason}" has to be looked at again`,
      );
    }
    putAt(description, at, structuredClone(means));
  }
  return description;
};
