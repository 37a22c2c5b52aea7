// NEF AsSessionWithQoS (TS 29.122 s5.14): subscriptions, and what is notified of them.
import { randomUUID } from "node:crypto";
import {
  type Answer,
  type Call,
  type Door,
  type Grant,
  type Impairment,
  notFound,
  problemRefusal,
  Refused,
  type Resource,
} from "./call.ts";
import { isJson, type Json } from "./dialect.ts";
import { mergePatch } from "./merge-patch.ts";
import { checkSameUe, checkSubscription } from "./nef-request.ts";
import type { Notification } from "./notifier.ts";
import { Timers } from "./timers.ts";

interface Subscription {
  readonly id: string;
  readonly client: string;
  readonly scsAsId: string;
  readonly self: string;
  body: Json;
  state: "waiting" | "granted" | "impaired" | "failed";
}

export interface NefSetting {
  readonly grant: Grant;
  /** QoS references agreed with the operator; undefined: any. */
  readonly qosReferences?: readonly string[];
  /** Members that a patch may have, as published. */
  readonly patchable: () => ReadonlySet<string>;
  readonly tell: (notification: Notification) => void;
}

const asJson = (value: unknown): Json => (isJson(value) ? value : {});

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

const flowIdsOf = (body: Json): Json => {
  const ids = listOf(body.flowInfo).map((flow) => asJson(flow).flowId);
  return ids.length === 0 ? {} : { flowIds: ids };
};

class Subscriptions {
  readonly #setting: NefSetting;
  readonly #timers = new Timers();
  readonly #subscriptions = new Map<string, Subscription>();
  grant: Grant;

  constructor(setting: NefSetting) {
    this.#setting = setting;
    this.grant = setting.grant;
  }

  readonly create = ({ body, caller, params, base }: Call): Answer => {
    const { scsAsId = "" } = params;
    const wanted = asJson(body);
    this.#check(wanted);
    if (this.grant.mode === "refused") {
      throw new Refused(403, "REQUESTED_SERVICE_NOT_AUTHORIZED", "The network does not give it.", {
        acceptableServInfo: { marBwUl: "500 Kbps", marBwDl: "500 Kbps" },
      });
    }
    const id = randomUUID();
    const self = `${base}/${encodeURIComponent(scsAsId)}/subscriptions/${id}`;
    const subscription: Subscription = {
      id,
      client: caller.client,
      scsAsId,
      self,
      body: { ...wanted, self },
      state: "waiting",
    };
    this.#subscriptions.set(id, subscription);
    if (wanted.requestTestNotification === true) this.#send(subscription, { subscription: self });
    this.#decide(subscription);
    return { status: 201, headers: { location: self }, body: subscription.body };
  };

  readonly list = ({ params, query }: Call): Answer => {
    const addresses = query.get("ip-addrs");
    const wanted = addresses === null ? undefined : addressesOf(addresses);
    const domain = query.get("ip-domain") ?? undefined;
    const found = [...this.#subscriptions.values()].filter(
      ({ scsAsId, body }) =>
        scsAsId === params.scsAsId &&
        (domain ?? body.ipDomain) === body.ipDomain &&
        (wanted?.some((one) => one === body.ueIpv4Addr || one === body.ueIpv6Addr) ?? true),
    );
    return { status: 200, body: found.map(({ body }) => body) };
  };

  readonly read = ({ params }: Call): Answer => ({ status: 200, body: this.#held(params).body });

  readonly replace = ({ params, body }: Call): Answer => {
    const subscription = this.#held(params);
    return this.#change(subscription, asJson(body));
  };

  readonly patch = ({ params, body }: Call): Answer => {
    const subscription = this.#held(params);
    const patch = asJson(body);
    const allowed = this.#setting.patchable();
    const param = Object.keys(patch).find((name) => !allowed.has(name));
    if (param !== undefined) {
      const reason = "cannot be patched";
      throw new Refused(400, "INVALID_MSG_FORMAT", `${param} ${reason}`, {
        invalidParams: [{ param, reason }],
      });
    }
    return this.#change(subscription, mergePatch(subscription.body, patch));
  };

  readonly remove = ({ params }: Call): Answer => {
    this.#forget(this.#held(params));
    return { status: 204 };
  };

  readonly resources = (): Resource[] =>
    [...this.#subscriptions.values()].map(({ id, client, state, body }) => ({
      api: "nef",
      kind: "subscription",
      id,
      client,
      state,
      body,
    }));

