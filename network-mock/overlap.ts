// Whether two requests want quality for the same packets (QoD 409 CONFLICT).
import { BlockList } from "node:net";
import { isJson, type Json } from "./dialect.ts";

type Family = "ipv4" | "ipv6";

const membersOf = (value: unknown): Json => (isJson(value) ? value : {});

/** IPv6 addresses have many spellings (RFC 5952). */
const shortest = (address: string): string =>
  URL.canParse(`http://[${address}]`) ? new URL(`http://[${address}]`).hostname : address;

/** Names of a device: two devices are one when they share a name. */
export const deviceNames = (device: unknown): string[] => {
  const { phoneNumber, ipv6Address, ipv4Address } = membersOf(device);
  const { publicAddress, privateAddress, publicPort } = membersOf(ipv4Address);
  const names: string[] = [];
  if (phoneNumber !== undefined) names.push(`tel:${phoneNumber}`);
  if (ipv6Address !== undefined) names.push(`ipv6:${shortest(String(ipv6Address))}`);
  if (publicPort !== undefined) names.push(`ipv4:${publicAddress}:${publicPort}`);
  if (privateAddress !== undefined) names.push(`ipv4:${publicAddress}/${privateAddress}`);
  return names;
};

export const isSameDevice = (a: readonly string[], b: readonly string[]): boolean =>
  a.some((name) => b.includes(name));

const subnetOf = (text: string, family: Family): { address: string; bits: number } => {
  const [address = "", bits] = text.split("/");
  return { address, bits: bits === undefined ? (family === "ipv4" ? 32 : 128) : Number(bits) };
};

/** Two subnets overlap when the wider one holds the address of the other. */
const doSubnetsOverlap = (a: string, b: string, family: Family): boolean => {
  const [wide, narrow] = [subnetOf(a, family), subnetOf(b, family)].sort(
    (one, other) => one.bits - other.bits,
  );
  if (wide === undefined || narrow === undefined) return false;
  const list = new BlockList();
  list.addSubnet(wide.address, wide.bits, family);
  return list.check(narrow.address, family);
};

const doServersOverlap = (a: Json, b: Json): boolean =>
  (["ipv4", "ipv6"] as const).some((family) => {
    const [one, other] = [a[`${family}Address`], b[`${family}Address`]];
    return (
      typeof one === "string" && typeof other === "string" && doSubnetsOverlap(one, other, family)
    );
  });

interface Range {
  readonly from: number;
  readonly to: number;
}

const ALL_PORTS: readonly Range[] = [{ from: 0, to: 65_535 }];

/** CAMARA's PortsSpec; none given: all. */
const rangesOf = (spec: unknown): readonly Range[] => {
  if (!isJson(spec)) return ALL_PORTS;
  const { ranges, ports } = spec as { ranges?: Range[]; ports?: number[] };
  return [...(ranges ?? []), ...(ports ?? []).map((port) => ({ from: port, to: port }))];
};

const doPortsOverlap = (a: unknown, b: unknown): boolean =>
  rangesOf(a).some((one) =>
    rangesOf(b).some((other) => one.from <= other.to && other.from <= one.to),
  );

/** Of the same device: server and ports overlap. */
export const doFlowsOverlap = (a: Json, b: Json): boolean =>
  doServersOverlap(membersOf(a.applicationServer), membersOf(b.applicationServer)) &&
  doPortsOverlap(a.applicationServerPorts, b.applicationServerPorts) &&
  doPortsOverlap(a.devicePorts, b.devicePorts);
