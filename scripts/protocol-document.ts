import { z } from "zod";
import { LIMITS } from "../protocol/limits.ts";
import { FROM_PEER, TO_PEER } from "../protocol/messages.ts";
import { LINK_STATES, NEGOTIATION_EVENTS, SIDES, TRANSITIONS } from "../protocol/negotiation.ts";
import { CLOSE, PROBLEMS } from "../protocol/problem.ts";
import { USUAL } from "../protocol/usual-values.ts";

/** `docs/protocol.md` as text, made from the tables that the server runs on. */

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows]
    .map((row) => `| ${row.map(cell).join(" | ")} |`)
    .join("\n");

/** `"audio" | "video"`, `Candidate[]`, `integer`: a schema in a few words. */
function typeOf(schema: Schema): string {
  if (schema.$ref) return schema.$ref.split("/").at(-1) ?? "";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  if (schema.items?.anyOf) return `(${typeOf(schema.items)})[]`;
  if (schema.items) return `${typeOf(schema.items)}[]`;
  return schema.type ?? "any JSON";
}

const schemaOf = (schema: z.ZodType, io: "input" | "output"): Schema =>
  z.toJSONSchema(schema, { io }) as Schema;

function message(type: string, schema: z.ZodType, io: "input" | "output"): string {
  const { description = "", properties = {}, required = [] } = schemaOf(schema, io);
  const rows = Object.entries(properties)
    .filter(([name]) => name !== "type")
    .map(([name, field]) => [
      `\`${name}\`${required.includes(name) ? "" : "?"}`,
      `\`${typeOf(field)}\``,
      field.description ?? "",
    ]);
  const fields = rows.length === 0 ? "" : `\n\n${table(["field", "type", ""], rows)}`;
  return `### \`${type}\`\n\n${description}${fields}`;
}

const messages = (tableOf: Readonly<Record<string, z.ZodType>>, io: "input" | "output"): string =>
  Object.entries(tableOf)
    .map(([type, schema]) => message(type, schema, io))
    .join("\n\n");

const SHAPES = [
  "Candidate",
  "Peer",
  "Link",
  "Flow",
  "FlowSummary",
  "Transport",
  "QualityReport",
  "Experience",
  "Pair",
  "IceServer",
];

/** Shapes that messages refer to by name. */
function shapes(): string {
  const defs = new Map<string, Schema>();
  for (const [each, io] of [
    [FROM_PEER, "input"],
    [TO_PEER, "output"],
  ] as const) {
    for (const schema of Object.values(each)) {
      const json = z.toJSONSchema(schema, { io }) as { $defs?: Record<string, Schema> };
      for (const [name, def] of Object.entries(json.$defs ?? {})) defs.set(name, def);
    }
  }
  return SHAPES.flatMap((name) => {
    const { properties = {}, required = [] } = defs.get(name) ?? {};
    const rows = Object.entries(properties).map(([field, schema]) => [
      `\`${field}\`${required.includes(field) ? "" : "?"}`,
      `\`${typeOf(schema)}\``,
      schema.description ?? "",
    ]);
    return rows.length === 0 ? [] : [`### ${name}\n\n${table(["field", "type", ""], rows)}`];
  }).join("\n\n");
}

/** Every cell of TRANSITIONS. */
const cells = () =>
  LINK_STATES.flatMap((state) =>
    NEGOTIATION_EVENTS.flatMap((event) =>
      SIDES.map((side) => ({ state, event, side, row: TRANSITIONS[state][event][side] })),
    ),
  );

/** The state diagram and the table of offer/answer, both drawn from TRANSITIONS. */
function negotiation(): string {
  const arrows = cells().flatMap(({ state, event, side, row }) =>
    "next" in row ? [`  ${state} --> ${row.next}: ${event} (${side})`] : [],
  );
  const rows = cells().map(({ state, event, side, row }) =>
    "next" in row
      ? [state, event, side, row.next, row.act]
      : [state, event, side, "", `\`${row.problem}\``],
  );
  const diagram = ["```mermaid", "stateDiagram-v2", "  [*] --> stable", ...arrows, "```"];
  return `${diagram.join("\n")}\n\n${table(["state", "event", "from", "next", "act or problem"], rows)}`;
}

