import { describe, expect, it } from "vitest";
import { policyFor } from "../protocol/assistance/policy.ts";
import { blockOf, isInBlocks } from "../protocol/assistance/prefix.ts";
import { relaysOf } from "../protocol/assistance/relays.ts";
import { ueKept, ueSeen } from "../protocol/assistance/ue.ts";
import { readConfig } from "../protocol/config.ts";
import { ConfigError } from "../protocol/config-values.ts";
import type { Peer, Session } from "../protocol/session.ts";
import { PureSession } from "./pure-session.ts";

const QOD = {
  name: "home-5g",
  api: "camara-qod",
  url: "https://qod.example.net/quality-on-demand/v1",
  auth: {
    tokenUrl: "https://qod.example.net/token",
    clientId: "duplex",
    clientSecret: "very-secret-indeed",
  },
  prefixes: ["203.0.113.0/24", "2001:db8::/32"],
  qod: { profile: "QOS_L" },
};
const NEF = {
  name: "core",
  api: "nef",
  url: "https://nef.example.net/3gpp-as-session-with-qos/v1",
  nef: { scsAsId: "duplex", qosReference: "conv-video", altQosReferences: ["conv-video-half"] },
};
const AF = {
  name: "af",
  api: "rtc-af",
  url: "https://af.example.net/3gpp-maf-session-handling/v1",
  rtcAf: { provisioningSession: "p1", policyTemplateId: "t1" },
};

const read = (networks: unknown, more: object = {}) =>
  readConfig({
    ASSISTANCE_NOTIFY_URL: "https://signal.example.com",
    ASSISTANCE_NETWORKS: typeof networks === "string" ? networks : JSON.stringify(networks),
    ...more,
  }).assistance;

const whyNot = (networks: unknown, more: object = {}): string => {
  try {
    read(networks, more);
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.message;
    throw thrown;
  }
  return "";
};

describe("[M13] configuration of mobile networks", () => {
  it("[M13] without any there is none, and nothing is remembered of where anybody is", () => {
    expect(readConfig({}).assistance).toEqual({ networks: [] });
    expect(ueSeen([], { network: "home-5g" }, "203.0.113.7")).toBeUndefined();
  });

  it("[M13] three kinds are read, each with what it needs", () => {
    const { networks, notifyUrl } = read([QOD, NEF, AF]);
    expect(notifyUrl).toBe("https://signal.example.com");
    expect(networks.map(({ name, mode }) => [name, mode])).toEqual([
      ["home-5g", "on"],
      ["core", "on"],
      ["af", "on"],
    ]);
    expect(networks[0]).toMatchObject({ auth: QOD.auth, qod: { durationSeconds: 3600 } });
    expect(networks[1]).toMatchObject({ scsAsId: "duplex", multiplex: true });
    expect(networks[2]).toMatchObject({ provisioningSession: "p1", blocks: [] });
  });

  it("[M13] rates and keys are read as they are written", () => {
    const [network] = read([
      {
        ...QOD,
        keys: ["k1"],
        withoutQos: { uplinkBps: 300_000 },
        profiles: { QOS_M: { downlinkBps: 500_000 }, QOS_S: {} },
      },
    ]).networks;
    expect(network?.keys).toEqual(["k1"]);
    expect(network?.withoutQos).toEqual({ uplinkBps: 300_000 });
    expect(network?.profiles).toEqual({ QOS_M: { downlinkBps: 500_000 }, QOS_S: {} });
  });

  it.each([
    ["no JSON", "{", "a JSON array"],
    ["no array", {}, "array"],
    ["an unknown member", [{ ...QOD, colour: "red" }], "colour"],
    ["a bad block", [{ ...QOD, prefixes: ["203.0.113.0/33"] }], "0.prefixes.0"],
    ["two of one name", [QOD, QOD], "two networks have one name"],
    ["what the API needs", [{ ...QOD, qod: undefined }], "`qod` is needed for camara-qod"],
    ["a profile to choose", [{ ...QOD, qod: {} }], "`qod.profile` or `qod.profiles` is needed"],
    [
      "a profile that CAMARA has no name for",
      [{ ...QOD, qod: { profile: "QoS L" } }],
      "0.qod.profile: ",
    ],
    ["an API without TLS", [{ ...NEF, url: "http://nef.example.net" }], "https only"],
    [
      "a token endpoint without TLS",
      [{ ...QOD, auth: { ...QOD.auth, tokenUrl: "http://qod.example.net/token" } }],
      "https only",
    ],
    ["a URL with a query", [{ ...NEF, url: "https://nef.example.net/?a=1" }], "0.url"],
    [
      "a URL with a port that is none",
      [{ ...NEF, url: "https://nef.example.net:65536/v1" }],
      "0.url",
    ],
    [
      "a URL with somebody's password",
      [{ ...QOD, auth: { ...QOD.auth, tokenUrl: "https://me:very-secret-indeed@a.example/t" } }],
      "0.auth.tokenUrl",
    ],
    [
      "a token endpoint with a fragment",
      [{ ...QOD, auth: { ...QOD.auth, tokenUrl: "https://a.example/t?a=b#c" } }],
      "0.auth.tokenUrl",
    ],
  ])("[M13] %s: the message names the variable and quotes no secret", (_what, networks, said) => {
    const why = whyNot(networks);
    expect(why).toContain("ASSISTANCE_NETWORKS: ");
    expect(why).toContain(said);
    expect(why).not.toContain("very-secret-indeed");
  });

  it.each([
    // RFC 6749 s3.2: its query stays.
    "https://api.example.net/oauth/accesstoken?grant_type=client_credentials",
    "https://login.example.net/oauth2/token/",
    "https://login.example.net",
    "https://login.example.net:65535",
    "https://[2001:db8::1]:8443/realms/5g/token?tenant=a%20b&audience=https://api.example.net/",
  ])("[M13] a token endpoint is where the network has it: %s", (tokenUrl) => {
    const [network] = read([{ ...QOD, auth: { ...QOD.auth, tokenUrl } }]).networks;
    expect(network?.auth?.tokenUrl).toBe(tokenUrl);
  });

  it("[M13] a NEF has to have somebody to tell; others can be asked", () => {
    expect(whyNot([NEF], { ASSISTANCE_NOTIFY_URL: "" })).toContain("ASSISTANCE_NOTIFY_URL: needed");
    expect(read([QOD, AF], { ASSISTANCE_NOTIFY_URL: "" })).not.toHaveProperty("notifyUrl");
  });

  it("[M13] networks reach a deployment by https only, except in local development", () => {
    const plain = { ASSISTANCE_NOTIFY_URL: "http://127.0.0.1:8787" };
    expect(whyNot([NEF], plain)).toContain("ASSISTANCE_NOTIFY_URL: https only");
    const local = [{ ...NEF, url: "http://127.0.0.1:9/nef" }];
    expect(read(local, { ...plain, LOCAL_DEV: "true" }).notifyUrl).toBe("http://127.0.0.1:8787");
  });
});

