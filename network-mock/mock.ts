// A mobile network to develop and test against: CAMARA quality on demand, NEF, RTC AF, and their token endpoint.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Door, Grant, Impairment, NetworkApi, Resource } from "./call.ts";
import { Control, type Steering } from "./control.ts";
import { isJson, type Json, memberAt } from "./dialect.ts";
import { Faults } from "./faults.ts";
import { Gate, type Received } from "./gate.ts";
import { Log, type LogEntry } from "./log.ts";
import { nefDoor } from "./nef.ts";
import { type Notification, Notifier } from "./notifier.ts";
import { type Client, Tokens } from "./oauth.ts";
import { Operations } from "./operations.ts";
import { DEFAULT_PROFILES, profilesDoor } from "./profiles.ts";
import { qodDoor } from "./qod.ts";
import { rtcAfDoor } from "./rtc-af.ts";
import { publishedSchemas, type Schemas } from "./schemas.ts";

export interface NetworkMockOptions {
  /** 0, the default: any that is free. */
  readonly port?: number;
  /** 127.0.0.1 unless said. */
  readonly host?: string;
  readonly schemas?: Schemas;
  /** Of the token endpoint; `duplex` with the secret `network-mock` unless said. */
  readonly clients?: readonly Client[];
  readonly tokenLifeMs?: number;
  /** False: calls need no token. */
  readonly auth?: boolean;
  /** Later, after 100 ms, unless said. */
  readonly grant?: Partial<Grant>;
  readonly profiles?: readonly Json[];
  /** How long QoD sessions that ended by themselves are still there; 360 s unless said. */
  readonly keepEndedMs?: number;
  readonly qosReferences?: readonly string[];
  readonly provisioningSessions?: readonly string[];
  readonly policyTemplates?: readonly string[];
  readonly boostMs?: number;
  /** Entries that the log keeps. */
  readonly logLimit?: number;
}

export interface NetworkMock extends Steering {
  /** `http://127.0.0.1:4010`, no slash at its end. */
  readonly url: string;
  readonly log: readonly LogEntry[];
  /** What the mock itself did that is not as published: has to stay empty. */
  readonly defects: readonly string[];
  readonly faults: Faults;
  readonly tokens: Tokens;
  /** What lives now. */
  readonly resources: (api?: NetworkApi) => Resource[];
  /** When all notifications that are due have been sent or given up. */
  readonly settled: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export const DEFAULT_CLIENT: Client = { id: "duplex", secret: "network-mock" };

const BODY_LIMIT = 1024 * 1024;

const readText = async (request: IncomingMessage): Promise<string | undefined> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > BODY_LIMIT) return undefined;
  }
  return Buffer.concat(chunks).toString();
};

/** The rest of it stays unread: nothing else can come on the connection. */
const refuseLong = (request: IncomingMessage, response: ServerResponse, log: Log): void => {
  const { method = "GET", url: path = "/" } = request;
  const entry = log.begin({ way: "in", api: "unread", method, path });
  entry.status = 413;
  response.writeHead(413, { connection: "close" }).end();
};

const receivedOf = (request: IncomingMessage, origin: string, text: string): Received => ({
  method: request.method ?? "GET",
  // What is no path (an absolute form, `*`) is none of the mock's.
  url: new URL(origin + (request.url?.startsWith("/") ? request.url : "/")),
  headers: Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  ),
  text,
});

/** Of the notifications that are published: a test notification is not (TS 29.122 s5.2.5.3). */
const wrongIn = (schemas: Schemas, { api, body }: Notification): string[] => {
  if (api === "camara-qod") {
    return schemas.check("quality-on-demand.yaml", "CloudEvent", body, "request");
  }
  if (isJson(body) && body.eventReports === undefined) return [];
  return schemas.check(
    "nef-as-session-with-qos.yaml",
    "UserPlaneNotificationData",
    body,
    "request",
  );
};

const patchable = (schemas: Schemas) => (): ReadonlySet<string> => {
  const at = "/components/schemas/AsSessionWithQoSSubscriptionPatch/properties";
  const properties = memberAt(schemas.description("nef-as-session-with-qos.yaml"), at);
  return new Set(isJson(properties) ? Object.keys(properties) : []);
};

