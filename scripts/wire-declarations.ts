import { posix } from "node:path";
import { z } from "zod";
import { Transport } from "../protocol/transport.ts";
import { jsDoc, nameOf, type Schema, typeText } from "./wire-types.ts";

/**
 * Declarations of modules of `protocol/` without their schemas: what tsc derives from a schema needs the
 * library of the schema, what is printed from its JSON Schema needs nothing.
 */

/** A module of `protocol/`: the declarations tsc made of it, and what it exports when it runs. */
export interface WireModule {
  /** Path of its declarations, such as `protocol/flow.d.ts`. */
  readonly path: string;
  readonly declarations: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

interface Statement {
  readonly comment: string;
  readonly text: string;
}

/** Schemas that have an exported type but are not exported themselves. */
const UNEXPORTED: Readonly<Record<string, z.ZodType>> = {
  CandidateCounts: Transport.shape.candidates.valueType,
};

/** Tables of the messages that the SDK writes; it reads those of all others. */
const WRITTEN: readonly string[] = ["FROM_PEER"];

// tsc begins statements, and only them and their last lines (`}`), at the start of a line.
const STATEMENT = /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^((?:export|declare)\b.*\n(?:[ }].*\n)*)/gm;
const EXPORTED_TYPE = /^export (?:declare )?(?:type|interface) (\w+)/;
const INFERRED = /^export type \w+ = z\.(infer|input|output)<typeof (\w+)>;\n$/;
const UNION =
  /^export type \w+ = \{\s+\[\w+ in keyof typeof (\w+)\]: z\.infer<[^\n]*\n\}\[keyof typeof \1\];\n$/;
const COMMENT_OR_STRING = /\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\.)*"/g;

const statementsOf = (declarations: string): Statement[] =>
  [...declarations.matchAll(STATEMENT)].map(([, comment = "", text = ""]) => ({ comment, text }));

/** Descriptions as they are, but names of exported types in place of the ids for OpenAPI. */
class ExportedShapes extends z.core.$ZodRegistry<Record<string, unknown>> {
  readonly #names: ReadonlyMap<z.core.$ZodType, string>;

  constructor(names: ReadonlyMap<z.core.$ZodType, string>) {
    super();
    this.#names = names;
  }

  override get<S extends z.core.$ZodType>(schema: S): Record<string, unknown> {
    const { id: _id, ...meta } = z.globalRegistry.get(schema) ?? {};
    const name = this.#names.get(schema);
    return name === undefined ? meta : { ...meta, id: name };
  }
}

const jsonSchema = (
  schema: z.ZodType,
  io: "input" | "output",
  metadata: ExportedShapes,
): Schema => {
  const json = z.toJSONSchema(schema, { io, metadata }) as Schema;
  const named = json.$ref === undefined ? undefined : json.$defs?.[nameOf(json.$ref)];
  return named ?? json;
};

/** One module, on the way from what tsc made of it to declarations that stand alone. */
class Declarations {
  readonly path: string;
  readonly #exports: WireModule["exports"];
  readonly #types = new Map<string, Statement>();
  readonly #comments = new Map<string, string>();

  constructor({ path, declarations, exports }: WireModule) {
    this.path = path;
    this.#exports = exports;
    for (const statement of statementsOf(declarations)) {
      const { comment, text } = statement;
      const [, type] = EXPORTED_TYPE.exec(text) ?? [];
      const [, value] = /^(?:export )?declare const (\w+)/.exec(text) ?? [];
      if (type !== undefined) this.#types.set(type, statement);
      if (value !== undefined) this.#comments.set(value, comment);
    }
    for (const [name, value] of Object.entries(exports)) {
      if (!(value instanceof z.ZodType) || this.#types.has(name)) continue;
      const text = `export type ${name} = z.infer<typeof ${name}>;\n`;
      this.#types.set(name, { comment: "", text });
    }
  }

  get names(): string[] {
    return [...this.#types.keys()];
  }

  schema(name: string): z.ZodType | undefined {
    const found = this.#exports[name] ?? UNEXPORTED[name];
    return found instanceof z.ZodType ? found : undefined;
  }

  /** All types; one that cannot be told without schemas is left out, and missed if it is imported. */
  text(shapes: ExportedShapes): string {
    const types = [...this.#types].map(
      ([name, statement]) =>
        this.#inferred(name, statement, shapes) ??
        this.#union(name, statement, shapes) ??
        (/\bz\.|\btypeof\b/.test(statement.text) ? "" : statement.comment + statement.text),
    );
    return types.join("");
  }

  #inferred(name: string, { comment, text }: Statement, shapes: ExportedShapes) {
    const [, kind, source = ""] = INFERRED.exec(text) ?? [];
    const schema = this.schema(source);
    if (schema === undefined) return undefined;
    const json = jsonSchema(schema, kind === "input" ? "input" : "output", shapes);
    const about = comment || this.#comments.get(source) || jsDoc(json.description);
    return `${about}export type ${name} = ${typeText(json)};\n`;
  }

  /** Any message of a table. */
  #union(name: string, { comment, text }: Statement, shapes: ExportedShapes) {
    const [, table = ""] = UNION.exec(text) ?? [];
    const rows = Object.values(this.#exports[table] ?? {});
    if (rows.length === 0) return undefined;
    const members = rows.map((row: unknown) => {
      if (!(row instanceof z.ZodType)) throw new Error(`${table} has more than schemas`);
      const json = jsonSchema(row, WRITTEN.includes(table) ? "input" : "output", shapes);
      return `\n${jsDoc(json.description, "  ")}  | ${typeText(json, "    ")}`;
    });
    const about = comment || this.#comments.get(table) || "";
    return `${about}export type ${name} =${members.join("")};\n`;
  }
}

/** The shapes that have a name. One that differs by direction has none: it is written out wherever it is. */
const shapesOf = (modules: readonly Declarations[]): ExportedShapes => {
  const unnamed = new ExportedShapes(new Map());
  const names = new Map<z.core.$ZodType, string>();
  for (const module of modules) {
    for (const name of module.names) {
      const schema = module.schema(name);
      if (schema === undefined) continue;
      const read = typeText(jsonSchema(schema, "output", unnamed));
      const written = typeText(jsonSchema(schema, "input", unnamed));
      if (read === written) names.set(schema, name);
    }
  }
  return new ExportedShapes(names);
};

/** The imports that `text` needs, one statement for each module it takes types from. */
const importsFor = (
  module: Declarations,
  text: string,
  modules: readonly Declarations[],
): string => {
  const words = new Set(text.replace(COMMENT_OR_STRING, "").match(/\w+/g));
  const own = new Set(module.names);
  return modules
    .map((other) => {
      const names = other.names.filter((name) => words.has(name) && !own.has(name)).sort();
      if (other === module || names.length === 0) return "";
      const path = posix.relative(
        posix.dirname(module.path),
        other.path.replace(/\.d\.ts$/, ".ts"),
      );
      const from = path.startsWith(".") ? path : `./${path}`;
      return `import type { ${names.join(", ")} } from "${from}";\n`;
    })
    .join("");
};

/** Declarations of the same types without schemas, by path. */
export const withoutSchemas = (sources: readonly WireModule[]): Map<string, string> => {
  const modules = sources.map((source) => new Declarations(source));
  const shapes = shapesOf(modules);
  return new Map(
    modules.map((module) => {
      const text = module.text(shapes);
      return [module.path, importsFor(module, text, modules) + text];
    }),
  );
};
