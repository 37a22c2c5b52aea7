import { exceedsBytes } from "../../utf8.ts";
import type { Group } from "../grammar.ts";
import {
  at,
  type DescriptionRule,
  eachSaying,
  eachSection,
  type Hit,
  NO_HITS,
  own,
  repeated,
  where,
} from "../rule.ts";
import type { Lined, Section } from "../section.ts";

/** Characters of a token (RFC 8866 s9). */
const TOKEN = "[\\w!#$%&'*+.^`{|}~-]+";
const MID = new RegExp(`^${TOKEN}$`);
const GROUP = new RegExp(`^${TOKEN}(?: +${TOKEN})*$`);

/** Longest identification that a one-byte header extension carries. */
const LONGEST_MID_BYTES = 16;
/** No counter or index is that long. */
const TELLING_MID_LENGTH = 24;

/** A hit at the section's mid when the condition holds for it. */
const ofMid = (condition: (mid: string) => boolean): DescriptionRule["find"] =>
  eachSection((section) =>
    section.mid !== undefined && condition(section.mid) ? [at(section, "mid")] : NO_HITS,
  );

/** What a bundle-only section must leave to the tagged one. */
const TRANSPORT_ATTRIBUTES = ["ice-ufrag", "candidate", "fingerprint"];

/** Mids of these groups that no section has, rejected ones included. */
const unknownMids = (
  groups: readonly Lined<Group>[],
  sections: readonly Section[],
  toHit: (group: Group) => Hit,
): readonly Hit[] => {
  if (groups.length === 0) return NO_HITS;
  const known = new Set(sections.map(({ mid }) => mid));
  return groups.flatMap((group) =>
    group.mids
      .filter((mid) => !known.has(mid))
      .map((mid) => ({ line: group.line, detail: `mid ${mid}`, ...toHit(group) })),
  );
};

const isBundle = ({ semantics }: Group): boolean => semantics === "BUNDLE";
const isLipSync = ({ semantics }: Group): boolean => semantics === "LS";

