import { words } from "../grammar.ts";
import { once } from "../notes.ts";
import {
  carriesMedia,
  type DescriptionRule,
  eachSaying,
  eachSection,
  NO_HITS,
  own,
  unreadable,
  where,
} from "../rule.ts";
import type { Lined, Section } from "../section.ts";

/** SSRCs below it are rarely drawn at random: one of 65 536 is. */
const LOW_SSRC = 65_536;

const GROUP_SEMANTICS = new Set(["FID", "FEC", "FEC-FR", "SIM", "DUP"]);

/** Mids of the time before the unified plan, when one section carried all tracks of a kind. */
const PLAN_B_MIDS = new Set(["audio", "video", "data"]);

/** True for the sections whose owner sends media. */
export function sendsMedia(section: Pick<Section, "kind" | "direction">): boolean {
  const { direction } = section;
  return carriesMedia(section) && (direction === "sendrecv" || direction === "sendonly");
}

/** A group as it is spelt: what its reader leaves out must be counted as well. */
interface SpeltGroup {
  readonly semantics: string;
  readonly members: readonly string[];
}

const groupsOf = once((section: Section): readonly Lined<SpeltGroup>[] =>
  own(section, "ssrc-group").map(({ line, value }) => {
    const [semantics = "", ...members] = words(value);
    return { line, semantics, members };
  }),
);

/** Hits for the groups that the condition holds for. */
const eachGroup = (condition: (group: SpeltGroup) => boolean): DescriptionRule["find"] =>
  eachSaying("ssrc-group", (section) => where(groupsOf(section), condition));

/** The same for sources. */
const eachSource = (
  condition: (source: Section["ssrcs"][number]) => boolean,
): DescriptionRule["find"] => eachSaying("ssrc", ({ ssrcs }) => where(ssrcs, condition, named));

const isSsrc = (word: string): boolean => /^\d{1,10}$/.test(word) && Number(word) <= 0xffff_ffff;

const named = ({ ssrc }: { readonly ssrc: number }): string => `ssrc ${ssrc}`;

/** Line of the first source of a second track, when a section has several tracks; the unified plan has one. */
export function secondTrack(section: Section): number | undefined {
  let first: string | undefined;
  const isOther = (track: string | undefined): boolean => {
    first ??= track;
    return track !== undefined && track !== first;
  };
  const source = section.ssrcs.find(({ msid }) => isOther(msid?.track));
  if (source || !PLAN_B_MIDS.has(section.mid ?? "")) return source?.line;
  return section.msids.find(({ track }) => isOther(track))?.line;
}

/** RTP sources that a section announces and how they belong together (RFC 5576). */
export const SOURCE_RULES: readonly DescriptionRule[] = [
  {
    id: "ssrc-range",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 5576 s4.1",
    requirements: ["R4.8-1"],
    condition:
      "an `a=ssrc` does not begin with a number from 0 to 4294967295 and an attribute, or an `a=ssrc-group` lists something else than such numbers",
    message:
      "an SSRC is a 32-bit number, and a=ssrc needs an attribute after it; browsers refuse the description otherwise",
    find: eachSection((section) => {
      const odd = where(groupsOf(section), ({ members }) => !members.every(isSsrc));
      return section.unreadable.length === 0 ? odd : [...unreadable(section, "ssrc"), ...odd];
    }),
  },
  {
    id: "ssrc-low-value",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8834 s4.8",
    requirements: ["R4.1-6", "R4.8-6"],
    condition: "an SSRC is below 65536",
    message:
      "so small an SSRC looks chosen by hand; draw it at random from all 32 bits, or two sources will collide",
    find: eachSource(({ ssrc }) => ssrc < LOW_SSRC),
  },
  {
    id: "ssrc-no-cname",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 5576 s4.1",
    requirements: ["R4.8-1"],
    condition: "a source has no `cname` among its `a=ssrc` lines",
    message:
      "the receiver cannot tell which streams to synchronise; add an a=ssrc line with the cname of this source",
    find: eachSource(({ cname }) => cname === undefined),
  },
  {
    id: "ssrc-group-dangling",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 5576 s4.2",
    requirements: ["R6.1-4"],
    condition: "an `a=ssrc-group` lists an SSRC that no `a=ssrc` of the section announces",
    message:
      "the group names a source that its section does not have; remove the group or add its a=ssrc lines",
    find: eachSaying("ssrc-group", ({ ssrcs, ssrcGroups }) => {
      const announced = new Set(ssrcs.map(({ ssrc }) => ssrc));
      return ssrcGroups.flatMap((group) =>
        group.ssrcs
          .filter((ssrc) => !announced.has(ssrc))
          .map((ssrc) => ({ line: group.line, detail: named({ ssrc }) })),
      );
    }),
  },
  {
    id: "ssrc-group-fid-size",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 5576 s4.2, RFC 4588 s8.1",
    requirements: ["R6.1-4"],
    condition: "an `a=ssrc-group:FID` does not list exactly two SSRCs",
    message:
      "a FID group joins one stream and its retransmission; give each pair a group of its own",
    find: eachGroup(
      ({ semantics, members }) => semantics === "FID" && members.length > 0 && members.length !== 2,
    ),
  },
  {
    id: "ssrc-group-empty",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 5576 s4.2",
    requirements: ["R6.1-4"],
    condition: "an `a=ssrc-group` lists no SSRC",
    message: "a group without sources says nothing; list its SSRCs or remove it",
    find: eachGroup(({ members }) => members.length === 0),
  },
  {
    id: "ssrc-group-unknown",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 5576 s4.2",
    requirements: ["R6.1-4"],
    condition: "the semantics of an `a=ssrc-group` are not FID, FEC, FEC-FR, SIM or DUP",
    message:
      "receivers ignore a group whose semantics they do not know; check the spelling, upper case counts",
    find: eachGroup(({ semantics }) => semantics !== "" && !GROUP_SEMANTICS.has(semantics)),
  },
  {
    id: "ssrc-group-sim-legacy",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8853 s5.1",
    requirements: ["R6.1-4"],
    condition: "an `a=ssrc-group` has the semantics SIM",
    message:
      "simulcast by SSRC group is a dialect that not every peer understands; use a=rid and a=simulcast (sendEncodings)",
    find: eachGroup(({ semantics }) => semantics === "SIM"),
  },
  {
    id: "plan-b-suspected",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8829 s5.2.1",
    condition:
      "the `a=ssrc` lines of a section name several tracks, or a section with the mid audio, video or data names several in any way",
    message:
      "several tracks in one m-section are Plan B, which current peers no longer read; give each track an m-section of its own",
    find: eachSection((section) => {
      const line = secondTrack(section);
      return line === undefined ? NO_HITS : [{ line }];
    }),
  },
  {
    id: "ssrc-while-not-sending",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 3264 s5.1, RFC 5576 s4.1",
    condition: "a section that is `recvonly` or `inactive` has `a=ssrc` lines",
    message:
      "this source only sends receiver reports: the section sends no media, so expect no stream from it",
    find: eachSaying("ssrc", ({ direction, ssrcs }) =>
      where(ssrcs.slice(0, 1), () => direction === "recvonly" || direction === "inactive"),
    ),
  },
  {
    id: "ssrc-not-signalled",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8834 s4.8",
    requirements: ["R4.8-4"],
    condition: "a section that sends media has no `a=ssrc`",
    message:
      "the sources are known only when media arrives; that is allowed and usual for simulcast, receivers map them by mid and rid",
    find: eachSection((section) =>
      sendsMedia(section) && !section.attributes.has("ssrc") ? [{}] : NO_HITS,
    ),
  },
];
