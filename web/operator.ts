import { element, make, setText } from "./element.ts";
import {
  inspectorOf,
  keepApiKey,
  type Letter,
  type ListedSession,
  makeObserver,
  openInspector,
  Refusal,
  readLetters,
  readSessions,
  redeliver,
} from "./operator-api.ts";
import { SessionTable, showLetters } from "./operator-table.ts";
import { searchedOf, wordsFor } from "./operator-words.ts";

/** The start page of operators: live sessions, and the way to the inspector of each. */

/** Every session shown is asked each time. */
const REFRESH_MS = 10_000;
const TICK_MS = 1_000;
const PAGE = 25;
/** The most that is read at once when all pages that are shown are read again. */
const MOST_AT_ONCE = 100;

const page = {
  problem: element("problem", HTMLElement),
  access: element("access", HTMLElement),
  accessTitle: element("access-title", HTMLElement),
  keyForm: element("key-form", HTMLFormElement),
  key: element("key", HTMLInputElement),
  view: element("view", HTMLElement),
  liveness: element("liveness", HTMLElement),
  updated: element("updated", HTMLElement),
  sessions: element("total-sessions", HTMLElement),
  peers: element("total-peers", HTMLElement),
  working: element("total-working", HTMLElement),
  workingTile: element("fine", HTMLElement),
  trouble: element("total-trouble", HTMLElement),
  troubleTile: element("trouble", HTMLElement),
  search: element("search", HTMLInputElement),
  searchForm: element("search-form", HTMLFormElement),
  openForm: element("open-form", HTMLFormElement),
  open: element("open", HTMLInputElement),
  sum: element("list-sum", HTMLElement),
  live: element("live", HTMLInputElement),
  refresh: element("refresh", HTMLButtonElement),
  noMatch: element("no-match", HTMLElement),
  empty: element("empty", HTMLElement),
  more: element("more", HTMLButtonElement),
  letters: element("letters", HTMLElement),
  letterTable: element("letters-table", HTMLTableElement),
  letterSum: element("letters-sum", HTMLElement),
  noLetters: element("no-letters", HTMLElement),
};

const table = new SessionTable(element("sessions", HTMLTableElement), (id) => void inspect(id));
let known: readonly ListedSession[] = [];
/** Of what comes after those known; undefined when that is all. */
let cursor: string | undefined;
let wanted = PAGE;
let readAt: number | undefined;
/** When the last attempt to read was over, whatever came of it. */
let askedAt = 0;
let isReading = false;
/** What is told is that a refresh failed: the next one that does not takes it back. */
let isOfRefresh = false;

function tell(text: string, link?: HTMLElement): void {
  isOfRefresh = false;
  // Said once is enough, for those who hear it.
  if (link === undefined && page.problem.textContent === text) return;
  page.problem.hidden = text === "";
  page.problem.replaceChildren(text, ...(link ? [" ", link] : []));
}

function askForKey(problem: string): void {
  page.view.hidden = true;
  page.liveness.hidden = true;
  const isNew = page.access.hidden;
  page.access.hidden = false;
  tell(problem);
  if (isNew) page.accessTitle.focus();
}

