import type { ContextChange } from "../protocol/context-messages.ts";
import type { Conversation } from "./conversation.ts";
import { sectionsOf } from "./descriptions.ts";
import { demand, within } from "./judgement.ts";

/** What is judged by all that was said and told in a session. */

const RESULT_MS = 5_000;
const CLOSING_MS = 1_000;

interface ToldContext {
  readonly atMs: number;
  readonly socket: number;
  readonly message: ContextChange;
}

const nameOf = ({ context, direction, peer, kind, revision }: ContextChange): string =>
  `${context} (${direction} ${kind ?? ""} of ${peer}, revision ${revision})`;

/** The first context that was told since a moment and has no result in time. */
function unanswered(conversation: Conversation, sinceMs: number): ToldContext | undefined {
  const told: readonly ToldContext[] = conversation.toldOf("context", sinceMs);
  const results = conversation.saidOf("context-result", sinceMs);
  return told.find(({ atMs, socket, message }) => {
    if (message.op === "close") return false;
    const endMs = atMs + RESULT_MS;
    const isAnswered = results.some(
      (result) =>
        result.atMs >= atMs &&
        result.atMs <= endMs &&
        result.message.context === message.context &&
        result.message.revision === message.revision,
    );
    // What is closed, or told again over another socket, is out of date.
    const isClosed = told.some(
      (later) =>
        later.message.op === "close" &&
        later.message.context === message.context &&
        later.atMs >= atMs &&
        later.atMs <= endMs,
    );
    const next = conversation.sockets[socket];
    return !isAnswered && !isClosed && (next === undefined || next.atMs > endMs);
  });
}

/** Every context that was opened or updated since a moment has a result with its revision. */
export async function demandResults(conversation: Conversation, sinceMs = 0): Promise<void> {
  for (;;) {
    const missing = unanswered(conversation, sinceMs);
    if (missing === undefined) return;
    const { context } = missing.message;
    await within(
      RESULT_MS,
      `a context-result for ${nameOf(missing.message)}`,
      () => unanswered(conversation, sinceMs)?.message !== missing.message || undefined,
      () => {
        const revisions = conversation
          .saidOf("context-result", missing.atMs)
          .flatMap(({ message }) => (message.context === context ? [message.revision] : []));
        return revisions.length === 0 ? "none" : `results with revision ${revisions.join(", ")}`;
      },
      missing.atMs,
    );
  }
}

/** Whether a context was open at a moment, and whose it is. */
function contextAt(
  conversation: Conversation,
  context: string,
  atMs: number,
): ContextChange | undefined {
  const last = conversation
    .toldOf("context")
    .findLast(({ atMs: toldMs, message }) => message.context === context && toldMs <= atMs);
  return last === undefined || last.message.op === "close" ? undefined : last.message;
}

/** Sections of offers to a native peer name the contexts that they are for. */
export function demandLabels(conversation: Conversation, peer: string): void {
  const offers = conversation.saidOf("offer").filter(({ message }) => message.to === peer);
  demand(
    offers.length > 0,
    `expected an offer to ${peer} with sections for its contexts; saw none`,
  );
  for (const { atMs, message } of offers) {
    for (const { kind, mid, rejected, direction } of sectionsOf(message.sdp)) {
      if (rejected || (direction !== "sendonly" && direction !== "sendrecv")) continue;
      if (kind === "application") continue;
      const label = message.media?.[mid]?.context;
      const where = `\`media["${mid}"].context\` of the offer to ${peer}`;
      demand(label !== undefined, `expected ${where} for its ${kind} section; saw no label`);
      // It may have been closed while the offer was on its way.
      const context =
        contextAt(conversation, label, atMs) ?? contextAt(conversation, label, atMs - CLOSING_MS);
      const isRight = context?.peer === peer && context.kind === kind;
      demand(isRight, `expected ${where} to name an open ${kind} context of it; saw ${label}`);
    }
  }
}

/** Nothing is said of contexts that are closed. */
export function demandSilenceOfClosed(conversation: Conversation): void {
  const contexts = conversation.toldOf("context");
  for (const [index, { atMs, message }] of contexts.entries()) {
    if (message.op !== "close") continue;
    const { context } = message;
    const opened = contexts.findLast(
      (each, at) => at < index && each.message.context === context && each.message.op !== "close",
    );
    const again = contexts.find((each, at) => at > index && each.message.context === context);
    const flow = opened?.message.flow;
    const late = conversation.said.find(
      (said) =>
        said.atMs > atMs + CLOSING_MS &&
        said.atMs < (again?.atMs ?? Number.POSITIVE_INFINITY) &&
        isAbout(said.message, context, flow),
    );
    const lateS = ((late?.atMs ?? 0) - atMs) / 1000;
    const what = `\`${late?.message.type}\` ${lateS.toFixed(1)} s after it was closed`;
    demand(late === undefined, `expected nothing more of context ${context}; saw ${what}`);
  }
}

function isAbout(
  message: Conversation["said"][number]["message"],
  context: string,
  flow: string | undefined,
): boolean {
  if (message.type === "context-result") return message.context === context;
  if (flow === undefined) return false;
  if (message.type === "sources") return message.flow === flow;
  return message.type === "quality" && message.flows.some((each) => each.flow === flow);
}

export function demandValid({ said }: Conversation): void {
  const wrong = said.find(({ fault }) => fault !== undefined);
  demand(wrong === undefined, `expected messages of the protocol; saw ${wrong?.fault}`);
}
