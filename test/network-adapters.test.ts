import { describe, expect, it } from "vitest";
import type { NetworkPort } from "../adapters/network/network-port.ts";
import { networkPortOf } from "../adapters/network/network-port-of.ts";
import type { KnownToken } from "../adapters/network/network-tokens.ts";
import type { NetworkAccess } from "../protocol/assistance/access.ts";

/** What adapters of mobile networks send, call by call, and what they make of each answer. */

interface Sent {
  readonly method: string | undefined;
  readonly url: string;
  readonly headers: Headers;
  readonly body: unknown;
}

type Reply = () => Response | Promise<Response>;

const NOTIFY = {
  url: "https://duplex.example/n/1",
  token: "t1",
  tokenExpiresAt: 1_800_000_000_000,
};
const QOD = { api: "camara-qod", url: "https://op.example/quality-on-demand/v1/" } as const;
const NEF = { api: "nef", url: "https://op.example/nef/v1", scsAsId: "a s" } as const;
const AF = { api: "rtc-af", url: "https://op.example/af/v1", provisioningSession: "p1" } as const;
const AUTH = {
  tokenUrl: "https://op.example/token",
  clientId: "me",
  clientSecret: "s/cret",
  scope: "all",
};

const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Reply =>
  () =>
    new Response(JSON.stringify(body), { status, headers });
const bare =
  (status: number, headers: Record<string, string> = {}): Reply =>
  () =>
    new Response(null, { status, headers });

function network(access: NetworkAccess, ...replies: Reply[]) {
  const sent: Sent[] = [];
  const clock = { now: 1_000_000 };
  const tokens = new Map<string, KnownToken>();
  const port = networkPortOf(access, {
    fetch: async (url, init) => {
      const { body } = init;
      const text = typeof body === "string" ? body : undefined;
      const headers = new Headers(init.headers);
      const isJson = headers.get("content-type") === "application/json";
      sent.push({
        method: init.method,
        url,
        headers,
        body: isJson && text !== undefined ? JSON.parse(text) : text,
      });
      expect(init.redirect).toBe("manual");
      const reply = replies.shift();
      if (!reply) throw new TypeError("connection refused");
      return reply();
    },
    now: () => clock.now,
    timeoutMs: 50,
    tokens,
  });
  return { port, sent, clock, tokens };
}

const pathsOf = (sent: readonly Sent[]): string[] =>
  sent.map(({ method, url }) => `${method} ${url}`);

