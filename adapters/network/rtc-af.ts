import { z } from "zod";
import type { NetworkAccess } from "../../protocol/assistance/access.ts";
import { bpsOf } from "../../protocol/assistance/bit-rate.ts";
import type {
  NetworkAnswer,
  NetworkBody,
  NetworkStatus,
} from "../../protocol/assistance/network.ts";
import { Boosted, Named, Policy, Recommendation, Recommended } from "./answers.ts";
import { idOf, isId, NetworkHttp } from "./network-http.ts";
import type { NetworkPort } from "./network-port.ts";
import type { NetworkSurroundings } from "./network-sending.ts";

const POLICIES = "dynamic-policies";
const ASSISTANCE = "network-assistance-sessions";
const NOT_AN_ID = { type: "refused", reason: "not-an-id" } as const;
const UNREADABLE = { type: "unknown", reason: "unreadable-answer" } as const;

/**
 * RTC AF session handling (TS 26.510): dynamic policies and network assistance sessions, which their bodies tell apart.
 * Ids here are `<collection>/<id>`. There is no list, so a create whose answer is lost cannot be looked for; changes are
 * told by MQTT only, so recommendations are read.
 */
export function rtcAf(access: NetworkAccess, around: NetworkSurroundings): NetworkPort {
  const http = new NetworkHttp(access, around);
  const folder = ["provisioning-sessions", access.provisioningSession ?? ""];
  return {
    async create(body) {
      const collection = collectionOf(body);
      // The published path of assistance sessions ends with a slash.
      const path = [...folder, collection, ...(collection === ASSISTANCE ? [""] : [])];
      const made = await http.call({ method: "POST", path, body, answer: z.unknown() });
      if (made.type !== "ok") return made;
      const id = idOf(made.headers.get("location"), collection) ?? ownNameIn(made.body, collection);
      if (id === undefined) return { type: "unknown", reason: "no-location" };
      // Its name is what matters: what else is said can be read again.
      const isPolicy = collection === POLICIES;
      const status = isPolicy ? policyStatusOf(made.body) : assistanceStatusOf(made.body);
      return { type: "done", id: `${collection}/${id}`, status };
    },

    async read(name) {
      const path = pathOf(folder, name);
      if (!path) return NOT_AN_ID;
      if (name.startsWith(ASSISTANCE)) return recommended(http, path);
      const read = await http.call({ method: "GET", path, answer: Policy });
      return read.type === "ok" ? { type: "done", status: policyStatusOf(read.body) } : read;
    },

    async change(name, body) {
      const path = pathOf(folder, name);
      if (!path) return NOT_AN_ID;
      // It is nobody else's; what is gone must not come back by it (RFC 9110 s13.1.1).
      const headers = { "if-match": "*" };
      const put = await http.call({ method: "PUT", path, body, headers });
      return put.type === "ok" ? { type: "done" } : put;
    },

    async remove(name) {
      const path = pathOf(folder, name);
      if (!path) return NOT_AN_ID;
      const gone = await http.call({ method: "DELETE", path });
      return gone.type === "ok" ? { type: "done" } : gone;
    },

    async boost(name) {
      const path = pathOf(folder, name);
      if (!path || !name.startsWith(ASSISTANCE)) return NOT_AN_ID;
      const call = { method: "POST", path: [...path, "boost"], answer: Boosted } as const;
      const boosted = await http.call(call);
      if (boosted.type !== "ok") return boosted;
      // Its reason is a sentence, which may say anything.
      return boosted.body.success ? { type: "done" } : { type: "refused", reason: "no-boost" };
    },
  };
}

const GRANTED: NetworkStatus = { state: "granted" };

const collectionOf = (body: NetworkBody): typeof POLICIES | typeof ASSISTANCE =>
  "applicationFlowBindings" in body ? POLICIES : ASSISTANCE;

/** Members of its representation that the AF has to give it: without a link they are all that names it. */
function ownNameIn(body: unknown, collection: string): string | undefined {
  const { dynamicPolicyId, naSessionId } = Named.safeParse(body).data ?? {};
  const id = collection === POLICIES ? dynamicPolicyId : naSessionId;
  return id !== undefined && isId(id) ? id : undefined;
}

const policyStatusOf = (body: unknown): NetworkStatus => ({
  state: Policy.safeParse(body).data?.qosEnforcement ? "granted" : "requested",
});

/** It may recommend from the beginning. */
function assistanceStatusOf(body: unknown): NetworkStatus {
  const { data } = Recommended.safeParse(body);
  const advised = data && advisedOf(data.recommendedQoS);
  return advised ? { ...GRANTED, advised } : GRANTED;
}

/** Below the provisioning session; undefined for what is none of its resources. */
function pathOf(folder: readonly string[], name: string): readonly string[] | undefined {
  const [collection = "", id = "", ...more] = name.split("/");
  const isKnown = collection === POLICIES || collection === ASSISTANCE;
  return isKnown && isId(id) && more.length === 0 ? [...folder, collection, id] : undefined;
}

async function recommended(http: NetworkHttp, path: readonly string[]): Promise<NetworkAnswer> {
  const read = await http.call({
    method: "GET",
    path: [...path, "recommendation"],
    answer: Recommendation,
  });
  if (read.type !== "ok") return read;
  const advised = advisedOf(read.body);
  return advised ? { type: "done", status: { ...GRANTED, advised } } : UNREADABLE;
}

/** Undefined where the rates cannot be read. */
function advisedOf({
  uplinkBitRates,
  downlinkBitRates,
}: z.infer<typeof Recommendation>): NetworkStatus["advised"] {
  const uplinkBps = bpsOf(uplinkBitRates.maximumRequestedBitRate);
  const downlinkBps = bpsOf(downlinkBitRates.maximumRequestedBitRate);
  return uplinkBps === undefined || downlinkBps === undefined
    ? undefined
    : { uplinkBps, downlinkBps };
}
