import type { SdpFinding } from "../protocol/sdp/finding.ts";
import type { DescriptionRole } from "../protocol/sdp/rule.ts";
import type { SdpCheck } from "../protocol/sdp-check.ts";
import { Refusal } from "./back-end.ts";
import { FindingList } from "./check-findings.ts";
import { ExpectedFlows } from "./check-flows.ts";
import { roleOf, worstOf } from "./check-lines.ts";
import { Pane, type PaneChange } from "./check-pane.ts";
import { requestCheck } from "./check-request.ts";
import { LineTip } from "./check-tip.ts";
import { element, setText } from "./element.ts";
import { wordsForProblem } from "./words.ts";

/** Nobody wants to be told of a line that is being written. */
const TYPING_MS = 700;

const page = {
  form: element("form", HTMLFormElement),
  strict: element("strict", HTMLInputElement),
  example: element("example", HTMLButtonElement),
  verdict: element("verdict", HTMLElement),
};
const tip = new LineTip();
const findingList = new FindingList((finding) => {
  if (finding.line !== undefined) panes[roleOf(finding)].jump(finding.line);
});
const flows = new ExpectedFlows();
const panes: Readonly<Record<DescriptionRole, Pane>> = {
  offer: paneFor("offer"),
  answer: paneFor("answer"),
};
let waiting: ReturnType<typeof setTimeout> | undefined;
let asking = new AbortController();

function paneFor(role: DescriptionRole): Pane {
  return new Pane(role, tip, {
    changed: later,
    misplaced: (text, wanted) => {
      if (!panes[wanted].isEmpty) return false;
      panes[wanted].put(text);
      return true;
    },
    refused: (words) => say(words, "error"),
  });
}

const PROBLEM_WORDS: Readonly<Record<string, string>> = {
  "rate-limited": "Too many checks from your address just now. Try again in a minute.",
  "message-too-large": "This is too large: a description has at most 512 KiB.",
};

function say(words: string, level: string): void {
  page.verdict.dataset.level = level;
  setText(page.verdict, words);
}

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

function verdictOf(findings: readonly SdpFinding[], isPair: boolean): string {
  const count = (level: SdpFinding["level"]) =>
    findings.filter((finding) => finding.level === level).length;
  const what = isPair ? "this pair" : "this offer";
  if (count("error") > 0) {
    const more = count("warning") > 0 ? ` and ${counted(count("warning"), "warning")}` : "";
    const errors = counted(count("error"), "error");
    return page.strict.checked
      ? `${errors}${more}: ${what} does not conform.`
      : `${errors}${more}: Duplex refuses ${what}.`;
  }
  if (count("warning") > 0) return `No errors, ${counted(count("warning"), "warning")}.`;
  return count("info") > 0 ? "No errors, no warnings." : "Nothing was found.";
}

function showCheck(check: SdpCheck, isPair: boolean): void {
  const { findings } = check;
  const worst = worstOf(findings) ?? "good";
  say(verdictOf(findings, isPair), worst === "info" ? "good" : worst);
  findingList.show(findings);
  flows.show(check.flows);
  for (const pane of Object.values(panes)) {
    pane.annotate(findings.filter((finding) => roleOf(finding) === pane.role));
  }
}

function showNothing(words: string): void {
  say(words, "none");
  findingList.hide();
  flows.hide();
}

/** Asks for a check of what is there now; an answer to an older question is not waited for. */
async function check(): Promise<boolean> {
  clearTimeout(waiting);
  asking.abort();
  const own = new AbortController();
  asking = own;
  const { offer, answer } = panes;
  if (offer.isEmpty) {
    showNothing(answer.isEmpty ? "" : "Paste the offer too: an answer is checked against it.");
    return false;
  }
  const texts = {
    offer: offer.text,
    ...(answer.isEmpty ? {} : { answer: answer.text }),
    ...(page.strict.checked ? { strict: true } : {}),
  };
  page.verdict.setAttribute("aria-busy", "true");
  try {
    const found = await requestCheck(texts, own.signal);
    showCheck(found, !answer.isEmpty);
    return true;
  } catch (fault) {
    if (own.signal.aborted) return false;
    if (!(fault instanceof Refusal)) throw fault;
    showNothing("");
    say(PROBLEM_WORDS[fault.code] ?? wordsForProblem(fault.code, fault.message), "error");
    return false;
  } finally {
    if (asking === own) page.verdict.removeAttribute("aria-busy");
  }
}

async function checkAndShow(): Promise<void> {
  if (!(await check())) return;
  for (const pane of Object.values(panes)) pane.showLines();
}

const now = (): void => {
  checkAndShow().catch(reportError);
};

function later(how: PaneChange): void {
  if (how !== "typed") {
    now();
    return;
  }
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    check().catch(reportError);
  }, TYPING_MS);
}

/** Each file to the pane that its name speaks of, else the offer first. */
function take(files: readonly File[], place: DescriptionRole | undefined): void {
  for (const file of files.slice(0, 2)) {
    const named = /answer/i.test(file.name) ? "answer" : "offer";
    const free = panes.offer.isEmpty ? "offer" : "answer";
    const role = files.length > 1 ? named : (place ?? free);
    panes[role].load(file).catch(reportError);
  }
}

const paneUnder = (target: EventTarget | null): HTMLElement | null =>
  target instanceof Element ? target.closest<HTMLElement>(".pane") : null;

addEventListener("dragover", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  document.body.dataset.dragging = paneUnder(event.target)?.id ?? "page";
});
for (const over of ["dragleave", "dragend", "drop"]) {
  addEventListener(over, () => delete document.body.dataset.dragging);
}
addEventListener("drop", (event) => {
  const files = [...(event.dataTransfer?.files ?? [])];
  if (files.length === 0) return;
  event.preventDefault();
  const place = paneUnder(event.target)?.id;
  take(files, place === "offer-pane" ? "offer" : place === "answer-pane" ? "answer" : undefined);
});
page.form.addEventListener("submit", (event) => {
  event.preventDefault();
  now();
});
page.strict.addEventListener("change", () => later("typed"));
page.example.addEventListener("click", () => {
  fetch("/check-example.sdp")
    .then((response) => response.text())
    .then((text) => {
      if (!panes.answer.isEmpty) panes.answer.put("");
      panes.offer.put(text);
    })
    .catch(reportError);
});
// A page that is come back to has its texts still.
if (!panes.offer.isEmpty) later("whole");
