/** Crockford's alphabet in lower case: 32 symbols, 5 bits each, none mistaken for another. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** An unguessable id of so many symbols of 5 bits (S1: 26 symbols are 130 bits). */
export function randomId(symbols: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(symbols));
  return Array.from(bytes, (byte) => ALPHABET[byte & 31]).join("");
}

/** Ids of sessions and peers (S1: 26 symbols are 130 bits). The jurisdiction of a session is part of its id. */
export const newSessionId = (jurisdiction: string | undefined): string =>
  `${jurisdiction === undefined ? "" : `${jurisdiction}-`}${randomId(26)}`;
export const newPeerId = (): string => randomId(16);
