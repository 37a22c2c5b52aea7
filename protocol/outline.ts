import { readable } from "./assess.ts";
import type { StoredDescription } from "./session.ts";

/** What trickled candidates need of an m-section; a section of a description is one, too. */
export interface SectionOutline {
  readonly index: number;
  readonly mid: string | undefined;
  readonly iceUfrag: string | undefined;
  readonly candidates: { readonly length: number };
}

/** What trickled candidates need of a description. */
export interface Outline {
  readonly sections: readonly SectionOutline[];
}

const outlines = new WeakMap<StoredDescription, Outline | "unreadable">();

/**
 * The outline of a stored description, or undefined when it cannot be read. Small enough to be remembered as long as
 * the description, which its reading is not: where candidates come for many sessions in turn, each of them would have
 * to be read again.
 */
export function outlineOf(stored: StoredDescription | undefined): Outline | undefined {
  if (!stored) return undefined;
  const known = outlines.get(stored);
  if (known !== undefined) return known === "unreadable" ? undefined : known;
  const description = readable(stored);
  const outline = description && {
    sections: description.sections.map(({ index, mid, iceUfrag, candidates }) => ({
      index,
      mid,
      iceUfrag,
      candidates: { length: candidates.length },
    })),
  };
  outlines.set(stored, outline ?? "unreadable");
  return outline;
}
