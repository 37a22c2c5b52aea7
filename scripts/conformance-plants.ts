import { conformanceComplaints, type Facts } from "./conformance.ts";

/** Shows that the checks of docs/conformance.md see: plants what must not be there, and looks that it is said. */

const FACTS: Facts = {
  rules: [{ id: "mid-missing", requirements: ["R1-1"] }, { id: "no-media" }],
  fields: new Set(["codecs", "limits.receiverAs"]),
  requirements: ["R1-1", "R1-2"],
  catalogued: ["mid-missing", "no-media", "glare"],
};

const SOUND = `
| id | level | asks | checked by | otherwise |
| --- | --- | --- | --- | --- |
| R1-1 | MUST | mids | \`mid-missing\` | **Assisted**: \`no-media\`. |
| R1-2 | MAY | more | | **Recorded**: \`limits.receiverAs\`. **Not recorded yet**: \`profile\`. **Out of reach**: RTP. |

| left out | why |
| --- | --- |
| \`glare\` | a problem |
`;

interface Plant {
  readonly replace: string;
  readonly by: string;
  readonly said: string;
}

const PLANTS: readonly Plant[] = [
  { replace: "| R1-2 |", by: "| R1-1 |", said: "R1-1 has several rows" },
  { replace: "| R1-2 |", by: "| R1-1 |", said: "R1-2 has no row" },
  { replace: "| R1-2 |", by: "| R1-3 |", said: "R1-3 is no requirement" },
  { replace: "`mid-missing`", by: "`mid-lost`", said: "R1-1 is checked by no rule mid-lost" },
  { replace: "`mid-missing`", by: "", said: "R1-1 does not name its rule mid-missing" },
  { replace: "| R1-1 |", by: "| R1-3 |", said: "mid-missing checks R1-1, which has no row" },
  { replace: "receiverAs", by: "senderAs", said: "R1-2 is recorded in no field limits.senderAs" },
  { replace: "`profile`", by: "`codecs`", said: "R1-2 misses the field codecs, which there is" },
  { replace: "`no-media`", by: "`x`", said: "R1-1 is assisted by x, which is neither" },
  { replace: "**Assisted**", by: "**Helped**", said: 'R1-1 says "Helped"' },
  { replace: "`mid-missing` | **Assisted**", by: " | assisted", said: "R1-1 says nothing" },
  { replace: "`glare`", by: "", said: "glare is neither a rule nor left out" },
  { replace: "`glare`", by: "`no-media`", said: "no-media is left out, but is a rule" },
  { replace: "`glare`", by: "`glare`, `stale`", said: "stale is left out, but of no catalogue" },
  { replace: "`glare`", by: "`glare`, `glare`", said: "glare is left out twice" },
];

/** What was planted and not said, or said of what is sound; empty when the checks hold. */
export function brokenChecks(): readonly string[] {
  const unsaid = PLANTS.filter(({ replace, by, said }) => {
    const complaints = conformanceComplaints(SOUND.replace(replace, by), FACTS);
    return !complaints.some((complaint) => complaint.includes(said));
  });
  return [
    ...conformanceComplaints(SOUND, FACTS).map((said) => `sound, but said: ${said}`),
    ...unsaid.map(({ said }) => `planted in scripts/conformance-plants.ts, but not said: ${said}`),
  ];
}
