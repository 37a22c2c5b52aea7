import { findingGroups } from "../protocol/finding-groups.ts";
import type { Level, SdpFinding } from "../protocol/sdp/finding.ts";
import type { SdpCheck } from "../protocol/sdp-check.ts";
import type { Input } from "./input.ts";
import { masked } from "./masked.ts";
import { printable } from "./printable.ts";

/** Lines shown before and after the one that a finding is about. */
const NEIGHBOURS: Readonly<Record<Level, number>> = { error: 1, warning: 1, info: 0 };
const MAX_WIDTH = 140;
const LINE_END = /\r\n|\n|\r/;
const LEVELS: readonly Level[] = ["error", "warning", "info"];

/** What was read. */
export interface Inputs {
  readonly offer: Input;
  readonly answer?: Input | undefined;
}

const SGR = { error: "1;31", warning: "1;33", info: "1;36", dim: "2", strong: "1" } as const;
type Style = keyof typeof SGR;
type Paint = (style: Style, text: string) => string;

const coloured: Paint = (style, text) => `\u001b[${SGR[style]}m${text}\u001b[0m`;
const plain: Paint = (_style, text) => text;

/** The findings for people, each with its line, and a summary. Secrets of the descriptions are masked. */
export function report({ findings, flows }: SdpCheck, inputs: Inputs, inColour: boolean): string {
  const paint = inColour ? coloured : plain;
  const shown = new Map<Input, readonly string[]>();
  const linesOf = (input: Input): readonly string[] => {
    const known = shown.get(input) ?? masked(input.sdp.split(LINE_END));
    shown.set(input, known);
    return known;
  };
  const blocks = findingGroups(findings).map(([finding, ...others]) => {
    const input = finding.description === "offer" ? inputs.offer : (inputs.answer ?? inputs.offer);
    const head = headOf(finding, input, paint);
    const excerpt = finding.line === undefined ? [] : excerptOf(linesOf(input), finding, paint);
    const also = others.length === 0 ? "" : `, also at ${others.map(placeOf).join(", ")}`;
    return [head, ...excerpt, `    ${paint("dim", printable(`${finding.source}${also}`))}`].join(
      "\n",
    );
  });
  return `${[...blocks, summaryOf({ findings, flows }, inputs, paint)].join("\n\n")}\n`;
}

const placeOf = ({ line }: SdpFinding): string => `line ${line ?? "?"}`;

/** `offer.sdp:12: error: two sections have this mid [mid-duplicate]`: editors can jump to it. */
function headOf(finding: SdpFinding, { name }: Input, paint: Paint): string {
  const { level, line, rule, message, description } = finding;
  const place = `${printable(name)}${line === undefined ? "" : `:${line}`}`;
  const about = description === "pair" ? `${rule}, answer does not fit offer` : rule;
  const words = `${paint(level, level)}: ${printable(message)} ${paint("dim", `[${about}]`)}`;
  return `${paint("strong", place)}: ${words}`;
}

function excerptOf(
  lines: readonly string[],
  { line = 1, level }: SdpFinding,
  paint: Paint,
): readonly string[] {
  const first = Math.max(1, line - NEIGHBOURS[level]);
  // After the end of the last line there is none.
  const end = lines.at(-1) === "" ? lines.length - 1 : lines.length;
  const last = Math.min(end, line + NEIGHBOURS[level]);
  const width = String(last).length;
  return lines.slice(first - 1, last).map((text, index) => {
    const number = first + index;
    const isIt = number === line;
    const gutter = `${isIt ? ">" : " "} ${String(number).padStart(width)} |`;
    const row = `  ${gutter} ${short(printable(text))}`;
    return isIt ? paint(level, row) : paint("dim", row);
  });
}

const short = (text: string): string =>
  text.length > MAX_WIDTH ? `${text.slice(0, MAX_WIDTH)}…` : text;

function summaryOf({ findings, flows }: SdpCheck, { offer, answer }: Inputs, paint: Paint): string {
  const counts = LEVELS.map((level) => {
    const count = findings.filter((finding) => finding.level === level).length;
    const words = `${count} ${level}${count === 1 || level === "info" ? "" : "s"}`;
    return count > 0 ? paint(level, words) : words;
  });
  const names = [offer, answer].flatMap((input) => (input ? [printable(input.name)] : []));
  const result = `${flows.length || "no"} media flow${flows.length === 1 ? "" : "s"}`;
  return `${counts.join(", ")} in ${names.join(" and ")}; ${result} would result`;
}
