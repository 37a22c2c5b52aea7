import { reset } from "cloudflare:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { findingGroups } from "../protocol/finding-groups.ts";
import { FlowsView } from "../protocol/flow.ts";
import { LIMITS } from "../protocol/limits.ts";
import { pastedDescription } from "../protocol/pasted-description.ts";
import type { SdpFinding } from "../protocol/sdp/finding.ts";
import { checkSdp, type SdpCheck } from "../protocol/sdp-check.ts";
import { networkOf } from "../src/client-network.ts";
import { CORPUS, type CorpusRecord, recordOf } from "./corpus.ts";
import { call, callJson, KEY, LiveSession } from "./live-session.ts";
import { inSection, remove, replace } from "./sdp-examples.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const CONFIGURATION = import.meta.glob("../wrangler.toml", {
  eager: true,
  import: "default",
  query: "?raw",
}) as Record<string, string>;

const AT = 1_700_000_000_000;
const PATH = "/v1/sdp/check";
const { offer, answer: recorded } = recordOf("chromium.max-bundle");
const answer = recorded ?? "";

/** Two sections of one name: refused in every profile, and nothing can be derived from it. */
const twins = inSection(1, replace(/^a=mid:.*$/m, "a=mid:0"))(offer);
/** Readable, but no browser takes it. */
const noVersion = replace("v=0", "v=1")(offer);
const huge = `${offer}a=x:${"x".repeat(LIMITS.sdpBytes)}\r\n`;

const rulesOf = ({ findings }: SdpCheck, level = "error"): string[] =>
  findings.filter((finding) => finding.level === level).map(({ rule }) => rule);

const check = async (body: unknown, headers: object = KEY): Promise<SdpCheck> => {
  const response = await callJson(PATH, "POST", body, headers);
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as SdpCheck;
};

