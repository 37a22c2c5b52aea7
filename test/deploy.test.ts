import { describe, expect, it } from "vitest";
import { VARIABLES } from "../protocol/config.ts";
import { CHECKS } from "../scripts/deploy-checks.ts";
import {
  addressOf,
  customDomains,
  environmentComplaints,
  movedBelow,
  type Settings,
  settingsIn,
} from "../scripts/deploy-environment.ts";
import type { Deployment } from "../scripts/deployment.ts";

const raw = (files: Record<string, string>): string => Object.values(files)[0] ?? "";
const EXAMPLE = raw(
  import.meta.glob<string>("../.dev.vars.example", {
    query: "?raw",
    import: "default",
    eager: true,
  }),
);
const PACKAGE = raw(
  import.meta.glob<string>("../package.json", { query: "?raw", import: "default", eager: true }),
);

const SETTINGS = {
  name: "duplex",
  main: "src/index.ts",
  compatibility_date: "2026-10-20",
  workers_dev: true,
  vars: {
    ALLOWED_ORIGINS: "https://app.example.com",
    TURN_URLS: "turn:turn.example.com:3478",
  },
  durable_objects: { bindings: [{ name: "SESSIONS", class_name: "SessionObject" }] },
  exports: { SessionObject: {} },
  ratelimits: [{ name: "CONNECTS", namespace_id: "1002" }],
  assets: { directory: "dist/web" },
  analytics_engine_datasets: [{ binding: "METRICS", dataset: "duplex" }],
} satisfies Settings;

const FIT: Deployment = {
  settings: SETTINGS,
  ofEnvironment: [],
  classes: ["SessionObject"],
  formerClasses: ["SessionObject"],
  secrets: { kind: "named", names: ["API_KEYS", "TOKEN_SECRETS", "TURN_SECRETS"] },
  secretsFile: {},
  built: ["index.html", "demo.js", "duplex.js"],
  uncommitted: [],
  wrangler: { installed: "4.155.0", wanted: "4.155.0" },
  today: "2026-11-22",
  inBuilds: false,
};

/** `check: text`, errors with an exclamation mark before them. */
const said = (deployment: Deployment): readonly string[] =>
  CHECKS.flatMap(({ name, run }) =>
    run(deployment).map(({ level, text }) => `${level === "error" ? "!" : ""}${name}: ${text}`),
  );

const withVars = (vars: Record<string, string>): Partial<Deployment> => ({
  settings: { ...SETTINGS, vars: { ...SETTINGS.vars, ...vars } },
});
const withSettings = (settings: Partial<Settings>): Partial<Deployment> => ({
  settings: { ...SETTINGS, ...settings },
});
const named = (...names: string[]): Partial<Deployment> => ({
  secrets: { kind: "named", names },
});
const KEYS = { API_KEYS: "k".repeat(48), TOKEN_SECRETS: "t".repeat(32), TURN_SECRETS: "s" };

