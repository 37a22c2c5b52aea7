import type { Context } from "hono";
import { type Problem, problem } from "../protocol/problem.ts";
import { HTTP_BODY_BYTES } from "../protocol/whip/fragment.ts";
import type { AppEnv } from "./env.ts";

/** What a WHIP or WHEP client sends. */
export interface Body {
  /** Without parameters, in lower case. */
  readonly type: string;
  readonly text: string;
}

/** Reads the body of one of these types. Problems: `unsupported-media-type`, `message-too-large`. */
export async function bodyOf(
  c: Context<AppEnv>,
  types: readonly string[],
): Promise<Body | Problem> {
  const [named = ""] = (c.req.header("content-type") ?? "").split(";");
  const type = named.trim().toLowerCase();
  if (!types.includes(type)) {
    return problem("unsupported-media-type", `the body is ${types.join(" or ")}`);
  }
  const text = await textOf(c.req.raw);
  return text === undefined
    ? problem("message-too-large", `a body has at most ${HTTP_BODY_BYTES} bytes`)
    : { type, text };
}

/** The text of a body, or undefined when it is too large: no more than that is read. */
async function textOf({ headers, body }: Request): Promise<string | undefined> {
  if (Number(headers.get("content-length") ?? 0) > HTTP_BODY_BYTES) return undefined;
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > HTTP_BODY_BYTES) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