/** Rules about `a=mid` and `a=group`, and about how bundles are made up (RFC 5888, RFC 9143). */
export const GROUPING_RULES: readonly DescriptionRule[] = [
  {
    id: "mid-missing",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8829 s5.2.1, RFC 5888 s4",
    requirements: ["R5.2.4-1"],
    condition: "a section in use has no `a=mid`",
    message:
      "the section has no mid, so it cannot be bundled and its media are told apart by its place only; Chromium and Pion refuse a mixture",
    find: eachSection(({ attributes }) => (attributes.has("mid") ? NO_HITS : [{}])),
  },
  {
    id: "mid-duplicate",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 5888 s4",
    condition: "two sections have the same mid, rejected ones included",
    message:
      "an earlier section has the same mid and no browser can answer that; give each section a mid of its own",
    find: ({ description: { sections } }) =>
      repeated(
        sections.filter(({ mid }) => mid !== undefined),
        ({ mid }) => mid,
      ).map((section) => at(section, "mid")),
  },
  {
    id: "mid-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 5888 s4, RFC 8866 s9",
    condition: "a mid that is empty or has a blank or another character that tokens may not have",
    message:
      "a mid may have letters, digits and a few signs but no blank, and groups could not name it; use a short number",
    find: eachSaying("mid", (_section, lines) =>
      where(lines, ({ value }) => !MID.test(value.trimEnd())),
    ),
  },
  {
    id: "mid-too-long",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.2.1, RFC 8285 s4.2",
    condition: `a mid of more than ${LONGEST_MID_BYTES} bytes`,
    message:
      "the mid does not fit a one-byte header extension, so every packet needs the longer form; three characters are plenty",
    find: ofMid((mid) => exceedsBytes(mid, LONGEST_MID_BYTES)),
  },
  {
    id: "mid-leaks-identity",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.2.1",
    condition: `a mid that looks like an e-mail address or has more than ${TELLING_MID_LENGTH} characters`,
    message:
      "the mid goes out in clear in RTP packets and may tell who or what this is; use a number and keep names in the application",
    find: ofMid((mid) => /[^@]@[^@]/.test(mid) || mid.length > TELLING_MID_LENGTH),
  },
  {
    id: "group-syntax",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 5888 s5",
    condition: "a group without semantics, or with anything that is no token",
    message:
      "a group must be its semantics and the mids of its sections with one blank between them",
    find: ({ description: { session } }) =>
      where(own(session, "group"), ({ value }) => !GROUP.test(value.trimEnd())),
  },
  {
    id: "group-empty",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 5888 s5",
    condition: "a group without any mid",
    message: "the group has no section, so it says nothing; leave it out",
    find: ({ description: { session } }) =>
      where(
        session.groups,
        ({ mids }) => mids.length === 0,
        ({ semantics }) => semantics,
      ),
  },
  {
    id: "group-unknown-mid",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 5888 s6",
    condition:
      "a BUNDLE group names a mid that no section has; in groups of other semantics than LS an info",
    message:
      "no section has this mid, and browsers refuse a bundle with it; take it from the group or add the section",
    find: ({ description: { session, sections } }) =>
      unknownMids(
        session.groups.filter((group) => !isLipSync(group)),
        sections,
        // Semantics that a peer does not know are nothing to it (RFC 5888).
        (group) => (isBundle(group) ? {} : { level: "info" }),
      ),
  },
  {
    id: "ls-group-unknown-mid",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 5888 s7",
    condition: "an LS group names a mid that no section has",
    message:
      "no section has this mid, so what should be played in step with it is not; take it from the group",
    find: ({ description: { session, sections } }) =>
      unknownMids(session.groups.filter(isLipSync), sections, () => ({})),
  },
  {
    id: "bundle-mid-in-two-groups",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 9143 s7.5.2",
    condition: "two BUNDLE groups name the same mid",
    message:
      "the section is in an earlier bundle already, and browsers refuse that; a section has one transport",
    find: ({ description: { session, bundles } }) => {
      if (bundles.length < 2) return NO_HITS;
      return repeated(
        session.groups
          .filter(isBundle)
          // Naming it twice in one group is another matter.
          .flatMap(({ mids, line }) => [...new Set(mids)].map((mid) => ({ mid, line }))),
        ({ mid }) => mid,
      ).map(({ mid, line }) => ({ line, detail: `mid ${mid}` }));
    },
  },
  {
    id: "bundle-not-offered",
    on: "offer",
    level: "info",
    strict: "info",
    source: "RFC 8834 s4.4",
    requirements: ["R4.4-1"],
    condition: "two or more sections in use and no BUNDLE group",
    message:
      "without a bundle each section has a transport of its own, with its own candidates, checks and handshake; offer a BUNDLE group",
    find: ({ description: { live, bundles } }) => {
      const isAlone = live.length < 2;
      return isAlone || bundles.some((mids) => mids.length > 0) ? NO_HITS : [{}];
    },
  },
  {
    id: "bundle-tag-bundle-only",
    on: "offer",
    level: "error",
    strict: "error",
    source: "RFC 9143 s7.2.1",
    condition: "the first section of a BUNDLE group has port 0 and `a=bundle-only`",
    message:
      "the first section of a bundle stands for its transport and needs a port, Firefox refuses it without; name a section with a port first",
    find: ({ description: { sections, bundles } }) => {
      if (!sections.some(({ bundleOnly }) => bundleOnly)) return NO_HITS;
      const tags = new Set<string | undefined>(bundles.flatMap((mids) => mids.slice(0, 1)));
      return sections
        .filter(({ mid, port, bundleOnly }) => tags.has(mid) && port === 0 && bundleOnly)
        .map((section) => at(section, "bundle-only"));
    },
  },
  {
    id: "bundle-only-port",
    on: "offer",
    level: "info",
    strict: "warning",
    source: "RFC 9143 s6",
    condition: "`a=bundle-only` in a section with a port",
    message:
      "a=bundle-only has a meaning with port 0 only and is ignored here; remove it or set the port to 0",
    find: eachSaying("bundle-only", (section) =>
      section.port === 0 ? NO_HITS : [at(section, "bundle-only")],
    ),
  },
  {
    id: "bundle-only-has-transport-attrs",
    on: "offer",
    level: "info",
    strict: "warning",
    source: "RFC 9143 s7.1.3",
    condition: "a section with `a=bundle-only` has credentials, candidates or fingerprints",
    message:
      "a section that exists in the bundle only takes its transport from the first of the bundle; what it says itself is not used",
    find: eachSaying("bundle-only", (section) => {
      const name = TRANSPORT_ATTRIBUTES.find((wanted) => section.attributes.has(wanted));
      return name === undefined ? NO_HITS : [at(section, name, `a=${name}`)];
    }),
  },
  {
    id: "bundle-only-in-answer",
    on: "answer",
    level: "warning",
    strict: "error",
    source: "RFC 9143 s7.3, RFC 8829 s5.3.1",
    condition: "an answer has `a=bundle-only`",
    message:
      "only offers may say bundle-only; answer with the port of the bundle, or with port 0 alone to reject the section",
    find: eachSaying("bundle-only", (section) => [at(section, "bundle-only")]),
  },
  {
    id: "bundle-rejected-member",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 9143 s7.3.3, RFC 9143 s7.5.3",
    condition: "a section with port 0 and no `a=bundle-only` is in a BUNDLE group",
    message:
      "a section with port 0 is rejected and may not stay in the bundle; take its mid from the group",
    find: ({ description: { sections, live, bundles } }) => {
      if (live.length === sections.length) return NO_HITS;
      const bundled = new Set<string | undefined>(bundles.flat());
      return sections
        .filter(({ isReadable, rejected, mid }) => isReadable && rejected && bundled.has(mid))
        .map((section) => ({ section }));
    },
  },
];
