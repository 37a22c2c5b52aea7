/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, it } from "vitest";
import { RULES } from "../protocol/sdp/catalogue.ts";
import type { Level } from "../protocol/sdp/finding.ts";
import type { RuleFacts, RuleLevel } from "../protocol/sdp/rule.ts";

/** The catalogue as a whole: nothing forgotten, nothing unproven, every rule well told. */

// Globs without a type argument: vitest knows by the text not to cache the module (5.0.5).

const modules = import.meta.glob("../protocol/sdp/rules/*.ts", {
  eager: true,
}) as Record<string, Readonly<Record<string, unknown>>>;
const tests = import.meta.glob("./*.test.ts", {
  query: "?raw",
  import: "default",
  eager: true,
}) as Record<string, string>;

interface Family {
  readonly name: string;
  readonly rules: readonly RuleFacts[];
}

/** The lists of rules that the files of protocol/sdp/rules/ export. */
const FAMILIES: readonly Family[] = Object.values(modules).flatMap((module) =>
  Object.entries(module).flatMap(([name, value]) =>
    name.endsWith("_RULES") ? [{ name, rules: value as readonly RuleFacts[] }] : [],
  ),
);

/** Rules that a family has and the catalogue has not. */
const forgotten = (families: readonly Family[], catalogue: readonly RuleFacts[]): string[] => {
  const known = new Set(catalogue);
  return families.flatMap(({ name, rules }) =>
    rules.filter((rule) => !known.has(rule)).map(({ id }) => `${name}: ${id}`),
  );
};

const repeatedIds = (catalogue: readonly RuleFacts[]): string[] => {
  const byId = Map.groupBy(catalogue, ({ id }) => id);
  return [...byId].filter(([, rules]) => rules.length > 1).map(([id]) => id);
};

