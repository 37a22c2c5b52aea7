/** What stands for a secret. */
const MASK = "***";

/** Each ends where the secret of its line begins; `sha-256` and the suite of a key are none. */
const SECRETS: readonly RegExp[] = [
  /ice-pwd[\s:=]*/i,
  /fingerprint[\s:=]*(?:(?:sha|md)-?\d+\s+)?/i,
  /crypto[\s:=]*(?:\d+\s+)?(?:(?:AES|AEAD|F8|ARIA|SEED|NULL)\w*\s+)?(?:inline:)?/i,
  /inline:/i,
  /^\s*k=/i,
  /key-mgmt[\s:=]*/i,
  /^\s*a=identity[\s:=]*/i,
];

/** The digits of a fingerprint wherever they stand, such as on a line of their own. */
const DIGITS = /(?:[\da-f]{2}:){7,}[\da-f]{0,2}/gi;

/** Where the first secret of a line begins. */
function secretAt(line: string): number | undefined {
  const ends = SECRETS.flatMap((secret) => {
    const match = secret.exec(line);
    return match ? [{ start: match.index, end: match.index + match[0].length }] : [];
  });
  return ends.toSorted((one, other) => one.start - other.start)[0]?.end;
}

/**
 * Lines of a description without passwords, keys and fingerprints, so that they can be shown, logged and sent to
 * somebody. Made for broken lines as well: what follows a secret and is no line belongs to it.
 */
export function masked(lines: readonly string[]): readonly string[] {
  let isSecret = false;
  return lines.map((line) => {
    if (isSecret && !/^\s*[a-z]=/i.test(line)) return MASK;
    const at = secretAt(line);
    isSecret = at !== undefined;
    return at === undefined ? line.replace(DIGITS, MASK) : `${line.slice(0, at)}${MASK}`;
  });
}
