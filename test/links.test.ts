import { describe, expect, it } from "vitest";
import { anchorsOf, linkComplaints } from "../scripts/links.ts";

const README = "# Duplex\n[docs](docs/README.md), [decisions](docs/decisions)";
const DOCS =
  "# Documentation\n## Read on\n[start](get-started.md#a-call), [up](../README.md#duplex)";
const START = `# Get started
## A call
\`\`\`sh
# Not a heading [and](no-link.md)
\`\`\`
## A call
[top](#get-started), [again](#a-call-1), [code](../src/app.ts#L3), \`[no](link.md)\`
![a picture](images/a.png) <img src="images/a.png">
[Node](https://nodejs.org/en "Node") and [one more][spec]

[spec]: https://www.rfc-editor.org/rfc/rfc9725
`;

const FILES: Readonly<Record<string, string>> = {
  "README.md": README,
  "docs/README.md": DOCS,
  "docs/get-started.md": START,
  "docs/decisions/0001-a.md": "# Why",
};

const complaints = (changes: Readonly<Record<string, string>> = {}): readonly string[] => {
  const documents = new Map(Object.entries({ ...FILES, ...changes }));
  const others = [
    "docs",
    "docs/decisions",
    "docs/images",
    "docs/images/a.png",
    "src",
    "src/app.ts",
  ];
  return linkComplaints({ documents, paths: new Set([...documents.keys(), ...others]) });
};

const started = (text: string) => complaints({ "docs/get-started.md": `${START}\n${text}` });

describe("links of the documentation", () => {
  it("[M19] lead somewhere, and to every page", () => {
    expect(complaints()).toEqual([]);
  });

  it.each([
    ["a page that is not there", "[a](gone.md)", "there is no gone.md"],
    ["a page above the root", "[a](../../b.md)", "there is no ../../b.md"],
    ["a heading that is not there", "[a](README.md#gone)", "docs/README.md has no heading #gone"],
    [
      "a heading of its own that is not there",
      "[a](#gone)",
      "docs/get-started.md has no heading #gone",
    ],
    ["an image that is not there", "![a](images/b.png)", "there is no images/b.png"],
    ["an image in HTML", '<img src="images/b.png">', "there is no images/b.png"],
    ["code that is not there", "[a](../src/gone.ts)", "there is no ../src/gone.ts"],
    ["an anchor in code", "[a](../src/app.ts#gone)", "../src/app.ts#gone: no such anchor"],
    ["a path of the server", "[a](/docs)", "/docs is not relative"],
    ["no target", "[a]()", "a link without a target"],
    ["http", "[a](http://example.org/)", "http://example.org/ is not https"],
    ["another scheme", "[a](javascript:alert)", "javascript:alert is not https"],
    ["no address", "[a](https://example)", "https://example is no address"],
    ["a definition", "[spec2]: gone.md", "there is no gone.md"],
  ])("[M19] that are planted are named: %s", (_, text, complaint) => {
    expect(started(text)).toEqual([
      `docs/get-started.md:${START.split("\n").length + 1}: ${complaint}`,
    ]);
  });

  it("[M19] that are missing are named: a page nobody gets to", () => {
    expect(complaints({ "docs/lost.md": "[home](../README.md)" })).toEqual([
      "docs/lost.md is not reached from README.md",
    ]);
    expect(complaints({ "docs/README.md": "# Documentation" })).toEqual([
      "docs/get-started.md is not reached from README.md",
    ]);
  });

  it("[M19] to headings are those that GitHub makes", () => {
    const text =
      "# `npm start`, and *more*: 1:1 call\n## A [link](x.md)\n### A link\n<a id='x'></a><a id=\"here\"></a>";
    expect([...anchorsOf(text)]).toEqual([
      "npm-start-and-more-11-call",
      "a-link",
      "a-link-1",
      "here",
    ]);
  });
});