describe("quality on demand", () => {
  const session = { sessionId: "s1", qosStatus: "AVAILABLE", qosProfile: "L", duration: 60 };

  it("[M13] creates with where to tell, and a credential that is told nowhere else", async () => {
    const expiresAt = "2027-01-01T00:00:00Z";
    const { port, sent } = network(QOD, json({ ...session, expiresAt }, 201));
    const made = await port.create({ qosProfile: "L" }, NOTIFY);
    const until = Date.parse(expiresAt);
    expect(made).toEqual({
      type: "done",
      id: "s1",
      status: { state: "granted", profile: "L", until },
    });
    expect(pathsOf(sent)).toEqual(["POST https://op.example/quality-on-demand/v1/sessions"]);
    expect(sent[0]?.body).toEqual({
      qosProfile: "L",
      sink: NOTIFY.url,
      sinkCredential: {
        credentialType: "ACCESSTOKEN",
        accessToken: "t1",
        accessTokenExpiresUtc: "2027-01-15T08:00:00.000Z",
        accessTokenType: "bearer",
      },
    });
    expect(sent[0]?.headers.has("authorization")).toBe(false);
  });

  it("[M13] may go without a place to tell, and reads every state", async () => {
    const { port, sent } = network(
      QOD,
      json({ sessionId: "s1", qosStatus: "REQUESTED" }, 201),
      json({ ...session, qosStatus: "UNAVAILABLE", statusInfo: "DURATION_EXPIRED" }),
      json({ ...session, qosStatus: "UNAVAILABLE" }),
      json(session),
      bare(204),
    );
    expect(await port.create({}, undefined)).toMatchObject({ status: { state: "requested" } });
    expect(sent[0]?.body).toEqual({});
    const expired = { state: "ended", reason: "DURATION_EXPIRED" };
    expect(await port.read("s1")).toEqual({ type: "done", status: expired });
    expect(await port.read("s1")).toMatchObject({ status: { reason: "UNAVAILABLE" } });
    const extended = await port.extend?.("s1", 0.2);
    expect(extended).toEqual({ type: "done", status: { state: "granted", profile: "L" } });
    expect(sent[3]?.body).toEqual({ requestedAdditionalDuration: 1 });
    expect(await port.remove("s1")).toEqual({ type: "done" });
    expect(pathsOf(sent).at(-1)).toBe("DELETE https://op.example/quality-on-demand/v1/sessions/s1");
  });

  it("[M13] finds by sink what is its own, of the device or of the token's", async () => {
    const own = { ...session, sink: NOTIFY.url };
    const { port, sent } = network(
      QOD,
      json([own, session, { ...own, sessionId: "../x" }]),
      json([]),
      json({ code: "IDENTIFIER_NOT_FOUND" }, 404),
    );
    const device = { phoneNumber: "+123456" };
    expect(await port.find?.({ device }, NOTIFY)).toEqual({ type: "done", ids: ["s1"] });
    expect(await port.find?.({}, NOTIFY)).toEqual({ type: "done", ids: [] });
    expect(sent.map(({ body }) => body)).toEqual([{ device }, {}]);
    expect(await port.find?.({}, NOTIFY)).toEqual({ type: "gone" });
  });

  it("[M13] without a sink finds what is for the same packets, and not for others of the device", async () => {
    const packets = { applicationServer: { ipv4Address: "1.2.3.4" }, devicePorts: { ports: [5] } };
    const { port } = network(
      QOD,
      json([
        { ...session, ...packets },
        { ...session, ...packets, devicePorts: { ports: [6] }, sessionId: "s2" },
        { ...session, ...packets, sink: NOTIFY.url, sessionId: "s3" },
      ]),
    );
    const found = await port.find?.({ ...packets, duration: 60 }, undefined);
    expect(found).toEqual({ type: "done", ids: ["s1"] });
  });

  it("[M13] reads members that are null as if they were not there", async () => {
    const none = { qosProfile: null, expiresAt: null, statusInfo: null };
    const open = { sessionId: "s1", duration: 60, ...none, qosStatus: "REQUESTED", sink: null };
    const { port } = network(QOD, json(open, 201), json([{ ...open, sink: NOTIFY.url }]));
    const status = { state: "requested" };
    expect(await port.create({}, NOTIFY)).toEqual({ type: "done", id: "s1", status });
    expect(await port.find?.({}, NOTIFY)).toEqual({ type: "done", ids: ["s1"] });
  });

  it("[M13] finds its own beside sessions of others that cannot be read", async () => {
    const own = { ...session, sink: NOTIFY.url };
    const odd = { ...session, sessionId: "s2", qosStatus: "SCHEDULED", expiresAt: 1_800_000_000 };
    const { port } = network(
      QOD,
      json([{ id: "s0", sink: "https://other.example" }, odd, own]),
      json([{ ...odd, sink: NOTIFY.url }]),
      json([{ ...own, sessionId: undefined }]),
      json([own, { unexpected: true }]),
      json([own, "x"]),
    );
    expect(await port.find?.({}, NOTIFY)).toEqual({ type: "done", ids: ["s1"] });
    expect(await port.find?.({}, NOTIFY)).toEqual({ type: "done", ids: ["s2"] });
    const unreadable = { type: "unknown", reason: "unreadable-answer" };
    for (let times = 0; times < 3; times += 1) {
      expect(await port.find?.({}, NOTIFY)).toEqual(unreadable);
    }
  });

  it("[M13] knows by its name what it made, whatever else is said of it", async () => {
    const { port } = network(QOD, json({ ...session, qosStatus: "SCHEDULED" }, 201), json({}, 201));
    expect(await port.create({}, NOTIFY)).toEqual({ type: "done", id: "s1" });
    expect(await port.create({}, NOTIFY)).toMatchObject({ type: "unknown" });
  });

  it("[M13] takes no texts longer than published: each flow of the call would have them", async () => {
    const qosProfile = "L".repeat(20_000);
    const over = { qosStatus: "UNAVAILABLE", statusInfo: "so ".repeat(9_000) };
    const { port } = network(
      QOD,
      json({ ...session, qosProfile }),
      json({ ...session, qosProfile, ...over }),
      json({ ...session, qosProfile: "L".repeat(256) }),
    );
    expect(await port.read("s1")).toEqual({ type: "done", status: { state: "granted" } });
    const ended = { state: "ended", reason: "UNAVAILABLE" };
    expect(await port.read("s1")).toEqual({ type: "done", status: ended });
    expect(await port.read("s1")).toMatchObject({ status: { profile: "L".repeat(256) } });
  });

  it("[M13] does not take names that lead elsewhere", async () => {
    const { port, sent } = network(QOD, json({ ...session, sessionId: "../../admin" }, 201));
    const made = await port.create({}, NOTIFY);
    expect(made).toEqual({ type: "unknown", reason: "unreadable-answer" });
    const calls = [port.read("a/b"), port.remove(".."), port.extend?.("", 5)];
    for (const answer of await Promise.all(calls)) {
      expect(answer).toEqual({ type: "refused", reason: "not-an-id" });
    }
    expect(sent).toHaveLength(1);
  });
});

