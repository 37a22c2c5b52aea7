import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { NewHttpSession } from "../durable-objects/http-session-commands.ts";
import { randomId } from "../durable-objects/random-id.ts";
import { isProblem, PROBLEMS, type Problem, problem } from "../protocol/problem.ts";
import { type Fragment, readFragment } from "../protocol/whip/fragment.ts";
import type { Door } from "../protocol/whip/http-session.ts";
import { conditionOf } from "../protocol/whip/precondition.ts";
import type { AppEnv } from "./env.ts";
import { answerError, answerProblem, granted, Refusal } from "./refusal.ts";
import { isSessionId, sessionStub } from "./session-stub.ts";
import { grantAsSeen, seenUe } from "./ue.ts";
import {
  admitRequest,
  grantFor,
  grantIfAny,
  limitRequests,
  limitStrangers,
} from "./whip-access.ts";
import { bodyOf } from "./whip-body.ts";
import {
  asksForLink,
  isPreflight,
  linksFor,
  SDP,
  SDP_FRAGMENT,
  setCommonHeaders,
  setLinks,
  setMethods,
  setPreflightHeaders,
} from "./whip-headers.ts";

/** /v1/sessions/{id}/whip (RFC 9725), /v1/sessions/{id}/whep, and the sessions below them (M8). */

type Respond<P> = (c: Context<AppEnv>, place: P) => Response | Promise<Response>;

interface Endpoint {
  readonly door: Door;
  readonly session: string;
}

/** The URL of an HTTP session: whoever knows it may use it (W2). */
interface Resource extends Endpoint {
  readonly resource: string;
}

const ENDPOINT: ReadonlyMap<string, Respond<Endpoint>> = new Map([
  ["GET", discover],
  ["HEAD", discover],
  ["OPTIONS", describeEndpoint],
  ["POST", open],
]);

const RESOURCE: ReadonlyMap<string, Respond<Resource>> = new Map([
  ["GET", see],
  ["HEAD", see],
  ["OPTIONS", describeResource],
  ["PATCH", patch],
  ["DELETE", close],
]);

/** 130 bits, as RFC 9725 s5 wants of what is not to be guessed. */
const RESOURCE_SYMBOLS = 26;
const RESOURCE_ID = /^[0-9a-hjkmnp-tv-z]{26}$/;

/** As tokens have it. */
const PEER_ID = /^[\w-]{1,64}$/;

/** Mounts both doors: before whatever else has CORS or authorisation of its own. */
export function mountHttpDoors(app: OpenAPIHono<AppEnv>): void {
  for (const door of ["whip", "whep"] as const) {
    const path = `/v1/sessions/:id/${door}`;
    app.all(path, (c) => {
      const session = c.req.param("id") ?? "";
      const isKnown = isSessionId(session);
      const missing = isKnown ? undefined : problem("session-not-found", "no session has this id");
      return answerAt(c, ENDPOINT, { door, session }, missing);
    });
    app.all(`${path}/:resource`, (c) => {
      const session = c.req.param("id") ?? "";
      const resource = c.req.param("resource") ?? "";
      const isKnown = isSessionId(session) && RESOURCE_ID.test(resource);
      const missing = isKnown ? undefined : problem("resource-not-found", "nothing is here");
      return answerAt(c, RESOURCE, { door, session, resource }, missing);
    });
  }
}

/** What an address answers; `missing` says that there can be nothing at it. */
async function answerAt<P extends Endpoint>(
  c: Context<AppEnv>,
  methods: ReadonlyMap<string, Respond<P>>,
  place: P,
  missing: Problem | undefined,
): Promise<Response> {
  setCommonHeaders(c);
  try {
    const respond = methods.get(c.req.method);
    // A preflight that is refused hides from the page why.
    if (isPreflight(c) && respond) return await respond(c, place);
    if (missing) throw new Refusal(missing);
    if (!respond || c.req.method === "OPTIONS") c.header("allow", [...methods.keys()].join(", "));
    if (!respond) throw new Refusal(problem("method-not-allowed", "Allow says what there is"));
    admitRequest(c);
    return await respond(c, place);
  } catch (thrown) {
    return thrown instanceof Refusal ? refuse(c, thrown.problem) : answerError(thrown as Error, c);
  }
}

/** When it is worth to come again; of other problems of these statuses we know only that they pass. */
const RETRY_SECONDS: Readonly<Record<string, number>> = {
  "not-live": 2,
  "publisher-busy": 5,
  "session-full": 30,
};
const PASSING = [429, 503];
const PASSING_SECONDS = 5;

/** Answers with a problem. MediaMTX shows its user the member `error`, which RFC 9457 leaves free. */
function refuse(c: Context<AppEnv>, what: Problem): Response {
  const { retryAfterSeconds: said } = what;
  const passes = PASSING.includes(PROBLEMS[what.code].status);
  const seconds = said ?? RETRY_SECONDS[what.code] ?? (passes ? PASSING_SECONDS : undefined);
  if (seconds !== undefined) c.header("retry-after", String(seconds));
  return answerProblem(c, { ...what, error: what.detail });
}

/** HEAD tells a player that there is WHEP to be had here, and GET has to say the same as HEAD. */
async function discover(c: Context<AppEnv>, { door, session }: Endpoint): Promise<Response> {
  await grantIfAny(c, session);
  if (door === "whip") return c.body(null, 204);
  return c.body(null, 200, { "content-type": SDP, "content-length": "0" });
}

async function describeEndpoint(c: Context<AppEnv>, { session }: Endpoint): Promise<Response> {
  c.header("accept-post", SDP);
  return describe(c, session);
}

