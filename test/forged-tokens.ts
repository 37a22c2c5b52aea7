/** Tokens as an attacker makes them: any header, any claims, any key, put together by hand. */

const bytes = new TextEncoder();

/** As vitest.config.ts configures the Worker. */
const SECRET = "test-secret-of-at-least-32-characters";
const OTHER_SECRET = "another-secret-of-32-characters-or-more";

const base64Url = (data: Uint8Array): string =>
  btoa(String.fromCharCode(...data))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const encoded = (part: string): string => base64Url(bytes.encode(part));

async function kidOf(secret: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes.encode(`duplex kid ${secret}`));
  return Array.from(new Uint8Array(hash, 0, 6), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}

async function hmac(input: string, secret: string, hash = "SHA-256"): Promise<string> {
  const algorithm = { name: "HMAC", hash };
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), algorithm, false, [
    "sign",
  ]);
  return base64Url(new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes.encode(input))));
}

/** Signed with a key of the attacker's own, which the header offers to verify with. */
async function rsa(header: object, payload: string): Promise<string> {
  const { privateKey, publicKey } = (await crypto.subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    },
    true,
    ["sign", "verify"],
  )) as CryptoKeyPair;
  const jwk = await crypto.subtle.exportKey("jwk", publicKey);
  const input = `${encoded(JSON.stringify({ ...header, jwk }))}.${encoded(payload)}`;
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", privateKey, bytes.encode(input));
  return `${input}.${base64Url(new Uint8Array(signature))}`;
}

const secondsNow = (): number => Math.floor(Date.now() / 1000);

const claimsOf = (session: string, more: object = {}) => ({
  session,
  role: "peer",
  publish: ["audio"],
  subscribe: ["audio"],
  iss: "duplex",
  sub: "mallory",
  iat: secondsNow(),
  exp: secondsNow() + 60,
  ...more,
});

/** A token that is what it should be, but for what is given. A text of claims goes in as it is. */
export async function tokenOf(
  session: string,
  claims: object | string = {},
  header: object = {},
  secret = SECRET,
): Promise<string> {
  const head = JSON.stringify({ alg: "HS256", typ: "JWT", kid: await kidOf(secret), ...header });
  const payload = typeof claims === "string" ? claims : JSON.stringify(claimsOf(session, claims));
  const input = `${encoded(head)}.${encoded(payload)}`;
  return `${input}.${await hmac(input, secret)}`;
}

/** Signatures and keys that are not what they say. */
async function mistaken(session: string, good: string): Promise<Record<string, string>> {
  const [head = "", payload = "", signature = ""] = good.split(".");
  const ownKid = await kidOf(SECRET);
  const unsigned = (alg: unknown) => `${encoded(JSON.stringify({ alg, kid: ownKid }))}.${payload}`;
  const signedBy = async (alg: string, hash: string, secret = SECRET) => {
    const input = `${encoded(JSON.stringify({ alg, typ: "JWT", kid: ownKid }))}.${payload}`;
    return `${input}.${await hmac(input, secret, hash)}`;
  };
  const bytesOfClaims = JSON.stringify(claimsOf(session));
  return {
    "alg none": `${unsigned("none")}.`,
    "alg None with the signature": `${unsigned("None")}.${signature}`,
    "alg nOnE": `${unsigned("nOnE")}.`,
    "alg empty": `${unsigned("")}.${signature}`,
    "alg a list": `${unsigned(["HS256"])}.${signature}`,
    "no alg": `${encoded(JSON.stringify({ kid: ownKid }))}.${payload}.${signature}`,
    HS384: await signedBy("HS384", "SHA-384"),
    HS512: await signedBy("HS512", "SHA-512"),
    "RS256 signed with the secret": await signedBy("RS256", "SHA-256"),
    "ES256 signed with the secret": await signedBy("ES256", "SHA-256"),
    "RS256 with a key of its own": await rsa({ alg: "RS256", kid: ownKid }, bytesOfClaims),
    "HS256 signed with the name of the secret": await signedBy("HS256", "SHA-256", ownKid),
    "no signature": `${head}.${payload}.`,
    "two parts": `${head}.${payload}`,
    "five parts": `${head}.${payload}.${signature}.${payload}.${signature}`,
    "a signature cut short": good.slice(0, -4),
    "the signature of another": `${head}.${payload}.${await hmac("x", SECRET)}`,
    "claims changed": `${head}.${encoded(JSON.stringify(claimsOf(session, { role: "media-server" })))}.${signature}`,
  };
}

