// OpenAPI 3.0's own dialect of JSON Schema, said in JSON Schema.

export interface Json {
  [name: string]: unknown;
}

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const unescapeSegment = (segment: string): string =>
  segment.replaceAll("~1", "/").replaceAll("~0", "~");

/** What a JSON pointer (RFC 6901) leads to; undefined: nothing. */
export const memberAt = (root: unknown, pointer: string): unknown =>
  pointer
    .split("/")
    .slice(1)
    .map(unescapeSegment)
    .reduce<unknown>(
      (at, name) => (isJson(at) && Object.hasOwn(at, name) ? at[name] : undefined),
      root,
    );

/** Puts a value where a JSON pointer leads; what it leads through has to be there. */
export const putAt = (root: Json, pointer: string, value: unknown): void => {
  const cut = pointer.lastIndexOf("/");
  const parent = memberAt(root, pointer.slice(0, cut));
  if (!isJson(parent)) throw new Error(`nothing to put ${pointer} into`);
  parent[unescapeSegment(pointer.slice(cut + 1))] = value;
};

/** `exclusiveMinimum: true` beside `minimum` became a number of its own in JSON Schema. */
const mendBound = (schema: Json, exclusive: string, bound: string): void => {
  const flag = schema[exclusive];
  if (typeof flag !== "boolean") return;
  delete schema[exclusive];
  if (!flag) return;
  schema[exclusive] = schema[bound];
  delete schema[bound];
};

/** `nullable` widens `type` where there is one, and says nothing elsewhere (OpenAPI 3.0.3). */
const mendNullable = (schema: Json): void => {
  if (typeof schema.nullable !== "boolean") return;
  if (schema.nullable && typeof schema.type === "string") schema.type = [schema.type, "null"];
  delete schema.nullable;
};

const dropRequired = (schema: Json, flag: "readOnly" | "writeOnly"): void => {
  const { required, properties } = schema;
  if (!Array.isArray(required) || !isJson(properties)) return;
  schema.required = required.filter((name) => {
    const property = properties[name];
    return !isJson(property) || property[flag] !== true;
  });
};

const mend = (schema: Json, flag: "readOnly" | "writeOnly"): void => {
  dropRequired(schema, flag);
  mendNullable(schema);
  mendBound(schema, "exclusiveMinimum", "minimum");
  mendBound(schema, "exclusiveMaximum", "maximum");
};

/** Beside a reference nothing counts (OpenAPI 3.0.3, Reference Object). */
const onlyReference = (schema: Json): void => {
  for (const name of Object.keys(schema)) if (name !== "$ref") delete schema[name];
};

const isReference = (value: Json): boolean => typeof value.$ref === "string";

/** From above: a reference still has its flags when the object that requires it is looked at. */
const mendAll = (value: unknown, flag: "readOnly" | "writeOnly"): void => {
  if (Array.isArray(value)) {
    for (const item of value) mendAll(item, flag);
    return;
  }
  if (!isJson(value)) return;
  mend(value, flag);
  for (const [name, member] of Object.entries(value)) {
    if (name !== "example" && name !== "examples") mendAll(member, flag);
  }
  if (isReference(value)) onlyReference(value);
};

const SCHEMAS = "#/components/schemas/";

interface Discriminator {
  readonly propertyName: string;
  readonly mapping: Readonly<Record<string, string>>;
}

const discriminatorOf = (schema: unknown): Discriminator | undefined => {
  if (!isJson(schema) || "oneOf" in schema || "anyOf" in schema) return undefined;
  const { discriminator } = schema;
  if (!isJson(discriminator)) return undefined;
  const { propertyName, mapping } = discriminator;
  return typeof propertyName === "string" && isJson(mapping)
    ? { propertyName, mapping: mapping as Record<string, string> }
    : undefined;
};

/** A subtype builds on the base alone: what the base says of its subtypes would lead back to it. */
const buildOn = (subtype: unknown, from: string, to: string): void => {
  if (!isJson(subtype) || !Array.isArray(subtype.allOf)) return;
  for (const part of subtype.allOf) if (isJson(part) && part.$ref === from) part.$ref = to;
};

/** A base type whose discriminator names its subtypes: a value has to fit the subtype that it names. */
const spellDiscriminators = (schemas: Json): void => {
  for (const [name, schema] of Object.entries(schemas)) {
    const discriminator = discriminatorOf(schema);
    if (discriminator === undefined) continue;
    const { propertyName, mapping } = discriminator;
    const base = `${name}.base`;
    schemas[base] = schema;
    for (const target of Object.values(mapping)) {
      buildOn(schemas[target.slice(SCHEMAS.length)], SCHEMAS + name, SCHEMAS + base);
    }
    const subtypes = Object.entries(mapping).map(([value, target]) => ({
      if: { required: [propertyName], properties: { [propertyName]: { const: value } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { $ref: target },
    }));
    schemas[name] = { allOf: [{ $ref: SCHEMAS + base }, ...subtypes] };
  }
};

/** A copy of an OpenAPI 3.0 description whose schemas mean in JSON Schema what they mean there. */
export const inDialect = (description: Json, direction: "request" | "answer"): Json => {
  const copy = structuredClone(description);
  mendAll(copy, direction === "request" ? "readOnly" : "writeOnly");
  const { components } = copy;
  if (isJson(components) && isJson(components.schemas)) spellDiscriminators(components.schemas);
  return copy;
};
