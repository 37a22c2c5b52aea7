import { z } from "zod";
import type { NetworkAccess } from "../../protocol/assistance/access.ts";
import type { FoundAnswer, NetworkBody, Notify } from "../../protocol/assistance/network.ts";
import { Anything, Subscription, Subscriptions } from "./answers.ts";
import { idOf, isId, NetworkHttp } from "./network-http.ts";
import type { NetworkPort } from "./network-port.ts";
import type { NetworkSurroundings } from "./network-sending.ts";

const COLLECTION = "subscriptions";
const LIST_BYTES = 1_048_576;
const NOT_AN_ID = { type: "refused", reason: "not-an-id" } as const;
const NOWHERE = { type: "refused", reason: "no-notify-address" } as const;

/**
 * NEF AsSessionWithQoS (TS 29.122 s5.14). What becomes of a subscription is notified only: it has no state that could be
 * read. Changes are whole replacements, since a patch cannot take members away, nor change all of them.
 */
export function nefQos(access: NetworkAccess, around: NetworkSurroundings): NetworkPort {
  const http = new NetworkHttp(access, around);
  const folder = [access.scsAsId ?? "", COLLECTION];
  return {
    async create(body, notify) {
      if (!notify) return NOWHERE;
      const made = await http.call({
        method: "POST",
        path: folder,
        body: { ...body, notificationDestination: notify.url },
        answer: z.unknown(),
      });
      if (made.type !== "ok") return made;
      // Its name is all that is needed, whatever else is said.
      const { self } = Subscription.safeParse(made.body).data ?? {};
      const id = idOf(made.headers.get("location"), COLLECTION) ?? idOf(self, COLLECTION);
      return id === undefined ? { type: "unknown", reason: "no-location" } : { type: "done", id };
    },

    async find(body, notify) {
      return foundOf(http, folder, body, notify);
    },

    async read(id) {
      if (!isId(id)) return NOT_AN_ID;
      const read = await http.call({ method: "GET", path: [...folder, id], answer: Anything });
      return read.type === "ok" ? { type: "done" } : read;
    },

    async change(id, body, notify) {
      if (!isId(id)) return NOT_AN_ID;
      if (!notify) return NOWHERE;
      const next = { ...body, notificationDestination: notify.url };
      const put = await http.call({ method: "PUT", path: [...folder, id], body: next });
      return put.type === "ok" ? { type: "done" } : put;
    },

    async remove(id) {
      if (!isId(id)) return NOT_AN_ID;
      const gone = await http.call({ method: "DELETE", path: [...folder, id] });
      return gone.type === "ok" ? { type: "done" } : gone;
    },
  };
}

/** All of this application's for the UE, by where they notify. */
async function foundOf(
  http: NetworkHttp,
  folder: readonly string[],
  { ueIpv4Addr, ueIpv6Addr, ipDomain }: NetworkBody,
  notify: Notify | undefined,
): Promise<FoundAnswer> {
  if (!notify) return NOWHERE;
  const address =
    (typeof ueIpv4Addr === "string" && { ipv4Addr: ueIpv4Addr }) ||
    (typeof ueIpv6Addr === "string" && { ipv6Addr: ueIpv6Addr });
  const domain = typeof ipDomain === "string" ? { "ip-domain": ipDomain } : {};
  const listed = await http.call({
    method: "GET",
    path: folder,
    ...(address && { query: { "ip-addrs": JSON.stringify([address]), ...domain } }),
    answer: Subscriptions,
    mostBytes: LIST_BYTES,
  });
  // Some have no collection as long as nothing is in it.
  if (listed.type === "gone") return { type: "done", ids: [], isListGone: true };
  if (listed.type !== "ok") return listed;
  const own = listed.body.filter((each) => each.notificationDestination === notify.url);
  const ids = own.map(({ self }) => idOf(self, COLLECTION));
  // A list whose entries have no name is as good as none.
  return ids.every((id) => id !== undefined)
    ? { type: "done", ids }
    : { type: "unknown", reason: "unreadable-answer" };
}
