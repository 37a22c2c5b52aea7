import { DuplexError } from "../client/duplex-error.ts";
import {
  createObserver,
  dropObserverToken,
  isLocal,
  keepApiKey,
  keepObserverToken,
  keptObserverToken,
  Refusal,
} from "./back-end.ts";
import { element, setText } from "./element.ts";
import { Connection, type Liveness } from "./inspector/connection.ts";
import { CallRecord } from "./inspector/record.ts";
import { InspectorView } from "./inspector/view.ts";
import { wordsForProblem } from "./words.ts";

const page = {
  form: element("entry-form", HTMLElement),
  accessSession: element("access-session", HTMLElement),
  problem: element("access-problem", HTMLElement),
  tokenForm: element("token-form", HTMLFormElement),
  token: element("token", HTMLInputElement),
  keyForm: element("key-form", HTMLFormElement),
  key: element("key", HTMLInputElement),
  developmentForm: element("development-form", HTMLFormElement),
  view: element("view", HTMLElement),
  liveness: element("liveness", HTMLElement),
  livenessText: element("liveness-text", HTMLElement),
  over: element("over", HTMLElement),
};

/** `/inspect/{id}` */
const session = (() => {
  const [, id = ""] = /^\/inspect\/([^/]+)\/?$/.exec(location.pathname) ?? [];
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
})();

function showForm(problem = ""): void {
  page.view.hidden = true;
  page.liveness.hidden = true;
  page.form.hidden = false;
  setText(page.accessSession, session || "none in the address");
  page.developmentForm.hidden = !isLocal();
  setText(page.problem, problem);
  page.problem.hidden = problem === "";
}

const OF_TOKENS: Readonly<Record<string, string>> = {
  unauthorized:
    "The server does not accept this: it is no observer token of this session, or it has expired.",
  "not-permitted": "This token may not see the whole session: it has to be one of an observer.",
  "session-not-found": "There is no such session, or it is over.",
};

/** Of whoever makes an observer with a key. */
const OF_KEYS: Readonly<Record<string, string>> = {
  ...OF_TOKENS,
  unauthorized: "The server does not accept this API key.",
  "not-permitted": "This is the token of a peer; an observer is made with an API key.",
};

function refuse(thrown: unknown): void {
  if (thrown instanceof Refusal) {
    const { code, message } = thrown;
    showForm(OF_KEYS[code] ?? wordsForProblem(code, message));
    return;
  }
  if (thrown instanceof DuplexError) {
    const { code, message } = thrown;
    if (code === "unauthorized" || code === "not-permitted") dropObserverToken(session);
    showForm(OF_TOKENS[code] ?? wordsForProblem(code, message));
    return;
  }
  showForm("The server does not answer. Check your connection and try again.");
  reportError(thrown);
}

function showLiveness(state: Liveness, words: string): void {
  const isOver = state === "ended" || state === "refused";
  page.liveness.hidden = false;
  page.liveness.dataset.state = isOver ? "closed" : state;
  setText(page.livenessText, state === "ended" ? "Over" : state === "refused" ? "Not live" : words);
  page.over.hidden = !isOver;
  if (isOver) setText(page.over, words);
}

async function inspect(token: string): Promise<void> {
  let view: InspectorView | undefined;
  const record = new CallRecord(() => view?.changed());
  const connection = new Connection(session, token, record, { state: showLiveness });
  await connection.read();
  page.form.hidden = true;
  page.view.hidden = false;
  view = new InspectorView(record);
  document.title = `${session.slice(0, 8)} · Inspector · Duplex`;
  await connection.follow();
}

let isBeginning = false;

/** One at a time: whoever clicks twice wants one inspector. */
function begin(token: () => Promise<string> | string): void {
  if (isBeginning) return;
  isBeginning = true;
  const work = async (): Promise<void> => inspect(await token());
  page.form.setAttribute("aria-busy", "true");
  work()
    .catch(refuse)
    .finally(() => {
      isBeginning = false;
      page.form.removeAttribute("aria-busy");
    });
}

page.tokenForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const token = page.token.value.trim();
  if (token === "") return;
  begin(() => {
    keepObserverToken(session, token);
    return token;
  });
});
page.keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const key = page.key.value.trim();
  if (key === "") return;
  begin(() => {
    keepApiKey(key);
    page.key.value = "";
    return createObserver(session);
  });
});
page.developmentForm.addEventListener("submit", (event) => {
  event.preventDefault();
  begin(() => createObserver(session));
});

const kept = keptObserverToken(session);
if (kept === undefined) showForm();
else begin(() => kept);
