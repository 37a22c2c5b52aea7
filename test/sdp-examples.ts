import { describe, expect, it } from "vitest";
import { checkDescription, checkPair } from "../protocol/sdp/check.ts";
import { type Description, readDescription } from "../protocol/sdp/description.ts";
import { isFinding, type Level, type SdpFinding } from "../protocol/sdp/finding.ts";
import type { DescriptionRole, RuleFacts } from "../protocol/sdp/rule.ts";
import { recordOf } from "./corpus.ts";

/** Examples of rules: descriptions of real stacks, as recorded or with one thing changed. */

/** Changes a text; must change something. */
export type Mutation = (sdp: string) => string;

export interface Example {
  readonly name: string;
  /** Which of the texts the rule is about; `pair` for the two together. */
  readonly about: DescriptionRole | "pair";
  readonly offer: string;
  readonly answer: string | undefined;
}

/** What a refused example must show. */
export interface Expected {
  /** Text of the line that the finding points to. */
  readonly at?: string | RegExp;
  /** Where the rule's level depends on the case. */
  readonly level?: Level;
  /** How many findings of the rule; 1 when absent. */
  readonly times?: number;
  /** The message says this. */
  readonly says?: string | RegExp;
}

export type Refused = Example & { readonly expected: Expected };

/** Rule id to its examples. */
export type Examples = Readonly<
  Record<
    string,
    { readonly accepted: readonly Example[]; readonly refused: readonly (Example | Refused)[] }
  >
>;

const changed = (sdp: string, mutations: readonly Mutation[], name: string): string =>
  mutations.reduce((text, mutate, index) => {
    const next = mutate(text);
    if (next === text) throw new Error(`mutation ${index} of ${name} changes nothing`);
    return next;
  }, sdp);

/** The offer of a corpus record, changed. */
export function offer(record: string, ...mutations: Mutation[]): Example {
  const name = `offer of ${record}`;
  const sdp = changed(recordOf(record).offer, mutations, name);
  return { name, about: "offer", offer: sdp, answer: undefined };
}

/** The answer of a corpus record, changed. */
export function answer(record: string, ...mutations: Mutation[]): Example {
  const name = `answer of ${record}`;
  const { offer: offered, answer: answered } = recordOf(record);
  if (answered === null) throw new Error(`${record} has no answer`);
  return { name, about: "answer", offer: offered, answer: changed(answered, mutations, name) };
}

/** The offer and the answer of a corpus record, changed. */
export function pair(
  record: string,
  mutations: { readonly offer?: readonly Mutation[]; readonly answer?: readonly Mutation[] } = {},
): Example {
  const { offer: offered, answer: answered } = recordOf(record);
  if (answered === null) throw new Error(`${record} has no answer`);
  return {
    name: `pair of ${record}`,
    about: "pair",
    offer: changed(offered, mutations.offer ?? [], `offer of ${record}`),
    answer: changed(answered, mutations.answer ?? [], `answer of ${record}`),
  };
}

/** Adds what a refused example must show. */
export function expecting(example: Example, expected: Expected): Refused {
  return { ...example, expected };
}

/** Replaces the first match, or every match of a global pattern. */
export const replace =
  (pattern: RegExp | string, by: string): Mutation =>
  (sdp) =>
    sdp.replace(pattern, by);

const LINE = /\r\n/;
const linesOf = (sdp: string): string[] => sdp.split(LINE).filter((line) => line !== "");
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join("");

/** Removes all lines that match. */
export const remove =
  (pattern: RegExp): Mutation =>
  (sdp) =>
    textOf(linesOf(sdp).filter((line) => !pattern.test(line)));

/** Puts lines after the first line that matches. */
export const insertAfter =
  (pattern: RegExp, ...lines: string[]): Mutation =>
  (sdp) => {
    const all = linesOf(sdp);
    const index = all.findIndex((line) => pattern.test(line));
    if (index < 0) return sdp;
    return textOf([...all.slice(0, index + 1), ...lines, ...all.slice(index + 1)]);
  };

