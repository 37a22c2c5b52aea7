import { z } from "zod";
import { LIMITS } from "../limits.ts";
import { type Problem, problem } from "../problem.ts";
import { exceedsBytes } from "../utf8.ts";
import type { Sealed, SwapDialect, SwapMessage, SwapType } from "./message.ts";

/**
 * Reads SWAP messages in every dialect met (decision 0024). The clause contradicts its own schema, and the library of its
 * authors contradicts both; no name means two things in them, so that each is read by any of its names.
 */

const SOURCE_CHARACTERS = 10;
const MOST_CHARACTERS = 256;
/** Of a source: the sockets of its calls remember it. */
const SOURCE_MOST_CHARACTERS = 128;
const MOST_CRITERIA = 32;
const CRITERIA_BYTES = 2_048;

const name = z.string().max(MOST_CHARACTERS);
const endpoint = z
  .string()
  .min(SOURCE_CHARACTERS, "at least 10 characters")
  .max(SOURCE_MOST_CHARACTERS, "at most 128 characters");
const number = z.int().min(1);
const sdp = z.string().min(1);

const criterion = z
  .object({ type: name.min(1).toLowerCase(), value: z.unknown() })
  .refine(({ value }) => value !== undefined && value !== null, "a value is missing");
const criteria = z
  .union([z.array(criterion).max(MOST_CRITERIA), criterion.transform((one) => [one])])
  .refine(
    (list) => !exceedsBytes(JSON.stringify(list), CRITERIA_BYTES),
    `at most ${CRITERIA_BYTES} bytes of JSON`,
  );

const error = z.object({
  type: name,
  title: name,
  status: z.int(),
  detail: z.string().max(1_024).default(""),
});

const SHAPES = {
  register: z.object({ criteria: criteria.default([]) }),
  response: z.object({
    request: z.int().min(0),
    target: name.optional(),
    isError: z.boolean(),
    error: error.optional(),
    description: z.string().max(1_024).optional(),
  }),
  connect: z.object({
    offer: sdp,
    criteria: criteria.default([]),
    target: endpoint.optional(),
  }),
  accept: z.object({ target: endpoint, answer: sdp.optional() }),
  reject: z.object({
    target: endpoint,
    request: number.optional(),
    errorId: name.optional(),
    description: z.string().max(1_024).optional(),
  }),
  update: z.object({ target: endpoint, sdp }),
  close: z.object({ target: endpoint }),
  application: z.object({
    target: endpoint,
    // The clause wants a URN, the library of its authors takes any word; whether it is known, the endpoint decides.
    urn: name.min(1),
    value: z.unknown(),
  }),
} as const satisfies Record<SwapType, z.ZodType>;

export const SWAP_TYPES = Object.keys(SHAPES) as readonly SwapType[];

/** What a frame said of itself, readable even when the rest is wrong, so that the refusal can name it. */
export interface SwapEnvelope {
  readonly source?: string;
  readonly messageId?: number;
}

export type SwapReading =
  | { readonly message: SwapMessage; readonly dialect: SwapDialect }
  | { readonly sealed: Sealed; readonly dialect: SwapDialect }
  | {
      readonly problem: Problem;
      readonly envelope: SwapEnvelope;
      readonly dialect: SwapDialect | undefined;
    };

type Members = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Reads one frame. `dialect` is that of the socket, once known: only the first message is asked for it. Never throws.
 *
 * Problems: `message-too-large`, `malformed-message`, `unknown-message-type`, `invalid-message`.
 */
export function readSwapMessage(frame: string | ArrayBuffer, dialect?: SwapDialect): SwapReading {
  const members = membersOf(frame);
  if ("code" in members) return { problem: members as Problem, envelope: {}, dialect };
  const spoken = dialect ?? dialectOf(members);
  const envelope = envelopeOf(members);
  const refuse = (refused: Problem): SwapReading => ({
    problem: refused,
    envelope,
    dialect: spoken,
  });
  const said = flattened(members);
  const type = typeof said.message_type === "string" ? said.message_type.toLowerCase() : undefined;
  if (type === undefined) return refuse(problem("malformed-message", "message_type is missing"));
  if (!isSwapType(type)) {
    return refuse(problem("unknown-message-type", `types are ${SWAP_TYPES.join(", ")}`));
  }
  const head = HEAD.safeParse({ ...envelope, version: said.version });
  if (!head.success) return refuse(invalid(head.error));
  const { source, messageId } = head.data;
  const named = namedAlike(type, said, source);
  const body = SHAPES[type].safeParse(named);
  // Names of its members are nobody's but the endpoints' (the clause has none): what it is there for, is not read.
  const raw = isRecord(members.security) ? { raw: String(frame) } : {};
  if (body.success) {
    return { message: messageOf(type, { source, messageId, ...raw }, body.data), dialect: spoken };
  }
  if (raw.raw === undefined) return refuse(invalid(body.error));
  const target = endpoint.safeParse(named.target).data;
  const sealed = { type, source, messageId, raw: raw.raw, ...(target !== undefined && { target }) };
  return { sealed, dialect: spoken };
}

