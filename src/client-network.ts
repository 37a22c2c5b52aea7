/** Groups of an IPv6 address that name a network: a /64, the least that one client is given (RFC 6177). */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

/**
 * What limits count by: an IPv4 address, or the /64 of an IPv6 one, of which a client has 2^64 addresses.
 *
 * `192.0.2.1` is itself, `2001:db8::1` becomes `2001:db8:0:0`; what is no address is itself.
 */
export function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = [], tail = []] = address
    .toLowerCase()
    .split("::")
    .map((part) => part.split(":").filter((group) => group !== ""));
  const skipped = Math.max(0, GROUPS - head.length - tail.length);
  return [...head, ...Array<string>(skipped).fill("0"), ...tail].slice(0, NETWORK_GROUPS).join(":");
}
