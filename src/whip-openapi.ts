import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ProblemCode } from "../protocol/problem.ts";
import type { Door } from "../protocol/whip/http-session.ts";
import type { AppEnv } from "./env.ts";
import { problemAnswers, SECURED } from "./schemas.ts";
import { SDP, SDP_FRAGMENT } from "./whip-headers.ts";

/** The doors of WHIP and WHEP in /openapi.json: they are answered outside of typed routes. */

type Registry = OpenAPIHono<AppEnv>["openAPIRegistry"];

const text = (type: string) => ({ content: { [type]: { schema: { type: "string" as const } } } });
const inPath = (name: string) =>
  ({ name, in: "path", required: true, schema: { type: "string" } }) as const;
const header = (description: string) => ({ description, schema: { type: "string" as const } });

const PUBLIC: Record<string, string[]>[] = [{}, ...SECURED];
const SECURITY_OF_URL =
  "The URL is enough; a token that comes along has to be that of the session's peer.";

const OPENED = {
  location: header("absolute URL of the HTTP session"),
  etag: header("of the ICE generation"),
  link: header("ICE servers, with credentials of the token's peer"),
};

const ENDED: readonly ProblemCode[] = ["resource-not-found", "session-not-found", "unauthorized"];
const EVERYWHERE: readonly ProblemCode[] = ["origin-not-allowed", "token-in-url", "not-permitted"];

const PEER = {
  whip: "whom to publish to, a media server of the session; the server chooses when it is left out",
  whep: "the peer whose media to play; all that is published when it is left out",
};

/** Adds both doors to the document. */
export function describeHttpDoors(registry: Registry): void {
  for (const door of ["whip", "whep"] as const) {
    describeEndpoint(registry, door);
    describeResource(registry, door);
  }
}

function describeEndpoint(registry: Registry, door: Door): void {
  const isPublishing = door === "whip";
  const [name, act] = isPublishing ? ["WHIP (RFC 9725)", "Publish"] : ["WHEP", "Play"];
  const common = { path: `/v1/sessions/{id}/${door}`, tags: [door] };
  const counterOffer = { description: "The media server offers instead", headers: OPENED };
  registry.registerPath({
    ...common,
    method: "post",
    summary: `${act} by ${name}`,
    description: "Answered within six seconds, with all candidates of the media server.",
    security: SECURED,
    parameters: [
      inPath("id"),
      {
        name: "peer",
        in: "query",
        required: false,
        description: PEER[door],
        schema: { type: "string" },
      },
    ],
    request: { body: { ...text(SDP), required: true } },
    responses: {
      201: { description: "The answer", headers: OPENED, ...text(SDP) },
      ...(isPublishing ? {} : { 406: { ...counterOffer, ...text(SDP) } }),
      ...problemAnswers([
        ...EVERYWHERE,
        "unauthorized",
        "misconfigured",
        "session-not-found",
        "method-not-allowed",
        "unsupported-media-type",
        "message-too-large",
        "sdp-too-large",
        "sdp-invalid",
        "unknown-peer",
        "session-full",
        isPublishing ? "publisher-busy" : "not-live",
        "no-media-server",
        "media-server-timeout",
      ]),
    },
  });
  registry.registerPath({
    ...common,
    method: "get",
    summary: `There is ${name} here`,
    description: "HEAD is answered alike, OPTIONS also with ICE servers in Link for a token.",
    security: PUBLIC,
    parameters: [inPath("id")],
    responses: {
      ...(isPublishing
        ? { 204: { description: "Yes" } }
        : { 200: { description: `Yes: without content, but of type ${SDP}` } }),
      ...problemAnswers([...EVERYWHERE, "unauthorized", "session-not-found"]),
    },
  });
}

function describeResource(registry: Registry, door: Door): void {
  const common = {
    path: `/v1/sessions/{id}/${door}/{resource}`,
    tags: [door],
    security: PUBLIC,
    parameters: [inPath("id"), inPath("resource")],
  };
  const gone = [...EVERYWHERE, ...ENDED];
  registry.registerPath({
    ...common,
    method: "patch",
    summary: "Candidates, or an ICE restart (RFC 9725 s4.3)",
    description: `${SECURITY_OF_URL} If-Match is the entity tag, or \`*\`. ${
      door === "whep" ? `A body of type ${SDP} is the answer to a counter-offer.` : ""
    }`,
    request: {
      body: { ...text(SDP_FRAGMENT), required: true },
    },
    responses: {
      200: {
        description: "ICE restarts: credentials and candidates of the media server",
        headers: { etag: OPENED.etag },
        ...text(SDP_FRAGMENT),
      },
      204: { description: "The candidates are on their way" },
      ...problemAnswers([
        ...gone,
        "fragment-invalid",
        "unsupported-media-type",
        "message-too-large",
        "precondition-required",
        "precondition-failed",
        ...(door === "whep" ? (["nothing-offered", "sdp-invalid"] as const) : []),
        "media-server-timeout",
      ]),
    },
  });
  registry.registerPath({
    ...common,
    method: "delete",
    summary: "End the HTTP session",
    description: SECURITY_OF_URL,
    responses: { 200: { description: "It has ended" }, ...problemAnswers(gone) },
  });
  registry.registerPath({
    ...common,
    method: "get",
    summary: "Whether the HTTP session is there",
    description: SECURITY_OF_URL,
    responses: { 204: { description: "It is" }, ...problemAnswers(gone) },
  });
}
