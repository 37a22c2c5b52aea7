import { words } from "../grammar.ts";
import { at, type DescriptionRule, eachSaying, inSections, NO_HITS, own } from "../rule.ts";
import type { Part, Section } from "../section.ts";
import { FEEDBACK_RULES } from "./feedback.ts";
import { carriesRtp, eachRtpSection, rtpSectionsOf } from "./rtp-sections.ts";

/** Ports and packets of RTCP (RFC 5761, RFC 8858, RFC 5506, RFC 3605). */
const TRANSPORT_RULES: readonly DescriptionRule[] = [
  {
    id: "rtcp-mux-missing",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8834 s4.5, RFC 8829 s5.8.3, RFC 9143 s9.3",
    requirements: ["R4.5-1"],
    condition: "an RTP section has no rtcp-mux; error in a bundled section of an answer",
    message: "browsers refuse media that does not share its port with RTCP; write a=rtcp-mux",
    find: (subject) => {
      const { description, role } = subject;
      const unmuxed = rtpSectionsOf(description).filter(({ rtcpMux }) => !rtcpMux);
      if (unmuxed.length === 0) return NO_HITS;
      const bundled = new Set(role === "answer" ? description.bundles.flat() : []);
      return inSections(unmuxed, subject, ({ mid = "" }) => [
        bundled.has(mid) ? { level: "error" } : {},
      ]);
    },
  },
  {
    id: "rtcp-mux-only-without-mux",
    on: "offer",
    level: "error",
    strict: "error",
    source: "RFC 8858 s4.2",
    requirements: ["R4.5-2"],
    condition: "an offered section has rtcp-mux-only but not rtcp-mux",
    message: "rtcp-mux-only comes on top of rtcp-mux, which peers look for; write both",
    find: eachSaying("rtcp-mux-only", (section) =>
      carriesRtp(section) && !section.rtcpMux ? [at(section, "rtcp-mux-only")] : NO_HITS,
    ),
  },
  {
    id: "rtcp-mux-only-in-answer",
    on: "answer",
    level: "warning",
    strict: "error",
    source: "RFC 8858 s3",
    requirements: ["R4.5-2"],
    condition: "a section of an answer has rtcp-mux-only",
    message:
      "only an offer may insist; an answer accepts with rtcp-mux alone, or with port 0 does not",
    find: eachRtpSection((section) =>
      own(section, "rtcp-mux-only")
        .slice(0, 1)
        .map(({ line }) => ({ line })),
    ),
  },
  {
    id: "rtcp-mux-component-2",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 5761 s5.1.3",
    condition: "a section with rtcp-mux has candidates of component 2",
    message:
      "candidates for RTCP are used only by peers without rtcp-mux; gather none where all peers have it",
    find: eachRtpSection(({ rtcpMux, candidates }) => {
      const second = rtcpMux && candidates.find(({ parts }) => parts?.component === "2");
      return second ? [{ line: second.line }] : NO_HITS;
    }),
  },
  {
    id: "rtcp-rsize-absent",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8834 s4.6",
    requirements: ["R4.6-1"],
    condition: "an RTP section has no rtcp-rsize",
    message:
      "feedback goes in full RTCP packets, a little slower and larger; a=rtcp-rsize allows short ones",
    find: eachRtpSection(({ rtcpRsize }) => (rtcpRsize ? NO_HITS : [{}])),
  },
  {
    id: "rtcp-disabled",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 8834 s4.1, RFC 8083 s4",
    requirements: ["R4.1-2", "R7.1-1"],
    condition: "b=RS:0 and b=RR:0 leave an RTP section no RTCP",
    message:
      "without RTCP there is no feedback, no congestion control and no circuit breaker; drop these b= lines",
    find: (subject) => {
      const sections = rtpSectionsOf(subject.description);
      const { bandwidths } = subject.description.session;
      if (bandwidths.length === 0 && sections.every(isUnlimited)) return NO_HITS;
      const session = { RS: lastOf(bandwidths, "RS"), RR: lastOf(bandwidths, "RR") };
      return inSections(sections, subject, (section) => {
        const senders = lastOf(section.bandwidths, "RS") ?? session.RS;
        const receivers = lastOf(section.bandwidths, "RR") ?? session.RR;
        const isOff = senders?.value === 0 && receivers?.value === 0;
        return isOff ? [{ line: receivers.line }] : NO_HITS;
      });
    },
  },
  {
    id: "rtcp-attr-mismatch",
    on: "both",
    level: "off",
    strict: "info",
    source: "RFC 3605 s2.1",
    condition: "the address of `a=rtcp` differs from that of `c=`",
    message: "WebRTC peers read neither; elsewhere RTCP goes to the address of a=rtcp",
    find: (subject) => {
      const session = connectionOf(subject.description.session);
      return eachRtpSection((section) => {
        const rtcp = own(section, "rtcp").at(-1);
        const address = rtcp && addressOf(words(rtcp.value).slice(1));
        const connection = connectionOf(section) ?? session;
        const isOther = address && connection && address !== connection;
        return isOther ? [{ line: rtcp.line }] : [];
      })(subject);
    },
  },
];

const isUnlimited = ({ bandwidths }: Section): boolean => bandwidths.length === 0;

function lastOf<T extends { readonly type: string }>(
  bandwidths: readonly T[],
  type: string,
): T | undefined {
  return bandwidths.findLast((bandwidth) => bandwidth.type === type);
}

/** `IN IP4 192.0.2.2` without what may follow a slash, in lower case. */
function addressOf([network, type, address]: readonly string[]): string | undefined {
  return address === undefined
    ? undefined
    : `${network} ${type} ${address.replace(/\/.*/, "")}`.toLowerCase();
}

function connectionOf({ plainLines }: Pick<Part, "plainLines">): string | undefined {
  const connection = plainLines.findLast(({ type }) => type === "c");
  return connection && addressOf(words(connection.value));
}

/** RTCP: its ports, whether there is any, and the feedback that sections ask for. */
export const RTCP_RULES: readonly DescriptionRule[] = [...TRANSPORT_RULES, ...FEEDBACK_RULES];
