import { z } from "zod";
import { Kind } from "./flow.ts";
import { exceedsBytes } from "./utf8.ts";

/** Roles of a peer (S2). An observer sees everything and sends nothing. */
export const Role = z.enum(["peer", "media-server", "observer"]);
export type Role = z.infer<typeof Role>;

const jsonSizeAtMost =
  (maxBytes: number) =>
  (value: unknown): boolean =>
    !exceedsBytes(JSON.stringify(value), maxBytes);

const metadata = (maxBytes: number) =>
  z
    .record(z.string(), z.unknown())
    .refine(jsonSizeAtMost(maxBytes), `larger than ${maxBytes} bytes of JSON`);

const DAY_SECONDS = 86_400;
const LONGEST_TOKEN_SECONDS = 30 * DAY_SECONDS;

/** Milliseconds. */
export const LONGEST_TOKEN_MS = LONGEST_TOKEN_SECONDS * 1000;

/** What a session can be created with; every field is optional. */
export const SessionRequest = z
  .strictObject({
    topology: z
      .enum(["mesh", "central"])
      .default("mesh")
      .describe("mesh: every two peers may have a link; central: every link has the media server"),
    maxPeers: z
      .int()
      .min(2)
      .max(100)
      .default(16)
      .describe(
        "how many may take part in the call at a time; observers, and the deployment's own media server, need no place",
      ),
    sdpPolicy: z
      .enum(["enforce", "report"])
      .default("enforce")
      .describe("enforce: a broken description is refused; report: it is forwarded (D1)"),
    iceTransportPolicy: z.enum(["all", "relay"]).default("all"),
    maxUplinkBps: z
      .int()
      .positive()
      .optional()
      .describe("what a peer may send: audio and video of all its links together, bits per second"),
    maxDownlinkBps: z
      .int()
      .positive()
      .optional()
      .describe("what a peer may receive, in the same way; neither holds for media servers"),
    emptyTtlSeconds: z
      .int()
      .min(1)
      .max(30 * DAY_SECONDS)
      .default(300)
      .describe("the session ends when nobody has been connected for so long (S6)"),
    resumeSeconds: z
      .int()
      .min(30)
      .max(DAY_SECONDS)
      .default(60)
      .describe("a lost peer may come back within this time (S5)"),
    assistance: z
      .enum(["on", "off", "dry-run"])
      .optional()
      .describe(
        "whether mobile networks are asked for quality of service; dry-run: what would be asked is shown; as the deployment says when left out",
      ),
    debug: z
      .boolean()
      .optional()
      .describe("the timeline keeps the texts of descriptions, without ICE passwords"),
    listed: z
      .boolean()
      .default(false)
      .describe(
        "appear in GET /v1/sessions of the API key that creates the session; costs three rows and two object requests",
      ),
    locationHint: z
      .enum(["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"])
      .optional(),
    jurisdiction: z.enum(["eu", "us", "fedramp", "fedramp-high"]).optional(),
    metadata: metadata(4096).optional().describe("at most 4 KiB of JSON, handed back unread"),
  })
  .meta({ id: "SessionRequest" });
export type SessionRequest = z.input<typeof SessionRequest>;

/** What a session was created with, defaults filled in. */
export type SessionConfig = z.output<typeof SessionRequest>;

/** What a peer may have besides its rights: ceilings of its own, and what it stands for. */
export const PeerTraits = z.object({
  maxUplinkBps: z
    .int()
    .positive()
    .optional()
    .describe("what the peer may send, all its audio and video together, bits per second"),
  maxDownlinkBps: z
    .int()
    .positive()
    .optional()
    .describe("what the peer may receive, all its audio and video together, bits per second"),
  gateway: z.boolean().optional().describe("the peer stands for an endpoint without WebRTC"),
});

/** The same as a value without empty members. */
export interface PeerTraits {
  readonly maxUplinkBps?: number;
  readonly maxDownlinkBps?: number;
  readonly gateway?: boolean;
}

/** Only the traits of whoever has more. */
export function traitsOf({
  maxUplinkBps,
  maxDownlinkBps,
  gateway,
}: z.output<typeof PeerTraits>): PeerTraits {
  return {
    ...(maxUplinkBps === undefined ? {} : { maxUplinkBps }),
    ...(maxDownlinkBps === undefined ? {} : { maxDownlinkBps }),
    ...(gateway ? { gateway } : {}),
  };
}

/** What a peer is to a mobile network; shown to nobody. */
export const UeClaims = z.object({
  network: z
    .string()
    .max(32)
    .optional()
    .describe("the mobile network that the peer is in, by its name in the configuration"),
  phoneNumber: z
    .string()
    .regex(/^\+[1-9]\d{4,14}$/, "E.164 with +, such as +15550100123")
    .optional()
    .describe("of its subscription, where the network identifies devices by it"),
});

/** A peer as the UE of a mobile network; told to nobody but that network. */
export interface Ue {
  readonly network: string;
  /** E.164 with `+`. */
  readonly phoneNumber?: string;
  /** A token said so, and a newer one need not say it again. */
  readonly isNamed?: true;
  /** From which it signals, in the form of RFC 5952. */
  readonly address?: string;
}

/** The same before its network is known. */
export type UeSeen = Partial<Ue>;

export type UeClaims = z.output<typeof UeClaims>;

/** Only the claims of whoever has some. */
export const ueClaimsOf = ({ network, phoneNumber }: UeClaims) => ({
  ...(network === undefined ? {} : { network }),
  ...(phoneNumber === undefined ? {} : { phoneNumber }),
});

/** Ceilings are of whoever sends and receives for itself. */
const hasOwnTraffic = ({
  role,
  maxUplinkBps,
  maxDownlinkBps,
}: z.output<typeof PeerTraits> & { readonly role: Role }): boolean =>
  role !== "media-server" || (maxUplinkBps === undefined && maxDownlinkBps === undefined);

const ttlSeconds = z
  .int()
  .min(1)
  .max(LONGEST_TOKEN_SECONDS)
  .default(3600)
  .describe("the peer leaves the session when its newest token ends");

/** What a newer token of a peer can be made with. */
export const TokenRequest = z.strictObject({ ttlSeconds }).meta({ id: "TokenRequest" });
export type TokenRequest = z.input<typeof TokenRequest>;

/** What a peer can be created with; every field is optional. */
export const PeerRequest = z
  .strictObject({
    role: Role.default("peer"),
    name: z.string().min(1).max(128).optional(),
    publish: z.array(Kind).max(3).optional().describe("kinds the peer may send; all when left out"),
    subscribe: z
      .array(Kind)
      .max(3)
      .optional()
      .describe("kinds the peer may receive; all when left out"),
    ...PeerTraits.shape,
    ...UeClaims.shape,
    ttlSeconds,
    metadata: metadata(1024).optional().describe("at most 1 KiB of JSON, shown to the other peers"),
  })
  .refine(hasOwnTraffic, {
    path: ["role"],
    message: "a media server has no ceilings: what it sends and receives are those of its peers",
  })
  .meta({ id: "PeerRequest" });
export type PeerRequest = z.input<typeof PeerRequest>;

/** Who a token says its bearer is: the only source of identity, role and rights (S2). */
export interface Grant extends PeerTraits {
  readonly session: string;
  readonly peer: string;
  readonly role: Role;
  readonly publish: readonly Kind[];
  readonly subscribe: readonly Kind[];
  readonly name?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly network?: string;
  readonly phoneNumber?: string;
  /** As what it is seen to come, in a deployment with mobile networks. */
  readonly ue?: UeSeen;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}
