import type { z } from "zod";
import type { NetworkAccess } from "../../protocol/assistance/access.ts";
import type { NetworkAnswer } from "../../protocol/assistance/network.ts";
import { Refused } from "./answers.ts";
import { type Answered, type NetworkSurroundings, pauseOf, sent } from "./network-sending.ts";
import { NetworkTokens } from "./network-tokens.ts";

export interface NetworkCall<S extends z.ZodType> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Segments below the URL of the API, as they are; the last one may be empty. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** What a success has in its body; undefined where nothing is read. */
  readonly answer?: S;
  /** Lists are long. */
  readonly mostBytes?: number;
}

/** Something came of it as it should, or did not. */
export type Outcome<Body> =
  | { readonly type: "ok"; readonly body: Body; readonly headers: Headers }
  | Exclude<NetworkAnswer, { readonly type: "done" }>;

/** Calls the API of one network: authorises, reads answers by their schemas, and says what a status means. */
export class NetworkHttp {
  readonly #base: string;
  readonly #tokens: NetworkTokens | undefined;
  readonly #around: NetworkSurroundings;

  constructor({ url, auth }: NetworkAccess, around: NetworkSurroundings) {
    this.#base = url.replace(/\/+$/, "");
    this.#tokens = auth && new NetworkTokens(auth, around);
    this.#around = around;
  }

  async call<S extends z.ZodType>(call: NetworkCall<S>): Promise<Outcome<z.output<S>>> {
    const tokens = this.#tokens;
    const token = await tokens?.current();
    if (tokens && token === undefined) return withoutToken(tokens);
    const answered = await this.#send(call, token);
    if (answered?.status !== 401 || tokens === undefined || token === undefined)
      return judged(call, answered, this.#around);
    // It may have been revoked, or ended earlier than was said.
    tokens.forget(token);
    const renewed = await tokens.current();
    if (renewed === undefined) return withoutToken(tokens);
    return judged(call, await this.#send(call, renewed), this.#around);
  }

  async #send(
    { method, path, query, body, headers, mostBytes }: NetworkCall<z.ZodType>,
    token: string | undefined,
  ): Promise<Answered | undefined> {
    const below = path.map((segment) => encodeURIComponent(segment)).join("/");
    const search = query ? `?${new URLSearchParams(query)}` : "";
    const init: RequestInit = {
      method,
      headers: {
        accept: "application/json, application/problem+json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    return sent(this.#around, `${this.#base}/${below}${search}`, init, mostBytes);
  }
}

/** Nothing was asked: it is for the token endpoint to say when. */
function withoutToken({
  pauseMs: afterMs,
  reason,
}: NetworkTokens): Extract<NetworkAnswer, { type: "later" }> {
  return { type: "later", reason, ...(afterMs !== undefined && { afterMs }) };
}

/** A gateway that says that it is being mended, or that one has to log in, says so with 200: the network was not asked. */
const isPage = (headers: Headers): boolean =>
  /^(?:text\/html|application\/xhtml\+xml)\b/i.test(headers.get("content-type") ?? "");

const UNREADABLE = { type: "unknown", reason: "unreadable-answer" } as const;

function judged<S extends z.ZodType>(
  { answer }: NetworkCall<S>,
  answered: Answered | undefined,
  { now }: NetworkSurroundings,
): Outcome<z.output<S>> {
  if (!answered) return { type: "unknown", reason: "no-answer" };
  const { status, headers, json } = answered;
  const reason = reasonOf(answered);
  if (status >= 200 && status < 300) {
    // Without a schema the body does not matter, and is no body of the schema's type.
    const read = answer?.safeParse(json);
    if (isPage(headers) || read?.success === false) return UNREADABLE;
    return { type: "ok", body: read?.data as z.output<S>, headers };
  }
  const afterMs = pauseOf(headers, now());
  const pause = afterMs === undefined ? {} : { afterMs };
  switch (status) {
    case 404:
    case 410:
    // The only condition that is ever made: that it is there.
    case 412:
      return { type: "gone" };
    case 409:
      return { type: "conflict", reason };
    case 401:
    case 429:
      return { type: "later", reason, ...pause };
    case 408:
      return { type: "unknown", reason };
    default:
      // Whoever says when to come again has done nothing.
      if (status === 503 && afterMs !== undefined) return { type: "later", reason, afterMs };
      if (status >= 500 && status !== NOT_IMPLEMENTED) return { type: "unknown", reason };
      return { type: "refused", reason, ...pause };
  }
}

/** Whoever does not know how to do it has not done it, and will not (RFC 9110 s15.6.2): some networks have no lists. */
const NOT_IMPLEMENTED = 501;

const CODE = /^[A-Za-z0-9_.-]{1,100}$/;

/** Texts of errors may quote what was sent: only their code goes on (A4). */
function reasonOf({ status, json }: Answered): string {
  const { code, cause } = Refused.safeParse(json).data ?? {};
  const said = code ?? cause ?? "";
  return CODE.test(said) ? said : `http-${status}`;
}

const ID = /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}$/;

/**
 * Id of a resource by its link, which ends in `<collection>/<id>`, or with a slash behind that. The link itself is never
 * followed, wherever it points: calls go below the configured URL only (A5).
 */
export function idOf(link: string | null | undefined, collection: string): string | undefined {
  if (link === null || link === undefined || !URL.canParse(link, "https://a.invalid")) {
    return undefined;
  }
  const path = new URL(link, "https://a.invalid").pathname.replace(/\/$/, "");
  const [id = "", parent] = path.split("/").reverse();
  return parent === collection && ID.test(id) ? id : undefined;
}

/** Ids come back from storage: none may lead out of its collection. */
export const isId = (id: string): boolean => ID.test(id);
