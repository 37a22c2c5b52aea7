import { html, raw } from "hono/html";

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

const STYLE = `
:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 18%,transparent)}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem}
code,pre{font:0.9em ui-monospace,monospace}h2{margin-top:2.5rem}
article{border:1px solid var(--line);border-radius:.6rem;padding:.2rem 1rem;margin:1rem 0;overflow-x:auto}
h3 b{display:inline-block;min-width:4.5rem;text-transform:uppercase;color:light-dark(#0a58ca,#7ab7ff)}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;border-top:1px solid var(--line);padding:.3rem .6rem .3rem 0}
`;

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

const fields = (schema: Schema | undefined) =>
  schema?.properties
    ? html`<table>
        <tr><th>field</th><th>type</th><th></th></tr>
        ${Object.entries(schema.properties).map(
          ([name, field]) =>
            html`<tr><td><code>${name}${schema.required?.includes(name) ? "" : "?"}</code></td><td>${typeCode(field)}</td><td>${prose(notesOf(field))}</td></tr>`,
        )}
      </table>`
    : "";

const firstSchema = (content: Readonly<Record<string, { schema?: Schema }>> | undefined) =>
  content && Object.values(content)[0]?.schema;

const answersOf = (operation: Operation) =>
  html`<table>
    ${Object.entries(operation.responses).map(
      ([status, { description, content }]) =>
        html`<tr><td><code>${status}</code></td><td>${content ? typeCode(firstSchema(content)) : ""}</td><td>${prose(description)}</td></tr>`,
    )}
  </table>`;

function article(path: string, method: string, operation: Operation) {
  const body = firstSchema(operation.requestBody?.content);
  const query = operation.parameters?.filter((parameter) => parameter.in === "query") ?? [];
  return html`<article>
    <h3><b>${method}</b> <code>${path}</code></h3>
    <p>${prose(`${operation.summary ?? ""}. ${operation.description ?? ""}`)}</p>
    ${query.length > 0 ? html`<p>Query: ${query.map(({ name }) => html`<code>${name}</code> `)}</p>` : ""}
    ${body ? html`<p>Body: ${typeCode(body)}</p>${fields(body)}` : ""}
    ${answersOf(operation)}
  </article>`;
}

/** The OpenAPI document as a page that needs nothing from elsewhere. */
export function docsPage(api: ApiDocument) {
  const operations = Object.entries(api.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      article(path, method, operation as Operation),
    ),
  );
  const schemas = Object.entries(api.components?.schemas ?? {});
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${api.info.title} API</title>
        <style>${raw(STYLE)}</style>
      </head>
      <body>
        <h1>${api.info.title} API ${api.info.version}</h1>
        <p>${prose(api.info.description ?? "")}</p>
        <p><a href="/openapi.json">openapi.json</a> · <a href="/asyncapi.json">asyncapi.json</a></p>
        <h2>Calls</h2>
        ${operations}
        <h2>Shapes</h2>
        ${schemas.map(([name, schema]) => html`<article id="${name}"><h3><code>${name}</code></h3><p>${typeOf(schema) === "object" ? "" : html`<code>${typeOf(schema)}</code>`} ${prose(schema.description ?? "")}</p>${fields(schema)}</article>`)}
      </body>
    </html>`;
}
