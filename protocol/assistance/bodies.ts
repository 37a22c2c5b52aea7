import { API_TRAITS } from "./holding.ts";
import type { NetworkBody } from "./network.ts";
import type { AssistanceApi } from "./record.ts";

/** How two request bodies differ. */

/** How much and how well, at any depth; everything else says for which packets. */
const QUALITY = new Set([
  "qosProfile",
  "qosReference",
  "altQoSReferences",
  "altQosReqs",
  "tscQosReq",
  "policyTemplateId",
  "qosSpecification",
  "requestedQoS",
]);

/** Members that a resource keeps (TS 29.122 table 5.14.2.1.2-1; TS 26.510 for its session). */
const IDENTITY = ["ueIpv4Addr", "ueIpv6Addr", "ipDomain", "macAddr", "gpsi", "sessionId"] as const;

/** What is asked for is the same; how long it is to last does not count, nor does the order of members. */
export function sameBody(one: NetworkBody, other: NetworkBody): boolean {
  if (one === other) return true;
  const { duration: _one, ...first } = one;
  const { duration: _other, ...second } = other;
  return sameValue(first, second);
}

/** They are for different packets: what the network has is of no use any more. */
export const isElsewhere = (one: NetworkBody, other: NetworkBody): boolean =>
  !sameBody(withoutQuality(one) as NetworkBody, withoutQuality(other) as NetworkBody);

/** A resource with the one can be given the other; if not, it has to be deleted and created anew. */
export const isChangeable = (api: AssistanceApi, one: NetworkBody, other: NetworkBody): boolean =>
  API_TRAITS[api].isChangeable && IDENTITY.every((member) => sameValue(one[member], other[member]));

function withoutQuality(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutQuality);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !QUALITY.has(name))
      .map(([name, each]) => [name, withoutQuality(each)]),
  );
}

function sameValue(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((each, at) => sameValue(each, other[at]));
  }
  if (!isRecord(one) || !isRecord(other)) return false;
  const names = namesOf(one);
  return (
    names.length === namesOf(other).length &&
    names.every((name) => sameValue(one[name], other[name]))
  );
}

/** JSON has no undefined members. */
const namesOf = (value: NetworkBody): string[] =>
  Object.keys(value).filter((name) => value[name] !== undefined);

const isRecord = (value: unknown): value is NetworkBody =>
  typeof value === "object" && value !== null && !Array.isArray(value);