/** Headers that ask for another key, or for more than is understood. */
async function misleading(session: string): Promise<Record<string, string>> {
  const foreignKey = (header: object) => tokenOf(session, {}, header, OTHER_SECRET);
  const kid = await kidOf(SECRET);
  return {
    "another deployment": await foreignKey({}),
    "another deployment under our kid": await foreignKey({ kid }),
    "no kid": await tokenOf(session, {}, { kid: undefined }),
    "kid a number": await tokenOf(session, {}, { kid: 0 }),
    "kid a path": await tokenOf(session, {}, { kid: "../../../dev/null" }),
    "kid __proto__": await tokenOf(session, {}, { kid: "__proto__" }),
    "kid of SQL": await tokenOf(session, {}, { kid: "' OR 1=1 --" }),
    jku: await foreignKey({ kid, jku: "https://attacker.example/keys.json" }),
    x5u: await foreignKey({ kid, x5u: "https://attacker.example/cert.pem" }),
    jwk: await foreignKey({ kid, jwk: { kty: "oct", k: encoded(OTHER_SECRET), alg: "HS256" } }),
    "crit unknown": await tokenOf(session, {}, { crit: ["unheard-of"], "unheard-of": 1 }),
    "crit b64": await tokenOf(session, {}, { crit: ["b64"], b64: false }),
    "crit empty": await tokenOf(session, {}, { crit: [] }),
  };
}

/** Well signed, and still no grant for this session. */
async function misclaimed(session: string, other: string): Promise<Record<string, string>> {
  const withClaims = (claims: object | string) => tokenOf(session, claims);
  const now = secondsNow();
  const text = JSON.stringify(claimsOf(session)).slice(1, -1);
  return {
    "another session": await tokenOf(other),
    "no session": await withClaims({ session: undefined }),
    "session a list": await withClaims({ session: [session] }),
    "session named twice": await withClaims(`{${text},"session":"${other}"}`),
    expired: await withClaims({ exp: now - 1 }),
    "exp twice": await withClaims(`{${text},"exp":1}`),
    "no exp": await withClaims({ exp: undefined }),
    "exp a text": await withClaims({ exp: String(now + 60) }),
    "exp null": await withClaims({ exp: null }),
    "exp NaN": await withClaims({ exp: Number.NaN }),
    "exp a fraction": await withClaims({ exp: now + 60.5 }),
    "exp without end": await withClaims(`{${text},"exp":1e400}`),
    "exp in the year 3000": await withClaims({ exp: 32_503_680_000 }),
    "exp after the longest life": await withClaims({ exp: now + 30 * 86_400 + 3600 }),
    "exp below zero": await withClaims({ exp: -1 }),
    "not yet": await withClaims({ nbf: now + 3600 }),
    "nbf a text": await withClaims({ nbf: "now" }),
    "no subject": await withClaims({ sub: undefined }),
    "an empty subject": await withClaims({ sub: "" }),
    "a subject of two": await withClaims({ sub: "alice~bob" }),
    "a subject with a line end": await withClaims({ sub: "alice\r\nx-duplex-admission: {}" }),
    "a subject __proto__.x": await withClaims({ sub: "__proto__.x" }),
    "another issuer": await withClaims({ iss: "somebody" }),
    "no issuer": await withClaims({ iss: undefined }),
    "an unknown role": await withClaims({ role: "king" }),
    "no role": await withClaims({ role: undefined }),
    "a role __proto__": await withClaims({ role: "__proto__" }),
    "an unknown kind": await withClaims({ publish: ["smell"] }),
    "claims that are no object": await withClaims("[]"),
    "claims that are no JSON": await withClaims("{"),
  };
}

/** Every token that must be refused, by what is wrong with it. */
export async function forgedTokens(
  session: string,
  other: string,
): Promise<Record<string, string>> {
  return {
    rubbish: "rubbish",
    "three dots": "...",
    "an API key": "test-key",
    "16 KiB": `${await tokenOf(session)}${"A".repeat(16_000)}`,
    ...(await mistaken(session, await tokenOf(session))),
    ...(await misleading(session)),
    ...(await misclaimed(session, other)),
  };
}