/** What is planted, and all that the checklist says of it. */
const PLANTS: readonly (readonly [string, Partial<Deployment>, readonly RegExp[]])[] = [
  ["not logged in", { secrets: { kind: "not-logged-in" } }, [/^!login: .*wrangler login/]],
  [
    "an account that does not answer",
    { secrets: { kind: "refused", why: "code 10000" } },
    [/^!login: .*10000/],
  ],
  ["no API keys", named("TOKEN_SECRETS", "TURN_SECRETS"), [/^!keys: API_KEYS .*--name duplex/]],
  [
    "no token secrets",
    named("API_KEYS", "TURN_SECRETS"),
    [/^!keys: TOKEN_SECRETS .*secret put TOKEN_SECRETS/],
  ],
  [
    "a first deployment without secrets",
    { secrets: { kind: "no-worker" } },
    [/^!keys: API_KEYS/, /^!keys: TOKEN_SECRETS/, /^!values: TURN_SECRETS/],
  ],
  [
    "the same, built by Cloudflare",
    { secrets: { kind: "named", names: ["TURN_SECRETS"] }, inBuilds: true },
    [/^keys: API_KEYS/, /^keys: TOKEN_SECRETS/],
  ],
  [
    "a key that can be guessed",
    { secretsFile: { ...KEYS, API_KEYS: "k" } },
    [/^!key length: API_KEYS/],
  ],
  [
    "dev-key",
    { secretsFile: { ...KEYS, API_KEYS: "dev-key" } },
    [/^!key length/, /^!values: API_KEYS: dev-key/],
  ],
  [
    "a short secret",
    { secretsFile: { ...KEYS, TOKEN_SECRETS: "short" } },
    [/^!values: TOKEN_SECRETS.*32/],
  ],
  ["LOCAL_DEV", withVars({ LOCAL_DEV: "true" }), [/^!values: LOCAL_DEV/]],
  [
    "a secret in wrangler.toml",
    withVars({ TURN_SECRETS: "s" }),
    [/^!secrets: TURN_SECRETS is a secret/, /^!secrets: TURN_SECRETS is set twice/],
  ],
  [
    "the secrets of mobile networks",
    withVars({ ASSISTANCE_NETWORKS: "[]" }),
    [/^!secrets: ASSISTANCE_NETWORKS is a secret/],
  ],
  ["a misspelt variable", withVars({ TURN_URL: "turn:x" }), [/^secrets: TURN_URL is no variable/]],
  ["a wrong value", withVars({ TURN_TTL_SECONDS: "soon" }), [/^!values: TURN_TTL_SECONDS/]],
  [
    "a TURN server without its secret",
    named("API_KEYS", "TOKEN_SECRETS"),
    [/^!values: TURN_SECRETS: needed/],
  ],
  ["no TURN server", withVars({ TURN_URLS: "" }), [/^TURN: NO TURN SERVER.* 15 to 22 of 100/]],
  ["no origins", withVars({ ALLOWED_ORIGINS: "" }), [/^origins: ALLOWED_ORIGINS/]],
  [
    "a webhook without TLS",
    {
      ...withVars({ WEBHOOK_URLS: "http://app.example.com/events" }),
      ...named("API_KEYS", "TOKEN_SECRETS", "TURN_SECRETS", "WEBHOOK_SECRETS"),
    },
    [/^!(webhooks|values): WEBHOOK_URLS: .*https/],
  ],
  ["an unknown jurisdiction", withVars({ DO_JURISDICTION: "mars" }), [/^!values: DO_JURISDICTION/]],
  ["no address", withSettings({ workers_dev: false }), [/^!address: workers_dev/]],
  [
    "a path in a custom domain",
    withSettings({ routes: [{ pattern: "https://a.example/*", custom_domain: true }] }),
    [/^!address: custom domain/],
  ],
  [
    "a class that is not declared",
    { classes: ["SessionObject", "Other"] },
    [/^!classes: Other is exported/],
  ],
  [
    "a class that is not exported",
    withSettings({ exports: { SessionObject: {}, Other: {} } }),
    [/^!classes: Other is declared/, /^!classes: Other has no binding/],
  ],
  [
    "a binding to nothing",
    withSettings({
      durable_objects: {
        bindings: [
          ...SETTINGS.durable_objects.bindings,
          { name: "OTHERS", class_name: "Other" },
          { name: "FOREIGN", class_name: "Foreign", script_name: "elsewhere" },
        ],
      },
    }),
    [/^!classes: Other is bound/],
  ],
  [
    "a class that is gone",
    { formerClasses: ["SessionObject", "Old"] },
    [/^removed classes: Old was a class once/],
  ],
  [
    "a class that is deleted",
    withSettings({ exports: { SessionObject: {}, Old: { state: "deleted" } } }),
    [/^removed classes: Old is deleted.*for ever/],
  ],
  ["no date", withSettings({ compatibility_date: "" }), [/^!compatibility: .*missing/]],
  [
    "a date to come",
    withSettings({ compatibility_date: "2027-01-01" }),
    [/^!compatibility: .*future/],
  ],
  ["an old date", withSettings({ compatibility_date: "2025-01-01" }), [/^compatibility: .*year/]],
  ["no build", { built: ["index.html", "demo.js"] }, [/^!build: dist\/web\/duplex.js/]],
  [
    "another wrangler",
    { wrangler: { installed: "4.1.0", wanted: "4.155.0" } },
    [/^!wrangler: wrangler 4.1.0 .*4.155.0/],
  ],
  ["what is not committed", { uncommitted: ["a.ts", "b.ts"] }, [/^git: 2 files .*a\.ts, b\.ts/]],
  [
    "an environment with bindings of its own",
    { ofEnvironment: environmentComplaints("staging", { durable_objects: {}, vars: {} }) },
    [/^!environment: environments\/staging.toml sets durable_objects/],
  ],
];

