import type { Section } from "../sdp/section.ts";

/** What says how media is coded; nothing of keys, candidates and credentials. */
const CODEC_ATTRIBUTES: ReadonlySet<string> = new Set([
  ...["rtpmap", "fmtp", "ptime", "maxptime", "sendrecv", "sendonly", "recvonly", "inactive"],
]);

function linesOf({ lines, plainLines }: Section): string {
  const plain = new Set(plainLines.filter(({ type }) => type === "m" || type === "b"));
  return lines
    .filter(
      (line) =>
        plain.has(line) ||
        (line.type === "a" && CODEC_ATTRIBUTES.has(line.value.split(":", 1).join())),
    )
    .map(({ type, value }) => `${type}=${value}\r\n`)
    .join("");
}

/**
 * A section as TS 29.514 CodecData wants it, of both descriptions: `uplink` is the one that came from the UE, `downlink`
 * the one that went to it (TS 29.214 s5.3.7).
 */
export function codecTextOf(own: Section, others: Section, isOfferer: boolean): readonly string[] {
  const [ownPart, othersPart] = isOfferer ? ["offer", "answer"] : ["answer", "offer"];
  return [`uplink\n${ownPart}\n${linesOf(own)}`, `downlink\n${othersPart}\n${linesOf(others)}`];
}
