// What TS 26.510 asks of flow descriptions beyond their schema.
import { Refused } from "./call.ts";
import { isJson, type Json } from "./dialect.ts";

const DIRECTIONS = ["UPLINK", "DOWNLINK", "BIDIRECTIONAL"];

/** Members of the packet filter that a filter method is about. */
const FILTER_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  "5_TUPLE": [
    "sourceAddress",
    "destinationAddress",
    "protocolNumber",
    "sourcePort",
    "destinationPort",
  ],
  "2_TUPLE": ["sourceAddress", "destinationAddress"],
  TYPE_OF_SERVICE_MARKING: ["differentiatedServicesCodePoint"],
  FLOW_LABEL: ["flowLabel"],
};

const invalid = (param: string, reason: string): Refused =>
  new Refused(400, "INVALID_MSG_FORMAT", `${param}: ${reason}`, {
    invalidParams: [{ param, reason }],
  });

const checkFilter = (method: string, filter: Json): void => {
  if (!DIRECTIONS.includes(String(filter.direction))) {
    throw invalid("direction", `not one of ${DIRECTIONS.join(", ")}`);
  }
  const wanted = FILTER_MEMBERS[method] ?? [];
  if (wanted.length > 0 && !wanted.some((name) => filter[name] !== undefined)) {
    throw invalid("packetFilter", `${method} by none of ${wanted.join(", ")}`);
  }
};

const checkFlowDescription = (description: unknown): void => {
  if (!isJson(description)) return;
  const method = String(description.filterMethod);
  const { packetFilter, domainName } = description;
  if ((method === "DOMAIN_NAME") !== (domainName !== undefined)) {
    throw invalid("filterMethod", `${method} does not go with what it filters by`);
  }
  if (isJson(packetFilter)) checkFilter(method, packetFilter);
};

/** Every flow description of a dynamic policy or of a network assistance session. */
export const checkFlows = (body: Json): void => {
  const bindings = Array.isArray(body.applicationFlowBindings) ? body.applicationFlowBindings : [];
  for (const binding of bindings) {
    if (isJson(binding)) checkFlowDescription(binding.applicationFlowDescription);
  }
  checkFlowDescription(body.applicationFlowDescription);
};
