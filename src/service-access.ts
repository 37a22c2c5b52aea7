import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { iceServersFor } from "../durable-objects/ice-servers.ts";
import type { IceServer } from "../protocol/ice-server.ts";
import { principalIfAny } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import { tooMany } from "./rate-limits.ts";
import { invalidRequest, Refusal } from "./refusal.ts";
import { answers, ServiceAccessInformation } from "./schemas.ts";
import { isRealmClaim } from "./swap.ts";

/**
 * Service Access Information for RTC (TS 26.510 clause 5.3.2, TS 26.113 clause 10.2): where the SWAP, STUN and TURN servers
 * of this deployment are.
 */

const read = createRoute({
  method: "get",
  path: "/3gpp-maf-session-handling/v1/service-access-information/{externalServiceId}",
  summary: "Service Access Information: SWAP, STUN and TURN endpoints (TS 26.510)",
  description:
    "Open to all. Credentials of TURN servers are in the answer for whoever sends an API key or the token of an endpoint, and live as " +
    "long as those of POST /v1/turn/credentials. `portNumber` besides `portNumbers`: the published schema requires the " +
    "one and defines the other.",
  tags: ["realms"],
  security: [{}, { bearer: [] }],
  request: { params: z.object({ externalServiceId: z.string().min(1).max(128) }) },
  responses: answers(200, "The resource", ServiceAccessInformation, "unauthorized"),
});

export const serviceAccess = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (!result.success) throw new Refusal(invalidRequest(result.error));
  },
});

serviceAccess.openapi(read, async (c) => {
  const { externalServiceId } = c.req.valid("param");
  const servers = await iceServersOf(c as Context<AppEnv>);
  const stun = servers.flatMap((server) => endpointsOf(server, /^stuns?:/));
  const turn = servers.flatMap((server) => endpointsOf(server, /^turns?:/));
  return c.json(
    {
      provisioningSessionId: externalServiceId,
      provisioningSessionType: "RTC" as const,
      locationReporting: false,
      rtcClientConfiguration: {
        swapEndpoints: [addressOf(new URL(c.req.url))],
        ...(stun.length > 0 && { stunEndpoints: stun }),
        ...(turn.length > 0 && { turnEndpoints: turn }),
      },
    },
    200,
  );
});

/** Nobody relays on our account whom we do not know (A3): without a key or a token there are no credentials. */
async function iceServersOf(c: Context<AppEnv>): Promise<readonly IceServer[]> {
  const config = c.get("config");
  const principal = await principalIfAny(c);
  const isEndpoint = principal?.kind === "peer" && isRealmClaim(principal.grant.session);
  if (principal?.kind === "key" || isEndpoint) {
    const bearer = principal.kind === "peer" ? principal.grant.peer : "app";
    // Each may be a request to the provider.
    const hasty = isEndpoint && (await tooMany(c, "PEER_REQUESTS", bearer));
    if (hasty) throw new Refusal(hasty);
    // A provider that fails leaves the addresses.
    const ice = await iceServersFor(config, bearer, Date.now()).catch(() => undefined);
    if (ice) return ice.iceServers;
  }
  const turnUrls = config.turn.provider === "hmac" ? config.turn.urls : [];
  return [{ urls: [...config.stunUrls, ...turnUrls] }];
}

/** RFC 7064, RFC 7065: `turn:host[:port][?transport=...]`. */
const URI = /^(stun|turn)(s?):(\[[^\]]+\]|[^:?]+)(?::(\d+))?/;
const PORT = { "": 3478, s: 5349 } as const;

interface Address {
  domainName: string;
  portNumbers: number[];
  portNumber: number;
}

const withPort = (domainName: string, port: number): Address => ({
  domainName,
  portNumbers: [port],
  portNumber: port,
});

function addressOf({ hostname, port, protocol }: URL): Address {
  return withPort(hostname, Number(port || (protocol === "https:" ? 443 : 80)));
}

function endpointsOf({ urls, username, credential }: IceServer, wanted: RegExp) {
  const addresses = new Map<string, Address>();
  for (const url of urls.filter((each) => wanted.test(each))) {
    const [, , secure = "", host = "", port] = URI.exec(url) ?? [];
    const address = withPort(host, Number(port ?? PORT[secure as keyof typeof PORT]));
    addresses.set(`${host} ${address.portNumber}`, address);
  }
  const credentials =
    username !== undefined && credential !== undefined
      ? { credentials: { username, passphrase: credential } }
      : {};
  return [...addresses.values()].map((address) => ({ ...address, ...credentials }));
}
