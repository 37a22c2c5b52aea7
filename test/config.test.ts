import { describe, expect, it } from "vitest";
import { isLocalDev, readConfig } from "../protocol/config.ts";
import { ConfigError } from "../protocol/config-values.ts";

const SECRET = "s".repeat(32);

const CLOUDFLARE = {
  TURN_PROVIDER: "cloudflare",
  CLOUDFLARE_TURN_KEY_ID: "k",
  CLOUDFLARE_TURN_API_TOKEN: "t",
};

const WHSEC = `whsec_${"A".repeat(43)}=`;
const HOOK = "https://app.example.com/hooks";

const SFU = {
  MEDIA_BACKEND: "cloudflare",
  CLOUDFLARE_SFU_APP_ID: "a",
  CLOUDFLARE_SFU_APP_SECRET: "s",
};

describe("configuration", () => {
  it("[M19] local development needs nothing", () => {
    const config = readConfig({ LOCAL_DEV: "true" });
    expect(config.apiKeys).toEqual(["dev-key"]);
    expect(config.turn).toEqual({ provider: "none" });
  });

  it("[M19] is for local development only where LOCAL_DEV says so", () => {
    expect([{ LOCAL_DEV: "true" }, { LOCAL_DEV: "false" }, {}].map(isLocalDev)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("[A1] a deployment has no key of its own", () => {
    expect(readConfig({}).apiKeys).toEqual([]);
    expect(readConfig({ API_KEYS: "a, b,," }).apiKeys).toEqual(["a", "b"]);
  });

  it.each([
    [{ API_KEYS: "dev-key" }, "API_KEYS"],
    [{ TOKEN_SECRETS: "short" }, "TOKEN_SECRETS"],
    [{ ALLOWED_ORIGINS: "app.example.com" }, "ALLOWED_ORIGINS"],
    [{ ALLOWED_ORIGINS: "https://*.example.com" }, "ALLOWED_ORIGINS"],
    [{ ALLOWED_ORIGINS: "https://app.example.com:443" }, "ALLOWED_ORIGINS"],
    [{ ALLOWED_ORIGINS: "https://app@example.com" }, "ALLOWED_ORIGINS"],
    [{ ALLOWED_ORIGINS: "null" }, "ALLOWED_ORIGINS"],
    [{ STUN_URLS: "turn:x" }, "STUN_URLS"],
    [{ TURN_PROVIDER: "magic" }, "TURN_PROVIDER"],
    [{ TURN_PROVIDER: "hmac" }, "TURN_URLS"],
    [{ TURN_URLS: "turn:x" }, "TURN_SECRETS"],
    [{ TURN_URLS: "http://x", TURN_SECRETS: "s" }, "TURN_URLS"],
    [{ TURN_URLS: "turn:x", TURN_SECRETS: "s", TURN_PROVIDER: "none" }, "TURN_URLS"],
    [{ TURN_PROVIDER: "cloudflare" }, "CLOUDFLARE_TURN_KEY_ID"],
    [{ TURN_PROVIDER: "cloudflare", CLOUDFLARE_TURN_KEY_ID: "k" }, "CLOUDFLARE_TURN_API_TOKEN"],
    [
      {
        TURN_PROVIDER: "cloudflare",
        CLOUDFLARE_TURN_KEY_ID: "k",
        CLOUDFLARE_TURN_API_TOKEN: "t",
        TURN_URLS: "turn:x",
      },
      "TURN_URLS",
    ],
    [{ TURN_TTL_SECONDS: "172801" }, "TURN_TTL_SECONDS"],
    [{ TURN_TTL_SECONDS: "soon" }, "TURN_TTL_SECONDS"],
    [{ TURN_ALLOCATIONS_EXPIRE: "yes" }, "TURN_ALLOCATIONS_EXPIRE"],
    [{ DO_JURISDICTION: "mars" }, "DO_JURISDICTION"],
    [{ MAX_SESSIONS_PER_KEY: "0" }, "MAX_SESSIONS_PER_KEY"],
    [{ MAX_SESSIONS_PER_KEY: "many" }, "MAX_SESSIONS_PER_KEY"],
    [{ LOCAL_DEV: "yes" }, "LOCAL_DEV"],
    [{ MEDIA_BACKEND: "magic" }, "MEDIA_BACKEND"],
    [{ CLOUDFLARE_SFU_APP_ID: "a" }, "MEDIA_BACKEND"],
    [{ CLOUDFLARE_SFU_APP_SECRET: "s" }, "MEDIA_BACKEND"],
    [{ MEDIA_BACKEND: "cloudflare" }, "CLOUDFLARE_SFU_APP_ID"],
    [{ MEDIA_BACKEND: "cloudflare", CLOUDFLARE_SFU_APP_ID: "a" }, "CLOUDFLARE_SFU_APP_SECRET"],
    [{ ...SFU, CLOUDFLARE_SFU_BASE_URL: "http://127.0.0.1:1/v1" }, "CLOUDFLARE_SFU_BASE_URL"],
    [{ LOCAL_DEV: "true", ...SFU, CLOUDFLARE_SFU_BASE_URL: "here" }, "CLOUDFLARE_SFU_BASE_URL"],
    [{ WEBHOOK_URLS: HOOK }, "WEBHOOK_SECRETS"],
    [{ WEBHOOK_URLS: HOOK, WEBHOOK_SECRETS: "secret" }, "WEBHOOK_SECRETS"],
    [{ WEBHOOK_URLS: HOOK, WEBHOOK_SECRETS: "whsec_c2hvcnQ=" }, "WEBHOOK_SECRETS"],
    [{ WEBHOOK_URLS: HOOK, WEBHOOK_SECRETS: WHSEC.replace("whsec_", "WHSEC_") }, "WEBHOOK_SECRETS"],
    [{ WEBHOOK_URLS: "app.example.com", WEBHOOK_SECRETS: WHSEC }, "WEBHOOK_URLS"],
    [{ WEBHOOK_URLS: "https://me:pass@app.example.com/", WEBHOOK_SECRETS: WHSEC }, "WEBHOOK_URLS"],
    [{ WEBHOOK_URLS: `${HOOK}#part`, WEBHOOK_SECRETS: WHSEC }, "WEBHOOK_URLS"],
    [{ WEBHOOK_URLS: "http://app.example.com/hooks", WEBHOOK_SECRETS: WHSEC }, "WEBHOOK_URLS"],
    [{ WEBHOOK_URLS: `${HOOK}?a=1,${HOOK}?a=2`, WEBHOOK_SECRETS: WHSEC }, "WEBHOOK_URLS"],
    [
      { WEBHOOK_URLS: "123456".replaceAll(/./g, `${HOOK}/$&,`), WEBHOOK_SECRETS: WHSEC },
      "WEBHOOK_URLS",
    ],
    [{ WEBHOOK_RETRY_SECONDS: "1" }, "WEBHOOK_RETRY_SECONDS"],
    [{ LOCAL_DEV: "true", WEBHOOK_RETRY_SECONDS: "0" }, "WEBHOOK_RETRY_SECONDS"],
  ])("[M19] %j stops the start and names the variable", (env, variable) => {
    expect(() => readConfig(env)).toThrow(ConfigError);
    expect(() => readConfig(env)).toThrow(new RegExp(`^${variable}: `));
  });

  it("[M19] numbers and JSON are read where they are meant: a limit that was set as a number is one", () => {
    const env = {
      LOCAL_DEV: "true",
      MAX_SESSIONS_PER_KEY: 5,
      CNAME_WINDOW_DAYS: 0,
      ASSISTANCE_NETWORKS: [
        {
          name: "af",
          api: "rtc-af",
          url: "http://af.example",
          rtcAf: { provisioningSession: "p", policyTemplateId: "t" },
        },
      ],
    };
    expect(readConfig(env)).toMatchObject({
      localDev: true,
      maxSessionsPerKey: 5,
      cnameWindowDays: 0,
      assistance: { networks: [{ name: "af" }] },
    });
    expect(readConfig({ TOKEN_SECRETS: undefined, API_KEYS: null }).apiKeys).toEqual([]);
  });

  it.each([
    [{ MAX_SESSIONS_PER_KEY: 0 }, "MAX_SESSIONS_PER_KEY"],
    [{ SWAP_ACCESS: false }, "SWAP_ACCESS"],
    [{ LOCAL_DEV: true }, "LOCAL_DEV"],
    [{ API_KEYS: ["a", "b"] }, "API_KEYS"],
    [{ ASSISTANCE_NETWORKS: { name: "af" } }, "ASSISTANCE_NETWORKS"],
  ])("[M19] %j is not passed over in silence", (env, variable) => {
    expect(() => readConfig(env)).toThrow(new RegExp(`^${variable}: `));
  });

  it("[M19] a managed SFU carries media where one is named, and not where it is switched off", () => {
    const provider = "cloudflare";
    const backend = { provider, appId: "a", appSecret: "s" };
    expect(readConfig({}).mediaBackend).toEqual({ provider: "none" });
    expect(readConfig(SFU).mediaBackend).toEqual(backend);
    expect(readConfig({ ...SFU, MEDIA_BACKEND: "none" }).mediaBackend.provider).toBe("none");
    const baseUrl = "http://127.0.0.1:1/v1";
    const local = { LOCAL_DEV: "true", ...SFU, CLOUDFLARE_SFU_BASE_URL: baseUrl };
    expect(readConfig(local).mediaBackend).toEqual({ ...backend, baseUrl });
  });

  it("[M19] a deployment has a public STUN server unless it names its own; locally there is none", () => {
    expect(readConfig({}).stunUrls).toEqual(["stun:stun.cloudflare.com:3478"]);
    expect(readConfig({ STUN_URLS: "stun:a.example.com" }).stunUrls).toEqual([
      "stun:a.example.com",
    ]);
    expect(readConfig({ LOCAL_DEV: "true" }).stunUrls).toEqual([]);
    const both = readConfig({
      LOCAL_DEV: "true",
      STUN_URLS: "stun:a.example.com,stuns:b.example.com:5349",
    });
    expect(both.stunUrls).toHaveLength(2);
  });

  it("[M17] webhooks go to all receivers, signed with all secrets; what is shown of a receiver has no query", () => {
    const other = `whsec_${"B".repeat(32)}`;
    const config = readConfig({
      WEBHOOK_URLS: `${HOOK}?key=1, https://[2001:db8::1]:8443/`,
      WEBHOOK_SECRETS: `${WHSEC},${other}`,
    });
    expect(config.webhooks).toEqual({
      receivers: [
        { name: HOOK, url: `${HOOK}?key=1` },
        { name: "https://[2001:db8::1]:8443/", url: "https://[2001:db8::1]:8443/" },
      ],
      secrets: [WHSEC, other],
    });
    expect(readConfig({ WEBHOOK_SECRETS: WHSEC }).webhooks.receivers).toEqual([]);
    const local = {
      LOCAL_DEV: "true",
      WEBHOOK_URLS: "http://127.0.0.1:9/",
      WEBHOOK_SECRETS: WHSEC,
    };
    expect(readConfig({ ...local, WEBHOOK_RETRY_SECONDS: "0.5" }).webhooks.retrySeconds).toBe(0.5);
  });

  it("[M19] a jurisdiction for all sessions can be set", () => {
    expect(readConfig({ DO_JURISDICTION: "eu" }).jurisdiction).toBe("eu");
    expect(readConfig({})).not.toHaveProperty("jurisdiction");
  });

  it("[M10] TURN is hmac when URLs are set, with the first secret signing", () => {
    const env = {
      TURN_URLS: "turn:a.example.com:3478?transport=udp,turns:a.example.com:5349?transport=tcp",
      TURN_SECRETS: "new,old",
      TOKEN_SECRETS: SECRET,
    };
    expect(readConfig(env).turn).toEqual({
      provider: "hmac",
      urls: env.TURN_URLS.split(","),
      secret: "new",
      ttlSeconds: 3600,
      allocationsExpire: false,
    });
  });

  it.each([
    [{ TURN_URLS: "turn:x", TURN_SECRETS: "s" }, false],
    [{ TURN_URLS: "turn:x", TURN_SECRETS: "s", TURN_ALLOCATIONS_EXPIRE: "true" }, true],
    [CLOUDFLARE, true],
    [{ ...CLOUDFLARE, TURN_ALLOCATIONS_EXPIRE: "false" }, false],
  ])(
    "[A3] whether relays end with their credentials is told by the provider, or said: %j",
    (env, expires) => {
      expect(readConfig(env).turn).toMatchObject({ allocationsExpire: expires });
    },
  );

  it("[M19] an empty variable is a variable that is not set", () => {
    expect(readConfig({ TURN_PROVIDER: "", TURN_TTL_SECONDS: "" }).turn).toEqual({
      provider: "none",
    });
  });
});
