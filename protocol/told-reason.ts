/**
 * What peers write freely about a failure, as records and timelines may repeat it (A4): errors of browsers quote the line
 * of a description that they stumbled over. Whatever follows the first sign of one is cut off; what looks like an address,
 * a fingerprint or a secret is masked. What is left is for people; undefined when that is nothing.
 */
export function toldReason(reason: string | undefined): string | undefined {
  if (reason === undefined) return undefined;
  const quoted = reason.search(QUOTED);
  const told = (quoted < 0 ? reason : reason.slice(0, quoted))
    .replace(MDNS, MASK)
    .replace(IPV4, MASK)
    .replace(COLONS, MASK)
    .replace(TOKEN, (token) => (WORDS.test(token) ? token : MASK))
    .replace(/\s+/g, " ")
    .trim();
  return told || undefined;
}

const MASK = "***";

/** `a=ice-pwd:...`, `candidate:1 1 udp ...`, `ice-pwd:...`, `ufrag AbCd`: a line of a description, or a part of one. */
const QUOTED = /a=|candidate:|\b(?:ice-)?(?:ufrag|pwd|usernameFragment|password)\b/i;

/** `0b3b5a8a-1111-4a11-8a11-111111111111.local` */
const MDNS = /[\w-]+\.local\b/gi;

/** `192.0.2.7`, with whatever port or further dots follow. */
const IPV4 = /\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/g;

/** `2001:db8::7`, `::1`, `AB:CD:EF:01`: groups of hexadecimal digits with two colons or more. */
const COLONS = /(?<![\w])[\da-f]{0,4}(?::[\da-f]{0,4}){2,}(?!\w)/gi;

/** An ICE password has at least 22 characters (RFC 8839 s5.4), credentials of TURN and parts of a JWT mostly more. */
const TOKEN = /[\w+/=-]{22,}/g;

/** `media-server-out-of-capacity` */
const WORDS = /^[a-z]+(?:[-_][a-z]+)*$/;