describe("a check", () => {
  it("[D3] of what a real stack made finds no error and proposes its flows", () => {
    const { findings, flows } = checkSdp({ offer }, AT);
    expect(findings.filter(({ level }) => level === "error")).toEqual([]);
    expect(flows.map(({ from, to, kind, state }) => `${from} ${to} ${kind} ${state}`)).toEqual([
      "offerer answerer audio proposed",
      "answerer offerer audio proposed",
      "offerer answerer video proposed",
      "answerer offerer video proposed",
      "offerer answerer data proposed",
      "answerer offerer data proposed",
    ]);
    expect(
      flows.map(({ link, since, exchange, revision }) => [link, since, exchange, revision]),
    ).toEqual(flows.map(() => ["answerer~offerer", AT, 1, 1]));
  });

  it("[F1] of an offer and its answer gives the flows that they agree on, with both views", () => {
    const { findings, flows } = checkSdp({ offer, answer }, AT);
    expect(findings.filter(({ level }) => level === "error")).toEqual([]);
    expect(flows.map(({ state }) => state)).toEqual(flows.map(() => "negotiated"));
    expect(flows[0]).toMatchObject({
      id: "answerer~offerer:0.1:offerer",
      views: [
        { peer: "offerer", direction: "uplink" },
        { peer: "answerer", direction: "downlink" },
      ],
    });
    expect(new Set(flows.map(({ transport }) => transport)).size).toBe(1);
  });

  it("[D2] names offer, answer or pair in each finding, in this order", () => {
    const broken = inSection(1, remove(/^a=mid:/))(answer);
    const others = { offer: noVersion, answer: replace("v=0", "v=1")(broken) };
    const { findings } = checkSdp(others, AT);
    const about = findings.map(({ description }) => description);
    expect([...new Set(about)].slice(0, 2)).toEqual(["offer", "answer"]);
    expect(about).toEqual(
      about.toSorted(
        (one = "pair", other = "pair") =>
          ["offer", "answer", "pair"].indexOf(one) - ["offer", "answer", "pair"].indexOf(other),
      ),
    );
    expect(findings[0]).toMatchObject({ rule: "version-invalid", description: "offer", line: 1 });
  });

  it("[D2] of descriptions that do not fit each other says so of the pair", () => {
    const swapped = recordOf("chromium-to-firefox.data-channel-only").answer ?? "";
    const { findings } = checkSdp({ offer, answer: swapped }, AT);
    expect(findings.filter(({ description }) => description === "pair")).not.toEqual([]);
  });

  it("[D2] gives findings without flows for what cannot be used, on either side", () => {
    expect(checkSdp({ offer: twins }, AT).flows).toEqual([]);
    expect(checkSdp({ offer: twins, answer }, AT).flows).toEqual([]);
    expect(checkSdp({ offer, answer: "hello" }, AT).findings).not.toEqual([]);
    const twinAnswer = inSection(1, replace(/^a=mid:.*$/m, "a=mid:0"))(answer);
    expect(checkSdp({ offer, answer: twinAnswer }, AT).flows).toEqual([]);
  });

  it("[D4] of a text over the limits says which one it is, and still reads the other", () => {
    const tooLarge = { rule: "sdp-too-large", level: "error" };
    expect(checkSdp({ offer: huge }, AT)).toMatchObject({
      findings: [{ ...tooLarge, description: "offer" }],
      flows: [],
    });
    const { findings, flows } = checkSdp({ offer: noVersion, answer: huge }, AT);
    expect(flows).toEqual([]);
    expect(findings[0]).toMatchObject({ rule: "version-invalid", description: "offer" });
    expect(findings.at(-1)).toMatchObject({ ...tooLarge, description: "answer" });
    const other = checkSdp({ offer: huge, answer }, AT);
    expect(other.findings[0]).toMatchObject({ ...tooLarge, description: "offer" });
    expect(other.flows).toEqual([]);
  });

  it("[D2] with the strict profile says at least as much, and says some things louder", () => {
    const weigh = ({ findings }: SdpCheck) =>
      findings.reduce((sum, { level }) => sum + (level === "error" ? 1000 : 1), 0);
    const texts = { offer: replace(/\r\n/g, "\n")(offer), answer: replace(/\r\n/g, "\n")(answer) };
    const plain = checkSdp(texts, AT);
    const strict = checkSdp({ ...texts, strict: true }, AT);
    expect(weigh(strict)).toBeGreaterThanOrEqual(weigh(plain));
    expect(strict.flows).toEqual(plain.flows);
  });

  it("[D4] of as many lines as may be is done soon, whatever they say", () => {
    const lines = (line: (n: number) => string, count: number): string =>
      `${offer}${Array.from({ length: count }, (_, n) => `${line(n)}\r\n`).join("")}`;
    const shapes = [
      (n: number) => `a=ssrc:${n} cname:x`,
      (n: number) => `a=extmap:${n % 256} urn:x:${n}`,
      (n: number) => `a=rtpmap:${n % 128} x/${n}`,
      (n: number) => `a=rtcp-fb:${n % 128} nack x${n}`,
      (n: number) => `a=candidate:${n} 1 udp 1 192.0.2.1 9 typ host`,
      (n: number) => `a=rid:r${n} send`,
      (n: number) => `a=ssrc-group:FID ${n} ${n + 1}`,
    ];
    for (const shape of shapes) {
      const text = lines(shape, 15_000);
      const before = performance.now();
      checkSdp({ offer: text, answer: text }, AT);
      expect(performance.now() - before, shape(1)).toBeLessThan(3_000);
    }
  });
});