describe("[M13] blocks of addresses", () => {
  it.each([
    ["203.0.113.0/24", "203.0.113.255", true],
    ["203.0.113.0/24", "203.0.114.0", false],
    ["203.0.113.7", "203.0.113.7", true],
    ["203.0.113.7", "203.0.113.70", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["2001:db8::/32", "2001:DB8:0:1::7", true],
    ["2001:db8::/32", "2001:db9::", false],
    ["203.0.113.0/24", "::ffff:203.0.113.9", true],
    ["10.0.0.0/8", "not-an-address", false],
  ])("[M13] %s has %s: %s", (block, address, isIn) => {
    expect(isInBlocks(address, [blockOf(block) ?? ""])).toBe(isIn);
  });

  it.each(["", "example.com", "10.0.0.0/33", "2001:db8::/129", "10.0.0.0/8/8"])(
    "[M13] %s is none",
    (text) => {
      expect(blockOf(text)).toBeUndefined();
    },
  );
});

describe("[M13] who is in which network", () => {
  const { networks } = read([QOD, NEF]);

  it("[M13] by the address, by what the token says, or in none", () => {
    expect(ueSeen(networks, {}, "203.0.113.7")).toEqual({
      network: "home-5g",
      address: "203.0.113.7",
    });
    expect(ueSeen(networks, { network: "core" }, "2001:DB8::7")).toEqual({
      network: "core",
      isNamed: true,
      address: "2001:db8::7",
    });
    expect(ueSeen(networks, { phoneNumber: "+15550100123" }, "192.0.2.1")).toEqual({
      phoneNumber: "+15550100123",
      address: "192.0.2.1",
    });
    expect(ueSeen(networks, { network: "gone" }, undefined)).toEqual({});
    expect(ueSeen(networks, {}, undefined)).toEqual({});
  });

  it("[M13] who is in none is not remembered; a newer token may say less", () => {
    const seen = { network: "core", phoneNumber: "+15550100123", address: "192.0.2.1" };
    const named = { ...seen, isNamed: true } as const;
    expect(ueKept(undefined, named)).toBeUndefined();
    expect(ueKept({ address: "192.0.2.1" }, undefined)).toBeUndefined();
    expect(ueKept({}, { network: "core", isNamed: true })).toEqual({
      network: "core",
      isNamed: true,
    });
    expect(ueKept({ address: "192.0.2.9" }, named)).toEqual({ ...named, address: "192.0.2.9" });
    expect(ueKept(named, undefined)).toEqual(named);
    // By another access: who was known by the address is in the network no more, or in another.
    expect(ueKept({ address: "192.0.2.9" }, seen)).toBeUndefined();
    const elsewhere = { network: "home-5g", address: "203.0.113.7" };
    expect(ueKept(elsewhere, seen)).toEqual({ ...seen, ...elsewhere });
    // Who was named is not: its network may be one that no address tells.
    expect(ueKept(elsewhere, named)).toEqual({ ...named, address: "203.0.113.7" });
    expect(ueKept({ ...elsewhere, isNamed: true }, named)).toEqual({ ...named, ...elsewhere });
  });
});

describe("[M13] relays of the deployment", () => {
  it("[M13] by address or by name, with the port that their URL means", () => {
    const ttl = { secret: "s", ttlSeconds: 60, allocationsExpire: false };
    const urls = [
      "turn:192.0.2.1:3478?transport=udp",
      "turn:turn.example.com?transport=tcp",
      "turns:turn.example.com",
    ];
    expect(relaysOf({ provider: "hmac", urls, ...ttl })).toEqual([
      { address: "192.0.2.1", port: 3478, protocol: "udp" },
      { domain: "turn.example.com", port: 3478, protocol: "tcp" },
      { domain: "turn.example.com", port: 5349, protocol: "tcp" },
    ]);
    expect(relaysOf({ provider: "hmac", urls: ["turn:nowhere:"], ...ttl })).toEqual([
      { domain: "", protocol: "udp" },
    ]);
    expect(relaysOf({ provider: "none" })).toEqual([]);
    const cloudflare = { provider: "cloudflare", keyId: "k", apiToken: "t" } as const;
    expect(relaysOf({ ...cloudflare, ttlSeconds: 60, allocationsExpire: true })).toMatchObject([
      { domain: "turn.cloudflare.com", protocol: "udp" },
      { domain: "turn.cloudflare.com", protocol: "tcp" },
    ]);
  });
});

describe("[M13] who is asked for", () => {
  const peerOf = (session: Session): Peer => session.peers.get("alice") as Peer;

  function sessionWith(config: object, more: object = {}, role: "peer" | "observer" = "peer") {
    const pure = new PureSession(config);
    pure.join("alice", role, { ue: { network: "home-5g" } });
    return { ...pure.session, ...more };
  }

  const modeIn = (session: Session, ...entries: object[]): string | undefined =>
    policyFor(session, peerOf(session), read(entries).networks)?.mode;

  it("[M13] by the network's mode, and by what the session was created with", () => {
    const on = sessionWith({ assistance: "on" });
    const plain = sessionWith({});
    expect(modeIn(plain, QOD)).toBe("on");
    expect(modeIn(plain, { ...QOD, mode: "opt-in" })).toBeUndefined();
    expect(modeIn(on, { ...QOD, mode: "opt-in" })).toBe("on");
    expect(modeIn(sessionWith({ assistance: "off" }), QOD)).toBeUndefined();
    expect(modeIn(sessionWith({ assistance: "dry-run" }), QOD)).toBe("dry-run");
    expect(modeIn(on, { ...QOD, mode: "dry-run" })).toBe("dry-run");
    expect(modeIn(plain, { ...QOD, mode: "dry-run" })).toBe("dry-run");
  });

  it("[M13] only peers, in a network that there is and that is for their API key", () => {
    expect(modeIn(sessionWith({}, {}, "observer"), QOD)).toBeUndefined();
    expect(modeIn(sessionWith({}), NEF)).toBeUndefined();
    const keyed = { ...QOD, keys: ["k1"] };
    expect(modeIn(sessionWith({}), keyed)).toBeUndefined();
    expect(modeIn(sessionWith({}, { networks: ["home-5g"] }), keyed)).toBe("on");
    const { ue: _, ...nobody } = peerOf(sessionWith({}));
    expect(policyFor(sessionWith({}), nobody, read([QOD]).networks)).toBeUndefined();
  });
});
