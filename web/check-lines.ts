import type { Level, SdpFinding } from "../protocol/sdp/finding.ts";
import type { DescriptionRole } from "../protocol/sdp/rule.ts";
import type { LineTip } from "./check-tip.ts";
import { make } from "./element.ts";

const LINE_END = /\r\n|\n|\r/;

export const LEVELS: readonly Level[] = ["error", "warning", "info"];

/** The worst level among findings. */
export function worstOf(findings: readonly SdpFinding[]): Level | undefined {
  return LEVELS.find((level) => findings.some((finding) => finding.level === level));
}

/** Which text a finding points into: one about the pair points into the answer. */
export function roleOf({ description }: SdpFinding): DescriptionRole {
  return description === "offer" || description === undefined ? "offer" : "answer";
}

/** The rows of a text, those with findings marked by the worst of them. */
export function linesFor(
  role: DescriptionRole,
  text: string,
  findings: readonly SdpFinding[],
  tip: LineTip,
): readonly HTMLElement[] {
  const byLine = Map.groupBy(findings, ({ line }) => line);
  const texts = text.split(LINE_END);
  if (texts.at(-1) === "") texts.pop();
  return texts.map((line, index) => rowOf(role, index + 1, line, byLine.get(index + 1) ?? [], tip));
}

function rowOf(
  role: DescriptionRole,
  number: number,
  text: string,
  findings: readonly SdpFinding[],
  tip: LineTip,
): HTMLElement {
  const row = make("li");
  const level = worstOf(findings);
  const code = make("code", "", text);
  if (level === undefined) {
    row.append(make("span", "no", String(number)), code);
    return row;
  }
  row.dataset.level = level;
  row.append(markOf(role, number, row, findings, tip), code);
  row.addEventListener("pointerenter", ({ pointerType }) => {
    if (pointerType === "mouse") tip.show(row, findings);
  });
  row.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType === "mouse") tip.leave();
  });
  return row;
}

/** The number of a line with findings is a button, so that the keyboard and a finger get at them too. */
function markOf(
  role: DescriptionRole,
  number: number,
  row: HTMLElement,
  findings: readonly SdpFinding[],
  tip: LineTip,
): HTMLButtonElement {
  const mark = make("button", "no", String(number));
  mark.type = "button";
  const rules = findings.map(({ level, rule }) => `${level} ${rule}`).join(", ");
  mark.setAttribute("aria-label", `${role} line ${number}: ${rules}`);
  const show = (): void => {
    row.scrollIntoView({ block: "nearest" });
    tip.show(row, findings, mark);
  };
  mark.addEventListener("focus", show);
  mark.addEventListener("blur", () => {
    mark.removeAttribute("aria-describedby");
    tip.leave();
  });
  // Some browsers give no focus to a button that is tapped.
  mark.addEventListener("click", show);
  return mark;
}
