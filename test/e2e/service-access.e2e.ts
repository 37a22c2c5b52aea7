import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { describe, expect, inject, it } from "vitest";
import { parse } from "yaml";

/** Service Access Information against the file that 3GPP publishes. */

const FILE = fileURLToPath(
  new URL("../../../shared/openapi/rtc-af-session-handling.yaml", import.meta.url),
);
const PATH = "3gpp-maf-session-handling/v1/service-access-information/service-7";
const SCHEMA = "/components/schemas/ServiceAccessInformationResource";

/** JSON Schema as OpenAPI 3.0 has it: `nullable`, and exclusive limits that are booleans. */
function adapted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(adapted);
  if (typeof value !== "object" || value === null) return value;
  const {
    exclusiveMinimum,
    exclusiveMaximum,
    nullable: _,
    ...rest
  } = value as Record<string, unknown>;
  const limits = {
    ...(typeof exclusiveMinimum === "number" && { exclusiveMinimum }),
    ...(typeof exclusiveMaximum === "number" && { exclusiveMaximum }),
  };
  return Object.fromEntries(
    Object.entries({ ...rest, ...limits }).map(([name, each]) => [name, adapted(each)]),
  );
}

describe("Service Access Information", () => {
  // The file is 3GPP's and not in this repository: without it beside the clone there is nothing to compare with.
  it.skipIf(!existsSync(FILE))(
    "[M9] is valid by the published schema, with and without credentials",
    async () => {
      const ajv = new Ajv({
        strict: false,
        allErrors: true,
        logger: false,
        validateFormats: false,
      });
      ajv.addSchema({ ...(adapted(parse(readFileSync(FILE, "utf8"))) as object), $id: "file:af" });
      const validate = ajv.compile({ $ref: `file:af#${SCHEMA}` });
      const baseUrl = inject("baseUrl");
      for (const headers of [{}, { authorization: "Bearer dev-key" }] as Record<string, string>[]) {
        const answer = await (await fetch(new URL(PATH, baseUrl), { headers })).json();
        expect([validate(answer), validate.errors]).toEqual([true, null]);
        // What nothing could fail proves nothing.
        expect(validate({ ...(answer as object), provisioningSessionId: 7 })).toBe(false);
        const { rtcClientConfiguration } = answer as {
          rtcClientConfiguration: { turnEndpoints: { credentials?: object }[] };
        };
        const { turnEndpoints } = rtcClientConfiguration;
        expect(turnEndpoints.every(({ credentials }) => credentials !== undefined)).toBe(
          headers.authorization !== undefined,
        );
        const bad = [{ domainName: "", portNumbers: ["x"] }];
        expect(
          validate({ ...(answer as object), rtcClientConfiguration: { swapEndpoints: bad } }),
        ).toBe(false);
      }
    },
  );
});
