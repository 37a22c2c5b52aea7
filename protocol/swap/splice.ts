import type { Candidate } from "../message-parts.ts";

/**
 * The description with these candidates in it, for whoever takes none later: SWAP v1 has no trickle (TS 26.113 clause
 * 13.2.4.3). Each line is put at the end of its section; nothing else is touched. Candidates that name no section of the
 * description, and those that it has already, are left out; so is the empty one that ends a generation.
 */
export function withSpliced(sdp: string, candidates: readonly Candidate[]): string {
  const sections = sdp.split(SECTION_START);
  const places = sections.slice(1).map((text) => ({ mid: MID.exec(text)?.[1], text }));
  const [lineEnd = "\r\n"] = LINE_END.exec(sdp) ?? [];
  const added = places.map((): string[] => []);
  for (const candidate of candidates) {
    const line = lineOf(candidate);
    const place = placeOf(candidate, places);
    const known = places[place];
    if (line === undefined || !known || hasLine(known.text, line)) continue;
    if (!added[place]?.includes(line)) added[place]?.push(line);
  }
  return sections
    .map((text, index) => {
      const lines = added[index - 1] ?? [];
      if (lines.length === 0) return text;
      const ended = text.endsWith("\n") ? text : `${text}${lineEnd}`;
      return `${ended}${lines.map((line) => `${line}${lineEnd}`).join("")}`;
    })
    .join("");
}

const SECTION_START = /^(?=m=)/m;
const MID = /^a=mid:(\S+)/m;
const LINE_END = /\r?\n/;

/** `candidate:1 1 udp ...` as browsers say it, `a=candidate:1 1 udp ...` as some others do. */
function lineOf({ candidate }: Candidate): string | undefined {
  const text = candidate.replace(/^a=/, "").trim();
  return text === "" ? undefined : `a=${text}`;
}

interface Place {
  readonly mid: string | undefined;
  readonly text: string;
}

/** The section that a candidate names, by its mid if it has one; -1 when there is none. */
function placeOf({ sdpMid, sdpMLineIndex }: Candidate, places: readonly Place[]): number {
  if (typeof sdpMid === "string" && sdpMid !== "") {
    return places.findIndex(({ mid }) => mid === sdpMid);
  }
  return sdpMLineIndex ?? -1;
}

const hasLine = (text: string, line: string): boolean =>
  text.split(LINE_END).some((each) => each.trimEnd() === line);
