import type { OpenAPIHono } from "@hono/zod-openapi";
import { SWAP_SUBPROTOCOL } from "../durable-objects/realm-sockets.ts";
import { SUBPROTOCOL } from "../durable-objects/session-sockets.ts";
import { VERSION } from "../protocol/version.ts";
import type { AppEnv } from "./env.ts";
import { ProblemBody } from "./schemas.ts";
import { describeHttpDoors } from "./whip-openapi.ts";

const ABOUT =
  "Sessions, peers, media flows, TURN credentials and SDP checks of Duplex, a trusted WebRTC signalling server. " +
  "Errors are problem documents (RFC 9457) with a `code`. The messages on the WebSocket are in /asyncapi.json.";

const text = (description: string) => ({ description });
const html = (description: string) => ({
  description,
  content: { "text/html": { schema: { type: "string" as const } } },
});
const problemAnswer = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: ProblemBody } },
});

const REALM = { name: "realm", in: "path", required: true, schema: { type: "string" } } as const;
const REALM_DOORS = [
  ["/3gpp-swap/v1", []],
  ["/{realm}/3gpp-swap/v1", [REALM]],
] as const;

/** Paths that are answered outside of typed routes: the WebSocket door, documents and pages. */
export function describePlainPaths(app: OpenAPIHono<AppEnv>): void {
  const registry = app.openAPIRegistry;
  registry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "an API key of the application's back end, or a peer token",
  });
  registry.registerPath({
    method: "get",
    path: "/v1/sessions/{id}/signalling",
    summary: "WebSocket of `duplex.v1`",
    description: `Offer the subprotocols \`${SUBPROTOCOL}\` and \`bearer.<token>\`, or \`${SUBPROTOCOL}\` and an Authorization header.`,
    tags: ["signalling"],
    security: [{ bearer: [] }],
    parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
    responses: {
      101: text(`Switching to ${SUBPROTOCOL}`),
      400: problemAnswer("unsupported-subprotocol"),
      401: problemAnswer("unauthorized, token-in-url"),
      403: problemAnswer("origin-not-allowed"),
      404: problemAnswer("session-not-found"),
      409: problemAnswer("session-full, too-many-observers"),
      426: problemAnswer("upgrade-required"),
    },
  });
  for (const [path, parameters] of REALM_DOORS) {
    registry.registerPath({
      method: "get",
      path,
      summary: "WebSocket of SWAP v1 (TS 26.113 clause 13.2)",
      description: `Offer the subprotocol \`${SWAP_SUBPROTOCOL}\`, and \`bearer.<token>\` or an Authorization header where the realm is not open.`,
      tags: ["realms"],
      security: [{}, { bearer: [] }],
      parameters: [...parameters],
      responses: {
        101: text(`Switching to ${SWAP_SUBPROTOCOL}`),
        400: problemAnswer("unsupported-subprotocol"),
        401: problemAnswer("unauthorized, token-in-url"),
        403: problemAnswer("origin-not-allowed"),
        404: problemAnswer("not-found"),
        426: problemAnswer("upgrade-required"),
        503: problemAnswer("realm-full"),
      },
    });
  }
  describeHttpDoors(registry);
  for (const [path, summary] of [
    ["/healthz", "Alive"],
    ["/openapi.json", "This document"],
    ["/asyncapi.json", "Messages of `duplex.v1`"],
  ] as const) {
    registry.registerPath({
      method: "get",
      path,
      summary,
      tags: ["documents"],
      responses: {
        200: { description: summary, content: { "application/json": { schema: {} } } },
      },
    });
  }
  registry.registerPath({
    method: "get",
    path: "/docs",
    summary: "This document, to read",
    tags: ["documents"],
    responses: { 200: html("A page") },
  });
}

/** The OpenAPI 3.1 document of the app, generated from its routes. */
export function openapiOf(app: OpenAPIHono<AppEnv>, origin: string) {
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Duplex",
      version: VERSION,
      description: ABOUT,
    },
    servers: [{ url: origin }],
  });
}
