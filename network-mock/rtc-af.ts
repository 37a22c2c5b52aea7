// RTC AF session handling (TS 26.510): dynamic policies, network assistance sessions, reports.
import { checkFlows } from "./af-request.ts";
import { AfStore, type Held, recommendationOf } from "./af-store.ts";
import {
  type Answer,
  type Call,
  type Door,
  type Grant,
  type Impairment,
  notFound,
  problemRefusal,
  Refused,
} from "./call.ts";
import type { Json } from "./dialect.ts";
import { Timers } from "./timers.ts";

export interface AfSetting {
  readonly grant: Grant;
  /** Provisioned at the AF; undefined: any. */
  readonly provisioningSessions?: readonly string[];
  readonly policyTemplates?: readonly string[];
  /** How long a boost lasts, milliseconds. */
  readonly boostMs: number;
  /** What is wrong with a whole resource: outcome of a patch. */
  readonly check: (schema: string, body: Json) => string[];
}

const SCHEMAS = { policy: "DynamicPolicy", assistance: "NetworkAssistanceSession" } as const;

/** An impairment without rates of its own. */
const IMPAIRED_BPS = 300_000;

class SessionHandling {
  readonly #setting: AfSetting;
  readonly #timers = new Timers();
  readonly #store = new AfStore();
  grant: Grant;

  constructor(setting: AfSetting) {
    this.#setting = setting;
    this.grant = setting.grant;
  }

  readonly create =
    (kind: Held["kind"]) =>
    (call: Call): Answer => {
      this.#checkProvisioned(call);
      if (call.body === undefined) {
        throw new Refused(400, "INVALID_MSG_FORMAT", "There is no body.");
      }
      this.#checkBody(call.body as Json);
      if (this.grant.mode === "refused") {
        throw new Refused(403, "REQUESTED_SERVICE_NOT_AUTHORIZED", "The network does not give it.");
      }
      const { held, answer } = this.#store.add(kind, call);
      this.#decide(held);
      return this.#store.show(held, answer, call);
    };

  readonly read =
    (kind: Held["kind"]) =>
    (call: Call): Answer =>
      this.#store.show(this.#store.of(kind, call), { status: 200 }, call);

  /** PUT and PATCH. */
  readonly write =
    (kind: Held["kind"]) =>
    (call: Call): Answer => {
      const held = this.#store.of(kind, call);
      const next = this.#store.next(held, call);
      const [wrong] = this.#setting.check(SCHEMAS[kind], next);
      if (wrong !== undefined) throw new Refused(400, "INVALID_MSG_FORMAT", wrong);
      this.#checkBody(next);
      held.body = next;
      this.#store.touch(held);
      return this.#store.show(held, { status: 200 }, { ...call, headers: {} });
    };

  readonly remove =
    (kind: Held["kind"]) =>
    (call: Call): Answer => {
      this.#forget(this.#store.of(kind, call));
      return { status: 204 };
    };

