import { LIMITS } from "../limits.ts";
import { exceedsBytes } from "../utf8.ts";
import type { SdpFinding } from "./finding.ts";

/** One line of a description: `a=mid:0` is type `a` and value `mid:0`; a line without a type is none. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly type: string;
  readonly value: string;
}

/** An attribute line: `a=mid:0` is name `mid` and value `0`; `a=rtcp-mux` has the empty value. */
export interface Attribute {
  readonly line: number;
  readonly name: string;
  readonly value: string;
}

const tooLarge = (message: string): SdpFinding => ({
  rule: "sdp-too-large",
  level: "error",
  message,
  source: "Duplex D4",
});

/** The finding that says a description is over the limits of D4. */
export function sectionsTooMany(): SdpFinding {
  return tooLarge(`more than ${LIMITS.sdpSections} m-sections`);
}

/** Real peers end lines with CRLF; LF and CR alone must be read as well (RFC 8866 s5). */
const LINE_END = /\r\n|\n|\r/;
const LINE_START = /^[a-z]=/;

/**
 * Splits a description into lines, in linear time. What is no line (`hello`) has no type and its whole text as
 * value: its rule finds it there, the rest can still be read.
 *
 * Finding: `sdp-too-large`.
 */
export function readLines(sdp: string): readonly Line[] | SdpFinding {
  if (exceedsBytes(sdp, LIMITS.sdpBytes)) return tooLarge(`more than ${LIMITS.sdpBytes} bytes`);
  const texts = sdp.split(LINE_END);
  if (texts.at(-1) === "") texts.pop();
  if (texts.length > LIMITS.sdpLines) return tooLarge(`more than ${LIMITS.sdpLines} lines`);
  return texts.map((text, index) => {
    const isLine = LINE_START.test(text);
    return {
      number: index + 1,
      type: isLine ? text.slice(0, 1) : "",
      value: isLine ? text.slice(2) : text,
    };
  });
}

/** The attributes among lines, in their order. */
export function attributesOf(lines: readonly Line[]): readonly Attribute[] {
  return lines
    .filter(({ type }) => type === "a")
    .map(({ number, value }) => {
      const colon = value.indexOf(":");
      return colon < 0
        ? { line: number, name: value, value: "" }
        : { line: number, name: value.slice(0, colon), value: value.slice(colon + 1) };
    });
}
