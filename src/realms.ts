import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { iceServersOf } from "../durable-objects/ice-servers.ts";
import { newPeerId } from "../durable-objects/random-id.ts";
import { realmStub } from "../durable-objects/realm-commands.ts";
import { SWAP_SUBPROTOCOL } from "../durable-objects/realm-sockets.ts";
import { Kind } from "../protocol/flow.ts";
import { problem } from "../protocol/problem.ts";
import { type Grant, ueClaimsOf } from "../protocol/session-config.ts";
import { keyOnly, mintToken } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { granted, invalidRequest, Refusal } from "./refusal.ts";
import {
  answers,
  EndpointCall,
  EndpointGrant,
  EndpointRequest,
  EndpointSeat,
  emptyAnswer,
  PeerRegistration,
  RealmBody,
  SECURED,
} from "./schemas.ts";
import { sessionStub } from "./session-stub.ts";
import { isRealm, realmClaim, realmUrl } from "./swap.ts";

/** /v1/realms: the realms of SWAP endpoints, for their operator (M9). */

const tags = ["realms"];
const security = SECURED;
const params = z.object({ realm: z.string().refine(isRealm, "a name such as home-3") });

const peerParams = params.extend({ peerId: z.string().max(64) });
const json = <T extends z.ZodType>(schema: T, required = true) => ({
  body: { content: { "application/json": { schema } }, required },
});

const read = createRoute({
  method: "get",
  path: "/v1/realms/{realm}",
  summary: "The endpoints of a SWAP realm that are connected, and the sessions they are in",
  middleware: keyOnly,
  tags,
  security,
  request: { params },
  responses: answers(200, "The realm", RealmBody, "unauthorized", "not-permitted"),
});

const invite = createRoute({
  method: "post",
  path: "/v1/realms/{realm}/endpoints",
  summary: "Make a token for an endpoint",
  description:
    "Writes nothing. Whoever connects with the token speaks for the source it names, and for no other; nobody else can " +
    "speak for that while it is connected.",
  middleware: keyOnly,
  tags,
  security,
  request: { params, ...json(EndpointRequest, false) },
  responses: answers(
    201,
    "The source, its token and where to connect",
    EndpointGrant,
    "unauthorized",
    "not-permitted",
    "turn-unavailable",
  ),
});

const call = createRoute({
  method: "post",
  path: "/v1/realms/{realm}/calls",
  summary: "Bring an endpoint into a session",
  description:
    "It is a peer of the session from then on; whoever publishes to it calls it. Named by `target`, its source, or by " +
    "criteria that it has to match.",
  middleware: keyOnly,
  tags,
  security,
  request: { params, ...json(EndpointCall) },
  responses: answers(
    201,
    "The peer that the endpoint is in the session",
    EndpointSeat,
    "unauthorized",
    "not-permitted",
    "session-not-found",
    "session-full",
    "unknown-peer",
  ),
});

const register = createRoute({
  method: "put",
  path: "/v1/realms/{realm}/peers/{peerId}",
  summary: "Let endpoints find a peer of a session, as if it had registered these criteria",
  middleware: keyOnly,
  tags,
  security,
  request: { params: peerParams, ...json(PeerRegistration) },
  responses: emptyAnswer("It can be found", "unauthorized", "not-permitted", "session-not-found"),
});

const unregister = createRoute({
  method: "delete",
  path: "/v1/realms/{realm}/peers/{peerId}",
  summary: "Endpoints find the peer no more",
  middleware: keyOnly,
  tags,
  security,
  request: { params: peerParams },
  responses: emptyAnswer("It cannot be found", "unauthorized", "not-permitted"),
});

export const realms = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (!result.success) throw new Refusal(invalidRequest(result.error));
  },
});

realms.openapi(read, async (c) => {
  const { realm } = c.req.valid("param");
  const endpoints = await realmStub(c.env, realm).view();
  return c.json(bodyOf(realm, endpoints), 200);
});

function bodyOf(
  realm: string,
  endpoints: Awaited<ReturnType<ReturnType<typeof realmStub>["view"]>>,
) {
  const sessions = new Map<string, string[]>();
  for (const { source, calls } of endpoints) {
    for (const { session } of calls)
      sessions.set(session, [...(sessions.get(session) ?? []), source]);
  }
  return {
    realm,
    endpoints: endpoints.map(({ source, dialect, criteria, calls }) => ({
      source,
      dialect,
      ...(criteria && { criteria: criteria.map(({ type, value }) => ({ type, value })) }),
      calls: [...calls],
    })),
    sessions: [...sessions].map(([id, sources]) => ({ id, endpoints: sources })),
  };
}

realms.openapi(invite, async (c) => {
  const { realm } = c.req.valid("param");
  const asked = EndpointRequest.parse(c.req.valid("json") ?? {});
  const grant = grantFor(realm, asked, Date.now());
  const config = c.get("config");
  const ice = await iceServersOf(config, grant, Date.now()).catch(() => {
    throw new Refusal(problem("turn-unavailable", "no TURN credentials can be had now"));
  });
  const { peer: source, expiresAt } = grant;
  const signalling = { url: realmUrl(c as Context<AppEnv>, realm), protocol: SWAP_SUBPROTOCOL };
  const token = await mintToken(config, grant);
  return c.json({ source, token, expiresAt, signalling, iceServers: [...ice.iceServers] }, 201);
});

realms.openapi(call, async (c) => {
  const { session, target, criteria } = c.req.valid("json");
  sessionStub(c as Context<AppEnv>, session);
  const { realm } = c.req.valid("param");
  const seat = granted(await realmStub(c.env, realm).invite(session, { target, criteria }));
  return c.json(seat, 201);
});

realms.openapi(register, async (c) => {
  const { realm, peerId: peer } = c.req.valid("param");
  const { session, criteria } = c.req.valid("json");
  granted(await sessionStub(c as Context<AppEnv>, session).view(undefined));
  await realmStub(c.env, realm).register({ session, peer, criteria });
  return c.body(null, 204);
});

realms.openapi(unregister, async (c) => {
  const { realm, peerId } = c.req.valid("param");
  await realmStub(c.env, realm).unregister(peerId);
  return c.body(null, 204);
});

const grantFor = (
  realm: string,
  { source = newPeerId(), ttlSeconds, ...claims }: z.output<typeof EndpointRequest>,
  at: number,
): Grant => ({
  session: realmClaim(realm),
  peer: source,
  role: "peer",
  publish: Kind.options,
  subscribe: Kind.options,
  ...ueClaimsOf(claims),
  expiresAt: (Math.floor(at / 1000) + ttlSeconds) * 1000,
});
