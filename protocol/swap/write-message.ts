import type { Criterion, SwapDialect, SwapError, SwapMessage } from "./message.ts";

/** Writes SWAP messages in the dialect of the endpoint that they are for (TS 26.113 clause 13.2.4.4, decision 0024). */

type Members = Readonly<Record<string, unknown>>;

const VERSION = 1;

/** The frame of a message. */
export function writeSwapMessage(message: SwapMessage, dialect: SwapDialect): string {
  const { source, messageId } = message;
  const head = { version: VERSION, ...sender(source, dialect), message_id: messageId };
  const body = dialect === "library" ? libraryBody(message) : clauseBody(message);
  const type = { message_type: message.type };
  return JSON.stringify(
    dialect === "nested" ? { ...head, ...type, payload: body } : { ...head, ...type, ...body },
  );
}

/** The clause says `source`, its schema `source_id`: whoever reads by the clause gets both. */
const sender = (source: string, dialect: SwapDialect): Members =>
  dialect === "text" ? { source, source_id: source } : { source_id: source };

const criteriaOf = (criteria: readonly Criterion[]): Members[] =>
  criteria.map(({ type, value }) => ({ type, value }));

/** What is not common, by the names of the clause. */
function clauseBody(message: SwapMessage): Members {
  switch (message.type) {
    case "register":
      return { matching_criteria: criteriaOf(message.criteria) };
    case "response": {
      const { error, target, request, description } = message;
      return {
        type: error ? "error" : "ack",
        ...(target !== undefined && { target }),
        request,
        ...described(description ?? error?.detail),
        ...(error && { error }),
      };
    }
    case "connect": {
      const { offer, criteria, target } = message;
      return {
        ...(target !== undefined && { target }),
        offer,
        matching_criteria: criteriaOf(criteria),
      };
    }
    case "accept": {
      const { target, answer } = message;
      return { target, ...(answer !== undefined && { answer }) };
    }
    case "reject": {
      const { target, request, errorId, description } = message;
      return {
        target,
        ...(request !== undefined && { request }),
        ...(errorId !== undefined && { error_id: errorId }),
        ...described(description),
      };
    }
    case "update":
      return { target: message.target, sdp: message.sdp };
    case "close":
      return { target: message.target };
    case "application":
      return { target: message.target, type: message.urn, value: message.value };
  }
}

const described = (description: string | undefined): Members =>
  description === undefined ? {} : { description };

const ACKED: Pick<SwapError, "status" | "title"> = { status: 200, title: "OK" };

/** The library has names of its own for criteria and answers; it lets no others stand beside them in most messages. */
function libraryBody(message: SwapMessage): Members {
  const { matching_criteria: criteria, ...body } = clauseBody(message);
  switch (message.type) {
    case "register":
      return { criteria };
    case "connect":
      return { offer: message.offer, criteria };
    case "response": {
      const { status, title } = message.error ?? ACKED;
      return { ...body, response_to: message.request, status, reason: title };
    }
    case "reject":
      return {
        target: message.target,
        reason: message.description ?? message.errorId ?? "rejected",
      };
    default:
      return body;
  }
}
