import { codeIn, rowsUnder } from "./markdown.ts";

/** Looks that what docs/threat-model.md says is shown by tests that there are. */

const ATTEMPTS = ["attempt", "what comes of it", "shown by"];

/** `attacks.test.ts [A1] every forged token`: a file of tests, and how a title in it begins. */
const REFERENCE = /^([\w.-]+\.(?:test|e2e)\.ts) (\[[SNRDFAWCM]\d+\].*)$/;

/** Texts of the files of tests, by name. */
type Tests = ReadonlyMap<string, string>;

/** What is wrong with the document; empty when nothing is. */
export function threatModelComplaints(document: string, tests: Tests): readonly string[] {
  const rows = rowsUnder(document, ATTEMPTS);
  const complaints = rows.flatMap(([attempt = "", , shown = ""]) => {
    const references = codeIn(shown);
    const wrong =
      references.length === 0 ? ["no test"] : references.flatMap((each) => wrongWith(each, tests));
    return wrong.map((what) => `"${attempt}" is shown by ${what}`);
  });
  return (rows.length === 0 ? ["no attempt is in it"] : complaints).map(
    (complaint) => `docs/threat-model.md: ${complaint}`,
  );
}

function wrongWith(reference: string, tests: Tests): readonly string[] {
  const [, file = "", title = ""] = REFERENCE.exec(reference) ?? [];
  if (file === "") return [`${reference}, which names no test`];
  const text = tests.get(file);
  if (text === undefined) return [`${file}, which is not there`];
  return ['"', "'", "`"].some((quote) => text.includes(quote + title))
    ? []
    : [`"${title}", which ${file} does not have`];
}

const TESTS: Tests = new Map([["door.test.ts", 'it("[A1] is shut for all")']]);

const SOUND = `
| attempt | what comes of it | shown by |
| --- | --- | --- |
| knock | refused | \`door.test.ts [A1] is shut\` |
`;

const PLANTS: readonly (readonly [replace: string, by: string, said: string])[] = [
  ["`door.test.ts [A1] is shut`", "a test", "shown by no test"],
  ["door.test.ts [A1]", "door.test.ts", "names no test"],
  ["door.test.ts", "wall.test.ts", "wall.test.ts, which is not there"],
  ["is shut", "is open", "does not have"],
  ["attempt |", "attack |", "no attempt"],
];

/** What was planted and not said, or said of what is sound; empty when the check holds. */
export function brokenThreatChecks(): readonly string[] {
  const unsaid = PLANTS.filter(([replace, by, said]) => {
    const complaints = threatModelComplaints(SOUND.replace(replace, by), TESTS);
    return !complaints.some((complaint) => complaint.includes(said));
  });
  return [
    ...threatModelComplaints(SOUND, TESTS).map((said) => `sound, but said: ${said}`),
    ...unsaid.map(([, , said]) => `planted in scripts/threat-model.ts, but not said: ${said}`),
  ];
}
