import { type Simulcast, type SimulcastStreams, words } from "../grammar.ts";
import { extensionsOf, listedFormats } from "../inherited.ts";
import {
  at,
  type DescriptionRule,
  eachSaying,
  type Hit,
  NO_HITS,
  own,
  repeated,
  unreadable,
  where,
} from "../rule.ts";
import type { Section } from "../section.ts";

/** All simulcast and rid rules check that the intent is said in full. */
const REQUIREMENTS = ["R12.8-1"];

const ALPHANUMERIC = /^[A-Za-z0-9]+$/;
const RID = /^[A-Za-z0-9_-]+$/;
const RID_EXTENSION = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";

/** One stream of a list or an alternative of it; the characters of a rid are for `rid-id-syntax`. */
const CHOICE = /^~?[^~]+$/;

const isList = (list: string): boolean =>
  list.split(";").every((stream) => stream.split(",").every((choice) => CHOICE.test(choice)));

/** Blanks too many do not count, as in browsers: libwebrtc and Janus end the line with one. */
function isSimulcast(value: string): boolean {
  const [first = "", firstList = "", second, secondList = "", ...more] = words(value);
  if (more.length > 0 || !isDirection(first) || !isList(firstList)) return false;
  return second === undefined || (isDirection(second) && second !== first && isList(secondList));
}

const isDirection = (word: string): boolean => word === "send" || word === "recv";

const ridsOf = (streams: SimulcastStreams): readonly string[] =>
  streams.flatMap((stream) => stream.map(({ rid }) => rid));

const bothLists = ({ send, recv }: Simulcast): readonly string[] => [
  ...ridsOf(send),
  ...ridsOf(recv),
];

const ridHit = (line: number, rid: string): Hit => ({ line, detail: `rid ${rid}` });

/** Says for the rids of a section's simulcast line, each once, what the condition holds for. */
function inSimulcast(
  select: (simulcast: Simulcast, section: Section) => readonly string[],
): DescriptionRule["find"] {
  return eachSaying("simulcast", (section) => {
    const { simulcast } = section;
    if (simulcast === undefined) return NO_HITS;
    return select(simulcast, section).map((rid) => ridHit(simulcast.line, rid));
  });
}

/** Restrictions as they are spelt: a name, or a name and a value with `=` between them. */
const restrictionsOf = (value: string): readonly string[] =>
  words(value).slice(2).join("").split(";");

const PAYLOAD_TYPES = /^pt=(.*)$/;
const NUMERIC = /^max-(?:width|height|fps|fs|br|pps)=(?!\d+$)/;

