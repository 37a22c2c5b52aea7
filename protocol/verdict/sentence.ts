import { CAUSES, type Cause } from "./causes.ts";

/** The names that a sentence wants. */
type NamesIn<S extends string> = S extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never;

export type NamesOf<C extends Cause> = Readonly<
  Record<NamesIn<(typeof CAUSES)[C]["says"]>, string | number>
>;

/** The sentence of a cause with its names filled in. */
export function sentenceOf<C extends Cause>(cause: C, names: NamesOf<C>): string {
  return CAUSES[cause].says.replace(
    /\{(\w+)\}/g,
    (_text, name: keyof typeof names) => `${names[name]}`,
  );
}
