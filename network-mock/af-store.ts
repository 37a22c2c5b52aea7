// Resources of the RTC AF: versions (ETag), conditional requests, and who may still have them.
import { randomUUID } from "node:crypto";
import { type Answer, type Call, notFound, Refused, type Resource } from "./call.ts";
import { isJson, type Json } from "./dialect.ts";
import { mergePatch } from "./merge-patch.ts";
import { bitRate, bpsOf } from "./rates.ts";
import { mediaType } from "./reading.ts";

export interface Rates {
  readonly uplinkBps?: number;
  readonly downlinkBps?: number;
}

export interface Held {
  readonly kind: "policy" | "assistance";
  readonly id: string;
  readonly client: string;
  readonly provisioningSession: string;
  /** What the client may write. */
  body: Json;
  version: number;
  state: "waiting" | "granted" | "impaired" | "failed";
  /** What the network can carry now; undefined: what was asked. */
  carries?: Rates | undefined;
  /** Milliseconds since 1970; until then it carries all that was asked. */
  boostedUntil: number;
}

const asJson = (value: unknown): Json => (isJson(value) ? value : {});

/** Asked for by nobody: what the mock's network recommends all the same. */
const DEFAULT_BPS = 10_000_000;

const ratesOf = (asked: unknown, carriesBps: number | undefined): Json => {
  const { maximumRequestedBitRate, minimumDesiredBitRate, minimumRequestedBitRate } = asJson(asked);
  const wanted = bpsOf(maximumRequestedBitRate) ?? DEFAULT_BPS;
  const given = Math.min(wanted, carriesBps ?? wanted);
  const least = (rate: unknown): string => bitRate(Math.min(given, bpsOf(rate) ?? given));
  return {
    maximumRequestedBitRate: bitRate(given),
    minimumDesiredBitRate: least(minimumDesiredBitRate),
    minimumRequestedBitRate: least(minimumRequestedBitRate),
  };
};

/** What it recommends now, as ClientPolicySpecification. */
export const recommendationOf = ({ body, carries, boostedUntil }: Held): Json => {
  const asked = asJson(body.requestedQoS);
  const now = boostedUntil > Date.now() ? undefined : carries;
  return {
    downlinkBitRates: ratesOf(asked.downlinkBitRates, now?.downlinkBps),
    uplinkBitRates: ratesOf(asked.uplinkBitRates, now?.uplinkBps),
  };
};

const READ_ONLY = [
  "dynamicPolicyId",
  "naSessionId",
  "provisioningSessionId",
  "qosEnforcement",
  "l4SEnabled",
  "qoSMonitoringEnabled",
  "qoSMonitoringResults",
  "recommendedQoS",
];

/** What a client writes, without what only the AF writes. */
export const writable = (body: unknown): Json =>
  Object.fromEntries(Object.entries(asJson(body)).filter(([name]) => !READ_ONLY.includes(name)));

/** As it is read. */
export const shownOf = (held: Held): Json => {
  const common = { ...held.body, provisioningSessionId: held.provisioningSession };
  return held.kind === "policy"
    ? { dynamicPolicyId: held.id, ...common, qosEnforcement: held.state === "granted" }
    : { naSessionId: held.id, ...common, recommendedQoS: recommendationOf(held) };
};

/** What it recommends is part of what is read: it has its version as well. */
const etagOf = (held: Held): string => {
  const boosted = held.boostedUntil > Date.now() ? "b" : "";
  return `"${held.id.slice(0, 8)}-${held.version}${boosted}"`;
};

const tagsOf = (list: string): string[] => list.split(",").map((tag) => tag.trim());

/** RFC 9110 s13.1.1: one of a list, or any; a weak tag is never the same. */
const isWanted = (wanted: string, etag: string): boolean =>
  wanted.trim() === "*" || tagsOf(wanted).includes(etag);

/** RFC 9110 s13.1.2: a weak tag counts as well. */
const isKnown = (known: string | undefined, etag: string): boolean =>
  known !== undefined && isWanted(known.replaceAll("W/", ""), etag);

export class AfStore {
  readonly held = new Map<string, Held>();

  add(kind: Held["kind"], { body, caller, params, base }: Call): { held: Held; answer: Answer } {
    const { provisioningSessionId = "" } = params;
    const held: Held = {
      kind,
      id: randomUUID(),
      client: caller.client,
      provisioningSession: provisioningSessionId,
      body: writable(body),
      version: 1,
      state: "waiting",
      boostedUntil: 0,
    };
    this.held.set(held.id, held);
    const folder = kind === "policy" ? "dynamic-policies" : "network-assistance-sessions";
    const session = encodeURIComponent(provisioningSessionId);
    const location = `${base}/provisioning-sessions/${session}/${folder}/${held.id}`;
    return { held, answer: { status: 201, headers: { location } } };
  }

  /** The resource of the path, if the request's conditions hold (RFC 9110 s13). */
  of(kind: Held["kind"], { params, headers }: Call): Held {
    const { provisioningSessionId, dynamicPolicyId, naSessionId } = params;
    const held = this.held.get(dynamicPolicyId ?? naSessionId ?? "");
    const isThere = held?.kind === kind && held.provisioningSession === provisioningSessionId;
    if (held === undefined || !isThere) throw notFound();
    const wanted = headers["if-match"];
    if (wanted !== undefined && !isWanted(wanted, etagOf(held))) {
      throw new Refused(412, "PRECONDITION_FAILED", `It is ${etagOf(held)} now.`);
    }
    return held;
  }

  show(held: Held, answer: Answer, { headers }: Call): Answer {
    const etag = etagOf(held);
    if (answer.status === 200 && isKnown(headers["if-none-match"], etag)) {
      return { status: 304, headers: { etag } };
    }
    return { ...answer, headers: { ...answer.headers, etag }, body: shownOf(held) };
  }

  /** The body as it is to be: a replacement, or what comes of a merge patch. */
  next(held: Held, { body, headers }: Call): Json {
    const isPatch = mediaType(headers["content-type"]) === "application/merge-patch+json";
    return writable(isPatch ? mergePatch(held.body, asJson(body)) : body);
  }

  touch(held: Held): void {
    held.version += 1;
  }

  resources(): Resource[] {
    return [...this.held.values()].map((held) => ({
      api: "rtc-af",
      kind: held.kind,
      id: held.id,
      client: held.client,
      state: held.state,
      body: shownOf(held),
    }));
  }
}
