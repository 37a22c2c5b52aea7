import { hexOf, hmac } from "../durable-objects/signing-key.ts";

/**
 * HMAC-SHA-256 of a text in hexadecimal: the same for the same text and secret, and read back by nobody. Whoever
 * asks for hashes of several kinds begins the text with the kind.
 */
export async function keyedHash(secret: string, text: string): Promise<string> {
  // A key of no bytes is refused, and other texts are signed with the same secret elsewhere.
  return hexOf(await hmac(`duplex hash ${secret}`, text));
}
