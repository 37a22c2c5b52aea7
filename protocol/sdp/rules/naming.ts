import { exceedsBytes } from "../../utf8.ts";
import type { Description } from "../description.ts";
import type { Msid } from "../grammar.ts";
import { once } from "../notes.ts";
import {
  type DescriptionRule,
  eachSaying,
  eachSection,
  type Hit,
  inSections,
  NO_HITS,
  own,
  repeated,
  where,
} from "../rule.ts";
import type { Lined, Section } from "../section.ts";
import { sendsMedia } from "./sources.ts";

/** Bytes an RTCP item has room for. */
const MAX_CNAME = 255;
/** What RFC 7022 asks of a CNAME. */
const RANDOM_BITS = 96;

/** Token characters of SDP: Firefox puts its ids into braces, which are among them. */
const MSID = /^[!#-'*+\-.0-9A-Z^-~]{1,64}(?: [!#-'*+\-.0-9A-Z^-~]{1,64})?$/;

interface Named {
  readonly cname: string;
}

/** The CNAMEs of a section, each once. */
const cnamesOf = once(({ ssrcLines }: Section): readonly Lined<Named>[] => {
  const byName = new Map<string, Lined<Named>>();
  for (const { name, value, line } of ssrcLines) {
    if (name !== "cname") continue;
    const cname = value.trim();
    if (!byName.has(cname)) byName.set(cname, { cname, line });
  }
  return [...byName.values()];
});

/** Hits for the CNAMEs that the condition holds for. */
const eachCname = (condition: (named: Named) => boolean): DescriptionRule["find"] =>
  eachSaying("ssrc", (section) => where(cnamesOf(section), condition));

/** What a section says in `a=msid` lines and in the older form, as an attribute of its sources. */
const msidsOf = once(({ msids, ssrcs }: Section): readonly Msid[] =>
  ssrcs.some(({ msid }) => msid) ? [...msids, ...ssrcs.flatMap(({ msid }) => msid ?? [])] : msids,
);

/** What the streams and tracks of some sections are called. */
function namesOf(sections: readonly Section[]): ReadonlySet<string | undefined> {
  const names = new Set<string | undefined>();
  for (const section of sections) {
    for (const { stream, track } of msidsOf(section)) names.add(stream).add(track);
  }
  return names;
}

/** Random bits that a name can hold: digits and hexadecimal hold less per character than base64. */
function mostBits(name: string): number {
  const characters = name.replace(/[{}-]/g, "");
  if (/^\d*$/.test(characters)) return characters.length * Math.log2(10);
  return characters.length * (/^[\da-f]*$/i.test(characters) ? 4 : 6);
}

/** Why a CNAME is not drawn at random, as far as one can see. */
function weakness(cname: string, names: ReadonlySet<string | undefined>): string | undefined {
  if (cname.includes("@")) return "a CNAME in the form user@host";
  if (names.has(cname)) return "a CNAME that is the name of a stream";
  return mostBits(cname) < RANDOM_BITS ? "a CNAME of less than 96 random bits" : undefined;
}

const IPV4 = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/;
const E_MAIL = /^[^@]+@[^@]*\.[a-z]{2,}$/i;

/** The forms that text can be of: with one `::`, or of eight groups. */
function isIpv6(text: string): boolean {
  const isOfGroups = /^(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}$/i.test(text);
  return isOfGroups && (text.includes("::") || text.split(":").length === 8);
}

/** True for an address of mail or of a host; names over the limit have a rule of their own. */
function tellsIdentity(cname: string): boolean {
  const name = cname.slice(0, MAX_CNAME);
  if (name.includes("@") && E_MAIL.test(name)) return true;
  if (name.includes(".") && IPV4.test(name)) return true;
  return name.includes(":") && name.split(/[^\da-f:.]+/i).some(isIpv6);
}

/** Streams of so many different names that no single camera and screen has them. */
const MANY_STREAMS = 3;

/** Where a description shows that a server forwards media here: its peer is not the source of what it sends. */
export function middleboxSign(description: Description): Hit | undefined {
  const [lite] = own(description.session, "ice-lite");
  if (lite) return { line: lite.line };
  const streams = new Set<string>();
  for (const section of description.live) {
    if (section.direction === "sendonly") {
      for (const { stream } of msidsOf(section)) streams.add(stream);
      // No stream at all.
      streams.delete("-");
    }
    if (namesJanus(section) || streams.size >= MANY_STREAMS) return { section };
  }
  return undefined;
}

const isJanus = (name: string | undefined): boolean => name === "janus";

const namesJanus = (section: Section): boolean =>
  cnamesOf(section).some(({ cname }) => isJanus(cname)) ||
  msidsOf(section).some(({ stream, track }) => isJanus(stream) || isJanus(track));

/** Names of the participant and of its streams and tracks: CNAME and `a=msid` (RFC 7022, RFC 8830). */
export const NAMING_RULES: readonly DescriptionRule[] = [
  {
    id: "cname-syntax",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 3550 s6.5.1",
    requirements: ["R4.9-3"],
    condition: "a CNAME is empty or longer than 255 bytes",
    message: "a CNAME has from 1 to 255 bytes, since RTCP cannot carry another one; shorten it",
    find: eachCname(({ cname }) => cname === "" || exceedsBytes(cname, MAX_CNAME)),
  },
  {
    id: "cname-not-random",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 7022 s4.2, RFC 8834 s4.9",
    requirements: ["R4.9-2"],
    condition:
      "a CNAME is of the form user@host, is also a name in an msid, or is too short for 96 random bits: 16 characters of base64, 24 of hexadecimal, 29 digits",
    message:
      "participants can be confused or followed from call to call; draw a new random CNAME for every connection",
    find: (subject) => {
      const { live, saying } = subject.description;
      const named = saying.get("ssrc");
      if (named === undefined) return NO_HITS;
      const names = namesOf(live);
      return inSections(named, subject, (section) =>
        cnamesOf(section).map(({ cname, line }) => {
          const detail = cname === "" ? undefined : weakness(cname, names);
          return detail === undefined ? undefined : { line, detail };
        }),
      );
    },
  },
  {
    id: "cname-contains-identity",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 7022 s6, RFC 8834 s13",
    condition: "a CNAME holds an e-mail address or an IP address",
    message:
      "RTCP shows the CNAME to everyone in the session; replace the address in it by a random name",
    find: eachCname(({ cname }) => tellsIdentity(cname)),
  },
  {
    id: "cname-multiple",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8834 s4.9",
    requirements: ["R4.9-1", "R11-1", "R12.2.3-1"],
    condition:
      "the sources of a description have different CNAMEs, and nothing shows that a media server made it",
    message:
      "receivers synchronise only streams of one CNAME, so use one for the whole connection unless a server mixes participants",
    find: ({ description }) => {
      let first: string | undefined;
      const isOther = ({ cname }: Named): boolean => {
        first ??= cname;
        return cname !== first;
      };
      for (const section of description.live) {
        const other = cnamesOf(section).find(isOther);
        if (other) return middleboxSign(description) ? NO_HITS : [{ section, line: other.line }];
      }
      return NO_HITS;
    },
  },
  {
    id: "msid-missing",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8830 s2, RFC 8829 s5.2.1",
    requirements: ["R5.2.4-1", "R11-3"],
    condition: "a section that sends media has no `a=msid` and no `msid` of a source",
    message:
      "the receiver must make up names for stream and track; add a=msid if applications are to recognise them",
    find: eachSection((section) => {
      if (section.attributes.has("msid") || !sendsMedia(section)) return NO_HITS;
      return section.ssrcs.some(({ msid }) => msid) ? NO_HITS : [{}];
    }),
  },
  {
    id: "msid-syntax",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8830 s2",
    requirements: ["R11-3"],
    condition:
      "an `a=msid` is not one or two tokens of 1 to 64 characters with a blank between them",
    message:
      "a=msid takes the name of a stream and that of a track, up to 64 letters, digits and marks each; shorten or encode them",
    find: eachSaying("msid", (_section, lines) => where(lines, ({ value }) => !MSID.test(value))),
  },
  {
    id: "msid-duplicate",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8830 s2",
    condition: "a section has the same `a=msid` line twice",
    message: "Chromium refuses a description that says an a=msid twice; remove the copy",
    find: eachSaying("msid", (_section, lines) =>
      where(
        repeated(lines, ({ value }) => value),
        () => true,
      ),
    ),
  },
];
