import { z } from "zod";
import api from "./realtime-api.json";
import type { BodyCheck } from "./realtime-stand-in.ts";

/** realtime-api.json as zod reads it: Ajv compiles by `eval`, which workerd does not have. */

type Names = Readonly<Record<string, { readonly request?: string; readonly answer?: string }>>;

const operations: Names = api.operations;

const schemas = new Map(
  Object.entries(api.$defs).map(([name, schema]) => [
    name,
    z.fromJSONSchema({ ...(schema as object), $defs: api.$defs } as Parameters<
      typeof z.fromJSONSchema
    >[0]),
  ]),
);

/** What is wrong with a body. */
export const checkBody: BodyCheck = (operation, part, body) => {
  const known = operations[operation];
  if (!known) return ["no such operation"];
  const name = known[part];
  if (name === undefined) return body === undefined ? [] : ["a body where none is"];
  const read = schemas.get(name)?.safeParse(body);
  return read?.success ? [] : [`no ${name}: ${JSON.stringify(read?.error?.issues)}`];
};
