// JSON Merge Patch (RFC 7396).
import { isJson, type Json } from "./dialect.ts";

/** What comes of a patch; null takes a member away. */
export const mergePatch = (target: unknown, patch: Json): Json => {
  const merged: Json = isJson(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = isJson(value) ? mergePatch(merged[name], value) : value;
  }
  return merged;
};
