import { html } from "hono/html";

/** What the page reads of an OpenAPI 3.1 document. */
export interface ApiDocument {
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description?: string;
  };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly { name: string; in: string; required?: boolean }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema?: Schema }>> };
  readonly responses: Readonly<
    Record<string, { description: string; content?: Record<string, { schema?: Schema }> }>
  >;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** `"audio" | "video"`, `Flow[]`, `integer`: a schema in a few words. */
function typeOf(schema: Schema | undefined): string {
  if (!schema) return "any";
  if (schema.$ref) return schema.$ref.split("/").at(-1) ?? "";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  if (schema.items) return `${typeOf(schema.items)}[]`;
  if (schema.properties) return "object";
  return [schema.type ?? "any"].flat().join(" | ");
}

/** The type as code, linked to its shape when it has a name. */
function typeCode(schema: Schema | undefined) {
  const name = (schema?.$ref ?? schema?.items?.$ref)?.split("/").at(-1);
  const code = html`<code>${typeOf(schema)}</code>`;
  return name ? html`<a href="#${name}">${code}</a>` : code;
}

/** Words with `code` in them. */
const prose = (text: string) =>
  text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));

function notesOf(schema: Schema): string {
  const notes = [schema.description ?? ""];
  if (schema.default !== undefined) notes.push(`default ${JSON.stringify(schema.default)}`);
  const small = schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER;
  if (small) notes.push(`${schema.minimum ?? ""}..${schema.maximum}`);
  return notes.filter((note) => note !== "").join("; ");
}

const table = (heads: readonly string[], rows: unknown) =>
  html`<table><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`;

const fields = (schema: Schema | undefined) =>
  schema?.properties
    ? table(
        ["Field", "Type", "Meaning"],
        Object.entries(schema.properties).map(
          ([name, field]) =>
            html`<tr><th scope="row"><code>${name}${schema.required?.includes(name) ? "" : "?"}</code></th><td>${typeCode(field)}</td><td>${prose(notesOf(field))}</td></tr>`,
        ),
      )
    : "";

const firstSchema = (content: Readonly<Record<string, { schema?: Schema }>> | undefined) =>
  content && Object.values(content)[0]?.schema;

type Answer = Operation["responses"][string];

const isProblem = ({ content = {} }: Answer): boolean => "application/problem+json" in content;

/** What the call answers, and below it what it may refuse: long lists of the same shape. */
function answersOf({ responses }: Operation) {
  const answers = Object.entries(responses);
  const refusals = answers.filter(([, answer]) => isProblem(answer));
  return [
    table(
      ["Status", "Body", "Meaning"],
      answers
        .filter(([, answer]) => !isProblem(answer))
        .map(
          ([status, { description, content }]) =>
            html`<tr><th scope="row"><code>${status}</code></th><td>${content ? typeCode(firstSchema(content)) : "none"}</td><td>${prose(description)}</td></tr>`,
        ),
    ),
    refusals.length === 0
      ? ""
      : html`<details>
        <summary>Refused with a problem: ${refusals.map(([status]) => status).join(", ")}</summary>
        <ul>${refusals.map(([status, { description }]) => html`<li><code>${status}</code> ${prose(description)}</li>`)}</ul>
      </details>`,
  ];
}

interface Call {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const callsOf = ({ paths = {} }: ApiDocument): Call[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      id: `${method}${path.replaceAll(/[^\w.-]+/g, "-")}`,
      method,
      path,
      operation: operation as Operation,
    })),
  );

function article({ id, path, method, operation }: Call) {
  const body = firstSchema(operation.requestBody?.content);
  const query = operation.parameters?.filter((parameter) => parameter.in === "query") ?? [];
  return html`<article id="${id}">
    <h3><b>${method}</b> <code>${path}</code></h3>
    <p>${prose(`${operation.summary ?? ""}. ${operation.description ?? ""}`)}</p>
    ${query.length > 0 ? html`<p>Query: ${query.map(({ name }) => html`<code>${name}</code> `)}</p>` : ""}
    ${body ? html`<p>Body: ${typeCode(body)}</p>${fields(body)}` : ""}
    ${answersOf(operation)}
  </article>`;
}

const shape = ([name, schema]: readonly [string, Schema]) =>
  html`<article id="${name}">
    <h3><code>${name}</code></h3>
    <p>${typeOf(schema) === "object" ? "" : html`<code>${typeOf(schema)}</code>`} ${prose(schema.description ?? "")}</p>
    ${fields(schema)}
  </article>`;

/** The bar of all pages; `web/*.html` have the same. */
const BAR = html`<header class="bar">
  <a class="brand" href="/" aria-label="Duplex, new call">
    <svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"/><path d="M8 12h14l-4-4M24 20H10l4 4"/></svg>
    <span>Duplex</span>
  </a>
  <nav class="pages" aria-label="Pages"><a href="/">Call</a><a href="/check">Check an SDP</a><a href="/swap">SWAP</a><a href="/inspect">Inspect</a><a href="/docs" aria-current="page">API</a></nav>
</header>`;

const contents = (calls: readonly Call[], shapes: readonly string[]) =>
  html`<nav class="contents" aria-label="On this page">
    <h2>Calls</h2>
    <ul>${calls.map(({ id, method, path }) => html`<li><a href="#${id}"><b>${method}</b> ${path}</a></li>`)}</ul>
    <h2>Shapes</h2>
    <ul>${shapes.map((name) => html`<li><a href="#${name}">${name}</a></li>`)}</ul>
  </nav>`;

/** The OpenAPI document as a page that needs nothing from elsewhere. */
export function docsPage(api: ApiDocument) {
  const calls = callsOf(api);
  const shapes = Object.entries(api.components?.schemas ?? {});
  const names = shapes.map(([name]) => name);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="color-scheme" content="light dark" />
        <meta name="description" content="Every HTTP call of Duplex: what it takes, what it answers, what it may refuse." />
        <title>${api.info.title} API</title>
        <link rel="icon" href="/icon.svg" />
        <link rel="stylesheet" href="/style.css" />
        <link rel="stylesheet" href="/docs.css" />
      </head>
      <body>
        ${BAR}
        <main class="docs">
          <div class="intro">
            <h1>${api.info.title} API ${api.info.version}</h1>
            <p>${prose(api.info.description ?? "")}</p>
            <p><a class="button quiet" href="/openapi.json">OpenAPI</a> <a class="button quiet" href="/asyncapi.json">AsyncAPI</a></p>
          </div>
          ${contents(calls, names)}
          <div class="reference">
            <h2>Calls</h2>
            ${calls.map(article)}
            <h2>Shapes</h2>
            ${shapes.map(shape)}
          </div>
        </main>
      </body>
    </html>`;
}