describe("NEF", () => {
  const folder = "https://op.example/nef/v1/a%20s/subscriptions";

  it("[M13] creates, replaces, reads and removes by the name in the link", async () => {
    const location = "http://inside.example/other/subscriptions/x1";
    const { port, sent } = network(NEF, bare(201, { location }), bare(204), json({}), bare(204));
    expect(await port.create({ qosReference: "a" }, NOTIFY)).toEqual({ type: "done", id: "x1" });
    expect(await port.change?.("x1", { qosReference: "b" }, NOTIFY)).toEqual({ type: "done" });
    expect(await port.read("x1")).toEqual({ type: "done" });
    expect(await port.remove("x1")).toEqual({ type: "done" });
    expect(pathsOf(sent)).toEqual([
      `POST ${folder}`,
      `PUT ${folder}/x1`,
      `GET ${folder}/x1`,
      `DELETE ${folder}/x1`,
    ]);
    const notificationDestination = NOTIFY.url;
    expect(sent[1]?.body).toEqual({ qosReference: "b", notificationDestination });
  });

  it("[M13] takes the name of what it made from what it is told of it where there is no link, or one with a slash at its end", async () => {
    const self = "https://inside.example/nef/v1/a/subscriptions/x2";
    const { port } = network(
      NEF,
      bare(201, { location: `${folder}/x1/` }),
      json({ self, notificationDestination: NOTIFY.url }, 201),
      json({ self: "https://inside.example/" }, 201),
    );
    expect(await port.create({}, NOTIFY)).toEqual({ type: "done", id: "x1" });
    expect(await port.create({}, NOTIFY)).toEqual({ type: "done", id: "x2" });
    expect(await port.create({}, NOTIFY)).toEqual({ type: "unknown", reason: "no-location" });
  });

  it("[M13] finds by address of the UE and by where it notifies", async () => {
    const self = "/nef/v1/a%20s/subscriptions/x1";
    const own = { self, notificationDestination: NOTIFY.url };
    const { port, sent } = network(
      NEF,
      json([own, { self: "/y", notificationDestination: "https://other.example" }]),
      json([]),
      json([]),
      json([{ notificationDestination: NOTIFY.url }]),
      bare(500),
    );
    const ue = { ueIpv4Addr: "10.0.0.1", ipDomain: "d" };
    expect(await port.find?.(ue, NOTIFY)).toEqual({ type: "done", ids: ["x1"] });
    const { searchParams } = new URL(sent[0]?.url ?? "");
    expect(searchParams.get("ip-addrs")).toBe('[{"ipv4Addr":"10.0.0.1"}]');
    expect(searchParams.get("ip-domain")).toBe("d");
    expect(await port.find?.({ ueIpv6Addr: "2001:db8::1" }, NOTIFY)).toMatchObject({ ids: [] });
    expect(sent[1]?.url).toContain("ipv6Addr");
    expect(await port.find?.({}, NOTIFY)).toMatchObject({ ids: [] });
    expect(sent[2]?.url).toBe(folder);
    expect(await port.find?.({}, NOTIFY)).toMatchObject({ type: "unknown" });
    expect(await port.find?.({}, NOTIFY)).toEqual({ type: "unknown", reason: "http-500" });
  });

  it("[M13] finds nothing where there is no list, as there is nothing in it", async () => {
    const { port } = network(NEF, bare(404));
    expect(await port.find?.({ ueIpv4Addr: "10.0.0.1" }, NOTIFY)).toEqual({
      type: "done",
      ids: [],
      isListGone: true,
    });
  });

  it("[M13] needs somewhere to notify, and a name", async () => {
    const { port, sent } = network(NEF, bare(201), bare(403), bare(404), bare(403));
    const nowhere = { type: "refused", reason: "no-notify-address" };
    expect(await port.create({}, undefined)).toEqual(nowhere);
    expect(await port.change?.("x1", {}, undefined)).toEqual(nowhere);
    expect(await port.find?.({}, undefined)).toEqual(nowhere);
    expect(await port.change?.("..", {}, NOTIFY)).toMatchObject({ reason: "not-an-id" });
    expect(await port.read("..")).toMatchObject({ reason: "not-an-id" });
    expect(await port.remove("..")).toMatchObject({ reason: "not-an-id" });
    expect(sent).toEqual([]);
    expect(await port.create({}, NOTIFY)).toEqual({ type: "unknown", reason: "no-location" });
    expect(await port.change?.("x1", {}, NOTIFY)).toEqual({ type: "refused", reason: "http-403" });
    expect(await port.remove("x1")).toEqual({ type: "gone" });
    expect(await port.create({}, NOTIFY)).toEqual({ type: "refused", reason: "http-403" });
  });
});

