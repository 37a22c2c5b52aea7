import { posix } from "node:path";
import { plain } from "./markdown.ts";
import { SDK_ENTRIES, sdkTypes } from "./sdk-types.ts";

/** `docs/sdk.md` as text, made from the declarations of the SDK and what stands above each. */

/** What an entry exports: where it is declared, and as what. */
interface Exported {
  readonly name: string;
  readonly path: string;
  readonly kind: string;
  /** There at run time: it can be called, or be what `instanceof` asks for. */
  readonly isValue: boolean;
  /** Overloads are several. */
  readonly declarations: readonly { readonly comment: string; readonly text: string }[];
}

interface Member {
  readonly comment: string;
  readonly text: string;
}

// tsc begins statements, and only them and their last lines (`}`), at the start of a line.
const STATEMENT =
  /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^(export (?:declare )?(?:abstract )?(type|interface|class|function|const) (\w+)\b.*\n(?:[ }].*\n)*)/gm;
const EXPORT_LIST = /^export (type )?\{([^}]*)\}(?: from "([^"]*)")?;$/gm;
const IMPORT_LIST = /^import (?:type )?\{([^}]*)\} from "([^"]*)";$/gm;

const INTRODUCTION: Readonly<Record<string, string>> = {
  ".": 'What `import … from "duplex"` gives. client/README.md shows how the parts work together.',
  "./swap":
    'What `import … from "duplex/swap"` gives: an endpoint of 3GPP SWAP, see [swap.md](swap.md).',
  "./peerjs":
    'What `import … from "duplex/peerjs"` gives: PeerJS\'s calls over Duplex, see [recipes/peerjs.md](recipes/peerjs.md).',
};

const namesIn = (list = ""): string[] =>
  list
    .split(",")
    .map((item) => item.trim().replace(/^type /, ""))
    .filter((name) => name !== "");

