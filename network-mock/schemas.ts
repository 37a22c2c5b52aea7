// The published descriptions of the APIs that the mock stands in for, as validators.
import { readFileSync } from "node:fs";
import { isIPv4, isIPv6 } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv, type ErrorObject, type Format, type ValidateFunction } from "ajv";
import { parse } from "yaml";
import { inDialect, type Json, memberAt } from "./dialect.ts";
import { repair } from "./repairs.ts";

/** As they are called in the folder of published descriptions. */
export type PublishedFile =
  | "nef-as-session-with-qos.yaml"
  | "pcf-policy-authorization.yaml"
  | "qos-profiles.yaml"
  | "quality-on-demand.yaml"
  | "rtc-af-provisioning.yaml"
  | "rtc-af-session-handling.yaml";

/** Members that are read-only are not required in requests, those that are write-only not in answers (OpenAPI 3.0). */
export type Direction = "request" | "answer";

export interface Schemas {
  /** What is wrong with a value, empty when it is valid. `what` is the name of a component's schema, or a JSON pointer (`/paths/~1sessions/post/...`). */
  readonly check: (
    file: PublishedFile,
    what: string,
    value: unknown,
    direction: Direction,
  ) => string[];
  /** The description as published, repaired. */
  readonly description: (file: PublishedFile) => Json;
}

const FOLDER = fileURLToPath(new URL("../../shared/openapi", import.meta.url));

/** The folder where the published descriptions are: beside the project, or where NETWORK_SCHEMAS says. */
export const schemasFolder = (): string => process.env.NETWORK_SCHEMAS ?? FOLDER;

const number = (test: (value: number) => boolean): Format => ({ type: "number", validate: test });

/** Formats of OpenAPI 3.0 and JSON Schema that the files use; Ajv by itself knows none. TS 29.571 calls Uint32 int32. */
const FORMATS: Readonly<Record<string, Format>> = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  "date-time":
    /^\d{4}-[01]\d-[0-3]\d[Tt][0-2]\d:[0-5]\d:[0-6]\d(\.\d+)?([Zz]|[+-][0-2]\d:[0-5]\d)$/,
  date: /^\d{4}-[01]\d-[0-3]\d$/,
  byte: /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  uri: (value: string) => /^[a-z][a-z0-9+.-]*:\S+$/i.test(value) && URL.canParse(value),
  "uri-reference": (value: string) =>
    /^\S*$/.test(value) && URL.canParse(value, "https://a.example"),
  ipv4: (value: string) => isIPv4(value),
  ipv6: (value: string) => isIPv6(value) && !value.includes("%"),
  int32: number((value) => Number.isInteger(value) && Math.abs(value) <= 2 ** 32 - 1),
  int64: number(Number.isInteger),
  float: number(Number.isFinite),
  double: number(Number.isFinite),
  string: true,
};

const readDescription = (folder: string, file: PublishedFile): Json => {
  let text: string;
  try {
    text = readFileSync(join(folder, file), "utf8");
  } catch {
    throw new Error(
      `The published description ${file} is not in ${folder}. It belongs to its publisher and is not part of this project: put it there, or say in NETWORK_SCHEMAS where it is.`,
    );
  }
  // What YAML shares by aliases, nothing may share afterwards: it is changed place by place.
  const plain: unknown = JSON.parse(JSON.stringify(parse(text, { maxAliasCount: -1 })));
  return repair(file, plain as Json);
};

const pointerOf = (what: string): string =>
  what.startsWith("/") ? what : `/components/schemas/${what}`;

/** `~1` and `~0` stay, what no URI may hold is escaped. */
const fragmentOf = (pointer: string): string =>
  pointer.split("/").map(encodeURIComponent).join("/");

const sentence = ({ instancePath, message, params }: ErrorObject): string =>
  `${instancePath || "/"} ${message ?? "is invalid"}${"allowedValues" in params ? `: ${params.allowedValues.join(", ")}` : ""}`;

class PublishedSchemas implements Schemas {
  readonly #folder: string;
  readonly #descriptions = new Map<PublishedFile, Json>();
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #compilers = new Map<string, Ajv>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  readonly description = (file: PublishedFile): Json => {
    const known = this.#descriptions.get(file);
    if (known !== undefined) return known;
    const read = readDescription(this.#folder, file);
    this.#descriptions.set(file, read);
    return read;
  };

  readonly check = (
    file: PublishedFile,
    what: string,
    value: unknown,
    direction: Direction,
  ): string[] => {
    const validate = this.#validator(file, pointerOf(what), direction);
    return validate(value) ? [] : (validate.errors ?? []).map(sentence);
  };

  #validator(file: PublishedFile, pointer: string, direction: Direction): ValidateFunction {
    const key = `${direction} ${file} ${pointer}`;
    const known = this.#validators.get(key);
    if (known !== undefined) return known;
    if (memberAt(this.description(file), pointer) === undefined) {
      throw new Error(`${file} has nothing at ${pointer}`);
    }
    const id = `published:${file}`;
    const compiled = this.#compiler(file, direction, id).compile({
      $ref: `${id}#${fragmentOf(pointer)}`,
    });
    this.#validators.set(key, compiled);
    return compiled;
  }

  /** A description is compiled by parts, each when it is first asked for. */
  #compiler(file: PublishedFile, direction: Direction, id: string): Ajv {
    const key = `${direction} ${file}`;
    const known = this.#compilers.get(key);
    if (known !== undefined) return known;
    const ajv = new Ajv({ strict: false, allErrors: true, logger: false, formats: FORMATS });
    ajv.addSchema({ ...inDialect(this.description(file), direction), $id: id });
    this.#compilers.set(key, ajv);
    return ajv;
  }
}

/** Reads each description when it is first asked for. Throws then, with what to do, where it is not there. */
export const publishedSchemas = (folder = schemasFolder()): Schemas => new PublishedSchemas(folder);
