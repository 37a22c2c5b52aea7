/** What a document links to, as GitHub shows it. */
interface Link {
  readonly target: string;
  readonly line: number;
}

/** Lines outside of fenced code, with `code` blanked: nothing in them is a link. */
const proseLines = (text: string): readonly string[] => {
  let fence: string | undefined;
  return text.split("\n").map((line) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || line.trim().startsWith(fence))) {
      fence = fence === undefined ? mark : undefined;
      return "";
    }
    return fence === undefined ? line.replace(/(`+)[^`]+\1/g, "") : "";
  });
};

// `[text](target "title")`, `![alt](target)`, `[name]: target`, `href="target"`, `src="target"`
const LINK =
  /\]\(<?([^)\s>]*)>?(?:\s+"[^"]*")?\)|^\s*\[[^\]]+\]:\s*(\S+)|\b(?:href|src)="([^"]*)"/g;

const linksOf = (text: string): readonly Link[] =>
  proseLines(text).flatMap((line, index) =>
    [...line.matchAll(LINK)].map(([, inline, definition, html]) => ({
      target: inline ?? definition ?? html ?? "",
      line: index + 1,
    })),
  );

/** `## Rolling back` is `#rolling-back`; a heading that comes again gets `-1`, `-2`. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  const seen = new Map<string, number>();
  let fence = false;
  for (const line of text.split("\n")) {
    if (/^\s*(```|~~~)/.test(line)) fence = !fence;
    for (const [, id = ""] of line.matchAll(/\b(?:id|name)="([^"]+)"/g)) found.add(id);
    const heading = fence ? undefined : /^#{1,6}\s+(.+?)\s*#*$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    found.add(times === 0 ? slug : `${slug}-${times}`);
  }
  return found;
}

/** `docs/recipes/a.md` and `../b.md` make `docs/b.md`; absent above the root. */
function resolvePath(from: string, target: string): string | undefined {
  const parts = from.split("/").slice(0, -1);
  for (const part of decodeURI(target).split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "." && part !== "") {
      parts.push(part);
    }
  }
  return parts.join("/");
}

/** All that links lead to: documents with their text, other files and folders by path alone. */
export interface Tree {
  readonly documents: ReadonlyMap<string, string>;
  readonly paths: ReadonlySet<string>;
}

const SCHEME = /^[a-z][a-z\d+.-]*:/i;

function outsideComplaint(target: string): string | undefined {
  if (!target.startsWith("https://")) return `${target} is not https`;
  return URL.canParse(target) && new URL(target).hostname.includes(".")
    ? undefined
    : `${target} is no address`;
}

/** What is wrong with a link; external ones are only looked at, never fetched. */
function complaintOf(tree: Tree, from: string, target: string): string | undefined {
  if (SCHEME.test(target)) return outsideComplaint(target);
  if (target === "") return "a link without a target";
  if (target.startsWith("/")) return `${target} is not relative`;
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? from : resolvePath(from, path);
  if (file === undefined || (file !== "" && !tree.paths.has(file))) return `there is no ${path}`;
  if (anchor === undefined) return undefined;
  const text = tree.documents.get(file);
  // Lines of code, as in src/app.ts#L10.
  if (text === undefined) return /^L\d+/.test(anchor) ? undefined : `${target}: no such anchor`;
  return anchorsOf(text).has(anchor) ? undefined : `${file} has no heading #${anchor}`;
}

/** Documents that a link in `from` brings: one, or what lies in a folder. */
function broughtBy(tree: Tree, from: string, target: string): readonly string[] {
  const path = SCHEME.test(target) ? "" : target.replace(/#.*$/, "");
  const file = path === "" ? undefined : resolvePath(from, path);
  if (file === undefined) return [];
  return [...tree.documents.keys()].filter(
    (one) => one === file || one.replace(/\/[^/]*$/, "") === file,
  );
}

/** Documents that a reader of `start` gets to by links. */
function reachable(tree: Tree, start: string): ReadonlySet<string> {
  const found = new Set([start]);
  for (const from of found) {
    for (const { target } of linksOf(tree.documents.get(from) ?? "")) {
      for (const path of broughtBy(tree, from, target)) found.add(path);
    }
  }
  return found;
}

/** What is wrong with the links of all documents, and which of `docs/` nobody gets to from README.md. */
export function linkComplaints(tree: Tree): readonly string[] {
  const reached = reachable(tree, "README.md");
  const broken = [...tree.documents].flatMap(([from, text]) =>
    linksOf(text).flatMap(({ target, line }) => {
      const complaint = complaintOf(tree, from, target);
      return complaint === undefined ? [] : [`${from}:${line}: ${complaint}`];
    }),
  );
  const lost = [...tree.documents.keys()]
    .filter((path) => path.startsWith("docs/") && !reached.has(path))
    .map((path) => `${path} is not reached from README.md`);
  return [...broken, ...lost];
}