/** A comment as one paragraph. */
const words = (comment: string): string =>
  comment
    .replace(/^\s*\/\*\*|\*\/\s*$/g, "")
    .replace(/^\s*\* ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();

/** Where the names of a file's imports are declared. */
const importsOf = (path: string, text: string): Map<string, string> => {
  const found = new Map<string, string>();
  for (const [, list, from = ""] of text.matchAll(IMPORT_LIST)) {
    const target = posix.join(posix.dirname(path), from).replace(/\.js$/, ".d.ts");
    for (const name of namesIn(list)) found.set(name, target);
  }
  return found;
};

const declared = (name: string, path: string, text: string, isType: boolean): Exported => {
  const statements = [...text.matchAll(STATEMENT)].filter(([, , , , own]) => own === name);
  const [first] = statements;
  if (first === undefined) throw new Error(`${path} does not declare ${name}`);
  const declarations = statements.map(([, comment = "", code = ""]) => ({ comment, text: code }));
  const kind = first[3] ?? "";
  const isValue = !isType && kind !== "interface" && kind !== "type";
  return { name, path, kind, isValue, declarations };
};

const exportsOf = (path: string, files: ReadonlyMap<string, string>): Exported[] => {
  const text = files.get(path) ?? "";
  const imported = importsOf(path, text);
  const own = [...text.matchAll(STATEMENT)].map(([, , , , name = ""]) => ({
    name,
    path,
    isType: false,
  }));
  const listed = [...text.matchAll(EXPORT_LIST)].flatMap(([, type, list, from]) => {
    const target = from && posix.join(posix.dirname(path), from).replace(/\.js$/, ".d.ts");
    return namesIn(list).map((name) => ({
      name,
      path: target ?? imported.get(name) ?? path,
      isType: type !== undefined,
    }));
  });
  const all = new Map([...own, ...listed].map((one) => [one.name, one]));
  return [...all.values()].map(({ name, path: at, isType }) =>
    declared(name, at, files.get(at) ?? "", isType),
  );
};

/** The members of a class or an interface; those that nobody outside may use are left out. */
const membersOf = ({ kind, declarations }: Exported): Member[] => {
  if (kind !== "class" && kind !== "interface") return [];
  const body = (declarations[0]?.text ?? "").split("\n").slice(1, -2).join("\n");
  // A member begins four spaces in; what is deeper, or closes it, belongs to the one before.
  const parts = body.matchAll(
    /( {4}\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^ {4}([^\s}/][^\n]*(?:\n {5,}[^\n]*|\n {4}[}\]][^\n]*)*)/gm,
  );
  return [...parts]
    .map(([, comment = "", text = ""]) => ({ comment, text }))
    .filter(({ text }) => !/^(#private|private |protected )/.test(text));
};

const oneLine = (text: string): string => text.replace(/\s+/g, " ").replace(/;$/, "").trim();

const isOurs = ({ path }: Exported): boolean => path.startsWith("client/");

/** What `import type` is not enough for. */
const values = (exported: readonly Exported[]): string => {
  const names = exported.filter(({ isValue }) => isValue).map(({ name }) => `\`${name}\``);
  const are = names.length === 1 ? "is the one value" : "are values";
  return names.length === 0 ? "" : `${names.join(", ")} ${are}, all other names are types.`;
};

/** The shapes of the wire are the protocol's: what they mean is written where the protocol is. */
const shapes = (exported: readonly Exported[]): string =>
  exported
    .filter((one) => !isOurs(one))
    .map(
      ({ name, declarations }) => `- \`${name}\`: ${plain(words(declarations[0]?.comment ?? ""))}`,
    )
    .join("\n");

const section = (one: Exported): string => {
  const { name, kind, declarations } = one;
  const members = membersOf(one).map(
    ({ comment, text }) => `- \`${oneLine(text)}\`${comment && `<br>${plain(words(comment))}`}`,
  );
  const isCode = kind === "function" || kind === "type" || kind === "const";
  const parts = declarations.map(({ comment, text }) => {
    const code = isCode
      ? `\n\n\`\`\`ts\n${text.replace(/^export (declare )?/, "").trim()}\n\`\`\``
      : "";
    return `${plain(words(comment))}${code}`;
  });
  return [`### ${name}`, ...parts, ...(members.length > 0 ? [members.join("\n")] : [])].join(
    "\n\n",
  );
};

/** Whatever of client/ has no docstring, and what is mentioned but cannot be imported by its name. */
const lacking = (exported: readonly Exported[], files: ReadonlyMap<string, string>): string[] => {
  const known = new Set(exported.map(({ name }) => name));
  return exported.flatMap((one) => {
    const { name, path, declarations } = one;
    const undocumented = declarations.some(({ comment }) => comment === "") ? [name] : [];
    const members = isOurs(one) ? membersOf(one) : [];
    const bare = members.filter(({ comment }) => comment === "");
    const imported = isOurs(one) ? importsOf(path, files.get(path) ?? "") : new Map();
    const text = declarations.map((declaration) => declaration.text).join("\n");
    const code = new Set(text.replace(/\/\*[\s\S]*?\*\/|"[^"]*"/g, "").match(/\w+/g));
    const unknown = [...imported]
      .filter(([word, from]) => from.startsWith("client/") && code.has(word) && !known.has(word))
      .map(([word]) => `docs/sdk.md: ${name} mentions ${word}, which the SDK does not export`);
    return [
      ...undocumented.map((what) => `${path}: ${what} has no docstring`),
      ...bare.map(({ text: what }) => `${path}: ${name}, \`${oneLine(what)}\` has no docstring`),
      ...unknown,
    ];
  });
};

/** A document, and what is wrong with the SDK as something to be read about. */
export interface SdkDocument {
  readonly text: string;
  readonly complaints: readonly string[];
}

/** The document of declarations, by path. */
export const documentOf = (files: ReadonlyMap<string, string>): SdkDocument => {
  const entries = SDK_ENTRIES.map(({ name, source }) => {
    const exported = exportsOf(source.replace(/ts$/, "d.ts"), files);
    // Functions and classes first: what they need comes below.
    const order = ["function", "class", "interface", "type", "const"];
    const sorted = exported.toSorted(
      (one, other) => order.indexOf(one.kind) - order.indexOf(other.kind),
    );
    return { name, exported: sorted };
  });
  const seen = new Set<string>();
  const texts = entries.map(({ name, exported }) => {
    const title = `## duplex${name.slice(1)}`;
    const fresh = exported.filter((one) => !seen.has(one.name));
    for (const one of fresh) seen.add(one.name);
    const wire = shapes(fresh);
    const about =
      "Shapes of the protocol, explained in [media-flows.md](media-flows.md) and [protocol.md](protocol.md):";
    return [
      title,
      [INTRODUCTION[name] ?? "", values(exported)].join(" ").trim(),
      ...fresh.filter(isOurs).map(section),
      ...(wire === "" ? [] : [`${about}\n\n${wire}`]),
    ].join("\n\n");
  });
  const all = entries.flatMap(({ exported }) => exported);
  const head =
    "# The SDK\n\n<!-- Made by `npm run docs` from the docstrings of client/. -->\n\nEvery name that the package `duplex` exports, with its members.";
  const complaints = entries.flatMap(({ exported }) =>
    lacking([...exported, ...all.filter(isOurs)], files),
  );
  return { text: `${[head, ...texts].join("\n\n")}\n`, complaints: [...new Set(complaints)] };
};

/** The document of the SDK as it is. */
export const sdkDocument = async (): Promise<SdkDocument> => documentOf(await sdkTypes());