  readonly recommend = (call: Call): Answer => ({
    status: 200,
    body: recommendationOf(this.#store.of("assistance", call)),
  });

  readonly boost = (call: Call): Answer => {
    const held = this.#store.of("assistance", call);
    if (this.grant.mode === "refused") {
      return { status: 200, body: { success: false, reason: "The network does not give it." } };
    }
    if (held.boostedUntil > Date.now()) {
      return { status: 200, body: { success: false, reason: "A boost is running." } };
    }
    held.boostedUntil = Date.now() + this.#setting.boostMs;
    return { status: 200, body: { success: true } };
  };

  readonly takeReport = (call: Call): Answer => {
    this.#checkProvisioned(call);
    return { status: 204 };
  };

  readonly tellAccess = ({ params, base }: Call): Answer => {
    const { externalServiceId = "" } = params;
    this.#checkProvisioned({ params: { provisioningSessionId: externalServiceId } });
    const serverAddresses = [`${base}/`];
    const bindings = (this.#setting.policyTemplates ?? ["conv-video"]).map((name) => ({
      externalReference: name,
      policyTemplateId: name,
    }));
    const body = {
      provisioningSessionId: externalServiceId,
      provisioningSessionType: "RTC",
      locationReporting: false,
      dynamicPolicyInvocationConfiguration: {
        serverAddresses,
        sdfMethods: ["5_TUPLE", "2_TUPLE", "DOMAIN_NAME"],
        policyTemplateBindings: bindings,
      },
      networkAssistanceConfiguration: { serverAddresses },
    };
    return { status: 200, body };
  };

  readonly resources = () => this.#store.resources();

  /** A policy is not enforced, and assistance recommends what the network carries. */
  readonly impair = ({ id, uplinkBps, downlinkBps }: Impairment): number =>
    this.#each(id, (held) => {
      const isAll = uplinkBps === undefined && downlinkBps === undefined;
      held.state = "impaired";
      // What was still to be granted is not, until it recovers.
      this.#timers.clear(held.id);
      held.carries = {
        ...(uplinkBps === undefined ? {} : { uplinkBps }),
        ...(downlinkBps === undefined ? {} : { downlinkBps }),
        ...(isAll ? { uplinkBps: IMPAIRED_BPS, downlinkBps: IMPAIRED_BPS } : {}),
      };
    });

  readonly recover = ({ id }: Impairment): number =>
    this.#each(id, (held) => {
      held.state = "granted";
      held.carries = undefined;
      this.#timers.clear(held.id);
    });

  /** The AF has no word for it but that it is gone. */
  readonly terminate = (id?: string): number => this.#each(id, (held) => this.#forget(held));

  readonly clear = (): void => {
    this.#timers.clearAll();
    this.#store.held.clear();
  };

  #each(id: string | undefined, act: (held: Held) => void): number {
    const chosen = [...this.#store.held.values()].filter((one) => (id ?? one.id) === one.id);
    for (const held of chosen) {
      act(held);
      this.#store.touch(held);
    }
    return chosen.length;
  }

  #checkProvisioned({ params }: Pick<Call, "params">): void {
    const known = this.#setting.provisioningSessions;
    if (!(known?.includes(params.provisioningSessionId ?? "") ?? true)) throw notFound();
  }

  #checkBody(body: Json): void {
    checkFlows(body);
    const { policyTemplateId } = body;
    const known = this.#setting.policyTemplates;
    if (policyTemplateId === undefined || known === undefined) return;
    if (!known.includes(String(policyTemplateId))) {
      const message = `There is no policy template ${String(policyTemplateId)}.`;
      throw new Refused(400, "INVALID_MSG_FORMAT", message);
    }
  }

  #decide(held: Held): void {
    const { mode, delayMs } = this.grant;
    if (mode === "now") held.state = "granted";
    if (mode !== "later" && mode !== "fails") return;
    this.#timers.set(held.id, delayMs, () => {
      held.state = mode === "later" ? "granted" : "failed";
      this.#store.touch(held);
    });
  }

  #forget({ id }: Held): void {
    this.#timers.clear(id);
    this.#store.held.delete(id);
  }
}

export const rtcAfDoor = (setting: AfSetting): Door => {
  const af = new SessionHandling(setting);
  return {
    api: "rtc-af",
    file: "rtc-af-session-handling.yaml",
    base: "/3gpp-maf-session-handling/v1",
    operations: {
      retrieveServiceAccessInformation: af.tellAccess,
      createDynamicPolicy: af.create("policy"),
      retrieveDynamicPolicy: af.read("policy"),
      replaceDynamicPolicy: af.write("policy"),
      patchDynamicPolicy: af.write("policy"),
      destroyDynamicPolicy: af.remove("policy"),
      createNetworkAssistanceSession: af.create("assistance"),
      retrieveNetworkAssistanceSession: af.read("assistance"),
      replaceNetworkAssistanceSession: af.write("assistance"),
      patchNetworkAssistanceSession: af.write("assistance"),
      destroyNetworkAssistanceSession: af.remove("assistance"),
      requestBitRateRecommendation: af.recommend,
      requestDeliveryBoost: af.boost,
      submitMetricsReport: af.takeReport,
      submitConsumptionReport: af.takeReport,
    },
    refuse: problemRefusal,
    resources: af.resources,
    impair: af.impair,
    recover: af.recover,
    terminate: af.terminate,
    lose: (id) => void af.terminate(id),
    setGrant: (grant) => {
      af.grant = grant;
    },
    clear: af.clear,
  };
};
