import { addressKindOf } from "../address.ts";
import { type CandidateLine, type CandidateParts, fitsGrammar } from "../candidate.ts";
import type { CandidateRule, CandidateSubject } from "../rule.ts";

/** A candidate as its rules see it. */
export function candidateSubject(candidate: CandidateLine): CandidateSubject {
  const { parts } = candidate;
  return { candidate, address: parts && (addressKindOf(parts.address) ?? "name") };
}

/** Says what `condition` says for a candidate that can be read; the others are found by `candidate-syntax`. */
const holds =
  (
    condition: (parts: CandidateParts, address: CandidateSubject["address"]) => boolean,
  ): CandidateRule["find"] =>
  ({ candidate: { parts }, address }) =>
    parts && condition(parts, address) ? {} : undefined;

const FOUNDATION = /^[A-Za-z\d+/]{1,32}$/;
const COMPONENTS = 256;
const HIGHEST_PRIORITY = 2 ** 31 - 1;
const HIGHEST_PORT = 65_535;
/** Where a candidate of active TCP says that it has no port (RFC 6544 s4.5). */
const DISCARD_PORT = 9;
const TRANSPORTS = new Set(["udp", "tcp", "ssltcp"]);
const TCP_TYPES = new Set(["active", "passive", "so"]);
const SEEN_BY_A_SERVER_OR_PEER = new Set(["srflx", "prflx", "relay"]);
const TYPES = new Set(["host", ...SEEN_BY_A_SERVER_OR_PEER]);

const isWithin = (number: string, highest: number): boolean =>
  Number(number) >= 1 && Number(number) <= highest;

const isMdns = (address: string): boolean => address.toLowerCase().endsWith(".local");

