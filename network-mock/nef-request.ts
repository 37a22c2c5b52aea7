// What TS 29.122 s5.14 asks of a subscription beyond its schema.
import { BlockList, isIP } from "node:net";
import { Refused } from "./call.ts";
import { isJson, type Json } from "./dialect.ts";

const UE = ["ueIpv4Addr", "ueIpv6Addr", "macAddr"] as const;
const FLOWS = [
  "flowInfo",
  "ethFlowInfo",
  "enEthFlowInfo",
  "exterAppId",
  "multiModDatFlows",
] as const;
const QOS = ["qosReference", "altQosReqs", "tscQosReq", "multiModDatFlows"] as const;

const invalid = (param: string, reason: string): Refused =>
  new Refused(400, "INVALID_MSG_FORMAT", reason, { invalidParams: [{ param, reason }] });

const hasOne = (body: Json, names: readonly string[]): boolean =>
  names.some((name) => body[name] !== undefined);

const ENDPOINT = String.raw`(any|[0-9a-fA-F:.]+(?:\/\d+)?)(?: (\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*))?`;

/** IPFilterRule (RFC 6733 s4.3.1) as TS 29.214 s5.3.8 restricts it: permit, one direction, no options. */
const RULE = new RegExp(`^permit (in|out) (ip|\\d+) from ${ENDPOINT} to ${ENDPOINT}$`);

interface Subnet {
  readonly address: string;
  readonly bits: number;
  readonly family: "ipv4" | "ipv6";
}

/** Undefined: it is none. */
const subnetOf = (text: string): Subnet | undefined => {
  const [address = "", width] = text.split("/");
  const version = isIP(address);
  if (version === 0) return undefined;
  const most = version === 4 ? 32 : 128;
  const bits = width === undefined ? most : Number(width);
  return bits > most ? undefined : { address, bits, family: version === 4 ? "ipv4" : "ipv6" };
};

const isPlace = (text: string): boolean => text === "any" || subnetOf(text) !== undefined;

const arePorts = (text = ""): boolean =>
  text.split(",").every((range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return from <= to && to <= 65_535;
  });

const haveOneFamily = (from: string, to: string): boolean => {
  const [one, other] = [subnetOf(from)?.family, subnetOf(to)?.family];
  return one === undefined || other === undefined || one === other;
};

/** Direction of a filter rule, its ends; undefined: it is none. */
export const filterRuleOf = (
  text: string,
): { direction: string; from: string; to: string } | undefined => {
  const [, direction, protocol, from, fromPorts, to, toPorts] = RULE.exec(text) ?? [];
  if (direction === undefined || from === undefined || to === undefined) return undefined;
  const isWhole = isPlace(from) && isPlace(to) && arePorts(fromPorts) && arePorts(toPorts);
  const isKnown = protocol === "ip" || Number(protocol) <= 255;
  return isWhole && isKnown && haveOneFamily(from, to) ? { direction, from, to } : undefined;
};

/** Addresses have several spellings, and a filter may name the subnet that they are in. */
const isWithin = (ue: string, place: string): boolean => {
  const [own, subnet] = [subnetOf(ue), subnetOf(place)];
  if (own === undefined || subnet === undefined || own.family !== subnet.family) return false;
  const list = new BlockList();
  list.addSubnet(subnet.address, subnet.bits, subnet.family);
  return list.check(own.address, own.family);
};

const flowsOf = (body: Json): Json[] => {
  const components = isJson(body.multiModDatFlows) ? Object.values(body.multiModDatFlows) : [];
  const infos = components.map((one) => (isJson(one) ? one.flowInfos : undefined));
  return [body.flowInfo, ...infos].flat().filter(isJson);
};

/** The end of a rule on the UE's side is the UE: uplink comes in from it, downlink goes out to it. */
const checkFlow = (flow: Json, ue: string | undefined): void => {
  const texts = Array.isArray(flow.flowDescriptions) ? flow.flowDescriptions.map(String) : [];
  const rules = texts.map((text) => {
    const rule = filterRuleOf(text);
    if (rule === undefined) throw invalid("flowDescriptions", `not an IPFilterRule: ${text}`);
    const own = rule.direction === "in" ? rule.from : rule.to;
    if (ue !== undefined && own !== "any" && !isWithin(ue, own)) {
      throw invalid("flowDescriptions", `the UE is ${ue}, not ${own}: ${text}`);
    }
    return rule;
  });
  if (rules.length === 2 && rules[0]?.direction === rules[1]?.direction) {
    throw invalid("flowDescriptions", "two rules of one flow have the same direction");
  }
};

export const checkSubscription = (body: Json): void => {
  const ues = UE.filter((name) => body[name] !== undefined);
  if (ues.length !== 1) throw invalid(ues[0] ?? "ueIpv4Addr", "exactly one UE address is needed");
  if (!hasOne(body, FLOWS)) throw invalid("flowInfo", "it says no flows");
  if (!hasOne(body, QOS)) throw invalid("qosReference", "it says no quality");
  if (!URL.canParse(String(body.notificationDestination))) {
    throw invalid("notificationDestination", "not a URL");
  }
  const ue = body.ueIpv4Addr ?? body.ueIpv6Addr;
  const flows = flowsOf(body);
  const ids = flows.map(({ flowId }) => flowId);
  if (new Set(ids).size !== ids.length) throw invalid("flowInfo", "a flowId is there twice");
  for (const flow of flows) checkFlow(flow, ue === undefined ? undefined : String(ue));
};

/** A subscription stays with its UE, whoever replaces what. */
export const checkSameUe = (held: Json, next: Json): void => {
  const changed = UE.find((name) => held[name] !== next[name]);
  if (changed !== undefined) {
    throw new Refused(403, "MODIFICATION_NOT_ALLOWED", "The UE of a subscription cannot change.", {
      invalidParams: [{ param: changed, reason: "cannot change" }],
    });
  }
};