/** Session part and m-sections of a text. */
const partsOf = (sdp: string): string[] => sdp.split(/(?=^m=)/m);

/** Changes one m-section (index from 0) only. */
export const inSection =
  (index: number, ...mutations: Mutation[]): Mutation =>
  (sdp) =>
    partsOf(sdp)
      .map((part, place) =>
        place === index + 1 ? changed(part, mutations, `section ${index}`) : part,
      )
      .join("");

/** Changes the lines before the first m-line only. */
export const inSession =
  (...mutations: Mutation[]): Mutation =>
  (sdp) =>
    partsOf(sdp)
      .map((part, place) => (place === 0 ? changed(part, mutations, "session part") : part))
      .join("");

/** Puts lines at the end of an m-section. */
export const append = (index: number, ...lines: string[]): Mutation =>
  inSection(index, (part) => part + textOf(lines));

/** Removes an m-section. */
export const dropSection =
  (index: number): Mutation =>
  (sdp) =>
    partsOf(sdp)
      .filter((_part, place) => place !== index + 1)
      .join("");

/** Reads a text that is within the limits. */
export function read(sdp: string): Description {
  const description = readDescription(sdp);
  if (isFinding(description)) throw new Error(`${description.rule}: ${description.message}`);
  return description;
}

/** What the rules find in an example; no description is asked for more than its own text says. */
export function findingsOf(example: Example, strict: boolean): readonly SdpFinding[] {
  const { about, offer: offered, answer: answered = "" } = example;
  if (about === "pair") return checkPair(read(offered), read(answered), { strict });
  return checkDescription(read(about === "offer" ? offered : answered), about, { strict });
}

/** Every rule has accepted and refused examples, and does to them what it says. */
export function proveRules(rules: readonly RuleFacts[], examples: Examples): void {
  it("[D2] every rule has an accepted and a refused example", () => {
    const lacking = rules.filter(({ id }) => {
      const own = examples[id];
      return !own || own.accepted.length === 0 || own.refused.length === 0;
    });
    expect(lacking.map(({ id }) => id)).toEqual([]);
    expect(Object.keys(examples).filter((id) => !rules.some((rule) => rule.id === id))).toEqual([]);
  });

  describe.each(rules.map((rule) => [rule.id, rule] as const))("%s", (id, rule) => {
    // A rule that is off by default speaks in the strict profile.
    const strict = rule.level === "off" && (rule.answerLevel ?? "off") === "off";
    const own = examples[id];

    it.each((own?.accepted ?? []).map((each) => [each.name, each] as const))(
      `[D2] ${id} has nothing against the %s`,
      (_name, example) => {
        const found = findingsOf(example, strict).filter(({ rule: found }) => found === id);
        expect(found).toEqual([]);
      },
    );

    it.each((own?.refused ?? []).map((each) => [each.name, each] as const))(
      `[D2] ${id} is found in the %s`,
      (_name, example) => {
        const expected: Expected = "expected" in example ? example.expected : {};
        const found = findingsOf(example, strict).filter(({ rule: found }) => found === id);
        expect(found).toHaveLength(expected.times ?? 1);
        const [first] = found;
        if (!first) throw new Error("nothing was found");
        const byRole = example.about === "answer" ? (rule.answerLevel ?? rule.level) : rule.level;
        expect(first.level).toBe(expected.level ?? (strict ? rule.strict : byRole));
        expect(first.description).toBe(example.about);
        if (expected.says !== undefined) expect(first.message).toMatch(expected.says);
        if (expected.at !== undefined) {
          const text = example.about === "offer" ? example.offer : (example.answer ?? "");
          expect(text.split(/\r\n|\n|\r/)[(first.line ?? 0) - 1]).toMatch(
            typeof expected.at === "string" ? literal(expected.at) : expected.at,
          );
        }
      },
    );
  });
}

const literal = (text: string): RegExp =>
  new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
