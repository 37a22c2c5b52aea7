import type { Bandwidth } from "../grammar.ts";
import { type DescriptionRule, eachSection, type Hit, type Hits, NO_HITS, where } from "../rule.ts";
import type { Lined } from "../section.ts";
import { eachPart } from "./scopes.ts";

type Limit = Lined<Bandwidth>;
type Limits = readonly Limit[];

const KNOWN = new Set(["AS", "CT", "TIAS", "RS", "RR"]);
/** Kilobits per second; 100 Mbit/s is more than anybody limits a section to. */
const MOST_AS = 100_000;
/** Bits per second; less carries no media. */
const LEAST_TIAS = 1000;
const BITS_PER_KILOBIT = 1000;

const RTCP_SHARE = 0.25;
/** A report of 100 bytes at this rate is sent every 25 seconds (RFC 8834 s13). */
const LEAST_RTCP = (100 * 8) / 25;

/** `b=AS:64`: a token, a colon and digits (RFC 8866 s9). */
const SYNTAX = /^[\w!#$%&'*+.^`{|}~-]+:\d+$/;
/** Chromium reads this as no limit, for the applications that once wrote it. */
const UNSET = "AS:-1";

/** Few descriptions have limits at all. */
const among =
  (find: (limits: Limits) => Hits) =>
  ({ bandwidths }: { readonly bandwidths: Limits }): Hits =>
    bandwidths.length === 0 ? NO_HITS : find(bandwidths);

const limited = (
  condition: (limit: Limit) => boolean,
  detail?: (limit: Limit) => string,
): DescriptionRule["find"] => eachPart(among((limits) => where(limits, condition, detail)));

const said = (limit: Limit): string => `b=${limit.type}:${limit.value}`;

const last = (limits: Limits, wanted: string): Limit | undefined =>
  limits.findLast(({ type }) => type === wanted);

/** Bits per second that a section allows its media: TIAS before AS (RFC 8829 s5.10). */
function mediaRate(limits: Limits): number {
  const as = last(limits, "AS");
  return last(limits, "TIAS")?.value ?? (as ? as.value * BITS_PER_KILOBIT : 0);
}

function extremeRtcp(limits: Limits): readonly Hit[] {
  const senders = last(limits, "RS");
  const receivers = last(limits, "RR");
  const first = receivers ?? senders;
  if (first === undefined) return NO_HITS;
  const sum = (senders?.value ?? 0) + (receivers?.value ?? 0);
  const media = mediaRate(limits);
  const isTooMuch = media > 0 && sum > media * RTCP_SHARE;
  // What is not given has a default that depends on the media: only both together can be too little.
  const isTooLittle = senders !== undefined && receivers !== undefined && sum < LEAST_RTCP;
  return isTooMuch || (isTooLittle && sum > 0)
    ? [{ line: first.line, detail: `${sum} bit/s of RTCP` }]
    : NO_HITS;
}

/** Rules about `b=` lines (RFC 8866 s5.8, RFC 3556, RFC 3890). */
export const BANDWIDTH_RULES: readonly DescriptionRule[] = [
  {
    id: "bandwidth-syntax",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 8866 s5.8",
    requirements: ["R4.1-13", "R7.1-2"],
    condition: "a `b=` line that is not `<type>:<digits>`; `AS:-1` is a warning",
    message:
      "b= must be a type, a colon and a whole number, and browsers refuse the description otherwise; to set no limit leave the line out",
    find: eachPart(({ plainLines }) => {
      const hits: Hit[] = [];
      for (const { number: line, type, value } of plainLines) {
        if (type !== "b" || SYNTAX.test(value.trimEnd())) continue;
        hits.push({ line, level: value.trimEnd() === UNSET ? "warning" : undefined });
      }
      return hits;
    }),
  },
  {
    id: "bandwidth-unknown-type",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8866 s5.8",
    requirements: ["R7.1-2"],
    condition: "a type that is none of AS, CT, TIAS, RS, RR and does not begin with `X-`",
    message: "no browser knows this bandwidth type, so the line limits nothing; use TIAS or AS",
    find: limited(
      ({ type }) => !KNOWN.has(type) && !type.startsWith("X-"),
      ({ type }) => `b=${type}`,
    ),
  },
  {
    id: "bandwidth-as-session",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.10",
    requirements: ["R7.1-2"],
    condition: "`b=AS` before the first m-line",
    message: "b=AS counts in sections only and is ignored here; move it there or use b=CT",
    find: ({ description: { session } }) =>
      where(session.bandwidths, ({ type }) => type === "AS", said),
  },
  {
    id: "bandwidth-ct-media",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8829 s5.10",
    requirements: ["R7.1-2"],
    condition: "`b=CT` in a section",
    message:
      "b=CT counts before the first m-line only and is ignored in a section; use TIAS or AS here",
    find: eachSection(among((limits) => where(limits, ({ type }) => type === "CT", said))),
  },
  {
    id: "bandwidth-as-unit",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8866 s5.8",
    requirements: ["R7.1-2"],
    condition: `\`b=AS\` above ${MOST_AS}`,
    message: "AS is in kilobits per second; divide by 1000 if bits per second were meant",
    find: limited(({ type, value }) => type === "AS" && value > MOST_AS, said),
  },
  {
    id: "bandwidth-tias-unit",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 3890 s6.2",
    requirements: ["R7.1-2"],
    condition: `\`b=TIAS\` above 0 and below ${LEAST_TIAS}`,
    message: "TIAS is in bits per second; multiply by 1000 if kilobits per second were meant",
    find: limited(({ type, value }) => type === "TIAS" && value > 0 && value < LEAST_TIAS, said),
  },
  {
    id: "bandwidth-zero",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8866 s5.8, RFC 3890 s6.2",
    requirements: ["R7.1-2"],
    condition: "AS, TIAS or CT of 0",
    message:
      "a limit of 0 asks the peer to send nothing; set the direction instead if that is meant, or leave the line out",
    find: limited(({ type, value }) => ["AS", "TIAS", "CT"].includes(type) && value === 0, said),
  },
  {
    id: "bandwidth-tias-above-as",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 3890 s6.2",
    requirements: ["R7.1-2"],
    condition: "TIAS is more than AS allows",
    message:
      "TIAS leaves out the lower layers that AS counts, so it should be the smaller; browsers follow TIAS and exceed AS",
    find: eachPart(
      among((limits) => {
        const as = last(limits, "AS");
        const tias = last(limits, "TIAS");
        return as && tias && tias.value > as.value * BITS_PER_KILOBIT
          ? [{ line: tias.line, detail: said(tias) }]
          : NO_HITS;
      }),
    ),
  },
  {
    id: "rtcp-bandwidth-extreme",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 8834 s13, RFC 3556 s2",
    requirements: ["R4.1-13"],
    condition:
      "RS and RR together are more than a quarter of the TIAS or AS of their section, or allow a report every 25 s or less often",
    message:
      "RTCP would take a large part of the media rate, or come too seldom to control it; RS and RR are in bits per second and 5 % of the media rate is usual",
    find: eachSection(among(extremeRtcp)),
  },
  {
    id: "bandwidth-sum-exceeds-ct",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 8866 s5.8",
    requirements: ["R7.1-2"],
    condition: "the AS of all sections in use are together more than the CT of the session",
    message:
      "the sections together are allowed more than the session as a whole, and browsers do not share it out; lower b=AS in the sections",
    find: ({ description: { session, live } }) => {
      const total = last(session.bandwidths, "CT");
      if (!total) return NO_HITS;
      const sum = live.reduce(
        (all, { bandwidths }) => all + (last(bandwidths, "AS")?.value ?? 0),
        0,
      );
      return sum > total.value ? [{ line: total.line, detail: said(total) }] : NO_HITS;
    },
  },
];
