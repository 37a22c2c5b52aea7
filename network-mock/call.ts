// One call at one of the mock's APIs, and its answer.
import type { Json } from "./dialect.ts";
import type { PublishedFile } from "./schemas.ts";

/** `oauth2` is the token endpoint, which all of them share. */
export type NetworkApi = "camara-qod" | "qos-profiles" | "nef" | "rtc-af" | "oauth2";

/** Who calls: a client of the token endpoint; with a device when an end user agreed (three-legged). */
export interface Caller {
  readonly client: string;
  readonly device?: Json;
}

export interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly caller: Caller;
  /** Where the API begins, for links: `http://127.0.0.1:4010/quality-on-demand/v1`. */
  readonly base: string;
  /** The path below it. */
  readonly path: string;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What an API says when it refuses: `code` is CAMARA's code, or the cause of a problem (TS 29.122 s5.2.6). */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** More members of the error body. */
  readonly more?: Json;
}

export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(status: number, code: string, message: string, more?: Json) {
    super(message);
    this.refusal = { status, code, message, ...(more === undefined ? {} : { more }) };
  }
}

/** What lives in an API now. */
export interface Resource {
  readonly api: NetworkApi;
  /** `session`, `subscription`, `policy`, `assistance`. */
  readonly kind: string;
  readonly id: string;
  readonly client: string;
  /** In the API's words, or `granted`, `waiting`, `impaired`. */
  readonly state: string;
  /** As it would be read. */
  readonly body: Json;
}

/** How a network answers requests: at once, after a delay, never, not at all (refused), or by taking it and failing. */
export type GrantMode = "now" | "later" | "never" | "refused" | "fails";

export interface Grant {
  readonly mode: GrantMode;
  readonly delayMs: number;
}

/** What the network does to resources from its side; `id` undefined: all of them. */
export interface Impairment {
  readonly id?: string;
  /** Bits per second that it recommends meanwhile. */
  readonly uplinkBps?: number;
  readonly downlinkBps?: number;
}

/** An API of the mock. */
export interface Door {
  readonly api: NetworkApi;
  readonly file: PublishedFile;
  /** Path below the root, no slash at its end. */
  readonly base: string;
  /** By operationId of the published description. Throws `Refused`. */
  readonly operations: Readonly<Record<string, (call: Call) => Answer>>;
  readonly refuse: (refusal: Refusal) => Answer;
  readonly resources: () => Resource[];
  /** Ids that it knew are counted. */
  readonly impair: (what: Impairment) => number;
  readonly recover: (what: Impairment) => number;
  readonly terminate: (id?: string) => number;
  /** It is gone, and nobody is told: what a 404 or a 410 on purpose means. */
  readonly lose: (id: string) => void;
  readonly setGrant: (grant: Grant) => void;
  readonly clear: () => void;
}

/** CAMARA's error body (Commonalities 0.6, ErrorInfo). */
export const camaraRefusal = ({ status, code, message, more }: Refusal): Answer => ({
  status,
  body: { status, code, message, ...more },
});

/** RFC 9457 as TS 29.122 and TS 29.571 have it. */
export const problemRefusal = ({ status, code, message, more }: Refusal): Answer => ({
  status,
  headers: { "content-type": "application/problem+json" },
  body: { status, title: message, cause: code, ...more },
});

export const notFound = (): Refused =>
  new Refused(404, "NOT_FOUND", "The specified resource is not found.");