function refuse(thrown: unknown): void {
  if (!(thrown instanceof Refusal)) throw thrown;
  // The first time nobody has given a key yet.
  const isFirst = page.access.hidden && readAt === undefined;
  if (thrown.status === 401 || thrown.status === 403) askForKey(isFirst ? "" : wordsFor(thrown));
  else tell(wordsFor(thrown));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

const plus = (count: number): string => (cursor === undefined ? String(count) : `${count}+`);

function showTotals(): void {
  const links = (...states: string[]) =>
    sum(known.flatMap(({ links: counts }) => states.map((state) => counts[state] ?? 0)));
  const trouble = links("failed", "degraded");
  setText(page.sessions, plus(known.length));
  setText(page.peers, plus(sum(known.map(({ peers }) => peers.connected))));
  const working = links("working");
  setText(page.working, plus(working));
  page.workingTile.dataset.level = working > 0 ? "good" : "none";
  setText(page.trouble, plus(trouble));
  page.troubleTile.dataset.level = trouble > 0 ? "bad" : "none";
}

function show(): void {
  const now = Date.now();
  const words = page.search.value.trim().toLowerCase().split(/\s+/);
  const found = known.filter((session) => {
    const text = searchedOf(session);
    return words.every((word) => text.includes(word));
  });
  showTotals();
  table.show(found, now);
  page.empty.hidden = known.length > 0;
  page.noMatch.hidden = known.length === 0 || found.length > 0;
  page.more.hidden = cursor === undefined;
  const isSearch = page.search.value.trim() !== "";
  setText(page.more, isSearch ? "Search older sessions, too" : "Show older sessions");
  const newest = cursor === undefined ? "" : "the newest ";
  setText(page.sum, isSearch ? `${found.length} of ${newest}${known.length}` : "");
  showAge();
}

function showAge(): void {
  if (readAt === undefined) return;
  const seconds = Math.round((Date.now() - readAt) / 1000);
  page.liveness.dataset.state = page.live.checked ? "connected" : "idle";
  setText(page.updated, seconds < 2 ? "Up to date" : `As of ${seconds} s ago`);
}

/** Reads as many as are wanted, page by page. */
async function readAll(): Promise<void> {
  const sessions: ListedSession[] = [];
  let next: string | undefined;
  do {
    const limit = Math.min(MOST_AT_ONCE, wanted - sessions.length);
    const read = await readSessions(limit, next);
    sessions.push(...read.sessions);
    next = read.cursor;
  } while (next !== undefined && sessions.length < wanted);
  known = sessions;
  cursor = next;
}

async function refresh(): Promise<void> {
  if (isReading) return;
  isReading = true;
  try {
    await readAll();
    isOfRefresh ||= !page.access.hidden;
    page.access.hidden = true;
    page.view.hidden = false;
    page.liveness.hidden = false;
    readAt = Date.now();
    show();
    await refreshLetters();
    if (isOfRefresh) tell("");
  } catch (thrown) {
    refuse(thrown);
    isOfRefresh = true;
  } finally {
    isReading = false;
    askedAt = Date.now();
  }
}

async function refreshLetters(): Promise<void> {
  const letters = await readLetters();
  page.letters.hidden = letters === undefined;
  if (!letters) return;
  page.noLetters.hidden = letters.length > 0;
  setText(page.letterSum, letters.length === 0 ? "" : String(letters.length));
  showLetters(page.letterTable, letters, Date.now(), {
    inspect: (id) => void inspect(id),
    redeliver: (letter) => void deliver(letter),
  });
}

async function deliver({ id, event }: Letter): Promise<void> {
  try {
    await redeliver(id);
    tell(`${event.type} was taken.`);
    await refreshLetters();
  } catch (thrown) {
    refuse(thrown);
  }
}

async function inspect(session: string): Promise<void> {
  tell("");
  try {
    const token = await makeObserver(session);
    if (openInspector(session, token)) return;
    const link = make("a", "", "Open the inspector here");
    link.href = inspectorOf(session);
    tell("The browser opened no tab.", link);
  } catch (thrown) {
    refuse(thrown);
  }
}

page.keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const key = page.key.value.trim();
  if (key === "") return page.key.focus();
  page.key.value = "";
  keepApiKey(key);
  void refresh();
});
page.openForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const id = page.open.value.trim();
  if (id === "") page.open.focus();
  else void inspect(id);
});
page.searchForm.addEventListener("submit", (event) => event.preventDefault());
page.search.addEventListener("input", show);
page.refresh.addEventListener("click", () => void refresh());
page.more.addEventListener("click", () => {
  wanted = known.length + PAGE;
  void refresh();
});
page.live.addEventListener("change", () => {
  showAge();
  if (page.live.checked) void refresh();
});

/** Nobody looks at a page in the background. */
const isDue = (): boolean =>
  page.live.checked && !document.hidden && page.access.hidden && Date.now() - askedAt >= REFRESH_MS;

setInterval(() => {
  if (isDue()) void refresh();
  showAge();
}, TICK_MS);
document.addEventListener("visibilitychange", () => {
  if (isDue()) void refresh();
});
void refresh();