describe("POST /v1/sdp/check", () => {
  /** An address of its own for each test: the counts of others do not matter. */
  const from = (address: string) => ({ "cf-connecting-ip": address });

  it("[M3] needs neither key nor token, and answers as the check itself does", async () => {
    const checked = await check({ offer, answer, strict: true }, from("192.0.2.1"));
    const { findings, flows } = checkSdp({ offer, answer, strict: true }, AT);
    expect(checked.findings).toEqual(findings);
    const timed = checked.flows.map((flow) => ({
      ...flow,
      since: AT,
      timing: { ...flow.timing, createdAt: AT },
    }));
    expect(timed).toEqual(flows);
    expect(FlowsView.shape.flows.parse(checked.flows)).toEqual(checked.flows);
    expect(Math.abs((checked.flows[0]?.since ?? 0) - Date.now())).toBeLessThan(10_000);
  });

  it("[D2] finds what is wrong, with its line", async () => {
    const { findings, flows } = await check({ offer: noVersion });
    expect(findings[0]).toEqual({
      rule: "version-invalid",
      level: "error",
      description: "offer",
      line: 1,
      message: expect.any(String),
      source: "RFC 8866 s5.1",
    });
    expect(flows).toHaveLength(6);
    // Where no address is told, all callers are one.
    expect(rulesOf(await check({ offer: "" }, {}))).not.toEqual([]);
  });

  it.each([
    [{}, "offer"],
    [{ offer: 1 }, "offer"],
    [{ offer: "v=0", answer: null }, "answer"],
    [{ offer: "v=0", strict: "yes" }, "strict"],
    [{ offer: "v=0", sdp: "v=0" }, ""],
    [[], ""],
  ])("[S8] %j is refused and the field is named", async (body, field) => {
    const response = await callJson(PATH, "POST", body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: "invalid-request",
      errors: [{ field }],
    });
  });

  it("[S8] a body that is not JSON, or none, is a problem", async () => {
    const headers = { ...KEY, "content-type": "application/json" };
    for (const body of ["{nope", ""]) {
      const response = await call(PATH, { method: "POST", headers, body });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: "invalid-request" });
    }
    expect((await call(PATH, { method: "POST", headers: KEY, body: offer })).status).toBe(400);
  });

  it("[D4] two descriptions of the largest size fit into a body, what is over it is a finding", async () => {
    const largest = (text: string) => `${text}${"\n".repeat(5)}`.padEnd(LIMITS.sdpBytes, "\n");
    const { findings } = await check({ offer: largest("v=0"), answer: largest("v=0") });
    expect(findings.map(({ rule }) => rule)).toEqual(["sdp-too-large", "sdp-too-large"]);
    expect(findings[0]?.message).toContain("lines");
    const filled = `${offer}a=x:`.padEnd(LIMITS.sdpBytes, '"');
    expect(rulesOf(await check({ offer: filled, answer: filled }))).not.toContain("sdp-too-large");
    expect(rulesOf(await check({ offer: huge }))).toEqual(["sdp-too-large"]);
  });

  it("[S7] a larger body is refused before it is read, whether or not its length is told", async () => {
    const body = JSON.stringify({ offer: "x".repeat(2_200_000) });
    const stream = new Blob([body]).stream();
    for (const sent of [body, stream]) {
      const headers = { ...KEY, "content-type": "application/json" };
      const response = await call(PATH, { method: "POST", headers, body: sent });
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({
        code: "message-too-large",
        detail: expect.stringContaining(String(LIMITS.sdpBytes)),
      });
    }
  });

  it("[S7] who asks too often without a key waits; a key and other addresses do not", async () => {
    const asks = (headers: object) => callJson(PATH, "POST", { offer: "v=0" }, headers);
    const mine = from("2001:db8:1:2::1");
    let refused: Response | undefined;
    let answered = 0;
    for (; answered <= 200 && !refused; answered++) {
      const response = await asks(mine);
      if (response.status !== 200) refused = response;
    }
    expect(answered).toBeGreaterThan(60);
    expect(refused?.status).toBe(429);
    expect(refused?.headers.get("retry-after")).toBe("60");
    expect(refused?.headers.get("content-type")).toBe("application/problem+json");
    expect(await refused?.json()).toMatchObject({ code: "rate-limited", status: 429 });
    // An address of the same network is the same client; a token of a peer changes nothing.
    expect((await asks(from("2001:db8:1:2:ffff::9"))).status).toBe(429);
    const session = await LiveSession.start("awake");
    const { token } = await session.invite();
    expect((await asks({ ...mine, authorization: `Bearer ${token}` })).status).toBe(429);
    expect((await asks({ ...mine, ...KEY })).status).toBe(200);
    expect((await asks(from("2001:db8:1:3::1"))).status).toBe(200);
    const [configured] = Object.values(CONFIGURATION);
    expect(configured).toMatch(/name = "SDP_CHECKS"[^[]*limit = 60, period = 60/);
  });

  it("[A1] a key or token that is wrong is refused as elsewhere; a good token is nobody in particular", async () => {
    const shapes = new Set<string>();
    for (const authorization of ["Bearer wrong", "Bearer a.b.c", "Basic dGVzdC1rZXk6"]) {
      const refused = await callJson(PATH, "POST", { offer }, { authorization });
      expect(refused.status).toBe(401);
      expect(refused.headers.get("www-authenticate")).toBe('Bearer realm="duplex"');
      shapes.add(await refused.text());
    }
    const elsewhere = await callJson("/v1/sessions", "POST", {}, { authorization: "Bearer wrong" });
    shapes.add(await elsewhere.text());
    expect(shapes.size).toBe(1);
    const session = await LiveSession.start("awake");
    const { token } = await session.invite();
    await check({ offer }, { ...from("192.0.2.3"), authorization: `Bearer ${token}` });
  });

  it("[A1] only this one is open: its neighbours want a key", async () => {
    for (const [method, path] of [
      ["GET", PATH],
      ["POST", `${PATH}/`],
      ["POST", `${PATH}/x`],
      ["POST", "/v1/sdp"],
      ["POST", "/v1/sessions"],
    ] as const) {
      expect((await call(path, { method })).status, `${method} ${path}`).toBe(401);
    }
  });

  it("[M3] pages of other origins may ask, and learn when to ask again", async () => {
    const origin = { origin: "https://app.example.com" };
    const preflight = await call(PATH, {
      method: "OPTIONS",
      headers: { ...origin, "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    const response = await callJson(PATH, "POST", { offer }, { ...KEY, ...origin });
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-expose-headers")).toContain("retry-after");
  });

  it("[M1] is in /openapi.json, and its answers fit what that says", async () => {
    const api = (await (await call("/openapi.json")).json()) as {
      paths: Record<string, Record<string, Described>>;
    };
    interface Described {
      security: object[];
      responses: Record<string, { content: Record<string, object> }>;
    }
    const described = api.paths[PATH]!.post!;
    expect(described.security).toEqual([{}, { bearer: [] }]);
    expect(Object.keys(described.responses)).toEqual(
      expect.arrayContaining(["200", "400", "401", "413", "429"]),
    );
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    ajv.addSchema(api, "api");
    const fits = async (response: Response) => {
      const [type = ""] = (response.headers.get("content-type") ?? "").split(";");
      const pointer = ["paths", PATH, "post", "responses", String(response.status), "content", type]
        .map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1"))
        .join("/");
      const validate = ajv.compile({ $ref: `api#/${pointer}/schema` });
      const body = await response.json();
      expect(validate(body) || validate.errors).toBe(true);
    };
    for (const body of [{ offer }, { offer, answer }, { offer: twins, strict: true }, {}]) {
      await fits(await callJson(PATH, "POST", body));
    }
    await fits(await callJson(PATH, "POST", { offer }, { authorization: "Bearer wrong" }));
    await fits(await callJson(PATH, "POST", { offer: "x".repeat(2_200_000) }));
  });
});

describe("what an answer never holds", () => {
  const secretsOf = (sdp: string): string[] => [
    ...[...sdp.matchAll(/^a=ice-pwd:(\S+)/gm)].map(([, password = ""]) => password),
    ...[...sdp.matchAll(/^a=fingerprint:\S+ (\S+)/gm)].map(([, value = ""]) => value),
    ...[...sdp.matchAll(/inline:(\S+)/g)].map(([, key = ""]) => key),
    // An address such as 0.0.0.0 tells nothing.
    ...[...sdp.matchAll(/^a=candidate:\S+ \d+ \S+ \d+ (\S+)/gm)]
      .map(([, address = ""]) => address)
      .filter((address) => !/^(0\.0\.0\.0|::)$/.test(address)),
  ];
  const records: [string, CorpusRecord][] = [...CORPUS];

  it("[D2] passwords, fingerprints, keys and candidates of real descriptions, in either profile", () => {
    let secrets = 0;
    for (const [name, record] of records) {
      for (const strict of [false, true]) {
        const texts = { offer: record.offer, answer: record.answer ?? undefined, strict };
        const said = JSON.stringify(checkSdp(texts, AT));
        for (const secret of secretsOf(`${record.offer}${record.answer ?? ""}`)) {
          expect(said.includes(secret), `${name}: ${secret}`).toBe(false);
          secrets += 1;
        }
      }
    }
    expect(secrets).toBeGreaterThan(1_000);
  });

  it("[D2] not even when the lines that hold them are the broken ones", () => {
    const SECRETS = ["topsecretpassword", "DE:AD:BE:EF:DE:AD:BE:EF", "203.0.113.77", "KEYKEYKEY"];
    const breaks: ((sdp: string) => string)[] = [
      replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${SECRETS[0]}!!`),
      replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd: ${SECRETS[0]}`),
      replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd ${SECRETS[0]}`),
      replace(/^a=ice-pwd:.*$/gm, ` a=ice-pwd:${SECRETS[0]}`),
      replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${SECRETS[0]?.slice(0, 2)}\r\n${SECRETS[0]}`),
      replace(/^a=fingerprint:.*$/gm, `a=fingerprint:sha-256 ${SECRETS[1]}`),
      replace(/^a=fingerprint:.*$/gm, `a=fingerprint:${SECRETS[1]}`),
      replace(/^a=fingerprint:.*$/gm, `a=fingerprint:md5 ${SECRETS[1]}`),
      replace(
        /^a=ice-ufrag/gm,
        `a=candidate:1 1 udp 1 ${SECRETS[2]} 99999 typ host\r\na=ice-ufrag`,
      ),
      replace(/^a=ice-ufrag/gm, `a=candidate:1 x udp 1 ${SECRETS[2]}\r\na=ice-ufrag`),
      replace(
        /^a=ice-ufrag/gm,
        `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${SECRETS[3]}\r\na=ice-ufrag`,
      ),
      replace(/^a=ice-ufrag/gm, `k=base64:${SECRETS[3]}\r\na=ice-ufrag`),
    ];
    for (const mutate of breaks) {
      for (const strict of [false, true]) {
        const said = JSON.stringify(
          checkSdp({ offer: mutate(offer), answer: mutate(answer), strict }, AT),
        );
        for (const secret of SECRETS) expect(said).not.toContain(secret);
      }
    }
  });

  it("[A4] checks, good, broken and refused, leave no SDP, key or address in the log", async () => {
    const said: unknown[] = [];
    for (const level of ["log", "info", "warn", "error", "debug"] as const) {
      vi.spyOn(console, level).mockImplementation((...words) => void said.push(...words));
    }
    await check({ offer, answer }, { "cf-connecting-ip": "203.0.113.9" });
    await check({ offer: twins });
    await callJson(PATH, "POST", { offer: 1, answer });
    await callJson(PATH, "POST", { offer }, { authorization: "Bearer not-a-key" });
    const text = JSON.stringify(said);
    for (const secret of ["a=", "candidate", "203.0.113.9", "test-key", "not-a-key"]) {
      expect(text).not.toContain(secret);
    }
  });
});

