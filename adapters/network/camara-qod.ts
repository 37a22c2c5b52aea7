import { z } from "zod";
import type { NetworkAccess } from "../../protocol/assistance/access.ts";
import { sameBody } from "../../protocol/assistance/bodies.ts";
import type {
  FoundAnswer,
  NetworkAnswer,
  NetworkBody,
  NetworkStatus,
  Notify,
} from "../../protocol/assistance/network.ts";
import { SessionInfo, SessionName, Sessions } from "./answers.ts";
import { isId, NetworkHttp } from "./network-http.ts";
import type { NetworkPort } from "./network-port.ts";
import type { NetworkSurroundings } from "./network-sending.ts";

const LIST_BYTES = 1_048_576;
const UNREADABLE = { type: "unknown", reason: "unreadable-answer" } as const;
const NOT_AN_ID = { type: "refused", reason: "not-an-id" } as const;

/** CAMARA quality-on-demand 1.1.0. Sessions cannot be changed, and end by themselves. */
export function camaraQod(access: NetworkAccess, around: NetworkSurroundings): NetworkPort {
  const http = new NetworkHttp(access, around);
  const answer = SessionInfo;
  return {
    async create(body, notify) {
      const request = { ...body, ...sinkOf(notify) };
      const read = { answer: z.unknown() };
      const made = await http.call({ method: "POST", path: ["sessions"], body: request, ...read });
      if (made.type !== "ok") return made;
      const { sessionId: id } = SessionName.safeParse(made.body).data ?? {};
      if (id === undefined || !isId(id)) return UNREADABLE;
      // Its name is what matters: what else is said can be read again.
      const info = SessionInfo.safeParse(made.body).data;
      return { type: "done", id, ...(info && { status: statusOf(info) }) };
    },

    async find(body, notify) {
      return foundOf(http, body, notify);
    },

    async read(id) {
      if (!isId(id)) return NOT_AN_ID;
      return toldOf(await http.call({ method: "GET", path: ["sessions", id], answer }));
    },

    async extend(id, seconds) {
      if (!isId(id)) return NOT_AN_ID;
      const body = { requestedAdditionalDuration: Math.max(1, Math.round(seconds)) };
      return toldOf(
        await http.call({ method: "POST", path: ["sessions", id, "extend"], body, answer }),
      );
    },

    async remove(id) {
      if (!isId(id)) return NOT_AN_ID;
      const gone = await http.call({ method: "DELETE", path: ["sessions", id] });
      return gone.type === "ok" ? { type: "done" } : gone;
    },
  };
}

/** The list is of the device that the body names, or that the token is for: with sessions of other requests in it. */
async function foundOf(
  http: NetworkHttp,
  body: NetworkBody,
  notify: Notify | undefined,
): Promise<FoundAnswer> {
  const { device } = body;
  const listed = await http.call({
    method: "POST",
    path: ["retrieve-sessions"],
    body: device === undefined ? {} : { device },
    answer: Sessions,
    mostBytes: LIST_BYTES,
  });
  if (listed.type !== "ok") return listed;
  // What says neither its name nor whose it is may be ours.
  const isNameless = ({ sessionId, sink = notify?.url }: SessionName): boolean =>
    sessionId === undefined && sink === notify?.url;
  if (listed.body.some(isNameless)) return UNREADABLE;
  const own = listed.body.filter((session) => isOwn(session, body, notify));
  return { type: "done", ids: own.flatMap(({ sessionId }) => sessionId ?? []) };
}

/**
 * Credentials are not told back, the sink is. Without one the packets say whose it is: no two sessions of a device may be
 * for the same.
 */
function isOwn(session: SessionName, body: NetworkBody, notify: Notify | undefined): boolean {
  if (!isId(session.sessionId ?? "") || session.sink !== notify?.url) return false;
  return notify !== undefined || sameBody(packetsOf(session), packetsOf(body));
}

const packetsOf = ({
  applicationServer,
  applicationServerPorts,
  devicePorts,
}: SessionName | NetworkBody): NetworkBody => ({
  applicationServer,
  applicationServerPorts,
  devicePorts,
});

const toldOf = (
  outcome:
    | Exclude<NetworkAnswer, { type: "done" }>
    | { readonly type: "ok"; readonly body: SessionInfo },
): NetworkAnswer =>
  outcome.type === "ok" ? { type: "done", status: statusOf(outcome.body) } : outcome;

function sinkOf(notify: Notify | undefined): object {
  if (!notify) return {};
  const { url, token, tokenExpiresAt } = notify;
  return {
    sink: url,
    sinkCredential: {
      credentialType: "ACCESSTOKEN",
      accessToken: token,
      accessTokenExpiresUtc: new Date(tokenExpiresAt).toISOString(),
      accessTokenType: "bearer",
    },
  };
}

function statusOf({ qosStatus, statusInfo, expiresAt, qosProfile }: SessionInfo): NetworkStatus {
  const profile = qosProfile === undefined ? {} : { profile: qosProfile };
  if (qosStatus === "REQUESTED") return { state: "requested", ...profile };
  if (qosStatus === "UNAVAILABLE") {
    return { state: "ended", reason: statusInfo ?? "UNAVAILABLE" };
  }
  const until = Date.parse(expiresAt ?? "");
  return { state: "granted", ...profile, ...(Number.isNaN(until) ? {} : { until }) };
}
