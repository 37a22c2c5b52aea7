/** What the kit reads in descriptions. */

export interface Section {
  readonly kind: string;
  readonly mid: string;
  readonly rejected: boolean;
  readonly direction: string;
  readonly setup: string;
}

export function sectionsOf(sdp: string): readonly Section[] {
  const [head = "", ...sections] = sdp.split(/^(?=m=)/m);
  const inHead = (pattern: RegExp) => pattern.exec(head)?.[1];
  return sections.map((section) => {
    const [, kind = "", port = ""] = /^m=(\S+) (\d+)/.exec(section) ?? [];
    const [, mid = ""] = /^a=mid:(\S+)/m.exec(section) ?? [];
    const directions = /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m;
    const setup = /^a=setup:(\S+)/m;
    return {
      kind,
      mid,
      // RFC 9143 s6: bundle-only sections of an offer have port 0 as well.
      rejected: port === "0" && !/^a=bundle-only\r?$/m.test(section),
      direction: directions.exec(section)?.[1] ?? inHead(directions) ?? "sendrecv",
      setup: setup.exec(section)?.[1] ?? inHead(setup) ?? "",
    };
  });
}

/** Sections that are not as they are to be, in words. */
export const notOf = (sections: readonly Section[], direction: string): string =>
  sections
    .filter((section) => section.rejected || section.direction !== direction)
    .map(
      ({ kind, mid, rejected, direction: seen }) =>
        `${kind} (mid ${mid}) ${rejected ? "rejected with port 0" : seen}`,
    )
    .join(", ");
