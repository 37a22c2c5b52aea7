import { type Before, type HistorySubject, isOtherConnection } from "./history.ts";
import type { Section } from "./section.ts";

/** Sections of the same index before and now, of one connection. */
export interface Continued {
  readonly was: Section;
  /** What the other side had there. */
  readonly across: Section | undefined;
  readonly is: Section;
}

/** The pair in force, where the new description is of the connection that made it. */
export function continuedPair({ before, description }: HistorySubject): Before | undefined {
  return before && !isOtherConnection(before.own, description) ? before : undefined;
}

/** Sections that were in use on both sides and that the new description still has. */
export function continued(subject: HistorySubject): readonly Continued[] {
  const before = continuedPair(subject);
  if (!before) return [];
  return before.own.sections.flatMap((was, index) => {
    const is = subject.description.sections[index];
    const across = before.other.sections[index];
    const isLive = is !== undefined && !was.rejected && across?.rejected !== true;
    return isLive ? [{ was, across, is }] : [];
  });
}

/** Those of them that are still in use. */
export const stillLive = (subject: HistorySubject): readonly Continued[] =>
  continued(subject).filter(({ is }) => !is.rejected);
