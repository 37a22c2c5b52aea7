/** JSON Schema (draft 2020-12, the part of it that zod writes) as TypeScript types. */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly not?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: boolean | Schema;
  readonly prefixItems?: readonly Schema[];
  readonly minItems?: number;
}

const STEP = "  ";
const PLAIN: Readonly<Record<string, string>> = {
  string: "string",
  number: "number",
  integer: "number",
  boolean: "boolean",
  null: "null",
};

/** A type; one of several parts (`a | b`) needs parentheses where it is a part itself. */
interface Printed {
  readonly text: string;
  readonly parts: boolean;
}

/** A text as JSDoc above something that is indented by `indent`; nothing for no text. */
export const jsDoc = (text: string | undefined, indent = ""): string => {
  if (text === undefined || text === "") return "";
  const lines = text.replaceAll("*/", "*\\/").split("\n");
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join("")}${indent} */\n`;
};

/** `#/$defs/Flow` is `Flow`: named shapes are declared under their names. */
export const nameOf = (ref: string): string => {
  const [, name] = /^#\/\$defs\/([A-Z]\w*)$/.exec(ref) ?? [];
  if (name === undefined) throw new Error(`${ref}: a shape without a name cannot be referred to`);
  return name;
};

const whole = (text: string): Printed => ({ text, parts: false });

/** As it may stand before `[]` or beside an operator. */
const operand = ({ text, parts }: Printed): string => (parts ? `(${text})` : text);

const joined = (types: readonly Printed[], operator: "|" | "&"): Printed => {
  const [first, ...more] = new Map(types.map((type) => [type.text, type])).values();
  if (first === undefined) return whole("never");
  if (more.length === 0) return first;
  return { text: [first, ...more].map(operand).join(` ${operator} `), parts: true };
};

const literals = (values: readonly unknown[]): Printed =>
  joined(
    values.map((value) => whole(JSON.stringify(value))),
    "|",
  );

const printAny = (schema: boolean | Schema, indent: string): Printed => {
  if (typeof schema === "boolean") return whole(schema ? "unknown" : "never");
  return print(schema, indent);
};

const tupleType = ({ prefixItems = [], items = true, minItems = 0 }: Schema, indent: string) => {
  const members = prefixItems.map((item, at) => {
    const type = print(item, indent);
    return at < minItems ? type.text : `${operand(type)}?`;
  });
  if (items !== false) members.push(`...${operand(printAny(items, indent))}[]`);
  return `[${members.join(", ")}]`;
};

const recordType = (schema: Schema, indent: string): string => {
  const { propertyNames, additionalProperties = true, required = [] } = schema;
  const value = printAny(additionalProperties, indent).text;
  const key = propertyNames === undefined ? "string" : print(propertyNames, indent).text;
  const record = `Record<${key}, ${value}>`;
  return propertyNames?.enum === undefined || required.length > 0 ? record : `Partial<${record}>`;
};

const member = (name: string, schema: Schema, required: boolean, indent: string): string => {
  const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
  const { text } = print(schema, indent);
  const optional = text === "unknown" ? text : `${text} | undefined`;
  const declared = required ? `${key}: ${text}` : `${key}?: ${optional}`;
  return `${jsDoc(schema.description, indent)}${indent}${declared};\n`;
};

const objectType = (schema: Schema, indent: string): Printed => {
  const { properties, required = [], additionalProperties = properties === undefined } = schema;
  const names = Object.entries(properties ?? {});
  if (names.length === 0) return whole(recordType({ ...schema, additionalProperties }, indent));
  const inner = indent + STEP;
  const rest = additionalProperties === false ? undefined : printAny(additionalProperties, inner);
  const members = names
    .map(([name, each]) => member(name, each, required.includes(name), inner))
    .join("");
  // An index signature must suit the members beside it; all suit `unknown`.
  const index = rest?.text === "unknown" ? `${inner}[member: string]: unknown;\n` : "";
  const object = whole(`{\n${members}${index}${indent}}`);
  if (rest === undefined || index !== "") return object;
  return joined([object, whole(`Record<string, ${rest.text}>`)], "&");
};

const printNamed = (type: string, schema: Schema, indent: string): Printed => {
  if (type === "object") return objectType(schema, indent);
  if (type === "array") {
    const { prefixItems, items = true } = schema;
    if (prefixItems !== undefined) return whole(tupleType(schema, indent));
    return whole(`${operand(printAny(items, indent))}[]`);
  }
  const plain = PLAIN[type];
  if (plain === undefined) throw new Error(`${type} is no type of JSON Schema`);
  return whole(plain);
};

function print(schema: Schema, indent: string): Printed {
  const { $ref, type, anyOf, oneOf, allOf } = schema;
  if ($ref !== undefined) return whole(nameOf($ref));
  if (schema.const !== undefined) return literals([schema.const]);
  if (schema.enum !== undefined) return literals(schema.enum);
  const each = (schemas: readonly Schema[]) => schemas.map((one) => print(one, indent));
  const either = anyOf ?? oneOf;
  if (either !== undefined) return joined(each(either), "|");
  if (allOf !== undefined) return joined(each(allOf), "&");
  if (schema.not !== undefined) return whole("never");
  if (type === undefined) return whole("unknown");
  const types = typeof type === "string" ? [type] : type;
  return joined(
    types.map((one) => printNamed(one, schema, indent)),
    "|",
  );
}

/** The type of a schema, for a place that is indented by `indent`. */
export const typeText = (schema: Schema, indent = ""): string => print(schema, indent).text;
