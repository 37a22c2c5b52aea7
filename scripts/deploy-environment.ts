/** A configuration of wrangler, as far as a deployment looks at it. */
export interface Settings {
  readonly name?: string;
  readonly main?: string;
  readonly compatibility_date?: string;
  readonly workers_dev?: boolean;
  readonly route?: Route;
  readonly routes?: readonly Route[];
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly durable_objects?: { readonly bindings?: readonly ObjectBinding[] };
  readonly exports?: Readonly<Record<string, ClassExport>>;
  readonly ratelimits?: readonly RateLimit[];
  readonly analytics_engine_datasets?: readonly Dataset[];
  readonly assets?: { readonly directory?: string };
}

export type Route = string | { readonly pattern: string; readonly custom_domain?: boolean };

interface ObjectBinding {
  readonly name: string;
  readonly class_name: string;
  readonly script_name?: string;
}

/** Without a state, or `created`, a class lives; `deleted` and others say what became of it. */
interface ClassExport {
  readonly state?: string;
}

interface RateLimit {
  readonly name: string;
  readonly namespace_id: string;
}

interface Dataset {
  readonly binding: string;
  readonly dataset?: string;
}

/** What an environment may not set: code, classes and bindings are those of wrangler.toml, everywhere. */
const SHARED = [
  "main",
  "durable_objects",
  "exports",
  "migrations",
  "ratelimits",
  "assets",
  "analytics_engine_datasets",
  "env",
];

/** What is wrong with the file of an environment. */
export const environmentComplaints = (environment: string, own: Settings): readonly string[] =>
  Object.keys(own)
    .filter((key) => SHARED.includes(key))
    .map((key) => `environments/${environment}.toml sets ${key}, which is that of wrangler.toml`);

const ROOM_FOR_NAMESPACES = 10_000;

/** Counters of rates belong to the account: two Workers that name the same one share it. */
const ownNamespaces = (environment: string): number =>
  [...environment].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 99_991, 1) *
  ROOM_FOR_NAMESPACES;

/**
 * The configuration of an environment: that of wrangler.toml with what the environment's own file says instead; `vars` of
 * both are joined. The sections `[env.*]` of wrangler would have to repeat every binding, because it inherits none.
 */
export function settingsIn(environment: string, shared: Settings, own: Settings): Settings {
  const namespaces = ownNamespaces(environment);
  return {
    ...shared,
    name: `${shared.name ?? "duplex"}-${environment}`,
    ...own,
    vars: { ...shared.vars, ...own.vars },
    ...(shared.ratelimits && {
      ratelimits: shared.ratelimits.map((limit) => ({
        ...limit,
        namespace_id: String(namespaces + Number(limit.namespace_id)),
      })),
    }),
    // Figures of a trial are not to be found among those of the others.
    ...(shared.analytics_engine_datasets && {
      analytics_engine_datasets: shared.analytics_engine_datasets.map((one) => ({
        ...one,
        dataset: `${one.dataset ?? one.binding}_${environment.replaceAll("-", "_")}`,
      })),
    }),
  };
}

/** The same configuration for a file in another folder: paths in it are relative to the file. */
export const movedBelow = (settings: Settings, toRoot: string): Settings => ({
  ...settings,
  ...(settings.main !== undefined && { main: toRoot + settings.main }),
  ...(settings.assets?.directory !== undefined && {
    assets: { ...settings.assets, directory: toRoot + settings.assets.directory },
  }),
});

export const routesOf = (settings: Settings): readonly Route[] => [
  ...(settings.route === undefined ? [] : [settings.route]),
  ...(settings.routes ?? []),
];

/** Host names that are the Worker's own. */
export const customDomains = (settings: Settings): readonly string[] =>
  routesOf(settings).flatMap((route) =>
    typeof route !== "string" && route.custom_domain === true ? [route.pattern] : [],
  );

/** Where a deployment is to be found, from its configuration or else from what wrangler said of it. */
export function addressOf(settings: Settings, output: string): string | undefined {
  const [domain] = customDomains(settings);
  if (domain !== undefined) return `https://${domain}/`;
  const named = /https:\/\/[\w.-]+\.workers\.dev/.exec(output)?.[0];
  return named === undefined ? undefined : `${named}/`;
}
