/** What must not be in a log line (A4), by name. */

const OCTET = "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const GROUP = "[0-9a-f]{1,4}";

const PATTERNS: readonly (readonly [what: string, pattern: RegExp])[] = [
  // `a=mid:0` and `m=audio 9 UDP/TLS/RTP/SAVPF 111`, as lines or with their line ends escaped.
  ["a line of SDP", /(?<![\w?&.-])a=[a-z][a-z0-9-]*(?=:|\s|\\[rn]|"|$)/i],
  ["a line of SDP", /(?<!\w)(?:v=0(?=\s|\\[rn]|"|$)|m=\w+ \d+|o=\S+ \d+ \d+ IN|c=IN IP[46])/],
  ["a candidate", /candidate:\S/i],
  ["an IPv4 address", new RegExp(`(?<![\\w.-])(?:${OCTET}\\.){3}${OCTET}(?![\\w-]|\\.\\d)`)],
  [
    "an IPv6 address",
    new RegExp(
      `(?<![\\w:])(?:(?:${GROUP}:){7}${GROUP}|(?:${GROUP}:){1,6}(?::${GROUP}){1,6})(?![\\w:])`,
      "i",
    ),
  ],
  ["an mDNS name of a host candidate", /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.local/i],
  ["a fingerprint", /(?:[0-9a-f]{2}:){15,}[0-9a-f]{2}/i],
  ["ICE credentials", /\b(?:ice-)?(?:ufrag|pwd|usernameFragment)\b["']?\s*[:= ]\s*["']?[\w+/]{4}/i],
  ["a token", /eyJ[\w-]{8}/],
  ["a bearer", /\bbearer[ .][\w.~+/-]{6}/i],
  // `1780000000:peer`, as TURN REST has it.
  ["a TURN username", /\b1\d{9}:[\w-]{4}/],
  ["a TURN credential", /(?<![\w+/])[\w+/]{27}=(?![\w=])/],
];

/**
 * Names what is in a line that must not be. `spared` are texts that may be there, such as the address that a server
 * listens on; `secrets` are more that may not.
 */
export function secretsIn(
  line: string,
  spared: readonly string[] = [],
  secrets: readonly string[] = [],
): readonly string[] {
  const rest = spared.reduce((text, each) => text.replaceAll(each, "…"), line);
  const found = PATTERNS.filter(([, pattern]) => pattern.test(rest)).map(([what]) => what);
  const told = secrets.some((secret) => rest.includes(secret));
  return [...new Set([...found, ...(told ? ["a secret of the configuration"] : [])])];
}

/** The lines that have something in them, with what: for the message of a test that fails. */
export function secretLines(
  text: string,
  spared: readonly string[] = [],
  secrets: readonly string[] = [],
): readonly string[] {
  return text.split("\n").flatMap((line) => {
    const found = secretsIn(line, spared, secrets);
    return found.length === 0 ? [] : [`${found.join(", ")}: ${line.slice(0, 300)}`];
  });
}
