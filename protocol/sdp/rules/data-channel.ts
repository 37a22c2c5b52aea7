import type { Description } from "../description.ts";
import { DIRECTIONS } from "../grammar.ts";
import { once } from "../notes.ts";
import { at, type DescriptionRule, type Hits, inSections, NO_HITS, own, where } from "../rule.ts";
import { carriesData, type Section } from "../section.ts";
import { eachBundle } from "./scopes.ts";

const isCurrent = ({ protocol }: Section): boolean => /^(?:UDP|TCP)\/DTLS\/SCTP$/i.test(protocol);
const isLegacy = ({ protocol }: Section): boolean => /^DTLS\/SCTP$/i.test(protocol);
/** Other uses of application sections: floor control, messages, and far-end cameras in RTP. */
/** Whatever its protocol says, its format says data channels. */
const speaksOfChannels = ({ formats }: Section): boolean => formats.includes("webrtc-datachannel");

const isOther = ({ protocol }: Section): boolean =>
  /(?:^|\/)(?:BFCP|MSRP|RTP\/S?AVPF?)$/i.test(protocol);

const FORMAT = "webrtc-datachannel";
const MOST_PORT = 65_535;

const applicationsOf = once(({ live }: Description): readonly Section[] =>
  live.filter(({ kind }) => kind === "application"),
);

/** Says for every application section in use that the condition holds for what `find` says. */
function inApplication(
  condition: (section: Section) => boolean,
  find: (section: Section) => Hits,
): DescriptionRule["find"] {
  const findWhere = (section: Section): Hits => (condition(section) ? find(section) : NO_HITS);
  return (subject) => inSections(applicationsOf(subject.description), subject, findWhere);
}

/** `0` or without a leading zero, at most 65535 (RFC 8841 s5.2). */
const isPort = (text: string): boolean =>
  /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= MOST_PORT;

/** Rules about sections for data channels (RFC 8841). */
export const DATA_CHANNEL_RULES: readonly DescriptionRule[] = [
  {
    id: "data-proto-unknown",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8829 s5.1.2, RFC 8841 s4.2",
    condition:
      "an application section of a protocol that is not SCTP over DTLS; BFCP, MSRP and RTP are an info",
    message:
      "an application section is for data channels, of protocol UDP/DTLS/SCTP; browsers refuse or reject any other",
    find: inApplication(
      (section) => !isCurrent(section) && !isLegacy(section),
      (section) => [
        {
          detail: section.protocol,
          ...(isOther(section) && !speaksOfChannels(section) ? { level: "info" } : {}),
        },
      ],
    ),
  },
  {
    id: "data-proto-legacy",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8829 s5.1.2",
    condition: "a data channel section of protocol `DTLS/SCTP`",
    message:
      "DTLS/SCTP is the form of old drafts that a peer may no longer read; use UDP/DTLS/SCTP with webrtc-datachannel and a=sctp-port",
    find: inApplication(isLegacy, () => [{}]),
  },
  {
    id: "data-sctpmap-missing",
    on: "both",
    level: "error",
    strict: "error",
    source: "draft-ietf-mmusic-sctp-sdp-05",
    condition: "`DTLS/SCTP` without `a=sctpmap`; with `a=sctp-port` instead a warning",
    message:
      "with DTLS/SCTP the line a=sctpmap says what the association is for; add it, or better use UDP/DTLS/SCTP",
    find: inApplication(isLegacy, ({ attributes }) => {
      if (attributes.has("sctpmap")) return [];
      // Drafts in between had the old protocol and the new attribute, and browsers read that.
      return [attributes.has("sctp-port") ? { level: "warning" } : {}];
    }),
  },
  {
    id: "data-fmt-unknown",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8841 s4.3",
    condition: "a format of a data channel section is not `webrtc-datachannel`",
    message: "the format must be webrtc-datachannel; browsers refuse any other",
    find: inApplication(isCurrent, ({ formats }) => [
      formats.some((format) => format !== FORMAT) ? {} : undefined,
    ]),
  },
  {
    id: "data-fmt-count",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8841 s4.3",
    condition: "a data channel section does not have exactly one format",
    message: "an m-line for data channels has exactly one format; write webrtc-datachannel once",
    find: inApplication(isCurrent, ({ formats }) => [formats.length === 1 ? undefined : {}]),
  },
  {
    id: "data-sctp-port-missing",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8841 s5.1",
    condition: "a data channel section has no `a=sctp-port`; not for `DTLS/SCTP`",
    message:
      "the section does not say its SCTP port and there is no default; add a=sctp-port, usually 5000",
    find: inApplication(isCurrent, ({ attributes }) => [
      attributes.has("sctp-port") ? undefined : {},
    ]),
  },
  {
    id: "data-sctp-port-range",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8841 s5.2",
    condition: "`a=sctp-port` is not a number up to 65535 without leading zeros",
    message: "the SCTP port must be a number up to 65535; usual is 5000",
    find: inApplication(carriesData, (section) =>
      where(own(section, "sctp-port"), ({ value }) => !isPort(value.trimEnd())),
    ),
  },
  {
    id: "data-sctp-port-zero",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8841 s9.3",
    condition: "the SCTP port is 0",
    message:
      "SCTP port 0 closes the association and all data channels with it, though the transport stays",
    find: inApplication(carriesData, (section) => [
      section.sctpPort === 0 ? at(section, "sctp-port") : undefined,
    ]),
  },
  {
    id: "data-max-message-size-absent",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8841 s6.1",
    condition: "a data channel section has no `a=max-message-size`",
    message:
      "without a=max-message-size the peer may send messages up to 64 KiB only; say the size that you can receive",
    find: inApplication(carriesData, ({ attributes }) => [
      attributes.has("max-message-size") ? undefined : {},
    ]),
  },
  {
    id: "data-max-message-size-zero",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8841 s6.1",
    condition: "`a=max-message-size` is 0",
    message:
      "0 allows messages of any size, which the receiver must hold in memory; say a size that it really can receive",
    find: inApplication(carriesData, (section) => [
      section.maxMessageSize === 0 ? at(section, "max-message-size") : undefined,
    ]),
  },
  {
    id: "data-two-sections",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8829 s5.2.1",
    condition: "a bundle has more than one data channel section in use",
    message:
      "the bundle has a data channel section already and browsers use one; all channels fit into its association",
    find: eachBundle((members) =>
      members
        .filter(carriesData)
        .slice(1)
        .map((section) => ({ section })),
    ),
  },
  {
    id: "data-direction-ignored",
    on: "both",
    level: "off",
    strict: "info",
    source: "RFC 8841 s9.2",
    condition: "a direction in a data channel section",
    message: "directions have no meaning for data channels; leave the line out",
    find: inApplication(carriesData, (section) => {
      const name = DIRECTIONS.find((direction) => section.attributes.has(direction));
      return [name && at(section, name)];
    }),
  },
];
