// The way of one call: fault, token, published description, effect, answer.
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { codeFor, correlated, isCorrelator, noOperation, Refusing, spoilt } from "./answers.ts";
import { type Answer, type Call, type Caller, type Door, Refused } from "./call.ts";
import { isJson } from "./dialect.ts";
import type { Fault, Faults } from "./faults.ts";
import type { Log, LogEntry } from "./log.ts";
import type { Tokens } from "./oauth.ts";
import type { Operation, Operations } from "./operations.ts";
import { mediaType, parsed } from "./reading.ts";

export interface GateSetting {
  readonly doors: readonly Door[];
  readonly operations: Operations;
  readonly tokens: Tokens;
  readonly faults: Faults;
  readonly log: Log;
  /** False: nobody has to show a token. */
  readonly auth: boolean;
  readonly defect: (text: string) => void;
  readonly stopped: AbortSignal;
}

/** A request as it was read. */
export interface Received {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** An answer, or that there is none: the connection is cut. */
type Outcome = Answer | "cut";

const isGone = (status: number): boolean => status === 404 || status === 410;

/** In its development mode the mock takes sinks that are http, which the published pattern does not. */
const withHttpsSink = (body: unknown): unknown => {
  if (Array.isArray(body)) return body.map((one) => (isJson(one) ? withHttpsSink(one) : one));
  if (!isJson(body) || typeof body.sink !== "string") return body;
  return { ...body, sink: body.sink.replace(/^http:/, "https:") };
};

const retryAfter = ({ retryAfter: seconds }: Fault): Record<string, string> =>
  seconds === undefined ? {} : { "retry-after": String(seconds) };

export class Gate {
  readonly #setting: GateSetting;

  constructor(setting: GateSetting) {
    this.#setting = setting;
  }

  /** Undefined: no API begins there. */
  async pass(received: Received, response: ServerResponse<IncomingMessage>): Promise<boolean> {
    const { pathname } = received.url;
    if (pathname === "/oauth2/token") {
      await this.#token(received, response);
      return true;
    }
    const door = this.#setting.doors.find(({ base }) => pathname.startsWith(`${base}/`));
    if (door === undefined) return false;
    await this.#enter(door, received, response);
    return true;
  }

