// Which operation of a published description a request means, and whether request and answer are as published.
import { isJson, type Json, memberAt } from "./dialect.ts";
import type { Direction, PublishedFile, Schemas } from "./schemas.ts";

export interface Operation {
  readonly file: PublishedFile;
  readonly id: string;
  /** JSON pointer to it. */
  readonly at: string;
  readonly params: Readonly<Record<string, string>>;
  /** Scopes that a token has to have; undefined: it may be called without a token. */
  readonly scopes: readonly string[] | undefined;
}

const METHODS = ["get", "post", "put", "patch", "delete"];

const escapeSegment = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

/** `/sessions/{sessionId}` against `/sessions/4`; undefined: another path. */
const paramsOf = (template: string, path: string): Record<string, string> | undefined => {
  const wanted = template.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, segment] of wanted.entries()) {
    const value = decoded(given[at] ?? "");
    const name = /^\{(.+)\}$/.exec(segment)?.[1];
    if (name === undefined ? segment !== value : !value) return undefined;
    if (name !== undefined && value !== undefined) params[name] = value;
  }
  return params;
};

/** `{}` beside the others means that none is needed; the mock asks for a token where one is known. */
const scopesOf = (operation: Json, description: Json): string[] | undefined => {
  const wanted = operation.security ?? description.security;
  if (!Array.isArray(wanted)) return undefined;
  const named = wanted.find((one) => isJson(one) && Object.keys(one).length > 0);
  if (!isJson(named)) return undefined;
  return Object.values(named).flat().map(String);
};

const responseAt = (operation: Operation, key: string, response: unknown): string => {
  const reference = isJson(response) ? response.$ref : undefined;
  return typeof reference === "string" ? reference.slice(1) : `${operation.at}/responses/${key}`;
};

export type Found = { readonly operation: Operation } | { readonly allow: readonly string[] };

export class Operations {
  readonly #schemas: Schemas;

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  /** The operation, or the methods that the path has; undefined: no such path. */
  find(file: PublishedFile, method: string, path: string): Found | undefined {
    const description = this.#schemas.description(file);
    const { paths } = description;
    if (!isJson(paths)) return undefined;
    for (const [template, item] of Object.entries(paths)) {
      const params = paramsOf(template, path);
      if (params === undefined || !isJson(item)) continue;
      const operation = item[method.toLowerCase()];
      if (!isJson(operation)) return { allow: METHODS.filter((name) => name in item) };
      const at = `/paths/${escapeSegment(template)}/${method.toLowerCase()}`;
      const scopes = scopesOf(operation, description);
      return { operation: { file, id: String(operation.operationId), at, params, scopes } };
    }
    return undefined;
  }

  /** Media types that the body may have; undefined: there is no body. */
  bodyTypes({ file, at }: Operation): readonly string[] | undefined {
    const content = memberAt(this.#schemas.description(file), `${at}/requestBody/content`);
    return isJson(content) ? Object.keys(content) : undefined;
  }

  publishes({ file, at }: Operation, status: number): boolean {
    return memberAt(this.#schemas.description(file), `${at}/responses/${status}`) !== undefined;
  }

  /** Codes that are published for an error of CAMARA; none: the description leaves them open. */
  codes(operation: Operation, status: number): readonly string[] {
    const description = this.#schemas.description(operation.file);
    const response = memberAt(description, `${operation.at}/responses/${status}`);
    const at = responseAt(operation, String(status), response);
    const parts = memberAt(description, `${at}/content/application~1json/schema/allOf`);
    const said = Array.isArray(parts) ? parts : [];
    return said.flatMap((part) => memberAt(part, "/properties/code/enum") ?? []).map(String);
  }

  checkRequest(operation: Operation, type: string, body: unknown): string[] {
    return this.#check(operation, `${operation.at}/requestBody`, type, body, "request");
  }

  /** What is wrong with an answer: a status that is not published for it, a body that is not as published. */
  checkAnswer(operation: Operation, status: number, type: string, body: unknown): string[] {
    const description = this.#schemas.description(operation.file);
    const responses = memberAt(description, `${operation.at}/responses`);
    if (!isJson(responses)) return [`${operation.id} publishes no answers`];
    const key = [String(status), "default"].find((name) => name in responses);
    if (key === undefined) return [`${operation.id} publishes no answer ${status}`];
    const at = responseAt(operation, key, responses[key]);
    // What the others look like is left open.
    if (key === "default" && memberAt(description, `${at}/content`) === undefined) return [];
    if (body === undefined) {
      const content = memberAt(description, `${at}/content`);
      return content === undefined ? [] : [`${operation.id} ${status} has to have a body`];
    }
    return this.#check(operation, at, type, body, "answer").map(
      (error) => `${operation.id} ${status}: ${error}`,
    );
  }

  #check(
    operation: Operation,
    at: string,
    type: string,
    body: unknown,
    direction: Direction,
  ): string[] {
    const description = this.#schemas.description(operation.file);
    const name = [type, "application/*"].find(
      (one) => memberAt(description, `${at}/content/${escapeSegment(one)}`) !== undefined,
    );
    if (name === undefined) return [`there is no body of type ${type}`];
    const schema = `${at}/content/${escapeSegment(name)}/schema`;
    return this.#schemas.check(operation.file, schema, body, direction);
  }
}
