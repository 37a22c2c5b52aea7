#!/usr/bin/env node
// Checks SDP as a Duplex server does: duplex-sdp offer.sdp [answer.sdp]
import "./node-20.ts";
import { parseArgs } from "node:util";
import type { SdpFinding } from "../protocol/sdp/finding.ts";
import { checkSdp, type SdpCheck } from "../protocol/sdp-check.ts";
import { type Input, readInput, UsageError } from "./input.ts";
import { printable, printableJson } from "./printable.ts";
import { type Inputs, report } from "./report.ts";

const USAGE = `Usage: duplex-sdp [options] <offer> [answer]

Checks an SDP offer, or an offer and its answer, against the rules for WebRTC.
Each is a file with SDP or with {"type", "sdp"} as JSON; - reads the standard input.

  --strict   the profile for conformance testing: more rules, at higher levels
  --json     print {"findings", "flows"} as POST /v1/sdp/check answers them
  --help     print this

Passwords, keys and fingerprints are not printed.
Exit code: 0 without an error finding, 1 with one, 2 when there was nothing to check.
`;

/** A description that broke off or has another encoding; the check itself sees only what could be decoded. */
const notUtf8 = (input: Input, description: "offer" | "answer"): SdpFinding[] =>
  input.undecodable.map((line) => ({
    rule: "line-not-utf8",
    level: "error",
    description,
    ...(line === undefined ? {} : { line }),
    message: "the line is not valid UTF-8; send the text as UTF-8, as WebRTC stacks write it",
    source: "RFC 8866 s4.5",
  }));

/** The check with what only bytes show, in its place: errors come first in each description. */
function checkInputs({ offer, answer }: Inputs, strict: boolean): SdpCheck {
  const { findings, flows } = checkSdp(
    { offer: offer.sdp, answer: answer?.sdp, strict },
    Date.now(),
  );
  const own = [...notUtf8(offer, "offer"), ...(answer ? notUtf8(answer, "answer") : [])];
  const isOf = (wanted: SdpFinding["description"]) => (finding: SdpFinding) =>
    finding.description === wanted;
  const parts = ["offer", "answer", "pair"] as const;
  return {
    findings: parts.flatMap((part) => [...own.filter(isOf(part)), ...findings.filter(isOf(part))]),
    flows,
  };
}

/** Two files in the wrong order give findings that only confuse. */
function refuseRole({ name, role }: Input, wanted: "offer" | "answer"): void {
  if (role === undefined || role === wanted) return;
  throw new UsageError(`${name} is an ${role} by its type: the offer comes first, then its answer`);
}

async function readInputs(paths: readonly string[]): Promise<Inputs> {
  const [offerPath, answerPath, ...others] = paths;
  if (offerPath === undefined || others.length > 0) {
    throw new UsageError("give one offer, and one answer if there is one");
  }
  if (offerPath === "-" && answerPath === "-") throw new UsageError("- can be read once only");
  const offer = await readInput(offerPath);
  refuseRole(offer, "offer");
  if (answerPath === undefined) return { offer };
  const answer = await readInput(answerPath);
  refuseRole(answer, "answer");
  return { offer, answer };
}

function optionsOf(args: string[]) {
  const flag = { type: "boolean", default: false } as const;
  const options = { strict: flag, json: flag, help: { ...flag, short: "h" } } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (fault) {
    throw new UsageError(fault instanceof Error ? fault.message : String(fault));
  }
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = optionsOf(args);
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const inputs = await readInputs(positionals);
  const check = checkInputs(inputs, values.strict);
  const inColour = process.stdout.isTTY === true && !process.env.NO_COLOR;
  process.stdout.write(values.json ? `${printableJson(check)}\n` : report(check, inputs, inColour));
  return check.findings.some(({ level }) => level === "error") ? 1 : 0;
}

// Who reads may stop reading, as `head` does; that is no fault.
process.stdout.on("error", (fault: NodeJS.ErrnoException) => {
  if (fault.code !== "EPIPE") throw fault;
});
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (fault) {
  if (!(fault instanceof UsageError)) throw fault;
  process.stderr.write(`duplex-sdp: ${printable(fault.message)}\nTry duplex-sdp --help\n`);
  process.exitCode = 2;
}
