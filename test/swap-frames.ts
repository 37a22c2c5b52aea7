import type { SwapDialect } from "../protocol/swap/message.ts";
import type { Told } from "./swap-stories.ts";

/** Frames of SWAP in each dialect, written from TS 26.113 and not from the server's own code. */

export type SwapFrame = Readonly<Record<string, unknown>>;

const senderOf = (source: string, dialect: SwapDialect, isServers: boolean): SwapFrame => {
  if (dialect !== "text") return { source_id: source };
  // What the server sends to whom reads the clause has both names.
  return isServers ? { source, source_id: source } : { source };
};

/** The library has other names for criteria, answers and rejects. */
function libraryBody(type: string, { matching_criteria: criteria, ...body }: SwapFrame): SwapFrame {
  if (type === "connect") return { offer: body.offer, criteria };
  if (criteria !== undefined) return { ...body, criteria };
  if (type === "reject") return { target: body.target, reason: body.description };
  if (type !== "response") return body;
  const { status = 200, title = "OK" } = (body.error ?? {}) as SwapFrame;
  return { ...body, response_to: body.request, status, reason: title };
}

/** The frame of a message; `isServers` when the server sends it. */
export function frameOf(
  { type, number, body = {} }: Told,
  source: string,
  dialect: SwapDialect,
  isServers: boolean,
): SwapFrame {
  const head = {
    version: 1,
    ...senderOf(source, dialect, isServers),
    message_id: number,
    message_type: type,
  };
  if (dialect === "nested") return { ...head, payload: body };
  return { ...head, ...(dialect === "library" ? libraryBody(type.toLowerCase(), body) : body) };
}
