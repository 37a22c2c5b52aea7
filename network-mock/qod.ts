// CAMARA quality-on-demand 1.1.0: sessions REQUESTED, AVAILABLE, UNAVAILABLE, and the events of each change.
import { randomUUID } from "node:crypto";
import {
  type Answer,
  type Call,
  type Caller,
  camaraRefusal,
  type Door,
  type Grant,
  notFound,
  Refused,
  type Resource,
} from "./call.ts";
import { isJson, type Json } from "./dialect.ts";
import type { Notification } from "./notifier.ts";
import { deviceNames, doFlowsOverlap, isSameDevice } from "./overlap.ts";
import { durationsOf } from "./profiles.ts";
import { checkServer, checkSink, profileFor, subjectOf } from "./qod-request.ts";
import { eventOf, infoOf, type Session, type StatusInfo } from "./qod-session.ts";
import { Timers } from "./timers.ts";

export interface QodSetting {
  readonly profiles: readonly Json[];
  readonly grant: Grant;
  /** How long a session that ended by itself is still there, milliseconds (published: 360 s and more). */
  readonly keepEndedMs: number;
  readonly tell: (notification: Notification) => void;
}

const asJson = (value: unknown): Json => (isJson(value) ? value : {});

class Sessions {
  readonly #setting: QodSetting;
  readonly #timers = new Timers();
  readonly #sessions = new Map<string, Session>();
  grant: Grant;

  constructor(setting: QodSetting) {
    this.#setting = setting;
    this.grant = setting.grant;
  }

  readonly create = ({ body, caller, base }: Call): Answer => {
    const request = asJson(body);
    const { shown, device } = subjectOf(caller, request.device);
    checkServer(request);
    checkSink(request);
    const duration = Number(request.duration);
    const profile = profileFor(this.#setting.profiles, request.qosProfile, duration);
    if (this.grant.mode === "refused") {
      throw new Refused(422, "SERVICE_NOT_APPLICABLE", "The service is not available for it.");
    }
    const names = deviceNames(device);
    this.#refuseOverlap(request, names);
    const id = randomUUID();
    const session: Session = {
      id,
      client: caller.client,
      request,
      names,
      link: `${base}/sessions/${id}`,
      shown,
      maxDuration: durationsOf(profile).max,
      duration,
      status: "REQUESTED",
    };
    this.#sessions.set(id, session);
    this.#decide(session);
    return { status: 201, body: infoOf(session) };
  };

  readonly read = ({ params, caller }: Call): Answer => ({
    status: 200,
    body: infoOf(this.#held(params, caller)),
  });

  readonly remove = ({ params, caller }: Call): Answer => {
    const session = this.#held(params, caller);
    const wasAvailable = session.status === "AVAILABLE";
    this.#forget(session);
    if (wasAvailable) {
      this.#end(session, "DELETE_REQUESTED");
      this.#tell(session);
    }
    return { status: 204 };
  };

  readonly extend = ({ params, caller, body }: Call): Answer => {
    const session = this.#held(params, caller);
    if (session.status !== "AVAILABLE" || session.startedAt === undefined) {
      throw new Refused(
        409,
        "QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED",
        `Extending the session duration is not allowed in the current state (${session.status}). The session must be in the AVAILABLE state.`,
      );
    }
    const more = Number(asJson(body).requestedAdditionalDuration);
    session.duration = Math.min(session.duration + more, session.maxDuration);
    this.#run(session, session.startedAt);
    return { status: 200, body: infoOf(session) };
  };

  readonly ofDevice = ({ body, caller }: Call): Answer => {
    const names = deviceNames(subjectOf(caller, asJson(body).device).device);
    const found = [...this.#sessions.values()].filter(
      (one) => one.client === caller.client && isSameDevice(one.names, names),
    );
    return { status: 200, body: found.map(infoOf) };
  };

  readonly resources = (): Resource[] =>
    [...this.#sessions.values()].map((session) => ({
      api: "camara-qod",
      kind: "session",
      id: session.id,
      client: session.client,
      state: session.status,
      body: infoOf(session),
    }));

