import type { z } from "zod";
import { FAULT, MediaBackendFault } from "./media-backend.ts";
import { Refused } from "./realtime-answers.ts";

/** What the adapter needs of its surroundings: tests give their own. */
export interface RealtimeSurroundings {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly timeoutMs?: number;
}

export interface RealtimeCall<S extends z.ZodType> {
  readonly method: "GET" | "POST" | "PUT";
  /** Below `/apps/{app}`. */
  readonly path: string;
  readonly body?: object;
  readonly answer: S;
  /** Made twice it does no more than once: it may be repeated when nobody knows how it ended. */
  readonly repeatable: boolean;
}

/** A pull waits for its source, and for the connection, up to 5 s each. */
const TIMEOUT_MS = 12_000;
const MOST_ATTEMPTS = 4;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4000;

/** Codes of the API that say themselves that the call had no effect and may be made again. */
const TRANSIENT = new Set(["retryable_transient_error"]);

/** Codes of single tracks whose source may just not be there yet. */
export const TRACK_MAY_COME = new Set([
  "retryable_transient_error",
  "temporarily_unavailable_error",
  "transport_unavailable_error",
  "not_found_track_error",
  "empty_track_error",
]);

/** Makes calls of the API of one app: authorises them, reads answers by their schemas, repeats what is safe to. */
export class RealtimeHttp {
  readonly #base: string;
  readonly #secret: string;
  readonly #around: RealtimeSurroundings;

  constructor(base: string, secret: string, around: RealtimeSurroundings) {
    this.#base = base;
    this.#secret = secret;
    this.#around = around;
  }

  /** The answer of a call; throws `MediaBackendFault`. */
  async call<S extends z.ZodType>(call: RealtimeCall<S>): Promise<z.output<S>> {
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.#once(call);
      if (!("fault" in result)) return result.answer;
      if (!result.again || attempt === MOST_ATTEMPTS) throw result.fault;
      const pauseMs = result.pauseMs ?? FIRST_PAUSE_MS * 2 ** (attempt - 1);
      await this.#around.sleep(Math.min(pauseMs, LONGEST_PAUSE_MS));
    }
  }

  async #once<S extends z.ZodType>(call: RealtimeCall<S>): Promise<Attempt<z.output<S>>> {
    const limit = new AbortController();
    // `AbortSignal.timeout` would go on after the answer, and keep whoever waits for nothing else awake.
    const timer = setTimeout(() => limit.abort(), this.#around.timeoutMs ?? TIMEOUT_MS);
    try {
      const request = this.#request(call, limit.signal);
      const response = await this.#around.fetch(`${this.#base}${call.path}`, request);
      const body: unknown = await response.json().catch(() => undefined);
      return judged(call, response, body);
    } catch {
      const fault = new MediaBackendFault(FAULT.uncertain, "the SFU did not answer");
      return { fault, again: call.repeatable };
    } finally {
      clearTimeout(timer);
    }
  }

  #request({ method, body }: RealtimeCall<z.ZodType>, signal: AbortSignal): RequestInit {
    return {
      method,
      headers: {
        authorization: `Bearer ${this.#secret}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A redirect would take the secret along.
      redirect: "manual",
      signal,
    };
  }
}

type Attempt<A> =
  | { readonly answer: A }
  | { readonly fault: MediaBackendFault; readonly again: boolean; readonly pauseMs?: number };

function judged<S extends z.ZodType>(
  call: RealtimeCall<S>,
  response: Response,
  body: unknown,
): Attempt<z.output<S>> {
  const { status } = response;
  const said = Refused.safeParse(body).data ?? {};
  if (status === 429) {
    const fault = new MediaBackendFault("rate-limited", "the SFU was called too often", true);
    return { fault, again: true, ...pauseOf(response) };
  }
  // 425: the connection is not there yet; 410: it will not come back.
  if (status === 425) return { fault: faultOf(said, "not connected", true), again: true };
  if (status === 410)
    return { fault: new MediaBackendFault(FAULT.gone, detailOf(said)), again: false };
  if (said.errorCode !== undefined && TRANSIENT.has(said.errorCode)) {
    return { fault: faultOf(said, "", true), again: true };
  }
  if (status >= 500) {
    // What failed inside the SFU may have had an effect before.
    const fault = new MediaBackendFault(FAULT.uncertain, `the SFU answered ${status}`);
    return { fault, again: call.repeatable };
  }
  if (!response.ok || said.errorCode !== undefined) {
    return { fault: faultOf(said, `the SFU answered ${status}`, false), again: false };
  }
  const answer = call.answer.safeParse(body);
  if (answer.success) return { answer: answer.data };
  const fault = new MediaBackendFault(FAULT.uncertain, "the SFU answered something else");
  return { fault, again: false };
}

/** Descriptions of errors may quote what was sent: only their code goes on (A4). */
const detailOf = ({ errorCode }: z.infer<typeof Refused>): string =>
  `the SFU says ${errorCode ?? "nothing"}`;

const faultOf = (said: z.infer<typeof Refused>, otherwise: string, retryable: boolean) =>
  said.errorCode === undefined
    ? new MediaBackendFault("refused", otherwise, retryable)
    : new MediaBackendFault(said.errorCode, detailOf(said), retryable);

function pauseOf(response: Response): { pauseMs?: number } {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? { pauseMs: seconds * 1000 } : {};
}
