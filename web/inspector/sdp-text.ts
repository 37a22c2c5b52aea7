import { make } from "../element.ts";
import type { RecordedFinding } from "./known.ts";
import { type DiffLine, diffOf, sectionsOf } from "./sdp-diff.ts";
import { counted } from "./words.ts";

/** Unchanged lines shown around each change. */
const CONTEXT = 2;

const LEVELS = ["error", "warning", "info"] as const;
const worstOf = (findings: readonly RecordedFinding[]) =>
  LEVELS.find((level) => findings.some((finding) => finding.level === level));

/** A description with line numbers, its sections to fold, and what was found under the line it is about. */
export function textOf(sdp: string, findings: readonly RecordedFinding[]): HTMLElement {
  const byLine = Map.groupBy(findings, ({ line }) => line ?? 1);
  const box = make("div", "sdp-sections");
  for (const { name, mid, first, lines } of sectionsOf(sdp)) {
    const within = lines.flatMap((_line, index) => byLine.get(first + index) ?? []);
    const list = make("ol", "code-lines");
    lines.forEach((line, index) => {
      const about = byLine.get(first + index) ?? [];
      list.append(rowOf(String(first + index), line, about));
    });
    const title = `${name}${mid === undefined ? "" : `, mid ${mid}`}`;
    box.append(fold(title, sectionNotes(lines, within), within, list));
  }
  return box;
}

function rowOf(number: string, line: string, findings: readonly RecordedFinding[]): HTMLElement {
  const row = make("li");
  row.dataset.line = number;
  row.append(make("span", "no", number), make("code", "", line));
  const level = worstOf(findings);
  if (level === undefined) return row;
  row.dataset.level = level;
  row.tabIndex = -1;
  for (const { rule, message, source, level: own } of findings) {
    const note = make("p", "note");
    note.dataset.level = own;
    note.append(
      make("b", "", own),
      " ",
      make("code", "", rule),
      ` ${message} `,
      make("span", "soft", source),
    );
    row.append(note);
  }
  return row;
}

/** `sendrecv · 62 lines` */
function sectionNotes(lines: readonly string[], findings: readonly RecordedFinding[]): string {
  const direction = lines.find((line) => /^a=(?:sendrecv|sendonly|recvonly|inactive)$/.test(line));
  const isOff = /^m=\S+ 0 /.test(lines[0] ?? "");
  const parts = [
    isOff ? "refused" : (direction?.slice(2) ?? ""),
    counted(lines.length, "line"),
    findings.length === 0 ? "" : counted(findings.length, "finding"),
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

function fold(
  title: string,
  notes: string,
  findings: readonly RecordedFinding[],
  content: HTMLElement,
  isOpen = true,
): HTMLDetailsElement {
  const details = make("details", "sdp-section");
  details.open = isOpen;
  const summary = make("summary");
  summary.append(make("b", "", title), " ", make("span", "soft", notes));
  const level = worstOf(findings);
  if (level !== undefined) summary.dataset.level = level;
  details.append(summary, content);
  return details;
}

/** Two descriptions as one: what went, what came, and a little of what stayed. */
export function changesOf(before: string, after: string): HTMLElement {
  const box = make("div", "sdp-sections");
  for (const { name, lines, changes } of diffOf(before, after)) {
    const list = make("ol", "code-lines diff");
    for (const part of partsOf(lines)) {
      if (part.isHidden) list.append(hidden(part.lines));
      else list.append(...part.lines.map(diffRow));
    }
    const isNew = lines.every(({ kind }) => kind === "new");
    const isGone = lines.every(({ kind }) => kind === "gone");
    const notes = isNew
      ? "new"
      : isGone
        ? "gone"
        : changes === 0
          ? "unchanged"
          : counted(changes, "line differs", "lines differ");
    box.append(fold(name, notes, [], list, changes > 0));
  }
  return box;
}

interface Part {
  readonly isHidden: boolean;
  readonly lines: DiffLine[];
}

/** Long runs of what is the same are put away. */
function partsOf(lines: readonly DiffLine[]): readonly Part[] {
  const isNear = lines.map((_line, index) =>
    lines
      .slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1)
      .some(({ kind }) => kind !== "same"),
  );
  const parts: Part[] = [];
  lines.forEach((line, index) => {
    const isHidden = isNear[index] === false;
    const last = parts.at(-1);
    if (last?.isHidden === isHidden) last.lines.push(line);
    else parts.push({ isHidden, lines: [line] });
  });
  return parts.map((part) => (part.lines.length < 4 ? { ...part, isHidden: false } : part));
}

function hidden(lines: readonly DiffLine[]): HTMLElement {
  const row = make("li", "hidden-lines");
  const button = make("button", "", `${lines.length} unchanged lines`);
  button.type = "button";
  button.addEventListener("click", () => row.replaceWith(...lines.map(diffRow)));
  row.append(button);
  return row;
}

const SIGNS = { same: " ", gone: "−", new: "+" } as const;
const SAID = { same: "", gone: "removed: ", new: "added: " } as const;

function diffRow({ kind, text, before, after }: DiffLine): HTMLElement {
  const row = make("li");
  row.dataset.kind = kind;
  const code = make("code");
  if (kind !== "same") code.append(make("span", "visually-hidden", SAID[kind]));
  code.append(text);
  const sign = make("span", "diff-sign", SIGNS[kind]);
  sign.ariaHidden = "true";
  row.append(
    make("span", "no", before === undefined ? "" : String(before)),
    make("span", "no", after === undefined ? "" : String(after)),
    sign,
    code,
  );
  return row;
}
