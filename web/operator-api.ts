/** What the page for operators asks of the server, with an API key that is kept in the tab only. */

const KEY_ITEM = "duplex-api-key";
const OBSERVER_ITEM = "duplex.observer.";
const DEVELOPMENT_KEY = "dev-key";

/** As GET /v1/sessions has it, as far as the page shows it. */
export interface ListedSession {
  readonly id: string;
  readonly createdAt: number;
  readonly endsAt?: number;
  readonly topology: string;
  readonly peers: { readonly connected: number; readonly away: number; readonly observers: number };
  readonly links: Readonly<Record<string, number>>;
  readonly state?: string;
  readonly verdict?: { readonly says: string };
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface SessionPage {
  readonly sessions: readonly ListedSession[];
  readonly cursor?: string;
}

/** As GET /v1/webhooks/dead-letters has it. */
export interface Letter {
  readonly id: string;
  readonly receiver: string;
  readonly failures: number;
  readonly reason: string;
  readonly givenUpAt: number;
  readonly event: { readonly type: string; readonly session?: string };
}

/** The server refused: `status` and `code` of its problem document; status 0 when there was no answer. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** Keeps an API key for this tab. */
export function keepApiKey(key: string): void {
  sessionStorage.setItem(KEY_ITEM, key);
}

async function ask(path: string, method: string, body?: object): Promise<unknown> {
  const key = sessionStorage.getItem(KEY_ITEM) ?? DEVELOPMENT_KEY;
  const response = await fetch(path, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Refusal(0, "unreachable", "The server does not answer.");
  });
  const answer: unknown = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { code = "", detail = "" } = answer as { code?: string; detail?: string };
  throw new Refusal(response.status, code, detail);
}

/** A page of listed sessions, newest first. */
export async function readSessions(limit: number, cursor?: string): Promise<SessionPage> {
  const query = new URLSearchParams({ limit: String(limit), ...(cursor && { cursor }) });
  return (await ask(`/v1/sessions?${query}`, "GET")) as SessionPage;
}

/** Events that were given up; undefined where the server has no webhooks. */
export async function readLetters(): Promise<readonly Letter[] | undefined> {
  try {
    const { deadLetters } = (await ask("/v1/webhooks/dead-letters", "GET")) as {
      deadLetters: Letter[];
    };
    return deadLetters;
  } catch (thrown) {
    if (thrown instanceof Refusal && thrown.status === 404) return undefined;
    throw thrown;
  }
}

/** Delivers an event once more. */
export async function redeliver(letter: string): Promise<void> {
  await ask(`/v1/webhooks/dead-letters/${encodeURIComponent(letter)}/redeliver`, "POST");
}

const observersOf = (session: string): string =>
  `/v1/sessions/${encodeURIComponent(session)}/peers`;

/** Makes an observer of a session; gives its token. */
export async function makeObserver(session: string): Promise<string> {
  const request = { role: "observer", name: "Inspector" };
  const { token } = (await ask(observersOf(session), "POST", request)) as { token: string };
  return token;
}

export const inspectorOf = (session: string): string => `/inspect/${encodeURIComponent(session)}`;

/**
 * Opens the inspector in a tab of its own, with a token in its storage: tokens never travel in an address (A1). A tab that
 * is opened so starts with a copy of this one's storage; the API key stays here. False when the browser opens no tabs.
 */
export function openInspector(session: string, token: string): boolean {
  const item = `${OBSERVER_ITEM}${session}`;
  const key = sessionStorage.getItem(KEY_ITEM);
  sessionStorage.setItem(item, token);
  sessionStorage.removeItem(KEY_ITEM);
  const opened = window.open(inspectorOf(session), "_blank");
  if (key !== null) sessionStorage.setItem(KEY_ITEM, key);
  // It goes there in this tab, too, where the browser opens none.
  if (opened) sessionStorage.removeItem(item);
  return opened !== null;
}
