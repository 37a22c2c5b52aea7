import {
  at,
  type DescriptionRule,
  eachSaying,
  eachSection,
  type Hit,
  NO_HITS,
  own,
  repeated,
} from "../rule.ts";
import type { Section } from "../section.ts";
import { eachLine, needsDtls, transportSections } from "./transport-attributes.ts";
import type { TrickleRule } from "./trickle.ts";

const ICE_CHARACTERS = /^[A-Za-z\d+/]*$/;
const MOST_CHARACTERS = 256;
const OPTIONS = /^[A-Za-z\d+/]+(?: +[A-Za-z\d+/]+)*$/;
/** Receivers take 256, senders may use 32. */
const LONGEST_UFRAG_SENT = 32;
/** More than any real peer gathers: the most seen in one m-section are 12. */
export const MOST_CANDIDATES = 64;

/** The same for candidates in a description and for those that trickle. */
export const CANDIDATE_COUNT: TrickleRule = {
  id: "candidate-count",
  level: "warning",
  strict: "warning",
  source: "Duplex D4",
  requirements: ["R10-3"],
  condition: "an m-section has more than 64 candidates, trickled ones included",
  message:
    "more candidates than a peer can check in reasonable time; gather on fewer interfaces and servers",
};

/** To count in the expression would be dear: every section is asked. */
const isOfIceCharacters = (value: string, least: number): boolean =>
  value.length >= least && value.length <= MOST_CHARACTERS && ICE_CHARACTERS.test(value);

const isUfrag = (value: string): boolean => isOfIceCharacters(value, 4);
const isPassword = (value: string): boolean => isOfIceCharacters(value, 22);

/** Names of the credentials that a section has not, joined. */
function lackingIn({ iceUfrag, icePwd }: Section): string {
  if (iceUfrag === undefined) return icePwd === undefined ? "ice-ufrag and ice-pwd" : "ice-ufrag";
  return icePwd === undefined ? "ice-pwd" : "";
}

/** Credentials, options and number of candidates (RFC 8839 s5). */
export const ICE_RULES: readonly DescriptionRule[] = [
  {
    id: "ice-credentials-missing",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8829 s5.1.1, RFC 8839 s5.4",
    requirements: ["R10-3"],
    condition:
      "an m-section that needs ICE has no `a=ice-ufrag` or no `a=ice-pwd`, neither its own nor an inherited one",
    message:
      "without ICE credentials no connectivity check can be made, and browsers refuse the description; send what createOffer or createAnswer made",
    find: eachSection((section) => {
      const lacking = lackingIn(section);
      return lacking !== "" && needsDtls(section) ? [{ detail: `no ${lacking}` }] : NO_HITS;
    }),
  },
  {
    id: "ice-ufrag-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8839 s5.4",
    condition: "`a=ice-ufrag` is not 4 to 256 letters, digits, `+` or `/`",
    message: "a=ice-ufrag must be 4 to 256 letters, digits, + or /; browsers refuse a shorter one",
    find: eachLine("ice-ufrag", (value) => !isUfrag(value)),
  },
  {
    id: "ice-ufrag-long",
    on: "both",
    level: "info",
    strict: "warning",
    source: "RFC 8839 s5.4",
    condition: "`a=ice-ufrag` is longer than 32 characters",
    message: "receivers must take up to 256 characters here, but senders may use 32 at most",
    find: eachLine(
      "ice-ufrag",
      (value) => isUfrag(value) && value.length > LONGEST_UFRAG_SENT,
      ({ length }) => `${length} characters`,
    ),
  },
  {
    id: "ice-pwd-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8839 s5.4",
    condition: "`a=ice-pwd` is not 22 to 256 letters, digits, `+` or `/`",
    message: "a=ice-pwd must be 22 to 256 letters, digits, + or /; browsers refuse a shorter one",
    find: eachLine("ice-pwd", (value) => !isPassword(value)),
  },
  {
    id: "ice-ufrag-pwd-inconsistent",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8839 s5.4",
    condition: "two m-sections have the same ufrag and different passwords",
    message:
      "an earlier m-section has the same ice-ufrag with another ice-pwd, so a check cannot tell which one is meant; use the same password or another ufrag",
    find: ({ description: { live } }) => {
      const passwords = new Map<string, string>();
      const isOther = ({ iceUfrag, icePwd }: Section): boolean => {
        if (iceUfrag === undefined || icePwd === undefined) return false;
        const known = passwords.get(iceUfrag);
        if (known === undefined) passwords.set(iceUfrag, icePwd);
        return known !== undefined && known !== icePwd;
      };
      return live.filter(isOther).map((section) => at(section, "ice-pwd"));
    },
  },
  {
    id: "ice-options-syntax",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8839 s5.6",
    condition: "`a=ice-options` is not words of letters, digits, `+` or `/` with blanks between",
    message:
      "ICE options are words with blanks between them; a receiver takes a list with commas for one option that it does not know",
    find: eachLine("ice-options", (value) => !OPTIONS.test(value)),
  },
  {
    id: "ice-options-no-ice2",
    on: "both",
    level: "off",
    strict: "info",
    source: "RFC 8445 s10",
    condition: "a transport does not say `ice2` in `a=ice-options`",
    message: "an agent of RFC 8445 says a=ice-options:ice2; peers may take this one for RFC 5245",
    find: ({ description }) => {
      const general = own(description.session, "ice-options");
      return transportSections(description).flatMap((section): Hit[] => {
        const special = own(section, "ice-options");
        const options = special.length > 0 ? special : general;
        return options.some(({ value }) => value.split(" ").includes("ice2"))
          ? []
          : [at(section, "ice-options")];
      });
    },
  },
  {
    id: "ice-lite",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8839 s5.3, RFC 8829 s5.1.1",
    condition: "`a=ice-lite` in the session part",
    message:
      "this peer does ICE lite: it must have a public address, and the other side does the checks; right for a media server, wrong for a browser",
    find: ({ description: { session } }) => own(session, "ice-lite").map(({ line }) => ({ line })),
  },
  {
    id: "candidate-duplicate",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8445 s5.1.3",
    requirements: ["R10-3"],
    condition: "an m-section has the same candidate line twice",
    message: "this candidate is there already; the second one has no effect",
    find: eachSaying("candidate", ({ candidates }) =>
      repeated(candidates, ({ text }) => text).map(({ line }) => ({ line })),
    ),
  },
  {
    ...CANDIDATE_COUNT,
    on: "both",
    find: eachSaying("candidate", ({ candidates }) =>
      candidates
        .slice(MOST_CANDIDATES, MOST_CANDIDATES + 1)
        .map(({ line }) => ({ line, detail: `${candidates.length} candidates` })),
    ),
  },
];
