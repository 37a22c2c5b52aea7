import { type Config, readConfig, VARIABLES } from "../protocol/config.ts";
import { ConfigError } from "../protocol/config-values.ts";
import { type Complaint, type Deployment, error, warning } from "./deployment.ts";

/** Variables that are secrets: not in wrangler.toml, where whoever reads the repository reads them. */
const SECRET_VARIABLES = VARIABLES.filter((name) =>
  /KEYS$|SECRETS?$|TOKEN$|^ASSISTANCE_NETWORKS$/.test(name),
);

const SHORTEST_KEY = 16;

/** Values that pass as themselves, for secrets of which only the name is known. */
const STAND_INS: Readonly<Record<string, string>> = {
  ALLOWED_ORIGINS: "https://app.example",
  STUN_URLS: "stun:stun.example:3478",
  TURN_URLS: "turn:turn.example:3478",
  WEBHOOK_URLS: "https://app.example/events",
  ASSISTANCE_NETWORKS: "[]",
  ASSISTANCE_NOTIFY_URL: "https://signal.example",
  WEBHOOK_SECRETS: `whsec_${"A".repeat(32)}`,
};
const standIn = (name: string): string => STAND_INS[name] ?? "x".repeat(32);

/** The secret that each of these cannot do without. */
const COMPANIONS: readonly (readonly [name: string, value: RegExp, secret: string])[] = [
  ["TURN_URLS", /./, "TURN_SECRETS"],
  ["TURN_PROVIDER", /^cloudflare$/, "CLOUDFLARE_TURN_API_TOKEN"],
  ["MEDIA_BACKEND", /^cloudflare$/, "CLOUDFLARE_SFU_APP_SECRET"],
  ["WEBHOOK_URLS", /./, "WEBHOOK_SECRETS"],
];

/** Values that are known: those of wrangler.toml and of the secrets file. */
const knownValues = ({ settings, secretsFile }: Deployment): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    Object.entries(settings.vars ?? {}).map(([name, value]) => [name, String(value)]),
  ),
  ...secretsFile,
});

/** Names that are set and whose values nobody can ask for. */
const unknownValues = (deployment: Deployment): readonly string[] => {
  const known = knownValues(deployment);
  const { secrets } = deployment;
  if (secrets.kind === "named") return secrets.names.filter((name) => known[name] === undefined);
  if (secrets.kind === "no-worker") return [];
  // Nobody was asked: what needs a secret is taken to have it.
  return COMPANIONS.filter(([name, value]) => value.test(known[name] ?? "")).flatMap(
    ([, , secret]) => (known[secret] === undefined ? [secret] : []),
  );
};

/** The configuration as the Worker will read it; absent where what is known does not decide that. */
function configOf(deployment: Deployment): Config | ConfigError | undefined {
  const unknown = unknownValues(deployment);
  const stands = Object.fromEntries(unknown.map((name) => [name, standIn(name)]));
  try {
    return readConfig({ ...stands, ...knownValues(deployment) });
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    return unknown.some((name) => thrown.message.startsWith(`${name}:`)) ? undefined : thrown;
  }
}

const withConfig = (
  deployment: Deployment,
  judge: (config: Config) => readonly Complaint[],
): readonly Complaint[] => {
  const config = configOf(deployment);
  return config === undefined || config instanceof ConfigError ? [] : judge(config);
};

const HOW_TO_LOG_IN = "run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN";

export function loginComplaints({ secrets }: Deployment): readonly Complaint[] {
  if (secrets.kind === "not-logged-in") return [error(`not logged in: ${HOW_TO_LOG_IN}`)];
  if (secrets.kind === "refused") return [error(`Cloudflare would not say: ${secrets.why}`)];
  return [];
}

export function keyComplaints(deployment: Deployment): readonly Complaint[] {
  const { secrets, secretsFile, settings, inBuilds } = deployment;
  if (secrets.kind !== "named" && secrets.kind !== "no-worker") return [];
  const set = [...Object.keys(secretsFile), ...(secrets.kind === "named" ? secrets.names : [])];
  const how = `\`npx wrangler secret put NAME --name ${settings.name}\``;
  return ["API_KEYS", "TOKEN_SECRETS"]
    .filter((name) => !set.includes(name))
    .map((name) => {
      const text = `${name} is not set, so that no session will start: ${how.replace("NAME", name)}, or --secrets-file`;
      return inBuilds ? warning(text) : error(text);
    });
}

/** A key that somebody could guess is as good as none. */
export const lengthComplaints = ({ secretsFile }: Deployment): readonly Complaint[] =>
  (secretsFile.API_KEYS ?? "")
    .split(",")
    .map((key) => key.trim())
    .filter((key) => key !== "" && key.length < SHORTEST_KEY)
    .map(() =>
      error(`API_KEYS: keys of at least ${SHORTEST_KEY} characters (openssl rand -hex 24)`),
    );

export function placeComplaints({
  settings,
  secretsFile,
  secrets,
}: Deployment): readonly Complaint[] {
  const vars = Object.keys(settings.vars ?? {});
  const named = secrets.kind === "named" ? secrets.names : [];
  const unknown = [...vars, ...Object.keys(secretsFile)].filter(
    (name) => !VARIABLES.includes(name),
  );
  return [
    ...vars
      .filter((name) => SECRET_VARIABLES.includes(name))
      .map((name) =>
        error(`${name} is a secret, but stands in [vars]: \`npx wrangler secret put\``),
      ),
    ...vars
      .filter((name) => named.includes(name) || name in secretsFile)
      .map((name) => error(`${name} is set twice, in [vars] and as a secret: take one away`)),
    ...unknown.map((name) =>
      warning(`${name} is no variable of Duplex: .dev.vars.example has all`),
    ),
  ];
}

export function valueComplaints(deployment: Deployment): readonly Complaint[] {
  const { LOCAL_DEV } = knownValues(deployment);
  if (LOCAL_DEV === "true") {
    return [error("LOCAL_DEV: true makes dev-key valid for everybody; take it away")];
  }
  const config = configOf(deployment);
  return config instanceof ConfigError ? [error(config.message)] : [];
}

export const turnComplaints = (deployment: Deployment): readonly Complaint[] =>
  withConfig(deployment, ({ turn }) =>
    turn.provider === "none"
      ? [
          warning(
            "NO TURN SERVER: in published measurements 15 to 22 of 100 calls need one, and will fail; TURN_PROVIDER=cloudflare or TURN_URLS (docs/operating.md#turn)",
          ),
        ]
      : [],
  );

export const originComplaints = (deployment: Deployment): readonly Complaint[] =>
  withConfig(deployment, ({ allowedOrigins }) =>
    allowedOrigins.length === 0
      ? [warning("ALLOWED_ORIGINS is not set: pages of every origin may call with a token")]
      : [],
  );

const entries = (list: string | undefined): readonly string[] =>
  (list ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");

export const webhookComplaints = (deployment: Deployment): readonly Complaint[] =>
  withConfig(deployment, () => {
    const known = knownValues(deployment);
    const hooks = entries(known.WEBHOOK_URLS);
    const isSigned =
      entries(known.WEBHOOK_SECRETS).length > 0 ||
      unknownValues(deployment).includes("WEBHOOK_SECRETS");
    const unsigned = "WEBHOOK_SECRETS: not set, so that receivers could not tell who sent an event";
    return [
      ...hooks
        .filter((url) => !/^https:\/\/[^\s/]+/.test(url))
        .map((url) => error(`WEBHOOK_URLS: ${url} is not https`)),
      ...(hooks.length > 0 && !isSigned ? [error(unsigned)] : []),
    ];
  });