/** Layers of a stream and their restrictions: `a=rid` and `a=simulcast` (RFC 8851, RFC 8853). */
export const SIMULCAST_RULES: readonly DescriptionRule[] = [
  {
    id: "rid-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8851 s10",
    requirements: REQUIREMENTS,
    condition:
      "an `a=rid` is not an id and `send` or `recv`, with or without restrictions after them",
    message: "a=rid needs an id and the word send or recv, in lower case, before any restriction",
    find: eachSaying("rid", (section) => unreadable(section, "rid")),
  },
  {
    id: "rid-id-syntax",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8851 s10, RFC 8852 s3",
    requirements: REQUIREMENTS,
    condition:
      "a rid has a character other than letters, digits, `-` and `_`; with `-` or `_` it is an info, for the header extension cannot carry them",
    message:
      "use letters and digits only in a rid: Firefox refuses others, and the header extension has no room for them",
    find: eachSaying("rid", ({ rids }) =>
      rids
        .filter(({ id }) => !ALPHANUMERIC.test(id))
        .map(({ id, line }) =>
          RID.test(id) ? { ...ridHit(line, id), level: "info" } : ridHit(line, id),
        ),
    ),
  },
  {
    id: "rid-duplicate",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8851 s4",
    requirements: REQUIREMENTS,
    condition: "two `a=rid` lines of a section have the same id",
    message: "the layer is defined twice; give every a=rid of an m-section an id of its own",
    find: eachSaying("rid", ({ rids }) =>
      repeated(rids, ({ id }) => id).map(({ id, line }) => ridHit(line, id)),
    ),
  },
  {
    id: "rid-pt-unknown",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8851 s6.2.2",
    requirements: REQUIREMENTS,
    condition: "the `pt=` of a rid names a payload type that the m-line does not list",
    message:
      "the layer is tied to a format that its m-section does not have; list it or leave it out",
    find: eachSaying("rid", (section, lines) => {
      const formats = listedFormats(section);
      return lines.flatMap(({ line, value }) =>
        restrictionsOf(value)
          .flatMap((restriction) => PAYLOAD_TYPES.exec(restriction)?.[1]?.split(",") ?? [])
          .filter((format) => !formats.has(format))
          .map((format) => ({ line, detail: `payload type ${format}` })),
      );
    }),
  },
  {
    id: "rid-restriction-value",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8851 s10",
    requirements: REQUIREMENTS,
    condition:
      "the value of max-width, max-height, max-fps, max-fs, max-br or max-pps of a rid is no integer",
    message:
      "this restriction takes a whole number; a receiver drops the rid or the restriction else",
    find: eachSaying("rid", (_section, lines) =>
      where(lines, ({ value }) =>
        restrictionsOf(value).some((restriction) => NUMERIC.test(restriction)),
      ),
    ),
  },
  {
    id: "simulcast-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8853 s5.1",
    requirements: REQUIREMENTS,
    condition:
      "an `a=simulcast` is not `send` or `recv` with a list of rids, and at most one more such list of the other direction",
    message:
      "write a=simulcast:send h;m;l or recv h;m;l: streams with semicolons, alternatives with commas, ~ before those that start paused",
    find: eachSaying("simulcast", (_section, lines) =>
      where(lines, ({ value }) => !isSimulcast(value)),
    ),
  },
  {
    id: "simulcast-repeated",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8853 s5.2",
    requirements: REQUIREMENTS,
    condition: "a section has two `a=simulcast` lines",
    message: "one a=simulcast may say both directions of an m-section; join the lines into one",
    find: eachSaying("simulcast", (_section, [, ...more]) => where(more, () => true)),
  },
  {
    id: "simulcast-session-level",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8853 s5.2",
    requirements: REQUIREMENTS,
    condition: "`a=simulcast` stands before the first m-line",
    message: "a=simulcast has no effect there; put it into the m-section that it is about",
    find: ({ description }) => where(own(description.session, "simulcast"), () => true),
  },
  {
    id: "simulcast-rid-undefined",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8829 s5.8.3, RFC 8853 s5.2",
    requirements: REQUIREMENTS,
    condition: "an `a=simulcast` names a rid that no `a=rid` of its section defines",
    message:
      "Firefox refuses a layer without an a=rid line; add it, or take the layer from a=simulcast",
    find: inSimulcast((simulcast, { rids }) => {
      const known = new Set(rids.map(({ id }) => id));
      return bothLists(simulcast).filter((rid) => !known.has(rid));
    }),
  },
  {
    id: "simulcast-rid-repeated",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8853 s5.2",
    requirements: REQUIREMENTS,
    condition: "an `a=simulcast` names a rid twice",
    message: "a layer stands in one place of a=simulcast only; remove the others",
    find: inSimulcast((simulcast) => repeated(bothLists(simulcast), (rid) => rid)),
  },
  {
    id: "simulcast-rid-direction",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8853 s5.2",
    requirements: REQUIREMENTS,
    condition:
      "an `a=simulcast` names a rid in the list of the other direction than its `a=rid` says",
    message:
      "a=rid and a=simulcast contradict each other on who sends this layer; make both say the same",
    find: inSimulcast(({ send, recv }, { rids }) => {
      const wrong = (streams: SimulcastStreams, direction: "send" | "recv") => {
        const known = new Map(rids.map((rid) => [rid.id, rid.direction]));
        return ridsOf(streams).filter((rid) => known.has(rid) && known.get(rid) !== direction);
      };
      return [...wrong(send, "send"), ...wrong(recv, "recv")];
    }),
  },
  {
    id: "simulcast-no-rid-extension",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8853 s5.5",
    requirements: REQUIREMENTS,
    condition:
      "a section with `a=simulcast` has neither the header extension `sdes:rtp-stream-id` nor any `a=ssrc`",
    message:
      "the receiver cannot tell the layers apart; add the extmap of sdes:rtp-stream-id to this m-section",
    find: eachSaying("simulcast", (section) => {
      const { simulcast, ssrcs } = section;
      if (simulcast === undefined || ssrcs.length > 0) return NO_HITS;
      return extensionsOf(section).has(RID_EXTENSION) ? NO_HITS : [at(section, "simulcast")];
    }),
  },
];
