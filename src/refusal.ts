import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { z } from "zod";
import { faultRecord } from "../protocol/fault.ts";
import { type Problem, problem, problemDocument } from "../protocol/problem.ts";
import type { AppEnv } from "./env.ts";

/** A problem on its way out of a handler: Hono's own way to leave early, with our document. */
export class Refusal extends HTTPException {
  readonly problem: Problem;

  constructor(what: Problem) {
    super(problemDocument(what).status as ContentfulStatusCode);
    this.problem = what;
  }
}

/** Throws what is a problem, returns everything else. */
export function granted<T>(outcome: T | Problem): T {
  if (isRefused(outcome)) throw new Refusal(outcome);
  return outcome;
}

const isRefused = <T>(outcome: T | Problem): outcome is Problem =>
  typeof outcome === "object" && outcome !== null && "code" in outcome && "detail" in outcome;

/** Answers with a problem document (RFC 9457). */
export function answerProblem(c: Context<AppEnv>, what: Problem): Response {
  const document = problemDocument(what);
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (what.code === "unauthorized" || what.code === "token-in-url") {
    // RFC 6750 s3 wants at least one parameter.
    headers["www-authenticate"] = 'Bearer realm="duplex"';
  }
  return c.body(JSON.stringify(document), document.status as ContentfulStatusCode, headers);
}

/** Every error of the app: refusals as they are, Hono's own by status, faults opaque. */
export function answerError(thrown: Error, c: Context<AppEnv>): Response {
  if (thrown instanceof Refusal) return answerProblem(c, thrown.problem);
  if (thrown instanceof HTTPException && thrown.status < 500) {
    const code = thrown.status === 413 ? "message-too-large" : "invalid-request";
    return answerProblem(c, problem(code, "the body is not JSON that can be read"));
  }
  const id = crypto.randomUUID();
  // biome-ignore lint/suspicious/noConsole: the one place where this room logs
  console.error(JSON.stringify(faultRecord(id, thrown)));
  return answerProblem(c, problem("internal-fault", `fault ${id}`));
}

/** What zod found wrong with a request, as a problem with one entry per field. */
export function invalidRequest(error: z.ZodError): Problem {
  const errors = error.issues.slice(0, 8).map((issue) => ({
    field: issue.path.join("."),
    expected: issue.message,
  }));
  const detail = errors.map(({ field, expected }) => `${field || "(body)"}: ${expected}`);
  return problem("invalid-request", detail.join("; "), { errors });
}