const HEAD = z.object({ source: endpoint, messageId: number, version: z.literal(1).optional() });

function membersOf(frame: string | ArrayBuffer): Members | Problem {
  if (typeof frame !== "string") {
    return problem("malformed-message", "frames are JSON text, not binary");
  }
  if (exceedsBytes(frame, LIMITS.messageBytes)) {
    return problem("message-too-large", `at most ${LIMITS.messageBytes} bytes of UTF-8`, {
      maxBytes: LIMITS.messageBytes,
    });
  }
  try {
    const value: unknown = JSON.parse(frame);
    if (isRecord(value)) return value;
  } catch {
    // Not JSON, as below.
  }
  return problem("malformed-message", "a message is a JSON object");
}

const isSwapType = (type: string): type is SwapType => Object.hasOwn(SHAPES, type);

/** The coming version puts what is not common into `payload`. */
function flattened(members: Members): Members {
  const { payload, ...rest } = members;
  return isRecord(payload) ? { ...payload, ...rest } : rest;
}

/** `criteria`, `response_to`, `status`: names that only the library has. */
const LIBRARY_MEMBERS = ["criteria", "response_to", "status", "reason", "capabilities"];

/**
 * The dialect of a first message. Where nothing tells the schema's from the library's it is the library's, whose answers
 * say all that those of the schema do.
 */
function dialectOf(members: Members): SwapDialect {
  if (isRecord(members.payload)) return "nested";
  const { source, source_id: id = source } = members;
  if (source !== undefined && id === source) return "text";
  if (members.matching_criteria === undefined) return "library";
  return LIBRARY_MEMBERS.some((each) => Object.hasOwn(members, each)) ? "library" : "schema";
}

/** Where both are there, the schema's `source` is whom the message is for. */
const senderOf = ({ source_id: id, source }: Members): unknown => id ?? source;

function envelopeOf(members: Members): SwapEnvelope {
  const source = senderOf(members);
  const { message_id: messageId } = members;
  return {
    ...(typeof source === "string" && { source }),
    ...(Number.isSafeInteger(messageId) && { messageId: messageId as number }),
  };
}

/** The members of a message by one name each, of all that the dialects give them. */
function namedAlike(type: SwapType, said: Members, sender: string): Members {
  const addressee = said.source === sender ? undefined : said.source;
  const target = said.target ?? (type === "response" || type === "reject" ? addressee : undefined);
  const named: Record<string, unknown> = {
    ...said,
    target,
    criteria: said.matching_criteria ?? said.criteria,
    request: said.request ?? said.response_to,
    description: said.description ?? said.reason,
    errorId: said.error_id,
  };
  if (type === "application") named.urn = said.type;
  if (type === "response") named.isError = isError(said);
  return named;
}

const LEAST_ERROR_STATUS = 400;

function isError({ type, status, error: details }: Members): boolean | undefined {
  if (typeof type === "string") return type.toLowerCase() === "error";
  if (typeof status === "number") return status >= LEAST_ERROR_STATUS;
  return isRecord(details) ? true : undefined;
}

function messageOf(type: SwapType, common: object, body: object): SwapMessage {
  const { isError: failed, error: details, ...rest } = body as Members;
  const problemOf = failed ? { error: details ?? UNSAID } : {};
  return { ...withoutAbsent({ ...rest, ...problemOf }), ...common, type } as SwapMessage;
}

/** An error of which nothing more is said. */
const UNSAID = { type: "about:blank", title: "Error", status: 400, detail: "" };

const withoutAbsent = (members: Members): Members =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** Says which members are wrong and how; never what they held (A4). */
function invalid(wrong: z.ZodError): Problem {
  const errors = wrong.issues.slice(0, 8).map((issue) => ({
    field: issue.path.join("."),
    expected: issue.message,
  }));
  return problem(
    "invalid-message",
    errors.map(({ field, expected }) => `${field}: ${expected}`).join("; "),
    { errors },
  );
}
