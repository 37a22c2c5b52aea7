import { CAUSE_FAMILIES, type CauseRow } from "../protocol/verdict/causes.ts";
import { table } from "./markdown.ts";

/** `docs/verdicts.md` as text, made from the causes that the server names. */

const HEAD = `# Verdicts

Why did this call fail? For every link of a session, and for a session in which nobody met, the server says what became of it in
plain words: \`verdicts\` of \`GET /v1/sessions/{id}/timeline\` (an API key, or the token of an observer). It keeps what it needs
while the call runs, so it can be asked while something hangs, and after everybody has left. Of a session with more than 64 links
verdicts may be two seconds old.

\`\`\`json
{
  "link": "5ktq3q0m2s8dhw4e~b9zv7c1yx6fj0grn",
  "peers": ["5ktq3q0m2s8dhw4e", "b9zv7c1yx6fj0grn"],
  "state": "failed",
  "cause": "turn-refused",
  "says": "The TURN server refused b9zv7c1yx6fj0grn with 401.",
  "evidence": [
    { "says": "b9zv7c1yx6fj0grn: turn:turn.example.org:3478 gave 401", "at": 1840, "entry": 11 },
    { "says": "candidates of b9zv7c1yx6fj0grn: 0 host, 0 srflx, 0 relay", "at": 1412, "entry": 9 }
  ],
  "advice": "401: TURN_SECRETS differs from the server's, or the clock of either is wrong. ..."
}
\`\`\`

- \`state\`: \`waiting\` (nothing is negotiated yet), \`connecting\` (agreed, no path yet), \`working\`, \`degraded\` (it runs, not as it
  should), \`failed\` (it did not come up, or broke), \`over\` (a peer left). What needs attention comes first.
- \`cause\`: one of the table below, the most likely one; absent where nothing is wrong, or nothing has taken too long yet.
- \`evidence\`: each piece with the number of its entry in the timeline (\`entry\`), the SDP rule (\`finding\`) or the flow that it is
  about, and \`at\`, milliseconds from the start of the session. There are no addresses, candidates, keys or passwords in it.

A verdict is judged in the order in which a call comes about: what is missing first is the cause of the rest. It is made from the
records (descriptions in force, candidates, flows, findings) and from the timeline; where entries had to go it says less, not
something else. After a peer has left, a link is judged as it was then, or as it was when it lost the socket that it did not
come back by; and a page that is loaded again, or calls again, is not judged by the connection that it had before.

How much it knows depends on the clients. The SDK reports transports, media, and ICE servers that failed. A client of your own
should send \`transport\` when its \`connectionState\` changes, with \`iceErrors\` from \`icecandidateerror\` (\`code\`, \`url\`, and
\`lookup\` where the name could not be resolved), and \`candidates\` with \`complete\` when it has gathered all, also when there are
none. Of a client that reports nothing it is never said that it failed, only that nobody has told.

How long things may take: an offer 10 s before it is worth a word and 60 s before it expires; a path 20 s; an ICE restart 30 s;
media 12 s before it is judged.
`;

const section = ([title, causes]: [string, Readonly<Record<string, CauseRow>>]): string => {
  const rows = Object.entries(causes).map(([cause, { says, judgedBy, advice }]) => [
    `\`${cause}\``,
    says.replace(/\{(\w+)\}/g, "*$1*"),
    judgedBy,
    advice,
  ]);
  return `\n## ${title}\n\n${table(["Cause", "Says", "Judged by", "Advice"], rows)}\n`;
};

export const verdictsDocument = (): string =>
  `${HEAD}${Object.entries(CAUSE_FAMILIES).map(section).join("")}`;
