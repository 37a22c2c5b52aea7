import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  type NetworkMock,
  type NetworkMockOptions,
  startNetworkMock,
} from "../../network-mock/mock.ts";
import { Operations } from "../../network-mock/operations.ts";
import { REPAIRS, repair } from "../../network-mock/repairs.ts";
import { publishedSchemas, type Schemas, schemasFolder } from "../../network-mock/schemas.ts";
import { readConfig } from "../../protocol/config.ts";
import {
  AF,
  assistanceRequest,
  callerAt,
  MERGE_PATCH,
  NEF,
  type NetworkCall,
  nefRequest,
  PROFILES,
  policyRequest,
  QOD,
  qodRequest,
  sinkOf,
  tokenOf,
} from "./network-caller.ts";
import { type NetworkSink, openNetworkSink } from "./network-sink.ts";
import { guard } from "./watchdog.ts";

/** The network that others are developed and tested against: its states, its callbacks, its faults, its published files. */

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = schemasFolder();
// The descriptions are their publishers' and not in this repository: without them there is no network to stand in for.
const isPublished = existsSync(FOLDER);

let mock: NetworkMock;
let call: NetworkCall;
let sink: NetworkSink;

// Compiled once: every network of this file is held against the same descriptions.
const schemas: Schemas = publishedSchemas();

async function start(options: NetworkMockOptions = {}): Promise<void> {
  await mock?.close();
  mock = await startNetworkMock({ schemas, grant: { mode: "now" }, ...options });
  call = await callerAt(mock);
}

const eventsOf = () => sink.notified.map(({ body }) => body.data ?? body.eventReports);
const idsIn = (api: "camara-qod" | "nef" | "rtc-af") => mock.resources(api).map(({ id }) => id);
const pathOf = (location: string | null) => new URL(location ?? "").pathname;

