/** What reports of flows and transports need of SDP: which section is meant. */

/** The sections of a description, by mid. */
function sectionsOf(sdp: string): (readonly [mid: string, section: string])[] {
  const [, ...sections] = sdp.split(/^(?=m=)/m);
  return sections.map((section) => [/^a=mid:(\S+)/m.exec(section)?.[1] ?? "", section]);
}

/** The mids of sections, by the SSRCs that they announce. */
export function midsBySsrc(sdp = ""): ReadonlyMap<number, string> {
  const mids = sectionsOf(sdp).flatMap(([mid, section]) =>
    [...section.matchAll(/^a=ssrc:(\d+)/gm)].map(([, ssrc]) => [Number(ssrc), mid] as const),
  );
  return new Map(mids);
}

/** The mid of the data channels' section; undefined where there is none that is alive. */
export function dataMidOf(sdp = ""): string | undefined {
  const section = sdp.split(/^(?=m=)/m).find((text) => /^m=application [1-9]/.test(text));
  return /^a=mid:(\S+)/m.exec(section ?? "")?.[1];
}