  /** The network ends it, or never gave it. */
  readonly terminate = (id?: string): number =>
    this.#each(id, (session) => {
      if (session.status === "UNAVAILABLE") return false;
      this.#fail(session);
      return true;
    });

  readonly lose = (id: string): void => {
    this.#each(id, (session) => {
      this.#forget(session);
      return true;
    });
  };

  /** What is requested is given now. */
  readonly recover = ({ id }: { readonly id?: string }): number =>
    this.#each(id, (session) => {
      if (session.status !== "REQUESTED") return false;
      this.#give(session);
      return true;
    });

  readonly clear = (): void => {
    this.#timers.clearAll();
    this.#sessions.clear();
  };

  #each(id: string | undefined, act: (session: Session) => boolean): number {
    const chosen = [...this.#sessions.values()].filter((one) => (id ?? one.id) === one.id);
    return chosen.filter(act).length;
  }

  /** A session that is over is in the way until it is deleted. */
  #refuseOverlap(request: Json, names: readonly string[]): void {
    for (const other of this.#sessions.values()) {
      if (isSameDevice(other.names, names) && doFlowsOverlap(other.request, request)) {
        throw new Refused(
          409,
          "CONFLICT",
          "Conflict with an existing session for the same device.",
        );
      }
    }
  }

  #held({ sessionId = "" }: Readonly<Record<string, string>>, caller: Caller): Session {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) throw notFound();
    if (session.client !== caller.client) {
      throw new Refused(403, "PERMISSION_DENIED", "The session is another client's.");
    }
    // The end user of a three-legged token has to be that of the session.
    const { device } = caller;
    if (device !== undefined && !isSameDevice(session.names, deviceNames(device))) {
      throw new Refused(403, "PERMISSION_DENIED", "The session is another device's.");
    }
    return session;
  }

  #decide(session: Session): void {
    const { mode, delayMs } = this.grant;
    if (mode === "now") this.#give(session);
    if (mode === "later") this.#timers.set(session.id, delayMs, () => this.#give(session));
    if (mode === "fails") this.#timers.set(session.id, delayMs, () => this.#fail(session));
  }

  #give(session: Session): void {
    session.status = "AVAILABLE";
    this.#run(session, Date.now());
    this.#tell(session);
  }

  /** From its start for its duration. */
  #run(session: Session, startedAt: number): void {
    session.startedAt = startedAt;
    session.expiresAt = startedAt + session.duration * 1000;
    this.#timers.set(session.id, session.expiresAt - Date.now(), () => {
      this.#end(session, "DURATION_EXPIRED");
      this.#tell(session);
      this.#keepAWhile(session);
    });
  }

  #fail(session: Session): void {
    this.#end(session, "NETWORK_TERMINATED");
    this.#tell(session);
    this.#keepAWhile(session);
  }

  #end(session: Session, info: StatusInfo): void {
    const now = Date.now();
    session.status = "UNAVAILABLE";
    session.statusInfo = info;
    // Of a session that never ran, the granted duration stays: published durations begin at 1.
    if (session.startedAt === undefined) return;
    session.expiresAt = now;
    session.duration = Math.max(1, Math.round((now - session.startedAt) / 1000));
  }

  #keepAWhile(session: Session): void {
    this.#timers.set(session.id, this.#setting.keepEndedMs, () => this.#forget(session));
  }

  #forget(session: Session): void {
    this.#timers.clear(session.id);
    this.#sessions.delete(session.id);
  }

  #tell(session: Session): void {
    const { sink } = session.request;
    if (typeof sink !== "string") return;
    const credential = asJson(session.request.sinkCredential);
    const expires = credential.accessTokenExpiresUtc;
    // A token that is over cannot be shown; without it the sink would refuse.
    if (typeof expires === "string" && Date.parse(expires) <= Date.now()) return;
    this.#setting.tell({
      api: "camara-qod",
      resource: session.id,
      url: sink,
      type: "application/cloudevents+json",
      body: eventOf(session),
      ...(typeof credential.accessToken === "string" ? { bearer: credential.accessToken } : {}),
    });
  }
}

export const qodDoor = (setting: QodSetting): Door => {
  const sessions = new Sessions(setting);
  return {
    api: "camara-qod",
    file: "quality-on-demand.yaml",
    base: "/quality-on-demand/v1",
    operations: {
      createSession: sessions.create,
      getSession: sessions.read,
      deleteSession: sessions.remove,
      extendQosSessionDuration: sessions.extend,
      retrieveSessionsByDevice: sessions.ofDevice,
    },
    refuse: camaraRefusal,
    resources: sessions.resources,
    // A QoD session has no state between what holds and what is over.
    impair: ({ id }) => sessions.terminate(id),
    recover: sessions.recover,
    terminate: sessions.terminate,
    lose: sessions.lose,
    setGrant: (grant) => {
      sessions.grant = grant;
    },
    clear: sessions.clear,
  };
};
