import { type Msid, msidOf, type SsrcAttribute, ssrcListOf } from "./grammar.ts";

/** A source that a section announces: its `a=ssrc` lines taken together (RFC 5576). */
export interface Ssrc {
  readonly ssrc: number;
  /** Number of its first line. */
  readonly line: number;
  readonly cname: string | undefined;
  readonly msid: Msid | undefined;
  /** SSRCs that it takes the place of (RFC 5576 s6.2). */
  readonly previous: readonly number[];
}

type Said = SsrcAttribute & { readonly line: number };

/** The sources of a section in the order of their first lines: of each attribute but `previous-ssrc` the first counts. */
export function ssrcsOf(said: readonly Said[]): readonly Ssrc[] {
  if (said.length === 0) return [];
  const bySsrc = new Map<number, [Said, ...Said[]]>();
  for (const line of said) {
    const known = bySsrc.get(line.ssrc);
    if (known) known.push(line);
    else bySsrc.set(line.ssrc, [line]);
  }
  const ssrcs: Ssrc[] = [];
  for (const lines of bySsrc.values()) ssrcs.push(ssrcOf(lines));
  return ssrcs;
}

const NO_SSRCS: readonly number[] = [];

function ssrcOf(lines: readonly [Said, ...Said[]]): Ssrc {
  let cname: Said | undefined;
  let msid: Said | undefined;
  let previous: number[] | undefined;
  for (const line of lines) {
    if (line.name === "cname") cname ??= line;
    else if (line.name === "msid") msid ??= line;
    else if (line.name === "previous-ssrc") {
      previous ??= [];
      for (const ssrc of ssrcListOf(line.value)) previous.push(ssrc);
    }
  }
  const [{ ssrc, line }] = lines;
  return {
    ssrc,
    line,
    cname: cname?.value.trim(),
    msid: msid && msidOf(msid.value),
    previous: previous ?? NO_SSRCS,
  };
}
