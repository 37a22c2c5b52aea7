import { type Json, memberAt } from "../../network-mock/dialect.ts";

/** Members that a published schema does not know: JSON Schema takes any, and a misspelt one would never be missed. */

type Schema = { readonly [name: string]: unknown };

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The schema with all that it refers to and is made of. */
function partsOf(description: Json, schema: unknown): Schema[] {
  if (!isObject(schema)) return [];
  const { $ref, allOf = [], anyOf = [], oneOf = [] } = schema;
  const referred =
    typeof $ref === "string" ? partsOf(description, memberAt(description, $ref.slice(1))) : [];
  const made = [allOf, anyOf, oneOf].flat().flatMap((part) => partsOf(description, part));
  return [schema, ...referred, ...made];
}

/** Where they are in a value, as paths. */
export function unknownMembers(
  description: Json,
  schema: unknown,
  value: unknown,
  path = "",
): string[] {
  const parts = partsOf(description, schema);
  if (Array.isArray(value)) {
    const items = { anyOf: parts.flatMap((part) => part.items ?? []) };
    return value.flatMap((each, index) =>
      unknownMembers(description, items, each, `${path}/${index}`),
    );
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const known = parts.flatMap(({ properties, additionalProperties }) => {
      const own = isObject(properties) ? properties[name] : undefined;
      return own ?? (isObject(additionalProperties) ? additionalProperties : []);
    });
    const here = `${path}/${name}`;
    return known.length === 0
      ? [here]
      : unknownMembers(description, { anyOf: known }, member, here);
  });
}
