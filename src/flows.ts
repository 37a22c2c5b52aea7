import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { ContextRecord } from "../protocol/context-messages.ts";
import { Flow, FlowsView } from "../protocol/flow.ts";
import { FlowChange, FlowFilter } from "../protocol/flow-query.ts";
import type { AppEnv } from "./env.ts";
import { granted, invalidRequest, Refusal } from "./refusal.ts";
import { answers, SECURED } from "./schemas.ts";
import { memberOf } from "./sessions.ts";

/** /v1/sessions/{id}/flows and /contexts (M4, M5, M7). */

const tags = ["flows"];
const security = SECURED;
const params = z.object({ id: z.string() });
const flowParams = params.extend({ flowId: z.string().max(512) });

const list = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/flows",
  summary: "Media flows and their transports",
  description:
    "A peer reads the flows it sends or receives; the back end and observers all, ended ones included. Filters are " +
    "joined: a flow must fit all. A 5-tuple is looked up on every stretch of the way that was reported (to the peer, " +
    "to its TURN server, beyond it), from either end, by as many of its members as are given; flows that have ended " +
    "on the transport are found too, unless `state` says otherwise. Without a filter all transports are answered, " +
    "closed ones included; with any, only those that the flows found run on. For the back end `cname` is a keyed " +
    "hash, `h.` and 22 characters: equal for equal CNAMEs of the session.",
  tags,
  security,
  request: { params, query: FlowFilter },
  responses: answers(200, "Flows", FlowsView, "unauthorized", "session-not-found"),
});

const read = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/flows/{flowId}",
  summary: "One flow",
  tags,
  security,
  request: { params: flowParams },
  responses: answers(200, "The flow", Flow, "unauthorized", "session-not-found", "flow-not-found"),
});

const change = createRoute({
  method: "patch",
  path: "/v1/sessions/{id}/flows/{flowId}",
  summary: "Hold, resume, limit or prioritise a flow",
  description:
    "Who asks changes what it asked itself: `held: false` and null take it back, what is left out stays. A flow is " +
    "held while anybody holds it, the lowest limit counts, and the back end's priority goes before that of the " +
    "sender and the receiver; `requests` lists what is asked by whom, `applied` what the sender made of it. A flow " +
    "that only others hold cannot be resumed: `flow-held` names them in `heldBy`. Of data flows only the priority " +
    "can be set.",
  tags,
  security,
  request: {
    params: flowParams,
    body: { content: { "application/json": { schema: FlowChange } }, required: true },
  },
  responses: answers(
    200,
    "The flow as it is now",
    Flow,
    "unauthorized",
    "not-permitted",
    "session-not-found",
    "flow-not-found",
    "flow-ended",
    "flow-held",
    "flow-not-steerable",
  ),
});

const contexts = createRoute({
  method: "get",
  path: "/v1/sessions/{id}/contexts",
  summary: "Stream contexts of the media servers, and what they made of them",
  description: "A media server reads its own; the back end and observers all.",
  tags,
  security,
  request: { params },
  responses: answers(
    200,
    "Contexts",
    z.object({ contexts: z.array(ContextRecord) }),
    "unauthorized",
    "not-permitted",
    "session-not-found",
  ),
});

export const flows = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (!result.success) throw new Refusal(invalidRequest(result.error));
  },
});

flows.openapi(list, async (c) => {
  const { stub, asker } = memberOf(c, c.req.valid("param").id);
  return c.json(granted(await stub.flows(asker, c.req.valid("query"))), 200);
});

flows.openapi(contexts, async (c) => {
  const { stub, asker } = memberOf(c, c.req.valid("param").id);
  return c.json({ contexts: granted(await stub.contexts(asker)) }, 200);
});

flows.openapi(read, async (c) => {
  const { id, flowId } = c.req.valid("param");
  const { stub, asker } = memberOf(c, id);
  return c.json(granted(await stub.flow(asker, flowId)), 200);
});

flows.openapi(change, async (c) => {
  const { id, flowId } = c.req.valid("param");
  const { stub, asker } = memberOf(c, id);
  return c.json(granted(await stub.changeFlow(asker, flowId, c.req.valid("json"))), 200);
});