  /** Not guaranteed any more: the first alternative holds, where there is one. */
  readonly impair = ({ id }: Impairment): number =>
    this.#each(id, (subscription) => {
      subscription.state = "impaired";
      const [applied] = listOf(subscription.body.altQoSReferences);
      this.#report(subscription, "QOS_NOT_GUARANTEED", {
        ...(applied === undefined ? { altQosNotSuppInd: true } : { appliedQosRef: applied }),
      });
    });

  readonly recover = ({ id }: Impairment): number =>
    this.#each(id, (subscription) => {
      if (subscription.state === "waiting") return this.#give(subscription);
      subscription.state = "granted";
      this.#report(subscription, "QOS_GUARANTEED");
    });

  /** The session in the network is over, and the subscription goes with it. */
  readonly terminate = (id?: string): number =>
    this.#each(id, (subscription) => {
      this.#report(subscription, "SESSION_TERMINATION");
      this.#forget(subscription);
    });

  readonly lose = (id: string): void => {
    this.#each(id, (subscription) => this.#forget(subscription));
  };

  readonly clear = (): void => {
    this.#timers.clearAll();
    this.#subscriptions.clear();
  };

  #each(id: string | undefined, act: (subscription: Subscription) => void): number {
    const chosen = [...this.#subscriptions.values()].filter((one) => (id ?? one.id) === one.id);
    for (const one of chosen) act(one);
    return chosen.length;
  }

  #check(body: Json): void {
    checkSubscription(body);
    const { qosReferences } = this.#setting;
    const named = [body.qosReference, ...listOf(body.altQoSReferences)].filter(Boolean).map(String);
    const unknown = named.find((name) => !(qosReferences?.includes(name) ?? true));
    if (unknown !== undefined) {
      const message = `There is no QoS reference ${unknown}.`;
      throw new Refused(403, "REQUESTED_SERVICE_NOT_AUTHORIZED", message);
    }
  }

  #change(subscription: Subscription, wanted: Json): Answer {
    this.#check(wanted);
    checkSameUe(subscription.body, wanted);
    subscription.body = { ...wanted, self: subscription.self };
    return { status: 200, body: subscription.body };
  }

  #held({ scsAsId, subscriptionId = "" }: Readonly<Record<string, string>>): Subscription {
    const subscription = this.#subscriptions.get(subscriptionId);
    if (subscription === undefined || subscription.scsAsId !== scsAsId) throw notFound();
    return subscription;
  }

  #decide(subscription: Subscription): void {
    const { mode, delayMs } = this.grant;
    const { id } = subscription;
    if (mode === "now") this.#give(subscription);
    if (mode === "later") this.#timers.set(id, delayMs, () => this.#give(subscription));
    if (mode === "fails") this.#timers.set(id, delayMs, () => this.#fail(subscription));
  }

  #give(subscription: Subscription): void {
    subscription.state = "granted";
    this.#timers.clear(subscription.id);
    this.#report(subscription, "SUCCESSFUL_RESOURCES_ALLOCATION");
  }

  #fail(subscription: Subscription): void {
    subscription.state = "failed";
    this.#report(subscription, "FAILED_RESOURCES_ALLOCATION");
  }

  #forget({ id }: Subscription): void {
    this.#timers.clear(id);
    this.#subscriptions.delete(id);
  }

  /** Only of events that were subscribed to. */
  #report(subscription: Subscription, event: string, more: Json = {}): void {
    const { body, self } = subscription;
    if (!listOf(body.events).includes(event)) return;
    const report = { event, ...flowIdsOf(body), ...more };
    this.#send(subscription, { transaction: self, eventReports: [report] });
  }

  #send({ id, body: { notificationDestination } }: Subscription, body: Json): void {
    const url = String(notificationDestination);
    this.#setting.tell({ api: "nef", resource: id, url, type: "application/json", body });
  }
}

/** `[{"ipv4Addr": "10.45.0.2"}]` */
const addressesOf = (text: string): unknown[] => {
  try {
    const list: unknown = JSON.parse(text);
    return listOf(list).flatMap((one) => Object.values(asJson(one)));
  } catch {
    throw new Refused(400, "INVALID_QUERY_PARAM", "ip-addrs is not JSON");
  }
};

export const nefDoor = (setting: NefSetting): Door => {
  const subscriptions = new Subscriptions(setting);
  return {
    api: "nef",
    file: "nef-as-session-with-qos.yaml",
    base: "/3gpp-as-session-with-qos/v1",
    operations: {
      FetchAllASSessionWithQoSSubscriptions: subscriptions.list,
      CreateASSessionWithQoSSubscription: subscriptions.create,
      FetchIndASSessionWithQoSSubscription: subscriptions.read,
      UpdateIndASSessionWithQoSSubscription: subscriptions.replace,
      ModifyIndASSessionWithQoSSubscription: subscriptions.patch,
      DeleteIndASSessionWithQoSSubscription: subscriptions.remove,
    },
    refuse: problemRefusal,
    resources: subscriptions.resources,
    impair: subscriptions.impair,
    recover: subscriptions.recover,
    terminate: subscriptions.terminate,
    lose: subscriptions.lose,
    setGrant: (grant) => {
      subscriptions.grant = grant;
    },
    clear: subscriptions.clear,
  };
};
