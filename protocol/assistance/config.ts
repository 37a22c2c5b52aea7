import { z } from "zod";
import { ConfigError } from "../config-values.ts";
import { LIMITS } from "../limits.ts";
import type { NetworkAccess } from "./access.ts";
import type { Rates } from "./assisted.ts";
import { RTP_MARKINGS } from "./markings.ts";
import { blockOf } from "./prefix.ts";

/** Mobile networks that may be asked, and for whom: the operator's configuration (A5: nobody else is ever asked). */

const bps = z.int().positive();
const rates = z.strictObject({ uplinkBps: bps.optional(), downlinkBps: bps.optional() }).transform(
  ({ uplinkBps, downlinkBps }): Rates => ({
    ...(uplinkBps !== undefined && { uplinkBps }),
    ...(downlinkBps !== undefined && { downlinkBps }),
  }),
);

/** A scheme, a host and a port: no user. */
const PLACE =
  /^https?:\/\/(?:[a-z\d.-]+|\[[\da-f:.]+\])(?::(?:[1-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))?/;

const urlOf = (rest: RegExp, example: string) =>
  z.string().regex(new RegExp(PLACE.source + rest.source, "i"), `a URL such as ${example}`);

/** `https://qod.example.net/quality-on-demand/v1`: no query, no slash at the end. */
const url = urlOf(/(?:\/[^\s?#]*[^\s?#/])?$/, "https://network.example/api/v1");

/** It may have a query, which is kept, and ends as its network says (RFC 6749 s3.2). */
const tokenUrl = urlOf(/(?:\/[^\s?#]*)?(?:\?[^\s#]*)?$/, "https://network.example/token");

const name = z.string().min(1).max(256);
/** CAMARA quality-on-demand 1.1.0 QosProfileName. */
const profileName = z
  .string()
  .regex(
    /^[\w.-]{3,256}$/,
    "a profile such as `QOS_L`: 3 to 256 letters, digits, `_`, `.` and `-`",
  );
const rate = z.strictObject({
  value: z.number().min(0).max(1024),
  unit: z.enum(["bps", "kbps", "Mbps", "Gbps", "Tbps"]),
});
const duration = z.strictObject({
  value: z.int().min(1),
  unit: z.enum([
    "Days",
    "Hours",
    "Minutes",
    "Seconds",
    "Milliseconds",
    "Microseconds",
    "Nanoseconds",
  ]),
});

/** Of CAMARA qos-profiles, what a choice needs; the rest of a published profile may stand beside it. */
const QosProfile = z.looseObject({
  name: profileName,
  status: z.enum(["ACTIVE", "INACTIVE", "DEPRECATED"]).default("ACTIVE"),
  maxUpstreamRate: rate.optional(),
  maxDownstreamRate: rate.optional(),
  minDuration: duration.optional(),
  maxDuration: duration.optional(),
});

const Snssai = z.strictObject({
  sst: z.int().min(0).max(255),
  sd: z
    .string()
    .regex(/^[\dA-Fa-f]{6}$/)
    .optional(),
});

const NetworkEntry = z.strictObject({
  name: z.string().regex(/^[a-z\d][a-z\d-]{0,31}$/, "a name such as `example-5g`"),
  api: z.enum(["camara-qod", "nef", "rtc-af"]),
  url,
  auth: z
    .strictObject({
      tokenUrl,
      clientId: name,
      clientSecret: z.string().min(1).max(1024),
      scope: z.string().max(1024).optional(),
    })
    .optional(),
  mode: z
    .enum(["on", "opt-in", "dry-run"])
    .default("on")
    .describe("opt-in: only for sessions that ask; dry-run: requests are shown and not sent"),
  keys: z.array(z.string().min(1)).optional().describe("API keys whose sessions it is for"),
  prefixes: z
    .array(z.string().refine((text) => blockOf(text) !== undefined, "a block such as 10.0.0.0/8"))
    .max(256)
    .default([])
    .describe("blocks of addresses of its UEs, as signalling sees them"),
  defaults: z
    .strictObject({ audioBps: bps.optional(), videoBps: bps.optional(), dataBps: bps.optional() })
    .default({})
    .describe("what is asked for a medium whose descriptions say no rate"),
  withoutQos: rates
    .optional()
    .describe("what ends are advised while the network cannot hold what it granted"),
  profiles: z
    .record(z.string(), rates)
    .default({})
    .describe("what a profile or reference is worth: advised while the network applies it"),
  dnn: z.string().max(128).optional(),
  snssai: Snssai.optional(),
  multiplex: z.boolean().default(true).describe("the network knows MpxMediaInfo (Rel-19)"),
  markings: z
    .record(z.string().min(1).max(256), z.enum(RTP_MARKINGS))
    .optional()
    .describe("what RTP header extensions mark for the network, by URI; left out: none is told"),
  qod: z
    .strictObject({
      durationSeconds: z.int().min(1).max(86_400).default(3600),
      device: z.enum(["address", "phone-number", "token"]).default("address"),
      profile: profileName.optional(),
      profiles: z.array(QosProfile).max(64).default([]),
    })
    .optional(),
  nef: z
    .strictObject({
      scsAsId: name,
      qosReference: name,
      altQosReferences: z.array(name).max(16).default([]),
    })
    .optional(),
  rtcAf: z
    .strictObject({
      provisioningSession: name,
      policyTemplateId: name,
      recommendations: z
        .boolean()
        .default(true)
        .describe("a Network Assistance Session besides the policy, for bit rates and boosts"),
    })
    .optional(),
});

type Entry = z.output<typeof NetworkEntry>;

/** What each API needs besides. */
type Asking =
  | { readonly api: "camara-qod"; readonly qod: NonNullable<Entry["qod"]> }
  | { readonly api: "nef"; readonly nef: NonNullable<Entry["nef"]> }
  | { readonly api: "rtc-af"; readonly rtcAf: NonNullable<Entry["rtcAf"]> };

interface Common
  extends Omit<Entry, "api" | "url" | "auth" | "prefixes" | "keys" | "qod" | "nef" | "rtcAf">,
    Omit<NetworkAccess, "api"> {
  readonly keys?: readonly string[] | undefined;
  /** As `blockOf` gives them. */
  readonly blocks: readonly string[];
}

export type AssistanceNetwork = Common & Asking;

export interface AssistanceConfig {
  readonly networks: readonly AssistanceNetwork[];
  /** Where networks reach this deployment, without a slash at the end; absent: they are asked instead. */
  readonly notifyUrl?: string;
}

export const ASSISTANCE_VARIABLES = {
  /** As text, or as a variable of JSON. */
  ASSISTANCE_NETWORKS: z
    .union([z.string(), z.array(z.unknown()).transform((json) => JSON.stringify(json))])
    .optional(),
  ASSISTANCE_NOTIFY_URL: url.optional(),
};

interface Read {
  readonly ASSISTANCE_NETWORKS?: string | undefined;
  readonly ASSISTANCE_NOTIFY_URL?: string | undefined;
}

/** Reads which networks are asked. Throws `ConfigError`; the message quotes nothing, because secrets are among it. */
export function readAssistance(read: Read, localDev: boolean): AssistanceConfig {
  const { ASSISTANCE_NETWORKS: text, ASSISTANCE_NOTIFY_URL: notifyUrl } = read;
  const entries = text === undefined ? [] : entriesOf(text);
  for (const entry of entries) refuseIncomplete(entry, localDev);
  const networks = entries.map(networkOf);
  const names = networks.map((network) => network.name);
  if (new Set(names).size < names.length) refuse("two networks have one name");
  // A NEF tells and is not asked: a subscription without an address would never be granted.
  if (notifyUrl === undefined && networks.some(({ api }) => api === "nef")) {
    throw new ConfigError("ASSISTANCE_NOTIFY_URL: needed for networks whose `api` is nef");
  }
  if (!localDev && notifyUrl !== undefined && isPlain(notifyUrl)) {
    throw new ConfigError("ASSISTANCE_NOTIFY_URL: https only, except in local development");
  }
  return { networks, ...(notifyUrl !== undefined && { notifyUrl }) };
}

function entriesOf(text: string): readonly Entry[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    refuse("a JSON array of networks");
  }
  const parsed = z.array(NetworkEntry).max(LIMITS.assistanceNetworks).safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return refuse(`${issue?.path.join(".")}: ${issue?.message}`);
}

function networkOf({ auth, prefixes, keys, ...entry }: Entry): AssistanceNetwork {
  const network = {
    ...entry,
    ...(auth && { auth }),
    ...(keys && { keys }),
    blocks: prefixes.map((text) => blockOf(text) as string),
    ...(entry.nef && { scsAsId: entry.nef.scsAsId }),
    ...(entry.rtcAf && { provisioningSession: entry.rtcAf.provisioningSession }),
  };
  // What its API needs is there: it was looked at before.
  return network as AssistanceNetwork;
}

/** Name of what an API needs besides. */
const NEEDED = { "camara-qod": "qod", nef: "nef", "rtc-af": "rtcAf" } as const;

function refuseIncomplete(network: Entry, localDev: boolean): void {
  const { api, auth, qod, url: base } = network;
  if (network[NEEDED[api]] === undefined) {
    refuse(`${network.name}: \`${NEEDED[api]}\` is needed for ${api}`);
  }
  if (qod && qod.profile === undefined && qod.profiles.length === 0) {
    refuse(`${network.name}: \`qod.profile\` or \`qod.profiles\` is needed`);
  }
  if (!localDev && (isPlain(base) || isPlain(auth?.tokenUrl ?? "https:"))) {
    refuse(`${network.name}: https only, except in local development`);
  }
}

const isPlain = (address: string): boolean => !/^https:/i.test(address);

function refuse(why: string): never {
  throw new ConfigError(`ASSISTANCE_NETWORKS: ${why}`);
}