const openDoors = (
  options: NetworkMockOptions,
  schemas: Schemas,
  tell: (notification: Notification) => void,
): Door[] => {
  const grant: Grant = { mode: "later", delayMs: 100, ...options.grant };
  const profiles = options.profiles ?? DEFAULT_PROFILES;
  const { qosReferences, provisioningSessions, policyTemplates } = options;
  return [
    qodDoor({ profiles, grant, keepEndedMs: options.keepEndedMs ?? 360_000, tell }),
    profilesDoor(profiles),
    nefDoor({
      grant,
      ...(qosReferences === undefined ? {} : { qosReferences }),
      patchable: patchable(schemas),
      tell,
    }),
    rtcAfDoor({
      grant,
      ...(provisioningSessions === undefined ? {} : { provisioningSessions }),
      ...(policyTemplates === undefined ? {} : { policyTemplates }),
      boostMs: options.boostMs ?? 10_000,
      check: (schema, body) =>
        schemas.check("rtc-af-session-handling.yaml", schema, body, "request"),
    }),
  ];
};

const steeringOf = (
  doors: readonly Door[],
): Pick<Steering, "grant" | "impair" | "recover" | "terminate"> => {
  const at = (api: NetworkApi | undefined): Door[] =>
    doors.filter((door) => (api ?? door.api) === door.api);
  const count = (chosen: readonly Door[], act: (door: Door) => number): number =>
    chosen.reduce((sum, door) => sum + act(door), 0);
  type At = Impairment & { readonly api?: NetworkApi };
  return {
    grant: ({ api, mode, delayMs = 100 }) => {
      for (const door of at(api)) door.setGrant({ mode, delayMs });
    },
    impair: (what: At = {}) => count(at(what.api), (door) => door.impair(what)),
    recover: (what: At = {}) => count(at(what.api), (door) => door.recover(what)),
    terminate: (what: At = {}) => count(at(what.api), (door) => door.terminate(what.id)),
  };
};

const listen = async (server: Server, port: number, host: string): Promise<string> => {
  server.listen(port, host);
  await once(server, "listening");
  const { port: bound } = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${bound}`;
};

/** Starts a network. Throws where the published descriptions are not there, or the port is taken. */
export const startNetworkMock = async (options: NetworkMockOptions = {}): Promise<NetworkMock> => {
  const schemas = options.schemas ?? publishedSchemas();
  const log = new Log(options.logLimit ?? 10_000);
  const defects: string[] = [];
  const defect = (text: string): void => void defects.push(text);
  const notifier = new Notifier(log);
  const tell = (notification: Notification): void => {
    for (const wrong of wrongIn(schemas, notification)) defect(`${notification.api}: ${wrong}`);
    notifier.tell(notification);
  };
  const doors = openDoors(options, schemas, tell);
  // Read them all now: what is not there is better said at once.
  for (const { file } of doors) schemas.description(file);
  const tokens = new Tokens(options.clients ?? [DEFAULT_CLIENT], options.tokenLifeMs ?? 300_000);
  const faults = new Faults();
  const stop = new AbortController();
  const operations = new Operations(schemas);
  const auth = options.auth ?? true;
  const gate = new Gate({
    doors,
    operations,
    tokens,
    faults,
    log,
    auth,
    defect,
    stopped: stop.signal,
  });
  const resources = (api?: NetworkApi): Resource[] =>
    doors.filter((door) => (api ?? door.api) === door.api).flatMap((door) => door.resources());
  const reset = (): void => {
    for (const door of doors) door.clear();
    notifier.clear();
    faults.clear();
    log.clear();
    defects.length = 0;
  };
  const steering: Steering = { ...steeringOf(doors), reset };
  const control = new Control({ log, defects, faults, tokens, resources, steering });
  let url = "";
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await readText(request);
    if (text === undefined) return refuseLong(request, response, log);
    const received = receivedOf(request, url, text);
    if (await gate.pass(received, response)) return;
    const { status, body } = control.answer(received);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    serve(request, response).catch((thrown: unknown) => {
      // Whoever hangs up while it speaks is no fault of the mock's.
      if (!request.destroyed) defect(thrown instanceof Error ? String(thrown.stack) : "unknown");
      response.destroy();
    });
  });
  url = await listen(server, options.port ?? 0, options.host ?? "127.0.0.1");
  const close = async (): Promise<void> => {
    stop.abort();
    notifier.stop();
    for (const door of doors) door.clear();
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
    await notifier.settled();
  };
  const settled = (): Promise<void> => notifier.settled();
  return { url, log: log.entries, defects, faults, tokens, resources, ...steering, settled, close };
};
