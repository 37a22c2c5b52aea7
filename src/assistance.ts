import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { NOTIFY_PATH, readNotifyAddress } from "../durable-objects/network-notify.ts";
import { nefNotificationOf, qodEventOf } from "../protocol/assistance/notifications.ts";
import { AssistanceRequest, Boosted } from "../protocol/assistance/records.ts";
import { problem } from "../protocol/problem.ts";
import { bearerOf, keyOnly } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { clientOf, tooMany } from "./rate-limits.ts";
import { granted, invalidRequest, Refusal } from "./refusal.ts";
import { answers, emptyAnswer, SECURED } from "./schemas.ts";
import { sessionStub } from "./session-stub.ts";
import { memberOf, peerParams } from "./sessions.ts";

/** What mobile networks are asked for a session, and what they tell (M13, M14). */

const tags = ["assistance"];

/** A published notification has some kilobytes. */
const MAX_NOTIFICATION_BYTES = 65_536;

const read = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/assistance",
  summary: "What mobile networks are asked for a session, or would be",
  description:
    "For the back end: addresses of UEs are among it. After the session has ended this answers for as long as a network " +
    "may have something of it. In a dry run `body` is what would be sent.",
  middleware: keyOnly,
  tags,
  security: SECURED,
  request: { params: z.object({ id: z.string() }) },
  responses: answers(
    200,
    "Requests",
    z.object({ requests: z.array(AssistanceRequest) }),
    "unauthorized",
    "not-permitted",
    "session-not-found",
  ),
});

const boost = createRoute({
  method: "post",
  path: "/v1/sessions/{id}/peers/{peerId}/boost",
  summary: "Ask the mobile network of a peer for a delivery boost (TS 26.510)",
  description:
    "For the back end, and for the peer itself. `boosted` says whether the network does it; its bit rate recommendation is " +
    "read again at once.",
  tags,
  security: SECURED,
  request: { params: peerParams },
  responses: answers(
    200,
    "What came of it",
    Boosted,
    "unauthorized",
    "not-permitted",
    "session-not-found",
    "unknown-peer",
  ),
});

const notify = createRoute({
  method: "post",
  path: `${NOTIFY_PATH}/{address}`,
  summary: "A mobile network tells what became of a request",
  description:
    "The address was given to the network with the request and is signed; with CAMARA a bearer token is too (`sinkCredential`). " +
    "The body is a CloudEvent of CAMARA quality-on-demand or a UserPlaneNotificationData of TS 29.122. What is told twice, or too " +
    "late, changes nothing. 410 when the request is over: nothing more need be told.",
  tags,
  request: { params: z.object({ address: z.string().max(2048) }) },
  responses: emptyAnswer(
    "Taken",
    "unauthorized",
    "invalid-request",
    "assistance-over",
    "rate-limited",
  ),
});

function refuseInvalid(result: { readonly success: boolean; readonly error?: z.ZodError }): void {
  if (result.error) throw new Refusal(invalidRequest(result.error));
}

/** The door for networks; open to whoever knows an address that was given out. */
export const networkNotifications = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });

networkNotifications.use(`${NOTIFY_PATH}/*`, bodyLimit({ maxSize: MAX_NOTIFICATION_BYTES }));

networkNotifications.openapi(notify, async (c) => {
  const address = await addressIn(c as Context<AppEnv>);
  const json: unknown = await c.req.json().catch(() => undefined);
  const news = address.api === "camara-qod" ? qodEventOf(json) : nefNotificationOf(json);
  if (!news) throw new Refusal(problem("invalid-request", "this is no notification that is known"));
  const { status, ...about } = news;
  // A test of whether we are there.
  if (!status) return c.body(null, 204);
  const told = { generation: address.generation, status, ...about };
  const stub = sessionStub(c as Context<AppEnv>, address.session);
  const isTaken = await stub.networkTold(address.key, told);
  if (!isTaken)
    throw new Refusal(problem("assistance-over", "nothing is asked for there any more"));
  return c.body(null, 204);
});

/** What an address is about that we have given out. Refuses any other. */
async function addressIn(c: Context<AppEnv>) {
  const bearer = bearerOf(c);
  const address = await readNotifyAddress(c.env, c.req.param("address") ?? "", bearer);
  if (!address) {
    // Nobody guesses one; whoever tries is slowed down.
    const hasty = await tooMany(c, "CONNECTS", clientOf(c));
    throw new Refusal(hasty ?? problem("unauthorized", "no such address was given out"));
  }
  // Each is a wake of the session, and may be a row and a message to its peers.
  const flooded = await tooMany(c, "PEER_REQUESTS", `told ${address.session} ${address.key}`);
  if (flooded) throw new Refusal(flooded);
  const network = c.get("config").assistance.networks.find(({ name }) => name === address.network);
  // One that is asked no more has nothing to tell, whatever its kind was.
  if (!network)
    throw new Refusal(problem("assistance-over", "nothing is asked of this network any more"));
  const { api } = network;
  if (api === "camara-qod" && !address.isBearer) {
    throw new Refusal(problem("unauthorized", "the bearer token that was given with the address"));
  }
  return { ...address, api };
}

export const assistance = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });

assistance.openapi(read, async (c) => {
  const stub = sessionStub(c as Context<AppEnv>, c.req.valid("param").id);
  return c.json({ requests: [...granted(await stub.assistance())] }, 200);
});

assistance.openapi(boost, async (c) => {
  const { id, peerId } = c.req.valid("param");
  const { stub, asker } = memberOf(c as Context<AppEnv>, id);
  return c.json(granted(await stub.boost(asker, peerId)), 200);
});
