const SECTION = /(?=^m=)/m;

/**
 * A description as werift reads it rightly.
 *
 * A section with port 0 and `a=bundle-only` is offered all the same (RFC 9143 s6); werift would reject it.
 * Ends of candidates are left out: an encoder that names none and sends first is found by its checks
 * (RFC 8445 s7.3.1.3), which an agent that expects no more would not wait for.
 */
export function readableDescription(sdp: string): string {
  return sdp
    .replace(/^a=end-of-candidates\r?\n/gm, "")
    .split(SECTION)
    .map((section) =>
      /^a=bundle-only\r?$/m.test(section) ? section.replace(/^(m=\S+) 0 /, "$1 9 ") : section,
    )
    .join("");
}