const problems = (): string =>
  table(
    ["code", "status", "promise", "title", "socket"],
    Object.entries(PROBLEMS).map(([code, { status, rule, title, socket }]) => [
      `\`${code}\``,
      String(status),
      rule,
      title,
      socket === "reply"
        ? "stays open"
        : `${socket === "count" ? CLOSE.tooManyProblems : socket} when it goes on`,
    ]),
  );

const closes = (): string =>
  table(
    ["code", "meaning"],
    [
      [String(CLOSE.left), "the peer left"],
      [String(CLOSE.sessionEnded), "the session ended"],
      [String(CLOSE.replaced), "a newer socket of the same peer took over"],
      [String(CLOSE.kicked), "the peer was kicked; its token is dead"],
      [String(CLOSE.tokenExpired), "the token expired"],
      [
        String(CLOSE.silent),
        "the peer gave no sign of life when it was asked for one, or does not read; it may come back",
      ],
      [String(CLOSE.tooManyProblems), "too many problems"],
      ["1008", "too many messages"],
      ["1009", "messages too large"],
      [String(CLOSE.fault), "Duplex failed; the reason is the id of the fault in the log"],
    ],
  );

/** The whole document. */
export function protocolDocument(): string {
  return `<!-- Made by \`npm run docs\` from protocol/messages.ts, negotiation.ts and problem.ts. Do not edit. -->
# duplex.v1

JSON text frames \`{type, id?, ...}\` on a WebSocket at \`/v1/sessions/{id}/signalling\`. Offer the subprotocols
\`duplex.v1\` and \`bearer.<token>\` (browsers), or \`duplex.v1\` and an \`Authorization: Bearer\` header.

- The first frame is \`welcome\`.
- A request with an \`id\` gets exactly one \`ack\` or \`problem\`; the same id again on the same socket gets the same
  reply and has no second effect (R1). The last replies are remembered, about 3 KB of them per socket. The answer to
  \`state\` is made afresh each time.
- Keep-alive: the exact text \`{"type":"ping"}\` is answered by \`{"type":"pong"}\` without waking the server.
  Send it every 25 s or so. A peer that does, and is silent when there is reason to doubt it, is asked by \`probe\`; answer
  with \`alive\` and its \`n\` at once. Who stays silent for 10 s, and has been for 30, is closed with ${CLOSE.silent} and
  counts as lost. A peer that never sends \`ping\` is believed as long as its TCP connection is.
  A \`probe\` comes, too, after 1 MiB that nothing shows to have been read: \`alive\` shows it. A socket with 8 MiB of
  that is closed with ${CLOSE.silent}, whether it pings or not: every client answers probes.
- \`?flows=brief\` on the address asks to be told of flows briefly: in \`welcome\` and \`flows\`, a \`FlowSummary\` of each
  flow that runs or has run, is held, or of which something is asked, sent when that changes, and no transports. It holds
  for this socket; without it, or with \`?flows=full\`, records come whole, whenever anything of them changes. HTTP has the
  whole records for everyone.
- \`?defaults=omit\` leaves members of \`welcome\` and \`peer-joined\` out that are as most calls have them; the values are under
  [usual values](#usual-values). A reader puts them back; they are part of \`duplex.v1\` and do not change.
- A peer that comes back within the resume window gets \`welcome\` with \`resumed: true\`, then the descriptions and
  candidates it may lack, by the same messages as the first time: what it knows already it drops, by exchange number.

## Offer and answer

Every offer opens an exchange with a number. An exchange is current while it is open or in force; a message for any other
number is \`stale-negotiation\` (N1). Candidates of the exchange in force are taken also while a re-offer is open: their
transports live on until it is answered. The first offer the server sees is in force, the other sender is told \`glare\`,
rolls back and answers (N3). An offer unanswered for ${LIMITS.offerExpiryMs / 1000} s expires (N7).

${negotiation()}

## From a peer

${messages(FROM_PEER, "input")}

## To a peer

${messages(TO_PEER, "output")}

## Shapes

${shapes()}

## Usual values

What \`?defaults=omit\` leaves out when it is so: \`peer\` of every peer, \`session\` and \`limits\` member by member, the others
whole. \`limits\` is left out when nothing is left of it.

\`\`\`json
${JSON.stringify(USUAL, null, 2)}
\`\`\`

## Problems

${problems()}

## Close codes

${closes()}
`;
}
