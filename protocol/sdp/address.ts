/** Where an IP address can be reached. `global`: everywhere, or at least nothing here says otherwise. */
export type AddressKind =
  | "global"
  | "private"
  | "loopback"
  | "link-local"
  | "multicast"
  | "unspecified";

/**
 * Blocks of IPv4 by their prefix and its length in bits (RFC 6890 s2.2.2, RFC 5771). Private are also those that mobile
 * operators share out behind their NAT (RFC 6598), and those of a UE's own translator to IPv6 (RFC 7335).
 */
const IPV4_BLOCKS: readonly (readonly [prefix: number, bits: number, kind: AddressKind])[] = [
  [0, 32, "unspecified"],
  [127, 8, "loopback"],
  [10, 8, "private"],
  [0xac1, 12, "private"],
  [0xc0a8, 16, "private"],
  [0x191, 10, "private"],
  [0x1800_0000, 29, "private"],
  [0xa9fe, 16, "link-local"],
  [0xe, 4, "multicast"],
];
const IPV4_BITS = 32;

/** IPv6 as 32 hex digits (RFC 4291 s2.4, RFC 4193). */
const IPV6_BLOCKS: readonly (readonly [prefix: RegExp, kind: AddressKind])[] = [
  [/^0{32}$/, "unspecified"],
  [/^0{31}1$/, "loopback"],
  [/^f[cd]/, "private"],
  [/^fe[89ab]/, "link-local"],
  [/^ff/, "multicast"],
];

/**
 * The kind of an IPv4 or IPv6 address, however it is spelt; undefined for what is none, such as a host name.
 * An IPv4 address in IPv6 clothes (`::ffff:127.0.0.1`) is what it is in IPv4: hosts send there.
 */
export function addressKindOf(text: string): AddressKind | undefined {
  if (!text.includes(":")) {
    const ipv4 = ipv4Of(text);
    return ipv4 === undefined ? undefined : ipv4KindOf(ipv4);
  }
  const ipv6 = ipv6Of(text);
  if (ipv6 === undefined) return undefined;
  const mapped = /^0{20}ffff(.{8})$/.exec(ipv6)?.[1];
  if (mapped !== undefined) return ipv4KindOf(Number.parseInt(mapped, 16));
  return IPV6_BLOCKS.find(([prefix]) => prefix.test(ipv6))?.[1] ?? "global";
}

const ipv4KindOf = (address: number): AddressKind =>
  IPV4_BLOCKS.find(([prefix, bits]) => address >>> (IPV4_BITS - bits) === prefix)?.[2] ?? "global";

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);

/** As a number. Leading zeros are refused: some read them as octal. */
function ipv4Of(text: string): number | undefined {
  if (!IPV4.test(text)) return undefined;
  return text.split(".").reduce((address, octet) => address * 256 + Number(octet), 0);
}

const IPV6_GROUPS = 8;
/** `0000:0000:0000:0000:0000:ffff:255.255.255.255` */
const LONGEST_IPV6 = 45;
const GROUP = /^[0-9a-f]{1,4}$/;

/** 32 hex digits, without the zone (`%eth0`, RFC 4007 s11). */
function ipv6Of(text: string): string | undefined {
  const zone = text.indexOf("%");
  const address = (zone < 0 ? text : text.slice(0, zone)).toLowerCase();
  if (address.length > LONGEST_IPV6) return undefined;
  const halves = inHex(address).split("::").map(groupsOf);
  const groups = halves.flat();
  const isWhole = halves.length === 1 && groups.length === IPV6_GROUPS;
  const isShort = halves.length === 2 && groups.length < IPV6_GROUPS;
  if (!(isWhole || isShort) || !groups.every((group) => GROUP.test(group))) return undefined;
  return halves
    .map((half) => half.map((group) => group.padStart(4, "0")).join(""))
    .join("0000".repeat(IPV6_GROUPS - groups.length));
}

/** `::ffff:192.0.2.2` ends in an IPv4 address (RFC 4291 s2.2): writes it as two groups. */
function inHex(address: string): string {
  const tail = address.lastIndexOf(":") + 1;
  const ipv4 = tail > 0 ? ipv4Of(address.slice(tail)) : undefined;
  if (ipv4 === undefined) return address;
  const digits = ipv4.toString(16).padStart(8, "0");
  return `${address.slice(0, tail)}${digits.slice(0, 4)}:${digits.slice(4)}`;
}

/**
 * The bits of an address as a text of 32 or 128 `0` and `1`; undefined for what is none. An IPv4 address in IPv6 clothes
 * has those of the IPv4 one.
 */
export function addressBitsOf(text: string): string | undefined {
  const ipv4 = ipv4Of(text);
  if (ipv4 !== undefined) return ipv4.toString(2).padStart(IPV4_BITS, "0");
  const digits = text.includes(":") ? ipv6Of(text) : undefined;
  if (digits === undefined) return undefined;
  const bits = Array.from(digits, (digit) =>
    Number.parseInt(digit, 16).toString(2).padStart(4, "0"),
  ).join("");
  return /^0{20}ffff/.test(digits) ? bits.slice(-IPV4_BITS) : bits;
}

const groupsOf = (half: string): readonly string[] => (half === "" ? [] : half.split(":"));

/** `::ffff:` and an IPv4 address: written with its last 32 bits as IPv4 (RFC 5952 s5). */
const MAPPED_IPV4 = /^0{20}ffff(..)(..)(..)(..)$/;
/** Runs of zero groups, the longest first: one is written `::` (RFC 5952 s4.2). */
const ZERO_RUNS = [8, 7, 6, 5, 4, 3, 2].map(
  (count) => new RegExp(`(?:^|:)0(?::0){${count - 1}}(?:$|:)`),
);

/**
 * An address in the one text form it has (RFC 5952), without the brackets of a URL and without a zone: what
 * several ends report can then be compared. What is no address, such as a host name, stays as it is.
 */
export function canonicalAddressOf(text: string): string {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  const digits = ipv6Of(bare);
  if (digits === undefined) return bare;
  const mapped = MAPPED_IPV4.exec(digits);
  if (mapped) {
    const octets = mapped.slice(1).map((octet) => Number.parseInt(octet, 16));
    return `::ffff:${octets.join(".")}`;
  }
  const groups = Array.from({ length: IPV6_GROUPS }, (_none, index) =>
    Number.parseInt(digits.slice(4 * index, 4 * index + 4), 16).toString(16),
  );
  const whole = groups.join(":");
  const longest = ZERO_RUNS.find((run) => run.test(whole));
  return longest ? whole.replace(longest, "::") : whole;
}
