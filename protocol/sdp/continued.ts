import { type Before, type HistorySubject, isOtherConnection } from "./history.ts";
import type { Section } from "./section.ts";

/** Sections of the same index before and now, of one connection. */
export interface Continued {
  readonly was: Section;
  /** What the other side had there. */
  readonly across: Section | undefined;
  readonly is: Section;
}

/** A description in its history, with what of its connection goes on: a dozen rules ask for that. */
export interface Continuation extends HistorySubject {
  /** The pair in force, where the new description is of the connection that made it. */
  readonly pair: Before | undefined;
  /** Sections that were in use on both sides and that the new description still has. */
  readonly continued: readonly Continued[];
  /** Those of them that are still in use. */
  readonly stillLive: readonly Continued[];
}

/** What of a connection goes on with a new description of it. */
export function continuationOf(subject: HistorySubject): Continuation {
  const { before, description } = subject;
  const pair = before && !isOtherConnection(before.own, description) ? before : undefined;
  const continued: Continued[] = [];
  for (const [index, was] of (pair?.own.sections ?? []).entries()) {
    const is = description.sections[index];
    const across = pair?.other.sections[index];
    const isLive = is !== undefined && !was.rejected && across?.rejected !== true;
    if (isLive) continued.push({ was, across, is });
  }
  return { ...subject, pair, continued, stillLive: continued.filter(({ is }) => !is.rejected) };
}
