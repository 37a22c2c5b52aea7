import { routesOf } from "./deploy-environment.ts";
import {
  keyComplaints,
  lengthComplaints,
  loginComplaints,
  originComplaints,
  placeComplaints,
  turnComplaints,
  valueComplaints,
  webhookComplaints,
} from "./deploy-values.ts";
import { type Check, type Complaint, type Deployment, error, warning } from "./deployment.ts";

function addressComplaints({ settings }: Deployment): readonly Complaint[] {
  const routes = routesOf(settings);
  if (routes.length === 0 && settings.workers_dev === false) {
    return [error("workers_dev is false and there is no route: nobody could reach it")];
  }
  return routes.flatMap((route) => {
    if (typeof route === "string" || route.custom_domain !== true) return [];
    return /^[a-z\d.-]+$/.test(route.pattern)
      ? []
      : [error(`custom domain ${route.pattern}: a host name, without scheme, path or pattern`)];
  });
}

const LIVE = [undefined, "created", "expecting-transfer"];

function classComplaints({ settings, classes }: Deployment): readonly Complaint[] {
  const declared = Object.entries(settings.exports ?? {})
    .filter(([, { state }]) => LIVE.includes(state))
    .map(([name]) => name);
  const bound = (settings.durable_objects?.bindings ?? [])
    .filter(({ script_name }) => script_name === undefined)
    .map(({ class_name }) => class_name);
  const missing = (from: readonly string[], of: readonly string[]) =>
    of.filter((name) => !from.includes(name));
  return [
    ...missing(declared, classes).map((name) =>
      error(
        `${name} is exported by src/index.ts, but not declared in wrangler.toml [exports.${name}]`,
      ),
    ),
    ...missing(classes, declared).map((name) =>
      error(`${name} is declared in wrangler.toml, but not exported by src/index.ts`),
    ),
    ...missing(bound, declared).map((name) => error(`${name} has no binding in wrangler.toml`)),
    ...missing(declared, bound).map((name) => error(`${name} is bound, but not declared`)),
  ];
}

function removalComplaints({ settings, formerClasses }: Deployment): readonly Complaint[] {
  const declared = settings.exports ?? {};
  const deleted = Object.entries(declared).filter(([, { state }]) => state === "deleted");
  return [
    ...formerClasses
      .filter((name) => declared[name] === undefined)
      .map((name) =>
        warning(
          `${name} was a class once and is gone from wrangler.toml: say what becomes of its objects ([exports.${name}] state = "deleted" or "renamed")`,
        ),
      ),
    ...deleted.map(([name]) =>
      warning(
        `${name} is deleted with all that its objects store, for ever; no rollback past this`,
      ),
    ),
  ];
}

const YEAR_DAYS = 365;
const days = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 86_400_000;

function dateComplaints({ settings, today }: Deployment): readonly Complaint[] {
  const date = settings.compatibility_date;
  if (date === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(date)) {
    return [error("compatibility_date is missing in wrangler.toml")];
  }
  if (days(today, date) > 0) return [error(`compatibility_date ${date} lies in the future`)];
  if (days(date, today) <= YEAR_DAYS) return [];
  return [warning(`compatibility_date ${date} is more than a year old`)];
}

const PAGES = ["index.html", "demo.js", "duplex.js"];

const buildComplaints = ({ built }: Deployment): readonly Complaint[] =>
  PAGES.filter((page) => !built.includes(page)).map((page) =>
    error(`dist/web/${page} is missing: npm run build`),
  );

const wranglerComplaints = ({ wrangler }: Deployment): readonly Complaint[] =>
  wrangler.installed === wrangler.wanted
    ? []
    : [
        error(
          `wrangler ${wrangler.installed} is installed, package.json says ${wrangler.wanted}: npm ci`,
        ),
      ];

function gitComplaints({ uncommitted }: Deployment): readonly Complaint[] {
  if (uncommitted === undefined)
    return [warning("no git here: nobody will know what was deployed")];
  if (uncommitted.length === 0) return [];
  const some = uncommitted.slice(0, 3).join(", ");
  return [
    warning(`${uncommitted.length} files are not committed (${some}): nobody can get it again`),
  ];
}

/** In the order in which they are said. */
export const CHECKS: readonly Check[] = [
  { name: "login", run: loginComplaints },
  {
    name: "environment",
    run: ({ ofEnvironment }) => ofEnvironment.map((text) => error(text)),
  },
  { name: "keys", run: keyComplaints },
  { name: "key length", run: lengthComplaints },
  { name: "secrets", run: placeComplaints },
  { name: "values", run: valueComplaints },
  { name: "TURN", run: turnComplaints },
  { name: "origins", run: originComplaints },
  { name: "webhooks", run: webhookComplaints },
  { name: "address", run: addressComplaints },
  { name: "classes", run: classComplaints },
  { name: "removed classes", run: removalComplaints },
  { name: "compatibility", run: dateComplaints },
  { name: "build", run: buildComplaints },
  { name: "wrangler", run: wranglerComplaints },
  { name: "git", run: gitComplaints },
];