describe("RTC AF", () => {
  const folder = "https://op.example/af/v1/provisioning-sessions/p1";
  const policy = { applicationFlowBindings: [] };
  const assistance = { applicationFlowDescription: {} };
  const rates = (maximumRequestedBitRate: string) => ({ maximumRequestedBitRate });

  it("[M13] keeps policies and assistance sessions apart by their bodies", async () => {
    const { port, sent } = network(
      AF,
      json({ qosEnforcement: true }, 201, { location: `${folder}/dynamic-policies/d1` }),
      bare(201, { location: `${folder}/network-assistance-sessions/n1` }),
      json({ qosEnforcement: false }),
      json({ uplinkBitRates: rates("1.5 Mbps"), downlinkBitRates: rates("300 Kbps") }),
      bare(204),
      bare(204),
    );
    const made = await port.create(policy, undefined);
    expect(made).toEqual({ type: "done", id: "dynamic-policies/d1", status: { state: "granted" } });
    const id = "network-assistance-sessions/n1";
    expect(await port.create(assistance, undefined)).toMatchObject({ id });
    const waiting = { type: "done", status: { state: "requested" } };
    expect(await port.read("dynamic-policies/d1")).toEqual(waiting);
    const advised = { uplinkBps: 1_500_000, downlinkBps: 300_000 };
    expect(await port.read(id)).toEqual({ type: "done", status: { state: "granted", advised } });
    expect(await port.change?.("dynamic-policies/d1", policy, undefined)).toEqual({ type: "done" });
    expect(await port.remove(id)).toEqual({ type: "done" });
    expect(pathsOf(sent)).toEqual([
      `POST ${folder}/dynamic-policies`,
      `POST ${folder}/network-assistance-sessions/`,
      `GET ${folder}/dynamic-policies/d1`,
      `GET ${folder}/${id}/recommendation`,
      `PUT ${folder}/dynamic-policies/d1`,
      `DELETE ${folder}/${id}`,
    ]);
    expect(sent[4]?.headers.get("if-match")).toBe("*");
  });

  it("[M13] takes the name of what it made from its representation where there is no link: nobody could find it otherwise", async () => {
    const { port } = network(
      AF,
      json({ dynamicPolicyId: "d1", qosEnforcement: false }, 201),
      json({ naSessionId: "n1" }, 201),
      bare(201, { location: `${folder}/network-assistance-sessions/n2/` }),
      json({ dynamicPolicyId: "../d1" }, 201),
      json({ naSessionId: "n1" }, 201),
    );
    const made = await port.create(policy, undefined);
    const status = { state: "requested" };
    expect(made).toEqual({ type: "done", id: "dynamic-policies/d1", status });
    const other = (id: string) => ({ type: "done", id: `network-assistance-sessions/${id}` });
    expect(await port.create(assistance, undefined)).toMatchObject(other("n1"));
    expect(await port.create(assistance, undefined)).toMatchObject(other("n2"));
    for (const body of [policy, policy]) {
      expect(await port.create(body, undefined)).toMatchObject({ reason: "no-location" });
    }
  });

  it("[M13] has no list, and boosts assistance sessions only", async () => {
    const id = "network-assistance-sessions/n1";
    const { port } = network(
      AF,
      json({ success: true }),
      json({ success: false, reason: "a sentence" }),
      bare(404),
    );
    expect(port.find).toBeUndefined();
    expect(await port.boost?.(id)).toEqual({ type: "done" });
    expect(await port.boost?.(id)).toEqual({ type: "refused", reason: "no-boost" });
    expect(await port.boost?.(id)).toEqual({ type: "gone" });
    const other = await port.boost?.("dynamic-policies/d1");
    expect(other).toEqual({ type: "refused", reason: "not-an-id" });
  });

  it("[M13] says what went wrong", async () => {
    const id = "network-assistance-sessions/n1";
    const { port, sent } = network(
      AF,
      bare(201),
      bare(403),
      bare(412),
      bare(404),
      bare(410),
      json({ uplinkBitRates: rates("fast"), downlinkBitRates: rates("1 bps") }),
      bare(404),
    );
    expect(await port.create(policy, undefined)).toMatchObject({ reason: "no-location" });
    expect(await port.create(policy, undefined)).toMatchObject({ type: "refused" });
    expect(await port.change?.(id, assistance, undefined)).toEqual({ type: "gone" });
    expect(await port.read("dynamic-policies/d1")).toEqual({ type: "gone" });
    expect(await port.remove(id)).toEqual({ type: "gone" });
    expect(await port.read(id)).toEqual({ type: "unknown", reason: "unreadable-answer" });
    expect(await port.read(id)).toEqual({ type: "gone" });
    const calls = [port.read("x"), port.change?.("x/y", {}, undefined), port.remove(`${id}/more`)];
    for (const answer of await Promise.all(calls)) {
      expect(answer).toEqual({ type: "refused", reason: "not-an-id" });
    }
    expect(sent).toHaveLength(7);
  });
});