async function describeResource(c: Context<AppEnv>, { session }: Endpoint): Promise<Response> {
  c.header("accept-patch", SDP_FRAGMENT);
  return describe(c, session);
}

/** ICE servers are for whoever shows a token: stacks that take none after the offer ask here (RFC 9725 s4.6). */
async function describe(c: Context<AppEnv>, session: string): Promise<Response> {
  if (isPreflight(c)) setPreflightHeaders(c);
  else setMethods(c);
  if (isPreflight(c) && !asksForLink(c)) return c.body(null, 200);
  const grant = await grantIfAny(c, session).catch((thrown: unknown) => {
    if (isPreflight(c)) return undefined;
    throw thrown;
  });
  if (grant) {
    await limitRequests(c, grant.peer);
    // A kicked peer's token still verifies; only its session knows that it is dead (A3).
    granted(await sessionStub(c, session).peers({ peer: grant.peer, role: grant.role }));
    setLinks(c, await linksFor(c, grant));
  }
  return c.body(null, 200);
}

async function open(c: Context<AppEnv>, { door, session }: Endpoint): Promise<Response> {
  const grant = await grantFor(c, session, door);
  await limitRequests(c, grant.peer);
  const body = granted(await bodyOf(c, [SDP]));
  if (body.text.trim() === "") throw new Refusal(problem("sdp-invalid", "the body has no offer"));
  const peer = c.req.query("peer");
  if (peer !== undefined && !PEER_ID.test(peer)) {
    throw new Refusal(problem("unknown-peer", "no such peer is in the session"));
  }
  const resource = randomId(RESOURCE_SYMBOLS);
  const ask = {
    door,
    grant: grantAsSeen(c, grant),
    resource,
    offer: body.text,
    ...(peer !== undefined && { peer }),
  };
  const [opened, links] = await Promise.all([openWhileThere(c, ask), linksFor(c, grant)]);
  const { type, sdp, tag } = granted(opened);
  setLinks(c, links);
  // An offer of the other side is a refusal of this one (WHEP draft s4.3.2).
  return c.body(sdp, type === "answer" ? 201 : 406, {
    "content-type": SDP,
    location: new URL(`/v1/sessions/${session}/${door}/${resource}`, c.req.url).href,
    etag: `"${tag}"`,
    "accept-patch": SDP_FRAGMENT,
  });
}

/** Waits for the answer, and tells the session when the client waits no longer. */
async function openWhileThere(c: Context<AppEnv>, ask: NewHttpSession) {
  const { signal } = c.req.raw;
  const stub = sessionStub(c, ask.grant.session);
  const abandon = (): void =>
    c.executionCtx.waitUntil(stub.abandonHttpSession(ask.door, ask.resource));
  signal.addEventListener("abort", abandon, { once: true });
  try {
    return await stub.openHttpSession(ask);
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

/** The grant of the token that came along, if one did; counts the request. */
async function visitorOf(c: Context<AppEnv>, { session, resource }: Resource) {
  const grant = await grantIfAny(c, session);
  if (!grant) await limitStrangers(c);
  await limitRequests(c, grant?.peer ?? resource);
  return grant;
}

async function see(c: Context<AppEnv>, place: Resource): Promise<Response> {
  const by = (await visitorOf(c, place))?.peer;
  granted(await sessionStub(c, place.session).seeHttpSession(place.door, place.resource, by));
  return c.body(null, 204);
}

async function patch(c: Context<AppEnv>, place: Resource): Promise<Response> {
  const { door, session, resource } = place;
  const grant = await visitorOf(c, place);
  const by = grant?.peer;
  const stub = sessionStub(c, session);
  const said = await patchSaid(c, door);
  // Where there is no session, that is the news.
  if (isProblem(said)) throw new Refusal((await stub.seeHttpSession(door, resource, by)) ?? said);
  if ("sdp" in said) {
    granted(await stub.answerHttpSession(door, resource, said.sdp, by));
    return c.body(null, 204);
  }
  const condition = conditionOf(c.req.header("if-match"), c.req.header("etag"));
  const ue = seenUe(c, grant ?? {});
  const patcher = { ...(by !== undefined && { by }), ...(ue && { ue }) };
  const patched = granted(
    await stub.patchHttpSession(door, resource, condition, said.fragment, patcher),
  );
  // RFC 9725 s4.3.2: trickle is answered without body and without entity tag.
  if (patched === null) return c.body(null, 204);
  return c.body(patched.fragment, 200, {
    "content-type": SDP_FRAGMENT,
    etag: `"${patched.tag}"`,
  });
}

/** Candidates or a restart; from a player also its answer to a counter-offer. */
async function patchSaid(
  c: Context<AppEnv>,
  door: Door,
): Promise<{ readonly sdp: string } | { readonly fragment: Fragment } | Problem> {
  const body = await bodyOf(c, door === "whep" ? [SDP_FRAGMENT, SDP] : [SDP_FRAGMENT]);
  if (isProblem(body)) return body;
  if (body.type === SDP) return { sdp: body.text };
  const fragment = readFragment(body.text);
  return isProblem(fragment) ? fragment : { fragment };
}

/** Without regard to If-Match (RFC 9725 s4.3.1); 200 and not 204, at which clients in use complain. */
async function close(c: Context<AppEnv>, place: Resource): Promise<Response> {
  const by = (await visitorOf(c, place))?.peer;
  granted(await sessionStub(c, place.session).closeHttpSession(place.door, place.resource, by));
  return c.body(null, 200);
}