  async #token({ method, headers, text }: Received, response: ServerResponse): Promise<void> {
    const { tokens, faults, log } = this.#setting;
    const path = "/oauth2/token";
    // Secrets stay out of the log.
    const entry = log.begin({ way: "in", api: "oauth2", method, path, operation: "token" });
    const { slowMs, fault } = faults.take({ api: "oauth2", method, operation: "token" });
    const refuse = (status: number): Answer => ({
      status,
      body: { error: "temporarily_unavailable" },
    });
    const outcome = this.#befall(fault, refuse, () =>
      method === "POST"
        ? tokens.answer(headers.authorization ?? "", mediaType(headers["content-type"]), text)
        : { status: 405, headers: { allow: "POST" } },
    );
    await this.#send(response, outcome, entry, { slowMs, fault });
    if (typeof entry.answer === "object") entry.answer = undefined;
  }

  async #enter(door: Door, received: Received, response: ServerResponse): Promise<void> {
    const { operations, log, faults } = this.#setting;
    const { method, url, headers, text } = received;
    const path = url.pathname.slice(door.base.length);
    const found = operations.find(door.file, method, path);
    const type = mediaType(headers["content-type"]);
    const body = parsed(type, text);
    const operation = found !== undefined && "operation" in found ? found.operation : undefined;
    const entry = log.begin({
      way: "in",
      api: door.api,
      method,
      path: url.pathname + url.search,
      ...(operation === undefined ? {} : { operation: operation.id }),
      ...(text === "" ? {} : { body: body ?? text }),
    });
    if (operation === undefined) {
      const allow = found !== undefined && "allow" in found ? found.allow : undefined;
      const none = correlated(door, noOperation(door, allow), headers);
      await this.#send(response, none, entry, { slowMs: 0, fault: undefined });
      return;
    }
    const befalls = faults.take({ api: door.api, method, operation: operation.id });
    const refuse = (status: number): Answer => {
      const resource = Object.values(operation.params).at(-1);
      if (isGone(status) && resource !== undefined) door.lose(resource);
      const code = codeFor(status, operations.codes(operation, status));
      return Refusing.challenged(door.refuse({ status, code, message: "on purpose" }));
    };
    const outcome = this.#befall(befalls.fault, refuse, () =>
      this.#answer(door, operation, { received, path, type, body }),
    );
    await this.#send(response, correlated(door, outcome, headers), entry, befalls);
  }

  /** What a fault makes of a call: no effect at all, or an effect whose answer is spoilt. */
  #befall(
    fault: Fault | undefined,
    refuse: (status: number) => Answer,
    effect: () => Answer,
  ): Outcome {
    if (fault?.kind === "down") return "cut";
    if (fault?.kind === "status") {
      const answer = refuse(fault.status ?? 500);
      return { ...answer, headers: { ...answer.headers, ...retryAfter(fault) } };
    }
    const answer = effect();
    return fault?.kind === "answer-lost" ? "cut" : answer;
  }

  #answer(
    door: Door,
    operation: Operation,
    given: { received: Received; path: string; type: string; body: unknown },
  ): Answer {
    const { defect, operations } = this.#setting;
    let answer: Answer;
    try {
      answer = this.#effect(door, operation, given);
    } catch (thrown) {
      if (thrown instanceof Refused) {
        answer = Refusing.challenged(door.refuse(thrown.refusal), thrown);
      } else {
        const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : "unknown";
        defect(`${operation.id}: ${text}`);
        return door.refuse({ status: 500, code: "INTERNAL", message: "a defect of the mock" });
      }
    }
    const type = answer.headers?.["content-type"] ?? "application/json";
    const shown = withHttpsSink(answer.body);
    for (const wrong of operations.checkAnswer(operation, answer.status, type, shown)) {
      defect(wrong);
    }
    return answer;
  }

  #effect(
    door: Door,
    operation: Operation,
    {
      received,
      path,
      type,
      body,
    }: { received: Received; path: string; type: string; body: unknown },
  ): Answer {
    const { headers, url } = received;
    if (!isCorrelator(door, headers)) {
      throw new Refused(400, "INVALID_ARGUMENT", "x-correlator is not as published.");
    }
    const caller = this.#caller(operation, headers.authorization ?? "");
    this.#checkBody(operation, type, received.text, body);
    const act = door.operations[operation.id];
    if (act === undefined) throw new Error(`the mock does not know ${operation.id}`);
    const call: Call = {
      params: operation.params,
      query: url.searchParams,
      headers,
      body,
      caller,
      base: url.origin + door.base,
      path,
    };
    return act(call);
  }

  #caller({ scopes }: Operation, authorization: string): Caller {
    const { auth, tokens } = this.#setting;
    if (!auth && authorization === "") return { client: "anyone" };
    const judged = tokens.judge(authorization, scopes ?? []);
    if ("caller" in judged) return judged.caller;
    throw judged.status === 401
      ? new Refusing(authorization, "No valid token came with it.")
      : new Refusing(authorization, `The token has not the scope ${scopes?.join(" ")}.`, scopes);
  }

  #checkBody(operation: Operation, type: string, text: string, body: unknown): void {
    const { operations } = this.#setting;
    const types = operations.bodyTypes(operation);
    if (types === undefined) return;
    if (text === "") throw new Refused(400, "INVALID_ARGUMENT", "There is no body.");
    const isKnown = types.includes(type) || types.includes("application/*");
    if (!isKnown || type === "application/json-patch+json") {
      const status = operations.publishes(operation, 415) ? 415 : 400;
      throw new Refused(status, "INVALID_ARGUMENT", `The body is ${type || "of no type"}.`);
    }
    if (body === undefined) throw new Refused(400, "INVALID_ARGUMENT", "The body is not JSON.");
    const wrong = operations.checkRequest(operation, type, withHttpsSink(body));
    if (wrong.length > 0) throw new Refused(400, "INVALID_ARGUMENT", wrong.join("; "));
  }

  async #send(
    response: ServerResponse,
    outcome: Outcome,
    entry: LogEntry,
    { slowMs, fault }: { readonly slowMs: number; readonly fault: Fault | undefined },
  ): Promise<void> {
    const faults = [slowMs > 0 ? "slow" : undefined, fault?.kind];
    const note = faults.filter((kind) => kind !== undefined).join(", ");
    if (note !== "") entry.note = note;
    if (slowMs > 0 && !(await this.#wait(slowMs))) return;
    if (outcome === "cut") {
      response.socket?.destroy();
      return;
    }
    const { status, text, body } = spoilt(outcome, fault);
    entry.status = status;
    if (body !== undefined) entry.answer = body;
    response.writeHead(status, {
      ...(text === undefined ? {} : { "content-type": "application/json" }),
      ...outcome.headers,
    });
    response.end(text);
  }

  async #wait(ms: number): Promise<boolean> {
    try {
      await delay(ms, undefined, { signal: this.#setting.stopped });
      return true;
    } catch {
      return false;
    }
  }
}