/** Rules of no list that a test gives to `proveRules` or `proveScenes`, which ask for examples of each. */
const unproven = (
  families: readonly Family[],
  catalogue: readonly RuleFacts[],
  sources: readonly string[],
): string[] => {
  const text = sources.join("\n");
  const calls = [...text.matchAll(/^ *prove(?:Rules|Scenes)\((\w+), \{$/gm)];
  const proven = new Set(calls.map(([, name]) => name));
  const covered = new Set(
    families.filter(({ name }) => proven.has(name)).flatMap(({ rules }) => rules),
  );
  return catalogue.filter((rule) => !covered.has(rule)).map(({ id }) => id);
};

const WEIGHT: Readonly<Record<RuleLevel, number>> = { error: 0, warning: 1, info: 2, off: 3 };
const LEVELS: readonly (RuleLevel | undefined)[] = ["error", "warning", "info", "off"];

/**
 * Rules that the strict profile makes milder: candidates of browsers have names in .local by design, and in an
 * answer every hit of the other is an error by itself.
 */
const MILDER_WHEN_STRICT = new Set(["candidate-mdns", "bundle-ice-ufrag-differs"]);

/** What a source may be: clauses of RFCs, drafts and 3GPP, a promise of Duplex, or what its sessions are created with. */
const CLAUSE = String.raw`s[A-Z\d]+(?:\.\d+)*`;
const SOURCE = new RegExp(
  String.raw`^(?:(?:RFC \d{4}|TS \d\d\.\d{3})(?: ${CLAUSE})?|draft-[a-z\d-]+(?: ${CLAUSE})?|${CLAUSE}|Duplex [SNRDFA]\d+|(?:Duplex session )?[a-z]+(?:[A-Z][a-z]+)+)$`,
);

/** Requirements of the RTP-usage draft: section or appendix, and number. */
const REQUIREMENT = /^R[A-Z\d]+(?:\.\d+)*-\d+(?:\/\d+)?$/;

/** A message goes on after a colon: small, unless it begins with a name such as WebRTC or SHA-1. */
const BEGINNING = /^(?:[a-z\d]|[A-Z]+[a-z]*[A-Z\d/-]|Chromium |Firefox |Pion )/;

/** What is wrong with how a rule is told. */
const complaints = (rule: RuleFacts): string[] => {
  const { id, level, answerLevel, strict, source, requirements = [], condition, message } = rule;
  const isMilder = [level, answerLevel ?? level].some((each) => WEIGHT[strict] > WEIGHT[each]);
  const wrong: readonly (readonly [isWrong: boolean, what: string])[] = [
    [!/^[a-z\d]+(?:-[a-z\d]+)*$/.test(id), "its id"],
    [condition.trim() === "" || condition.endsWith("."), "its condition"],
    [message.trim() === "" || message.endsWith("."), "its message"],
    [!BEGINNING.test(message), "how its message begins"],
    [!source.split(", ").every((clause) => SOURCE.test(clause)), "its source"],
    [!LEVELS.includes(level) || !LEVELS.includes(strict), "its levels"],
    [answerLevel !== undefined && !LEVELS.includes(answerLevel), "its level in answers"],
    [requirements.some((one) => !REQUIREMENT.test(one)), "its requirements"],
    [level === "off" && strict === "off", "that it is never on"],
    [isMilder && !MILDER_WHEN_STRICT.has(id), "that the strict profile is milder"],
  ];
  return wrong.filter(([isWrong]) => isWrong).map(([, what]) => `${id}: ${what}`);
};

describe("catalogue", () => {
  it("[D2] has every rule of every family, once", () => {
    expect(FAMILIES.length).toBeGreaterThan(30);
    expect(forgotten(FAMILIES, RULES)).toEqual([]);
    expect(repeatedIds(RULES)).toEqual([]);
  });

  it("[D2] has no rule without an accepted and a refused example", () => {
    expect(unproven(FAMILIES, RULES, Object.values(tests))).toEqual([]);
  });

  it("[D2] tells every rule in the same form", () => {
    expect(RULES.flatMap(complaints)).toEqual([]);
    // No exception outlives its reason.
    const ids = new Set(RULES.map(({ id }) => id));
    expect([...MILDER_WHEN_STRICT].filter((id) => !ids.has(id))).toEqual([]);
  });
});

describe("the checks of the catalogue can fail", () => {
  const good: RuleFacts = {
    id: "planted-rule",
    level: "warning",
    strict: "error",
    source: "RFC 8866 s5.14, Duplex D4",
    requirements: ["R4.2-3", "RA.3.2-1"],
    condition: "a plant",
    message: "this was planted; take it out",
  };
  const planted: Family = { name: "PLANTED_RULES", rules: [good] };

  it("[D2] a rule that nobody registered is found", () => {
    expect(forgotten([planted], RULES)).toEqual(["PLANTED_RULES: planted-rule"]);
    expect(forgotten([planted], [...RULES, good])).toEqual([]);
  });

  it("[D2] an id that two rules have is found", () => {
    expect(repeatedIds([good, { ...good }])).toEqual(["planted-rule"]);
  });

  it("[D2] a rule that no test proves is found", () => {
    const named = "import { PLANTED_RULES } from './x.ts';\n// proveRules(PLANTED_RULES, {});";
    expect(unproven([planted], [good], [named])).toEqual(["planted-rule"]);
    for (const prove of ["proveRules", "  proveScenes"]) {
      expect(unproven([planted], [good], [`${prove}(PLANTED_RULES, {\n});`])).toEqual([]);
    }
    const around = { name: "OUTER_RULES", rules: [good] };
    expect(unproven([planted, around], [good], ["proveRules(OUTER_RULES, {\n});"])).toEqual([]);
  });

  it("[D2] a rule that is told badly is found", () => {
    expect(complaints(good)).toEqual([]);
    const bad: readonly (readonly [Partial<RuleFacts>, string])[] = [
      [{ id: "Planted" }, "Planted: its id"],
      [{ condition: " " }, "its condition"],
      [{ condition: "a plant." }, "its condition"],
      [{ message: "" }, "its message"],
      [{ message: "this was planted." }, "its message"],
      [{ message: "This was planted" }, "how its message begins"],
      [{ message: "A plant" }, "how its message begins"],
      [{ source: "8866" }, "its source"],
      [{ source: "RFC 8866 s5, seed 4.2" }, "its source"],
      [{ level: "fatal" as Level }, "its levels"],
      [{ answerLevel: "fatal" as Level }, "its level in answers"],
      [{ requirements: ["4.2-3"] }, "its requirements"],
      [{ requirements: ["R4.2"] }, "its requirements"],
      [{ level: "off", strict: "off" }, "that it is never on"],
      [{ strict: "info" }, "that the strict profile is milder"],
      [{ answerLevel: "error", strict: "warning" }, "that the strict profile is milder"],
    ];
    for (const [change, what] of bad) {
      expect(complaints({ ...good, ...change }).join()).toContain(what);
    }
  });
});
