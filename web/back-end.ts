/**
 * What an application's back end would do: it creates sessions and peers with an API key. The demo does it
 * from the page, with the key of local development or one that its user types in.
 */

const KEY_ITEM = "duplex-api-key";
const OBSERVER_ITEM = "duplex.observer.";
const DEVELOPMENT_KEY = "dev-key";

/** What POST /v1/sessions/{id}/peers answers, as far as the demo needs it. */
export interface Invitation {
  readonly token: string;
  readonly signalling: { readonly url: string };
}

/** The server refused: `status` and `code` of its problem document. */
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

/** True where the server is on this machine: `npm start` takes the key of local development. */
export function isLocal(): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(location.hostname);
}

/** True where this page has something to make peers with. */
export function hasKey(): boolean {
  return isLocal() || sessionStorage.getItem(KEY_ITEM) !== null;
}

/** Keeps an API key for this tab. */
export function keepApiKey(key: string): void {
  sessionStorage.setItem(KEY_ITEM, key);
}

/** Creates a session; gives its id. In local development a newcomer finds it in the list at once. */
export async function createSession(): Promise<string> {
  const isLocal = sessionStorage.getItem(KEY_ITEM) === null;
  const { id } = (await post("/v1/sessions", isLocal ? { listed: true } : {})) as { id: string };
  return id;
}

/** Creates a peer in a session. */
export function createPeer(session: string, name: string): Promise<Invitation> {
  return invite(session, { name });
}

/** Creates an observer and keeps its token in this tab, where the inspector of the session looks for it. */
export async function createObserver(session: string): Promise<string> {
  const { token } = await invite(session, { role: "observer", name: "Inspector" });
  keepObserverToken(session, token);
  return token;
}

/** Tokens never travel in an address (A1): pages of this origin hand them over in the storage of the tab. */
export function keepObserverToken(session: string, token: string): void {
  sessionStorage.setItem(`${OBSERVER_ITEM}${session}`, token);
}

export function keptObserverToken(session: string): string | undefined {
  return sessionStorage.getItem(`${OBSERVER_ITEM}${session}`) ?? undefined;
}

export function dropObserverToken(session: string): void {
  sessionStorage.removeItem(`${OBSERVER_ITEM}${session}`);
}

async function invite(session: string, request: object): Promise<Invitation> {
  const path = `/v1/sessions/${encodeURIComponent(session)}/peers`;
  // Whoever leaves the page open stays: the peer leaves when its token ends.
  const invitation = (await post(path, { ttlSeconds: 86_400, ...request })) as Invitation;
  const url = new URL(invitation.signalling.url, location.href).href;
  return { token: invitation.token, signalling: { url } };
}

/** Lets a fault of the network happen to a peer; a server refuses it unless it runs in local development. */
export async function simulate(session: string, peer: string, fault: object): Promise<void> {
  const peers = `/v1/sessions/${encodeURIComponent(session)}/peers`;
  await post(`${peers}/${encodeURIComponent(peer)}/simulate`, fault);
}

async function post(path: string, body: unknown): Promise<unknown> {
  const key = sessionStorage.getItem(KEY_ITEM) ?? DEVELOPMENT_KEY;
  const response = await fetch(path, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new Refusal(0, "unreachable", "no answer");
  });
  const answer: unknown = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  // It would be refused again, and keep the key of local development from being used.
  if (response.status === 401) sessionStorage.removeItem(KEY_ITEM);
  const { code = "", detail = "" } = answer as { code?: string; detail?: string };
  throw new Refusal(response.status, code, detail);
}
