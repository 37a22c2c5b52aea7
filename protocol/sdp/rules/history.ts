import type { Continuation } from "../continued.ts";
import type { Description } from "../description.ts";
import type { Before } from "../history.ts";
import { at, carriesMedia, type HistoryRule, NO_HITS } from "../rule.ts";
import type { Section } from "../section.ts";

const sendRids = ({ rids }: Section): string =>
  rids
    .filter(({ direction }) => direction === "send")
    .map(({ id }) => id)
    .toSorted()
    .join(" ");

/** Groups of the pair in force: the answer decides which sections are bundled. */
const bundlesBefore = (before: Before): Description["bundles"] =>
  (before.ownRole === "answer" ? before.own : before.other).bundles;

const NONE: ReadonlySet<string> = new Set();

/** Members of one new group that do not come from the group its first known member was in, and strays. */
function movedMids(subject: Continuation): ReadonlySet<string> {
  const bundles = subject.pair && bundlesBefore(subject.pair);
  // From one group to one group nothing can move.
  if (!bundles || (bundles.length < 2 && subject.description.bundles.length < 2)) return NONE;
  const old = new Map(bundles.flatMap((mids, group) => mids.map((mid) => [mid, group] as const)));
  const homes = new Map<number, number>();
  const moved = new Set<string>();
  subject.description.bundles.forEach((mids, group) => {
    const known = mids.filter((mid) => old.has(mid));
    const [from] = known.map((mid) => old.get(mid));
    for (const mid of known) {
      const home = old.get(mid) as number;
      if (home !== from || (homes.get(home) ?? group) !== group) moved.add(mid);
      homes.set(home, homes.get(home) ?? group);
    }
  });
  return moved;
}

const MOST_OFFERS = 20;

/** What a later description of a connection must keep (RFC 3264 s8, RFC 9429 s5.2.2). */
export const HISTORY_SECTION_RULES: readonly HistoryRule[] = [
  {
    id: "m-line-dropped",
    on: "offer",
    level: "error",
    strict: "error",
    source: "RFC 3264 s8",
    condition: "fewer m-sections than the pair in force has",
    message:
      "m-sections never disappear: keep the section and set its port to 0, as transceiver.stop() does",
    find: (subject) => {
      const before = subject.pair;
      const is = subject.description.sections.length;
      const was = before?.own.sections.length ?? 0;
      return is < was ? [{ detail: `${is} m-sections instead of ${was}` }] : [];
    },
  },
  {
    id: "m-line-type-changed",
    on: "offer",
    level: "error",
    strict: "error",
    source: "RFC 3264 s8",
    condition: "the media of an m-section in use changed",
    message:
      "an m-section in use keeps its place and media; new media get a section of their own at the end",
    find: (subject) =>
      subject.continued
        .filter(({ was, is }) => was.kind !== is.kind)
        .map(({ was, is }) => ({ section: is, detail: `${was.kind} became ${is.kind}` })),
  },
  {
    id: "mid-changed",
    on: "offer",
    level: "error",
    strict: "error",
    source: "RFC 9429 s5.2.2",
    condition: "the mid of an m-section in use changed",
    message:
      "an m-section in use keeps its mid; the other side finds its transceiver by it and refuses the offer",
    find: (subject) =>
      subject.continued
        .filter(({ was, across, is }) => {
          const name = was.mid ?? across?.mid;
          return name !== undefined && is.mid !== undefined && name !== is.mid;
        })
        .map(({ is }) => at(is, "mid")),
  },
  {
    id: "mid-reused",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 9429 s5.2.2",
    condition: "a mid that another m-section of the connection had",
    message: "a mid names one m-section for the life of the connection; take a new one",
    find: (subject) => {
      const before = subject.pair;
      if (!before) return [];
      const known = new Map(subject.past.mids);
      for (const { mid, index } of before.own.sections)
        if (mid !== undefined) known.set(mid, index);
      return subject.description.sections
        .filter(({ mid, index }) => mid !== undefined && (known.get(mid) ?? index) !== index)
        .map((section) => at(section, "mid"));
    },
  },
  {
    id: "rtcp-mux-changed",
    on: "offer",
    level: "error",
    strict: "error",
    source: "RFC 9429 s5.8.3, RFC 5761 s5.1.1",
    requirements: ["R4.5-1"],
    condition: "an m-section that runs with rtcp-mux no longer offers it",
    message: "RTP and RTCP share a port here already; keep a=rtcp-mux in every later description",
    find: (subject) =>
      subject.stillLive
        .filter(
          ({ was, across, is }) =>
            carriesMedia(is) && was.rtcpMux && across?.rtcpMux === true && !is.rtcpMux,
        )
        .map(({ is }) => ({ section: is })),
  },
  {
    id: "bundle-moved",
    on: "offer",
    level: "error",
    strict: "error",
    source: "RFC 9143 s7.5.2",
    requirements: ["R4.4-3"],
    condition: "an m-section in use went from one BUNDLE group to another",
    message: "a bundled m-section stays in its group; stop it and add a new one instead",
    find: (subject) => {
      const moved = movedMids(subject);
      if (moved.size === 0) return NO_HITS;
      return subject.stillLive
        .filter(({ is }) => is.mid !== undefined && moved.has(is.mid))
        .map(({ is }) => at(is, "mid"));
    },
  },
  {
    id: "rid-set-changed",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8851 s6.5, RFC 9429 s5.2.2",
    condition: "the rids that an m-section in use sends changed",
    message: "simulcast layers stay as first negotiated; switch a layer off instead of removing it",
    find: (subject) =>
      subject.stillLive
        .filter(({ was }) => was.rids.length > 0)
        .filter(({ was, is }) => sendRids(was) !== "" && sendRids(was) !== sendRids(is))
        .map(({ is }) => at(is, "rid")),
  },
  {
    id: "renegotiation-rate",
    on: "offer",
    level: "warning",
    strict: "warning",
    source: "Duplex S7",
    condition: `more than ${MOST_OFFERS} offers on a link within a minute`,
    message:
      "every offer costs both ends; gather changes and negotiate once, and look for a loop in negotiationneeded",
    find: ({ offersInMinute }) =>
      offersInMinute > MOST_OFFERS ? [{ detail: `${offersInMinute} offers in a minute` }] : [],
  },
];
