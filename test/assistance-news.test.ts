import { describe, expect, it } from "vitest";
import { msOfDateTime } from "../protocol/assistance/date-time.ts";
import { nefNotificationOf, qodEventOf } from "../protocol/assistance/notifications.ts";

/** What mobile networks notify, and nothing else. */

const event = (data: object, more: object = {}) => ({
  id: "1",
  source: "https://operator.example/quality-on-demand/v1/sessions/s1",
  specversion: "1.0",
  type: "org.camaraproject.quality-on-demand.v1.qos-status-changed",
  time: "2026-06-01T12:00:00.250Z",
  data,
  ...more,
});

const report = (...eventReports: object[]) => ({
  transaction: "https://nef.example/3gpp-as-session-with-qos/v1/duplex/subscriptions/s1",
  eventReports,
});

describe("CloudEvents of quality on demand", () => {
  it("[M13] tell what is granted, and when", () => {
    const told = qodEventOf(event({ sessionId: "s1", qosStatus: "AVAILABLE" }));
    const happenedAt = Date.UTC(2026, 5, 1, 12, 0, 0, 250);
    expect(told).toEqual({ id: "s1", status: { state: "granted" }, happenedAt });
  });

  it("[M13] tell what is over, and why", () => {
    const data = { sessionId: "s1", qosStatus: "UNAVAILABLE" };
    const why = { ...data, statusInfo: "NETWORK_TERMINATED" };
    expect(qodEventOf(event(why))?.status).toEqual({
      state: "ended",
      reason: "NETWORK_TERMINATED",
    });
    const told = qodEventOf(event(data, { time: undefined }));
    expect(told).toEqual({ id: "s1", status: { state: "ended", reason: "UNAVAILABLE" } });
  });

  it("[M13] may have members that are null", () => {
    const data = { sessionId: "s1", qosStatus: "AVAILABLE", statusInfo: null };
    const told = qodEventOf(event(data, { time: null }));
    expect(told).toEqual({ id: "s1", status: { state: "granted" } });
  });

  it("[M13] of another kind, or that are none, say nothing", () => {
    const data = { sessionId: "s1", qosStatus: "AVAILABLE" };
    const others = [
      event(data, { type: "org.camaraproject.device-status.v1.roaming" }),
      event(data, { specversion: "0.3" }),
      event({ sessionId: "s1", qosStatus: "REQUESTED" }),
      event({ qosStatus: "AVAILABLE" }),
      undefined,
      null,
      "AVAILABLE",
      [],
    ];
    expect(others.map(qodEventOf)).toEqual(others.map(() => undefined));
  });
});

describe("notifications of the NEF", () => {
  it.each([
    ["SUCCESSFUL_RESOURCES_ALLOCATION", "granted"],
    ["QOS_GUARANTEED", "granted"],
    ["RECOVERY_OF_BEARER", "granted"],
    ["QOS_NOT_GUARANTEED", "impaired"],
    ["QOS_NOT_GUARANTEED_DL", "impaired"],
    ["QOS_NOT_GUARANTEED_UL", "impaired"],
    ["LOSS_OF_BEARER", "impaired"],
    ["FAILED_RESOURCES_ALLOCATION", "ended"],
    ["SESSION_TERMINATION", "ended"],
    ["RELEASE_OF_BEARER", "ended"],
  ])("[M13] of %s mean %s", (name, state) => {
    const told = nefNotificationOf(report({ event: name }));
    expect(told?.id).toBe("s1");
    expect(told?.status).toEqual(state === "granted" ? { state } : { state, reason: name });
  });

  it("[M13] name the alternative that holds", () => {
    const told = nefNotificationOf(report({ event: "QOS_NOT_GUARANTEED", appliedQosRef: "half" }));
    expect(told?.status).toMatchObject({ state: "impaired", profile: "half" });
    const given = { event: "SUCCESSFUL_RESOURCES_ALLOCATION", appliedQosRef: "half" };
    expect(nefNotificationOf(report(given))?.status).toEqual({ state: "granted", profile: "half" });
  });

  it("[M13] may name no alternative by null", () => {
    const told = nefNotificationOf(report({ event: "QOS_NOT_GUARANTEED", appliedQosRef: null }));
    expect(told?.status).toEqual({ state: "impaired", reason: "QOS_NOT_GUARANTEED" });
  });

  it("[M13] of flows that fare differently mean the worst", () => {
    const told = nefNotificationOf(
      report(
        { event: "QOS_GUARANTEED", flowIds: [1] },
        { event: "QOS_NOT_GUARANTEED", flowIds: [2] },
      ),
    );
    expect(told?.status?.state).toBe("impaired");
  });

  it("[M13] of what is no state of the resource, and tests, say which resource only", () => {
    expect(nefNotificationOf(report({ event: "USAGE_REPORT" }))).toEqual({ id: "s1" });
    expect(nefNotificationOf(report({ event: "OF_ANOTHER_RELEASE" }))).toEqual({ id: "s1" });
    const subscription = "/3gpp-as-session-with-qos/v1/duplex/subscriptions/s2/";
    expect(nefNotificationOf({ subscription })).toEqual({ id: "s2" });
    expect(nefNotificationOf({ subscription: "elsewhere" })).toEqual({});
  });

  it("[M13] that are none say nothing", () => {
    const others = [report(), { eventReports: [{ event: "QOS_GUARANTEED" }] }, null, 4, "x"];
    expect(others.map(nefNotificationOf)).toEqual(others.map(() => undefined));
  });
});

describe("date and time of RFC 3339", () => {
  it.each([
    "1970-01-01T00:00:00Z",
    "2024-02-29T23:59:59.999Z",
    "2024-03-01T00:00:00.5+05:30",
    "2026-12-31T12:00:00.123456-08:00",
    "1999-12-31T00:00:00Z",
    "2100-03-01T01:02:03Z",
  ])("[M13] %s is what it is elsewhere", (text) => {
    expect(msOfDateTime(text)).toBe(Date.parse(text));
  });

  it("[M13] may be none", () => {
    const others = ["", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-01", "soon"];
    expect(others.map(msOfDateTime)).toEqual(others.map(() => undefined));
  });
});
