import { parseArgs } from "node:util";
import { CHECK_IDS, type CheckId } from "./catalogue.ts";
import { PLANTS } from "./plants.ts";

export interface Options {
  /** Where the media server takes invitations. */
  readonly url: string;
  readonly secret: string | undefined;
  /** A Duplex server that runs already, and an API key of it. */
  readonly duplex: { readonly url: string; readonly key: string } | undefined;
  /** The address of this machine at which the media server finds the kit's proxy. */
  readonly host: string;
  readonly quick: boolean;
  readonly json: boolean;
  /** The process to end at the end. */
  readonly pid: number | undefined;
  readonly plants: readonly string[];
  /** Only what is needed for these checks. */
  readonly only: readonly CheckId[] | undefined;
}

export const USAGE = `npm run media-server-kit -- URL [options]
  URL              where the media server takes invitations (POST)
  --secret TEXT    what it demands: Authorization: Bearer TEXT
  --duplex URL     a Duplex server that runs already, with --key KEY; else one is started
  --host ADDRESS   of this machine, as the media server sees it (127.0.0.1)
  --pid NUMBER     of the media server here: SIGTERM at the end, and \`drain\` is expected
  --only ID,...    only what these checks need; --list names them all
  --quick          leaves out what takes long
  --json           for programs`;

/** Wrong arguments, in words for whoever gave them. */
export class Misuse extends Error {}

const names = (text: string | undefined): readonly string[] =>
  (text ?? "").split(",").filter((name) => name !== "");

const isCheckId = (name: string): name is CheckId => CHECK_IDS.some((id) => id === name);

function readChecks(text: string | undefined): readonly CheckId[] | undefined {
  const wanted = names(text);
  const unknown = wanted.filter((name) => !isCheckId(name));
  if (unknown.length > 0) throw new Misuse(`--only: no check ${unknown.join(", ")}`);
  return wanted.length === 0 ? undefined : wanted.filter(isCheckId);
}

function readPlants(text: string | undefined): readonly string[] {
  const wanted = names(text);
  const unknown = wanted.filter((name) => PLANTS[name] === undefined);
  if (unknown.length > 0) throw new Misuse(`--plant: no plant ${unknown.join(", ")}`);
  return wanted;
}

function readPid(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid < 2) throw new Misuse(`--pid: ${text} is no process`);
  return pid;
}

export function readOptions(args: readonly string[]): Options | "list" {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      secret: { type: "string" },
      duplex: { type: "string" },
      key: { type: "string" },
      host: { type: "string" },
      pid: { type: "string" },
      only: { type: "string" },
      plant: { type: "string" },
      quick: { type: "boolean" },
      json: { type: "boolean" },
      list: { type: "boolean" },
    },
  });
  if (values.list) return "list";
  const [url, ...more] = positionals;
  if (url === undefined || more.length > 0) throw new Misuse("One URL is needed.");
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new Misuse(`${url} is no http URL.`);
  const { duplex, key } = values;
  if ((duplex === undefined) !== (key === undefined)) {
    throw new Misuse("--duplex and --key go together.");
  }
  if (duplex !== undefined && !URL.canParse(duplex))
    throw new Misuse(`--duplex: ${duplex} is no URL`);
  return {
    url,
    secret: values.secret,
    duplex:
      duplex === undefined || key === undefined
        ? undefined
        : { url: duplex.endsWith("/") ? duplex : `${duplex}/`, key },
    host: values.host ?? "127.0.0.1",
    quick: values.quick === true,
    json: values.json === true,
    pid: readPid(values.pid),
    plants: readPlants(values.plant),
    only: readChecks(values.only),
  };
}