describe("the checklist of a deployment", () => {
  it("[M19] has nothing to say of one that is fit", () => {
    expect(said(FIT)).toEqual([]);
    const first: Deployment = { ...FIT, secrets: { kind: "no-worker" }, secretsFile: KEYS };
    expect(said(first)).toEqual([]);
  });

  it.each(PLANTS)("[M19] names %s, and nothing else", (_, plant, expected) => {
    const found = said({ ...FIT, ...plant });
    expect(found).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });

  it("[M19] finds webhooks that nobody signs", () => {
    const hooks = withVars({ WEBHOOK_URLS: "https://app.example.com/events" });
    expect(said({ ...FIT, ...hooks })).toContainEqual(expect.stringMatching(/WEBHOOK_SECRETS/));
  });

  it("[M19] says nothing of a git that is not there but that it is not there", () => {
    const { uncommitted, ...without } = FIT;
    expect(uncommitted).toEqual([]);
    expect(said(without)).toEqual([expect.stringMatching(/^git: no git here/)]);
  });

  it("[M19] does not judge values that it cannot know", () => {
    const { TURN_URLS: _, ...vars } = SETTINGS.vars;
    const secret = named(
      "API_KEYS",
      "TOKEN_SECRETS",
      "TURN_SECRETS",
      "TURN_URLS",
      "TURN_TTL_SECONDS",
    );
    expect(said({ ...FIT, settings: { ...SETTINGS, vars }, ...secret })).toEqual([]);
    const dry: Deployment = {
      ...FIT,
      ...withVars({ TURN_URLS: "", TURN_PROVIDER: "cloudflare", CLOUDFLARE_TURN_KEY_ID: "k" }),
      secrets: { kind: "not-asked" },
    };
    expect(said(dry)).toEqual([]);
  });
});

describe("an environment", () => {
  it("[M19] is wrangler.toml with its own name, variables and counters", () => {
    const staging = settingsIn("staging", SETTINGS, {
      vars: { ALLOWED_ORIGINS: "https://staging.example.com" },
      routes: [{ pattern: "staging.example.com", custom_domain: true }],
    });
    expect(staging).toEqual({
      ...SETTINGS,
      name: "duplex-staging",
      vars: { ...SETTINGS.vars, ALLOWED_ORIGINS: "https://staging.example.com" },
      routes: [{ pattern: "staging.example.com", custom_domain: true }],
      ratelimits: [{ name: "CONNECTS", namespace_id: expect.stringMatching(/^\d+1002$/) }],
      analytics_engine_datasets: [{ binding: "METRICS", dataset: "duplex_staging" }],
    });
    const production = settingsIn("production", SETTINGS, {});
    const counters = [SETTINGS, staging, production].map(
      ({ ratelimits }) => ratelimits?.[0]?.namespace_id,
    );
    expect(new Set(counters).size).toBe(3);
    expect(customDomains(staging)).toEqual(["staging.example.com"]);
    expect(movedBelow(staging, "../../")).toMatchObject({
      main: "../../src/index.ts",
      assets: { directory: "../../dist/web" },
    });
  });

  it("[M19] is found at its domain, or where wrangler says", () => {
    const output =
      "Deployed duplex triggers\n  https://duplex.someone.workers.dev\nCurrent Version";
    expect(addressOf(SETTINGS, output)).toBe("https://duplex.someone.workers.dev/");
    expect(addressOf({ route: { pattern: "a.example", custom_domain: true } }, output)).toBe(
      "https://a.example/",
    );
    expect(addressOf({ routes: ["a.example/*"] }, "")).toBeUndefined();
  });
});

describe("the example of variables", () => {
  const lines = EXAMPLE.split("\n");

  it("[M19] lists every variable once, each with words before it", () => {
    const listed = lines.flatMap((line) => /^(?:# )?([A-Z][A-Z_]+)=/.exec(line)?.[1] ?? []);
    expect(listed.toSorted()).toEqual(VARIABLES.toSorted());
    const isVariable = (line = "") => /^(?:# )?[A-Z][A-Z_]+=/.test(line);
    for (const [index, line] of lines.entries()) {
      if (!isVariable(line)) continue;
      const before = lines.slice(0, index).findLast((one) => !isVariable(one));
      expect(before, line).toMatch(/^# .*[a-z]/);
    }
  });

  it("[M19] leaves to the deploy button exactly what a deployment cannot do without, and describes it", () => {
    const asked = lines.flatMap((line) => /^([A-Z_]+)=$/.exec(line)?.[1] ?? []);
    expect(asked).toEqual(["API_KEYS", "TOKEN_SECRETS"]);
    const { bindings } = JSON.parse(PACKAGE).cloudflare;
    expect(Object.keys(bindings)).toEqual(asked);
  });
});
