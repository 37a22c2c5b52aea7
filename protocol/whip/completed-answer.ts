import { attributeIn, bundlesIn, type EndedLine, endedLinesOf, partsOf, textOf } from "./lines.ts";

/**
 * The answer for an HTTP client: `a=rtcp-mux-only` after the `a=rtcp-mux` of each bundled section in use that lacks it.
 * RFC 9725 s4.4.1 demands it of both sides; RFC 8858 s4.3, which is older, forbids it in answers; who does not
 * know it ignores it (RFC 8866 s5.13). Nothing else is touched (N9).
 */
export function completedAnswer(answer: string): string {
  const { session, sections } = partsOf(endedLinesOf(answer));
  const bundled = new Set(bundlesIn(session).flat());
  return textOf([...session, ...sections.flatMap((section) => completed(section, bundled))]);
}

function completed(
  section: readonly EndedLine[],
  bundled: ReadonlySet<string | undefined>,
): readonly EndedLine[] {
  const says = (wanted: RegExp): boolean => section.some(({ text }) => wanted.test(text));
  const isRejected = says(/^m=\S+ 0[ /]/) && !says(/^a=bundle-only\s*$/);
  const isBundled = bundled.has(attributeIn(section, "mid"));
  if (isRejected || !isBundled || says(/^a=rtcp-mux-only\s*$/)) return section;
  return section.flatMap((line) =>
    line.text.trimEnd() === "a=rtcp-mux"
      ? [
          { text: line.text, end: line.end || "\r\n" },
          { text: "a=rtcp-mux-only", end: line.end },
        ]
      : [line],
  );
}
