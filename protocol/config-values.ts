import { z } from "zod";

/** Thrown for a configuration that cannot be; the message names the variable. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Values separated by commas; spaces around them do not count. */
export const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ""),
  );
