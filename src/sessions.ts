import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { PeerView } from "../protocol/message-parts.ts";
import { PeerRequest, TokenRequest } from "../protocol/session-config.ts";
import { keyOnly, memberPrincipal } from "./auth.ts";
import type { AppEnv, Principal } from "./env.ts";
import { grantAnew, grantFor, invitation } from "./invitations.ts";
import { admitCreation, withinQuota } from "./key-quota.ts";
import { granted, invalidRequest, Refusal } from "./refusal.ts";
import {
  answers,
  CreatedSession,
  emptyAnswer,
  Findings,
  PeerGrant,
  SECURED,
  SessionBody,
  SessionCreation,
  SessionList,
} from "./schemas.ts";
import { listedSessions, withListing } from "./session-list.ts";
import { isSessionId, newSessionStub, sessionStub } from "./session-stub.ts";
import { networksOfKey } from "./ue.ts";

/** /v1/sessions and what is below it, flows and signalling excepted (M1). */

const tags = ["sessions"];
const security = SECURED;
const params = z.object({ id: z.string() });
export const peerParams = params.extend({ peerId: z.string().max(64) });
const json = <T extends z.ZodType>(schema: T) => ({
  body: { content: { "application/json": { schema } }, required: false },
});

const create = createRoute({
  method: "post",
  path: "/v1/sessions",
  summary: "Start a session",
  middleware: keyOnly,
  tags,
  security,
  request: json(SessionCreation),
  responses: answers(
    201,
    "The session; Location names it",
    CreatedSession,
    "unauthorized",
    "not-permitted",
    "misconfigured",
    "jurisdiction-unavailable",
    "turn-unavailable",
    "rate-limited",
    "session-quota",
  ),
});

const list = createRoute({
  method: "get",
  path: "/v1/sessions",
  summary: "Sessions that this API key created with `listed: true`, newest first",
  description:
    "Sessions that come or go meanwhile change nothing on the pages after. Every session of a page is asked: one object request each.",
  middleware: keyOnly,
  tags,
  security,
  request: {
    query: z.object({
      cursor: z
        .string()
        .regex(/^\d{1,15}$/, "the cursor of a page")
        .optional(),
      limit: z.coerce.number().int().min(1).max(100).default(100),
    }),
  },
  responses: answers(200, "A page of sessions", SessionList, "unauthorized", "not-permitted"),
});

const read = createRoute({
  method: "get",
  path: "/v1/sessions/{id}",
  summary: "A session: configuration, peers, links, flow counts",
  tags,
  security,
  request: { params },
  responses: answers(200, "The session", SessionBody, "unauthorized", "session-not-found"),
});

const end = createRoute({
  method: "delete",
  path: "/v1/sessions/{id}",
  summary: "End a session; idempotent",
  middleware: keyOnly,
  tags,
  security,
  request: { params },
  responses: emptyAnswer("It has ended", "unauthorized", "not-permitted"),
});

const invite = createRoute({
  method: "post",
  path: "/v1/sessions/{id}/peers",
  summary: "Make a token for a peer",
  description: "Writes nothing: the token is the peer until it joins. Every call makes a new peer.",
  middleware: keyOnly,
  tags,
  security,
  request: { params, ...json(PeerRequest) },
  responses: answers(
    201,
    "The peer, its token and where to signal",
    PeerGrant,
    "unauthorized",
    "not-permitted",
    "session-not-found",
    "turn-unavailable",
  ),
});

const prolong = createRoute({
  method: "post",
  path: "/v1/sessions/{id}/peers/{peerId}/token",
  summary: "Make a newer token for a peer that has joined",
  description:
    "Its rights are those that the peer has. Writes nothing: the peer stays longer once it has opened a socket with it; the token before holds until its end, or until the peer is kicked. Peers that came by HTTP have no use for one.",
  middleware: keyOnly,
  tags,
  security,
  request: { params: peerParams, ...json(TokenRequest) },
  responses: answers(
    201,
    "The peer, its newer token and where to signal",
    PeerGrant,
    "unauthorized",
    "not-permitted",
    "session-not-found",
    "unknown-peer",
    "turn-unavailable",
  ),
});

