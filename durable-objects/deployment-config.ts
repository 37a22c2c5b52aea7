import { type Config, readConfig, VARIABLES } from "../protocol/config.ts";

interface Read {
  readonly values: readonly unknown[];
  readonly config: Config;
}

let last: Read | undefined;

/**
 * The configuration of this deployment. Read again only when a variable has another value: objects ask for it in every
 * call. Throws `ConfigError`.
 */
export function deploymentConfig(env: object): Config {
  const values = VARIABLES.map((name) => sameForm(Reflect.get(env, name)));
  if (last?.values.every((value, index) => value === values[index])) return last.config;
  const config = readConfig({ ...env });
  last = { values, config };
  return config;
}

/** Variables of JSON are objects, which may be others each time. */
const sameForm = (value: unknown): unknown =>
  typeof value === "object" ? JSON.stringify(value) : value;
