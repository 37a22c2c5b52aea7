/** How many questions are asked of parts: each has a number. */
let questions = 0;

/**
 * What has been worked out of a part of a description. Many rules and flows ask the same of it; what they got is kept
 * with it and lives as long as it does. Nothing else reads it, so that parts are still plain values.
 */
export class Notes {
  /** As many as there are questions: it would be made anew when it grows. */
  readonly #answers = new Array<unknown>(questions);

  /** What was answered to a question about this part before, else what `work` makes of it. */
  answer<K, V>(question: number, part: K, work: (part: K) => V): V {
    const known = this.#answers[question] as V | undefined;
    if (known !== undefined) return known;
    const made = work(part);
    this.#answers[question] = made;
    return made;
  }
}

/** A part of a description that keeps what was worked out of it. */
export interface Noted {
  readonly notes: Notes;
}

/** Asks for something of a part as often as one likes, and works it out once. */
export function once<K extends Noted, V extends object | string>(
  work: (part: K) => V,
): (part: K) => V {
  const question = questions;
  questions += 1;
  return (part) => part.notes.answer(question, part, work);
}
