// `/control`: what a person or a test does to the network, by HTTP.
import type { GrantMode, Impairment, NetworkApi, Resource } from "./call.ts";
import { isJson, type Json } from "./dialect.ts";
import { FAULT_KINDS, type Fault, type FaultKind, type Faults } from "./faults.ts";
import type { Received } from "./gate.ts";
import type { Log } from "./log.ts";
import type { Tokens } from "./oauth.ts";

/** `api` undefined: all of them; answers say how many resources it concerned. */
export interface Steering {
  /** From now on; what was taken before keeps its way. `delayMs` is of `later` and `fails`. */
  readonly grant: (how: {
    readonly api?: NetworkApi;
    readonly mode: GrantMode;
    readonly delayMs?: number;
  }) => void;
  /** Quality is not guaranteed: NEF tells, the RTC AF recommends less, a QoD session is terminated. */
  readonly impair: (what?: Impairment & { readonly api?: NetworkApi }) => number;
  /** It is again; what was only requested is granted. */
  readonly recover: (what?: { readonly id?: string; readonly api?: NetworkApi }) => number;
  /** The network ends it. */
  readonly terminate: (what?: { readonly id?: string; readonly api?: NetworkApi }) => number;
  /** Nothing lives, no faults, an empty log. Grant modes stay. */
  readonly reset: () => void;
}

export interface ControlSetting {
  readonly log: Log;
  readonly defects: readonly string[];
  readonly faults: Faults;
  readonly tokens: Tokens;
  readonly resources: (api?: NetworkApi) => Resource[];
  readonly steering: Steering;
}

interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

const APIS: readonly NetworkApi[] = ["camara-qod", "qos-profiles", "nef", "rtc-af", "oauth2"];
const MODES: readonly GrantMode[] = ["now", "later", "never", "refused", "fails"];

class Unreadable extends Error {}

const oneOf = <Name extends string>(
  names: readonly Name[],
  value: unknown,
  member: string,
): Name | undefined => {
  if (value === undefined) return undefined;
  const found = names.find((name) => name === value);
  if (found === undefined) throw new Unreadable(`${member}: one of ${names.join(", ")}`);
  return found;
};

const numberOf = (value: unknown, member: string): number | undefined => {
  if (value === undefined || (typeof value === "number" && value >= 0)) return value;
  throw new Unreadable(`${member}: a number, not below 0`);
};

/** The longest that a timer takes. */
const LONGEST_MS = 2 ** 31 - 1;

const wholeOf = (
  value: unknown,
  member: string,
  [least, most]: readonly [number, number],
): number | undefined => {
  const number = numberOf(value, member);
  if (number === undefined) return undefined;
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new Unreadable(`${member}: a whole number from ${least} to ${most}`);
};

const textOf = (value: unknown, member: string): string | undefined => {
  if (value === undefined || typeof value === "string") return value;
  throw new Unreadable(`${member}: a string`);
};

/** Without the members that are undefined. */
type Given<Shape> = { [Name in keyof Shape]?: Exclude<Shape[Name], undefined> };

const given = <Shape extends object>(shape: Shape): Given<Shape> =>
  Object.fromEntries(
    Object.entries(shape).filter(([, value]) => value !== undefined),
  ) as Given<Shape>;

const faultOf = (body: Json): Fault => {
  const kind = oneOf<FaultKind>(FAULT_KINDS, body.kind, "kind");
  if (kind === undefined) throw new Unreadable(`kind: one of ${FAULT_KINDS.join(", ")}`);
  return {
    kind,
    ...given({
      api: oneOf(APIS, body.api, "api"),
      method: textOf(body.method, "method"),
      operation: textOf(body.operation, "operation"),
      status: wholeOf(body.status, "status", [200, 599]),
      retryAfter: wholeOf(body.retryAfter, "retryAfter", [0, LONGEST_MS]),
      ms: wholeOf(body.ms, "ms", [0, LONGEST_MS]),
      times: wholeOf(body.times, "times", [1, LONGEST_MS]),
    }),
  };
};

const concernedOf = (body: Json): Impairment & { readonly api?: NetworkApi } =>
  given({
    api: oneOf(APIS, body.api, "api"),
    id: textOf(body.id, "id"),
    uplinkBps: numberOf(body.uplinkBps, "uplinkBps"),
    downlinkBps: numberOf(body.downlinkBps, "downlinkBps"),
  });

const bodyOf = (text: string): Json => {
  if (text === "") return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Unreadable("not JSON");
  }
  if (!isJson(body)) throw new Unreadable("not a JSON object");
  return body;
};

export class Control {
  readonly #acts: Readonly<Record<string, (body: Json, query: URLSearchParams) => unknown>>;

  constructor({ log, defects, faults, tokens, resources, steering }: ControlSetting) {
    const apiOf = (query: URLSearchParams): NetworkApi | undefined =>
      oneOf(APIS, query.get("api") ?? undefined, "api");
    const concerned = (count: number): Json => ({ resources: count });
    this.#acts = {
      "GET /control/log": () => log.entries,
      "GET /control/resources": (_, query) => resources(apiOf(query)),
      "GET /control/defects": () => defects,
      "GET /control/faults": () => faults.list(),
      "POST /control/faults": (body) => {
        faults.add(faultOf(body));
        return faults.list();
      },
      "DELETE /control/faults": (_, query) => {
        faults.clear(apiOf(query));
        return faults.list();
      },
      "POST /control/grant": (body) => {
        const mode = oneOf(MODES, body.mode, "mode");
        if (mode === undefined) throw new Unreadable(`mode: one of ${MODES.join(", ")}`);
        const delayMs = numberOf(body.delayMs, "delayMs");
        steering.grant({ mode, ...given({ api: oneOf(APIS, body.api, "api"), delayMs }) });
        return {};
      },
      "POST /control/impair": (body) => concerned(steering.impair(concernedOf(body))),
      "POST /control/recover": (body) => concerned(steering.recover(concernedOf(body))),
      "POST /control/terminate": (body) => concerned(steering.terminate(concernedOf(body))),
      "POST /control/tokens": (body) => {
        const client = textOf(body.client, "client") ?? "duplex";
        const device = isJson(body.device) ? { device: body.device } : {};
        const token = tokens.issue(
          { client, ...device },
          textOf(body.scope, "scope"),
          numberOf(body.lifeMs, "lifeMs"),
        );
        return { access_token: token };
      },
      "POST /control/tokens/expire": () => {
        tokens.expireAll();
        return {};
      },
      "POST /control/reset": () => {
        steering.reset();
        return {};
      },
    };
  }

  answer({ method, url, text }: Received): ControlAnswer {
    const act = this.#acts[`${method} ${url.pathname}`];
    if (act === undefined) {
      return { status: 404, body: { error: "no such path", paths: Object.keys(this.#acts) } };
    }
    try {
      return { status: 200, body: act(bodyOf(text), url.searchParams) };
    } catch (thrown) {
      if (thrown instanceof Unreadable) return { status: 400, body: { error: thrown.message } };
      throw thrown;
    }
  }
}