const peers = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/peers",
  summary: "Peers that have joined",
  tags,
  security,
  request: { params },
  responses: answers(
    200,
    "The peers",
    z.object({ peers: z.array(PeerView) }),
    "unauthorized",
    "session-not-found",
  ),
});

const kick = createRoute({
  method: "delete",
  path: "/v1/sessions/{id}/peers/{peerId}",
  summary: "Kick a peer; its token dies",
  middleware: keyOnly,
  tags,
  security,
  request: { params: peerParams },
  responses: emptyAnswer("It is gone", "unauthorized", "not-permitted", "session-not-found"),
});

const findings = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/findings",
  summary: "What the SDP rules found in all descriptions and candidates, refused ones included",
  tags,
  security,
  request: { params },
  responses: answers(
    200,
    "Findings, newest last in each link",
    Findings,
    "unauthorized",
    "not-permitted",
    "session-not-found",
  ),
});

/** As whom the session object is asked: nobody in particular for the back end. */
export const askerOf = (principal: Principal) =>
  principal.kind === "key" ? undefined : { peer: principal.grant.peer, role: principal.grant.role };

/** The session object and who asks it; throws the refusal. */
export function memberOf(c: Context<AppEnv>, id: string) {
  const principal = memberPrincipal(c, id);
  return { stub: sessionStub(c, id), asker: askerOf(principal), principal };
}

export const sessions = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (!result.success) throw new Refusal(invalidRequest(result.error));
  },
});

sessions.openapi(create, async (c) => {
  const { invite: guests, ...config } = SessionCreation.parse(c.req.valid("json") ?? {});
  await admitCreation(c);
  const { id, stub } = granted(newSessionStub(c, config));
  // Before the session is: nobody is left with one to which nobody can be invited.
  const invited = await Promise.all(
    (guests ?? []).map((guest) => invitation(c, grantFor(id, guest))),
  );
  const networks = networksOfKey(c);
  const session = await withinQuota(c, id, (quota) =>
    withListing(c, id, config.listed, (listing) =>
      stub.create(id, config, {
        ...(quota && { quota }),
        ...(listing && { listing }),
        ...(networks && { networks }),
      }),
    ),
  );
  c.header("location", `/v1/sessions/${id}`);
  return c.json({ ...session, ...(guests && { invited }) }, 201);
});

sessions.openapi(list, async (c) => c.json(await listedSessions(c, c.req.valid("query")), 200));

sessions.openapi(read, async (c) => {
  const { stub, asker } = memberOf(c, c.req.valid("param").id);
  return c.json(granted(await stub.view(asker)), 200);
});

sessions.openapi(end, async (c) => {
  const { id } = c.req.valid("param");
  if (isSessionId(id)) await sessionStub(c, id).end();
  return c.body(null, 204);
});

sessions.openapi(invite, async (c) => {
  const { id } = c.req.valid("param");
  const stub = sessionStub(c, id);
  granted(await stub.view(undefined));
  const asked = PeerRequest.parse(c.req.valid("json") ?? {});
  return c.json(await invitation(c, grantFor(id, asked)), 201);
});

sessions.openapi(prolong, async (c) => {
  const { id, peerId } = c.req.valid("param");
  const views = granted(await sessionStub(c, id).peers(undefined));
  const { ttlSeconds } = TokenRequest.parse(c.req.valid("json") ?? {});
  return c.json(await invitation(c, granted(grantAnew(id, peerId, views, ttlSeconds))), 201);
});

sessions.openapi(peers, async (c) => {
  const { stub, asker } = memberOf(c, c.req.valid("param").id);
  return c.json({ peers: granted(await stub.peers(asker)) }, 200);
});

sessions.openapi(kick, async (c) => {
  const { id, peerId } = c.req.valid("param");
  granted(await sessionStub(c, id).kick(peerId));
  return c.body(null, 204);
});

sessions.openapi(findings, async (c) => {
  const { stub, asker } = memberOf(c, c.req.valid("param").id);
  return c.json({ findings: granted(await stub.findings(asker)) }, 200);
});