describe("answers", () => {
  const read = (...replies: Reply[]) => network(NEF, ...replies).port.read("x1");

  it("[M13] mean what may be done next", async () => {
    expect(await read()).toEqual({ type: "unknown", reason: "no-answer" });
    const refused = { type: "refused", reason: "OUT_OF_RANGE" };
    expect(await read(json({ code: "OUT_OF_RANGE" }, 400))).toEqual(refused);
    const conflict = { type: "conflict", reason: "CONFLICT" };
    expect(await read(json({ cause: "CONFLICT" }, 409))).toEqual(conflict);
    expect(await read(bare(408))).toEqual({ type: "unknown", reason: "http-408" });
    expect(await read(bare(503))).toEqual({ type: "unknown", reason: "http-503" });
    // Whoever does not know how has not done it.
    expect(await read(bare(501))).toEqual({ type: "refused", reason: "http-501" });
    expect(await read(bare(302, { location: "https://elsewhere.example" }))).toEqual({
      type: "refused",
      reason: "http-302",
    });
    expect(await read(json({ code: "says 10.0.0.1 is odd" }, 422))).toEqual({
      type: "refused",
      reason: "http-422",
    });
  });

  it("[M13] may name the time to come again, in seconds or as a date", async () => {
    const at = new Date(1_090_000).toUTCString();
    const later = (afterMs: number, reason = "http-429") => ({ type: "later", reason, afterMs });
    expect(await read(bare(429, { "retry-after": "7" }))).toEqual(later(7000));
    expect(await read(bare(503, { "retry-after": at }))).toEqual(later(90_000, "http-503"));
    const past = new Date(0).toUTCString();
    expect(await read(bare(429, { "retry-after": past }))).toEqual(later(0));
    const odd = await read(bare(429, { "retry-after": "soon" }));
    expect(odd).toEqual({ type: "later", reason: "http-429" });
  });

  it("[M13] may refuse for a time only", async () => {
    const temporarily = { cause: "REQUESTED_SERVICE_TEMPORARILY_NOT_AUTHORIZED" };
    const reason = temporarily.cause;
    const { port } = network(NEF, json(temporarily, 403, { "retry-after": "120" }));
    const refused = { type: "refused", reason, afterMs: 120_000 };
    expect(await port.create({}, NOTIFY)).toEqual(refused);
  });

  it("[M13] that are pages of something before the network say nothing of what was asked of it", async () => {
    const page: Reply = () =>
      new Response("<html>down for maintenance</html>", {
        headers: { "content-type": "Text/HTML; charset=utf-8" },
      });
    const unknown = { type: "unknown", reason: "unreadable-answer" };
    const nef = network(NEF, page, page, page, page).port;
    expect(await nef.remove("x1")).toEqual(unknown);
    expect(await nef.change?.("x1", {}, NOTIFY)).toEqual(unknown);
    expect(await nef.create({}, NOTIFY)).toEqual(unknown);
    expect(await nef.find?.({}, NOTIFY)).toEqual(unknown);
    expect(await network(QOD, page).port.remove("s1")).toEqual(unknown);
    const af = network(AF, page, page).port;
    expect(await af.remove("dynamic-policies/d1")).toEqual(unknown);
    expect(await af.change?.("dynamic-policies/d1", {}, undefined)).toEqual(unknown);
  });

  it("[M13] are neither awaited nor read for ever", async () => {
    const silent: Reply = () => new Promise(() => {});
    const { port } = network(QOD, () => new Response("x".repeat(70_000)), bare(200), json([1]));
    const unreadable = { type: "unknown", reason: "unreadable-answer" };
    expect(await port.read("s1")).toEqual(unreadable);
    expect(await port.read("s1")).toEqual(unreadable);
    expect(await port.read("s1")).toEqual(unreadable);
    const hanging = networkPortOf(QOD, {
      fetch: (_url, { signal }) =>
        Promise.race([
          silent(),
          new Promise<never>((_resolve, reject) =>
            signal?.addEventListener("abort", () => reject(new Error("aborted"))),
          ),
        ]),
      now: () => 0,
      timeoutMs: 5,
    });
    expect(await hanging.read("s1")).toEqual({ type: "unknown", reason: "no-answer" });
  });
});