describe("the network of a client", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    ["2001:DB8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["2001:db8:1::", "2001:db8:1:0"],
    ["::1", "0:0:0:0"],
    ["1:2:3:4:5:6:7::", "1:2:3:4"],
    ["unknown", "unknown"],
  ])("[S7] of %s is %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe("what people paste", () => {
  it.each([
    [offer, { sdp: offer }],
    [JSON.stringify({ type: "offer", sdp: "v=0" }), { sdp: "v=0", role: "offer" }],
    [` \n${JSON.stringify({ type: "pranswer", sdp: "v=0" })}`, { sdp: "v=0", role: "answer" }],
    [JSON.stringify({ type: "offer", sdp: { sdp: "v=0" } }), { sdp: "v=0", role: "offer" }],
    [JSON.stringify({ sdp: { type: "answer", sdp: "v=0" } }), { sdp: "v=0", role: "answer" }],
    [JSON.stringify({ type: "rollback", sdp: "" }), { sdp: "" }],
    [JSON.stringify("v=0\r\n"), { sdp: "v=0\r\n" }],
    ["{not json", { sdp: "{not json" }],
    ['{"a": 1}', { sdp: '{"a": 1}' }],
    ['{"sdp": null}', { sdp: '{"sdp": null}' }],
  ])("[M3] %j is understood", (text, pasted) => {
    expect(pastedDescription(text)).toEqual(pasted);
  });
});

describe("findings for people", () => {
  it("[D2] say the same of several lines once, and other things apart", () => {
    const finding = { rule: "r", level: "info", message: "m", source: "s" } as const;
    const findings: SdpFinding[] = [
      { ...finding, description: "offer", line: 1 },
      { ...finding, description: "offer", line: 2 },
      { ...finding, description: "answer", line: 2 },
      { ...finding, description: "offer", line: 3, message: "n" },
    ];
    expect(findingGroups(findings).map((group) => group.map(({ line }) => line))).toEqual([
      [1, 2],
      [2],
      [3],
    ]);
  });
});
