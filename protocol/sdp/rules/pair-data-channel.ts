import { at, eachPair, type Hits, NO_HITS, own, type PairRule, type SectionPair } from "../rule.ts";
import { carriesData, type Section } from "../section.ts";

/** Says for every pair of SCTP sections what `find` says for one. */
function eachDataPair(find: (pair: SectionPair) => Hits): PairRule["find"] {
  return eachPair((pair) =>
    carriesData(pair.offered) && carriesData(pair.answered) ? find(pair) : NO_HITS,
  );
}

/** Protocols are written in upper case by all; their letters are compared without case, as in the reader. */
const protocolOf = ({ protocol }: Section): string => protocol.toUpperCase();

/** The form of the drafts, whose format is a port: each side has its own. */
const LEGACY = "DTLS/SCTP";

/** Formats are media subtypes, whose case does not matter (RFC 8866 s5.14). */
const formatsOf = ({ formats }: Section): string => formats.join(" ").toLowerCase();

/** Bytes where nothing is said (RFC 8841 s6.1). */
const DEFAULT_MESSAGE_SIZE = 65_536;

/** Undefined when what is said is no number. */
function messageSizeOf(section: Section): number | undefined {
  const isSaid = own(section, "max-message-size").length > 0;
  return isSaid ? section.maxMessageSize : DEFAULT_MESSAGE_SIZE;
}

const sizeText = (bytes: number): string => (bytes === 0 ? "any size" : `${bytes} bytes`);

/** Data channel sections of an offer and its answer (RFC 8841 s10). */
export const PAIR_DATA_CHANNEL_RULES: readonly PairRule[] = [
  {
    id: "data-proto-answer-differs",
    level: "warning",
    strict: "error",
    source: "RFC 8841 s10.3",
    condition: "the protocol of a data section differs from that of the offer",
    message:
      "the answer must repeat the protocol of the offered data section (UDP/DTLS/SCTP, or DTLS/SCTP of older stacks); strict offerers do not find their section again",
    find: eachDataPair(({ offered, answered }) =>
      protocolOf(offered) === protocolOf(answered)
        ? []
        : [{ detail: `${protocolOf(offered)} answered with ${protocolOf(answered)}` }],
    ),
  },
  {
    id: "data-fmt-mismatch",
    level: "error",
    strict: "error",
    source: "RFC 8829 s5.3.1",
    condition: "the format of a data section differs from that of the offer, protocols being alike",
    message:
      "the answer must repeat the format of the offered data section, webrtc-datachannel; another one is another use of SCTP that the offerer did not ask for",
    find: eachDataPair(({ offered, answered }) => {
      const isComparable =
        protocolOf(offered) === protocolOf(answered) && protocolOf(offered) !== LEGACY;
      return isComparable && formatsOf(offered) !== formatsOf(answered) ? [{}] : [];
    }),
  },
  {
    id: "data-max-message-size-asymmetric",
    level: "info",
    strict: "info",
    source: "RFC 8841 s10.3",
    condition: "the two ends take data channel messages of different sizes (64 KiB if not said)",
    message:
      "each end may only send what the other takes; split longer messages, browsers raise an error on send()",
    find: eachDataPair(({ offered, answered }) => {
      const [offer, answer] = [messageSizeOf(offered), messageSizeOf(answered)];
      if (offer === undefined || answer === undefined || offer === answer) return [];
      return [
        at(answered, "max-message-size", `offer ${sizeText(offer)}, answer ${sizeText(answer)}`),
      ];
    }),
  },
];