describe.skipIf(!isPublished)("network mock", () => {
  beforeEach(async () => {
    sink = await openNetworkSink();
    await start();
  });
  afterEach(async () => {
    const { defects } = mock;
    await mock.close();
    await sink.close();
    expect(defects).toEqual([]);
  });

  describe("quality on demand", () => {
    it("[M13] goes from REQUESTED to AVAILABLE, tells it with the sink's token, and is deleted with an event", async () => {
      mock.grant({ api: "camara-qod", mode: "never" });
      const request = qodRequest(5000, sinkOf(`${sink.url}/told`));
      const made = await call("POST", `${QOD}/sessions`, request);
      expect([made.status, made.body.qosStatus]).toEqual([201, "REQUESTED"]);
      expect(made.body).toMatchObject({ device: request.device, sink: `${sink.url}/told` });
      expect(made.body.sinkCredential).toBeUndefined();
      const path = `${QOD}/sessions/${made.body.sessionId}`;
      const early = await call("POST", `${path}/extend`, { requestedAdditionalDuration: 60 });
      expect([early.status, early.body.code]).toEqual([
        409,
        "QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED",
      ]);
      expect(mock.recover({ id: made.body.sessionId })).toBe(1);
      const { body } = await call("GET", path);
      expect(body.qosStatus).toBe("AVAILABLE");
      expect(Date.parse(body.expiresAt) - Date.parse(body.startedAt)).toBe(60_000);
      expect((await call("DELETE", path)).status).toBe(204);
      expect((await call("GET", path)).status).toBe(404);
      await mock.settled();
      expect(
        sink.notified.map(({ path: at, authorization, type }) => [at, authorization, type]),
      ).toEqual(Array(2).fill(["/told", "Bearer sink-token", "application/cloudevents+json"]));
      expect(eventsOf()).toEqual([
        { sessionId: made.body.sessionId, qosStatus: "AVAILABLE" },
        {
          sessionId: made.body.sessionId,
          qosStatus: "UNAVAILABLE",
          statusInfo: "DELETE_REQUESTED",
        },
      ]);
    });

    it("[M13] is extended, no further than the profile allows", async () => {
      const { body } = await call("POST", `${QOD}/sessions`, qodRequest(5000));
      const path = `${QOD}/sessions/${body.sessionId}/extend`;
      const once = await call("POST", path, { requestedAdditionalDuration: 40 });
      expect(once.body.duration).toBe(100);
      expect(Date.parse(once.body.expiresAt) - Date.parse(once.body.startedAt)).toBe(100_000);
      const twice = await call("POST", path, { requestedAdditionalDuration: 9000 });
      expect(twice.body.duration).toBe(3600);
    });

    it("[M13] ends by itself, is in the way until it is deleted, and goes after a while", async () => {
      await start({ keepEndedMs: 1500 });
      const request = qodRequest(5000, { ...sinkOf(sink.url), duration: 1 });
      const { body } = await call("POST", `${QOD}/sessions`, request);
      const path = `${QOD}/sessions/${body.sessionId}`;
      await expect
        .poll(async () => (await call("GET", path)).body.statusInfo, { timeout: 10_000 })
        .toBe("DURATION_EXPIRED");
      expect((await call("POST", `${QOD}/sessions`, request)).body.code).toBe("CONFLICT");
      const late = await call("POST", `${path}/extend`, { requestedAdditionalDuration: 60 });
      expect(late.status).toBe(409);
      await expect
        .poll(async () => (await call("GET", path)).status, { timeout: 10_000 })
        .toBe(404);
      expect((await call("POST", `${QOD}/sessions`, request)).status).toBe(201);
      await mock.settled();
      expect(eventsOf().map(({ statusInfo }) => statusInfo)).toEqual([
        undefined,
        "DURATION_EXPIRED",
        undefined,
      ]);
    });

    it("[M13] is ended by the network, or never given: deleting it then is no event", async () => {
      const made = await call("POST", `${QOD}/sessions`, qodRequest(5000, sinkOf(sink.url)));
      expect(mock.impair({ api: "camara-qod" })).toBe(1);
      mock.grant({ mode: "fails", delayMs: 10 });
      const failing = await call("POST", `${QOD}/sessions`, qodRequest(5001, sinkOf(sink.url)));
      expect(failing.body.qosStatus).toBe("REQUESTED");
      await expect.poll(() => eventsOf().length).toBe(3);
      for (const { body } of [made, failing]) {
        const { body: read } = await call("GET", `${QOD}/sessions/${body.sessionId}`);
        expect(read.statusInfo).toBe("NETWORK_TERMINATED");
        expect((await call("DELETE", `${QOD}/sessions/${body.sessionId}`)).status).toBe(204);
      }
      await mock.settled();
      expect(eventsOf().filter(({ statusInfo }) => statusInfo === "DELETE_REQUESTED")).toEqual([]);
      expect(mock.resources()).toEqual([]);
    });

    it("[M13] refuses a second session for the same packets, and only for those", async () => {
      const create = async (more: object, port = 5000) =>
        (await call("POST", `${QOD}/sessions`, qodRequest(port, more))).status;
      expect(await create({})).toBe(201);
      expect(await create({})).toBe(409);
      expect(await create({ applicationServer: { ipv4Address: "198.51.100.0/24" } })).toBe(409);
      expect(await create({ applicationServerPorts: undefined })).toBe(409);
      expect(await create({ applicationServerPorts: { ranges: [{ from: 3000, to: 4000 }] } })).toBe(
        409,
      );
      expect(await create({ applicationServer: { ipv6Address: "2001:db8::7" } })).toBe(201);
      expect(await create({ applicationServer: { ipv6Address: "2001:db8::/32" } })).toBe(409);
      expect(await create({ applicationServerPorts: { ports: [443] } })).toBe(201);
      expect(await create({ applicationServer: { ipv4Address: "198.51.101.0/24" } })).toBe(201);
      expect(await create({}, 5001)).toBe(201);
      const { device } = qodRequest(5000);
      const found = await call("POST", `${QOD}/retrieve-sessions`, { device });
      expect(found.body).toHaveLength(4);
      expect(await create({ device: { ipv6Address: "2001:db8::1" } })).toBe(201);
      expect(await create({ device: { ipv6Address: "2001:DB8:0:0::1" } })).toBe(409);
    });

    it("[M13] says by code what a request lacks", async () => {
      const create = async (more: object, token?: string) => {
        const options = token === undefined ? {} : { token };
        const { status, body } = await call(
          "POST",
          `${QOD}/sessions`,
          qodRequest(5000, more),
          options,
        );
        return [status, body.code];
      };
      expect(await create({ device: undefined })).toEqual([422, "MISSING_IDENTIFIER"]);
      expect(await create({ device: { networkAccessIdentifier: "a@example.com" } })).toEqual([
        422,
        "UNSUPPORTED_IDENTIFIER",
      ]);
      expect(await create({ qosProfile: "QOS_OLD" })).toEqual([
        422,
        "QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE",
      ]);
      expect(await create({ duration: 3601 })).toEqual([
        400,
        "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE",
      ]);
      expect(await create({ duration: 0 })).toEqual([400, "INVALID_ARGUMENT"]);
      expect(await create({ qosProfile: "QOS_NONE" })).toEqual([400, "INVALID_ARGUMENT"]);
      for (const ipv4Address of [
        "server.example",
        "any",
        "198.51.100.7/33",
        "198.51.100.7/",
        "::1",
      ]) {
        const answer = await create({ applicationServer: { ipv4Address } });
        expect(answer).toEqual([400, "INVALID_ARGUMENT"]);
      }
      for (const ipv6Address of ["2001:db8::7/129", "2001:db8::7/x", "198.51.100.7"]) {
        const answer = await create({ applicationServer: { ipv6Address } });
        expect(answer).toEqual([400, "INVALID_ARGUMENT"]);
      }
      const plain = { credentialType: "PLAIN", identifier: "a", secret: "b" };
      expect(await create({ sink: "https://a.example/", sinkCredential: plain })).toEqual([
        400,
        "INVALID_CREDENTIAL",
      ]);
      const device = { phoneNumber: "+491234567890" };
      const threeLegged = mock.tokens.issue({ client: "duplex", device });
      expect(await create({}, threeLegged)).toEqual([422, "UNNECESSARY_IDENTIFIER"]);
      expect(await create({ device: undefined }, threeLegged)).toEqual([201, undefined]);
      mock.grant({ mode: "refused" });
      expect(await create({})).toEqual([422, "SERVICE_NOT_APPLICABLE"]);
      expect(mock.resources()).toHaveLength(1);
    });

    it("[M13] lists profiles from which one can be chosen", async () => {
      const { body } = await call("POST", `${PROFILES}/retrieve-qos-profiles`, {
        status: "ACTIVE",
      });
      expect(body.map(({ name }: { name: string }) => name)).toEqual([
        "QOS_S",
        "QOS_M",
        "QOS_L",
        "QOS_E",
      ]);
      expect((await call("GET", `${PROFILES}/qos-profiles/QOS_S`)).body.maxUpstreamRate).toEqual({
        value: 128,
        unit: "kbps",
      });
      expect((await call("GET", `${PROFILES}/qos-profiles/QOS_NONE`)).status).toBe(404);
    });
  });

  describe("NEF", () => {
    it("[M13] tells what was subscribed to, with the alternative that holds, and nothing else", async () => {
      const { body } = await call("POST", NEF, nefRequest(`${sink.url}/all`));
      const events = ["QOS_NOT_GUARANTEED"];
      await call(
        "POST",
        NEF,
        nefRequest(`${sink.url}/some`, { events, altQoSReferences: undefined }),
      );
      mock.impair({ api: "nef" });
      mock.recover({ api: "nef" });
      mock.terminate({ api: "nef" });
      await mock.settled();
      const told = (path: string) => sink.notified.filter((one) => one.path === path);
      expect(told("/all").map(({ body: { transaction } }) => transaction)).toEqual(
        Array(4).fill(body.self),
      );
      expect(told("/all").map((one) => one.body.eventReports)).toEqual([
        [{ event: "SUCCESSFUL_RESOURCES_ALLOCATION", flowIds: [1] }],
        [{ event: "QOS_NOT_GUARANTEED", flowIds: [1], appliedQosRef: "conv-video-half" }],
        [{ event: "QOS_GUARANTEED", flowIds: [1] }],
        [{ event: "SESSION_TERMINATION", flowIds: [1] }],
      ]);
      expect(told("/some").map((one) => one.body.eventReports)).toEqual([
        [{ event: "QOS_NOT_GUARANTEED", flowIds: [1], altQosNotSuppInd: true }],
      ]);
      // Its session in the network is over.
      expect((await call("GET", pathOf(body.self))).status).toBe(404);
    });

    it("[M13] is replaced and patched within what is published, and listed", async () => {
      const made = await call("POST", NEF, nefRequest(sink.url));
      const path = pathOf(made.headers.get("location"));
      const patch = async (body: object) => {
        const { status, body: answer } = await call("PATCH", path, body, { type: MERGE_PATCH });
        return [status, answer.qosReference ?? answer.invalidParams?.[0].param ?? answer.title];
      };
      expect(await patch({ qosReference: "conv-audio" })).toEqual([200, "conv-audio"]);
      expect(await patch({ altQoSReferences: null })).toEqual([
        400,
        "/altQoSReferences must be array",
      ]);
      expect(await patch({ flowInfo: null })).toEqual([400, "/flowInfo must be array"]);
      expect(await patch({ ueIpv4Addr: "10.45.0.3" })).toEqual([400, "ueIpv4Addr"]);
      expect(await patch({ dnn: "internet" })).toEqual([400, "dnn"]);
      const json = await call("PATCH", path, { qosReference: "conv-audio" });
      expect(json.status).toBe(415);
      const { altQoSReferences: _, ...without } = nefRequest(sink.url);
      const replaced = await call("PUT", path, without);
      expect([replaced.status, replaced.body.altQoSReferences]).toEqual([200, undefined]);
      const moved = {
        ...without,
        ueIpv4Addr: "10.45.0.3",
        flowInfo: undefined,
        exterAppId: "call",
      };
      expect((await call("PUT", path, moved)).body.cause).toBe("MODIFICATION_NOT_ALLOWED");
      expect(
        (await call("GET", NEF)).body.map(({ self }: { self: string }) => pathOf(self)),
      ).toEqual([path]);
      const query = `?ip-addrs=${encodeURIComponent(JSON.stringify([{ ipv4Addr: "10.45.0.9" }]))}`;
      expect((await call("GET", NEF + query)).body).toEqual([]);
      expect((await call("GET", `${NEF}?ip-domain=other`)).body).toEqual([]);
      expect((await call("GET", NEF.replace("/duplex/", "/other/"))).body).toEqual([]);
      expect((await call("DELETE", path)).status).toBe(204);
      expect(mock.resources()).toEqual([]);
    });

    it("[M13] refuses filters that do not fit the UE, and says what it would have accepted", async () => {
      const create = async (more: object) => {
        const { status, body } = await call("POST", NEF, nefRequest(sink.url, more));
        return [status, body.invalidParams?.[0].param ?? body.cause];
      };
      const flow = (...flowDescriptions: string[]) => ({
        flowInfo: [{ flowId: 1, flowDescriptions }],
      });
      const uplink = "permit in 17 from 10.45.0.2 to any";
      expect(await create(flow("permit in udp from 10.45.0.2 to any"))).toEqual([
        400,
        "flowDescriptions",
      ]);
      expect(await create(flow("permit out 17 from 10.45.0.2 to any 1"))).toEqual([201, undefined]);
      expect(await create(flow("permit in 17 from 10.45.0.9 to any"))).toEqual([
        400,
        "flowDescriptions",
      ]);
      expect(await create(flow(uplink, uplink))).toEqual([400, "flowDescriptions"]);
      expect(await create({ ueIpv6Addr: "2001:db8::1" })).toEqual([400, "ueIpv4Addr"]);
      expect(await create({ qosReference: undefined, altQoSReferences: undefined })).toEqual([
        400,
        "qosReference",
      ]);
      mock.grant({ mode: "refused" });
      const refused = await call("POST", NEF, nefRequest(sink.url));
      expect([refused.status, refused.body.acceptableServInfo]).toEqual([
        403,
        { marBwUl: "500 Kbps", marBwDl: "500 Kbps" },
      ]);
      await start({ qosReferences: ["conv-video"], grant: { mode: "now" } });
      expect(await create({})).toEqual([403, "REQUESTED_SERVICE_NOT_AUTHORIZED"]);
      expect(await create({ altQoSReferences: ["conv-video"] })).toEqual([201, undefined]);
    });

    it("[M13] reads the ends of a filter as addresses, however they are written, and takes none that cannot be", async () => {
      const filtered = async (rule: string, ue: object = { ueIpv4Addr: "10.45.0.2" }) => {
        const flowInfo = [{ flowId: 1, flowDescriptions: [rule] }];
        const more = { ueIpv4Addr: undefined, ...ue, flowInfo };
        return (await call("POST", NEF, nefRequest(sink.url, more))).status;
      };
      const ipv6 = { ueIpv6Addr: "2001:db8::1" };
      for (const [rule, ue] of [
        ["permit in 17 from 10.45.0.2/32 5000 to 198.51.100.7 4000"],
        ["permit out 17 from any to 10.45.0.0/24"],
        ["permit in 17 from 2001:DB8:0:0::1 5000 to any", ipv6],
        ["permit out ip from 2001:db8:9::/48 to 2001:db8::1/128", ipv6],
        ["permit in 6 from 10.45.0.2 5000,5002-5010 to 198.51.100.0/24"],
      ] as const) {
        expect(await filtered(rule, ue), rule).toBe(201);
      }
      for (const [rule, ue] of [
        ["permit in 17 from 10.45.1.0/24 5000 to 198.51.100.7 4000"],
        ["permit in 17 from 10.45.0.2 5000 to 198.51.100.7/33"],
        ["permit in 17 from 10.45.0.2 65536 to any"],
        ["permit in 17 from 10.45.0.2 5000, to any"],
        ["permit in 17 from 10.45.0.2 5010-5000 to any"],
        ["permit in 256 from 10.45.0.2 to any"],
        ["permit in 17 from 10.45.0.2 5000 to 2001:db8::1"],
        ["permit in 17 from 2001:db8::2 5000 to any", ipv6],
      ] as const) {
        expect(await filtered(rule, ue), rule).toBe(400);
      }
    });

    it("[M13] says that resources could not be had, and tests the way when asked to", async () => {
      mock.grant({ mode: "fails", delayMs: 10 });
      const { body } = await call(
        "POST",
        NEF,
        nefRequest(sink.url, { requestTestNotification: true }),
      );
      await expect.poll(() => sink.notified.length).toBe(2);
      expect(sink.notified.map((one) => one.body)).toEqual([
        { subscription: body.self },
        {
          transaction: body.self,
          eventReports: [{ event: "FAILED_RESOURCES_ALLOCATION", flowIds: [1] }],
        },
      ]);
    });
  });

  describe("RTC AF", () => {
    const POLICIES = `${AF}/dynamic-policies`;
    const ASSISTANCES = `${AF}/network-assistance-sessions/`;

    it("[M13] keeps policies by version: a change of an older one is refused", async () => {
      mock.grant({ mode: "later", delayMs: 20 });
      const made = await call("POST", POLICIES, policyRequest());
      const path = pathOf(made.headers.get("location"));
      expect([made.status, made.body.qosEnforcement]).toEqual([201, false]);
      expect(path).toBe(`${POLICIES}/${made.body.dynamicPolicyId}`);
      await expect.poll(async () => (await call("GET", path)).body.qosEnforcement).toBe(true);
      const match = { "if-match": made.headers.get("etag") ?? "" };
      const type = MERGE_PATCH;
      const stale = await call(
        "PATCH",
        path,
        { dataNetworkName: "internet" },
        { type, headers: match },
      );
      expect(stale.status).toBe(412);
      const read = await call("GET", path);
      const etag = read.headers.get("etag") ?? "";
      const patched = await call(
        "PATCH",
        path,
        { dataNetworkName: "internet" },
        { type, headers: { "if-match": etag } },
      );
      expect([patched.status, patched.body.dataNetworkName]).toEqual([200, "internet"]);
      expect(patched.body.applicationFlowBindings).toEqual(read.body.applicationFlowBindings);
      const cached = { "if-none-match": patched.headers.get("etag") ?? "" };
      expect((await call("GET", path, undefined, { headers: cached })).status).toBe(304);
      const emptied = await call("PATCH", path, { applicationFlowBindings: null }, { type });
      expect(emptied.status).toBe(400);
      expect((await call("PUT", path, policyRequest())).body.dataNetworkName).toBeUndefined();
      expect((await call("GET", path.replace("/call/", "/other/"))).status).toBe(404);
      expect((await call("DELETE", path)).status).toBe(204);
      expect((await call("GET", path)).status).toBe(404);
    });

    it("[M13] reads conditions and media types as HTTP has them", async () => {
      const made = await call("POST", `${AF}/dynamic-policies`, policyRequest());
      const path = pathOf(made.headers.get("location"));
      const etag = made.headers.get("etag") ?? "";
      for (const wanted of [etag, `"other", ${etag}`, `W/${etag}`, "*"]) {
        const headers = { "if-none-match": wanted };
        expect((await call("GET", path, undefined, { headers })).status, wanted).toBe(304);
      }
      const patch = (wanted: string, type: string = MERGE_PATCH) =>
        call("PATCH", path, { sessionId: "next" }, { type, headers: { "if-match": wanted } });
      // A strong comparison: a weak tag is never the same (RFC 9110 s13.1.1).
      expect((await patch(`W/${etag}`)).status).toBe(412);
      const patched = await patch(`"other", ${etag}`, "Application/Merge-Patch+JSON");
      expect([patched.status, patched.body.sessionId]).toEqual([200, "next"]);
    });

    it("[M13] recommends what was asked, what the network carries, and what was asked again", async () => {
      const made = await call("POST", ASSISTANCES, assistanceRequest());
      const path = pathOf(made.headers.get("location"));
      const recommended = async () => {
        const { body } = await call("GET", `${path}/recommendation`);
        return [body.uplinkBitRates, body.downlinkBitRates].map(
          (one) => one.maximumRequestedBitRate,
        );
      };
      const asked = ["2000 Kbps", "2500 Kbps"];
      expect(await recommended()).toEqual(asked);
      expect(mock.impair({ api: "rtc-af", uplinkBps: 400_000 })).toBe(1);
      expect(await recommended()).toEqual(["400 Kbps", "2500 Kbps"]);
      expect((await call("GET", path)).body.recommendedQoS.uplinkBitRates).toEqual({
        maximumRequestedBitRate: "400 Kbps",
        minimumDesiredBitRate: "400 Kbps",
        minimumRequestedBitRate: "300 Kbps",
      });
      expect((await call("POST", `${path}/boost`)).body).toEqual({ success: true });
      expect(await recommended()).toEqual(asked);
      expect((await call("POST", `${path}/boost`)).body.success).toBe(false);
      mock.recover({ api: "rtc-af" });
      expect(await recommended()).toEqual(asked);
      expect((await call("DELETE", path)).status).toBe(204);
    });

    it("[M13] what is impaired before it was granted stays so until it recovers", async () => {
      await start({ grant: { mode: "later", delayMs: 500 } });
      const made = await call("POST", `${AF}/dynamic-policies`, policyRequest());
      const path = pathOf(made.headers.get("location"));
      expect(mock.impair({ api: "rtc-af" })).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect((await call("GET", path)).body.qosEnforcement).toBe(false);
      mock.recover({ api: "rtc-af" });
      expect((await call("GET", path)).body.qosEnforcement).toBe(true);
    });

    it("[M13] does not take flow descriptions that contradict themselves", async () => {
      const create = async (flow: object) => {
        const binding = { componentReference: "0", applicationFlowDescription: flow };
        const request = policyRequest({ applicationFlowBindings: [binding] });
        return (await call("POST", POLICIES, request)).status;
      };
      const packetFilter = { direction: "UPLINK", sourcePort: 1 };
      expect(await create({ filterMethod: "5_TUPLE", packetFilter })).toBe(201);
      expect(await create({ filterMethod: "2_TUPLE", packetFilter })).toBe(400);
      expect(await create({ filterMethod: "DOMAIN_NAME", packetFilter })).toBe(400);
      expect(await create({ filterMethod: "DOMAIN_NAME", domainName: "turn.example" })).toBe(201);
      expect(await create({ filterMethod: "5_TUPLE", packetFilter: { direction: "up" } })).toBe(
        400,
      );
      expect(await create({ packetFilter })).toBe(400);
    });

    it("[M13] takes reports, and says where it is", async () => {
      const report = {
        reportingClientId: "peer",
        sessionId: "call-1",
        mediaPlayerEntry: "wss://sig.example/3gpp-swap/v1",
        consumptionReportingUnits: [
          { mediaConsumed: "0", startTime: "2026-01-01T00:00:00Z", duration: 5 },
        ],
      };
      expect((await call("POST", `${AF}/consumption-reporting`, report)).status).toBe(204);
      const { sessionId: _, ...without } = report;
      expect((await call("POST", `${AF}/consumption-reporting`, without)).status).toBe(400);
      const type = "application/3gprtc-qoe-report+xml";
      const xml = await call("POST", `${AF}/metrics-reporting/qm1`, "<a/>", { type });
      expect(xml.status).toBe(204);
      expect(mock.log.at(-1)?.body).toBe("<a/>");
      const access = "/3gpp-maf-session-handling/v1/service-access-information/call";
      expect((await call("GET", access)).body.provisioningSessionType).toBe("RTC");
      await start({ provisioningSessions: ["other"], policyTemplates: ["conv-audio"] });
      expect((await call("POST", POLICIES, policyRequest())).status).toBe(404);
      const other = POLICIES.replace("/call/", "/other/");
      expect((await call("POST", other, policyRequest())).status).toBe(400);
      const fitting = policyRequest({ policyTemplateId: "conv-audio" });
      expect((await call("POST", other, fitting)).status).toBe(201);
    });
  });

  describe("tokens", () => {
    it("[M13] wants one, that is valid, of a known client and for the operation", async () => {
      const ask = (token: string) => call("POST", `${QOD}/sessions`, qodRequest(5000), { token });
      expect((await ask("wrong")).body.code).toBe("UNAUTHENTICATED");
      const narrow = await tokenOf(mock, "quality-on-demand:sessions:read");
      expect((await ask(narrow)).body.code).toBe("PERMISSION_DENIED");
      const short = mock.tokens.issue({ client: "duplex" }, undefined, 0);
      expect((await ask(short)).status).toBe(401);
      const good = await tokenOf(mock, "quality-on-demand:sessions:create");
      expect((await ask(good)).status).toBe(201);
      mock.tokens.expireAll();
      expect((await ask(good)).status).toBe(401);
      const bad = new URLSearchParams({ grant_type: "client_credentials", client_id: "duplex" });
      const refused = await fetch(`${mock.url}/oauth2/token`, { method: "POST", body: bad });
      expect([refused.status, await refused.json()]).toEqual([401, { error: "invalid_client" }]);
      const basic = Buffer.from("duplex:network-mock").toString("base64");
      const granted = await fetch(`${mock.url}/oauth2/token`, {
        method: "POST",
        headers: { authorization: `Basic ${basic}` },
        body: new URLSearchParams({ grant_type: "client_credentials" }),
      });
      expect(await granted.json()).toMatchObject({ token_type: "Bearer", expires_in: 300 });
      expect(JSON.stringify(mock.log)).not.toContain("network-mock");
    });

    it("[M13] says with each 401 how to be known, and what a request for a token lacks", async () => {
      const none = await call("GET", `${QOD}/sessions/x`, undefined, { token: "wrong" });
      expect(none.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
      const problem = await call("GET", NEF, undefined, { headers: { authorization: "" } });
      expect([problem.status, problem.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
      const narrow = await tokenOf(mock, "quality-on-demand:sessions:read");
      const refused = await call("POST", `${QOD}/sessions`, qodRequest(5000), { token: narrow });
      expect(refused.headers.get("www-authenticate")).toBe(
        'Bearer error="insufficient_scope", scope="quality-on-demand:sessions:create"',
      );
      const ask = (form: Record<string, string>, headers: Record<string, string> = {}) =>
        fetch(`${mock.url}/oauth2/token`, {
          method: "POST",
          headers,
          body: new URLSearchParams(form),
        });
      const unknown = await ask(
        { grant_type: "client_credentials" },
        { authorization: `Basic ${Buffer.from("duplex:wrong").toString("base64")}` },
      );
      expect([unknown.status, unknown.headers.get("www-authenticate")]).toEqual([
        401,
        'Basic realm="network"',
      ]);
      const client = { client_id: "duplex", client_secret: "network-mock" };
      expect(await (await ask(client)).json()).toEqual({ error: "invalid_request" });
      const other = await ask({ ...client, grant_type: "password" });
      expect(await other.json()).toEqual({ error: "unsupported_grant_type" });
    });

    it("[M13] keeps what belongs to one client from another", async () => {
      const { body } = await call("POST", `${QOD}/sessions`, qodRequest(5000));
      const token = mock.tokens.issue({ client: "somebody-else" });
      const path = `${QOD}/sessions/${body.sessionId}`;
      expect((await call("GET", path, undefined, { token })).status).toBe(403);
      const { device } = qodRequest(5000);
      expect((await call("POST", `${QOD}/retrieve-sessions`, { device }, { token })).body).toEqual(
        [],
      );
    });

    it("[M13] keeps what belongs to one device from the token of another", async () => {
      const tokenOfDevice = (phoneNumber: string) =>
        mock.tokens.issue({ client: "duplex", device: { phoneNumber } });
      const [own, other] = [tokenOfDevice("+491234567890"), tokenOfDevice("+491234567891")];
      const request = qodRequest(5000, { device: undefined });
      const { body } = await call("POST", `${QOD}/sessions`, request, { token: own });
      const path = `${QOD}/sessions/${body.sessionId}`;
      const more = { requestedAdditionalDuration: 60 };
      for (const refused of [
        await call("GET", path, undefined, { token: other }),
        await call("POST", `${path}/extend`, more, { token: other }),
        await call("DELETE", path, undefined, { token: other }),
      ]) {
        expect([refused.status, refused.body.code]).toEqual([403, "PERMISSION_DENIED"]);
      }
      expect((await call("GET", path, undefined, { token: own })).status).toBe(200);
      expect((await call("DELETE", path)).status).toBe(204);
    });
  });

  describe("faults", () => {
    const create = () => call("POST", `${QOD}/sessions`, qodRequest(5000));

    it("[M13] a refusal has no effect, comes as often as it was asked for, and in the API's own words", async () => {
      mock.faults.add({ kind: "status", status: 429, retryAfter: 2, method: "POST", times: 1 });
      const limited = await create();
      expect([limited.status, limited.body.code, limited.headers.get("retry-after")]).toEqual([
        429,
        "TOO_MANY_REQUESTS",
        "2",
      ]);
      expect(mock.resources()).toEqual([]);
      mock.faults.add({ kind: "status", api: "nef" });
      const broken = await call("POST", NEF, nefRequest(sink.url));
      expect([broken.status, broken.headers.get("content-type"), broken.body.cause]).toEqual([
        500,
        "application/problem+json",
        "INTERNAL",
      ]);
      expect((await create()).status).toBe(201);
      mock.faults.clear();
      expect((await call("POST", NEF, nefRequest(sink.url))).status).toBe(201);
    });

    it("[M13] a refusal of a CAMARA interface has a code that is published for the operation", async () => {
      const { body } = await create();
      const codes: unknown[] = [];
      const faulty = async (status: number, path: string, given: object) => {
        mock.faults.add({ kind: "status", status, times: 1 });
        const answer = await call("POST", QOD + path, given);
        codes.push([answer.status, answer.body.code]);
      };
      await faulty(422, "/sessions", qodRequest(5001));
      await faulty(409, "/sessions", qodRequest(5001));
      const more = { requestedAdditionalDuration: 60 };
      await faulty(409, `/sessions/${body.sessionId}/extend`, more);
      expect(codes).toEqual([
        [422, "SERVICE_NOT_APPLICABLE"],
        [409, "CONFLICT"],
        [409, "QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED"],
      ]);
    });

    it("[M13] the log has the answer that was sent, also where it was spoilt", async () => {
      mock.faults.add({ kind: "wrong-shape", times: 1 });
      const { body } = await create();
      expect(mock.log.at(-1)).toMatchObject({ note: "wrong-shape" });
      const sent = mock.log.find(({ note }) => note === "wrong-shape");
      expect([sent?.status, sent?.answer]).toEqual([201, body]);
      mock.faults.add({ kind: "wrong-json", times: 1 });
      await expect(call("POST", NEF, nefRequest(sink.url))).rejects.toThrow(SyntaxError);
      const broken = mock.log.find(({ note }) => note === "wrong-json");
      expect(broken?.answer).toBe('{"sessionId": "8f0c');
    });

    it("[M13] a resource that is gone on purpose is gone indeed", async () => {
      const { body } = await create();
      mock.faults.add({ kind: "status", status: 410, operation: "getSession", times: 1 });
      const path = `${QOD}/sessions/${body.sessionId}`;
      expect((await call("GET", path)).status).toBe(410);
      expect((await call("GET", path)).status).toBe(404);
      expect(idsIn("camara-qod")).toEqual([]);
    });

    it("[M13] a network that is down does nothing, one whose answer is lost has done it", async () => {
      mock.faults.add({ kind: "down", times: 1 });
      await expect(create()).rejects.toThrow("fetch failed");
      expect(mock.resources()).toEqual([]);
      mock.faults.add({ kind: "answer-lost", times: 1 });
      await expect(create()).rejects.toThrow("fetch failed");
      expect(mock.resources()).toHaveLength(1);
      const { device } = qodRequest(5000);
      const found = await call("POST", `${QOD}/retrieve-sessions`, { device });
      expect(found.body.map(({ sessionId }: { sessionId: string }) => sessionId)).toEqual(
        idsIn("camara-qod"),
      );
      const notes = mock.log.map(({ note, status }) => [note, status]);
      expect(notes.filter(([note]) => note !== undefined)).toEqual([
        ["down", undefined],
        ["answer-lost", undefined],
      ]);
    });

    it("[M13] an answer that cannot be read, or means nothing, comes after its effect", async () => {
      mock.faults.add({ kind: "wrong-json", times: 1 });
      await expect(create()).rejects.toThrow(SyntaxError);
      const [id] = idsIn("camara-qod");
      mock.faults.add({ kind: "wrong-shape", times: 1 });
      const deleted = await call("DELETE", `${QOD}/sessions/${id}`);
      expect([deleted.status, deleted.body]).toEqual([200, [{ unexpected: true }]]);
      expect(mock.resources()).toEqual([]);
    });

    it("[M13] a slow network has done it before it answers", async () => {
      mock.faults.add({ kind: "slow", ms: 60_000, times: 1 });
      const asked = create().catch(() => "given up");
      await expect.poll(() => mock.resources().length).toBe(1);
      expect(mock.log.at(-1)?.status).toBeUndefined();
      const { device } = qodRequest(5000);
      await call("POST", `${QOD}/retrieve-sessions`, { device });
      // It ends with the network.
      await start();
      expect(await asked).toBe("given up");
    });

    it("[M13] no token is to be had, and nothing is done without", async () => {
      mock.faults.add({ kind: "status", status: 503, api: "oauth2" });
      const response = await fetch(`${mock.url}/oauth2/token`, { method: "POST" });
      expect(response.status).toBe(503);
      expect((await create()).status).toBe(201);
    });

    it("[M13] sinks are told again when they stumble, and no more when they are gone", async () => {
      sink.answer(503, 204, 204, 410);
      const { body } = await call("POST", `${QOD}/sessions`, qodRequest(5000, sinkOf(sink.url)));
      await mock.settled();
      const tried = sink.notified.map((one) => one.body.id);
      expect([tried.length, new Set(tried).size]).toEqual([2, 1]);
      await call("DELETE", `${QOD}/sessions/${body.sessionId}`);
      await mock.settled();
      expect(sink.notified).toHaveLength(3);
      await call("POST", NEF, nefRequest(sink.url));
      mock.impair({ api: "nef" });
      await mock.settled();
      expect(sink.notified).toHaveLength(4);
      const out = mock.log.filter(({ way }) => way === "out");
      expect(out.map(({ status }) => status)).toEqual([503, 204, 204, 410]);
    });

    it("[M13] sinks of what was there before a reset are told no more", async () => {
      sink.answer(503, 503, 503);
      await call("POST", `${QOD}/sessions`, qodRequest(5000, sinkOf(sink.url)));
      await expect.poll(() => sink.notified.length).toBe(1);
      mock.reset();
      await mock.settled();
      expect(sink.notified).toHaveLength(1);
      expect(mock.log).toEqual([]);
    });
  });

  describe("published descriptions", () => {
    it("[M13] every operation is there, and what a request must not be is refused", async () => {
      const operations = new Operations(schemas);
      const wrong = async (file: Parameters<Operations["find"]>[0], base: string) => {
        const { paths } = schemas.description(file) as { paths: Record<string, object> };
        for (const [template, item] of Object.entries(paths)) {
          const path = template.replace(/\{\w+\}/g, "x");
          for (const method of Object.keys(item).filter((name) => name !== "parameters")) {
            const found = operations.find(file, method, path);
            if (found === undefined || !("operation" in found)) throw new Error(template);
            const types = operations.bodyTypes(found.operation);
            const hasBody = types !== undefined && !types.includes("application/*");
            const answer = await call(method.toUpperCase(), base + path, hasBody ? [1] : undefined);
            expect([200, 204, 400, 404, 415], `${method} ${path}`).toContain(answer.status);
            if (hasBody) expect([400, 415], `${method} ${path}`).toContain(answer.status);
          }
        }
      };
      await wrong("quality-on-demand.yaml", QOD);
      await wrong("qos-profiles.yaml", PROFILES);
      await wrong("nef-as-session-with-qos.yaml", "/3gpp-as-session-with-qos/v1");
      await wrong("rtc-af-session-handling.yaml", "/3gpp-maf-session-handling/v1");
      const put = await call("PUT", `${QOD}/sessions`, qodRequest(5000));
      expect([put.status, put.headers.get("allow")]).toEqual([405, "POST"]);
      expect((await call("GET", `${QOD}/nothing`)).status).toBe(404);
      expect((await call("POST", `${QOD}/sessions`, "{")).status).toBe(400);
    });

    it("[M13] an answer that is not as published is a defect of the mock's", () => {
      const operations = new Operations(schemas);
      const found = operations.find("quality-on-demand.yaml", "GET", "/sessions/x");
      if (found === undefined || !("operation" in found)) throw new Error("no operation");
      const check = (status: number, body: unknown) =>
        operations.checkAnswer(found.operation, status, "application/json", body);
      const session = {
        sessionId: "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        duration: 60,
        applicationServer: { ipv4Address: "198.51.100.7" },
        qosProfile: "QOS_L",
        qosStatus: "REQUESTED",
      };
      expect(check(200, session)).toEqual([]);
      expect(check(200, { ...session, duration: 0 })).toEqual([
        "getSession 200: /duration must be >= 1",
      ]);
      expect(check(200, { ...session, sessionId: "7" })).toHaveLength(1);
      expect(check(418, session)).toEqual(["getSession publishes no answer 418"]);
      expect(check(404, { status: 404, code: "GONE", message: "" })).toHaveLength(1);
    });

    it("[M13] what OpenAPI 3.0 says otherwise than JSON Schema is read as it is meant", () => {
      const { check } = schemas;
      const af = "rtc-af-session-handling.yaml";
      // Read-only members are required of the AF, not of its clients.
      expect(check(af, "DynamicPolicy", policyRequest(), "request")).toEqual([]);
      expect(check(af, "DynamicPolicy", policyRequest(), "answer")).toHaveLength(3);
      const patch = "AsSessionWithQoSSubscriptionPatch";
      const nef = "nef-as-session-with-qos.yaml";
      expect(check(nef, patch, { rTLatencyInd: null, pdb: null }, "request")).toEqual([]);
      expect(check(nef, patch, { disUeNotif: null }, "request")).toHaveLength(1);
      const unit = { mediaConsumed: "0", startTime: "2026-01-01T00:00:00Z" };
      const exclusive = (duration: number) =>
        check(af, "ConsumptionReportingUnit", { ...unit, duration }, "request");
      expect([exclusive(1), exclusive(0)]).toEqual([[], ["/duration must be > 0"]]);
      const qod = "quality-on-demand.yaml";
      const token = { credentialType: "ACCESSTOKEN", accessToken: "a" };
      expect(check(qod, "SinkCredential", token, "request").join()).toContain(
        "accessTokenExpiresUtc",
      );
      expect(() => check(qod, "NoSuchSchema", {}, "request")).toThrow("NoSuchSchema");
    });

    it("[M13] a correlator comes back with every answer, and is refused where it is none", async () => {
      const headers = { "x-correlator": "b4333c46-49c0-4f62-80d7-f0ef930f1c46" };
      for (const path of ["/sessions/x", "/nothing"]) {
        const answer = await call("GET", QOD + path, undefined, { headers });
        expect(answer.headers.get("x-correlator"), path).toBe(headers["x-correlator"]);
      }
      for (const wrong of ["a b", "x".repeat(257)]) {
        const odd = { headers: { "x-correlator": wrong } };
        const answer = await call("POST", `${QOD}/sessions`, qodRequest(5000), odd);
        expect([answer.status, answer.body.code]).toEqual([400, "INVALID_ARGUMENT"]);
        expect(answer.headers.get("x-correlator")).toBeNull();
      }
      expect(mock.resources()).toEqual([]);
    });

    it("[M13] a body that is too deep or too long is refused and recorded, and breaks nothing", async () => {
      const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
      expect((await call("POST", `${QOD}/sessions`, deep)).status).toBe(400);
      const long = JSON.stringify({ ...qodRequest(5000), more: "x".repeat(2_000_000) });
      const refused = await fetch(`${mock.url}${QOD}/sessions`, { method: "POST", body: long });
      expect([refused.status, refused.headers.get("connection")]).toEqual([413, "close"]);
      await refused.text();
      const log = await call("GET", "/control/log");
      expect(log.body.slice(-2)).toMatchObject([
        { path: `${QOD}/sessions`, status: 400 },
        { path: `${QOD}/sessions`, status: 413 },
      ]);
      expect(mock.defects).toEqual([]);
    });

    it("[M13] each known error of theirs is still there, and still needs its repair", () => {
      for (const { file, at, reason } of REPAIRS) {
        const published = parse(readFileSync(join(FOLDER, file), "utf8"), { maxAliasCount: -1 });
        const repaired = repair(file, structuredClone(published));
        expect(repaired, reason).not.toEqual(published);
        // Repaired already it is another file: nobody repairs what nobody looked at.
        expect(() => repair(file, repaired), at).toThrow("has to be looked at again");
      }
      const endpoint = { domainName: "turn.example", portNumbers: [3478] };
      expect(
        schemas.check("rtc-af-session-handling.yaml", "EndpointAddress", endpoint, "answer"),
      ).toEqual([]);
    });

    it("[M13] says what to do where they are not", async () => {
      const nowhere = publishedSchemas(join(FOLDER, "nowhere"));
      await expect(startNetworkMock({ schemas: nowhere })).rejects.toThrow("NETWORK_SCHEMAS");
    });
  });

  describe("control", () => {
    const control = async (method: string, path: string, body?: object) => {
      const response = await fetch(`${mock.url}/control/${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    };

    it("[M13] does over HTTP what tests do with the module", async () => {
      await control("POST", "grant", { api: "camara-qod", mode: "never" });
      const { body } = await call("POST", `${QOD}/sessions`, qodRequest(5000));
      expect((await control("GET", "resources?api=camara-qod")).body).toMatchObject([
        { id: body.sessionId, state: "REQUESTED", client: "duplex" },
      ]);
      expect((await control("POST", "recover", { id: body.sessionId })).body).toEqual({
        resources: 1,
      });
      expect((await control("POST", "terminate", { api: "nef" })).body).toEqual({ resources: 0 });
      expect((await control("POST", "impair", { api: "camara-qod" })).body).toEqual({
        resources: 1,
      });
      const fault = { kind: "status", status: 503, times: 2 };
      expect((await control("POST", "faults", fault)).body).toEqual([fault]);
      expect((await call("GET", `${QOD}/sessions/${body.sessionId}`)).status).toBe(503);
      expect((await control("GET", "faults")).body).toEqual([{ ...fault, times: 1 }]);
      expect((await control("DELETE", "faults")).body).toEqual([]);
      const token = (await control("POST", "tokens", { device: { phoneNumber: "+491234567890" } }))
        .body;
      const { device: _, ...request } = qodRequest(5001);
      const three = { token: token.access_token };
      expect((await call("POST", `${QOD}/sessions`, request, three)).status).toBe(201);
      await control("POST", "tokens/expire");
      expect((await call("GET", `${QOD}/sessions/${body.sessionId}`)).status).toBe(401);
      const operations = (await control("GET", "log")).body.map(
        ({ operation }: { operation: string }) => operation,
      );
      expect(operations).toEqual([
        "token",
        "createSession",
        "getSession",
        "createSession",
        "getSession",
      ]);
      expect((await control("GET", "defects")).body).toEqual([]);
      await control("POST", "reset");
      expect([mock.resources(), mock.log]).toEqual([[], []]);
    });

    it("[M13] takes no fault that could not happen", async () => {
      const odd = [
        ...[99, 600, 1000, 429.5].map((status) => ({ kind: "status", status })),
        ...[0, 1.5].map((times) => ({ kind: "down", times })),
        { kind: "slow", ms: 2 ** 31 },
        { kind: "status", status: 429, retryAfter: 0.5 },
      ];
      for (const fault of odd) {
        expect((await control("POST", "faults", fault)).status, JSON.stringify(fault)).toBe(400);
      }
      expect((await control("GET", "faults")).body).toEqual([]);
    });

    it("[M13] says what it did not understand", async () => {
      expect(await control("POST", "faults", { kind: "odd" })).toMatchObject({ status: 400 });
      expect(await control("POST", "grant", { mode: "now", api: "odd" })).toMatchObject({
        status: 400,
      });
      expect((await control("GET", "odd")).body.paths).toContain("GET /control/log");
      const text = await fetch(`${mock.url}/control/grant`, { method: "POST", body: "[" });
      expect(text.status).toBe(400);
    });
  });
});

describe.skipIf(!isPublished)("npm run network-mock", () => {
  const begin = (...args: string[]): ChildProcess => {
    const child = spawn(process.execPath, ["scripts/network-mock.mjs", ...args], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (child.pid !== undefined) guard(child.pid);
    return child;
  };

  it("[M13] starts, says how it is reached and configured, and stops when it is told to", async () => {
    const child = begin("--port", "0", "--grant", "now");
    const gone = once(child, "exit");
    if (child.stdout === null) throw new Error("no output");
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (line.startsWith("export ASSISTANCE_NOTIFY_URL=")) break;
    }
    const [, json = ""] = /^export ASSISTANCE_NETWORKS='(.*)'$/m.exec(lines.join("\n")) ?? [];
    // As a server reads it.
    const notify = { ASSISTANCE_NOTIFY_URL: "http://127.0.0.1:8787", LOCAL_DEV: "true" };
    readConfig({ ASSISTANCE_NETWORKS: json, ...notify });
    const { url, auth } = JSON.parse(json)[0];
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: auth.clientId,
      client_secret: auth.clientSecret,
    });
    const answer = await fetch(auth.tokenUrl, { method: "POST", body: form });
    const { access_token: token } = await answer.json();
    const made = await fetch(`${url}/sessions`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(qodRequest(5000)),
    });
    expect((await made.json()).qosStatus).toBe("AVAILABLE");
    child.kill("SIGTERM");
    expect(await gone).toEqual([0, null]);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  it("[M13] says what is wrong with its arguments, and ends", async () => {
    const child = begin("--grant", "perhaps");
    let said = "";
    child.stderr?.on("data", (chunk) => {
      said += String(chunk);
    });
    const [code] = await once(child, "close");
    expect([code, said]).toEqual([1, expect.stringContaining("one of now, later")]);
  });
});