describe("tokens", () => {
  const access = { ...NEF, auth: AUTH };
  const token = (name: string, seconds?: number) =>
    json({ access_token: name, ...(seconds === undefined ? {} : { expires_in: seconds }) });
  const bearers = (sent: readonly Sent[]) =>
    sent.map(({ headers }) => headers.get("authorization")?.split(" ").at(-1));
  const readAll = async (port: NetworkPort, times: number) => {
    for (let count = 0; count < times; count += 1) await port.read("x1");
  };

  it("[M13] are fetched by client credentials, and kept until they are about to end", async () => {
    const { port, sent, clock } = network(
      access,
      token("one", 100),
      json({}),
      json({}),
      token("two"),
      json({}),
    );
    await readAll(port, 2);
    clock.now += 95_000;
    await readAll(port, 1);
    const basic = btoa("me:s%2Fcret");
    expect(bearers(sent)).toEqual([basic, "one", "one", basic, "two"]);
    expect(sent[0]?.body).toBe("grant_type=client_credentials&scope=all");
    expect(sent[0]?.url).toBe(AUTH.tokenUrl);
  });

  it("[M13] that are refused are renewed once", async () => {
    const { port, sent, tokens } = network(
      { ...NEF, auth: { ...AUTH, scope: undefined } },
      token("one"),
      bare(401),
      token("two"),
      json({}),
      bare(401),
      token("three"),
      bare(401),
      bare(401),
      bare(400),
    );
    expect(await port.read("x1")).toEqual({ type: "done" });
    expect(await port.read("x1")).toEqual({ type: "later", reason: "http-401" });
    expect(bearers(sent).slice(1)).toEqual([
      "one",
      btoa("me:s%2Fcret"),
      "two",
      "two",
      btoa("me:s%2Fcret"),
      "three",
    ]);
    // The one that was refused as soon as it was there is tried once more, then there is none.
    expect(await port.read("x1")).toEqual({ type: "later", reason: "no-token" });
    expect(tokens.size).toBe(0);
    expect(sent[0]?.body).toBe("grant_type=client_credentials");
  });

  it.each(["100", "soon", 0, -1, null])(
    "[M13] are good for a while, whatever is said of it: %s",
    async (said) => {
      const { port, sent } = network(
        access,
        json({ access_token: "one", expires_in: said }),
        json({}),
        json({}),
      );
      await readAll(port, 2);
      expect(bearers(sent).slice(1)).toEqual(["one", "one"]);
    },
  );

  it("[M13] are asked for no sooner than their endpoint wants, whoever needs one", async () => {
    const { port, sent, clock } = network(
      access,
      bare(429, { "retry-after": "60" }),
      bare(503, { "retry-after": "7200" }),
      token("one"),
      json({}),
    );
    const later = (afterMs: number) => ({ type: "later", reason: "no-token", afterMs });
    expect(await port.read("x1")).toEqual(later(60_000));
    clock.now += 59_000;
    expect(await port.remove("x2")).toEqual(later(1_000));
    expect(sent).toHaveLength(1);
    clock.now += 1_000;
    expect(await port.read("x1")).toEqual(later(3_600_000));
    clock.now += 3_600_000;
    expect(await port.read("x1")).toEqual({ type: "done" });
  });

  it.each([
    // RFC 6749 s5.2; what else an endpoint says may quote what was sent.
    [
      json({ error: "invalid_client", error_description: "s/cret is wrong" }, 401),
      "no-token: invalid_client",
    ],
    [json({ error: "invalid_scope" }, 400), "no-token: invalid_scope"],
    [json({ error: "me:s/cret is no client" }, 401), "no-token"],
    [json({ error: { code: 7 } }, 400), "no-token"],
    [json({ error: "unauthorized_client" }), "no-token: unauthorized_client"],
  ])("[M13] that are refused say why, as a code: %#", async (answer, reason) => {
    const { port, clock } = network(access, answer, bare(500), token("one"), json({}));
    expect(await port.read("x1")).toEqual({ type: "later", reason });
    clock.now += 1000;
    expect(await port.read("x1")).toEqual({ type: "later", reason: "no-token" });
    expect(await port.read("x1")).toEqual({ type: "done" });
  });

  it("[M13] that are not to be had leave the network alone", async () => {
    const { port, sent } = network(access, bare(401), json({ token: "x" }));
    const none = { type: "later", reason: "no-token" };
    expect(await port.remove("x1")).toEqual(none);
    expect(await port.remove("x1")).toEqual(none);
    expect(await port.remove("x1")).toEqual(none);
    expect(sent.map(({ url }) => url)).toEqual([AUTH.tokenUrl, AUTH.tokenUrl, AUTH.tokenUrl]);
  });
});
