import type { Description } from "../description.ts";
import {
  at,
  carriesMedia,
  eachPair,
  NO_HITS,
  own,
  type PairRule,
  type SectionPair,
} from "../rule.ts";
import type { Section } from "../section.ts";
import { receivesUninvited, sendsUninvited } from "./pair-directions.ts";

/** The line that counts: of several mids the last. */
const midLine = (section: Section): number | undefined => own(section, "mid").at(-1)?.line;

const said = ({ direction: offered }: Section, { direction: answered }: Section): string =>
  `${answered} answers ${offered}`;

/** Sections of the same index with m-lines that can be read, also where a side rejects them. */
const placed = (
  { sections: offered }: { readonly sections: readonly Section[] },
  { sections: answered }: { readonly sections: readonly Section[] },
): readonly SectionPair[] =>
  answered.flatMap((section, index) => {
    const counterpart = offered[index];
    return counterpart?.isReadable && section.isReadable
      ? [{ offered: counterpart, answered: section }]
      : [];
  });

/** No section is rejected. */
const isAllInUse = ({ sections, live }: Description): boolean => live.length === sections.length;

/** Sections of an answer and those of the offer that they answer (RFC 3264 s6, RFC 8829 s5.8.3). */
export const PAIR_SECTION_RULES: readonly PairRule[] = [
  {
    id: "m-line-count-mismatch",
    level: "error",
    strict: "error",
    source: "RFC 3264 s6, RFC 8829 s5.8.3",
    condition: "offer and answer have different numbers of m-sections",
    message:
      "an answer needs exactly one m-section for each of the offer; reject what is not wanted with port 0 instead of leaving it out, and ask for more in an offer of your own",
    find: ({ offer: { sections: offered }, answer: { sections: answered } }) =>
      offered.length === answered.length
        ? []
        : [
            {
              section: answered[offered.length],
              detail: `${offered.length} m-sections offered, ${answered.length} answered`,
            },
          ],
  },
  {
    id: "m-line-type-mismatch",
    level: "error",
    strict: "error",
    source: "RFC 8829 s5.8.3",
    condition: "the m-sections of an index are of different media",
    message:
      "m-sections are answered in the order of the offer, each with the media it was offered for; browsers refuse the answer",
    find: ({ offer, answer }) =>
      placed(offer, answer)
        .filter(({ offered, answered }) => offered.kind !== answered.kind)
        .map(({ offered, answered }) => ({
          section: answered,
          detail: `${answered.kind} answers ${offered.kind}`,
        })),
  },
  {
    id: "m-line-proto-mismatch",
    level: "error",
    strict: "error",
    source: "RFC 8829 s5.8.3",
    requirements: ["R10-1"],
    condition: "an RTP section is accepted with another protocol on its m-line than was offered",
    message: "repeat the protocol of the offer on the m-line, even where it is an older label",
    find: eachPair(({ offered, answered }) =>
      carriesMedia(answered) && offered.protocol !== answered.protocol
        ? [{ detail: `${answered.protocol} answers ${offered.protocol}` }]
        : NO_HITS,
    ),
  },
  {
    id: "mid-mismatch",
    level: "error",
    strict: "error",
    source: "RFC 5888 s9.1, RFC 8829 s5.8.3",
    condition:
      "an accepted section has another mid than the offer gave it, or (a warning) lost its mid",
    message:
      "an answer repeats the mid of each m-section it accepts; bundling and trickled candidates go by it",
    find: eachPair(({ offered, answered }) => {
      if (offered.mid === undefined || offered.mid === answered.mid) return NO_HITS;
      const line = midLine(answered);
      return answered.mid === undefined
        ? [{ line, level: "warning", detail: "the mid is gone" }]
        : [{ line, detail: "the mid is another one" }];
    }),
  },
  {
    id: "mid-added-in-answer",
    level: "info",
    strict: "info",
    source: "RFC 5888 s9.1",
    condition: "the answer gives a mid to a section that was offered without one",
    message:
      "the offer named no mid, so the offerer may not know this one; the m-sections are matched by their order",
    find: eachPair(({ offered, answered }) =>
      offered.mid === undefined && answered.mid !== undefined
        ? [{ line: midLine(answered) }]
        : NO_HITS,
    ),
  },
  {
    id: "rejected-line-accepted",
    level: "error",
    strict: "error",
    source: "RFC 3264 s6",
    condition: "the answer has a port for a section that the offer disabled",
    message: "the offer has disabled this m-section with port 0; answer it with port 0 as well",
    find: ({ offer, answer }) =>
      isAllInUse(offer)
        ? NO_HITS
        : placed(offer, answer)
            .filter(({ offered, answered }) => offered.kind === answered.kind)
            .filter(({ offered, answered }) => offered.rejected && answered.port > 0)
            .map(({ answered }) => ({ section: answered })),
  },
  {
    id: "m-line-rejected",
    level: "info",
    strict: "info",
    source: "RFC 3264 s6",
    condition: "the answer rejects a section with port 0",
    message:
      "the answerer does not take this m-section and nothing flows in it; usual causes are that no codec is in common or that it has been stopped there",
    find: ({ offer, answer }) =>
      isAllInUse(answer)
        ? NO_HITS
        : placed(offer, answer)
            .filter(({ offered, answered }) => offered.kind === answered.kind)
            .filter(({ offered, answered }) => !offered.rejected && answered.rejected)
            .map(({ answered }) => ({ section: answered })),
  },
  {
    id: "direction-send-not-invited",
    level: "error",
    strict: "error",
    source: "RFC 3264 s6.1",
    condition: "the answer sends in a section that the offerer does not receive in",
    message:
      "the offerer receives nothing in this m-section and browsers refuse the answer; answer sendonly with recvonly or inactive, inactive with inactive, and say so, as no direction means sendrecv",
    find: eachPair(({ offered, answered }) =>
      sendsUninvited(offered.direction, answered.direction)
        ? [at(answered, answered.direction, said(offered, answered))]
        : NO_HITS,
    ),
  },
  {
    id: "direction-recv-not-invited",
    level: "warning",
    strict: "error",
    source: "RFC 3264 s6.1",
    condition:
      "the answer receives in a section that the offerer does not send in, and sends only if it may",
    message:
      "the offerer sends nothing in this m-section and browsers refuse the answer; answer recvonly with sendonly or inactive, and inactive with inactive",
    find: eachPair(({ offered: { direction }, offered, answered }) =>
      receivesUninvited(direction, answered.direction) &&
      !sendsUninvited(direction, answered.direction)
        ? [at(answered, answered.direction, said(offered, answered))]
        : NO_HITS,
    ),
  },
];
