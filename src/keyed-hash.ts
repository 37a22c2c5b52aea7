const bytes = new TextEncoder();

/**
 * HMAC-SHA-256 of a text in hexadecimal: the same for the same text and secret, and read back by nobody. Whoever
 * asks for hashes of several kinds begins the text with the kind.
 */
export async function keyedHash(secret: string, text: string): Promise<string> {
  // A key of no bytes is refused, and other texts are signed with the same secret elsewhere.
  const raw = bytes.encode(`duplex hash ${secret}`);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", raw, algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, bytes.encode(text));
  return Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
