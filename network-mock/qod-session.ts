// A session of CAMARA quality-on-demand 1.1.0, as it is told.
import { randomUUID } from "node:crypto";
import type { Json } from "./dialect.ts";

export type StatusInfo = "DURATION_EXPIRED" | "NETWORK_TERMINATED" | "DELETE_REQUESTED";

export interface Session {
  readonly id: string;
  readonly client: string;
  readonly request: Json;
  readonly names: readonly string[];
  /** Where it is read. */
  readonly link: string;
  /** The device as it is told back, where it is. */
  readonly shown: Json | undefined;
  readonly maxDuration: number;
  duration: number;
  status: "REQUESTED" | "AVAILABLE" | "UNAVAILABLE";
  statusInfo?: StatusInfo;
  /** Milliseconds since 1970. */
  startedAt?: number;
  expiresAt?: number;
}

const ECHOED = [
  "applicationServer",
  "devicePorts",
  "applicationServerPorts",
  "qosProfile",
  "sink",
] as const;

const time = (ms: number): string => new Date(ms).toISOString();

/** As it is told: the credential of the sink stays with the network. */
export const infoOf = (session: Session): Json => {
  const { request, shown, startedAt, expiresAt, statusInfo } = session;
  const info: Json = { sessionId: session.id, duration: session.duration };
  for (const name of ECHOED) if (request[name] !== undefined) info[name] = request[name];
  if (shown !== undefined) info.device = shown;
  if (startedAt !== undefined) info.startedAt = time(startedAt);
  if (expiresAt !== undefined) info.expiresAt = time(expiresAt);
  info.qosStatus = session.status;
  if (statusInfo !== undefined) info.statusInfo = statusInfo;
  return info;
};

export const eventOf = ({ id, link, status, statusInfo }: Session): Json => ({
  id: randomUUID(),
  source: link,
  specversion: "1.0",
  type: "org.camaraproject.quality-on-demand.v1.qos-status-changed",
  time: time(Date.now()),
  datacontenttype: "application/json",
  data: {
    sessionId: id,
    qosStatus: status,
    ...(statusInfo === undefined ? {} : { statusInfo }),
  },
});
