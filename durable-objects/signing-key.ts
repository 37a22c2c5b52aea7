/** Of a deployment's few secrets, per hash; as long as the isolate lives. */
const known = new Map<string, CryptoKey>();

type Hash = "SHA-1" | "SHA-256";

/** A secret as HMAC key. Importing one costs as much as what is signed with it, so it is imported once. */
export async function signingKey(secret: string, hash: Hash = "SHA-256"): Promise<CryptoKey> {
  const name = `${hash} ${secret}`;
  const imported = known.get(name);
  if (imported) return imported;
  const raw = new TextEncoder().encode(secret);
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash }, false, [
    "sign",
    "verify",
  ]);
  known.set(name, key);
  return key;
}

/** HMAC of a text. */
export async function hmac(
  secret: string,
  text: string,
  hash: Hash = "SHA-256",
): Promise<ArrayBuffer> {
  const key = await signingKey(secret, hash);
  return crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text));
}

const HEX = Array.from({ length: 256 }, (_none, byte) => byte.toString(16).padStart(2, "0"));

export const hexOf = (bytes: ArrayBuffer | Uint8Array): string =>
  Array.from(new Uint8Array(bytes), (byte) => HEX[byte]).join("");
