import { z } from "zod";
import { Flow } from "../protocol/flow.ts";
import { IceServer } from "../protocol/ice-server.ts";
import { Finding, LinkView, PeerView } from "../protocol/message-parts.ts";
import { PROBLEMS, type ProblemCode } from "../protocol/problem.ts";
import { PeerRequest, SessionRequest, UeClaims } from "../protocol/session-config.ts";
import { SessionOverview } from "../protocol/session-overview.ts";
import { DIALECTS } from "../protocol/swap/message.ts";

/** Shapes of answers that only HTTP has. */

const codes = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]];

export const ProblemBody = z
  .looseObject({
    type: z.string().describe("urn:duplex:problem:<code>"),
    title: z.string(),
    status: z.int(),
    code: z.enum(codes),
    detail: z.string(),
  })
  .meta({ id: "Problem" });

export const SessionBody = SessionRequest.extend({
  id: z.string(),
  createdAt: z.number().describe("milliseconds since 1970"),
  peers: z.array(PeerView),
  links: z.array(LinkView.pick({ id: true, peers: true, state: true, exchange: true })),
  flows: z.record(z.string(), z.int()).describe("how many flows are in each state"),
  revision: z.int().describe("flow revision (F4)"),
}).meta({ id: "Session" });

export const SessionList = z.object({
  sessions: z.array(SessionOverview),
  cursor: z.string().optional().describe("pass it on to get the next page, of older sessions"),
});

export const PeerGrant = z
  .object({
    peer: PeerView.omit({ state: true, joinedAt: true }),
    token: z.string(),
    expiresAt: z.number().describe("milliseconds since 1970"),
    signalling: z.object({ url: z.string(), protocol: z.string() }),
    iceServers: z.array(IceServer),
  })
  .meta({ id: "PeerGrant" });

/** What a session is started with, and who is invited at once. */
export const SessionCreation = SessionRequest.extend({
  invite: z
    .array(PeerRequest)
    .max(32)
    .optional()
    .describe("tokens to make at once, as POST /v1/sessions/{id}/peers does one by one"),
}).meta({ id: "SessionCreation" });

export const CreatedSession = SessionBody.extend({
  invited: z.array(PeerGrant).optional().describe("in the order of `invite`"),
}).meta({ id: "CreatedSession" });

export const TurnCredentials = z
  .object({
    iceServers: z.array(IceServer),
    ttlSeconds: z.int(),
    expiresAt: z.number().describe("milliseconds since 1970"),
  })
  .meta({ id: "TurnCredentials" });

/** What the token of a SWAP endpoint can be made with; every field is optional. */
export const EndpointRequest = z
  .strictObject({
    source: z
      .string()
      .regex(/^[\w-]{10,64}$/, "10 to 64 letters, digits, - and _")
      .optional()
      .describe("as it names itself in its messages; a random one when left out"),
    ...UeClaims.shape,
    ttlSeconds: z.int().min(1).max(2_592_000).default(3600),
  })
  .meta({ id: "EndpointRequest" });

export const EndpointGrant = z
  .object({
    source: z.string(),
    token: z.string(),
    expiresAt: z.number().describe("milliseconds since 1970"),
    signalling: z.object({ url: z.string(), protocol: z.string() }),
    iceServers: z.array(IceServer),
  })
  .meta({ id: "EndpointGrant" });

/** What an endpoint is found by, as SWAP messages have it (TS 26.113 clause 13.2.4.4.2.2). */
const Criteria = z
  .array(z.object({ type: z.string().min(1).max(256).toLowerCase(), value: z.unknown() }))
  .min(1)
  .max(32);

export const EndpointCall = z
  .strictObject({
    session: z.string(),
    target: z.string().min(10).max(128).optional().describe("source of the endpoint"),
    criteria: Criteria.optional(),
  })
  .refine(({ target, criteria }) => (target === undefined) !== (criteria === undefined), {
    message: "either target or criteria",
  })
  .meta({ id: "EndpointCall" });

export const EndpointSeat = z
  .object({ peer: z.string().describe("as which peer of the session"), source: z.string() })
  .meta({ id: "EndpointSeat" });

export const PeerRegistration = z
  .strictObject({ session: z.string(), criteria: Criteria })
  .meta({ id: "PeerRegistration" });

export const RealmBody = z
  .object({
    realm: z.string(),
    endpoints: z.array(
      z.object({
        source: z.string(),
        dialect: z.enum(DIALECTS).describe("how it writes messages"),
        criteria: z
          .array(z.object({ type: z.string(), value: z.unknown() }))
          .optional()
          .describe("what it can be found by; absent before it registers"),
        calls: z.array(z.object({ partner: z.string(), session: z.string() })),
      }),
    ),
    sessions: z.array(z.object({ id: z.string(), endpoints: z.array(z.string()) })),
  })
  .meta({ id: "Realm" });

const EndpointAddress = z.object({
  domainName: z.string(),
  portNumbers: z.array(z.int()),
  portNumber: z.int(),
  credentials: z.object({ username: z.string(), passphrase: z.string() }).optional(),
});

/** ServiceAccessInformationResource of TS 26.510, with what TS 26.113 clause 10.2 wants of it. */
export const ServiceAccessInformation = z
  .object({
    provisioningSessionId: z.string(),
    provisioningSessionType: z.literal("RTC"),
    locationReporting: z.boolean(),
    rtcClientConfiguration: z.object({
      swapEndpoints: z.array(EndpointAddress),
      stunEndpoints: z.array(EndpointAddress).optional(),
      turnEndpoints: z.array(EndpointAddress).optional(),
    }),
  })
  .meta({ id: "ServiceAccessInformation" });

export const Findings = z
  .object({
    findings: z.array(
      Finding.extend({
        link: z.string(),
        from: z.string().describe("the peer whose description or candidate it is about"),
        at: z.number().describe("milliseconds since 1970"),
        exchange: z.int().optional().describe("absent when the description was refused"),
        refused: z.literal(true).optional().describe("it went no further"),
      }).meta({ id: "RecordedFinding" }),
    ),
  })
  .meta({ id: "Findings" });

export const SdpCheckAnswer = z
  .object({
    findings: z.array(Finding).describe("of the offer, of the answer, of the pair; errors first"),
    flows: z.array(Flow).describe("empty when a description cannot be used"),
  })
  .meta({ id: "SdpCheck" });

/** The answers of a route: the good one, and the problems by status. */
export function answers<S extends number, T extends z.ZodType>(
  status: S,
  description: string,
  schema: T,
  ...problems: ProblemCode[]
) {
  const good = { [status]: { description, content: { "application/json": { schema } } } };
  return { ...good, ...problemAnswers(problems) } as Record<
    S,
    { description: string; content: { "application/json": { schema: T } } }
  >;
}

/** An answer without a body, and the problems by status. */
export function emptyAnswer(description: string, ...problems: ProblemCode[]) {
  return { 204: { description }, ...problemAnswers(problems) } as Record<
    204,
    { description: string }
  >;
}

/** The problems by status, with those that any route may answer. */
export function problemAnswers(codesGiven: readonly ProblemCode[]) {
  const byStatus = new Map<number, ProblemCode[]>();
  const everywhere: ProblemCode[] = ["rate-limited", "invalid-request", "internal-fault"];
  for (const code of new Set([...codesGiven, ...everywhere])) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { "application/problem+json": { schema: ProblemBody } };
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      status,
      { description: list.map((code) => `${code}: ${PROBLEMS[code].title}`).join("; "), content },
    ]),
  );
}

export const SECURED: Record<string, string[]>[] = [{ bearer: [] }];