/** What one candidate says, in a description or trickled. An address never gets into a finding. */
export const CANDIDATE_LINE_RULES: readonly CandidateRule[] = [
  {
    id: "candidate-syntax",
    level: "error",
    strict: "error",
    source: "RFC 8839 s5.1",
    requirements: ["R10-3"],
    condition: "a candidate does not fit the grammar",
    message:
      "a candidate is foundation, component, transport, priority, address, port, typ and its type, then names and values in pairs; send the string as the browser gave it",
    find: ({ candidate }) => (fitsGrammar(candidate) ? undefined : {}),
  },
  {
    id: "candidate-foundation",
    level: "warning",
    strict: "error",
    source: "RFC 8839 s5.1",
    requirements: ["R10-3"],
    condition: "the foundation is not 1 to 32 letters, digits, `+` or `/`",
    message: "the foundation must be 1 to 32 letters, digits, + or /",
    find: holds(({ foundation }) => !FOUNDATION.test(foundation)),
  },
  {
    id: "candidate-component",
    level: "error",
    strict: "error",
    source: "RFC 8839 s5.1",
    requirements: ["R10-3"],
    condition: "the component is not 1 to 256",
    message: "the component must be 1 (RTP, or everything when multiplexed), 2 (RTCP) or up to 256",
    find: holds(({ component }) => !isWithin(component, COMPONENTS)),
  },
  {
    id: "candidate-priority",
    level: "warning",
    strict: "error",
    source: "RFC 8839 s5.1",
    requirements: ["R10-3"],
    condition: "the priority is not 1 to 2147483647",
    message: "the priority must be 1 to 2147483647, or the order of the checks is undefined",
    find: holds(({ priority }) => !isWithin(priority, HIGHEST_PRIORITY)),
  },
  {
    id: "candidate-port",
    level: "error",
    strict: "error",
    source: "RFC 8839 s5.1, RFC 8866 s9",
    requirements: ["R10-3"],
    condition: "the port is over 65535",
    message: "there is no such port, and browsers refuse the candidate; ports end at 65535",
    find: holds(({ port }) => Number(port) > HIGHEST_PORT),
  },
  {
    id: "candidate-transport-unknown",
    level: "info",
    strict: "info",
    source: "RFC 8839 s5.1",
    requirements: ["R10-3"],
    condition: "the transport is not `udp`, `tcp` or `ssltcp`",
    message:
      "no peer is known to use this transport, and Chromium refuses a whole description for it; udp and tcp are understood",
    find: holds(({ transport }) => !TRANSPORTS.has(transport.toLowerCase())),
  },
  {
    id: "candidate-tcptype-missing",
    level: "warning",
    strict: "error",
    source: "RFC 6544 s4.5",
    requirements: ["R10-3"],
    condition: "a TCP candidate without `tcptype` `active`, `passive` or `so`",
    message: "a TCP candidate must say which side connects: add tcptype active, passive or so",
    find: holds(
      ({ transport, extensions }) =>
        transport.toLowerCase() === "tcp" &&
        !TCP_TYPES.has(String(extensions.get("tcptype")).toLowerCase()),
    ),
  },
  {
    id: "candidate-type-unknown",
    level: "warning",
    strict: "warning",
    source: "RFC 8839 s5.1",
    requirements: ["R10-3"],
    condition: "the type is not `host`, `srflx`, `prflx` or `relay`",
    message:
      "peers know the types host, srflx, prflx and relay; Chromium refuses a whole description for another one",
    find: holds(({ type }) => !TYPES.has(type)),
  },
  {
    id: "candidate-raddr-missing",
    level: "info",
    strict: "warning",
    source: "RFC 8839 s5.1",
    requirements: ["R10-3"],
    condition: "a `srflx`, `prflx` or `relay` candidate without `raddr` and `rport`",
    message:
      "a candidate that is not a host one must have raddr and rport; to hide them say raddr 0.0.0.0 rport 0",
    find: holds(
      ({ type, extensions }) =>
        SEEN_BY_A_SERVER_OR_PEER.has(type) && !(extensions.has("raddr") && extensions.has("rport")),
    ),
  },
  {
    id: "candidate-mdns",
    level: "info",
    strict: "off",
    source: "draft-ietf-mmusic-mdns-ice-candidates s3.1",
    requirements: ["R10-3"],
    condition: "the address is a name that ends with `.local`",
    message:
      "the browser hides its address behind a name of the local network; who sends media from where is known only when a client reports the selected pair",
    find: holds(({ address }) => isMdns(address)),
  },
  {
    id: "candidate-fqdn",
    level: "warning",
    strict: "warning",
    source: "RFC 8839 s5.1",
    requirements: ["R10-3"],
    condition: "the address is neither an IP address nor a name that ends with `.local`",
    message:
      "receivers ignore a candidate whose address is no IP address, and some refuse it; look the name up before you send it",
    find: holds((parts, address) => address === "name" && !isMdns(parts.address)),
  },
  {
    id: "candidate-link-local",
    level: "info",
    strict: "info",
    source: "RFC 8445 s5.1.1.1",
    requirements: ["R10-3"],
    condition: "the address is in `fe80::/10` or `169.254.0.0/16`",
    message:
      "a link-local address can be reached on the same link only; checks from elsewhere fail",
    find: holds((_parts, address) => address === "link-local"),
  },
  {
    id: "candidate-private-address",
    level: "info",
    strict: "info",
    source: "RFC 8828 s3",
    requirements: ["R10-3"],
    condition: "a host candidate has an address of RFC 1918, 6598 or 7335, or in `fc00::/7`",
    message:
      "a private address works in the same network only, and tells the other peer about that network",
    find: holds(({ type }, address) => type === "host" && address === "private"),
  },
  {
    id: "candidate-loopback",
    level: "warning",
    strict: "error",
    source: "RFC 8445 s5.1.1.1",
    requirements: ["R10-3"],
    condition: "the address is in `127.0.0.0/8` or is `::1`",
    message: "a loopback address must not be offered: it leads every other host to itself",
    find: holds((_parts, address) => address === "loopback"),
  },
  {
    id: "candidate-unspecified-or-multicast",
    level: "error",
    strict: "error",
    source: "RFC 8445 s19.5.1",
    requirements: ["R10-3"],
    condition:
      "the address is `0.0.0.0`, `::`, in `224.0.0.0/4` or in `ff00::/8`, and the port is not 9",
    message:
      "nobody can be reached there alone; checks to such an address would only flood hosts that did not ask for them",
    find: holds(
      ({ port }, address) =>
        (address === "unspecified" || address === "multicast") && Number(port) !== DISCARD_PORT,
    ),
  },
];
