import { listedFormats } from "../inherited.ts";
import { once } from "../notes.ts";
import { encodingsOf, type PayloadType, parameterOf, payloadTypesOf } from "../payload-types.ts";
import { type DescriptionRule, type Hit, NO_HITS } from "../rule.ts";
import type { Section } from "../section.ts";
import { eachRtpSection, payloadTypeNamed } from "./rtp-sections.ts";

/** A retransmission format and what it repairs, as far as its section says. */
interface Retransmission {
  readonly rtx: PayloadType;
  /** Payload type as it is spelt in `apt`. */
  readonly apt: string | undefined;
  readonly line: number;
  /** Undefined when the m-line does not list it, or nothing says what it is. */
  readonly repaired: PayloadType | undefined;
  readonly isListed: boolean;
}

/** Several rules ask for the retransmission formats of the same section. */
const retransmissionsOf = once((section: Section): readonly Retransmission[] => {
  if (!encodingsOf(section).has("rtx")) return [];
  const all = payloadTypesOf(section);
  const byFormat = new Map<string, PayloadType>();
  for (const each of all) byFormat.set(each.format, each);
  const listed = listedFormats(section);
  const found: Retransmission[] = [];
  for (const rtx of all) {
    if (rtx.name !== "rtx") continue;
    const parameter = parameterOf(rtx, "apt");
    const apt = parameter && /^\d+$/.test(parameter.value) ? parameter.value : undefined;
    const line = parameter?.line ?? rtx.line;
    const isListed = listed.has(apt ?? "");
    found.push({ rtx, apt, line, repaired: byFormat.get(apt ?? ""), isListed });
  }
  return found;
});

/** Hits for the rtx formats of a section that the condition holds for. */
const eachRetransmission = (
  condition: (retransmission: Retransmission) => boolean,
): DescriptionRule["find"] =>
  eachRtpSection((section) => {
    const hits: Hit[] = [];
    for (const retransmission of retransmissionsOf(section)) {
      const { rtx, line } = retransmission;
      if (condition(retransmission)) hits.push({ line, detail: payloadTypeNamed(rtx.format) });
    }
    return hits;
  });

/** `111/111`: the payload types that a redundant packet may hold, parted by slashes (RFC 2198 s5). */
const REDUNDANT = /^\d+(?:\/\d+)*$/;

/** Formats that repair others: retransmission, redundancy, forward error correction. */
export const REPAIR_RULES: readonly DescriptionRule[] = [
  {
    id: "rtx-no-apt",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 4588 s8.1",
    requirements: ["R6.1-4"],
    condition: "an rtx format has no fmtp with `apt=<payload type>`",
    message: "nothing says what this retransmits and Chromium refuses it; add a=fmtp with apt=",
    find: eachRetransmission(({ apt }) => apt === undefined),
  },
  {
    id: "rtx-apt-dangling",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 4588 s8.1, RFC 8829 s5.10",
    requirements: ["R6.1-4"],
    condition: "the apt of an rtx format is a payload type that the m-line does not list",
    message:
      "the codec this retransmits is not on the m-line and Chromium refuses that; when a codec is removed, remove its rtx too",
    find: eachRetransmission(({ apt, isListed }) => apt !== undefined && !isListed),
  },
  {
    id: "rtx-apt-rtx",
    on: "both",
    level: "error",
    strict: "error",
    source: "RFC 4588 s8.1",
    condition: "the apt of an rtx format is an rtx format",
    message: "retransmissions are not retransmitted; apt must be the payload type of the codec",
    find: eachRetransmission(({ repaired }) => repaired?.name === "rtx"),
  },
  {
    id: "rtx-clock-rate",
    on: "both",
    level: "warning",
    strict: "error",
    source: "RFC 4588 s8.1",
    requirements: ["R6.1-4"],
    condition: "an rtx format has another clock rate than the codec it repairs",
    message: "retransmissions keep the timestamps of the codec; give rtx the same clock rate",
    find: eachRetransmission(
      ({ rtx, repaired }) =>
        repaired !== undefined && repaired.name !== "rtx" && repaired.rate !== rtx.rate,
    ),
  },
  {
    id: "red-dangling",
    on: "both",
    level: "warning",
    strict: "warning",
    source: "RFC 2198 s5",
    requirements: ["R6.2-2"],
    condition: "the fmtp of a red format names a payload type that the m-line does not list",
    message:
      "redundant packets would hold a codec that is not on the m-line; when a codec is removed, remove it from red too",
    find: eachRtpSection((section) => {
      if (!encodingsOf(section).has("red")) return NO_HITS;
      const listed = listedFormats(section);
      const red = new Set(
        payloadTypesOf(section)
          .filter(({ name }) => name === "red")
          .map(({ format }) => format),
      );
      return section.formatParameters.flatMap(({ format, parameters, line }): Hit[] => {
        const text = parameters.trim();
        if (!red.has(format) || !REDUNDANT.test(text)) return [];
        const missing = text.split("/").find((part) => !listed.has(part));
        return missing === undefined ? [] : [{ line, detail: payloadTypeNamed(missing) }];
      });
    }),
  },
  {
    id: "fec-without-red",
    on: "both",
    level: "info",
    strict: "info",
    source: "RFC 5109 s14.2",
    condition: "a section lists ulpfec but not red",
    message: "browsers send ulpfec only inside red; without red on the m-line it stays unused",
    find: eachRtpSection((section) => {
      const encodings = encodingsOf(section);
      if (!encodings.has("ulpfec") || encodings.has("red")) return NO_HITS;
      return payloadTypesOf(section)
        .filter(({ name }) => name === "ulpfec")
        .map(({ format, line }) => ({ line, detail: payloadTypeNamed(format) }));
    }),
  },
];
