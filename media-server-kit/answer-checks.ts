import type { Conversation } from "./conversation.ts";
import { notOf, sectionsOf } from "./descriptions.ts";
import { candidatesIn } from "./http-door.ts";
import { demand, Failure, within } from "./judgement.ts";
import type { Verdicts } from "./verdicts.ts";

const ANSWER_MS = 5_000;

export interface OfferTold {
  readonly atMs: number;
  readonly message: { readonly from: string; readonly exchange: number };
}

/** The newest offer that the media server was sent since a moment; none where the server sent none. */
export function newestOffer(conversation: Conversation, sinceMs: number): OfferTold {
  const offer = conversation.toldOf("offer", sinceMs).at(-1);
  if (offer === undefined)
    throw new Failure("expected the server to pass the offer on; it did not");
  return offer;
}

/** What the media server answered to an offer, in time. */
export function answerTo(
  conversation: Conversation,
  { atMs, message: { from, exchange } }: OfferTold,
): Promise<{ readonly sdp: string }> {
  const ofExchange = (each: { to?: string | undefined; exchange: number }) =>
    each.exchange === exchange && (each.to === undefined || each.to === from);
  return within(ANSWER_MS, `an answer to exchange ${exchange} of ${from}`, () => {
    const answer = conversation.saidOf("answer", atMs).find(({ message }) => ofExchange(message));
    if (answer !== undefined) return answer.message;
    const rejected = conversation.saidOf("reject", atMs).find(({ message }) => ofExchange(message));
    if (rejected === undefined) return undefined;
    throw new Failure(`expected an answer; saw reject (${rejected.message.reason ?? "no reason"})`);
  });
}

/** What all candidates of an exchange are, once they are complete. */
function completedCandidates(
  conversation: Conversation,
  { atMs, message: { exchange, from } }: OfferTold,
  answer: string,
): Promise<readonly string[]> {
  const messages = () =>
    conversation
      .saidOf("candidates", atMs)
      .filter(({ message }) => message.exchange === exchange && message.to === from);
  return within(
    ANSWER_MS,
    `\`complete: true\` in candidates of exchange ${exchange} to ${from}`,
    () => {
      const all = messages();
      if (!all.some(({ message }) => message.complete === true)) return undefined;
      const trickled = all.flatMap(({ message }) => message.candidates);
      return [...candidatesIn(answer), ...trickled.map(({ candidate }) => candidate)];
    },
    () => `${messages().length} messages with candidates, none complete`,
    atMs,
  );
}

/** Judges how an offer of an HTTP client was answered; true where media can follow. */
export async function judgeAnswer(
  verdicts: Verdicts,
  conversation: Conversation,
  door: "whip" | "whep",
  sinceMs: number,
): Promise<boolean> {
  let answer = "";
  const isAnswered = await verdicts.judge(`${door}-answer`, async () => {
    const offer = newestOffer(conversation, sinceMs);
    answer = (await answerTo(conversation, offer)).sdp;
    if (door === "whip") return;
    const wrong = notOf(sectionsOf(answer), "sendonly");
    demand(wrong === "", `expected all sections sendonly; saw ${wrong}`);
  });
  if (answer === "") return false;
  const offer = newestOffer(conversation, sinceMs);
  const isDirected =
    door === "whep" ||
    (await verdicts.judge("whip-recvonly", () => {
      const wrong = notOf(sectionsOf(answer), "recvonly");
      demand(wrong === "", `expected all sections recvonly; saw ${wrong}`);
    }));
  let candidates: readonly string[] = candidatesIn(answer);
  const isComplete = await verdicts.judge("candidates-complete", async () => {
    candidates = await completedCandidates(conversation, offer, answer);
  });
  const hasCandidate = await verdicts.judge("candidate-types", () => {
    const usable = candidates.some((line) => / udp \d+ \S+ \d+ typ (?:host|relay)/i.test(line));
    const types = candidates.map((line) =>
      /^\S+ \d+ (\S+).* typ (\S+)/.exec(line)?.slice(1, 3).join(" "),
    );
    const seen = types.length === 0 ? "no candidate" : types.join(", ");
    demand(usable, `expected a UDP candidate of type host or relay; saw ${seen}`);
  });
  return isAnswered && isDirected && isComplete && hasCandidate;
}
